"""Instructions by block, and the languages that are printed from them: plain Python and C say what the instructions say."""

from __future__ import annotations

import ctypes
import math
import random
import re

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd.compiler.c99 import File
from autograd.compiler.plain import plain
from autograd.compiler.program import Program, rebuilt, sums_of_products
from autograd.compiler.recover import recover
from autograd.compiler.reverse import differentiated
from autograd.compiler.runs import parted
from autograd.compiler.tensors.by_block import by_block
from autograd.compiler.tensors.instructions import Batch, Gather
from autograd.compiler.tensors.strides import common, loops_of, separated, split
from autograd.compiler.trace import TAKE
from autograd.ops import TABLE
from tests.compiler.native import called, library, needs_compiler
from tests.compiler.test_instructions import REGULAR, Attention, matrix
from tests.compiler.test_random_batches import NUMBERS, USUAL, eager
from tests.compiler.test_random_programs import AT_EDGES, EDGES, INPUTS, ROWS, programs, run, traced


def agreeing(program, xs):
    """Plain Python and the instructions by block give the numbers of a program, to the last bit."""
    code = by_block(recover(program), {"values": program.outputs})
    code.check()
    found = code.run(xs)
    text = plain(recover(program), {"values": program.outputs})
    assert list(map(repr, text.function()(list(xs))[0])) == list(map(repr, found))
    return found


@settings(deadline=None, max_examples=200)
@given(st.one_of(st.tuples(programs(ROWS), INPUTS), st.tuples(programs(ROWS, EDGES), AT_EDGES)))
def test_random_programs_and_their_derivatives(case):
    steps, xs = case
    program = differentiated(sums_of_products(traced(steps, xs)[0]).new, range(len(xs)))
    assert agreeing(program, xs) == pytest.approx(program.run(xs), rel=1e-6, abs=1e-9, nan_ok=True) or max(
        abs(x) for x in program.run(xs)
    ) > 1e6


def random_sums(draw):
    """A program of sums, products and single operations over operands that lie anywhere: in loops, in several blocks, nowhere."""
    program = Program()
    lists = [[program.input(f"{name}.{k}") for k in range(draw.randint(1, 9))] for name in "abc"]
    for _ in range(draw.randint(1, 8)):
        pool = [ref for refs in lists for ref in refs]
        size, width = draw.randint(1, 6), draw.randint(1, 5)
        name = draw.choice(["dot", "sum", "max", "logsumexp", "mul", "exp", "sub", "take"])
        row = TAKE if name == "take" else TABLE[name]
        made = []
        source, stride, start = draw.choice(lists), draw.randint(-3, 3), draw.randrange(9)
        for k in range(size):
            length = width if draw.random() < 0.8 else draw.randint(1, 5)
            if draw.random() < 0.5:
                refs = [source[(start + stride * k + j) % len(source)] for j in range(2 * length)]
            else:
                refs = [draw.choice([*pool, program.constant(draw.choice([0.5, 2.0, -1.0]))]) for _ in range(2 * length)]
            if row is TAKE:
                made.append(program.add(TAKE, [draw.choice(program.inputs), *refs[:length]]))
            elif row.arity is not None:
                made.append(program.add(row, refs[: row.arity] if len(refs) >= row.arity else refs * 2))
            else:
                made.append(program.add(row, refs if row.name == "dot" else refs[:length] * (1 if length > 1 else 2)))
        lists.append(made)
    program.outputs = [draw.choice(draw.choice(lists)) for _ in range(draw.randint(1, 9))]
    return rebuilt(program).new


@pytest.mark.parametrize("seed", range(60))
def test_operands_that_lie_anywhere(seed):
    draw = random.Random(seed)
    for _ in range(5):
        program = random_sums(draw)
        xs = [0.0 for _ in program.inputs]  # every index is in range
        assert agreeing(program, xs) == pytest.approx(program.run(xs), rel=1e-9)
        if TAKE not in program.rows:
            xs = [draw.uniform(-1.0, 1.0) for _ in program.inputs]
            assert agreeing(program, xs) == pytest.approx(program.run(xs), rel=1e-9, abs=1e-12)


@needs_compiler
def test_operands_that_lie_anywhere_in_c(tmp_path):
    draw, file, cases = random.Random(7), File(), []
    for k in range(100):
        program = random_sums(draw)
        xs = [0.0 if TAKE in program.rows else draw.uniform(-1.0, 1.0) for _ in program.inputs]
        file.add(program, f"f{k}", (), careful=False)
        cases.append((xs, plain(recover(program), {"values": program.outputs}).function()(list(xs))[0]))
    made = library(file.text(), tmp_path, "-O1")
    for k, (xs, expected) in enumerate(cases):
        assert called(made[f"f{k}"], xs, len(expected)) == (0, expected)


@pytest.mark.parametrize("name", REGULAR)
def test_what_is_regular_has_strides_and_no_table(name):
    function, arguments, _ = REGULAR[name]
    compiled = ag.compile(function, backend="python", audit=False)
    compiled.value_and_grad(*arguments)
    executable = compiled.latest.latest
    code = by_block(executable.tensors, {"values": executable.job.values, "slopes": executable.job.slopes})
    assert not [ins for ins in code.instructions if any(isinstance(x, Gather) for x in ins.operands)]
    assert not executable.text.tables


