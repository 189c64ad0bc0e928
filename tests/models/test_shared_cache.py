"""Three roles over one cache: what they write, what stays, what siblings share, and what must never be used again."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alpha_umi.errors import ModelError
from alpha_umi.models.protocol import Generation, Message, Request
from alpha_umi.roles import ROLES

if TYPE_CHECKING:
    import torch
    from tiny_models import Plain, asking, conversation, save_adapter, tag, tiny_engine, tiny_llama
    from transformers import PreTrainedTokenizerBase

    from alpha_umi.models.local.engine import Engine
    from alpha_umi.models.local.local_model import LocalModel, complete_together
    from alpha_umi.nn.packing import BACKBONE, KVBuffer, PackedSequence

pytestmark = pytest.mark.model

WORDS = ["tide", "port", "harbour", "ship", "crane", "wind", "cargo", "pilot", "signal", "anchor", "buoy", "rope"]


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """An adapter for each role, with weights of its own."""
    folder = tmp_path_factory.mktemp("adapters")
    return {role: save_adapter(folder / role, seed) for seed, role in enumerate(ROLES, start=1)}


def lora_models(engine: Engine, adapters: dict[str, Path]) -> dict[str, LocalModel]:
    return {v: LocalModel(engine, writer=engine.add_adapter(f), reader=BACKBONE) for v, f in adapters.items()}


def full_models(engine: Engine) -> dict[str, LocalModel]:
    names = {v: engine.add_model(tiny_llama(seed), v) for seed, v in enumerate(ROLES, start=1)}
    return {v: LocalModel(engine, writer=name, reader=BACKBONE) for v, name in names.items()}


def some_words(source: random.Random, least: int = 1, most: int = 12) -> str:
    return " ".join(source.choices(WORDS, k=source.randint(least, most)))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["lora", "full"])
def test_roles_write_what_encoding_everything_anew_would(
    kind: str, tokenizer: PreTrainedTokenizerBase, adapters: dict[str, Path]
) -> None:
    """100 random conversations each way: role orders, histories rewritten, greedy and sampled."""
    engine = tiny_engine(tokenizer)
    if kind == "lora":
        models = lora_models(engine, adapters)
        plain = Plain(adapters={models[v].writer: f for v, f in adapters.items()})
    else:
        models = full_models(engine)
        plain = Plain(models={v: tiny_llama(seed) for seed, v in enumerate(ROLES, start=1)})
    source = random.Random(kind)
    reused = 0
    for number in range(100):
        messages = [Message(role="system", content=some_words(source, 5, 40))]
        for turn in range(source.randint(1, 4)):
            role = source.choice(ROLES)
            messages.append(asking(some_words(source), role))
            hot = source.random() < 0.5
            settings = Generation(
                max_new_tokens=source.randint(1, 7),
                temperature=0.8 if hot else 0.0,
                top_p=source.choice([1.0, 0.9]),
                seed=number,
                repetition_window=0,
            )
            request = Request(messages=messages, session=str(number), generation=settings)
            done = models[role].complete(request)
            row = engine.encoder.row(messages, trained=())
            ends = engine.encoder.end_ids
            expected = plain.write(row.ids, row.turns[-1].tag, models[role].writer, settings, ends)
            assert done.text == tokenizer.decode(expected, skip_special_tokens=True), (number, turn)
            assert done.completion_tokens == len(expected)
            reused += done.prompt_tokens - done.encoded_tokens
            said = done.text if source.random() < 0.8 else some_words(source)
            messages.append(Message(role="assistant", content=said or "so"))
    assert reused > 5000


def test_only_the_backbones_keys_stay(tokenizer: PreTrainedTokenizerBase, adapters: dict[str, Path]) -> None:
    for make in (lambda e: lora_models(e, adapters), full_models):
        engine = tiny_engine(tokenizer)
        models: dict[str, LocalModel] = make(engine)
        turns: list[tuple[str, str, str]] = []
        for role in ROLES:
            messages = conversation(*turns, then=("what now", role))
            done = models[role].complete(
                Request(messages=messages, session="s", generation=Generation(max_new_tokens=9))
            )
            turns.append(("what now", role, done.text or "so"))
        row = engine.encoder.row(messages, trained=())
        (entry,) = engine.cache._entries.values()
        assert entry.ids == row.ids[: row.turns[-1].tag]
        alone = KVBuffer()
        engine.forward([PackedSequence(alone, 0, entry.ids)])
        assert entry.tail.data is not None
        assert alone.data is not None
        n = len(entry.ids)
        torch.testing.assert_close(entry.tail.data[:, :, :, :n], alone.data[:, :, :, :n], rtol=1e-4, atol=1e-4)


def test_a_role_encodes_its_tag_and_what_is_new(engine: Engine, adapters: dict[str, Path]) -> None:
    models = lora_models(engine, adapters)
    first = conversation(then=("word " * 50, "planner"))
    answer = models["planner"].complete(Request(messages=first, session="n", generation=Generation(max_new_tokens=5)))
    assert answer.encoded_tokens == answer.prompt_tokens
    second = conversation(("word " * 50, "planner", "go"), then=("", "caller"))
    done = models["caller"].complete(Request(messages=second, session="n", generation=Generation(max_new_tokens=5)))
    row = engine.encoder.row(first, trained=())
    assert done.encoded_tokens == done.prompt_tokens - row.turns[-1].tag
    engine.batcher.release("n")


def test_an_untrained_team_keeps_everything(engine: Engine) -> None:
    model = LocalModel(engine)
    messages = conversation(then=("word " * 20, "planner"))
    request = Request(messages=messages, session="u", generation=Generation(max_new_tokens=5))
    first = model.complete(request)
    again = model.complete(request)
    model.release("u")
    assert again.text == first.text
    assert again.encoded_tokens == 1


@pytest.fixture(scope="module")
def engine(tokenizer: PreTrainedTokenizerBase) -> Engine:
    return tiny_engine(tokenizer)


# --- forks ----------------------------------------------------------------------------------------------------------


def test_siblings_write_what_separate_sessions_would(engine: Engine, adapters: dict[str, Path]) -> None:
    """A tree of random forks, sessions going on and ending in any order."""
    models = lora_models(engine, adapters)
    source = random.Random(1)
    told: dict[str, list[Message]] = {"0": [Message(role="system", content=some_words(source, 30, 60))]}
    for step in range(40):
        session = source.choice(list(told))
        messages = told[session]
        act = source.random()
        if act < 0.35 and len(told) < 8:
            told[str(step + 1)] = list(messages)
            models["planner"].fork(session, str(step + 1))
            continue
        if act < 0.45 and len(told) > 1:
            del told[session]
            models["planner"].release(session)
            continue
        if act < 0.6 and len(messages) > 4:
            del messages[-2:]  # back to before a fork, perhaps
        role = source.choice(ROLES)
        messages.append(asking(some_words(source), role))
        settings = Generation(max_new_tokens=5)
        here = models[role].complete(Request(messages=messages, session=session, generation=settings))
        alone = models[role].complete(Request(messages=messages, generation=settings))
        assert here.text == alone.text
        assert alone.encoded_tokens == alone.prompt_tokens
        messages.append(Message(role="assistant", content=here.text or "so"))
    for session in told:
        models["planner"].release(session)
    assert (len(engine.cache), engine.cache.tokens_held(), engine.cache.bytes_held()) == (0, 0, 0)


def test_memory_grows_with_new_tokens_only(engine: Engine, adapters: dict[str, Path]) -> None:
    models = lora_models(engine, adapters)
    settings = Generation(max_new_tokens=3)

    def ask(session: str, *turns: str) -> int:
        """Tokens of the backbone's that the session then holds."""
        told = [(turn, "planner", "so") for turn in turns[:-1]]
        messages = conversation(*told, then=(turns[-1], "planner"))
        models["planner"].complete(Request(messages=messages, session=session, generation=settings))
        return engine.encoder.row(messages, trained=()).turns[-1].tag

    size = engine.shape.bytes_a_token
    common = ask("root", "word " * 300)
    for i in range(5):
        models["planner"].fork("root", f"child{i}")
    assert engine.cache.tokens_held() == common
    assert engine.cache.bytes_held() == common * size
    new = 0
    for i in range(5):
        new += ask(f"child{i}", "word " * 300, "other " * (5 + i)) - common
        assert engine.cache.tokens_held() == common + new
        assert engine.cache.bytes_held() == (common + new) * size
    engine.batcher.release("root")
    assert engine.cache.bytes_held() == (common + new) * size  # its children still refer to it
    for i in range(5):
        engine.batcher.release(f"child{i}")
    assert engine.cache.bytes_held() == 0


