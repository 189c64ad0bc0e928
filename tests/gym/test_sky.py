"""The category sky against almanacs: times of the sun on record, eclipses, and geometry."""

from __future__ import annotations

import datetime
import itertools
from math import cos, tau

import pytest
from astral import moon
from gym_cases import domain_tasks

from alpha_umi_gym.domains.sky.moon import PRINCIPAL, moon_phase, next_moon, season_start
from alpha_umi_gym.domains.sky.tools import (
    day_length,
    daylight_gap,
    light_at,
    solar_noon,
    sun_height,
    sunrise,
    sunset,
    twilight_time,
)
from alpha_umi_gym.places import CITIES, Place


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


@pytest.mark.parametrize(
    ("city", "date", "up", "down"),
    [
        ("London", "2020-06-21", "04:43", "21:21"),
        ("London", "2020-12-21", "08:04", "15:53"),
        ("Paris", "2021-06-21", "05:47", "21:58"),
        ("Stockholm", "2021-06-21", "03:31", "22:08"),
        ("Tokyo", "2021-01-01", "06:51", "16:38"),
        ("Sydney", "2021-12-22", "05:41", "20:05"),
        ("Chicago", "2021-06-20", "05:16", "20:29"),
        ("Honolulu", "2021-06-21", "05:50", "19:16"),
        ("Auckland", "2019-06-21", "07:33", "17:11"),
        ("Berlin", "2022-12-21", "08:15", "15:54"),
    ],
)
def test_sun_times_on_record(city: str, date: str, up: str, down: str) -> None:
    """Published times are for a spot that is a few kilometres away, so a few minutes are allowed."""
    assert abs(_minutes(sunrise(city, date)) - _minutes(up)) <= 2
    assert abs(_minutes(sunset(city, date)) - _minutes(down)) <= 2
    length = day_length(city, date)
    assert length["total_minutes"] == 60 * length["hours"] + length["minutes"]
    assert length["total_minutes"] == _minutes(sunset(city, date)) - _minutes(sunrise(city, date))


@pytest.mark.parametrize("city", CITIES)
@pytest.mark.parametrize("date", ["2019-03-31", "2019-06-21", "2020-10-25", "2021-12-21"])  # two are clock changes
def test_a_day_is_in_order(city: str, date: str) -> None:
    times = [sunrise(city, date), solar_noon(city, date), sunset(city, date)]
    assert times == sorted(times)
    if abs(CITIES[city].latitude) < 55:
        dawn, dusk = (twilight_time(city, date, part) for part in ("dawn", "dusk"))
        assert dawn < times[0]
        assert times[2] < dusk
        assert light_at(city, f"{date} {dawn}") in {"twilight", "darkness"}
    assert sun_height(city, f"{date} {times[0]}") in {-1, 0, 1}
    assert light_at(city, f"{date} {times[1]}") == "daylight"


@pytest.mark.parametrize(
    ("city", "date", "declination"),
    [
        ("Berlin", "2021-06-21", 23.44),
        ("Helsinki", "2021-12-21", -23.44),
        ("Cairo", "2024-03-20", 0.0),
        ("Sydney", "2021-12-21", -23.44),
        ("Singapore", "2022-09-23", 0.0),
        ("Santiago", "2018-06-21", 23.44),
    ],
)
def test_the_sun_at_noon_is_as_high_as_geometry_has_it(city: str, date: str, declination: float) -> None:
    highest = 90 - abs(CITIES[city].latitude - declination)
    assert sun_height(city, f"{date} {solar_noon(city, date)}") == pytest.approx(highest, abs=0.8)


def test_the_gap_is_between_the_lengths_of_two_days() -> None:
    gap = daylight_gap("sydney", "London", "2021-12-21")
    lengths = [day_length(city, "2021-12-21")["total_minutes"] for city in ("Sydney", "London")]
    assert gap == {"minutes": lengths[0] - lengths[1], "longer_in": "Sydney"}


