"""The room of slopes: derivatives of plain functions of one number, found by evaluating them, with an estimate of the error."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["Slope", "central", "one_sided", "sides", "steps"]

EPSILON = 2.0**-52
RATIO = 4.0  # each step is a quarter of the one before
DEPTH = 4  # so many neighbours enter one extrapolation: a kink or a pole within the larger steps is left behind


class Slope(NamedTuple):
    """An estimated derivative and the estimated error of it; nan and inf where nothing converged."""

    value: float
    error: float


def steps(x: float, count: int = 24) -> list[float]:
    """Steps around x from a tenth of its size (at least 0.1) down, each a quarter of the one before."""
    first = 0.1 * max(abs(x), 1.0)
    found = [first / RATIO**k for k in range(count)]
    return [h for h in found if x + h != x]


def central(f: Callable[[float], float], x: float, *, flat: bool = True) -> Slope:
    """The slope of f at x from central differences: their errors go with h^2, h^4, ...

    Differences at shrinking steps are extrapolated to step 0 by Richardson's rule in the manner of Ridders ("Accurate
    computation of F'(x) and F'(x)F''(x)", 1982); among all extrapolations the one with the smallest error estimate wins.
    The estimate is the disagreement with the neighbours plus the rounding noise of f over the step. With `flat` off, steps
    over which f does not change at all are left out: f may be rounded to fewer digits than it shows.
    """

    def difference(h: float) -> tuple[float, float]:
        above, below = x + h, x - h
        top, bottom = f(above), f(below)
        if top == bottom and not flat:
            return math.nan, math.inf
        return (top - bottom) / (above - below), EPSILON * (abs(top) + abs(bottom)) / (above - below)

    return extrapolate(difference, x, RATIO**2)


def one_sided(f: Callable[[float], float], x: float, side: float) -> Slope:
    """The slope of f at x to the right (`side` = 1) or to the left (-1); infinite where differences grow without end."""
    here = f(x)

    def difference(h: float) -> tuple[float, float]:
        beside = x + side * h
        there = f(beside)
        return (there - here) / (beside - x), EPSILON * (abs(there) + abs(here)) / h

    slope = extrapolate(difference, x, RATIO)
    if slope.error > 0.01 * abs(slope.value):
        far, near = difference(steps(x)[2])[0], difference(steps(x)[12])[0]
        if abs(near) > 100.0 * abs(far) and math.isfinite(far):
            return Slope(math.copysign(math.inf, near), 0.0)
    return slope


def sides(f: Callable[[float], float], x: float) -> tuple[Slope, Slope]:
    """The slopes to the left and to the right."""
    return one_sided(f, x, -1.0), one_sided(f, x, 1.0)


def extrapolate(difference: Callable[[float], tuple[float, float]], x: float, factor: float) -> Slope:
    """Richardson's extrapolation of differences to step 0; their error falls by `factor`, then its square, ... per step."""
    best = Slope(math.nan, math.inf)
    above: list[float] = []  # the previous row of the tableau: the last difference, and its extrapolations
    noises: list[float] = []
    for h in steps(x):
        first, noise = difference(h)
        if not math.isfinite(first):
            above, noises = [], []
            continue
        row, noises = [first], [*noises, noise][-DEPTH:]
        for j, previous in enumerate(above[: DEPTH - 1], 1):
            weight = factor**j
            row.append((weight * row[-1] - previous) / (weight - 1.0))
            if j == 1:
                continue  # two differences may agree by accident
            error = max(abs(row[j] - row[j - 1]), abs(row[j] - previous)) + 4.0 * max(noises[-j - 1 :])
            if error < best.error:
                best = Slope(row[j], error)
        above = row
        if best.error <= 1e-11 * abs(best.value):
            break  # more steps can only add noise
    return best
