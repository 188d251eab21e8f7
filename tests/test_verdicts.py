"""Verdicts of the gradient check: every row right and wrong, kinks, scales, noise, modules, orders and the operation to blame."""

import math
import random
import sys

import pytest

import autograd
import nn
from autograd import GradcheckError, Value, gradcheck
from autograd.functions import FUNCTIONS, ON_FLOATS
from autograd.ops import TABLE

SEEDS = 200
INTEGERS = {"polygamma": 3, "dsinc": 2, "dpow": 2}  # rows whose first operand is a whole number up to this
RIGHT = sorted(set(TABLE) - {"stop_gradient"})  # which says 0 where the function has a slope: that is its purpose


def case(name, seed):
    """A row as a function, and a random point of its domain."""
    row, draw = TABLE[name], random.Random(f"{name} {seed}")
    function = FUNCTIONS[name]
    if row.arity is None:
        xs = [draw.uniform(*row.domain[0]) for _ in range(4)]
        if name == "dot":
            return lambda *xs: function(xs[:2], xs[2:]), xs
        return lambda *xs: function(xs), xs
    xs = [draw.uniform(*interval) for interval in row.domain]
    if name in INTEGERS:
        n = draw.randint(0, INTEGERS[name])
        return lambda *xs: function(n, *xs), xs[1:]
    return function, xs


def with_rules(monkeypatch, name, change):
    """Put `change(partial)` for every partial derivative of this row."""

    def changed(rule):
        def partial(*operands):
            found = rule(*operands)
            if isinstance(found, list):
                return [None if x is None else change(x) for x in found]
            return None if found is None else change(found)

        return partial

    monkeypatch.setitem(ON_FLOATS, TABLE[name], [changed(rule) for rule in ON_FLOATS[TABLE[name]]])


@pytest.mark.parametrize("name", RIGHT)
def test_right_rules_pass(name):
    for seed in range(SEEDS):
        f, xs = case(name, seed)
        report = gradcheck(f, *xs)
        assert {row.verdict for row in report.rows} == {"equal"}, f"{name}{tuple(xs)}\n{report}"


@pytest.mark.parametrize("change", [lambda d: 1.001 * d, lambda d: -d, lambda _: 0.0], ids=["0.1% off", "sign", "zero"])
@pytest.mark.parametrize("name", RIGHT)
def test_wrong_rules_are_caught(monkeypatch, name, change):
    right = {}
    for seed in range(40):
        f, xs = case(name, seed)
        right[seed] = [row.analytic for row in gradcheck(f, *xs).rows]
    with_rules(monkeypatch, name, change)
    caught = 0
    for seed, derivatives in right.items():
        f, xs = case(name, seed)
        for row, derivative in zip(gradcheck(f, *xs).rows, derivatives):
            if derivative == 0.0:
                assert row.verdict == "equal"
            elif abs(derivative) > 1e-12:  # erf'(5.9) is 1e-15: one rounding of erf hides it
                assert row.verdict == "wrong", f"{name}{tuple(xs)}"
                caught += 1
            else:
                assert row.verdict in ("wrong", "below the noise"), f"{name}{tuple(xs)}"
    assert caught or not any(map(any, right.values()))


@pytest.mark.parametrize("name", [name for name in RIGHT if TABLE[name].kinks])
def test_kinks_pass_and_show_their_slopes(name):
    for kink in TABLE[name].kinks:
        report = gradcheck(FUNCTIONS[name], *kink)
        assert report, f"{name}{kink}\n{report}"


def test_a_kink_shows_the_slopes_on_both_sides():
    report = gradcheck(autograd.relu, 0.0)
    assert report
    assert report.rows[0].verdict == "valid subgradient"
    assert report.rows[0].note == "slopes 0 and 1"
    assert report.rows[0].analytic == 0.0
    assert gradcheck(abs, 0.0).rows[0].note == "slopes -1 and 1"
    outside = gradcheck(abs, 0.0, gradient=lambda _: 1.5)
    assert not outside
    with pytest.raises(GradcheckError, match=r"with respect to x0? is wrong: analytic 1.5.*\(slopes -1 and 1\)"):
        outside.raise_if_wrong()


