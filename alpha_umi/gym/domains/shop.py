"""Tasks of the shop: looking up, ordering, tracking, and what goes wrong on the way.

Names and ids come from the world of the episode, so that its tools find them; results come from the tools only.
"""

from __future__ import annotations

from typing import Any

from alpha_umi.gym.domains.shop_tools import LOOKS, Product, Shop, find_product, order_status, place_order
from alpha_umi.gym.draft import Draft, DroppedTask
from alpha_umi.gym.world import Category, Scenario


def _product(d: Draft) -> Product:
    """A product whose name belongs to the split; read from the world, so that its tools find it."""
    name = d.choose([product.name for product in d.world.part(Shop).products.values()])
    return next(product for product in d.world.part(Shop).products.values() if product.name == name)


def _order(d: Draft) -> str:
    return d.choose(list(d.world.part(Shop).orders))


_PRICE = (
    "How much does the {name} cost?",
    "What is the price of the {name}?",
    "I want to buy a {name}. What do I have to pay?",
    "Tell me the price of a {name}.",
    "Look up the {name} and tell me its price.",
    "What would a {name} set me back?",
    "Could you check which price the shop asks for the {name}?",
)
_STOCK = (
    "How many of the {name} are in stock?",
    "Is the {name} available, and how many are there?",
    "Check the stock of the {name}.",
    "How many {name} articles does the shop have left?",
    "I need several of the {name}. How many could I get?",
    "What quantity of the {name} is on the shelves?",
    "Could you find out how many pieces of the {name} remain?",
)
_BUY = (
    "Order {n} of the {name} and tell me the order id.",
    "Please buy {n} pieces of the {name}. What is my order id?",
    "I would like {n} of the {name}. Place the order and give me its id.",
    "Get me {n} of the {name} and name the order id.",
    "Place an order of {n} for the {name}. Which id does it have?",
    "Purchase the {name}, {n} pieces, and report the id of the order.",
    "I'll take {n} of the {name}; what id did the order get?",
)
_ID_BUY = (
    "Order {n} of product {id}. What is the total?",
    "Please buy {n} pieces of {id} and tell me the total.",
    "Place an order for {n} of {id}. How much is it?",
    "Get me {n} of article {id}. What do I pay?",
    "I need {n} times {id}. Order them and name the total.",
    "Purchase {id}, quantity {n}, and report the amount due.",
    "I'll take {n} of {id}; what is the bill?",
)
_STATUS = (
    "When does order {order} arrive?",
    "What is the arrival date of order {order}?",
    "I am waiting for order {order}. On which date will it be here?",
    "Check order {order} and tell me when it comes.",
    "Please look up when my order {order} arrives.",
    "By what date should {order}, my order, be delivered?",
    "Could you track order {order} and name its date of arrival?",
)


def _find(d: Draft) -> None:
    product, by_price = _product(d), d.any_of((True, False))
    d.ask(_PRICE if by_price else _STOCK, name=product.name)
    found = d.call(f"look up the {product.name}", "find_product", name=product.name)
    _tell_product(d, product.name, found, by_price)


def _tell_product(d: Draft, name: str, found: dict[str, Any], by_price: bool) -> None:
    if by_price:
        answers = ("The {name} costs {price} dollars.", "It costs {price} dollars.", "The price is {price} dollars.")
        d.answer(f"the {name} costs {found['price']}", answers, facts=[found["price"]], name=name, **found)
    else:
        answers = ("There are {stock} of the {name} in stock.", "The shop has {stock} left.", "{stock} are in stock.")
        d.answer(f"{found['stock']} are in stock", answers, facts=[found["stock"]], name=name, **found)


def _find_misspelt(d: Draft) -> None:
    product, by_price = _product(d), d.any_of((True, False))
    wrong = d.misspell(product.name)
    d.ask(_PRICE if by_price else _STOCK, name=wrong)
    error = d.call_in_vain(f"look up the {wrong}", "find_product", name=wrong)
    if f"'{product.name}'" not in error:
        raise DroppedTask("no suggestion")
    known = f"there is no {wrong}, but there is a {product.name}"
    found = d.call(f"look up the {product.name}", "find_product", known=known, name=product.name)
    _tell_product(d, product.name, found, by_price)


