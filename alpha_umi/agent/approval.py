"""Approval, human in the loop: what a run asks a person and what the person decides, as plain data that `interrupt` and
any checkpointer take.

`nodes` asks (`approve`, `ask_user`), and `tool_executor` where it is unknown whether a call happened; whether a call
needs approval is `ToolExecutor.must_ask`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import ValidationError, model_validator

from alpha_umi.config import config_mistakes
from alpha_umi.errors import UsageError
from alpha_umi.trajectory import Call, Frozen

_HALF = 1 << 63


class ApprovalRequest(Frozen):
    """A call that waits for a person's approval, or a question that waits for an answer."""

    why: Literal["sensitive", "unknown_outcome", "tool", "user"]
    """`sensitive`: it is marked so and was not carried out yet. `unknown_outcome`: the run broke off while it was being
    carried out, so that it may have happened, and its tool does not say that it may be repeated. `tool`: the tool
    asks `value` itself, by LangGraph's `interrupt`, and is carried out from its start again once that is answered.
    `user`: the planner asks the user `value`; its call is one of `ask_user`, which no toolbox carries out."""
    call: Call
    key: str
    """The call's idempotency key: the same whenever this call is asked about or carried out."""
    value: Any = None
    """What a tool asks, as JSON would have it."""

    def stored(self) -> dict[str, Any]:
        """The request as `interrupt` takes it."""
        whole = self.model_dump(mode="json", exclude=set() if self.why == "user" else {"value"})
        whole["call"]["arguments"] = storable(whole["call"]["arguments"])
        return whole


def storable(value: Any) -> Any:
    """A JSON value without the integers that a checkpointer cannot hold; those of more than 64 bits become texts."""
    if isinstance(value, Mapping):
        return {key: storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable(item) for item in value]
    return str(value) if isinstance(value, int) and not -_HALF <= value < 2 * _HALF else value


class ApprovalDecision(Frozen):
    """A person's decision on a call that asked for approval.

    `approve` carries it out (again, if its outcome is unknown), `edit` carries it out with other arguments, `refuse`
    does not and tells the model `text`, `observed` does not either and gives the model `text` as what came back.
    """

    action: Literal["approve", "edit", "refuse", "observed"]
    arguments: Mapping[str, Any] | None = None
    text: str = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.action == "edit") != (self.arguments is not None):
            raise ValueError("arguments belong to `edit`, and to it alone")
        return self

    @classmethod
    def of(cls, said: object) -> ApprovalDecision:
        """The decision that a program resumed with: one, its data, also as a JSON text (which may hold integers that a
        checkpointer cannot), or the bare word `approve` or `refuse`.

        Raises:
            UsageError: it is none of these.
        """
        if isinstance(said, ApprovalDecision):
            return said
        try:
            if isinstance(said, str) and said.lstrip().startswith("{"):
                return cls.model_validate_json(said)
            return cls.model_validate({"action": said} if isinstance(said, str) else said)
        except ValidationError as error:
            raise UsageError("reply: " + "; ".join(config_mistakes(error))) from None


def word(ask: ApprovalRequest, said: Any) -> Any:
    """What a run goes on with: a tool's own question gets what was said (of a decision, its arguments or text).

    Raises:
        UsageError: it is no ApprovalDecision, where one is asked for.
    """
    if ask.why == "user":
        words = (said.text or said.action) if isinstance(said, ApprovalDecision) else said
        if not isinstance(words, str) or not words.strip():
            raise UsageError(f"reply: the planner asks {ask.value!r:.200}: answer in words")
        return words
    if ask.why != "tool" and isinstance(said, str) and said not in {"approve", "refuse"} and not said.startswith("{"):
        raise UsageError(f"reply: {said!r:.60} is not approve, refuse, or the call's arguments as a JSON object")
    if ask.why != "tool":
        return ApprovalDecision.of(said).model_dump_json()
    if not isinstance(said, ApprovalDecision):
        return said
    return dict(said.arguments) if said.arguments is not None else said.text or said.action
