"""Online evaluation: teams at work in isolated worlds, judged by execution."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

import alpha_umi_gym as gym
from alpha_umi import Budget, load_models, load_team
from alpha_umi.agent.search.strategies import DFSDT
from alpha_umi.cli.evaluate import app
from alpha_umi.data import store
from alpha_umi.data.examples import for_role
from alpha_umi.errors import UsageError, WorkError
from alpha_umi.evaluation.agentic.episodes import Episode, EpisodeLog, run_episode, run_episodes
from alpha_umi.evaluation.agentic.metrics import rendered, summarize
from alpha_umi.evaluation.agentic.task_selection import choose_tasks
from alpha_umi.evaluation.records import Origin
from alpha_umi.models.protocol import Message, Model, Request
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.roles import ROLES
from alpha_umi.text.layouts import load_layout
from alpha_umi.trajectory import Outcome, Trajectory
from alpha_umi_gym.registry import owners
from alpha_umi_gym.task import GymTask, task_of
from alpha_umi_gym.taskset import GYM

TEAM = load_team("umi-shared")
BUDGET = Budget(max_steps=12)


@pytest.fixture(scope="module")
def tasks() -> list[GymTask]:
    return list(gym.generate(60, seed=8))


def gold(tasks: list[GymTask], *, wrong: str = "") -> Mapping[str, Model]:
    """Models that know every task's solution by its prompts; of task `wrong` they know another answer."""
    texts: dict[tuple[str, tuple[Message, ...]], str] = {
        (role, example.messages): example.completion
        for task in tasks
        for role in ROLES
        for example in for_role(
            task.gold, role=role, layout=load_layout("shared"), observation_chars=TEAM.observation_chars
        )
    }

    def write(role: str, request: Request) -> str:
        text = texts[role, tuple(request.messages)]
        asked = any(wrong and wrong in message.content for message in request.messages)
        return "I do not care." if asked and role == "summarizer" else text

    return {role: ScriptedModel(lambda request, role=role: write(role, request)) for role in ROLES}  # type: ignore[misc]


def played(tasks: list[GymTask], models: Mapping[str, Model], **options: object) -> dict[str, Episode]:
    found: dict[str, Episode] = {}
    run_episodes(
        tasks,
        GYM,
        team=TEAM,
        models=models,
        budget=BUDGET,
        on_done=lambda episode: found.update({episode.id: episode}),
        **{"parallel": 1, **options},  # type: ignore[arg-type]
    )
    return found


def test_gold_words_pass_every_task_however_many_at_once(tasks: list[GymTask]) -> None:
    alone, together = (played(tasks, gold(tasks), parallel=n) for n in (1, 16))
    assert all(episode.passed for episode in alone.values()), [e.reason for e in alone.values() if not e.passed]
    assert set(alone) == set(together) == {task.id for task in tasks}
    for name, episode in alone.items():
        assert episode.trajectory == together[name].trajectory


def test_the_metrics_say_what_failed(tasks: list[GymTask]) -> None:
    wrong = next(task for task in tasks if task.kind == "sequential")
    metrics = summarize(list(played(tasks, gold(tasks, wrong=wrong.query)).values()))
    assert metrics["pass_rate"]["value"] == pytest.approx(1 - 1 / len(tasks))
    assert metrics["failures"] == {"wrong_answer": 1}
    assert metrics["by_kind"]["sequential"]["value"] < 1 == metrics["by_kind"]["single"]["value"]
    assert metrics["by_depth"][str(wrong.calls)]["value"] < 1
    unsolvable = sum(task.gold.outcome is Outcome.GAVE_UP for task in tasks)
    assert (metrics["give_up_right"]["value"], metrics["give_up_right"]["n"]) == (1.0, unsolvable)
    assert metrics["hallucination"]["value"] == 0
    assert metrics["calls"] == pytest.approx(metrics["gold_calls"])
    assert sum(rate["n"] for rate in metrics["by_kind"].values()) == len(tasks)
    assert set(metrics["tokens"]) == {"planner", "caller", "summarizer"}
    json.dumps(metrics, allow_nan=False)


def test_the_rate_by_the_basic_checks_stands_beside_the_pass_rate(tasks: list[GymTask]) -> None:
    denied = next(task for task in tasks if task.kind == "single" and len(task.stated) == 1)
    episodes = played(tasks, gold(tasks))
    denial = episodes[denied.id].trajectory.model_copy(update={"answer": f"It is not {denied.stated[0]}."})
    episodes[denied.id] = episodes[denied.id].judged(GYM.score(denied, denial))
    metrics = summarize(list(episodes.values()))
    assert metrics["pass_rate"]["value"] < metrics["pass_rate_basic"]["value"] == 1
    assert metrics["pass_rate_basic"]["n"] == len(tasks)
    assert metrics["pass_rate_basic"]["low"] < 1
    Console(file=(shown := io.StringIO())).print(rendered(metrics))
    assert "basic checks alone" in shown.getvalue()


