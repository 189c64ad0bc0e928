"""Comparisons: paired, corrected, complete, and refused where they would mean nothing."""

from __future__ import annotations

import csv
import io
import itertools
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import comb
from pathlib import Path

import pytest
from evaluations import agent_evaluation, static_evaluation
from hypothesis import given
from hypothesis import strategies as st

from alpha_umi.errors import DataError, UsageError
from alpha_umi.evaluation import (
    Comparison,
    EvaluationResult,
    compare,
    holm,
    mcnemar,
    pass_hat_k,
    read_evaluation,
    write_comparison,
)
from alpha_umi.evaluation.comparison import TrainingCost
from alpha_umi.evaluation.statistics import smallest_difference
from alpha_umi.evaluation.tables import csv_text, latex, markdown

pytestmark = pytest.mark.fast


def compared(arms: Mapping[str, list[Path]], **more: object) -> Comparison:
    results = {name: {"tasks": [read_evaluation(folder) for folder in folders]} for name, folders in arms.items()}
    return compare(results, **{"baseline": next(iter(arms)), "resamples": 500, **more})  # type: ignore[arg-type]


def tasks(passes: str) -> dict[str, bool]:
    return {f"t-{i}": mark == "+" for i, mark in enumerate(passes)}


# --- statistics -----------------------------------------------------------------------------------------------------


def test_mcnemar_is_the_exact_binomial() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(1, 6) == mcnemar(6, 1) == pytest.approx(2 * (1 + 7) / 2**7)
    assert mcnemar(0, 10) == pytest.approx(2 / 2**10)
    assert 0 < mcnemar(900, 1200) < 1e-9  # beyond what a float can count


def test_holm_gives_the_textbook_values() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_keeps_the_order_and_only_makes_larger(ps: list[float]) -> None:
    adjusted = holm(ps)
    assert all(p <= q <= 1 for p, q in zip(ps, adjusted, strict=True))
    assert all(q <= s for (p, q), (r, s) in itertools.permutations(zip(ps, adjusted, strict=True), 2) if p < r)


@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=5), min_size=1, max_size=6), st.integers(1, 3))
def test_pass_hat_k_is_the_share_of_draws_that_all_pass(runs: list[list[bool]], k: int) -> None:
    shares = [sum(map(all, itertools.combinations(each, k))) / comb(len(each), k) for each in runs]
    assert pass_hat_k(runs, k) == pytest.approx(sum(shares) / len(shares))


def test_sixty_tasks_show_eighteen_points() -> None:
    assert round(100 * smallest_difference(60)) == 18


# --- what a comparison says -----------------------------------------------------------------------------------------


def test_pairing_finds_what_two_intervals_hide(tmp_path: Path) -> None:
    # 20 of 40 and 27 of 40: the intervals overlap by far, but seven tasks differ, and all to one side.
    a = agent_evaluation(tmp_path / "a", tasks("+" * 20 + "-" * 20))
    b = agent_evaluation(tmp_path / "b", tasks("+" * 27 + "-" * 13))
    rows = compared({"a": [a], "b": [b]}).evaluations["tasks"].arms
    first, second = (row.metrics["pass_rate"] for row in rows.values())
    assert second.low < (first.value + second.value) / 2 < first.high
    found = second.difference
    assert found is not None
    assert found.test == "mcnemar"
    assert found.value == pytest.approx(7 / 40)
    assert found.p == pytest.approx(2 / 2**7)
    assert 0 < found.low < 7 / 40 < found.high


def test_ties_with_the_best_are_marked_and_no_more(tmp_path: Path) -> None:
    arms = {
        "worst": [agent_evaluation(tmp_path / "worst", tasks("-" * 40))],
        "good": [agent_evaluation(tmp_path / "good", tasks("+" * 30 + "-" * 10))],
        "best": [agent_evaluation(tmp_path / "best", tasks("-" + "+" * 30 + "-" * 9))],
    }
    rows = compared(arms).evaluations["tasks"].arms
    assert {name for name, row in rows.items() if row.metrics["pass_rate"].best} == {"good", "best"}


