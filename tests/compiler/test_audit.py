"""Audits: a compiled function notices that what it depends on has changed, also where nothing says so, without false alarms."""

from __future__ import annotations

import array
import ctypes
import decimal
import functools
import io
import numbers
import os
import random
import secrets
import sqlite3
import sys
import threading
import time
import uuid
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd as ag
import nn
from autograd import CompileMismatch, Value
from autograd.compiler.audit import SHARE, Auditor, Follower, Record
from autograd.compiler.blocks import pool
from autograd.compiler.program import Program
from tests.test_random_expressions import ROWS, programs, run


class Cell:
    """A state that only C code sees."""

    def __init__(self, number):
        self.held = ctypes.c_double(number)


BASES = []  # open databases


def table_with(number):
    base = sqlite3.connect(":memory:")
    BASES.append(base)
    base.execute("create table rates (rate)")
    base.execute("insert into rates values (?)", (number,))
    return base


# What a function may depend on, and how it changes; no capture knows all of these.
def clock(tmp_path):
    return lambda x: x * time.perf_counter_ns(), lambda: None


def generator_inside(tmp_path):
    return lambda x: x * random.Random().random(), lambda: None


def numpy_generator_inside(tmp_path):
    return lambda x: x * np.random.default_rng().random(), lambda: None


def secret(tmp_path):
    return lambda x: x * secrets.randbelow(1 << 60), lambda: None


def unique(tmp_path):
    return lambda x: x * (uuid.uuid4().int & 0xFFFF_FFFF), lambda: None


def file(tmp_path):
    path = tmp_path / "rate"
    path.write_text("2.0")
    return lambda x: x * float(path.read_text()), lambda: path.write_text("3.0")


def folder(tmp_path):
    return lambda x: x * (1 + len(os.listdir(tmp_path))), lambda: (tmp_path / "one").write_text("")


def environment(tmp_path):
    os.environ["AUTOGRAD_TEST_RATE"] = "2.0"
    return lambda x: x * float(os.environ["AUTOGRAD_TEST_RATE"]), lambda: os.environ.update(AUTOGRAD_TEST_RATE="3.0")


def c_memory(tmp_path):
    cell = Cell(2.0)
    return lambda x: x * cell.held.value, lambda: setattr(cell.held, "value", 3.0)


def database(tmp_path):
    base = table_with(2.0)
    rate = lambda: base.execute("select rate from rates").fetchone()[0]  # noqa: E731
    return lambda x: x * rate(), lambda: base.execute("update rates set rate = 3.0")


def stream(tmp_path):
    text = io.StringIO("2.0")

    def change():
        text.seek(0)
        text.write("3.0")

    return lambda x: x * float(text.getvalue()), change


def thread_local(tmp_path):
    local = threading.local()
    local.rate = 2.0
    return lambda x: x * local.rate, lambda: setattr(local, "rate", 3.0)


def precision(tmp_path):
    decimal.getcontext().prec = 5

    def change():
        decimal.getcontext().prec = 10

    return lambda x: x * float(decimal.Decimal(1) / 3), change


def interpreter(tmp_path):
    limit = sys.getswitchinterval()

    def change():
        sys.setswitchinterval(0.006 if limit != 0.006 else 0.005)

    return lambda x: x * sys.getswitchinterval(), change


def buffer(tmp_path):
    numbers = array.array("d", [2.0])
    view = memoryview(numbers)
    return lambda x: x * view[0], lambda: numbers.__setitem__(0, 3.0)


CHANGES = [
    clock, generator_inside, numpy_generator_inside, secret, unique, file, folder, environment, c_memory, database, stream,
    thread_local, precision, interpreter, buffer,
]  # fmt: skip


@pytest.fixture(autouse=True)
def surroundings():
    precision, interval = decimal.getcontext().prec, sys.getswitchinterval()
    yield
    decimal.getcontext().prec = precision
    sys.setswitchinterval(interval)
    os.environ.pop("AUTOGRAD_TEST_RATE", None)
    while BASES:
        BASES.pop().close()


