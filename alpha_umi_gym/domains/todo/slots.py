"""What fills the places of the to-do list's intents: its tasks by title, new tasks, and dates near those of the list.

The whole category is for test only, so its titles are not divided between train and test.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

from alpha_umi_gym.domains.todo.tools import PRIORITIES, TITLES, TodoList
from alpha_umi_gym.domains.unknown_people import far
from alpha_umi_gym.intents import Slot
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.slots import DATE, DAYS, date_ways


def _quoted(value: Any) -> Sequence[str]:
    return (f"'{value}'", f'"{value}"', f"the task '{value}'")


def _nowhere(d: Sampler) -> str:
    return far(lambda: d.any_value(TITLES), d.world.part(TodoList).tasks)


def _done(d: Sampler) -> str:
    return d.any_value([task.title for task in d.world.part(TodoList).tasks.values() if task.done])


def _task(*, due: bool = False, also_done: bool = False, until_done: bool = False) -> Slot:
    """A task of the list, open, or with a date, or any; `until_done` means that a done one is refused for good."""

    def drawn(d: Sampler) -> str:
        tasks = d.world.part(TodoList).tasks.values()
        fit = [task.title for task in tasks if (also_done or not task.done) and (task.due or not due)]
        return d.any_value(fit)

    return Slot(
        kind="task",
        draw=drawn,
        say=_quoted,
        refer=("that task", "this task"),
        vague=("the task I told you about", "that chore", "the thing for my mother"),
        unknown=lambda d: _done(d) if until_done and d.chances(0.5) else _nowhere(d),
        slip=lambda d, value: d.misspell(value),
    )


def _near(d: Sampler) -> str:
    """A date close to those of the list."""
    due = [task.due for task in d.world.part(TodoList).tasks.values() if task.due]
    first, last = datetime.date.fromisoformat(min(due)), datetime.date.fromisoformat(max(due))
    return d.date(first + datetime.timedelta(days=10), last + datetime.timedelta(days=10))


def _later(d: Sampler) -> str:
    """A date after those of the list."""
    last = datetime.date.fromisoformat(max(task.due or "" for task in d.world.part(TodoList).tasks.values()))
    return d.date(last + datetime.timedelta(days=1), last + datetime.timedelta(days=120))


OPEN, ANY = _task(), _task(due=True, also_done=True)
RANKED, DATED = _task(until_done=True), _task(due=True, until_done=True)
NEW = Slot(
    kind="new_task",
    draw=lambda d: d.any_value([title for title in TITLES if title not in d.world.part(TodoList).tasks]),
    say=lambda value: (f"'{value}'", f'"{value}"'),
    vague=("something", "the usual chore", "what we talked about"),
)
PRIORITY = Slot(kind="priority", draw=lambda d: d.any_value(PRIORITIES))
LIMIT = Slot(kind="date", draw=_near, say=date_ways, vague=DATE.vague)
NEW_DATE = Slot(kind="date", draw=_later, say=date_ways, vague=DATE.vague)
DAYS_LATER = Slot(
    kind="count",
    draw=lambda d: d.integer(2, 40),
    say=DAYS.say,
    refer=DAYS.refer,
    nests=False,
    vague=("a few days", "some days", "a while"),
)