def _find_nothing(d: Draft) -> None:
    things = ("unicycle", "piano", "canoe", "tractor", "telescope", "saxophone", "trampoline", "parachute", "aquarium")
    name = f"{d.any_of(LOOKS)} {d.any_of(things)}"
    d.ask(_PRICE, name=name)
    d.call_in_vain(f"look up the {name}", "find_product", name=name)
    d.give_up(f"the shop has no {name}")


def _order_by_id(d: Draft) -> None:
    product = _product(d)
    n = d.any_of(range(2, product.stock + 1))
    d.ask(_ID_BUY, id=product.id, n=n)
    placed = d.call(f"order {n} of {product.id}", "place_order", product_id=product.id, quantity=n)
    answers = ("The total is {total} dollars.", "It is {total} dollars for order {order_id}.")
    d.answer(f"the order costs {placed['total']}", answers, facts=[placed["total"]], **placed)


def _order_the_rest(d: Draft) -> None:
    product = _product(d)
    n = product.stock + d.any_of((1, 2, 4, 6))
    d.ask(
        (
            "Order {n} of product {id}, or as many as are left. What is the total?",
            "Please buy {n} of {id}. If there are fewer, take all of them. How much is it?",
            "I want {n} pieces of {id}; a smaller number is fine when stock is low. Tell me the total.",
            "Get {n} of {id}, or else everything that is left, and name the total.",
            "Purchase up to {n} of {id}, whatever is there, and report the amount due.",
        ),
        id=product.id,
        n=n,
    )
    error = d.call_in_vain(f"order {n} of {product.id}", "place_order", product_id=product.id, quantity=n)
    left = int(error.split("only ")[1].split()[0])
    known = f"only {left} of {product.id} are left"
    placed = d.call(f"order {left} of it", "place_order", known=known, product_id=product.id, quantity=left)
    answers = ("Only {left} were left; they cost {total} dollars.", "I ordered {left} for {total} dollars.")
    d.answer(f"{left} are ordered for {placed['total']}", answers, facts=[left, placed["total"]], left=left, **placed)


def _order_too_many(d: Draft) -> None:
    product = _product(d)
    n = product.stock + d.any_of((1, 2, 4, 6))
    d.ask(_ID_BUY, id=product.id, n=n)
    d.call_in_vain(f"order {n} of {product.id}", "place_order", product_id=product.id, quantity=n)
    d.give_up(f"only {product.stock} of {product.id} are left and {n} are wanted")


def _status(d: Draft) -> None:
    order = _order(d)
    d.ask(_STATUS, order=order)
    _tell_status(d, order, d.call(f"look up order {order}", "order_status", order_id=order))


def _tell_status(d: Draft, order: str, found: dict[str, str]) -> None:
    answers = ("Order {order} arrives on {arrives}.", "It arrives on {arrives}.", "The date of arrival is {arrives}.")
    d.answer(f"it arrives on {found['arrives']}", answers, facts=[found["arrives"]], order=order, **found)


def _status_without_letter(d: Draft) -> None:
    order = _order(d)
    wrong = order.removeprefix("R")
    d.ask(_STATUS, order=wrong)
    d.call_in_vain(f"look up order {wrong}", "order_status", order_id=wrong)
    known = f"{wrong} is unknown, and {order} is meant"
    found = d.call(f"look up order {order}", "order_status", known=known, order_id=order)
    _tell_status(d, order, found)


def _status_unknown(d: Draft) -> None:
    order = f"R{d.integer(10000, 99999)}"
    d.ask(_STATUS, order=order)
    d.call_in_vain(f"look up order {order}", "order_status", order_id=order)
    d.give_up(f"there is no order {order}")


def _buy(d: Draft) -> None:
    product = _product(d)
    n = d.any_of(range(2, product.stock + 1))
    d.ask(_BUY, name=product.name, n=n)
    placed = _buy_by_name(d, product.name, n)
    answers = ("The order id is {order_id}.", "I ordered {n} of the {name}: {order_id}.", "Your order is {order_id}.")
    known = f"the order is {placed['order_id']}"
    d.answer(known, answers, facts=[placed["order_id"]], n=n, name=product.name, **placed)


