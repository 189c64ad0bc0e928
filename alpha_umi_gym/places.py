"""The cities of the world, with their time zones and countries: real ones, the same for every category."""

from __future__ import annotations

from typing import NamedTuple

from alpha_umi_gym.lookup import find

__all__ = ["CITIES", "Place", "place"]


class Place(NamedTuple):
    """A city as the tools know it."""

    zone: str
    country: str
    """ISO 3166-1 alpha-2."""
    latitude: float
    longitude: float
    """Degrees, north and east positive."""


_TABLE = """
Amsterdam|Europe/Amsterdam|NL|52.37|4.90
Athens|Europe/Athens|GR|37.98|23.73
Auckland|Pacific/Auckland|NZ|-36.85|174.76
Bangkok|Asia/Bangkok|TH|13.76|100.50
Barcelona|Europe/Madrid|ES|41.39|2.17
Berlin|Europe/Berlin|DE|52.52|13.41
Bogota|America/Bogota|CO|4.71|-74.07
Boston|America/New_York|US|42.36|-71.06
Brussels|Europe/Brussels|BE|50.85|4.35
Budapest|Europe/Budapest|HU|47.50|19.04
Cairo|Africa/Cairo|EG|30.04|31.24
Chicago|America/Chicago|US|41.88|-87.63
Copenhagen|Europe/Copenhagen|DK|55.68|12.57
Delhi|Asia/Kolkata|IN|28.61|77.21
Denver|America/Denver|US|39.74|-104.99
Dubai|Asia/Dubai|AE|25.20|55.27
Dublin|Europe/Dublin|IE|53.35|-6.26
Edinburgh|Europe/London|GB|55.95|-3.19
Geneva|Europe/Zurich|CH|46.20|6.14
Hamburg|Europe/Berlin|DE|53.55|9.99
Helsinki|Europe/Helsinki|FI|60.17|24.94
Honolulu|Pacific/Honolulu|US|21.31|-157.86
Istanbul|Europe/Istanbul|TR|41.01|28.98
Jakarta|Asia/Jakarta|ID|-6.21|106.85
Karachi|Asia/Karachi|PK|24.86|67.00
Krakow|Europe/Warsaw|PL|50.06|19.94
Lagos|Africa/Lagos|NG|6.52|3.38
Lima|America/Lima|PE|-12.05|-77.04
Lisbon|Europe/Lisbon|PT|38.72|-9.14
London|Europe/London|GB|51.51|-0.13
Lyon|Europe/Paris|FR|45.76|4.84
Madrid|Europe/Madrid|ES|40.42|-3.70
Manila|Asia/Manila|PH|14.60|120.98
Melbourne|Australia/Melbourne|AU|-37.81|144.96
Milan|Europe/Rome|IT|45.46|9.19
Montreal|America/Toronto|CA|45.50|-73.57
Mumbai|Asia/Kolkata|IN|19.08|72.88
Munich|Europe/Berlin|DE|48.14|11.58
Nairobi|Africa/Nairobi|KE|-1.29|36.82
Naples|Europe/Rome|IT|40.85|14.27
Osaka|Asia/Tokyo|JP|34.69|135.50
Oslo|Europe/Oslo|NO|59.91|10.75
Paris|Europe/Paris|FR|48.86|2.35
Porto|Europe/Lisbon|PT|41.15|-8.61
Prague|Europe/Prague|CZ|50.08|14.44
Quito|America/Guayaquil|EC|-0.18|-78.47
Riga|Europe/Riga|LV|56.95|24.11
Rome|Europe/Rome|IT|41.90|12.50
Santiago|America/Santiago|CL|-33.45|-70.67
Seattle|America/Los_Angeles|US|47.61|-122.33
Seoul|Asia/Seoul|KR|37.57|126.98
Shanghai|Asia/Shanghai|CN|31.23|121.47
Singapore|Asia/Singapore|SG|1.35|103.82
Stockholm|Europe/Stockholm|SE|59.33|18.07
Sydney|Australia/Sydney|AU|-33.87|151.21
Tallinn|Europe/Tallinn|EE|59.44|24.75
Tokyo|Asia/Tokyo|JP|35.68|139.69
Toronto|America/Toronto|CA|43.65|-79.38
Vienna|Europe/Vienna|AT|48.21|16.37
Vilnius|Europe/Vilnius|LT|54.69|25.28
Warsaw|Europe/Warsaw|PL|52.23|21.01
Zagreb|Europe/Zagreb|HR|45.81|15.98
Zurich|Europe/Zurich|CH|47.37|8.54
"""


def _place(row: str) -> tuple[str, Place]:
    name, zone, country, latitude, longitude = row.split("|")
    return name, Place(zone, country, float(latitude), float(longitude))


CITIES = dict(_place(row) for row in _TABLE.split("\n") if row)
"""City -> place."""
UNKNOWN_PLACES = (
    "Atlantis", "Gotham", "Narnia", "Mordor", "El Dorado", "Wakanda", "Zubrowka", "Hogwarts", "Utopia", "Lilliput",
    "Brigadoon", "Metropolis", "Shangri-La", "Camelot", "Rivendell", "Springfield Heights", "Avalon", "Oz",
)  # fmt: skip


def place(city: str) -> Place:
    """A city by name, whatever its case.

    Raises:
        LookupError: there is none; a close name is suggested.
    """
    return CITIES[find(city, CITIES, what="city")]
