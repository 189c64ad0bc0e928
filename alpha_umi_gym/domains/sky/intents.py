"""Sun and moon: when they rise, how high they stand, how long a day is, and what the moon looks like."""

from __future__ import annotations

from typing import Any

from alpha_umi_gym.domains.sky.almanac import ALMANAC_INTENTS
from alpha_umi_gym.domains.sky.moon import (
    BETWEEN,
    PRINCIPAL,
    moon_phase,
    next_moon,
    season_start,
)
from alpha_umi_gym.domains.sky.tools import (
    LIGHTS,
    day_length,
    daylight_gap,
    light_at,
    solar_noon,
    sun_height,
    sunrise,
    sunset,
    twilight_time,
)
from alpha_umi_gym.intents import Category, Gives, Intent, Slot, Values
from alpha_umi_gym.slots import CITY, DATE, MOMENT

_EDGE = Slot(
    kind="moment",
    draw=lambda d: (
        f"{d.date()} {d.any_of((4, 5, 6, 7, 8, 16, 17, 18, 19, 20, 21, 22)):02}:{d.any_of((0, 15, 30, 45)):02}"
    ),
    say=MOMENT.say,
    vague=MOMENT.vague,
)


def _clock(
    tool: Any, name: str, *, does: str, question: str, part: str = "", rivals: tuple[str, ...] = (), weight: float = 1.0
) -> Intent:
    """Intent for a time of day: `does` completes "when ...", `question` completes "at what time ...?"."""

    def arguments(v: Values) -> Values:
        return {"city": v["city"], "date": v["date"], "part": part}

    return Intent(
        tool=tool,
        slots={"city": CITY, "date": DATE},
        arguments=arguments if part else None,
        goals=(
            f"find the time of {name} in {{city}} on {{date}}",
            f"look up when {does} in {{city}} on {{date}}",
            f"get the local time of {name} in {{city}} on {{date}}",
            f"tell at what time {does} in {{city}} on {{date}}",
            f"work out at what time of day {does} in {{city}} on {{date}}",
            f"check what the clocks in {{city}} show at {name} on {{date}}",
        ),
        asks=(
            f"When {question} in {{city}} on {{date}}?",
            f"At what time is {name} in {{city}} on {{date}}?",
            f"I am in {{city}} on {{date}}. When is {name}?",
            f"What do the clocks show when {does} in {{city}} on {{date}}?",
            f"At what time {question} in {{city}} on {{date}}?",
            f"I want to take photos in {{city}} at {name} on {{date}}. At what time must I be ready?",
        ),
        gives=Gives(
            kind="clock",
            nouns=(
                f"the time of {name} in {{city}} on {{date}}",
                f"the local time of {name} in {{city}} on {{date}}",
                f"the time at which {does} in {{city}} on {{date}}",
                f"the hour and minute of {name} in {{city}} on {{date}}",
                f"the time when {does} in {{city}} on {{date}}",
                f"the clock time of {name} in {{city}} on {{date}}",
            ),
        ),
        found=f"{name} in {{city}} is at {{out}} on {{date}}",
        answers=(f"In {{city}} {name} is at {{out}} on {{date}}.", "It is at {out}."),
        rivals=rivals,
        weight=weight,
    )


def _duration(out: tuple[int, int]) -> str:
    return f"{out[0]} hours and {out[1]} minutes"


def _minutes(out: float) -> str:
    return f"{out} minute" if out == 1 else f"{out} minutes"


def _degrees(out: float) -> str:
    return f"{out} degree" if out == 1 else f"{out} degrees"


