"""Channels of the graph's state: pydantic values to whoever reads them, JSON data to whoever stores them.

A `Kept` value is stored whole whenever it changes. Of a `Grown` one LangGraph stores only the changes that nodes write,
so that the bytes a step costs do not depend on the steps before it. Values are read anew only where they changed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, Self

from langgraph.channels import DeltaChannel, LastValue
from pydantic import TypeAdapter

from alpha_umi.errors import UsageError

STATE_VERSION = 2
"""Raised when stored runs of before can no longer be read."""

SNAPSHOT_EVERY = 1000
"""Changes after which a `Grown` value is stored whole, so that reading it does not take ever longer."""

_EMPTY: Any = DeltaChannel(lambda state, writes: state).value
_OTHER_VERSION = (
    "this thread was stored by another version of alpha-umi, which this one cannot go on with: use another thread"
)


class Kept(LastValue[Any]):
    """The last value, stored as JSON data.

    Args:
        typ: of the value.
        key: its name in the state.
        store: what is stored of a value; left out, what pydantic makes of it.
    """

    __slots__ = ("store",)

    def __init__(self, typ: Any, key: str = "", *, store: Callable[[Any], Any] | None = None) -> None:
        super().__init__(typ, key)
        self.store = store

    def copy(self) -> Self:
        """A copy."""
        made = self.__class__(self.typ, self.key, store=self.store)
        made.value = self.value
        return made

    def from_checkpoint(self, checkpoint: Any) -> Self:
        """The channel with what was stored."""
        made = self.__class__(self.typ, self.key, store=self.store)
        if checkpoint is not _EMPTY:
            made.value = _read(self.typ, checkpoint)
        return made

    def update(self, values: Sequence[Any]) -> bool:
        """Take what a node wrote, as a value or as it is stored."""
        changed = super().update(values)
        if changed:
            self.value = _read(self.typ, self.value)
        return changed

    def checkpoint(self) -> Any:
        """What is stored."""
        if self.value is _EMPTY or self.value is None or self.store is None:
            return self.value if self.value is _EMPTY else _adapter(self.typ).dump_python(self.value, mode="json")
        return self.store(self.value)


class Version(LastValue[int]):
    """Which version stored the run; any other is refused."""

    def from_checkpoint(self, checkpoint: Any) -> Self:
        """The channel with what was stored.

        Raises:
            UsageError: another version stored it.
        """
        if checkpoint is not _EMPTY and checkpoint != STATE_VERSION:
            raise UsageError(_OTHER_VERSION)
        return super().from_checkpoint(checkpoint)


class Grown(DeltaChannel[Any]):
    """A value of which only the changes are stored. A reducer makes it of them, beginning with None."""

    def __init__(
        self,
        reducer: Callable[[Any, Sequence[Any]], Any],
        typ: Any = None,
        *,
        snapshot_frequency: int = SNAPSHOT_EVERY,
    ) -> None:
        super().__init__(reducer, typ, snapshot_frequency=snapshot_frequency)
        self.of, self.typ = getattr(typ, "of", typ), _Nothing(getattr(typ, "of", typ))

    @property
    def ValueType(self) -> Any:
        """The type of the value."""
        return self.of

    def from_checkpoint(self, checkpoint: Any) -> Self:
        """The channel with what was stored.

        Raises:
            UsageError: another version stored it, as a text.
        """
        if isinstance(checkpoint, str):
            raise UsageError(_OTHER_VERSION)
        made = super().from_checkpoint(checkpoint)
        if made.value is not None:
            made.value = _read(self.of, made.value)
        return made

    def is_available(self) -> bool:
        """Whether anything was written."""
        return self.value is not _EMPTY and self.value is not None


class _Nothing:
    """What a `Grown` value begins with, made where LangGraph makes an empty value of a type."""

    def __init__(self, of: Any) -> None:
        self.of = of

    def __call__(self) -> None:
        return None


@functools.cache
def _adapter(of: Any) -> TypeAdapter[Any]:
    return TypeAdapter(of)


def _read(of: Any, value: Any) -> Any:
    return _adapter(of).validate_python(value)
