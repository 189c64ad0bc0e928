"""The database of a small shop: articles in three warehouses, customers, orders, coupons and returns, in SQLite.

Money is kept in cents. The customers are the people a world began with, by position; orders without a customer are
those that a tool placed. Knows nothing of tools.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import random
import sqlite3
import weakref
from fractions import Fraction
from typing import Any, Literal, get_args

from alpha_umi_gym.lookup import find

Department = Literal["lighting", "kitchen", "furniture", "textile", "outdoor"]
Warehouse = Literal["north", "south", "west"]
LOOKS = (
    "red", "blue", "green", "black", "white", "yellow", "grey", "brown", "purple", "orange", "pink", "small", "large",
    "striped", "modern",
)  # fmt: skip
THINGS: dict[Department, tuple[str, ...]] = {
    "lighting": ("lamp", "lantern", "spotlight", "candle holder"),
    "kitchen": ("mug", "kettle", "bowl", "teapot", "frying pan"),
    "furniture": ("chair", "table", "stool", "bookshelf", "bench"),
    "textile": ("blanket", "pillow", "towel", "carpet", "curtain"),
    "outdoor": ("backpack", "umbrella", "hammock", "tent", "parasol"),
}
WAREHOUSES: tuple[Warehouse, ...] = get_args(Warehouse)
NAMES = {kind: [f"{look} {thing}" for look in LOOKS for thing in things] for kind, things in THINGS.items()}
"""What an article of each department can be called."""
_CODES = (
    "SPRING", "WELCOME", "LOYAL", "HARVEST", "SUMMER", "FRIEND", "SNOW", "BIRTHDAY", "SECOND", "LUCKY", "EARLY",
    "CLUB", "AUTUMN", "PARTNER", "HOLIDAY", "MOVING",
)  # fmt: skip
_PER_DEPARTMENT = 3
_STATUSES = ("packed",) * 4 + ("shipped",) * 3 + ("delivered",) * 5
"""Of the latest order of each customer, in any order."""
_MANY = len(_STATUSES)
_JOURNEYS = {
    "packed": (range(3), range(4, 13)),
    "shipped": (range(2, 6), range(7, 13)),
    "delivered": (range(14, 60), range(3, 13)),
}
"""How long ago an order of each status was placed, and how many days it takes."""
_PRICES = range(500, 12_000, 25)
_SCHEMA = """
CREATE TABLE customers (id INTEGER PRIMARY KEY, joined TEXT NOT NULL);
CREATE TABLE products (id TEXT PRIMARY KEY, name TEXT NOT NULL, department TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE stock (product TEXT NOT NULL REFERENCES products, warehouse TEXT NOT NULL,
                    pieces INTEGER NOT NULL CHECK (pieces >= 0), PRIMARY KEY (product, warehouse)) WITHOUT ROWID;
CREATE TABLE coupons (code TEXT PRIMARY KEY, percent INTEGER NOT NULL);
CREATE TABLE orders (id TEXT PRIMARY KEY, customer INTEGER REFERENCES customers, placed TEXT NOT NULL,
                     arrives TEXT NOT NULL, status TEXT NOT NULL, note TEXT NOT NULL DEFAULT '',
                     coupon TEXT REFERENCES coupons);
CREATE TABLE order_lines (order_id TEXT NOT NULL REFERENCES orders, product TEXT NOT NULL REFERENCES products,
                          warehouse TEXT NOT NULL, pieces INTEGER NOT NULL, cents INTEGER NOT NULL);
CREATE TABLE returns (order_id TEXT PRIMARY KEY REFERENCES orders, reason TEXT NOT NULL);
"""


class Shop:
    """The database of one episode."""

    def __init__(self, chance: random.Random) -> None:
        self.today = datetime.date(2023, 1, 1) + datetime.timedelta(days=chance.randrange(700))
        self._seed = chance.getrandbits(64)

    @functools.cached_property
    def _db(self) -> sqlite3.Connection:
        """Opened when first used: most shops are only made to be compared with."""
        database = _opened(_filled(self._seed, self.today))
        weakref.finalize(self, database.close)
        return database

    def day(self, later: int) -> str:
        """The date so many days after the shop's today."""
        return str(self.today + datetime.timedelta(days=later))

    def rows(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds."""
        return self._db.execute(sql, values).fetchall()

    def texts(self, sql: str, *values: object) -> list[str]:
        """The first column of what a query finds."""
        return [row[0] for row in self._db.execute(sql, values)]

    def change(self, *statements: tuple[str, tuple[object, ...]]) -> None:
        """Carry out all of these, or none."""
        with self._db:
            for sql, values in statements:
                self._db.execute(sql, values)

    def product(self, product_id: str) -> str:
        """The id of an article as the shop writes it.

        Raises:
            LookupError: there is none; a close one is suggested.
        """
        return find(product_id, self.texts("SELECT id FROM products"), what="product id")

    def order(self, order_id: str) -> str:
        """The id of an order as the shop writes it.

        Raises:
            LookupError: there is none; a close one is suggested.
        """
        return find(order_id, self.texts("SELECT id FROM orders"), what="order")

    def order_in(self, order_id: str, status: str, *, purpose: str) -> str:
        """The id of an order that must have this status.

        Raises:
            LookupError: there is no such order.
            ValueError: it has another status.
        """
        order = self.order(order_id)
        [(found,)] = self.rows("SELECT status FROM orders WHERE id = ?", order)
        if found != status:
            raise ValueError(f"order {order} is {found}, only a {status} order can be {purpose}")
        return order

    def total(self, order: str) -> int:
        """What an order costs in cents, a coupon taken off."""
        [(cents,)] = self.rows("SELECT sum(pieces * cents) FROM order_lines WHERE order_id = ?", order)
        coupon = self.rows("SELECT percent FROM orders JOIN coupons ON code = coupon WHERE orders.id = ?", order)
        return round(Fraction(cents * (100 - coupon[0][0]), 100)) if coupon else int(cents)

    def state(self) -> object:
        """What is not as it was at first: orders with their lines, stock, returns.

        Orders that a tool placed have no ids here, and are nothing once they are cancelled.
        """
        if "_db" not in self.__dict__ or not self._db.total_changes:
            return {}
        first = _first_state(self._seed, self.today)
        new = {table: [row for row in rows if row not in first[table]] for table, rows in _state(self._db).items()}
        return {table: rows for table, rows in new.items() if rows}


def _state(database: sqlite3.Connection) -> dict[str, list[list[Any]]]:
    orders = database.execute(
        "SELECT iif(customer IS NULL, 'new', id), customer, arrives, status, note, coupon,"
        " (SELECT group_concat(line) FROM (SELECT product || ' ' || warehouse || ' ' || pieces AS line"
        " FROM order_lines WHERE order_id = orders.id ORDER BY line))"
        " FROM orders WHERE customer IS NOT NULL OR status <> 'cancelled' ORDER BY 1, 3, 7, 5, 6"
    )
    stock = database.execute("SELECT * FROM stock ORDER BY product, warehouse")
    returns = database.execute("SELECT * FROM returns ORDER BY order_id")
    return {
        name: [list(row) for row in rows]
        for name, rows in zip(("orders", "stock", "returns"), (orders, stock, returns), strict=True)
    }


@functools.lru_cache(maxsize=64)
def _first_state(seed: int, today: datetime.date) -> dict[str, list[list[Any]]]:
    with contextlib.closing(_opened(_filled(seed, today))) as database:
        return _state(database)


def _opened(image: bytes) -> sqlite3.Connection:
    """A database in memory, as it was when it was written to these bytes."""
    database = sqlite3.connect(":memory:", check_same_thread=False)
    database.deserialize(image)
    return database


@functools.cache
def _empty() -> bytes:
    with contextlib.closing(sqlite3.connect(":memory:")) as database:
        database.executescript(f"PRAGMA page_size = 1024; {_SCHEMA}")
        return database.serialize()


@functools.lru_cache(maxsize=64)
def _filled(seed: int, today: datetime.date) -> bytes:
    """The database of a world at its beginning, kept because a task makes the same world several times."""
    chance = random.Random(seed)
    with contextlib.closing(_opened(_empty())) as database, database:
        prices = _stock_up(database, chance)
        _sell(database, chance, today, prices)
        database.commit()
        return database.serialize()


def _stock_up(database: sqlite3.Connection, chance: random.Random) -> list[tuple[str, int]]:
    """Fill shelves and coupon book; returns the ids and prices."""
    kinds = [(name, department) for department in THINGS for name in chance.sample(NAMES[department], _PER_DEPARTMENT)]
    numbers, prices = chance.sample(range(100, 1000), len(kinds)), chance.choices(_PRICES, k=len(kinds))
    products = [(f"P{n}", *kind, cents) for n, kind, cents in zip(numbers, kinds, prices, strict=True)]
    places = [(product[0], warehouse) for product in products for warehouse in WAREHOUSES]
    stock = [(*place, n) for place, n in zip(places, chance.choices(range(4, 40), k=len(places)), strict=True)]
    coupons = [(code, chance.choice((5, 10, 15, 20, 25))) for code in chance.sample(_CODES, 4)]
    database.executemany("INSERT INTO products VALUES (?, ?, ?, ?)", products)
    database.executemany("INSERT INTO stock VALUES (?, ?, ?)", stock)
    database.executemany("INSERT INTO coupons VALUES (?, ?)", coupons)
    return [(product, cents) for product, _, _, cents in products]


def _sell(
    database: sqlite3.Connection, chance: random.Random, today: datetime.date, prices: list[tuple[str, int]]
) -> None:
    """Orders of every customer, one to three; all but the latest have been delivered."""
    orders: list[tuple[int, int, int, str]] = []
    now, statuses = today.toordinal(), chance.sample(_STATUSES, _MANY)
    for customer, (status, earlier) in enumerate(zip(statuses, chance.choices((0, 0, 1, 2), k=_MANY), strict=True)):
        ago, takes = (chance.choice(days) for days in _JOURNEYS[status])
        orders.append((now - ago, customer, takes, status))
        for days in chance.choices(range(12, 60), k=earlier):
            ago += days
            orders.append((now - ago, customer, 3 + days % 8, "delivered"))
    orders.sort()
    many = len(orders)
    numbers = sorted(chance.sample(range(1000, 9000), many))
    rows = [
        (f"R{number}", customer, _date(day), _date(day + takes), status)
        for number, (day, customer, takes, status) in zip(numbers, orders, strict=True)
    ]
    bought = zip(numbers, chance.choices(range(len(prices)), k=many), chance.choices((1, 1, 2), k=many), strict=True)
    parcels = [(f"R{number}", *prices[first - i]) for number, first, kinds in bought for i in range(kinds)]
    piles = zip(chance.choices(WAREHOUSES, k=len(parcels)), chance.choices(range(1, 6), k=len(parcels)), strict=True)
    lines = [(order, product, *pile, cents) for (order, product, cents), pile in zip(parcels, piles, strict=True)]
    joined = enumerate(_date(now - ago) for ago in chance.choices(range(250, 3000), k=_MANY))
    database.executemany("INSERT INTO customers VALUES (?, ?)", joined)
    database.executemany("INSERT INTO orders (id, customer, placed, arrives, status) VALUES (?, ?, ?, ?, ?)", rows)
    database.executemany("INSERT INTO order_lines VALUES (?, ?, ?, ?, ?)", lines)


def _date(ordinal: int) -> str:
    return datetime.date.fromordinal(ordinal).isoformat()
