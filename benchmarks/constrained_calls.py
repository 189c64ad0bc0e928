"""What decoding calls under a grammar costs a token, and saves a call.

The caller of a team writes the same calls freely and under the grammar of the offered tools, one at a time, over gym
tasks whose plans are the gold ones. Its conversation is in the cache already, so that writing alone is timed. A token
that the grammar forces costs no forward pass; the cost a token is of those that had one.

    python -m benchmarks.constrained_calls [--team default] [--calls 60] [--split unseen_tools]
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from jsonschema import Draft202012Validator

from alpha_umi import load_models, load_team
from alpha_umi.backends import Generation
from alpha_umi.models.protocol import Request
from alpha_umi.roles import Team
from alpha_umi.text.context_window import fit_to_context
from alpha_umi.text.output_format import parse_call
from alpha_umi.text.output_grammar import Constraint, call_of
from alpha_umi.text.prompts import Message
from alpha_umi.trajectory import Outcome, Trajectory
from alpha_umi_gym import generate
from benchmarks.report import finish, show

SLOWER = 1.10
"""A token with a forward pass may cost so many times what it costs freely."""


def prompts(n: int, split: Any, team: Team, model: Any) -> list[tuple[Trajectory, list[Message]]]:
    """Conversations in which a call is asked for next."""
    found: list[tuple[Trajectory, list[Message]]] = []
    for task in (found.gold for found in generate(n, seed=1, split=split)):
        for i, step in enumerate(task.steps):
            if step.call is None or len(found) == n:
                continue
            steps = (*task.steps[:i], step.model_copy(update={"call": None, "observation": None}))
            asked = task.model_copy(update={"steps": steps, "answer": None, "outcome": Outcome.UNFINISHED})
            fitted = fit_to_context(
                asked,
                role="caller",
                layout=team.layout,
                ask="caller",
                observation_chars=team.observation_chars,
                count=model.count_tokens,
                max_prompt_tokens=model.context_length - 256,
            )
            if fitted is not None:
                found.append((task, list(fitted.conversation.messages)))
    return found


def measure(model: Any, messages: list[Message], constraint: Constraint | None) -> tuple[float, int, int, str]:
    """Seconds of writing, forward passes, tokens, and the call."""
    passes = 0
    forward = model.engine.forward

    def counted(spans: Any) -> Any:
        nonlocal passes
        passes += 1
        return forward(spans)

    warm = Request(messages=messages, generation=Generation(max_new_tokens=1), session="bench")
    model.complete(warm)
    model.engine.forward = counted
    try:
        begin = time.perf_counter()
        done = model.complete(Request(messages=messages, constraint=constraint, session="bench"))
        seconds = time.perf_counter() - begin
    finally:
        model.engine.forward = forward
        model.release("bench")
    return seconds, passes, done.completion_tokens, done.text


def fits(task: Trajectory, text: str) -> bool:
    """Whether a call names an offered tool with arguments that its schema admits."""
    call = parse_call(text)
    schema = {tool.name: tool.parameters for tool in task.tools}.get(call.tool)
    return call.fault is None and schema is not None and Draft202012Validator(schema).is_valid(call.arguments)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--team", default="default")
    parser.add_argument("--calls", type=int, default=60)
    parser.add_argument("--split", default="unseen_tools")
    options = parser.parse_args()
    team = load_team(options.team)
    model: Any = load_models(team)["caller"]
    asked = prompts(options.calls, options.split, team, model)
    for task, messages in asked[:3]:  # warm up, both ways
        for constraint in (None, call_of(task.tools)):
            measure(model, messages, constraint)
    a_pass: dict[bool, list[float]] = {False: [], True: []}
    a_call: dict[bool, list[float]] = {False: [], True: []}
    tokens, valid = {False: 0, True: 0}, {False: 0, True: 0}
    for task, messages in asked:
        for held in (False, True):  # in turn, so that both meet the same machine
            seconds, passes, written, text = measure(model, messages, call_of(task.tools) if held else None)
            a_pass[held].append(seconds / max(passes, 1))
            a_call[held].append(seconds)
            tokens[held] += written
            valid[held] += fits(task, text)
    n = len(asked)
    show(
        f"{n} calls of {options.split}, team {team.name}",
        ("", "ms a token with a pass", "ms a call", "tokens a call", "calls that fit_to_context"),
        [
            (
                name,
                f"{1000 * statistics.median(a_pass[held]):.1f}",
                f"{1000 * statistics.fmean(a_call[held]):.0f}",
                f"{tokens[held] / n:.1f}",
                f"{100 * valid[held] / n:.0f} %",
            )
            for name, held in (("free", False), ("constrained", True))
        ],
    )
    slower = statistics.median(a_pass[True]) / statistics.median(a_pass[False])
    faster = statistics.fmean(a_call[False]) / statistics.fmean(a_call[True])
    finish("constrained_calls_token", ratio=slower, target=SLOWER, calls=n)
    finish("constrained_calls_call", ratio=faster, target=1.0, valid=valid[True] / n, calls=n)


if __name__ == "__main__":
    main()