_INTENTS = (
    _clock(sunrise, "sunrise", does="the sun rises", question="does the sun rise", rivals=("day_length",)),
    _clock(sunset, "sunset", does="the sun sets", question="does the sun set", rivals=("day_length",)),
    _clock(
        solar_noon,
        "solar noon",
        does="the sun is at its highest",
        question="is the sun at its highest",
        rivals=("sun_height",),
    ),
    _clock(
        twilight_time,
        "civil dawn",
        does="civil twilight begins in the morning",
        question="does civil twilight begin in the morning",
        part="dawn",
    ),
    _clock(
        twilight_time,
        "civil dusk",
        does="civil twilight ends in the evening",
        question="does civil twilight end in the evening",
        part="dusk",
    ),
    Intent(
        tool=day_length,
        slots={"city": CITY, "date": DATE},
        goals=(
            "find the length of the day in {city} on {date}",
            "work out how long the sun is up in {city} on {date}",
            "get the time between sunrise and sunset in {city} on {date}",
            "measure the length of daylight in {city} on {date}",
            "tell how long the day is in {city} on {date}",
            "look up how much daylight {city} has on {date}",
        ),
        asks=(
            "How long is the day in {city} on {date}?",
            "How long is the sun up in {city} on {date}?",
            "How much time is there between sunrise and sunset in {city} on {date}?",
            "My solar panels are in {city}. How long can they work on {date}?",
            "For how long do the people of {city} have the sun above the horizon on {date}?",
            "I travel to {city} and want to know how long it is light on {date}, from sunrise to sunset.",
        ),
        gives=Gives(
            kind="duration",
            read=lambda result, _: (result["hours"], result["minutes"]),
            say=_duration,
            facts=lambda out: [str(part) for part in out],
            nouns=(
                "the length of the day in {city} on {date}",
                "the time between sunrise and sunset in {city} on {date}",
                "the length of daylight in {city} on {date}",
                "the time for which the sun is up in {city} on {date}",
                "the duration of daylight in {city} on {date}",
                "the length of time from sunrise to sunset in {city} on {date}",
            ),
        ),
        found="the day in {city} is {out} long on {date}",
        answers=("In {city} the day is {out} long on {date}.", "The day is {out} long."),
        rivals=("sunrise", "sunset"),
    ),
    Intent(
        tool=day_length,
        slots={"city": CITY, "date": DATE},
        goals=(
            "find the length of the day in minutes in {city} on {date}",
            "count the minutes from sunrise to sunset in {city} on {date}",
            "get the minutes of daylight in {city} on {date}",
            "work out for how many minutes the sun is up in {city} on {date}",
            "tell how many minutes of daylight {city} has on {date}",
            "express the length of the day in {city} on {date} in minutes",
        ),
        asks=(
            "How many minutes long is the day in {city} on {date}?",
            "How many minutes lie between sunrise and sunset in {city} on {date}?",
            "For how many minutes is the sun up in {city} on {date}?",
            "My solar panels are in {city}. How many minutes of daylight do they get on {date}?",
            "How many minutes of daylight does {city} get on {date}?",
            "If I count every minute from sunrise to sunset in {city} on {date}, how many do I get?",
        ),
        gives=Gives(
            kind="count",
            read="total_minutes",
            say=_minutes,
            nouns=(
                "the length of the day in minutes in {city} on {date}",
                "the number of minutes from sunrise to sunset in {city} on {date}",
                "the minutes of daylight in {city} on {date}",
                "the number of minutes for which the sun is up in {city} on {date}",
                "the number of minutes of daylight in {city} on {date}",
                "the daylight in minutes that {city} has on {date}",
            ),
            compares="size",
        ),
        found="the length of the day in {city} on {date} is {out}",
        answers=("In {city} the length of the day is {out} on {date}.", "It is {out}."),
        rivals=("sunrise", "sunset"),
    ),
    Intent(
        tool=daylight_gap,
        slots={"city": CITY, "other_city": CITY, "date": DATE},
        fits=lambda v: v["city"] != v["other_city"],
        goals=(
            "compare the length of the day in {city} and {other_city} on {date}",
            "find the difference in daylight between {city} and {other_city} on {date}",
            "look up by how many minutes the days in {city} and {other_city} differ in length on {date}",
            "get the minutes of daylight that lie between {city} and {other_city} on {date}",
            "work out how many minutes of daylight {city} and {other_city} are apart on {date}",
            "tell by how much the daylight of {city} and {other_city} differs on {date}",
        ),
        asks=(
            "By how many minutes do the days in {city} and {other_city} differ in length on {date}?",
            "How many minutes of daylight are {city} and {other_city} apart on {date}?",
            "On {date}, how big is the difference in daylight between {city} and {other_city}?",
            "I am leaving {city} for {other_city} on {date}. By how many minutes does my day change in length?",
            "My friend lives in {city} and I in {other_city}. By how many minutes do our days differ on {date}?",
            "How great is the difference in minutes between daylight in {city} and in {other_city} on {date}?",
        ),
        gives=Gives(
            kind="count",
            read="minutes",
            say=_minutes,
            nouns=(
                "the difference in daylight between {city} and {other_city} on {date}",
                "the difference in length of day between {city} and {other_city} on {date}",
                "the number of minutes by which the days in {city} and {other_city} differ on {date}",
                "the gap in daylight between {city} and {other_city} on {date}",
                "the difference in minutes of daylight between {city} and {other_city} on {date}",
                "the time by which the daylight of {city} and {other_city} differs on {date}",
            ),
            compares="size",
        ),
        found="the days in {city} and {other_city} differ by {out} on {date}",
        answers=("The days in {city} and {other_city} differ by {out} on {date}.", "The difference is {out}."),
        rivals=("day_length", "sunrise", "sunset"),
    ),
    Intent(
        tool=sun_height,
        slots={"city": CITY, "moment": MOMENT},
        goals=(
            "find the height of the sun over {city} at {moment}",
            "calculate how many degrees the sun is above the horizon in {city} at {moment}",
            "get the sun's elevation in degrees in {city} at {moment}",
            "look up how high the sun stands in {city} at {moment}",
            "work out the angle of the sun above the horizon in {city} at {moment}",
            "tell how many degrees high the sun is in {city} at {moment}",
        ),
        asks=(
            "How high is the sun in {city} at {moment}?",
            "How many degrees is the sun above the horizon of {city} at {moment}?",
            "I am drawing shadows for {city} at {moment}. At what angle does the sun stand?",
            "In {city} at {moment}, how high does the sun stand in degrees?",
            "At {moment} in {city}, how many degrees does the sun stand above the horizon?",
            "I am tilting a mirror in {city} at {moment}. How many degrees high is the sun?",
        ),
        gives=Gives(
            kind="number",
            say=_degrees,
            nouns=(
                "the height of the sun in degrees in {city} at {moment}",
                "the elevation of the sun in {city} at {moment}",
                "the sun's height above the horizon of {city} at {moment}",
                "the angle of the sun above the horizon in {city} at {moment}",
                "the number of degrees between the sun and the horizon in {city} at {moment}",
                "the sun's elevation in degrees in {city} at {moment}",
            ),
            compares="size",
        ),
        found="the height of the sun in {city} at {moment} is {out}",
        answers=("In {city} the height of the sun at {moment} is {out}.", "It is {out}."),
    ),
    Intent(
        tool=light_at,
        slots={"city": CITY, "moment": _EDGE},
        goals=(
            "find out what light there is in {city} at {moment}",
            "look up how light it is in {city} at {moment}",
            "check if it is light or dark in {city} at {moment}",
            "tell what the light is like in {city} at {moment}",
            "determine the light outdoors in {city} at {moment}",
            "see what kind of light {city} has at {moment}",
        ),
        asks=(
            "How light is it in {city} at {moment}?",
            "Is it light or dark in {city} at {moment}?",
            "Do I need a torch in {city} at {moment}, or what light is there?",
            "What is the light like in {city} at {moment}?",
            "I go for a run in {city} at {moment}. What light do I have then?",
            "Will the street lamps in {city} be needed at {moment}, or what light is there?",
        ),
        gives=Gives(
            kind="light",
            nouns=(
                "the light in {city} at {moment}",
                "the kind of light that {city} has at {moment}",
                "the state of the light in {city} at {moment}",
                "the light outdoors in {city} at {moment}",
                "the natural light in {city} at {moment}",
                "the light that one has outdoors in {city} at {moment}",
            ),
            compares="|".join(LIGHTS),
        ),
        found="the light in {city} at {moment} is {out}",
        answers=("In {city} there is {out} at {moment}.", "There is {out}."),
        rivals=("sun_height", "sunrise", "sunset", "twilight_time"),
    ),
)

CATEGORY = Category(
    name="sky",
    tools=(
        sunrise,
        sunset,
        solar_noon,
        twilight_time,
        day_length,
        daylight_gap,
        sun_height,
        light_at,
        moon_phase,
        next_moon,
        season_start,
    ),
    intents=(*_INTENTS, *ALMANAC_INTENTS),
    detours={
        # Dawn is as long before noon as dusk after it, and so are sunrise and sunset.
        "sunrise": ("solar_noon", "twilight_time", "light_at", "sun_height", "daylight_gap"),
        "sunset": ("solar_noon", "twilight_time", "light_at", "sun_height", "daylight_gap"),
        "solar_noon": ("sunrise", "sunset", "twilight_time", "light_at"),
        "twilight_time": ("light_at", "sun_height"),
        "day_length": ("solar_noon", "light_at", "sun_height", "daylight_gap"),
        "daylight_gap": ("light_at", "sun_height"),
    },
    closed_sets=(frozenset(LIGHTS), frozenset((*PRINCIPAL, *BETWEEN))),
)
