"""Commands of this process with scripted models in place of a team's own."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from alpha_umi.roles import Team
from alpha_umi.testing import scripted_models


def lend(monkeypatch: pytest.MonkeyPatch, planner: list[str], caller: list[str], summarizer: list[str]) -> list[Team]:
    """Let `models.local` hand out scripted models; returns the teams it was asked for. torch is never imported."""
    asked: list[Team] = []

    def load_models(team: Team) -> Any:
        asked.append(team)
        return scripted_models(planner, caller, summarizer)

    loading = SimpleNamespace(load_models=load_models, find_base=lambda team: None)
    monkeypatch.setitem(sys.modules, "alpha_umi.models.loading", loading)
    return asked
