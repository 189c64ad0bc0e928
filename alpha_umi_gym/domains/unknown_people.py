"""Values that no world knows, for requests that cannot be met: so far from known ones that none is suggested."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from alpha_umi_gym.lookup import find
from alpha_umi_gym.sampler import DroppedTask


def far(make: Callable[[], str], known: Iterable[str]) -> str:
    """A value that `make` draws and for which `lookup.find` suggests none of the known ones.

    Raises:
        DroppedTask: there seems to be none.
    """
    names = list(known)
    for _ in range(100):
        value = make()
        try:
            find(value, names, what="value")
        except LookupError as error:
            if "did you mean" not in str(error):
                return value
    raise DroppedTask("every value is close to a known one")
