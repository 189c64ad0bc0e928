"""Sensitive calls: asked about before they happen, in any order, in several threads, after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from alpha_umi import Agent, ApprovalDecision, Budget, Outcome, ScriptedModel, build_graph, load_team, tool_traits
from alpha_umi.agent.approval import ApprovalRequest
from alpha_umi.agent.events import Asked, Finished
from alpha_umi.errors import UsageError
from alpha_umi.testing import scripted_models
from alpha_umi.tools.functions import as_toolbox
from alpha_umi.trajectory import Call


def bank() -> tuple[list[int], list[Callable[..., str]]]:
    """A tool that says of itself that it is sensitive, one that is not, and what was paid."""
    paid: list[int] = []

    @tool_traits(sensitive=True)
    def pay(amount: int) -> str:
        """Pay an amount."""
        paid.append(amount)
        return f"paid {amount}"

    def balance() -> str:
        """Say what is there."""
        return "100"

    return paid, [pay, balance]


def words(amount: int = 3) -> dict[str, ScriptedModel]:
    return scripted_models(
        ScriptedModel(
            ["I look. Next: caller.", "I pay. Next: caller.", "That is all. Next: conclusion."], repeat_last=True
        ),
        ["Action: balance\nAction Input: {}", f'Action: pay\nAction Input: {{"amount": {amount}}}'],
        ScriptedModel(["Done."], repeat_last=True),
    )


@pytest.mark.parametrize(
    ("reply", "paid", "seen"),
    [
        (ApprovalDecision(action="approve"), [3], "paid 3"),
        (ApprovalDecision(action="edit", arguments={"amount": 2}), [2], "paid 2"),
        (ApprovalDecision(action="refuse", text="too much"), [], "The user does not allow this call: too much"),
        (ApprovalDecision(action="refuse"), [], "The user does not allow this call."),
        (ApprovalDecision(action="observed", text="paid by hand"), [], "paid by hand"),
    ],
)
def test_a_person_decides(reply: ApprovalDecision, paid: list[int], seen: str) -> None:
    done, tools = bank()
    asked: list[ApprovalRequest] = []

    def on_ask(ask: ApprovalRequest) -> ApprovalDecision:
        asked.append(ask)
        assert done == []
        return reply

    result = Agent.from_team("umi", tools=tools, models=words()).run("Pay 3", on_ask=on_ask)
    assert [(ask.why, ask.call.tool) for ask in asked] == [("sensitive", "pay")]
    assert done == paid
    last = result.trajectory.steps[1]
    assert last.observation is not None
    assert last.observation.text == seen
    assert result.answer == "Done."


@pytest.mark.parametrize("sensitive", [["transfer"], lambda call: call.tool == "transfer"], ids=["named", "function"])
def test_what_was_sensitive_stays_so_whoever_resumes(sensitive: Any, tmp_path: Path) -> None:
    """The next process need not be told again: a refused call that the model repeats is asked about again."""
    done: list[int] = []

    def transfer(amount: int) -> str:
        """Send money."""
        done.append(amount)
        return "sent"

    def agent(**more: Any) -> Agent:
        script = scripted_models(
            ScriptedModel(["I send. Next: caller."], repeat_last=True),
            ScriptedModel(['Action: transfer\nAction Input: {"amount": 3}'], repeat_last=True),
        )
        return Agent.from_team("umi", tools=[transfer], models=script, threads=tmp_path / "t.sqlite", **more)

    assert agent(sensitive=sensitive).run("Send 3", thread="a").pending is not None
    again = agent().resume("a", "refuse")
    assert again.pending is not None
    assert done == []


@pytest.mark.parametrize("stored", [True, False])
def test_a_person_may_write_any_integer(stored: bool, tmp_path: Path) -> None:
    """Of more than 64 bits too, which no checkpointer holds."""
    done, tools = bank()
    reply = ApprovalDecision(action="edit", arguments={"amount": 2**64})
    if stored:
        agent = Agent.from_team("umi", tools=tools, models=words(), threads=tmp_path / "t.sqlite")
        assert agent.run("Pay 3", thread="a").pending is not None
        result = agent.resume("a", reply)
    else:
        result = Agent.from_team("umi", tools=tools, models=words()).run("Pay 3", on_ask=lambda _: reply)
    assert (result.answer, done) == ("Done.", [2**64])


def test_a_run_calls_no_tool_that_it_was_not_offered(tmp_path: Path) -> None:
    """Whoever resumes it may have more tools, which nobody has said are sensitive."""
    done, tools = bank()
    dropped: list[str] = []

    def drop() -> str:
        """Drop everything."""
        dropped.append("all")
        return "dropped"

    first = Agent.from_team("umi", tools=tools, models=words(), threads=tmp_path / "t.sqlite")
    assert first.run("Pay 3", thread="a").pending is not None
    models = words() | {"caller": ScriptedModel(["Action: drop\nAction Input: {}"])}
    models["planner"] = ScriptedModel(["I drop. Next: caller.", "That is all. Next: conclusion."])
    result = Agent.from_team("umi", tools=[*tools, drop], models=models, threads=tmp_path / "t.sqlite").resume(
        "a", "refuse"
    )
    seen = result.trajectory.steps[2].observation
    assert seen is not None
    assert seen.text == "There is no tool 'drop'. Offered: pay, balance."
    assert (done, dropped) == ([], [])


def test_an_edited_call_stands_in_the_history_as_it_was_made() -> None:
    _, tools = bank()
    models = words()
    reply = ApprovalDecision(action="edit", arguments={"amount": 2})
    Agent.from_team("umi", tools=tools, models=models).run("Pay 3", on_ask=lambda _: reply)
    told = "\n".join(message.content for message in models["planner"].requests[-1].messages)
    assert '"amount": 2' in told
    assert '"amount": 3' not in told


def test_arguments_that_do_not_fit_are_told_to_the_model() -> None:
    done, tools = bank()
    reply = ApprovalDecision(action="edit", arguments={"amount": "much"})
    result = Agent.from_team("umi", tools=tools, models=words()).run("Pay 3", on_ask=lambda _: reply)
    seen = result.trajectory.steps[1].observation
    assert done == []
    assert seen is not None
    assert not seen.ok


def test_nobody_is_asked_about_a_call_that_cannot_be_made() -> None:
    done, tools = bank()
    models = words()
    models["caller"] = ScriptedModel(["Action: pay_all\nAction Input: {}", "Action: pay\nAction Input: {broken"])
    result = Agent.from_team("umi", tools=tools, models=models).run("Pay", on_ask=lambda _: pytest.fail("asked"))
    assert [step.observation.ok for step in result.trajectory.steps if step.observation] == [False, False]
    assert done == []


def test_names_and_functions_mark_calls_too() -> None:
    asked: list[str] = []

    def on_ask(ask: ApprovalRequest) -> ApprovalDecision:
        asked.append(ask.call.tool)
        return ApprovalDecision(action="approve")

    for sensitive, expected in (
        (["balance"], ["balance", "pay"]),
        (lambda call: call.arguments.get("amount", 0) > 5, ["pay"]),
    ):
        asked.clear()
        _, tools = bank()
        Agent.from_team("umi", tools=tools, models=words(), sensitive=sensitive).run("Pay 3", on_ask=on_ask)
        assert asked == expected
    with pytest.raises(UsageError, match="there is no tool 'steal'"):
        Agent.from_team("umi", tools=bank()[1], models=words(), sensitive=["steal"])


def test_parallel_threads_wait_each_for_its_own_word(tmp_path: Path) -> None:
    """Five threads stop at their calls; a new agent, as after a restart, lets some happen and not others."""
    done, tools = bank()
    amounts = range(1, 6)

    async def ask_all() -> list[Any]:
        agents = [Agent.from_team("umi", tools=tools, models=words(n), threads=tmp_path / "t.sqlite") for n in amounts]
        return await asyncio.gather(
            *(agent.arun("Pay", thread=f"t{n}") for n, agent in zip(amounts, agents, strict=True))
        )

    waiting = asyncio.run(ask_all())
    assert [result.outcome for result in waiting] == [Outcome.UNFINISHED] * 5
    assert [result.pending.call.arguments["amount"] for result in waiting] == [1, 2, 3, 4, 5]
    assert done == []

    async def answer_all() -> list[Any]:
        again = {"planner": ScriptedModel(["That is all. Next: conclusion."], repeat_last=True)}
        again |= {"caller": ScriptedModel([]), "summarizer": ScriptedModel(["Done."], repeat_last=True)}
        agent = Agent.from_team("umi", tools=tools, models=again, threads=tmp_path / "t.sqlite")
        return await asyncio.gather(*(agent.aresume(f"t{n}", "approve" if n % 2 else "refuse") for n in amounts))

    results = asyncio.run(answer_all())
    assert [result.answer for result in results] == ["Done."] * 5
    assert sorted(done) == [1, 3, 5]


def test_events_say_that_a_person_is_asked() -> None:
    _, tools = bank()
    agent = Agent.from_team("umi", tools=tools, models=words())
    *_, asked, last = agent.stream_sync("Pay 3")
    assert isinstance(asked, Asked)
    assert isinstance(last, Finished)
    assert last.result.pending == asked.ask


def test_langgraphs_own_interrupts_work() -> None:
    """An app that runs the graph itself resumes it with plain data."""
    done, tools = bank()
    graph = build_graph(load_team("umi"), models=words(), toolbox=as_toolbox(tools), checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "a"}}
    state = graph.invoke({"messages": [HumanMessage("Pay 3")]}, config)
    (interrupt,) = state["__interrupt__"]
    assert interrupt.value["call"]["arguments"] == {"amount": 3}
    assert done == []
    state = graph.invoke(Command(resume={"action": "edit", "arguments": {"amount": 1}}), config)
    assert done == [1]
    assert state["messages"][-1].content == "Done."


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("perhaps", "action"),
        ({"action": "edit"}, "arguments belong to `edit`"),
        ({"action": "approve", "arguments": {}}, "arguments belong to `edit`"),
        (None, "reply"),
        (7, "reply"),
    ],
)
def test_a_reply_that_is_none(said: object, found: str) -> None:
    with pytest.raises(UsageError, match=found) as error:
        ApprovalDecision.of(said)
    assert "\n" not in str(error.value)


def test_a_wrong_reply_loses_nothing(tmp_path: Path) -> None:
    done, tools = bank()
    agent = Agent.from_team("umi", tools=tools, models=words(), threads=tmp_path / "t.sqlite")
    agent.run("Pay 3", thread="a")
    with pytest.raises(UsageError):
        agent.resume("a", "perhaps")
    assert agent.resume("a").pending is not None
    assert agent.resume("a", "approve").answer == "Done."
    assert done == [3]


def test_a_search_asks_on_every_path() -> None:
    """Two paths of a search pay; the second is refused."""
    done, tools = bank()
    models = scripted_models(
        ["Pay. Next: caller.", "Bad. Next: give up.", "Pay. Next: caller.", "Enough. Next: conclusion."],
        [f'Action: pay\nAction Input: {{"amount": {n}}}' for n in (1, 2)],
        ["Done."],
    )
    said = iter([ApprovalDecision(action="approve"), ApprovalDecision(action="refuse")])
    agent = Agent.from_team("umi", tools=tools, models=models, search="dfsdt", budget=Budget(max_steps=4))
    result = agent.run("Pay", on_ask=lambda _: next(said))
    assert result.answer == "Done."
    assert done == [1]


def test_a_call_is_data() -> None:
    """Arguments of an ask come back as they were: nothing of it is a program's own object."""
    ask = ApprovalRequest(why="sensitive", call=Call(tool="pay", arguments={"amount": 1, "to": ["é", None]}), key="k")
    assert ApprovalRequest.model_validate_json(ask.model_dump_json()) == ask
