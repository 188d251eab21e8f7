"""The table against mpmath: value, first and second partial derivatives of every row, and the edges.

The tolerance is 4 units in the last place, of |f| plus |x f'(x)| summed over the operands, since an operand that is off by half a
unit moves f by that much; for first derivatives also of 1, the largest intermediate that the texts name (as in `1 - out * out`).
Second derivatives are allowed 4 units of the largest of 1 (pi^2 for sinc), |f'|, |f''| and 1 / x^2 (a rule may divide twice),
and of how much they themselves move when x does.
"""

from __future__ import annotations

import math
import random

import mpmath as mp
import pytest

import autograd as ag
from autograd.functions import apply
from autograd.ops import TABLE, Primitive, ieee, register
from autograd.value import Value
from tests.edges import EDGES
from tests.oracle import CONSTANT, FLAT, ORACLE

ULP = 2.0**-52
INSIDE = {"sinc": math.pi**2, "dsinc": math.pi**2}  # numbers that the second derivatives are made of
MANY = 4  # operands of the operations that take any number
ROWS = list(TABLE.values())[: len(ORACLE)]  # the library's own rows; other tests add some


def points(row: Primitive, count: int):
    draw = random.Random(row.name)
    intervals = [(-3.0, 3.0)] * MANY if row.arity is None else row.domain
    for _ in range(count):
        point = [draw.uniform(*interval) for interval in intervals]
        if row.name in ("polygamma", "dsinc"):
            point[0] = float(draw.randint(0, 3))
        yield point


def test_every_row_has_an_oracle():
    assert set(ORACLE) == {row.name for row in ROWS}


def close(found: float, exact: mp.mpf, slack: float) -> bool:
    return abs(found - exact) <= 4 * ULP * (abs(exact) + slack)


def sensitivity(f, point) -> float:
    """How much f moves, in units in the last place, when operands move by one: the sum of |x df/dx|."""
    total = mp.mpf(0)
    for i, x in enumerate(point):

        def along(t, i=i):
            return f(*point[:i], t, *point[i + 1 :])

        total += abs(x * mp.diff(along, x, h=mp.mpf(10) ** -20))
    return float(total)


def differentiated(row: Primitive) -> list[int]:
    count = MANY if row.arity is None else row.arity
    return [i for i in range(count) if (row.name, i) not in CONSTANT]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_value_and_partials(row):
    with mp.workdps(50):
        exact = ORACLE[row.name]
        for point in points(row, 12):
            exactly = [mp.mpf(x) for x in point]
            constants = {i: exactly[i] for i in range(len(point)) if (row.name, i) in CONSTANT}
            free = [i for i in range(len(point)) if i not in constants]

            def f(*ts, free=free, exactly=exactly):
                full = list(exactly)
                for i, t in zip(free, ts):
                    full[i] = t
                return exact(*full)

            at = [exactly[i] for i in free]
            values = [x if i in constants else Value(x) for i, x in enumerate(point)]
            out = apply(row, *values)
            assert close(out.data, f(*at), sensitivity(f, at)), (row.name, point)
            order = [values[i] for i in free]
            firsts = ag.grad(out, order, create_graph=True)
            for place, first in enumerate(firsts):

                def first_exact(*ts, place=place):
                    if row.name in FLAT:
                        return mp.mpf(0)
                    return mp.diff(lambda t: f(*ts[:place], t, *ts[place + 1 :]), ts[place], h=mp.mpf(10) ** -15)

                said = float(first)
                assert close(said, first_exact(*at), 1.0 + sensitivity(first_exact, at)), (row.name, point, place)
                if not isinstance(first, Value):
                    continue
                for other, second in enumerate(ag.grad(first, order)):

                    def second_exact(t, other=other, first_exact=first_exact, at=at):
                        return first_exact(*at[:other], t, *at[other + 1 :])

                    wanted = mp.diff(second_exact, at[other], h=mp.mpf(10) ** -10)
                    near = min(abs(point[i]) for i in free)
                    moved = abs(at[other] * mp.diff(second_exact, at[other], h=mp.mpf(10) ** -6))
                    scale = max(
                        INSIDE.get(row.name, 1.0), *(float(abs(x)) for x in firsts), abs(float(wanted)), 1.0 / near**2
                    ) + float(moved)
                    assert abs(second - wanted) <= 4 * ULP * scale, (row.name, point, place, other)


@pytest.mark.parametrize(("text", "function", "point", "value", "gradient"), EDGES)
def test_edges(text, function, point, value, gradient):
    values = [Value(x) for x in point]
    out = function(*values)
    assert out.data == pytest.approx(value, rel=1e-15, nan_ok=True), text
    assert ag.grad(out, values) == pytest.approx(list(gradient), rel=1e-15, nan_ok=True), text
    # the way over Values says the same, where there is a number to say
    again = [float(g) for g in ag.grad(out, values, create_graph=True)]
    assert again == pytest.approx(list(gradient), rel=1e-15, nan_ok=True), text


def test_a_kink_is_pinned_for_every_row_that_has_one():
    for row in ROWS:
        for kink in row.kinks:
            values = [Value(x) for x in kink]
            gradient = ag.grad(apply(row, *values), values)
            assert all(abs(g) <= 1.0 for g in gradient), row.name


def test_texts_are_read_without_exceptions():
    assert ieee("x / y ** 2") == "div(x, pow(y, 2))"
    assert ieee("1.0 - out * out") == "1.0 - out * out"


def test_names_are_taken_once():
    with pytest.raises(ValueError, match="the table has a primitive named 'exp' already"):
        register("exp", "x", "1.0")