def test_a_fork_of_nothing_is_nothing(engine: Engine) -> None:
    engine.batcher.fork("unknown", "new")
    assert len(engine.cache) == 0


def test_a_fork_of_itself_stays(engine: Engine) -> None:
    model = LocalModel(engine)
    request = Request(
        messages=conversation(then=("go", "planner")), session="me", generation=Generation(max_new_tokens=2)
    )
    model.complete(request)
    model.fork("me", "me")
    assert model.complete(request).encoded_tokens == 1
    model.release("me")


# --- what must never be used again ----------------------------------------------------------------------------------


def test_an_adapter_trained_anew_speaks_with_its_new_weights(
    tokenizer: PreTrainedTokenizerBase, adapters: dict[str, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "role"
    shutil.copytree(adapters["planner"], folder)
    engine = tiny_engine(tokenizer)
    messages = conversation(then=("which port", "planner"))
    request = Request(messages=messages, session="s", generation=Generation(max_new_tokens=8))

    def both() -> tuple[str, str]:
        """In the shared way and in the paper's, where the adapter's own keys are kept."""
        name = engine.add_adapter(folder)
        shared, paper = LocalModel(engine, writer=name, reader=BACKBONE), LocalModel(engine, writer=name)
        return shared.complete(request).text, paper.complete(request).text

    before = both()
    assert both() == before
    shutil.copy(adapters["caller"] / "adapter_model.safetensors", folder / "adapter_model.safetensors")
    after = both()
    assert after != before
    engine.batcher.release("s")
    assert both() == after
    fresh = tiny_engine(tokenizer)
    name = fresh.add_adapter(folder)
    assert LocalModel(fresh, writer=name).complete(request).text == after[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda model: model.model.layers[0].self_attn.k_proj.weight.mul_(-1.5),
        lambda model: model.model.layers[1].mlp.down_proj.weight.mul_(-1.5),
        lambda model: model.model.embed_tokens.weight.mul_(2),
    ],
)
def test_weights_changed_in_place_read_everything_anew(
    change: Callable[[torch.nn.Module], object], tokenizer: PreTrainedTokenizerBase, adapters: dict[str, Path]
) -> None:
    engine = tiny_engine(tokenizer)
    model = lora_models(engine, adapters)["planner"]
    request = Request(
        messages=conversation(then=("which port is it " * 9, "planner")),
        session="s",
        generation=Generation(max_new_tokens=8),
    )
    before = model.complete(request)
    assert model.complete(request).encoded_tokens < before.prompt_tokens
    with torch.no_grad():
        change(engine.model)
    after = model.complete(request)
    assert after.encoded_tokens == after.prompt_tokens
    model.release("s")
    assert model.complete(request).text == after.text != before.text


def test_what_torch_does_not_count_as_a_change_can_be_said(
    tokenizer: PreTrainedTokenizerBase, adapters: dict[str, Path]
) -> None:
    engine = tiny_engine(tokenizer)
    model = lora_models(engine, adapters)["planner"]
    messages = conversation(then=("which port is it", "planner"))
    request = Request(messages=messages, session="s", generation=Generation(max_new_tokens=8))
    before = model.complete(request)
    engine.model.model.embed_tokens.weight.data.mul_(2)
    engine.forget()
    assert len(engine.cache) == 0
    after = model.complete(request)
    assert after.encoded_tokens == after.prompt_tokens
    assert after.text != before.text


def test_switching_weights_within_a_session_mixes_nothing(engine: Engine, adapters: dict[str, Path]) -> None:
    """The same text under readers in turn, shared and paper, in one session."""
    names = [BACKBONE, *(engine.add_adapter(f) for f in adapters.values())]
    ways = [(reader, writer) for writer in names for reader in {BACKBONE, writer}]
    source = random.Random(3)
    for turn in range(30):
        reader, writer = source.choice(ways)
        model = LocalModel(engine, reader=reader, writer=writer)
        messages = conversation(then=("which port " * (1 + turn % 3), "caller"))
        settings = Generation(max_new_tokens=5)
        kept = model.complete(Request(messages=messages, session="w", generation=settings))
        assert kept.text == model.complete(Request(messages=messages, generation=settings)).text
    engine.batcher.release("w")
    assert len(engine.cache) == 0


def test_a_role_of_another_build_is_refused(engine: Engine) -> None:
    with pytest.raises(ModelError, match="cannot speak over the backbone's cache"):
        engine.add_model(tiny_llama(num_key_value_heads=3), "other")


# --- interchange ----------------------------------------------------------------------------------------------------


def test_an_activated_lora_is_loaded_by_whom_its_tag_calls(engine: Engine, tmp_path: Path) -> None:
    from peft import PeftModel

    ids = engine.encoder.tag_ids(tag("caller"))
    folder = save_adapter(tmp_path / "alora", 9, alora_invocation_tokens=ids)
    with pytest.raises(ModelError, match="alora_invocation_tokens") as error:
        engine.add_adapter(folder)
    with pytest.raises(ModelError, match="activated by the tokens") as other:
        engine.add_adapter(folder, invocation=engine.encoder.tag_ids(tag("planner")))
    assert "\n" not in f"{error.value}{other.value}"
    name = engine.add_adapter(folder, invocation=ids)
    row = engine.encoder.row(conversation(then=("which port", "caller")), trained=())
    at = row.turns[-1].tag
    assert row.ids[at:] == ids
    peft = PeftModel.from_pretrained(tiny_llama(), str(folder)).eval()
    with torch.inference_mode():
        expected = peft(torch.tensor([row.ids])).logits[0, -1]
    buffer = KVBuffer()
    ours = engine.forward(
        [PackedSequence(buffer, 0, row.ids[:at], ask=False), PackedSequence(buffer, at, row.ids[at:], name)]
    )[-1]
    assert ours is not None
    torch.testing.assert_close(ours, expected, rtol=1e-4, atol=1e-4)


def test_roles_of_several_engines_complete_together(
    tokenizer: PreTrainedTokenizerBase, adapters: dict[str, Path]
) -> None:
    one, two = (lora_models(tiny_engine(tokenizer, seed=seed), adapters) for seed in (0, 5))
    asked = [
        (models[role], Request(messages=conversation(then=("go", role)), generation=Generation(max_new_tokens=6)))
        for role in ROLES
        for models in (one, two)
    ]
    assert complete_together(asked) == [model.complete(request) for model, request in asked]
