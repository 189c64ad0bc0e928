"""What `make install` installs: pinned, hashed, within the ranges that users get, on every Python that is supported."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements" / "lock.txt").read_text(encoding="utf-8")
PINS = [Requirement(line.removesuffix("\\")) for line in LOCK.splitlines() if line[:1].isalnum()]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def on(python: str) -> dict[str, str]:
    """What markers ask of a machine with this Python."""
    return {"python_version": python, "python_full_version": f"{python}.2", "sys_platform": "linux"}


def ranges() -> list[Requirement]:
    texts = [*PROJECT["dependencies"], *(text for extra in PROJECT["optional-dependencies"].values() for text in extra)]
    return [asked for asked in map(Requirement, texts) if asked.name not in {"alpha-umi", "torch"}]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_has_each_dependency_once_and_in_its_range(python: str) -> None:
    held = [pin for pin in PINS if pin.marker is None or pin.marker.evaluate({**on(python)})]
    versions = {plain(pin.name): str(pin.specifier).removeprefix("==") for pin in held}
    assert len(versions) == len(held)
    for asked in ranges():
        assert asked.specifier.contains(versions[plain(asked.name)], prereleases=True), str(asked)


def test_every_pin_has_hashes() -> None:
    for block in re.split(r"\n(?=[a-z0-9])", LOCK, flags=re.IGNORECASE)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]


def test_the_lock_leaves_the_device_to_the_user_and_names_no_host() -> None:
    assert not [pin.name for pin in PINS if re.match("torch|triton|nvidia|cuda", plain(pin.name))]
    assert "://" not in LOCK


def test_pint_starts_where_it_works() -> None:
    (pint,) = (asked for asked in ranges() if asked.name == "pint")
    assert not pint.specifier.contains("0.24.0")
    assert pint.specifier.contains("0.24.4")
