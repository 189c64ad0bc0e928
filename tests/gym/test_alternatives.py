"""What is to be given up cannot be done with what is offered, and what is broken is no reason to give up."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import islice, product
from typing import Any

import pytest

from alpha_umi.errors import WorkError
from alpha_umi.trajectory import Call, Observation, Tool
from alpha_umi_gym import SPLITS, Category, Gives, Intent, Slot, World, categories, generate, register, unregister
from alpha_umi_gym.domains.calendar.tools import calendar, clock_of
from alpha_umi_gym.domains.todo.tools import TodoList
from alpha_umi_gym.generator import tasks as told
from alpha_umi_gym.generator.alternatives import CALCULATORS, ways_round
from alpha_umi_gym.generator.request import Request
from alpha_umi_gym.generator.wording import FRAMES
from alpha_umi_gym.people import People
from alpha_umi_gym.registry import bound, owners
from alpha_umi_gym.sampler import Sampler, Split
from alpha_umi_gym.task import GymTask


@cache
def unsolvable(split: Split) -> tuple[GymTask, ...]:
    """Tasks to give up."""
    return tuple(generate(250, seed=5, split=split, kinds=["unsolvable"]))


def _seen(tool: str, world: World, /, **arguments: Any) -> Observation:
    return bound(world).invoke(Call(tool=tool, arguments=arguments))


# What leads round a tool


def test_being_a_rival_is_mutual() -> None:
    for category in categories().values():
        for intent in category.intents:
            for rival in intent.rivals:
                assert rival in ways_round(intent.name), (intent.name, rival)
                assert intent.name in ways_round(rival), (rival, intent.name)


def test_every_declared_alternative_is_a_tool_and_no_tool_leads_round_itself() -> None:
    for category in categories().values():
        for tool, others in category.alternatives.items():
            assert {tool, *others} <= set(owners())
            assert tool not in others
            assert len(set(others)) == len(others), tool
    assert all(tool not in ways_round(tool) for tool in owners())


@pytest.mark.parametrize("split", SPLITS)
def test_nothing_that_is_offered_leads_round_what_is_missing(split: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    offers: list[tuple[Request, set[str]]] = []
    offer = told._offer

    def watched(d: Sampler, request: Request, known: Any) -> tuple[Tool, ...]:
        tools = offer(d, request, known)
        offers.append((request, {tool.name for tool in tools}))
        return tools

    monkeypatch.setattr(told, "_offer", watched)
    assert len(list(generate(250, seed=5, split=split, kinds=["unsolvable"]))) == 250
    whys = Counter(request.why for request, _ in offers)
    assert min(whys[why] for why in ("missing tool", "permission denied", "permanent failure")) > 10
    for request, offered in offers:
        if request.why != "missing information":
            [at_stake] = request.like or request.needs
            assert not offered & ways_round(at_stake), (request.query, at_stake, offered)
            assert not offered & CALCULATORS - set(request.needs), request.query


def _texts(value: object) -> Iterator[str]:
    """The values in a result that tell something."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif len(str(value)) > 2 or (isinstance(value, str) and value.isupper()):
        yield str(value)


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _fitting(schema: dict[str, Any], values: list[str]) -> list[Any]:
    if "enum" in schema:
        return list(schema["enum"])
    if schema.get("type") in {"integer", "number"}:
        return [float(value) if "." in value else int(value) for value in values if re.fullmatch(r"\d+(\.\d+)?", value)]
    return values if schema.get("type") == "string" else []


def _says(text: str, value: str) -> bool:
    return re.search(rf"(?<![\w.]){re.escape(value)}(?![\w.])", text) is not None


@pytest.mark.parametrize("split", SPLITS)
def test_no_single_call_of_an_offered_tool_tells_what_is_denied(split: Split) -> None:
    """Neither with the values of the request, nor the other way round: a guess that gives back what was asked about."""
    tried = 0
    for task in unsolvable(split):
        if task.why != "permission denied":
            continue
        denied = next(step.call for step in task.gold.steps if step.call)
        world = World(task.seed)
        seen = bound(world).invoke(denied)
        assert seen.ok, denied  # else there would be nothing to deny
        if world.changes():
            continue
        given, results = list(_texts(dict(denied.arguments))), list(_texts(_decoded(seen.text)))
        guesses = [value for value in results if not re.fullmatch(r"[A-Z]\d{3,}", value)]  # nobody guesses an id
        for tool in task.tools:
            slots = [_fitting(dict(tool.parameters["properties"][name]), [*given, *guesses])
                     for name in tool.parameters.get("required", ())]  # fmt: skip
            for values in islice(product(*slots), 30 if tool.name != denied.tool else 0):
                arguments = dict(zip(tool.parameters.get("required", ()), values, strict=True))
                other = _seen(tool.name, World(task.seed), **arguments)
                used = json.dumps(arguments, ensure_ascii=False)
                tried += 1
                # Of numbers and plain days many are alike by chance.
                new = [value for value in (*given, *results) if not re.fullmatch(r"[\d.]+|\d+-\d+-\d+", value)]
                back = [value for value in new if _says(other.text, value) and not _says(used, value)]
                assert not (other.ok and back), (task.query, tool.name, arguments, other.text, back)
    assert tried > 100


