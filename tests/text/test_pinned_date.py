"""The day that chat templates name: pinned for training and inference alike, whatever the clock says."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chat_templates import DATED, FAMILIES, with_family
from hypothesis import given
from hypothesis import strategies as st

from alpha_umi.errors import ConfigError, ModelError
from alpha_umi.model_card import read_card, write_card
from alpha_umi.team_files import first_roles, load_team
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.pinned_date import PINNED_DATE, _codes
from alpha_umi.text.prompts import Message
from alpha_umi.training import glpft
from alpha_umi.training.recipe import load_recipe

if TYPE_CHECKING:
    from tiny_models import TINY
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerBase
    from transformers.utils import chat_template_utils

    from alpha_umi.models.local.loading import load_local

pytestmark = pytest.mark.model

TAG = first_roles()["planner"].tag
TALK = [
    Message(role="system", content="Use tools."),
    Message(role="user", content=f"What is the time?\n{TAG}", tag=TAG),
]


def on(day: datetime.date, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock of chat templates show a day."""

    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Clock:
            return cls(day.year, day.month, day.day, 13, 5)

    monkeypatch.setattr(chat_template_utils, "datetime", Clock)


@pytest.mark.parametrize("family", list(DATED))
def test_prompts_are_the_same_on_every_day(
    family: str, tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoken = with_family(tokenizer, family)
    on(datetime.date(2026, 11, 30), monkeypatch)
    kept = ChatEncoder(spoken)
    before = kept.prompt(TALK)
    plain = spoken.apply_chat_template(kept._as_chat(TALK), tokenize=False, add_generation_prompt=True)
    assert "2026" in plain, "the template alone reads the clock"
    on(datetime.date(2027, 1, 2), monkeypatch)
    assert ChatEncoder(spoken).prompt(TALK) == kept.prompt(TALK) == before
    assert DATED[family] in tokenizer.decode(before)
    assert "2027" not in tokenizer.decode(before)


@pytest.mark.parametrize("family", list(FAMILIES))
def test_only_the_day_is_pinned(
    family: str, tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On the pinned day itself a prompt is the template's own, character for character."""
    spoken = with_family(tokenizer, family)
    on(datetime.date.fromisoformat(PINNED_DATE), monkeypatch)
    encoder = ChatEncoder(spoken)
    own = spoken.apply_chat_template(encoder._as_chat(TALK), tokenize=False, add_generation_prompt=True)
    assert encoder._prompt_text(encoder._as_chat(TALK)) == f"{own}{encoder._lead}"
    assert encoder.date == (PINNED_DATE if family in DATED else None)


@given(st.dates(min_value=datetime.date(1000, 1, 1)))
def test_codes_are_those_of_strftime(day: datetime.date) -> None:
    midnight = datetime.datetime(day.year, day.month, day.day)
    for code, text in _codes(day).items():
        assert text == midnight.strftime(code), code


@pytest.mark.parametrize("day", ["tomorrow", "2024-02-30", "26 Jul 2024"])
def test_what_is_no_day_is_refused(day: str) -> None:
    with pytest.raises(ConfigError, match=rf"date: this is no day such as 2024-07-26 \(found '{day}'\)"):
        load_recipe("smoke", overrides=[f"date='{day}'"])
    assert load_recipe("smoke", overrides=["date=2025-06-01"]).date == "2025-06-01", "YAML reads a date"


@pytest.fixture(scope="module")
def dated(tmp_path_factory: pytest.TempPathFactory, tokenizer: PreTrainedTokenizerBase) -> Path:
    """A tiny model that speaks as Llama 3.2 does."""
    folder = tmp_path_factory.mktemp("dated")
    spoken = with_family(tokenizer, "llama3.2")
    config = LlamaConfig(**{**TINY, "vocab_size": len(spoken), "num_hidden_layers": 1})
    LlamaForCausalLM(config).save_pretrained(folder)
    spoken.save_pretrained(folder)
    return folder


def test_a_team_is_asked_on_a_later_day_what_it_was_trained_on(
    dated: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on(datetime.date(2026, 11, 30), monkeypatch)
    asked = [f"base={dated}", f"data={data}", "limit=1", "context=2048", "date=2025-06-01", "precision=fp32"]
    run = glpft.train(load_recipe("smoke", overrides=asked), tmp_path / "run")
    on(datetime.date(2026, 12, 1), monkeypatch)
    encoder = load_local(load_team(str(run)))["planner"].engine.encoder
    text = encoder.tokenizer.decode(encoder.prompt(TALK))
    assert "Today Date: 01 Jun 2025" in text
    assert encoder.tag_ids(TAG)
    card = read_card(run / "caller")
    assert card is not None
    assert card.date == "2025-06-01"
    write_card(run / "caller", card.model_copy(update={"date": "2025-06-02"}))
    with pytest.raises(ModelError, match=r"caller was trained on prompts that name 2025-06-02, .* 2025-06-01"):
        load_local(load_team(str(run)))
