"""The category holidays against calendars: dates that are on record, and rules that every calendar follows."""

from __future__ import annotations

import datetime
import hashlib
import itertools
from typing import Any

import pytest
from dateutil.easter import easter

from alpha_umi_gym import generate
from alpha_umi_gym.domains.holidays.intents import CATEGORY
from alpha_umi_gym.domains.holidays.tools import (
    CODES,
    FIRST_YEAR,
    LAST_YEAR,
    count_holidays,
    easter_date,
    holiday_date,
    holidays_in_month,
    holidays_of,
    kind_of_day,
    next_holiday,
    next_working_day,
    previous_holiday,
)

YEARS = range(FIRST_YEAR, LAST_YEAR + 1)


@pytest.mark.parametrize(
    ("holiday", "country", "year", "date"),
    [
        ("Thanksgiving Day", "United States", 2018, "2018-11-22"),
        ("Thanksgiving Day", "USA", 2023, "2023-11-23"),
        ("Memorial Day", "United States", 2021, "2021-05-31"),
        ("Martin Luther King Jr. Day", "United States", 2020, "2020-01-20"),
        ("Labor Day", "United States", 2022, "2022-09-05"),
        ("Independence Day", "United States", 2021, "2021-07-04"),  # the day itself, not the one in lieu
        ("Juneteenth", "United States", 2022, "2022-06-19"),
        ("Ascension Day", "Germany", 2021, "2021-05-13"),
        ("Reformation Day", "Germany", 2017, "2017-10-31"),  # once, for its 500 years
        ("Whit Monday", "France", 2019, "2019-06-10"),
        ("Bastille Day", "France", 2020, "2020-07-14"),
        ("corpus christi", "poland", 2022, "2022-06-16"),
        ("Constitution Day", "Poland", 2016, "2016-05-03"),
        ("Independence Centenary", "Poland", 2018, "2018-11-12"),  # once
        ("Midsummer Day", "Sweden", 2020, "2020-06-20"),
        ("All Saints' Day", "Sweden", 2021, "2021-11-06"),
        ("Great Prayer Day", "Denmark", 2019, "2019-05-17"),
        ("Constitution Day", "Norway", 2024, "2024-05-17"),
        ("Coming of Age Day", "Japan", 2024, "2024-01-08"),
        ("Vernal Equinox Day", "Japan", 2024, "2024-03-20"),
        ("Emperor's Birthday", "Japan", 2018, "2018-12-23"),
        ("Emperor's Birthday", "Japan", 2020, "2020-02-23"),
        ("Marine Day", "Japan", 2021, "2021-07-22"),  # moved for the Olympic Games
        ("Saint Joseph's Day", "Colombia", 2019, "2019-03-25"),
        ("Epiphany", "Colombia", 2021, "2021-01-11"),
        ("Statehood Day", "Croatia", 2019, "2019-06-25"),
        ("Statehood Day", "Croatia", 2021, "2021-05-30"),
        ("Corpus Christi", "Croatia", 2024, "2024-05-30"),  # on the same day
        ("Mother's Day", "Lithuania", 2022, "2022-05-01"),
        ("Europe Day", "Luxembourg", 2020, "2020-05-09"),
        ("Black Awareness Day", "Brazil", 2024, "2024-11-20"),
        ("Republic Day", "Portugal", 2016, "2016-10-05"),
        ("Immaculate Conception", "Italy", 2017, "2017-12-08"),
        ("Victory Day", "Estonia", 2023, "2023-06-23"),
        ("National Day", "Belgium", 2021, "2021-07-21"),
        ("Jan Hus Day", "Czechia", 2015, "2015-07-06"),
        ("National Day", "Austria", 2024, "2024-10-26"),
    ],
)
def test_dates_on_record(holiday: str, country: str, year: int, date: str) -> None:
    assert holiday_date(holiday, country, year) == date
    assert kind_of_day(country, date)["kind"] == "public holiday"
    assert any(date in entry for entry in holidays_in_month(country, year, int(date[5:7]))["holidays"])


@pytest.mark.parametrize(
    ("country", "counts"),
    [
        ("Germany", {2016: 9, 2017: 10, 2023: 9}),
        ("France", {2015: 11, 2024: 11}),
        ("Austria", {2019: 13}),
        ("Belgium", {2022: 10}),
        ("Norway", {2020: 12}),
        ("Italy", {2021: 12}),
        ("Poland", {2017: 13, 2018: 14}),
        ("Portugal", {2015: 9, 2016: 13}),  # four had been suspended
        ("Denmark", {2023: 11, 2024: 10}),  # Great Prayer Day was abolished
        ("United States", {2020: 10, 2021: 11}),  # Juneteenth came
        ("Japan", {2018: 16, 2019: 19, 2022: 16}),  # the enthronement
        ("Brazil", {2023: 9, 2024: 10}),
        ("Lithuania", {2019: 15, 2020: 16}),  # All Souls' Day came
        ("Colombia", {2018: 18}),
    ],
)
def test_counts_on_record(country: str, counts: dict[int, int]) -> None:
    assert {year: count_holidays(country, year) for year in counts} == counts


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


