"""Random programs over the whole table: compiled, plain and eager engines agree, in value and gradient."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from autograd.compiler.executable import Executable
from autograd.compiler.program import rebuilt, sums_of_products
from autograd.compiler.recover import recover
from autograd.compiler.trace import Trace
from autograd.functions import apply
from autograd.ops import TABLE

ROWS = [row for row in list(TABLE.values()) if row.name not in ("polygamma", "dsinc")]
EDGES = st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e300])
USUAL = st.floats(-2.0, 2.0)


@st.composite
def programs(draw, rows, numbers=USUAL):
    """Rows applied to lists of earlier results, as layers do: the same operation at several places, operands shared."""
    steps = []
    for k in range(draw(st.integers(1, 6))):
        row = draw(st.sampled_from(rows))
        count = row.arity or 2 * draw(st.integers(1, 3))
        width = draw(st.integers(1, 4))
        pick = st.one_of(st.tuples(st.integers(0, k), st.integers(0, 7)), numbers)
        steps.append((row, [[draw(pick) for _ in range(count)] for _ in range(width)]))
    return steps


def run(steps, xs):
    layers = [list(xs)]
    for row, places in steps:
        pick = lambda p: layers[p[0]][p[1] % len(layers[p[0]])] if isinstance(p, tuple) else p  # noqa: E731
        layers.append([apply(row, *map(pick, picks)) for picks in places])
    return ag.sum([ag.tanh(x) for layer in layers for x in layer])


def eager(steps, xs):
    values = [Value(x) for x in xs]
    out = run(steps, values)
    out.backward()
    return out.data, [value.grad for value in values]


@settings(deadline=None, max_examples=150)
@given(programs(ROWS), st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=4))
def test_compiled_agrees_with_eager(steps, xs):
    value, gradient = eager(steps, xs)
    assume(all(abs(g) < 1e6 or g != g for g in gradient))
    found, slopes = ag.compile(lambda xs: run(steps, xs)).value_and_grad(xs)
    assert found == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)
    assert slopes == pytest.approx(gradient, rel=1e-7, abs=1e-9, nan_ok=True)


@settings(deadline=None, max_examples=150)
@given(programs(ROWS, EDGES), st.lists(EDGES, min_size=1, max_size=4))
def test_compiled_agrees_at_the_edges(steps, xs):
    value, gradient = eager(steps, xs)
    found, slopes = ag.compile(lambda xs: run(steps, xs)).value_and_grad(xs)
    assert found == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)
    assert slopes == pytest.approx(gradient, rel=1e-7, abs=1e-9, nan_ok=True)


@settings(deadline=None, max_examples=100)
@given(programs(ROWS), st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=4))
def test_every_pass_keeps_the_invariants_and_the_numbers(steps, xs):
    trace = Trace(lambda value: None)
    inputs = [trace.input(k, x, f"x.{k}") for k, x in enumerate(xs)]
    out = trace.run(lambda: run(steps, inputs), (), {})
    program = trace.program
    program.outputs = [trace.reference(out)]
    expected = out._data
    for change in (lambda p: p, lambda p: rebuilt(p).new, lambda p: sums_of_products(p).new, lambda p: p.copy()):
        program = change(program)
        program.check()
        assert program.run(xs)[0] == pytest.approx(expected, rel=1e-12, abs=1e-14, nan_ok=True)
    executable = Executable(program, range(len(xs)))
    executable.program.check()
    executable.tensors.check()
    recover(program).check()
    plain, arrays = executable.run_plainly(xs), executable.run(xs)
    assert plain[0] == pytest.approx(arrays[0], rel=1e-9, abs=1e-12, nan_ok=True)
    assume(all(abs(g) < 1e6 or g != g for g in plain[1]))
    assert plain[1] == pytest.approx(arrays[1], rel=1e-7, abs=1e-9, nan_ok=True)
