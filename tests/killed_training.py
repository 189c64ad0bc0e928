"""`alpha-umi train` that is killed, with all its processes, just after a checkpoint; `runs` starts it.

    python killed_training.py STAGE UPDATES train ...

Killed from outside it may have gone on too far; it kills itself as it begins the update that comes UPDATES after the
first checkpoint of STAGE, so that those in between are in its metrics and have to be made again.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments, trainer

from alpha_umi.cli import main


class KilledAfterCheckpoint(TrainerCallback):
    """Added to every trainer of the process; waits for that of one stage."""

    def __init__(self, stage: str, updates: int) -> None:
        self._stage, self._updates = stage, updates
        self._last: int | None = None

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Note the step of the first checkpoint; it is whole by now."""
        folder = Path(str(args.output_dir))
        if folder.parent.name == self._stage and self._last is None:
            assert (folder / f"checkpoint-{state.global_step}" / "trainer_state.json").is_file()
            self._last = state.global_step + self._updates

    def on_step_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Die as the next update begins."""
        if self._last is not None and state.global_step >= self._last:
            os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    named, later = sys.argv[1:3]
    del sys.argv[1:3]
    everywhere: list[Any] = trainer.DEFAULT_CALLBACKS
    everywhere.append(KilledAfterCheckpoint(named, int(later)))
    main()
