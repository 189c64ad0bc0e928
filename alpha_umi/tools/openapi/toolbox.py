"""The operations of an OpenAPI document as a Toolbox.

Owns the choice of operations, the way of a call (check, encode, send, observe) and that no secret comes back with
an observation. Everything that can go wrong in a call is an observation. An operation that cannot be offered is left
out with a warning; what is wrong with the whole document or the choice is one ToolError when the toolbox is made.
"""

from __future__ import annotations

import json
import logging
import os
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from jsonschema import Draft202012Validator

from alpha_umi.errors import ToolError
from alpha_umi.text.truncation import cut_middle
from alpha_umi.tools.addresses import literal_hosts
from alpha_umi.tools.http import HttpClient, HttpFault, HttpLimits, HttpRequest
from alpha_umi.tools.openapi.credentials import Applied, Credentials, Secret
from alpha_umi.tools.openapi.document import MAX_BYTES, Document, read_document
from alpha_umi.tools.openapi.encoding import (
    Unsendable,
    encode_body,
    encode_cookies,
    encode_headers,
    encode_path,
    encode_query,
)
from alpha_umi.tools.openapi.listing import RawOperation, raw_operations
from alpha_umi.tools.openapi.operations import Operation, read_operation
from alpha_umi.tools.openapi.routes import Routes
from alpha_umi.tools.openapi.servers import security_of, server_of, whole_url
from alpha_umi.tools.protocol import MAX_OBSERVATION_CHARS, Traits, idempotency_key, writable
from alpha_umi.tools.replies import observe
from alpha_umi.tools.validation import (
    check_tool,
    closest,
    find_mistakes,
    one_line,
    refuse_arguments,
    refused,
)
from alpha_umi.trajectory import Call, Observation, Tool

ALLOWED_HOSTS = "ALPHA_UMI_ALLOW_HOSTS"
"""Environment variable: private hosts, separated by commas, that tools named on a command line may reach."""
_ACCEPT = "application/json, text/*;q=0.9, */*;q=0.1"
_ERRORS_SHOWN = 5
_WARNINGS_SHOWN = 10

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Ready:
    """An operation with all that a call needs."""

    operation: Operation
    server: str
    applied: tuple[Applied, ...]
    validator: Draft202012Validator


