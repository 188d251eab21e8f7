"""Calculus: containers, nested derivatives, every way to the Hessian, and problems with known answers."""

from __future__ import annotations

import math
from collections import defaultdict, namedtuple
from typing import Any, NamedTuple

import mpmath as mp
import numpy as np
import pytest

import autograd as ag
import nn
from autograd import GradientWarning, Value, derivative, grad, hessian, hvp, jacobian, jvp, value_and_grad, vjp

Point = namedtuple("Point", "x y")


def rosenbrock(x):
    return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in zip(x, x[1:])])


def test_containers_come_back_as_they_went_in():
    f = lambda p: p["a"] ** 2 + p["b"][0] * p["b"][1].x + p["c"][0, 1]  # noqa: E731
    given = {"a": 3.0, "b": (2.0, Point(5.0, 6.0)), "c": np.array([[1.0, 2.0]]), "d": None}
    value, gradient = value_and_grad(f)(given)
    assert value == 21.0
    assert gradient["a"] == 6.0
    assert gradient["b"] == (5.0, Point(2.0, 0.0))
    assert gradient["c"].tolist() == [[0.0, 1.0]]
    assert gradient["c"].dtype == float
    assert gradient["d"] is None


def test_argnums():
    f = lambda x, y, z=1.0: x * y * z  # noqa: E731
    assert grad(f, 1)(2.0, 3.0) == 2.0
    assert grad(f, (0, 1))(2.0, 3.0, z=2.0) == (6.0, 4.0)
    assert grad(f, -1)(2.0, 3.0) == 2.0
    with pytest.raises(TypeError, match="differentiated with respect to argument 2, but was called with 2"):
        grad(f, 2)(2.0, 3.0)
    for one in (1, np.int64(1), np.uint8(1), True):
        assert grad(f, one)(2.0, 3.0) == jacobian(f, one)(2.0, 3.0) == 2.0
        assert hessian(lambda x, y: x * y * y, one)(2.0, 3.0) == 4.0
    for both in ((0, 1), [0, 1], range(2), np.arange(2)):
        assert grad(f, both)(2.0, 3.0) == (3.0, 2.0)
    for wrong in (1.0, None, "x", ["x"], 1j, np.float64(1.0)):
        with pytest.raises(TypeError, match="argnums are whole numbers, not"):
            grad(f, wrong)(2.0, 3.0)
    assert derivative(lambda x: x**3, np.int64(2))(2.0) == 12.0


class Settings(NamedTuple):
    rate: Any
    name: Any


@pytest.mark.parametrize(
    ("argument", "place"),
    [
        ({"w": 1.0, "name": "x"}, r"p\['name'\]"),
        ({"w": [1.0, (2.0, {"n": "x"})]}, r"p\['w'\]\[1\]\[1\]\['n'\]"),
        ([1.0, 2, np.ones(2), "x"], r"p\[3\]"),
        ([1.0, {1.0}], r"p\[1\]"),
        (Settings(1.0, "x"), r"p\[1\]"),
        ([None, 1j], r"p\[1\]"),
        (np.array([[1.0, "x"]], dtype=object), r"p\[0\]\[1\]"),
    ],
)
def test_what_is_no_number_is_named_by_its_place(argument, place):
    with pytest.raises(TypeError, match=f"it is {place}: leave it out, or pass it as an argument of its own"):
        grad(lambda p: 1.0)(argument)
    with pytest.raises(TypeError, match=f"it is {place}: "):
        jvp(lambda q, p: 1.0, (1.0, argument), (1.0, argument))


def test_places_of_arguments():
    with pytest.raises(TypeError, match=r"needs numbers, not a MLP; .* of every parameter$"):
        grad(lambda model: 1.0)(nn.MLP(1, [1]))
    with pytest.raises(TypeError, match=r"needs numbers, not a MLP; .*; it is p\[1\]: "):
        grad(lambda p: 1.0)([1.0, nn.MLP(1, [1]), 2.0])
    with pytest.raises(OverflowError, match=r"too large for a float .*; it is x0\['w'\]: "):
        grad(lambda *p: 1.0)({"w": 10**400})
    with pytest.raises(TypeError, match=r"needs a number, not str 'x'$"):
        grad(lambda p: 1.0)("x")