@pytest.mark.parametrize("kind", CHANGES)
def test_an_audit_catches_what_cannot_be_noticed(kind, tmp_path):
    function, change = kind(tmp_path)
    try:
        compiled = ag.compile(function, audit=False)
        first = compiled(1.5)
        change()
        report = compiled.audit(1.5)
        if report:  # noticed by itself: then it was traced again
            assert compiled(1.5) == function(1.5) != first
            return
    except ag.TraceError:
        return  # refused
    assert report.was != report.now
    assert "test_audit.py, line" in report.line
    assert "pass it as an argument" in str(report)


@pytest.mark.parametrize("kind", CHANGES)
def test_the_second_call_is_audited(kind, tmp_path):
    function, change = kind(tmp_path)
    compiled = ag.compile(function)
    message = ""
    try:
        compiled(1.5)
        change()
        assert compiled(1.5) == function(1.5)  # noticed by itself
    except ag.TraceError:
        return  # refused
    except CompileMismatch as error:
        message = str(error)
    assert not message or ("does not do any more what was compiled: at" in message and "test_audit.py, line" in message)


def test_every_way_to_call_is_audited(tmp_path):
    rate = tmp_path / "rate"
    model = nn.MLP(2, [2, 1], seed=1)

    def loss(model, x):
        return model(x) * float(rate.read_text())

    def of_numbers(x, w):
        return ag.sum(x) * w * float(rate.read_text())

    points, weights = np.ones((4, 2)), np.array([p.data for p in model.parameters()])
    functional, value = ag.compile(loss).functional(model), ag.compile(loss).functional(model)
    batched = ag.compile(loss, batch=("x",)).functional(model)
    plain, gradient, mean = ag.compile(of_numbers), ag.compile(of_numbers), ag.compile(of_numbers, batch=("x",))
    each = ag.compile(of_numbers, batch=("x",), reduce=None)
    calls = [
        lambda: plain([1.0, 2.0], 2.0), lambda: plain([Value(1.0), 2.0], 2.0), lambda: gradient.value_and_grad([1.0, 2.0], 2.0),
        lambda: functional(weights, [1.0, 2.0]), lambda: batched(weights, points), lambda: mean(points, 2.0),
        lambda: mean(points, Value(2.0)), lambda: mean.value_and_grad(points, 2.0, argnums=1), lambda: each(points, 2.0),
        lambda: value.value(weights, [1.0, 2.0]),
    ]  # fmt: skip
    for call in calls:
        for compiled in (plain, gradient, mean, each, functional.compiled, value.compiled, batched.compiled):
            compiled.auditor, compiled.variants = Auditor(True), type(compiled.variants)("f")
        rate.write_text("2.0")
        before = np.array([p.data for p in model.parameters()])
        call()
        call()
        rate.write_text("3.0")
        with pytest.raises(CompileMismatch, match=r"the program has .*2\.0.*, and the function now has .*3\.0"):
            call()
        call()  # traced again
        assert np.array([p.data for p in model.parameters()]).tolist() == before.tolist()


@pytest.mark.parametrize("compile", [True, "mean"])
def test_a_training_is_audited(tmp_path, compile):
    rate = str(tmp_path / "rate")
    Path(rate).write_text("1.0")

    def loss(outputs, targets):
        with open(rate) as file:
            factor = float(file.read())
        with open(rate, "w") as file:  # the next run reads another number
            file.write(str(factor + 1.0))
        return nn.mse_loss(outputs, targets) * factor

    inputs, targets = [[0.0, 1.0], [1.0, 0.0]] * 4, [[1.0], [0.0]] * 4
    with pytest.raises(CompileMismatch, match=r"test_audit\.py"):
        nn.fit(nn.Linear(2, 1, seed=1), inputs, targets, loss=loss, epochs=5, compile=compile, progress=False)


def test_audit_true_audits_every_call_and_false_none(tmp_path):
    rate = tmp_path / "rate"
    rate.write_text("2.0")
    always = ag.compile(lambda x: x * float(rate.read_text()), audit=True)
    never = ag.compile(lambda x: x * float(rate.read_text()), audit=False)
    for _ in range(5):
        assert always(1.0) == never(1.0) == 2.0
    rate.write_text("3.0")
    assert never(1.0) == 2.0
    with pytest.raises(CompileMismatch):
        always(1.0)
    assert always(1.0) == 3.0


