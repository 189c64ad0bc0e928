"""The shop: sums against its database, of which every world has its own."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from alpha_umi_gym.domains.shop.database import THINGS, WAREHOUSES, Shop
from alpha_umi_gym.domains.shop.tools import (
    apply_coupon,
    cancel_order,
    category_products,
    check_stock,
    customer_orders,
    find_product,
    order_status,
    order_total,
    place_order,
)
from alpha_umi_gym.people import People
from alpha_umi_gym.world import World

SEEDS = range(6)


def some_order(world: World, status: str) -> str:
    return world.part(Shop).texts("SELECT id FROM orders WHERE status = ? ORDER BY id", status)[0]


def some_product(world: World) -> str:
    return world.part(Shop).texts("SELECT id FROM products ORDER BY id")[0]


def cost(world: World, order: str) -> Decimal:
    lines = world.part(Shop).rows("SELECT pieces, cents FROM order_lines WHERE order_id = ?", order)
    return sum((Decimal(pieces * cents) / 100 for pieces, cents in lines), Decimal(0))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_product_is_what_the_warehouses_hold_of_it(seed: int) -> None:
    world = World(seed)
    for product, name, cents in world.part(Shop).rows("SELECT id, name, cents FROM products"):
        found = find_product(world, name.upper())
        assert found["id"] == product
        assert Decimal(str(found["price"])) * 100 == cents
        assert found["stock"] == sum(check_stock(world, product, warehouse) for warehouse in WAREHOUSES)


def test_every_customer_has_orders_and_the_newest_comes_first() -> None:
    for seed in SEEDS:
        world = World(seed)
        for name in world.part(People).persons:
            found = customer_orders(world, name)
            assert 1 <= len(found["orders"]) <= 4
            seen = [order_status(world, order) for order in found["orders"]]
            placed = [status["placed"] for status in seen]
            assert placed == sorted(placed, reverse=True)
            assert {status["customer"] for status in seen} == {name}
            assert found["customer_since"] < min(placed)
            assert found["number_of_orders"] == len(found["orders"])


def test_what_arrives_and_what_is_delivered_agree_with_the_calendar_of_the_shop() -> None:
    for seed in SEEDS:
        shop = World(seed).part(Shop)
        for placed, arrives, status in shop.rows("SELECT placed, arrives, status FROM orders"):
            assert placed < arrives
            assert (arrives <= shop.day(0)) == (status == "delivered")


def test_an_order_costs_its_pieces_and_empties_the_shelves() -> None:
    world = World(3)
    product = some_product(world)
    [(name, cents)] = world.part(Shop).rows("SELECT name, cents FROM products WHERE id = ?", product)
    before = find_product(world, name)["stock"]
    placed = place_order(world, product, 7, gift_note="It's for 'you'; DROP TABLE orders")
    assert Decimal(str(placed["total"])) == Decimal(7 * cents) / 100
    assert find_product(world, name)["stock"] == before - 7
    status = order_status(world, placed["order_id"])
    assert (status["status"], status["customer"]) == ("packed", "you")
    assert status["placed"] < status["arrives"] == placed["arrives"]
    assert order_total(world, placed["order_id"]) == {"total": placed["total"], "pieces": 7}
    [(note,)] = world.part(Shop).rows("SELECT note FROM orders WHERE id = ?", placed["order_id"])
    assert note == "It's for 'you'; DROP TABLE orders"


def test_an_order_takes_from_the_fullest_warehouse_first_and_then_from_others() -> None:
    world = World(4)
    product = some_product(world)
    shelves = {warehouse: check_stock(world, product, warehouse) for warehouse in WAREHOUSES}
    fullest = max(shelves.values())
    one_parcel, two_parcels = World(4), world
    place_order(one_parcel, product, fullest)
    assert sorted(check_stock(one_parcel, product, warehouse) for warehouse in WAREHOUSES) == sorted(
        [0, *sorted(shelves.values())[:2]]
    )
    soon = place_order(World(4), product, 1)["arrives"]
    assert place_order(two_parcels, product, fullest + 1)["arrives"] > soon
    everything = sum(shelves.values())
    with pytest.raises(ValueError, match=rf"only {everything - fullest - 1} of {product} are left"):
        place_order(world, product, everything)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_coupon_takes_its_percentage_off_once(seed: int) -> None:
    world = World(seed)
    order = some_order(world, "packed")
    [(code, percent)] = world.part(Shop).rows("SELECT code, percent FROM coupons ORDER BY percent LIMIT 1")
    before = cost(world, order)
    after = (before * (100 - percent) / 100).quantize(Decimal("0.01"), ROUND_HALF_EVEN)
    assert Decimal(str(order_total(world, order)["total"])) == before
    given = apply_coupon(world, order, code.lower())
    assert Decimal(str(given["new_total"])) == after
    assert Decimal(str(given["saved"])) == before - after
    with pytest.raises(PermissionError, match="has a coupon already"):
        apply_coupon(world, order, code)
    assert Decimal(str(cancel_order(world, order)["refund"])) == after


def test_a_department_is_searched_from_the_cheapest_with_both_limits_included() -> None:
    world = World(5)
    for department in THINGS:
        rows = world.part(Shop).rows(
            "SELECT cents, id, name FROM products WHERE department = ? ORDER BY cents, id", department
        )
        low, high = rows[0][0] / 100, rows[-1][0] / 100
        found = category_products(world, department, low, high)
        assert found["names"] == [name for _, _, name in rows]
        assert (found["count"], found["cheapest_id"], found["cheapest_price"]) == (len(rows), rows[0][1], low)
        assert category_products(world, department, min_price=low + 0.01)["cheapest_price"] == rows[1][0] / 100
        with pytest.raises(LookupError, match=f"no {department} article costs between"):
            category_products(world, department, max_price=low - 0.01)


def test_no_text_is_read_as_sql() -> None:
    world = World(8)
    for ask in (
        lambda: find_product(world, "x'; DROP TABLE products; --"),
        lambda: order_total(world, "R1 OR 1=1"),
        lambda: apply_coupon(world, some_order(world, "packed"), "' OR ''='"),
    ):
        with pytest.raises(LookupError, match="unknown"):
            ask()
        assert len(world.part(Shop).texts("SELECT id FROM products")) == 15


# State


def test_worlds_are_apart_and_equal_seeds_give_equal_shops() -> None:
    one, same, other = World(11), World(11), World(12)
    everything = "SELECT id, name, cents FROM products ORDER BY id"
    assert one.part(Shop).rows(everything) == same.part(Shop).rows(everything)
    assert one.part(Shop).rows(everything) != other.part(Shop).rows(everything)
    place_order(one, some_product(one), 2)
    assert set(one.changes()) == {"Shop"}
    assert same.changes() == {}


@pytest.mark.parametrize("note", ["", "Happy birthday!"])
def test_changes_tell_orders_apart(note: str) -> None:
    one, other = World(15), World(15)
    product = some_product(one)
    place_order(one, product, 3, gift_note=note)
    place_order(other, product, 3, gift_note="Happy new year!")
    assert one.changes() != other.changes()


def test_a_deleted_contact_remains_a_customer() -> None:
    world = World(16)
    gone, *_, last = world.part(People).original
    before = customer_orders(world, gone), customer_orders(world, last)
    del world.part(People).persons[gone]
    assert (customer_orders(world, gone), customer_orders(world, last)) == before
