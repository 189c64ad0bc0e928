"""What people want from a shop: to find articles, to order them; the rest is in `orders`."""

from __future__ import annotations

from alpha_umi_gym.domains.shop import orders
from alpha_umi_gym.domains.shop.slots import (
    DEPARTMENT,
    LIMIT,
    LOW,
    NAME,
    NOTE,
    PIECES,
    PRODUCT,
    WAREHOUSE,
    dollars,
)
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
    return_order,
)
from alpha_umi_gym.intents import Category, Gives, Intent

_INTENTS = (
    Intent(
        tool=find_product,
        slots={"name": NAME},
        goals=("look up the price of the {name}", "find what the {name} costs", "check the price of the {name}"),
        asks=(
            "How much is the {name}?",
            "What does the {name} cost?",
            "I like the {name}. What must I pay for it?",
            "The shop has the {name} in its window. How many dollars is it?",
        ),
        gives=Gives(
            kind="money",
            read="price",
            say=dollars,
            nouns=("the price of the {name}", "the shop's price for the {name}", "the cost of one {name}"),
            compares="size",
        ),
        found="the {name} costs {out}",
        answers=("The {name} costs {out}.", "One {name} is {out}.", "The price of the {name} is {out}."),
    ),
    Intent(
        tool=find_product,
        slots={"name": NAME},
        goals=(
            "look up the stock of the {name}",
            "check how many of the {name} are left",
            "see how many of the {name} the shop has",
        ),
        asks=(
            "How many of the {name} are in stock?",
            "How many pieces of the {name} does the shop have?",
            "I want the {name} for everybody in my class. How many are left?",
        ),
        gives=Gives(
            kind="count",
            read="stock",
            nouns=(
                "the stock of the {name}",
                "the number of pieces in stock of the {name}",
                "the quantity left of the {name}",
            ),
            compares="size",
        ),
        found="{out} pieces of the {name} are in stock",
        answers=("The shop has {out} of the {name}.", "There are {out} pieces of the {name} in stock."),
        rivals=("check_stock",),
        weight=0.6,
    ),
    Intent(
        tool=find_product,
        slots={"name": NAME},
        goals=(
            "look up the product id of the {name}",
            "find the id of the {name}",
            "get the id under which the {name} is sold",
        ),
        asks=(
            "Under which product id is the {name} sold?",
            "Which id does the {name} have in the shop?",
            "An order form wants the id of the {name}. Which is it?",
        ),
        gives=Gives(
            kind="product_code",
            read="id",
            nouns=("the product id of the {name}", "the id of the {name}", "the article id of the {name}"),
        ),
        found="the {name} has the id {out}",
        answers=("The id of the {name} is {out}.", "The {name} is sold as {out}."),
        rivals=("category_products",),
        weight=0.3,
    ),
    Intent(
        tool=find_product,
        slots={"name": NAME},
        goals=("look up the {name}", "find the {name} in the shop", "search the shop for the {name}"),
        gives=Gives(
            kind="product_id",
            read="id",
            nouns=("the {name}", "the {name} of the shop", "the {name} that the shop sells"),
        ),
        found="the {name} has the id {out}",
        answers=("The id of the {name} is {out}.", "The {name} is sold as {out}."),
        rivals=("category_products",),
        root=False,
    ),
    Intent(
        tool=check_stock,
        slots={"product_id": PRODUCT, "warehouse": WAREHOUSE},
        goals=(
            "count the pieces of {product_id} in the {warehouse}",
            "check how many of {product_id} lie in the {warehouse}",
            "find the stock of {product_id} in the {warehouse}",
        ),
        asks=(
            "How many pieces of {product_id} are there in the {warehouse}?",
            "A van leaves the {warehouse} tonight. How much of {product_id} could it take?",
            "In the {warehouse}, how many of {product_id} are left?",
        ),
        gives=Gives(
            kind="count",
            nouns=(
                "the number of pieces of {product_id} in the {warehouse}",
                "the stock of {product_id} in the {warehouse}",
                "the quantity of {product_id} held in the {warehouse}",
            ),
            compares="size",
        ),
        found="{out} pieces of {product_id} are in the {warehouse}",
        answers=(
            "There are {out} pieces of {product_id} in the {warehouse}.",
            "The {warehouse} has {out} of {product_id}.",
        ),
    ),
    Intent(
        tool=category_products,
        slots={"category": DEPARTMENT, "max_price": LIMIT},
        goals=(
            "count the {category} articles that cost at most {max_price}",
            "see how many {category} articles the shop sells for up to {max_price}",
            "find the number of {category} articles for no more than {max_price}",
        ),
        asks=(
            "How many {category} articles does the shop have for {max_price} or less?",
            "I can spend {max_price}. How many articles of the {category} department may I choose from?",
            "Among the {category} articles, how many cost no more than {max_price}?",
        ),
        gives=Gives(
            kind="count",
            read="count",
            nouns=(
                "the number of {category} articles for at most {max_price}",
                "the number of articles in the {category} department that cost up to {max_price}",
                "the count of {category} articles priced at {max_price} or less",
            ),
            compares="size",
        ),
        found="the number of {category} articles for at most {max_price} is {out}",
        answers=(
            "The {category} department has this many such articles: {out}.",
            "The number of {category} articles for at most {max_price} is {out}.",
        ),
        weight=0.5,
    ),
    Intent(
        tool=category_products,
        slots={"category": DEPARTMENT, "min_price": LOW},
        goals=(
            "find the lowest price of a {category} article from {min_price} upwards",
            "get the price of the cheapest {category} article for {min_price} or more",
            "see what the cheapest {category} article costs that is {min_price} at least",
        ),
        asks=(
            "What is the lowest price in the {category} department, from {min_price} upwards?",
            "I want to spend {min_price} or more on something from the {category} department. What is the least I pay?",
            "Leaving out all below {min_price}, how much is the cheapest {category} article?",
        ),
        gives=Gives(
            kind="money",
            read="cheapest_price",
            say=dollars,
            nouns=(
                "the price of the cheapest {category} article from {min_price} upwards",
                "the lowest {category} price that is {min_price} or more",
                "the smallest price not below {min_price} in the {category} department",
            ),
            compares="size",
        ),
        found="the cheapest {category} article from {min_price} upwards costs {out}",
        answers=("The cheapest such {category} article costs {out}.", "You pay {out} at least."),
        weight=0.5,
    ),
    Intent(
        tool=category_products,
        slots={"category": DEPARTMENT, "min_price": LOW},
        goals=(
            "find the cheapest {category} article from {min_price} upwards",
            "search for the cheapest {category} article that costs {min_price} or more",
            "pick the cheapest article for at least {min_price} in the {category} department",
        ),
        gives=Gives(
            kind="product_id",
            read="cheapest_id",
            nouns=(
                "the cheapest {category} article from {min_price} upwards",
                "the cheapest {category} article that costs {min_price} or more",
                "the cheapest article for at least {min_price} in the {category} department",
            ),
        ),
        found="the cheapest {category} article from {min_price} upwards is {out}",
        answers=("It is {out}.", "The cheapest such article is {out}."),
        root=False,
    ),
    Intent(
        tool=place_order,
        slots={"product_id": PRODUCT, "quantity": PIECES},
        goals=(
            "order {quantity} of {product_id}",
            "buy {quantity} of {product_id}",
            "place an order for {quantity} of {product_id}",
        ),
        asks=(
            "I need {quantity} of {product_id}. Order them for me.",
            "My guests will love {product_id}; get {quantity} of it.",
            "We are moving house and want {product_id}. Buy {quantity}.",
            "Put in an order, please: {quantity} of {product_id}.",
        ),
        found="{quantity} of {product_id} are ordered",
        answers=("I ordered {quantity} of {product_id}.", "The order for {quantity} of {product_id} is placed."),
        changes=True,
    ),
    Intent(
        tool=place_order,
        slots={"product_id": PRODUCT, "quantity": PIECES},
        goals=(
            "order {quantity} of {product_id} and name the total",
            "buy {quantity} of {product_id} and report what they cost together",
            "place an order for {quantity} of {product_id} and note the total",
        ),
        asks=(
            "Order {quantity} of {product_id}. What is the total?",
            "I'll take {quantity} of {product_id}, please order them. How much do I owe?",
            "Buy {quantity} of {product_id} and let me know how much it was.",
        ),
        gives=Gives(
            kind="money",
            read="total",
            say=dollars,
            nouns=(
                "the total once you have ordered {quantity} of {product_id}",
                "the total of the order that you place for {quantity} of {product_id}",
                "the sum to pay after you have bought {quantity} of {product_id}",
            ),
        ),
        found="{quantity} of {product_id} are ordered for {out}",
        answers=("I ordered {quantity} of {product_id} for {out}.", "The order is placed, its total is {out}."),
        changes=True,
    ),
    Intent(
        tool=place_order,
        slots={"product_id": PRODUCT, "quantity": PIECES, "gift_note": NOTE},
        goals=(
            "order {quantity} of {product_id} with {gift_note} as the gift note",
            "buy {quantity} of {product_id} as a present, the gift note being {gift_note}",
            "order a gift: {quantity} of {product_id}, and {gift_note} on the gift note",
        ),
        asks=(
            "Order {quantity} of {product_id} for my mother. The gift note should read {gift_note}.",
            "I want to give somebody {quantity} of {product_id}. Buy them with the gift note {gift_note}.",
            "It is a present: {quantity} of {product_id}, ordered with {gift_note} on its gift note.",
        ),
        found="{quantity} of {product_id} are ordered with a gift note",
        answers=(
            "I ordered {quantity} of {product_id} with the gift note.",
            "The present of {quantity} {product_id} is ordered.",
        ),
        changes=True,
        weight=0.6,
    ),
    *orders.INTENTS,
)

CATEGORY = Category(
    name="shop",
    tools=(
        find_product,
        check_stock,
        category_products,
        place_order,
        order_status,
        order_total,
        customer_orders,
        cancel_order,
        return_order,
        apply_coupon,
    ),
    intents=_INTENTS,
    held_out=("order_total", "return_order"),
    detours={
        # What an order's status forbids, the error says with the status.
        "order_status": ("customer_orders", "cancel_order", "return_order", "apply_coupon"),
    },
    closed_sets=(frozenset({"packed", "shipped", "delivered", "cancelled", "returned"}),),
)
