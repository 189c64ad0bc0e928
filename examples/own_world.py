"""A world of one's own: a greenhouse whose dates flow into every tool of the gym that takes a date.

alpha-umi data convert gym --category examples.own_world:GREENHOUSE,time --split train --n 500 --out data/greenhouse
alpha-umi evaluate agent --data gym:unseen_instructions --category examples.own_world:GREENHOUSE --team RUN --out eval
"""

import datetime
import random

from alpha_umi_gym import Category, Gives, Intent, Slot, World, lookup

DAYS = {"tomato": 75, "radish": 28, "lettuce": 45, "cucumber": 60, "spinach": 40, "pumpkin": 100, "basil": 50}


class Greenhouse:
    def __init__(self, chance: random.Random) -> None:
        first = datetime.date(2024, 3, 1)
        self.sown = {plant: str(first + datetime.timedelta(days=chance.randrange(90))) for plant in DAYS}
        self.litres = dict.fromkeys(DAYS, 0)

    def state(self) -> object:
        return self.litres


def sowing_date(world: World, plant: str) -> str:
    """Tell the date on which a plant of the greenhouse was sown."""
    return world.part(Greenhouse).sown[lookup.find(plant, DAYS, what="plant")]


def days_to_harvest(plant: str) -> int:
    """Tell how many days a plant needs from sowing to harvest."""
    return DAYS[lookup.find(plant, DAYS, what="plant")]


def water_plant(world: World, plant: str, litres: int) -> str:
    """Water a plant of the greenhouse with some litres."""
    if not 1 <= litres <= 50:
        raise ValueError(f"{litres} litres cannot be poured, from 1 to 50 can")
    world.part(Greenhouse).litres[lookup.find(plant, DAYS, what="plant")] += litres
    return f"{plant} got {litres} litres"


PLANT = Slot(
    kind="plant",
    draw=lambda d: d.any_value(list(DAYS)),
    vague=("plant in the corner",),
    unknown=lambda d: d.any_value(("cactus", "palm")),
    slip=lambda d, plant: d.misspell(plant),
)
LITRES = Slot(kind="litres", draw=lambda d: d.integer(1, 50), say=lambda litres: (f"{litres} litres",))
SOWN = ("the sowing date of the {plant}", "the date the {plant} was sown", "the day of sowing the {plant}")
NEEDS = ("the days the {plant} needs", "the growing time of the {plant}", "the number of days the {plant} takes")

WHEN_SOWN = Intent(
    tool=sowing_date,
    slots={"plant": PLANT},
    goals=("look up when the {plant} was sown", "find the sowing date of the {plant}", "see when the {plant} was sown"),
    gives=Gives(kind="date", nouns=SOWN, compares="date"),
    found="the {plant} was sown on {out}",
    answers=("The {plant} was sown on {out}.", "It was sown on {out}."),
)
HOW_LONG = Intent(
    tool=days_to_harvest,
    slots={"plant": PLANT},
    goals=("look up how long the {plant} takes", "find the days the {plant} needs", "check how long the {plant} grows"),
    gives=Gives(kind="count", nouns=NEEDS, compares="size"),
    found="the {plant} takes {out} days",
    answers=("It takes {out} days.", "The {plant} needs {out} days."),
)
WATER = Intent(
    tool=water_plant,
    slots={"plant": PLANT, "litres": LITRES},
    goals=("water the {plant} with {litres}", "give the {plant} {litres}", "pour {litres} on the {plant}"),
    found="the {plant} was watered with {litres}",
    answers=("The {plant} got {litres}.", "Done: {litres} for the {plant}."),
    changes=True,
)
TOOLS = (sowing_date, days_to_harvest, water_plant)
GREENHOUSE = Category(name="greenhouse", tools=TOOLS, intents=(WHEN_SOWN, HOW_LONG, WATER))