def test_records_without_the_basic_checks_are_read(tasks: list[GymTask]) -> None:
    episode = played(tasks[:1], gold(tasks))[tasks[0].id]
    assert Episode.model_validate_json(episode.model_dump_json()) == episode
    older = Episode.model_validate(episode.model_dump(mode="json", exclude={"basic"}))
    assert older.basic is None
    assert "pass_rate_basic" not in summarize([episode, older])


def test_a_team_that_always_gives_up_passes_only_the_hopeless(tasks: list[GymTask]) -> None:
    models = {role: ScriptedModel(lambda _: "No idea. Next: give up.") for role in ROLES}
    metrics = summarize(list(played(tasks, models).values()))
    unsolvable = sum(task.gold.outcome is Outcome.GAVE_UP for task in tasks)
    assert metrics["pass_rate"]["value"] == pytest.approx(unsolvable / len(tasks))
    assert metrics["failures"] == {"gave_up_wrongly": len(tasks) - unsolvable}
    assert metrics["give_up_wrong"]["value"] == 1


@pytest.mark.model  # the records name the base by its content
def test_a_run_that_was_stopped_continues(
    tasks: list[GymTask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, asked = gold(tasks), list[str]()
    monkeypatch.setattr("alpha_umi.models.loading.load_models", lambda _: known)
    store.write(tmp_path / "data", (task.recorded() for task in tasks))
    out = tmp_path / "out"

    def command(*more: str) -> str:
        done = CliRunner().invoke(
            app,
            ["agent", "--data", str(tmp_path / "data"), "--team", "umi-shared", "--out", str(out), "--json", *more],
            catch_exceptions=False,
        )
        return done.stdout

    first = json.loads(command("--limit", "20"))
    assert first["n_episodes"] == 20
    lines = (out / "episodes.jsonl").read_bytes().splitlines(keepends=True)
    (out / "episodes.jsonl").write_bytes(b"".join(lines[:10]) + lines[10][:50])  # killed in the middle of a line
    monkeypatch.setattr(
        "alpha_umi.evaluation.agentic.episodes.run_episode",
        _counting(asked),
    )
    again = json.loads(command("--limit", "20"))
    assert len(asked) == 10
    assert again["pass_rate"] == first["pass_rate"]
    assert {json.loads(line)["id"] for line in (out / "episodes.jsonl").read_text().splitlines()} == {
        task.id for task in tasks[:20]
    }
    assert json.loads(command("--limit", "25"))["n_episodes"] == 25
    assert len(asked) == 15, "more of the same data are more tasks, not other data"


@pytest.mark.model  # as above
def test_a_second_evaluation_into_one_folder_is_refused_before_it_begins(
    tasks: list[GymTask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[str]()
    monkeypatch.setattr("alpha_umi.models.loading.load_models", lambda team: asked.append(team.name))
    store.write(tmp_path / "data", (task.recorded() for task in tasks[:2]))
    given = ["agent", "--data", str(tmp_path / "data"), "--team", "umi-shared", "--out", str(tmp_path / "out")]
    with EpisodeLog(tmp_path / "out", Origin(team="t", team_digest="t", data="d", data_digest="d")):
        result = CliRunner().invoke(app, given)
    assert "is being written by another evaluation" in str(result.exception)
    assert isinstance(result.exception, UsageError)
    assert not asked
    assert not (tmp_path / "out" / "metrics.json").exists()


def test_an_episode_of_another_task_with_the_same_id_does_not_count(tasks: list[GymTask], tmp_path: Path) -> None:
    origin = Origin(team="t", team_digest="t", data="d", data_digest="d")
    with EpisodeLog(tmp_path, origin) as log:
        log.append(played(tasks[:3], gold(tasks)).values())
        assert log.remaining(tasks[:4]) == tasks[3:4]
        reworded = tasks[0].model_copy(update={"query": tasks[0].query + " Thanks!"})
        assert log.remaining([reworded, *tasks[1:3]]) == [reworded]


def test_a_search_goes_on_where_a_chain_fails(tasks: list[GymTask]) -> None:
    """The planner gives every task up at first, and solves it when it is asked again."""
    chosen = [task for task in tasks if task.gold.outcome is Outcome.ANSWERED and not task.changes][:6]
    known, asked = gold(tasks), set[str]()

    def plan(request: Request) -> str:
        query = next(message.content for message in request.messages if message.role == "user")
        if query not in asked:
            asked.add(query)
            return "No idea. Next: give up."
        return known["planner"].complete(request).text

    models = {**known, "planner": ScriptedModel(plan)}
    assert not any(episode.passed for episode in played(chosen, models).values())
    asked.clear()
    search = DFSDT(diversity=False)
    assert all(episode.passed for episode in played(chosen, models, search=search).values())


def _counting(asked: list[str]) -> object:
    async def counted(task: GymTask, *more: Any, **options: Any) -> Episode:
        asked.append(task.id)
        return await run_episode(task, *more, **options)

    return counted


@pytest.mark.parametrize("data", ["gym:test", "gym:"])
def test_an_unknown_split_is_told_the_known_ones(data: str) -> None:
    with pytest.raises(UsageError, match="unseen_tools"):
        choose_tasks(data)


def test_splits_and_seeds_are_told_apart() -> None:
    digests = [
        choose_tasks(data, limit=2, seed=seed).digest
        for data, seed in (("gym:unseen_tools", 0), ("gym:unseen_tools", 1), ("gym:unseen_categories", 0))
    ]
    assert len(set(digests)) == 3
    assert choose_tasks("gym:unseen_tools", limit=4).digest == digests[0]


def test_tasks_of_an_own_category_need_it(tmp_path: Path) -> None:
    only = GYM.of("examples.own_world:GREENHOUSE").categories
    try:
        store.write(tmp_path, (task.recorded() for task in gym.generate(5, seed=1, only=only)))
        tasks = [task for task in choose_tasks(str(tmp_path)).tasks if isinstance(task, GymTask)]
        assert len(tasks) == 5
        assert all(episode.passed for episode in played(tasks, gold(tasks)).values())
    finally:
        gym.unregister("greenhouse")
    with pytest.raises(UsageError, match=r"the gym has no tool .* --category MODULE:ATTRIBUTE"):
        choose_tasks(str(tmp_path))


def test_trajectories_of_elsewhere_are_refused(tmp_path: Path) -> None:
    store.write(tmp_path, _strange())
    with pytest.raises(UsageError, match="no task of the gym"):
        choose_tasks(str(tmp_path))


FACTS = "should be text, {'exact': text} or {'choice': text, 'among': texts with the choice}"


@pytest.mark.parametrize(
    ("meta", "told"),
    [
        ({"seed": "x"}, "seed: input should be a valid integer (found 'x')"),
        ({"seed": True}, "seed: input should be a valid integer (found 'True')"),
        ({"faults": None}, "faults: input should be a valid dictionary (found 'None')"),
        ({"split": 2}, "split: input should be a valid string (found '2')"),
        ({"wordings": "abc"}, "wordings: input should be a valid tuple (found 'abc')"),
        ({"kind": "nosuch"}, "kind: input should be 'single', 'sequential',"),
        ({"faults": {"x": "timeout"}}, "its faults name 'x', a tool that it does not offer"),
        (
            {"faults": {"days_between": "nosuch"}},
            "faults.days_between: input should be 'temporary', 'rate_limit', 'timeout' or 'denied' (found 'nosuch')",
        ),
        ({"faults": {"days_between": ["timeout"]}}, "faults.days_between: input should be 'temporary',"),
        ({"facts": [5]}, f"facts.0: {FACTS} (found '5')"),
        ({"facts": ["5", " "]}, f"facts.1: {FACTS} (found"),
        ({"facts": [{"exact": 5}]}, f"facts.0: {FACTS} (found"),
        ({"facts": [{"choice": "a"}]}, f"facts.0: {FACTS} (found"),
        ({"facts": [{"choice": "a", "among": "ab"}]}, f"facts.0: {FACTS} (found"),
        ({"facts": [{"choice": "a", "among": ["b", "c"]}]}, f"facts.0: {FACTS} (found"),
        ({"facts": [{"choice": "a", "among": ["a", 1]}]}, f"facts.0: {FACTS} (found"),
        ({"facts": [], "changes": {}}, "its facts and changes are empty, so any answer would pass"),
    ],
)
def test_tasks_that_were_tampered_with_are_refused(meta: dict[str, object], told: str, tmp_path: Path) -> None:
    task = next(gym.generate(1, seed=1, only=["time"], kinds=["single"]))
    assert task_of(task.recorded()) == task
    offered = (*task.tools, *gym.toolbox("time").tools)
    task = task.model_copy(update={"tools": tuple({tool.name: tool for tool in offered}.values())})
    store.write(tmp_path, [task.recorded().model_copy(update={"meta": {**task.notes(), **meta}})])
    with pytest.raises(UsageError, match=re.escape(told)) as error:
        choose_tasks(str(tmp_path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("outcome", "facts", "told"),
    [(Outcome.UNFINISHED, ["5"], "its solution is unfinished"), (Outcome.GAVE_UP, ["5"], "it has no solution, so")],
)
def test_a_solution_that_cannot_be_judged_is_refused(outcome: Outcome, facts: list[str], told: str) -> None:
    task = next(gym.generate(1, seed=1, kinds=["unsolvable"]))
    assert task_of(task.recorded()) == task
    changed = {"outcome": outcome, "meta": {**task.notes(), "facts": facts}}
    with pytest.raises(UsageError, match=f"no task of the gym: {told}"):
        task_of(task.recorded().model_copy(update=changed))


def test_a_category_is_chosen_among_the_tasks_of_a_folder_too(tmp_path: Path) -> None:
    made = [list(gym.generate(40, seed=seed, only=[name])) for seed, name in ((1, "time"), (2, "shop"))]
    mixed = [task for task in gym.generate(80, seed=3, only=["time", "shop"]) if _names(task) == {"time", "shop"}]
    assert mixed
    named_apart = [task.model_copy(update={"id": str(n)}) for n, task in enumerate([*made[0], *made[1], *mixed])]
    store.write(tmp_path, (task.recorded() for task in named_apart))
    shop = choose_tasks(str(tmp_path), categories="shop")
    assert [task.id for task in shop.tasks] == [task.id for task in named_apart[40:80]]
    assert any(task.why == "missing tool" for task in shop.tasks)
    few = choose_tasks(str(tmp_path), categories="shop", limit=5)
    assert (few.tasks, few.digest) == (shop.tasks[:5], shop.digest)
    assert len(choose_tasks(str(tmp_path), categories="shop,time").tasks) == len(named_apart)
    assert shop.digest != choose_tasks(str(tmp_path)).digest
    with pytest.raises(UsageError, match="no task calls tools of mail alone") as error:
        choose_tasks(str(tmp_path), categories="mail")
    assert "\n" not in str(error.value)


def _names(task: GymTask) -> set[str]:
    return {owners()[step.call.tool] for step in task.gold.steps if step.call is not None}


@pytest.mark.model
def test_a_seed_is_for_tasks_that_are_to_be_made(
    tasks: list[GymTask], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write(tmp_path / "data", (task.recorded() for task in tasks[:2]))
    with pytest.raises(UsageError, match="made already: --seed is for gym:SPLIT"):
        choose_tasks(str(tmp_path / "data"), seed=1)
    monkeypatch.setattr("alpha_umi.models.loading.load_models", lambda _: gold(tasks))
    for data, out, seed in ((str(tmp_path / "data"), tmp_path / "a", None), ("gym:train", tmp_path / "b", 8)):
        given = ["agent", "--data", data, "--team", "umi-shared", "--out", str(out), "--limit", "2"]
        more = [] if seed is None else ["--seed", str(seed)]
        CliRunner().invoke(app, [*given, *more], catch_exceptions=False)
        assert json.loads((out / "metrics.json").read_text())["seed"] == seed


def test_an_error_of_the_program_ends_the_evaluation_with_its_own_words(tasks: list[GymTask]) -> None:
    models = {role: ScriptedModel([]) for role in ROLES}
    with pytest.raises(WorkError, match=r"holds 0 texts, and text \d was asked for"):
        played(tasks[:3], models, parallel=3)


def _strange() -> Iterator[Trajectory]:
    for task in gym.generate(2, seed=1):
        yield task.gold


@pytest.mark.slow
def test_smollm2_at_work_in_the_gym() -> None:
    """Several episodes at once on one real model: untrained it solves nothing, and each episode says why."""
    tasks = choose_tasks("gym:unseen_instructions", limit=3, seed=1).tasks
    found: list[Episode] = []
    budget = Budget(max_steps=2, max_faults=1)
    models = load_models(TEAM)
    run_episodes(tasks, GYM, team=TEAM, models=models, budget=budget, parallel=3, on_done=found.append)
    assert {episode.id for episode in found} == {task.id for task in tasks}
    for episode in found:
        assert episode.usage["planner"].completion_tokens > 0
        assert episode.trajectory.steps
        assert episode.passed or episode.stopped is not None or episode.code in {"wrong_answer", "wrong_change"}


@pytest.mark.model
def test_the_shipped_team_solves_tasks_it_has_never_seen() -> None:
    team = load_team("default")
    drawn = choose_tasks("gym:unseen_instructions", limit=60, seed=1)
    tasks = [task for task in drawn.tasks if task.kind == "single"][:6]  # it is right on half of these
    found: list[Episode] = []
    run_episodes(
        tasks, GYM, team=team, models=load_models(team), budget=Budget(max_steps=4), parallel=6, on_done=found.append
    )
    assert sum(episode.passed for episode in found) >= 2, [episode.reason for episode in found]
    assert any(episode.passed and episode.solvable for episode in found)
