"""The category holidays against rules that every calendar follows, and its tools against one another."""

from __future__ import annotations

import datetime
import hashlib
import itertools

import pytest
from dateutil.easter import easter

from alpha_umi_gym import generate
from alpha_umi_gym.domains.holidays.tools import (
    CODES,
    FIRST_YEAR,
    LAST_YEAR,
    count_holidays,
    holiday_date,
    holidays_in_month,
    holidays_of,
    kind_of_day,
    names_of,
    next_holiday,
    previous_holiday,
)

YEARS = range(FIRST_YEAR, LAST_YEAR + 1)


@pytest.mark.parametrize("country", CODES)
def test_movable_feasts_follow_easter(country: str) -> None:
    later = 4 if country == "Colombia" else 0  # there they are kept on the Monday after
    after = {"Good Friday": -2, "Easter Sunday": 0, "Easter Monday": 1, "Whit Sunday": 49, "Whit Monday": 50}
    after |= {"Maundy Thursday": -3, "Ascension Day": 39 + later, "Corpus Christi": 60 + later}
    for year in YEARS:
        for holiday in holidays_of(country, year):
            for name in holiday.name.split(" and "):
                if name in after:
                    assert (holiday.date - easter(year)).days == after[name]


@pytest.mark.parametrize("country", CODES)
def test_the_tools_agree_with_one_another(country: str) -> None:
    for year in YEARS:
        holidays = holidays_of(country, year)
        months = [holidays_in_month(country, year, month) for month in range(1, 13)]
        assert sum(found["count"] for found in months) == count_holidays(country, year) == len(holidays)
        for one, other in itertools.pairwise(holidays):
            assert next_holiday(country, str(one.date)) == {"date": str(other.date), "name": other.name}
            assert previous_holiday(country, str(other.date)) == {"date": str(one.date), "name": one.name}
            assert kind_of_day(country, str(one.date)) == {"kind": "public holiday", "name": one.name}
        for name, date in names_of(country, year).items():
            assert holiday_date(name, country, year) == str(date)
            assert kind_of_day(country, str(date))["kind"] == "public holiday"
            assert any(str(date) in entry for entry in months[date.month - 1]["holidays"])


def test_the_calendar_is_the_one_that_the_data_sets_were_made_with() -> None:
    """A newer package that corrects a past holiday changes tasks: then check the correction and make them again."""
    days = [
        f"{country} {day.date} {day.name}" for country in CODES for year in YEARS for day in holidays_of(country, year)
    ]
    assert len(days) == 2350
    assert hashlib.sha256("\n".join(days).encode()).hexdigest()[:16] == "94666546d567b74b"


def test_requests_about_days_off_are_not_all_about_working_days() -> None:
    """Half the dates are drawn among feasts: asked about dates at random one could always say "a working day"."""
    seen = [
        step.observation.text
        for task in generate(300, seed=2, only=("holidays",))
        for step in task.gold.steps
        if step.call and step.observation and step.call.tool == "kind_of_day" and step.observation.ok
    ]
    shares = {kind: sum(f'"{kind}"' in text for text in seen) / len(seen) for kind in ("public holiday", "working day")}
    assert shares["public holiday"] > 0.25
    assert shares["working day"] > 0.1


def test_dates_in_the_calendar_are_dates() -> None:
    for country in CODES:
        dates = [holiday.date for year in YEARS for holiday in holidays_of(country, year)]
        assert dates == sorted(set(dates))
        assert dates[0] == datetime.date(FIRST_YEAR, 1, 1)
