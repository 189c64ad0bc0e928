"""What people want of orders that are placed: when they come, what they cost, to cancel them or send them back."""

from __future__ import annotations

from alpha_umi_gym.domains.shop import tools
from alpha_umi_gym.domains.shop.slots import CODE, CUSTOMER, DELIVERED, ORDER, PACKED, REASON, dollars
from alpha_umi_gym.intents import Gives, Intent
from alpha_umi_gym.words import words_beside

_WORDS = words_beside(__file__)


INTENTS = (
    Intent(
        tool=tools.order_status,
        words=_WORDS["order_status_arrival"],
        slots={"order_id": ORDER},
        gives=Gives(kind="date", read="arrives", compares="date"),
    ),
    Intent(
        tool=tools.order_status,
        words=_WORDS["order_status"],
        slots={"order_id": ORDER},
        gives=Gives(kind="status", read="status", compares="packed|shipped|delivered"),
        weight=0.6,
    ),
    Intent(
        tool=tools.order_status,
        words=_WORDS["order_status_customer"],
        slots={"order_id": ORDER},
        gives=Gives(kind="person", read="customer"),
        weight=0.5,
    ),
    Intent(
        tool=tools.order_total,
        words=_WORDS["order_total"],
        slots={"order_id": ORDER},
        gives=Gives(kind="money", read="total", say=dollars, compares="size"),
    ),
    Intent(
        tool=tools.order_total,
        words=_WORDS["order_total_pieces"],
        slots={"order_id": ORDER},
        gives=Gives(kind="count", read="pieces", compares="size"),
        weight=0.5,
    ),
    Intent(
        tool=tools.customer_orders,
        words=_WORDS["customer_orders_latest"],
        slots={"customer": CUSTOMER},
        gives=Gives(kind="order_id", read=lambda result, _: result["orders"][0]),
        root=False,
    ),
    Intent(
        tool=tools.customer_orders,
        words=_WORDS["customer_orders_latest_id"],
        slots={"customer": CUSTOMER},
        gives=Gives(kind="order_code", read=lambda result, _: result["orders"][0]),
        weight=0.6,
    ),
    Intent(
        tool=tools.customer_orders,
        words=_WORDS["customer_orders_count"],
        slots={"customer": CUSTOMER},
        gives=Gives(kind="count", read="number_of_orders", compares="size"),
        weight=0.6,
    ),
    Intent(
        tool=tools.customer_orders,
        words=_WORDS["customer_orders_since"],
        slots={"customer": CUSTOMER},
        gives=Gives(kind="date", read="customer_since", compares="date"),
    ),
    Intent(tool=tools.cancel_order, words=_WORDS["cancel_order"], slots={"order_id": PACKED}, changes=True),
    Intent(
        tool=tools.cancel_order,
        words=_WORDS["cancel_order_and_name_refund"],
        slots={"order_id": PACKED},
        gives=Gives(kind="money", read="refund", say=dollars),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=tools.return_order,
        words=_WORDS["return_order"],
        slots={"order_id": DELIVERED, "reason": REASON},
        changes=True,
    ),
    Intent(
        tool=tools.return_order,
        words=_WORDS["return_order_and_name_last_day"],
        slots={"order_id": DELIVERED, "reason": REASON},
        gives=Gives(kind="date", read="send_until"),
        changes=True,
        weight=0.5,
    ),
    Intent(
        tool=tools.apply_coupon, words=_WORDS["apply_coupon"], slots={"order_id": PACKED, "code": CODE}, changes=True
    ),
    Intent(
        tool=tools.apply_coupon,
        words=_WORDS["apply_coupon_and_name_total"],
        slots={"order_id": PACKED, "code": CODE},
        gives=Gives(kind="money", read="new_total", say=dollars),
        changes=True,
        weight=0.6,
    ),
)
