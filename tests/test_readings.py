"""What reads a number out of a Value while a derivative is taken warns once a line, and what is meant does not."""

from __future__ import annotations

import array
import builtins
import copy
import math
import statistics
import struct
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd import GradientWarning, Value
from autograd.readings import Readings

LAYOUT = "%.3f"


def into_array(x):
    c = np.zeros(2)
    c[0] = x  # read here
    return x + c.sum()


def into_array_if_finite(x):
    c = np.zeros(2)
    c[0] = x if np.isfinite(x) else 0.0; "%d" % 3  # noqa: E702, B018, UP031 - what else is on the line tells nothing
    return x + c.sum()


def mean_of(xs):
    return statistics.fmean(xs) * xs[0]  # read here


def in_a_loop(x):
    total = 0.0
    for _ in range(5):
        total += math.sin(x)  # read here
    return x + total


def twice(x):
    return x + float(x) + math.exp(  # read here
        x
    )


LOSING = [
    (lambda x: math.sin(x), 1.0, r"math.sin\(x\)", "autograd.sin"),
    (lambda x: x * math.exp(x * x), 1.0, r"math.exp\(x \* x\)", "autograd.exp"),
    (lambda x: float(x) * x, 1.0, r"float\(x\)", "the functions of autograd"),
    (lambda x: builtins.float(x) * x, 1.0, r"float\(x\)", "the functions of autograd"),
    (lambda x: complex(x).real * x, 1.0, r"complex\(x\)", "the functions of autograd"),
    (lambda xs: np.array(xs, float).sum() * xs[0], [1.0, 2.0], r"np.array\(xs, float\)", "autograd.array"),
    (mean_of, [1.0, 2.0], r"statistics.fmean\(xs\)", "the functions of autograd"),
    (lambda xs: math.dist(xs, [0.0, 0.0]) * xs[0], [1.0, 2.0], "math.dist", "the functions of autograd"),
    (lambda xs: math.hypot(*xs) * xs[0], [1.0, 2.0], "math.hypot", "autograd.hypot"),
    (lambda x: x * array.array("d", [x])[0], 1.0, "array.array", "autograd.array"),
    (lambda x: x * struct.unpack("d", struct.pack("d", x))[0], 1.0, "struct.pack", "the functions of autograd"),
    (into_array, 1.0, r"c\[0\] = x", "autograd.array"),
    (into_array_if_finite, 1.0, r"c\[0\] = x if np.isfinite\(x\) else 0.0", "autograd.array"),
    (in_a_loop, 1.0, "math.sin", "autograd.sin"),
]


@pytest.mark.parametrize(("f", "point", "what", "instead"), LOSING)
def test_a_reading_that_loses_a_derivative_is_named(f, point, what, instead):
    for transformation in (ag.grad, ag.value_and_grad, ag.jacobian, ag.hessian):
        with pytest.warns(GradientWarning) as caught:
            transformation(f)(point)
        assert len(caught) == 1
        text = str(caught[0].message)
        assert "reads the number of a Value: no derivative leads back through it" in text
        assert f"use {instead}, or x.data where a constant is meant" in text
        assert f"at {__file__}, line {caught[0].lineno}," in text
        assert Path(caught[0].filename) == Path(__file__)
        if sys.version_info >= (3, 11):
            with pytest.warns(GradientWarning, match=what):
                ag.grad(f)(point)


def test_jvp_vjp_and_hvp_warn_too():
    f = lambda x: x * math.sin(x)  # noqa: E731
    with pytest.warns(GradientWarning, match=r"math\.sin"):
        ag.jvp(f, (1.0,), (1.0,))
    with pytest.warns(GradientWarning, match=r"math\.sin"):
        ag.vjp(f, 1.0)
    with pytest.warns(GradientWarning, match=r"math\.sin"):
        ag.hvp(f)(1.0, 1.0)


def test_once_a_line_and_one_for_each():
    with pytest.warns(GradientWarning) as caught:
        ag.grad(twice)(1.0)
    assert len(caught) == 1
    with pytest.warns(GradientWarning) as caught:
        ag.grad(lambda x: into_array(x) + in_a_loop(x))(1.0)
    assert [Path(one.filename).name for one in caught] == ["test_readings.py"] * 2