def _buy_by_name(d: Draft, name: str, n: int) -> dict[str, Any]:
    found = d.call(f"look up the {name}", "find_product", name=name)
    known = f"the id of the {name} is {found['id']}"
    placed: dict[str, Any] = d.call(f"order {n}", "place_order", known=known, product_id=found["id"], quantity=n)
    return placed


def _buy_and_track(d: Draft) -> None:
    product = _product(d)
    n = d.any_of(range(2, product.stock + 1))
    d.ask(
        (
            "Order {n} of the {name} and tell me when they arrive.",
            "Please buy {n} of the {name}. On which date do they come?",
            "I need {n} of the {name}. Order them and give me the date of arrival.",
            "Get me {n} of the {name} and find out the arrival date.",
            "Purchase {n} pieces of the {name}; by what date are they here?",
        ),
        name=product.name,
        n=n,
    )
    order = _buy_by_name(d, product.name, n)["order_id"]
    known = f"the order is {order}"
    found = d.call("see when it arrives", "order_status", known=known, order_id=order)
    _tell_status(d, order, found)


def _discount(d: Draft) -> None:
    product, percent = _product(d), d.integer(5, 60)
    d.ask(
        (
            "I have a voucher of {percent} percent for the {name}. How many dollars do I save?",
            "How much is {percent}% of the price of the {name}?",
            "The {name} is reduced by {percent} percent. How large is the reduction in dollars?",
            "With {percent} percent off the {name}, what amount is taken off?",
            "A coupon gives {percent}% off; how many dollars is that for the {name}?",
        ),
        name=product.name,
        percent=percent,
    )
    price = d.call(f"look up the {product.name}", "find_product", name=product.name)["price"]
    known = f"the price is {price}"
    saved = d.call(f"take {percent} percent of it", "percent_of", known=known, percent=percent, number=price)
    answers = ("You save {saved} dollars.", "{percent} percent of {price} dollars is {saved} dollars.")
    d.answer(f"it is {saved} dollars", answers, facts=[saved], saved=saved, price=price, percent=percent)


def _return_until(d: Draft) -> None:
    order, days = _order(d), d.any_of((7, 10, 14, 21, 28, 30, 60, 90, 100))
    d.ask(
        (
            "I can return order {order} for {days} days after it arrives. What is the last date?",
            "What date is {days} days after the arrival of order {order}?",
            "Order {order} may be sent back within {days} days of arrival. Until when?",
            "Find the date {days} days after order {order} arrives.",
            "The trial of order {order} lasts {days} days from arrival; when is it over?",
        ),
        order=order,
        days=days,
    )
    arrives = d.call(f"look up order {order}", "order_status", order_id=order)["arrives"]
    moved = d.call(f"add {days} days", "add_days", known=f"it arrives on {arrives}", date=arrives, days=days)
    answers = ("The date is {date}.", "It is {weekday}, {date}.", "{days} days after arrival it is {date}.")
    d.answer(f"the date is {moved['date']}", answers, facts=[moved["date"]], days=days, **moved)


CATEGORY = Category(
    "shop",
    (find_product, place_order, order_status),
    (
        Scenario(kind="single", needs=("find_product",), play=_find),
        Scenario(kind="single", needs=("place_order",), play=_order_by_id),
        Scenario(kind="single", needs=("order_status",), play=_status),
        Scenario(kind="sequential", needs=("find_product", "place_order"), play=_buy),
        Scenario(kind="sequential", needs=("find_product", "place_order", "order_status"), play=_buy_and_track),
        Scenario(kind="sequential", needs=("find_product", "percent_of"), play=_discount, rivals=("calculate",)),
        Scenario(kind="sequential", needs=("order_status", "add_days"), play=_return_until),
        Scenario(kind="recovery", needs=("find_product",), play=_find_misspelt),
        Scenario(kind="recovery", needs=("place_order",), play=_order_the_rest),
        Scenario(kind="recovery", needs=("order_status",), play=_status_without_letter),
        Scenario(kind="unsolvable", needs=("find_product",), play=_find_nothing),
        Scenario(kind="unsolvable", needs=("place_order",), play=_order_too_many),
        Scenario(kind="unsolvable", needs=("order_status",), play=_status_unknown),
    ),
)