# Detours that were found in tasks, each executed


@pytest.mark.parametrize(
    ("missing", "other_way", "fact"),
    [
        (("next_holiday", {"country": "Austria", "date": "2019-05-02"}),
         ("previous_holiday", {"country": "Austria", "date": "2019-06-09"}), "2019-05-30"),
        (("holiday_date", {"holiday": "Ascension Day", "country": "Austria", "year": 2019}),
         ("next_holiday", {"country": "Austria", "date": "2019-05-02"}), "2019-05-30"),
        (("country_of", {"city": "Auckland"}), ("cities_in", {"country": "New Zealand"}), "Auckland"),
        (("country_with_code", {"code": "CR"}), ("country_code", {"country": "Costa Rica"}), "CR"),
        (("percent_change", {"old": 687, "new": 139.57}),
         ("solve_equation", {"equation": "687 - 6.87x = 139.57"}), "79.68"),
        (("percent_of", {"percent": 15, "number": 80}), ("tip_and_split", {"bill": 80, "persons": 1}), "12"),
        (("percent_of", {"percent": 15, "number": 80}),
         ("compound_interest", {"principal": 80, "rate_percent": 15, "years": 1}), "12"),
        (("convert_mass", {"mass": {"amount": 5, "unit": "lb"}, "to_unit": "kg"}),
         ("percent_of", {"percent": 45.359237, "number": 5}), "2.26"),
        (("convert_mass", {"mass": {"amount": 5, "unit": "lb"}, "to_unit": "kg"}),
         ("price_per_unit", {"price": 5, "contents": {"amount": 1, "unit": "kg"}, "per": "lb"}), "2.27"),
        (("next_moon", {"phase": "full moon", "date": "2019-05-02"}),
         ("moon_phase", {"date": "2019-05-18"}), "full moon"),
        (("longest_word", {"text": "the longer way"}),
         ("sort_words", {"text": "the longer way", "order": "long first"}), "longer"),
        (("age_on", {"birthday": "1990-05-01", "date": "2024-06-01"}),
         ("calculate", {"expression": "2024 - 1990"}), "34"),
        (("to_base", {"number": 5, "system": "binary"}), ("calculate", {"expression": "5 % 4"}), "1"),
    ],
)  # fmt: skip
def test_an_alternative_that_was_found_leads_there_and_is_not_offered(
    missing: tuple[str, dict[str, Any]], other_way: tuple[str, dict[str, Any]], fact: str
) -> None:
    right, other = (_seen(tool, World(1), **arguments) for tool, arguments in (missing, other_way))
    assert right.ok, right.text
    assert other.ok, other.text
    assert fact in other.text
    assert other_way[0] in ways_round(missing[0])


def test_whose_address_it_is_can_be_guessed_from_the_address() -> None:
    world = World(4)
    person = next(person for person in world.part(People).persons.values() if person.email)
    assert person.email in _seen("find_contact", world, name=person.name).text
    assert {"find_contact", "customer_orders", "search_mail", "next_birthday"} <= ways_round("reverse_lookup")


def test_an_error_that_tells_is_a_way_round() -> None:
    world = World(4)
    event = next(iter(calendar(world).events.values()))
    taken = {"title": "x", "date": event.date, "start": clock_of(event.start), "minutes": 5}
    assert f"{clock_of(event.start)} to {clock_of(event.end)}" in _seen("create_event", world, **taken).text
    assert "create_event" in ways_round("event_length")

    task = next(task for task in world.part(TodoList).open() if task.due)
    refused = _seen("postpone_task", world, title=task.title, new_date="2000-01-01")
    assert f"due on {task.due}" in refused.text
    assert "postpone_task" in ways_round("task_due")

    person = next(person for person in world.part(People).persons.values() if person.email)
    name, domain = person.email.split("@")
    nearly = _seen("send_mail", world, to=f"{name}x@{domain}", subject="s", body="b")
    assert f"did you mean '{person.email}'" in nearly.text
    assert "send_mail" in ways_round("find_contact")
    assert not world.changes()


def test_what_everybody_knows_is_never_denied() -> None:
    for split in SPLITS:
        denied = {step.call.tool for task in unsolvable(split) if task.why == "permission denied"
                  for step in task.gold.steps if step.call}  # fmt: skip
        assert denied
        assert not denied & {"country_of", "capital_of", "continent_of", "country_with_code", "phone_country"}


