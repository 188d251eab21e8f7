"""gradcheck: it catches wrong rules, passes right ones, tells kinks from mistakes and names the operation to blame."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value, gradcheck, primitive
from autograd.functions import FUNCTIONS, ON_FLOATS, ON_VALUES, apply
from autograd.ops import TABLE, Primitive
from tests.oracle import FLAT, ORACLE

ROWS = [TABLE[name] for name in ORACLE if name not in FLAT]
SEEDS = 200
ORDERS = {"polygamma", "dsinc", "dpow"}  # their first operand is an order


def cases(row: Primitive, seeds: int):
    """A function of the differentiated operands, and points in the row's domain."""
    for seed in range(seeds):
        draw = random.Random(f"{row.name}{seed}")
        if row.arity is None:
            yield (lambda *xs: apply(row, *xs)), [draw.uniform(-3.0, 3.0) for _ in range(4)]
            continue
        point = [draw.uniform(*interval) for interval in row.domain]
        if row.name in ORDERS:
            order = float(draw.randint(0, 2))
            yield (lambda *xs, order=order: apply(row, order, *xs)), point[1:]
        elif row.name == "where":
            condition = draw.choice([0.0, 1.0])
            yield (lambda x, y, condition=condition: apply(row, condition, x, y)), point[1:]
        else:
            yield (lambda *xs: apply(row, *xs)), point


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_right_rule_is_called_wrong(row):
    for f, point in cases(row, SEEDS):
        assert gradcheck(f, *point), (point, gradcheck(f, *point))
    for kink in row.kinks:
        assert gradcheck(lambda *xs: apply(row, *xs), *kink), kink


@pytest.mark.parametrize("factor", [1.001, -1.0, 0.0])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_no_wrong_rule_passes(row, factor):
    for f, point in cases(row, SEEDS if factor == 1.001 else 10):
        right = ag.grad(f, tuple(range(len(point))))(*point)
        wrong = tuple(factor * g for g in right)
        if all(abs(g) < 1e-250 for g in right):
            continue  # flat here: nothing to be wrong about
        report = gradcheck(f, *point, gradient=lambda *_, wrong=wrong: wrong if len(wrong) > 1 else wrong[0])
        for row_, g in zip(report.rows, right):
            if abs(g) < 1e-250:
                continue
            # a hand-written gradient is all the check may use; where f is too noisy to tell, it must say so
            if abs(g) > 1e-6:
                assert row_.verdict == "wrong", (point, report)
            else:  # what is as small as the rounding of f may be called equal to 0
                assert row_.verdict in ("wrong", "below the noise") or abs(g) < 1e-10, (point, report)


@pytest.fixture
def broken(own_rows):
    """A row of the table with its rules scaled by 1.001, in a copy under another name."""

    def make(row: Primitive) -> Primitive:
        name = f"broken_{row.name}"
        texts = [
            text if text == "None" else f"[1.001 * p for p in {text}]" if row.arity is None else f"1.001 * ({text})"
            for text in row.partials
        ]
        copy = Primitive(name, row.forward, *[text.replace(" or None)", ")") for text in texts], domain=row.domain)
        copy.arity = row.arity
        return copy

    return make


@pytest.mark.parametrize("lossy", [lambda x: math.sin(x), lambda x: x * math.sin(float(x)), lambda x: x.data * x])
def test_the_line_that_reads_a_number_is_named(lossy):
    report = gradcheck(lossy, 0.5)
    assert not report
    assert "test_check.py, line" in report.guilty
    with pytest.raises(ag.GradcheckError, match=r"the number in a Value is read at .*use the functions of autograd"):
        report.raise_if_wrong()


def test_a_reading_is_no_fault_by_itself():
    assert not gradcheck(lambda x: x * x if float(x) > 0.0 else -x, 0.5).guilty


