"""Stands for `alpha-umi ablate --cell NAME` in tests of the schedule: notes when it ran, and ends as it is told.

python grid_worker.py OUT FAILING KILLED --cell NAME
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from alpha_umi.evaluation.ablation.cells import CellRecord, claimed, folder_of, is_done, write_record


def main() -> None:
    out, failing, killed, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[-1]
    folder = folder_of(out, name)
    with claimed(folder):
        if is_done(folder):
            return
        began = time.time()
        time.sleep(0.3)
        if killed and name.startswith(killed):
            print("half way", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        state = "failed" if failing and name.startswith(failing) else "done"
        error = "no luck" if state == "failed" else ""
        record = CellRecord(state=state, title=name, command=(), seconds=time.time() - began, error=error)
        write_record(folder, record)
        with (out / "log").open("a") as log:
            log.write(f"{name} {began} {time.time()}\n")
        sys.exit(1 if error else 0)


if __name__ == "__main__":
    main()
