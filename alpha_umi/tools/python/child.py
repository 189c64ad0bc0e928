"""What runs inside the process of `tools.interpreter`: a supervisor, and the worker that carries out the code.

Run as a script by `python -I`, never imported by the package, and imports nothing of it. The supervisor forks the
worker, tells the parent how it died, and kills it when the parent is gone. The worker limits itself, installs an
audit hook (the guard) and then answers requests: length-prefixed JSON, `{"id", "code"}` in, `{"id", "ok", "text"}` out.
The guard is a fence against accidents and simple attacks, not a wall; `tools.interpreter` says what gets around it.
"""

from __future__ import annotations

import _imp
import ast
import io
import json
import linecache
import os
import resource
import select
import signal
import struct
import sys
import threading
import traceback
import types
from collections import deque
from collections.abc import Mapping
from typing import Any, NoReturn

_REFUSED = {
    "there is no network": ("socket.",),
    "no process can be started": ("subprocess.", "os.system", "os.exec", "os.fork", "os.posix_spawn", "pty.spawn"),
    "no signal can be sent": ("os.kill", "signal.pthread_kill"),
    "the limits are fixed": ("resource.setrlimit", "resource.prlimit"),
    "C cannot be called": ("ctypes.",),
}
"""Why what is refused: the beginnings of audit events."""

_NO_IMPORT = frozenset(
    {"_ctypes", "_posixsubprocess", "_posixshmem", "_cffi_backend", "_gdbm", "_dbm", "_sqlite3", "_testcapi"}
)
"""Modules whose C code starts processes, writes files or calls anything without raising an audit event."""

_CHANGES: Mapping[str, tuple[tuple[int, int | None], ...]] = {
    "os.remove": ((0, 1),),
    "os.rmdir": ((0, 1),),
    "os.mkdir": ((0, 2),),
    "os.rename": ((0, 2), (1, 3)),
    "os.link": ((0, 2), (1, 3)),
    "os.symlink": ((0, 2), (1, 2)),
    "os.chmod": ((0, 2),),
    "os.chown": ((0, 3),),
    "os.utime": ((0, 3),),
    "os.truncate": ((0, None),),
    "os.chflags": ((0, None),),
    "os.lchflags": ((0, None),),
    "os.setxattr": ((0, None),),
    "os.removexattr": ((0, None),),
}
"""Audit events that change files: where among their arguments each path is, and the open folder it is relative to."""

_AF_UNIX = 1
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")
_NO_MEMORY = 3
"""Exit status of a worker whose variables leave it too little memory to go on."""


def main() -> None:
    """Fork the worker and watch over it."""
    settings = json.loads(sys.argv[1])
    worker = os.fork()
    if worker == 0:
        _work(settings)
    threading.Thread(target=_kill_when_abandoned, args=(worker,), daemon=True).start()
    _, status = os.waitpid(worker, 0)
    if os.WIFSIGNALED(status):
        why = signal.Signals(os.WTERMSIG(status)).name
    else:
        why = "memory" if os.WEXITSTATUS(status) == _NO_MEMORY else f"exit {os.WEXITSTATUS(status)}"
    _write(1, {"died": why})
    os._exit(0)


def _kill_when_abandoned(worker: int) -> None:
    """Wait until nobody holds the other end of the requests' pipe: the parent closed it or died."""
    watch = select.poll()
    watch.register(0, 0)
    watch.poll()
    os.kill(worker, signal.SIGKILL)


def _work(settings: Mapping[str, Any]) -> NoReturn:
    """Limit, guard, and answer requests until there are no more."""
    requests, replies = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    main_module = types.ModuleType("__main__")
    sys.modules["__main__"] = main_module
    sys.argv = [""]
    for name in ("OMP", "OPENBLAS", "MKL"):  # their threads would count against the limits
        os.environ[f"{name}_NUM_THREADS"] = "1"
    os.environ["HOME"] = os.environ["TMPDIR"] = os.getcwd()
    for kind, limit in settings["limits"].items():
        _limit(getattr(resource, kind), limit)
    sys.stdin = io.StringIO()  # input() ends at once
    own_limits = _guard(settings["folder"])
    _write(replies, {"ready": True})
    number = 0
    while (request := _read(requests)) is not None:
        number += 1
        own_limits.set()
        spent = resource.getrusage(resource.RUSAGE_SELF)
        _limit(resource.RLIMIT_CPU, int(spent.ru_utime + spent.ru_stime) + 1 + settings["cpu_s"], hard=False)
        own_limits.clear()
        output = _Output(settings["max_chars"])
        ok = _carry_out(request["code"], number, main_module.__dict__, output)
        _write(replies, {"id": request["id"], "ok": ok, "text": output.text()})
    os._exit(0)


def _limit(kind: int, limit: int, *, hard: bool = True) -> None:
    _, hard_limit = resource.getrlimit(kind)
    if hard_limit != resource.RLIM_INFINITY:
        limit = min(limit, hard_limit)
    resource.setrlimit(kind, (limit, limit if hard else hard_limit))


def _read(descriptor: int) -> Any:
    """One message, or None at the end."""
    head = _read_exactly(descriptor, 4)
    body = _read_exactly(descriptor, struct.unpack(">I", head)[0]) if len(head) == 4 else b""
    return json.loads(body) if body else None


