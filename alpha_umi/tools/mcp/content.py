"""The result of an MCP tool -> an Observation.

Text is kept as it is. Structured content is added only where the text does not already say it: most servers send both.
What a text model cannot read (images, audio, binary resources) becomes a short note of what it was.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from mcp.types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from alpha_umi.tools.function_tool import as_text
from alpha_umi.tools.validation import one_line
from alpha_umi.trajectory import Observation


def observation_of(result: CallToolResult) -> Observation:
    """What a model is shown of a result; not cut yet."""
    texts = [block.text for block in result.content if isinstance(block, TextContent)]
    parts = [_shown(block) for block in result.content]
    if result.structured_content is not None and not _said(result.structured_content, texts):
        parts.append(as_text(result.structured_content))
    return Observation(text="\n".join(part for part in parts if part) or "(empty result)", ok=not result.is_error)


def _shown(block: ContentBlock) -> str:
    match block:
        case TextContent():
            return block.text
        case ImageContent() | AudioContent():
            return f"[{block.type}: {_note(block.mime_type)}, {_size(block.data)}]"
        case ResourceLink():
            kind = f", {_note(block.mime_type)}" if block.mime_type else ""
            about = f": {_note(block.description)}" if block.description else ""
            return f"[resource {_note(str(block.uri))}{kind}{about}]"
        case EmbeddedResource(resource=resource):
            named = f"resource {_note(str(resource.uri))}"
            if isinstance(resource, TextResourceContents):
                return f"[{named}]\n{resource.text}"
            return f"[{named}: {_note(resource.mime_type or 'unknown type')}, {_size(resource.blob)}]"


def _note(text: str) -> str:
    return one_line(text, limit=200)


def _size(base64: str) -> str:
    return f"{len(base64.rstrip('=')) * 3 // 4} bytes"


def _said(structured: Any, texts: Sequence[str]) -> bool:
    """Whether the texts are the structured content in words: its JSON, or the one value it wraps."""
    values = [_read(text) for text in texts]
    said = [*values, values, *texts, list(texts)]
    only = next(iter(structured.values())) if isinstance(structured, dict) and len(structured) == 1 else None
    return structured in said or (only is not None and only in said)


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
