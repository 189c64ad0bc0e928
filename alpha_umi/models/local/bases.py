"""Which weights a base means: a local folder, what an installed package carries, or a hub id, tried in that order.

Imports neither torch nor transformers: what is not there is said at once.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from alpha_umi import resources
from alpha_umi.digests import SCHEME, first_weights_digest, weight_files, weights_digest
from alpha_umi.errors import MissingExtra, ModelError
from alpha_umi.model_card import Card
from alpha_umi.models.local.packaged import converted, how_to_get

PATIENCE = 2.0
"""Seconds within which a hub must have taken the connection; $HF_HUB_ETAG_TIMEOUT, where it is set, in their place."""

_ANSWER = 5.0
"""Seconds that a hub which took the connection has to answer."""

_REMEMBERED = 60.0
"""Seconds for which what was found out about a hub holds: one command asks many times."""

_READ = ["*.json", "*.safetensors", "*.jinja", "*.model", "*.txt"]
"""Files of a hub's model that are read here."""

_NOT_READ = ["*/*", "consolidated*"]

_found: dict[str, tuple[float, str | None]] = {}
"""When each endpoint was asked, and what kept it from answering."""


def resolve_base(base: str) -> str:
    """A folder, or a hub id, that transformers can load.

    Raises:
        ModelError: a path that is no model folder, or a hub id that is not on this machine while no hub answers.
        WorkError: a packaged base cannot be converted here.
    """
    path = resources.user_path(base)
    if path.is_dir():
        if not (path / "config.json").is_file():
            raise ModelError(f"{path} holds no model: it has no config.json")
        return str(path)
    if path.is_file():
        raise ModelError(f"{path} is a file: a base is a model folder or a hub id")
    if (folder := converted(base)) is not None:
        return str(folder)
    if base.count("/") > 1 or base.startswith((".", "/", "~")) or base.endswith((".gguf", ".yaml")):
        raise ModelError(f"there is no model folder {path}")
    if not _is_downloaded(base) and (reason := no_hub(base)) is not None:
        raise ModelError(f"the model '{base}' is not on this machine, and {reason}{how_to_get(base)}")
    return base


def base_folder(base: str) -> Path:
    """The folder that holds a base; a hub's is downloaded first, or taken as it was downloaded where no hub answers.

    Raises:
        ModelError: the base cannot be found.
        WorkError: a packaged base cannot be converted here.
    """
    found = resolve_base(base)
    if Path(found).is_dir():
        return Path(found)
    from huggingface_hub import snapshot_download

    here = no_hub(found) is not None
    try:
        folder = Path(snapshot_download(found, allow_patterns=_READ, ignore_patterns=_NOT_READ, local_files_only=here))
        if not weight_files(folder):  # an old model, pickled
            snapshot_download(found, allow_patterns=["*.bin"], ignore_patterns=_NOT_READ, local_files_only=here)
    except (OSError, ValueError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ModelError(f"the model '{base}' cannot be downloaded: {reason}{how_to_get(base)}") from error
    return folder


def base_digest(base: str) -> str:
    """Digest of a base's weights and configuration (`digests.weights_digest`).

    Raises:
        ModelError: the base cannot be found, or holds no weights.
        WorkError: a packaged base cannot be converted here.
    """
    folder = base_folder(base)
    if not weight_files(folder):
        raise ModelError(f"the model '{base}' holds no weights: there are none in {folder}")
    return weights_digest(folder)


def continued(card: Card, base: str) -> bool:
    """Whether a card's weights continued from a base, by the rule of the card's own time: the first covered bytes, in
    which the version of transformers stood."""
    if card.base_digest.startswith(SCHEME):
        return card.base_digest == base_digest(base)
    first = first_weights_digest(base_folder(base), transformers=card.versions.get("transformers"))
    return card.base_digest in {base, first}


def no_hub(base: str) -> str | None:
    """Why no hub can be asked for a hub id just now; None where one answers, whatever it says.

    huggingface_hub repeats each request for half a minute before it says so, and there are several. So its own
    client, with the user's proxies, certificates and mirror, asks once for what is downloaded first.
    """
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        return "HF_HUB_OFFLINE is set"
    asked, reason = _found.get(constants.ENDPOINT, (float("-inf"), None))
    if time.monotonic() - asked > _REMEMBERED:
        reason = _ask(f"{constants.ENDPOINT}/{base}/resolve/main/config.json")
        _found[constants.ENDPOINT] = (time.monotonic(), reason)
    return None if reason is None else f"{constants.ENDPOINT} cannot be reached: {reason}"


def _ask(address: str) -> str | None:
    """What keeps an address from answering; None when it does, with whatever status."""
    from huggingface_hub import get_session

    session = get_session()
    moved, failed = threading.Event(), list[str]()

    def watch(name: str, _: dict[str, Any]) -> None:
        if name == "connection.connect_tcp.complete":
            moved.set()

    def ask() -> None:
        try:
            session.head(address, timeout=_ANSWER, follow_redirects=False, extensions={"trace": watch})
        except Exception as error:  # httpx's or its successor's, as huggingface_hub's version has it
            failed.append(str(error) or type(error).__name__)
        moved.set()

    # In a thread: neither a resolver nor the many addresses of a host keep to one time limit.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    patience = float(os.environ.get("HF_HUB_ETAG_TIMEOUT") or PATIENCE)
    if not moved.wait(patience):
        return f"no connection within {patience:g} s (HF_HUB_ETAG_TIMEOUT=30 waits longer)"
    asking.join(_ANSWER)
    if asking.is_alive():
        return f"no answer within {_ANSWER:g} s"
    return failed[0] if failed else None


def _is_downloaded(base: str) -> bool:
    """Whether a hub id was downloaded before, at least in part.

    Raises:
        ModelError: it is no hub id.
        MissingExtra: `huggingface_hub` is not installed.
    """
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError as missing:
        raise MissingExtra(f"the model '{base}'", "local", missing, more=how_to_get(base)) from missing
    try:
        return isinstance(try_to_load_from_cache(base, "config.json"), str)
    except HFValidationError as error:
        raise ModelError(f"'{base}' is neither a model folder nor a hub id") from error
