"""Facts in free text: the same value however it is written, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpha_umi.gym.facts import holds, states, values_in


@pytest.mark.parametrize(
    ("text", "fact", "stated"),
    [
        ("It costs 1,234.50 dollars.", "1234.5", True),
        ("It costs $12.", "12", True),
        ("It costs 12.5", "12", False),
        ("It is \u22124 degrees", "-4", True),
        ("It is 4 degrees", "-4", False),
        ("between 3-5", "5", True),
        ("on Saturday, May 4, 2024", "2024-05-04", True),
        ("on the 4th of May 2024.", "2024-05-04", True),
        ("2024-05-04T16:30", "16:30", True),
        ("at 4:30 p.m.", "16:30", True),
        ("at 12:05 am", "00:05", True),
        ("at 4:30 pm", "04:30", False),
        ("order R1234", "R1234", True),
        ("order r1234.", "R1234", True),
        ("order R12345", "R1234", False),
        ("a Sundayish mood", "Sunday", False),
        ("007", "7", True),
        ("0.50", "0.5", True),
    ],
)
def test_facts_in_free_text(text: str, fact: str, stated: bool) -> None:
    assert holds(text, fact) is stated


@settings(deadline=None)  # two cores are shared: a slow moment is no failure
@given(st.decimals(-(10**9), 10**9, places=3))
def test_a_number_is_found_however_it_is_written(number: Any) -> None:
    plain = f"{number.normalize():f}"
    assert values_in(f"about {number:,} or so") == values_in(plain)
    assert holds(f"({number:,}).", plain)


@pytest.mark.parametrize(
    ("text", "fact", "stated"),
    [
        ("about 1083.25 km", "1083.2494", True),
        ("about 1083 km", "1083.2494", True),
        ("about 1080 km", "1083.2494", False),
        ("about 1083.3 km", "1083.2494", False),
        ("0.67", "0.6667", False),  # two digits say too little
        ("0.667", "0.6667", True),
        ("13", "12.5", False),
        ("-1083.25", "1083.2494", False),
        ("Il fait 1083.2494", "1083.2494", True),  # a value is a value in every language
        ("1. M\u00e4rz 2024", "2024-03-01", False),  # but dates are read in English only
    ],
)
def test_numbers_may_be_rounded_a_little(text: str, fact: str, stated: bool) -> None:
    assert states(text, fact) is stated
