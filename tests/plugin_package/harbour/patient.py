"""`--search patient`: one path after another until one answers, as ReACT@5 under a name of its own."""

from __future__ import annotations

from alpha_umi.agent.search import Search


class Patient(Search):
    """Five fresh paths at most."""

    root_width: int | None = 5
    give_up_retreat: int = 1

    @property
    def name(self) -> str:
        """What results call it."""
        return "patient"
