"""Time zones out of the package `tzdata` alone: the operating system's tables differ from machine to machine."""

from __future__ import annotations

import functools
from importlib import resources
from zoneinfo import ZoneInfo


@functools.cache
def zone(key: str) -> ZoneInfo:
    """The zone of a name such as `Africa/Cairo`."""
    with resources.files("tzdata").joinpath("zoneinfo", *key.split("/")).open("rb") as stream:
        return ZoneInfo.from_file(stream, key=key)
