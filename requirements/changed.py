"""Print which packages of this environment differ from the lock: name, locked version, version here."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement


def locked() -> list[Requirement]:
    """What the lock asks for on this machine."""
    lines = Path(__file__).with_name("lock.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.removesuffix("\\")) for line in lines if line[:1].isalnum()]
    return [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]


def here(name: str) -> str:
    """The installed version."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def main() -> None:
    """Print the table."""
    rows = [(pin.name, str(pin.specifier).removeprefix("=="), here(pin.name)) for pin in locked()]
    changed = [row for row in rows if row[1] != row[2]]
    for name, before, now in changed:
        print(f"  {name:<32} {before:<16} {now}")
    print(f"{len(changed)} of {len(rows)} locked versions differ here")


if __name__ == "__main__":
    main()
