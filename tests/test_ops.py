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
import numpy as np
import pytest

import autograd as ag
from autograd.functions import apply
from autograd.ops import TABLE, Primitive, ieee, on_floats, register
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


def test_a_method_for_every_name_of_a_row():
    x, y = Value(-2.5), Value(0.5)
    for name in ("abs", "fabs", "absolute"):
        assert getattr(x, name)().data == 2.5
    assert (x.neg().data, x.negative().data, x.positive().data) == (2.5, 2.5, -2.5)
    assert x.deg2rad().data == x.radians().data == math.radians(-2.5)
    assert x.rad2deg().data == x.degrees().data == math.degrees(-2.5)
    assert (x.copysign(y).data, x.heaviside(y).data, ag.float_power(y, 2).data) == (2.5, 0.0, 0.25)
    assert x.logaddexp(1.0).data == ag.logaddexp(-2.5, 1.0) == pytest.approx(math.log(math.exp(-2.5) + math.e), rel=1e-15)
    assert not hasattr(x, "subtract")  # x - y


def test_numpy_asks_for_methods_by_their_names():
    array = np.array([Value(-1.5), Value(2.5)], dtype=object)
    for name in ("fabs", "absolute", "degrees", "radians", "deg2rad", "rad2deg", "rint", "negative", "positive", "cbrt", "exp2"):
        expected = getattr(np, name)(np.array([-1.5, 2.5]))
        assert [v.data for v in getattr(np, name)(array)] == pytest.approx(list(expected), rel=1e-15), name


@pytest.mark.parametrize(("x", "y"), [(7.5, 2.0), (-7.5, 2.0), (7.5, -2.0), (1.0, -math.inf), (0.3, 0.1)])
def test_divmod_is_the_floor_and_the_rest(x, y):
    expected = divmod(x, y)
    for found in (divmod(Value(x), Value(y)), divmod(Value(x), y), divmod(x, Value(y)), ag.divmod(Value(x), y)):
        assert tuple(v.data for v in found) == expected
    v, w = Value(x), Value(y)
    assert ag.grad(divmod(v, w)[1], [v, w]) == [1.0, -expected[0]]
    assert ag.grad(divmod(v, w)[0], [v, w]) == [0.0, 0.0]
    assert ag.divmod(x, y) == expected
    with pytest.raises(TypeError, match="needs a number, not str"):
        divmod(Value(x), "two")


def test_choices_are_made_by_python_where_they_can_be():
    assert on_floats("maximum(x, 0.0)") == "maximum(x, 0.0)"
    assert on_floats("greater(x, y) / y") == "(div(1.0 if x > y else 0.0, y))"
    out = ag.grad(lambda x: x**2.5)(Value(2.0))
    names = {node._primitive.name for node in ag.topological(out) if node._primitive}
    assert names <= {"pow", "mul", "pos"}  # no choice is recorded


@pytest.mark.parametrize("x", [1e-12, 1e-160, 1e-300, 5e-324, 8.0, 20.0, 300.0, 371.0])
def test_slopes_that_cancelled(x):
    with mp.workdps(700):
        e = mp.mpf(x)
        exact = {ag.tanh: (mp.sech(e) ** 2, -2 * mp.tanh(e) * mp.sech(e) ** 2)}
        exact[ag.sigmoid] = mp.sech(e / 2) ** 2 / 4, -mp.tanh(e / 2) * mp.sech(e / 2) ** 2 / 4
        if x < 1.0:
            exact[ag.asin] = (1 - e**2) ** -0.5, e * (1 - e**2) ** -1.5
            exact[ag.acos] = tuple(-d for d in exact[ag.asin])
            exact[ag.atanh] = 1 / (1 - e**2), 2 * e / (1 - e**2) ** 2
        for function, (first, second) in exact.items():
            assert ag.derivative(function)(x) == pytest.approx(float(first), rel=2e-15, abs=2e-323)
            assert ag.derivative(function, order=2)(x) == pytest.approx(float(second), rel=2e-15, abs=2e-323)


@pytest.mark.parametrize("x", [1.0, 1.0 + 1e-10, 1.0 - 1e-5, 2.0, 2.0 - 1e-10, 2.0 + 1e-5, 1.4616321449683622, 0.5, 2.5])
def test_lgamma_near_its_zeros(x):
    with mp.workdps(40):
        assert ag.lgamma(x) == pytest.approx(float(mp.loggamma(x)), rel=1e-15, abs=0)
