"""The Python tool: what it computes, what it keeps, and what it survives."""

from __future__ import annotations

import contextlib
import gc
import http.server
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alpha_umi.errors import UsageError
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.tools.python import process as interpreter_process
from alpha_umi.tools.python.interpreter import Interpreter
from alpha_umi.tools.python.process import ProcessLimits
from alpha_umi.trajectory import Call, Observation

if sys.platform != "linux":
    pytest.skip("the python tool needs Linux", allow_module_level=True)

PATIENT = ProcessLimits(timeout_s=60)
"""For code that ends by itself: the tests may share their machine."""
LOST = "All variables are lost; the next call starts afresh."


def run(box: Toolbox, code: str) -> Observation:
    return box.invoke(Call(tool="python", arguments={"code": textwrap.dedent(code).strip("\n")}))


def wait_for(condition: object, seconds: float = 60) -> bool:
    assert callable(condition)
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def is_running(folder: Path) -> bool:
    """Whether any process works in this folder."""
    for link in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if Path(os.readlink(link)) == folder:
                return True
    return False


@pytest.fixture(scope="module")
def box() -> Iterator[Interpreter]:
    with Interpreter(PATIENT) as made:
        yield made


@pytest.fixture(params=["namespaces", "guard alone"])
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Interpreter]:
    """An interpreter with all the kernel allows here, and one on a kernel that allows no namespaces."""
    if request.param == "guard alone":
        monkeypatch.setattr(interpreter_process, "isolation", lambda: ())
    elif not interpreter_process.isolation():
        pytest.skip("this kernel allows no namespaces of one's own")
    with Interpreter(PATIENT) as made:
        yield made


# What it computes


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("2**10", "1024"),
        ("x = 3\nprint('x is', x)\nx * 2", "x is 3\n6"),
        ("print('no newline', end='')\n1", "no newline\n1"),
        ("from fractions import Fraction\nFraction(1, 3) + Fraction(1, 6)", "Fraction(1, 2)"),
        ("y = 1", "Done; nothing was printed."),
        ("None", "Done; nothing was printed."),
        ("", "Done; nothing was printed."),
        ("'é\\n\\x00'", r"'é\n\x00'"),
        ("print('ü\\x1b[31m\\u202e\\x00')", "ü\x1b[31m\u202e\x00"),
        ("print('\\ud800')", "?"),
        ("import asyncio\nasyncio.run(asyncio.sleep(0, 7))", "7"),
        ("import sys\nprint('to stderr', file=sys.stderr)", "to stderr"),
        ("[i for i in range(3)]; 'last'", "'last'"),
    ],
)
def test_output_is_what_is_printed_and_the_last_value(box: Interpreter, code: str, text: str) -> None:
    assert run(box, code) == Observation(text=text)


def test_variables_functions_and_imports_are_kept(box: Interpreter) -> None:
    run(box, "import math\ndef area(r):\n    return math.pi * r * r")
    run(box, "radius = 2")
    assert run(box, "round(area(radius), 3)").text == "12.566"
    classes = "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nimport pickle\n"
    assert run(box, classes + "pickle.loads(pickle.dumps(P(1)))").text == "P(x=1)"


