"""Step-level examples against the ones that the authors of α-UMi derived from the same twenty trajectories.

Equal: which decisions are targets, the targets' texts, and what each role may see (tools, history, rationale), for
79 planner, 59 caller, 14 summarizer and 79 backbone examples. Different, on purpose:

1. Wording: our `paper` prompts say the same in other words, and the roles' turns are chat messages instead of one
   string with literal `</s>`; so histories are compared turn by turn. The speaker labels are the roles' names
   (`planner`, where the authors write `assistant`).
2. The caller's prompt does not repeat the planner's last thought in a slot of its own: it is the last thing said.
3. Characters beyond ASCII stand in the tool documentation as they are, not as `\\u` escapes.
4. White space around a turn is cut, because most chat templates would cut it. Inside it is kept (`\\n Next: caller.`).
5. Two turns of one role in a row, which chat templates do not allow, have a user message between them.
6. Calls of invented tools stay in the caller's history (the authors drop them there, and only there): one history for
   all roles. There is none in these twenty trajectories; `test_invented_calls_stay_in_history` shows it.
7. Give-up examples of the backbone: the authors' script reuses the prompt of the step before (reference, bug 4). Ours
   is the history up to the give-up.
"""

from __future__ import annotations

import gzip
import itertools
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from alpha_umi.data.examples import Example, for_role
from alpha_umi.data.filters import Report
from alpha_umi.data.formats import alpha_umi_json
from alpha_umi.text.layouts import load_layout
from alpha_umi.text.prompts import Message, conversations
from alpha_umi.text.utterances import INVALID_TOOL
from alpha_umi.trajectory import Call, Decision, Observation, Plan, Step, Tool, Trajectory

FILES = {
    "planner": ("train_planner.json.gz", 79),
    "caller": ("train_caller.json.gz", 59),
    "summarizer": ("train_summarizer.json", 14),
    "single": ("train_backbone.json.gz", 79),
}
LABELS = {"user": "user", "assistant": "planner", "caller": "caller", "observation": "observation"}
OWN = {"planner": "assistant", "caller": "caller", "summarizer": "conclusion", "single": "assistant"}


def _load(path: Path) -> list[dict[str, Any]]:
    content = path.read_bytes()
    records: list[dict[str, Any]] = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
    return records


@pytest.fixture(scope="module")
def theirs(shared: Path) -> dict[str, list[dict[str, Any]]]:
    return {role: _load(shared / "glpft-toolbench" / "train-example" / name) for role, (name, _) in FILES.items()}


@pytest.fixture(scope="module")
def ours(shared: Path) -> dict[str, list[tuple[Trajectory, Example]]]:
    raw = shared / "glpft-toolbench" / "train-example" / "raw_data" / "raw_data_stage_2.json"
    trajectories = list(alpha_umi_json.read(raw, Report()))
    return {
        role: [(t, example) for t in trajectories for example in for_role(t, role=role, layout=load_layout("paper"))]
        for role in FILES
    }


@pytest.mark.parametrize("role", FILES)
def test_the_targets_are_the_authors(
    role: str, ours: dict[str, list[tuple[Trajectory, Example]]], theirs: dict[str, list[dict[str, Any]]]
) -> None:
    expected = [record["target"].strip() for record in theirs[role]]
    assert len(expected) == FILES[role][1]
    assert Counter(example.completion for _, example in ours[role]) == Counter(expected)
    assert [example.completion for _, example in ours[role]] == expected


@pytest.mark.parametrize("role", FILES)
def test_each_role_sees_the_authors_history(
    role: str, ours: dict[str, list[tuple[Trajectory, Example]]], theirs: dict[str, list[dict[str, Any]]]
) -> None:
    for (_, example), record in zip(ours[role], theirs[role], strict=True):
        history = _merged(record["history"]) if role == "single" else record["history"]
        assert list(example.messages[1:]) == _as_messages(history, role)
        if role == "single" and not example.completion.endswith("conclusion: give up."):  # difference 7
            assert all(turn["value"] in record["input"] for turn in history)


def _merged(history: list[dict[str, str]]) -> list[dict[str, str]]:
    """The backbone's history, which the authors keep apart but write as one turn: the thought, then the call."""
    merged: list[dict[str, str]] = []
    for turn in history:
        if turn["from"] == "caller":
            thought = merged.pop()["value"].removesuffix("Next: caller.").strip()
            merged.append({"from": "assistant", "value": f"{thought}\n{turn['value']}"})
        else:
            merged.append(turn)
    return merged


def _as_messages(history: list[dict[str, str]], role: str) -> list[Message]:
    """The authors' history as chat messages: the role's own turns are the assistant's, the others' are labelled."""
    messages: list[Message] = []
    waiting: list[str] = []
    for turn in history:
        text = turn["value"].strip()
        if turn["from"] != OWN[role]:
            waiting.append(text if role == "single" else f"{LABELS[turn['from']]}: {text}")
            continue
        messages.append(Message(role="user", content="\n".join(waiting).strip() or "(continue)"))
        messages.append(Message(role="assistant", content=text))
        waiting.clear()
    return [*messages, Message(role="user", content="\n".join(waiting).strip() or "(continue)")]