@pytest.mark.parametrize("distance", [1e-2, 1e-4, 1e-6, 1e-9])
def test_a_kink_within_the_step_is_not_held_against_the_function(distance):
    assert gradcheck(autograd.relu, distance).rows[0].verdict == "equal"
    assert gradcheck(lambda x: autograd.abs(x - 1.0) + x**2, 1.0 + distance)
    assert not gradcheck(autograd.relu, distance, gradient=lambda _: 0.999)


def test_a_rule_of_too_few_partials_is_caught(monkeypatch):
    monkeypatch.setitem(ON_FLOATS, TABLE["sum"], [lambda xs, _: [1.0] * (len(xs) - 1)])
    report = gradcheck(lambda *xs: FUNCTIONS["sum"](xs), 1.0, 2.0, 3.0)
    assert [row.verdict for row in report.rows] == ["equal", "equal", "wrong"]


def test_the_guilty_operation_is_named_with_its_line(monkeypatch):
    with_rules(monkeypatch, "tanh", lambda d: 1.001 * d)

    def model(w, x):
        h = autograd.sin(w * x)
        line.append(sys._getframe().f_lineno + 1)
        a = autograd.tanh(h)
        return autograd.exp(a) + w

    line = []
    report = gradcheck(model, 0.5, 2.0)
    assert not report
    assert "the operation to blame is tanh(0.84147" in report.guilty
    assert f"{__file__}, line {line[-1]}" in report.guilty
    assert report.guilty in str(report)
    with pytest.raises(GradcheckError, match=r"respect to [wx] is wrong.*tanh.*respect to operand 1 is 0\.52.*should be 0\.52"):
        report.raise_if_wrong()


def test_a_wrong_operation_of_a_user_is_named():
    wrong = autograd.primitive("wrong_cube", "x * x * x", "2.0 * x * x")
    try:
        report = gradcheck(lambda x: wrong(x) + 1.0, 2.0)
        assert "wrong_cube(2.0)" in report.guilty
    finally:
        del TABLE["wrong_cube"], FUNCTIONS["wrong_cube"]
        del Value.wrong_cube


def test_stop_gradient_is_named():
    report = gradcheck(lambda x: x * autograd.stop_gradient(x), 3.0)
    assert "stop_gradient(3.0)" in report.guilty


# Hand-written gradients of plain functions.


def logistic(w, x):
    return math.log1p(math.exp(-(w[0] * x[0] + w[1] * x[1])))


def logistic_gradient(w, x):
    p = -1.0 / (1.0 + math.exp(w[0] * x[0] + w[1] * x[1]))
    return [p * x[0], p * x[1]], [p * w[0], p * w[1]]


def test_a_handwritten_gradient():
    w, x = [0.3, -0.2], [1.0, 2.0]
    assert gradcheck(logistic, w, x, gradient=logistic_gradient)

    def forgotten(w, x):
        dw, dx = logistic_gradient(w, x)
        return dw, [dx[0], -dx[1]]

    report = gradcheck(logistic, w, x, gradient=forgotten)
    assert [row.argument for row in report.rows if row.verdict == "wrong"] == ["x[1]"]
    with pytest.raises(GradcheckError, match=r"the derivative with respect to x\[1\] is wrong"):
        report.raise_if_wrong()
    with pytest.raises(ValueError, match="the gradient has 2 numbers, the inputs have 4"):
        gradcheck(logistic, w, x, gradient=lambda *_: ([1.0], [1.0]))



def test_numpy_arrays():
    np = pytest.importorskip("numpy")
    x = np.array([[0.5, -1.0], [2.0, 3.0]])
    report = gradcheck(lambda x: np.sum(np.exp(x) * x), x)
    assert report
    assert [row.argument for row in report.rows] == ["x[0][0]", "x[0][1]", "x[1][0]", "x[1][1]"]
    assert gradcheck(lambda x: float(np.sum(x**2)), x, gradient=lambda x: 2 * x)
    assert not gradcheck(lambda x: float(np.sum(x**2)), x, gradient=lambda x: 2.002 * x)