def test_unused_inputs_and_constant_functions_have_gradient_zero():
    assert grad(lambda x, y: x * 2, (0, 1))(1.0, 2.0) == (2.0, 0.0)
    with pytest.warns(GradientWarning, match="the result of <lambda> does not depend on the inputs"):
        assert grad(lambda x: 5)(1.0) == 0.0
    assert hessian(lambda x: x[0] * 2)([1.0, 2.0]) == [[0.0, 0.0], [0.0, 0.0]]
    x, y = Value(1.0), Value(2.0)
    assert grad(x * 2, [x, y]) == [2.0, 0.0]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: grad(lambda x: [x, x])(1.0), "must return one number, not list; use autograd.jacobian"),
        (lambda: grad(lambda x: None)(1.0), "not NoneType; is a return missing?"),
        (lambda: grad(lambda x: x)("1"), "needs a number, not str"),
        (lambda: grad(3.0), "autograd.grad needs a function, not float 3.0"),
        (lambda: grad(Value(1.0)), "grad of a Value needs the Values with respect to which"),
        (lambda: grad(Value(1.0), [2.0]), "is with respect to Values, not float 2.0"),
        (lambda: jvp(lambda x: x, (1.0,), ("a",)), "tangents needs a number, not str"),
        (lambda: jacobian(None), "jacobian needs a function"),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(TypeError, match=message):
        call()


def test_structures_must_match():
    with pytest.raises(ValueError, match="tangents has 1 numbers, primals has 2"):
        jvp(lambda x: x[0] * x[1], ([1.0, 2.0],), ([1.0],))
    with pytest.raises(ValueError, match="v has 3 numbers, x has 2"):
        hvp(lambda x: x[0] * x[1])([1.0, 2.0], [1.0, 2.0, 3.0])
    _, pull = vjp(lambda x: [x, x * x], 2.0)
    with pytest.raises(ValueError, match="cotangent has 1 numbers, output has 2"):
        pull([1.0])
    with pytest.raises(ValueError, match="the order of a derivative is 0, 1, 2"):
        derivative(lambda x: x, -1)


def test_dictionaries_pair_up_by_key():
    def f(p):
        return p["a"] ** 2 * p["b"]

    point, direction = {"a": 2.0, "b": 3.0}, {"b": 0.0, "a": 1.0}
    assert jvp(f, (point,), (direction,)) == (12.0, 12.0)
    assert hvp(f)(point, direction) == {"a": 6.0, "b": 4.0}
    _, pull = vjp(lambda x: {"once": x, "twice": 2 * x}, 1.0)
    assert pull({"twice": 1.0, "once": 0.0}) == (2.0,)
    for wrong in ({"a": 1.0}, [1.0, 0.0], {"a": 1.0, "c": 0.0}):
        with pytest.raises(ValueError, match=r"must have the keys \['a', 'b'\]"):
            hvp(f)(point, wrong)


def test_dictionaries_with_defaults_stay_so():
    gradient = grad(lambda p: p["a"] ** 2)(defaultdict(list, a=3.0))
    assert gradient == {"a": 6.0}
    assert gradient.default_factory is list


def test_one_value_given_twice_is_two_inputs():
    x = Value(3.0)
    gx, gy = grad(lambda a, b: a * a * b, (0, 1))(x, x)
    assert (gx.data, gy.data) == (18.0, 9.0)


def test_nested_derivatives_do_not_confuse_their_perturbations():
    assert grad(lambda x: x * grad(lambda y: x + y)(1.0))(1.0) == 1.0
    assert grad(lambda x: x * grad(lambda y: x * y)(2.0))(3.0) == 6.0
    assert grad(lambda w: grad(lambda x: x * x * w)(2.0))(3.0) == 4.0
    assert derivative(lambda x: grad(lambda y: ag.sin(x * y))(x))(0.7) == pytest.approx(
        math.cos(0.49) - 2 * 0.49 * math.sin(0.49)
    )
    outer = grad(lambda x: jvp(lambda y: x * y * y, (x,), (1.0,))[1])(3.0)
    assert outer == 12.0


