"""C's math.h on Python floats: NumPy's answers at the edges, mpmath's in between, and never an exception."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from fractions import Fraction
from math import inf, nan

import mpmath as mp
import numpy as np
import pytest

import autograd as ag
from autograd import Value, floats, grad
from autograd.functions import apply
from autograd.ops import TABLE

EDGES = [0.0, 1.0, 2.0, 3.0, 0.5, 0.9999999999999999, 5e-324, 1e-200, 1e20, 1e200, 1e308, 170.0, 1000.0, inf]
EDGES += [-x for x in EDGES] + [nan]
FEW = [0.0, -0.0, 1.0, -2.5, 1e200, inf, -inf, nan]  # for three operands
ROWS = list(TABLE.values())
# Where C and NumPy part: NumPy takes the square root for the power 0.5 (-inf gives nan there, C says inf),
# gives the sign of -0.0 as 0.0, and sinc by its formula (nan at infinity and where pi x overflows; the limit is 0), with the
# rounding of pi in place of the zeros at whole numbers.
ZEROS = (0.9999999999999999, 1.0, 2.0, 3.0, 170.0, 1000.0, 1e20, 1e200, 1e308, inf)
PART = {("pow", 0.5), ("sign", 0.0), *[("sinc", x) for x in ZEROS]}


def same(x: float, y: float) -> bool:
    return x == y or (x != x and y != y)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_edge_raises_neither_in_the_value_nor_in_two_derivatives(row):
    points = [EDGES, EDGES, FEW]
    for point in itertools.product(points[(row.arity or 2) - 1], repeat=row.arity or 2):
        values = [Value(x) for x in point]
        out = apply(row, *values)
        gradient = grad(out, values)
        again = grad(out, values, create_graph=True)
        assert all(same(g, float(h)) for g, h in zip(gradient, again)), point
        for derivative in again:
            if isinstance(derivative, Value):
                grad(derivative, values)


@pytest.mark.parametrize("row", [row for row in ROWS if row.arity in (1, 2)], ids=lambda row: row.name)
def test_edges_are_those_of_numpy(row):
    names = ["rint"] if row.name == "round" else [row.name, *row.aliases]
    theirs = next((getattr(np, name) for name in names if hasattr(np, name)), None)
    if theirs is None:
        pytest.skip(f"NumPy has no {row.name}")
    for point in itertools.product(EDGES, repeat=row.arity):
        if (row.name, abs(point[-1])) in PART:
            continue
        with np.errstate(all="ignore"):
            expected = float(theirs(*point))
        found = row.function(*point)
        assert found == pytest.approx(expected, rel=1e-15, abs=0, nan_ok=True), point
        if found == 0.0:
            assert math.copysign(1.0, found) == math.copysign(1.0, expected), point


def near(found: float, exact: mp.mpf, slope: mp.mpf) -> bool:
    return abs(found - exact) <= 4 * 2.0**-52 * (abs(exact) + abs(slope))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8, 20, 60, 150])
@pytest.mark.parametrize("x", [1e-3, 0.7, 3.0, 11.4, 28.1, 203.8, 9835.5, -0.4, -13.5, -30.3])
def test_polygamma(n, x):
    with mp.workdps(40):
        exact, slope = mp.psi(n, mp.mpf(x)), x * mp.psi(n + 1, mp.mpf(x))
        if 1e-290 < abs(exact) < 1e290:
            assert near(floats.polygamma(float(n), x), exact, slope)


def test_polygamma_of_large_arguments_and_orders():
    assert floats.polygamma(0.0, 1e20) == pytest.approx(math.log(1e20), rel=1e-15)
    assert floats.polygamma(1.0, 1e200) == 1e-200
    assert floats.polygamma(2.0, 1e-200) == -inf
    assert math.isnan(floats.polygamma(1e18, 2.0))
    assert math.isnan(floats.polygamma(inf, 2.0))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 5, 8, 12, 20, 40])
@pytest.mark.parametrize("x", [0.0, 1e-9, 0.072, 0.617, 1.86, 2.4, 3.24, -4.48, 6.66, 11.37])
def test_dsinc(n, x):
    with mp.workdps(40):

        def exact(n):
            pieces = mp.linspace(0, 1, 2 + int(abs(x)) + n // 8)
            return mp.quad(lambda t: (mp.pi * t) ** n * mp.cos(mp.pi * mp.mpf(x) * t + n * mp.pi / 2), pieces)

        at = exact(n)
        assert abs(floats.dsinc(float(n), x) - at) <= 1e-14 * (abs(at) + abs(x * exact(n + 1)) + 1e-20)


@pytest.mark.parametrize(
    ("thing", "kind", "message"),
    [
        (10**5000, OverflowError, "Value got an integer of about 5001 digits, too large for a float"),
        (Fraction(10**400), OverflowError, "Value got a Fraction, too large for a float"),
        (np.complex128(1 + 2j), TypeError, "Value needs a real number, not .*write its parts as two Values"),
        (np.complex64(1j), TypeError, "Value needs a real number"),
        (np.str_("2.5"), TypeError, "Value needs a number, not str_; write Value"),
    ],
    ids=["huge int", "huge fraction", "complex128", "complex64", "numpy text"],
)
def test_what_only_looks_like_a_number_is_refused(thing, kind, message):
    with pytest.raises(kind, match=message):
        Value(thing)
    with pytest.raises(kind):
        Value(1.0) * thing


def test_decimals_and_fractions_are_numbers():
    assert (Value(2.0) * Decimal("0.5") + Fraction(1, 4)).data == 1.25


@pytest.mark.parametrize("name", ["maximum", "atan2", "hypot", "fmod", "leaky_relu"])
@pytest.mark.parametrize("thing", [None, [1.0]])
def test_a_method_refuses_what_is_no_number(name, thing):
    with pytest.raises(TypeError, match=rf"Value.{name} needs a number, not {type(thing).__name__}"):
        getattr(Value(1.0), name)(thing)


def test_no_operands():
    assert (ag.sum([]), ag.prod([]), ag.norm([]), ag.logsumexp([])) == (0.0, 1.0, 0.0, -inf)
    for function in (ag.max, ag.min):
        with pytest.raises(ValueError, match=f"autograd.{function.__name__} needs at least one number"):
            function([])


def test_jvp_needs_one_entry_per_argument():
    with pytest.raises(TypeError, match=r"with one entry per argument, not 3.0; write \(3.0,\)"):
        ag.jvp(lambda x: x, 3.0, 1.0)