@needs_compiler
@pytest.mark.parametrize("name", [*REGULAR, "attention"])
def test_c_equals_plain_python_to_the_last_bit(name, tmp_path):
    function, arguments = REGULAR[name][:2] if name in REGULAR else (lambda model, xs: model(xs), (Attention(), matrix(6, 8)))
    compiled = ag.compile(function, backend="python", audit=False)
    compiled.value_and_grad(*arguments)
    inputs = compiled.inputs(*arguments)
    values, slopes, *_ = compiled.latest.executable(tuple(range(len(inputs)))).written([inputs])
    made = library(compiled.to_c("f"), tmp_path, "-O1")
    status, found = called(made.f_gradient, inputs, 1, len(inputs))
    assert (status, found) == (0, [*values, *slopes])


# Batches.


class Classifier(nn.Module):
    def __init__(self):
        self.net = nn.MLP(3, [5, 2], seed=1)

    def forward(self, x):
        return self.net(x)


def cross_entropy(model, x, label):
    return nn.cross_entropy([model(x)], [label])


def squares(w, x, y):
    return (w[0] * x[0] + w[1] * x[1] - y) ** 2 + ag.sin(w[2])


def ragged(w, x, y):
    return sum(ag.tanh(sum(w[k] * x[(3 * k) % 2] for k in range(n))) for n in range(1, 4)) * y


X, LABELS, Y = np.random.default_rng(0).normal(size=(7, 3)), np.array([0, 1, 1, 0, 1, 0, 0]), np.linspace(-1.0, 1.0, 7)
BATCHES = {"cross entropy": (cross_entropy, (Classifier(), X, LABELS)), "squares": (squares, ([1.0, 2.0, 0.5], X, Y)),
           "ragged": (ragged, ([1.0, 2.0, 0.5], X, Y))}  # fmt: skip


@settings(deadline=None, max_examples=100)
@given(programs(ROWS, USUAL), NUMBERS, st.lists(NUMBERS, min_size=1, max_size=4))
def test_random_batches(steps, ws, batch):
    value, slopes, each = eager(steps, ws, batch)
    assume(all(abs(g) < 1e6 for g in [value, *slopes, *np.ravel(each)]))
    compiled = ag.compile(lambda ws, xs: run(steps, [*ws, *xs]), batch="xs", reduce="sum", backend="python")
    found, (by_weights, by_examples) = compiled.value_and_grad(ws, np.array(batch), argnums=(0, 1))
    assert found == pytest.approx(value, rel=1e-9, abs=1e-12)
    assert by_weights == pytest.approx(slopes, rel=1e-7, abs=1e-8)
    np.testing.assert_allclose(by_examples, each, rtol=1e-7, atol=1e-8)
    for blocks in compiled.latest.programs.values():
        shared, of_each, _ = parted(blocks.tensors, blocks.results())
        columns = {blocks.program.inputs[k]: column for k, column in blocks.batched.items()}
        code = by_block(blocks.tensors, {"shared": shared, "each": of_each}, batch=Batch(1, (2,), columns))
        code.check()
        numbers = [*ws, 0.0, 0.0, float(len(batch))][: len(blocks.program.inputs)]
        out, rows = blocks.text.function()(numbers, batch)
        again = code.run(numbers, [x for xs in batch for x in xs], count=len(batch))
        assert list(map(repr, again)) == list(map(repr, [*out, *[x for row in rows for x in row]]))


@pytest.mark.parametrize("reduce", ["mean", "sum"])
@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_runs_as_plain_python(name, reduce):
    function, arguments = BATCHES[name]
    one, other = (ag.compile(function, batch=(1, 2), reduce=reduce, backend=backend) for backend in ("numpy", "python"))
    for argnum in (0, 1):
        (value, slopes), (expected, gradient) = (f.value_and_grad(*arguments, argnums=argnum) for f in (other, one))
        assert value == pytest.approx(expected, rel=1e-13)
        found, wanted = (list(x.values()) if isinstance(x, dict) else x for x in (slopes, gradient))
        np.testing.assert_allclose(found, wanted, rtol=1e-12, atol=1e-14)
    assert other.backend == "python: as it was asked for"
    assert "for row0, row1 in zip(examples0, examples1):" in other.source


@needs_compiler
@pytest.mark.parametrize("name", BATCHES)
def test_a_batch_in_c_sums_over_its_examples(name, tmp_path):
    function, arguments = BATCHES[name]
    compiled = ag.compile(function, batch=(1, 2), reduce="sum", backend="python")
    value, slopes = compiled.value_and_grad(*arguments)
    text = compiled.to_c("f")
    rows = compiled.inputs(*arguments)
    made = library(text, tmp_path, "-O1")
    varying = list(compiled.latest_variant().varying)
    examples = [row[k] for row in rows for k in varying]
    double = ctypes.c_double
    found, gradient = (double * 1)(), (double * len(rows[0]))()
    status = made.f_batch(len(rows), (double * len(rows[0]))(*rows[0]), (double * len(examples))(*examples), found, gradient)
    assert (status, found[0]) == (0, pytest.approx(value, rel=1e-13))
    expected = list(slopes.values()) if isinstance(slopes, dict) else slopes
    assert list(gradient)[: len(expected)] == pytest.approx(expected, rel=1e-11, abs=1e-14)
    assert re.search(r"int f_batch\(int count.*examples, \d numbers for each", text, re.DOTALL)


