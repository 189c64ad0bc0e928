"""One content, one digest, whatever carries it; another content, another digest."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from chat_templates import FAMILIES
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from alpha_umi import digests, stamps
from alpha_umi.data import store
from alpha_umi.digests import backbone_digest, first_weights_digest, text_digest, tokenizer_digest, weights_digest
from alpha_umi.errors import ModelError
from alpha_umi.resources import root
from alpha_umi.roles import prompt_digest
from alpha_umi.tasks import Task
from alpha_umi.team_files import first_roles
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi.text.layouts import load_layout
from alpha_umi.trajectory import Call, Observation, Plan, Step, Tool, Trajectory

if TYPE_CHECKING:
    import torch
    from safetensors.torch import save_file

    TENSORS = {
        "model.embed_tokens.weight": torch.arange(32, dtype=torch.bfloat16).view(4, 8),
        "model.layers.0.weight": torch.ones(8, 8),
        "model.norm.weight": torch.full((8,), 0.5),
    }

pytestmark = pytest.mark.model

CONFIG = {
    "model_type": "llama",
    "hidden_size": 8,
    "rms_norm_eps": 1e-5,
    "tie_word_embeddings": True,
    "text_config": {"dtype": "bfloat16", "num_hidden_layers": 2},
    "dtype": "bfloat16",
    "transformers_version": "5.23.0",
}
ADAPTER = {
    "peft_type": "LORA",
    "r": 8,
    "lora_alpha": 16,
    "target_modules": ["q_proj", "v_proj"],
    "bias": "none",
    "use_dora": False,
    "rank_pattern": {},
    "peft_version": "0.20.0",
    "base_model_name_or_path": "/home/me/base",
}


@pytest.fixture(autouse=True)
def _own_memory(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stamps that no other test, and no earlier run, has left."""
    monkeypatch.setenv("ALPHA_UMI_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setattr(stamps, "_known", {})


def model(folder: Path, **changed: Any) -> Path:
    """A model's folder."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(CONFIG | changed, indent=2))
    save_file(TENSORS, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def adapter(folder: Path, **changed: Any) -> Path:
    """An adapter's folder."""
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps(ADAPTER | changed))
    save_file({"q_proj.lora_A.weight": torch.ones(8, 8)}, folder / "adapter_model.safetensors")
    return folder


