"""For tests of programs with an agent in them: models that say what they are told to, tools that answer what is given.

Nothing here needs torch or a network but `save_tiny_model`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from alpha_umi.agent.runner import Agent
from alpha_umi.errors import UsageError
from alpha_umi.models.protocol import Request
from alpha_umi.models.scripted import ScriptedModel
from alpha_umi.roles import DEFAULT_BASE, Team
from alpha_umi.text import output_format
from alpha_umi.tools.validation import refused
from alpha_umi.trajectory import Call, Decision, Observation, Plan, Tool

__all__ = [
    "FakeToolbox",
    "Script",
    "call_text",
    "plan_text",
    "save_tiny_model",
    "scripted_agent",
    "scripted_models",
]

Script = Iterable[str] | Callable[[Request], str] | ScriptedModel
"""What a role writes: texts in their order, a function of each request, or a model that was made with further options
(`ScriptedModel(["Next: caller."], repeat_last=True)`)."""


def scripted_models(
    planner: Script = (), caller: Script = (), summarizer: Script = (), **further: Script
) -> dict[str, ScriptedModel]:
    """A scripted model for each role of a team.

    Args:
        planner: what it writes; `plan_text` spells it.
        caller: what it writes; `call_text` spells it.
        summarizer: the answers.
        further: roles of one's own, by name.

    Returns:
        The models by role, as `Agent.from_team(models=)` takes them; `models["planner"].requests` is what it was sent.
    """
    scripts = {"planner": planner, "caller": caller, "summarizer": summarizer, **further}
    return {
        name: s if isinstance(s, ScriptedModel) else ScriptedModel([s] if isinstance(s, str) else s, name=name)
        for name, s in scripts.items()
    }


def scripted_agent(
    planner: Script = (),
    caller: Script = (),
    summarizer: Script = (),
    *,
    tools: Any = (),
    team: Team | str = "umi",
    further: Mapping[str, Script] = {},
    **options: Any,
) -> Agent:
    """An agent whose roles follow scripts.

    Args:
        planner: as of `scripted_models`, like `caller` and `summarizer`.
        caller: what it writes.
        summarizer: the answers.
        tools: as of `Agent.from_team`, like `team` and `options`.
        team: whose roles they are.
        further: scripts of the roles of one's own, by name.
        options: a budget, a search, a store of threads.
    """
    models = scripted_models(planner, caller, summarizer, **further)
    return Agent.from_team(team, tools=tools, models=models, **options)


def plan_text(
    rationale: str, decision: Decision | str = Decision.CALL, markers: Mapping[str, str] = output_format.MARKERS
) -> str:
    """What a planner writes to decide so: `plan_text("I look it up.")` is `I look it up. Next: caller.`; `markers` are
    those of the team's planner (`Team.planner.markers`), by default α-UMi's."""
    return output_format.format_plan(Plan(rationale=rationale, decision=Decision(decision)), markers)


def call_text(tool: str, **arguments: Any) -> str:
    """What a caller writes to call a tool with these arguments."""
    return output_format.format_call(Call(tool=tool, arguments=arguments))


class FakeToolbox:
    """Tools that give what they are told to.

    Args:
        results: by the tool's name what its calls come back with: a text, an `Observation`, an exception to be raised,
            a function of the call, or a list of these, of which the last is repeated.
        tools: what is offered, with descriptions and parameters; left out, one bare tool for each name.

    Raises:
        UsageError: a tool has no result.
    """

    def __init__(self, results: Mapping[str, Any], *, tools: Iterable[Tool] = ()) -> None:
        self.tools: tuple[Tool, ...] = tuple(tools) or tuple(Tool(name=name) for name in results)
        self.calls: list[Call] = []
        """Every call so far."""
        self._results = {name: [*r] if isinstance(r, list) else [r] for name, r in results.items()}
        for tool in self.tools:
            if not self._results.get(tool.name):
                raise UsageError(f"the fake tool '{tool.name}' has no result to give")

    def invoke(self, call: Call) -> Observation:
        """The next result of a tool."""
        self.calls.append(call)
        if (refusal := refused(call, [tool.name for tool in self.tools])) is not None:
            return refusal
        waiting = self._results[call.tool]
        result = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        if callable(result):
            result = result(call)
        if isinstance(result, BaseException):
            raise result
        return result if isinstance(result, Observation) else Observation(text=_as_text(result))


def _as_text(result: Any) -> str:
    return result if isinstance(result, str) else json.dumps(result, ensure_ascii=False)


def save_tiny_model(folder: str | Path, *, seed: int = 0, base: str = DEFAULT_BASE, layers: int = 2) -> Path:
    """Write a Llama with random weights (about 20 MB, mostly embeddings) and a base's tokenizer, for the `base:` of a
    recipe or a team.

    Args:
        folder: where to.
        seed: of the weights; the same gives the same.
        base: whose tokenizer it has.
        layers: how many.

    Raises:
        MissingExtra: the `local` extra is not installed.
    """
    from alpha_umi.models.local.base_weights import load_tokenizer

    tokenizer = load_tokenizer(base)
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=80,
        num_hidden_layers=layers,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.3,  # so that what it writes depends on what it read
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    folder = Path(folder)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
