"""Everything between trajectories and tokens: prompts, what roles write, grammars, and token ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.text.chat_tokenizer import ChatEncoder, Encoded, Tokenizer
    from alpha_umi.text.context_window import FittedPrompt, fit_to_context
    from alpha_umi.text.encoders import Encoder, TextEncoder, encoder_for
    from alpha_umi.text.layouts import Layout, load_layout
    from alpha_umi.text.output_format import (
        format_answer,
        format_call,
        format_plan,
        parse_answer,
        parse_call,
        parse_plan,
    )
    from alpha_umi.text.output_grammar import Constraint, call_of, choice_of
    from alpha_umi.text.prompts import Conversation, Message, conversations, render
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.text.chat_tokenizer": ["ChatEncoder", "Encoded", "Tokenizer"],
            "alpha_umi.text.context_window": ["FittedPrompt", "fit_to_context"],
            "alpha_umi.text.encoders": ["Encoder", "TextEncoder", "encoder_for"],
            "alpha_umi.text.layouts": ["Layout", "load_layout"],
            "alpha_umi.text.output_format": [
                "format_answer",
                "format_call",
                "format_plan",
                "parse_answer",
                "parse_call",
                "parse_plan",
            ],
            "alpha_umi.text.output_grammar": ["Constraint", "call_of", "choice_of"],
            "alpha_umi.text.prompts": ["Conversation", "Message", "conversations", "render"],
        },
    )

__all__ = [
    "ChatEncoder",
    "Constraint",
    "Conversation",
    "Encoded",
    "Encoder",
    "FittedPrompt",
    "Layout",
    "Message",
    "TextEncoder",
    "Tokenizer",
    "call_of",
    "choice_of",
    "conversations",
    "encoder_for",
    "fit_to_context",
    "format_answer",
    "format_call",
    "format_plan",
    "load_layout",
    "parse_answer",
    "parse_call",
    "parse_plan",
    "render",
]
