"""Value: numbers in and out, operators, comparisons, NumPy manners, size, depth and life of a graph."""

from __future__ import annotations

import copy
import gc
import math
import operator
import pickle
import subprocess
import sys
import threading
import warnings
from decimal import Decimal
from fractions import Fraction
from math import inf

import numpy as np
import pytest

import autograd as ag
from autograd import Value


@pytest.mark.parametrize(
    "number", [2, 2.0, True, Fraction(1, 2), Decimal("2.5"), np.float64(2), np.float32(2), np.int64(2), np.array(2.0)]
)
def test_numbers_are_accepted(number):
    value = Value(number)
    assert type(value.data) is float
    assert value.data == float(number)
    assert (Value(1.0) + number).data == 1.0 + float(number)
    assert (number + Value(1.0)).data == 1.0 + float(number)


@pytest.mark.parametrize(
    ("thing", "message"),
    [
        ("2.5", r"Value needs a number, not str; write Value\(float\('2.5'\)\)"),
        (2j, r"Value needs a real number, not 2j"),
        (None, "Value needs a number, not NoneType"),
        ([1.0], "Value needs a number, not list; make a Value of each element"),
        (np.array([1.0]), "Value needs a number, not ndarray; make a Value of each element"),
    ],
)
def test_what_is_no_number_is_refused(thing, message):
    with pytest.raises(TypeError, match=message):
        Value(thing)


def test_an_integer_too_large_for_a_float_is_refused():
    with pytest.raises(OverflowError, match="integer of about 401 digits"):
        Value(10**400)


@pytest.mark.parametrize(
    "op", [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.mod, operator.floordiv]
)
def test_operators_and_their_reflections(op):
    x, y = 7.5, 2.25
    for left, right in ((Value(x), Value(y)), (Value(x), y), (x, Value(y))):
        assert op(left, right).data == op(x, y)
    with pytest.raises(TypeError):
        op(Value(x), "2")
    with pytest.raises(TypeError):
        op(None, Value(x))


def test_constants_carry_no_gradient():
    x = Value(3.0)
    y = 2 * x + 1
    assert y._prev[0]._prev == (x,)
    y.backward()
    assert x.grad == 2.0


def test_comparisons_compare_numbers_and_sets_hold_nodes():
    a, b = Value(1.0), Value(1.0)
    assert a <= b
    assert a < 2
    assert not a > 1.0
    assert 0 < a  # noqa: SIM300 - the reflected comparison
    assert a == b
    assert a == 1.0
    assert 1 == a  # noqa: SIM300
    assert a != 2.0
    assert a is not b
    assert len({a, b, a}) == 2
    assert {a: "a", b: "b"}[b] == "b"
    assert bool(Value(0.0)) is False
    assert not Value(math.nan) < 1
    with pytest.raises(TypeError):
        assert a < "b"


def test_conversions():
    v = Value(2.718)
    assert float(v) == 2.718
    assert int(v) == 2
    assert f"{v:.2f}" == "2.72"
    assert f"{v}" == "Value(data=2.718, grad=0.0)"
    assert round(v) == 3
    assert round(v, 1) == 2.7
    assert (math.floor(v), math.ceil(v), math.trunc(v)) == (2, 3, 2)
    assert abs(Value(-2.0)).data == 2.0


def test_numpy_manners():
    v, w = Value(2.0), Value(3.0)
    assert isinstance(np.float64(2) * v, Value)
    assert (np.float64(2) * v).data == 4.0
    array = np.array([v, w])
    assert array.dtype == object
    assert np.exp(array)[1].data == math.exp(3.0)
    assert (array @ np.array([1.0, 2.0])).data == 8.0
    assert [x.data for x in v * np.array([1.0, 2.0])] == [2.0, 4.0]
    assert np.arctan2(array, 1.0)[0].data == math.atan2(2.0, 1.0)
    assert ag.exp(np.array([0.0, 1.0])).tolist() == [1.0, math.e]
    assert ag.sigmoid(np.array([0.0, 1000.0])).tolist() == [0.5, 1.0]
    assert ag.exp(array)[0].data == math.exp(2.0)
    assert np.sum(array).data == 5.0


def test_reprs_help():
    x = Value(2.0, label="x")
    assert repr(x) == "Value(data=2.0, grad=0.0, label='x')"
    assert repr(x * x) == "Value(data=4.0, grad=0.0, op='*')"


def test_parents_are_ordered_with_one_entry_per_use():
    a, b = Value(1.0), Value(2.0)
    assert (a * a)._prev == (a, a)
    assert (a - b)._prev == (a, b)
    assert (a**2)._op == "**"
    assert a._op == ""


def test_second_backward_accumulates_into_leaves_and_nowhere_else():
    x = Value(0.1)
    y = x * 3.0
    z = y * y + y
    z.backward()
    once, inner = x.grad, y.grad
    z.backward()
    assert x.grad == 2 * once
    assert y.grad == inner
    z.zero_grad()
    assert (x.grad, y.grad, z.grad) == (0.0, 0.0, 0.0)


