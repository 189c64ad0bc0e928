"""The two scorers: `paper` equals the published scripts to the last digit, `strict` repairs what they get wrong."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from published_scorer import pipeline, published_metrics, written

from alpha_umi.data.filters import Report
from alpha_umi.data.formats.alpha_umi_json import read
from alpha_umi.errors import DataError
from alpha_umi.evaluation.static import paper_scorer, strict_scorer
from alpha_umi.evaluation.static.decision_points import Point, Prediction, decision_points
from alpha_umi.evaluation.static.scorers import judge_all, samples, score
from alpha_umi.text.output_format import DECISIONS
from alpha_umi.trajectory import Decision

TOOLS = ("tide", "wind")
MARKERS = {Decision.CALL: "Next: caller.", Decision.SUMMARIZE: "Next: conclusion.", Decision.GIVE_UP: "Next: give up."}
NEXT = {Decision.CALL: "caller", Decision.SUMMARIZE: "summarizer"}
SPEAKERS = {"caller": "caller", "summarizer": "conclusion"}
METRICS, SEVEN = tuple(strict_scorer.SCORER.metrics), tuple(paper_scorer.SCORER.metrics)


def action(tool: str, arguments: str) -> str:
    return f"Action: {tool}\nAction Input: {arguments}"


def prediction(
    decision: Decision, reference: str = "", *, plan: str | None = None, predicted: str = "", n: int = 0, **more: Any
) -> Prediction:
    """A point of one decision and what the roles wrote there; without a plan they decide as the reference."""
    plan = f"I see. {MARKERS[decision]}" if plan is None else plan
    texts = {"planner": plan}
    if "Next: conclusion." in plan:
        texts["summarizer"] = predicted
    elif "Next: give up." not in plan:
        texts["caller"] = predicted
    target = {"planner": f"I see. {MARKERS[decision]}"}
    if decision in NEXT:
        target[NEXT[decision]] = reference
    point = {"n": n, "id": f"t{n}", "step": 0, "decision": decision, "reference": target, "tools": TOOLS}
    return Prediction.model_validate({**point, "predicted": texts, "finish": dict.fromkeys(texts, "stop"), **more})


def record_of(p: Prediction) -> dict[str, Any]:
    """The same step as the independent scorer wants it."""
    following = NEXT.get(p.decision)
    return {
        "tools": p.tools,
        "turns": (p.reference["planner"], (SPEAKERS[following], p.reference[following]) if following else None),
        **{role: p.predicted.get(role, "") for role in ("planner", "caller", "summarizer")},
    }


def values(metrics: dict[str, Any]) -> dict[str, float | None]:
    return {name: metrics[name]["value"] for name in SEVEN}


# --- golden numbers, worked by hand ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reference", "predicted", "paper", "strict"),
    [
        ('{"x": 1}', '{"x": 2}', 0.5, 0.5),
        ('{"x": 1}', '{"x": 1, "y": 2}', 2 / 3, 2 / 3),
        ('{"x": 1}', '{"x": 1.0}', 1.0, 1.0),
        ('{"x": 1}', '{"x": true}', 1.0, 0.5),
        ('{"x": [0]}', '{"x": [false]}', 1.0, 0.5),
        ('{"x": "1"}', '{"x": 1}', 0.5, 0.5),
        ('{"x": 1}', '{"y": 1}', 0.0, 0.0),
        ('{"x": 1}', "{}", 0.0, 0.0),
        ("{}", "{}", 1.0, 1.0),
        ("{}", '{"x": 1}', 0.0, 0.0),
        ("{}", "no json", 0.0, 0.0),
        ('{"x": 1}', "no json", 0.0, 0.0),
        ('{"x": 1}', "[1]", 0.0, 0.0),
        ('{"x": 1}', "{'x': 1}", 0.0, 1.0),
        ('{"x": 1}', '{"x": 1} and so on', 0.0, 1.0),
        ('{"x": "Action: y"}', '{"x": "Action: y"}', None, 1.0),
    ],
)
def test_argument_f1(reference: str, predicted: str, paper: float | None, strict: float) -> None:
    made = [prediction(Decision.CALL, action("tide", reference), predicted=action("tide", predicted))]
    assert score(made)["arg_f1"]["value"] == pytest.approx(strict)
    if paper is not None:
        assert score(made, "paper")["arg_f1"]["value"] == pytest.approx(paper)


def test_each_metric_has_its_population() -> None:
    made = [
        prediction(Decision.CALL, action("tide", "{}"), predicted=action("tide", "{}"), n=0),
        prediction(Decision.CALL, action("tide", '{"a": 1}'), predicted=action("storm", '{"a": 1}'), n=1),
        prediction(Decision.SUMMARIZE, "High water at ten.", predicted="high Water at noon", n=2),
        prediction(Decision.GIVE_UP, plan="Once more. Next: caller.", predicted=action("wind", "{}"), n=3),
    ]
    strict, paper = score(made), score(made, "paper")
    assert {name: (strict[name]["value"], strict[name]["n"]) for name in METRICS} == {
        "plan_acc": (0.75, 4),
        "act_em": (0.5, 2),
        "hallucination": (pytest.approx(1 / 3), 3),
        "arg_f1": (0.5, 2),
        "rouge_l": (0.75, 1),
    }
    assert (paper["hallucination"]["value"], paper["hallucination"]["n"]) == (0.25, 4)
    assert (paper["easy_f1"]["value"], paper["hard_f1"]["value"]) == (0.5, 1e-30)
    assert strict["confusion"]["give_up"] == {"call": 1, "summarize": 0, "give_up": 0, "none": 0}
    assert strict["plan_macro"]["value"] == pytest.approx(2 / 3)
    assert strict["by_decision"]["give_up"]["plan_acc"]["value"] == 0.0
    assert strict["n_trajectories"] == 4
    json.dumps(strict, allow_nan=False)


def test_nothing_to_score_is_an_error() -> None:
    with pytest.raises(DataError, match="nothing to score"):
        score([])


# --- what strict repairs --------------------------------------------------------------------------------------------


def test_no_marker_is_not_silently_a_call() -> None:
    made = [prediction(Decision.CALL, action("tide", "{}"), plan="I call it.", predicted=action("tide", "{}"))]
    assert score(made, "paper")["plan_acc"]["value"] == score(made, "paper")["act_em"]["value"] == 1.0
    strict = score(made)
    assert strict["plan_acc"]["value"] == strict["act_em"]["value"] == 0.0
    assert strict["hallucination"]["value"] is None
    assert strict["confusion"]["call"]["none"] == 1
    assert strict["faults"] == {"planner: no_marker": 1}


def test_a_marker_inside_an_answer_or_a_call_decides_nothing() -> None:
    answer = "You may read 'Next: give up' there."
    made = [
        prediction(Decision.SUMMARIZE, "It is ten.", predicted=answer, n=0),
        prediction(Decision.CALL, action("tide", "{}"), predicted=action("tide", '{"q": "Next: conclusion"}'), n=1),
    ]
    assert score(made, "paper")["plan_acc"]["value"] == 0.0
    assert score(made)["plan_acc"]["value"] == 1.0


def test_an_answer_that_holds_the_word_conclusion_is_not_cut() -> None:
    answer = "In conclusion: it is ten."
    made = [prediction(Decision.SUMMARIZE, answer, predicted=answer)]
    assert score(made)["rouge_l"]["value"] == 1.0
    made = [prediction(Decision.SUMMARIZE, "conclusion: it is ten", predicted="it is ten")]
    assert score(made, "paper")["rouge_l"]["value"] == pytest.approx(1.0)
    assert score(made)["rouge_l"]["value"] == pytest.approx(6 / 7)


def test_a_missing_answer_scores_nothing() -> None:
    made = [prediction(Decision.SUMMARIZE, "none of them", plan="Again. Next: caller.", predicted=action("tide", "{}"))]
    assert score(made, "paper")["rouge_l"]["value"] == pytest.approx(0.5)
    assert score(made)["rouge_l"]["value"] == 0.0


def test_words_count_as_often_as_they_occur() -> None:
    made = [prediction(Decision.SUMMARIZE, "a", predicted="a a a a")]
    assert score(made, "paper")["rouge_l"]["value"] == pytest.approx(1.0)
    assert score(made)["rouge_l"]["value"] == pytest.approx(0.4)


def test_references_that_cannot_be_scored_are_counted_and_listed() -> None:
    made = [
        prediction(Decision.CALL, action("tide", "{broken"), predicted=action("tide", "{}"), n=0),
        prediction(Decision.CALL, action("storm", "{}"), predicted=action("storm", "{}"), n=1),
        prediction(Decision.SUMMARIZE, "none", predicted="It is ten.", n=2),
    ]
    strict = score(made)
    assert [strict[name]["n"] for name in METRICS] == [3, 1, 2, 0, 0]
    assert [entry["steps"] for entry in strict["unscored"].values()] == [["t0 step 0"], ["t1 step 0"], ["t2 step 0"]]
    paper = score(made, "paper")
    assert [paper[name]["n"] for name in METRICS] == [3, 2, 3, 1, 1]
    assert paper["unscored"]["arg_f1: the reference's arguments are not JSON"]["n"] == 1


def test_what_stops_the_published_script_is_a_fault_and_scores_nothing() -> None:
    made = [prediction(Decision.SUMMARIZE, "It is ten.", predicted="...")]
    paper = score(made, "paper")
    assert paper["rouge_l"]["value"] == 0.0
    assert paper["faults"] == {"published script stops: rouge: Hypothesis is empty.": 1}


def test_faults_are_counted_by_role_and_reason() -> None:
    made = [
        prediction(Decision.CALL, action("tide", "{}"), predicted="I do not know", n=0),
        prediction(Decision.CALL, action("tide", "{}"), predicted=action("tide", "{"), n=1),
        prediction(Decision.SUMMARIZE, "ten", predicted=" ", n=2),
        prediction(Decision.SUMMARIZE, "ten", plan="", finish={"planner": "context"}, fault="context", n=3),
        prediction(Decision.GIVE_UP, plan="So. Next: give up.", finish={"planner": "repetition"}, n=4),
    ]
    assert set(score(made)["faults"].items()) == {
        ("caller: no_action", 1),
        ("caller: bad_json", 1),
        ("summarizer: empty", 1),
        ("planner: context", 1),
        ("planner: repetition", 1),
    }
    assert [j.predicted for j in judge_all(made)] == ["call", "call", "summarize", "none", "give_up"]


def test_a_single_model_is_scored_on_whole_turns() -> None:
    def whole(decision: Decision, reference: str, text: str, n: int) -> Prediction:
        made = prediction(decision, reference, n=n)
        return made.model_copy(update={"predicted": {"single": text}, "finish": {"single": "stop"}})

    made = [
        whole(Decision.CALL, action("tide", '{"x": 1}'), "So.\n" + action("tide", '{"x": 1}'), 0),
        whole(Decision.SUMMARIZE, "It is ten", "Done.\nconclusion: It is ten", 1),
        whole(Decision.GIVE_UP, "", "No.\nconclusion: give up.", 2),
        whole(Decision.CALL, action("tide", "{}"), "I stop here", 3),
    ]
    data = [
        {"tools": p.tools, "reference": reference, "predictions": written(p.predicted["single"])}
        for p, reference in zip(made, map(paper_scorer.reference_of_single, made), strict=True)
    ]
    assert data[2]["reference"] == "I see.\nconclusion: give up."
    assert values(score(made, "paper")) == published_metrics(data, backbone=True)
    strict = score(made)
    assert (strict["plan_acc"]["value"], strict["act_em"]["value"]) == (0.75, 0.5)
    assert strict["faults"] == {"single: no_marker": 1}


def test_samples_are_what_the_paired_comparison_takes() -> None:
    made = [prediction(Decision.CALL, action("tide", "{}"), predicted=action("tide", "{}"))]
    assert samples(made, "act_em") == [("t0", 1.0)]


# --- the standard ROUGE-L of the strict scorer ----------------------------------------------------------------------


def slow_lcs(x: list[str], y: list[str]) -> int:
    row = [0] * (len(y) + 1)
    for a in x:
        above, row = row, [0]
        for j, b in enumerate(y):
            row.append(above[j] + 1 if a == b else max(above[j + 1], row[j]))
    return row[-1]


@given(st.lists(st.sampled_from("abcd"), max_size=40), st.lists(st.sampled_from("abcd"), max_size=40))
def test_lcs_length(x: list[str], y: list[str]) -> None:
    assert strict_scorer.lcs_length(x, y) == slow_lcs(x, y)


# --- paper: against the independent scorer --------------------------------------------------------------------------

MARKS = ("Next: caller.", "Next: conclusion.", "Next: give up.", "Next: give up", "conclusion: ", "</s>", ": ", "none")
FIELDS = ("Action: tide", "Action:", "\nAction Input: ", "{}", '{"x": 1}', '{"x": [1, "Action: y"]}')
pieces = st.sampled_from([*MARKS, *FIELDS, "ten. ", "a b", " ", "\n", "..."])
texts = st.lists(pieces, max_size=5).map("".join)
tools = st.sampled_from([*TOOLS, "storm", "none"])
inputs = st.sampled_from(["{}", '{"x": 1}', '{"x": true, "y": "b"}', '{"z": null}', "[]", "{bad", '"x"', "NaN"])
actions = st.builds(action, tools, inputs) | texts
plans = st.builds("{} {}".format, texts, st.sampled_from(list(MARKERS.values()))) | texts


@st.composite
def predictions(draw: st.DrawFn) -> list[Prediction]:
    made = []
    for n in range(draw(st.integers(1, 6))):
        decision = draw(st.sampled_from(DECISIONS))
        reference = draw(actions if decision is Decision.CALL else texts.filter(str.strip))
        plan = draw(plans | st.just(f"So. {MARKERS[decision]}"))
        made.append(prediction(decision, reference, plan=plan, predicted=draw(actions), n=n))
    return made


@settings(max_examples=300, deadline=None)
@given(predictions())
def test_paper_equals_the_published_algorithm(made: list[Prediction]) -> None:
    try:
        expected = published_metrics(pipeline([record_of(p) for p in made]))
    except (ValueError, IndexError):
        assert any(fault.startswith("published script stops") for fault in score(made, "paper", resamples=1)["faults"])
        return
    assert values(score(made, "paper", resamples=1)) == expected


def mutate(source: random.Random, text: str) -> str:
    """What models do wrong: cut off, wrong words, wrong names, wrong JSON, wrong markers."""
    swaps = [
        ("caller", "conclusion"),
        ("caller", "give up"),
        ("conclusion", "caller"),
        ('"', "'"),
        ("}", ""),
        ("1", "2"),
    ]
    choice = source.randrange(10)
    if choice < 4:
        return text
    if choice == 4:
        return text[: source.randrange(len(text) + 1)]
    if choice == 5:
        return source.choice(["", ".", ": " + text, text + " " + text])
    if choice == 6:
        return " ".join(word for word in text.split(" ") if source.random() < 0.8)
    if choice == 7:
        return text.replace("{}", '{"page": 1}').replace("_for_", "_of_")
    return text.replace(*source.choice(swaps))


def real_records(raw: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """Every scored turn of the released test file with mutated references as predictions."""
    source = random.Random(seed)
    records = []
    for item in raw:
        turns = item["conversations"]
        for i, turn in enumerate(turns):
            if turn["from"] == "assistant" and any(marker in turn["value"] for marker in MARKERS.values()):
                following = None
                if "Next: give up." not in turn["value"]:
                    following = (turns[i + 1]["from"], turns[i + 1]["value"])
                spoken = following[1] if following else action(item["tools"][0]["Name"], "{}")
                record = {"tools": [t["Name"] for t in item["tools"]], "turns": (turn["value"], following)}
                roles = {"planner": turn["value"], "caller": spoken, "summarizer": spoken}
                records.append(record | {role: mutate(source, text) for role, text in roles.items()})
    return records


def test_paper_on_the_released_test_set(shared: Path) -> None:
    file = shared / "glpft-toolbench" / "test" / "out_of_domain.json.gz"
    if not file.is_file():
        pytest.skip(f"{file.name} is absent")
    with gzip.open(file) as stream:
        records = real_records(json.load(stream), seed=0)
    points = [p for case in decision_points(read(file, Report())) for p in case.points]
    assert len(points) == len(records) == 1183
    assert [len([p for p in points if p.decision is d]) for d in DECISIONS] == [876, 236, 71]
    made = [answered(point, record) for point, record in zip(points, records, strict=True)]
    assert values(score(made, "paper", resamples=20)) == published_metrics(pipeline(records))
    strict = score(made, resamples=20)
    # One conversation goes on after an empty conclusion; its reference has no answer to compare with.
    assert [strict[name]["n"] for name in ("plan_acc", "act_em", "arg_f1", "rouge_l")] == [1183, 876, 876, 235]


def answered(point: Point, record: dict[str, Any]) -> Prediction:
    texts = {role: record[role] for role in ("planner", "caller", "summarizer")}
    return Prediction(**dict(point), predicted=texts, finish=dict.fromkeys(texts, "stop"))
