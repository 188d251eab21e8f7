"""Random expressions over the whole table: every way to a derivative gives the same one."""

from __future__ import annotations

import math

import mpmath as mp
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import autograd as ag
from autograd import Value, grad, jvp, topological
from autograd.functions import FUNCTIONS, apply
from autograd.ops import TABLE

# Rows whose derivatives jump.
JUMPS = {
    "floor",
    "ceil",
    "round",
    "trunc",
    "sign",
    "mod",
    "fmod",
    "floor_divide",
    "greater",
    "dsinc",
    "dpow",
    "polygamma",
    "stop_gradient",
}
ROWS = [row for row in TABLE.values() if row.name not in JUMPS]
SMOOTH = {
    "exp",
    "log1p",
    "sin",
    "cos",
    "tanh",
    "sigmoid",
    "softplus",
    "atan",
    "asinh",
    "add",
    "sub",
    "mul",
    "gelu",
    "silu",
    "erf",
    "sum",
    "dot",
    "hypot",
}


@st.composite
def programs(draw, rows):
    """A list of steps; each applies a row to results of earlier steps (two inputs come first), or to constants."""
    steps = []
    for k in range(draw(st.integers(2, 7))):
        row = draw(st.sampled_from(rows))
        count = row.arity or 4
        pick = st.one_of(st.integers(0, k + 1), st.floats(0.25, 2.0))
        steps.append((row, [draw(pick) for _ in range(count)]))
    return steps


def run(steps, x, y):
    values = [x, y]
    for row, picks in steps:
        values.append(apply(row, *[values[p] if isinstance(p, int) else p for p in picks]))
    # tame the result, so that its derivatives stay in range
    return ag.sum([FUNCTIONS["tanh"](value) for value in values])


POINT = st.tuples(st.floats(0.3, 1.7), st.floats(0.3, 1.7))


@given(programs(ROWS), POINT)
def test_reverse_forward_and_over_values_agree(steps, point):
    f = lambda x, y: run(steps, x, y)  # noqa: E731
    reverse = grad(f, (0, 1))(*point)
    forward = tuple(jvp(f, point, direction)[1] for direction in ((1.0, 0.0), (0.0, 1.0)))
    values = [Value(p) for p in point]
    again = [float(g) for g in grad(f(*values), values, create_graph=True)]
    assert reverse == pytest.approx(again, rel=1e-9, abs=1e-12, nan_ok=True)
    assume(all(map(math.isfinite, reverse)))
    assert reverse == pytest.approx(forward, rel=1e-9, abs=1e-12)
    value, (gx, gy) = ag.value_and_grad(f, (0, 1))(*point)
    assert value == pytest.approx(f(*point), rel=0, abs=0, nan_ok=True)
    assert (gx, gy) == reverse


@given(programs(ROWS), POINT)
def test_second_order_is_symmetric_and_the_same_both_ways(steps, point):
    f = lambda x, y: run(steps, x, y)  # noqa: E731
    gradient = grad(f, (0, 1))
    over_reverse = ag.jacobian(gradient, (0, 1))(*point)
    assume(all(math.isfinite(h) for row in over_reverse for h in row))
    over_forward = [jvp(gradient, point, d)[1] for d in ((1.0, 0.0), (0.0, 1.0))]
    size = max(abs(h) for row in over_reverse for h in row) + max(map(abs, gradient(*point))) + 1.0
    for i in range(2):
        for j in range(2):
            assert over_reverse[i][j] == pytest.approx(over_reverse[j][i], rel=1e-7, abs=1e-9 * size)
            if math.isfinite(over_forward[j][i]):
                assert over_reverse[i][j] == pytest.approx(over_forward[j][i], rel=1e-7, abs=1e-9 * size)


@given(programs([TABLE[name] for name in sorted(SMOOTH)]), POINT)
def test_mpmath_agrees_to_first_and_second_order(steps, point):
    f = lambda x, y: run(steps, x, y)  # noqa: E731
    reverse = grad(f, (0, 1))(*point)
    assume(all(map(math.isfinite, reverse)))
    second = ag.jacobian(grad(f, (0, 1)), (0, 1))(*point)
    with mp.workdps(40):
        at = tuple(map(mp.mpf, point))
        exact = [mp.diff(f, at, orders) for orders in ((1, 0), (0, 1))]
        exact_second = [[mp.diff(f, at, orders) for orders in row] for row in (((2, 0), (1, 1)), ((1, 1), (0, 2)))]
    size = max(abs(float(h)) for row in exact_second for h in row) + max(abs(float(g)) for g in exact) + 1.0
    assume(size < 1e6)
    for i in range(2):
        assert reverse[i] == pytest.approx(float(exact[i]), rel=1e-9, abs=1e-12 * size)
        for j in range(2):
            assert second[i][j] == pytest.approx(float(exact_second[i][j]), rel=1e-7, abs=1e-10 * size)


@given(programs([TABLE[name] for name in sorted(SMOOTH - {"erf", "gelu"})]), POINT)
def test_the_complex_step_agrees(steps, point):
    f = lambda x, y: run(steps, x, y)  # noqa: E731
    reverse = grad(f, (0, 1))(*point)
    assume(all(map(math.isfinite, reverse)))
    h = 2.0**-100
    steps_taken = (f(complex(point[0], h), point[1]).imag / h, f(point[0], complex(point[1], h)).imag / h)
    assert reverse == pytest.approx(steps_taken, rel=1e-9, abs=1e-12)


WILD = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 1e200, 1e-200, math.inf, -math.inf, math.nan])


def gross(out):
    """For every node the sum of its paths without their signs: what cancels is known to its rounding only."""
    sizes = {out: 1.0}
    for node in reversed(topological(out)):
        for operand, local in zip(node._operands, node._locals):
            if isinstance(operand, Value) and local is not None:
                sizes[operand] = sizes.get(operand, 0.0) + abs(local) * sizes.get(node, 0.0)
    return sizes


CANCELS = [(TABLE["add"], [0, 0]), (TABLE["neg"], [0]), (TABLE["sub"], [1.0, 0]), (TABLE["sinc"], [0]), (TABLE["square"], [5])]


@example(CANCELS, (1.0, 0.0))  # 1 + 2 - 1 - 1 - 1 and a rounding
@given(programs([row for row in TABLE.values() if row.name not in ("dsinc", "dpow", "polygamma")]), st.tuples(WILD, WILD))
def test_at_the_edges_nothing_raises_and_derivatives_over_values_are_the_same(steps, point):
    def f(x, y):
        values = [x, y]
        for row, picks in steps:
            values.append(apply(row, *[values[p] if isinstance(p, int) else p for p in picks]))
        return ag.sum(values)

    values = [Value(p) for p in point]
    out = f(*values)
    assert out.data == pytest.approx(f(*point), rel=0, abs=0, nan_ok=True)
    reverse = grad(out, values)
    again = [float(g) for g in grad(out, values, create_graph=True)]
    assert again == pytest.approx(reverse, rel=0, abs=0, nan_ok=True)
    sizes = gross(out)
    for x, found, direction in zip(values, reverse, ((1.0, 0.0), (0.0, 1.0))):
        forward, size = jvp(f, point, direction)[1], sizes[x]
        if all(map(math.isfinite, (found, forward, size))):
            assert forward == pytest.approx(found, rel=1e-9, abs=1e-13 * size + 1e-300)
    ag.jacobian(grad(f, (0, 1)), (0, 1))(*point)
