"""Compiled functions as things: own primitives, batches, contexts, copies, methods, names in C, threads, memory."""

from __future__ import annotations

import contextlib
import copy
import gc
import linecache
import math
import pickle
import queue
import random
import re
import sys
import threading
import weakref

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value
from autograd.compiler import shadows
from autograd.compiler.draws import RLOCK
from tests.compiler.native import called, library, needs_compiler


class SimpleLine(nn.Module):
    def __init__(self):
        self.w = Value(2.0)

    def forward(self, x):
        return self.w * x


def test_batches_of_a_primitive_that_is_registered_again():
    bent = ag.primitive("bent", "2.0 * x", "2.0")
    f = ag.compile(lambda w, x: bent(w * x), batch=1)
    assert f.value_and_grad(3.0, [1.0, 2.0]) == (9.0, 3.0)
    text = f.to_c("energy")
    ag.primitive("bent", "x * x", "2.0 * x")
    with pytest.raises(ValueError, match="registered again; call it first"):
        f.to_c()
    assert f.value_and_grad(3.0, [1.0, 2.0]) == (22.5, 15.0)
    assert f.to_c("energy") != text


def test_a_derivative_of_a_call_before_a_primitive_was_registered_again_is_refused():
    curved = ag.primitive("curved", "x * x", "2.0 * x")
    x = Value(3.0)
    y = ag.compile(lambda x: curved(x) * x)(x)
    ag.primitive("curved", "x", "1.0")
    with pytest.raises(RuntimeError, match="computed before a primitive was registered again; call it again"):
        ag.grad(y, [x], create_graph=True)


def test_a_wrong_rule_leaves_the_registered_one():
    right = ag.primitive("kept", lambda x: x * x, lambda x, out: 2.0 * x)
    with pytest.raises(ag.GradcheckError):
        ag.primitive("kept", lambda x: 5.0 * x, lambda x, out: 3.0, check=True)
    assert right(3.0) == 9.0
    assert ag.grad(right)(3.0) == 6.0


def test_words_of_others_are_not_taken():
    ag.primitive("first_owner", "its_word(x)", "1.0", words={"its_word": lambda x: x})
    with pytest.raises(ValueError, match="brings the word 'its_word', which primitive 'first_owner' has already"):
        ag.primitive("second_owner", "its_word(x)", "1.0", words={"its_word": lambda x: 2.0 * x})
    with pytest.raises(ValueError, match="brings the word 'exp', which the table has already"):
        ag.primitive("third_owner", "exp(x)", "1.0", words={"exp": lambda x: 2.0 * x})
    assert ag.exp(0.0) == 1.0


def test_batches_differentiated_with_respect_to_arguments_in_any_order():
    f = ag.compile(lambda w, x: w * w * x, batch=1, reduce="sum")
    xs = [1.0, 2.0]
    for _ in range(2):
        for argnums, expected in [(0, 18.0), (1, [9.0, 9.0]), (0, 18.0), ((1, 0), ([9.0, 9.0], 18.0)), ((0, 0), (18.0, 18.0))]:
            found = f.value_and_grad(3.0, xs, argnums=argnums)[1]
            assert [np.asarray(part).tolist() for part in found] == list(expected) if isinstance(argnums, tuple) else (
                np.asarray(found).tolist() == expected
            )


@needs_compiler
def test_a_batch_in_c_is_the_program_of_one_example(tmp_path):
    f = ag.compile(lambda w, x, k: ag.take(w, k) * x * x, batch=(1, 2), reduce="mean")
    given = [2.0, 3.0], np.array([1.0, 2.0, 4.0]), np.array([0, 1, 1])
    value = f(*given)
    rows = f.inputs(*given)
    assert rows == [[2.0, 3.0, 1.0, 0.0], [2.0, 3.0, 2.0, 1.0], [2.0, 3.0, 4.0, 1.0]]
    text = f.to_c("energy")
    assert "all inputs have a place in there; 0 for those that index" in text
    made = library(text, tmp_path)
    results = [called(made.energy, row, 1)[1][0] for row in rows]
    assert sum(results) / 3 == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize("reduce", ["mean", "sum", None])
