"""One program in every language: NumPy, plain Python, C and JAX say what the engine says, with edges, guards and indices."""

from __future__ import annotations

import inspect
import math
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value
from autograd.compiler.c99 import File
from autograd.compiler.c_words import HELPERS, MATH
from autograd.compiler.program import Program
from autograd.functions import apply
from autograd.ops import TABLE
from tests.compiler.native import called, library, needs_compiler

ROOT = Path(__file__).resolve().parents[2]
EDGES = [0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 3.0, 170.0, math.inf, -math.inf, math.nan, 1e300, -1e300, 1e-300]
ROWS = [row for row in TABLE.values() if row.name != "take"]


def points(row):
    """Operands of a row: at random in its domain, and at the edges."""
    draw = random.Random(row.name)
    if row.arity is None:
        lists = [[draw.uniform(-3.0, 3.0) for _ in range(4)] for _ in range(6)]
        return [*lists, *[[draw.choice(EDGES) for _ in range(4)] for _ in range(20)]]
    found = [[draw.uniform(low, high) for low, high in row.domain] for _ in range(12)]
    if row.name in ("polygamma", "dsinc"):
        found = [[float(draw.randrange(0, 6)), draw.uniform(-30.0, 30.0)] for _ in range(40)]
    return [*found, *[[draw.choice(EDGES) for _ in range(row.arity)] for _ in range(14 if row.arity == 1 else 40)]]


def at_points(row):
    """A function that applies a row to the points, given one after the other; and the points in a list."""
    lists = points(row)
    width = len(lists[0])
    flat = [x for xs in lists for x in xs]
    return lambda xs: [apply(row, *xs[k : k + width]) for k in range(0, len(flat), width)], flat, lists


def same(found, expected, rel):
    assert found == pytest.approx(expected, rel=rel, abs=1e-300, nan_ok=True)
    for x, y in zip(found, expected):
        assert math.copysign(1.0, x) == math.copysign(1.0, y) or x != 0.0 or y != 0.0, "the sign of zero"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_in_plain_python_is_that_of_the_engine_bit_for_bit(row):
    function, flat, lists = at_points(row)
    expected = [row.function(xs) if row.arity is None else row.function(*xs) for xs in lists]
    found = ag.compile(function, backend="python")(flat)
    assert list(map(float.hex, found)) == list(map(float.hex, expected))


@pytest.fixture(scope="module")
def rows_in_c(tmp_path_factory):
    """Every row of the table as a function of C, in one file."""
    file = File()
    for row in ROWS:
        _, flat, _ = at_points(row)
        program, values = Program(), []
        for k in range(len(flat)):
            values.append(program.input(f"x.{k}"))
        width = row.arity or 4
        program.outputs = [program.add(row, values[k : k + width]) for k in range(0, len(flat), width)]
        file.add(program, f"row_{row.name}", (), careful=False)
    return library(file.text(), tmp_path_factory.mktemp("rows"), "-O1")


@needs_compiler
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_row_in_c_is_that_of_the_engine(row, rows_in_c):
    _, flat, lists = at_points(row)
    expected = [row.function(xs) if row.arity is None else row.function(*xs) for xs in lists]
    status, found = called(rows_in_c[f"row_{row.name}"], flat, len(expected))
    assert status == 0
    same(found, expected, 1e-9 if row.name in ("polygamma", "dsinc") else 1e-13)


def test_a_large_gradient_is_no_reason_to_warn():
    assert ag.compile(lambda x: x * 1e300).value_and_grad(1.0) == (1e300, 1e300)


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_shares_of_infinities_and_slopes_far_out_are_the_engines(backend):
    f = lambda x: [ag.logsumexp(x), ag.logaddexp(x[0], x[1]), ag.logaddexp2(x[0], x[1])]  # noqa: E731
    for k in range(3):
        chosen = lambda x, k=k: f(x)[k]  # noqa: E731
        compiled = ag.compile(chosen, backend=backend)
        for x in ([1.0, 2.0], [math.inf, 0.0], [math.inf, math.inf], [-math.inf, -math.inf], [-math.inf, 0.0], [3.0, 3.0]):
            value, gradient = ag.value_and_grad(chosen)(x)
            assert compiled.value_and_grad(x) == (pytest.approx(value, rel=1e-15), pytest.approx(gradient, rel=1e-14))
    for function in (ag.tanh, ag.sigmoid, ag.sinc, ag.asin, ag.cbrt):
        compiled = ag.compile(ag.grad(function), backend=backend)
        for x in (1e-300, 0.5, -0.25, 0.99):
            assert compiled(x) == pytest.approx(ag.grad(function)(x), rel=1e-13)
    compiled = ag.compile(ag.tanh, backend=backend)
    for x in (20.0, -300.0, 371.0):
        assert compiled.value_and_grad(x)[1] == pytest.approx(ag.grad(ag.tanh)(x), rel=1e-13, abs=2e-323)


