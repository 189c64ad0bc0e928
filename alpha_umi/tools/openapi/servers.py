"""Where an operation's requests go, and under which security: its own word, else the document's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

from alpha_umi.errors import ToolError
from alpha_umi.tools.openapi.document import Document
from alpha_umi.tools.openapi.listing import RawOperation


def security_of(document: Document, raw: RawOperation) -> list[Mapping[str, Any]]:
    """The alternatives under which it may be called; empty where it needs nothing."""
    found = raw.content.get("security", document.root.get("security"))
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def server_of(document: Document, raw: RawOperation) -> str:
    """The URL that an operation's path is appended to: its first server, else that of its path or document."""
    servers = next((s for owner in (raw.content, raw.item, document.root) if (s := owner.get("servers"))), None)
    first = servers[0] if isinstance(servers, list) else None
    template = str(first.get("url") or "/") if isinstance(first, Mapping) else "/"
    variables = first.get("variables") if isinstance(first, Mapping) else None

    def default(found: re.Match[str]) -> str:
        variable = variables.get(found[1]) if isinstance(variables, Mapping) else None
        if not isinstance(variable, Mapping) or "default" not in variable:
            raise ToolError(f"{raw.what}: the server {template!r} has a variable {found[1]!r} without a default")
        return str(variable["default"])

    return whole_url(urljoin(document.url, re.sub(r"\{([^{}]+)\}", default, template)), raw.what)


def whole_url(url: str, what: str) -> str:
    """A server's URL if a request can be sent there as it stands."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    if not host:
        raise ToolError(f"{what}: the server {url[:120]!r} is no whole URL; say where the API is (server)")
    if parts.scheme not in ("http", "https") or parts.username or parts.password:
        raise ToolError(f"{what}: the server {host} must be an http or https URL without a password")
    return parts._replace(query="", fragment="").geturl()
