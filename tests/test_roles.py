"""Roles and layouts of one's own: what a file may say, and what is refused before anything runs."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from alpha_umi.errors import ConfigError, UsageError
from alpha_umi.resources import root
from alpha_umi.roles import RoleName, Writes, cast_of
from alpha_umi.team_files import first_roles, load_team
from alpha_umi.text.layouts import LAYOUT_FILE, load_layout
from alpha_umi.text.prompts import render
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step, Tool, Trajectory

JUDGE: dict[str, Any] = {
    "writes": "choice",
    "after": "summarizer",
    "choices": {
        "accept": {"marker": "Next: accept.", "next": "finish"},
        "revise": {"marker": "Next: revise.", "next": "planner", "at_most": 2},
    },
}
"""A role that nobody shipped."""


def write(folder: Path, **changes: Any) -> str:
    """A team's file with the three roles, and what is changed about it."""
    roles = {"planner": None, "caller": None, "summarizer": None, **changes.pop("roles", {})}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump({"prompts": "shared", "roles": roles, **changes}), encoding="utf-8")
    return str(path)


def refused(folder: Path, **changes: Any) -> str:
    """Why a team is refused, in one line."""
    with pytest.raises(ConfigError) as error:
        load_team(write(folder, **changes))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_role_of_ones_own_joins_the_three(tmp_path: Path) -> None:
    team = load_team(write(tmp_path, roles={"judge": JUDGE}))
    assert set(team.roles) == {"planner", "caller", "summarizer", "judge"}
    assert team.role("judge").tag == "[judge]"
    assert cast_of(team.roles) == ("planner", "caller", "summarizer")


