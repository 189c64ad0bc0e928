"""The tables of `gym/cases`: one file a category, of calls and what they give, refuse and change.

A scalar is what it is in JSON: a date or a clock is text, `yes` is a word. `!times [x, 81]` is the text, so many times.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Hashable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import Field, field_validator, model_validator

from alpha_umi.config import parse_config, read_yaml
from alpha_umi.tools.function_tool import as_text
from alpha_umi.tools.protocol import Toolbox
from alpha_umi.trajectory import Call, Frozen, Observation
from alpha_umi_gym import generate
from alpha_umi_gym.domains.calendar.tools import calendar
from alpha_umi_gym.domains.files.tools import Files
from alpha_umi_gym.domains.mail.tools import mailbox
from alpha_umi_gym.domains.shop.database import Shop
from alpha_umi_gym.people import People
from alpha_umi_gym.registry import HELD_OUT, bound
from alpha_umi_gym.sampler import Split
from alpha_umi_gym.task import GymTask
from alpha_umi_gym.world import World

FOLDER = Path(__file__).parent / "gym" / "cases"


def read(text: str) -> Any:
    """A result, read as JSON where it is some."""
    try:
        return json.loads(text)
    except ValueError:
        return text


class Step(Frozen):
    """One call, and what is to be seen of it; a call of which nothing is said must succeed."""

    call: str
    given: Mapping[str, Any] = Field(default={}, alias="with")
    gives: Any = None
    """The whole result, to the letter."""
    tells: Mapping[str, Any] = {}
    """Some keys of the result."""
    refuses: str = ""
    """A part of the message; a `$` is its end."""
    keep: str = ""
    """A name for the result in later steps: `$name.key`."""
    changes: tuple[str, ...] | None = None
    """The parts of the world that differ from a fresh one afterwards."""
    state_has: str = ""
    """What stands in the state that they are in."""
    state_lacks: str = ""

    @model_validator(mode="after")
    def _one_outcome(self) -> Step:
        if self.refuses and (self.tells or self.keep or "gives" in self.model_fields_set):
            raise ValueError("what is refused gives nothing")
        return self

    def check(self, seen: Observation) -> None:
        """Hold an observation to what is said."""
        assert seen.ok is not bool(self.refuses), seen.text
        if self.refuses:
            end = self.refuses.endswith("$")
            assert self.refuses.removesuffix("$") in seen.text, seen.text
            assert not end or seen.text.removesuffix(".").endswith(self.refuses[:-1])
            assert "\n" not in seen.text
        if "gives" in self.model_fields_set:
            assert seen == Observation(text=as_text(self.gives))
        if self.tells:
            found = read(seen.text)
            assert isinstance(found, dict), found
            assert {key: found.get(key) for key in self.tells} == self.tells


class Table(Frozen):
    """What is known of one category by hand."""

    world: int = 0
    """Its seed."""
    before: tuple[Step, ...] = ()
    """Calls that come before each of those below, sequences aside."""
    gives: Mapping[str, tuple[tuple[Mapping[str, Any], Any], ...]] = {}
    """Tool -> arguments and the whole result."""
    tells: Mapping[str, tuple[tuple[Mapping[str, Any], Mapping[str, Any]], ...]] = {}
    """Tool -> arguments and some keys of the result."""
    refuses: Mapping[str, tuple[tuple[Mapping[str, Any], Annotated[str, Field(min_length=1)]], ...]]
    """Tool -> arguments and a part of the message, `$` at its end."""
    sequences: Mapping[str, tuple[Step, ...]] = {}
    """What holds -> calls on a fresh world, one after the other."""
    any_order: tuple[tuple[Step, ...], ...] = ()
    """Calls that change the same whichever comes first."""
    tasks: int = 100
    """As many are made to look at."""
    beside: tuple[str, ...] = ()
    """Categories whose tools serve the tasks too."""
    flows: tuple[tuple[str, str], ...] = ()
    """Tools of which one comes right after the other in some task."""
    held_out: Literal["all"] | frozenset[str]
    """The tools that training never sees."""

    @field_validator("sequences", mode="before")
    @classmethod
    def _flat(cls, raw: Any) -> Any:
        """Take steps that stand elsewhere (`- *by_hand`) in their place."""
        return {name: list(_leaves(steps)) for name, steps in raw.items()} if isinstance(raw, dict) else raw

    def cases(self) -> Iterator[tuple[str, Step]]:
        """Single calls, each with a name."""
        for kind in ("gives", "tells", "refuses"):
            for tool, rows in getattr(self, kind).items():
                for index, (given, wanted) in enumerate(rows):
                    step = Step.model_validate({"call": tool, "with": given, kind: wanted})
                    yield f"{tool}-{kind}-{index}", step


class Play:
    """Steps on one world."""

    def __init__(self, table: Table, *, seed: int | None = None) -> None:
        self.world = World(table.world if seed is None else seed)
        self._box: Toolbox = bound(self.world)
        self._names: dict[str, Any] = {}

    def step(self, step: Step) -> Observation:
        """Carry out one, and check it."""
        step = step.model_copy(
            update={
                name: self._filled(getattr(step, name))
                for name in ("given", "gives", "tells", "refuses", "state_has", "state_lacks")
                if name in step.model_fields_set
            }
        )
        seen = self._box.invoke(Call(tool=step.call, arguments=step.given))
        step.check(seen)
        if step.keep:
            self._names[step.keep] = read(seen.text)
        if step.changes is not None:
            changes = self.world.changes()
            assert set(changes) == set(step.changes), step
            assert step.state_has in str(changes)
            assert not step.state_lacks or step.state_lacks not in str(changes)
        return seen

    def _filled(self, value: Any) -> Any:
        """A value with `$person.name` and the like replaced."""
        if isinstance(value, Mapping):
            return {key: self._filled(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._filled(item) for item in value]
        if not isinstance(value, str):
            return value
        if whole := _NAME.fullmatch(value):
            return self._named(whole)
        return _NAME.sub(lambda name: str(self._named(name)), value)

    def _named(self, found: re.Match[str]) -> Any:
        """What a name stands for: a result that was kept, or what the world began with."""
        name, *keys = found[0].removeprefix("$").split(".")
        if name not in self._names:
            self._names[name] = _KNOWN[name](self.world)
        value = self._names[name]
        for key in keys:
            if isinstance(value, list):
                value = value[int(key)]
            else:
                value = value[key] if isinstance(value, dict) else getattr(value, key)
        return value


_NAME = re.compile(r"\$[a-z]+(\.\w+)*")
_KNOWN: dict[str, Callable[[World], Any]] = {
    "people": lambda world: list(world.part(People).persons.values()),
    "event": lambda world: next(iter(calendar(world).events.values())),
    "mail": lambda world: next(iter(mailbox(world).mails.values())),
    "file": lambda world: next(iter(world.part(Files).files)),
    "products": lambda world: world.part(Shop).texts("SELECT id FROM products ORDER BY id"),
    "orders": lambda world: dict(world.part(Shop).rows("SELECT status, min(id) FROM orders GROUP BY status")),
}


@functools.cache
def tables() -> dict[str, Table]:
    """The tables by category.

    Raises:
        ConfigError: a file is no table, with every mistake in it.
    """
    return {path.stem: table_in(path) for path in sorted(FOLDER.glob("*.yaml"))}


def table_in(path: Path) -> Table:
    """The table in a file."""
    return parse_config(Table, read_yaml(path, loader=_Loader), path)


@functools.cache
def domain_tasks(domain: str) -> tuple[GymTask, ...]:
    """Tasks about one category, of the split that its tools are seen in."""
    table = tables()[domain]
    split: Split = "unseen_categories" if domain in HELD_OUT else "train"
    return tuple(generate(table.tasks, seed=2, split=split, only=[domain, *table.beside]))


def _leaves(steps: Any) -> Iterator[Any]:
    for step in steps if isinstance(steps, list) else [steps]:
        if isinstance(step, list):
            yield from _leaves(step)
        else:
            yield step


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # not every wheel has C code
    """Reads scalars as JSON does and refuses a key that is given twice."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012  # the base class has it so

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [key.value for key, _ in node.value]
        if twice := [key for key in keys if keys.count(key) > 1]:
            raise yaml.constructor.ConstructorError(None, None, f"{twice[0]} is there twice", node.start_mark)
        found: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return found

    def times(self, node: yaml.SequenceNode) -> str:
        """A text, repeated, and what comes behind it."""
        text, count, *end = self.construct_sequence(node)
        return "".join((str(text) * int(count), *end))


for _tag, _pattern, _first in (
    ("null", r"null", "n"),
    ("bool", r"true|false", "tf"),
    ("int", r"-?(0|[1-9]\d*)", "-0123456789"),
    ("float", r"-?(0|[1-9]\d*)(\.\d+)?(e[+-]?\d+)?|\.inf", "-.0123456789"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(rf"(?:{_pattern})$"), list(_first))
_Loader.add_constructor("!times", _Loader.times)
