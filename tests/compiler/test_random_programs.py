"""Random programs over the whole table: every back end and the engine agree, in value and gradient.

Sums of products are taken in another order than the engine's by NumPy (BLAS) and by the recovered matrices: hence tolerances.
Plain Python and C take them in the same order, and agree to the last bit where they call the same functions of the C library.
"""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd as ag
from autograd import Value
from autograd.compiler.c99 import File
from autograd.compiler.executable import Executable
from autograd.compiler.program import rebuilt, sums_of_products
from autograd.compiler.recover import recover
from autograd.compiler.trace import Trace
from autograd.functions import apply
from autograd.ops import TABLE
from tests.compiler.native import called, library, needs_compiler

ROWS = list(TABLE.values())
ORDERED = ("polygamma", "dsinc", "dpow")  # their first operand is the order of a derivative
# Python has its own hypot, norm, lgamma, cbrt and exp2; C's differ in the last bit, and so does what is built on series.
OTHER_LIBRARY = {"hypot", "cosine", "norm", "lgamma", "digamma", "polygamma", "cbrt", "exp2", "sinc", "dsinc", "atan2", "asinh"}
OTHER_LIBRARY |= {"prod"}  # taken in another order
EDGES = st.sampled_from([0.0, -0.0, 1.0, -1.0, math.inf, -math.inf, math.nan, 1e300])
USUAL = st.floats(-2.0, 2.0)
INPUTS = st.lists(USUAL, min_size=1, max_size=4)
AT_EDGES = st.lists(EDGES, min_size=1, max_size=4)


@st.composite
def programs(draw, rows, numbers=USUAL):
    """Rows applied to lists of earlier results, as layers do: the same operation at several places, operands shared.

    Operations on any number of operands get several numbers of them side by side. None in place of a row is a branch.
    """
    steps = []
    for k in range(draw(st.integers(1, 6))):
        row = draw(st.sampled_from([*rows, None]))
        pick = st.one_of(st.tuples(st.integers(0, k), st.integers(0, 7)), numbers)
        counts = st.just(2 if row is None else row.arity) if row is None or row.arity else st.integers(1, 3).map(lambda n: 2 * n)
        if row is not None and row.arity is None and draw(st.booleans()):
            counts = st.just(draw(counts))
        places = [[draw(pick) for _ in range(draw(counts))] for _ in range(draw(st.integers(1, 4)))]
        if row is not None and row.name in ORDERED:
            places = [[float(draw(st.integers(0, 3))), *picks[1:]] for picks in places]
        steps.append((row, places))
    return steps


def branch(x, y):
    return x if isinstance(x, Value) and x > y else y


def run(steps, xs):
    layers = [list(xs)]
    for row, places in steps:
        pick = lambda p: layers[p[0]][p[1] % len(layers[p[0]])] if isinstance(p, tuple) else p  # noqa: E731
        layers.append([branch(*map(pick, picks)) if row is None else apply(row, *map(pick, picks)) for picks in places])
    return ag.sum([ag.tanh(x) for layer in layers for x in layer])


def eager(steps, xs):
    values = [Value(x) for x in xs]
    out = run(steps, values)
    out.backward()
    return out.data, [value.grad for value in values]


def agrees(steps, xs):
    value, gradient = eager(steps, xs)
    for backend in ("numpy", "python"):
        found, slopes = ag.compile(lambda xs: run(steps, xs), backend=backend).value_and_grad(xs)
        assert found == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)
        assert slopes == pytest.approx(gradient, rel=1e-7, abs=1e-9, nan_ok=True)


@settings(deadline=None, max_examples=150)
@given(programs(ROWS), INPUTS)
def test_compiled_agrees_with_eager(steps, xs):
    assume(is_tame(Executable(traced(steps, xs)[0], range(len(xs))).program, xs))
    agrees(steps, xs)


def is_tame(program, xs):
    """Whether there is no large factor on the way.

    Such a one makes the last bit, in which NumPy's tanh differs from Python's, a difference that anybody sees:
    (1 - tanh(log10(x)) ** 2) / x at 3e-19.
    """
    return not any(1e6 < abs(number) < math.inf for number in program.run(xs, range(len(program.rows))))


@settings(deadline=None, max_examples=150)
@given(programs(ROWS, EDGES), AT_EDGES)
def test_compiled_agrees_at_the_edges(steps, xs):
    agrees(steps, xs)


def traced(steps, xs):
    """The program, as the compiler simplifies it."""
    trace = Trace(lambda value: None)
    inputs = [trace.input(k, x, f"x.{k}") for k, x in enumerate(xs)]
    out = trace.run(lambda: run(steps, inputs), (), {})
    trace.program.outputs = [trace.reference(out)]
    return trace.program, out._data


@needs_compiler
def test_c_agrees_with_the_engine_and_with_plain_python_to_the_last_bit(tmp_path):
    cases, file, exact = [], File(), 0

    @settings(deadline=None, max_examples=50)
    @given(st.one_of(st.tuples(programs(ROWS), INPUTS), st.tuples(programs(ROWS, EDGES), AT_EDGES)))
    def collect(case):
        cases.append(case)

    collect()
    for k, (steps, xs) in enumerate(cases):
        file.add(sums_of_products(traced(steps, xs)[0]).new, f"f{k}", range(len(xs)), careful=True)
    made = library(file.text(), tmp_path, "-O0")
    for k, (steps, xs) in enumerate(cases):
        status, found = called(made[f"f{k}_gradient"], xs, 1, len(xs))
        assert status == 0
        value, slopes = ag.compile(lambda xs: run(steps, xs), backend="python").value_and_grad(xs)  # noqa: B023
        program = Executable(sums_of_products(traced(steps, xs)[0]).new, range(len(xs)), careful=True).program
        if not OTHER_LIBRARY & {row.name for row in program.rows if row is not None}:
            exact += 1
            assert list(map(repr, found)) == list(map(repr, [value, *slopes]))
        value, gradient = eager(steps, xs)
        assert found[0] == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)
        if all(abs(g) < 1e6 or g != g for g in gradient):
            assert found[1:] == pytest.approx(gradient, rel=1e-7, abs=1e-9, nan_ok=True)
    assert exact > len(cases) / 3


@settings(deadline=None, max_examples=100)
@given(programs(ROWS), st.lists(st.floats(-2.0, 2.0), min_size=1, max_size=4))
def test_every_pass_keeps_the_invariants_and_the_numbers(steps, xs):
    program, expected = traced(steps, xs)
    for change in (lambda p: p, lambda p: rebuilt(p).new, lambda p: sums_of_products(p).new, lambda p: p.copy()):
        program = change(program)
        program.check()
        assert program.run(xs)[0] == pytest.approx(expected, rel=1e-12, abs=1e-14, nan_ok=True)
    recover(program).check()
    for careful, backend in ((False, "numpy"), (True, "numpy"), (False, "python"), (True, "python")):
        executable = Executable(program, range(len(xs)), careful=careful, backend=backend)
        executable.program.check()
        executable.tensors.check()
        value, *slopes = executable.program.run(xs)[: 1 + len(xs)]
        assume(all(abs(slope) < 1e6 or slope != slope for slope in slopes))
        assume(is_tame(executable.program, xs))
        found = executable.written([xs])
        assert found[0][0] == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)
        assert list(found[1]) == pytest.approx(slopes, rel=1e-7, abs=1e-9, nan_ok=True)
