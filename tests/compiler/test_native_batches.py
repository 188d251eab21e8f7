"""Batches by machine code: against the engine and the NumPy program, whatever the number of examples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd.compiler import executable, runs
from autograd.compiler.tensors.instructions import Batch, IrregularError
from autograd.compiler.tensors.lower import lowered
from tests.compiler.native import needs_compiler
from tests.compiler.test_random_batches import NUMBERS, USUAL
from tests.compiler.test_random_programs import ROWS, programs, run

RNG = np.random.default_rng(5)
SIZES = (1, 2, 7, 8, 9, 63, 64, 65, 1000)  # examples
pytestmark = needs_compiler


def classified(model, x, y):
    return nn.cross_entropy(model(x), y) + nn.l2_penalty(model, 1e-2)


def both(f, *arguments, batch, reduce, argnums):
    """What the same call finds by machine code and by NumPy; machine code comes first, and is used."""
    found = []
    for backend in ("native", "numpy"):
        compiled = ag.compile(f, batch=batch, reduce=reduce, backend=backend, audit=False)
        for _ in range(2):
            result = compiled.value_and_grad(*arguments, argnums=argnums)
        found.append(result)
        assert compiled.backend == f"{backend}: as it was asked for"
    return found


def close(found, expected):
    """Whether numbers in containers agree, nan where nan is."""
    assert type(found) is type(expected)
    if isinstance(found, (tuple, list)):
        for x, y in zip(found, expected, strict=True):
            close(x, y)
    elif isinstance(found, dict):
        close(list(found.values()), list(expected.values()))
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-13)


@pytest.mark.parametrize("reduce", ["mean", "sum"])
def test_a_network_with_labels_and_a_penalty(reduce):
    model = nn.MLP(5, [9, 3], seed=0)
    compiled = ag.compile(classified, batch=(1, 2), reduce=reduce, backend="native")
    by_numpy = ag.compile(classified, batch=(1, 2), reduce=reduce, backend="numpy")
    for n in SIZES:
        x, y = RNG.standard_normal((n, 5)), RNG.integers(0, 3, n)
        close(compiled.value_and_grad(model, x, y), by_numpy.value_and_grad(model, x, y))
    assert "long count, const double *examples0, const double *examples1" in compiled.native_source
    assert "run by native: as it was asked for" in compiled.summary()


@pytest.mark.parametrize("reduce", ["mean", "sum", None])
@pytest.mark.parametrize("n", SIZES)
def test_derivatives_of_each_example(n, reduce):
    f = lambda x, y: ag.sin(x[0] * y) + ag.relu(x[1]) * x[2]  # noqa: E731
    close(*both(f, RNG.standard_normal((n, 3)), RNG.standard_normal(n), batch=(0, 1), reduce=reduce, argnums=(0, 1)))


def test_derivatives_with_respect_to_shared_and_batched_arguments():
    f = lambda w, x: ag.logsumexp([ag.dot(row, x) for row in w]) * w[0][0] + ag.norm(x)  # noqa: E731
    w = RNG.standard_normal((12, 11))
    for n in (3, 50):
        close(*both(f, w, RNG.standard_normal((n, 11)), batch=1, reduce="sum", argnums=(0, 1)))


def test_shared_and_varying_results_of_one_kind():
    f = lambda w, x: [ag.exp(ag.sin(v)) for v in (*w, *x)]  # noqa: E731
    w, x = RNG.standard_normal(5), RNG.standard_normal((9, 5))
    for reduce in (None, "sum"):
        found = ag.compile(f, batch=1, reduce=reduce, backend="native")(w, x)
        close(found, ag.compile(f, batch=1, reduce=reduce, backend="numpy")(w, x))


@pytest.mark.parametrize("n", [1, 5, 40])
def test_numbers_taken_by_batched_and_shared_indices(n):
    def f(table, rows, x, k, j):
        return ag.take(table, k) * x[0] + ag.take(x, k) * ag.take(table, j) + ag.take(rows, k)[1]

    x, k = RNG.standard_normal((n, 3)), RNG.integers(0, 3, n)
    given = [1.0, 2.5, -3.0], RNG.standard_normal((3, 12)), x, k, 2
    close(*both(f, *given, batch=(2, 3), reduce="sum", argnums=(0, 1, 2)))
    close(*both(f, *given, batch=(2, 3), reduce=None, argnums=2))
    with pytest.raises(IndexError, match="it must be from 0 to 2"):
        ag.compile(f, batch=(2, 3), backend="native")(*given[:3], np.full(n, 3), 2)


def test_several_arrays_in_one_argument():
    f = lambda pair, more: pair[0][1] * pair[1] + more["a"] * pair[0][0]  # noqa: E731
    pair = RNG.standard_normal((20, 2)), RNG.standard_normal(20)
    close(*both(f, pair, {"a": RNG.standard_normal(20)}, batch=(0, 1), reduce=None, argnums=(0, 1)))
    close(*both(lambda p: p[0] * p[1], pair[0].T.tolist() and (pair[1], pair[1] + 1.0), batch=0, reduce="sum", argnums=0))


def test_arrays_of_other_orders_and_types():
    f = lambda x: x[0] * x[1] + x[2]  # noqa: E731
    compiled = ag.compile(f, batch=0, reduce=None, backend="native")
    wide = RNG.standard_normal((30, 7))
    views = wide[:, 2:5], np.asfortranarray(wide[:, :3]), wide[::-1, :3], wide[::2, ::-2][:, :3], wide[:, :3].astype(np.float32)
    for x in views:
        np.testing.assert_allclose(compiled(x), x[:, 0] * x[:, 1] + x[:, 2], rtol=1e-6)


def test_guards_turn_examples_down():
    def bent(model, x, y):
        score = model(x)
        if score > 0.0:
            return score * score * y
        return -score * y if x[0] > 0.5 else score * y

    for n in (1, 7, 100):
        given = nn.MLP(5, [1], seed=3), RNG.standard_normal((n, 5)), RNG.standard_normal(n)
        close(*both(bent, *given, batch=(1, 2), reduce="sum", argnums=0))
        close(*both(bent, *given, batch=(1, 2), reduce=None, argnums=(1, 2)))


def test_nan_is_followed_with_care():
    x = np.array([1.0, np.nan, -2.0, 0.0] * 5)
    f = ag.compile(lambda x: ag.sqrt(ag.relu(x)) + x, batch=0, reduce=None, backend="native")
    f.value_and_grad(np.ones(8))
    value, slopes = f.value_and_grad(x)
    np.testing.assert_array_equal(np.isnan(value), np.isnan(x))
    np.testing.assert_array_equal(slopes, [ag.grad(lambda x: ag.sqrt(ag.relu(x)) + x)(v) for v in x.tolist()])
    masked = ag.compile(lambda w, x: ag.relu(ag.sqrt(x) * w - 1.0), batch=1, backend="native")
    assert masked.value_and_grad(2.0, np.array([0.0, 4.0])) == (1.5, 1.0)


def test_many_blocks_and_the_same_bits_twice(monkeypatch):
    monkeypatch.setattr("autograd.compiler.blocks.FEWEST", 24)
    monkeypatch.setattr("autograd.compiler.blocks.BYTES", 0)
    monkeypatch.setattr(runs, "BYTES", 0)
    model, x, y = nn.MLP(5, [9, 3], seed=0), RNG.standard_normal((100, 5)), RNG.integers(0, 3, 100)
    close(*both(classified, model, x, y, batch=(1, 2), reduce="mean", argnums=0))
    compiled = ag.compile(classified, batch=(1, 2), backend="native")
    step, weights = compiled.functional(model), np.array([p.data for p in model.parameters()])
    first = step(weights, x, y)[1].tobytes()
    assert all(step(weights, x, y)[1].tobytes() == first for _ in range(3))
    chosen, blocks = compiled.latest.latest.chosen, []
    run = chosen.run
    monkeypatch.setattr(chosen, "run", lambda parts: blocks.append(len(parts[1])) or run(parts))
    step(weights, x, y)
    assert len(blocks) == 5
    assert sum(blocks) == 100


@pytest.mark.parametrize("backend", ["native", "auto"])
def test_the_same_bits_on_any_number_of_threads(monkeypatch, backend):
    monkeypatch.setattr("autograd.compiler.blocks.FEWEST", 24)
    monkeypatch.setattr("autograd.compiler.blocks.BYTES", 0)
    monkeypatch.setattr(runs, "BYTES", 0)
    monkeypatch.setattr(executable, "BUILD", 0.0)
    monkeypatch.setattr(executable, "PER_INSTRUCTION", 1e-4)
    model, x, y = nn.MLP(5, [9, 3], seed=0), RNG.standard_normal((500, 5)), RNG.integers(0, 3, 500)
    x[3::97, 2] = 0.0

    def loss(model, x, y):
        root = ag.sqrt(ag.relu(x[2]))  # its slope at zero is computed with care
        return classified(model, x, y) * root if x[0] > -1.0 else root

    found = set()
    for threads in (1, 2, 3, 8):
        compiled = ag.compile(loss, batch=(1, 2), backend=backend, threads=threads)
        for _ in range(30):
            value, slopes = compiled.value_and_grad(model, x, y)
            _, each = compiled.value_and_grad(model, x, y, argnums=1)
        found.add((value, tuple(slopes.values()), each.tobytes()))
        assert compiled.backend.startswith("native")
    assert len(found) == 1


def test_threads_are_for_batches():
    with pytest.raises(ValueError, match="threads=2 runs the blocks of a batch on threads: name the batched arguments by batch"):
        ag.compile(lambda x: x, threads=2)
    for threads in (0, -1, 1.5, True):
        with pytest.raises(ValueError, match=f"a whole number from 1 on, not {threads!r}"):
            ag.compile(lambda x: x, batch=0, threads=threads)


def option(price, strike, time, rate, spread):
    root = spread * ag.sqrt(time)
    d = (ag.log(price / strike) + (rate + 0.5 * spread * spread) * time) / root
    normal = lambda z: 0.5 * ag.erfc(-z / math.sqrt(2.0))  # noqa: E731
    return price * normal(d) - strike * ag.exp(-rate * time) * normal(d - root)


def test_options_as_numpy_computes_them():
    special = pytest.importorskip("scipy.special")
    n = 5000
    price, strike, time, rate, spread = (RNG.uniform(low, high, n) for low, high in
                                         ((80, 120), (80, 120), (0.1, 2), (0.0, 0.1), (0.1, 0.5)))  # fmt: skip
    compiled = ag.compile(option, batch=(0, 1, 2, 3, 4), reduce=None, backend="native")
    value, slopes = compiled.value_and_grad(price, strike, time, rate, spread, argnums=(0, 1, 2, 3, 4))
    root = spread * np.sqrt(time)
    d = (np.log(price / strike) + (rate + 0.5 * spread**2) * time) / root
    late = strike * np.exp(-rate * time)
    np.testing.assert_allclose(value, price * special.ndtr(d) - late * special.ndtr(d - root), rtol=1e-9, atol=1e-11)
    density = price * np.exp(-0.5 * d * d) / math.sqrt(2.0 * math.pi)
    expected = (special.ndtr(d), -late / strike * special.ndtr(d - root),
                density * spread / (2.0 * np.sqrt(time)) + rate * late * special.ndtr(d - root),
                time * late * special.ndtr(d - root), density * np.sqrt(time))  # fmt: skip
    for slope, other in zip(slopes, expected):
        np.testing.assert_allclose(slope, other, rtol=1e-8, atol=1e-10)


def test_a_wide_network_as_the_engine():
    model = nn.MLP(784, [64, 10], seed=1)
    x, y = RNG.random((3, 784)), np.array([3, 9, 0])
    loss = lambda model, x, y: nn.cross_entropy(model(x), y)  # noqa: E731
    total = ag.sum([loss(model, row, k) for row, k in zip(x.tolist(), y.tolist())])
    model.zero_grad()
    total.backward()
    step = ag.compile(loss, batch=(1, 2), reduce="sum", backend="native").functional(model)
    value, slopes = step(np.array([p.data for p in model.parameters()]), x, y)
    assert value == pytest.approx(total.data, rel=1e-12)
    np.testing.assert_allclose(slopes, [p.grad for p in model.parameters()], rtol=1e-9, atol=1e-13)


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(programs(ROWS, USUAL), NUMBERS, st.sampled_from((1, 5, 8, 19)), st.integers(0, 1000))
def test_random_programs(steps, ws, n, seed):
    batch = np.random.default_rng(seed).integers(-2000, 2000, (n, 2)) / 1000.0
    f = lambda ws, xs: run(steps, [*ws, *xs])  # noqa: E731
    found = {}
    for backend in ("native", "numpy"):
        compiled = ag.compile(f, batch="xs", reduce="sum", backend=backend, audit=False)
        value, (shared, each) = compiled.value_and_grad(ws, batch, argnums=(0, 1))
        alone = ag.compile(f, batch="xs", reduce=None, backend=backend, audit=False)(ws, batch)
        found[backend] = [np.array(x) for x in (value, shared, each, alone)]
    if all((np.abs(x) < 1e6).all() for x in found["numpy"]):
        for x, y in zip(found["native"], found["numpy"]):
            np.testing.assert_allclose(x, y, rtol=1e-7, atol=1e-8)


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.too_slow])
@given(programs(ROWS, USUAL), NUMBERS, st.lists(NUMBERS, min_size=1, max_size=4))
def test_instructions_of_a_batch(steps, ws, batch):
    assume(all(row is not None for row, _ in steps))  # instructions know of no branches
    compiled = ag.compile(lambda ws, xs: run(steps, [*ws, *xs]), batch="xs", reduce=None, audit=False)
    expected = compiled(ws, np.array(batch))
    blocks = compiled.latest.latest
    tensors, outputs, n = blocks.tensors, blocks.program.outputs, len(batch)
    columns = {blocks.program.inputs[k]: column for k, column in blocks.batched.items()}
    try:
        code = lowered(tensors, [], Batch(8, (2,), columns), outputs)
    except IrregularError:
        return
    code.check()
    shared = [*blocks.fixed.gathered(np.array(ws)).tolist(), *[float(n)] * blocks.is_counted]
    found = code.run(shared, np.ravel(batch).tolist(), count=n)
    np.testing.assert_allclose(found[:n], expected, rtol=1e-9, atol=1e-12)


def test_auto_builds_after_some_blocks(monkeypatch):
    monkeypatch.setattr(executable, "BUILD", 0.0)
    monkeypatch.setattr(executable, "PER_INSTRUCTION", 2e-5)
    f = ag.compile(lambda x: ag.exp(x) * x, batch=0, audit=False)
    found = []
    for _ in range(30):
        assert f(np.full(3, 2.0)) == pytest.approx(2.0 * math.exp(2.0), rel=1e-14)
        found.append(f.backend.partition(":")[0])
    assert found[0] == "numpy"
    assert found[-1] == "native"
    assert found == sorted(found, reverse=True)


class Wrong(runs.MachineOfBlocks):
    """Machine code that loses a little of the last result."""

    def __call__(self, parts):
        *others, last = super().__call__(parts)
        return [*others, last * (1.0 + 1e-6)]


def test_wrong_machine_code_is_never_used(monkeypatch):
    monkeypatch.setattr(executable, "BUILD", 0.0)
    monkeypatch.setattr(executable, "PER_INSTRUCTION", 0.0)
    monkeypatch.setattr("autograd.compiler.blocks.MachineOfBlocks", Wrong)
    x = RNG.standard_normal((10, 2))
    f = ag.compile(lambda x: ag.sin(x[0]) * x[1], batch=0, reduce=None)
    for _ in range(3):
        np.testing.assert_allclose(f(x), np.sin(x[:, 0]) * x[:, 1], rtol=1e-14)
    assert f.backend.startswith("numpy: machine code and the printed program differ: result 0 of 10 is")
    with pytest.raises(ag.NativeError, match="differ: result 0 of 10 is"):
        ag.compile(f.function, batch=0, reduce=None, backend="native")(x)


def test_an_operation_that_is_a_python_function_stays_with_numpy(monkeypatch, own_rows):
    monkeypatch.setattr(executable, "BUILD", 0.0)
    monkeypatch.setattr(executable, "PER_INSTRUCTION", 0.0)
    twice = ag.primitive("twice_of_python", lambda x: 2.0 * x, "2.0")
    f = ag.compile(lambda x: twice(x) * x, batch=0, reduce="sum")
    assert [f(np.array([1.0, 3.0])) for _ in range(3)] == [20.0] * 3
    assert f.backend.startswith("numpy: there is no machine code of this program: primitive 'twice_of_python' cannot be")


def test_training_in_batches_comes_to_machine_code(monkeypatch):
    monkeypatch.setattr(executable, "BUILD", 0.0)
    x, y = RNG.standard_normal((40, 5)).tolist(), RNG.integers(0, 3, 40).tolist()
    models = [nn.MLP(5, [9, 3], seed=0) for _ in range(2)]
    for model, compiled in zip(models, (True, False)):
        nn.fit(model, x, y, loss=nn.cross_entropy, optimizer=nn.SGD(model.parameters(), lr=0.1), epochs=12, batch_size=10,
               compile=compiled, seed=1)  # fmt: skip
    for p, q in zip(models[0].parameters(), models[1].parameters()):
        assert p.data == pytest.approx(q.data, rel=1e-9, abs=1e-12)