def test_nested_containers():
    point = {"w": [1.0, 2.0], "b": (3.0, None)}
    report = gradcheck(lambda p: p["w"][0] * p["w"][1] + p["b"][0] ** 2, point)
    assert report
    assert [row.argument for row in report.rows] == ["p['w'][0]", "p['w'][1]", "p['b'][0]"]


# Modules.


def test_all_parameters_of_a_module_or_a_sample():
    model = nn.MLP(2, [3, 1], seed=0)
    before = [p.data for p in model.parameters()]

    def loss(model, x):
        return model(x) ** 2

    report = gradcheck(loss, model, [0.5, -1.0])
    assert report
    assert len(report.rows) == len(before) + 2
    assert "model.layers.0" in str(report)
    assert [p.data for p in model.parameters()] == before
    first, second, other = (gradcheck(loss, model, [0.5, -1.0], sample=4, seed=seed) for seed in (1, 1, 2))
    assert len(first.rows) == 4
    assert str(first) == str(second) != str(other)


def test_a_wrong_rule_inside_a_module_is_named(monkeypatch):
    with_rules(monkeypatch, "dot", lambda d: 1.01 * d)
    model = nn.MLP(2, [2, 1], seed=0)
    report = gradcheck(lambda model: model([0.5, -1.0]) ** 2, model)
    assert not report
    assert "the operation to blame is dot(" in report.guilty


# Orders.


def test_higher_orders():
    assert gradcheck(lambda x, y: autograd.exp(x * y) + autograd.sin(x) / y, 0.5, 1.5, order=3)
    report = gradcheck(lambda x: x**3, 2.0, order=2)
    assert [row.argument for row in report.rows] == ["x", "order +1: x"]



# Scales, noise and edges.


@pytest.mark.parametrize("scale", [1e-12, 1e-6, 1e6, 1e12])
def test_tiny_and_huge_inputs(scale):
    cases = [
        lambda x: x * x, lambda x: autograd.sin(x / scale), lambda x: autograd.log(x), lambda x: autograd.exp(x / scale),
        lambda x: 1.0 / x, lambda x: autograd.sqrt(x) * scale, lambda x: x + scale,
    ]  # fmt: skip
    for f in cases:
        for seed in range(10):
            x = scale * random.Random(seed).uniform(0.5, 2.0)
            assert gradcheck(f, x).rows[0].verdict == "equal"
            right = autograd.grad(f)(x)
            assert not gradcheck(f, x, gradient=lambda _, right=right: 1.001 * right)


def test_a_function_of_its_own_scale_at_a_large_input():
    assert gradcheck(lambda x: autograd.sin(x - 1e8), 1e8 + 0.5)
    assert gradcheck(lambda x: autograd.sin(x * 1e8), 0.0)


def test_constants_and_unused_inputs():
    report = gradcheck(lambda x, _: x * 2.0, 1.0, 5.0)
    assert report
    assert report.rows[1].analytic == 0.0
    assert gradcheck(lambda _: 3.0, 1.0)
    assert gradcheck(lambda x: x - x + 5.0, 0.3)
    assert gradcheck(lambda x: x * 0.0, 2.0).rows[0].verdict == "equal"
    assert gradcheck(lambda x: autograd.sin(x) ** 2 + autograd.cos(x) ** 2, 0.7)


@pytest.mark.parametrize("noise", [1e-10, 1e-7, 1e-4])
def test_a_noisy_function_is_not_called_wrong(noise):
    def f(x):
        return math.sin(x) + noise * random.Random(repr(x)).uniform(-1.0, 1.0)

    for seed in range(30):
        x = random.Random(seed).uniform(0.2, 1.2)
        report = gradcheck(f, x, gradient=math.cos)
        assert report, f"{x}\n{report}"
        assert not gradcheck(f, x, gradient=lambda x: 2.0 * math.cos(x))