def test_values_in_values_out():
    x = Value(2.0)
    y = grad(lambda t: t**3)(x)
    assert isinstance(y, Value)
    y.backward()
    assert x.grad == 12.0


def test_functional_calls_leave_grad_alone():
    w, x = Value(3.0), Value(2.0)
    w.grad = 7.0
    assert grad(lambda t: t * w)(2.0) == 3.0
    assert grad(w * x, [x]) == [3.0]
    assert (w.grad, x.grad) == (7.0, 0.0)


def test_derivatives_under_no_grad():
    with ag.no_grad():
        assert derivative(lambda x: x**4, 3)(2.0) == 48.0


def test_create_graph():
    x = Value(2.0)
    y = x**3
    y.backward(create_graph=True)
    (g,) = grad(x.grad, [x])
    assert g == 12.0


def test_every_way_to_the_hessian_agrees():
    f = lambda x: ag.logsumexp([a * b for a in x for b in x]) + rosenbrock(x)  # noqa: E731
    x, n = [0.3, -0.2, 0.5], 3
    basis = [[float(i == j) for j in range(n)] for i in range(n)]
    columns = {
        "hessian": hessian(f)(x),
        "reverse over reverse": jacobian(grad(f))(x),
        "forward over reverse": [jvp(grad(f), (x,), (e,))[1] for e in basis],
        "hessian-vector products": [hvp(f)(x, e) for e in basis],
        "reverse over forward": [grad(lambda y, e=e: jvp(f, (y,), (e,))[1])(x) for e in basis],
        "forward over forward": [[jvp(lambda y, e=e: jvp(f, (y,), (e,))[1], (x,), (d,))[1] for d in basis] for e in basis],
        "vjp of the gradient": [vjp(grad(f), x)[1](e)[0] for e in basis],
    }
    first = np.array(columns.pop("hessian"))
    for way, found in columns.items():
        np.testing.assert_allclose(np.array(found), first, rtol=1e-12, atol=1e-12, err_msg=way)
    with mp.workdps(30):
        for i in range(n):
            for j in range(n):
                orders = tuple(int(k == i) + int(k == j) for k in range(n))
                exact = mp.diff(lambda *t: ag.sum([mp.mpf(0)]) + f(list(t)), tuple(map(mp.mpf, x)), orders)
                assert first[i, j] == pytest.approx(float(exact), rel=1e-9)


def test_arrays_give_arrays():
    a = np.array([[2.0, 1.0], [0.0, 3.0]])
    assert jacobian(lambda x: a @ x)(np.array([1.0, 1.0])).tolist() == a.tolist()
    h = hessian(lambda x: x @ (a @ x))(np.array([1.0, 2.0]))
    assert h.tolist() == (a + a.T).tolist()


def test_rosenbrock_is_flat_at_its_minimum_only():
    assert grad(rosenbrock)([1.0] * 5) == [0.0] * 5
    # f = 100 (y - x^2)^2 + (1 - x)^2: f_xx = 1200 x^2 - 400 y + 2, f_xy = -400 x, f_yy = 200
    assert hessian(rosenbrock)([1.0, 1.0]) == [[802.0, -400.0], [-400.0, 200.0]]
    assert grad(rosenbrock)([-1.2, 1.0]) == pytest.approx([-215.6, -88.0])


def test_the_gradient_of_logsumexp_is_softmax():
    x = [1000.0, 1001.0, -5.0]
    assert grad(ag.logsumexp)(x) == pytest.approx(ag.softmax(x), rel=1e-12)
    p = ag.softmax([0.1, 0.2, 0.7])
    expected = [[a * (i == j) - a * b for j, b in enumerate(p)] for i, a in enumerate(p)]
    np.testing.assert_allclose(hessian(ag.logsumexp)([0.1, 0.2, 0.7]), expected, rtol=1e-12, atol=1e-16)


