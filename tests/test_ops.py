"""The table against mpmath: value, first and second partial derivatives of every row, and the edges.

The tolerance is 4 units in the last place, of |f| plus |x df/dx| summed over the operands, since an operand that is off by half a
unit moves f by that much; the same holds with f a first or a second derivative. A first derivative is also measured by 1, the
largest intermediate that the texts name (as in `1 - out * out`), and a second one by the first that it comes from.
The reference is mpmath's own differentiation of an independent formula, at 50 digits.
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
        if row.name in ("polygamma", "dsinc", "dpow"):
            point[0] = float(draw.randint(0, 3))
        yield point


def test_every_row_has_an_oracle():
    assert set(ORACLE) == {row.name for row in ROWS}


def close(found: float, exact: mp.mpf, slack: float) -> bool:
    return abs(found - exact) <= 4 * ULP * (abs(exact) + slack)


def partial(row: Primitive, f, at, places: list[int]) -> mp.mpf:
    """The partial derivative of f by the operands at these places, one after the other."""
    if row.name in FLAT:
        return f(*at) if not places else mp.mpf(0)
    orders = tuple(places.count(k) for k in range(len(at)))
    return mp.diff(f, tuple(at), orders) if len(at) > 1 else mp.diff(f, at[0], orders[0])


def moved(row: Primitive, f, at, places: list[int]) -> mp.mpf:
    """How much that partial derivative moves, in units in the last place, when operands move by one: the sum of |x d/dx|."""
    return sum(abs(x * partial(row, f, at, [*places, k])) for k, x in enumerate(at))


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
            assert close(out.data, f(*at), moved(row, f, at, [])), (row.name, point)
            order = [values[i] for i in free]
            firsts = ag.grad(out, order, create_graph=True)
            for i, first in enumerate(firsts):
                exact_first = partial(row, f, at, [i])
                said = float(first)
                assert close(said, exact_first, 1.0 + moved(row, f, at, [i])), (row.name, point, i)
                seconds = ag.grad(first, order) if isinstance(first, Value) else [0.0] * len(order)
                for j, second in enumerate(seconds):
                    # `1 - out * out` loses what the slack of 1 stands for, here times its own derivative
                    slack = abs(exact_first) + moved(row, f, at, [i, j]) + (2.0 if row.name == "tanh" else 0.0)
                    assert close(second, partial(row, f, at, [i, j]), slack + mp.mpf(10) ** -18), (row.name, point, i, j)


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