def test_points_that_are_not_finite_are_undefined():
    report = gradcheck(autograd.log, -1.0)
    assert not report
    assert report.rows[0].verdict == "undefined"
    with pytest.raises(GradcheckError, match=r"is undefined: .*\(the function is nan here\)"):
        report.raise_if_wrong()
    assert gradcheck(autograd.exp, 1000.0).rows[0].verdict == "undefined"
    assert gradcheck(lambda x: x * 2.0, math.inf).rows[0].verdict == "undefined"
    assert gradcheck(lambda x: x**2, 3.0, gradient=lambda _: math.nan).rows[0].verdict == "undefined"


def test_ends_of_domains_and_vertical_tangents():
    assert gradcheck(lambda x: x**1.5, 0.0)
    assert gradcheck(autograd.sqrt, 0.0)
    assert gradcheck(autograd.cbrt, 0.0).rows[0].note == "a vertical tangent"


# Forward mode, references, reports.


def test_forward_and_reverse_mode_are_compared():
    assert gradcheck(lambda x, y: x * y, 2.0, 3.0).notes == ["forward mode agrees with reverse mode"]


def test_without_mpmath_it_says_that_it_cannot_tell(monkeypatch):
    monkeypatch.setitem(sys.modules, "mpmath", None)
    report = gradcheck(autograd.erf, 5.8)
    assert report
    assert report.rows[0].verdict == "below the noise"


def test_the_worst_argument_is_named():
    def gradient(x, y):
        return 2.0 * x * 1.01, 5.0 * y

    with pytest.raises(GradcheckError, match=r"^the derivative with respect to y is wrong: analytic 15.0, .*(6|5.99).*, error 9"):
        gradcheck(lambda x, y: x**2 + y**2, 1.0, 3.0, gradient=gradient).raise_if_wrong()
    gradcheck(lambda x: x**2, 1.0).raise_if_wrong()


def test_a_report_prints_in_a_terminal_and_a_notebook():
    report = gradcheck(abs, 0.0)
    head = str(report).splitlines()[0]
    assert head.split() == ["argument", "analytic", "numeric", "error", "verdict"]
    assert "<table>" in report._repr_html_()
    nasty = gradcheck(lambda p: p["<b>"] ** 2, {"<b>": 1.0})
    assert "<b>" not in nasty._repr_html_()
    assert "&lt;b&gt;" in nasty._repr_html_()


def test_the_plot_is_a_v_with_a_curve_for_each_method():
    pytest.importorskip("matplotlib")
    axes = gradcheck(lambda x: autograd.exp(autograd.sin(x)), 1.0).plot().axes[0]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    curves = {line.get_label(): list(line.get_ydata()) for line in axes.get_lines() if not line.get_label().startswith("_")}
    assert {"forward difference", "central difference", "complex step"} <= set(curves)
    for name, least in (("forward difference", 1e-6), ("central difference", 1e-8)):
        errors = curves[name]
        best = errors.index(min(errors))
        assert min(errors) < least
        assert 5 < best < len(errors) - 5
        assert min(errors[0], errors[-1]) > 100 * min(errors)
    assert max(curves["complex step"][-20:]) < 1e-15
    report = gradcheck(math.gamma, 2.5, gradient=lambda _: 0.0)
    assert "complex step" not in {line.get_label() for line in report.plot().axes[0].get_lines()}
    with pytest.raises(ValueError, match="the report has no argument 'y', only x"):
        gradcheck(lambda x: x * x, 1.0).plot("y")


def test_wrong_uses_are_refused():
    with pytest.raises(TypeError, match=r"gradcheck needs a function, not float 3.0"):
        gradcheck(3.0, 1.0)
    with pytest.raises(TypeError, match="gradcheck needs the point to check at"):
        gradcheck(abs)
    with pytest.raises(TypeError, match="for every result of f, needs a number, not set"):
        gradcheck(lambda x: {x}, 1.0)
    with pytest.raises(TypeError, match="needs a number, not str"):
        gradcheck(abs, "1.0")
    with pytest.raises(ValueError, match="order"):
        gradcheck(abs, 1.0, order=0)
