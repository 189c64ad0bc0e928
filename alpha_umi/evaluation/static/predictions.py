"""The predictions of a static evaluation on disk: `predictions.jsonl`, one Prediction a line (`records`)."""

from __future__ import annotations

from pathlib import Path

from alpha_umi.errors import DataError
from alpha_umi.evaluation.records import Origin, RecordLog, read_lines
from alpha_umi.evaluation.static.decision_points import Prediction

PREDICTIONS = "predictions.jsonl"


class PredictionLog(RecordLog[int, Prediction]):
    """Predictions made so far by point, and the file that the next are appended to."""

    def __init__(self, folder: str | Path, origin: Origin) -> None:
        super().__init__(Path(folder) / PREDICTIONS, origin, kind=Prediction, key=lambda prediction: prediction.n)


def predictions_file(path: str | Path) -> Path:
    """The file, given itself or the folder that holds it."""
    path = Path(path)
    return path / PREDICTIONS if path.is_dir() else path


def read_predictions(path: str | Path) -> list[Prediction]:
    """Predictions of a file or of the folder that holds it, each point once; a half-written last line is left out.

    Raises:
        DataError: there is no such file, it is empty, or a line is no prediction.
    """
    path = predictions_file(path)
    if not path.is_file():
        raise DataError(f"there is no predictions file {path}")
    predictions, _ = read_lines(path, Prediction)
    if not predictions:
        raise DataError(f"{path} holds no predictions")
    return list({p.n: p for p in predictions}.values())
