"""gradcheck: slopes of 0, gradients paired by key and shape, random functions, several outputs, and random directions."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import GradcheckError, gradcheck
from autograd.functions import ON_FLOATS
from autograd.ops import TABLE

# Value and slope are 0: there is no size that an error could be relative to.

VANISHING = {
    "relu squared": (lambda x: ag.relu(x) ** 2, 0.0),
    "relu cubed": (lambda x: ag.relu(x) ** 3, 0.0),
    "squared hinge": (lambda x: ag.relu(1.0 - x) ** 2, 1.0),
    "squared hinge at 10": (lambda x: ag.relu(10.0 - x) ** 2, 10.0),
    "squared hinge at 1e-6": (lambda x: ag.relu(1e-6 - x) ** 2, 1e-6),
    "squared hinge of a margin": (lambda x: ag.maximum(0.0, 1.0 - 3.0 * x) ** 2, 1.0 / 3.0),
    "fourth power": (lambda x: x**4, 0.0),
    "power 1.5": (lambda x: ag.maximum(x, 0.0) ** 1.5, 0.0),
    "x |x|": (lambda x: x * abs(x), 0.0),
    "shrinkage": (lambda x: ag.relu(abs(x) - 1.0) ** 2, 1.0),
    "small": (lambda x: 1e-8 * ag.relu(x) ** 2, 0.0),
    "large": (lambda x: 1e12 * ag.relu(x) ** 2, 0.0),
    "steep": (lambda x: ag.relu(1e6 * x) ** 2, 0.0),
    "lifted": (lambda x: ag.relu(x) ** 2 + 5.0, 0.0),
    "beside a kink": (lambda x: ag.relu(x - 1e-9) ** 2, 0.0),
    "power 1.1": (lambda x: ag.maximum(x, 0.0) ** 1.1, 0.0),
    "half a power": (lambda x: ag.pow(x, 1.1), 0.0),
}


@pytest.mark.parametrize("name", VANISHING)
def test_a_slope_of_zero_is_right(name):
    f, x = VANISHING[name]
    report = gradcheck(f, x)
    assert report.rows[0].verdict == "equal", report
    assert gradcheck(f, x, gradient=lambda _: 0.0)


@pytest.mark.parametrize("name", VANISHING)
def test_a_wrong_slope_of_the_size_of_those_nearby_is_caught(name):
    f, x = VANISHING[name]
    nearby = max(abs(ag.grad(f)(x + h)) for h in (-0.1, -0.01, 0.01, 0.1) if math.isfinite(ag.grad(f)(x + h)))
    for share in (1.0, -0.1, 1e-2, -1e-4):
        if "1.1" in name or "half" in name or (share == -1e-4 and name in ("lifted", "power 1.5")):
            continue  # the estimate cannot tell so small a slope from 0
        assert not gradcheck(f, x, gradient=lambda _, wrong=share * nearby: wrong), share


def test_orders_at_slopes_of_zero():
    for f, x in list(VANISHING.values())[:5]:
        assert gradcheck(f, x, order=3), gradcheck(f, x, order=3)


def test_small_slopes_are_still_told_from_zero():
    for f, x in ((lambda x: x * x, 1e-8), (lambda x: ag.relu(x) ** 2, 1e-7), (lambda x: 1e-9 * x + x**3, 0.0)):
        right = ag.grad(f)(x)
        assert gradcheck(f, x)
        for wrong in (0.0, -right, 1.001 * right, 2.0 * right):
            assert not gradcheck(f, x, gradient=lambda _, wrong=wrong: wrong), (x, wrong)


# A gradient written by hand is paired by key and shape.


def quadratic(p):
    return p["a"] ** 2 + 3.0 * p["b"]


def test_dictionaries_are_paired_by_key():
    point = {"a": 2.0, "b": 5.0}
    assert gradcheck(quadratic, point, gradient=lambda p: {"b": 3.0, "a": 2 * p["a"]})
    report = gradcheck(quadratic, point, gradient=lambda p: {"b": 2 * p["a"], "a": 3.0})
    assert [row.verdict for row in report.rows] == ["wrong", "wrong"]


WRONG_SHAPES = [
    ({"a": 1.0, "b": 1.0}, {"a": 1.0}, r"2: the gradient must have the keys \['a', 'b'\], not the keys \['a'\]"),
    ({"a": 1.0, "b": 1.0}, {"a": 1.0, "c": 1.0}, r"the gradient must have the keys \['a', 'b'\], not the keys \['a', 'c'\]"),
    ({"a": 1.0, "b": 1.0}, [1.0, 1.0], r"the gradient must have the keys \['a', 'b'\], not the shape \(2,\)"),
    ([1.0, [2.0, 3.0]], [[1.0, 2.0], 3.0], r"the gradient\[0\] must be one number, not the shape \(2,\)"),
    ([[1.0, 2.0], [3.0]], [[1.0], [2.0, 3.0]], r"the gradient\[0\] must have the shape \(2,\), not the shape \(1,\)"),
    ([1.0, 2.0], [1.0], r"the gradient has 1 numbers, the inputs have 2: the gradient must have the shape \(2,\)"),
    ([1.0, 2.0], [1.0, None], r"the gradient\[1\] must be one number, not None"),
    (np.ones((2, 3)), np.ones((3, 2)), r"the gradient must have the shape \(2, 3\), not the shape \(3, 2\)"),
    (np.ones((2, 3)), np.ones(6), r"the gradient must have the shape \(2, 3\), not the shape \(6,\)"),
    ([[1.0] * 3] * 2, [[1.0] * 2] * 3, r"the gradient must have the shape \(2, 3\), not the shape \(3, 2\)"),
    (1.0, [1.0, 2.0], r"the gradient must be one number, not the shape \(2,\)"),
    (1.0, {"x": 1.0}, r"the gradient must be one number, not the keys \['x'\]"),
    ([1.0, 2.0], 1.0, r"the gradient must have the shape \(2,\), not the float 1.0"),
]


@pytest.mark.parametrize(("point", "given", "message"), WRONG_SHAPES)
def test_other_keys_and_shapes_are_named(point, given, message):
    from autograd.trees import leaves

    with pytest.raises(ValueError, match=message):
        gradcheck(lambda p: sum(x * x for x in leaves(p)), point, gradient=lambda _: given)


def test_shapes_that_agree_pass_whatever_holds_them():
    f = lambda x: sum(a * b for row in x for a, b in zip(row, row))  # noqa: E731
    nested = [[1.0, 2.0], [3.0, 4.0]]
    assert gradcheck(f, nested, gradient=lambda x: 2 * np.array(x))
    assert gradcheck(f, nested, gradient=lambda x: tuple(tuple(2 * a for a in row) for row in x))
    assert gradcheck(f, np.array(nested), gradient=lambda x: [[2 * a for a in row] for row in x])
    assert not gradcheck(f, np.array(nested), gradient=lambda x: 2 * x.T)
    assert gradcheck(lambda x: x * x, 3.0, gradient=lambda x: (2 * x,))  # one entry per argument
    assert gradcheck(lambda x: x * x, 3.0, gradient=lambda x: [2 * x])
    assert gradcheck(lambda x: x * x, 3.0, gradient=lambda x: np.array(2 * x))
    assert gradcheck(lambda x: x[0] ** 2, [3.0], gradient=lambda x: (2 * x[0],))


def test_gradients_of_several_arguments():
    f = lambda w, x: w[0] * x + w[1]  # noqa: E731
    point = [2.0, 3.0], 5.0
    assert gradcheck(f, *point, gradient=lambda w, x: ([x, 1.0], w[0]))
    assert gradcheck(f, *point, gradient=lambda w, x: [[x, 1.0], w[0]])
    assert gradcheck(f, *point, gradient=lambda w, x: {"x": w[0], "w": (x, 1.0)})
    assert not gradcheck(f, *point, gradient=lambda w, x: {"x": x, "w": (w[0], 1.0)})
    for given, message in [
        ((1.0,), r"the gradient has 1 numbers, the inputs have 3: the gradient must have the shape \(2,\)"),
        ((1.0, [5.0, 1.0]), r"the gradient\[0\] must have the shape \(2,\), not the float 1.0"),
        ({"w": [1.0, 2.0]}, r"the gradient must have the keys \['w', 'x'\]"),
        (([1.0, 2.0], None), r"the gradient\[1\] must be one number, not None"),
    ]:
        with pytest.raises(ValueError, match=message):
            gradcheck(f, *point, gradient=lambda *_, given=given: given)


def test_a_gradient_that_is_none():
    with pytest.raises(TypeError, match=r"the gradient must return derivatives, not None; is a return missing\?"):
        gradcheck(lambda x: x, 1.0, gradient=lambda x: None)
    with pytest.raises(TypeError, match=r"gradient is a function of the inputs, not float 1.0"):
        gradcheck(lambda x: x, 1.0, gradient=1.0)
    with pytest.raises(TypeError, match=r"the gradient needs a number, not str"):
        gradcheck(lambda x: x, 1.0, gradient=lambda x: "1.0")


def test_the_parameters_of_a_module_take_a_list():
    model = nn.Neuron(2, activation="linear", init="zeros")
    f = lambda model: model([3.0, 4.0])  # noqa: E731
    names = list(model.named_parameters())
    right = {"w.0": 3.0, "w.1": 4.0, "b": 1.0}
    assert gradcheck(f, model, gradient=lambda _: [right[name] for name in names])
    with pytest.raises(ValueError, match=r"the gradient has 2 numbers, the inputs have 3"):
        gradcheck(f, model, gradient=lambda _: [1.0, 2.0])


def test_a_module_that_is_given_twice_is_checked_once():
    model = nn.Neuron(2, activation="tanh", seed=0)
    f = lambda a, b: a([0.5, -1.0]) * b([0.3, 0.2])  # noqa: E731
    for options in ({}, {"directions": 3}):
        report = gradcheck(f, model, model, **options)
        assert report, report
        assert len(report.rows) == 3
    assert len(gradcheck(f, model, nn.Neuron(2, seed=1)).rows) == 6


def test_frozen_parameters_are_neither_checked_nor_named():
    model = nn.MLP(2, [2, 1], seed=0)
    model.layers[0].freeze()
    report = gradcheck(lambda model: model([0.5, -1.0]), model)
    assert len(report.rows) == len(model.parameters()) == 3
    assert all("layers.1" in row.argument for row in report.rows)


# Functions that change what they are given.


def test_the_callers_containers_and_every_evaluation_are_the_same():
    point, other = {"w": [3.0, 2.0], "lr": 2.0}, [1.0, 2.0]
    model = nn.Neuron(1, activation="linear")

    def f(p, other, *_):
        return p.pop("lr") * p["w"].pop() ** 2 * other.pop() * other.pop()

    def gradient(p, other):
        lr, (_, w), (a, b) = p.pop("lr"), p.pop("w"), (other.pop(0), other.pop())
        return {"lr": w**2 * a * b, "w": [0.0, 2 * lr * w * a * b]}, [lr * w**2 * b, lr * w**2 * a]

    assert gradcheck(f, point, other)
    assert gradcheck(f, point, other, order=2)
    assert gradcheck(f, point, other, gradient=gradient)
    assert gradcheck(lambda model, p: model([p.pop() * p.pop()]), model, other)
    assert (point, other) == ({"w": [3.0, 2.0], "lr": 2.0}, [1.0, 2.0])


# Functions that give other results at the same point.


class Counter:
    def __init__(self, every=1):
        self.calls, self.every = itertools.count(), every

    def __call__(self, x):
        return x * x + next(self.calls) // self.every


def adding_up(total=[]):  # noqa: B006
    return lambda x: total.append(1.0) or x * len(total)


@pytest.mark.parametrize(
    "f",
    [lambda x: x * random.random(), Counter(), Counter(every=3), Counter(every=9), adding_up(),
     lambda x: x * np.random.default_rng().normal(), lambda x: [x, x + random.random()]],
    ids=["random", "counter", "a slow counter", "a very slow counter", "a list", "numpy", "the second output"],
)  # fmt: skip
def test_a_random_function_is_named_as_such(f):
    with pytest.raises(ValueError, match=r"gives different results at the same point: .* and .*seed its generator"):
        gradcheck(f, 1.5)


def test_dropout_is_named_as_such():
    model = nn.Sequential(nn.Linear(4, 8), nn.Dropout(0.5, seed=0), nn.Linear(8, 1))
    f = lambda model, x: ag.sum(model(x)) ** 2  # noqa: E731
    with pytest.raises(ValueError, match=r"different results at the same point: .*switch dropout off: model.eval\(\)"):
        gradcheck(f, model, [1.0, 2.0, 3.0, 4.0], directions=2)
    assert gradcheck(f, model.eval(), [1.0, 2.0, 3.0, 4.0], directions=2)


def test_seeded_and_constant_functions_are_not_random():
    assert gradcheck(lambda x: x * random.Random(0).random(), 1.5)
    assert not gradcheck(lambda x: x * math.nan, 1.5)
    with pytest.raises(ValueError, match="f returns 1 numbers at the point, and 2 near it"):
        gradcheck(lambda x: [x] if x <= 1.0 else [x, x], 1.0)


# Several outputs.


def both(w, x):
    return {"product": w * x[0], "rest": (ag.sin(x[1]), w**2)}


def test_every_output_is_checked_with_respect_to_every_input():
    report = gradcheck(both, 2.0, [3.0, 0.5])
    assert report
    assert [row.argument for row in report.rows][:4] == [
        "f['product'] w.r.t. w", "f['product'] w.r.t. x[0]", "f['product'] w.r.t. x[1]", "f['rest'][0] w.r.t. w",
    ]  # fmt: skip
    assert [row.analytic for row in report.rows] == [3.0, 2.0, 0.0, 0.0, 0.0, math.cos(0.5), 4.0, 0.0, 0.0]
    assert report.notes == ["forward mode agrees with reverse mode"]
    assert gradcheck(both, 2.0, [3.0, 0.5], order=2)
    assert len(gradcheck(both, 2.0, [3.0, 0.5], sample=2).rows) == 6
    assert report.plot("f['product'] w.r.t. w")


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (lambda x: [x, x * x], (2.0,)),
        (lambda x: (x[0] * x[1],), ([2.0, 3.0],)),
        (lambda x: np.exp(x) * x, (np.array([0.5, 1.0]),)),
        (lambda x, y: np.outer(x, x) * y, (np.array([0.5, 1.0]), 3.0)),
        (lambda p: p["a"] * p["x"], ({"a": 2.0, "x": np.array([0.5, 1.0])},)),
        (ag.softmax, ([0.1, 0.2, 0.7],)),
        (lambda x: [x, 5.0, None, [x * 3.0]], (2.0,)),
    ],
)
def test_outputs_and_their_jacobians_by_hand(f, point):
    report = gradcheck(f, *point)
    assert report
    argnums = 0 if len(point) == 1 else tuple(range(len(point)))
    by_hand = lambda *inputs: ag.jacobian(f, argnums)(*inputs)  # noqa: E731
    checked = gradcheck(f, *point, gradient=by_hand)
    assert checked
    assert [row[:2] for row in checked.rows] == [row[:2] for row in report.rows]
    largest = max(range(len(report.rows)), key=lambda i: abs(report.rows[i].analytic))
    from autograd.trees import leaves, rebuild

    def forgotten(*inputs):
        found = leaves(by_hand(*inputs))
        place = next(i for i, slope in enumerate(found) if slope == report.rows[largest].analytic)
        found[place] *= 1.01
        return rebuild(by_hand(*inputs), found)

    wrong = gradcheck(f, *point, gradient=forgotten)
    assert [row.verdict for row in wrong.rows].count("wrong") == 1
    with pytest.raises(GradcheckError, match=r"^the derivative of f\S* with respect to \S+ is wrong: analytic"):
        wrong.raise_if_wrong()


def test_a_transposed_jacobian_is_refused_or_wrong():
    a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    f = lambda x: a @ x  # noqa: E731
    assert gradcheck(f, np.ones(3), gradient=lambda x: a)
    assert gradcheck(f, np.ones(3), gradient=lambda x: a.tolist())
    with pytest.raises(ValueError, match=r"the Jacobian must have the shape \(2, 3\), not the shape \(3, 2\)"):
        gradcheck(f, np.ones(3), gradient=lambda x: a.T)
    with pytest.raises(ValueError, match=r"the Jacobian has 3 numbers, outputs times inputs are 6"):
        gradcheck(f, np.ones(3), gradient=lambda x: a[0])
    assert not gradcheck(lambda x: a[:, :2] @ x, np.ones(2), gradient=lambda x: a[:, :2].T)


def with_rule(monkeypatch, name, change):
    right = ON_FLOATS[TABLE[name]]

    def changed(rule):
        def partial(*operands):
            found = rule(*operands)
            return [change(x) for x in found] if isinstance(found, list) else change(found)

        return partial

    monkeypatch.setitem(ON_FLOATS, TABLE[name], [changed(rule) for rule in right])


def test_the_output_with_a_wrong_rule_is_named(monkeypatch):
    with_rule(monkeypatch, "tanh", lambda d: 1.001 * d)
    report = gradcheck(lambda x: [ag.sin(x), ag.tanh(x)], 0.5)
    assert [row.verdict for row in report.rows] == ["equal", "wrong"]
    with pytest.raises(GradcheckError, match=r"^the derivative of f\[1\] with respect to x is wrong.*to blame is tanh\(0.5\)"):
        report.raise_if_wrong()


def test_an_array_of_no_dimensions_is_one_number():
    def f(x):
        array = np.empty((), dtype=object)
        array[()] = x * x
        return array

    assert [row.argument for row in gradcheck(f, 3.0).rows] == ["x"]
    assert gradcheck(lambda x: np.array(x * x), 3.0, gradient=lambda x: 2 * x)


# Random directions.


def test_directions_of_functions_modules_and_outputs():
    f = lambda p, x: ag.exp(p["w"][0] * x) + p["w"][1] ** 2  # noqa: E731
    point = {"w": [0.3, 0.7]}, -0.4
    report = gradcheck(f, *point, directions=3)
    assert report
    assert [row.argument for row in report.rows] == ["direction 1", "direction 2", "direction 3"]
    assert {row.verdict for row in report.rows} == {"equal"}
    assert str(report) == str(gradcheck(f, *point, directions=3)) != str(gradcheck(f, *point, directions=3, seed=1))
    assert [row.argument for row in gradcheck(both, 2.0, [3.0, 0.5], directions=1).rows] == [
        "f['product'] along direction 1", "f['rest'][0] along direction 1", "f['rest'][1] along direction 1",
    ]  # fmt: skip
    model = nn.MLP(2, [3, 2], seed=0)
    before = [p.data for p in model.parameters()]
    report = gradcheck(lambda model, x: model(x), model, [0.5, -1.0], directions=2)
    assert len(report.rows) == 4
    assert report
    assert [p.data for p in model.parameters()] == before
    assert gradcheck(f, *point, directions=2, order=3)


def test_the_cost_of_directions_does_not_grow():
    def evaluations(n):
        calls = []

        def f(xs):
            calls.append(1)
            return ag.sum([ag.sin(x) * x for x in xs])

        assert gradcheck(f, [0.1 * k for k in range(n)], directions=2)
        return len(calls)

    assert max(map(evaluations, (3, 30, 300))) < 150


@pytest.mark.parametrize("place", range(5))
def test_directions_find_one_wrong_derivative_among_many(place):
    point = [0.0, 1e-9, 0.5, -30.0, 1e6]

    def f(xs):
        return sum(math.sin(x) for x in xs)

    def gradient(xs, factor=1.001):
        return [math.cos(x) * (factor if i == place else 1.0) for i, x in enumerate(xs)]

    assert gradcheck(f, point, directions=4, gradient=lambda xs: gradient(xs, 1.0))
    report = gradcheck(f, point, directions=4, gradient=gradient)
    assert not report
    assert report.notes == ["directions do not say which derivative is wrong: check single numbers, with sample= or all of them"]
    with pytest.raises(GradcheckError, match=r"^the derivative along direction \d is wrong: analytic"):
        report.raise_if_wrong()


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1.0, 1e3, 1e9])
def test_directions_at_every_scale(scale):
    f = lambda xs: ag.log(xs[0]) * ag.sqrt(xs[1]) + xs[2] / xs[0]  # noqa: E731
    point = [scale, 2.0 * scale, 3.0 * scale]
    assert gradcheck(f, point, directions=4)
    right = ag.grad(f)(point)
    for i in range(3):
        wrong = [1.01 * g if i == k else g for k, g in enumerate(right)]
        share = [abs(g) * max(x, 1.0) for g, x in zip(right, point)]
        if share[i] > 1e-3 * sum(share):
            assert not gradcheck(f, point, directions=4, gradient=lambda *_, wrong=wrong: wrong)


def test_directions_at_kinks_and_slopes_of_zero():
    assert gradcheck(lambda xs: ag.sum([ag.relu(x) for x in xs]), [0.0, 0.0, 1.0], directions=4)
    assert gradcheck(lambda xs: ag.sum([ag.relu(x) ** 2 for x in xs]), [0.0, 0.0], directions=4)
    assert gradcheck(lambda xs: ag.max(xs), [1.0, 1.0, 0.0], directions=4)
    assert gradcheck(lambda xs: 5.0, [1.0, 1.0], directions=1)
    assert not gradcheck(lambda xs: ag.sum(xs) * math.nan, [1.0, 1.0], directions=1)


def test_a_wrong_rule_is_found_along_directions(monkeypatch):
    with_rule(monkeypatch, "dot", lambda d: 1.001 * d)
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    report = gradcheck(lambda model: model([0.5, -1.0]) ** 2, model, directions=2)
    assert not report
    assert "the operation to blame is dot(" in report.guilty


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"directions": 0}, "directions is how many to check, 1 or more, not 0"),
        ({"directions": 2.5}, "directions is how many to check, 1 or more, not 2.5"),
        ({"sample": -1}, "sample is how many to check, 1 or more, not -1"),
        ({"sample": 1, "directions": 1}, "give one of the two"),
    ],
)
def test_counts_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        gradcheck(lambda x: x, 1.0, **options)


@pytest.mark.parametrize(
    ("f", "point", "message"),
    [
        (lambda x: 1.0, [], "nothing to check: the inputs have no numbers"),
        (lambda x: 1.0, None, "nothing to check: the inputs have no numbers"),
        (lambda model: model([1.0]), nn.Linear(1, 1).freeze(), "nothing to check: the inputs have no numbers"),
        (lambda x: [], 1.0, "nothing to check: f returns no numbers"),
        (lambda x: {"a": None}, 1.0, "nothing to check: f returns no numbers"),
    ],
)
def test_a_check_of_nothing_is_refused(f, point, message):
    with pytest.raises(ValueError, match=message):
        gradcheck(f, point)


def test_infinite_points():
    f = lambda x: ag.exp(-x[0]) * x[1]  # noqa: E731
    assert gradcheck(f, [math.inf, 1.0], directions=2)
    assert gradcheck(f, [math.inf, 1.0]).rows[1].verdict == "equal"


# Reports.


def test_rows_of_higher_orders_are_named_and_drawn():
    report = gradcheck(lambda x: x**3, 2.0, order=2)
    assert report.plot("order +1: x")


def test_forward_mode_of_modules_is_checked_too():
    model = nn.MLP(2, [3, 1], seed=0)
    assert gradcheck(lambda model: model([0.5, -1.0]), model).notes == ["forward mode agrees with reverse mode"]


@pytest.mark.parametrize(
    ("f", "point"),
    [
        (lambda x: ag.sum(ag.softmax(x)), [1.3, 0.4, 0.2]),
        (lambda x: ag.softmax(x)[0], [50.0, 0.0, 0.3]),
        (lambda x: ag.tan(x) * ag.cos(x) - ag.sin(x), 0.7),
        (lambda x: sum((x - y) ** 2 for y in (0.1, 0.2, 0.6)), 0.3),
        (lambda x: ag.exp(x) / ag.exp(x) + ag.log(x) - ag.log(x), 1.3),
        (lambda x: (x + 1e8) - x, 0.1),
    ],
)
def test_paths_that_cancel_leave_rounding_and_no_difference_of_modes(f, point):
    assert gradcheck(f, point)


def test_a_difference_of_modes_beside_paths_that_cancel_is_found(monkeypatch):
    from autograd import check

    pushed = check.pushforward
    monkeypatch.setattr(check, "pushforward", lambda order, seeds: {k: v + 1e-6 for k, v in pushed(order, seeds).items()})
    report = gradcheck(lambda x: ag.sum(ag.softmax(x)), [1.3, 0.4, 0.2])
    assert not report
    assert report.worst.note == "forward and reverse mode differ"


def test_what_is_no_number_is_named_by_its_place():
    with pytest.raises(TypeError, match=r"gradcheck, for p\['name'\], needs a number, not str 'x'"):
        ag.gradcheck(lambda p: p["w"] ** 2, {"w": 1.0, "name": "x"})
    with pytest.raises(TypeError, match=r"gradcheck, for y\[1\]\[0\], needs a number, not set"):
        ag.gradcheck(lambda x, y: x, 1.0, [np.ones(0), [{1.0}]])
    with pytest.raises(TypeError, match=r"gradcheck, for x, needs a real number, not 1j"):
        ag.gradcheck(lambda x: x, 1j)


def test_counts_may_be_whole_numbers_of_numpy():
    f = lambda x: x[0] ** 2 * x[1]  # noqa: E731
    assert ag.gradcheck(f, [1.0, 2.0], order=np.int64(2), sample=np.int64(1), seed=1)
    assert ag.gradcheck(f, [1.0, 2.0], directions=np.uint8(2))
    with pytest.raises(ValueError, match=r"not 1\.0"):
        ag.gradcheck(f, [1.0, 2.0], order=1.0)


@pytest.mark.parametrize(
    ("f", "inputs", "given", "hint"),
    [
        (lambda p: [p["a"], p["b"]], [{"a": 1.0, "b": 2.0}], {"a": [1.0, 0.0], "b": [0.0, 1.0]}, "the outputs stand outside"),
        (lambda x: {"y": x[0], "z": x[1]}, [[1.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]], "the inputs inside, as autograd.jac"),
        (lambda x: [x[0], x[1], x[0]], [[1.0, 2.0]], [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]], "the outputs stand outside"),
        (lambda x, y: x * y, [1.0, 2.0], 2.0, "give one entry per argument, in a tuple or in a dictionary by their names"),
        (lambda x, y: x * y[0], [1.0, [2.0]], [1.0, 2.0], "give one entry per argument"),
        (lambda x: x[0], [[1.0, 2.0]], [1.0], r"not the shape \(1,\)$"),
    ],
)
def test_a_gradient_of_another_shape_names_the_right_one(f, inputs, given, hint):
    with pytest.raises(ValueError, match=hint):
        ag.gradcheck(f, *inputs, gradient=lambda *_: given)
