"""Second and third derivatives at pinned points: the same in every order of differentiation, and mpmath's where it has them.

The points are where texts are tempted to cut a path: 0, ones, ties, integers and halves, the boundaries of domains, -0.0. What a
derivative is at a kink or a jump is a matter of decision (`tests/edges.py`), but the decision may not depend on the order.
"""

from __future__ import annotations

import math
from itertools import combinations_with_replacement, permutations, product

import mpmath as mp
import pytest

import autograd as ag
from autograd.functions import apply
from autograd.ops import TABLE
from autograd.value import Value
from tests.oracle import CONSTANT, FLAT, ORACLE
from tests.test_precision import JUMPS, Reference

PINNED = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 3.0, -2.0, 4.0]
ROWS = [TABLE[name] for name in ORACLE]
ORDERED = {"dsinc", "dpow", "polygamma"}  # their first operand is the order of a derivative
# Where the exact derivative, a limit from one side, is not what the texts say: 0 ** y is flat by decision, so that the slope of
# x ** y with respect to y has none of the terms 0 * log(0) that make its derivatives infinite. Others have a kink at x = 0.
DECIDED = dict.fromkeys(("pow", "leaky_relu", "elu", "heaviside"), lambda x, *_: x == 0.0) | {"dpow": lambda _, x, *__: x == 0.0}


def points(row):
    if row.arity == 1:
        return product(PINNED)
    if row.arity == 2:
        return product(PINNED, repeat=2) if row.name not in ORDERED else product([0.0, 1.0, 2.0], PINNED)
    if row.name == "dpow":
        return product([0.0, 1.0, 2.0], PINNED, PINNED)
    return product([0.0, -0.0, 1.0, 2.0], repeat=4 if row.name == "dot" else 3)


def derivatives(row, point):
    """Every derivative up to the third, by the operands in their order: {(0, 1, 0): number}."""
    values = [Value(x) for x in point]
    free = [k for k in range(len(point)) if (row.name, k) not in CONSTANT]
    nodes = {(): apply(row, *[values[k] if k in free else point[k] for k in range(len(point))])}
    for _ in range(3):
        for places, node in [(places, node) for places, node in nodes.items() if len(places) == max(map(len, nodes))]:
            found = ag.grad(node, [values[k] for k in free], create_graph=True) if isinstance(node, Value) else [0.0] * len(free)
            nodes |= {(*places, k): derivative for k, derivative in zip(free, found)}
    return {places: float(node) for places, node in nodes.items()}


def alike(x: float, y: float) -> bool:
    return x == y or (x != x and y != y) or abs(x - y) <= 1e-12 * (1.0 + abs(x) + abs(y))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_order_of_differentiation_does_not_matter(row):
    for point in points(row):
        found = derivatives(row, point)
        for places in found:
            assert all(alike(found[places], found[order]) for order in set(permutations(places))), (row.name, point, places)


@pytest.mark.parametrize("row", [row for row in ROWS if row.arity in (1, 2)], ids=lambda row: row.name)
def test_three_derivatives_at_pinned_points(row):
    decided = DECIDED.get(row.name, lambda *_: False)
    for point in points(row):
        free = [k for k in range(len(point)) if (row.name, k) not in CONSTANT]
        with mp.workdps(250):
            fill = lambda xs: [next(xs) if k in free else mp.mpf(point[k]) for k in range(len(point))]  # noqa: B023, E731
            exact = Reference(lambda *xs: ORACLE[row.name](*fill(iter(xs))), [point[k] for k in free], 1.0)  # noqa: B023
            if decided(*point) or not exact.is_smooth():
                continue
            found = derivatives(row, point)
            for order in range(4):
                for places in combinations_with_replacement(range(len(free)), order):
                    is_flat = order > 0 and row.name in FLAT | JUMPS
                    wanted = 0.0 if is_flat else float(exact(*places))
                    got = found[tuple(free[k] for k in places)]
                    assert math.isclose(got, wanted, rel_tol=1e-12, abs_tol=1e-12), (row.name, point, places, got, wanted)


@pytest.mark.parametrize("x", [2.0, 0.5, 3.0])
@pytest.mark.parametrize("y", [0.0, 1.0, 2.0, 3.0, -1.0, 0.5])
def test_powers_at_the_exponents_that_cut_paths(x, y):
    hessian = ag.hessian(lambda p: p[0] ** p[1])([x, y])
    assert hessian[0][1] == hessian[1][0] or math.isclose(hessian[0][1], hessian[1][0], rel_tol=1e-14)
    assert math.isclose(hessian[0][1], x ** (y - 1) * (1 + y * math.log(x)), rel_tol=1e-14)
    third = ag.jacobian(ag.hessian(lambda p: p[0] ** p[1]))([x, y])
    exact = x ** (y - 2) * (2 * y - 1 + y * (y - 1) * math.log(x))
    for found in (third[0][0][1], third[0][1][0], third[1][0][0]):
        assert math.isclose(found, exact, rel_tol=1e-13, abs_tol=1e-14)


BOUNDARIES = [
    (ag.asin, 1.0, math.inf, math.inf), (ag.asin, -1.0, math.inf, -math.inf), (ag.acos, 1.0, -math.inf, -math.inf),
    (ag.acos, -1.0, -math.inf, math.inf), (ag.acosh, 1.0, math.inf, -math.inf), (ag.atanh, 1.0, math.inf, math.inf),
    (ag.atanh, -1.0, math.inf, -math.inf), (ag.sqrt, 0.0, math.inf, -math.inf), (ag.cbrt, 0.0, math.inf, -math.inf),
    (ag.cbrt, -0.0, math.inf, math.inf), (ag.log, 0.0, math.inf, -math.inf), (ag.log1p, -1.0, math.inf, -math.inf),
    (ag.log2, 0.0, math.inf, -math.inf), (ag.log10, 0.0, math.inf, -math.inf),
]  # fmt: skip


@pytest.mark.parametrize(("function", "x", "first", "second"), BOUNDARIES, ids=lambda x: getattr(x, "__name__", x))
def test_boundaries_have_infinite_slopes(function, x, first, second):
    assert (ag.derivative(function)(x), ag.derivative(function, order=2)(x)) == (first, second)
