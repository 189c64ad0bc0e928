"""The process behind `tools.interpreter`: started under limits, asked, and killed with all it started.

Knows the pipes, the limits and the namespaces; nothing of tools and observations. Messages are length-prefixed JSON,
read with a deadline and a largest size, so that nothing a process writes can hang or fill this one.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from alpha_umi.errors import UsageError
from alpha_umi.tools.protocol import MAX_OBSERVATION_CHARS

START_S = 60.0
"""How long the process may take to start; a call's time begins after that."""

_CHILD = Path(__file__).with_name("child.py")
_NAMESPACES = (
    ("--user", "--map-root-user", "--net", "--ipc", "--pid", "--fork", "--kill-child"),
    ("-r", "-n"),
)
_DEATHS = {
    "SIGXCPU": "it used more than {cpu_s} seconds of CPU time",
    "memory": "it needed more than {memory_mb} MB of memory",
    "SIGSEGV": "it crashed the interpreter",
    "SIGKILL": "it was killed",
}


@dataclass(frozen=True, kw_only=True)
class ProcessLimits:
    """What one session may use."""

    timeout_s: float = 10.0
    """Wall time of a call."""
    cpu_s: int = 10
    """CPU time of a call, all threads together."""
    memory_mb: int = 512
    """Address space of the process."""
    processes: int = 64
    """Processes and threads of the user; the kernel does not apply it to root."""
    open_files: int = 64
    file_mb: int = 16
    """Size of each file written."""
    max_chars: int = MAX_OBSERVATION_CHARS
    """Longest observation; what is longer loses its middle."""

    def __post_init__(self) -> None:
        wrong = [name for name, value in asdict(self).items() if value <= 0]
        if wrong:
            raise UsageError(f"limits of the python tool must be positive: {', '.join(wrong)}")


@functools.cache
def isolation() -> tuple[str, ...]:
    """The command that gives a process namespaces of its own, as far as this kernel lets this user; empty if not."""
    unshare = shutil.which("unshare")
    for options in _NAMESPACES if unshare else ():
        command = (str(unshare), *options)
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            tried = subprocess.run([*command, "true"], capture_output=True, timeout=START_S, check=False)
            if tried.returncode == 0:
                return command
    return ()


class Ended(Exception):
    """The process is gone or no longer understood; says why."""


class PythonSession:
    """One process and its folder; not to be used by two threads at once."""

    def __init__(self, limits: ProcessLimits, executable: str) -> None:
        self._limits = limits
        self._asked = 0
        self._folder = tempfile.mkdtemp(prefix="alpha-umi-python-")
        mega = 1 << 20
        settings = {
            "folder": self._folder,
            "cpu_s": limits.cpu_s,
            "max_chars": limits.max_chars,
            "limits": {
                "RLIMIT_CORE": 0,
                "RLIMIT_AS": limits.memory_mb * mega,
                "RLIMIT_FSIZE": limits.file_mb * mega,
                "RLIMIT_NOFILE": limits.open_files,
                "RLIMIT_NPROC": limits.processes,
            },
        }
        child = [executable, "-I", "-B", "-X", "utf8", str(_CHILD), json.dumps(settings)]
        try:
            self._process = subprocess.Popen(
                [*isolation(), *child],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=self._folder,
                env={},
                start_new_session=True,
                bufsize=0,
            )
        except OSError as error:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise Ended(f"its process could not be started ({error.strerror or error})") from None
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._requests, self._replies = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._requests, False)
        try:
            if self._receive(time.monotonic() + START_S) != {"ready": True}:
                raise Ended("its process did not start")
        except BaseException:
            self.end()
            raise

    def ask(self, code: str) -> Any:
        """Run code and wait for `{"id", "ok", "text"}`; raises Ended when none comes in time."""
        self._asked += 1
        deadline = time.monotonic() + self._limits.timeout_s
        body = json.dumps({"id": self._asked, "code": code}).encode()
        self._send(struct.pack(">I", len(body)) + body, deadline)
        reply = self._receive(deadline)
        if reply.get("id") != self._asked or not isinstance(reply.get("text"), str):
            raise Ended("it wrote to the pipe that carries its results")
        return {"text": reply["text"], "ok": reply.get("ok") is True}

    def _send(self, data: bytes, deadline: float) -> None:
        while data:
            self._wait(self._requests, select.POLLOUT, deadline)
            try:
                data = data[os.write(self._requests, data) :]
            except BlockingIOError:
                continue
            except BrokenPipeError:
                raise Ended("its process ended") from None

    def _receive(self, deadline: float) -> dict[str, Any]:
        (size,) = struct.unpack(">I", self._read(4, deadline))
        if size > 32 * self._limits.max_chars + 4096:  # a character takes 12 bytes at most
            raise Ended("it wrote to the pipe that carries its results")
        try:
            reply = json.loads(self._read(size, deadline))
        except (ValueError, RecursionError):
            reply = None
        if not isinstance(reply, dict):
            raise Ended("it wrote to the pipe that carries its results")
        if "died" in reply:
            why = _DEATHS.get(str(reply["died"]), "its process ended")
            raise Ended(why.format(**asdict(self._limits)))
        return reply

    def _read(self, count: int, deadline: float) -> bytes:
        parts = bytearray()
        while len(parts) < count:
            self._wait(self._replies, select.POLLIN, deadline)
            part = os.read(self._replies, count - len(parts))
            if not part:
                raise Ended("its process ended")
            parts += part
        return bytes(parts)

    def _wait(self, descriptor: int, event: int, deadline: float) -> None:
        watch = select.poll()
        watch.register(descriptor, event)
        if not watch.poll(max(deadline - time.monotonic(), 0) * 1000):
            raise Ended(f"it gave no result within {self._limits.timeout_s:g} seconds")

    def end(self) -> None:
        """Kill the process with all it started, and remove the folder."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)  # its own session; not yet waited for, so the id is ours
        self._process.wait()
        self._wait_until_all_are_gone()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()
        for place, folders, _ in os.walk(self._folder):  # the code may have closed its own folders
            for folder in (os.path.join(place, name) for name in folders):
                if not os.path.islink(folder):
                    os.chmod(folder, 0o700)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _wait_until_all_are_gone(self) -> None:
        """The results' pipe ends when the last process that could still write into the folder is dead."""
        deadline = time.monotonic() + 5
        with contextlib.suppress(Ended):
            while True:
                self._read(1, deadline)