def test_packages_for_mathematics_work_within_the_limits(box: Interpreter) -> None:
    pytest.importorskip("sympy")
    solved = run(box, "import sympy\nx = sympy.symbols('x')\nsympy.solve(x**2 - 5*x + 6, x)")
    assert solved == Observation(text="[2, 3]")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("a = 1\na / 0", "ZeroDivisionError: division by zero (line 2)"),
        ("print('before')\nundefined", "before\nNameError: name 'undefined' is not defined (line 2)"),
        ("x = 1\ny = (", "SyntaxError: '(' was never closed (line 2)"),
        ("  x = 1\n y = 2", "IndentationError: unexpected indent (line 1)"),
        ("def f(n):\n    return f(n + 1)\nf(0)", "RecursionError: maximum recursion depth exceeded (line 2)"),
        ("import sys\nsys.exit(3)", "SystemExit: 3 (line 2)"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt (line 1)"),
        ("input()", "EOFError: EOF when reading a line (line 1)"),
        (
            "class E(Exception):\n    def __str__(self):\n        1 / 0\nraise E",
            "E: <exception str() failed> (line 4)",
        ),
        ("class R:\n    def __repr__(self):\n        raise ValueError('no')\nR()", "ValueError: no (line 3)"),
        ("import json\njson.loads('{')", "(line 2)"),
        ("'a' + 'b'\x00", "Error: source code string cannot contain null bytes"),  # a ValueError before 3.11.4
        ("print('\ud800')", "surrogates not allowed"),
    ],
)
def test_an_exception_is_an_observation_and_the_session_goes_on(box: Interpreter, code: str, text: str) -> None:
    run(box, "kept = 5")
    seen = box.invoke(Call(tool="python", arguments={"code": code}))
    assert not seen.ok
    assert text in seen.text
    assert "Traceback" not in seen.text
    assert run(box, "kept").text == "5"


def test_calls_that_are_wrong_are_refused(box: Interpreter) -> None:
    assert "There is no tool 'bash'" in box.invoke(Call(tool="bash")).text
    assert box.invoke(Call(tool="python")).text == "Invalid arguments for python: 'code' is a required property."
    assert "5 is not of type 'string'" in box.invoke(Call(tool="python", arguments={"code": 5})).text
    assert "unknown argument 'x'" in box.invoke(Call(tool="python", arguments={"code": "1", "x": 1})).text
    assert "could not be read" in box.invoke(Call(tool="python", fault="bad_json")).text


def test_output_is_cut_at_a_stated_length() -> None:
    with Interpreter(ProcessLimits(max_chars=200, timeout_s=60)) as box:
        seen = run(box, "print('a' * 10_000_000 + 'end')")
        assert seen.ok
        assert len(seen.text) <= 200
        assert "characters cut" in seen.text
        assert seen.text.startswith("aaa")
        assert seen.text.endswith("end")
        many = run(box, "for i in range(100_000): print(i)")
        assert len(many.text) <= 200
        assert many.text.startswith("0\n1\n")
        assert many.text.endswith("99999")
        assert len(run(box, "'é' * 10_000").text) <= 200
        assert len(run(box, "raise ValueError('b' * 10_000)").text) <= 200


# What it survives


def test_an_endless_loop_is_stopped_and_the_loss_is_said(each_way: Interpreter) -> None:
    with Interpreter(ProcessLimits(timeout_s=3)) as box:
        run(box, "x = 1")
        started = time.monotonic()
        seen = run(box, "while True: pass")
        assert time.monotonic() - started < 60
        assert seen == Observation(text=f"python failed: it gave no result within 3 seconds. {LOST}", ok=False)
        # Three seconds may be too short for a busy machine: what ends by itself may be asked again.
        assert wait_for(lambda: "NameError" in run(box, "x").text)
        asleep = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        assert (
            "no result within"
            in run(
                box, asleep + "import time\nwhile True:\n    try: time.sleep(9)\n    except BaseException: pass"
            ).text
        )
        assert wait_for(lambda: run(box, "2").text == "2")


def test_cpu_time_is_counted_for_each_call() -> None:
    with Interpreter(ProcessLimits(timeout_s=90, cpu_s=1)) as box:
        assert (
            run(box, "import time\nend = time.process_time() + 0.6\nwhile time.process_time() < end: pass\n1").text
            == "1"
        )
        assert run(box, "end = time.process_time() + 0.6\nwhile time.process_time() < end: pass\n2").text == "2"
        seen = run(box, "while True: pass")
        assert seen.text == f"python failed: it used more than 1 seconds of CPU time. {LOST}"


def test_a_memory_bomb_is_an_observation(each_way: Interpreter) -> None:
    with Interpreter(ProcessLimits(memory_mb=256, timeout_s=60)) as box:
        assert run(box, "bytearray(10**9)").text == "MemoryError (line 1)"
        assert run(box, "1").text == "1", "the memory was given back, so the session goes on"
        seen = run(box, "x = []\nwhile True: x.append(bytearray(10**6))")
        assert seen == Observation(text=f"python failed: it needed more than 256 MB of memory. {LOST}", ok=False)
        assert run(box, "2").text == "2"


