"""The wiring: nodes and edges, nothing else.

    begin -> plan -> call -> act -> plan ...      (call -> approve -> act where a person is asked first)
                  -> ask_user -> plan ...         (where the planner may ask the user)
                  -> summarize -> finish          (summarize -> review -> finish or plan where a role reads answers)
                  -> give_up   -> finish
     where a path ends and the search does not: backtrack -> plan, and in classical DFS rank -> backtrack -> plan
What a step still lacks, or where the search goes on, decides the edge (`RunState.next`), after every node: a run that
was stored anywhere goes on from there. `messages` in, `messages` out, so it stands where `create_agent` would, as a
subgraph too; the last human message is the question, told with the turns before it.
"""

from __future__ import annotations

import hashlib
import json
import threading
import uuid
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig, RunnableLambda
from langchain_core.runnables.config import set_config_context
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.config import get_config, get_store
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.store.base import BaseStore
from langgraph.store.memory import InMemoryStore
from langgraph.types import Checkpointer
from typing_extensions import TypedDict  # not typing's: before Python 3.12 pydantic makes no JSON Schema of that

from alpha_umi.agent.concurrency import in_thread
from alpha_umi.agent.journal import Journal, session_of_turn
from alpha_umi.agent.nodes import Nodes, Update
from alpha_umi.agent.role_runner import RoleRunner
from alpha_umi.agent.search.strategies import Strategy, chain
from alpha_umi.agent.search.tree import Tree
from alpha_umi.agent.state import Budget, Messages, State
from alpha_umi.agent.tool_executor import Sensitive, ToolExecutor
from alpha_umi.errors import UsageError
from alpha_umi.models.langchain import as_model
from alpha_umi.models.protocol import Model
from alpha_umi.roles import Team
from alpha_umi.tools.functions import as_toolbox

SESSION = "alpha_umi_session"
"""Key under `configurable` by which a runner names the episode, so that it can release what a cancelled run kept."""

CHECKPOINTER = "__pregel_checkpointer"
"""LangGraph's key under `configurable` for the checkpointer of the app around."""
_UNJOURNALED = (
    "threads of this app are stored, but the calls of its agent are not: compile the app with `store=` too, "
    "or a run that is killed and resumed may make a call twice"
)

NODES_PER_STEP = 5
NODES_AROUND = 8
"""Nodes of a run that belong to no step: its begin and end, with some to spare."""

AgentGraph = CompiledStateGraph[State, None, Messages, Messages]
"""The compiled graph: messages in, messages out."""


def build_graph(
    team: Team,
    *,
    models: Mapping[str, Model | BaseChatModel],
    toolbox: Any,
    budget: Budget | None = None,
    search: Strategy | None = None,
    sensitive: Sensitive = (),
    checkpointer: Checkpointer = None,
    store: BaseStore | None = None,
    name: str = "alpha_umi",
) -> AgentGraph:
    """Compile the agent as a LangGraph: messages in, messages out.

    Args:
        team: who speaks, in which layout.
        models: what each role of the team speaks with; a LangChain chat model will do.
        toolbox: what may be called: a toolbox, Python functions, LangChain tools, or a mixture.
        budget: what one run may spend.
        search: the strategy, such as `DFSDT()`; left out, a chain.
        sensitive: names of tools that a person is asked about before each call, or a function that says so of a call;
            beside the tools that are marked so. Needs a checkpointer.
        checkpointer: any of LangGraph's; runs then need a `thread_id`.
        store: any of LangGraph's; holds which calls were begun and ended, so that a run that was killed makes none
            twice. Left out beside a checkpointer, that is known in this process only.
        name: how the graph is called inside a larger one.

    Raises:
        UsageError: a role of the team has no model, or a tool cannot be offered.
    """
    budget, search = budget or Budget(), search or chain()
    missing = sorted(set(team.roles) - set(models))
    if missing:
        raise UsageError(f"team '{team.name}' has no model for {', '.join(missing)}; models are given by role")
    executor = ToolExecutor(toolbox=as_toolbox(toolbox), sensitive=sensitive)
    of_roles = {role: as_model(model) for role, model in models.items()}
    nodes = Nodes(role_runner=RoleRunner(team=team, models=of_roles), executor=executor, budget=budget, search=search)
    graph = StateGraph(State, input_schema=Messages, output_schema=Messages)
    graph.add_node("begin", _beginning(nodes))
    graph.add_edge(START, "begin")
    inner = {"plan": nodes.plan, "call": nodes.call, "approve": nodes.approve, "act": _acting(nodes)}
    inner |= {"summarize": nodes.summarize, "give_up": nodes.give_up}
    # Whatever the team and the search: a thread goes on with the one that it was begun with.
    inner |= {"review": nodes.review, "ask_user": nodes.ask_user}
    inner |= {"backtrack": nodes.backtrack, "rank": nodes.rank}
    for key, work in {**inner, "finish": _finishing(nodes)}.items():
        graph.add_node(key, _node(key, work, nodes))

    for key in ("begin", *inner):
        graph.add_conditional_edges(key, _Direct(_next, _anext, "next"), [*inner, "finish"])
    graph.add_edge("finish", END)
    if store is None and isinstance(checkpointer, BaseCheckpointSaver):
        store = InMemoryStore()
    compiled = graph.compile(checkpointer=checkpointer, store=store, name=name)
    return compiled.with_config(recursion_limit=max_nodes(search, budget))


