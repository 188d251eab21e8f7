"""Prepared calls: taken where nothing has changed, and never where something has."""

from __future__ import annotations

import math
import sys
import threading
import types
from dataclasses import dataclass, field

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value
from autograd.compiler.prepared import Ready
from tests.compiler.native import needs_compiler

BACKENDS = ["numpy", "python", pytest.param("native", marks=needs_compiler)]


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(Ready, "first", 1)


def long_way(*_):
    raise AssertionError("the call went the long way")


def is_prepared(compiled, call):
    """Whether a call is taken by what was prepared; `call` is given the compiled function."""
    before, compiled.__dict__["signature"] = compiled.signature, long_way
    try:
        call(compiled)
    except AssertionError:
        return False
    finally:
        del compiled.__dict__["signature"]
    return compiled.signature == before


X = np.array([0.5, -1.5, 2.5])
ARGUMENTS = {
    "a number": (0.5,),
    "two numbers": (0.5, -1.5),
    "an array": (X,),
    "an array that is turned": (np.arange(6.0).reshape(2, 3).T,),
    "an array of two dimensions": (np.arange(6.0).reshape(2, 3),),
    "an array with gaps": (np.arange(6.0)[::2],),
    "an array backwards": (X[::-1],),
    "a list": ([0.5, -1.5, 2.5],),
    "a tuple": ((0.5, -1.5),),
    "a list of lists": ([[0.5, 1.5], [2.5, 3.5], [4.5, 5.5]],),
    "lists of several lengths": ([[0.5], [2.5, 3.5], [4.5]],),
    "a list of tuples": ([(0.5, 1.5), (2.5, 3.5), (4.5, 5.5)],),
    "a dictionary": ({"w": [0.5, 1.5], "b": 2.5},),
    "a list of arrays": ([X, 2.0 * X],),
    "a number and an array": (0.5, X, [0.5, 1.5]),
}


def total(*arguments):
    """The sum of the squares of all numbers in some arguments."""
    def numbers(x):
        if isinstance(x, dict):
            return [number for part in x.values() for number in numbers(part)]
        return [number for part in x for number in numbers(part)] if hasattr(x, "__len__") else [x]

    return ag.sum([x * x + x for x in numbers(arguments)])


def plain(x):
    """Derivatives as lists."""
    if isinstance(x, dict):
        return {name: plain(part) for name, part in x.items()}
    return [plain(part) for part in x] if hasattr(x, "__len__") else float(x)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", ARGUMENTS)
def test_calls_that_are_prepared(name, backend):
    arguments = ARGUMENTS[name]
    compiled = ag.compile(total, backend=backend, audit=False)
    value, slopes = ag.value_and_grad(total)(*arguments)
    for _ in range(4):
        assert compiled(*arguments) == pytest.approx(float(value), rel=1e-15)
        found, derivatives = compiled.value_and_grad(*arguments)
        assert (found, plain(derivatives)) == (pytest.approx(float(value), rel=1e-15), plain(slopes))
        assert type(derivatives) is type(slopes)
    assert is_prepared(compiled, lambda f: f(*arguments))
    assert is_prepared(compiled, lambda f: f.value_and_grad(*arguments))


def test_results_are_fresh():
    for backend in ("numpy", "native"):
        compiled = ag.compile(lambda x: ag.sum(x * x), backend=backend, audit=False)
        found = [compiled.value_and_grad(k * X)[1] for k in range(5)]
        assert [slopes.tolist() for slopes in found] == [(2.0 * k * X).tolist() for k in range(5)]


