"""What cards say, and what becomes of those that do not fit: refused in a line, shown, adopted by their owner."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import typer
from typer.testing import CliRunner, Result

from alpha_umi import resources, stamps
from alpha_umi.cli import doctor
from alpha_umi.errors import ModelError, UsageError
from alpha_umi.model_card import Card, read_card
from alpha_umi.team_files import load_team

if TYPE_CHECKING:
    from alpha_umi.models.local import cards
    from alpha_umi.models.local.loading import check_team

pytestmark = pytest.mark.model

PARTS = ("backbone", "planner", "caller", "summarizer")
OLD = {"base_digest": "62758cd4a4af6bc8", "tokenizer_digest": None, "template_digest": None}
"""What the cards of the team that ships said before digests named their rule; its conversion was transformers' then."""


def call(*arguments: str) -> Result:
    """Run the verb as typer would."""
    app = typer.Typer()
    doctor.register(app)
    return CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"})


def _say(folder: Path, **facts: Any) -> None:
    value = json.loads((folder / "card.json").read_text())
    (folder / "card.json").write_text(json.dumps(value | facts))


def _card(folder: Path) -> Card:
    card = read_card(folder)
    assert card is not None
    return card


@pytest.fixture
def team(tmp_path: Path) -> Path:
    """A copy of the team that ships."""
    return shutil.copytree(resources.root() / "roles" / "teams" / "default", tmp_path / "team")


@pytest.fixture
def old_team(team: Path) -> Path:
    """The same with the cards it had at first."""
    for part in PARTS:
        _say(team / part, **OLD)
    _say(team / "backbone", base_digest="d9566ab4aa4cf02e")
    return team


def test_the_team_that_ships_fits_and_names_today(team: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By what is there: a digest that was remembered may be of a rule before this one."""
    monkeypatch.setattr(stamps, "_known", {})
    monkeypatch.setattr(stamps, "_read", lambda _: None)
    check_team(load_team(str(team)))
    rows = cards.compare(load_team(str(team)))
    assert {(row.folder.name, row.key) for row in rows} == {(part, key) for part in PARTS for key in doctor._WHAT}
    assert all(row.fits and row.said == row.today for row in rows)
    done = call(str(team))
    assert (done.exit_code, "Every card fits." in done.stdout) == (0, True)


def test_cards_of_the_first_rule_are_accepted_where_it_holds(old_team: Path) -> None:
    check_team(load_team(str(old_team)))
    assert call(str(old_team)).exit_code == 0


def test_cards_of_the_first_rule_that_cannot_be_told_to_fit_name_the_way_out(old_team: Path) -> None:
    _say(old_team / "backbone", base_digest="0123456789abcdef")
    with pytest.raises(ModelError, match=rf"older alpha-umi.*`alpha-umi doctor {old_team} --adopt`") as error:
        check_team(load_team(str(old_team)))
    assert "\n" not in str(error.value)
    shown = call(str(old_team))
    assert shown.exit_code == 1
    assert "0123456789abcdef" in shown.stdout
    assert "--adopt" in shown.stdout
    assert _card(old_team / "backbone").base_digest == "0123456789abcdef"  # nothing was written

    done = call(str(old_team), "--adopt")
    assert done.exit_code == 0
    check_team(load_team(str(old_team)))
    card = _card(old_team / "backbone")
    assert card.adopted == {"base_digest": "0123456789abcdef", "tokenizer_digest": None, "template_digest": None}
    assert card.base_digest.startswith("2:")
    assert "Nothing was to be rewritten" in call(str(old_team), "--adopt").stdout


def test_a_role_over_another_backbone_is_refused(team: Path, tmp_path: Path) -> None:
    """The backbone's adapter is known by its content, not by what its card says."""
    shutil.copy(team / "planner" / "adapter_model.safetensors", team / "backbone" / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="planner was trained on other weights"):
        check_team(load_team(str(team)))


@pytest.mark.parametrize(("key", "what"), [("tokenizer_digest", "tokenizer"), ("template_digest", "chat template")])
@pytest.mark.parametrize("part", PARTS)
def test_another_tokenizer_or_template_is_refused(team: Path, part: str, key: str, what: str) -> None:
    _say(team / part, **{key: "2:of another"})
    with pytest.raises(ModelError, match=f"{part} was trained with another {what}") as error:
        check_team(load_team(str(team)))
    assert "\n" not in str(error.value)


def test_prompts_are_never_adopted(team: Path) -> None:
    _say(team / "caller", prompt_digest="of other prompts")
    done = call(str(team), "--adopt")
    assert done.exit_code == 1
    assert "train it again" in done.stdout
    assert _card(team / "caller").prompt_digest == "of other prompts"


def test_the_first_word_is_kept_however_often_one_adopts(team: Path) -> None:
    for said in ("2:first", "2:second"):
        _say(team / "caller", base_digest=said)
        assert call(str(team), "--adopt").exit_code == 0
    assert _card(team / "caller").adopted == {"base_digest": "2:first"}


@pytest.mark.parametrize("part", PARTS)
def test_weights_that_are_gone_are_no_fit(team: Path, part: str) -> None:
    (team / part / "adapter_model.safetensors").unlink()
    done = call(str(team))
    assert done.exit_code == 1
    assert "Every card fits" not in done.stdout


@pytest.mark.parametrize(
    ("facts", "said"), [({"date": "2024-01-01"}, "2024-01-01"), ({"views": ["caller"]}, "trained as caller")]
)
def test_what_no_digest_tells_is_said_too(team: Path, facts: dict[str, Any], said: str) -> None:
    _say(team / "planner", **facts)
    done = call(str(team))
    assert done.exit_code == 1
    assert said in done.stdout
    assert json.loads(call(str(team), "--json").stdout)["fits"] is False


def test_a_program_may_read_it(team: Path) -> None:
    _say(team / "caller", base_digest="2:x")
    found = json.loads(call(str(team), "--json").stdout)
    assert found["fits"] is False
    odd = [row for row in found["cards"] if not row["fits"]]
    assert [(Path(row["folder"]).name, row["key"], row["said"]) for row in odd] == [("caller", "base_digest", "2:x")]
    machine = json.loads(call("--json").stdout)
    assert machine["works"]["agents on a served model"]
    assert set(machine["packages"]["local"]) == set(doctor._EXTRAS["local"])


def test_what_has_no_card_is_said(tmp_path: Path) -> None:
    for arguments, said in ((["umi"], "have a card"), (["--adopt"], "needs the team")):
        error = call(*arguments).exception
        assert isinstance(error, UsageError)
        assert said in str(error)


def test_the_machine_is_shown() -> None:
    shown = call().stdout
    for word in ("alpha-umi", "torch", "works", "cache"):
        assert word in shown
