"""Secrets for the security schemes of a document: where they come from, which a call needs, and that none is shown.

A secret is given under its scheme's name: the key of an apiKey scheme, `user:password` for HTTP basic, the token for
bearer, OAuth 2 and OpenID Connect (obtained elsewhere). None as the secret means: call without. A document decides
where the secrets it is given are sent, so give them only to documents that you trust.

The environment holds secrets too, as lines `HOST=SECRET` or `HOST:PORT=SECRET` of `ALPHA_UMI_AUTH_<SCHEME>`, in upper
case, other characters as `_`. Half the world's documents call their scheme `bearerAuth`: a secret goes to its host and
to no other, and what is wrong with another host's is not this document's business.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote, quote_plus, urlsplit

from alpha_umi.errors import ToolError
from alpha_umi.tools.openapi.document import Document
from alpha_umi.tools.validation import closest

Secret = str | tuple[str, str] | None
"""A key, a token or `user:password`; user and password apart; None: call without."""

MASK = "[secret]"
_SHORTEST = 4
"""A secret shorter than this is refused: hiding it would blank out ordinary words of a reply."""
_PREFIX = "ALPHA_UMI_AUTH_"
_ANYWHERE = ""
_PLACE = r"([\w.-]+|\[[\w.:]+\])(:\d+)?|[\w.]*(:[\w.]*){2,}"
"""A host, with a port or without; the last form is an IPv6 address without brackets."""
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Applied:
    """A secret in its place in a request."""

    where: Literal["header", "query", "cookie"]
    name: str
    value: str = field(repr=False)


class Credentials:
    """The secrets at hand for one document."""

    def __init__(self, document: Document, given: Mapping[str, Secret], environment: Mapping[str, str]) -> None:
        """Raises ToolError for a secret of an unknown scheme or one that cannot be sent."""
        self._document = document
        components = document.root.get("components") or {}
        schemes = components.get("securitySchemes") if isinstance(components, Mapping) else None
        self._schemes: Mapping[str, Any] = schemes if isinstance(schemes, Mapping) else {}
        for name in given:
            if name not in self._schemes:
                known = ", ".join(closest(name, list(self._schemes))) or "none"
                raise ToolError(f"{document.source}: there is no security scheme {name!r} (it has: {known})")
        self._skipped = {name for name, secret in given.items() if secret is None}
        self._applied: dict[tuple[str, str], Applied] = {}
        self._unfit: dict[str, str] = {}
        self._hidden: list[str] = []
        self._lines = {name: _bound(environment.get(variable(name), ""), variable(name)) for name in self._schemes}
        for name, given_secret in given.items():
            if given_secret is not None:
                self._keep(name, given_secret, _ANYWHERE, f"{document.source}: the secret for {name!r}")

    def choose(self, security: Sequence[Mapping[str, Any]], what: str, *, server: str) -> tuple[Applied, ...]:
        """What to put into a call under the first alternative that can be met.

        Args:
            security: the alternatives, as the document has them.
            what: names the operation in an error.
            server: the URL that the call goes to.

        Raises:
            ToolError: none can be met, or this host's secret cannot be sent; the line says what would help.
        """
        host = (urlsplit(server).hostname or "").lower()
        ready = self._ready(_places(server))
        needs: list[str] = []
        for alternative in sorted(security, key=lambda each: not each):  # one that asks for nothing comes last
            wanted = [name for name in alternative if name not in self._skipped]
            missing = [name for name in wanted if name not in ready]
            if not missing:
                return tuple(ready[name] for name in wanted)
            needs.extend(self._need(name, host) for name in missing)
        if not security or any(not alternative for alternative in security):
            return ()
        raise ToolError(f"{what} needs a secret: {' or '.join(dict.fromkeys(needs))}")

    def _ready(self, places: Sequence[str]) -> dict[str, Applied]:
        """The secrets by scheme: what was given, or else the environment's line for the first of these places."""
        ready: dict[str, Applied] = {}
        for name, lines in self._lines.items():
            place = next((each for each in places if each in lines), _ANYWHERE)
            if (name, _ANYWHERE) in self._applied:
                place = _ANYWHERE
            elif place in lines and (name, place) not in self._applied:
                self._keep(name, lines[place], place, f"{variable(name)}: the secret for {place}")
            if (name, place) in self._applied:
                ready[name] = self._applied[name, place]
        return ready

    def scrub(self, text: str) -> str:
        """The text with every secret masked, as it is and in the forms it is sent or quoted in."""
        for secret in self._hidden:
            text = text.replace(secret, MASK)
        return text

    @staticmethod
    def query(applied: Sequence[Applied]) -> str:
        """The part of a query string that holds secrets."""
        pairs = [(quote(each.name, safe=""), quote(each.value, safe="")) for each in applied if each.where == "query"]
        return "&".join(f"{name}={value}" for name, value in pairs)

    @property
    def longest(self) -> int:
        """Characters of the longest form of a secret: what a cut may have left a part of."""
        return len(self._hidden[0]) if self._hidden else 0

    def _need(self, name: str, host: str) -> str:
        if name in self._unfit:
            return self._unfit[name]
        if name not in self._schemes:
            return f"{name!r}, a scheme that the document does not define"
        return f"give auth for {name!r} or set {variable(name)} to {host}=SECRET"

    def _keep(self, name: str, secret: str | tuple[str, str], place: str, where: str) -> None:
        scheme = self._document.follow(self._schemes[name], f"{self._document.source}: security scheme {name!r}")
        kind, http = scheme.get("type"), str(scheme.get("scheme", "")).lower()
        basic = kind == "http" and http == "basic"
        pair = secret if isinstance(secret, tuple) else tuple(secret.strip().split(":", 1))
        if basic and len(pair) != 2:
            raise ToolError(f"{where} must be user:password")
        if not basic and not isinstance(secret, str):
            raise ToolError(f"{where} must be one text")
        text = ":".join(pair) if isinstance(secret, tuple) else secret.strip()
        if len(pair[1] if basic else text) < _SHORTEST:
            raise ToolError(f"{where} is shorter than {_SHORTEST} characters")
        if not basic and not re.fullmatch(r"[!-~]+( [!-~]+)*", text):
            raise ToolError(f"{where} holds characters that cannot be sent (control characters or no ASCII)")
        if kind == "apiKey" and scheme.get("in") in ("header", "query", "cookie") and scheme.get("name"):
            self._applied[name, place] = Applied(scheme["in"], str(scheme["name"]), text)
        elif basic:
            text = base64.b64encode(text.encode()).decode()
            self._applied[name, place] = Applied("header", "Authorization", f"Basic {text}")
            self._hide(pair[1])
        elif (kind == "http" and http == "bearer") or kind in ("oauth2", "openIdConnect"):
            text = re.sub(r"(?i)^bearer ", "", text)
            self._applied[name, place] = Applied("header", "Authorization", f"Bearer {text}")
        else:
            self._unfit[name] = f"{name!r} is of a kind that is not supported ({kind} {http}".rstrip() + ")"
        self._hide(text)

    def _hide(self, secret: str) -> None:
        """The longest first: one may be a part of another."""
        self._hidden = sorted({*self._hidden, *_forms(secret)}, key=len, reverse=True)