def test_anomalies_in_batches(reduce):
    f = ag.compile(lambda w, x: ag.log(w * x), batch=1, reduce=reduce)
    plain = f(2.0, [1.0, 2.0]), f.value_and_grad(2.0, [1.0, 2.0], argnums=1)
    with ag.detect_anomaly():
        assert np.allclose(f(2.0, [1.0, 2.0]), plain[0], rtol=1e-14)
        value, gradient = f.value_and_grad(2.0, [1.0, 2.0], argnums=1)
        assert np.allclose(value, plain[1][0], rtol=1e-14)
        assert np.allclose(gradient, plain[1][1], rtol=1e-14)
        with pytest.raises(FloatingPointError, match="log"):
            f(2.0, [1.0, 0.0])
        with pytest.raises(FloatingPointError, match="log"):
            f.value_and_grad(2.0, [1.0, 0.0], argnums=1)


def test_gradients_with_respect_to_models_under_detect_anomaly():
    model = nn.MLP(2, [2, 1], seed=1)
    f = ag.compile(lambda model, x: model(x) * x[0])
    expected = f.value_and_grad(model, [1.0, 2.0], argnums=(0, 1))
    with ag.detect_anomaly():
        value, (by_model, by_x) = f.value_and_grad(model, [1.0, 2.0], argnums=(0, 1))
    assert value == pytest.approx(expected[0], rel=1e-14)
    assert by_model == pytest.approx(expected[1][0], rel=1e-14)
    assert by_x == pytest.approx(expected[1][1], rel=1e-14)
    constant = ag.compile(lambda model, x: 3.0)
    with ag.detect_anomaly(), pytest.warns(ag.GradientWarning, match="does not depend on the inputs"):
        found = constant.value_and_grad(model, 2.0), constant.functional(model)(np.ones(9), 2.0)[1].tolist()
    assert found == ((3.0, dict.fromkeys(model.named_parameters(), 0.0)), [0.0] * 9)


def test_anomalies_in_calls_with_floats_are_found():
    f = ag.compile(lambda x: ag.where(x, x, ag.log(x)) * 2.0)
    assert f(2.0) == 4.0
    with ag.no_grad(), ag.detect_anomaly():
        assert f(2.0).__class__ is float
    with ag.detect_anomaly():
        assert f(2.0) == 4.0
        with pytest.raises(FloatingPointError, match="log"):
            f(0.0)


def test_a_batch_by_name_inside_another_program():
    f = ag.compile(lambda w, x: w * x, batch="x", reduce="sum")
    assert ag.compile(lambda w: f(w, x=[1.0, 2.0]))(3.0) == f(3.0, x=[1.0, 2.0]) == 9.0


@ag.compile
def at_the_top(x):
    return x * x


class AtTheTop:
    @ag.compile
    def method(self, x):
        return x * x * 2.0


def test_pickled_functions():
    assert pickle.loads(pickle.dumps(at_the_top)) is at_the_top
    assert copy.deepcopy(at_the_top) is at_the_top
    for function in (ag.compile(math.sin), AtTheTop().method, ag.compile(ag.sin), ag.compile(ag.sin, batch=0)):
        twin = pickle.loads(pickle.dumps(function))
        assert type(twin) is type(function)
    assert pickle.loads(pickle.dumps(AtTheTop().method))(3.0) == 18.0
    assert pickle.loads(pickle.dumps(ag.compile(ag.sin, batch=0, reduce="sum")))([0.0, 0.0]) == 0.0
    assert pickle.loads(pickle.dumps(ag.compile(ag.sin, backend="python"))).asked == "python"
    model = SimpleLine()
    model.square = at_the_top
    model.doubled = AtTheTop().method
    twin = pickle.loads(pickle.dumps(model))
    assert twin.square(twin(2.0)).data == 16.0
    with pytest.raises((pickle.PicklingError, AttributeError), match="lambda"):
        pickle.dumps(ag.compile(lambda x: x))


def test_copies_of_functionals():
    model = SimpleLine()
    step = ag.compile(lambda model, x: model(x) ** 2).functional(model)
    assert step(np.array([3.0]), 2.0)[0] == 36.0
    for twin in (copy.copy(step), copy.deepcopy(step)):
        assert twin(np.array([3.0]), 2.0)[0] == 36.0


def test_over_static_and_class_methods_and_properties():
    class Scaled:
        factor = 3.0

        def __init__(self, scale):
            self.scale = scale

        @ag.compile
        @staticmethod
        def static(x):
            return x * x

        @staticmethod
        @ag.compile
        def static_outside(x):
            return x * x

        @ag.compile
        @classmethod
        def of_class(cls, x):
            return x * x * cls.factor

        @ag.compile
        @property
        def doubled(self):
            return self.scale * 2.0

        @property
        @ag.compile
        def doubled_outside(self):
            return self.scale * 2.0

    class Other(Scaled):
        factor = 5.0

    thing = Scaled(Value(4.0))
    for static in (Scaled.static, thing.static, Scaled.static_outside, thing.static_outside):
        assert static(3.0) == 9.0
        assert static.value_and_grad(3.0) == (9.0, 6.0)
    for of_class, factor in ((Scaled.of_class, 3.0), (thing.of_class, 3.0), (Other.of_class, 5.0), (Other(1.0).of_class, 5.0)):
        assert of_class(3.0) == 9.0 * factor
        assert of_class.value_and_grad(3.0) == (9.0 * factor, 6.0 * factor)
    assert thing.doubled.data == thing.doubled_outside.data == 8.0
    thing.scale = Value(5.0)
    assert thing.doubled.data == thing.doubled_outside.data == 10.0
    with pytest.raises(AttributeError):
        thing.doubled = 1.0


