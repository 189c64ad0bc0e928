"""Finding by name with a suggestion when a name is nearly right: the errors that an agent can recover from."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

__all__ = ["find"]

_CUT = 60


def find(name: str, names: Iterable[str], *, what: str) -> str:
    """The known spelling of a name, whatever its case.

    Raises:
        LookupError: nothing is called so; the error suggests the closest name, if one is close.
    """
    known = {item.casefold(): item for item in names}
    wanted = " ".join(name.casefold().split())
    if wanted in known:
        return known[wanted]
    close = difflib.get_close_matches(wanted[:_CUT], known, n=1, cutoff=0.75)
    hint = f", did you mean '{known[close[0]]}'?" if close else ""
    raise LookupError(f"unknown {what} '{name[:_CUT]}'{hint}")
