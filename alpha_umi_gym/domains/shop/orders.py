"""What people want of orders that are placed: when they come, what they cost, to cancel them or send them back."""

from __future__ import annotations

from alpha_umi_gym.domains.shop.slots import CODE, CUSTOMER, DELIVERED, ORDER, PACKED, REASON, dollars
from alpha_umi_gym.domains.shop.tools import (
    apply_coupon,
    cancel_order,
    customer_orders,
    order_status,
    order_total,
    return_order,
)
from alpha_umi_gym.intents import Gives, Intent

INTENTS = (
    Intent(
        tool=order_status,
        slots={"order_id": ORDER},
        goals=(
            "find out when {order_id} arrives",
            "look up the arrival date of {order_id}",
            "check on which date {order_id} comes",
        ),
        asks=(
            "When does {order_id} arrive?",
            "On which date will {order_id} be delivered?",
            "I am waiting for {order_id}. On what day is it due?",
            "Somebody has to be at home for {order_id}. For which date is it announced?",
        ),
        gives=Gives(
            kind="date",
            read="arrives",
            nouns=(
                "the arrival date of {order_id}",
                "the date on which {order_id} arrives",
                "the delivery date of {order_id}",
            ),
            compares="date",
        ),
        found="{order_id} arrives on {out}",
        answers=("The arrival date of {order_id} is {out}.", "The date is {out}.", "{order_id}: arrival on {out}."),
    ),
    Intent(
        tool=order_status,
        slots={"order_id": ORDER},
        goals=("find out the status of {order_id}", "look up how far {order_id} is", "check the state of {order_id}"),
        asks=(
            "What is the status of {order_id}?",
            "How far has {order_id} got?",
            "Tell me what has happened to {order_id} so far.",
        ),
        gives=Gives(
            kind="status",
            read="status",
            nouns=("the status of {order_id}", "the current status of {order_id}", "the state of {order_id}"),
            compares="packed|shipped|delivered",
        ),
        found="the status of {order_id} is {out}",
        answers=("The status of {order_id} is {out}.", "It is {out}."),
        weight=0.6,
    ),
    Intent(
        tool=order_status,
        slots={"order_id": ORDER},
        goals=(
            "find out who placed {order_id}",
            "look up the customer of {order_id}",
            "get the name of the customer behind {order_id}",
        ),
        asks=(
            "Who placed {order_id}?",
            "Which customer does {order_id} belong to?",
            "A label only says {order_id}. Who is the customer?",
        ),
        gives=Gives(
            kind="person",
            read="customer",
            nouns=("the customer who placed {order_id}", "the customer of {order_id}", "the person behind {order_id}"),
        ),
        found="{order_id} was placed by {out}",
        answers=("The customer is {out}.", "{out} placed {order_id}."),
        weight=0.5,
    ),
    Intent(
        tool=order_total,
        slots={"order_id": ORDER},
        goals=(
            "add up the total of {order_id}",
            "find out what {order_id} costs altogether",
            "get the amount due for {order_id}",
        ),
        asks=(
            "How much is {order_id} in all?",
            "What does everything in {order_id} cost together?",
            "I have to pay for {order_id}. How many dollars is it?",
        ),
        gives=Gives(
            kind="money",
            read="total",
            say=dollars,
            nouns=("the total of {order_id}", "the full price of {order_id}", "the amount due for {order_id}"),
            compares="size",
        ),
        found="{order_id} costs {out}",
        answers=("The total of {order_id} is {out}.", "It costs {out} in all."),
    ),
    Intent(
        tool=order_total,
        slots={"order_id": ORDER},
        goals=(
            "count the pieces in {order_id}",
            "find the number of pieces in {order_id}",
            "see how many pieces {order_id} has",
        ),
        asks=(
            "How many pieces are in {order_id}?",
            "I am unpacking {order_id}. How many pieces should there be?",
            "Of how many pieces does {order_id} consist?",
        ),
        gives=Gives(
            kind="count",
            read="pieces",
            nouns=(
                "the number of pieces in {order_id}",
                "the piece count of pieces in {order_id}",
                "the number of pieces that {order_id} is made up of",
            ),
            compares="size",
        ),
        found="the number of pieces in {order_id} is {out}",
        answers=("The number of pieces in {order_id} is {out}.", "Pieces in {order_id}: {out}."),
        weight=0.5,
    ),
    Intent(
        tool=customer_orders,
        slots={"customer": CUSTOMER},
        goals=(
            "look up the latest order of {customer}",
            "find the most recent order of {customer}",
            "get the order that {customer} placed last",
        ),
        gives=Gives(
            kind="order_id",
            read=lambda result, _: result["orders"][0],
            nouns=(
                "the latest order of {customer}",
                "the most recent order of {customer}",
                "the last order placed by {customer}",
            ),
        ),
        found="the latest order of {customer} is {out}",
        answers=("The latest order of {customer} is {out}.", "It is {out}."),
        root=False,
    ),
    Intent(
        tool=customer_orders,
        slots={"customer": CUSTOMER},
        goals=(
            "look up the id of the latest order of {customer}",
            "find under which id {customer} ordered last",
            "get the id of the newest order of {customer}",
        ),
        asks=(
            "What id does the latest order of {customer} have?",
            "Under which order id did {customer} order last?",
            "{customer} has lost the slip with the id of the newest order. Which is it?",
        ),
        gives=Gives(
            kind="order_code",
            read=lambda result, _: result["orders"][0],
            nouns=(
                "the id of the latest order of {customer}",
                "the order id of what {customer} ordered last",
                "the id of the newest order from {customer}",
            ),
        ),
        found="the latest order of {customer} is {out}",
        answers=("The latest order of {customer} is {out}.", "It has the id {out}."),
        weight=0.6,
    ),
    Intent(
        tool=customer_orders,
        slots={"customer": CUSTOMER},
        goals=(
            "count the orders of {customer}",
            "find the number of orders of {customer}",
            "see how many orders {customer} has placed",
        ),
        asks=(
            "How many orders has {customer} placed?",
            "How many times has {customer} ordered from the shop?",
            "Does {customer} order often? Tell me the number of orders so far.",
        ),
        gives=Gives(
            kind="count",
            read="number_of_orders",
            nouns=(
                "the number of orders of {customer}",
                "the number of orders that {customer} has placed",
                "the order count of {customer}",
            ),
            compares="size",
        ),
        found="the number of orders that {customer} has placed is {out}",
        answers=("The number of orders of {customer} is {out}.", "{customer} has this many orders: {out}."),
        weight=0.6,
    ),
    Intent(
        tool=customer_orders,
        slots={"customer": CUSTOMER},
        goals=(
            "find since when {customer} has been a customer of the shop",
            "look up the date on which {customer} joined the shop",
            "get the day since which {customer} has been a customer",
        ),
        asks=(
            "Since which date has {customer} been a customer of the shop?",
            "When did {customer} become a customer of the shop?",
            "We want to thank {customer} for years of shopping. On which day did they begin?",
        ),
        gives=Gives(
            kind="date",
            read="customer_since",
            nouns=(
                "the date on which {customer} became a customer",
                "the date since which {customer} has been a customer of the shop",
                "the day on which {customer} joined the shop",
            ),
            compares="date",
        ),
        found="{customer} has been a customer since {out}",
        answers=("{customer} has been a customer since {out}.", "The date is {out}."),
    ),
    Intent(
        tool=cancel_order,
        slots={"order_id": PACKED},
        goals=("cancel {order_id}", "call off {order_id}", "have {order_id} cancelled"),
        asks=(
            "I don't want {order_id} any more. Cancel it.",
            "Somebody ordered by mistake, so {order_id} has to be cancelled.",
            "Stop {order_id} before it is shipped: cancel it.",
        ),
        found="{order_id} is cancelled",
        answers=("I cancelled {order_id}.", "{order_id} has been cancelled."),
        changes=True,
    ),
    Intent(
        tool=cancel_order,
        slots={"order_id": PACKED},
        goals=(
            "cancel {order_id} and report the refund",
            "call off {order_id} and note how much is paid back",
            "have {order_id} cancelled and name the money that comes back",
        ),
        asks=(
            "Cancel {order_id}. How much money do I get back?",
            "Call off {order_id}, please, and tell me the refund.",
            "I no longer need {order_id}. Cancel it and say what I am paid back.",
        ),
        gives=Gives(
            kind="money",
            read="refund",
            say=dollars,
            nouns=(
                "the refund after you have cancelled {order_id}",
                "the money paid back once you have cancelled {order_id}",
                "the refund that comes of you cancelling {order_id}",
            ),
        ),
        found="{order_id} is cancelled and {out} are paid back",
        answers=("{order_id} is cancelled; the refund is {out}.", "You get {out} back, the order is cancelled."),
        changes=True,
        weight=0.6,
    ),
    Intent(
        tool=return_order,
        slots={"order_id": DELIVERED, "reason": REASON},
        goals=(
            "return {order_id} because {reason}",
            "register the return of {order_id}, since {reason}",
            "send back {order_id}, the reason being that {reason}",
        ),
        asks=(
            "I want to return {order_id}: {reason}.",
            "About {order_id}, {reason}. Register that I send it back.",
            "Sadly I have to send back {order_id}, as {reason}. Please arrange the return.",
        ),
        found="the return of {order_id} is registered",
        answers=("The return of {order_id} is registered.", "{order_id} is marked as returned."),
        changes=True,
    ),
    Intent(
        tool=return_order,
        slots={"order_id": DELIVERED, "reason": REASON},
        goals=(
            "return {order_id} because {reason}, and note the last day for sending it",
            "register the return of {order_id}, since {reason}, and tell until when it must be sent",
            "arrange the return of {order_id}, as {reason}, and name the day by which it has to be sent",
        ),
        asks=(
            "Please return {order_id}, because {reason}. Until when must I send it?",
            "Register the return of {order_id}, as {reason}. What is the last day for the parcel?",
            "I am giving back {order_id}: {reason}. Arrange it and tell me by which date to send it.",
        ),
        gives=Gives(
            kind="date",
            read="send_until",
            nouns=(
                "the last day for sending, once you have registered the return of {order_id} because {reason}",
                "the date until which to send it, after you have returned {order_id} because {reason}",
                "the date by which to post it, after you have arranged the return of {order_id} because {reason}",
            ),
        ),
        found="the return of {order_id} is registered, to be sent until {out}",
        answers=("The return of {order_id} is registered; send it until {out}.", "Send it by {out}."),
        changes=True,
        weight=0.5,
    ),
    Intent(
        tool=apply_coupon,
        slots={"order_id": PACKED, "code": CODE},
        goals=(
            "apply the coupon code {code} to {order_id}",
            "redeem the coupon code {code} for {order_id}",
            "use the coupon code {code} on {order_id}",
        ),
        asks=(
            "I have the coupon code {code}. Use it for {order_id}.",
            "Make {order_id} cheaper with the coupon code {code}.",
            "There is still the coupon code {code}, so please redeem it on {order_id}.",
        ),
        found="the coupon {code} is applied to {order_id}",
        answers=("The coupon {code} is applied to {order_id}.", "{order_id} has the coupon {code} now."),
        changes=True,
    ),
    Intent(
        tool=apply_coupon,
        slots={"order_id": PACKED, "code": CODE},
        goals=(
            "apply the coupon code {code} to {order_id} and report the new total",
            "redeem the coupon code {code} for {order_id} and note what it costs then",
            "use the coupon code {code} on {order_id} and name the total that is left",
        ),
        asks=(
            "Redeem the coupon code {code} for {order_id}. What is the new total?",
            "Use the coupon code {code} on {order_id} and tell me how much remains to be paid.",
            "Put the coupon code {code} on {order_id}, please. How much is it afterwards?",
        ),
        gives=Gives(
            kind="money",
            read="new_total",
            say=dollars,
            nouns=(
                "the total of {order_id} once you have applied the coupon code {code}",
                "the new total after you have redeemed the coupon code {code} for {order_id}",
                "the sum that {order_id} costs after you have put the coupon code {code} on it for me",
            ),
        ),
        found="with the coupon {code}, {order_id} costs {out}",
        answers=("The coupon {code} is applied; the new total is {out}.", "With {code} it costs {out}."),
        changes=True,
        weight=0.6,
    ),
)
