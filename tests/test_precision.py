"""The digits of the table: value, first and second derivative of every row against mpmath, over the whole range of doubles.

The tolerance is 8 units in the last place of the exact number, and one unit in the last place of every operand: where a row is
ill-conditioned (near a zero of the result, say, or far out, where exp(-x * x) has the relative slope -2 x * x), no text can do
better. What falls short of that stands in LESS, with its reason; the README repeats it.

A sample of the points is drawn, the same every time; AUTOGRAD_EVERY_POINT=1 takes them all.
"""

from __future__ import annotations

import math
import os
import random
import sys
from functools import cache
from itertools import product

import mpmath as mp
import pytest

import autograd as ag
from autograd.functions import apply
from autograd.ops import TABLE, Primitive
from autograd.value import Value
from tests.oracle import CONSTANT, FLAT, ORACLE

EVERY = bool(os.environ.get("AUTOGRAD_EVERY_POINT"))
ULP, LARGEST, SMALLEST = 2.0**-52, sys.float_info.max, 5e-324
SUBNORMAL = 1024 * SMALLEST
NOTHING = mp.mpf(10) ** -330  # less than any double, and more than what is left of differences that cancel
# Rows, the orders of derivatives, and by what the difference is measured besides: the reason stands beside.
LESS = {
    # x * sigmoid(x), x * erfc(-x) and 2 x exp(-x * x) far out: a factor is subnormal, and has few digits
    **{(name, order): lambda *_: SUBNORMAL for name in ("silu", "gelu", "erf", "erfc") for order in (0, 1, 2)},
    # 1 - (x / out) ** 2, where one operand is nearly the whole length: by the curvature across, 1 / out
    ("norm", 2): lambda x, y: 8 * ULP / mp.hypot(x, y),
}
# Second derivatives near 0 that are products of a number that overflows: 1e-300 * 1e-300 ** -2, or a difference of two such.
OVERFLOWS = {"pow", "atan2", "cosine"}
# The length of two subnormal numbers is subnormal, and has as few digits.
LENGTHS = {"hypot", "norm", "atan2", "cosine"}
MAGNITUDES = [SMALLEST, 1e-310, 2.3e-308, *(10.0**k for k in range(-300, 309, 19))]
USUAL = [1e-8, 1e-5, 0.01, 0.1, 0.25, 0.7, 1.3, 2.5, 3.0, 3.5, 4.0, 7.1, 8.0, 9.0, 12.0, 15.3, 20.0, 26.1, 30.0, 36.7, 40.0]
FAR = [100.0, 170.3, 300.0, 354.9, 355.7, 371.0, 372.4, 700.0, 709.5, 710.1, 744.0, 745.5, 1000.0, 123456.7]
SPECIAL = [0.5, 1.0, math.pi / 2, 2.0, math.pi, 1.4616321449683622]  # boundaries, poles and zeros
NEAR = [c * (1.0 + s * d) for c in SPECIAL for d in (1.2e-16, 1e-14, 1e-11, 1e-8, 1e-5, 1e-3) for s in (1.0, -1.0)]
POINTS = [0.0, *(s * x for x in [*MAGNITUDES, *USUAL, *FAR, *SPECIAL, *NEAR] for s in (1.0, -1.0))]
PAIRS = [*product(MAGNITUDES[::3] + [0.5, 1.0, 3.0], repeat=2), *product([0.3, 0.7, 1.0, 1.5, 2.0, 3.3, 30.0], repeat=2)]
PAIRS = [(s * x, t * y) for x, y in PAIRS for s, t in product((1.0, -1.0), repeat=2)]
PAIRS += [(x, x + d) for x in (1.0, -3.0) for d in (1e-15, 1e-9, 40.0, 700.0)]
STEPS = {0: {0: 1}, 1: {1: mp.mpf(0.5), -1: mp.mpf(-0.5)}, 2: {1: 1, 0: -2, -1: 1},
         3: {2: mp.mpf(0.5), 1: -1, -1: 1, -2: mp.mpf(-0.5)}}  # fmt: skip
JUMPS = {"floor", "ceil", "round", "trunc", "sign", "floor_divide", "greater", "heaviside"}  # constant between their jumps
SLOW = {"lgamma", "digamma", "polygamma", "dsinc"}  # in mpmath, at many digits


class Reference:
    """Partial derivatives of an oracle at a point: differences with tiny steps, at so many digits that they are exact."""

    def __init__(self, function, point, at_zero: float = 1e-305) -> None:
        self.point = [mp.mpf(x) for x in point]
        self.h = [mp.mpf(10) ** -25 * (min(abs(x), 1) if x else at_zero) for x in self.point]
        self.at = cache(lambda *steps: function(*[x + step * h for x, step, h in zip(self.point, steps, self.h)]))

    def __call__(self, *places: int) -> mp.mpf:
        """The derivative with respect to the operands at these places, one after the other."""
        orders = [places.count(k) for k in range(len(self.point))]
        terms = []
        for steps in product(*[STEPS[order] for order in orders]):
            weight = mp.fprod(STEPS[order][step] for order, step in zip(orders, steps))
            terms.append(weight * self.at(*steps))
        return mp.fsum(terms) / mp.fprod(h**order for h, order in zip(self.h, orders))

    def is_smooth(self) -> bool:
        """Whether the function is real here, and has no kink or jump."""
        axes = range(len(self.point))
        try:
            around = [self.at(*[s if j == k else 0 for j in axes]) for k in axes for s in (-2, -1, 0, 1, 2)]
        except (ValueError, ZeroDivisionError):  # a pole
            return False
        if any(not mp.isfinite(y) or isinstance(y, mp.mpc) for y in around):
            return False
        for k in axes:
            far_left, left, here, right, far_right = around[5 * k : 5 * k + 5]
            bend, wide = right - 2 * here + left, far_right - 2 * here + far_left
            is_straight = abs(bend) <= abs(right - left) * mp.mpf(10) ** -6 + abs(here) * mp.eps * 1000
            # A bend grows with the square of the step, a kink does not.
            if not is_straight and abs(wide - 4 * bend) > abs(bend) / 2:
                return False
        return True