def variable(scheme: str) -> str:
    """The environment variable that holds a scheme's secret."""
    return _PREFIX + re.sub(r"[^A-Za-z0-9]", "_", scheme).upper()


def _bound(text: str, where: str) -> dict[str, str]:
    """The lines `HOST=SECRET` of an environment variable, by host or `host:port`; a host's last line counts."""
    found = {}
    for line in text.splitlines():
        host, sign, secret = line.strip().partition("=")
        if not line.strip():
            continue
        if not sign or not re.fullmatch(_PLACE, host):
            raise ToolError(f"{where}: each line must be HOST=SECRET, so that the secret goes nowhere else")
        bare = re.fullmatch(r"\[(.*)\]", host)  # an IPv6 address without a port is known without its brackets
        found[(bare[1] if bare else host).lower()] = secret
    return found


def _places(server: str) -> list[str]:
    """What a line may call the place of a URL, the more exact first; a port that is not written is known."""
    url = urlsplit(server)
    host = (url.hostname or "").lower()
    try:
        port = url.port or _PORTS.get(url.scheme)
    except ValueError:  # a port that is none: nothing can be sent there
        return [host]
    return [f"[{host}]:{port}" if ":" in host else f"{host}:{port}", host]


def _forms(secret: str) -> set[str]:
    """How a secret may be written in a reply that repeats it."""
    quoted = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), *quoted}
