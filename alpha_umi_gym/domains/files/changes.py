"""What is wanted of a file store beyond looking: writing, appending, renaming, copying and deleting."""

from __future__ import annotations

from alpha_umi_gym.domains.files.slots import NEW_PATH, TEXT, path_of
from alpha_umi_gym.domains.files.tools import append_file, copy_file, delete_file, rename_file, write_file
from alpha_umi_gym.intents import Gives, Intent, Values

_PATH = path_of(None)


def _text(values: Values) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}


CHANGING = (
    Intent(
        tool=write_file,
        slots={"path": NEW_PATH, "text": TEXT},
        goals=(
            "save {text}, and nothing else, in the new file {path}",
            "write {text} into a new file {path} as its only text",
            "create the file {path} with exactly {text} in it",
            "make a file {path} whose whole text is {text}",
        ),
        asks=(
            "I need a new file {path}. Its whole text should be {text}.",
            "Please start the file {path}; nothing but {text} is to be in it.",
            "Before I forget: put {text} into a file of its own, {path}, without any other words.",
            "There should be a file {path} that says {text} and no more. Please write it.",
        ),
        found="the file {path} is written",
        answers=("I saved it in {path}.", "The file {path} is written."),
        arguments=_text,
        changes=True,
        weight=1.5,
    ),
    Intent(
        tool=write_file,
        slots={"path": _PATH, "text": TEXT},
        goals=(
            "replace the whole text of {path} by {text}",
            "overwrite {path} with exactly {text}",
            "let {path} say {text} and nothing else, instead of what it says now",
        ),
        asks=(
            "What is in {path} is wrong. Replace all of it by {text}.",
            "Nobody needs the old text of {path}. From now on only {text} should be in it.",
            "Please overwrite {path}; the new text is {text}, nothing more.",
        ),
        found="the file {path} is overwritten",
        answers=("I replaced the text of {path}.", "The file {path} has its new text."),
        arguments=lambda v: {**_text(v), "overwrite": True},
        changes=True,
    ),
    Intent(
        tool=append_file,
        slots={"path": _PATH, "text": TEXT},
        goals=(
            "add {text} as a new line at the end of {path}",
            "append {text} to {path} as a line of its own",
            "put {text} on a line of its own below what is in {path}",
        ),
        asks=(
            "Something is missing at the end of {path}: a line with {text}. Add it.",
            "Keep {path} as it is, but let it end with one more line: {text}.",
            "One more line for {path}, please, at the end: {text}.",
        ),
        found="the line is added to {path}",
        answers=("I added the line to {path}.", "The file {path} has one more line now."),
        arguments=_text,
        changes=True,
        rivals=("write_file",),
    ),
    Intent(
        tool=append_file,
        slots={"path": _PATH, "text": TEXT},
        goals=(
            "add {text} as a new line at the end of {path} and name its size in bytes after that",
            "append {text} to {path} as a line of its own and report how many bytes it has then",
            "put {text} on a line of its own at the end of {path} and say how many bytes that makes in all",
        ),
        asks=(
            "Add the line {text} at the end of {path}. How many bytes does the file have then?",
            "One more line for {path}: {text}. Tell me the new size in bytes.",
            "Let {path} end with one more line, {text}. How large does that make it, in bytes?",
        ),
        gives=Gives(
            kind="count",
            read="bytes",
            nouns=(
                "the size of {path} in bytes after you have added the line {text}",
                "the number of bytes in {path} once you have appended the line {text}",
                "the byte count of {path} with the line {text} added by you",
            ),
        ),
        found="the line is added to {path}, which has {out} bytes now",
        answers=("The file {path} has one more line and {out} bytes now.", "I added the line; it has {out} bytes now."),
        arguments=_text,
        changes=True,
        rivals=("write_file",),
        weight=0.5,
    ),
    Intent(
        tool=rename_file,
        slots={"path": _PATH, "new_path": NEW_PATH},
        goals=(
            "rename {path} to {new_path}",
            "give {path} the new name {new_path}",
            "move {path} to {new_path}",
            "let {path} be called {new_path} from now on",
        ),
        asks=(
            "{path} has the wrong name. It should be {new_path}.",
            "I cannot find anything with these names. Call {path} {new_path} instead.",
            "Please change the name of {path}; {new_path} is better.",
            "From today on {path} should be {new_path}. Rename it.",
        ),
        found="the file {path} is {new_path} now",
        answers=("The file {path} is called {new_path} now.", "I renamed {path} to {new_path}."),
        changes=True,
        rivals=("copy_file", "write_file"),
    ),
    Intent(
        tool=copy_file,
        slots={"path": _PATH, "new_path": NEW_PATH},
        goals=(
            "copy {path} to {new_path}",
            "make a copy of {path} and call it {new_path}",
            "duplicate {path} under the name {new_path}",
            "save a second copy of {path} as {new_path}",
        ),
        asks=(
            "Before I change {path}, I want a copy of it in {new_path}.",
            "I am afraid of losing {path}. Copy it to {new_path}, please.",
            "There should be the same text in {path} and in {new_path}. Make the copy.",
            "Please put a duplicate of {path} at {new_path}.",
        ),
        found="the file {path} is copied to {new_path}",
        answers=("The file {path} is copied to {new_path}.", "I made the copy {new_path}."),
        changes=True,
        rivals=("write_file",),
    ),
    Intent(
        tool=delete_file,
        slots={"path": _PATH},
        goals=(
            "delete {path}",
            "throw {path} away",
            "remove {path} from the store",
            "get rid of {path}",
        ),
        asks=(
            "I do not need {path} any more. Delete it.",
            "Nobody should ever see {path}, so remove it.",
            "There is too much here; please clear away {path}.",
            "You may delete {path} now.",
        ),
        found="the file {path} is deleted",
        answers=("The file {path} is deleted.", "I deleted {path}."),
        changes=True,
    ),
    Intent(
        tool=delete_file,
        slots={"path": _PATH},
        goals=(
            "delete {path} and count the files that are left in its folder",
            "throw {path} away and report how many files its folder has then",
            "remove {path} from the store and say how many files stay in its folder",
        ),
        asks=(
            "Delete {path}. How many files are left in its folder?",
            "I do not need {path}; throw it away and tell me how many files its folder has then.",
            "Get rid of {path}. What number of files remains in the folder?",
        ),
        gives=Gives(
            kind="number",
            read="left_in_folder",
            nouns=(
                "the number of files left in the folder after you have deleted {path}",
                "the number of files in the folder once you have thrown {path} away",
                "the count of files that stay in the folder when you delete {path}",
            ),
        ),
        found="the file {path} is deleted and the number of files left in its folder is {out}",
        answers=(
            "I deleted {path}; the number of files left is {out}.",
            "The number of files left in the folder is {out}.",
        ),
        changes=True,
        weight=0.5,
    ),
)