@pytest.mark.parametrize(
    "code",
    [
        "import os\nwhile True: os.fork()",
        "import subprocess\nsubprocess.run(['sh', '-c', ':(){ :|:& };:'])",
        "import os\nos.system('true')",
        "import os\nos.execv('/bin/true', ['true'])",
        "import os\nos.posix_spawn('/bin/true', ['true'], {})",
        "import os\nos.spawnv(os.P_WAIT, '/bin/true', ['true'])",
        "import pty\npty.fork()",
        "import multiprocessing\nmultiprocessing.Process(target=print).start()",
        "import _posixsubprocess",
        "import importlib\nimportlib.import_module('_posixsubprocess')",
        "import ctypes\nctypes.CDLL(None).fork()",
        "import ctypes\nctypes.pythonapi.Py_BytesMain",
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
        "import os\nos.kill(os.getppid(), 9)",
        "import os\nos.killpg(0, 9)",
    ],
)
def test_no_process_no_signal_no_new_limit(each_way: Interpreter, code: str) -> None:
    seen = run(each_way, code)
    assert not seen.ok
    assert "the python tool does not allow this" in seen.text
    assert run(each_way, "1").text == "1"


def test_threads_are_bounded_and_do_not_disturb_later_calls(each_way: Interpreter) -> None:
    left = """
        import threading, time
        def chatter():
            while True:
                print('noise'); time.sleep(0.001)
        for _ in range(3):
            threading.Thread(target=chatter).start()
        'started'
    """
    assert run(each_way, left).text.endswith("'started'")
    time.sleep(0.1)
    assert "RuntimeError" in run(each_way, "while True: threading.Thread(target=time.sleep, args=(60,)).start()").text
    assert run(each_way, "40 + 2").text.endswith("42")