# What is another call: the first is prepared, the second must come out as the engine has it.
OTHERS = {
    "an integer": (lambda x: x / 2 if isinstance(x, int) else x, (1.0,), (1,)),
    "True": (lambda x: 7.0 if x is True else x, (1.0,), (True,)),
    "a number of NumPy": (lambda x: x * 2.0, (1.0,), (np.float64(3.0),)),
    "a float of a class": (lambda x: x * 2.0, (1.0,), (type("Own", (float,), {})(3.0),)),
    "another length": (lambda x: sum(x), ([1.5, 2.5],), ([1.5, 2.5, 3.5],)),
    "an integer in a list": (lambda x: sum(x), ([1.5, 2.5],), ([1.5, 2],)),
    "True in a list": (lambda x: sum(x), ([1.5, 1.0],), ([1.5, True],)),
    "a tuple": (lambda x: 1.0 * isinstance(x, tuple), ([1.5, 2.5],), ((1.5, 2.5),)),
    "a list of a class": (lambda x: 1.0 * (type(x) is list), ([1.5],), (type("Own", (list,), {})([1.5]),)),
    "another shape": (lambda x: x.shape[0] * 1.0, (X.reshape(1, 3),), (X.reshape(3, 1),)),
    "another type": (lambda x: x.sum() * 1.0, (X,), (np.array([1, 2, 3]),)),
    "the other order of bytes": (lambda x: x.sum() * 1.0, (X,), (X.astype(">f8"),)),
    "an array of Values": (lambda x: x.sum(), (X,), (ag.array([Value(1.0), Value(2.0), Value(4.0)]),)),
    "a Value": (lambda x: x * x, (1.5,), (Value(2.5),)),
    "the same list twice": (lambda x, y: 1.0 * (x is y) + sum(x), ([1.5], [1.5]), "same"),
    "the same array twice": (lambda x, y: 1.0 * (x is y) + x.sum(), (X, X + 1.0), "same"),
    "the same row twice": (lambda x: 1.0 * (x[0] is x[1]) + x[0][0], ([[1.5], [2.5], [3.5]],), "row"),
    "other names": (lambda x: sum(x[k] * len(k) for k in x), ({"a": 1.5, "b": 2.5},), ({"a": 1.5, "bb": 2.5},)),
    "another order": (lambda x: next(iter(x.values())), ({"a": 1.5, "b": 2.5},), ({"b": 2.5, "a": 1.5},)),
    "another text": (lambda x, kind: x * len(kind), (1.5, "ab"), (1.5, "abc")),
    "None": (lambda x, y: x if y is None else x * y, (1.5, None), (1.5, 2.5)),
    "another branch": (lambda x: 2.0 * x if x > 0.0 else 3.0 * x, (1.5,), (-1.5,)),
    "another integer": (lambda x, n: x**n, (1.5, 2), (1.5, 3)),
    "fewer arguments": (lambda x, y=3.0: x * y, (1.5, 2.5), (1.5,)),
    "a row of lists": (lambda x: x[1][0], ([[1.5], [2.5], [3.5]],), ([[1.5], (2.5,), [3.5]],)),
    "a longer row": (lambda x: sum(x[1]), ([[1.5], [2.5], [3.5]],), ([[1.5], [2.5, 1.0], []],)),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", OTHERS)
def test_other_arguments(name, backend):
    f, first, second = OTHERS[name]
    if second == "same":
        second = first[:1] * 2
    elif second == "row":
        second = ([first[0][0]] * 2 + [[3.5]],)
    compiled = ag.compile(f, backend=backend, audit=False)
    for arguments in (first, first, first, second, first, second, second):
        assert float(compiled(*arguments)) == float(f(*arguments))


def test_keywords_go_the_long_way():
    compiled = ag.compile(lambda x, scale=2.0: x * scale, audit=False)
    for _ in range(3):
        assert (compiled(1.5), compiled(1.5, scale=3.0), compiled(x=1.5)) == (3.0, 4.5, 3.0)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_integer_that_indexes_is_checked(backend):
    compiled = ag.compile(lambda x, k, ks: ag.take(x, k) * 2.0 + sum(ag.take(x, k) for k in ks), backend=backend, audit=False)
    ks = np.array([0, 2])
    for k in (0, 1, 2, 1):
        assert compiled(X, k, ks) == 2.0 * X[k] + X[0] + X[2]
    assert is_prepared(compiled, lambda f: f(X, 2, np.array([1, 1])))
    for k, several in ((3, ks), (-1, ks), (0, np.array([0, 3])), (0, np.array([-1, 0]))):
        with pytest.raises(IndexError, match="it must be from 0 to 2"):
            compiled(X, k, several)


# What surrounds a function: made anew for every test, with a list of changes that the function sees.
SCALE, TABLE, MISSPELT = 2.0, {"a": 2.0, "b": 3.0}, [2.0, 3.0]
module = types.ModuleType("tests.compiler.a_module_of_the_users")
module.scale, module.inner = 2.0, [2.0]


@dataclass
class Part:
    scale: float = 2.0
    numbers: list = field(default_factory=lambda: [2.0, 3.0])
    weight: Value = field(default_factory=lambda: Value(2.0))
    by_name: dict = field(default_factory=lambda: {"a": 2.0, "b": 3.0})

    factor = 2.0

    def times(self, x):
        return x * self.factor


class Slotted:
    __slots__ = ("scale",)


class Other(Part):
    factor = 5.0


class Line(nn.Module):
    def __init__(self):
        self.weights, self.bias, self.width = [Value(2.0), Value(3.0)], Value(1.0), 2

    def forward(self, x):
        return sum(w * x for w in self.weights[: self.width]) + self.bias


def closure():
    number, numbers, table, array, part, weight = 2.0, [2.0, 3.0], {"a": 2.0}, np.array([2.0, 3.0]), Part(), Value(2.0)
    slotted, line = Slotted(), Line()
    slotted.scale = 2.0

    def inner(x, factor=2.0, *, more=1.0):
        return x * factor + more

    def f(x):
        made = x * number + sum(numbers) * x + sum(value * len(name) for name, value in table.items()) + array[0] * x
        made = made + part.times(x) * part.scale + sum(part.numbers) * len(part.numbers) + next(iter(part.by_name.values()))
        made = made + slotted.scale * x + inner(x) + SCALE * x + module.scale + module.inner[-1] + TABLE["a"] * len(MISSPELT)
        return made + (1.5 if type(numbers[0]) is bool else 0.0) + math.copysign(1.0, numbers[-1])

    def g(x):
        return part.weight * x + line(x) + weight * len(line.weights) + len(vars(part))

    def rebind(**changes):
        nonlocal number, numbers, table, array, part, weight
        number = changes.get("number", number)
        numbers, table, array = changes.get("numbers", numbers), changes.get("table", table), changes.get("array", array)
        part, weight = changes.get("part", part), changes.get("weight", weight)

    return types.SimpleNamespace(**locals())


def replaced_code(s):
    s.inner.__code__ = (lambda x, factor=2.0, *, more=1.0: x * factor - more).__code__


def renamed(s):
    s.table["bb"] = s.table.pop("a")


def reordered(s):
    s.part.by_name["a"] = s.part.by_name.pop("a")


CHANGES = {
    "number": lambda s: s.rebind(number=5.0),
    "list in place": lambda s: s.numbers.__setitem__(0, 5.0),
    "longer list": lambda s: s.numbers.append(5.0),
    "another list": lambda s: s.rebind(numbers=[2.0, 7.0]),
    "True for 1.0": lambda s: (s.numbers.__setitem__(0, True)),
    "-0.0": lambda s: s.numbers.__setitem__(1, -0.0),
    "a name of a dictionary": renamed,
    "an entry": lambda s: s.table.__setitem__("a", 5.0),
    "an array in place": lambda s: s.array.__setitem__(0, 5.0),
    "another array": lambda s: s.rebind(array=np.array([7.0])),
    "an attribute": lambda s: setattr(s.part, "scale", 5.0),
    "a list inside": lambda s: s.part.numbers.append(5.0),
    "a list inside replaced": lambda s: setattr(s.part, "numbers", [7.0]),
    "an order": reordered,
    "another object": lambda s: s.rebind(part=Part(scale=5.0)),
    "an object's method": lambda s: setattr(s.part, "times", lambda x: 7.0 * x),
    "an object's dictionary": lambda s: setattr(s.part, "__dict__", {**vars(s.part), "scale": 5.0}),
    "a class": lambda s: setattr(s.part, "__class__", Other),
    "a slot": lambda s: setattr(s.slotted, "scale", 5.0),
    "code": replaced_code,
    "a default": lambda s: setattr(s.inner, "__defaults__", (5.0,)),
    "a keyword default": lambda s: setattr(s.inner, "__kwdefaults__", {"more": 5.0}),
    "a keyword default in place": lambda s: s.inner.__kwdefaults__.__setitem__("more", 5.0),
}
OUTSIDE = {
    "a global": ({"SCALE": 5.0}, globals()),
    "a global dictionary": ({"a": 5.0}, TABLE),
    "a builtin that is hidden": ({"sum": lambda x: 7.0}, globals()),
    "an attribute of a module": ({"scale": 5.0}, vars(module)),
    "a list in a module": ({"inner": [5.0]}, vars(module)),
}
VALUES = {
    "another Value": lambda s: s.rebind(weight=Value(5.0)),
    "another Value of the same number": lambda s: s.rebind(weight=Value(2.0)),
    "a Value inside": lambda s: setattr(s.part, "weight", Value(5.0)),
    "a number for a Value": lambda s: setattr(s.part, "weight", 2.0),
    "a weight": lambda s: s.line.weights.__setitem__(0, Value(2.0)),
    "a weight twice": lambda s: s.line.weights.__setitem__(0, s.line.weights[1]),
    "a number for a weight": lambda s: s.line.weights.__setitem__(0, 2.0),
    "a new weight": lambda s: s.line.weights.append(Value(7.0)),
    "a width": lambda s: setattr(s.line, "width", 1),
    "one more attribute": lambda s: setattr(s.part, "more", 1.0),
    "the data of a weight": lambda s: setattr(s.line.weights[0], "data", 7.0),
}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [*CHANGES, *OUTSIDE])
def test_other_surroundings(name, backend, monkeypatch):
    s = closure()
    compiled = ag.compile(s.f, backend=backend, audit=False)
    for _ in range(3):
        assert compiled(1.5) == pytest.approx(s.f(1.5), rel=1e-14)
    assert is_prepared(compiled, lambda f: f(1.5))
    if name in CHANGES:
        CHANGES[name](s)
    else:
        changes, table = OUTSIDE[name]
        for key, thing in changes.items():
            monkeypatch.setitem(table, key, thing)
    before = s.f(1.5)
    for _ in range(3):
        assert compiled(1.5) == pytest.approx(before, rel=1e-14)