def test_no_value_is_missing_for_which_the_tool_has_one() -> None:
    tips = next(i for i in categories()["money"].intents if i.name == "tip_and_split")
    vague = tips.slots["tip_percent"].vague
    assert vague
    tasks = generate(300, seed=1, only=["money"], kinds=["unsolvable"])
    about = [task for task in tasks if task.why == "missing information"]
    assert len(about) > 20
    tipping = [task.query for task in about if re.search(r"\b(tip|bill)\b", task.query)]
    assert tipping
    assert not [query for query in tipping if any(words in query for words in vague)]


# Tools that are broken


def _broken(error: Exception, *, beside: bool = False) -> Category:
    def rumble(place: str) -> int:
        """Tell how strong the last quake was in a place."""
        raise error

    def shake(place: str) -> int:
        """Tell how long the last quake of a place took."""
        if place not in {"Accra", "Adelaide", "Ankara"}:
            raise LookupError(f"unknown place {place}")
        return len(place)

    slot = Slot(
        kind="place",
        draw=lambda d: d.any_value(("Accra", "Adelaide", "Ankara")),
        vague=("that place", "the place", "the place you know"),
        unknown=lambda d: d.any_value(("Atlantis", "Avalon")),
    )
    tools = (rumble, shake) if beside else (rumble,)
    intents = [
        Intent(
            tool=tool,
            slots={"place": slot},
            goals=(f"{verb} {{place}}", f"please {verb} {{place}}", f"now {verb} {{place}}"),
            gives=Gives(kind="count", nouns=("it for {place}", "that of {place}", "the thing of {place}")),
            found="{place} has {out}",
            answers=("It has {out}.",),
        )
        for tool, verb in zip((rumble, shake), ("hear", "feel"), strict=True)
        if tool in tools
    ]
    return Category(name="shaky", tools=tools, intents=tuple(intents))


@pytest.mark.parametrize("kinds", [[], ["unsolvable"], ["recovery"], ["single"]])
@pytest.mark.parametrize("error", [RuntimeError("boom"), ValueError("boom"), TypeError("boom"), KeyError("boom")])
def test_a_broken_tool_is_no_reason_to_give_up(error: Exception, kinds: list[str]) -> None:
    register(_broken(error))
    try:
        dropped: Counter[str] = Counter()
        with pytest.raises(WorkError, match="could not make a task of any kind"):
            list(generate(3, seed=1, only=["shaky"], kinds=kinds, dropped=dropped))
        assert dropped["rumble failed"] > 0
    finally:
        unregister("shaky")


def test_a_tool_that_breaks_on_what_it_does_not_know_does_not_say_that_it_is_not_there() -> None:
    def fragile(place: str) -> int:
        """Tell how strong the last quake was in a place."""
        if place not in {"Accra", "Adelaide", "Ankara"}:
            raise ZeroDivisionError("inside")
        return len(place)

    whole = _broken(RuntimeError())
    [intent] = whole.intents
    [slot] = intent.slots.values()
    intent = Intent(tool=fragile, slots={"place": slot}, goals=intent.goals, gives=intent.gives, found=intent.found,
                    answers=intent.answers)  # fmt: skip
    register(Category(name="shaky", tools=(fragile,), intents=(intent,)))
    try:
        dropped: Counter[str] = Counter()
        whys = {task.why for task in generate(30, seed=1, only=["shaky"], kinds=["unsolvable"], dropped=dropped)}
        assert whys == {"missing tool", "missing information", "permission denied"}
        assert dropped["fragile broke"] > 0
    finally:
        unregister("shaky")


def test_beside_a_broken_tool_the_others_have_tasks_of_every_reason() -> None:
    register(_broken(RuntimeError("boom"), beside=True))
    try:
        found = list(generate(40, seed=1, only=["shaky"], kinds=["unsolvable"]))
    finally:
        unregister("shaky")
    assert {task.why for task in found} == {
        "missing tool", "missing information", "permission denied", "permanent failure",
    }  # fmt: skip
    assert not [task for task in found for step in task.gold.steps if step.call and step.call.tool == "rumble"]


# Two goals that have nothing to do with each other


@pytest.mark.parametrize("split", SPLITS)
def test_of_two_goals_neither_is_said_to_follow_from_the_other(split: Split) -> None:
    changing = {i.name for category in categories().values() for i in category.intents if i.changes}
    twice = 0
    for task in generate(200, seed=3, split=split, kinds=["state_change"]):
        called = [step.call.tool for step in task.gold.steps if step.call and step.call.tool in changing]
        if len(called) == 2:
            twice += 1
            assert set(task.wordings) & {*FRAMES.first}
            assert set(task.wordings) & {*FRAMES.second}, task.query
            assert not re.search(
                r"\b([Bb]ased on that|[Ww]ith the outcome|Use it to|[Ww]ith what you found)", task.query
            )
    assert twice > 10