def test_an_error_in_an_audit_is_a_difference(tmp_path):
    rate = tmp_path / "rate"
    rate.write_text("2.0")
    compiled = ag.compile(lambda x: x * float(rate.read_text()), audit=False)
    compiled(1.0)
    rate.unlink()
    report = compiled.audit(1.0)
    assert report.now.startswith("FileNotFoundError")
    assert "test_audit.py, line" in report.line


def test_other_containers_comparisons_and_lengths_are_differences(tmp_path):
    switch = str(tmp_path / "switch")

    def changing(first, second):
        compiled = ag.compile(lambda x: second(x) if os.path.exists(switch) else first(x), audit=False)
        compiled(2.0)
        Path(switch).touch()
        report = compiled.audit(2.0)
        Path(switch).unlink()
        return report

    assert "results" in changing(lambda x: [x, x], lambda x: (x, x)).was
    assert "results" in changing(lambda x: [x, x], lambda x: [x, x, x]).was
    assert "results" in changing(lambda x: {"a": x}, lambda x: {"b": x}).was
    assert "results" in changing(lambda x: [x, x * 1.0], lambda x: [x * 1.0, x]).was
    assert "x > 1.0" in changing(lambda x: x if x > 0.0 else -x, lambda x: x if x > 1.0 else -x).now
    assert "comparisons" in changing(lambda x: x if x > 0.0 else -x, lambda x: x).was
    assert changing(lambda x: x * 2.0, lambda x: x * 2.0)


def test_the_order_of_a_sum_is_no_difference():
    terms = [Value(float(k)) for k in range(1, 9)]

    def shuffled():
        order = list(range(8))
        order.sort(key=lambda _: time.perf_counter_ns() * 7919 % 104_729)
        return order

    compiled = ag.compile(lambda x: ag.sum([x * terms[k] for k in shuffled()]) + sum(terms[k] * x * x for k in shuffled()))
    for _ in range(20):
        compiled(1.5)
        assert compiled.audit(1.5)
    scaled = ag.compile(lambda x: sum(k * terms[k] * x for k in shuffled()), audit=False)
    scaled(1.5)
    assert scaled.audit(1.5)
    wrong = ag.compile(lambda x: sum(k * terms[i] * x for k, i in enumerate(shuffled())), audit=False)
    wrong(1.5)
    assert not all(wrong.audit(1.5) for _ in range(20))


def test_random_states_and_output_are_untouched(capsys):
    rng, numpy_rng, old = random.Random(1), np.random.default_rng(1), np.random.RandomState(1)

    def function(x):
        print("running")
        return x * 2.0

    compiled = ag.compile(function, audit=True)
    def states():
        arrays = np.random.get_state(), numpy_rng.bit_generator.state, old.get_state()
        return [random.getstate(), rng.getstate(), *map(str, arrays)]

    before = states()
    compiled(1.0)
    compiled(2.0)
    assert capsys.readouterr().out == "running\n"
    assert states() == before


@pytest.mark.parametrize("threads", ["none", "blocks", "tqdm"])
def test_a_function_that_begins_to_draw_is_put_back(tmp_path, threads):
    if threads == "blocks":  # threads that stay, and draw nothing
        pool(2).submit(time.sleep, 0.0).result()
    elif threads == "tqdm":
        list(pytest.importorskip("tqdm").tqdm(range(3), disable=False, file=io.StringIO()))
    switch = str(tmp_path / "switch")
    rng = np.random.default_rng(3)

    def function(x, rng):
        return x * (rng.random() + random.random() if os.path.exists(switch) else 2.0)

    compiled = ag.compile(function, audit=False)
    compiled(1.0, rng)
    Path(switch).touch()
    states = random.getstate(), str(rng.bit_generator.state)
    report = compiled.audit(1.0, rng)
    assert "draws random numbers" in report.now
    assert (random.getstate(), str(rng.bit_generator.state)) == states


def test_a_comparison_that_rounding_tips_is_no_difference():
    xs = [0.1] * 10
    compiled = ag.compile(lambda xs, c: xs[0] if sum(xs) >= c else -xs[0], audit=True)
    exact = sum(xs)
    for c in (exact, np.nextafter(exact, 2.0), np.nextafter(exact, 0.0), 1.0):
        compiled(xs, float(c))


