"""The to-do list of a world, and the tools that read and change it.

A task is known by its title. What the tools are wanted for is in `todo`.
"""

from __future__ import annotations

import datetime
import random
from dataclasses import dataclass
from typing import Annotated, Any, Literal, get_args

from pydantic import Field

from alpha_umi_gym.domains.time.intents import Date, read_date
from alpha_umi_gym.lookup import find
from alpha_umi_gym.world import World

Priority = Literal["low", "normal", "high"]
Title = Annotated[str, Field(min_length=1, max_length=80)]
PRIORITIES: tuple[Priority, ...] = get_args(Priority)
TITLES = (
    "water the plants", "pay the rent", "call the plumber", "feed the cat", "clean the kitchen", "wash the car",
    "mow the lawn", "paint the fence", "buy new shoes", "renew the passport", "return the library books",
    "sort the photos", "repair the bicycle", "book the hotel", "write the report", "bake a cake", "iron the shirts",
    "tidy the garage", "order firewood", "plan the party", "read the contract", "clean the windows",
    "visit the dentist", "charge the batteries", "sell the old sofa", "prepare the slides", "pick up the parcel",
    "walk the dog", "defrost the freezer", "check the smoke alarm", "hang up the mirror", "buy stamps",
    "cancel the newspaper", "learn ten new words", "knit a scarf", "fix the doorbell", "empty the letterbox",
    "rake the leaves", "fill in the tax form", "practise the speech", "pack the suitcase", "print the tickets",
)  # fmt: skip
_MANY = 9
_SHOWN = 6


@dataclass
class Task:
    """One entry of the list."""

    title: str
    priority: Priority
    due: str | None = None
    done: bool = False


class TodoList:
    """The tasks of one episode: two open ones of each priority at first, and three that are done."""

    def __init__(self, chance: random.Random) -> None:
        start = datetime.date(2023, 1, 1).toordinal() + chance.randrange(640)
        days = chance.sample(range(90), _MANY)
        priorities = chance.sample(PRIORITIES * 3, _MANY)
        self.tasks: dict[str, Task] = {}
        counts = dict.fromkeys(PRIORITIES, 0)
        for title, day, priority in zip(chance.sample(TITLES, _MANY), days, priorities, strict=True):
            counts[priority] += 1
            due = datetime.date.fromordinal(start + day).isoformat()
            self.tasks[title] = Task(title, priority, due, done=counts[priority] == 1)
        unhurried = chance.choice([task for task in self.tasks.values() if not task.done])
        unhurried.due = None

    def find(self, title: str) -> Task:
        """A task by its title.

        Raises:
            LookupError: there is none; a close title is suggested.
        """
        return self.tasks[find(title, self.tasks, what="task")]

    def find_open(self, title: str) -> Task:
        """A task by its title that has still to be done.

        Raises:
            LookupError: there is none.
            ValueError: it is done.
        """
        task = self.find(title)
        if task.done:
            raise ValueError(f"the task '{task.title}' is done already")
        return task

    def open(self, priority: Priority | None = None) -> list[Task]:
        """The tasks that are not done, those that are due first at the front and those without a date at the end."""
        waiting = [task for task in self.tasks.values() if not task.done and priority in {None, task.priority}]
        return sorted(waiting, key=lambda task: (task.due or "9999-12-31", task.title))

    def state(self) -> object:
        """What matters of them."""
        rows = [[task.title, task.priority, task.due, task.done] for task in self.tasks.values()]
        return sorted(rows, key=lambda row: str(row[0]).casefold())


def add_task(world: World, title: Title, due: Date | None = None, priority: Priority = "normal") -> dict[str, Any]:
    """Put a task on the to-do list, with a due date if there is one."""
    todo = world.part(TodoList)
    title = " ".join(title.split())
    if title.casefold() in {known.casefold() for known in todo.tasks}:
        raise ValueError(f"the task '{title}' is on the list already")
    todo.tasks[title] = Task(title, priority, str(read_date(due)) if due else None)
    return {"added": title, "open_tasks": len(todo.open())}


def complete_task(world: World, title: Title) -> dict[str, Any]:
    """Tick a task off."""
    todo = world.part(TodoList)
    task = todo.find_open(title)
    task.done = True
    return {"done": task.title, "open_tasks": len(todo.open())}


def delete_task(world: World, title: Title) -> str:
    """Throw a task away, done or not."""
    todo = world.part(TodoList)
    task = todo.find(title)
    del todo.tasks[task.title]
    return f"'{task.title}' is deleted"


def set_priority(world: World, title: Title, priority: Priority) -> str:
    """Give an open task another priority."""
    task = world.part(TodoList).find_open(title)
    if task.priority == priority:
        raise ValueError(f"the priority of '{task.title}' is {priority} already")
    task.priority = priority
    return f"the priority of '{task.title}' is {priority} now"


def postpone_task(
    world: World, title: Title, days: Annotated[int, Field(ge=1, le=3650)] | None = None, new_date: Date | None = None
) -> dict[str, str]:
    """Move the due date of an open task, either by a number of days or to a new date."""
    task = world.part(TodoList).find_open(title)
    if (days is None) == (new_date is None):
        raise ValueError("give either days or new_date")
    if new_date is not None:
        due = read_date(new_date)
    elif task.due is not None:
        due = read_date(task.due) + datetime.timedelta(days=days or 0)
    else:
        raise ValueError(f"the task '{task.title}' has no due date, give new_date")
    if task.due is not None and str(due) <= task.due:
        raise ValueError(f"the task '{task.title}' is due on {task.due}, {due} is not later")
    task.due = str(due)
    return {"title": task.title, "due": task.due}


def task_due(world: World, title: Title) -> str:
    """Say on which date a task is due."""
    task = world.part(TodoList).find(title)
    if task.due is None:
        raise LookupError(f"the task '{task.title}' has no due date")
    return task.due


def next_task(world: World, priority: Priority | None = None) -> dict[str, Any]:
    """Pick the open task that is due first, of one priority or of all."""
    waiting = world.part(TodoList).open(priority)
    if not waiting:
        raise LookupError(f"no task of {priority} priority is open" if priority else "no task is open")
    return {"title": waiting[0].title, "due": waiting[0].due, "priority": waiting[0].priority}


def list_tasks(world: World, priority: Priority | None = None, done: bool = False) -> list[str]:
    """Read out the titles of open tasks, or of those that are done, six at most."""
    todo = world.part(TodoList)
    if not done:
        return [task.title for task in todo.open(priority)][:_SHOWN]
    return sorted(task.title for task in todo.tasks.values() if task.done and priority in {None, task.priority})[
        :_SHOWN
    ]


def count_open_tasks(world: World, priority: Priority | None = None, due_before: Date | None = None) -> int:
    """Count the tasks that have still to be done, of one priority or due before a date if wanted."""
    waiting = world.part(TodoList).open(priority)
    if due_before is None:
        return len(waiting)
    limit = str(read_date(due_before))
    return sum(task.due is not None and task.due < limit for task in waiting)