def test_roles_are_listed_or_named_or_written_out(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    for text in (
        "prompts: shared\nroles: [planner, caller, summarizer]",
        "layout: shared\nplanner: planner\ncaller: {role: caller}\nsummarizer: {role: summarizer}",
        "prompts: shared\nroles:\n  planner: {generation: {max_new_tokens: 256}}\n  caller: caller\n  summarizer:",
    ):
        path.write_text(text, encoding="utf-8")
        assert load_team(str(path)).roles == first_roles(), text


def test_a_planner_may_be_called_otherwise(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    thinker = {"role": "planner", "tag": "[thinker]"}
    text = {"prompts": "shared", "roles": {"thinker": thinker, "caller": {"next": "thinker"}, "summarizer": None}}
    path.write_text(yaml.safe_dump(text, sort_keys=False), encoding="utf-8")
    team = load_team(str(path))
    step = Step(plan=Plan(rationale="I know.", decision=Decision.SUMMARIZE))
    done = Trajectory(query="q", steps=(step,), answer="a", outcome=Outcome.ANSWERED)
    told = render(done, role="thinker", layout=team.layout, roles=team.roles)
    assert told.speakers == ("thinker", "summarizer")
    assert told.messages[1].content == "q\n[thinker]"
    assert team.prompt_digest != load_team("umi-shared").prompt_digest


def test_the_old_names_are_keys_still() -> None:
    models: dict[str, int] = {RoleName.PLANNER: 1}
    assert models["planner"] == 1
    assert first_roles()[RoleName.CALLER].writes is Writes.CALL


@pytest.mark.parametrize(
    ("roles", "why"),
    [
        ({"critic": {"writes": "text", "next": "planner"}}, "nobody leads to 'critic'"),
        ({"judge": JUDGE | {"after": "nobody"}}, "'judge' comes after 'nobody'"),
        ({"judge": JUDGE | {"after": "caller"}}, "'judge' comes after 'caller', which is no role that writes a text"),
        ({"judge": JUDGE, "other": JUDGE}, "two of them come after 'summarizer'"),
        ({"judge": JUDGE | {"tag": "[caller]"}}, "'caller' and 'judge' have one tag, [caller]"),
        ({"judge": JUDGE | {"tag": "judge"}}, "is what a tool or the chat template may write"),
        ({"judge": JUDGE | {"tag": "<|im_start|>"}}, "is what a tool or the chat template may write"),
        ({"judge": JUDGE | {"tag": "   "}}, "is what a tool or the chat template may write"),
        ({"user": JUDGE}, "'user' is no name for a role"),
        ({"caller": {"role": "caller", "next": "summarizer"}}, "after a call 'planner' is next"),
        ({"summarizer": {"next": "planner"}}, "what 'summarizer' writes is the answer"),
        ({"judge": JUDGE | {"prompt": "nosuch"}}, "has no nosuch.jinja for the role 'judge'"),
        (
            {"judge": JUDGE | {"choices": {**JUDGE["choices"], "ask": {"marker": "Next: user.", "next": "user"}}}},
            "'ask' of 'judge' leads to planner, finish or give_up, not 'user'",
        ),
        ({"judge": JUDGE | {"writes": "text"}}, "a role that writes a choice has some, and no other has"),
        ({"judge": JUDGE | {"writes": "song"}}, "writes"),
        ({"single": None}, "one that writes whole turns speaks alone"),
        ({"caller": {"next": "palnner"}}, "'caller' leads to 'palnner', which is neither a role"),
        ({"caller": {"generation": 3}}, "generation"),
        ({"planner": {"writes": "text"}}, "'planner' begins each step"),
    ],
)
def test_roles_that_do_not_hang_together_are_refused(roles: dict[str, Any], why: str, tmp_path: Path) -> None:
    assert why in refused(tmp_path, roles=roles)


def test_a_choice_without_an_edge_is_refused(tmp_path: Path) -> None:
    choices = {"accept": {"marker": "Next: accept."}}
    assert "choices.accept.next" in refused(tmp_path, roles={"judge": JUDGE | {"choices": choices}})


def test_a_circle_without_a_bound_is_refused(tmp_path: Path) -> None:
    choices = {**JUDGE["choices"], "revise": {"marker": "Next: revise.", "next": "planner"}}
    why = refused(tmp_path, roles={"judge": JUDGE | {"choices": choices}})
    assert "may go round for ever" in why
    assert "at_most" in why


PLANNER = {
    "give_up": {"marker": "Next: give up.", "next": "give_up"},
    "summarize": {"marker": "Next: conclusion.", "next": "summarizer"},
    "call": {"marker": "Next: caller.", "next": "caller"},
}


@pytest.mark.parametrize(
    ("choices", "why"),
    [
        ({"give_up": {"marker": "Next: give up.", "next": "summarizer"}}, "'give_up' of 'planner' leads to give_up"),
        ({"summarize": {"marker": "Next: conclusion.", "next": "finish"}}, "'summarize' of 'planner' leads to a role"),
        (
            {"call": {"marker": "Next: caller.", "next": "summarizer"}},
            "'call' of 'planner' leads to a role that writes a call",
        ),
        ({"ask_user": {"marker": "Next: user.", "next": "caller"}}, "'ask_user' of 'planner' leads to user"),
        ({"ask_user": {"marker": "Next: user.", "next": "user", "at_most": 1}}, "at_most belongs to a role that reads"),
        ({"call": {"marker": "Next: caller. ", "next": "caller"}}, "is no line of its own, or part of another"),
        ({"call": {"marker": "Next: conclusion", "next": "caller"}}, "is no line of its own, or part of another"),
    ],
)
def test_a_planner_whose_choices_cannot_be_followed_is_refused(
    choices: dict[str, Any], why: str, tmp_path: Path
) -> None:
    assert why in refused(tmp_path, roles={"planner": {"writes": "choice", "choices": {**PLANNER, **choices}}})


def test_a_team_without_roles_is_refused(tmp_path: Path) -> None:
    for roles in ("[]", "{}"):
        (tmp_path / "t.yaml").write_text(f"prompts: shared\nroles: {roles}\n")
        with pytest.raises(ConfigError, match="roles"):
            load_team(str(tmp_path / "t.yaml"))


def test_what_a_template_does_wrong_is_one_line(tmp_path: Path) -> None:
    folder = copied(tmp_path)
    (folder / "system.jinja").write_text("{{ 1 / 0 }}")
    team = load_team(write(tmp_path, prompts="mine"))
    with pytest.raises(ConfigError, match=r"system.jinja: ZeroDivisionError") as error:
        render(Trajectory(query="q"), role="planner", layout=team.layout, ask="planner")
    assert "\n" not in str(error.value)


def test_the_names_of_others_count_where_prompts_show_them(tmp_path: Path) -> None:
    path = tmp_path / "team.yaml"
    roles = {"boss": {"role": "planner", "prompt": "planner"}, "caller": {"next": "boss"}, "summarizer": None}
    path.write_text(yaml.safe_dump({"prompts": "paper", "roles": roles}, sort_keys=False))
    assert load_team(str(path)).prompt_digest != load_team("umi").prompt_digest


def test_two_choices_with_one_marker_are_refused(tmp_path: Path) -> None:
    choices = {name: {"marker": "Next: go.", "next": "finish"} for name in ("a", "b")}
    assert "two of them have one marker" in refused(tmp_path, roles={"judge": JUDGE | {"choices": choices}})


def test_a_layout_without_a_roles_template_is_refused(tmp_path: Path) -> None:
    assert "no judge.jinja for the role 'judge'" in refused(tmp_path, prompts="paper", roles={"judge": JUDGE})
    assert "there is no layout 'papre'" in refused(tmp_path, prompts="papre")


def copied(folder: Path, name: str = "shared") -> Path:
    """A layout of the user's own, which begins as a shipped one."""
    return shutil.copytree(root() / "prompts" / name, folder / "mine")


@pytest.mark.parametrize("name", ["paper", "shared"])
def test_a_copied_layout_is_the_same_until_it_is_changed(name: str, tmp_path: Path) -> None:
    folder = copied(tmp_path, name)
    (folder / "verifier.jinja").write_text("of another role")
    team = load_team(write(tmp_path, prompts="./mine"))
    assert team.layout.folder == folder.resolve()
    shipped = load_team(write(tmp_path, prompts=name)).prompt_digest
    assert team.prompt_digest == shipped
    changed = next(folder.glob("[sp]*.jinja"))
    changed.write_text(changed.read_text() + "\nBe brief.")
    (tmp_path / "mine").rename(tmp_path / "other")
    other = load_team(write(tmp_path, prompts="./other"))
    assert other.prompt_digest != shipped
    said = render(Trajectory(query="q"), role="planner", layout=other.layout, roles=other.roles, ask="planner")
    assert ("Be brief." in said.messages[0].content) == (changed.stem in {"planner", "system"})


def test_the_ways_of_a_layout_count_too(tmp_path: Path) -> None:
    team = load_team(write(tmp_path))
    path = copied(tmp_path) / LAYOUT_FILE
    path.write_text(path.read_text().replace("signature", "json"))
    other = load_team(write(tmp_path, prompts="./mine"))
    assert other.prompt_digest != team.prompt_digest
    tool = Tool(name="look", description="Looks.")
    told = render(Trajectory(query="q", tools=(tool,)), role="planner", layout=other.layout, ask="planner")
    assert '{"Name": "look"' in told.messages[0].content


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "must hold a mapping of keys to values"),
        ("name: x\nconversation: both\ntools: json", "conversation: "),
        ("name: [", "while parsing"),
    ],
)
def test_a_broken_layout_is_named(text: str, why: str, tmp_path: Path) -> None:
    (copied(tmp_path) / LAYOUT_FILE).write_text(text)
    with pytest.raises(UsageError, match=LAYOUT_FILE) as error:
        load_layout(str(tmp_path / "mine"))
    assert why in str(error.value)
    assert "\n" not in str(error.value)


