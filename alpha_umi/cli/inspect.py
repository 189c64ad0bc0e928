"""`alpha-umi data inspect`: a look at every token as it will be trained."""

from __future__ import annotations

import bisect
import itertools
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer
from rich.console import Console
from rich.text import Text

from alpha_umi.data import store
from alpha_umi.errors import DataError, UsageError
from alpha_umi.roles import DEFAULT_BASE, OBSERVATION_CHARS
from alpha_umi.text.layouts import load_layout
from alpha_umi.text.prompts import Conversation, conversations

if TYPE_CHECKING:
    from alpha_umi.text.encoders import Encoder
    from alpha_umi.trajectory import Trajectory

_HELP = """Show each token with the role that wrote it, and whether it is trained.

Colours on a terminal; in a pipe, [[ and ]] stand around what is trained.

Example: alpha-umi data inspect data/ood --role planner --layout paper -n 2
"""


def register(app: typer.Typer) -> None:
    """Add the verb."""
    app.command("inspect", help=_HELP, short_help="Show each token, its role, and if it is trained.")(inspect)


def inspect(
    data: Annotated[str, typer.Argument(metavar="DIR", help="A folder made by `data convert`, or its .jsonl file.")],
    *,
    role: Annotated[str, typer.Option(help="Whose training row.")] = "planner",
    layout: Annotated[
        str, typer.Option(help="How the conversation is laid out: a name that ships, or a folder.")
    ] = "shared",
    n: Annotated[int, typer.Option("-n", help="How many trajectories.")] = 1,
    id_: Annotated[str | None, typer.Option("--id", help="Show the trajectory with this id.")] = None,
    base: Annotated[str, typer.Option(help="Whose tokenizer: a folder or a hub id.")] = DEFAULT_BASE,
    observation_chars: Annotated[int, typer.Option(help="Longer observations lose their middle.")] = OBSERVATION_CHARS,
    recipe: Annotated[
        str | None, typer.Option(help="Take roles, layout, tokenizer and observation length from this recipe.")
    ] = None,
    each: Annotated[
        bool, typer.Option("--tokens", help="One token a line: position, id, role, trained, text.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a trajectory.")] = False,
) -> None:
    """Show each token with the role that wrote it, and whether it is trained."""
    if n < 1:
        raise UsageError(f"-n must be at least 1, not {n}")
    chosen = list(_choose(data, n, id_))
    context, date, roles = None, None, None
    wording = load_layout(layout)
    if recipe is not None:
        from alpha_umi.training.recipe import load_recipe

        plan = load_recipe(recipe)
        wording, base, observation_chars, context = plan.layout, plan.base, plan.observation_chars, plan.context
        date, roles = plan.date, plan.filled.roles
    from alpha_umi.models.local.bases import resolve_base

    resolve_base(base)  # what is not there is said before torch is imported, which takes seconds
    from alpha_umi.models.local.base_weights import load_encoder

    encoder = load_encoder(base, wording, date=date)
    rendered = (
        (trajectory, conversation)
        for trajectory in chosen
        for conversation in conversations(
            trajectory, role=role, layout=wording, roles=roles, observation_chars=observation_chars
        )
    )
    for trajectory, conversation in rendered:
        tokens = _label(conversation, encoder, role)
        trained, targets = sum(t.trained for t in tokens), sum(t.role == role for t in conversation.targets)
        if as_json:
            facts = {"id": trajectory.id, "trained": trained, "targets": targets}
            typer.echo(json.dumps({**facts, "tokens": [token._asdict() for token in tokens]}))
        else:
            typer.echo(f"== {trajectory.id}: {len(tokens)} tokens, {trained} trained, {targets} targets")
            if context is not None and len(tokens) > context:
                typer.echo(
                    f"   longer than the context of {context}: late targets are trained with less of observations"
                )
            _show(tokens, encoder, each=each)


def _choose(data: str, n: int, id_: str | None) -> Iterator[Trajectory]:
    found = 0
    for trajectory in store.read(data):
        if id_ is None or trajectory.id == id_:
            found += 1
            yield trajectory
        if found == (n if id_ is None else 1):
            return
    if id_ is not None and not found:
        raise DataError(f"{data} holds no trajectory with the id '{id_}'")


class _Token(NamedTuple):
    id: int
    role: str
    trained: bool


def _label(conversation: Conversation, encoder: Encoder, role: str) -> list[_Token]:
    """Each token of a training row with its role; a template's own tokens count with what stands before them."""
    messages, targets, spoken = conversation
    written = encoder.row(messages, trained={i for i, m in enumerate(messages) if m.role == "assistant"})
    trained = encoder.row(messages, trained={target.message for target in targets if target.role == role}).trained
    first = written.trained.index(True) if True in written.trained else len(written.ids)
    if messages[0].role == "text":
        said = zip(written.ids, written.trained, trained, strict=True)
        return [_Token(i, role if own else "prompt", learned) for i, own, learned in said]
    system = messages[0].content

    def holds_system(end: int) -> bool:
        return system in str(encoder.tokenizer.decode(written.ids[:end]))

    boundary = bisect.bisect_left(range(first), True, key=holds_system)
    speakers = iter(spoken)
    roles: list[str] = []
    for own, run in itertools.groupby(enumerate(written.trained), key=lambda item: item[1]):
        speaker = next(speakers) if own else ""
        roles += [speaker or ("system" if i < boundary else "user") for i, _ in run]
    return [_Token(*values) for values in zip(written.ids, roles, trained, strict=True)]


def _spans(tokens: list[_Token], encoder: Encoder) -> Iterator[tuple[str, str, bool]]:
    """Text, role and whether trained, of each run of tokens alike (a token alone may be half a character)."""
    for (role, trained), run in itertools.groupby(tokens, key=lambda token: token[1:]):
        yield str(encoder.tokenizer.decode([token.id for token in run])), role, trained


_COLOURS = {"system": "blue", "prompt": "blue", "user": "cyan"}
_TRAINED = "bold black on green"


def _show(tokens: list[_Token], encoder: Encoder, *, each: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    text = Text()
    if each:
        for i, token in enumerate(tokens):
            shown = repr(encoder.tokenizer.decode([token.id]))
            line = f"{i:>6} {token.id:>7} {token.role:<9} {'trained' if token.trained else '-':<7} {shown}\n"
            text.append(line, style=_TRAINED if token.trained else _COLOURS.get(token.role, "magenta"))
    else:
        for shown, role, trained in _spans(tokens, encoder):
            marked = f"[[{shown}]]" if trained and not console.is_terminal else shown
            text.append(marked, style=_TRAINED if trained else _COLOURS.get(role, "magenta"))
    if console.is_terminal:
        console.print(text)
    else:
        typer.echo(text.plain)
