"""What people want changed on a to-do list: new tasks, tasks that are done, other dates and priorities."""

from __future__ import annotations

from alpha_umi_gym.domains.todo.slots import ANY, DATED, DAYS_LATER, NEW, NEW_DATE, OPEN, PRIORITY, RANKED
from alpha_umi_gym.domains.todo.tools import add_task, complete_task, delete_task, postpone_task, set_priority
from alpha_umi_gym.intents import Gives, Intent

CHANGES = (
    Intent(
        tool=add_task,
        slots={"title": NEW},
        goals=("add {title} to my to-do list", "put {title} on my list of tasks", "make a new task {title}"),
        asks=(
            "I must not forget to {title}. Put it on my to-do list with just these words.",
            "Another thing for the to-do list: {title}.",
            "Note {title} as a task for me.",
        ),
        found="{title} is on the list now",
        answers=("{title} is on your to-do list.", "I added {title}."),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=add_task,
        slots={"title": NEW, "due": NEW_DATE},
        goals=(
            "add {title} to my to-do list, due on {due}",
            "put {title} on my list of tasks with the due date {due}",
            "make a new task {title} that is due on {due}",
        ),
        asks=(
            "Put a task on my to-do list: {title}, due on {due}.",
            "I have until {due} for one more thing: {title}. Add it as a task with that due date.",
            "Something has to be done by {due}: {title}. Note it on the to-do list, due that day.",
        ),
        found="{title} is on the list now, due on {due}",
        answers=("{title} is on your to-do list, due on {due}.", "I added {title} for {due}."),
        changes=True,
    ),
    Intent(
        tool=add_task,
        slots={"title": NEW, "due": NEW_DATE, "priority": PRIORITY},
        goals=(
            "add {title} to my to-do list, due on {due} and of {priority} priority",
            "make a task {title} of {priority} priority with the due date {due}",
            "note {title} as a task with {priority} priority, due on {due}",
        ),
        asks=(
            "Put {title} on my to-do list. It has {priority} priority and is due on {due}.",
            "There is a new task of {priority} priority for {due}: {title}. Add it.",
            "To be done by {due} with {priority} priority: {title}. Add this task.",
        ),
        found="{title} is on the list now, of {priority} priority and due on {due}",
        answers=("{title} is on your to-do list, due on {due}.", "I added {title} with {priority} priority for {due}."),
        changes=True,
        weight=0.7,
    ),
    Intent(
        tool=complete_task,
        slots={"title": OPEN},
        goals=("mark {title} as done", "tick off {title}", "set {title} to done"),
        asks=(
            "I am finished with {title}. Mark it as done.",
            "{title}: that is done. Tick it off.",
            "At last I have got through with {title}. Let the list say that it is done.",
        ),
        found="{title} is done",
        answers=("{title} is marked as done.", "I ticked off {title}."),
        changes=True,
    ),
    Intent(
        tool=complete_task,
        slots={"title": OPEN},
        goals=(
            "mark {title} as done and report how many tasks are left",
            "tick off {title} and count what is still open",
            "set {title} to done and tell how many open tasks remain",
        ),
        asks=(
            "Mark {title} as done. How many tasks are open then?",
            "{title} is done, so tick it off and tell me how many tasks are left.",
            "I have done {title}. Tick it off; how many more are there?",
        ),
        gives=Gives(
            kind="count",
            read="open_tasks",
            nouns=(
                "the number of open tasks once you have marked {title} as done",
                "the number of tasks left after you have ticked off {title}",
                "the count of what is still open after you have set {title} to done for me",
            ),
            compares="size",
        ),
        found="{title} is done and the number of open tasks is {out}",
        answers=("{title} is done; the number of open tasks is {out}.", "Ticked off. Tasks left: {out}."),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=delete_task,
        slots={"title": ANY},
        goals=("delete {title} from my to-do list", "throw {title} off my to-do list", "remove {title} from my tasks"),
        asks=(
            "I won't do {title} after all. Delete it from the list.",
            "Forget about {title} and remove it from my tasks.",
            "There is no need for {title} any more, so take it off the to-do list for good.",
        ),
        found="{title} is deleted",
        answers=("{title} is deleted from your list.", "I removed {title}."),
        changes=True,
    ),
    Intent(
        tool=set_priority,
        slots={"title": RANKED, "priority": PRIORITY},
        goals=(
            "set the priority of {title} to {priority}",
            "change the priority of {title} to {priority}",
            "give {priority} priority to {title}",
        ),
        asks=(
            "Make the priority of {title} {priority}.",
            "From now on {title} has {priority} priority. Change it, please.",
            "About {title}: I see it with {priority} priority now, so correct my list.",
        ),
        found="the priority of {title} is {priority} now",
        answers=("The priority of {title} is {priority} now.", "{title} has {priority} priority now."),
        changes=True,
        rivals=("add_task",),
    ),
    Intent(
        tool=postpone_task,
        slots={"title": DATED, "days": DAYS_LATER},
        goals=(
            "postpone {title} by {days}",
            "push back {title} by {days}",
            "move the due date of {title} {days} later",
        ),
        asks=(
            "I need {days} more for {title}. Postpone it.",
            "Give me another {days} for {title}.",
            "I won't manage {title} in time, so put off its due date by {days}.",
        ),
        found="{title} is postponed by {days}",
        answers=("{title} is postponed by {days}.", "You have {days} more for {title}."),
        changes=True,
        weight=0.7,
        rivals=("add_task",),
    ),
    Intent(
        tool=postpone_task,
        slots={"title": DATED, "days": DAYS_LATER},
        goals=(
            "postpone {title} by {days} and report the new due date",
            "push back {title} by {days} and note the new due date",
            "move the due date of {title} {days} later and tell on which date it is then due",
        ),
        asks=(
            "Postpone {title} by {days}. When is it due then?",
            "I need {days} more for {title}. Postpone it and tell me the new due date.",
            "Put off {title} by {days}, please. On what day must it be done now?",
        ),
        gives=Gives(
            kind="date",
            read="due",
            nouns=(
                "the due date of {title} once you have postponed it by {days}",
                "the new due date after you have pushed back {title} by {days}",
                "the date on which {title} is due after you have put it off by {days} for me",
            ),
            compares="date",
        ),
        found="{title} is due on {out} now",
        answers=("{title} is due on {out} now.", "The new due date is {out}."),
        changes=True,
        weight=0.5,
        rivals=("add_task",),
    ),
    Intent(
        tool=postpone_task,
        slots={"title": DATED, "new_date": NEW_DATE},
        goals=(
            "postpone {title} to {new_date}",
            "move the due date of {title} to {new_date}",
            "make {title} due on {new_date} instead",
        ),
        asks=(
            "I won't get round to {title} in time. Make it due on {new_date}.",
            "{title} can wait until {new_date}. Change the due date.",
            "The new date for {title} is {new_date}, so put it off until then.",
        ),
        found="{title} is due on {new_date} now",
        answers=("{title} is due on {new_date} now.", "I moved {title} to {new_date}."),
        changes=True,
        weight=0.7,
        rivals=("add_task",),
    ),
)