STEPS = (
    Step(
        plan=Plan(rationale="I look.", decision=Decision.CALL), call=Call(tool="t"), observation=Observation(text="5")
    ),
    Step(
        plan=Plan(rationale="I know.", decision=Decision.SUMMARIZE),
        said={"summarizer": "six", "judge": "It is 5. Next: revise."},
    ),
    Step(plan=Plan(rationale="It is 5.", decision=Decision.SUMMARIZE), said={"judge": "So it is. Next: accept."}),
)


@pytest.mark.parametrize("prompts", ["shared", "paper"])
def test_what_a_further_role_said_is_told_and_an_answer_sent_back_is_not_learned(prompts: str, tmp_path: Path) -> None:
    folder = copied(tmp_path, prompts)
    (folder / "judge.jinja").write_text("Is the last answer right?")
    team = load_team(write(tmp_path, prompts="./mine", roles={"judge": JUDGE}))
    done = Trajectory(query="q", tools=(Tool(name="t"),), steps=STEPS, answer="five", outcome=Outcome.ANSWERED)
    learned = {
        role: [
            told.messages[target.message].content
            for told in [render(done, role=role, layout=team.layout, roles=team.roles)]
            for target in told.targets
            if target.role == role
        ]
        for role in team.roles
    }
    assert learned["judge"] == ["It is 5. Next: revise.", "So it is. Next: accept."]
    assert learned["summarizer"] == ["five"]
    assert len(learned["planner"]) == 3
    asked = render(
        done.model_copy(update={"answer": None, "outcome": Outcome.UNFINISHED, "steps": STEPS[:1]}),
        role="judge",
        layout=team.layout,
        roles=team.roles,
        ask="judge",
    )
    where = asked.messages[-1 if team.layout.shared else 0].content
    assert "Is the last answer right?" in where


def test_what_nobody_said_is_not_written() -> None:
    step = Step(plan=Plan(rationale="r", decision=Decision.GIVE_UP))
    assert "said" not in step.model_dump()
    assert '"said"' not in Trajectory(query="q", steps=(step,)).model_dump_json()
    assert Step.model_validate(STEPS[1].model_dump()) == STEPS[1]