def test_fewer_hallucinations_are_better(tmp_path: Path) -> None:
    from alpha_umi.trajectory import Call, Observation, Plan, Step, Tool, Trajectory

    def calling(name: str) -> Trajectory:
        plan = Plan.model_validate({"rationale": "", "decision": "call"})
        call = Call.model_validate({"tool": name, "arguments": {}, "raw": ""})
        step = Step(plan=plan, call=call, observation=Observation(text="5"))
        return Trajectory(id="t", query="?", tools=(Tool(name="add", description=""),), steps=(step,))

    ids = tasks("-" * 12)
    invents = agent_evaluation(tmp_path / "invents", ids, trajectory=calling("subtract"))
    knows = agent_evaluation(tmp_path / "knows", ids, trajectory=calling("add"))
    rows = compared({"invents": [invents], "knows": [knows]}).evaluations["tasks"].arms
    assert [row.metrics["hallucination"].value for row in rows.values()] == [1.0, 0.0]
    assert [row.metrics["hallucination"].best for row in rows.values()] == [False, True]


def test_steps_of_one_trajectory_are_drawn_together(tmp_path: Path) -> None:
    # Ten steps alike in each of twelve trajectories: as much as twelve steps say.
    def plans(repeats: int, right: int) -> dict[str, list[str]]:
        return {f"t{i}": ["give up" if i < right else "caller"] * repeats for i in range(12)}

    found = []
    for repeats in (1, 10):
        a = static_evaluation(tmp_path / f"a{repeats}", plans(repeats, 6))
        b = static_evaluation(tmp_path / f"b{repeats}", plans(repeats, 9))
        row = compared({"a": [a], "b": [b]}).evaluations["tasks"].arms["b"]
        found.append(row.metrics["plan_acc"].difference)
    assert found[0] is not None
    assert found[0] == found[1]
    assert found[0].test == "bootstrap"


def test_runs_are_pooled_and_each_is_on_record(tmp_path: Path) -> None:
    arms = {
        "a": [agent_evaluation(tmp_path / f"a{i}", tasks(marks)) for i, marks in enumerate(("++--", "+---"))],
        "b": [agent_evaluation(tmp_path / f"b{i}", tasks(marks)) for i, marks in enumerate(("++++", "+++-"))],
    }
    found = compared(arms)
    row = found.evaluations["tasks"].arms["a"]
    assert row.metrics["pass_rate"].runs == (0.5, 0.25)
    assert row.metrics["pass_rate"].value == 0.375
    assert row.pass_hat_k == {1: 0.375, 2: 0.25}
    assert found.evaluations["tasks"].arms["b"].metrics["pass_rate"].difference is not None
    assert len(row.folders) == 2
    assert any("several runs" in note for note in found.notes)


def test_a_pass_costs_what_all_tasks_cost(tmp_path: Path) -> None:
    a = agent_evaluation(tmp_path / "a", tasks("+---"), tokens=100)
    b = agent_evaluation(tmp_path / "b", tasks("----"), tokens=50)
    first, second = (row.cost for row in compared({"a": [a], "b": [b]}).evaluations["tasks"].arms.values())
    assert (first.tokens, first.tokens_per_pass, first.seconds_per_pass) == (100, 400, 8)
    assert second.tokens_per_pass is None


def test_tasks_are_told_apart_by_the_calls_that_they_need(tmp_path: Path) -> None:
    passed = {"t1-a": True, "t1-b": False, "t2-a": True, "t3-a": True, "t4-a": False, "t9-a": False}
    a = agent_evaluation(tmp_path / "a", passed)
    b = agent_evaluation(tmp_path / "b", dict.fromkeys(passed, True))
    rows = compared({"a": [a], "b": [b]}).evaluations["tasks"].arms
    found = {title: (each.value, each.n) for title, each in rows["a"].by_difficulty.items()}
    assert found == {"1": (0.5, 2), "2-3": (1.0, 2), "4+": (0.0, 2)}


def test_one_table_is_corrected_as_a_whole(tmp_path: Path) -> None:
    a = agent_evaluation(tmp_path / "a", tasks("-" * 30))
    others = {name: [agent_evaluation(tmp_path / name, tasks("+" * 7 + "-" * 23))] for name in "bcde"}
    rows = compared({"a": [a], **others}).evaluations["tasks"].arms
    differences = [rows[name].metrics["pass_rate"].difference for name in others]
    assert all(d is not None and d.p_holm == pytest.approx(4 * d.p) for d in differences)


def test_a_run_against_itself_differs_by_nothing(tmp_path: Path) -> None:
    a = agent_evaluation(tmp_path / "a", tasks("+-+-"))
    found = compared({"a": [a], "again": [a]}).evaluations["tasks"].arms["again"].metrics["pass_rate"].difference
    assert found is not None
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


