"""A Python interpreter as a tool, for arithmetic and small programs: `python(code)`, state kept from call to call.

Each `Interpreter` is one session: a process of its own (`python -I`, empty environment, a temporary working folder
removed at the end) that gets code and gives text as length-prefixed JSON over pipes. Nothing it sends is ever
unpickled or evaluated here. What holds it:

- wall time: a call that takes too long ends the process, its variables are lost, the next call starts afresh;
- the kernel's limits on CPU time a call, memory, file size, open files and (except for root) processes;
- where `unshare` is allowed, namespaces of its own: no network, and no process outlives it or is seen by it;
- an audit hook inside the process, always: it refuses sockets, subprocesses, fork, exec, signals, ctypes, and files
  outside the working folder (what Python itself imports from may be read: the code of installed packages).

It is best effort, for code of a model that errs, not for an attacker's. Not covered: code that works around the audit
hook (native code of installed packages raises no audit events; Python's documentation says that such a hook is no
sandbox) may read and write what the user may, and without namespaces reach the network, start processes and signal
this one; disk space and memory over many files and processes; timing and other side channels; bugs of the kernel.
For hostile code, run the whole agent in a container or a virtual machine. Linux only.
"""

from __future__ import annotations

import shutil
import sys
import threading
import weakref
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

from alpha_umi.errors import UsageError
from alpha_umi.text.truncation import cut_middle
from alpha_umi.tools.protocol import writable
from alpha_umi.tools.python.process import Ended, ProcessLimits, PythonSession
from alpha_umi.tools.validation import check_tool, find_mistakes, refuse_arguments, refused
from alpha_umi.trajectory import Call, Observation, Tool

NAME = "python"
_LOST = "All variables are lost; the next call starts afresh."


class Interpreter:
    """The tool `python` as a Toolbox: one session, so one set of variables.

    Safe to call from several threads, one call at a time; they share the variables. Give each agent that shall not see
    another's variables an Interpreter of its own. Starts with the first call; ends with `close`, the `with` block, or
    the program.
    """

    def __init__(self, limits: ProcessLimits | None = None, *, executable: str | None = None) -> None:
        """`executable`: another Python, for example of an environment that has just the packages wanted."""
        if sys.platform != "linux":
            raise UsageError(f"the python tool needs Linux, not {sys.platform}: it rests on the kernel's limits")
        self._limits = limits or ProcessLimits()
        self._executable = executable or sys.executable
        if not self._executable or shutil.which(self._executable) is None:
            raise UsageError(f"the python tool found no Python at {self._executable!r}; give `executable`")
        self._tool = _tool(self._limits)
        self._validator = check_tool(self._tool)
        self._lock = threading.Lock()  # one session answers one call at a time
        self._session: PythonSession | None = None
        self._end: weakref.finalize[Any, Any] | None = None  # ends it also when this object or the program goes
        self._closed = False

    @property
    def tools(self) -> Sequence[Tool]:
        """The one tool."""
        return (self._tool,)

    def invoke(self, call: Call) -> Observation:
        """Run the code; an exception, a limit or the end of the process is an observation with `ok=False`."""
        if no := refused(call, [NAME]):
            return no
        mistakes = find_mistakes(self._validator, call.arguments)
        if mistakes:
            return refuse_arguments(NAME, mistakes)
        with self._lock:
            seen = self._run(call.arguments["code"])
        return Observation(text=_clean(seen.text, self._limits.max_chars), ok=seen.ok)

    def _run(self, code: str) -> Observation:
        if self._closed:
            return Observation(text="python failed: its session is closed.", ok=False)
        try:
            if self._session is None:
                self._session = PythonSession(self._limits, self._executable)
                self._end = weakref.finalize(self, self._session.end)
            reply = self._session.ask(code)
        except Ended as ended:
            self._stop()
            return Observation(text=f"python failed: {ended}. {_LOST}", ok=False)
        except BaseException:  # KeyboardInterrupt: the reply would be taken for the next call's
            self._stop()
            raise
        return Observation(text=reply["text"] or "Done; nothing was printed.", ok=reply["ok"])

    def _stop(self) -> None:
        if self._end is not None:
            self._end()
        self._session = self._end = None

    def close(self) -> None:
        """End the process and remove its folder; waits for a call in progress."""
        with self._lock:
            self._closed = True
            self._stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def _tool(limits: ProcessLimits) -> Tool:
    what = (
        "Run Python code and return what it prints and the value of a last expression. Variables are kept for later "
        f"calls. Each call may take {limits.timeout_s:g} seconds; there is no network."
    )
    code = {"type": "string", "description": "Python code, one or more lines"}
    schema = {"type": "object", "properties": {"code": code}, "required": ["code"], "additionalProperties": False}
    return Tool(name=NAME, description=what, parameters=schema)


def _clean(text: str, limit: int) -> str:
    return cut_middle(writable(text), limit)
