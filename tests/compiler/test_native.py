"""Machine code as users meet it: `backend="native"` and "auto", and what happens where there is none or it is wrong."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd.compiler import executable, runs
from autograd.compiler.native import building
from autograd.compiler.tensors import lower
from tests.compiler.native import needs_compiler
from tests.compiler.test_random_programs import INPUTS, ROWS, eager, programs, run

DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(12, 3)).tolist(), [k % 3 for k in range(12)]


def loss(model, inputs, labels):
    return nn.cross_entropy([model(x) for x in inputs], labels) + nn.l2_penalty(model, 0.01)


def by_engine(model):
    value = loss(model, X, Y)
    model.zero_grad()
    value.backward()
    return value.data, [p.grad for p in model.parameters()]


@needs_compiler
def test_a_network_by_machine_code():
    model = nn.MLP(3, [8, 3], seed=1)
    value, slopes = by_engine(model)
    compiled = ag.compile(loss, backend="native")
    step = compiled.functional(model)
    weights = np.array([p.data for p in model.parameters()])
    for _ in range(3):
        found = step(weights, X, Y)
        assert found[0] == pytest.approx(value, rel=1e-12)
        assert found[1] == pytest.approx(slopes, rel=1e-9, abs=1e-14)
    assert compiled.backend == "native: as it was asked for"
    assert "run by native" in compiled.summary()
    assert "void run(const double *in, double *out, double *scratch)" in compiled.native_source
    assert step(weights, X, Y)[1].tobytes() == step(weights, X, Y)[1].tobytes()


@needs_compiler
def test_values_and_higher_derivatives_go_through_machine_code():
    f = ag.compile(lambda x: ag.exp(ag.sin(x[0]) * x[1]) + x[1] ** 3, backend="native")
    x = [ag.Value(0.5), ag.Value(2.0)]
    f(x).backward()
    plain = ag.grad(lambda x: ag.exp(ag.sin(x[0]) * x[1]) + x[1] ** 3)([0.5, 2.0])
    assert [p.grad for p in x] == pytest.approx(plain, rel=1e-14)
    assert ag.hessian(f)([0.5, 2.0])[0] == pytest.approx(ag.hessian(f.function)([0.5, 2.0])[0], rel=1e-12)
    g = ag.compile(ag.grad(f.function), backend="native")
    assert g([0.5, 2.0]) == pytest.approx(plain, rel=1e-14)


@needs_compiler
def test_guards_and_indices_hold_as_elsewhere():
    @ag.compile(backend="native")
    def f(x, table, k):
        y = ag.take(table, k) * x
        return y if x > 0.0 else -3.0 * y

    for x in (2.0, -2.0, 0.0, 5.0):
        for k in (0, 2, 1):
            assert f.value_and_grad(x, [1.0, 10.0, 100.0], k) == ag.value_and_grad(f.function)(x, [1.0, 10.0, 100.0], k)
    with pytest.raises(IndexError, match="it must be from 0 to 2"):
        f(2.0, [1.0, 10.0, 100.0], 3)


@needs_compiler
def test_a_choice_not_taken_passes_no_nan_on():
    f = ag.compile(lambda x: ag.where(x, ag.sqrt(x), 0.0) + x, backend="native")
    assert f.value_and_grad(4.0) == (6.0, 1.25)
    assert f.value_and_grad(0.0) == ag.value_and_grad(f.function)(0.0)


@needs_compiler
@pytest.mark.parametrize("x", [0.0, -0.0, math.inf, -math.inf, math.nan, 5e-324, 1e308])
def test_edges_are_those_of_the_engine(x):
    def f(x):
        return [row(x) for row in (ag.tanh, ag.exp, ag.log, ag.sigmoid, ag.sqrt, ag.erf, ag.cbrt, ag.atan, ag.relu, abs)]

    compiled = ag.compile(f, backend="native")
    compiled(0.5)  # agrees with NumPy here, and is trusted then
    assert compiled(x) == pytest.approx(f(x), rel=1e-14, nan_ok=True)
    assert [math.copysign(1.0, y) for y in compiled(x) if y == y] == [math.copysign(1.0, y) for y in f(x) if y == y]


@needs_compiler
def test_products_are_rounded_before_they_are_compared():
    """A processor could compute p * p - q * q with one rounding, and p * p less itself would not be 0."""
    f = ag.compile(lambda p, q: [ag.sqrt(p * p - q * q), ag.where(p * p - q * q, 1.0, 0.0)], backend="native")
    g = ag.compile(lambda p, q: 1.0 if p * p - q * q == 0.0 else p * q, backend="native")
    assert f(3.0, 1.0) == [8.0**0.5, 1.0]
    for p in (0.1, 0.7, 1.1, math.pi, 1e-3):
        assert (f(p, p), g(p, p), g(p, 2.0)) == ([0.0, 0.0], 1.0, p * 2.0)


@needs_compiler
@settings(deadline=None, max_examples=12)
@given(programs(ROWS), INPUTS, st.integers(1, 3))
def test_random_programs(steps, xs, calls):
    value, gradient = eager(steps, xs)
    compiled = ag.compile(lambda xs: run(steps, xs), backend="native", audit=False)
    for _ in range(calls):
        found, slopes = compiled.value_and_grad(xs)
    if all(abs(g) < 1e6 for g in gradient):
        assert found == pytest.approx(value, rel=1e-9, abs=1e-12, nan_ok=True)
        assert slopes == pytest.approx(gradient, rel=1e-7, abs=1e-9, nan_ok=True)


@needs_compiler
def test_auto_builds_at_a_call_that_is_counted(monkeypatch):
    monkeypatch.setattr(executable, "BUILD", 0.0)
    monkeypatch.setattr(executable, "PER_INSTRUCTION", 4e-6)
    f = ag.compile(lambda x: ag.exp(x) * x, audit=False)
    found = []
    for _ in range(5):
        value = f(2.0)
        found.append(f.backend.partition(":")[0])
        assert value == pytest.approx(2.0 * math.exp(2.0), rel=1e-14)
    built = int(f.backend.split()[-2])
    assert 1 < built < 5
    assert found == ["numpy"] * (built - 1) + ["native"] * (6 - built)


def test_without_a_compiler_auto_stays_with_numpy_and_native_says_why(monkeypatch):
    monkeypatch.setattr(executable, "BUILD", 0.0)
    monkeypatch.setattr(executable, "PER_INSTRUCTION", 0.0)
    monkeypatch.setenv("CC", "no-such-compiler")
    f = ag.compile(lambda x: ag.exp(x) * x)
    with pytest.raises(ValueError, match="no program yet"):
        f.native_source  # noqa: B018
    assert [f(2.0) for _ in range(3)] == [2.0 * math.exp(2.0)] * 3
    with pytest.raises(ValueError, match=r"has no machine code \(numpy: CC='no-such-compiler'"):
        f.native_source  # noqa: B018
    assert f.backend.startswith("numpy: CC='no-such-compiler' names a compiler that is not here")
    with pytest.raises(ag.NativeError, match="names a compiler that is not here"):
        ag.compile(lambda x: ag.exp(x) * x, backend="native")(2.0)


@needs_compiler
def test_an_operation_that_is_a_python_function_stays_with_numpy(monkeypatch, own_rows):
    monkeypatch.setattr(executable, "BUILD", 0.0)
    monkeypatch.setattr(executable, "PER_INSTRUCTION", 0.0)
    twice = ag.primitive("twice_in_python", lambda x: 2.0 * x, "2.0")
    f = ag.compile(lambda x: twice(x) * x)
    assert [f.value_and_grad(3.0) for _ in range(3)] == [(18.0, 12.0)] * 3
    reason = "there is no machine code of this program: primitive 'twice_in_python' cannot be printed in C"
    assert f.backend.startswith(f"numpy: {reason}")
    with pytest.raises(ag.NativeError, match="cannot be printed in C"):
        ag.compile(f.function, backend="native")(3.0)


class Wrong(runs.Machine):
    """Machine code of a compiler that drops a term."""

    def __call__(self, parts):
        values, slopes, *rest = super().__call__(parts)
        slopes = np.array(slopes)
        slopes[-1] *= 1.0 + 1e-6
        return values, slopes, *rest


@needs_compiler
def test_wrong_machine_code_is_never_used(monkeypatch):
    monkeypatch.setattr(executable, "BUILD", 0.0)
    monkeypatch.setattr(executable, "PER_INSTRUCTION", 0.0)
    monkeypatch.setattr(executable, "Machine", Wrong)
    f = ag.compile(lambda x: ag.sin(x[0]) * x[1])
    right = ag.value_and_grad(f.function)([1.0, 2.0])
    for _ in range(3):
        assert f.value_and_grad([1.0, 2.0]) == (pytest.approx(right[0]), pytest.approx(right[1], rel=1e-14))
    assert "machine code and the printed program differ: result 2 of 3 is" in f.backend
    with pytest.raises(ag.NativeError, match="differ: result 2 of 3 is"):
        ag.compile(f.function, backend="native").value_and_grad([1.0, 2.0])


class Infinite(runs.Machine):
    """Machine code that makes an infinity of a number."""

    def __call__(self, parts):
        values, slopes, *rest = super().__call__(parts)
        return np.array(values) * math.inf, slopes, *rest


@needs_compiler
def test_an_infinity_that_should_be_a_number_is_wrong(monkeypatch):
    monkeypatch.setattr(executable, "Machine", Infinite)
    with pytest.raises(ag.NativeError, match="differ: result 0 of 2 is inf"):
        ag.compile(lambda x: ag.exp(x), backend="native").value_and_grad(1.0)


@needs_compiler
def test_programs_that_compute_nothing():
    for f in (lambda x: 3.0, lambda x: x, lambda x: x if x > 0.0 else -1.0 * x, lambda x: x * (math.pi * 2.0)):
        for x in (2.0, -2.0):
            assert ag.compile(f, backend="native").value_and_grad(x) == (f(x), ag.derivative(f)(x) if f(x) != 3.0 else 0.0)


@needs_compiler
def test_a_mistake_of_our_own_leaves_auto_with_numpy(monkeypatch):
    monkeypatch.setattr(executable, "BUILD", 0.0)
    monkeypatch.setattr(executable, "PER_INSTRUCTION", 0.0)

    def broken(job):
        raise IndexError("a mistake")

    monkeypatch.setattr(executable, "Machine", broken)
    f = ag.compile(lambda x: ag.exp(x) * x)
    assert [f(2.0) for _ in range(3)] == [2.0 * math.exp(2.0)] * 3
    assert f.backend == "numpy: IndexError: a mistake"


@needs_compiler
def test_what_cannot_be_compared_waits_for_the_next_call(monkeypatch):
    monkeypatch.setattr(executable, "Machine", Wrong)
    f = ag.compile(lambda x: ag.exp(x[0]) * x[1], backend="native")
    assert f.value_and_grad([710.0, 1.0])[0] == math.inf  # infinities agree: nothing is known of finite numbers beside them
    with pytest.raises(ag.NativeError, match="differ"):
        f.value_and_grad([1.0, 2.0])


@needs_compiler
def test_threads_share_machine_code():
    f = ag.compile(lambda xs: sum(ag.tanh(x * x) for x in xs), backend="native", audit=False)
    f.value_and_grad([0.1] * 50)
    found = {}

    def work(k):
        xs = [0.01 * k] * 50
        found[k] = {f.value_and_grad(xs)[0] for _ in range(50)}

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {k: len(values) for k, values in found.items()} == dict.fromkeys(range(8), 1)
    assert all(values.pop() == pytest.approx(50 * math.tanh((0.01 * k) ** 2)) for k, values in found.items())


@needs_compiler
@pytest.mark.parametrize("batch", [None, 0])
def test_what_is_kept_is_not_even_written_again(place, monkeypatch, batch):
    def built():
        building._loaded.clear()
        compiled = ag.compile(lambda x: ag.exp(x) * x + 2.0, backend="native", batch=batch, reduce=None if batch == 0 else "mean")
        return compiled([0.5, 1.5] if batch == 0 else 0.5), compiled.native_source

    first, kept = built(), place.kept()
    monkeypatch.setattr(lower, "lowered", lambda *_: pytest.fail("lowered again"))
    compiled = ag.compile(lambda x: ag.exp(x) * x + 2.0, backend="native", batch=batch, reduce=None if batch == 0 else "mean")
    building._loaded.clear()
    assert np.array_equal(compiled([0.5, 1.5] if batch == 0 else 0.5), first[0])
    assert place.kept() == kept


@needs_compiler
def test_another_library_of_ours_makes_other_machine_code(place, monkeypatch):
    f = ag.compile(lambda x: ag.exp(x) * x, backend="native")
    f(0.5)
    kept = place.kept()
    monkeypatch.setattr(runs, "source_digest", lambda: b"another")
    building._loaded.clear()
    assert ag.compile(f.function, backend="native")(0.5) == f(0.5)
    assert len(place.kept()) == len(kept) + 1


@needs_compiler
def test_an_own_primitive_of_the_same_name_makes_other_machine_code(place, own_rows):
    twice = ag.primitive("kept_times", "2.0 * x", "2.0")
    assert ag.compile(lambda x: twice(x) * x, backend="native")(3.0) == 18.0
    thrice = ag.primitive("kept_times", "3.0 * x", "3.0")
    assert ag.compile(lambda x: thrice(x) * x, backend="native")(3.0) == 27.0