@pytest.mark.parametrize(
    ("country", "date", "kind", "name"),
    [
        ("Germany", "2021-05-13", "public holiday", "Ascension Day"),
        ("Germany", "2021-01-06", "working day", None),  # a holiday in three of its states only
        ("Germany", "2021-05-15", "weekend day", None),
        ("Belgium", "2021-04-04", "weekend day", None),  # Easter Sunday is a Sunday there
        ("Norway", "2021-04-04", "public holiday", "Easter Sunday"),
        ("United States", "2021-07-05", "public holiday", "Independence Day (observed)"),
        ("United States", "2021-12-31", "public holiday", "New Year's Day (observed)"),
        ("United States", "2020-06-19", "working day", None),
        ("Japan", "2021-08-09", "public holiday", "Substitute Holiday"),
        ("Japan", "2024-12-25", "working day", None),
        ("Denmark", "2024-04-26", "working day", None),
        ("Italy", "2018-11-04", "weekend day", None),
        ("Croatia", "2024-05-30", "public holiday", "Corpus Christi and Statehood Day"),
        ("Czechia", "2022-01-01", "public holiday", "New Year's Day"),
    ],
)
def test_kinds_of_day(country: str, date: str, kind: str, name: str | None) -> None:
    assert kind_of_day(country, date) == ({"kind": kind} if name is None else {"kind": kind, "name": name})


@pytest.mark.parametrize(
    ("country", "date", "following"),
    [
        ("Germany", "2021-05-12", "2021-05-14"),
        ("Germany", "2020-12-24", "2020-12-28"),
        ("Poland", "2018-11-09", "2018-11-13"),
        ("Norway", "2021-03-31", "2021-04-06"),
        ("United States", "2021-12-23", "2021-12-27"),
        ("United States", "2021-12-30", "2022-01-03"),
        ("Japan", "2019-04-26", "2019-05-07"),  # ten days of Golden Week
        ("France", "2022-07-13", "2022-07-15"),
        ("Austria", "2024-12-31", "2025-01-02"),
    ],
)
def test_next_working_days(country: str, date: str, following: str) -> None:
    assert next_working_day(country, date) == following


def test_days_in_lieu_are_no_holidays_of_their_own() -> None:
    assert next_holiday("United States", "2021-07-04") == {"date": "2021-09-06", "name": "Labor Day"}
    assert next_holiday("Colombia", "2021-01-01") == {"date": "2021-01-11", "name": "Epiphany"}
    listed = holidays_in_month("United States", 2021, 12)
    assert listed == {"count": 1, "holidays": ["2021-12-25 Christmas Day"]}


@pytest.mark.parametrize(
    ("year", "western", "orthodox"),
    [
        (1961, "1961-04-02", "1961-04-09"),
        (2000, "2000-04-23", "2000-04-30"),
        (2008, "2008-03-23", "2008-04-27"),
        (2017, "2017-04-16", "2017-04-16"),
        (2021, "2021-04-04", "2021-05-02"),
        (2024, "2024-03-31", "2024-05-05"),
    ],
)
def test_easter(year: int, western: str, orthodox: str) -> None:
    assert easter_date(year) == western
    assert easter_date(year, "orthodox") == orthodox


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: holiday_date("Whit Mondy", "Germany", 2020), LookupError, "did you mean 'Whit Monday'?"),
        (
            lambda: holiday_date("Great Prayer Day", "Denmark", 2024),
            LookupError,
            "unknown holiday of Denmark in 2024 'Great Prayer Day'",
        ),
        (lambda: holiday_date("Juneteenth", "USA", 2020), LookupError, "unknown holiday of the United States in 2020"),
        (lambda: holiday_date("Easter Monday", "Germany", 1987), ValueError, "for 2015 to 2024 only, not for 1987"),
        (lambda: count_holidays("Germny", 2020), LookupError, "unknown country 'Germny', did you mean 'Germany'?"),
        (lambda: count_holidays("Kenya", 2020), LookupError, "no holidays are on file for Kenya"),
        (lambda: count_holidays("the Netherlands", 2020), LookupError, "no holidays are on file for the Netherlands"),
        (lambda: kind_of_day("France", "2021-02-29"), ValueError, "'2021-02-29' is not a date like 2024-05-31"),
        (lambda: next_holiday("France", "2031-01-01"), ValueError, "not for 2031"),
        (lambda: next_working_day("France", "1999-12-31"), ValueError, "not for 1999"),
        (lambda: easter_date(1066), ValueError, "Easter is calculated for 1900 to 2099 only, not for 1066"),
        (lambda: previous_holiday("Atlantis", "2020-01-01"), LookupError, "unknown country 'Atlantis'"),
    ],
)
def test_errors_in_words(call: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        call()


def test_the_edges_of_the_calendar() -> None:
    assert previous_holiday("Germany", "2015-01-01") == {"date": "2014-12-26", "name": "Second Day of Christmas"}
    assert next_holiday("Germany", "2024-12-31") == {"date": "2025-01-01", "name": "New Year's Day"}


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


def test_two_tools_are_kept_from_training() -> None:
    called = {s.call.tool for t in generate(150, seed=4, only=("holidays",)) for s in t.gold.steps if s.call}
    assert {tool.__name__ for tool in CATEGORY.tools} - called == {"count_holidays", "easter_date"}
