"""The graph's nodes: begin, plan, call, approve, act, ask_user, summarize, review, give up, rank, backtrack, finish.

Each is one blocking function of the state and a stop flag; `graph` makes a sync and an async node of it. A model's
bad output and a tool's failure become part of the trajectory here; only an error of the program itself is raised.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from itertools import permutations
from typing import Any

from langgraph.config import get_stream_writer
from langgraph.types import interrupt

from alpha_umi.agent.approval import ApprovalDecision, ApprovalRequest
from alpha_umi.agent.events import AgentEvent, Backtracked, Called, Decided, Finished, Observed, Reviewed
from alpha_umi.agent.journal import Journal
from alpha_umi.agent.messages import call_messages, final_message, with_history
from alpha_umi.agent.role_runner import RoleRunner
from alpha_umi.agent.run_state import RunState, beginning
from alpha_umi.agent.search.strategies import Strategy
from alpha_umi.agent.search.tree import ROOT, End
from alpha_umi.agent.state import Budget, Question, State, StopReason
from alpha_umi.agent.step_summary import summarize_step
from alpha_umi.agent.tool_executor import ToolExecutor, edited, told_instead
from alpha_umi.errors import UsageError
from alpha_umi.models.protocol import Completion
from alpha_umi.role_graph import FINISH, GIVE_UP
from alpha_umi.roles import Role, Writes
from alpha_umi.text import output_format
from alpha_umi.text.json_object import EMPTY_OUTPUTS
from alpha_umi.text.prompts import search_text
from alpha_umi.text.utterances import USER
from alpha_umi.tools.function_tool import as_text
from alpha_umi.tools.protocol import writable
from alpha_umi.tools.validation import refuse_fault, refuse_unknown
from alpha_umi.trajectory import Call, Decision, Observation, Plan, Step

_EMPTY_ANSWER = Observation(text="The conclusion was empty: write the answer to the question in words.", ok=False)

Update = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Nodes:
    """What the nodes share: nothing that belongs to one run."""

    role_runner: RoleRunner
    executor: ToolExecutor
    budget: Budget
    search: Strategy

    def begin(self, state: State, session: str) -> Update:
        """Start an episode on the last human message; an earlier one of the same thread is over, and told of."""
        query = writable(with_history(state["messages"], max_chars=self.budget.max_history_chars))
        task = Question(query=query, tools=tuple(self.executor.toolbox.tools))
        tree = self.search.start(max_steps=self.budget.max_steps)
        return {**beginning(session, task, tree), "sensitive": self.executor.requires_approval}

    def plan(self, state: State, stop: threading.Event) -> Update:
        """Ask what to do next; a `single` team writes the whole step at once."""
        run = RunState(state, budget=self.budget)
        planner = self.role_runner.team.planner
        if completion := self.role_runner.ask(planner, run, stop):
            if planner.writes is Writes.TURN:
                self._take_turn(run, completion)
            else:
                plan = output_format.parse_plan(completion.text, planner.markers)
                run.add_step(Step(plan=plan))
                _tell(Decided(role=planner.name, plan=plan))
                _stop_on_repetition(run, completion)
        return self._asked(run)

    def _take_turn(self, run: RunState, completion: Completion) -> None:
        """A whole step out of one completion."""
        turn = output_format.parse_turn(completion.text)
        plan, call = turn.plan, turn.call
        if turn.answer in EMPTY_OUTPUTS:
            # Kept as an unreadable call, so that the history holds exactly the words that were written.
            plan = Plan(rationale="", decision=Decision.CALL, fault="empty")
            call = Call(tool=output_format.NO_TOOL, raw=completion.text.strip(), fault="no_action")
        elif plan.fault is not None:
            plan = plan.model_copy(update={"rationale": ""})  # the call's raw text is the same words: keep them once
        run.add_step(Step(plan=plan, call=call))
        _tell(Decided(role=self.role_runner.team.planner.name, plan=plan))
        if call is not None:
            _tell(Called(call=call))
        if completion.finish_reason == "repetition":
            _stop_on_repetition(run, completion)
        elif call is None and turn.answer:
            run.answer(turn.answer)

    def call(self, state: State, stop: threading.Event) -> Update:
        """Ask for the call that the plan wants."""
        run = RunState(state, budget=self.budget)
        if completion := self.role_runner.ask(self.role_runner.team.caller, run, stop):
            call = output_format.parse_call(completion.text)
            run.set_call(call)
            _tell(Called(call=call))
            _stop_on_repetition(run, completion)
        return self._asked(run)

    def _asked(self, run: RunState) -> Update:
        """The state after a call was written: a person is asked first where one has to decide on it, and has not."""
        update, guarded = run.update(), run.state["sensitive"]
        if update["next"] != "act" or not (self.executor.may_ask or guarded):
            return update
        call, approved = run.last.call, run.approved == run.call_key
        if call is None or approved or call.tool not in _offered(run) or not self.executor.must_ask(call, guarded):
            return update
        return {**update, "next": "approve"}

    def approve(self, state: State, stop: threading.Event) -> Update:
        """Ask a person about the call. The node runs again when the answer is there, so it does nothing before."""
        run = RunState(state, budget=self.budget)
        step, call, key = run.last, run.last.call, run.call_key
        assert call is not None, "the graph goes to `approve` only with a call"
        reply = ApprovalDecision.of(interrupt(ApprovalRequest(why="sensitive", call=call, key=key).stored()))
        if (told := told_instead(reply)) is not None:
            return self._observed(run, step, call, told)
        if reply.arguments is not None:
            run.set_call(edited(call, reply.arguments))
        run.approved = key
        return self._asked(run)

    def act(self, state: State, stop: threading.Event, journal: Journal | None) -> Update:
        """Carry the call out; whatever happens is an observation."""
        run = RunState(state, budget=self.budget)
        step, call = run.last, run.last.call
        assert call is not None, "the graph goes to `act` only with a call"
        if call.fault:
            return self._observed(run, step, call, self._refuse(call))
        offered = _offered(run)
        # What is no tool at all, the toolbox refuses in its own words.
        if call.tool not in offered and any(call.tool == tool.name for tool in self.executor.toolbox.tools):
            return self._observed(run, step, call, refuse_unknown(call.tool, offered))
        made, seen = self.executor.carry_out(
            call, key=run.call_key, journal=journal, seconds=run.seconds_left, stop=stop
        )
        if made != call:
            run.set_call(made)
        return self._observed(run, step, made, seen)

    def _observed(self, run: RunState, step: Step, call: Call, observation: Observation) -> Update:
        key = run.call_key
        run.observe(observation)
        _tell(Observed(observation=observation))
        return {**run.update(), "messages": call_messages(step, call, observation, call_id=key)}

    def _refuse(self, call: Call) -> Observation:
        """What a model is told whose call cannot be read."""
        refused = refuse_fault(call)
        other = ' Or write "conclusion: " and the answer.' if self.role_runner.team.single else ""
        return refused.model_copy(update={"text": refused.text + other})

    def summarize(self, state: State, stop: threading.Event) -> Update:
        """Ask for the answer; an empty one is given back to the planner."""
        run = RunState(state, budget=self.budget)
        if completion := self.role_runner.ask(self.role_runner.team.summarizer, run, stop):
            answer = output_format.parse_answer(completion.text)
            if completion.finish_reason == "repetition":
                run.annotate(discarded_answer=answer)
                _stop_on_repetition(run, completion)
            elif answer in EMPTY_OUTPUTS:
                run.observe(_EMPTY_ANSWER)
                _tell(Observed(observation=_EMPTY_ANSWER))
            elif self.role_runner.team.reader is None:
                run.answer(answer)
            else:
                run.say(self.role_runner.team.summarizer.name, answer)
        return run.update()

    def review(self, state: State, stop: threading.Event) -> Update:
        """Let a further role read the answer: it stands, or the planner goes on."""
        run, team = RunState(state, budget=self.budget), self.role_runner.team
        reader, writer = team.reader, team.summarizer.name
        if reader is None:
            raise UsageError(f"this run waits for a role that reads answers, and the team '{team.name}' has none")
        if completion := self.role_runner.ask(reader, run, stop):
            choice = self._choice(reader, completion.text, run)
            answer = run.last.said[writer]
            run.say(reader.name, completion.text.strip())
            _tell(Reviewed(role=reader.name, choice=choice))
            to = FINISH if choice is None else reader.choices[choice].next
            if to == FINISH:
                run.answer(answer, by=writer)
            elif to == GIVE_UP:
                run.give_up()
            else:
                run.go_on()
        return run.update()

    def _choice(self, reader: Role, text: str, run: RunState) -> str | None:
        """What a role chose; None where it cannot be read, or was chosen too often: then the answer stands."""
        choice = output_format.parse_choice(text, reader.markers).choice
        if choice is None or (most := reader.choices[choice].at_most) is None:
            return choice
        said = (node.step.said.get(reader.name, "") for node in run.tree.nodes if node.step is not None)
        before = sum(output_format.parse_choice(words, reader.markers).choice == choice for words in said if words)
        return choice if before < most else None

    def ask_user(self, state: State, stop: threading.Event) -> Update:
        """Ask the user what the planner wants to know. The node runs again when the answer is there."""
        run = RunState(state, budget=self.budget)
        if not (team := self.role_runner.team).asks_user:
            raise UsageError(f"this run waits for the user, whom the planner of the team '{team.name}' does not ask")
        question = run.last.plan.rationale
        call = Call(tool=Decision.ASK_USER, arguments={"question": question})
        told = interrupt(ApprovalRequest(why="user", call=call, key=run.call_key, value=question).stored())
        run.say(USER, writable(as_text(told)).strip())
        run.go_on()
        return run.update()

    def give_up(self, state: State, stop: threading.Event) -> Update:
        """The planner gave up: a chain ends here, a search goes back."""
        run = RunState(state, budget=self.budget)
        run.give_up()
        return run.update()

    def backtrack(self, state: State, stop: threading.Event) -> Update:
        """Go to where the search goes on, and say what was tried there."""
        run = RunState(state, budget=self.budget)
        left = run.tree.nodes[run.node]
        run.backtrack()
        tried = run.tree.tried(run.node)
        if run.tree.diversity and tried:
            run.prompt = search_text("diversity", attempts=[summarize_step(step) for step in tried])
        why = "gave up" if left.end is End.GIVE_UP else left.why
        _tell(Backtracked(steps=len(run.trajectory.steps), why=why or "to try more"))
        return run.update()

    def rank(self, state: State, stop: threading.Event) -> Update:
        """Compare what was tried from one node, each pair in both orders, and visit the best first."""
        run = RunState(state, budget=self.budget)
        tries = run.tree.to_rank
        points = dict.fromkeys(tries, 0.0)
        before = "\n".join(summarize_step(step) for step in run.tree.steps(run.tree.nodes[tries[0]].parent or ROOT))
        for a, b in permutations(tries, 2):
            shown = {name: summarize_step(run.tree.step(node)) for name, node in (("a", a), ("b", b))}
            text = search_text("rank", question=run.task.query, before=before, **shown)
            completion = self.role_runner.compare(text, run, stop)
            if completion is None:
                return run.update()
            letter = completion.text.strip()[:1].upper()
            points[a] += {"A": 1.0, "B": 0.0}.get(letter, 0.5)
            points[b] += {"A": 0.0, "B": 1.0}.get(letter, 0.5)
        run.rank(sorted(tries, key=lambda node: -points[node]))
        return run.update()

    def finish(self, state: State, stop: threading.Event) -> Update:
        """Give back what the models kept, and say how it ended."""
        run = RunState(state, budget=self.budget)
        self.role_runner.release(run.session)
        result = run.result()
        _tell(Finished(result=result))
        return {"messages": [final_message(result)]}


def _offered(run: RunState) -> list[str]:
    """Names of the tools that the run was begun with; whoever resumes it may have more."""
    return [tool.name for tool in run.task.tools]


def _tell(event: AgentEvent) -> None:
    get_stream_writer()(event)


def _stop_on_repetition(run: RunState, completion: Completion) -> None:
    """End a run whose role repeats itself: it would do so again. Its words are recorded."""
    if completion.finish_reason == "repetition":
        run.end_path(StopReason.REPETITION)
