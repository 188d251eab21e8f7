"""The printed program on JAX: values and gradients as the engine has them, jit-ed and mapped over many examples."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd.compiler.on_jax import to_jax
from autograd.compiler.program import sums_of_products
from autograd.functions import apply
from autograd.ops import TABLE
from tests.compiler.test_random_programs import ROWS, eager, programs, traced

jax = pytest.importorskip("jax", reason="JAX is not installed")
ROOT = Path(__file__).parents[2]
# XLA takes numbers below 2.2e-308 for zero.
NORMAL = st.floats(-2.0, 2.0, allow_subnormal=False).filter(lambda x: x == 0.0 or abs(x) > 1e-30)
EDGES = [0.0, 1.0, -1.0, 0.5, -2.5, 3.0, math.inf, -math.inf, math.nan]


@pytest.fixture(autouse=True)
def double_precision():
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


def loss(model, samples, targets):
    return nn.mse_loss([model(x) for x in samples], targets) + 1e-3 * ag.sum([p * p for p in model.parameters()])


def test_a_network_is_jitted():
    model = nn.MLP(2, [4, 1], activation="tanh", seed=3)
    arguments = model, [[math.cos(k), math.sin(2.0 * k)] for k in range(10)], [0.1 * k for k in range(10)]
    compiled = ag.compile(loss)
    value, gradient = compiled.value_and_grad(*arguments)
    inputs = np.array(compiled.inputs(*arguments))
    run = jax.jit(compiled.to_jax())
    results, slopes = run(inputs)
    assert results.shape == (1,)
    assert slopes.shape == inputs.shape
    assert float(results[0]) == pytest.approx(value, rel=1e-13)
    np.testing.assert_allclose(slopes[: len(gradient)], list(gradient.values()), rtol=1e-11)
    differentiated = jax.grad(lambda inputs: run(inputs)[0][0])(inputs)  # JAX's own derivative of the printed program
    np.testing.assert_allclose(differentiated, slopes, rtol=1e-11, atol=1e-14)


def test_many_examples_at_once():
    compiled = ag.compile(lambda w, x: ag.tanh(ag.dot(w, x)))
    w, xs = [0.5, -1.0], np.linspace(-2.0, 2.0, 12).reshape(6, 2)
    compiled(w, xs[0])
    inputs = np.array([compiled.inputs(w, x) for x in xs])
    results, slopes = jax.jit(jax.vmap(compiled.to_jax()))(inputs)
    tanh = np.tanh(xs @ w)
    np.testing.assert_allclose(results[:, 0], tanh, rtol=1e-13)
    np.testing.assert_allclose(slopes[:, :2], (1.0 - tanh**2)[:, None] * xs, rtol=1e-12)


def test_where_the_program_is_not_valid_everything_is_nan():
    def f(table, x, i):
        return ag.take(table, i) * x if x > 1.0 else x

    compiled = ag.compile(f)
    compiled([2.0, 3.0], 2.0, 0)
    run = jax.jit(compiled.to_jax())
    results, slopes = run(np.array(compiled.inputs([2.0, 3.0], 4.0, 1)))
    assert results.tolist() == [12.0]
    assert slopes.tolist() == [0.0, 4.0, 3.0, 0.0]
    for wrong in ([2.0, 3.0, 0.5, 1.0], [2.0, 3.0, 4.0, 2.0], [2.0, 3.0, 4.0, -1.0]):
        results, slopes = run(np.array(wrong))
        assert np.isnan(results).all()
        assert np.isnan(slopes[:3]).all()  # the index has no derivative, here as elsewhere


def test_what_fails_is_an_error_where_it_is_checked():
    from jax.experimental import checkify

    def f(table, x, i):
        return ag.take(table, i) * x if x > 1.0 else x

    compiled = ag.compile(f)
    compiled([2.0, 3.0], 2.0, 0)
    run, right = compiled.to_jax(checked=True), np.array(compiled.inputs([2.0, 3.0], 4.0, 1))
    assert run(right)[0].tolist() == [12.0]
    jitted, mapped = jax.jit(checkify.checkify(run)), jax.jit(checkify.checkify(jax.vmap(run)))
    error, (results, slopes) = mapped(np.array([right, right]))
    assert error.get() is None
    assert results.tolist() == [[12.0]] * 2
    assert slopes.tolist() == [[0.0, 4.0, 3.0, 0.0]] * 2
    comparison, index = r"x > 1.0 is True in the program, and not for these inputs", "i indexes 2 rows: it must be from 0 to 1"
    for wrong, message in [
        ([2.0, 3.0, 0.5, 1.0], comparison), ([2.0, 3.0, math.nan, 1.0], comparison), ([2.0, 3.0, 4.0, 2.0], index),
        ([2.0, 3.0, 4.0, -1.0], index),
    ]:  # fmt: skip
        with pytest.raises(ValueError, match=message):
            run(np.array(wrong))
        for error, _ in (jitted(np.array(wrong)), mapped(np.array([right, wrong, right]))):
            with pytest.raises(ValueError, match=message):
                error.throw()
    with pytest.raises(ValueError, match="functionaliz"):  # JAX says what is missing
        jax.jit(run)(right)


def test_checks_and_care_go_together():
    from jax.experimental import checkify

    compiled = ag.compile(lambda x: (ag.relu(ag.sqrt(x[0]) - 1.0) + x[1]) * (1.0 if x[1] > 1.0 else 2.0))
    compiled([0.0, 2.0])
    run = jax.jit(checkify.checkify(compiled.to_jax(careful=True, checked=True)))
    error, (_, slopes) = run(np.array([0.0, 2.0]))
    assert error.get() is None
    assert slopes.tolist() == [0.0, 1.0]
    assert "is True in the program" in run(np.array([0.0, 1.0]))[0].get()


def test_braces_in_names_are_no_format():
    compiled = ag.compile(lambda x: x["{}"] if x["{}"] > 0.0 else 0.0)
    compiled({"{}": 1.0})
    with pytest.raises(ValueError, match=r"x\.\{\} > 0.0 is True"):
        compiled.to_jax(checked=True)(np.array([-1.0]))


SHARDED = """
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
jax.config.update("jax_enable_x64", True)
import autograd as ag, nn

