"""What people want from a shop: to find articles, to order them, and to follow, cancel or return an order."""

from __future__ import annotations

from alpha_umi_gym.domains.shop import slots, tools
from alpha_umi_gym.intents import Category, Gives, Intent
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)
_INTENTS = (
    Intent(
        tool=tools.find_product,
        words=_WORDS["find_product_price"],
        slots={"name": slots.NAME},
        gives=Gives(kind="money", read="price", say=slots.dollars, compares="size"),
    ),
    Intent(
        tool=tools.find_product,
        words=_WORDS["find_product_stock"],
        slots={"name": slots.NAME},
        gives=Gives(kind="count", read="stock", compares="size"),
        rivals=("check_stock",),
        weight=0.6,
    ),
    Intent(
        tool=tools.find_product,
        words=_WORDS["find_product_id"],
        slots={"name": slots.NAME},
        gives=Gives(kind="product_code", read="id"),
        rivals=("category_products",),
        weight=0.3,
    ),
    Intent(
        tool=tools.find_product,
        words=_WORDS["find_product"],
        slots={"name": slots.NAME},
        gives=Gives(kind="product_id", read="id"),
        rivals=("category_products",),
        root=False,
    ),
    Intent(
        tool=tools.check_stock,
        words=_WORDS["check_stock"],
        slots={"product_id": slots.PRODUCT, "warehouse": slots.WAREHOUSE},
        gives=Gives(kind="count", compares="size"),
    ),
    Intent(
        tool=tools.category_products,
        words=_WORDS["category_products_count"],
        slots={"category": slots.DEPARTMENT, "max_price": slots.LIMIT},
        gives=Gives(kind="count", read="count", compares="size"),
        weight=0.5,
    ),
    Intent(
        tool=tools.category_products,
        words=_WORDS["category_products_lowest_price"],
        slots={"category": slots.DEPARTMENT, "min_price": slots.LOW},
        gives=Gives(kind="money", read="cheapest_price", say=slots.dollars, compares="size"),
        weight=0.5,
    ),
    Intent(
        tool=tools.category_products,
        words=_WORDS["category_products_cheapest"],
        slots={"category": slots.DEPARTMENT, "min_price": slots.LOW},
        gives=Gives(kind="product_id", read="cheapest_id"),
        root=False,
    ),
    Intent(
        tool=tools.place_order,
        words=_WORDS["place_order"],
        slots={"product_id": slots.PRODUCT, "quantity": slots.PIECES},
        changes=True,
    ),
    Intent(
        tool=tools.place_order,
        words=_WORDS["place_order_and_name_total"],
        slots={"product_id": slots.PRODUCT, "quantity": slots.PIECES},
        gives=Gives(kind="money", read="total", say=slots.dollars),
        changes=True,
    ),
    Intent(
        tool=tools.place_order,
        words=_WORDS["place_order_as_gift"],
        slots={"product_id": slots.PRODUCT, "quantity": slots.PIECES, "gift_note": slots.NOTE},
        changes=True,
        weight=0.6,
    ),
)

_ORDERS = (
    Intent(
        tool=tools.order_status,
        words=_WORDS["order_status_arrival"],
        slots={"order_id": slots.ORDER},
        gives=Gives(kind="date", read="arrives", compares="date"),
    ),
    Intent(
        tool=tools.order_status,
        words=_WORDS["order_status"],
        slots={"order_id": slots.ORDER},
        gives=Gives(kind="status", read="status", compares="packed|shipped|delivered"),
        weight=0.6,
    ),
    Intent(
        tool=tools.order_status,
        words=_WORDS["order_status_customer"],
        slots={"order_id": slots.ORDER},
        gives=Gives(kind="person", read="customer"),
        weight=0.5,
    ),
    Intent(
        tool=tools.order_total,
        words=_WORDS["order_total"],
        slots={"order_id": slots.ORDER},
        gives=Gives(kind="money", read="total", say=slots.dollars, compares="size"),
    ),
    Intent(
        tool=tools.order_total,
        words=_WORDS["order_total_pieces"],
        slots={"order_id": slots.ORDER},
        gives=Gives(kind="count", read="pieces", compares="size"),
        weight=0.5,
    ),
    Intent(
        tool=tools.customer_orders,
        words=_WORDS["customer_orders_latest"],
        slots={"customer": slots.CUSTOMER},
        gives=Gives(kind="order_id", read=lambda result, _: result["orders"][0]),
        root=False,
    ),
    Intent(
        tool=tools.customer_orders,
        words=_WORDS["customer_orders_latest_id"],
        slots={"customer": slots.CUSTOMER},
        gives=Gives(kind="order_code", read=lambda result, _: result["orders"][0]),
        weight=0.6,
    ),
    Intent(
        tool=tools.customer_orders,
        words=_WORDS["customer_orders_count"],
        slots={"customer": slots.CUSTOMER},
        gives=Gives(kind="count", read="number_of_orders", compares="size"),
        weight=0.6,
    ),
    Intent(
        tool=tools.customer_orders,
        words=_WORDS["customer_orders_since"],
        slots={"customer": slots.CUSTOMER},
        gives=Gives(kind="date", read="customer_since", compares="date"),
    ),
    Intent(tool=tools.cancel_order, words=_WORDS["cancel_order"], slots={"order_id": slots.PACKED}, changes=True),
    Intent(
        tool=tools.cancel_order,
        words=_WORDS["cancel_order_and_name_refund"],
        slots={"order_id": slots.PACKED},
        gives=Gives(kind="money", read="refund", say=slots.dollars),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=tools.return_order,
        words=_WORDS["return_order"],
        slots={"order_id": slots.DELIVERED, "reason": slots.REASON},
        changes=True,
    ),
    Intent(
        tool=tools.return_order,
        words=_WORDS["return_order_and_name_last_day"],
        slots={"order_id": slots.DELIVERED, "reason": slots.REASON},
        gives=Gives(kind="date", read="send_until"),
        changes=True,
        weight=0.5,
    ),
    Intent(
        tool=tools.apply_coupon,
        words=_WORDS["apply_coupon"],
        slots={"order_id": slots.PACKED, "code": slots.CODE},
        changes=True,
    ),
    Intent(
        tool=tools.apply_coupon,
        words=_WORDS["apply_coupon_and_name_total"],
        slots={"order_id": slots.PACKED, "code": slots.CODE},
        gives=Gives(kind="money", read="new_total", say=slots.dollars),
        changes=True,
        weight=0.6,
    ),
)

CATEGORY = Category(
    name="shop",
    intents=(*_INTENTS, *_ORDERS),
    held_out=("order_total", "return_order"),
    alternatives={
        # What an order's status forbids, the error says with the status.
        "order_status": ("customer_orders", "cancel_order", "return_order", "apply_coupon")
    },
    closed_sets=(frozenset({"packed", "shipped", "delivered", "cancelled", "returned"}),),
)