@given(programs(ROWS), st.tuples(st.floats(0.3, 1.7), st.floats(0.3, 1.7)))
def test_random_programs_raise_no_false_alarm(steps, point):
    compiled = ag.compile(lambda x, y: run(steps, x, y), audit=True)
    compiled(*point)
    compiled(point[1], point[0])
    compiled.value_and_grad(*point)


def test_networks_and_their_losses_raise_no_false_alarm():
    model = nn.MLP(3, [4, 4, 1], seed=1)
    compiled = ag.compile(lambda model, x: model(x) ** 2 + sum(p * p for p in model.parameters()), audit=True)
    draw = random.Random(0)
    for _ in range(5):
        loss = compiled(model, [draw.uniform(-1, 1) for _ in range(3)])
        loss.backward()
        for p in model.parameters():
            p.data -= 0.1 * p.grad
            p.grad = 0.0


@functools.singledispatch
def twice(x):
    return x * 3.0


@twice.register
def _(x: float):
    return x * 2.0


def by_pattern(x):
    match x:
        case float():
            return x * 2.0
        case _:
            return x * 3.0


def by_attribute(x):
    try:
        return x.relu() * 3.0
    except AttributeError:
        return x * 2.0


ASKING = {
    "isinstance": lambda x: x * 2.0 if isinstance(x, float) else x * 3.0,
    "type": lambda x: x * {float: 2.0}.get(type(x), 3.0),
    "class": lambda x: x * (2.0 if x.__class__ is float else 3.0),
    "number of the standard library": lambda x: x * 2.0 if isinstance(x, (numbers.Real, complex)) else x * 3.0,
    "name of the type": lambda x: x * len(type(x).__name__) * len(type(x).__module__),
    "has a method": lambda x: x * 2.0 if hasattr(x, "hex") and not hasattr(x, "exp") else x * 3.0,
    "dispatch": lambda x: twice(x),
    "pattern": by_pattern,
    "attribute": by_attribute,
    "constant": lambda x: 2.0 if isinstance(x, float) else 3.0,
}


@pytest.mark.parametrize("name", ASKING)
def test_a_function_that_asks_what_a_number_is_is_found(name):
    function = ASKING[name]
    compiled = ag.compile(function, audit=False)
    try:
        first = compiled(1.5)
    except TypeError:
        return  # refused
    report = compiled.audit(1.5)
    assert bool(report) == (first == function(1.5))
    if not report:
        assert "for plain numbers" in str(report)
        assert (report.was, report.now) == (repr(first), repr(function(1.5)))


class Rates:
    def __init__(self, rate):
        self.rate = rate


