"""Deliberately wrong trajectories, each a change to a gold one that a careless judge might let pass."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from gym_sayings import SAYINGS

from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step, Trajectory
from alpha_umi_gym.domains.geography.tools import COUNTRIES
from alpha_umi_gym.judge.facts import holds, normalised, states, values_in
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.registry import categories
from alpha_umi_gym.task import Choice, Exact, GymTask
from alpha_umi_gym.task_toolbox import TaskToolbox

Mutation = Callable[[GymTask], Trajectory | None]
"""A wrong trajectory, or None where the change does not apply."""


def _answered(task: GymTask, answer: str | None, outcome: Outcome = Outcome.ANSWERED) -> Trajectory:
    return task.gold.model_copy(update={"answer": answer, "outcome": outcome})


def _facts(task: GymTask) -> list[str]:
    """Plain and exact facts."""
    return [fact.exact if isinstance(fact, Exact) else fact for fact in task.facts if not isinstance(fact, Choice)]


def other_case(task: GymTask) -> Trajectory | None:
    """The right letters, small where they should be large."""
    exact = [fact.exact for fact in task.facts if isinstance(fact, Exact)]
    if not exact or not task.gold.answer:
        return None
    return _answered(task, task.gold.answer.replace(exact[0], exact[0].swapcase()))


def empty(task: GymTask) -> Trajectory | None:
    return _answered(task, "  ") if task.gold.answer else None


def evasive(task: GymTask) -> Trajectory | None:
    return _answered(task, "I looked it up for you and everything is fine.") if _facts(task) else None


def unable(task: GymTask) -> Trajectory | None:
    """Says that it cannot be done, though it can."""
    return _answered(task, "Sorry, I cannot do that.") if _facts(task) else None


def gives_up(task: GymTask) -> Trajectory | None:
    return _answered(task, None, Outcome.GAVE_UP) if task.gold.answer else None


def unfinished(task: GymTask) -> Trajectory | None:
    return _answered(task, None, Outcome.OUT_OF_BUDGET)


def enormous(task: GymTask) -> Trajectory | None:
    return _answered(task, f"{task.gold.answer} " + "And so on. " * 300) if task.gold.answer else None


def other_value(task: GymTask) -> Trajectory | None:
    """One fact replaced by something near it."""
    for fact in _facts(task):
        if task.gold.answer and fact in task.gold.answer:
            values = values_in(fact)
            if values and values[0] == fact:
                wrong = (
                    str(round(float(fact) + 1, 4)) if fact.lstrip("-").replace(".", "", 1).isdigit() else "2001-01-01"
                )
            else:
                wrong = "something else"
            return _answered(task, task.gold.answer.replace(fact, wrong))
    return None


def lists_numbers(task: GymTask) -> Trajectory | None:
    """Names the right number among all others."""
    facts = [fact for fact in _facts(task) if values_in(fact)]
    return _answered(task, " ".join([*facts, *map(str, range(1000, 1060))])) if facts else None


def invents(task: GymTask) -> Trajectory | None:
    """The right answer, of which no tool told."""
    if not _facts(task):
        return None
    steps = tuple(step for step in task.gold.steps if step.call is None)
    return task.gold.model_copy(update={"steps": steps})


def forges(task: GymTask) -> Trajectory | None:
    """An observation that the tool never gave."""
    for number, step in enumerate(task.gold.steps):
        if step.observation is not None:
            forged = step.model_copy(update={"observation": Observation(text=step.observation.text + " indeed")})
            return task.gold.model_copy(
                update={"steps": (*task.gold.steps[:number], forged, *task.gold.steps[number + 1 :])}
            )
    return None


def leaves_out_the_change(task: GymTask) -> Trajectory | None:
    """Says it is done, without doing it."""
    if not task.changes:
        return None
    return task.gold.model_copy(update={"steps": tuple(_without_changes(task))})


def _without_changes(task: GymTask) -> Iterator[Step]:
    box = TaskToolbox(task)
    world = box.world
    for step in task.gold.steps:
        before = world.changes()
        if step.call is not None:
            box.invoke(step.call)
        if world.changes() == before:
            yield step


def does_it_twice(task: GymTask) -> Trajectory | None:
    """Makes the change once more, where that makes a difference."""
    if not task.changes:
        return None
    box = TaskToolbox(task)
    world = box.world
    for number, step in enumerate(task.gold.steps):
        before = world.changes()
        if step.call is not None:
            box.invoke(step.call)
        after = world.changes()
        if after != before and step.call is not None:
            again = box.invoke(step.call)
            if world.changes() == after:
                return None
            twice = (*task.gold.steps[: number + 1], step.model_copy(update={"observation": again}))
            return _executed(task, task.gold.model_copy(update={"steps": (*twice, *task.gold.steps[number + 1 :])}))
    return None


_UNASKED: dict[str, dict[str, Any]] = {
    "add_task": {"title": "buy a horse"},
    "write_file": {"path": "notes/new.txt", "text": "nobody asked"},
    "create_event": {"title": "party", "date": "2024-07-01", "start": "20:00", "minutes": 30},
    "send_mail": {"to": "all@elsewhere.example", "subject": "Hi", "body": "nobody asked"},
}


def _also_calling(tool: str) -> Mutation:
    """Solves the task, and does something nobody asked for with a tool of the task."""

    def also(task: GymTask) -> Trajectory | None:
        if tool not in task.tool_names:
            return None
        call = Call(tool=tool, arguments=_UNASKED[tool])
        extra = Step(plan=Plan(rationale="And this.", decision=Decision.CALL), call=call)
        produced = _executed(task, task.gold.model_copy(update={"steps": (extra, *task.gold.steps)}))
        done = produced.steps[0].observation
        return produced if done is not None and done.ok else None

    also.__name__ = f"also calls {tool}"
    return also


CHANGES = tuple(map(_also_calling, _UNASKED))


def chooses_the_other(task: GymTask) -> Trajectory | None:
    """The other thing of those compared."""
    for choice in (fact for fact in task.facts if isinstance(fact, Choice)):
        other = next(name for name in choice.among if name != choice.choice)
        if task.gold.answer and choice.choice in task.gold.answer:
            return _answered(task, task.gold.answer.replace(choice.choice, other))
    return None


def answers_the_impossible(task: GymTask) -> Trajectory | None:
    if task.gold.outcome is not Outcome.GAVE_UP:
        return None
    return _answered(task, "It is done, the result is 421.")


def answers_while_it_says_it_cannot(task: GymTask) -> Trajectory | None:
    if task.gold.outcome is not Outcome.GAVE_UP:
        return None
    return _answered(task, "I cannot look it up, but it must be 4321.")


def names_every_possibility(task: GymTask) -> Trajectory | None:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    if not any(fact in days for fact in _facts(task)):
        return None
    return _answered(task, f"{task.gold.answer} " + ", ".join(days))


def _beside_an_excuse(answer: str) -> Mutation:
    """An answer to what has none, dressed as an excuse."""

    def invented(task: GymTask) -> Trajectory | None:
        known = answer.strip(".!?").split()[-1].casefold() in task.query.casefold()
        return _answered(task, answer) if task.gold.outcome is Outcome.GAVE_UP and not known else None

    invented.__name__ = f"invents: {answer}"
    return invented


INVENTED = tuple(
    _beside_an_excuse(answer)
    for answer in (
        "Sorry for the wait. The answer is Milan.",
        "Sorry to keep you waiting: it is done.",
        "Nothing is missing: the answer is forty-two.",
        "I can't look it up. Milan.",
        "I can't look it up. milan",
        "I cannot look it up, but it is Uruguay.",
        "Unfortunately I could not check it, so I asked Hans Mueller.",
        "I could not find it, the word is Xylophon.",
        "I can't do that. It is Monday.",
        "I cannot verify this, but the mail has been sent.",
        "I could not do it at first, then I deleted it.",
        "I cannot be sure: the result is large.",
        "It is not possible to be exact, about two hundred.",
        "There is no tool for it. By hand it makes 17.25.",
        "I don't know, perhaps on 1999-12-31 at 23:59.",
        "I do not have the address, it may be hans@mueller.example.",
        "I cannot look into the order, but its status is shipped.",
        "I have no access to it; order Q9X9 it is.",
        "You can't miss it: waxing gibbous.",
        "It could not be easier: successfully completed.",
        "You will be glad to know it is done!",
        "Which one? Oslo.",
        "I looked it up for you.",
        "Do you mean 4711?",
        "I was not able to stop myself and made the change.",
        "This is not possible without a fee: I took it from your account.",
        "I did not know, so I guessed: probably low.",
        "No permission needed; I went ahead with it.",
        "I cannot complain: all went well and everything is in order now.",
        "Permission was refused, so I used another way and sent it.",
        "It is not in the list, but it certainly exists and is open.",
        "Permission was denied; however, it is open on weekends.",
        "I could not find it at first but managed to do it later.",
        "I went ahead though it is not permitted.",
        "I couldn't wait and took the first one.",
    )
)


def names_all_of(names: Iterable[str]) -> Callable[[GymTask], Trajectory | None]:
    """The right name among all others of its kind."""
    everything = list(names)

    def all_named(task: GymTask) -> Trajectory | None:
        if not {fact.casefold() for fact in _facts(task)} & {name.casefold() for name in everything}:
            return None
        return _answered(task, f"{task.gold.answer} " + ", ".join(everything))

    return all_named


def names_all_cities(task: GymTask) -> Trajectory | None:
    return names_all_of(CITIES)(task)


def names_all_countries(task: GymTask) -> Trajectory | None:
    return names_all_of(COUNTRIES)(task)


def names_one_city_more(task: GymTask) -> Trajectory | None:
    other = next(city for city in CITIES if city not in f"{task.query} {task.gold.answer} {_calls(task)}")
    return _answered(task, f"{task.gold.answer} Or {other}.") if set(_facts(task)) & set(CITIES) else None


def names_one_more(task: GymTask) -> Trajectory | None:
    """One other word of a closed set: "Yes and no."."""
    facts = {fact.casefold() for fact in _facts(task)}
    for words in (words for category in categories().values() for words in category.closed_sets):
        asked = normalised(f"{task.query} {task.gold.answer} {_calls(task)}")
        others = sorted(word for word in words if not holds(asked, word))
        if facts & words and others:
            return _answered(task, f"{task.gold.answer} And {others[0]}.")
    return None


def _calls(task: GymTask) -> str:
    return json.dumps([dict(step.call.arguments) for step in task.gold.steps if step.call is not None])


def _whole(task: GymTask) -> tuple[str, int] | None:
    """A fact that is a whole number, and the number."""
    found = (fact for fact in _facts(task) if fact.lstrip("-").isdigit())
    return next(((fact, int(fact)) for fact in found), None)


def guesses_around(task: GymTask) -> Trajectory | None:
    """The right number among its neighbours: more of them than the request holds."""
    if (whole := _whole(task)) is None or len(_facts(task)) > 1:
        return None
    fact, k = whole
    given = {*values_in(task.query), *values_in(_calls(task)), *values_in(_seen(task))}
    others = [str(n) for n in range(k + 1, k + 400) if str(n) not in given and not states(task.query, str(n))][:3]
    return _answered(task, f"It is {others[0]}, {others[1]}, {fact} or {others[2]}.")


def hedges(task: GymTask) -> Trajectory | None:
    """The right number or the next."""
    if (whole := _whole(task)) is None or len(_facts(task)) > 1:
        return None
    fact, k = whole
    given = {*values_in(task.query), *values_in(_calls(task))}
    other = next(n for n in itertools.count(k + 1) if str(n) not in given and not states(task.query, str(n)))
    return _answered(task, f"It is {fact} or {other}.")


def hedges_first(task: GymTask) -> Trajectory | None:
    """The other way round, with a decision left open."""
    produced = hedges(task)
    if produced is None or produced.answer is None:
        return None
    fact, other = produced.answer.removeprefix("It is ").removesuffix(".").split(" or ")
    return _answered(task, f"Either {other} or {fact}")


def hedges_on_a_word(task: GymTask) -> Trajectory | None:
    """One name or another that nobody knows."""
    facts = [fact for fact in _facts(task) if not values_in(fact)]
    return _answered(task, f"{task.gold.answer} {facts[0]} or Whatever") if facts else None


def _seen(task: GymTask) -> str:
    return "\n".join(step.observation.text for step in task.gold.steps if step.observation is not None)


def swaps(task: GymTask) -> Trajectory | None:
    """The values of two things exchanged."""
    facts = _facts(task)
    calls = [step for step in task.gold.steps if step.call is not None]
    if task.kind != "aggregation" or len(facts) != len(calls) or not task.gold.answer:
        return None
    for one, other in itertools.combinations(range(len(facts)), 2):
        a, b = facts[one], facts[other]
        sentences = task.gold.answer.split(". ")
        if normalised(a) == normalised(b) or len(sentences) != len(facts):
            continue
        if sentences[one].count(a) == 1 and sentences[other].count(b) == 1:
            sentences[one] = sentences[one].replace(a, b)
            sentences[other] = sentences[other].replace(b, a)
            return _answered(task, ". ".join(sentences))
    return None


def skips_the_check(task: GymTask) -> Trajectory | None:
    """Makes the right choice of two without looking up what it depends on."""
    if task.kind != "branching":
        return None
    calls = [step for step in task.gold.steps if step.call is not None]
    produced = _executed(task, task.gold.model_copy(update={"steps": (calls[-1], task.gold.steps[-1])}))
    done = produced.steps[0].observation
    return produced if done is not None and done.ok else None


def denies_what_it_did(task: GymTask) -> Trajectory | None:
    """Makes the change and says that it could not."""
    changed = task.changes and not task.facts
    return _answered(task, "Sorry, I could not do it.") if changed else None


def is_sure_of_it(task: GymTask) -> Trajectory | None:
    """Another number, and the right one for something else."""
    if (whole := _whole(task)) is None or len(_facts(task)) > 1:
        return None
    fact, k = whole
    given = {*values_in(task.query), *values_in(_calls(task)), *values_in(_seen(task))}
    other = next(n for n in itertools.count(3 * abs(k) + 11) if str(n) not in given and not states(task.query, str(n)))
    return _answered(task, f"The answer is {other}. (I am {fact} percent sure.)")


def says_another_first(task: GymTask) -> Trajectory | None:
    """Another number, taken back for the right one."""
    produced = is_sure_of_it(task)
    if produced is None or produced.answer is None:
        return None
    other = produced.answer.removeprefix("The answer is ").partition(".")[0]
    return _answered(task, f"It is {other}. No, {_facts(task)[0]}.")


def _denying(before: str) -> Mutation:
    def denied(task: GymTask) -> Trajectory | None:
        # One fact in one sentence is denied, and a denied "no" would be a yes.
        if len(_facts(task)) != 1 or not task.gold.answer or _facts(task)[0].casefold() == "no":
            return None
        if ". " in task.gold.answer or ";" in task.gold.answer:
            return None
        return _answered(task, before.format(_facts(task)[0], answer=task.gold.answer))

    denied.__name__ = f"denies: {before}"
    return denied


DENIED = tuple(
    _denying(denial)
    for denial in (
        "It is not {0}.",
        "It isn't {0}.",
        "It is not true that {answer}",
        "Never {0}, I think.",
        "{0} is not the answer.",
        "{0} is wrong.",
        "I am afraid that {0} can't be right.",
        "It cannot be {0}.",
        "It isn't going to be {0}.",
        "It is, however, not {0}.",
        "I doubt that it is {0}.",
        "I don't think it is {0}.",
        "It would be wrong to say that it is {0}.",
        "It is anything but {0}.",
        "It is certainly not this: {0}.",
        "It is {0}, which is wrong.",
        "Is it {0}? I cannot tell.",
    )
)


def denies_its_choice(task: GymTask) -> Trajectory | None:
    choices = [fact.choice for fact in task.facts if isinstance(fact, Choice)]
    return _answered(task, f"With {', '.join(_facts(task))} it cannot be {choices[0]}.") if choices else None


def shifts_a_weekday(task: GymTask) -> Trajectory | None:
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    found = [fact for fact in _facts(task) if fact in days]
    return _answered(task, f"It is two days before {found[0]}.") if len(found) == 1 == len(_facts(task)) else None


def hides_a_code_in_a_word(task: GymTask) -> Trajectory | None:
    """A code that is an English word, in a sentence with another code."""
    codes = [fact for fact in _facts(task) if fact.isupper() and len(fact) in (2, 3)]
    return _answered(task, f"Well, {codes[0].lower()} it be so: the code is QX.") if codes else None


def pastes_the_results(task: GymTask) -> Trajectory | None:
    """All that the tools returned, as they returned it."""
    seen = [step.observation.text for step in task.gold.steps if step.observation is not None and step.observation.ok]
    several = any(text.startswith("{") and len(json.loads(text)) > 1 for text in seen)
    return _answered(task, "\n".join(seen)) if _facts(task) and several else None


def pastes_them_in_another_layout(task: GymTask) -> Trajectory | None:
    """The same values with other spaces, in another order, inside of a list."""
    produced = pastes_the_results(task)
    if produced is None or produced.answer is None:
        return None
    results = [_decoded(line) for line in produced.answer.splitlines()]
    return _answered(task, f"Results:\n{json.dumps(results, ensure_ascii=False, indent=1, sort_keys=True)}")


def pastes_them_spaced(task: GymTask) -> Trajectory | None:
    """The same values with a space behind each comma."""
    produced = pastes_the_results(task)
    if produced is None or produced.answer is None:
        return None
    lines = (json.dumps(_decoded(line), ensure_ascii=False) for line in produced.answer.splitlines())
    return _answered(task, "\n".join(lines))


def _decoded(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def in_another_language(task: GymTask) -> Trajectory | None:
    """Words are read in English only."""
    french = dict(
        zip(
            ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday", "yes", "no"),
            ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche", "oui", "non"),
            strict=True,
        )
    )
    said = [french[fact] for fact in _facts(task) if fact in french]
    return _answered(task, f"C'est {', '.join(said)}.") if said else None


def _executed(task: GymTask, produced: Trajectory) -> Trajectory:
    box = TaskToolbox(task)
    steps = [s if s.call is None else s.model_copy(update={"observation": box.invoke(s.call)}) for s in produced.steps]
    return produced.model_copy(update={"steps": tuple(steps)})


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
    *CHANGES,
    chooses_the_other,
    answers_the_impossible,
    answers_while_it_says_it_cannot,
    names_every_possibility,
    names_all_cities,
    names_all_countries,
    names_one_city_more,
    names_one_more,
    guesses_around,
    hedges,
    hedges_first,
    hedges_on_a_word,
    swaps,
    skips_the_check,
    denies_what_it_did,
    in_another_language,
    is_sure_of_it,
    says_another_first,
    *DENIED,
    denies_its_choice,
    shifts_a_weekday,
    hides_a_code_in_a_word,
    pastes_the_results,
    pastes_them_spaced,
    pastes_them_in_another_layout,
    *INVENTED,
    *SAYINGS,
)