def test_black_scholes_greeks():
    def call(s, k, r, sigma, t):
        d1 = (ag.log(s / k) + (r + sigma**2 / 2) * t) / (sigma * ag.sqrt(t))
        d2 = d1 - sigma * ag.sqrt(t)
        cdf = lambda x: 0.5 * ag.erfc(-x / math.sqrt(2))  # noqa: E731
        return s * cdf(d1) - k * ag.exp(-r * t) * cdf(d2)

    s, k, r, sigma, t = point = (100.0, 110.0, 0.03, 0.25, 0.75)
    root = math.sqrt(t)
    d1 = (math.log(s / k) + (r + sigma**2 / 2) * t) / (sigma * root)
    d2 = d1 - sigma * root
    density = math.exp(-d1 * d1 / 2) / math.sqrt(2 * math.pi)
    cdf = lambda x: 0.5 * math.erfc(-x / math.sqrt(2))  # noqa: E731
    delta, dual_delta, rho, vega, dt = grad(call, (0, 1, 2, 3, 4))(*point)
    assert delta == pytest.approx(cdf(d1), rel=1e-13)
    assert dual_delta == pytest.approx(-math.exp(-r * t) * cdf(d2), rel=1e-13)
    assert rho == pytest.approx(k * t * math.exp(-r * t) * cdf(d2), rel=1e-13)
    assert vega == pytest.approx(s * density * root, rel=1e-13)
    theta = s * density * sigma / (2 * root) + r * k * math.exp(-r * t) * cdf(d2)
    assert dt == pytest.approx(theta, rel=1e-12)
    second = jacobian(grad(call, (0, 3)), (0, 3))(*point)
    (gamma, vanna), (vanna_again, volga) = second
    assert gamma == pytest.approx(density / (s * sigma * root), rel=1e-12)
    assert vanna == pytest.approx(-density * d2 / sigma, rel=1e-11)
    assert vanna_again == pytest.approx(vanna, rel=1e-12)
    assert volga == pytest.approx(s * density * root * d1 * d2 / sigma, rel=1e-11)


def test_lotka_volterra_parameters_are_found_through_the_integrator():
    def simulate(a, b, steps, h=0.01):
        x, y = Value(1.0), Value(0.5)
        flow = lambda x, y: (a * x - b * x * y, 0.8 * x * y - y)  # noqa: E731
        for _ in range(steps):
            k1 = flow(x, y)
            k2 = flow(x + h / 2 * k1[0], y + h / 2 * k1[1])
            k3 = flow(x + h / 2 * k2[0], y + h / 2 * k2[1])
            k4 = flow(x + h * k3[0], y + h * k3[1])
            x = x + h / 6 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0])
            y = y + h / 6 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1])
        return x, y

    goal = [v.data for v in simulate(1.1, 0.9, 1000)]

    def residuals(p):
        x, y = simulate(p[0], p[1], 1000)
        return [x - goal[0], y - goal[1]]

    p = np.array([1.08, 0.92])
    for _ in range(4):  # Newton's method on two equations in two unknowns
        r, pull = vjp(lambda q: residuals(q), list(p))
        p = p - np.linalg.solve(np.array([pull([1.0, 0.0])[0], pull([0.0, 1.0])[0]]), np.array(r))
    assert p == pytest.approx([1.1, 0.9], abs=1e-9)


def test_jvp_and_vjp_are_adjoint():
    f = lambda x: [ag.sin(x[0]) * x[1], x[0] / x[1], ag.exp(x[1])]  # noqa: E731
    x, v, w = [0.4, 1.3], [0.7, -0.2], [1.0, 2.0, -0.5]
    y, tangent = jvp(f, (x,), (v,))
    again, pull = vjp(f, x)
    assert y == again
    assert sum(a * b for a, b in zip(w, tangent)) == pytest.approx(sum(a * b for a, b in zip(pull(w)[0], v)), rel=1e-14)


def test_hooks_on_the_way_of_a_tangent_are_refused():
    def f(x):
        y = x * x
        y.register_hook(lambda gradient: 2.0 * gradient)
        return y * 3.0

    assert ag.grad(f)(2.0) == 24.0
    with pytest.raises(TypeError, match=r"f registers a hook.*use autograd.vjp or grad"):
        ag.jvp(f, (2.0,), (1.0,))
    w = Value(2.0)
    w.register_hook(lambda gradient: 2.0 * gradient)
    assert ag.jvp(lambda x: w * x, (3.0,), (1.0,)) == (6.0, 2.0)  # the hook listens to another gradient
