"""What is wanted of a file store beyond looking: writing, appending, renaming, copying and deleting."""

from __future__ import annotations

from alpha_umi_gym.domains.files import tools
from alpha_umi_gym.domains.files.slots import NEW_PATH, TEXT, path_of
from alpha_umi_gym.intents import Gives, Intent, Values
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


_PATH = path_of(None)


def _text(values: Values) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


CHANGING = (
    Intent(
        tool=tools.write_file,
        words=_WORDS["write_file"],
        slots={"path": NEW_PATH, "text": TEXT},
        arguments=_text,
        changes=True,
        weight=1.5,
    ),
    Intent(
        tool=tools.write_file,
        words=_WORDS["write_file_over"],
        slots={"path": _PATH, "text": TEXT},
        arguments=lambda v: {**_text(v), "overwrite": True},
        changes=True,
    ),
    Intent(
        tool=tools.append_file,
        words=_WORDS["append_file"],
        slots={"path": _PATH, "text": TEXT},
        arguments=_text,
        changes=True,
        rivals=("write_file",),
    ),
    Intent(
        tool=tools.append_file,
        words=_WORDS["append_file_and_name_size"],
        slots={"path": _PATH, "text": TEXT},
        gives=Gives(kind="count", read="bytes"),
        arguments=_text,
        changes=True,
        rivals=("write_file",),
        weight=0.5,
    ),
    Intent(
        tool=tools.rename_file,
        words=_WORDS["rename_file"],
        slots={"path": _PATH, "new_path": NEW_PATH},
        changes=True,
        rivals=("copy_file", "write_file"),
    ),
    Intent(
        tool=tools.copy_file,
        words=_WORDS["copy_file"],
        slots={"path": _PATH, "new_path": NEW_PATH},
        changes=True,
        rivals=("write_file",),
    ),
    Intent(tool=tools.delete_file, words=_WORDS["delete_file"], slots={"path": _PATH}, changes=True),
    Intent(
        tool=tools.delete_file,
        words=_WORDS["delete_file_and_count"],
        slots={"path": _PATH},
        gives=Gives(kind="number", read="left_in_folder"),
        changes=True,
        weight=0.5,
    ),
)
