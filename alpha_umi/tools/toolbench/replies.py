"""What a RapidAPI call gave -> its code and the observation: ToolBench's texts, codes, cuts and compression.

`compat` is the reference to the letter: any reply with the word "error" is an error, rate limits have code 0, responses
are Python's `str`, cut at 2,048 characters and, wrapped as JSON, at 1,024. Otherwise only replies that say so are
errors, and the observation is the bare response, as `data.toolbench` gives it to training. Pure functions; no network.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from alpha_umi.text.truncation import cut_middle
from alpha_umi.tools.protocol import writable
from alpha_umi.trajectory import Observation, Tool

CODES: Mapping[int, str] = {
    0: "normal response",
    1: "there is no such function",
    2: "wrong input",
    3: "final answer given",
    4: "gave up and restarts",
    5: "timeout",
    6: "the API does not work",
    7: "unauthorized",
    8: "not subscribed",
    9: "too many requests",
    10: "rate limit",
    11: "the message is an error",
    12: "the request failed",
}
"""What the codes of results mean; 7 and 8 as ToolBench implements them (its comment has them the other way round)."""

RESPONSE_CHARS = 2048
OBSERVATION_CHARS = 1024
_BRIEF = 300

_PHRASES: tuple[tuple[tuple[str, ...], str, int, int], ...] = (
    (("Your Client (working) ---> Gateway (working) ---> API (not working)",), "API not working error...", 6, 6),
    (("Unauthorized", "unauthorized"), "Unauthorized error...", 7, 7),
    (("You are not subscribed to this API.",), "Unsubscribed error...", 8, 8),
    (("Too many requests",), "Too many requests error...", 9, 9),
    (
        ("You have exceeded", "you are being rate limited", "Access restricted. Check credits"),
        "Rate limit error...",
        10,
        0,
    ),
    (("Oops, an error in the gateway has occurred.",), "Gateway error...", 6, 0),
    (("Blocked User. Please contact your API provider.",), "Blocked error...", 7, 0),
)
"""What APIs say, what the error is called, its code and the one in `compat`; the first that fits counts."""
_TIMED_OUT = "The request to the API has timed out"


class ToolBenchReply(NamedTuple):
    """What a backend got."""

    response: Any = ""
    """Decoded JSON, or text."""
    error: str = ""
    """Why there is no proper response, or empty."""
    code: int = 0
    source: Literal["response", "server", "transport"] = "response"
    """Who found the error: the words of the response, a ToolBench server, or that nothing came."""


class ToolBenchResult(NamedTuple):
    """An observation and its code."""

    observation: Observation
    code: int


def code_of(error: str, *, compat: bool = False) -> int:
    """The code of an error as a ToolBench server names it."""
    codes = {name: (code, compat_code) for _, name, code, compat_code in _PHRASES} | {"Message error...": (11, 11)}
    return codes.get(error, (12 if error else 0, 0))[compat]


def judge(response: Any, *, status: int = 200, compat: bool = False) -> ToolBenchReply:
    """Find out whether a response is an error, by its words and the HTTP status."""
    text = str(response) if compat else _says(response)
    if _TIMED_OUT in text and not compat:  # the reference overwrites this with what follows
        return ToolBenchReply(response, "Timeout error...", 5)
    for phrases, error, code, compat_code in _PHRASES:
        if any(phrase in text for phrase in phrases):
            return ToolBenchReply(response, error, compat_code if compat else code)
    if compat:
        return ToolBenchReply(response, "Message error...", 11) if "error" in text else ToolBenchReply(response)
    if status >= 400:
        code = {401: 7, 403: 7, 404: 6, 429: 9}.get(status, 6 if status >= 500 else 11)
        return ToolBenchReply(response, f"HTTP status {status}", code)
    if isinstance(response, Mapping) and any(response.get(key) for key in ("error", "errors")):
        return ToolBenchReply(response, "Message error...", 11)
    return ToolBenchReply(response)


def _says(response: Any) -> str:
    """The part of a response in which an API speaks of itself: a short text, or the fields for messages."""
    if isinstance(response, Mapping):
        return " ".join(
            str(response[key]) for key in ("message", "messages", "error", "detail", "info") if key in response
        )
    text = str(response)
    return text if len(text) <= _BRIEF else ""


def observe(reply: ToolBenchReply, *, max_chars: int, compat: bool = False) -> ToolBenchResult:
    """The observation of a reply."""
    if compat:
        said = json.dumps({"error": reply.error, "response": str(reply.response)[:RESPONSE_CHARS]})
        text = said if len(said) <= OBSERVATION_CHARS else said[:OBSERVATION_CHARS] + "..."
    else:
        response = reply.response
        said = response if isinstance(response, str) else json.dumps(response, ensure_ascii=False, default=str)
        text = cut_middle(writable(said or reply.error), max_chars)
    return ToolBenchResult(Observation(text=text, ok=not reply.error), reply.code)


def compress(response: Any, schema: Any) -> Any:
    """Keep of a response the keys that its example has; lists of scalars and what has another shape stay whole."""
    if isinstance(response, Mapping) and isinstance(schema, Mapping):
        return {key: compress(value, schema[key]) for key, value in response.items() if key in schema}
    if isinstance(response, list) and isinstance(schema, list | Mapping) and schema:
        inner = schema[0] if isinstance(schema, list) else schema
        return [compress(item, inner) for item in response]
    return response


# Finish

FINISH = Tool(
    name="Finish",
    description="Call this at the end: with the final answer, which must say all that the user needs, or to give up "
    "and restart when the task cannot be solved in this way.",
    parameters={
        "type": "object",
        "properties": {
            "return_type": {"type": "string", "enum": ["give_answer", "give_up_and_restart"]},
            "final_answer": {"type": "string", "description": 'The answer, needed if "return_type" is "give_answer"'},
        },
        "required": ["return_type"],
    },
)


def finish(arguments: Mapping[str, Any]) -> ToolBenchResult:
    """What ToolBench's environment says to `Finish`."""
    kind = arguments.get("return_type")
    if kind == "give_up_and_restart":
        return ToolBenchResult(Observation(text='{"response":"chose to give up and restart"}'), 4)
    if kind == "give_answer" and "final_answer" in arguments:
        return ToolBenchResult(Observation(text='{"response":"successfully giving the final answer."}'), 3)
    if kind == "give_answer":
        missing = 'must have "final_answer"'
    else:
        missing = '"return_type" is not a valid choice' if "return_type" in arguments else 'must have "return_type"'
    return ToolBenchResult(Observation(text=f'{{error:"{missing}"}}', ok=False), 2)