def test_words_of_c_are_words_of_the_table():
    assert set(HELPERS) | set(MATH) <= set(TABLE)
    assert not set(HELPERS) & set(MATH)


def network():
    model = nn.MLP(2, [4, 1], seed=3)
    samples = [[math.cos(k), math.sin(2.0 * k)] for k in range(10)]

    def loss(model, samples):
        scores = [model(x) for x in samples]
        return nn.hinge_loss(scores, [1.0, -1.0] * 5) + 1e-3 * ag.sum([p * p for p in model.parameters()])

    return loss, model, samples


def engine(loss, model, samples):
    model.zero_grad()
    value = loss(model, samples)
    value.backward()
    return value.data, {name: p.grad for name, p in model.named_parameters().items()}


def test_a_network_in_plain_python():
    loss, model, samples = network()
    value, gradient = engine(loss, model, samples)
    compiled = ag.compile(loss, backend="python")
    found, slopes = compiled.value_and_grad(model, samples)
    assert found == pytest.approx(value, rel=1e-14)
    assert slopes == pytest.approx(gradient, rel=1e-12, abs=1e-14)
    assert "[sum(map(mul, x, y)) for x in [samples[i:i + 2] for i in range(0, 20, 2)] for y in" in compiled.source
    assert "np." not in compiled.source
    model.zero_grad()
    compiled(model, samples).backward()
    assert {name: p.grad for name, p in model.named_parameters().items()} == pytest.approx(gradient, rel=1e-12, abs=1e-14)
    executable = compiled.latest.latest
    assert inspect.getsource(executable.written.function) in compiled.source


def test_plain_python_reads_as_a_person_would_write_it():
    compiled = ag.compile(lambda w, x: ag.sum([ag.tanh(ag.dot(row, x)) for row in w]), backend="python")
    compiled([[1.0, 2.0], [3.0, 4.0]], [0.5, 0.25])
    assert compiled.source == (
        "def program(inputs):\n"
        "    w = inputs[0:4]\n"
        "    x = inputs[4:6]\n"
        "    z1 = [sum(map(mul, x, q)) for q in [w[l:l + 2] for l in range(0, 4, 2)]]\n"
        "    tanh_1 = [tanh(p) for p in z1]\n"
        "    s1 = sum(tanh_1)\n"
        "    return [s1], [], []\n"
    )  # fmt: skip


def test_plain_python_is_bit_for_bit_the_engine_where_nothing_is_summed():
    def f(xs):
        ys = [ag.tanh(x) * 0.3 - ag.sigmoid(y) / z for x, y, z in zip(xs, xs[1:], xs[2:])]
        return [ag.hypot(y, 2.0) ** x for x, y in zip(xs, ys)]

    draw = random.Random(1)
    xs = [draw.uniform(0.1, 3.0) for _ in range(40)]
    assert ag.compile(f, backend="python")(xs) == [y.data for y in f([Value(x) for x in xs])]


def test_without_numpy_compiled_functions_are_plain_python():
    program = """
import sys
sys.modules["numpy"] = None
import autograd as ag, nn
model = nn.MLP(3, [4, 1], seed=1)
loss = ag.compile(lambda model, xs: ag.sum([model(x) ** 2 for x in xs]))
xs = [[0.1, 0.2, 0.3], [1.0, -1.0, 0.5]]
value, gradient = loss.value_and_grad(model, xs)
model.zero_grad()
loss(model, xs).backward()
assert [p.grad for p in model.parameters()] == list(gradient.values())
assert "int loss" in loss.to_c("loss")
print(loss.source)
"""
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert "sum(map(mul" in shown