@pytest.mark.parametrize("name", ["mul", "tanh", "pow", "sigmoid", "erf", "gelu", "atan2", "logsumexp", "polygamma", "dot"])
def test_the_guilty_operation_is_named(name, broken):
    row = broken(TABLE[name])
    rules = (ON_FLOATS, ON_VALUES)
    point = [0.6, 0.4, 0.3, 0.7][: len(next(cases(TABLE[name], 1))[1])]

    def program(*xs):
        good = ag.sum([ag.sin(x) for x in xs])
        order = [1.0] if name in ORDERS else []
        return good * apply(row, *order, *xs)

    report = gradcheck(program, *point)
    for rule in rules:
        rule.pop(row, None)
    assert not report
    assert f"the operation to blame is broken_{name}(" in report.guilty
    assert "test_check.py, line" in report.guilty
    with pytest.raises(ag.GradcheckError, match=rf"the derivative with respect to x.* is wrong: analytic .*broken_{name}"):
        report.raise_if_wrong()


def test_a_report_is_a_truth_value_and_a_table():
    report = gradcheck(lambda w, x: ag.tanh(w["a"] * x[0] + w["b"]), {"a": 0.5, "b": -1.0}, [2.0])
    assert report
    report.raise_if_wrong()
    lines = str(report).splitlines()
    assert lines[0].split() == ["argument", "analytic", "numeric", "error", "verdict"]
    assert [row.argument for row in report.rows] == ["w['a']", "w['b']", "x[0]"]
    assert report._repr_html_().count("<tr>") == 4


@pytest.mark.parametrize(
    ("f", "x", "verdict", "note"),
    [
        (ag.relu, 0.0, "valid subgradient", "slopes 0 and 1"),
        (abs, 0.0, "valid subgradient", "slopes -1 and 1"),
        (ag.relu, 1e-5, "equal", ""),
        (ag.sqrt, 0.0, "equal", "one-sided"),
        (ag.cbrt, 0.0, "equal", "a vertical tangent"),
        (ag.floor, 1.0, "valid subgradient", "the function jumps here"),
        (ag.log, -1.0, "undefined", "the function is nan here"),
        (lambda x: x * 0 + 3, 1.0, "equal", ""),
        (lambda x: (x + 1e10) - 1e10, 1e-3, "below the noise", "does not change over small steps"),
        (ag.exp, 1e-12, "equal", ""),
        (lambda x: x * x, 1e12, "equal", ""),
        (ag.log, 1e-12, "equal", ""),
    ],
)
def test_verdicts(f, x, verdict, note):
    (row,) = gradcheck(f, x).rows
    assert row.verdict == verdict
    assert note in row.note


def test_a_wrong_subgradient_is_wrong():
    report = gradcheck(lambda x: abs(x), 0.0, gradient=lambda x: 2.0)
    assert report.rows[0].verdict == "wrong"
    assert "slopes -1 and 1" in report.rows[0].note
    assert gradcheck(lambda x: abs(x), 0.0, gradient=lambda x: 0.5)


def test_a_noisy_function_is_not_called_wrong():
    trembling = lambda x: math.sin(x) + 1e-9 * math.sin(1e12 * x)  # noqa: E731
    rounded = lambda x: float(np.float32(math.sin(x)))  # noqa: E731
    for f in (trembling, rounded):
        assert gradcheck(f, 0.7, gradient=math.cos)
        assert not gradcheck(f, 0.7, gradient=lambda x: 1.01 * math.cos(x))
        assert not gradcheck(f, 0.7, gradient=lambda x: -math.cos(x))


def test_hand_written_gradients_need_no_value():
    f = lambda x, y: math.exp(x) * y  # noqa: E731
    assert gradcheck(f, 1.0, 2.0, gradient=lambda x, y: (math.exp(x) * y, math.exp(x)))
    report = gradcheck(f, 1.0, 2.0, gradient=lambda x, y: (math.exp(x) * y, math.exp(x) * y))
    assert [row.verdict for row in report.rows] == ["equal", "wrong"]
    assert report.worst.argument == "y"
    with pytest.raises(ValueError, match="the gradient has 1 numbers, the inputs have 2"):
        gradcheck(f, 1.0, 2.0, gradient=lambda x, y: (1.0,))
    a = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert gradcheck(lambda x: float(x @ a @ x), np.array([1.0, -1.0]), gradient=lambda x: (a + a.T) @ x)