SOLAR_ECLIPSES = (
    "2015-03-20", "2016-03-09", "2017-08-21", "2019-07-02", "2020-06-21", "2021-06-10", "2023-10-14", "2024-04-08",
)  # fmt: skip
LUNAR_ECLIPSES = (
    "2015-04-04", "2015-09-28", "2018-01-31", "2018-07-27", "2019-01-21", "2021-05-26", "2022-05-16", "2022-11-08",
)  # fmt: skip


@pytest.mark.parametrize("date", SOLAR_ECLIPSES)
def test_solar_eclipses_are_at_new_moon(date: str) -> None:
    found = moon_phase(date)
    assert found["phase"] == "new moon"
    assert found["lit_percent"] <= 1


@pytest.mark.parametrize("date", LUNAR_ECLIPSES)
def test_lunar_eclipses_are_at_full_moon(date: str) -> None:
    found = moon_phase(date)
    assert found["phase"] == "full moon"
    assert found["lit_percent"] >= 99
    before = datetime.date.fromisoformat(date) - datetime.timedelta(days=9)
    assert next_moon("full moon", str(before)) == date


def test_phases_follow_one_another_and_agree_with_another_series() -> None:
    """`astral` has a rougher series of its own: 28 steps from new moon to new moon."""
    day, last = datetime.date(2015, 1, 1), -1
    names = {"new moon": (0,), "waxing crescent": (0, 7), "first quarter": (7,), "waxing gibbous": (7, 14)}
    names |= {"full moon": (14,), "waning gibbous": (14, 21), "last quarter": (21,), "waning crescent": (21, 28)}
    order = list(names)
    while day < datetime.date(2025, 1, 1):
        found = moon_phase(str(day))
        steps = moon.phase(day)
        low, high = names[found["phase"]][0] - 1.5, names[found["phase"]][-1] + 1.5
        assert low <= steps <= high or low <= steps - 28 <= high, day
        assert found["lit_percent"] == pytest.approx(50 * (1 - cos(tau * (steps - 0.5) / 28)), abs=12)
        place = order.index(found["phase"])
        assert last in {-1, place, (place - 1) % 8}, day
        last, day = place, day + datetime.timedelta(days=1)


@pytest.mark.parametrize("year", range(2015, 2025))
def test_days_are_longest_and_shortest_at_the_solstices(year: int) -> None:
    june, december = season_start("June solstice", year), season_start("December solstice", year)
    for shift in (-10, 10):
        other = [str(datetime.date.fromisoformat(day) + datetime.timedelta(days=shift)) for day in (june, december)]
        assert day_length("Oslo", june)["total_minutes"] > day_length("Oslo", other[0])["total_minutes"]
        assert day_length("Oslo", december)["total_minutes"] < day_length("Oslo", other[1])["total_minutes"]


@pytest.mark.parametrize("city", ["Delhi", "Stockholm", "Chicago"])
def test_no_day_is_missing_around_midnight_utc(city: str) -> None:
    """On some days of May the sun rises over Delhi within seconds of midnight UTC, which the package misses."""
    days = [datetime.date(2015, 4, 1) + datetime.timedelta(days=n) for n in range(100)]
    for event in (sunrise, sunset):
        times = [_minutes(event(city, str(day))) for day in days]
        assert all(abs(one - other) <= 3 for one, other in itertools.pairwise(times))


def test_polar_nights_and_days_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CITIES, "Longyearbyen", Place("Arctic/Longyearbyen", "NO", 78.22, 15.65))
    for date in ("2021-12-21", "2021-06-21"):
        with pytest.raises(ValueError, match=f"there is no sunrise in Longyearbyen on {date}"):
            sunrise("Longyearbyen", date)
        with pytest.raises(ValueError, match="there is no sunrise"):
            daylight_gap("Oslo", "Longyearbyen", date)
    assert light_at("Longyearbyen", "2021-06-21 00:00") == "daylight"
    assert light_at("Longyearbyen", "2021-12-21 12:00") == "darkness"


def test_requests_about_the_sky_take_several_calls_though_no_other_category_helps() -> None:
    tasks = domain_tasks("sky")
    chains = [task for task in tasks if task.kind == "sequential"]
    assert len(chains) > 15
    assert all(task.calls >= 2 for task in chains)
    assert {phase for task in tasks for phase in PRINCIPAL if phase in task.query} == set(PRINCIPAL)