@needs_compiler
@pytest.mark.parametrize("name", [
    "exp", "expf", "fmaxl", "register", "maximum", "NAN", "jn", "strlen", "__x", "sigmoid", "own_c",
])  # fmt: skip
def test_names_that_c_has(name, tmp_path):
    @ag.compile
    def f(x):
        return ag.exp(x) * ag.sigmoid(x) * ag.maximum(x, 0.5)

    f.__name__ = name
    value = f(1.0)
    text = f.to_c()
    made = library(text, tmp_path)
    function = getattr(made, name if name == "own_c" else "program")
    assert called(function, [1.0], 1)[1] == [pytest.approx(value, rel=1e-14)]


@needs_compiler
def test_own_primitives_with_names_that_c_has(tmp_path):
    names = [name for name in ("drem", "y1", "isless", "strlen", "struct", "tgamma") if name not in dir(ag)]
    functions = [ag.primitive(name, "x * x + exp(x) * x", "2.0 * x + exp(x) * (1.0 + x)") for name in names]
    f = ag.compile(lambda x: sum(function(x + float(k)) for k, function in enumerate(functions)))
    f.__name__ = names[0]
    value = f(0.5)
    assert called(library(f.to_c(), tmp_path).program, [0.5], 1)[1] == [pytest.approx(value, rel=1e-14)]


# Threads.


def test_another_thread_sees_the_numbers_of_the_model():
    model = SimpleLine()
    seen = queue.SimpleQueue()  # which a compiled function compares by identity

    def look():
        seen.put((model.w.data, model(2.0).data, type(model.w).__name__, repr(model.w), pickle.loads(pickle.dumps(model.w)).data))
        model.w.grad = 1.0
        model.w.label = "w"

    def f(model, x):
        y = model(x)
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
        return y * 1.0

    step = ag.compile(f).functional(model)
    with other_thread():
        assert step(np.array([7.0]), 2.0)[0] == 14.0
    assert seen.get() == (2.0, 4.0, "Value", "Value(data=2.0, grad=0.0)", 2.0)
    assert (model.w.data, model.w.grad, model.w.label) == (2.0, 1.0, "w")
    assert type(model.w) is Value
    assert shadows.blocks == 0
    assert Value.__dict__["_data"] is shadows.slot


