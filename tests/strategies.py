"""Hypothesis strategies for the central types, within the domain where format and parse are inverses."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from alpha_umi.text import output_format
from alpha_umi.text.output_format import DECISIONS
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step, Tool, Trajectory

texts = st.text(st.characters(codec="utf-8"), max_size=60)
markers = st.sampled_from(
    [*output_format.MARKERS.values(), "Action:", "\nAction: x", "Action Input:", "\nconclusion: y", "</s>"]
)
"""Pieces of the format itself, which must do no harm wherever they stand."""
nasty_texts = st.lists(st.one_of(texts, markers), max_size=5).map("".join)

tool_names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.-]{0,30}", fullmatch=True)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | nasty_texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(nasty_texts, inner, max_size=3),
    max_leaves=8,
)
arguments = st.dictionaries(nasty_texts, json_values, max_size=4)
calls = st.builds(Call, tool=tool_names, arguments=arguments)


@st.composite
def plans(draw: st.DrawFn, decision: Decision | None = None) -> Plan:
    """A plan that can be written: no marker that outranks its own, no white space or `: ` at its head."""
    chosen = draw(st.sampled_from(DECISIONS)) if decision is None else decision
    rationale = draw(nasty_texts).lstrip()
    for outranking, marker in output_format.MARKERS.items():
        rationale = rationale.replace(marker, "")
        if outranking is chosen:
            break
    while rationale != (rationale := rationale.lstrip().removeprefix(":")):
        pass
    if any(marker in rationale for marker in output_format.MARKERS.values()):
        rationale = "plain"  # taking one marker out may have made another
    return Plan(rationale=rationale, decision=chosen)


observations = st.builds(Observation, text=nasty_texts, ok=st.booleans())


@st.composite
def trajectories(draw: st.DrawFn) -> Trajectory:
    """A trajectory of any shape that readers make: prompts, bare rationales, invented tools, all ends."""
    names = draw(st.lists(tool_names, min_size=1, max_size=3, unique=True))
    tools = tuple(Tool(name=name, description=draw(texts)) for name in names)
    steps = []
    for _ in range(draw(st.integers(0, 3))):
        call = draw(st.none() | calls)
        if call is not None and draw(st.integers(0, 3)):
            call = call.model_copy(update={"tool": draw(st.sampled_from(names))})
        seen = draw(st.none() | observations) if call is not None else None
        prompt = draw(st.sampled_from(["", "", "Try again."]))
        steps.append(Step(plan=draw(plans(Decision.CALL)), call=call, observation=seen, prompt=prompt))
    end = draw(st.sampled_from(list(Outcome)))
    answer = None
    if end is Outcome.ANSWERED:
        steps.append(Step(plan=draw(plans(Decision.SUMMARIZE))))
        answer = draw(nasty_texts)
    elif end is Outcome.GAVE_UP:
        steps.append(Step(plan=draw(plans(Decision.GIVE_UP))))
    query = draw(nasty_texts)
    return Trajectory(query=query, tools=tools, steps=tuple(steps), answer=answer, outcome=end, id="made")