def test_big_arrays_outside_are_compared_by_a_digest():
    data = np.arange(20_000.0)
    compiled = ag.compile(lambda x: x * data[7] + data[-1], audit=False)
    for _ in range(3):
        assert compiled(1.5) == 1.5 * 7.0 + 19_999.0
    assert is_prepared(compiled, lambda f: f(2.5))
    held = [word for word in vars(compiled._ready)["calls"][0][1].__globals__.values() if isinstance(word, bytes)]
    assert not held
    data[7] = 9.0
    assert compiled(1.5) == 1.5 * 9.0 + 19_999.0


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", VALUES)
def test_other_values(name, backend):
    s = closure()
    compiled = ag.compile(s.g, backend=backend, audit=False)

    def leaves():
        values = [s.part.weight, s.line.bias, *s.line.weights, s.rebind.__closure__]
        return [x for x in values if isinstance(x, Value)]

    def outcome(f):
        for value in leaves():
            value.grad = 0.0
        found = f(1.5)
        found.backward()
        return found.data, [value.grad for value in leaves()]

    for _ in range(3):
        assert outcome(compiled) == outcome(s.g)
    assert is_prepared(compiled, lambda f: f(1.5))
    VALUES[name](s)
    for _ in range(3):
        assert outcome(compiled) == outcome(s.g)


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_module_as_argument(backend):
    line, other = Line(), Line()
    other.bias.data = 7.0
    compiled = ag.compile(lambda model, x: (model(x) - 1.0) ** 2, backend=backend, audit=False)
    for model in (line, line, line, other, other, line):
        found = compiled(model, 1.5)
        found.backward()
        assert found.data == ((model(1.5) - 1.0) ** 2).data
        value, slopes = compiled.value_and_grad(model, 1.5)
        assert (value, slopes) == (found.data, {name: p.grad for name, p in model.named_parameters().items()})
        model.zero_grad()
    assert is_prepared(compiled, lambda f: f(line, 2.5))
    with ag.no_grad():
        assert compiled(line, 1.5)._operands == ()
    twice = ag.grad(lambda x: ag.grad(lambda y: compiled(line, y))(x))(1.5)
    assert twice == pytest.approx(2.0 * sum(w.data for w in line.weights) ** 2)
    calls = []
    line.register_forward_hook(lambda *facts: calls.append(facts))
    with pytest.raises(ag.TraceError, match="has a forward hook"):
        compiled(line, 1.5)


