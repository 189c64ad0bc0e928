"""A PostgreSQL server of the tests' own: in a folder that goes with it, on a socket in that folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PLACES = "/usr/lib/postgresql"


def binaries() -> Path | None:
    """Where its programs are; None where it is not installed."""
    found = [Path(found).resolve().parent for found in [shutil.which("initdb")] if found]
    found += sorted(Path(_PLACES).glob("*/bin"), reverse=True)
    return next((folder for folder in found if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


@contextmanager
def postgres() -> Iterator[str]:
    """Start it; its address. As root it runs as `nobody`, for it refuses to be root."""
    folder = binaries()
    assert folder is not None, "ask `binaries` first"
    # Short, because a socket's path may have 107 characters.
    with tempfile.TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as name:
        user = "nobody" if os.geteuid() == 0 else None
        if user is not None:
            shutil.chown(name, user)

        def run(*command: str) -> None:
            done = subprocess.run(command, user=user, cwd=name, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr

        run(str(folder / "initdb"), "-D", f"{name}/data", "-A", "trust", "-U", "tests", "-E", "UTF8", "--no-sync")
        settings = f"-c listen_addresses='' -c unix_socket_directories={name} -c fsync=off"
        run(str(folder / "pg_ctl"), "-D", f"{name}/data", "-o", settings, "-l", f"{name}/log", "-w", "start")
        try:
            yield f"postgresql://tests@/postgres?host={name}"
        finally:
            run(str(folder / "pg_ctl"), "-D", f"{name}/data", "-m", "immediate", "stop")