def test_back_ends_have_names():
    with pytest.raises(ValueError, match="has the back ends 'auto', 'numpy', 'python', 'native', not 'fortran'"):
        ag.compile(abs, backend="fortran")
    with pytest.raises(ValueError, match="no program yet"):
        ag.compile(lambda x: x).to_c()

    @ag.compile(backend="python")
    def double(x):
        return 2.0 * x

    assert double(3.0) == 6.0


@needs_compiler
@pytest.mark.parametrize("scratch", ["static", "auto"])
def test_a_network_in_c(tmp_path, scratch):
    loss, model, samples = network()
    value, gradient = engine(loss, model, samples)
    compiled = ag.compile(loss)
    compiled.value_and_grad(model, samples)
    text = compiled.to_c()
    inputs = compiled.inputs(model, samples)
    heading = text[: text.index("*/")]
    assert f"inputs, {len(inputs)} in number" in heading
    assert re.search(r"inputs\[17 .. 36\]: samples.0.0 to samples.9.1, 10 x 2", heading)
    assert "malloc" not in text
    assert re.search(r"SCRATCH double v\[\d+\]; /\* \d+ bytes \*/", text)
    made = library(text, tmp_path, "-O2", f"-DSCRATCH={scratch}")
    assert called(made.loss, inputs, 1) == (0, [pytest.approx(value, rel=1e-14)])
    status, (found, *slopes) = called(made.loss_gradient, inputs, 1, len(inputs))
    assert (status, found) == (0, pytest.approx(value, rel=1e-14))
    assert slopes[:17] == pytest.approx(list(gradient.values()), rel=1e-12, abs=1e-14)
    _, by_samples = compiled.value_and_grad(model, samples, argnums=1)
    assert slopes[17:] == pytest.approx(np.ravel(by_samples), rel=1e-12, abs=1e-14)


@needs_compiler
def test_results_in_containers_have_a_jacobian_in_c(tmp_path):
    f = lambda x: {"a": x[0] * x[1], "b": [ag.sin(x[2]), x[0], 3.0]}  # noqa: E731
    compiled = ag.compile(f)
    x = [2.0, 3.0, 0.5]
    compiled(x)
    made = library(compiled.to_c("several"), tmp_path)
    assert called(made.several, x, 4) == (0, [6.0, pytest.approx(math.sin(0.5)), 2.0, 3.0])
    _, found = called(made.several_gradient, x, 4, 12)
    assert found[4:] == pytest.approx([3.0, 2.0, 0.0, 0.0, 0.0, math.cos(0.5), 1.0, 0.0, 0.0, 0.0, 0.0, 0.0])


def branching(x):
    if x[0] > 1.0:
        return x[0] * x[1]
    return x[0] - x[1]


TABLE_OF_ROWS = [[0.1, 0.2], [1.1, 1.2], [2.1, 2.2]]


def indexing(table, i, k):
    a, b = ag.take(table, i)
    return a * b + ag.take(table[0], k)


@needs_compiler
def test_guards_and_indices_in_c(tmp_path):
    compiled = ag.compile(branching)
    compiled([2.0, 3.0])
    text = compiled.to_c()
    assert re.search(r"1: .*test_backends.py.*line \d+", text)
    made = library(text, tmp_path)
    assert called(made.branching, [2.0, 5.0], 1) == (0, [10.0])
    assert called(made.branching_gradient, [2.0, 5.0], 1, 2) == (0, [10.0, 5.0, 2.0])
    assert called(made.branching, [0.5, 5.0], 1)[0] == 1
    assert called(made.branching, [math.nan, 5.0], 1)[0] == 1
    compiled = ag.compile(indexing)
    compiled(TABLE_OF_ROWS, 1, 0)
    (folder := tmp_path / "indexing").mkdir()
    made = library(compiled.to_c(), folder)
    inputs = compiled.inputs(TABLE_OF_ROWS, 2, 1)
    value, gradient = ag.value_and_grad(indexing)(TABLE_OF_ROWS, 2, 1)
    status, (found, *slopes) = called(made.indexing_gradient, inputs, 1, len(inputs))
    assert (status, found) == (0, pytest.approx(value))
    assert slopes[:6] == pytest.approx([x for row in gradient for x in row])
    assert slopes[6:] == [0.0, 0.0]
    for wrong in (3.0, -1.0, math.nan):
        assert called(made.indexing, [*inputs[:6], wrong, 0.0], 1)[0] == -1


