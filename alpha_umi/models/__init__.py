"""What writes the words: the Model protocol and its implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alpha_umi.lazy import exports

if TYPE_CHECKING:
    from alpha_umi.models.langchain import LangChainModel
    from alpha_umi.models.loading import ModelFactory, load_models
    from alpha_umi.models.local.engine import Engine
    from alpha_umi.models.local.local_model import LocalModel
    from alpha_umi.models.protocol import Completion, Model, Request
    from alpha_umi.models.remote import RemoteModel
    from alpha_umi.models.scripted import ScriptedModel
    from alpha_umi.text.prompts import Message
else:
    __getattr__, __dir__ = exports(
        __name__,
        {
            "alpha_umi.models.langchain": ["LangChainModel"],
            "alpha_umi.models.loading": ["ModelFactory", "load_models"],
            "alpha_umi.models.local.engine": ["Engine"],
            "alpha_umi.models.local.local_model": ["LocalModel"],
            "alpha_umi.models.protocol": ["Completion", "Model", "Request"],
            "alpha_umi.models.remote": ["RemoteModel"],
            "alpha_umi.models.scripted": ["ScriptedModel"],
            "alpha_umi.text.prompts": ["Message"],
        },
    )

__all__ = [
    "Completion",
    "Engine",
    "LangChainModel",
    "LocalModel",
    "Message",
    "Model",
    "ModelFactory",
    "RemoteModel",
    "Request",
    "ScriptedModel",
    "load_models",
]
