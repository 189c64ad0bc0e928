"""That a call ends at the operation it names, and at no other one of the same document.

Many servers decode `%2F` before they choose a route, so `GET /users/{id}` with the id `7/keys` reaches
`GET /users/{id}/keys`; and with the id `me` it reaches `GET /users/me`. Either would go round a choice of tools or
an approval. Operations that a document does not list cannot be known here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote

from alpha_umi.tools.openapi.listing import RawOperation


class Routes:
    """The paths of a document as a server would match them."""

    def __init__(self, operations: Iterable[RawOperation]) -> None:
        self._operations = list(operations)
        self._patterns = {each.route: _pattern(each.route) for each in self._operations}

    def stray(self, method: str, template: str, path: str) -> RawOperation | None:
        """The operation that a written path reaches instead of the one with this template."""
        own, decoded = self._patterns[template], unquote(path)
        for other in self._operations:
            pattern = self._patterns[other.route]
            if other.method.upper() != method or other.route == template or not pattern.fullmatch(decoded):
                continue
            left_its_segment = not own.fullmatch(decoded)
            is_more_special = own.fullmatch(other.route) and not pattern.fullmatch(template)
            if left_its_segment or is_more_special:
                return other
        return None


def _pattern(template: str) -> re.Pattern[str]:
    pieces = re.split(r"\{[^{}]+\}", template)
    return re.compile("[^/]+".join(re.escape(piece) for piece in pieces))