def test_pandas_reads_inside_itself():
    pandas = pytest.importorskip("pandas")
    with pytest.warns(GradientWarning, match="mean") as caught:
        ag.grad(lambda xs: pandas.Series(xs).mean() * xs[0])([1.0, 2.0])
    assert Path(caught[0].filename) == Path(__file__)


def asks_and_formats(x):
    if math.isnan(x) or math.isinf(x) or not math.isfinite(x) or math.isclose(x, 3.0):
        return x
    shown = f"{x:.2f} {x} {x!r}" + "%.3f" % x + LAYOUT % x + "{:.1f}".format(x) + str(x)  # noqa: UP031, UP032
    assert shown
    whole = int(x) + round(x) + round(x, 1) + math.floor(x) + math.ceil(x) + math.trunc(x)
    return x * x + 0.0 * (whole + x.data + x.item() + (x > 0) + bool(x))


MEANT = [
    (asks_and_formats, 2.5),
    (lambda x: x * float(Value(3.0)), 1.0),  # a number that depends on no input
    (lambda x: x * float((Value(3.0) * 2).data), 1.0),
    (lambda x: x if x > 0 else 0.0, -1.0),  # a branch that is constant
    (lambda x: x if x == 0.0 else 1.0, -1.0),
    (lambda x: max(0.0, x), -1.0),
    (lambda x: x if x else 1.0, 0.0),
    (lambda x: ag.floor(x), 1.5),
    (lambda x: ag.stop_gradient(x), 1.5),
    (lambda x: ag.where(x > 0, x, 0.0), -1.5),
    (lambda x: x * 0.0, 1.5),
    (lambda x, y: x * 2.0, 1.5, 2.0),
    (lambda xs: 3.0, []),
]


@pytest.mark.parametrize(("f", "point"), [row[:2] for row in MEANT if len(row) == 2])
def test_what_is_meant_is_silent(f, point):
    ag.grad(f)(point)
    ag.jacobian(f)(point)
    ag.hessian(f)(point)