def test_a_nan_is_computed_with_care():
    for backend in ("numpy", "native"):
        compiled = ag.compile(lambda x: ag.where(x > 0.0, ag.sqrt(x), 0.0), backend=backend, audit=False)
        for x in (4.0, 4.0, 0.0, 4.0, 0.0, -1.0, math.nan, math.inf):
            value, slope = compiled.value_and_grad(x)
            wanted = ag.value_and_grad(lambda x: ag.where(x > 0.0, ag.sqrt(x), 0.0))(x)
            assert (value, slope) == pytest.approx(wanted, nan_ok=True)


def test_a_primitive_that_is_registered_again(own_rows):
    times = ag.primitive("prepared_times", "2.0 * x", "2.0")
    compiled = ag.compile(lambda x: times(x), audit=False)
    assert [compiled(1.5) for _ in range(3)] == [3.0] * 3
    ag.primitive("prepared_times", "3.0 * x", "3.0")
    assert [compiled(1.5) for _ in range(3)] == [4.5] * 3


def test_what_watches_sees_every_operation():
    compiled = ag.compile(lambda x: ag.exp(x) * x, audit=False)
    for _ in range(3):
        compiled(1.5)
    with ag.detect_anomaly(), pytest.raises(FloatingPointError):
        compiled(1000.0)
    outer = ag.compile(lambda x: compiled(x) + 1.0, audit=False)
    assert [outer(1.5) for _ in range(3)] == [compiled(1.5) + 1.0] * 3