@needs_compiler
def test_a_batch_in_c_says_which_comparison_does_not_hold(tmp_path):
    f = ag.compile(lambda w, x: w * x if x > 0.0 else w - x, batch=1)
    f(2.0, np.array([1.0, 3.0]))
    made, double = library(f.to_c("f"), tmp_path), ctypes.c_double
    found, gradient = (double * 1)(), (double * 2)()
    assert made.f_batch(2, (double * 2)(2.0, 0.0), (double * 2)(1.0, 3.0), found, gradient) == 0
    assert (found[0], list(gradient)) == (8.0, [4.0, 0.0])
    assert made.f_batch(2, (double * 2)(2.0, 0.0), (double * 2)(1.0, -3.0), found, gradient) == 1


def test_results_of_each_example_by_plain_python():
    one, other = (ag.compile(squares, batch=(1, 2), reduce=None, backend=backend) for backend in ("numpy", "python"))
    assert other([1.0, 2.0, 0.5], X, Y) == pytest.approx(one([1.0, 2.0, 0.5], X, Y), rel=1e-14)
    np.testing.assert_allclose(other.value_and_grad([1.0, 2.0, 0.5], X, Y, argnums=1)[1],
                               one.value_and_grad([1.0, 2.0, 0.5], X, Y, argnums=1)[1], rtol=1e-13)  # fmt: skip


def test_guards_and_nan_of_examples_by_plain_python():
    f = lambda w, x: w * x if x > 0.0 else w - x  # noqa: E731
    found = ag.compile(f, batch=1, reduce=None, backend="python")(2.0, np.array([1.0, -1.0, 3.0, -0.5]))
    assert found.tolist() == [2.0, 3.0, 6.0, 2.5]
    g = ag.compile(lambda w, x: ag.where(x > 0.0, ag.sqrt(w * x), 0.0), batch=1, backend="python")
    assert g.value_and_grad(1.0, np.array([0.0, 4.0]))[1] == 0.5


# Strides.


@given(st.lists(st.tuples(st.integers(2, 4), st.integers(-9, 9)), max_size=4), st.integers(0, 9))
def test_the_places_of_any_loops_are_found_again(loops, start):
    places = [start]
    for size, stride in loops:
        places = [place + stride * i for place in places for i in range(size)]
    again = [places[0]]
    for size, stride in loops_of(places):
        again = [place + stride * i for place in again for i in range(size)]
    assert again == places


def test_loops_that_are_split_into_common_sizes():
    lists = [[(12, 1)], [(3, 0), (4, 1)], [(6, 5), (2, 0)]]
    assert [split(loops, common(lists)) for loops in lists] == [(4, 2, 1), (0, 2, 1), (10, 5, 0)]
    assert common([[(8, 1), (9, 1)], [(9, 1), (8, 1)]]) is None
    assert separated([0, 1, 5, 7], (2, 2)) is None


def test_a_program_in_which_nothing_is_alike_stays_linear():
    def logistic(r, x):
        for _ in range(300):
            x = r * x * (1.0 - x)
        return x

    compiled = ag.compile(logistic, backend="python", audit=False)
    compiled.value_and_grad(3.7, 0.3)
    assert len(compiled.source) < 300 * 250
    assert sum("[" in line and "inputs" not in line for line in compiled.source.splitlines()) < 5  # numbers are names
    assert math.isfinite(compiled(3.7, 0.3))


@needs_compiler
def test_many_numbers_that_are_read_together_in_c(tmp_path):
    def logistic(r, x):
        for _ in range(40):
            x = r * x * (1.0 - x)
        return x

    compiled = ag.compile(logistic, backend="python", audit=False)
    value, slope = compiled.value_and_grad(3.7, 0.3)
    made = library(compiled.to_c("f"), tmp_path, "-O1")
    status, found = called(made.f_gradient, [3.7, 0.3], 1, 2)
    assert (status, found[:2]) == (0, [value, slope])


@needs_compiler
def test_an_input_that_is_called_as_an_operation_of_its_own(own_rows, tmp_path):
    ag.primitive("bend", "x / (1.0 + x * x)", "(1.0 - x * x) / (1.0 + x * x) ** 2")

    def f(bend, outputs, each, count):
        return ag.sum([ag.bend(x) * y for x, y in zip(bend, outputs)]) * each[0] + count[1]

    arguments = [0.5, 2.0], [1.0, -1.0], [3.0, 1.0], [0.25, 0.75]
    compiled = ag.compile(f, backend="python")
    made = library((compiled(*arguments), compiled.to_c("f"))[1], tmp_path)
    assert called(made.f, compiled.inputs(*arguments), 1) == (0, [f(*arguments)])