def _read_exactly(descriptor: int, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count and (part := os.read(descriptor, count - len(parts))):
        parts += part
    return bytes(parts)


def _write(descriptor: int, message: Mapping[str, Any]) -> None:
    body = json.dumps(message).encode()
    data = struct.pack(">I", len(body)) + body
    while data:
        data = data[os.write(descriptor, data) :]


# The code


def _carry_out(code: str, number: int, names: dict[str, Any], output: _Output) -> bool:
    """Run the statements, show a last expression's value or the exception; whether all went well."""
    name = f"<call {number}>"
    sys.stdout = sys.stderr = output
    try:
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        tree = ast.parse(code, name)
        last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
        exec(compile(tree, name, "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), name, "eval"), names)
            if value is not None:
                output.write_line(repr(value))
    except BaseException as error:  # SystemExit and KeyboardInterrupt too: the session goes on
        output.write_line(_describe(error, name))
        full = isinstance(error, MemoryError)
    else:
        return True
    finally:
        sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # to /dev/null: what threads print later is dropped
    if full:
        _end_if_full()
    return False


def _end_if_full() -> None:
    """After a MemoryError: go on only if what is left suffices for more than failing again."""
    try:
        bytearray(16 << 20)
    except MemoryError:
        os._exit(_NO_MEMORY)


def _describe(error: BaseException, name: str) -> str:
    """The last line of the traceback and the line number of the code."""
    try:
        if isinstance(error, SyntaxError) and error.filename == name:
            said, line = f"{type(error).__name__}: {error.msg}", error.lineno
        else:
            said = "".join(traceback.format_exception_only(error)).strip() or type(error).__name__
            lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == name]
            line = lines[-1] if lines else None
        return f"{said} (line {line})" if line else said
    except BaseException:  # an exception may fail to describe itself
        return type(error).__name__


class _Output(io.TextIOBase):
    """What is printed: the first and the last characters up to a limit, so that no print can fill the memory."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.RLock()  # the code may print from several threads
        self._total, self._kept = 0, 0
        self._head, self._tail = "", deque[str]()
        self._ends_line = True

    def writable(self) -> bool:
        return True

    def write(self, text: str, /) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        with self._lock:
            self._total += len(text)
            self._ends_line = text.endswith("\n") if text else self._ends_line
            self._head += text[: self._limit - len(self._head)]
            self._tail.append(text[-self._limit :])
            self._kept += len(self._tail[-1])
            while self._kept - len(self._tail[0]) >= self._limit:
                self._kept -= len(self._tail.popleft())
        return len(text)

    def write_line(self, text: str) -> None:
        """Write on a line of its own."""
        self.write(text + "\n" if self._ends_line else "\n" + text + "\n")

    def text(self) -> str:
        """All of it without the last newline, or beginning and end with what was left out between them."""
        if self._total <= self._limit:
            return self._head.rstrip("\n")
        mark = f" [... {self._total - self._limit} characters cut ...] "
        keep = max(self._limit - len(mark), 0)
        tail = "".join(self._tail)[-self._limit :].rstrip("\n")
        return self._head[: keep - keep // 3] + mark + (tail[-(keep // 3) :] if keep // 3 else "")


# The guard


def _guard(folder: str) -> threading.Event:
    """From now on refuse network, processes, signals, files outside the folder, and limits unless the event is set."""
    real, decode = os.path.realpath, os.fsdecode
    own_limits = threading.Event()
    write = (real(folder),)
    prefixes = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix, "/usr/share/zoneinfo"}
    read = tuple(sorted({*write, *(real(path) for path in (*prefixes, *sys.path) if path and real(path) != "/")}))
    import ctypes  # noqa: F401 # sympy wants only its types; whatever calls into C raises an event
    import subprocess

    vars(subprocess).pop("_fork_exec", None)
    for name in _NO_IMPORT:
        sys.modules.pop(name, None)
    _guard_builtin()

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "import":
            _refuse_module(args[0])
        elif event == "open":
            path, mode, flags = args
            writes = flags & _WRITING or (isinstance(mode, str) and set(mode) & set("wax+"))
            if path is not None:
                check("write" if writes else "read", path, write if writes else read)
        elif event in {"os.listdir", "os.scandir"}:
            check("list", "." if args[0] is None else args[0], read)
        elif event in _CHANGES:
            for place, base in _CHANGES[event]:
                check("change", within(args[place], -1 if base is None else args[base]), write)
        elif event == "socket.__new__" and args[1] == _AF_UNIX:
            pass  # asyncio makes a pair of them; to connect one to anything is refused
        elif not (own_limits.is_set() and event.startswith("resource.")):
            refuse(event)

    def refuse(event: str) -> None:
        for why, beginnings in _REFUSED.items():
            if event.startswith(beginnings):
                raise PermissionError(f"the python tool does not allow this: {why}")

    def check(verb: str, path: Any, roots: tuple[str, ...]) -> None:
        if isinstance(path, int):
            return  # a file that is open already
        place = real(decode(path))
        if place not in _DEVICES and not any(place == root or place.startswith(root + os.sep) for root in roots):
            what = f"cannot {verb} {path!r}, which is outside the working folder"
            raise PermissionError(f"the python tool does not allow this: {what}")

    def within(path: Any, descriptor: int) -> Any:
        if isinstance(path, int) or descriptor < 0:
            return path
        return os.path.join(os.readlink(f"/proc/self/fd/{descriptor}"), decode(path))

    sys.addaudithook(hook)
    return own_limits


def _guard_builtin() -> None:
    """Some Pythons (Debian's) have these modules built in: `importlib` makes one without raising an audit event."""
    create = _imp.create_builtin

    def create_builtin(spec: Any) -> Any:
        name = str(spec.name)
        _refuse_module(name)
        plain: Any = types.SimpleNamespace(name=name)  # a name that changes when read again is no way in
        return create(plain)

    _imp.create_builtin = create_builtin


def _refuse_module(name: str) -> None:
    if name in _NO_IMPORT:
        raise ImportError(f"the python tool does not allow this: {name} is not available")


if __name__ == "__main__":
    main()