class OpenAPIToolbox:
    """One tool per operation of an OpenAPI 3.0 or 3.1 document."""

    def __init__(
        self,
        source: str | Path | Mapping[str, Any],
        *,
        include: Collection[str] | None = None,
        exclude: Collection[str] = (),
        auth: Mapping[str, Secret] | None = None,
        server: str | None = None,
        url: str = "",
        allow_private: bool | Collection[str] = False,
        limits: HttpLimits | None = None,
        repeatable: Collection[str] = (),
        max_chars: int = MAX_OBSERVATION_CHARS,
    ) -> None:
        """Read a document (file, URL or mapping) and offer its operations.

        Args:
            include: names or tags to offer, everything if not given; `exclude` wins over it. What is named and cannot
                be offered is an error; else it is left out (`skipped`)
            auth: secrets by security scheme, before the environment's; None as a secret calls without
            server: where the operations are, in place of the document's first server
            url: where a document that is a file or a mapping was published, for relative servers
            allow_private: hosts inside that may be reached, see `AddressGuard.of`
            repeatable: names of operations that may be sent twice although their method does not promise it

        Raises:
            ToolError: the document cannot be read, nothing in it can be offered, or something named cannot.
        """
        limits = limits or HttpLimits()
        with HttpClient(replace(limits, max_bytes=MAX_BYTES), allow_private=allow_private) as http:
            document = read_document(source, http=http, url=url)
        self._credentials = Credentials(document, auth or {}, os.environ)
        raw, faults = raw_operations(document)
        if faults and not raw:
            raise ToolError(f"{document.source}: {_some(faults)}")
        self._routes = Routes(raw)
        chosen = _chosen(document, raw, include, exclude)
        self._repeatable = frozenset(repeatable)
        if unknown := sorted(self._repeatable - {each.name for each in raw}):
            raise ToolError(f"{document.source}: there is no operation {unknown[0]!r} to call repeatable")
        self._items, unfit = self._prepare(document, chosen, whole_url(server, "server") if server else None)
        named = [unfit[each.name] for each in chosen if each.name in unfit and each.names & set(include or ())]
        if named or not self._items:
            raise ToolError(f"{document.source}: {_some(named or [*faults, *unfit.values()])}")
        # What cannot even be listed nobody has asked for where something is chosen.
        self.skipped: tuple[str, ...] = (*(faults if include is None else ()), *unfit.values())
        """Why operations of the document are not offered, each by its method and path."""
        _warn(document.source, self.skipped)
        self._tools = tuple(item.operation.tool for item in self._items.values())
        self._http = HttpClient(limits, allow_private=allow_private)
        self._max_chars = max_chars
        self.source = document.source

    def __repr__(self) -> str:
        return f"OpenAPIToolbox({self.source!r}, {len(self._tools)} tools)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept alive."""
        self._http.close()

    @property
    def tools(self) -> Sequence[Tool]:
        """What is offered, in the order of the document."""
        return self._tools

    def traits(self, name: str) -> Traits:
        """Whether an operation may be repeated, by its method or as declared, and whether it takes a key."""
        if name not in self._items:
            return Traits()
        operation = self._items[name].operation
        repeatable = HttpRequest(operation.method, "").may_repeat or name in self._repeatable
        return Traits(repeatable=repeatable, takes_key=operation.takes_key)

    def invoke(self, call: Call) -> Observation:
        """Carry out one call; whatever goes wrong is an observation with `ok=False`.

        Operations that have a header `Idempotency-Key` get the call's key, or a random one where it has none.
        """
        if no := refused(call, self._items):
            return no
        try:
            seen = self._carry_out(self._items[call.tool], call.arguments, idempotency_key())
        except RecursionError:
            seen = refuse_arguments(call.tool, ["nested too deep"])
        except Exception as error:  # a Toolbox never raises
            why = f"{type(error).__name__}: {one_line(str(error), limit=200)}"
            seen = Observation(text=f"{call.tool} failed: {why}", ok=False)
        text = writable(self._credentials.scrub(seen.text))
        return Observation(text=cut_middle(text, self._max_chars), ok=seen.ok)

    def _carry_out(self, item: _Ready, arguments: Mapping[str, Any], key: str | None) -> Observation:
        operation, name = item.operation, item.operation.tool.name
        mistakes = _unwritable(arguments) or find_mistakes(item.validator, arguments)
        if mistakes:
            return refuse_arguments(name, mistakes)
        try:
            request = self._request(item, arguments, key)
        except Unsendable as error:
            return refuse_arguments(name, [str(error)])
        try:
            reply = self._http.send(request)
        except HttpFault as fault:
            return Observation(text=f"{name} failed: {fault}", ok=False)
        if reply.truncated and self._credentials.longest:  # the end may be a part of a secret
            reply = replace(reply, body=reply.body[: -self._credentials.longest])
        return observe(
            reply,
            tool=name,
            promised=operation.promised,
            may_be_empty=operation.may_be_empty,
            scrub=self._credentials.scrub,
        )

    def _request(self, item: _Ready, arguments: Mapping[str, Any], key: str | None) -> HttpRequest:
        operation = item.operation
        path = encode_path(operation, arguments)
        if other := self._routes.stray(operation.method, operation.path, path):
            raise Unsendable(f"with this path it would be another operation, {other.name}")
        headers = [("Accept", _ACCEPT), *encode_headers(operation, arguments)]
        headers += [(each.name, each.value) for each in item.applied if each.where == "header"]
        cookies = encode_cookies(operation, arguments)
        cookies += [f"{each.name}={each.value}" for each in item.applied if each.where == "cookie"]
        if cookies:
            headers.append(("Cookie", "; ".join(cookies)))
        secret = Credentials.query(item.applied)
        query = "&".join(part for part in (encode_query(operation, arguments), secret) if part)
        body = encode_body(operation.body, arguments) if operation.body else None
        if body:
            headers.append(("Content-Type", body[0]))
        return HttpRequest(
            operation.method,
            item.server.rstrip("/") + path + (f"?{query}" if query else ""),
            headers,
            body[1] if body else None,
            True if operation.tool.name in self._repeatable else None,
            (key or uuid.uuid4().hex) if operation.takes_key else None,
        )

    def _prepare(
        self, document: Document, chosen: Sequence[RawOperation], server: str | None
    ) -> tuple[dict[str, _Ready], dict[str, str]]:
        """By name: every chosen operation that is ready to be called, and why the others cannot be."""
        items: dict[str, _Ready] = {}
        unfit: dict[str, str] = {}
        for raw in chosen:
            try:
                items[raw.name] = self._ready(document, raw, server or server_of(document, raw))
            except ToolError as error:
                unfit[raw.name] = str(error)
            except Exception as error:  # whatever a document may hold where nobody expects it
                unfit[raw.name] = (
                    f"{raw.what} cannot be read: {type(error).__name__}: {one_line(str(error), limit=200)}"
                )
        return items, unfit

    def _ready(self, document: Document, raw: RawOperation, server: str) -> _Ready:
        applied = self._credentials.choose(security_of(document, raw), raw.what, server=server)
        hidden = frozenset((each.where, each.name.lower()) for each in applied)
        operation = read_operation(document, raw, hidden)
        return _Ready(operation, server, applied, check_tool(operation.tool))


