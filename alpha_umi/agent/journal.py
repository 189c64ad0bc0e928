"""Which calls were begun and which came to their end, written down so that no effect happens twice.

Over LangGraph's store, which there is for memory, SQLite and Postgres. A call is entered before it is carried out and
gets its observation after; an entry without one is a call whose outcome nobody knows.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

from langgraph.store.base import BaseStore

from alpha_umi.trajectory import Call, Observation

_PLACE = ("alpha_umi", "calls")
_TURNS = ("alpha_umi", "turns")
_TURN = "turn"


class JournalEntry(NamedTuple):
    """A call that was begun."""

    call: Call
    """As it was carried out: a person may have edited it."""
    observation: Observation | None
    """What came back; None when that is not known."""
    paused: bool
    """Whether its tool stopped to ask a person, and so is carried out from its start again when the answer is there."""
    asked: bool
    """Whether a person was asked about it before it was carried out; LangGraph counts the questions of a node."""


class Journal:
    """The calls of one episode."""

    def __init__(self, store: BaseStore, session: str) -> None:
        self._store, self._place = store, (*_PLACE, session)

    def read(self, key: str) -> JournalEntry | None:
        """What is known of a call; None when it was never begun."""
        item = self._store.get(self._place, key)
        if item is None:
            return None
        seen = item.value.get("observation")
        call = Call.model_validate_json(item.value["call"])
        observation = None if seen is None else Observation.model_validate_json(seen)
        return JournalEntry(call, observation, item.value.get("paused", False), item.value.get("asked", False))

    def begin(self, key: str, call: Call, *, asked: bool = False, paused: bool = False) -> None:
        """A call is about to be carried out, or has `paused`. Returns when that is stored."""
        entered = {"call": call.model_dump_json(), "asked": asked, "paused": paused}
        self._store.put(self._place, key, entered, index=False)

    def end(self, key: str, call: Call, observation: Observation) -> None:
        """A call was carried out."""
        both = {"call": call.model_dump_json(), "observation": observation.model_dump_json()}
        self._store.put(self._place, key, both, index=False)

    def close(self) -> None:
        """The episode is over: its calls will not be asked for again."""
        if (item := self._store.get(self._place, _TURN)) is not None:
            self._store.delete(_TURNS, item.value["turn"])
        while items := self._store.search(self._place, limit=100):
            for item in items:
                self._store.delete(self._place, item.key)


def session_of_turn(store: BaseStore, turn: str) -> str:
    """The session of a thread's turn, drawn when it is first asked for: a run that was killed before its beginning was
    stored finds its journal again."""
    item = store.get(_TURNS, turn)
    if item is not None:
        return str(item.value["session"])
    session = uuid.uuid4().hex
    store.put(_TURNS, turn, {"session": session}, index=False)
    store.put((*_PLACE, session), _TURN, {"turn": turn}, index=False)
    return session