def test_two_threads_trace_one_model():
    model, results = nn.MLP(2, [3, 1], seed=1), {}
    before = [p.data for p in model.parameters()]
    arrived = {0.5: threading.Lock(), 2.0: threading.Lock()}
    for lock in arrived.values():
        lock.acquire()

    def run(factor):
        mine, other = arrived[factor], arrived[2.5 - factor]

        def f(model, x):
            mine.release()
            other.acquire(timeout=5.0)  # both are in the middle of their traces
            return model([x, x]) * 1.0

        step = ag.compile(f).functional(model)
        results[factor] = step(factor * np.array(before), 2.0)[0]

    threads = [threading.Thread(target=run, args=(factor,)) for factor in (0.5, 2.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for factor, value in results.items():
        twin = copy.deepcopy(model)
        for p, number in zip(twin.parameters(), before):
            p.data = factor * number
        assert value == pytest.approx(twin([2.0, 2.0]).data, rel=1e-12)
    assert len(results) == 2
    assert [p.data for p in model.parameters()] == before
    assert shadows.blocks == 0


@pytest.mark.parametrize("draw", [
    random.random, random.gauss, np.random.rand, np.random.default_rng(1).random, random.Random(3).random,
])  # fmt: skip
def test_draws_of_another_thread_are_no_draws_of_the_function(draw):
    owner = draw.__self__
    if not isinstance(owner, random.Random) and not isinstance(np.random.default_rng().bit_generator.lock, RLOCK):
        pytest.skip("this NumPy has locks that one thread cannot take twice, so that nobody can tell who draws")
    arguments = (0.0, 1.0) if draw == random.gauss else ()

    def f(x):
        generator  # noqa: B018 - the function knows it
        thread = threading.Thread(target=draw, args=arguments)
        thread.start()
        thread.join(0.05)
        return x * x

    generator = getattr(draw, "__self__", None)
    with other_thread():
        assert ag.compile(f)(3.0) == 9.0


@pytest.mark.parametrize("draw", [
    random.random, lambda: random.gauss(0.0, 1.0), lambda: random.shuffle([1, 2]), lambda: np.random.rand(),
    lambda: np.random.shuffle([1.0, 2.0]), lambda: random.seed(3),
])  # fmt: skip
@pytest.mark.parametrize("others", [False, True])
def test_draws_of_the_function_are_found(draw, others):
    def f(x):
        draw()
        return x * x

    with other_thread() if others else contextlib.nullcontext(), pytest.raises(ag.TraceError, match="draws random numbers"):
        ag.compile(f)(3.0)
    assert sys.getprofile() is None


@contextlib.contextmanager
def other_thread():
    """Another thread that runs, whatever it does."""
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    try:
        yield
    finally:
        end.set()
        thread.join()


# Memory.


def entries():
    return {name for name in linecache.cache if name.startswith("<autograd program")}


@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_programs_and_their_lines_are_freed_with_the_function(backend):
    gc.collect()
    before = entries()
    f = ag.compile(lambda x: ag.logsumexp([x, x * x, 3.0]) * x, backend=backend)
    f.value_and_grad(3.0)
    f(2.0)
    program = weakref.ref(f.latest.latest.written.function)
    assert len(entries() - before) == 2
    lines = linecache.getlines(program().__code__.co_filename)
    assert any("return" in line for line in lines)
    del f
    gc.collect()
    assert program() is None
    assert entries() <= before


def test_programs_of_batches_and_functionals_are_freed():
    gc.collect()
    before = entries()
    model = SimpleLine()
    f = ag.compile(lambda model, x: model(x) ** 2, batch=1)
    step = f.functional(model)
    f(model, [1.0, 2.0])
    step(np.array([1.0]), [1.0, 2.0])
    assert len(entries() - before) == 2
    known = weakref.ref(step), weakref.ref(f)
    del f, step
    gc.collect()
    assert [ref() for ref in known] == [None, None]
    assert entries() <= before


class Own:
    x = 1.0


@pytest.mark.parametrize(("f", "arguments", "options", "message"), [
    (lambda x, y: x * y, (1.5, 2.5), {"argnums": "y"}, "argnums is the place of an argument, or several, not str 'y'"),
    (lambda x, y: x * y, (1.5, 2.5), {"argnums": 1.0}, "not float 1.0"),
    (lambda x, y: x * y, (1.5, 2.5), {"argnums": [0, "y"]}, "not list"),
    (lambda x: 2.0, ("n",), {}, "an argument of value_and_grad needs a number, not str 'n'"),
    (lambda d: d.x * 2.0, (Own(),), {}, "needs a number, not Own"),
    (lambda x: x * x, (1 + 2j,), {}, "needs a real number"),
])  # fmt: skip
def test_what_cannot_be_differentiated_is_named(f, arguments, options, message):
    with pytest.raises(TypeError, match=re.escape(message)):
        ag.compile(f).value_and_grad(*arguments, **options)


@pytest.mark.parametrize(("f", "read", "way_out"), [
    (lambda x: math.sin(x) * x, r"float\(\), as the functions of math do", "autograd.sin for math.sin"),
    (lambda x: int(x) * x, r"int\(\)", "autograd.floor"),
    (lambda x: round(x, 1) * x, r"round\(\)", "round"),
    (lambda x: math.floor(x) * x, r"math.floor\(\)", "autograd.floor"),
    (lambda x: x * len(f"{x:.2f}"), "as text", "leave the text out"),
    (lambda x: x.detach() * x, r"\.detach\(\)", "autograd.stop_gradient"),
    (lambda x: x.data * x, r"\.data", "stop_gradient"),
    (lambda x: x.item() * x, r"\.data", "stop_gradient"),
])  # fmt: skip
def test_a_number_that_is_read_is_named_as_it_is_written(f, read, way_out):
    with pytest.raises(ag.TraceError, match=rf"is read \({read}\) at .*test_compiled_functions.py, line .*{re.escape(way_out)}"):
        ag.compile(f)(1.5)


def test_audit_is_a_choice_of_three():
    with pytest.raises(TypeError, match="audit is True"):
        ag.compile(lambda x: x, audit="yes")
