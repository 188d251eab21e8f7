"""The examples of the package run compiled, and agree with the engine: moons, what gradcheck checks, an ODE fitted."""

from __future__ import annotations

import random

import numpy as np
import pytest

import autograd as ag
import nn
from autograd.functions import apply
from autograd.ops import TABLE
from tests.oracle import FLAT, ORACLE
from tests.test_check import ORDERS, cases

ROWS = [TABLE[name] for name in ORACLE if name not in FLAT]


def moons(samples: int = 30):
    draw = random.Random(0)
    points = [[draw.uniform(-1.0, 1.0), draw.uniform(-1.0, 1.0)] for _ in range(samples)]
    return points, [1.0 if x * x + y > 0.3 else -1.0 for x, y in points]


def written_in_nn(model, points, labels):
    losses = [ag.relu(1.0 - label * model(x)) for x, label in zip(points, labels)]
    return ag.sum(losses) / len(losses) + 1e-4 * ag.sum([p * p for p in model.parameters()])


def written_as_micrograd(model, points, labels):
    scores = []
    for x in points:
        for k, layer in enumerate(model.layers):
            x = [sum((w * xi for w, xi in zip(n.w, x)), n.b) for n in layer.neurons]
            x = [act.relu() for act in x] if k < len(model.layers) - 1 else x
        scores.append(x[0])
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
    return sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())


@pytest.mark.parametrize("loss", [written_in_nn, written_as_micrograd])
def test_moons(loss):
    model = nn.MLP(2, [8, 8, 1], seed=1)
    points, labels = moons()
    expected = loss(model, points, labels)
    expected.backward()
    gradients = [p.grad for p in model.parameters()]
    compiled = ag.compile(loss)
    value, found = compiled.value_and_grad(model, np.array(points), np.array(labels))
    assert value == pytest.approx(expected.data, rel=1e-13)
    assert list(found.values()) == pytest.approx(gradients, rel=1e-9, abs=1e-14)
    again, flat = compiled.functional(model)(np.array([p.data for p in model.parameters()]), np.array(points), np.array(labels))
    assert again == value
    assert flat.tolist() == list(found.values())
    model.zero_grad()
    compiled(model, points, labels).backward()
    assert [p.grad for p in model.parameters()] == pytest.approx(gradients, rel=1e-9, abs=1e-14)
    assert "layers1_w" in compiled.source
    assert "gathered" not in compiled.summary()
    assert compiled.source.count("@") + compiled.source.count("np.vdot") >= 7  # three layers forward, their gradients, L2


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_gradcheck_checks(row):
    for f, point in cases(row, 5):
        expected = ag.grad(f, tuple(range(len(point))))(*point)
        compiled = ag.compile(f)
        value, found = compiled.value_and_grad(*point, argnums=tuple(range(len(point))))
        assert value == pytest.approx(f(*point), rel=1e-13)
        assert found == pytest.approx(expected, rel=1e-11, abs=1e-300)
        if row.name not in ORDERS:
            assert ag.gradcheck(lambda *xs, compiled=compiled: compiled(*xs), *point), point
    for kink in row.kinks:
        f = lambda *xs: apply(row, *xs)  # noqa: E731
        places = tuple(range(len(kink)))
        assert ag.compile(f).value_and_grad(*kink, argnums=places)[1] == ag.grad(f, places)(*kink)


def simulated(a, b, steps, h=0.01):
    """Predators and prey (Lotka and Volterra), by the method of Runge and Kutta of order 4."""
    x, y = 1.0, 0.5
    flow = lambda x, y: (a * x - b * x * y, 0.8 * x * y - y)  # noqa: E731
    for _ in range(steps):
        k1 = flow(x, y)
        k2 = flow(x + h / 2 * k1[0], y + h / 2 * k1[1])
        k3 = flow(x + h / 2 * k2[0], y + h / 2 * k2[1])
        k4 = flow(x + h * k3[0], y + h * k3[1])
        x = x + h / 6 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0])
        y = y + h / 6 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1])
    return x, y


def test_an_ordinary_differential_equation_is_fitted():
    goal = simulated(1.1, 0.9, 200)

    def loss(p):
        x, y = simulated(p[0], p[1], 200)
        return (x - goal[0]) ** 2 + (y - goal[1]) ** 2

    compiled = ag.compile(loss)
    p = [1.05, 0.95]
    value, slopes = compiled.value_and_grad(p)
    assert value == pytest.approx(loss(p), rel=1e-12)
    assert slopes == pytest.approx(ag.grad(loss)(p), rel=1e-9)
    short = lambda p: simulated(p[0], p[1], 5)[0]  # noqa: E731
    np.testing.assert_allclose(ag.compile(ag.hessian(short))(p), ag.hessian(short)(p), rtol=1e-9, atol=1e-14)
    for _ in range(8):  # Newton's method, the second derivatives by differences of compiled gradients
        slope = np.array(compiled.value_and_grad(list(p))[1])
        step = 1e-5
        second = [(np.array(compiled.value_and_grad([p[0] + step * (k == 0), p[1] + step * (k == 1)])[1]) - slope) / step
                  for k in (0, 1)]  # fmt: skip
        p = (np.array(p) - np.linalg.solve(np.array(second), slope)).tolist()
    assert p == pytest.approx([1.1, 0.9], abs=1e-6)
    assert len(compiled.variants.known) == 1
