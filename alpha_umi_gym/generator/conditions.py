"""Conditions on a value, for requests that depend on it: a threshold near what was found, so that both sides occur."""

from __future__ import annotations

import datetime
from typing import NamedTuple

from alpha_umi_gym.generator.call_tree import Node
from alpha_umi_gym.generator.wording import FRAMES
from alpha_umi_gym.numbers import magnitude, with_magnitude
from alpha_umi_gym.sampler import DroppedTask, Sampler


class Condition(NamedTuple):
    """What is asked of a value, to stand after "is", and whether it is so."""

    text: str
    met: bool


def condition(d: Sampler, node: Node) -> Condition:
    """A condition on what a node gave.

    Raises:
        DroppedTask: its value cannot be compared.
    """
    gives = node.intent.gives
    if gives is None or not gives.compares:
        raise DroppedTask("nothing to compare")
    if gives.compares not in {"size", "date"}:
        return _option(d, gives.say(node.out), gives.compares.split("|"))
    above = d.chances(0.5)
    if gives.compares == "date":
        day = datetime.date.fromisoformat(node.out)
        limit = day + datetime.timedelta(days=d.any_value((-90, -30, -14, -7, -3, 3, 7, 14, 30, 90)))
        text = d.any_value(FRAMES.after if above else FRAMES.before).format(limit=limit)
        return Condition(text, (day > limit) == above)
    size = magnitude(node.out)
    if size is None:
        raise DroppedTask("nothing to compare")
    near = _round(size * d.any_value((0.5, 0.7, 0.8, 0.9, 1.1, 1.25, 1.5, 2)))
    if isinstance(size, int):
        near = round(near)
    if near == size:
        near = size + d.any_value((1, 2) if size <= 2 else (-2, -1, 1, 2))
    text = d.any_value(FRAMES.above if above else FRAMES.below).format(limit=gives.say(with_magnitude(node.out, near)))
    return Condition(text, (size > near) == above)


def _option(d: Sampler, value: str, options: list[str]) -> Condition:
    asked = value if d.chances(0.5) else d.any_value(options)
    return Condition(asked, asked == value)


def _round(value: float) -> int | float:
    """To two significant digits: limits in requests are round."""
    rounded = float(f"{value:.2g}")
    return int(rounded) if rounded == int(rounded) else rounded