def digits(row: Primitive, point) -> int:
    """So many that third differences of steps of 1e-25 times the operands have 50 left."""
    spread = max(abs(math.log10(abs(x))) if x else 330 for x in point)
    return 430 if row.name in SLOW or spread < 0.9 else 1100 if len(point) == 1 or spread < 40 else 2600


def sample(row: Primitive):
    points = [(x,) for x in POINTS] if row.arity == 1 else PAIRS
    points = [p for p in points if row.name not in SLOW or 1e-30 < abs(p[-1]) < 1e30]
    if row.name in ("polygamma", "dsinc"):
        points = [(float(n), x) for n in range(3) for x in POINTS if 1e-6 < abs(x) < 1e4]
    if row.name in ("mod", "fmod", "floor_divide"):
        points = [(x, y) for x, y in points if 1e-12 < abs(x / y) < 1e12]
    if row.name in LENGTHS:
        points = [p for p in points if max(map(abs, p)) > 1e-307]
    return points if EVERY else random.Random(row.name).sample(points, min(len(points), 60))


def error(found: float, exact: mp.mpf, slack: mp.mpf) -> float:
    """The difference, over what is allowed."""
    if abs(exact) < NOTHING:
        exact = mp.mpf(0)
    allowed = 8 * max(ULP * abs(exact), mp.mpf(SMALLEST)) + slack
    if slack >= LARGEST:
        return 0.0
    if abs(exact) + allowed >= LARGEST:
        return 0.0 if abs(found) > 0.99 * LARGEST else math.inf
    if not math.isfinite(found):
        return math.inf
    return float(abs(mp.mpf(found) - exact) / allowed)


def errors(row: Primitive, point):
    """For every derivative up to the second: its operands, what was found, what is exact, and the error."""
    constant = [k for k in range(len(point)) if (row.name, k) in CONSTANT]
    free = [k for k in range(len(point)) if k not in constant]
    fill = lambda xs: [next(xs) if k in free else mp.mpf(point[k]) for k in range(len(point))]  # noqa: E731
    exact = Reference(lambda *xs: ORACLE[row.name](*fill(iter(xs))), [point[k] for k in free])
    if not exact.is_smooth():
        return
    axes = range(len(free))
    values = [Value(x) if k in free else x for k, x in enumerate(point)]
    out = apply(row, *values)
    leaves = [values[k] for k in free]

    def judged(found: float, *places: int):
        is_flat = bool(places) and row.name in FLAT | JUMPS
        reference = mp.mpf(0) if is_flat else exact(*places)
        slack = sum(abs(x * exact(*places, k)) for k, x in enumerate(exact.point)) if not is_flat else 0
        slack = ULP * slack + LESS.get((row.name, len(places)), lambda *_: 0)(*exact.point)
        if len(places) == 2 and not math.isfinite(found) and row.name in OVERFLOWS:
            slack = mp.inf if min(map(abs, point)) < 1e-100 else slack
        return places, found, mp.nstr(reference, 20), error(found, reference, slack)

    yield judged(out.data)
    for i, first in enumerate(ag.grad(out, leaves, create_graph=True)):
        yield judged(float(first), i)
        seconds = ag.grad(first, leaves) if isinstance(first, Value) else [0.0] * len(leaves)
        yield from (judged(seconds[j], i, j) for j in axes)


ROWS = [TABLE[name] for name in ORACLE if TABLE[name].arity in (None, 1, 2) and name not in ("where", "round")]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_digit(row):
    seen = 0
    for point in sample(row):
        with mp.workdps(digits(row, point)):
            for places, found, exact, size in errors(row, point):
                assert size <= 1.0, (row.name, point, places, found, exact)
                seen += 1
    assert seen > 40 or row.name in JUMPS


TAILS = [[40.0, 0.0], [0.0, 745.0], [-3.0, 20.0, 5.0], [1e3, 1e3 - 36.0, -1e3], [0.3, 0.3, 50.0], [1e-300, 1e2], [2.0] * 3, [7.0]]


@pytest.mark.parametrize("point", TAILS, ids=str)
def test_every_digit_of_shares_that_are_nearly_1(point):
    with mp.workdps(400):
        powers = [mp.exp(mp.mpf(x)) for x in point]
        shares = [power / mp.fsum(powers) for power in powers]
        slack = 2 * max(map(abs, point)) * ULP  # a difference of operands is rounded

        def same(found: float, exact: mp.mpf) -> None:
            assert error(found, exact, slack * max(abs(exact), NOTHING)) <= 1.0, (found, mp.nstr(exact, 20))

        top = max(point)
        same(ag.logsumexp([x - top for x in point]), mp.log(mp.fsum([power / mp.exp(top) for power in powers])))
        first = {f: ag.jacobian(f)(point) for f in (ag.softmax, ag.log_softmax)}
        second = ag.hessian(ag.logsumexp)(point)
        for i, p in enumerate(shares):
            same(ag.softmax(point)[i], p)
            same(ag.log_softmax(point)[i], mp.log(p))
            for j, q in enumerate(shares):
                slope = mp.fsum(shares[:i] + shares[i + 1 :]) if i == j else -q  # of log(p): 1 - p or -q
                same(first[ag.log_softmax][i][j], slope)
                same(first[ag.softmax][i][j], p * slope)
                same(second[i][j], p * slope)
