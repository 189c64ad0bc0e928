"""Facts in free text: the same value however it is written, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpha_umi_gym.judge.facts import holds, states, values_in


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


@pytest.mark.parametrize(
    ("text", "fact", "right"),
    [
        ("There are four.", "4", True),
        ("There are twenty-four.", "4", False),
        ("There are four hundred.", "4", False),
        ("No one of this one.", "1", False),
        ("There is one order.", "1", True),
        ("It is minus 4 degrees.", "-4", True),
        ("It is minus four degrees.", "-4", True),
        ("It is minus four degrees.", "4", False),
        ("It is \u20134 degrees.", "-4", True),
        ("pages 2\u20134", "4", True),
        ("27 minus 4", "4", True),
        ("at 4 pm", "16:00", True),
        ("at 4 p.m. sharp", "16:00", True),
        ("at noon", "12:00", True),
        ("this afternoon", "12:00", False),
        ("at midnight", "00:00", True),
        ("on Sept. 5, 2024", "2024-09-05", True),
        ("on 2024/05/16.", "2024-05-16", True),
        ("to the north-west", "northwest", True),
        ("to the north-west", "north", False),
        ("It is .5.", "0.5", True),
        ("10.13", "10.125", True),
        ("10.12", "10.125", True),
        ("10.14", "10.125", False),
        ("3." + "3" * 40, "3.3333", False),  # silly precision rounds nothing, and never raises
        ("0.0000001", "0.00000012", False),
        ("Sorry, I cannot do that.", "I", False),
        ("In Roman numerals that is I.", "I", True),
        ("C'est lundi.", "Monday", False),  # words are English
        ("It\u2019s New Year\u2019s Day", "New Year's Day", True),
    ],
)
def test_other_ways_to_write_a_fact(text: str, fact: str, right: bool) -> None:
    assert states(text, fact) is right


def test_words_for_numbers_are_no_values() -> None:
    assert values_in("two of the four at noon") == []


@settings(deadline=None)
@given(
    st.text("0123456789.,-:/ apm\u2013", max_size=80), st.sampled_from(["3.3333", "-4", "12:00", "2024-05-04", "tea"])
)
def test_no_text_raises(text: str, fact: str) -> None:
    states(text, fact)
