"""The predictions of one evaluation on disk: `predictions.jsonl`, one Prediction a line, and where they come from.

Lines are appended as they come, so a killed run continues where it stopped: a half-written last line is dropped.
`predictions.meta.json` beside it names team and data by digest, and predictions of others are never mixed in.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from pydantic import ValidationError

from alpha_umi.adapters import text_digest, weights_digest
from alpha_umi.errors import DataError, UsageError
from alpha_umi.evaluation.points import Prediction
from alpha_umi.prompts import load_prompts
from alpha_umi.roles import ROLES, Team
from alpha_umi.trajectory import Frozen

PREDICTIONS = "predictions.jsonl"
META = "predictions.meta.json"


class Origin(Frozen):
    """What predictions were made by and from."""

    team: str
    team_digest: str
    data: str
    data_digest: str

    def differs(self, other: Origin) -> list[str]:
        """In what the two differ, each for one line of text; names may differ, content may not."""
        pairs = (("team", self.team_digest, other.team_digest), ("data", self.data_digest, other.data_digest))
        return [f"other {what}" for what, mine, theirs in pairs if mine != theirs]


def team_digest(team: Team) -> str:
    """Changes with whatever may change what the team writes: weights, prompts, settings."""
    roles = [team.role(view) for view in ROLES]
    sources = [team.base, *(role.weights or "" for role in roles)]
    # Hashed once each: roles may share a folder. A hub id stands for itself.
    digests = {source: weights_digest(Path(source)) for source in set(sources) if source and Path(source).is_dir()}
    weights = [digests.get(source, source) for source in sources]
    settings = [role.model_dump(mode="json", exclude={"name", "description", "weights"}) for role in roles]
    limits = [team.observation_chars, team.context]
    return text_digest([weights, settings, team.layout, load_prompts(team.layout).digest, limits])


class PredictionLog:
    """Predictions made so far, and the file that the next are appended to. A context manager."""

    def __init__(self, folder: str | Path, origin: Origin) -> None:
        """Open or continue the log in a folder.

        Raises:
            UsageError: the folder holds predictions of another team or data.
            DataError: a line that is not the last cannot be read.
        """
        self.path = Path(folder) / PREDICTIONS
        self.done: dict[int, Prediction] = {}
        end = 0
        if self.path.is_file() and self.path.stat().st_size:
            self._check(origin)
            predictions, end = _read(self.path)
            self.done = {p.n: p for p in predictions}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        _write_whole(self.path.with_name(META), origin.model_dump_json(indent=2) + "\n")
        self._stream: BinaryIO = self.path.open("ab")
        self._stream.truncate(end)

    def _check(self, origin: Origin) -> None:
        found = read_origin(self.path)
        what = ["unknown origin"] if found is None else found.differs(origin)
        if what:
            raise UsageError(f"{self.path} holds predictions of {' and '.join(what)}: give another --out or remove it")

    def append(self, predictions: Iterable[Prediction]) -> None:
        """Write predictions and flush them."""
        for prediction in predictions:
            self.done[prediction.n] = prediction
            self._stream.write(prediction.model_dump_json().encode() + b"\n")
        self._stream.flush()

    def __enter__(self) -> PredictionLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.close()


def read_predictions(path: str | Path) -> list[Prediction]:
    """Predictions of a file or of the folder that holds it, each point once; a half-written last line is left out.

    Raises:
        DataError: there is no such file, it is empty, or a line is no prediction.
    """
    path = Path(path)
    path = path / PREDICTIONS if path.is_dir() else path
    if not path.is_file():
        raise DataError(f"there is no predictions file {path}")
    predictions, _ = _read(path)
    if not predictions:
        raise DataError(f"{path} holds no predictions")
    return list({p.n: p for p in predictions}.values())


def read_origin(path: Path) -> Origin | None:
    """Where the predictions of a file come from, or None when nothing says so."""
    meta = (path if path.is_dir() else path.parent) / META
    try:
        return Origin.model_validate_json(meta.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValidationError as error:
        raise DataError(f"{meta}: {error.errors()[0]['msg']}") from error


def _read(path: Path) -> tuple[list[Prediction], int]:
    """The predictions, and where the last whole line ends."""
    predictions, end = [], 0
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.endswith(b"\n"):
                break
            try:
                predictions.append(Prediction.model_validate_json(line))
            except ValidationError as error:
                first = error.errors()[0]
                key = ".".join(map(str, first["loc"]))
                raise DataError(f"{path} line {number} is no prediction: {key}: {first['msg']}") from error
            end += len(line)
    return predictions, end


def _write_whole(path: Path, text: str) -> None:
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)


def write_json(path: Path, value: object) -> None:
    """Write a value whole or not at all, making its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _write_whole(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
