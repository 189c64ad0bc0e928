"""A small shop with prices, stock and orders: tools whose calls change the world of the episode.

Owns the shop's state and its three tools; its tasks are in `shop`. Knows nothing of the other domains' state.
"""

from __future__ import annotations

import datetime
import difflib
import random
import threading
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from alpha_umi.gym.numbers import exact, rounded
from alpha_umi.gym.world import World

_ADJECTIVES = "red blue green black white yellow grey brown small large round folding wooden steel cotton glass"
_NOUNS = "lamp mug chair table clock vase bowl basket blanket pillow kettle mirror shelf stool backpack umbrella"
LOOKS, THINGS = _ADJECTIVES.split(), _NOUNS.split()
_PRODUCTS = 14
_STATES = ("packed", "shipped", "delivered")


@dataclass
class Product:
    """One article of the shop."""

    id: str
    name: str
    price: int | float
    stock: int


class Shop:
    """Articles and orders of one episode."""

    def __init__(self, chance: random.Random) -> None:
        self.lock = threading.Lock()
        names = chance.sample([f"{look} {thing}" for look in LOOKS for thing in THINGS], _PRODUCTS)
        numbers = chance.sample(range(100, 1000), _PRODUCTS)
        self.products: dict[str, Product] = {}
        for name, number in zip(names, numbers, strict=True):
            price = chance.randrange(12, 400) / 4  # quarters are exact in binary
            price = int(price) if price == int(price) else price
            self.products[f"P{number}"] = Product(f"P{number}", name, price, chance.choice((2, 3, 5, 8, 12, 20, 30)))
        self.today = datetime.date(2024, 1, 1) + datetime.timedelta(days=chance.randrange(300))
        self.next_order = chance.randrange(1000, 9000)
        self.orders: dict[str, dict[str, str]] = {}
        for _ in range(6):
            self.add_order(chance.choice(_STATES), days=chance.randrange(1, 20))

    def add_order(self, state: str, *, days: int) -> str:
        """Keep a new order and return its id."""
        self.next_order += 7
        order = f"R{self.next_order}"
        self.orders[order] = {"status": state, "arrives": str(self.today + datetime.timedelta(days=days))}
        return order


def find_product(world: World, name: str) -> dict[str, Any]:
    """Find a product of the shop: its id, price and stock."""
    shop = world.part(Shop)
    with shop.lock:
        names = {product.name: product for product in shop.products.values()}
        found = names.get(name.casefold().strip())
        if found is None:
            close = difflib.get_close_matches(name[:80].casefold(), names, n=1, cutoff=0.8)
            hint = f", did you mean '{close[0]}'?" if close else ""
            raise LookupError(f"no product is called '{name[:80]}'{hint}")
        return {"id": found.id, "price": found.price, "stock": found.stock}


def place_order(world: World, product_id: str, quantity: Annotated[int, Field(ge=1)]) -> dict[str, Any]:
    """Order a product by its id."""
    shop = world.part(Shop)
    with shop.lock:
        product = shop.products.get(product_id)
        if product is None:
            raise LookupError(f"there is no product id '{product_id[:40]}', an id looks like P123")
        if quantity > product.stock:
            raise ValueError(f"out of stock, only {product.stock} of {product_id} are left")
        product.stock -= quantity
        order = shop.add_order("packed", days=2 + quantity % 5)
        return {"order_id": order, "total": rounded(exact(product.price) * quantity)}


def order_status(world: World, order_id: str) -> dict[str, str]:
    """Tell the status of an order and the date it arrives."""
    shop = world.part(Shop)
    with shop.lock:
        if order_id not in shop.orders:
            hint = f", did you mean 'R{order_id[:40]}'?" if f"R{order_id}" in shop.orders else ""
            raise LookupError(f"there is no order '{order_id[:40]}'{hint}")
        return dict(shop.orders[order_id])
