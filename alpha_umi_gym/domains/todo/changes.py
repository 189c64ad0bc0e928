"""What people want changed on a to-do list: new tasks, tasks that are done, other dates and priorities."""

from __future__ import annotations

from alpha_umi_gym.domains.todo import tools
from alpha_umi_gym.domains.todo.slots import ANY, DATED, DAYS_LATER, NEW, NEW_DATE, OPEN, PRIORITY, RANKED
from alpha_umi_gym.intents import Gives, Intent
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


CHANGES = (
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
