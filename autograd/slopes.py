"""The room of slopes: derivatives of plain functions of one number, found by evaluating them, with an estimate of the error."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

__all__ = [
    "EPSILON", "Slope", "bends", "central", "grain", "noise_of", "one_sided", "scales", "shrinks", "sides", "steepest", "steps",
]  # fmt: skip

EPSILON = 2.0**-52
RATIO = 4.0  # each step is a quarter of the one before
DEPTH = 4  # so many neighbours enter one extrapolation: a kink or a pole within the larger steps is left behind


class Slope(NamedTuple):
    """An estimated derivative and the estimated error of it; nan and inf where nothing converged."""

    value: float
    error: float


def scales(x: float) -> list[float]:
    """The sizes over which a function may vary around x: that of x and 1, the larger first."""
    size = abs(x)
    return sorted({max(size, 1.0), size or 1.0, 1.0}, reverse=True)


def steps(x: float, scale: float, count: int = 24) -> list[float]:
    """Steps around x from a tenth of `scale` down, each a quarter of the one before."""
    found = [0.1 * scale / RATIO**k for k in range(count)]
    return [h for h in found if x + h != x]


def noise_of(f: Callable[[float], float], x: float, scale: float) -> float:
    """The noise in f near x: the spread of values close together that no smooth function explains.

    From differences of the third order and more at tiny spacing (Moré and Wild, "Estimating computational noise", 2011), to the
    right and to the left of x; the smaller counts, so that a jump at x itself is no noise.
    """
    found = []
    spacing = max(1e-10 * scale, 8.0 * EPSILON * abs(x))
    for side in (-1.0, 1.0):
        row = [f(x + side * k * spacing) for k in range(1, 10)]
        spread = EPSILON * abs(row[0])
        for order in range(1, 6):
            row = [b - a for a, b in pairwise(row)]
            if order >= 3:
                weight = math.factorial(order) ** 2 / math.factorial(2 * order)
                spread = max(spread, math.sqrt(weight * sum(d * d for d in row) / len(row)))
        found.append(spread)
    return min((spread for spread in found if math.isfinite(spread)), default=0.0)


def grain(f: Callable[[float], float], x: float, scale: float) -> float:
    """The least by which f changes around x: large for a function rounded to fewer digits than it shows."""
    changes = [abs(f(x + h) - f(x - h)) for h in steps(x, scale)]
    return min((change for change in changes if 0.0 < change < math.inf), default=0.0)


def steepest(f: Callable[[float], float], x: float, scale: float) -> float:
    """The steepest slope between x and its surroundings: what counts as large for a derivative of f around here."""
    here = f(x)
    found = [abs(f(x + side * h) - here) / h for h in steps(x, scale, 6) for side in (-1.0, 1.0)]
    return max((slope for slope in found if math.isfinite(slope)), default=0.0)


def central(f: Callable[[float], float], x: float, scale: float = 0.0, noise: float = 0.0) -> Slope:
    """The slope of f at x from central differences: their errors go with h^2, h^4, ...

    Differences at shrinking steps are extrapolated to step 0 by Richardson's rule in the manner of Ridders ("Accurate
    computation of F'(x) and F'(x)F''(x)", 1982); among all extrapolations the one with the smallest error estimate wins.
    The estimate is the disagreement with the neighbours plus the noise of f (rounding, or `noise` if that is more) over the
    step. The first step is a tenth of `scale`, by default the size of x or 1.
    """

    def difference(h: float) -> tuple[float, float]:
        above, below = x + h, x - h
        top, bottom = f(above), f(below)
        return (top - bottom) / (above - below), max(EPSILON * (abs(top) + abs(bottom)), 2.0 * noise) / (above - below)

    return extrapolate(difference, steps(x, scale or scales(x)[0]), RATIO**2)


def one_sided(f: Callable[[float], float], x: float, side: float, scale: float = 0.0, noise: float = 0.0) -> Slope:
    """The slope of f at x to the right (`side` = 1) or to the left (-1); infinite where differences grow without end."""
    here = f(x)
    sizes = steps(x, scale or scales(x)[0])

    def difference(h: float) -> tuple[float, float]:
        beside = x + side * h
        there = f(beside)
        return (there - here) / (beside - x), max(EPSILON * (abs(there) + abs(here)), 2.0 * noise) / h

    slope = extrapolate(difference, sizes, RATIO)
    if slope.error > 0.01 * abs(slope.value) and len(sizes) > 12:
        (far, _), (near, doubt) = difference(sizes[2]), difference(sizes[12])
        if abs(near) > 100.0 * (abs(far) + doubt) and math.isfinite(far):
            return Slope(math.copysign(math.inf, near), 0.0)
    return slope


def shrinks(f: Callable[[float], float], x: float, side: float, scale: float) -> bool:
    """Whether the differences on one side go to 0 as a power of the step, however slowly: x**1.1 at 0 has the slope 0."""
    sizes = steps(x, max(scale, abs(x)))[4:17:6]
    if len(sizes) < 3:
        return False  # at infinity
    here = f(x)
    first, second, third = [(f(x + side * h) - here) / h for h in sizes]
    return abs(third) < 0.9 * abs(second) and abs(first * third - second * second) <= 0.01 * second * second


def sides(f: Callable[[float], float], x: float, scale: float = 0.0, noise: float = 0.0) -> tuple[Slope, Slope]:
    """The slopes to the left and to the right."""
    return one_sided(f, x, -1.0, scale, noise), one_sided(f, x, 1.0, scale, noise)


def bends(f: Callable[[float], float], x: float, scale: float) -> bool:
    """Whether f may have a kink at x: the differences to the right and to the left of it are not close at a small step."""
    h = 1e-6 * scale
    here, right, left = f(x), (f(x + h) - f(x)) / h, (f(x) - f(x - h)) / h
    return not abs(right - left) <= 1e-3 * max(abs(right), abs(left)) + 16.0 * EPSILON * abs(here) / h


def extrapolate(difference: Callable[[float], tuple[float, float]], sizes: list[float], factor: float) -> Slope:
    """Richardson's extrapolation of differences to step 0; their error falls by `factor`, then its square, ... per step."""
    nothing = best = Slope(math.nan, math.inf)
    corrected = 0.0  # by how much extrapolation moved the best estimate
    confirmed = 0  # by so many smaller steps
    above: list[float] = []  # the previous row of the tableau: the last difference, and its extrapolations
    noises: list[float] = []
    for h in sizes:
        first, noise = difference(h)
        if not math.isfinite(first):
            above, noises, best = [], [], nothing
            continue
        if abs(first - best.value) > corrected + 10.0 * (best.error + noise):
            best = nothing  # larger steps agreed by chance: they jumped over what happens closer to x
        confirmed += 1
        row, noises = [first], [*noises, noise][-DEPTH:]
        for j, previous in enumerate(above[: DEPTH - 1], 1):
            weight = factor**j
            row.append((weight * row[-1] - previous) / (weight - 1.0))
            error = max(abs(row[j] - row[j - 1]), abs(row[j] - previous)) + 4.0 * max(noises[-j - 1 :])
            if error < best.error:
                best, corrected, confirmed = Slope(row[j], error), abs(first - row[j]), 0
        above = row
        if best.error <= 1e-11 * abs(best.value) and confirmed >= 2:
            break  # more steps can only add noise
    return best
