"""Which calls were begun and which came to their end, written down so that no effect happens twice.

Over LangGraph's store, which there is for memory, SQLite and Postgres. A call is entered before it is carried out and
gets its observation after; an entry without one is a call whose outcome nobody knows.
"""

from __future__ import annotations

from typing import NamedTuple

from langgraph.store.base import BaseStore

from alpha_umi.trajectory import Call, Observation

_PLACE = ("alpha_umi", "calls")


class Entry(NamedTuple):
    """A call that was begun."""

    observation: Observation | None
    """What came back; None when that is not known."""


class Journal:
    """The calls of one episode."""

    def __init__(self, store: BaseStore, episode: str) -> None:
        self._store, self._place = store, (*_PLACE, episode)

    def read(self, key: str) -> Entry | None:
        """What is known of a call; None when it was never begun."""
        item = self._store.get(self._place, key)
        if item is None:
            return None
        seen = item.value.get("observation")
        return Entry(None if seen is None else Observation.model_validate_json(seen))

    def begin(self, key: str, call: Call) -> None:
        """A call is about to be carried out. Returns when that is stored."""
        self._store.put(self._place, key, {"call": call.model_dump_json()}, index=False)

    def end(self, key: str, call: Call, observation: Observation) -> None:
        """A call was carried out."""
        both = {"call": call.model_dump_json(), "observation": observation.model_dump_json()}
        self._store.put(self._place, key, both, index=False)

    def close(self) -> None:
        """The episode is over: its calls will not be asked for again."""
        while items := self._store.search(self._place, limit=100):
            for item in items:
                self._store.delete(self._place, item.key)
