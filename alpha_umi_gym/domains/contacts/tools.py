"""The tools of the address book: people with their email addresses, phone numbers, cities and birthdays.

Numbers are read and written by the phonenumbers library, which is imported when first needed. What people want from
the tools is in `contacts`.
"""

from __future__ import annotations

import calendar
import datetime
import re
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from alpha_umi_gym.domains.geography.tools import COUNTRIES
from alpha_umi_gym.domains.time.intents import Date, read_date
from alpha_umi_gym.lookup import find
from alpha_umi_gym.people import People, Person
from alpha_umi_gym.places import CITIES
from alpha_umi_gym.world import World

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

Detail = Literal["email", "phone", "city", "birthday"]
Style = Literal["national", "international", "e164"]
Phone = Annotated[str, Field(max_length=40, description="with the country code, as in +4930123456")]
Name = Annotated[str, Field(max_length=80, description="full name")]
_EMAIL = re.compile(r"[a-z0-9][a-z0-9._+-]{0,60}@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,20}")
_NAME_OF = {country.code: name for name, country in COUNTRIES.items()}
_SHOWN = 6


def find_contact(world: World, name: Name) -> dict[str, str]:
    """Open the address book at a person: email, phone, city and birthday."""
    return _details(world.part(People).find(name))


def reverse_lookup(world: World, address: Annotated[str, Field(description="an email address or phone number")]) -> str:
    """Name the contact to whom an email address or phone number belongs."""
    persons = world.part(People).persons.values()
    owners = {known: person.name for person in persons for known in (person.email, person.phone) if known}
    wanted = address if "@" in address else re.sub(r"[\s()/.-]", "", address)
    return owners[find(wanted, owners, what="address or number")]


def contacts_in(world: World, city: str) -> list[str]:
    """List the contacts who live in a city, by name, at most six."""
    people = world.part(People)
    homes = {person.city for person in people.persons.values() if person.city}
    try:
        home = find(city, homes, what="city")
    except LookupError as error:
        raise LookupError(str(error).replace("unknown city", "no contact lives in")) from None
    return sorted(person.name for person in people.persons.values() if person.city == home)[:_SHOWN]


def add_contact(  # noqa: PLR0917
    world: World, name: Name, email: str = "", phone: Phone = "", city: str = "", birthday: Date = ""
) -> dict[str, str]:
    """Enter a new person into the address book, with an email address or a phone number at least."""
    people = world.part(People)
    name = " ".join(name.split())
    if name.casefold() in {known.casefold() for known in people.persons}:
        raise ValueError(f"there is a contact named {name} already")
    if not name or not (email or phone):
        raise ValueError("a contact needs a name, and an email address or a phone number")
    given = {"email": email, "phone": phone, "city": city, "birthday": birthday}
    details = {field: _checked(field, value) if value else "" for field, value in given.items()}
    people.persons[name] = Person(name, **details)
    return {"added": name}


def update_contact(world: World, name: Name, field: Detail, value: Annotated[str, Field(max_length=80)]) -> str:
    """Replace one detail of a contact by a new one."""
    person = world.part(People).find(name)
    new = _checked(field, value)
    if new == getattr(person, field):
        raise ValueError(f"the {field} of {person.name} is {new} already")
    setattr(person, field, new)
    return f"the {field} of {person.name} is {new} now"


def delete_contact(world: World, name: Name) -> str:
    """Strike a person from the address book."""
    people = world.part(People)
    gone = people.find(name).name
    del people.persons[gone]
    return f"{gone} is no longer in the address book"


def phone_country(number: Phone) -> str:
    """Recognise the country of an international phone number."""
    import phonenumbers

    region = phonenumbers.region_code_for_number(_parsed(number))
    if region is None or region == "001":
        raise ValueError(f"no country uses the phone number '{number}'")
    return _country_name(region)


def format_phone(number: Phone, style: Style) -> str:
    """Write an international phone number in another style, with the usual spaces."""
    import phonenumbers

    formats = phonenumbers.PhoneNumberFormat
    chosen = {"national": formats.NATIONAL, "international": formats.INTERNATIONAL, "e164": formats.E164}[style]
    return phonenumbers.format_number(_parsed(number), chosen)


def next_birthday(world: World, name: Name, date: Date) -> dict[str, Any]:
    """Work out on which day, from a date on, a contact has a birthday next, and the age reached then."""
    person, day = world.part(People).find(name), read_date(date)
    if not person.birthday:
        raise LookupError(f"the birthday of {person.name} is not known")
    born = read_date(person.birthday)
    if day < born:
        raise ValueError(f"on {date} {person.name} was not born yet")
    years = day.year - born.year
    years += _anniversary(born, years) < day
    return {"date": str(_anniversary(born, years)), "turns": years}


def _anniversary(born: datetime.date, years: int) -> datetime.date:
    """The birthday so many years later; that of 29 February is kept on the 28th in common years."""
    year = born.year + years
    return (
        born.replace(year=year, day=28)
        if (born.month, born.day) == (2, 29) and not calendar.isleap(year)
        else born.replace(year=year)
    )


def _details(person: Person) -> dict[str, str]:
    details = {"email": person.email, "phone": person.phone, "city": person.city, "birthday": person.birthday}
    return {field: value for field, value in details.items() if value}


def _checked(field: str, value: str) -> str:
    """A detail as the address book keeps it.

    Raises:
        ValueError: it is none of this kind.
        LookupError: there is no such city.
    """
    if field == "email":
        if not _EMAIL.fullmatch(value.casefold()):
            raise ValueError(f"'{value[:60]}' is not an email address")
        return value.casefold()
    if field == "city":
        return find(value, CITIES, what="city")
    return format_phone(value, "e164") if field == "phone" else str(read_date(value))


def _parsed(number: str) -> PhoneNumber:
    """A number with its country code.

    Raises:
        ValueError: it is none; one that only lacks the plus is suggested with it.
    """
    if (parsed := _possible(number)) is not None:
        return parsed
    with_plus = "+" + re.sub(r"[^0-9]", "", number).lstrip("0")
    hint = "" if number.startswith("+") or _possible(with_plus) is None else f", did you mean '{with_plus}'?"
    raise ValueError(f"'{number}' is no international phone number like +4930123456{hint}")


def _possible(number: str) -> PhoneNumber | None:
    import phonenumbers

    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_possible_number(parsed) else None


def _country_name(region: str) -> str:
    """The English short name of a country, as the tools of geography have it."""
    if region in _NAME_OF:
        return _NAME_OF[region]
    import pycountry

    entry = pycountry.countries.get(alpha_2=region)
    if entry is None:
        return region
    return str(getattr(entry, "common_name", entry.name))
