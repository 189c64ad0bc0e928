"""Experiments, their cells, and who works on them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from evaluations import agent_evaluation, static_evaluation

from alpha_umi import load_team, resources
from alpha_umi.errors import ConfigError, DataError, UsageError
from alpha_umi.evaluation.ablation import code_digest, edits
from alpha_umi.evaluation.ablation.cells import (
    CellRecord,
    command_of,
    finished_codes,
    folder_of,
    is_done,
    read_record,
    write_record,
)
from alpha_umi.evaluation.ablation.estimate import Rates, estimate, size_of
from alpha_umi.evaluation.ablation.exchange import exchanged
from alpha_umi.evaluation.ablation.experiment import Evaluation, load_experiment
from alpha_umi.evaluation.ablation.grid import Cell, Grid, plan_grid
from alpha_umi.evaluation.ablation.outcome import check_given
from alpha_umi.evaluation.ablation.schedule import left_of, make_cells
from alpha_umi.evaluation.ablation.slurm import array_script
from alpha_umi.evaluation.agentic.task_selection import choose_tasks, task_digest
from alpha_umi.model_card import read_card
from alpha_umi.roles import Team
from alpha_umi.tasks import label
from alpha_umi.team_files import write_team

WORKER = Path(__file__).parents[1] / "grid_worker.py"
PLAIN: dict[str, Any] = {
    "baseline": "one",
    "seeds": [1, 2],
    "data": "gym:8",
    "evaluations": {"tasks": {"kind": "agent", "data": "gym:unseen_tools", "limit": 3}},
    "arms": {
        "one": {"recipe": "ablations/gym_single_llm"},
        "umi": {"recipe": "gym"},
        "swapped": {"of": "umi", "roles": {"planner": "caller", "caller": "planner"}},
        "shipped": {"team": "default"},
    },
}


def experiment(folder: Path, **changes: Any) -> Path:
    """A file with an experiment like `PLAIN`."""
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({**PLAIN, **changes}, sort_keys=False), encoding="utf-8")
    return path


def grid_of(folder: Path, **changes: Any) -> Grid:
    """Its cells."""
    return plan_grid(load_experiment(str(experiment(folder, **changes))))


def names(grid: Grid, kind: str) -> set[str]:
    """The names of its cells of one kind."""
    return {name for name, cell in grid.cells.items() if cell.kind == kind}


class Told:
    """A reporter that keeps what it is told."""

    def __init__(self) -> None:
        self.began_: list[str] = []
        self.ended_: list[tuple[str, str]] = []

    def began(self, cell: Cell) -> None:
        """Keep it."""
        self.began_.append(cell.name)

    def working(self, cells: Sequence[Cell]) -> None:
        """Nothing."""

    def ended(self, cell: Cell, why: str) -> None:
        """Keep it."""
        self.ended_.append((cell.name, why))


def make(
    grid: Grid, out: Path, *, failing: str = "", killed: str = "", parallel: int = 1
) -> tuple[dict[str, str], Told]:
    """Have a grid made by processes that sleep."""
    out.mkdir(exist_ok=True)
    told = Told()
    command = [sys.executable, str(WORKER), str(out), failing, killed]
    return make_cells(grid, out, command, parallel=parallel, reporter=told), told


@pytest.mark.parametrize("name", [name for name in resources.names("experiments")])
@pytest.mark.parametrize("budget", [None, "tiny"])
def test_what_ships_can_be_planned(name: str, budget: str | None) -> None:
    grid = plan_grid(load_experiment(name, budget=budget))
    assert all(set(cell.needs) <= set(grid.cells) for cell in grid.cells.values())
    assert set(grid.runs) == set(grid.experiment.arms)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"seeds": []}, "seeds: one, umi are trained: name at least one seed"),
        ({"seeds": [1, 1]}, "seeds: 1, 1 names one twice"),
        ({"baseline": "two"}, "baseline: 'two' is no arm (one, umi, swapped, shipped)"),
        ({"evaluations": {}}, "evaluations: dictionary should have at least 1 item"),
        ({"arms": {**PLAIN["arms"], "x": {"of": "swapped"}}}, "arms.x.of: 'swapped' is no arm with a recipe or a team"),
        ({"arms": {**PLAIN["arms"], "x": {"team": "umi", "recipe": "gym"}}}, "found recipe, team"),
        ({"arms": {**PLAIN["arms"], "x": {}}}, "one of recipe, team, of and results (found none)"),
        ({"arms": {**PLAIN["arms"], "x": {"team": "umi", "set": {"seed": 3}}}}, "set and data change a recipe"),
        (
            {"arms": {**PLAIN["arms"], "x": {"team": "umi", "evaluations": ["y"]}}},
            "arms.x: 'y' is no evaluation (tasks)",
        ),
        ({"evaluations": {"s": {"kind": "static", "data": "gym:train"}}}, "limit: say how many trajectories"),
        ({"colour": 1}, "colour: unknown key"),
    ],
)
def test_mistakes_of_an_experiment_are_named(changes: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        grid_of(tmp_path, **changes)
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_an_arm_named_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text("arms:\n  one: {team: umi}\n  one: {team: default}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="'one' stands twice"):
        load_experiment(str(path))


@pytest.mark.parametrize(
    ("arm", "said"),
    [
        ({"recipe": "nothing"}, "'nothing' is not shipped"),
        ({"recipe": "gym", "set": {"stages.cook.epochs": 1}}, "there is no stage 'cook'"),
        ({"team": "nobody"}, "arms.x: 'nobody' is no team"),
        ({"team": "default", "search": "dfsd"}, "arms.x: .*dfsd"),
        ({"team": "default", "roles": {"planer": "caller"}}, "arms.x: roles: the team 'default' has no role 'planer'"),
        ({"of": "umi", "roles": {"planner": "cook"}}, "arms.x: roles.planner: 'cook' is no role"),
    ],
)
def test_what_an_arm_names_is_there_or_said(arm: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        grid_of(tmp_path, arms={**PLAIN["arms"], "x": arm})


def test_a_budget_changes_and_removes(tmp_path: Path) -> None:
    budgets = {"small": {"seeds": [7], "arms": {"shipped": None}, "evaluations": {"tasks": {"limit": 1}}}}
    path = str(experiment(tmp_path, budgets=budgets))
    small = load_experiment(path, budget="small")
    assert (small.seeds, list(small.arms), small.evaluations["tasks"].limit) == ((7,), ["one", "umi", "swapped"], 1)
    assert load_experiment(path).seeds == (1, 2)
    with pytest.raises(UsageError, match=r"has no budget 'large' \(small\)"):
        load_experiment(path, budget="large")


def test_an_arm_of_another_is_trained_with_it(tmp_path: Path) -> None:
    grid = grid_of(tmp_path)
    assert len(names(grid, "train")) == 4  # one and umi, two seeds each
    assert len(names(grid, "agent")) == 2 + 2 + 2 + 1
    umi, swapped = ([grid.cells[name] for name in grid.runs[arm]["tasks"]] for arm in ("umi", "swapped"))
    assert [cell.needs for cell in umi] == [cell.needs for cell in swapped]
    assert {cell.name for cell in umi}.isdisjoint(cell.name for cell in swapped)


def test_only_what_a_change_decides_is_made_anew(tmp_path: Path) -> None:
    before = grid_of(tmp_path)
    arms = {**PLAIN["arms"], "umi": {"recipe": "gym", "set": {"stages.caller.epochs": 0.1}}}
    changed = grid_of(tmp_path, arms=arms)
    assert len(names(before, "train") & names(changed, "train")) == 2  # those of `one`
    assert set(before.runs["one"]["tasks"]) == set(changed.runs["one"]["tasks"])
    assert set(before.runs["swapped"]["tasks"]).isdisjoint(changed.runs["swapped"]["tasks"])
    fewer = grid_of(tmp_path, evaluations={"tasks": {**PLAIN["evaluations"]["tasks"], "limit": 2}})
    assert names(fewer, "train") == names(before, "train")
    assert names(fewer, "agent").isdisjoint(names(before, "agent"))


def test_words_change_nothing(tmp_path: Path) -> None:
    before = grid_of(tmp_path)
    arms = {name: {**arm, "description": f"This is {name}."} for name, arm in PLAIN["arms"].items()}
    renamed = {"first": arms.pop("one"), **arms}
    assert set(grid_of(tmp_path, arms=renamed, baseline="first", description="?").cells) == set(before.cells)


def test_other_data_are_other_cells(tmp_path: Path) -> None:
    from alpha_umi.data import store
    from alpha_umi.tasks import load_recorded

    solutions = list(load_recorded("gym").solutions("train", 3, 0))
    store.write(tmp_path / "data", solutions)
    before = grid_of(tmp_path, data=str(tmp_path / "data"))
    (tmp_path / "moved").mkdir()
    store.write(tmp_path / "moved" / "same", solutions)
    assert names(grid_of(tmp_path, data=str(tmp_path / "moved" / "same")), "train") == names(before, "train")
    store.write(tmp_path / "moved" / "fewer", solutions[:2])
    assert names(grid_of(tmp_path, data=str(tmp_path / "moved" / "fewer")), "train").isdisjoint(names(before, "train"))


def test_comments_and_docstrings_are_no_code(tmp_path: Path) -> None:
    def meaning(text: str) -> str:
        path = tmp_path / "module.py"
        path.write_text(text, encoding="utf-8")
        return code_digest._meaning(path)

    plain = meaning("def f(x):\n    return x + 1\n")
    assert meaning('"""Words."""\n\n\ndef f(x):  # why\n    """More."""\n    return (x + 1)\n') == plain
    assert meaning("def f(x):\n    return x + 2\n") != plain


def test_cells_of_other_code_count_where_they_are_asked_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grid = grid_of(tmp_path)
    make(grid, tmp_path / "out", parallel=8)
    monkeypatch.setattr("alpha_umi.evaluation.ablation.grid.code_digest", lambda folders: f"2:{len(folders)}234567890")
    loaded = load_experiment(str(tmp_path / "mine.yaml"))
    assert set(plan_grid(loaded).cells).isdisjoint(grid.cells)
    assert set(plan_grid(loaded, made=finished_codes(tmp_path / "out")).cells) == set(grid.cells)


def test_needs_come_first_and_what_is_finished_is_not_made_again(tmp_path: Path) -> None:
    grid, out = grid_of(tmp_path), tmp_path / "out"
    failed, told = make(grid, out, parallel=3)
    assert failed == {}
    assert {name for name, _ in told.ended_} == set(grid.cells) == set(told.began_)
    times = {name: (float(a), float(b)) for name, a, b in map(str.split, (out / "log").read_text().splitlines())}
    for cell in grid.cells.values():
        assert all(times[need][1] <= times[cell.name][0] for need in cell.needs)
    overlaps = [sum(a < end and begin < b for a, b in times.values()) for begin, end in times.values()]
    assert max(overlaps) > 1, "three at once"
    failed, told = make(grid, out)
    assert (failed, told.began_) == ({}, [])


def test_a_cell_that_fails_takes_what_needs_it_along_and_nothing_else(tmp_path: Path) -> None:
    grid, out = grid_of(tmp_path), tmp_path / "out"
    umi = grid.trained["umi"][0]
    failed, _ = make(grid, out, failing=umi, parallel=4)
    lost = {umi, grid.runs["umi"]["tasks"][0], grid.runs["swapped"]["tasks"][0]}
    assert set(failed) == lost
    assert failed[umi] == "no luck"
    assert failed[grid.runs["swapped"]["tasks"][0]] == "it needs umi seed 1, which failed"
    assert {cell.name for cell in left_of(grid, out)} == lost
    assert make(grid, out, parallel=4)[0] == {}, "a failed cell is tried again"
    assert left_of(grid, out) == []


def test_a_process_that_dies_is_a_failed_cell_with_its_last_words(tmp_path: Path) -> None:
    grid, out = (
        grid_of(tmp_path, arms={"one": {"team": "default"}, "two": {"team": "default", "search": "dfs"}}),
        tmp_path,
    )
    failed, _ = make(grid, out, killed=grid.runs["two"]["tasks"][0])
    assert list(failed.values()) == ["its process was ended by signal 9: half way"]
    assert read_record(folder_of(out, grid.runs["two"]["tasks"][0])) is None


def test_two_processes_share_a_grid(tmp_path: Path) -> None:
    grid, out = grid_of(tmp_path), tmp_path / "out"
    out.mkdir()
    name = grid.trained["one"][0]
    command = [sys.executable, str(WORKER), str(out), "", "", "--cell", name]
    both = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert len((out / "log").read_text().splitlines()) == 1, "made once"


def test_what_was_edited_is_told(tmp_path: Path) -> None:
    loaded = load_experiment(str(experiment(tmp_path)))
    assert edits.edits(loaded, tmp_path / "out") == []
    edits.remember(loaded, tmp_path / "out")
    assert edits.edits(loaded, tmp_path / "out") == []
    arms = {**PLAIN["arms"], "umi": {"recipe": "gym", "set": {"reuse": False}}}
    del arms["shipped"]
    changed = load_experiment(str(experiment(tmp_path, arms=arms, seeds=[1])))
    assert edits.edits(changed, tmp_path / "out") == ["arms.shipped", "arms.umi.set", "seeds"]


def test_a_slurm_script_submits_what_is_left(tmp_path: Path) -> None:
    grid, out = grid_of(tmp_path), tmp_path / "out"
    script = array_script(grid, out, ["alpha-umi", "ablate", "a b", "--out", str(out)])
    assert "--array=0-3" in script  # trainings
    assert "--array=0-6 --dependency=afterany:$training" in script
    assert all(name in script for name in grid.cells)
    assert "alpha-umi ablate 'a b'" in script
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0
    make(grid, out, parallel=8)
    with pytest.raises(UsageError, match="every cell is finished"):
        array_script(grid, out, [])


def test_a_slurm_script_runs_its_cells(tmp_path: Path) -> None:
    grid, out, bin_ = grid_of(tmp_path), tmp_path / "out", tmp_path / "bin"
    out.mkdir()
    bin_.mkdir()
    # An sbatch that runs each element of the array at once.
    (bin_ / "sbatch").write_text(
        "#!/usr/bin/env bash\njob=$(mktemp)\ncat >$job\n"
        'for word in "$@"; do case $word in --array=*) last=${word##*-};; esac; done\n'
        "for i in $(seq 0 $last); do SLURM_ARRAY_TASK_ID=$i bash $job >&2; done\necho 17\n"
    )
    (bin_ / "sbatch").chmod(0o755)
    script = array_script(grid, out, [sys.executable, str(WORKER), str(out), "", ""])
    done = subprocess.run(
        ["bash", "-s"], input=script, text=True, capture_output=True, check=False, env={"PATH": f"{bin_}:/usr/bin:/bin"}
    )
    assert done.returncode == 0, done.stderr
    assert "training: job 17" in done.stdout
    assert left_of(grid, out) == []


def test_hours_follow_the_speed_and_what_finished_cells_took(tmp_path: Path) -> None:
    twice = {"recipe": "smoke", "data": "gym:6:time:single"}
    arms = {"one": {"recipe": "smoke"}, "two": twice, "shipped": {"team": "default"}}
    grid = grid_of(tmp_path, arms=arms, data="gym:3:time:single", seeds=[1])
    out = tmp_path / "out"
    fast = Rates(trained=1000, read=1000, written=100, written_together=400)
    slow = Rates(trained=100, read=100, written=10, written_together=40)
    found, longer = estimate(grid, out, fast), estimate(grid, out, slow)
    assert {*found} == {*grid.cells}
    assert all(found[name].seconds < longer[name].seconds < 10 * found[name].seconds for name in grid.cells)
    (first,), (second,) = grid.trained["one"], grid.trained["two"]
    assert found[second].seconds > found[first].seconds  # twice the data
    assert found[first].disk > 4 * 100e6  # a backbone of 135 million numbers
    assert found[first].peak > 0
    took = 3 * found[first].seconds
    folder_of(out, first).mkdir(parents=True, exist_ok=True)
    write_record(folder_of(out, first), CellRecord(state="done", title="one", command=(), seconds=took))
    assert estimate(grid, out, fast)[second].seconds == pytest.approx(3 * found[second].seconds)


def test_an_evaluation_of_nothing_is_refused(tmp_path: Path) -> None:
    nothing = Evaluation(kind="agent", data="gym:unseen_tools", limit=3, category="no_such")
    with pytest.raises(UsageError):
        size_of(nothing)
    assert size_of(nothing.model_copy(update={"category": None})) == 3


def test_what_was_evaluated_elsewhere_is_of_the_same_tasks_or_refused(tmp_path: Path) -> None:
    def given(folder: Path) -> None:
        arms = {"one": {"team": "default"}, "elsewhere": {"results": {"tasks": str(folder)}}}
        check_given(load_experiment(str(experiment(tmp_path, arms=arms))))

    what = PLAIN["evaluations"]["tasks"]
    asked = choose_tasks(what["data"], limit=what["limit"])
    digests = {task.id: task_digest(task) for task in asked.tasks}
    same = agent_evaluation(tmp_path / "same", digests, taskset=label(asked.taskset))
    given(same)
    others = {
        "judged by gym@0, and gym@": agent_evaluation(tmp_path / "older", digests, taskset="gym@0"),
        "of other tasks than these 3": agent_evaluation(
            tmp_path / "few", dict([*digests.items()][:2]), taskset="gym@1"
        ),
        "a static evaluation": static_evaluation(tmp_path / "steps", {"t": ["give up"]}),
    }
    for told, folder in others.items():
        with pytest.raises(UsageError, match=rf"arms.elsewhere.results.tasks: .* is {told}"):
            given(folder)
    with pytest.raises(DataError, match="is no evaluation"):
        given(tmp_path)


def test_an_exchanged_team_is_the_same_but_for_whose_weights_speak(tmp_path: Path) -> None:
    team = load_team("default")
    swapped = exchanged(team, {"planner": "caller", "caller": "backbone"}, tmp_path)
    assert swapped.roles["caller"].weights is None
    planner, caller = Path(swapped.roles["planner"].weights or ""), Path(team.roles["caller"].weights or "")
    assert (planner / "adapter_model.safetensors").samefile(caller / "adapter_model.safetensors")
    card = read_card(planner)
    assert card is not None
    assert card.roles == ("planner",)
    assert swapped.roles["summarizer"] == team.roles["summarizer"]


@pytest.mark.model
def test_swapped_roles_are_loaded_and_speak_as_the_other(tmp_path: Path) -> None:
    from alpha_umi.models.loading import load_models
    from alpha_umi.models.protocol import Generation, Message, Request

    team = load_team("default")
    swapped = exchanged(team, {"planner": "caller", "caller": "planner"}, tmp_path)
    asked = [
        Message(role="system", content="You have tools: find_contact(name), today()."),
        Message(role="user", content="Observation: {'email': 'b@example.com'}\n[caller]", tag="[caller]"),
    ]

    def words(of: Team) -> list[str]:
        """What planner and caller write there."""
        models, generation = load_models(of), Generation(max_new_tokens=40)
        requests = Request(messages=asked, generation=generation)
        return [models[role].complete(requests).text for role in ("planner", "caller")]

    planner, caller = words(team)
    assert planner != caller
    assert words(swapped) == [caller, planner]
    again = exchanged(swapped, {"planner": "caller", "caller": "planner"}, tmp_path / "back")
    assert words(again) == [planner, caller], "swapped twice is as it was"


@pytest.mark.parametrize(
    ("roles", "said"),
    [
        ({"cook": "planner"}, "has no role 'cook' (planner, caller, summarizer)"),
        ({"planner": "cook"}, "roles.planner: 'cook' is no role of 'default'"),
    ],
)
def test_an_exchange_that_cannot_be_is_refused(roles: dict[str, str], said: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as error:
        exchanged(load_team("default"), roles, tmp_path)
    assert said in str(error.value)


@pytest.mark.parametrize(
    "name", ["default", "umi", "single", "umi-verified", "umi-published", "umi-asking", "multi_task"]
)
def test_a_team_that_is_written_is_read_again(name: str, tmp_path: Path) -> None:
    team = load_team(name)
    write_team(tmp_path / "team.yaml", team)
    assert load_team(str(tmp_path / "team.yaml")) == team


def test_the_commands_of_cells_can_be_given_by_hand(tmp_path: Path) -> None:
    arms = {"one": {"team": "default"}, "free": {"team": "default", "free": True, "search": "dfs"}}
    steps = {"kind": "static", "data": "gym:unseen_tools", "limit": 2, "category": "units"}
    grid = grid_of(tmp_path, arms=arms, evaluations={**PLAIN["evaluations"], "steps": steps})
    out = tmp_path / "out"
    commands = {cell.title: command_of(grid, cell, out) for cell in grid.cells.values()}
    assert commands["free, tasks"][-1] == "--free"
    assert "dfs" in commands["free, tasks"]
    assert commands["steps"][:4] == ["data", "convert", "gym", "--split"]
    data = folder_of(out, next(name for name in grid.cells if name.startswith("data-"))) / "data"
    assert str(data) in commands["one, steps"]
    assert not is_done(folder_of(out, grid.runs["one"]["tasks"][0]))
