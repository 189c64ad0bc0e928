"""Deliberately wrong trajectories, each a change to a gold one that a careless judge might let pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from alpha_umi.gym.facts import values_in
from alpha_umi.gym.tasks import task_world
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step, Trajectory

Mutation = Callable[[Trajectory], Trajectory | None]
"""A wrong trajectory, or None where the change does not apply."""


def _answered(task: Trajectory, answer: str | None, outcome: Outcome = Outcome.ANSWERED) -> Trajectory:
    return task.model_copy(update={"answer": answer, "outcome": outcome})


def _facts(task: Trajectory) -> list[str]:
    """Plain and exact facts."""
    facts = (fact.get("exact") if isinstance(fact, dict) else fact for fact in task.meta["facts"])
    return [fact for fact in facts if fact is not None]


def other_case(task: Trajectory) -> Trajectory | None:
    """The right letters, small where they should be large."""
    exact = [fact["exact"] for fact in task.meta["facts"] if isinstance(fact, dict) and "exact" in fact]
    if not exact or not task.answer:
        return None
    return _answered(task, task.answer.replace(exact[0], exact[0].swapcase()))


def empty(task: Trajectory) -> Trajectory | None:
    return _answered(task, "  ") if task.answer else None


def evasive(task: Trajectory) -> Trajectory | None:
    return _answered(task, "I looked it up for you and everything is fine.") if _facts(task) else None


def unable(task: Trajectory) -> Trajectory | None:
    """Says that it cannot be done, though it can."""
    return _answered(task, "Sorry, I cannot do that.") if _facts(task) else None


def gives_up(task: Trajectory) -> Trajectory | None:
    return _answered(task, None, Outcome.GAVE_UP) if task.answer else None


def unfinished(task: Trajectory) -> Trajectory | None:
    return _answered(task, None, Outcome.OUT_OF_BUDGET)


def enormous(task: Trajectory) -> Trajectory | None:
    return _answered(task, f"{task.answer} " + "And so on. " * 300) if task.answer else None


def other_value(task: Trajectory) -> Trajectory | None:
    """One fact replaced by something near it."""
    for fact in _facts(task):
        if task.answer and fact in task.answer:
            values = values_in(fact)
            if values and values[0] == fact:
                wrong = (
                    str(round(float(fact) + 1, 4)) if fact.lstrip("-").replace(".", "", 1).isdigit() else "2001-01-01"
                )
            else:
                wrong = "something else"
            return _answered(task, task.answer.replace(fact, wrong))
    return None


def lists_numbers(task: Trajectory) -> Trajectory | None:
    """Names the right number among all others."""
    facts = [fact for fact in _facts(task) if values_in(fact)]
    return _answered(task, " ".join([*facts, *map(str, range(1000, 1060))])) if facts else None


def invents(task: Trajectory) -> Trajectory | None:
    """The right answer, of which no tool told."""
    if not _facts(task):
        return None
    steps = tuple(step for step in task.steps if step.call is None)
    return task.model_copy(update={"steps": steps})


def forges(task: Trajectory) -> Trajectory | None:
    """An observation that the tool never gave."""
    for number, step in enumerate(task.steps):
        if step.observation is not None:
            forged = step.model_copy(update={"observation": Observation(text=step.observation.text + " indeed")})
            return task.model_copy(update={"steps": (*task.steps[:number], forged, *task.steps[number + 1 :])})
    return None


def leaves_out_the_change(task: Trajectory) -> Trajectory | None:
    """Says it is done, without doing it."""
    if not task.meta["changes"]:
        return None
    return task.model_copy(update={"steps": tuple(_without_changes(task))})


def _without_changes(task: Trajectory) -> Iterator[Step]:
    box, world = task_world(task)
    for step in task.steps:
        before = world.changes()
        if step.call is not None:
            box.invoke(step.call)
        if world.changes() == before:
            yield step


def does_it_twice(task: Trajectory) -> Trajectory | None:
    """Makes the change once more, where that makes a difference."""
    if not task.meta["changes"]:
        return None
    box, world = task_world(task)
    for number, step in enumerate(task.steps):
        before = world.changes()
        if step.call is not None:
            box.invoke(step.call)
        after = world.changes()
        if after != before and step.call is not None:
            again = box.invoke(step.call)
            if world.changes() == after:
                return None
            twice = (*task.steps[: number + 1], step.model_copy(update={"observation": again}))
            return _executed(task.model_copy(update={"steps": (*twice, *task.steps[number + 1 :])}))
    return None


def changes_something_else(task: Trajectory) -> Trajectory | None:
    """Solves the task, and does something nobody asked for with a tool of the task."""
    call = {
        "add_task": {"title": "buy a horse"},
        "write_file": {"path": "notes/new.txt", "text": "nobody asked"},
        "create_event": {"title": "party", "date": "2024-07-01", "clock": "20:00", "minutes": 30},
        "send_mail": {"to": "all@example.com", "subject": "Hi", "body": "nobody asked"},
    }
    for tool, arguments in call.items():
        if tool in task.tool_names:
            extra = Step(
                plan=Plan(rationale="And this.", decision=Decision.CALL), call=Call(tool=tool, arguments=arguments)
            )
            before = task_world(task)[1]
            produced = _executed(task.model_copy(update={"steps": (extra, *task.steps)}))
            assert before.changes() == {}
            done = produced.steps[0].observation
            return produced if done is not None and done.ok else None
    return None


def chooses_the_other(task: Trajectory) -> Trajectory | None:
    """The other thing of those compared."""
    for choice in (fact for fact in task.meta["facts"] if isinstance(fact, dict) and "choice" in fact):
        other = next(name for name in choice["among"] if name != choice["choice"])
        if task.answer and choice["choice"] in task.answer:
            return _answered(task, task.answer.replace(choice["choice"], other))
    return None


def answers_the_impossible(task: Trajectory) -> Trajectory | None:
    if task.outcome is not Outcome.GAVE_UP:
        return None
    return _answered(task, "It is done, the result is 421.")


def answers_while_it_says_it_cannot(task: Trajectory) -> Trajectory | None:
    if task.outcome is not Outcome.GAVE_UP:
        return None
    return _answered(task, "I cannot look it up, but it must be 4321.")


def names_every_possibility(task: Trajectory) -> Trajectory | None:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    if not any(fact in days for fact in _facts(task)):
        return None
    return _answered(task, f"{task.answer} " + ", ".join(days))


def _executed(task: Trajectory) -> Trajectory:
    box, _ = task_world(task)
    steps = [s if s.call is None else s.model_copy(update={"observation": box.invoke(s.call)}) for s in task.steps]
    return task.model_copy(update={"steps": tuple(steps)})


MUTATIONS: tuple[Mutation, ...] = (
    empty,
    evasive,
    unable,
    gives_up,
    unfinished,
    enormous,
    other_value,
    other_case,
    lists_numbers,
    invents,
    forges,
    leaves_out_the_change,
    does_it_twice,
    changes_something_else,
    chooses_the_other,
    answers_the_impossible,
    answers_while_it_says_it_cannot,
    names_every_possibility,
)