def _edit(file: str, change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        value = json.loads((folder / file).read_text())
        change(value)
        (folder / file).write_text(json.dumps(value))

    return edit


def _sharded(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    places = {name: f"model-0000{n}-of-00002.safetensors" for n, name in enumerate(reversed(TENSORS), 1) if n < 3}
    places |= {name: "model-00002-of-00002.safetensors" for name in TENSORS if name not in places}
    for file in set(places.values()):
        save_file({n: t for n, t in TENSORS.items() if places[n] == file}, folder / file)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": places}))


def _head_twice(folder: Path) -> None:
    save_file(TENSORS | {"lm_head.weight": TENSORS["model.embed_tokens.weight"].clone()}, folder / "model.safetensors")


def _crlf(folder: Path) -> None:
    (folder / "config.json").write_bytes((folder / "config.json").read_bytes().replace(b"\n", b"\r\n"))


def _reordered(folder: Path) -> None:
    value = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(dict(reversed(value.items()))))


CARRIERS: dict[str, Callable[[Path], object]] = {
    "another library wrote it": _edit("config.json", lambda c: c.update(transformers_version="9.0", use_cache=False)),
    "the old spelling of dtype": _edit("config.json", lambda c: c.update(torch_dtype=c.pop("dtype"))),
    "a part's dtype": _edit("config.json", lambda c: c["text_config"].pop("dtype")),
    "another path": _edit("config.json", lambda c: c.update(_name_or_path="/elsewhere")),
    "keys in another order": _reordered,
    "other line ends": _crlf,
    "in two files": _sharded,
    "other safetensors metadata": lambda f: save_file(TENSORS, f / "model.safetensors", metadata={"by": "me"}),
    "a tied head written twice": _head_twice,
    "a file that nobody reads": lambda f: (f / "notes.txt").write_text("mine"),
    "pickled weights beside": lambda f: (f / "pytorch_model.bin").write_bytes(b"older"),
}


@pytest.mark.parametrize("name", CARRIERS)
def test_what_carries_weights_does_not_count(tmp_path: Path, name: str) -> None:
    before = weights_digest(model(tmp_path / "a"))
    other = model(tmp_path / "b")
    CARRIERS[name](other)
    assert weights_digest(other) == before


def _one_value(folder: Path) -> None:
    other = TENSORS["model.layers.0.weight"].clone()
    other[7, 7] = torch.nextafter(other[7, 7], torch.tensor(2.0))
    save_file(TENSORS | {"model.layers.0.weight": other}, folder / "model.safetensors")


def _one_name(folder: Path) -> None:
    tensors = dict(TENSORS)
    tensors["model.layers.1.weight"] = tensors.pop("model.layers.0.weight")
    save_file(tensors, folder / "model.safetensors")


CONTENTS: dict[str, Callable[[Path], None]] = {
    "one value, by one bit": _one_value,
    "one tensor's name": _one_name,
    "one tensor's shape": lambda f: save_file(
        TENSORS | {"model.layers.0.weight": torch.ones(4, 16)}, f / "model.safetensors"
    ),
    "another precision": lambda f: save_file({n: t.float() for n, t in TENSORS.items()}, f / "model.safetensors"),
    "one option": _edit("config.json", lambda c: c.update(rms_norm_eps=1e-6)),
    "a part's option": _edit("config.json", lambda c: c["text_config"].update(num_hidden_layers=3)),
    "how it is quantised": _edit("config.json", lambda c: c.update(quantization_config={"dtype": "int8"})),
}


@pytest.mark.parametrize("name", CONTENTS)
def test_every_value_of_weights_counts(tmp_path: Path, name: str) -> None:
    before = weights_digest(model(tmp_path / "a"))
    other = model(tmp_path / "b")
    CONTENTS[name](other)
    assert weights_digest(other) != before


def test_the_head_counts_where_it_is_not_tied(tmp_path: Path) -> None:
    plain, twice = (model(tmp_path / name, tie_word_embeddings=False) for name in "ab")
    _head_twice(twice)
    assert weights_digest(plain) != weights_digest(twice)


@pytest.mark.parametrize(
    ("changed", "same"),
    [
        ({"peft_version": "0.30.0", "a_new_option": None, "another": False}, True),
        ({"runtime_config": {"ephemeral_gpu_offload": False}, "a_list": []}, True),
        ({"layers_to_transform": 0}, False),
        ({"base_model_name_or_path": "elsewhere", "inference_mode": True, "lora_dropout": 0.1}, True),
        ({"target_modules": ["v_proj", "q_proj"], "lora_alpha": 16.0}, True),
        ({"r": 16}, False),
        ({"lora_alpha": 17}, False),
        ({"target_modules": ["q_proj"]}, False),
        ({"use_rslora": True}, False),
        ({"rank_pattern": {"q_proj": 4}}, False),
    ],
)
def test_of_an_adapters_options_those_count_that_are_set(tmp_path: Path, changed: dict[str, Any], same: bool) -> None:
    before, after = adapter(tmp_path / "a"), adapter(tmp_path / "b", **changed)
    assert (weights_digest(before) == weights_digest(after)) is same


def test_an_adapters_values_count(tmp_path: Path) -> None:
    folder = adapter(tmp_path / "a")
    before = weights_digest(folder)
    save_file({"q_proj.lora_A.weight": torch.full((8, 8), 1.0001)}, folder / "adapter_model.safetensors")
    assert weights_digest(folder) != before


def test_pickled_weights_count_by_what_is_in_them(tmp_path: Path) -> None:
    """The archive holds the name it was written under, and stamps of its own."""
    for name, file, value in (("a", "pytorch_model.bin", 1), ("b", "other.bin", 1), ("c", "pytorch_model.bin", 2)):
        (tmp_path / name).mkdir()
        torch.save({"weight": torch.full((4,), value)}, tmp_path / name / file)
        (tmp_path / name / file).rename(tmp_path / name / "pytorch_model.bin")
    a, b, c = (weights_digest(tmp_path / name) for name in "abc")
    assert a == b != c


def test_damaged_weights_are_one_line(tmp_path: Path) -> None:
    folder = model(tmp_path / "a")
    whole = (folder / "model.safetensors").read_bytes()
    for content, said in ((whole[:-8], "cut off"), (b"", "no safetensors file"), (b"\xff" * 64, "no safetensors file")):
        (folder / "model.safetensors").write_bytes(content)
        with pytest.raises(ModelError, match=said) as error:
            weights_digest(folder)
        assert "\n" not in str(error.value)
    (folder / "model.safetensors").write_bytes(whole)
    (folder / "config.json").write_text("{")
    with pytest.raises(ModelError, match=r"config\.json cannot be read"):
        weights_digest(folder)


def test_a_missing_part_of_sharded_weights_is_named(tmp_path: Path) -> None:
    folder = model(tmp_path / "a")
    _sharded(folder)
    (folder / "model-00002-of-00002.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model-00002-of-00002\.safetensors is missing"):
        weights_digest(folder)


@given(st.dictionaries(st.text(), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)))
def test_the_order_of_keys_does_not_count(value: dict[str, Any]) -> None:
    assert text_digest(value) == text_digest(dict(reversed(value.items())))
    assert text_digest(value) != text_digest({**value, "one more": 1, "\0": 2})