# --- what it refuses ------------------------------------------------------------------------------------------------


def _append(text: bytes) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with (folder / "episodes.jsonl").open("ab") as stream:
            stream.write(text)

    return change


def _edit(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        file = folder / "episodes.jsonl"
        file.write_bytes(b"".join(change(file.read_bytes().splitlines(keepends=True))))

    return edit


def _remove(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).unlink()


def _nothing(folder: Path) -> None:
    for file in folder.glob("episodes*"):
        file.unlink()


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_nothing, "holds neither"),
        (_remove("metrics.json"), "has not ended"),
        (_remove("episodes.meta.json"), "nothing beside it says"),
        (_append(b'{"id": "t-9", "ki'), "line 5 is cut off"),
        (_append(b'{"id": "t-9"}\n'), "line 5 is no episode: kind"),
        (_edit(lambda lines: [*lines, lines[0]]), "line 5: the task 't-0' stands there twice"),
        (_edit(lambda lines: []), "is empty"),
        (_edit(lambda lines: lines[:-1]), "holds 3 results, and metrics.json beside it is of 4"),
        (_edit(lambda lines: [re.sub(rb'"seconds":2.0', b'"seconds":NaN', line) for line in lines]), "seconds"),
        (_edit(lambda lines: [line.replace(b'"ok"', b'"not_scored"') for line in lines]), "have no verdict"),
    ],
)
def test_what_is_not_whole_is_refused_with_its_place(tmp_path: Path, spoil: Callable[[Path], None], told: str) -> None:
    folder = agent_evaluation(tmp_path / "a", tasks("++++"))
    read_evaluation(folder)
    spoil(folder)
    with pytest.raises(DataError, match=re.escape(told)) as caught:
        read_evaluation(folder)
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_episode_judged_later_counts_as_it_was_judged_last(tmp_path: Path) -> None:
    folder = agent_evaluation(tmp_path / "a", tasks("++"))
    file = folder / "episodes.jsonl"
    lines = file.read_bytes().splitlines(keepends=True)
    unjudged = lines[0].replace(b'"code":"ok"', b'"code":"not_scored"').replace(b'"passed":true', b'"passed":false')
    file.write_bytes(b"".join([unjudged, lines[1], lines[0]]))
    assert read_evaluation(folder).passed == {"t-0": True, "t-1": True}


def test_only_the_same_tasks_are_compared(tmp_path: Path) -> None:
    a = agent_evaluation(tmp_path / "a", tasks("++++"))
    fewer = agent_evaluation(tmp_path / "fewer", tasks("++"))
    changed = agent_evaluation(tmp_path / "changed", tasks("++++"), task="another task")
    newer = agent_evaluation(tmp_path / "newer", tasks("++++"), taskset="shop@2")
    steps = static_evaluation(tmp_path / "steps", {"t": ["give up"]})
    for other, told in (
        (fewer, r"fewer lacks 't-2', 't-3', which .*a holds"),
        (changed, "mean different tasks by 't-0'"),
        (newer, r"judged by shop@2 and .* by shop@1"),
        (steps, "static evaluation"),
    ):
        with pytest.raises(UsageError, match=told):
            compared({"a": [a], "b": [other]})
    with pytest.raises(UsageError, match="counts twice"):
        compared({"a": [a, a], "b": [a]})


def test_arms_and_metrics_are_named_right(tmp_path: Path) -> None:
    a = agent_evaluation(tmp_path / "a", tasks("+"))
    for arms, more, told in (
        ({"a": [a]}, {}, "two arms or more"),
        ({"a": [a], "b": [a]}, {"baseline": "c"}, "is no arm"),
        ({"a": [a], "b": [a]}, {"metrics": ["rouge"]}, "metrics: rouge: not measured"),
    ):
        with pytest.raises(UsageError, match=told):
            compared(arms, **more)


def test_predictions_are_judged_by_the_scorer_that_is_asked_for(tmp_path: Path) -> None:
    folder = static_evaluation(tmp_path / "a", {"t": ["give up", "caller"]})
    assert {*read_evaluation(folder, scorer="paper").samples} != {*read_evaluation(folder).samples}
    with pytest.raises(UsageError, match="scorer"):
        read_evaluation(folder, scorer="none_such")


