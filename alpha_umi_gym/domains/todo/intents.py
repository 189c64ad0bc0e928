"""What people want from a to-do list: to see what there is to do, and when; the rest is in `changes`."""

from __future__ import annotations

from collections.abc import Sequence

from alpha_umi_gym.domains.todo.changes import CHANGES
from alpha_umi_gym.domains.todo.slots import ANY, LIMIT, PRIORITY
from alpha_umi_gym.domains.todo.tools import (
    PRIORITIES,
    add_task,
    complete_task,
    count_open_tasks,
    delete_task,
    list_tasks,
    next_task,
    postpone_task,
    set_priority,
    task_due,
)
from alpha_umi_gym.intents import Category, Gives, Intent


def _listed(titles: Sequence[str]) -> str:
    quoted = [f"'{title}'" for title in titles]
    return ", ".join(quoted[:-1]) + f" and {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)


def _in_quotes(title: str) -> str:
    return f"'{title}'"


def _title(value: str) -> tuple[str]:
    return (value,)


_INTENTS = (
    Intent(
        tool=task_due,
        slots={"title": ANY},
        goals=(
            "find out when {title} is due",
            "look up the due date of {title}",
            "see what the deadline of {title} is",
            "check by which date {title} has to be done",
        ),
        asks=(
            "When is {title} due?",
            "By which date do I have to deal with {title}?",
            "How much time have I got left for {title}? Tell me the due date.",
            "I wonder what day I put down for {title}. When is it due?",
        ),
        gives=Gives(
            kind="date",
            nouns=(
                "the due date of {title}",
                "the date on which {title} is due",
                "the deadline of {title}",
                "the day when {title} is due",
                "the date that {title} has to be finished by",
                "the day by which {title} must be done",
            ),
            compares="date",
        ),
        found="{title} is due on {out}",
        answers=("The due date is {out}.", "{title} is due on {out}."),
        rivals=("next_task",),
    ),
    Intent(
        tool=next_task,
        goals=(
            "look up which open task is due first",
            "find the title of my next task",
            "see what I have to do next by my list",
        ),
        asks=(
            "Which of my open tasks is due first?",
            "What is next on my to-do list?",
            "I have time for one task now. Which one is due before all others?",
        ),
        gives=Gives(
            kind="text",
            read="title",
            say=_in_quotes,
            nouns=(
                "the title of my next task",
                "the title of the open task that is due first",
                "the title of what is due next on my to-do list",
            ),
            facts=_title,
        ),
        found="the open task that is due first is {out}",
        answers=("Your next task is {out}.", "The task {out} is due first."),
        weight=0.6,
        rivals=("list_tasks",),
    ),
    Intent(
        tool=next_task,
        slots={"priority": PRIORITY},
        goals=(
            "look up which open task of {priority} priority is due first",
            "find the title of my next task of {priority} priority",
            "see what I have to do next among the {priority} priority tasks",
        ),
        asks=(
            "Which of my open tasks of {priority} priority is due first?",
            "What do I have to do next among the tasks of {priority} priority?",
            "Looking at {priority} priority tasks only, which one is due before the others?",
        ),
        gives=Gives(
            kind="text",
            read="title",
            say=_in_quotes,
            nouns=(
                "the title of my next task of {priority} priority",
                "the title of the {priority} priority task that is due first",
                "the title of the open task with {priority} priority that is due before the others",
            ),
            facts=_title,
        ),
        found="the task of {priority} priority that is due first is {out}",
        answers=("Your next task of {priority} priority is {out}.", "The task {out} is due first."),
        weight=0.6,
        rivals=("list_tasks",),
    ),
    Intent(
        tool=next_task,
        goals=("find the task that is due next", "look up my next task", "see which open task is due first"),
        gives=Gives(
            kind="task",
            read="title",
            say=_in_quotes,
            nouns=("my next task", "the task that is due next", "the open task that is due first"),
            facts=_title,
        ),
        found="the open task that is due first is {out}",
        answers=("Your next task is {out}.", "The task {out} is due first."),
        root=False,
        rivals=("list_tasks",),
    ),
    Intent(
        tool=next_task,
        slots={"priority": PRIORITY},
        goals=(
            "find the next task of {priority} priority",
            "look up my next {priority} priority task",
            "see which open task of {priority} priority is due first",
        ),
        gives=Gives(
            kind="task",
            read="title",
            say=_in_quotes,
            nouns=(
                "my next task of {priority} priority",
                "the {priority} priority task that is due next",
                "the open task of {priority} priority that is due first",
            ),
            facts=_title,
        ),
        found="the task of {priority} priority that is due first is {out}",
        answers=("Your next task of {priority} priority is {out}.", "The task {out} is due first."),
        root=False,
        rivals=("list_tasks",),
    ),
    Intent(
        tool=list_tasks,
        slots={"priority": PRIORITY},
        goals=(
            "list my open tasks of {priority} priority",
            "read out the open tasks with {priority} priority",
            "show all open tasks whose priority is {priority}",
        ),
        asks=(
            "Which of my open tasks have {priority} priority?",
            "What do I still have to do that is of {priority} priority?",
            "I only care about {priority} priority now. What are the open tasks?",
        ),
        gives=Gives(
            kind="titles",
            say=_listed,
            nouns=(
                "the titles of my open tasks of {priority} priority",
                "the open tasks with {priority} priority on my list",
                "all that is still to be done with {priority} priority",
            ),
            facts=tuple,
        ),
        found="the open tasks of {priority} priority are {out}",
        answers=("The open tasks of {priority} priority are {out}.", "These have {priority} priority: {out}."),
    ),
    Intent(
        tool=list_tasks,
        arguments=lambda _: {"done": True},
        goals=(
            "list the tasks that are done",
            "read out which tasks I have finished",
            "show the tasks on my list that are ticked off",
        ),
        asks=(
            "Which tasks on my list are done?",
            "What have I finished already, according to my to-do list?",
            "I want to feel good. Which of my tasks have I ticked off?",
        ),
        gives=Gives(
            kind="titles",
            say=_listed,
            nouns=(
                "the titles of my finished tasks",
                "the tasks that are done on my list",
                "all that is ticked off on my to-do list",
            ),
            facts=tuple,
        ),
        found="the tasks that are done are {out}",
        answers=("These tasks are done: {out}.", "You have finished {out}."),
        weight=0.3,
    ),
    Intent(
        tool=count_open_tasks,
        goals=("count my open tasks", "find out how many tasks are still open", "see how many tasks I have left"),
        asks=(
            "How many tasks on my list are still open?",
            "How many tasks do I have to do?",
            "My to-do list feels endless. How many tasks are open on it?",
        ),
        gives=Gives(
            kind="count",
            nouns=(
                "the number of my open tasks",
                "the number of tasks I still have to do",
                "the count of open tasks on my list",
            ),
            compares="size",
        ),
        found="the number of open tasks is {out}",
        answers=("The number of open tasks is {out}.", "You have {out} open tasks."),
        rivals=("list_tasks",),
        weight=0.3,
    ),
    Intent(
        tool=count_open_tasks,
        slots={"due_before": LIMIT},
        goals=(
            "count my open tasks that are due before {due_before}",
            "find out how many open tasks are due before {due_before}",
            "see how many tasks I have to do before {due_before}",
        ),
        asks=(
            "How many of my open tasks are due before {due_before}?",
            "I am away from {due_before} on. How many tasks are due before that day?",
            "Until {due_before}, that day not included, how many open tasks fall due?",
        ),
        gives=Gives(
            kind="count",
            nouns=(
                "the number of open tasks due before {due_before}",
                "the number of my tasks that I have to do before {due_before}",
                "the count of open tasks that fall due before {due_before}",
            ),
            compares="size",
        ),
        found="the number of open tasks due before {due_before} is {out}",
        answers=("The number of open tasks due before {due_before} is {out}.", "Due before {due_before}: {out}."),
        rivals=("list_tasks",),
    ),
    Intent(
        tool=count_open_tasks,
        slots={"priority": PRIORITY, "due_before": LIMIT},
        goals=(
            "count the open tasks of {priority} priority that are due before {due_before}",
            "find out how many {priority} priority tasks are open and due before {due_before}",
            "see how many open tasks with {priority} priority fall due before {due_before}",
        ),
        asks=(
            "How many open tasks of {priority} priority are due before {due_before}?",
            "Before {due_before}, how many tasks of {priority} priority do I have to do?",
            "Of my {priority} priority tasks, how many are open and due before {due_before}?",
        ),
        gives=Gives(
            kind="count",
            nouns=(
                "the number of open tasks of {priority} priority due before {due_before}",
                "the number of {priority} priority tasks I have to do before {due_before}",
                "the count of open tasks with {priority} priority that fall due before {due_before}",
            ),
            compares="size",
        ),
        found="the number of open {priority} priority tasks due before {due_before} is {out}",
        answers=("The number of such tasks is {out}.", "Of {priority} priority and due before {due_before}: {out}."),
        weight=0.6,
        rivals=("list_tasks",),
    ),
    *CHANGES,
)

CATEGORY = Category(
    name="todo",
    tools=(
        add_task,
        complete_task,
        task_due,
        set_priority,
        postpone_task,
        list_tasks,
        count_open_tasks,
        delete_task,
        next_task,
    ),
    intents=_INTENTS,
    detours={
        # A date that is too early is refused with the one that is due.
        "task_due": ("postpone_task", "count_open_tasks", "list_tasks"),
        "next_task": ("postpone_task",),
        "count_open_tasks": ("add_task",),
    },
    closed_sets=(frozenset(PRIORITIES),),
)