def test_modules():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=3)
    before = [p.data for p in model.parameters()]
    loss = lambda m: (m([0.5, -1.0]) - 1) ** 2  # noqa: E731
    report = gradcheck(loss, model)
    assert report
    assert len(report.rows) == 13
    assert report.rows[0].argument == "m.layers.0.neurons.0.w.0"
    assert [p.data for p in model.parameters()] == before
    assert len(gradcheck(loss, model, sample=4, seed=1).rows) == 4
    assert all(p.grad == 0.0 for p in model.parameters())


def test_second_order():
    report = gradcheck(lambda x: ag.sin(x[0]) * ag.exp(x[1]) * x[0], [0.3, 0.7], order=3)
    assert report
    assert len(report.rows) == 6


def test_second_order_catches_a_rule_that_cannot_be_differentiated(own_rows):
    # right to first order; but the partial is frozen to a number, so its own derivative is lost
    frozen = primitive("frozen", "x * x * x", lambda x, out: 3.0 * float(x) ** 2)
    assert gradcheck(frozen, 2.0)
    assert not gradcheck(frozen, 2.0, order=2)


def test_mistakes_in_the_call():
    with pytest.raises(TypeError, match="gradcheck needs a function, not int 3"):
        gradcheck(3)
    with pytest.raises(TypeError, match="needs the point to check at"):
        gradcheck(ag.exp)
    with pytest.raises(TypeError, match="returns numbers, not NoneType; is a return missing"):
        gradcheck(lambda x: None, 1.0)


def test_the_picture_has_a_curve_for_every_method():
    figure = gradcheck(lambda x: ag.exp(x) * x, 1.0).plot()
    (axes,) = figure.axes
    curves = ["forward difference", "central difference", "complex step", "central, extrapolated"]
    assert [line.get_label() for line in axes.lines] == curves
    for line in axes.lines[:2]:
        errors = line.get_ydata()
        assert errors.min() < 1e-7 < errors[-1]  # down with the step, and up again: the V
    assert axes.lines[2].get_ydata()[-1] < 1e-14
    with pytest.raises(ValueError, match="no argument 'y', only x"):
        gradcheck(lambda x: x, 1.0).plot("y")


def test_own_primitives(own_rows):
    double = primitive("double", "x + x", "2.0", label="2x")
    x = Value(3.0)
    y = double(x) * x.double()
    assert (y.data, y._prev[0]._op) == (36.0, "2x")
    assert ag.hessian(lambda t: double(t) ** 2)(3.0) == 8.0
    assert gradcheck(double, 3.0)
    assert FUNCTIONS["double"](2.0) == 4.0
    primitive("double", "2.0 * x", "2.0")  # one's own may be written anew
    logistic = primitive(
        "logistic",
        lambda x, k: 1 / (1 + math.exp(-k * x)),
        lambda x, k, out: k * out * (1 - out),
        lambda x, k, out: x * out * (1 - out),
    )
    assert gradcheck(logistic, 0.3, 2.0, order=2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("exp", "x", "1.0"), "the table has 'exp' already; choose another name"),
        (("unfinished", "x +", "1.0"), r"primitive 'unfinished': the text 'x \+' is no expression: invalid syntax"),
        (("unfinished", "x", "1.0 )"), r"the text '1.0 \)' is no expression"),
        (("a b", "x", "1.0"), "needs a name of its own"),
        (("data", "x", "1.0"), "the name 'data' is taken"),
        (("nothing", "x"), "needs one partial derivative per operand"),
        (("strange", "foo(x)", "1.0"), "uses 'foo', which the table does not know"),
    ],
)
def test_primitives_that_cannot_be(arguments, message, own_rows):
    with pytest.raises(ValueError, match=message):
        primitive(*arguments)


def test_rules_are_checked_at_registration_on_request(own_rows):
    with pytest.raises(ag.GradcheckError, match=r"the derivative with respect to .* is wrong"):
        primitive("quartic", "x * x * x * x", "4.001 * x * x * x", check=True)
    assert "quartic" not in TABLE
    assert not hasattr(Value, "quartic")
    quartic = primitive("quartic", "x * x * x * x", "4.0 * x * x * x", check=True)
    assert quartic(2.0) == 16.0
