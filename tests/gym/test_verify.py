"""The verifier passes what is right, however it is worded, and nothing that is wrong."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import pytest
from gym_mutations import (
    CHANGES,
    DENIED,
    MUTATIONS,
    Mutation,
    does_it_twice,
    empty,
    enormous,
    evasive,
    forges,
    gives_up,
    hedges,
    invents,
    leaves_out_the_change,
    other_case,
    other_value,
    unfinished,
)

from alpha_umi.tasks import Verdict
from alpha_umi.trajectory import Call, Decision, Observation, Outcome, Plan, Step, Trajectory
from alpha_umi_gym.generator.tasks import SPLITS, generate
from alpha_umi_gym.judging import verify
from alpha_umi_gym.sampler import Split
from alpha_umi_gym.task import Choice, GymTask
from alpha_umi_gym.world import World

NEVER_BASIC = {
    *CHANGES,
    does_it_twice,
    empty,
    evasive,
    forges,
    gives_up,
    invents,
    leaves_out_the_change,
    other_case,
    other_value,
    unfinished,
}
"""Another state, a fact that is missing, one that no tool returned, or no answer."""
ALWAYS_BASIC = {*DENIED, enormous, hedges}
"""The facts are there, in a sentence that does not state them; a choice is not always named."""


@cache
def gold(split: Split) -> tuple[GymTask, ...]:
    """Tasks with their own solutions."""
    return tuple(generate(300 if split == "train" else 120, seed=5, split=split))


@pytest.mark.parametrize("split", SPLITS)
def test_gold_passes(split: Split) -> None:
    for task in gold(split):
        verdict = verify(task, task.gold)
        assert (verdict.passed, verdict.basic) == (True, True), (task.query, verdict)


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.__name__)
def test_wrong_trajectories_are_caught(mutation: Mutation) -> None:
    caught: Counter[str] = Counter()
    for split in SPLITS:
        for task in gold(split):
            wrong = mutation(task)
            if wrong is not None:
                verdict = verify(task, wrong)
                assert not verdict.passed, (mutation.__name__, task.query, wrong.answer, task.notes(), verdict)
                assert verdict.basic is not None
                assert not (verdict.basic and mutation in NEVER_BASIC), (task.query, wrong.answer, verdict)
                always = mutation in ALWAYS_BASIC and not any(isinstance(fact, Choice) for fact in task.facts)
                assert verdict.basic or not always, (task.query, wrong.answer, verdict)
                caught[verdict.code] += 1
    assert caught, "the mutation never applies"


def test_there_are_as_many_wrong_trajectories_as_the_page_says() -> None:
    wrong = sum(mutation(task) is not None for mutation in MUTATIONS for s in SPLITS for task in gold(s))
    assert wrong > 20_000
    assert len(MUTATIONS) == 124


def refused(task: GymTask, answer: str) -> Verdict:
    return verify(task, task.gold.model_copy(update={"answer": answer, "outcome": Outcome.ANSWERED}))


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot do this.",
        "I can\u2019t do this.",
        "Sorry, there is no tool for that.",
        "I don\u2019t have a tool for that.",
        "It is not possible with the tools at hand.",
        "Unfortunately I'm unable to find it.",
        "Permission was denied.",
        "None of the offered tools does this.",
        "You did not say which one.",
        "I need more information to do this.",
        "Unfortunately, the tools that I was given do not allow it.",
        "As an AI assistant I don't know. I would need to know more.",
        "The value is missing, so nothing was changed.",
        "I was not able to do this, and I have not changed anything.",
        "No, I couldn't. Please tell me what the date is.",
        "I have given up.",
        "My tools don't cover that.",
        "That isn't something I can look up.",
        "Sorry, that isn't in the data.",
        "Access was refused.",
        "I guess I cannot do this.",
        "I just took a look: none of the tools can do this.",
        "I went ahead and checked, but there is no tool for this.",
        "I made a mistake earlier; I cannot do this.",
        "I made several attempts, but could not do it.",
        "It's not in the data, but you can ask the support.",
        "I tried it twice, but it is still unavailable.",
        "There isn't a tool for that among those offered.",
        "Unfortunately that is not something my tools cover.",
        "That's beyond what I can do here.",
        "This is out of my reach.",
        "I have no means of finding that out.",
        "Nothing was found.",
        "No match.",
        "It isn't there.",
        "The value is invalid.",
        "Access is forbidden.",
        "The tool refused.",
        "The tool returned an error, so I have to stop.",
        "I'm not authorised.",
        "Your request leaves open which one is meant.",
        "I am unable to do this: I called the tool, but it was rejected.",
        "I cannot do this. I tried, but it is restricted.",
        "I cannot do this, it has been disabled.",
    ],
)
def test_to_say_that_it_cannot_be_done_is_right_where_it_cannot(answer: str) -> None:
    unsolvable = [task for task in gold("train") if task.gold.outcome is Outcome.GAVE_UP]
    assert unsolvable
    for task in unsolvable:
        assert refused(task, answer).passed, task.query


def test_a_refusal_may_repeat_the_request_and_the_error() -> None:
    unsolvable = [task for split in SPLITS for task in gold(split) if task.gold.outcome is Outcome.GAVE_UP]
    failed = [
        (task, step.observation) for task in unsolvable for step in task.gold.steps if step.observation is not None
    ]
    assert failed
    for task, seen in failed:
        assert refused(task, f"I could not do it: {seen.text}").passed, seen.text
        assert refused(task, f"The tool says: {seen.text.split(': ')[-1]}").passed, seen.text
    for task in unsolvable:
        assert refused(task, f"You asked: {task.query} I cannot do this with {task.tools[0].name}.").passed, task.query


def test_to_ask_back_is_right_only_where_something_is_left_open() -> None:
    unsolvable = [task for split in SPLITS for task in gold(split) if task.gold.outcome is Outcome.GAVE_UP]
    for task in unsolvable:
        for asking in (
            "Which one do you mean?",
            "Please specify the date.",
            "I need the exact name to continue.",
            "Please be more specific.",
            "More details, please.",
            "I am not sure which one is meant, so I won't guess.",
            "Tell me which one and I will do it.",
        ):
            assert refused(task, asking).passed is (task.why == "missing information")
    assert {task.why for task in unsolvable} > {"missing information"}


@pytest.mark.parametrize(
    ("answer", "basic"),
    [
        ("I cannot look it up, but it must be 4321.", True),
        ("I am unable to do it. The mail has been sent.", True),
        ("It is done, the result is 421.", False),
        ("", False),
    ],
)
def test_the_basic_check_of_a_refusal_hears_no_claims(answer: str, basic: bool) -> None:
    for task in gold("train"):
        if task.gold.outcome is Outcome.GAVE_UP:
            verdict = refused(task, answer)
            assert (verdict.passed, verdict.basic) == (False, basic), (task.query, verdict)


def told(query: str, *calls: tuple[str, dict[str, Any], str], kind: str, facts: list[Any]) -> GymTask:
    """A task whose calls returned these texts; judged by its words alone."""
    steps = [
        Step(
            plan=Plan(rationale="", decision=Decision.CALL),
            call=Call(tool=tool, arguments=arguments),
            observation=Observation(text=text),
        )
        for tool, arguments, text in calls
    ]
    known = {"id": "", "seed": 0, "kind": kind, "split": "train", "why": "", "changes": {}, "faults": {}}
    solution = Trajectory(query=query, steps=tuple(steps), outcome=Outcome.ANSWERED)
    return GymTask.model_validate({**known, "query": query, "facts": facts, "gold": solution})


def judged(task: GymTask, answer: str) -> Verdict:
    return verify(task, task.gold.model_copy(update={"answer": answer}), world=World(0))


EVENTS = told(
    "What is the first event on 2024-05-04?",
    (
        "list_events",
        {"date": "2024-05-04"},
        '{"count":4,"events":[{"title":"tea"},{"title":"team lunch"},{"title":"yoga"},{"title":"dinner"}]}',
    ),
    kind="single",
    facts=["tea"],
)


def test_the_list_that_a_fact_is_from_is_no_answer() -> None:
    assert judged(EVENTS, "The first one is tea, followed by the team lunch.").passed
    listed = judged(EVENTS, "There are tea, team lunch, yoga and dinner.")
    assert listed.code == "lists_everything"


def among(*names: str, choice: str, value: str) -> GymTask:
    observed = [("length", {"of": name}, value if name == choice else str(100 + i)) for i, name in enumerate(names)]
    query = f"Which is greater: {' or '.join(names)}? Give me the number too."
    return told(query, *observed, kind="aggregation", facts=[value, {"choice": choice, "among": list(names)}])


@pytest.mark.parametrize(
    ("task", "answer", "right"),
    [
        (among("Rome", "Oslo", "Lima", choice="Lima", value="382"), answer, right)
        for answer, right in (
            ("Comparing Rome, Oslo and Lima: the greatest is Lima with 382.", True),
            ("Comparing Rome, Oslo and Lima: the greatest is Oslo with 382.", False),
            ("Rome has 100, Oslo has 101, and Lima has 382.", True),
            ("100 for Rome, 101 for Oslo, 382 for Lima.", True),
            ("382 for Rome, 101 for Oslo, 100 for Lima.", False),
            ("It is 382, in Lima.", True),
            ("It is 382, in Rome.", False),
            ("Rome with 382, Lima with 382.", False),
            ("It is 382.", False),
            ("Lima beats Rome with 382.", True),
            ("382 for Lima, ahead of Oslo.", True),
            ("Not Rome but Lima with 382.", True),
            ("The winner is Rome; Lima has only 382.", False),
            ("It is Oslo (Lima: 382).", False),
            ("Lima has 382, but Rome has more.", False),
            ("Lima with 382 loses against Rome.", False),
            ("Lima has 382. The smaller one is Rome.", True),
            ("Lima with 382; the other one is Oslo.", True),
            ("Rome has 100, less than Lima with 382.", True),
            ("The lowest one is Rome (100); the top value, 382, belongs to Lima.", True),
        )
    ]
    + [
        (among("14.5 kg", "24.1 kg", choice="24.1 kg", value="7"), "24.1 kilograms has 7.", True),
        (among("14.5 kg", "24.1 kg", choice="24.1 kg", value="7"), "14.5 kilograms has 7.", False),
        (among("2024-10-30", "2020-08-20", choice="2024-10-30", value="5"), "It is October 30, 2024 with 5.", True),
        (among("2024-10-30", "2020-08-20", choice="2024-10-30", value="5"), "It is August 20, 2020 with 5.", False),
        (among("'team lunch'", "'yoga'", choice="'yoga'", value="9"), "The longest is yoga, with nine.", True),
    ],
)
def test_a_comparison_chooses_the_name_beside_the_value(task: GymTask, answer: str, right: bool) -> None:
    assert judged(task, answer).passed is right


DAYS = told(
    "How many mails came on 2024-05-04, 2024-05-05 and 2024-05-06?",
    ("count", {"date": "2024-05-04", "folder": "inbox"}, "17"),
    ("count", {"date": "2024-05-05", "folder": "inbox"}, "23"),
    ("count", {"date": "2024-05-06", "folder": "inbox"}, "17"),
    kind="aggregation",
    facts=["17", "23", "17"],
)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("17, 23 and 17.", True),
        ("23, 17 and 17.", False),
        ("On May 4, 2024 17, on May 5, 2024 23, on May 6, 2024 17.", True),
        ("On May 5, 2024 there were 23, on May 4, 2024 17 and on May 6, 2024 17.", True),
        ("On May 5, 2024 there were 17, on May 4, 2024 23 and on May 6, 2024 17.", False),
        ("On 2024-05-04 and 2024-05-06 there were 17, on 2024-05-05 23.", True),
        ("Of 2024-05-04, 2024-05-05 and 2024-05-06: 2024-05-05 has 23, 2024-05-04 has 17, 2024-05-06 has 17.", True),
        ("17 on 2024-05-06, 23 on 2024-05-05 and 17 on 2024-05-04.", True),
    ],
)
def test_each_thing_has_its_own_value(answer: str, right: bool) -> None:
    assert judged(DAYS, answer).passed is right


CASES = told(
    "Give me 'red fox' in upper and in title case.",
    ("change_case", {"text": "red fox", "style": "upper"}, "RED FOX"),
    ("change_case", {"text": "red fox", "style": "title"}, "Red Fox"),
    kind="aggregation",
    facts=[{"exact": "RED FOX"}, {"exact": "Red Fox"}],
)


@pytest.mark.parametrize(
    ("answer", "right"),
    [("In upper case it is RED FOX, in title case Red Fox.", True), ("Upper: Red Fox. Title: RED FOX.", False)],
)
def test_values_that_differ_in_case_have_an_order_too(answer: str, right: bool) -> None:
    assert judged(CASES, answer).passed is right


FORTY_TWO = told("How many are left?", ("count", {}, '{"left":42,"sold":7}'), kind="single", facts=["42"])


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("There are 42 left and 7 sold.", True),
        ("There are 42 left, which is 6 times 7.", True),
        ("It is 42 (or 0.042 thousand).", True),
        ("It is 41 or 42.", False),
        ("Either 42 or 43.", False),
        ("It is 42 pieces or maybe 43 pieces.", False),
        ("It is 43, 44, 42 or 45.", False),
        ("It is 42, and twelve or thirteen more.", False),
    ],
)
def test_an_answer_leaves_nothing_open(answer: str, right: bool) -> None:
    assert judged(FORTY_TWO, answer).passed is right


@pytest.mark.parametrize(
    "answer",
    [
        "It is forty-two.",
        "Step 1: looked up. Step 2: done. There are 42 left.",
        "1. I looked it up.\n2. I counted.\n3. There are 42 left.",
        "I made 3 calls in 2 steps: 42.",
        "It is 42.\n\nSources: call 1, call 2, call 3.",
        "Actually, there are 42.",
        "The final answer is 42.",
        "I thought of 7 first, but the correct number is 42.",
        "There are more than enough: 42.",
        "After the sale there are 42.",
        "I checked whether any were sold, and some were: 42 are left.",
    ],
)
def test_ordinary_words_around_the_fact(answer: str) -> None:
    assert judged(FORTY_TWO, answer).passed


@pytest.mark.parametrize(
    ("answer", "passed", "basic"),
    [
        ("There are 42 left.", True, True),
        ("It is not 42.", False, True),
        ("It is 41 or 42.", False, True),
        ("I doubt that there are 42. " + "Who knows. " * 300, False, True),
        ("There are 41 left.", False, False),
        ("", False, False),
    ],
)
def test_the_basic_checks_do_not_read_the_sentence(answer: str, passed: bool, basic: bool) -> None:
    verdict = judged(FORTY_TWO, answer)
    assert (verdict.passed, verdict.basic) == (passed, basic)


def test_the_basic_checks_want_the_fact_observed_and_nothing_else_changed() -> None:
    untold = FORTY_TWO.gold.model_copy(update={"steps": (), "answer": "It is 42."})
    verdict = verify(FORTY_TWO, untold, world=World(0))
    assert (verdict.code, verdict.basic) == ("not_observed", False)
    asked_for_more = FORTY_TWO.model_copy(update={"changes": {"Orders": []}})
    verdict = judged(asked_for_more, "It is 42.")
    assert (verdict.code, verdict.basic) == ("wrong_change", False)


OWNER = told(
    "Who has the number +391?", ("find", {}, '{"name":"Luca Ricci"}'), kind="single", facts=["Luca Ricci", "2024-05-04"]
)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("Final Answer: Luca Ricci, born 2024-05-04", True),
        ("**Contact Name:** Luca Ricci. The final date is 2024-05-04.", True),
        ("Luca Ricci, 2024-05-04. Best Regards", True),
        ("Luca Ricci and Anna Weber, 2024-05-04.", False),
        ("It is Luca Ricci, 2024-05-04. The correct name is Anna Weber.", False),
    ],
)
def test_a_persons_name_and_what_only_looks_like_one(answer: str, right: bool) -> None:
    step = OWNER.gold.steps[0].model_copy(update={"observation": Observation(text="Luca Ricci 2024-05-04")})
    owner = OWNER.model_copy(update={"gold": OWNER.gold.model_copy(update={"steps": (step,)})})
    assert judged(owner, answer).passed is right


NO = told("Is it a palindrome?", ("is_palindrome", {}, "no"), kind="single", facts=["no"])


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("No.", True),
        ("The answer is no for this one.", True),
        ("It is no palindrome.", True),
        ("I have no idea.", False),
        ("There is no way to tell.", False),
        ("There is no tool for it.", False),
    ],
)
def test_a_no_is_an_answer(answer: str, right: bool) -> None:
    assert judged(NO, answer).passed is right


NOTHING = told("How many events are there on 2024-05-04?", ("count", {}, "0"), kind="single", facts=["0"])


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("You have none.", True),
        ("There are no events on that day.", True),
        ("Zero.", True),
        ("I have no idea.", False),
        ("None of the tools tells.", False),
        ("There are no results.", False),
    ],
)
def test_nothing_is_a_number(answer: str, right: bool) -> None:
    assert judged(NOTHING, answer).passed is right


EASTER = told(
    "When was Easter in 2020?", ("easter_date", {"year": 2020}, "2020-04-12"), kind="single", facts=["2020-04-12"]
)


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("It was on April 12.", True),
        ("On the 12th of April.", True),
        ("12.04.2020", True),
        ("12-Apr-2020", True),
        ("It was on April 21.", False),
        ("The day after April 12.", False),
        ("April 12, 2021", False),
    ],
)
def test_a_date_in_other_forms(answer: str, right: bool) -> None:
    assert judged(EASTER, answer).passed is right


def test_a_date_needs_its_year_where_the_request_does_not_name_it() -> None:
    assert not judged(EASTER.model_copy(update={"query": "When was the last Easter?"}), "It was on April 12.").passed


BRANCHES = told(
    "If the price is above 40 dollars, convert 3 kg to pounds, else tell what 7 times 9 is.",
    ("price", {}, "52"),
    ("convert", {"kg": 3}, "6.6139"),
    ("calculate", {"expression": "7*9"}, "63"),
    kind="branching",
    facts=["6.6139"],
)
DECIDED = BRANCHES.model_copy(update={"gold": BRANCHES.gold.model_copy(update={"steps": BRANCHES.gold.steps[:2]})})


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("The price is 52 dollars, so I converted: 6.6139 pounds.", True),
        ("If it is above 40 it is to be converted; it is 52, so the result is 6.6139.", True),
        ("3 kg is 6.6139 pounds.", True),
        ("If it is above 40, it is 6.6139, otherwise 63.", False),
        ("It is 6.6139 or 63.", False),
        ("If the condition does not hold, the result is 63. If it does, it is 6.6139.", False),
        ("6.6139, 63", False),
    ],
)
def test_a_condition_is_decided(answer: str, right: bool) -> None:
    produced = BRANCHES.gold.model_copy(update={"answer": answer})
    assert verify(DECIDED, produced, world=World(0)).passed is right


@pytest.mark.parametrize("before", ["1) ", "Step 9: ", "After 12 calls I have it. ", "On the 2nd try: "])
def test_a_number_that_counts_the_work_is_no_answer(before: str) -> None:
    assert judged(FORTY_TWO, f"{before}There are 42 left.").passed


@pytest.mark.parametrize(
    "answer",
    [
        "It is 12. No, 42",
        "12, no, 42.",
        "12 pieces. No, 42 pieces",
        "12 calls. No, 42 calls",
        "**12**, or so I think: 42",
    ],
)
def test_a_value_before_the_fact_is_taken_for_the_answer(answer: str) -> None:
    assert judged(FORTY_TWO, answer).code == "lists_everything"


@pytest.mark.parametrize(
    "answer",
    [
        "It was not right to guess, so I looked it up: it is 42.",
        "It is not true that you have none: you have 42.",
        "It was sold out? That is not the case: there are 42 left.",
        "There is no doubt that it is 42.",
        "The number of those not sold is 42.",
        "42 of them are not sold.",
        "Not 7, but 42.",
        "It is 42, not 7.",
        "I was not sure, but it is 42.",
        "Do not forget that there are 42.",
        "There are 42. Anything else?",
        "Not counting those sold there are 42.",
        "It is none other than 42.",
        "It is 42, if I am not wrong.",
    ],
)
def test_a_denial_of_something_else_takes_nothing_back(answer: str) -> None:
    assert judged(FORTY_TWO, answer).passed


@pytest.mark.parametrize(
    "answer",
    [
        "42 pieces are definitely not the right answer.",
        "There aren't 42 of them.",
        "It is not true that in all, there are 42.",
        "It is neither 41 nor 42.",
        "I am not sure that it's 42.",
        "It is 7 rather than 42.",
        "It's 42 - no, wait, it is 7.",
        "There is no way it is 42.",
        "It is unlikely that there are 42.",
        "42 does not seem correct.",
    ],
)
def test_a_denied_fact_is_not_stated(answer: str) -> None:
    assert judged(FORTY_TWO, answer).code == "wrong_answer"


def test_a_list_of_nothing_but_facts_may_be_given_as_one() -> None:
    tasks = told(
        "Which tasks are open?", ("list_tasks", {}, '["a nap","a walk"]'), kind="single", facts=["a nap", "a walk"]
    )
    assert judged(tasks, '["a nap", "a walk"]').passed
    assert judged(FORTY_TWO, '{ "sold": 7, "left": 42 }').code == "lists_everything"


YES = told("Is it a palindrome?", ("is_palindrome", {}, "yes"), kind="single", facts=["yes"])


@pytest.mark.parametrize(
    ("answer", "right"),
    [("Yes.", True), ("Yes, there is no doubt.", True), ("Yes and no.", False), ("No, yes.", False), ("Oui.", False)],
)
def test_one_word_of_a_few(answer: str, right: bool) -> None:
    assert judged(YES, answer).passed is right


def test_a_decision_may_be_checked_with_another_tool() -> None:
    query, rome = "If it is above 40, name the capital of Italy.", ("capital_of", {"country": "Italy"}, "Rome")
    task = told(query, ("percent_of", {}, '{"amount":40.5}'), rome, kind="branching", facts=["Rome"])
    other = told(query, ("calculate", {}, "40.50"), rome, kind="branching", facts=["Rome"])
    produced = task.gold.model_copy(update={"steps": other.gold.steps, "answer": "It is Rome."})
    assert verify(task, produced, world=World(0)).passed
    skipped = produced.model_copy(update={"steps": other.gold.steps[1:]})
    assert verify(task, skipped, world=World(0)).code == "not_observed"


DELETED = told(
    "Delete mail M1.", ("delete_mail", {"mail_id": "M1"}, "deleted"), kind="state_change", facts=["deleted"]
).model_copy(update={"facts": ()})


@pytest.mark.parametrize(
    ("answer", "right"),
    [
        ("Mail M1 is deleted.", True),
        ("M1 is gone; this cannot be undone.", True),
        ("The mail does not exist any more.", True),
        ("Sorry, I could not do it.", False),
        ("I was unable to delete it.", False),
        ("The mail was not deleted.", False),
    ],
)
def test_what_was_done_is_not_denied(answer: str, right: bool) -> None:
    assert judged(DELETED, answer).passed is right
