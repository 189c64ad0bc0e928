"""`--tools harbour:PORT`: when the water is high there."""

from __future__ import annotations

from collections.abc import Callable

from alpha_umi.errors import UsageError

TIDES = {"Brix": "14:10", "Hove": "09:40"}


def source(rest: str | None) -> list[Callable[..., str]]:
    """The tools of one port, or of all."""
    if rest is not None and rest not in TIDES:
        raise UsageError(f"there is no port '{rest}'; there are {', '.join(TIDES)}")

    def high_water(port: str) -> str:
        """When the water is high at a port."""
        return TIDES[port] if rest in (None, port) else f"this is {rest}"

    return [high_water]
