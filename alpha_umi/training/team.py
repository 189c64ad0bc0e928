"""The team that a recipe trains."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alpha_umi.config import parse_config
from alpha_umi.roles import Team
from alpha_umi.team_files import find_team, load_team
from alpha_umi.text.layouts import find_layout
from alpha_umi.trajectory import Frozen


class TeamOf(Frozen):
    """The team whose roles the trained stages fill, and what is changed about it."""

    name: str = "umi"
    """A team that ships, or a file."""
    prompts: str | None = None
    """Another layout than its own: a name that ships, or a folder."""

    def load(self) -> Team:
        """The team.

        Raises:
            UsageError: there is no such team or layout, or the layout lacks a template.
        """
        team = load_team(self.name)
        if self.prompts is None:
            return team
        return parse_config(Team, team.model_dump() | {"prompts": self.prompts}, f"team '{self.name}'")


def in_full(given: Any, *, beside: Path) -> Any:
    """What a recipe says of its team, so that its file and its layout are found from anywhere."""
    if isinstance(given, str):
        return find_team(given, beside=beside)
    if not isinstance(given, dict):
        return given
    finds = {"name": find_team, "prompts": find_layout}
    return {
        key: finds[key](value, beside=beside) if key in finds and isinstance(value, str) else value
        for key, value in given.items()
    }
