"""A search over a local model: where it goes back, the cache goes back with it, and nothing is encoded twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from alpha_umi import DFSDT, Agent, Budget, Team, load_models, load_team
from alpha_umi.backends import Generation
from alpha_umi.models.protocol import Completion, Message, Request
from alpha_umi.text.chat_tokenizer import ChatEncoder
from alpha_umi_gym import toolbox


class Counted:
    """A model that is written down: every prompt, and how much of it was encoded."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.context_length = model.context_length
        self.prompts: list[tuple[int, ...]] = []
        self.encoded = 0

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return int(self.model.count_tokens(messages))

    def complete(self, request: Request) -> Completion:
        encoder: ChatEncoder = self.model.engine.encoder
        self.prompts.append(tuple(encoder.prompt(request.messages)))
        completion: Completion = self.model.complete(request)
        self.encoded += completion.encoded_tokens
        return completion

    def release(self, session: str) -> None:
        self.model.release(session)

    @property
    def distinct(self) -> int:
        """Tokens of all prompts, beginnings that they share counted once."""
        return len({hash(prompt[:end]) for prompt in self.prompts for end in range(1, len(prompt) + 1)})


def brief(layout: str) -> Team:
    """SmolLM2 untrained in three roles that write little, hot enough for siblings to differ."""
    team = load_team("umi").model_copy(update={"prompts": layout})
    few = Generation(max_new_tokens=24, temperature=1.0, seed=5)
    for name in team.roles:
        team = team.with_role(name, generation=few)
    return team


@pytest.mark.model
def test_going_back_encodes_nothing_again() -> None:
    """Depth first, a step that was left is never come back to: dropping it from the session loses nothing."""
    team, search = brief("paper"), DFSDT(width=2, max_calls=5, answers=3)
    models: Any = {role: Counted(model) for role, model in load_models(team).items()}
    agent = Agent.from_team(team, tools=toolbox("maths"), models=models, search=search, budget=Budget(max_steps=2))
    result = agent.run("What is the square root of 1764?")
    assert result.tree is not None
    assert len(result.tree.nodes) > 3, "the search must have gone back"
    for role, model in models.items():
        assert model.encoded <= model.distinct, f"{role} encoded something twice"
