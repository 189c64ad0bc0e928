"""An HTTP reply -> what the model reads of it.

Success is text: JSON written compactly, other text as it is, anything else as a note on what it was. A reply that
is no success, or not what was promised (a login page instead of JSON, half a JSON), is one line and `ok=False`.
Knows nothing of requests; the cut to an observation's length is the toolbox's.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Collection
from typing import Any

from alpha_umi.tools.http import HttpResponse, retry_after
from alpha_umi.tools.validation import one_line
from alpha_umi.trajectory import Observation

_SHOWN = 500
"""Characters of an error's body that are shown."""
_SCANNED = 20_000
_TEXT = re.compile(r"text/.*|.*[/+](json|xml|yaml|csv|javascript|x-www-form-urlencoded|x-ndjson)")
_BINARY = re.compile(r"(image|audio|video|font)/.*|application/(pdf|zip|gzip|x-tar|wasm)")
_HIDDEN = re.compile(r"(?is)<(script|style|head)\b.*?</\1\s*>|<!--.*?-->|<[^>]*>")
_TITLE = re.compile(r"(?is)<title[^>]*>(.*?)</title>")


def observe(
    reply: HttpResponse,
    *,
    tool: str,
    promised: Collection[str] = (),
    may_be_empty: bool = True,
    scrub: Callable[[str], str] = str,
) -> Observation:
    """What a reply says.

    Args:
        promised: the media types announced for success, nothing if anything may come
        scrub: takes secrets out of a text; done before every cut, which might leave half of one
    """
    kind = media_type(reply)
    text = _text(reply, kind)
    if not 200 <= reply.status < 300:
        return Observation(text=_failure(reply, tool, kind, text, scrub), ok=False)
    if not reply.body and may_be_empty:
        return Observation(text=f"Done: the server answered {_status(reply)} without content.")
    if text is None:
        more = "more than " if reply.truncated else ""
        return Observation(text=f"[{kind or 'binary data'}, {more}{len(reply.body)} bytes, not shown]")
    wrong = None if reply.body else "an empty body"
    if "html" in kind and _all_json(promised):
        wrong = f"an HTML page instead of JSON: {page_text(text, scrub)}"
    elif reply.truncated:
        text += " [the reply goes on: only its start was read]"
    elif reply.body and (_is_json(kind) or (not kind and _all_json(promised))):
        try:
            text = _compact(text)
        except (ValueError, RecursionError):
            wrong = f"broken JSON: {one_line(scrub(text), limit=_SHOWN)}"
    if wrong:
        return Observation(text=f"{tool} failed: the server answered {reply.status} with {wrong}", ok=False)
    return Observation(text=scrub(text))


def media_type(reply: HttpResponse) -> str:
    """The media type without its parameters, in lower case."""
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower()


def page_text(text: str, scrub: Callable[[str], str] = str) -> str:
    """The words of an HTML page in one line: its title and the start of what a reader sees."""
    start = scrub(text)[:_SCANNED]
    title = _TITLE.search(start)
    words = _HIDDEN.sub(" ", start)
    found = scrub(html.unescape(f"{title[1] if title else ''} {words}"))
    return one_line(found, limit=_SHOWN) or "(no text)"


def _failure(reply: HttpResponse, tool: str, kind: str, text: str | None, scrub: Callable[[str], str]) -> str:
    """One line on a reply that is no success: its status, where it points to or how long to wait, what it says."""
    line = f"{tool} failed: the server answered {_status(reply)}"
    if 300 <= reply.status < 400:
        where = one_line(scrub(reply.headers.get("location", "nowhere").partition("?")[0]), limit=200)
        return f"{line}: a redirect to {where}, which is not followed"
    wait = retry_after(reply)
    if wait is not None:
        line += f" (try again in {wait:.0f} seconds)"
    if not text:
        return line
    if "html" in kind:
        said = page_text(text, scrub)
    else:
        try:
            said = _compact(text)
        except (ValueError, RecursionError):
            said = text
    return f"{line}: {one_line(scrub(said), limit=_SHOWN)}"


def _status(reply: HttpResponse) -> str:
    return one_line(f"{reply.status} {reply.reason}", limit=80)


def _text(reply: HttpResponse, kind: str) -> str | None:
    """The body as text, None if it is none."""
    if _BINARY.fullmatch(kind):
        return None
    charset = re.search(r"charset=[\"']?([\w.:-]+)", reply.headers.get("content-type", ""), re.IGNORECASE)
    name = charset[1] if charset else "utf-8"
    try:
        if _TEXT.fullmatch(kind):
            return reply.body.decode(name, "replace").removeprefix("\ufeff")
        if b"\0" in reply.body:
            return None
        # the cut at the size limit may have split a character
        return reply.body.decode(name, "ignore" if reply.truncated else "strict")
    except (LookupError, ValueError):
        return reply.body.decode("utf-8", "replace") if _TEXT.fullmatch(kind) else None


def _is_json(kind: str) -> bool:
    return kind in ("application/json", "text/json") or kind.endswith("+json")


def _all_json(promised: Collection[str]) -> bool:
    return bool(promised) and all(_is_json(kind) for kind in promised)


def _compact(text: str) -> str:
    value: Any = json.loads(text)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