@pytest.mark.parametrize("role", FILES)
def test_each_role_sees_the_tools_it_may(
    role: str, ours: dict[str, list[tuple[Trajectory, Example]]], theirs: dict[str, list[dict[str, Any]]]
) -> None:
    for (trajectory, example), record in zip(ours[role], theirs[role], strict=True):
        system = example.messages[0].content
        shown = [json.loads(line) for line in system.splitlines() if line.startswith("{")]
        if role == "summarizer":
            assert shown == []
            assert '"Name"' not in record["input"]
        else:
            assert shown == record["tools"]
            names = ", ".join(tool.name for tool in trajectory.tools)
            assert (f"[{names}]" in system) == (f"[{names}]" in record["input"]) == (role != "planner")


def test_the_caller_reads_the_thought_of_its_step(ours: dict[str, list[tuple[Trajectory, Example]]]) -> None:
    for trajectory, example in ours["caller"]:
        thought = trajectory.steps[example.step].plan.rationale.strip()
        assert example.messages[-1].content.endswith(f"{thought}\n Next: caller.".strip())


def test_examples_of_the_test_set_keep_the_exact_text(shared: Path) -> None:
    path = shared / "glpft-toolbench" / "test" / "out_of_domain.json.gz"
    written: dict[str, list[str]] = {"planner": [], "caller": [], "summarizer": []}
    for record in _load(path):
        turns = [*record["conversations"], {"from": "end", "value": ""}]
        for turn, following in itertools.pairwise(turns):
            text = turn["value"].strip()
            if turn["from"] == "assistant" and (
                following["from"] in {"caller", "conclusion"} or "Next: give up." in text
            ):
                written["planner"].append(text)
            elif turn["from"] == "caller":
                written["caller"].append(text)
            elif turn["from"] == "conclusion" and text != "none":
                written["summarizer"].append(text)
    trajectories = list(alpha_umi_json.read(path, Report()))
    for role, texts in written.items():
        examples = [example for t in trajectories for example in for_role(t, role=role, layout=load_layout("paper"))]
        assert [example.completion for example in examples] == texts
        shared_layout = [
            example for t in trajectories for example in for_role(t, role=role, layout=load_layout("shared"))
        ]
        assert [example.completion for example in shared_layout] == texts
    assert {role: len(texts) for role, texts in written.items()} == {
        "planner": 876 + 236 + 71,
        "caller": 876,
        "summarizer": 235,
    }


@pytest.mark.parametrize("role", FILES)
def test_the_published_layout_is_the_authors_prompts_byte_for_byte(
    role: str, shared: Path, theirs: dict[str, list[dict[str, Any]]]
) -> None:
    """`input` with the head that it has in training; the six stale ones are the prompt of the step before."""
    raw = shared / "glpft-toolbench" / "train-example" / "raw_data" / "raw_data_stage_2.json"
    layout = load_layout("published")
    ours = [c for t in alpha_umi_json.read(raw, Report()) for c in conversations(t, role=role, layout=layout)]
    assert [messages[1].content for messages, _, _ in ours] == [record["target"] for record in theirs[role]]
    prompts = [messages[0].content for messages, _, _ in ours]
    inputs = [f"system: {record['input']}" for record in theirs[role]]
    stale = [i for i, (prompt, known) in enumerate(zip(prompts, inputs, strict=True)) if prompt != known]
    assert len(stale) == (6 if role == "single" else 0)
    for i in stale:
        assert theirs[role][i]["target"].endswith("conclusion: give up.")
        assert inputs[i] == prompts[i - 1]


def _step(tool: str) -> Step:
    plan = Plan(rationale="so", decision=Decision.CALL)
    return Step(plan=plan, call=Call(tool=tool), observation=Observation(text="seen"))


def test_invented_calls_stay_in_history() -> None:
    end = Step(plan=Plan(rationale="done", decision=Decision.SUMMARIZE))
    tools = (Tool(name="t"),)
    trajectory = Trajectory(query="q", tools=tools, steps=(_step(INVALID_TOOL), _step("t"), end), answer="a")
    (example,) = for_role(trajectory, role="caller", layout=load_layout("paper"))
    assert example.step == 1
    assert INVALID_TOOL in "".join(message.content for message in example.messages)
    assert [e.step for e in for_role(trajectory, role="planner", layout=load_layout("paper"))] == [1, 2]
    assert [e.step for e in for_role(trajectory, role="single", layout=load_layout("paper"))] == [0, 1, 2]


def test_long_observations_are_cut_where_it_is_asked() -> None:
    step = _step("t").model_copy(update={"observation": Observation(text="x" * 500)})
    trajectory = Trajectory(query="q", tools=(Tool(name="t"),), steps=(step, _step("t")))
    whole, cut = (
        for_role(trajectory, role="caller", layout=load_layout("shared"), observation_chars=limit)[1]
        for limit in (500, 100)
    )
    assert "x" * 500 in whole.messages[-3].content
    assert "characters cut" in cut.messages[-3].content