def test_derivatives_that_are_constant_are_silent():
    assert ag.derivative(lambda x: x * x, order=4)(2.0) == 0.0
    assert ag.hessian(lambda x: x[0])([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]
    assert ag.hvp(lambda x: x[0])([1.0, 2.0], [1.0, 0.0]) == [0.0, 0.0]
    assert ag.grad(lambda x: ag.grad(lambda y: 3 * y)(x))(1.0) == 0.0
    assert ag.grad(lambda x: ag.jvp(lambda y: 3 * y, (x,), (1.0,))[1])(1.0) == 0.0
    assert ag.jacobian(lambda x: [x, 1.0])(2.0) == [1.0, 0.0]
    assert ag.grad(lambda x, y: x * 2.0, (0, 1))(1.0, 2.0) == (2.0, 0.0)


CONSTANT = [
    lambda x: 3.0,
    lambda x: Value(x.data) * 2.0,
    lambda x: (x * 2).detach(),
    lambda x: Value(7.0),
    lambda x: ag.no_grad()(lambda: x * 2.0)(),
    lambda x: np.float64(2.0),
]


@pytest.mark.parametrize("f", CONSTANT)
def test_a_result_that_depends_on_no_input_warns(f):
    calls = [
        lambda: ag.grad(f)(1.0), lambda: ag.value_and_grad(f)(1.0), lambda: ag.jvp(f, (1.0,), (1.0,)), lambda: ag.vjp(f, 1.0),
        lambda: ag.jacobian(lambda x: [f(x), 2.0])(1.0), lambda: ag.hessian(f)(1.0), lambda: ag.hvp(f)(1.0, 1.0),
    ]  # fmt: skip
    for call in calls:
        with pytest.warns(GradientWarning, match="the result of <lambda> does not depend on the inputs") as caught:
            call()
        assert len(caught) == 1
        assert Path(caught[0].filename) == Path(__file__)


def test_grad_of_a_value_by_values_it_does_not_come_from_warns():
    x = Value(2.0)
    with pytest.warns(GradientWarning, match="does not depend on the inputs"):
        assert ag.grad(Value(x.data) * 3.0, [x]) == [0.0]
    assert ag.grad(x * 3.0, [x, Value(1.0)]) == [3.0, 0.0]


def test_plain_programs_are_silent():
    x = Value(0.5)
    y = x * math.sin(x) + float(x)
    y.backward()
    with ag.no_grad():
        float(x * x)
    assert ag.grad(lambda x: (x * 2, ag.no_grad()(lambda: float(x))())[0])(1.0) == 2.0  # read on purpose, beside


def test_readings_in_a_nested_derivative_of_a_constant_are_found():
    with pytest.warns(GradientWarning, match=r"math\.sin"):
        ag.grad(lambda x: ag.grad(lambda y: y * x + math.sin(y))(3.0))(1.0)


def test_warnings_can_be_errors_or_ignored():
    with warnings.catch_warnings():
        warnings.simplefilter("error", GradientWarning)
        with pytest.raises(GradientWarning, match=r"math\.sin"):
            ag.grad(lambda x: math.sin(x))(1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GradientWarning)
        assert ag.grad(lambda x: math.sin(x))(1.0) == 0.0


def test_gradcheck_and_compile_say_it_themselves():
    report = ag.gradcheck(lambda x: math.sin(x) * x, 1.0)
    assert "test_readings.py, line" in report.guilty
    with pytest.raises(ag.TraceError, match=r"read \(float\(\), as the functions of math do\) at .*test_readings.py"):
        ag.compile(lambda x: math.sin(x) * x)(1.0)


def test_no_source_no_expression():
    words: dict = {}
    exec(compile("import math\ndef f(x): return math.sin(x) * x", "<nowhere>", "exec"), words)
    with pytest.warns(GradientWarning, match="an expression at <nowhere>, line 2, reads the number"):
        ag.grad(words["f"])(1.0)


def test_a_long_graph_is_looked_at_once_a_line():
    def f(x):
        y = x
        for _ in range(3000):
            y = y * 1.0001 + float(y) * 1e-9
        return y

    with pytest.warns(GradientWarning) as caught:
        ag.grad(f)(1.0)
    assert len(caught) == 1


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_copy_inside_keeps_its_path(copied):
    assert ag.grad(lambda x: copied(x) * x)(3.0) == 6.0
    assert ag.hessian(lambda x: copied(x[0]) * x[0] * x[1])([3.0, 2.0]) == [[4.0, 6.0], [6.0, 0.0]]
    assert ag.grad(lambda p: copied(p).pop("a") * p["b"] ** 2)({"a": 2.0, "b": 3.0}) == {"a": 9.0, "b": 12.0}
    assert ag.grad(lambda x: (copied(x) * x).sum())(np.array([1.0, 2.0])).tolist() == [2.0, 4.0]
    assert ag.compile(lambda x: copied(x) * x).value_and_grad(3.0) == (9.0, 6.0)
    assert ag.gradcheck(lambda x: copied(x) ** 2, 3.0)
    x = Value(3.0, label="x")
    twin = copied(x)
    assert (twin.label, twin._prev, twin is x) == ("x", (), False)  # outside, a copy is another leaf


def test_one_value_in_two_places_is_copied_once():
    def f(x):
        first, second = copy.deepcopy([x, x])
        return first * second if first is second else 0.0 * x

    assert ag.grad(f)(3.0) == 6.0


def test_readings_on_purpose_cost_no_walk_each():
    def f(x, count):
        y = x
        for _ in range(count):
            y = y * 1.0001
            if math.isnan(y):
                return y
            assert "%.3f" % y  # noqa: UP031
            y = y + float(Value(1.0) * 2.0)
        return y

    walks = []
    depends = Readings.depends
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Readings, "depends", lambda self, value: walks.append(1) or depends(self, value))
        assert ag.grad(lambda x: f(x, 500))(1.0) > 1.0
    assert len(walks) < 600  # two of three are remembered, the third walks through three nodes
