"""The tools of the shop: finding articles, ordering them, and everything that may happen to an order.

What people want from them is in `intents`, what they work on in `database`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated, Any, Literal

from pydantic import Field

from alpha_umi_gym.domains.shop.database import Department, Shop, Warehouse
from alpha_umi_gym.lookup import find
from alpha_umi_gym.numbers import exact, rounded
from alpha_umi_gym.people import People
from alpha_umi_gym.world import World

Reason = Literal["damaged", "wrong size", "too late", "not needed"]
Price = Annotated[float, Field(ge=0, allow_inf_nan=False, description="in dollars")]


def find_product(world: World, name: str) -> dict[str, Any]:
    """Find an article of the shop by its name: its id, price in dollars and pieces in stock."""
    shop = world.part(Shop)
    known = find(name, shop.texts("SELECT name FROM products"), what="product")
    [(product, cents, pieces)] = shop.rows(
        "SELECT id, cents, sum(pieces) FROM products JOIN stock ON product = id WHERE name = ? GROUP BY id", known
    )
    return {"id": product, "price": _dollars(cents), "stock": pieces}


def check_stock(world: World, product_id: str, warehouse: Warehouse) -> int:
    """Count the pieces of an article that lie in one warehouse."""
    shop = world.part(Shop)
    where = (shop.product(product_id), warehouse)
    [(pieces,)] = shop.rows("SELECT pieces FROM stock WHERE product = ? AND warehouse = ?", *where)
    return int(pieces)


def category_products(
    world: World, category: Department, min_price: Price = 0, max_price: Price = 1000
) -> dict[str, Any]:
    """Search one department of the shop for articles in a price range, cheapest first."""
    limits = [round(exact(price) * 100) for price in (min_price, max_price)]
    found = world.part(Shop).rows(
        "SELECT id, name, cents FROM products WHERE department = ? AND cents BETWEEN ? AND ? ORDER BY cents, id",
        category,
        *(min(limit, 10**9) for limit in limits),
    )
    if not found:
        raise LookupError(f"no {category} article costs between {min_price:g} and {max_price:g} dollars")
    best, _, cents = found[0]
    names = [name for _, name, _ in found]
    return {"count": len(found), "names": names, "cheapest_id": best, "cheapest_price": _dollars(cents)}


def place_order(
    world: World,
    product_id: str,
    quantity: Annotated[int, Field(ge=1)],
    gift_note: Annotated[str, Field(max_length=500, description="printed on a card")] = "",
) -> dict[str, Any]:
    """Order an article by its id, with a gift note if wanted."""
    shop = world.part(Shop)
    product = shop.product(product_id)
    piles = shop.rows("SELECT warehouse, pieces FROM stock WHERE product = ? ORDER BY pieces DESC, 1", product)
    left = sum(pieces for _, pieces in piles)
    if quantity > left:
        raise ValueError(f"out of stock, only {left} of {product} are left")
    order = f"R{max(int(known[1:]) for known in shop.texts('SELECT id FROM orders')) + 3}"
    [(cents,)] = shop.rows("SELECT cents FROM products WHERE id = ?", product)
    wanted = quantity
    changes: list[tuple[str, tuple[object, ...]]] = []
    for warehouse, pieces in piles:
        taken = min(pieces, wanted)
        if taken:
            wanted -= taken
            less = "UPDATE stock SET pieces = pieces - ? WHERE product = ? AND warehouse = ?"
            changes.append((less, (taken, product, warehouse)))
            line = (order, product, warehouse, taken, cents)
            changes.append(("INSERT INTO order_lines VALUES (?, ?, ?, ?, ?)", line))
    arrives = shop.day(2 + len(changes))  # every warehouse on the way takes two days
    head = (order, shop.day(0), arrives, "packed", gift_note)
    insert = "INSERT INTO orders (id, placed, arrives, status, note) VALUES (?, ?, ?, ?, ?)"
    shop.change((insert, head), *changes)
    return {"order_id": order, "total": _dollars(cents * quantity), "arrives": arrives}


def order_status(world: World, order_id: str) -> dict[str, str]:
    """Track an order: who placed it and when, its status and the date it arrives."""
    shop = world.part(Shop)
    order = shop.order(order_id)
    [(customer, placed, arrives, status)] = shop.rows(
        "SELECT customer, placed, arrives, status FROM orders WHERE id = ?", order
    )
    name = "you" if customer is None else world.part(People).original[customer]
    return {"status": status, "placed": placed, "arrives": arrives, "customer": name}


def order_total(world: World, order_id: str) -> dict[str, int | float]:
    """Add up what an order costs in dollars and how many pieces it has."""
    shop = world.part(Shop)
    order = shop.order(order_id)
    [(pieces,)] = shop.rows("SELECT sum(pieces) FROM order_lines WHERE order_id = ?", order)
    return {"total": _dollars(shop.total(order)), "pieces": pieces}


def customer_orders(world: World, customer: Annotated[str, Field(description="full name")]) -> dict[str, Any]:
    """Show a customer's orders, the newest first and at most four, with the date of joining the shop."""
    shop, people = world.part(Shop), world.part(People).original
    number = people.index(find(customer, people, what="customer"))
    [(joined,)] = shop.rows("SELECT joined FROM customers WHERE id = ?", number)
    orders = shop.texts("SELECT id FROM orders WHERE customer = ? ORDER BY placed DESC", number)
    return {"customer_since": joined, "orders": orders[:4], "number_of_orders": len(orders)}


def cancel_order(world: World, order_id: str) -> dict[str, Any]:
    """Call off an order that has not been shipped yet; the money is paid back."""
    shop = world.part(Shop)
    order = shop.order_in(order_id, "packed", purpose="cancelled")
    refund = shop.total(order)
    back = "UPDATE stock SET pieces = pieces + ? WHERE product = ? AND warehouse = ?"
    lines = shop.rows("SELECT pieces, product, warehouse FROM order_lines WHERE order_id = ?", order)
    cancel = ("UPDATE orders SET status = 'cancelled' WHERE id = ?", (order,))
    shop.change(cancel, *((back, line) for line in lines))
    return {"cancelled": order, "refund": _dollars(refund)}


def return_order(world: World, order_id: str, reason: Reason) -> dict[str, Any]:
    """Register that a delivered order is sent back, and why."""
    shop = world.part(Shop)
    order = shop.order_in(order_id, "delivered", purpose="returned")
    returned = ("UPDATE orders SET status = 'returned' WHERE id = ?", (order,))
    shop.change(returned, ("INSERT INTO returns VALUES (?, ?)", (order, reason)))
    return {"refund": _dollars(shop.total(order)), "send_until": shop.day(14)}


def apply_coupon(world: World, order_id: str, code: str) -> dict[str, int | float]:
    """Redeem a coupon code for an order that has not been shipped yet."""
    shop = world.part(Shop)
    order = shop.order_in(order_id, "packed", purpose="discounted")
    known = find(code, shop.texts("SELECT code FROM coupons"), what="coupon code")
    if shop.texts("SELECT coupon FROM orders WHERE id = ? AND coupon IS NOT NULL", order):
        raise PermissionError(f"order {order} has a coupon already, there can be only one")
    before = shop.total(order)
    shop.change(("UPDATE orders SET coupon = ? WHERE id = ?", (known, order)))
    after = shop.total(order)
    return {"saved": _dollars(before - after), "new_total": _dollars(after)}


def _dollars(cents: int) -> int | float:
    return rounded(Fraction(cents, 100))