def max_nodes(search: Strategy | Tree, budget: Budget) -> int:
    """LangGraph's own limit, set where it cannot be met before ours."""
    return NODES_PER_STEP * search.max_total_steps(budget.max_steps) + NODES_AROUND


class _Direct(RunnableLambda[Any, Any]):
    """A function that is called as it is: LangGraph has traced the node that it is, and set its context, already."""

    def __init__(self, func: Callable[[Any], Any], afunc: Callable[[Any], Awaitable[Any]], name: str) -> None:
        super().__init__(func, afunc=afunc, name=name)
        self._direct, self._adirect = func, afunc

    def invoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """What it gives."""
        return self._direct(input)

    async def ainvoke(self, input: Any, config: RunnableConfig | None = None, **kwargs: Any) -> Any:
        """What it gives."""
        return await self._adirect(input)


class _Turn(TypedDict):
    """All of the state that an edge reads."""

    next: str


def _next(state: _Turn) -> str:
    return state["next"]


async def _anext(state: _Turn) -> str:
    return state["next"]


def _beginning(nodes: Nodes) -> _Direct:
    def begin(state: State) -> Update:
        configured, store = get_config().get("configurable", {}), get_store()
        session, thread = configured.get(SESSION), configured.get("thread_id")
        if not session and store is not None and thread is not None:
            above = str(configured.get("checkpoint_ns", "")).rpartition("|")[0]
            session = session_of_turn(store, f"{thread}/{above}/{_asked(state['messages'])}")
        return nodes.begin(state, str(session or uuid.uuid4().hex))

    async def abegin(state: State) -> Update:
        return await in_thread(lambda _: begin(state))

    return _Direct(begin, abegin, "begin")


def _asked(messages: Sequence[AnyMessage]) -> str:
    """Stands for a conversation up to its question: another one, on a thread that was emptied say, is another turn."""
    return hashlib.sha256(json.dumps([(m.type, m.content) for m in messages], default=str).encode()).hexdigest()


def _journal(state: State) -> Journal | None:
    """Where this run's calls are written down; None where nothing could be resumed."""
    store: BaseStore | None = get_store()
    configured = get_config().get("configurable", {})
    if "thread_id" not in configured:
        return None
    if store is None:
        if not isinstance(configured.get(CHECKPOINTER), InMemorySaver | None):
            warnings.warn(_UNJOURNALED, stacklevel=2)
        return None
    return Journal(store, state["session"])


def _acting(nodes: Nodes) -> Callable[[State, threading.Event], Update]:
    def act(state: State, stop: threading.Event) -> Update:
        config = get_config()
        # A graph that a tool runs inherits what is configured; an agent's episode there is another one.
        inherited = {key: value for key, value in config.get("configurable", {}).items() if key != SESSION}
        with set_config_context({**config, "configurable": inherited}) as context:
            return context.run(nodes.act, state, stop, _journal(state))

    return act


def _finishing(nodes: Nodes) -> Callable[[State, threading.Event], Update]:
    def finish(state: State, stop: threading.Event) -> Update:
        if (journal := _journal(state)) is not None:
            journal.close()
        return nodes.finish(state, stop)

    return finish


def _node(name: str, work: Callable[[State, threading.Event], Update], nodes: Nodes) -> _Direct:
    """A node for `invoke` and `ainvoke`; one that fails or is cancelled leaves nothing behind in the models."""

    def guarded(state: State, stop: threading.Event) -> Update:
        try:
            update = work(state, stop)
        except BaseException:
            nodes.role_runner.release(state["session"])
            raise
        if stop.is_set():  # here and not where the cancellation is seen: a release may wait for a model
            nodes.role_runner.release(state["session"])
        return update

    def run(state: State) -> Update:
        return guarded(state, threading.Event())

    async def arun(state: State) -> Update:
        return await in_thread(lambda stop: guarded(state, stop))

    return _Direct(run, arun, name)