def _some(faults: Sequence[str]) -> str:
    more = f"; and {len(faults) - _ERRORS_SHOWN} more" if len(faults) > _ERRORS_SHOWN else ""
    return "; ".join(dict.fromkeys(faults[:_ERRORS_SHOWN])) + more


def _warn(source: str, faults: Sequence[str]) -> None:
    for fault in faults[:_WARNINGS_SHOWN]:
        _log.warning("%s: left out: %s", source, fault)
    if (more := len(faults) - _WARNINGS_SHOWN) > 0:
        _log.warning("%s: left out: %d operations more (`skipped` says which)", source, more)


def from_spec(source: str) -> OpenAPIToolbox:
    """The toolbox behind `--tools openapi:SOURCE`, where the person at the keyboard wrote the source.

    A source that names an address or `localhost` may be called there; other private hosts are allowed by
    ALPHA_UMI_ALLOW_HOSTS. Secrets come from the environment, each for its host.
    """
    allowed = [host for host in os.environ.get(ALLOWED_HOSTS, "").split(",") if host.strip()]
    return OpenAPIToolbox(source, allow_private=[*literal_hosts(source), *allowed])


def _chosen(
    document: Document, raw: Sequence[RawOperation], include: Collection[str] | None, exclude: Collection[str]
) -> list[RawOperation]:
    if isinstance(include, str) or isinstance(exclude, str):
        raise ToolError("include and exclude are lists of names and tags, not one text")
    labels = frozenset().union(*(each.labels for each in raw))
    for wanted in (*(include or ()), *exclude):
        if wanted not in labels:
            known = ", ".join(closest(wanted, sorted(labels)))
            raise ToolError(f"{document.source}: there is no operation or tag {wanted!r} (closest: {known})")
    chosen = [r for r in raw if (include is None or r.labels & set(include)) and not r.labels & set(exclude)]
    if not chosen:
        raise ToolError(f"{document.source}: no operation is left to offer")
    return chosen


def _unwritable(arguments: Mapping[str, Any]) -> list[str]:
    """Why arguments could not be sent whatever the schema says: NaN, half a surrogate pair, endless depth."""
    try:
        json.dumps(dict(arguments), ensure_ascii=False, allow_nan=False).encode()
    except UnicodeEncodeError:
        return ["the text holds half a character (a lone surrogate)"]
    except (ValueError, TypeError):
        return ["only JSON values can be sent; NaN and Infinity are none"]
    return []
