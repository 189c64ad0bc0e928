"""What changed in an experiment since it was last run in the same place, to say why cells are made anew."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from alpha_umi.errors import DataError
from alpha_umi.evaluation.ablation.experiment import Experiment
from alpha_umi.files import write_atomically

FILE = "experiment.json"


def edits(experiment: Experiment, folder: Path) -> list[str]:
    """The keys that have other values than last time, as `arms.glpft.set`; none the first time.

    Raises:
        DataError: what was kept of the last time cannot be read.
    """
    try:
        before = json.loads((folder / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise DataError(f"{folder / FILE} is no JSON: remove it") from error
    return sorted(_differences(before, _plain(experiment)))


def remember(experiment: Experiment, folder: Path) -> None:
    """Keep the experiment as it is now."""
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / FILE, json.dumps(_plain(experiment), indent=2, ensure_ascii=False) + "\n")


def _plain(experiment: Experiment) -> Any:
    return json.loads(experiment.model_dump_json(exclude_defaults=True))


def _differences(before: Any, now: Any, key: str = "", depth: int = 0) -> Iterator[str]:
    """Down to the third level: an arm's `set` is named, and not each value in it."""
    if isinstance(before, Mapping) and isinstance(now, Mapping) and depth < 3:
        for name in {**before, **now}:
            yield from _differences(before.get(name), now.get(name), f"{key}.{name}" if key else name, depth + 1)
    elif before != now:
        yield key