def test_files_outside_the_folder_cannot_be_touched(each_way: Interpreter, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("secret")
    for code in (
        f"open({str(mine)!r})",
        f"open({str(mine)!r}, 'w')",
        f"open({str(mine)!r}, 'r+')",
        f"import os\nos.open({str(mine)!r}, os.O_WRONLY)",
        f"import os\nos.remove({str(mine)!r})",
        f"import os\nos.rename({str(mine)!r}, 'x')",
        f"import os\nos.link({str(mine)!r}, 'x')",
        f"import os\nos.symlink({str(mine)!r}, 'x')\nopen('x')",
        f"import os\nos.chmod({str(mine)!r}, 0)",
        f"import os\nos.truncate({str(mine)!r}, 0)",
        f"import os\nos.mkdir({str(tmp_path / 'new')!r})",
        f"import os\nos.listdir({str(tmp_path)!r})",
        f"import shutil\nshutil.rmtree({str(tmp_path)!r})",
        f"import os\nos.chdir({str(tmp_path)!r})\nopen('mine').read()",
        f"from pathlib import Path\nPath({str(mine)!r}).unlink()",
        "open('../../../etc/passwd')",
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        "import sqlite3",
    ):
        seen = run(each_way, code)
        assert not seen.ok, code
        assert "the python tool does not allow this" in seen.text, code
    assert mine.read_text() == "secret"
    assert list(tmp_path.iterdir()) == [mine]


def test_files_inside_the_folder_work_and_are_removed_at_the_end() -> None:
    with Interpreter(ProcessLimits(file_mb=1, timeout_s=60)) as box:
        folder = Path(run(box, "import os\nprint(os.getcwd())").text)
        work = """
            import tempfile
            with open('a.txt', 'w') as f: _ = f.write('text')
            os.mkdir('sub'); os.rename('a.txt', 'sub/b.txt')
            with tempfile.TemporaryDirectory() as d:
                with open(d + '/x', 'w') as f: _ = f.write('y')
            os.mkdir('closed', 0o700)
            with open('closed/x', 'w') as f: _ = f.write('y')
            os.chmod('closed', 0)
            with open('sub/b.txt') as f: print(f.read(), sorted(os.listdir()))
        """
        assert run(box, work).text == "text ['closed', 'sub']"
        assert "File too large" in run(box, "with open('big', 'wb') as f: f.write(bytes(2 << 20))").text
        assert "Too many open files" in run(box, "many = [open('big') for _ in range(1000)]").text
        assert folder.is_dir()
        assert folder.stat().st_mode & 0o077 == 0, "nobody else may look into it"
    assert not folder.exists()


def test_there_is_no_network(each_way: Interpreter) -> None:
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    try:
        for code in (
            f"import socket\nsocket.create_connection(('127.0.0.1', {server.server_port}), 1)",
            f"import urllib.request\nurllib.request.urlopen('http://127.0.0.1:{server.server_port}')",
            "import socket\nsocket.socket(socket.AF_UNIX).connect('/var/run/docker.sock')",
            "import socket\nsocket.getaddrinfo('example.org', 80)",
        ):
            seen = run(each_way, code)
            assert not seen.ok
            assert "there is no network" in seen.text
    finally:
        server.server_close()


def test_namespaces_hold_where_the_guard_is_walked_around() -> None:
    if len(interpreter_process.isolation()) < 5:
        pytest.skip("this kernel does not allow network and process namespaces")
    # The hook's own variables are within reach: the guard is no wall, and this test says so.
    around = """
        import gc, types
        for f in gc.get_objects():
            if isinstance(f, types.FunctionType) and f.__qualname__ == '_guard.<locals>.hook':
                f.__code__ = (lambda event, args: None).__code__.replace(co_freevars=f.__code__.co_freevars)
        import os, socket
        s = socket.socket(); s.settimeout(2)
    """
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    with Interpreter(PATIENT) as box:
        assert run(box, around).ok
        assert "OSError" in run(box, f"s.connect(('127.0.0.1', {server.server_port}))").text
        folder = Path(run(box, "print(os.getcwd())").text)
        assert run(box, "os.getppid()").text == "1", "it sees its own supervisor, not this program"
        forked = "pid = os.fork()\nif pid == 0:\n    os.setsid()\n    import time\n    time.sleep(600)\npid > 0"
        assert run(box, forked).text == "True"
        assert is_running(folder)
    server.server_close()
    assert wait_for(lambda: not is_running(folder)), "even a process that left the group is gone"


@pytest.mark.parametrize(
    "code",
    [
        "import os\nos._exit(0)",
        "import os\nos.abort()",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return f()\nimport ctypes\nctypes.memset(0, 0, 1)",
        "import os\nfor d in range(3, 60):\n    try: os.write(d, b'\\xff' * 100)\n    except OSError: pass",
        "import os\nfor d in range(3, 60):\n    try: os.write(d, b'\\x00\\x00\\x00\\x02{}')\n    except OSError: pass",
        "import os\nfor d in range(3, 60):\n    try: os.write(d, b'\\x00\\x00\\x00\\x02[]')\n    except OSError: pass",
        "import os\nos.closerange(3, 60)",
        "import builtins\ndel builtins.repr, builtins.isinstance, builtins.len",
    ],
)
def test_a_session_that_is_broken_from_within_is_replaced(code: str) -> None:
    with Interpreter(PATIENT) as box:
        for _ in range(2):
            seen = run(box, code + "\n'value'")
            if seen.ok or "python failed" not in seen.text:
                seen = run(box, "0")  # the damage shows at the next call
            assert not seen.ok
            assert seen.text.endswith(LOST)
            assert run(box, "1").text == "1"


def test_big_code_does_not_block_on_a_process_that_does_not_read() -> None:
    with Interpreter(PATIENT) as box:
        big = "x = '" + "a" * 1_000_000 + "'\nlen(x)"
        assert run(box, big).text == "1000000"
        deaf = "import os, threading, time\ndef f():\n    time.sleep(0.1)\n    os.closerange(0, 60)\n"

        def fails(code: str) -> bool:
            return run(box, code).text.startswith("python failed")

        # Nobody knows whether the thread is in time for a call, or early enough to spoil the reply to its own.
        assert fails(deaf + "threading.Thread(target=f).start()") or wait_for(lambda: fails(big))
        assert run(box, "1").text == "1"


# Sessions


def test_each_interpreter_has_its_own_variables_and_folder() -> None:
    with Interpreter(PATIENT) as one, Interpreter(PATIENT) as two:
        run(one, "x = 1\nopen('f', 'w').close()")
        assert "NameError" in run(two, "x").text
        assert run(two, "import os\nos.listdir()").text == "[]"


def test_threads_take_turns_on_one_session(box: Interpreter) -> None:
    run(box, "total = 0")
    step = "now = total\nimport time; time.sleep(0.001)\ntotal = now + 1\ntotal"
    seen: list[int] = []
    threads = [
        threading.Thread(target=lambda: seen.extend(int(run(box, step).text) for _ in range(5))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 41))


def test_it_combines_with_other_toolboxes(box: Interpreter) -> None:
    (alone,) = CombinedToolbox([box])
    assert run(alone, "1 + 1").text == "2"


def test_close_ends_the_process_and_refuses_later_calls() -> None:
    box = Interpreter(PATIENT)
    folder = Path(run(box, "import os\nprint(os.getcwd())").text)
    assert is_running(folder)
    box.close()
    box.close()
    assert not folder.exists()
    assert not is_running(folder)
    assert run(box, "1").text == "python failed: its session is closed."


def test_a_forgotten_interpreter_leaves_nothing() -> None:
    box = Interpreter(PATIENT)
    folder = Path(run(box, "import os\nprint(os.getcwd())").text)
    del box
    gc.collect()
    assert wait_for(lambda: not folder.exists())
    assert not is_running(folder)


PROGRAM = """
import sys, threading, time
from alpha_umi.tools.python.interpreter import Interpreter
from alpha_umi.tools.python.process import ProcessLimits
from alpha_umi.trajectory import Call
box = Interpreter(ProcessLimits(timeout_s=600, cpu_s=600))
print(box.invoke(Call(tool="python", arguments={"code": "import os\\nprint(os.getcwd())"})).text, flush=True)
if sys.argv[1] == "busy":
    code = "while True: pass"
    threading.Thread(target=box.invoke, args=(Call(tool="python", arguments={"code": code}),), daemon=True).start()
    time.sleep(600)
"""


def test_the_end_of_the_program_removes_everything() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "idle"], capture_output=True, text=True, timeout=120, check=True
    )
    folder = Path(done.stdout.strip())
    assert not folder.exists()
    assert not is_running(folder)