def test_backward_with_a_given_gradient():
    x = Value(3.0)
    (x * x).backward(0.5)
    assert x.grad == 3.0
    with pytest.raises(TypeError, match="gradient"):
        (x * x).backward("1")


def test_gradient_is_of_the_point_that_was_evaluated():
    x = Value(3.0)
    y = x * x
    x.data = 5.0
    y.backward()
    assert x.grad == 6.0
    with pytest.raises(RuntimeError, match="computed at another point"):
        y.backward(create_graph=True)


def test_a_point_that_was_nan_is_not_mixed_with_a_new_one():
    x = Value(math.nan)
    y = ag.sin(x)
    x.data = 1.0
    with pytest.raises(RuntimeError, match="its local derivative was nan and is now"):
        ag.grad(y, [x], create_graph=True)
    still = Value(math.nan)
    assert math.isnan(ag.grad(ag.sin(still), [still], create_graph=True)[0].data)


def test_a_million_operations_deep():
    x = Value(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + 1e-6
    y.backward()
    assert x.grad == 1.0
    del y  # frees a million nodes without recursion


def test_no_reference_cycles():
    gc.collect()
    gc.disable()
    try:
        x = Value(2.0)
        y = (x * x + x.exp()).log() + ag.dot([x, x], [x, 1.0])
        y.backward()
        del x, y
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_gradients_are_the_same_to_the_last_bit_in_another_process():
    program = (
        "import autograd as ag\n"
        "x = [ag.Value(0.1 * i) for i in range(20)]\n"
        "y = sum((a * b).tanh() + a for a in x for b in x)\n"
        "y.backward()\n"
        "print([v.grad.hex() for v in x])"
    )
    environment = {"PYTHONPATH": "."}
    runs = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env=environment | {"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert len(runs) == 1


def test_threads_build_graphs_of_their_own():
    found = {}

    def work(k: int) -> None:
        with ag.no_grad() if k % 2 else ag.enable_grad():
            x = Value(float(k))
            y = sum(x * x for _ in range(200))
        if y._prev:
            y.backward()
        found[k] = x.grad

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {k: 0.0 if k % 2 else 400.0 * k for k in range(8)}


def test_backward_needs_a_graph():
    x = Value(2.0)
    with ag.no_grad():
        y = x * 3.0
        with ag.enable_grad():
            z = x * 3.0
    with pytest.raises(RuntimeError, match=r"Value\(data=6.0, grad=0.0\) was made under no_grad\(\), so no graph leads back"):
        y.backward()
    assert y.grad == 0.0
    z.backward()
    (x * y).backward()  # y is a constant number there
    assert x.grad == 9.0
    leaf = Value(1.0)
    leaf.backward()  # the derivative of a leaf by itself
    assert leaf.grad == 1.0


def test_no_grad_builds_no_graph():
    x = Value(2.0)
    with ag.no_grad():
        y = x * x + ag.dot([x], [x]) + ag.where(1, x, 0)
        with ag.enable_grad():
            z = x * x
    assert y.data == 10.0
    assert y._prev == ()
    assert z._prev == (x, x)

    @ag.no_grad()
    def decorated():
        return x * x

    assert decorated()._prev == ()
    assert (x * x)._prev == (x, x)


def test_hooks_see_and_change_gradients():
    x = Value(3.0)
    y = x * 2
    seen = []
    remove = y.register_hook(seen.append)
    x.register_hook(lambda gradient: -gradient)
    (y * y).backward()
    assert seen == [12.0]
    assert x.grad == -24.0
    remove()
    (y * y).backward()
    assert len(seen) == 1


def test_detach_and_stop_gradient():
    x = Value(3.0)
    (x * x.detach() + ag.stop_gradient(x) * 5).backward()
    assert x.grad == 3.0


def test_detect_anomaly_names_the_operation_and_the_line():
    x = Value(0.0, label="x")
    with (
        ag.detect_anomaly(),
        pytest.raises(FloatingPointError, match=r"log\(x = 0.0\) is -inf, made at .*test_value.py, line \d+"),
    ):
        x.log()
    with ag.detect_anomaly(), pytest.raises(FloatingPointError, match=r"sqrt\(x = 0.0\) = 0.0 sends to x = 0.0 is inf \* 1.0"):
        x.sqrt().backward()
    assert x.log().data == -inf


def test_lint_warns_of_the_usual_mistakes():
    x, unused = Value(3.0, label="x"), Value(1.0, label="unused")
    with ag.lint([x, unused]):
        with pytest.warns(ag.GradientWarning, match="1 of 2 parameters get no gradient, the first is unused"):
            (x * x).backward()
        with pytest.warns(ag.GradientWarning, match=r"x = 3.0 has the gradient 6.0 already"):
            (x * x + unused).backward()
    x.grad = unused.grad = 0.0
    with ag.lint():
        y = x * x
        x.data = 4.0
        with pytest.warns(ag.GradientWarning, match=r"data was changed before backward"):
            y.backward()
        x.grad = 0.0
        with pytest.warns(ag.GradientWarning, match="backward\\(\\) starts at"):
            (x / 0).backward()
        x.grad = 0.0
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            (x * x).backward()


def test_copies_without_recursion():
    x = Value(1.0, label="x")
    y = x
    for _ in range(100_000):
        y = y * 1.0
    for again in (pickle.loads(pickle.dumps(y)), copy.deepcopy(y)):
        assert len(ag.topological(again)) == 100_001
        again.backward()
        assert ag.topological(again)[0].grad == 1.0
        assert ag.topological(again)[0].label == "x"
    assert x.grad == 0.0
    shallow = copy.copy(y)
    assert shallow is not y
    assert shallow._prev == y._prev


def test_copies_share_what_the_originals_share():
    a = Value(2.0)
    b = a * a
    c = copy.deepcopy([a, b, b + 1])
    assert c[1]._prev == (c[0], c[0])
    assert c[2]._prev == (c[1],)
    p = pickle.loads(pickle.dumps([a, b, b + 1]))
    assert p[1]._prev == (p[0], p[0])


def test_dot_needs_one_length():
    with pytest.raises(ValueError, match="two sequences of one length, not 2 and 3"):
        ag.dot([Value(1.0)] * 2, [1, 2, 3])


def test_scopes_are_kept():
    with ag.scope("a"), ag.scope("b"):
        x = Value(1.0) * 2
    assert x.scope == "a/b"
    assert (x * 2).scope == ""


def test_operations_on_many_operands_need_a_sequence():
    with pytest.raises(TypeError, match=r"autograd.max needs a sequence of numbers, not Value Value\(data=1.0"):
        ag.max(Value(1.0))
    with pytest.raises(TypeError, match=r"autograd.dot needs a sequence of numbers, not float 2.0"):
        ag.dot([1.0], 2.0)


def test_numpy_finds_spread():
    values = np.array([ag.Value(1.0), ag.Value(3.0)])
    spread = np.std(values)
    spread.backward()
    assert (spread.data, np.var(values).data) == (1.0, 1.0)
    assert [v.grad for v in values] == [-0.5, 0.5]


def test_lint_names_parameters_and_says_a_thing_once():
    x, w = ag.Value(1.0), ag.Value(2.0)
    with warnings.catch_warnings(record=True) as caught, ag.lint({"layers.0.w": w, "x": x}):
        warnings.simplefilter("always")
        for _ in range(3):
            x.grad = 0.0
            (x * x).backward()
        (x * w).detach().backward()
    assert [str(warning.message) for warning in caught] == [
        "1 of 2 parameters get no gradient, the first is layers.0.w",
        "backward() starts at 2.0, which remembers no operands: nothing leads back from it",
    ]


def test_numpy_tests_floats():
    values = np.array([ag.Value(1.0), ag.Value(3.0)])
    assert np.allclose(values.astype(float), [1.0, 3.0])
    assert not np.isnan(values.astype(float)).any()


def test_the_second_number_of_an_activation_has_its_usual_name():
    x = Value(-2.0)
    assert ag.elu(x, alpha=0.5).data == x.elu(alpha=0.5).data == ag.elu(-2.0, 0.5) == ag.elu(-2.0, alpha=0.5)
    assert ag.leaky_relu(x, negative_slope=0.25).data == x.leaky_relu(negative_slope=0.25).data == -0.5
    slope = Value(0.25)
    x.leaky_relu(negative_slope=slope).backward()
    assert (x.grad, slope.grad) == (0.25, -2.0)
    with pytest.raises(TypeError, match="elu needs a number, not str"):
        x.elu(alpha="a")


class Doubled(Value):
    """A Value of a program's own that adds to methods of the table."""

    def exp(self):
        return 2 * super().exp()

    def maximum(self, other):
        return 2 * super().maximum(other)


def test_methods_are_written_when_they_are_first_looked_up():
    program = (
        "from autograd import Value\n"
        "class Doubled(Value):\n"
        "    def exp(self): return 2 * super().exp()\n"
        "print(type(vars(Value)['exp']).__name__, Doubled(0.0).exp().data, type(vars(Value)['exp']).__name__)\n"
        "print(Value.arcsin is Value.asin, Value.maximum(Value(1.0), 2).data, hasattr(Value, 'tan'), hasattr(Value, 'tam'))\n"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert shown == "Unwritten 2.0 function\nTrue 2.0 True False\n"


@pytest.mark.parametrize(
    ("call", "number", "slope"),
    [(lambda x: x.exp(), 2.0, 2.0), (lambda x: x.maximum(-3), 0.0, 2.0), (lambda x: x.arcsin(), 0.0, 1.0)],
)
def test_a_subclass_may_add_to_methods_of_the_table(call, number, slope):
    x = Doubled(0.0)
    call(x).backward()
    assert (call(x).data, x.grad) == (number, slope)
