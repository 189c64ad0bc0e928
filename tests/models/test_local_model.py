"""The real model: finding it, converting it, decoding over caches, adapters that equal PEFT's."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from alpha_umi.errors import ModelError
from alpha_umi.model_card import Card, write_card
from alpha_umi.models.local import bases
from alpha_umi.models.local.bases import base_digest
from alpha_umi.models.protocol import Completion, Generation, Message, Request
from alpha_umi.nn.repetition import repeats_itself
from alpha_umi.roles import Team
from alpha_umi.team_files import first_roles, load_team
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.training.stage import Stage

if TYPE_CHECKING:
    import torch
    from safetensors.torch import load_file, save_file

    from alpha_umi.models.local import base_weights
    from alpha_umi.models.local import loading as teams
    from alpha_umi.models.local.engine import Engine
    from alpha_umi.models.local.local_model import LocalModel
    from alpha_umi.nn.packing import BACKBONE, KVBuffer, PackedSequence
    from alpha_umi.training.trainer import adapt

pytestmark = pytest.mark.model


def chat(*texts: str) -> list[Message]:
    """A system message, then user and assistant in turn."""
    roles = ["user", "assistant"] * len(texts)
    return [Message(role="system", content="You are helpful.")] + [
        Message(role=role, content=text) for role, text in zip(roles, texts, strict=False)
    ]


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The base in fp32, where two ways to compute the same thing agree closely."""
    return Engine(base_weights.load_base(dtype=torch.float32), ChatEncoder(base_weights.load_tokenizer()))


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PEFT adapter with weights that change the output."""
    folder = tmp_path_factory.mktemp("adapter")
    torch.manual_seed(0)
    model = adapt(base_weights.load_base(dtype=torch.float32), Stage(roles=("planner",), method="lora"))
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=0.05)
    model.save_pretrained(folder)
    return folder


def test_it_answers(engine: Engine) -> None:
    done = LocalModel(engine).complete(Request(messages=chat("What is the capital of France?")))
    assert "Paris" in done.text
    assert done.finish_reason == "stop"


def test_weights_and_tokenizer_are_the_packaged_ones() -> None:
    model = base_weights.load_base()
    tokenizer = base_weights.load_tokenizer()
    assert model.get_input_embeddings().num_embeddings == len(tokenizer) == 49152


def test_a_step_encodes_only_what_is_new_and_writes_the_same(engine: Engine) -> None:
    model = LocalModel(engine)
    messages = chat("Name a fruit.")
    settings = Generation(max_new_tokens=12)
    first = model.complete(Request(messages=messages, session="s", generation=settings))
    more = [*messages, Message(role="assistant", content=first.text), Message(role="user", content="And another one?")]
    cached = model.complete(Request(messages=more, session="s", generation=settings))
    fresh = model.complete(Request(messages=more, generation=settings))
    model.release("s")
    assert cached.text == fresh.text
    assert fresh.encoded_tokens == fresh.prompt_tokens == cached.prompt_tokens
    assert cached.encoded_tokens < fresh.encoded_tokens - first.prompt_tokens + 3
    assert len(engine.cache) == 0


def test_history_that_differs_is_encoded_again(engine: Engine) -> None:
    model = LocalModel(engine)
    settings = Generation(max_new_tokens=8)
    model.complete(Request(messages=chat("Count from one to ten."), session="d", generation=settings))
    other = chat("Count from one to ten.", "No.", "Say hello.")
    cached = model.complete(Request(messages=other, session="d", generation=settings))
    fresh = model.complete(Request(messages=other, generation=settings))
    model.release("d")
    assert cached.text == fresh.text


def test_lean_adapters_equal_peft_and_switch_cleanly(engine: Engine, adapter: Path) -> None:
    from peft import PeftModel

    ids = engine.encoder.prompt(chat("Where is the moon?"))
    with torch.inference_mode():
        plain = engine.forward([PackedSequence(KVBuffer(), 0, ids)])[0]
        expected = (
            PeftModel.from_pretrained(base_weights.load_base(dtype=torch.float32), str(adapter))
            .eval()(torch.tensor([ids]))
            .logits[0]
        )
        name = engine.add_adapter(adapter)
        ours = engine.forward([PackedSequence(KVBuffer(), 0, ids, name)])[0]
        buffer = KVBuffer()
        token_by_token = [engine.forward([PackedSequence(buffer, i, ids[i : i + 1], name)])[0] for i in range(3)]
        again = engine.forward([PackedSequence(KVBuffer(), 0, ids)])[0]
    assert plain is not None
    assert ours is not None
    assert again is not None
    assert torch.equal(again, plain)
    assert (plain - expected[-1]).abs().max() > 0.1
    torch.testing.assert_close(ours, expected[-1], rtol=1e-4, atol=1e-4)
    for found, logits in zip(token_by_token, expected, strict=False):
        assert found is not None
        torch.testing.assert_close(found, logits, rtol=1e-3, atol=1e-3)


def test_roles_never_read_each_others_keys(engine: Engine, adapter: Path) -> None:
    name = engine.add_adapter(adapter)
    base, role = LocalModel(engine), LocalModel(engine, writer=name)
    request = Request(messages=chat("Tell me about rivers."), session="x", generation=Generation(max_new_tokens=10))
    base.complete(request)
    after_base = role.complete(request)
    base.release("x")
    alone = role.complete(Request(messages=request.messages, generation=request.generation))
    assert after_base.text == alone.text
    assert after_base.encoded_tokens == after_base.prompt_tokens


def test_sampling_is_seeded(engine: Engine) -> None:
    model = LocalModel(engine)

    def sample(seed: int) -> Completion:
        settings = Generation(max_new_tokens=12, temperature=1.0, top_p=0.9, seed=seed)
        return model.complete(Request(messages=chat("Write something."), generation=settings))

    assert sample(1).text == sample(1).text
    assert len({sample(seed).text for seed in range(4)}) > 1


def test_text_streams_and_can_be_stopped(engine: Engine) -> None:
    pieces: list[str] = []
    model = LocalModel(engine)
    request = Request(
        messages=chat("Count from one to twenty in words."),
        generation=Generation(max_new_tokens=40),
        on_text=pieces.append,
        should_stop=lambda: len(pieces) >= 5,
    )
    done = model.complete(request)
    assert done.finish_reason == "cancelled"
    assert done.completion_tokens == 5
    assert "".join(pieces) == done.text


def test_a_prompt_beyond_the_context_is_an_answer_not_a_crash(engine: Engine) -> None:
    small = Engine(engine.model, engine.encoder, context=64)
    done = LocalModel(small).complete(Request(messages=chat("word " * 100)))
    assert done.finish_reason == "context"
    assert done.text == ""


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([7] * 31, False),
        ([7] * 32, True),
        ([1, 2, 3] * 10, False),
        ([1, 2, 3] * 11, True),
        ([9, 9, *([1, 2, 3] * 11), 4], False),
        (list(range(100)), False),
    ],
)
def test_repetition_is_four_times_and_32_tokens(ids: list[int], expected: bool) -> None:
    assert repeats_itself(ids, 24) is expected


@pytest.mark.parametrize("base", ["./nowhere", "/no/such/model", "nowhere/deep/er"])
def test_a_base_that_does_not_exist_is_one_line(base: str) -> None:
    with pytest.raises(ModelError, match="no model folder") as error:
        bases.resolve_base(base)
    assert "\n" not in str(error.value)


def test_an_unknown_hub_id_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="nobody/nothing") as error:
        base_weights.load_tokenizer("nobody/nothing")
    assert "\n" not in str(error.value)


def test_weights_written_anew_have_another_digest(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    save_file({"weight": torch.ones(3)}, tmp_path / "model.safetensors")
    first = base_digest(str(tmp_path))
    assert base_digest(str(tmp_path)) == first
    save_file({"weight": torch.zeros(3)}, tmp_path / "model.safetensors")
    assert base_digest(str(tmp_path)) != first


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        bases.resolve_base(str(tmp_path))


def test_weights_trained_on_other_prompts_or_another_base_are_refused(tmp_path: Path, adapter: Path) -> None:
    facts: dict[str, Any] = {
        "stage": "planner",
        "roles": ["planner"],
        "kind": "lora",
        "base": "b",
        "base_digest": "0",
        "layout": "paper",
        "prompt_digest": "older",
        "observation_chars": 2048,
        "recipe_digest": "0",
        "data_digest": "0",
        "seed": 1,
    }
    for file in adapter.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    write_card(tmp_path, Card.model_validate(facts))
    umi = load_team("umi")
    team = umi.with_role("planner", weights=str(tmp_path))
    with pytest.raises(ModelError, match="trained on other prompts"):
        teams.load_local(team)
    with pytest.raises(ModelError, match="'paper' layout"):
        teams.load_local(team.model_copy(update={"prompts": "shared"}))
    today = load_team("umi").prompt_digest
    write_card(tmp_path, Card.model_validate(facts | {"prompt_digest": today, "base_digest": "of another base"}))
    with pytest.raises(ModelError, match="trained on other weights"):
        teams.load_local(team)


def test_a_team_holds_one_base_for_all_roles() -> None:
    models = teams.load_local(load_team("umi"))
    assert set(models) == {"planner", "caller", "summarizer"}
    assert len({id(model.engine) for model in models.values()}) == 1


def test_a_shared_team_reads_with_its_base_whatever_its_roles_are(tmp_path: Path, adapter: Path) -> None:
    """An adapter, a full model and the base itself over one cache; in `paper` each reads for itself."""
    full = tmp_path / "full"
    base: Any = base_weights.load_base()
    base.model.layers[0].mlp.up_proj.weight.data.mul_(1.5)
    base.save_pretrained(full)
    base_weights.load_tokenizer().save_pretrained(full)
    facts: dict[str, Any] = {
        "stage": "caller",
        "roles": ["caller"],
        "kind": "full",
        "base": "b",
        "base_digest": base_digest(load_team("umi").base),
        "layout": "shared",
        "prompt_digest": load_team("umi-shared").prompt_digest,
        "observation_chars": 2048,
        "recipe_digest": "0",
        "data_digest": "0",
        "seed": 1,
    }
    write_card(full, Card.model_validate(facts))
    team = load_team("umi-shared")
    weights = {"planner": str(adapter), "caller": str(full)}
    for name, folder in weights.items():
        team = team.with_role(name, weights=folder)
    models = teams.load_local(team)
    assert len({id(model.engine) for model in models.values()}) == 1
    assert {model.reader for model in models.values()} == {BACKBONE}
    assert len({model.writer for model in models.values()}) == 3
    write_card(full, Card.model_validate(facts | {"base_digest": "of another base"}))
    with pytest.raises(ModelError, match="trained on other weights"):
        teams.load_local(team)
    write_card(full, Card.model_validate(facts | {"layout": "paper", "prompt_digest": load_team("umi").prompt_digest}))
    paper = teams.load_local(team.model_copy(update={"prompts": "paper"}))
    assert all(model.reader == model.writer for model in paper.values())
    assert len({id(model.engine) for model in paper.values()}) == 2


def test_a_team_may_merge_its_adapters(adapter: Path) -> None:
    """The same words in fp32, and the backbone stays as it is for the other roles."""
    team = load_team("umi-shared")
    team = team.with_role("planner", weights=str(adapter))
    tag = first_roles()["planner"].tag
    request = Request(
        messages=[Message(role="user", content=f"Name three rivers.\n{tag}", tag=tag)],
        generation=Generation(max_new_tokens=12),
    )
    said = []
    for merge in (False, True):
        models = teams.load_local(team.model_copy(update={"merge_adapters": merge}), dtype=torch.float32, device="cpu")
        said.append([models[role].complete(request).text for role in ("planner", "caller")])
    assert said[0] == said[1]
    assert said[0][0] != said[0][1]


def test_an_activated_lora_belongs_to_a_shared_team(tmp_path: Path, adapter: Path) -> None:
    """And to the role whose tag it names: elsewhere it would act on other tokens than it was trained on."""
    encoder = ChatEncoder(base_weights.load_tokenizer())
    config = json.loads((adapter / "adapter_config.json").read_text())
    config["alora_invocation_tokens"] = encoder.tag_ids(first_roles()["planner"].tag)
    (tmp_path / "adapter_config.json").write_text(json.dumps(config))
    shutil.copy(adapter / "adapter_model.safetensors", tmp_path)

    def team(name: str, role: str) -> Team:
        return load_team(name).with_role(role, weights=str(tmp_path))

    assert teams.load_local(team("umi-shared", "planner"))["planner"].writer != BACKBONE
    with pytest.raises(ModelError, match="activated by the tokens"):
        teams.load_local(team("umi-shared", "caller"))
    with pytest.raises(ModelError, match="alora_invocation_tokens"):
        teams.load_local(team("umi", "planner"))


def test_many_at_once_write_what_each_writes_alone(engine: Engine, adapter: Path) -> None:
    """Ragged prompts, different limits, greedy and seeded, under an adapter too."""
    settings = [
        Generation(max_new_tokens=12),
        Generation(max_new_tokens=5),
        Generation(max_new_tokens=20, temperature=0.8, seed=3),
        Generation(max_new_tokens=9),
    ]
    texts = ["Name a fruit.", "word " * 90, "What is the capital of France?", "Say hello to my old friend from Rome."]
    requests = [Request(messages=chat(t), generation=s) for t, s in zip(texts, settings, strict=True)]
    for name in (BACKBONE, engine.add_adapter(adapter)):
        model = LocalModel(engine, writer=name)
        together = model.complete_many(requests)
        alone = [model.complete(request) for request in requests]
        assert together == alone
    small = LocalModel(Engine(engine.model, engine.encoder, context=60))
    assert [c.finish_reason for c in small.complete_many(requests[:2])][1] == "context"


def test_an_adapter_that_is_more_than_low_rank_products_is_refused(
    engine: Engine, adapter: Path, tmp_path: Path
) -> None:
    """Loading what we understand of it and dropping the rest would answer wrongly without a word."""
    (tmp_path / "adapter_config.json").write_bytes((adapter / "adapter_config.json").read_bytes())
    tensors = load_file(adapter / "adapter_model.safetensors")
    tensors["base_model.model.model.embed_tokens.lora_embedding_A"] = torch.zeros(2, 2)
    save_file(tensors, tmp_path / "adapter_model.safetensors")
    with pytest.raises(ModelError, match="more than low-rank products"):
        engine.add_adapter(tmp_path)


@pytest.mark.parametrize("renamed", [False, True])
def test_a_base_that_lacks_weights_is_refused(tiny: Path, tmp_path: Path, renamed: bool) -> None:
    """transformers makes them at random, so training would end as if all were well."""
    folder = shutil.copytree(tiny, tmp_path / "base")
    tensors = load_file(folder / "model.safetensors")
    if renamed:
        tensors = {name.replace("layers.1.", "layerz.1."): tensor for name, tensor in tensors.items()}
    else:
        del tensors["model.layers.1.mlp.down_proj.weight"]
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"is not whole: its file has no model\.layers\.1\.") as error:
        base_weights.load_base(str(folder))
    assert "\n" not in str(error.value)
