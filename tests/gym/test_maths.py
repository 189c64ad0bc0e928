"""The maths of the gym: what holds for any sum, and what a request may ask for."""

from __future__ import annotations

import json
import math
import random
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from alpha_umi.trajectory import Call, Observation
from alpha_umi_gym import generate, toolbox
from alpha_umi_gym.domains.maths.slots import linear, square
from alpha_umi_gym.domains.maths.sums import SUMS
from alpha_umi_gym.sampler import Sampler
from alpha_umi_gym.world import World

BOX = toolbox("maths")


def call(tool: str, **arguments: Any) -> Observation:
    return BOX.invoke(Call(tool=tool, arguments=arguments))


@settings(deadline=None)  # two cores are shared: a slow moment is no failure
@given(st.text(alphabet="0123456789+-*/%(). ", max_size=30))
def test_calculate_agrees_with_fractions_or_refuses(expression: str) -> None:
    assume("**" not in expression and "//" not in expression)
    seen = call("calculate", expression=expression)
    if not seen.ok:
        assert seen.text.startswith("calculate failed: ")
        return
    spaced = "".join(c if c in "0123456789." else f" {c} " for c in expression).split()
    exact = " ".join(f"Fraction('{part}')" if part[0] in "0123456789." else part for part in spaced)
    wanted = eval(exact, {"Fraction": Fraction})
    assert abs(Fraction(seen.text) - wanted) <= Fraction(1, 20_000) + abs(wanted) * Fraction(1, 2**52)


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 10**9))
def test_factors_are_prime_and_multiply_to_the_number(number: int) -> None:
    found = json.loads(call("prime_factors", number=number).text)
    primes = [int(prime) for prime in found["factors"].split(" * ")]
    assert math.prod(primes) == number
    assert max(primes) == found["largest"]
    assert all(json.loads(call("prime_factors", number=p).text)["is_prime"] for p in set(primes))


@settings(deadline=None, max_examples=60)
@given(a=st.integers(-40, 40), b=st.integers(-40, 40), c=st.integers(-40, 40))
def test_solutions_solve_the_equation(a: int, b: int, c: int) -> None:
    assume(a or b)
    seen = call("solve_equation", equation=f"{a}*x**2 + ({b})*x + ({c}) = 0")
    if not seen.ok:
        assert b * b < 4 * a * c
        return
    for x in json.loads(seen.text)["solutions"]:
        slope = abs(2 * a * x + b) + abs(a)
        assert abs(a * x * x + b * x + c) <= 1e-4 * (slope + 1)


@pytest.mark.parametrize("seed", range(30))
def test_drawn_equations_have_whole_solutions(seed: int) -> None:
    d = Sampler(random.Random(seed), split="train", world=World())
    for draw in (linear, square):
        found = json.loads(call("solve_equation", equation=draw(d)).text)
        assert all(isinstance(solution, int) for solution in found["solutions"])


@pytest.mark.parametrize("index", range(1, len(SUMS)))
def test_every_sum_of_two_values_writes_negative_ones_in_brackets(index: int) -> None:
    intent = SUMS[index]
    values = dict.fromkeys(intent.slots, -1.5)
    assert intent.arguments is not None
    expression = intent.arguments(values)["expression"]
    assert expression.count("(-1.5)") == 2
    assert call("calculate", expression=expression).ok


def test_results_of_other_tools_flow_into_sums() -> None:
    chains = [t for t in generate(800, seed=3, only=("maths", "units", "time")) if t.kind == "sequential"]
    fed = {
        (a.call.tool, b.call.tool)
        for t in chains
        for a, b in zip(t.gold.steps, t.gold.steps[1:], strict=False)
        if a.call and b.call
    }
    assert {into for _, into in fed} >= {"calculate", "percent_of", "round_number"}
    assert len({giver for giver, into in fed if into == "calculate"}) >= 3
