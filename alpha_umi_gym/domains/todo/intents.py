"""What people want from a to-do list: to see what there is to do, and when, and to have it changed."""

from __future__ import annotations

from collections.abc import Sequence

from alpha_umi_gym.domains.todo import tools
from alpha_umi_gym.domains.todo.slots import ANY, DATED, DAYS_LATER, LIMIT, NEW, NEW_DATE, OPEN, PRIORITY, RANKED
from alpha_umi_gym.intents import Category, Gives, Intent
from alpha_umi_gym.slots import listed
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


def _quoted(title: str) -> str:
    return f"'{title}'"


def _all_of(titles: Sequence[str]) -> str:
    return listed(map(_quoted, titles))


def _title(value: str) -> tuple[str]:
    return (value,)


_INTENTS = (
    Intent(
        tool=tools.task_due,
        words=_WORDS["task_due"],
        slots={"title": ANY},
        gives=Gives(kind="date", compares="date"),
        rivals=("next_task",),
    ),
    Intent(
        tool=tools.next_task,
        words=_WORDS["next_task_title"],
        gives=Gives(kind="text", read="title", say=_quoted, facts=_title),
        weight=0.6,
        rivals=("list_tasks",),
    ),
    Intent(
        tool=tools.next_task,
        words=_WORDS["next_task_title_of_priority"],
        slots={"priority": PRIORITY},
        gives=Gives(kind="text", read="title", say=_quoted, facts=_title),
        weight=0.6,
        rivals=("list_tasks",),
    ),
    Intent(
        tool=tools.next_task,
        words=_WORDS["next_task"],
        gives=Gives(kind="task", read="title", say=_quoted, facts=_title),
        root=False,
        rivals=("list_tasks",),
    ),
    Intent(
        tool=tools.next_task,
        words=_WORDS["next_task_of_priority"],
        slots={"priority": PRIORITY},
        gives=Gives(kind="task", read="title", say=_quoted, facts=_title),
        root=False,
        rivals=("list_tasks",),
    ),
    Intent(
        tool=tools.list_tasks,
        words=_WORDS["list_tasks"],
        slots={"priority": PRIORITY},
        gives=Gives(kind="titles", say=_all_of, facts=tuple),
    ),
    Intent(
        tool=tools.list_tasks,
        words=_WORDS["list_tasks_done"],
        arguments=lambda _: {"done": True},
        gives=Gives(kind="titles", say=_all_of, facts=tuple),
        weight=0.3,
    ),
    Intent(
        tool=tools.count_open_tasks,
        words=_WORDS["count_open_tasks"],
        gives=Gives(kind="count", compares="size"),
        rivals=("list_tasks",),
        weight=0.3,
    ),
    Intent(
        tool=tools.count_open_tasks,
        words=_WORDS["count_open_tasks_due_before"],
        slots={"due_before": LIMIT},
        gives=Gives(kind="count", compares="size"),
        rivals=("list_tasks",),
    ),
    Intent(
        tool=tools.count_open_tasks,
        words=_WORDS["count_open_tasks_of_priority"],
        slots={"priority": PRIORITY, "due_before": LIMIT},
        gives=Gives(kind="count", compares="size"),
        weight=0.6,
        rivals=("list_tasks",),
    ),
)

_CHANGES = (
    Intent(tool=tools.add_task, words=_WORDS["add_task"], slots={"title": NEW}, changes=True, weight=0.6),
    Intent(tool=tools.add_task, words=_WORDS["add_task_due"], slots={"title": NEW, "due": NEW_DATE}, changes=True),
    Intent(
        tool=tools.add_task,
        words=_WORDS["add_task_due_with_priority"],
        slots={"title": NEW, "due": NEW_DATE, "priority": PRIORITY},
        changes=True,
        weight=0.7,
    ),
    Intent(tool=tools.complete_task, words=_WORDS["complete_task"], slots={"title": OPEN}, changes=True),
    Intent(
        tool=tools.complete_task,
        words=_WORDS["complete_task_and_count"],
        slots={"title": OPEN},
        gives=Gives(kind="count", read="open_tasks", compares="size"),
        changes=True,
        weight=0.6,
    ),
    Intent(tool=tools.delete_task, words=_WORDS["delete_task"], slots={"title": ANY}, changes=True),
    Intent(
        tool=tools.set_priority,
        words=_WORDS["set_priority"],
        slots={"title": RANKED, "priority": PRIORITY},
        changes=True,
        rivals=("add_task",),
    ),
    Intent(
        tool=tools.postpone_task,
        words=_WORDS["postpone_task"],
        slots={"title": DATED, "days": DAYS_LATER},
        changes=True,
        weight=0.7,
        rivals=("add_task",),
    ),
    Intent(
        tool=tools.postpone_task,
        words=_WORDS["postpone_task_and_name_date"],
        slots={"title": DATED, "days": DAYS_LATER},
        gives=Gives(kind="date", read="due", compares="date"),
        changes=True,
        weight=0.5,
        rivals=("add_task",),
    ),
    Intent(
        tool=tools.postpone_task,
        words=_WORDS["postpone_task_to_date"],
        slots={"title": DATED, "new_date": NEW_DATE},
        changes=True,
        weight=0.7,
        rivals=("add_task",),
    ),
)

CATEGORY = Category(
    name="todo",
    tools=(
        tools.add_task,
        tools.complete_task,
        tools.task_due,
        tools.set_priority,
        tools.postpone_task,
        tools.list_tasks,
        tools.count_open_tasks,
        tools.delete_task,
        tools.next_task,
    ),
    intents=(*_INTENTS, *_CHANGES),
    alternatives={
        # A date that is too early is refused with the one that is due.
        "task_due": ("postpone_task", "count_open_tasks", "list_tasks"),
        "next_task": ("postpone_task",),
        "count_open_tasks": ("add_task",),
    },
    closed_sets=(frozenset(tools.PRIORITIES),),
)