def test_prepared_calls_are_audited(tmp_path):
    path = tmp_path / "scale"
    path.write_text("2.0")
    name = str(path)

    def f(x):
        with open(name) as file:
            return x * float(file.read())

    compiled = ag.compile(f)
    assert [compiled(1.5) for _ in range(4)] == [3.0] * 4
    compiled.auditor.due = math.inf
    assert is_prepared(compiled, lambda f: f(1.5))
    path.write_text("5.0")
    assert compiled(1.5) == 3.0  # nothing tells
    compiled.auditor.due = 0.0
    with pytest.raises(ag.CompileMismatch):
        compiled(1.5)
    assert [compiled(1.5) for _ in range(4)] == [7.5] * 4


@pytest.mark.parametrize("use", ["functional", "value", "value_and_grad"])
def test_what_failed_an_audit_is_not_called_again(use, tmp_path):
    name, model = str(tmp_path / "scale"), nn.Linear(1, 1, seed=1)

    def rate():
        with open(name) as file:
            return float(file.read())

    def write(number):
        (tmp_path / "scale").write_text(str(number))

    write(2.0)
    compiled = ag.compile(lambda model, x: model([x])[0] * rate())
    step, weights = compiled.functional(model), np.array([p.data for p in model.parameters()])
    call = {"functional": lambda: step(weights, 1.5)[0], "value": lambda: step.value(weights, 1.5),
            "value_and_grad": lambda: compiled.value_and_grad(model, 1.5)[0]}[use]  # fmt: skip
    before = [call() for _ in range(4)]
    write(4.0)
    compiled.auditor.due = 0.0
    with pytest.raises(ag.CompileMismatch):
        call()
    assert [call() for _ in range(6)] == [2.0 * number for number in (*before, *before[:2])]


