"""For the reference: an attribute that a class sets as it is made is shown by name and type, not by its value."""

from __future__ import annotations

from typing import Any

from griffe import Attribute, Extension


class Attributes(Extension):  # type: ignore[misc]  # mypy reads nothing of griffe
    """Read by mkdocstrings (mkdocs.yml)."""

    def on_attribute_instance(self, *, attr: Attribute, **_: Any) -> None:
        """Forget the value of an attribute that only instances have."""
        if "instance-attribute" in attr.labels and "class-attribute" not in attr.labels:
            attr.value = None