# The stamps by which a digest is remembered.


def _settle(folder: Path) -> None:
    """Let the files of a folder be old enough for their stamps to be trusted."""
    for file in folder.iterdir():
        os.utime(file, (time.time() - 100, time.time() - 100))


def test_a_digest_is_remembered_as_long_as_the_files_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model(tmp_path / "a")
    _settle(folder)
    first = weights_digest(folder)
    monkeypatch.setattr(stamps, "_known", {})  # as another process
    monkeypatch.setattr(digests, "_tensors", lambda _: pytest.fail("computed again"))
    assert weights_digest(folder) == first


def test_a_changed_file_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model(tmp_path / "a")
    _settle(folder)
    first = weights_digest(folder)
    _one_value(folder)
    assert weights_digest(folder) != first
    monkeypatch.setattr(stamps, "_known", {})
    assert weights_digest(folder) != first


def test_a_file_changed_a_moment_ago_is_not_trusted_by_its_stamp(tmp_path: Path) -> None:
    """Written twice within what a file system's clock can tell apart."""
    folder = model(tmp_path / "a")
    first = weights_digest(folder)
    stat = (folder / "model.safetensors").stat()
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-1] + b"\x01")
    os.utime(folder / "model.safetensors", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert weights_digest(folder) != first


def test_a_copy_that_keeps_the_time_is_read_again(tmp_path: Path) -> None:
    """As rsync and images leave files: another content under the same size and time."""
    folder = model(tmp_path / "a")
    _settle(folder)
    first, stat = weights_digest(folder), (folder / "model.safetensors").stat()
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(content[:-1] + b"\x01")
    os.utime(folder / "model.safetensors", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert weights_digest(folder) != first


@pytest.mark.parametrize("content", ["", "{", "[1]", '["stamp"]', "[[], 3]", "null", "[null, null]"])
def test_a_broken_memory_is_computed_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str) -> None:
    folder = model(tmp_path / "a")
    _settle(folder)
    first = weights_digest(folder)
    memory = list((Path(os.environ["ALPHA_UMI_CACHE"]) / "stamps").iterdir())
    assert memory
    for file in memory:
        file.write_text(content)
    monkeypatch.setattr(stamps, "_known", {})
    assert weights_digest(folder) == first


def test_no_place_to_remember_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ALPHA_UMI_CACHE", str(tmp_path / "file" / "cache"))
    folder = model(tmp_path / "a")
    _settle(folder)
    assert weights_digest(folder) == weights_digest(folder)


# What stands beside weights: tokenizers, chat templates, prompts, data.


def _tokenizer(tokenizer: Any, change: Callable[[dict[str, Any]], object]) -> Any:
    """The tokenizer with its written form changed."""
    written = json.loads(tokenizer.backend_tokenizer.to_str())
    change(written)
    changed = copy.deepcopy(tokenizer)
    changed._tokenizer = Tokenizer.from_str(json.dumps(written))
    return changed


def _pairs_as_text(written: dict[str, Any]) -> None:
    """As tokenizers before 0.20 wrote merges."""
    written["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in written["model"]["merges"]]


def _swap_last_merges(written: dict[str, Any]) -> None:
    merges = written["model"]["merges"]
    merges[-1], merges[-2] = merges[-2], merges[-1]


def test_a_tokenizer_counts_by_how_it_encodes(tokenizer: Any, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    before = tokenizer_digest(tokenizer)
    assert tokenizer_digest(_tokenizer(tokenizer, _pairs_as_text)) == before
    assert tokenizer_digest(_tokenizer(tokenizer, lambda w: w.update(truncation=None, padding=None))) == before
    tokenizer.save_pretrained(tmp_path)
    assert tokenizer_digest(AutoTokenizer.from_pretrained(tmp_path)) == before
    assert tokenizer_digest(_tokenizer(tokenizer, _swap_last_merges)) != before
    assert tokenizer_digest(_tokenizer(tokenizer, lambda w: w.update(normalizer={"type": "NFKC"}))) != before
    half = {"type": "Replace", "pattern": {"String": "½"}, "content": "1/2"}  # of nothing in the text that is tried
    assert tokenizer_digest(_tokenizer(tokenizer, lambda w: w.update(normalizer=half))) != before
    greedy = _tokenizer(tokenizer, lambda w: [token.update(rstrip=True) for token in w["added_tokens"]])
    assert tokenizer_digest(greedy) != before
    more = copy.deepcopy(tokenizer)
    more.add_special_tokens({"additional_special_tokens": ["<|tide|>"]})
    assert tokenizer_digest(more) != before


def test_a_chat_template_counts_by_what_it_writes(tokenizer: Any) -> None:
    def digest(template: str) -> str:
        changed = copy.deepcopy(tokenizer)
        changed.chat_template = template
        return ChatEncoder(changed).template_digest

    template = str(tokenizer.chat_template)
    assert digest(template + "{# a note #}") == digest(template)
    assert digest(template.replace("a helpful AI", "an AI")) == digest(template)  # of a prompt that is never sent
    assert digest(template.replace("<|im_start|>", "<|im_start|> ")) != digest(template)
    assert digest(template.replace("['content']", "['content'] | trim")) != digest(template)
    assert digest(FAMILIES["llama"].template) != digest(template)


def test_the_prompts_count_by_their_texts(tmp_path: Path) -> None:
    def digest(name: str, change: Callable[[bytes], bytes]) -> str:
        folder = shutil.copytree(root() / "prompts" / "shared", tmp_path / name)
        for file in folder.glob("*.jinja"):
            file.write_bytes(change(file.read_bytes()))
        return prompt_digest(load_layout(str(folder)), first_roles())

    before = digest("a", lambda text: text)
    assert before == "421948f16e5e1f65"  # of the team that ships
    assert digest("b", lambda text: text.replace(b"\n", b"\r\n")) == before
    assert digest("c", lambda text: text.replace(b"tool", b"Tool")) != before


TIDES = Trajectory(
    id="tides-1",
    query="When is high water at Brix?",
    tools=(Tool(name="tide_table", parameters={"type": "object", "properties": {"port": {}, "day": {}}}),),
    steps=(
        Step(
            plan=Plan(rationale="I need the table.", decision="call"),
            call=Call(tool="tide_table", arguments={"port": "BRX", "day": 2}),
            observation=Observation(text="14:10"),
        ),
    ),
    meta={"split": "train", "kind": "x"},
)


def _lines(folder: Path, *values: dict[str, Any], end: str = "\n") -> str:
    folder.mkdir()
    text = "".join(json.dumps(value) + end for value in values)
    (folder / store.TRAJECTORIES).write_bytes(text.encode())
    return store.digest(folder)


def test_data_counts_by_its_trajectories(tmp_path: Path) -> None:
    value = TIDES.model_dump(mode="json")
    short = TIDES.model_dump(mode="json", exclude_defaults=True)
    before = _lines(tmp_path / "a", value)
    assert _lines(tmp_path / "b", short) == before
    assert _lines(tmp_path / "c", dict(reversed(value.items()))) == before
    assert _lines(tmp_path / "d", value, end="\r\n") == before
    assert _lines(tmp_path / "e", value, end="\n\n") == before
    assert _lines(tmp_path / "f", value | {"meta": {"kind": "x", "split": "train"}}) == before
    assert _lines(tmp_path / "g", value | {"query": "When is high water at Brix? "}) != before
    assert _lines(tmp_path / "h", value, value) != before


def test_the_order_of_what_a_model_is_shown_counts(tmp_path: Path) -> None:
    """Arguments and properties are written into prompts in their order."""
    value = TIDES.model_dump(mode="json")
    before = _lines(tmp_path / "a", value)
    arguments = copy.deepcopy(value)
    arguments["steps"][0]["call"]["arguments"] = {"day": 2, "port": "BRX"}
    properties = copy.deepcopy(value)
    properties["tools"][0]["parameters"]["properties"] = {"day": {}, "port": {}}
    assert len({before, _lines(tmp_path / "b", arguments), _lines(tmp_path / "c", properties)}) == 3


def test_a_recipe_counts_by_what_decides_the_weights(tmp_path: Path) -> None:
    from alpha_umi.training.recipe import load_recipe
    from alpha_umi.training.run_folder import recipe_digest

    def digest(*overrides: str) -> str:
        return recipe_digest(load_recipe("cpu", overrides=overrides))

    (tmp_path / "zero.json").write_bytes(b'{"b": 1,\r\n "a": {"x": 2}}')
    (tmp_path / "same.json").write_text('{"a": {"x": 2}, "b": 1}')
    (tmp_path / "other.json").write_text('{"a": {"x": 3}, "b": 1}')
    zero, same, other = (digest(f"deepspeed={tmp_path / name}.json") for name in ("zero", "same", "other"))
    assert zero == same != other
    before = digest()
    for carrier in ("name=x", "description=y", "data=/elsewhere", "wandb=true", "log_steps=7", "save_steps=9"):
        assert digest(carrier) == before, carrier
    for content in ("seed=7", "context=1024", "precision=fp32", "stages.planner.learning_rate=0.5", "team=umi"):
        assert digest(content) != before, content


def test_the_room_to_write_counts_beside_the_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    from alpha_umi.team_files import load_team
    from alpha_umi.training import run_folder
    from alpha_umi.training.recipe import load_recipe

    team = load_team("umi-shared")
    before = run_folder.prompts_digest(load_recipe("cpu"))
    longer = team.caller.generation.model_copy(update={"max_new_tokens": 999})
    longer_team = team.with_role("caller", generation=longer)
    monkeypatch.setattr("alpha_umi.training.team.load_team", lambda _: longer_team)
    assert run_folder.prompts_digest(load_recipe("cpu")) != before


def test_a_backbone_counts_by_its_base_and_its_adapter(tmp_path: Path) -> None:
    one, same, other = adapter(tmp_path / "a"), adapter(tmp_path / "b", peft_version="9"), adapter(tmp_path / "c", r=4)
    assert backbone_digest("2:x", one) == backbone_digest("2:x", same)
    assert len({backbone_digest("2:x", one), backbone_digest("2:y", one), backbone_digest("2:x", other)}) == 3


def test_a_task_counts_by_what_is_set_in_it() -> None:
    from alpha_umi.evaluation.agentic.task_selection import task_digest

    task = Task(id="tides-1", query=TIDES.query, tools=TIDES.tools, gold=TIDES)
    again = Task.model_validate_json(task.model_dump_json(exclude_defaults=True))
    assert task_digest(again) == task_digest(task) != task_digest(task.model_copy(update={"query": "When?"}))


def test_the_first_rule_covered_bytes_and_the_version_in_them(tmp_path: Path) -> None:
    """What cards of the first releases say: SHA-256 of names and bytes, config.json first."""
    folder = model(tmp_path / "a")
    config, weights = (folder / "config.json").read_bytes(), (folder / "model.safetensors").read_bytes()
    then = hashlib.sha256(b"config.json" + config + b"model.safetensors" + weights).hexdigest()[:16]
    assert first_weights_digest(folder) == then
    (folder / "config.json").write_bytes(config.replace(b"5.23.0", b"5.99.1"))
    assert first_weights_digest(folder) != then
    assert first_weights_digest(folder, transformers="5.23.0") == then


def test_what_another_rule_made_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A card was once written from the memory of an earlier form of the rule."""
    folder = model(tmp_path / "a")
    _settle(folder)
    first = weights_digest(folder)
    (tmp_path / "rule.py").write_text("one")
    assert stamps.rule_of(str(tmp_path / "rule.py")) != stamps.rule_of(digests.__file__) == digests._RULE
    monkeypatch.setattr(digests, "_RULE", stamps.rule_of(str(tmp_path / "rule.py")))
    monkeypatch.setattr(digests, "_tensors", lambda _: [])
    assert weights_digest(folder) != first
