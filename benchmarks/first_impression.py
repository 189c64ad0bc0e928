"""What a newcomer waits for: the first word of a cold `alpha-umi run`, its end, and where the seconds go.

    python -m benchmarks.first_impression [--repeats 3] [--quickstart]

On two cores; each process starts anew, with the base converted and the files in the page cache. Of several runs the
quickest counts, since whatever else the machine does only adds. Beside it the least that any program with a local model
waits for: `import torch, transformers` and loading the same base.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from typing import NamedTuple

from benchmarks.report import finish, show

QUESTION = "How many days are there from 2024-03-01 to 2024-12-24?"
CORES = 2
LEAST = 0.6
"""Aim: of the seconds to the first word, the share that importing torch and transformers and loading the base take."""
FIRST_WORD, QUICKSTART = 5.0, 100.0
"""Aims in seconds, for two cores that multiply bf16."""

BARE = """
import torch, transformers
from alpha_umi.models.local.base_weights import resolve_base
from alpha_umi.nn.precision import running_dtype
folder = resolve_base("HuggingFaceTB/SmolLM2-135M-Instruct")
transformers.AutoTokenizer.from_pretrained(folder)
transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=running_dtype("cpu"))
print("loaded", flush=True)
"""

PARTS = """
import json, sys, time
begin, parts = time.perf_counter(), {}

def part(name):
    global begin
    now = time.perf_counter()
    parts[name], begin = now - begin, now

from alpha_umi.cli import _register
from alpha_umi.cli.starting import starting
start = starting()
start.__enter__()
_register()
part("import: the command line")
from alpha_umi.agent.runner import Agent
part("import: langgraph and the agent")
from alpha_umi.tools.spec import load_tools
from alpha_umi.tools.combined import CombinedToolbox
from alpha_umi.tools.selection import most_related
tools = load_tools("gym")
names = [tool.name for tool in most_related(sys.argv[1], tools.tools, 10)]
offered = CombinedToolbox([tools], only=names)
part("the gym's tools")
import torch
part("import: torch")
import transformers
from transformers import AutoModelForCausalLM, LlamaForCausalLM
part("import: transformers")
import alpha_umi.models.local.loading
part("import: our models")
agent = Agent.from_team("default", tools=offered)
start.__exit__(None, None, None)
part("load: base, backbone, three roles")

class Spoken(Exception):
    pass

def on_event(event):
    raise Spoken

try:
    agent.run(sys.argv[1], on_event=on_event)
except Spoken:
    part("read the prompt, write a word")
print(json.dumps(parts), flush=True)
"""


class Run(NamedTuple):
    """Seconds from the start of a process."""

    first: float
    """To the first word of the planner, or the first output where there is none."""
    last: float
    """To the end of its output."""
    exit: float


def cold(arguments: list[str], *, until: bytes = b"") -> tuple[Run, str]:
    """One process from start to end, and what it printed.

    Raises:
        SystemExit: it failed.
    """
    begin, first, shown = time.perf_counter(), None, b""
    with subprocess.Popen([sys.executable, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        while chunk := os.read(process.stdout.fileno(), 1 << 16):
            shown, last = shown + chunk, time.perf_counter()
            if first is None and until in shown:
                first = last
        code = process.wait()
        ended = time.perf_counter()
        if code or first is None:
            raise SystemExit(f"{' '.join(arguments[:4])} ended with {code}: {process.stderr.read().decode()[-2000:]}")
    return Run(first - begin, last - begin, ended - begin), shown.decode()


def quickest(arguments: list[str], repeats: int, *, until: bytes = b"") -> Run:
    """The least of each, of several runs."""
    runs = [cold(arguments, until=until)[0] for _ in range(repeats)]
    return Run(*(min(run[i] for run in runs) for i in range(3)))


def parts(repeats: int) -> dict[str, float]:
    """Where the seconds to the first word go, each the least of several runs."""
    runs: list[dict[str, float]] = [json.loads(cold(["-c", PARTS, QUESTION])[1]) for _ in range(repeats)]
    return {name: min(run[name] for run in runs) for name in runs[0]}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quickstart", action="store_true", help="time `alpha-umi quickstart` too, once")
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    command = ["-m", "alpha_umi", "run", QUESTION]
    cold(command, until=b"planner    ")  # converts the base, fills the page cache
    ours = quickest(command, options.repeats, until=b"planner    ")
    bare = quickest(["-c", BARE], options.repeats)
    inside = parts(options.repeats)
    rows = [(name, f"{seconds:.2f}") for name, seconds in inside.items()]
    rows += [("first word of `alpha-umi run`", f"{ours.first:.2f}")]
    rows += [("  to the last line", f"{ours.last:.2f}"), ("  from there to the exit", f"{ours.exit - ours.last:.2f}")]
    rows += [("bare: import torch, transformers, load", f"{bare.first:.2f}"), ("  to the exit", f"{bare.exit:.2f}")]
    facts = {"first_word": ours.first, "first_word_target": FIRST_WORD, "exit": ours.exit - ours.last, "parts": inside}
    if options.quickstart:
        seconds = cold(["-m", "alpha_umi", "quickstart"])[0].exit
        rows.append(("quickstart", f"{seconds:.0f}"))
        facts |= {"quickstart": seconds, "quickstart_target": QUICKSTART}
    show(f"cold processes on {CORES} cores, the quickest of {options.repeats}", ("what", "seconds"), rows)
    finish("first_impression", ratio=bare.first / ours.first, target=LEAST, bare=bare.first, **facts)


if __name__ == "__main__":
    main()