model = nn.MLP(3, [5, 1], activation="tanh", seed=1)
weights = np.array([p.data for p in model.parameters()])
examples = np.random.default_rng(0).normal(size=(32, 4))
compiled = ag.compile(lambda model, x, y: (model(x) - y) ** 2)
compiled(model, examples[0, :3].tolist(), float(examples[0, 3]))
assert compiled.inputs(model, examples[1, :3].tolist(), float(examples[1, 3])) == [*weights, *examples[1]]
run = compiled.to_jax()

def of_one(weights, example):
    results, slopes = run(jax.numpy.concatenate([weights, example]))
    return jax.numpy.append(slopes[:weights.size], results)

def step(weights, examples):
    return jax.vmap(of_one, (None, 0))(weights, examples).mean(0)

assert len(jax.devices()) == 4
mesh = Mesh(np.array(jax.devices()), ("batch",))
whole, split = NamedSharding(mesh, PartitionSpec()), NamedSharding(mesh, PartitionSpec("batch"))
placed = jax.device_put(weights, whole), jax.device_put(examples, split)
sharded = jax.jit(step, in_shardings=(whole, split), out_shardings=whole)
text = sharded.lower(*placed).compile().as_text()
found = sharded(*placed)
assert len(found.sharding.device_set) == 4

step = ag.compile(compiled.function, batch=(1, 2)).functional(model)
value, gradient = step(weights, examples[:, :3].tolist(), examples[:, 3].tolist())
np.testing.assert_allclose(found, [*gradient, value], rtol=1e-12)
np.testing.assert_allclose(found, jax.jit(lambda w, e: jax.vmap(of_one, (None, 0))(w, e).mean(0))(weights, examples), rtol=1e-12)
print(*(text.count(f" {word}(") for word in ("all-reduce", "all-reduce-start", "all-gather", "all-to-all", "collective-permute")))
"""


def test_examples_on_four_devices_need_one_all_reduce():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4", "JAX_PLATFORMS": "cpu"}
    done = subprocess.run(
        [sys.executable, "-c", SHARDED], env=os.environ | flags, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["1", "0", "0", "0", "0"]


def test_results_in_containers_have_a_jacobian():
    compiled = ag.compile(lambda x: [x[0] * x[1], ag.sin(x[1])])
    compiled([2.0, 3.0])
    results, slopes = compiled.to_jax()(np.array([2.0, 3.0]))
    assert results.tolist() == pytest.approx([6.0, math.sin(3.0)])
    np.testing.assert_allclose(slopes, [[3.0, 2.0], [0.0, math.cos(3.0)]])


def test_a_choice_that_was_not_taken_passes_nothing_on_if_care_is_taken():
    compiled = ag.compile(lambda x: ag.relu(ag.sqrt(x[0]) - 1.0) + x[1])
    compiled([0.0, 2.0])
    assert jax.jit(compiled.to_jax(careful=True))(np.array([0.0, 2.0]))[1].tolist() == [0.0, 1.0]


def test_own_primitives_and_functions_without_a_name_in_jax(own_rows):
    bump = ag.primitive("bump_in_jax", lambda x: math.exp(-x * x), lambda x, out: -2.0 * x * out)
    soft = ag.primitive("soft_in_jax", "log1p(exp(x))", "sigmoid(x)")
    compiled = ag.compile(lambda x: ag.sum([bump(v) * soft(v) + ag.digamma(v) for v in x]))
    x = [0.5, 1.5, 2.0]
    value, gradient = compiled.value_and_grad(x)
    results, slopes = jax.jit(compiled.to_jax())(np.array(x))
    assert results.tolist() == pytest.approx([value], rel=1e-13)
    assert slopes.tolist() == pytest.approx(gradient, rel=1e-12)


@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.public], ids=lambda row: row.name)
def test_every_row(row):
    count = row.arity or 4
    lists = [[EDGES[(7 * j + (2 * k + 1) * j * j + k) % len(EDGES)] for k in range(count)] for j in range(40)]
    lists += [[low + (high - low) * (0.1 + 0.2 * k) for k in range(4)][:count] for low, high in row.domain[:1]]
    width = len(lists[0])

    flat = [x for xs in lists for x in xs]
    compiled = ag.compile(lambda xs: [apply(row, *xs[k : k + width]) for k in range(0, len(xs), width)])
    expected = compiled(flat)
    results, _ = compiled.to_jax()(np.array(flat))
    np.testing.assert_allclose(results, expected, rtol=1e-9, atol=1e-300)


@settings(max_examples=8)
@given(programs(ROWS, NORMAL), st.lists(NORMAL, min_size=1, max_size=4))
def test_random_programs(steps, xs):
    value, gradient = eager(steps, xs)
    assume(all(abs(slope) < 1e6 for slope in (value, *gradient)))
    program = sums_of_products(traced(steps, xs)[0]).new
    results, slopes = to_jax(program, range(len(xs)))(np.array(xs))
    assert float(results[0]) == pytest.approx(value, rel=1e-8, abs=1e-11)
    assert slopes.tolist() == pytest.approx(gradient, rel=1e-6, abs=1e-8)