@needs_compiler
def test_calls_at_the_same_time_do_not_meet():
    compiled = ag.compile(lambda x: ag.sum(ag.exp(x) * x), backend="native", audit=False)
    for _ in range(3):
        compiled.value_and_grad(X)
    wanted = {k: compiled.value_and_grad(k * X) for k in range(8)}
    wrong = []

    def work(k):
        for _ in range(500):
            value, slopes = compiled.value_and_grad(k * X)
            if value != wanted[k][0] or slopes.tolist() != wanted[k][1].tolist():
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("first", [1, 1_000_000])
def test_first_calls_at_the_same_time(first, monkeypatch):
    monkeypatch.setattr(Ready, "first", first)

    class Gain:
        def __init__(self, gain):
            self.gain, self.parts = gain, [Part(), Part(scale=gain)]

        def of(self, x):
            return x * self.gain + sum(part.times(x) * part.scale for part in self.parts)

    compiled = ag.compile(lambda gain, x: ag.exp(gain.of(x)) + closure().inner(x))
    gains, wrong, start = [Gain(0.1 * k) for k in range(6)], [], threading.Barrier(6)

    def work(k):
        start.wait()
        for x in (0.5, 1.5, 0.5, 2.5):
            found, wanted = compiled(gains[k], x), compiled.function(gains[k], x)
            if found != pytest.approx(float(wanted), rel=1e-14):
                wrong.append((found, wanted))

    def caught(k):
        try:
            work(k)
        except Exception as error:
            wrong.append(error)

    threads, interval = [threading.Thread(target=caught, args=(k,)) for k in range(6)], sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong


def test_conditions_that_always_fail_cost_little():
    made = []
    compiled = ag.compile(lambda x: x * made[-1][0], audit=False)
    for k in range(100):
        made.append([2.0 + k])
        assert compiled(1.5) == 1.5 * (2.0 + k)
    assert len(compiled._ready.calls) <= 8


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_functional_form(backend):
    model = nn.MLP(2, [3, 1], seed=1)
    compiled = ag.compile(lambda model, xs, y: ag.mean([(model(x) - y) ** 2 for x in xs]), backend=backend, audit=False)
    step = compiled.functional(model)
    weights = np.array([p.data for p in model.parameters()])
    xs = np.array([[0.5, 1.5], [2.5, -0.5]])
    for k in range(5):
        value, slopes = step(weights * (1.0 + k), xs, 0.5)
        for p, number in zip(model.parameters(), weights * (1.0 + k)):
            p.data, p.grad = float(number), 0.0
        root = compiled.function(model, xs, 0.5)
        root.backward()
        assert value == pytest.approx(root.data, rel=1e-14)
        assert slopes == pytest.approx(np.array([p.grad for p in model.parameters()]), rel=1e-12)
        assert step.value(weights, xs, 0.5) == pytest.approx(step(weights, xs, 0.5)[0], rel=1e-14)
    with pytest.raises(ValueError, match="needs 13 weights"):
        step(weights[:-1], xs, 0.5)
    assert step(weights, xs.tolist(), 0.5)[0] == pytest.approx(step(weights, xs, 0.5)[0], rel=1e-14)
    assert step(weights.tolist(), xs, 1)[0] == pytest.approx(step(weights, xs, 1.0)[0], rel=1e-14)