def test_guards_and_indices_in_plain_python():
    compiled = ag.compile(branching, backend="python")
    assert [compiled([x, 5.0]) for x in (2.0, 0.5, 3.0)] == [10.0, -4.5, 15.0]
    compiled = ag.compile(indexing, backend="python")
    for i, k in ((1, 0), (2, 1), (0, 0)):
        assert compiled(TABLE_OF_ROWS, i, k) == pytest.approx(indexing(TABLE_OF_ROWS, i, k))
        found = compiled.value_and_grad(TABLE_OF_ROWS, i, k)[1]
        assert np.ravel(found) == pytest.approx(np.ravel(ag.grad(indexing)(TABLE_OF_ROWS, i, k)))
    with pytest.raises(IndexError, match="i is 3"):
        compiled(TABLE_OF_ROWS, 3, 0)


@needs_compiler
def test_a_choice_that_was_not_taken_passes_nothing_on_in_careful_c(tmp_path):
    f = ag.compile(lambda x: ag.relu(ag.sqrt(x[0]) - 1.0) + x[1])
    f([0.0, 2.0])
    quick = library(f.to_c("quick"), tmp_path)
    (folder := tmp_path / "careful").mkdir()
    careful = library(f.to_c("careful", careful=True), folder)
    assert math.isnan(called(quick.quick_gradient, [0.0, 2.0], 1, 2)[1][1])
    assert called(careful.careful_gradient, [0.0, 2.0], 1, 2) == (0, [2.0, 0.0, 1.0])


@needs_compiler
def test_own_primitives_in_every_language(own_rows, tmp_path):
    soft = ag.primitive("soft_in_c", "log1p(exp(x)) if x < 30 else x", "sigmoid(x)")
    bend = ag.primitive("bend_in_c", "x ** 2 / (1 + y % 3.0) - floor(x) // 2", "2.0 * x / (1.0 + y % 3.0)", "None")
    f = lambda x: ag.sum([bend(soft(v), 4.5) for v in x])  # noqa: E731
    x = [0.5, -1.0, 31.0]
    value = f(x)
    compiled = ag.compile(f, backend="python")
    assert compiled(x) == pytest.approx(value, rel=1e-15)
    made = library(compiled.to_c("own"), tmp_path)
    assert called(made.own, x, 1) == (0, [pytest.approx(value, rel=1e-15)])


def test_an_own_primitive_that_is_a_python_function_has_no_c(own_rows):
    bump = ag.primitive("bump_in_c", lambda x: math.exp(-x * x), lambda x, out: -2.0 * x * out)
    compiled = ag.compile(lambda x: bump(x) * 2.0, backend="python")
    assert compiled(0.5) == 2.0 * math.exp(-0.25)
    with pytest.raises(TypeError, match=r"primitive 'bump_in_c' cannot be printed in C: its text .* uses 'bump_in_c_forward'"):
        compiled.to_c()


@needs_compiler
def test_names_that_a_language_has_already(tmp_path):
    def f(double, exp, inputs, x, u, v, sum, inf):
        return ag.exp(double) * exp + inputs[0] * x[0] + u[1] * v[0] + ag.sum(sum) + ag.sum([ag.tanh(a) for a in x]) * inf

    arguments = (0.5, 2.0, [3.0, 1.0], [0.25, 0.75], [1.5, -1.0], [2.0, 4.0], [1.0, 2.0, 3.0], 2.0)
    value = f(*arguments)
    compiled = ag.compile(f, backend="python")
    assert compiled(*arguments) == pytest.approx(value, rel=1e-15)
    made = library(compiled.to_c("double"), tmp_path)
    status, found = called(made.program_gradient, compiled.inputs(*arguments), 1, 15)
    assert (status, found[0]) == (0, pytest.approx(value, rel=1e-15))