@pytest.mark.parametrize("isolated", [True, False])
def test_a_killed_program_leaves_no_process(isolated: bool) -> None:
    program = (
        PROGRAM if isolated else "import alpha_umi.tools.python.process as p\np.isolation = lambda: ()\n" + PROGRAM
    )
    with subprocess.Popen([sys.executable, "-c", program, "busy"], stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        folder = Path(started.stdout.readline().strip())
        time.sleep(0.2)
        assert is_running(folder)
        started.send_signal(signal.SIGKILL)
    assert wait_for(lambda: not is_running(folder))
    with contextlib.suppress(FileNotFoundError):
        for left in folder.iterdir():
            left.unlink()
        folder.rmdir()  # kill -9 leaves the folder, which nobody is there to remove


def test_wrong_settings_are_one_line() -> None:
    with pytest.raises(UsageError, match="must be positive: timeout_s, memory_mb"):
        ProcessLimits(timeout_s=0, memory_mb=-1)
    with pytest.raises(UsageError, match=r"found no Python at '/no/python'"):
        Interpreter(executable="/no/python")


def test_a_python_that_does_not_start_is_an_observation() -> None:
    with Interpreter(executable="/bin/true") as box:
        assert run(box, "1") == Observation(text=f"python failed: its process ended. {LOST}", ok=False)