# --- what is written ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    folder = tmp_path_factory.mktemp("runs")
    passed = {"t1-a": True, "t1-b": False, "t2-a": True}
    arms = {
        "base_line": {
            "tasks": [read_evaluation(agent_evaluation(folder / f"a{i}", passed)) for i in range(2)],
            "steps": [read_evaluation(static_evaluation(folder / "s", {"t": ["give up"], "u": ["caller"]}))],
        },
        "<b>&|": {"tasks": [read_evaluation(agent_evaluation(folder / f"b{i}", passed)) for i in range(2)]},
    }
    training = {"base_line": TrainingCost(trained_parameters=10, all_parameters=20, tokens=1, seconds=None)}
    return compare(
        arms, baseline="base_line", training=training, failed={"lost": "the training diverged"}, resamples=200
    )


def test_every_file_names_every_run_and_what_failed(full: Comparison, tmp_path: Path) -> None:
    write_comparison(tmp_path, full)
    folders = [f for table in full.evaluations.values() for row in table.arms.values() for f in row.folders]
    assert len(folders) == 5
    assert {path.name for path in tmp_path.iterdir()} == {
        *(f"comparison.{kind}" for kind in ("md", "csv", "tex", "json")),
        *("tasks.svg", "steps.svg", "report.html"),
    }
    for name in ("comparison.md", "comparison.tex", "comparison.json", "report.html"):
        text = (tmp_path / name).read_text(encoding="utf-8").replace("\\", "")
        assert all(folder in text for folder in folders), name
        assert "the training diverged" in text, name


def test_the_csv_has_a_row_for_each_measure(full: Comparison) -> None:
    found = list(csv.DictReader(io.StringIO(csv_text(full))))
    measures = [(e, arm, m) for e, t in full.evaluations.items() for arm, row in t.arms.items() for m in row.metrics]
    assert [(row["evaluation"], row["arm"], row["metric"]) for row in found] == measures
    passes = next(row for row in found if (row["arm"], row["metric"]) == ("<b>&|", "pass_rate"))
    assert float(passes["value"]) == pytest.approx(2 / 3)
    assert float(passes["difference"]) == 0.0


def test_a_comparison_comes_back_from_its_json(full: Comparison) -> None:
    assert Comparison.model_validate_json(full.model_dump_json()) == full
    assert json.loads(full.model_dump_json())["evaluations"]["tasks"]["arms"]["base_line"]["pass_hat_k"]


def test_names_are_text_and_not_markup(full: Comparison, tmp_path: Path) -> None:
    write_comparison(tmp_path, full)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "<b>" not in page
    assert "&lt;b&gt;" in page
    assert "<script" not in page
    assert "http-equiv" in page
    for name in ("tasks.svg", "steps.svg"):
        assert ET.parse(tmp_path / name).getroot().tag.endswith("svg")
    assert r"base\_line" in latex(full)
    assert r"\textless{}b\textgreater{}\&|" in latex(full)
    table = [row.replace(r"\|", "") for row in markdown(full).splitlines() if row.startswith("|")]
    heads = {row.count("|") for row in table if row.startswith("|  |")}
    assert {row.count("|") for row in table if r"b\>" in row} <= heads


def test_the_plot_shows_each_difference(tmp_path: Path) -> None:
    a = agent_evaluation(tmp_path / "a", tasks("+" * 20 + "-" * 20))
    b = agent_evaluation(tmp_path / "b", tasks("+" * 27 + "-" * 13))
    found = compared({"a": [a], "b": [b]})
    write_comparison(tmp_path / "out", found)
    said = "".join(ET.parse(tmp_path / "out" / "tasks.svg").getroot().itertext())
    assert "+17.5 [" in said
    assert "points above a" in said


def test_only_settings_that_differ_are_told(tmp_path: Path) -> None:
    def result(name: str, settings: str) -> EvaluationResult:
        found = read_evaluation(agent_evaluation(tmp_path / name, tasks("+" * 20)))
        return replace(found, origin=found.origin.model_copy(update={"settings": settings}))

    arms = {name: {"tasks": [result(name, f"{name}, steps 12, free")]} for name in ("chain", "dfs")}
    assert compare(arms, baseline="chain", resamples=10).notes == ("tasks: settings differ: chain: chain; dfs: dfs",)
    alike = {name: {"tasks": [result(f"{name}2", "chain, steps 12")]} for name in ("a", "b")}
    assert compare(alike, baseline="a", resamples=10).notes == ()