SOUND = {
    "sums that cancel": (lambda xs: sum(xs), [1e16, 1.0, -1e16]),
    "sums of products": (lambda xs: sum(x * y for x, y in zip(xs, xs[1:])) - sum(xs), [0.1 * k for k in range(50)]),
    "functions of NumPy": (lambda x: np.sum(np.exp(x)) - np.exp(x) @ x, np.linspace(-3.0, 3.0, 200)),
    "functions of NumPy on floats": (lambda x: np.tanh(np.sin(x) * 1e3) * np.float64(2.0), 1.5),
    "chaos": (lambda x: functools.reduce(lambda y, _: np.sin(3.9 * y) * 4.0, range(200), x), 0.3),
    "methods of Values": (lambda x: x.relu() + x.sigmoid(), 1.5),
    "division by 0": (lambda x: ag.where(x > 0.0, x, 1.0 / x), 0.0),
    "roots of negative numbers": (lambda x: x**0.5 + abs(x**1.5), -2.0),
    "overflow": (lambda x: 2.0 / (x**400 + 1.0), 10.0),
    "steps": (lambda x: x // 0.1 + x % 0.1 + ag.round(x * 10.0), 0.7),
    "comparisons of sums": (lambda xs: xs[0] if sum(xs) > 0.0 else xs[1], [0.1, 0.2, -0.3]),
    "integers": (lambda xs, n: sum(xs) * n / 3 + n * 0.1 + 0.9**n, [1.0, 2.0], 7),
    "indices": (lambda xs, n: xs[n] * ag.take(xs, n), [1.0, 2.0], 1),
    "a set": (lambda xs: sum({id(x): x for x in {Cell(2.0), Cell(3.0)}}, 0) * 0.0 + xs[0], [1.0]),
    "Values": (lambda w, x: w * x + ag.log(w), Value(2.0), 3.0),
    "other kinds": (lambda x, flag, text: x * len(text) if flag else x, 1.5, True, "abc"),
    "containers": (lambda t: {"a": [t["w"][0] * 2.0, t["b"]], "b": (t["b"],)}, {"w": [1.0, 2.0], "b": 3.0}),
    "a derivative": (lambda x: ag.grad(lambda z: z**3 * x)(x) + ag.hessian(lambda z: z**3)(x), 1.5),
    "a compiled function": (lambda x: ag.compile(lambda z: z * x)(x) + 1.0, 1.5),
}


@pytest.mark.parametrize("name", SOUND)
def test_plain_numbers_raise_no_false_alarm(name):
    function, *arguments = SOUND[name]
    compiled = ag.compile(function, audit=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(3):
            compiled(*arguments)


def test_plain_numbers_change_nothing():
    model, xs = nn.Linear(2, 1), [1.0, 2.0]
    calls = []
    model.parameters()[0].register_hook(calls.append)
    step = ag.compile(lambda model, xs: (model(xs)[0] - 1.0) ** 2, audit=True)
    before = [p.data for p in model.parameters()], random.getstate()
    for _ in range(3):
        step.functional(model)(np.array([0.1, 0.2, 0.3]), xs)
        step(model, xs)
    assert (before, xs) == (([p.data for p in model.parameters()], random.getstate()), [1.0, 2.0])
    assert len(calls) == 3
    assert all(p.grad == 0.0 for p in model.parameters())


def test_numbers_outside_that_keep_changing_are_audited():
    rates, rate = Rates(0.5), 2.0

    def f(x, n):
        return x * rate + rates.rate * n * 0.5

    compiled, found = ag.compile(f, audit=True), []
    for k in range(6):
        rates.rate, rate = 0.5 + k, 2.0 + k
        assert compiled(1.5, k) == f(1.5, k)
        found.append(compiled.audit(1.5, k))
    assert all(found)


def test_audits_take_their_share_of_the_time_and_no_more():
    auditor = Auditor(None)
    assert not auditor.is_due()  # nothing was traced
    auditor.traced(10, 0.001)
    assert auditor.is_due()  # the second call
    before = time.perf_counter()
    auditor.audited(10.0)
    assert not auditor.is_due()
    assert auditor.due - before == pytest.approx(10.0 / SHARE, abs=1.0)
    slow = Auditor(None)
    slow.traced(100_000, 1.0)
    assert not slow.is_due()
    due = slow.due
    slow.traced(10, 0.001)  # another program does not hurry it
    assert slow.due == due
    assert Auditor(True).is_due()
    never = Auditor(False)
    never.traced(10, 0.001)
    assert not never.is_due()


def test_what_a_follower_compares_is_what_a_program_is_made_of():
    program = Program()
    x = program.input("x")
    program.outputs = [program.add(ROWS[0], (x, program.constant(2.0)))]
    record = Record(program)
    for number, same in ((2.0, True), (-2.0, False), (float("nan"), False)):
        follower = Follower(record)
        y = follower.input("x")
        follower.outputs = [follower.add(ROWS[0], (y, follower.constant(number)))]
        follower.finish()
        assert (follower.difference is None) == same


@pytest.mark.parametrize("f", [
    lambda x: x * 2.0 if isinstance(x, float) else x * 3.0,
    lambda x: x * 2.0 if type(x) is float else x,
    lambda x: x * 2.0 if "Value" in str(type(x)) else x,
    lambda x: x * 2.0 if hasattr(x, "backward") else x,
])  # fmt: skip
def test_what_differs_for_plain_numbers_is_never_right(f):
    compiled = ag.compile(f)
    for _ in range(5):
        with pytest.raises(ag.CompileMismatch, match="does it ask for their type"):
            compiled(1.0)
    batched = ag.compile(f, batch=0)
    with pytest.raises(ag.CompileMismatch, match="does it ask for their type"):
        batched([1.0, 2.0])
    assert ag.compile(f, audit=False)(1.0) != f(1.0)  # nobody has looked
