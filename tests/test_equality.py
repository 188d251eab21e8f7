"""Comparisons compare numbers: a function takes the same branches on Values as on the floats in them."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value

BIG = 2**53

# Functions that ask whether numbers are equal, and points on both sides of each question.
QUESTIONS = [
    (lambda x: ag.where(x == 1.0, x * 2, x * 3), (1.0, 2.0)),
    (lambda x: ag.where(x != 1.0, x * 2, x * 3), (1.0, 2.0)),
    (lambda x: x * 2 if x == 0.0 else x * 3, (0.0, -0.0, 1.0)),
    (lambda x: x * 2 if 0.0 == x else x * 3, (0.0, 1.0)),  # noqa: SIM300
    (lambda x: x * 2 if x == 1 else x * 3, (1.0, 2.0)),
    (lambda x: x * 2 if x == True else x * 3, (1.0, 2.0)),  # noqa: E712
    (lambda x: x * 2 if x in (0, 1) else x * 3, (0.0, 1.0, 2.0)),
    (lambda x: x * 2 if x in [x, 5.0] else x * 3, (1.0, 5.0, math.nan)),
    (lambda x: x * 2 if x not in (0.0, 1.0) else x * 3, (0.0, 2.0)),
    (lambda x: x * 2 if x != x else x * 3, (1.0, math.nan)),
    (lambda x: x * 2 if x == x else x * 3, (1.0, math.nan)),
    (lambda x: x * 2 if x == math.inf else x * 3, (1.0, math.inf, -math.inf)),
    (lambda x: x * 2 if x == Fraction(1, 2) else x * 3, (0.5, 1.0)),
    (lambda x: x * 2 if x == Decimal("0.1") else x * 3, (0.1, 0.5)),
    (lambda x: x * 2 if x == BIG + 1 else x * 3, (float(BIG), float(BIG + 2))),
    (lambda x: x * 2 if x < BIG + 1 else x * 3, (float(BIG), float(BIG + 2))),
    (lambda x: x * 2 if x < 10**400 else x * 3, (1.0,)),
    (lambda x: x * 2 if x == np.float32(0.1) else x * 3, (0.1, float(np.float32(0.1)))),
    (lambda x: x * 2 if x == np.int64(3) else x * 3, (3.0, 4.0)),
    (lambda x: x * 2 if x == "1.0" else x * 3, (1.0,)),
    (lambda x: x * 2 if x == None else x * 3, (1.0,)),  # noqa: E711
    (lambda x: x * 2 if x == 1 + 0j else x * 3, (1.0, 2.0)),
    (lambda x: x * 2 if x != 1 + 1j else x * 3, (1.0, 2.0)),
    (lambda x: x * [5.0, 6.0, 7.0].index(x), (5.0, 7.0)),
    (lambda x: x * [1.0, x, 1.0].count(1.0), (1.0, 2.0)),
    (lambda x: x * (2 if (x, 1.0) == (1.0, x) else 3), (1.0, 2.0)),
    (lambda x: x * (2 if [x] == [1.0] else 3), (1.0, 2.0)),
    (lambda x: x * (2 if {"a": x} == {"a": 1.0} else 3), (1.0, 2.0)),
    (lambda x: x * sum(1 for y in sorted({1.0, 2.0, 3.0}) if y == x), (2.0, 4.0)),
    (lambda x: x * len(list(filter(x.__eq__ if isinstance(x, Value) else lambda y: y == x, [1.0, 2.0, 1.0]))), (1.0, 2.0)),
]


@pytest.mark.parametrize(("f", "points"), QUESTIONS)
def test_a_function_answers_alike_on_floats_and_on_values(f, points):
    for x in points:
        value, slope = ag.value_and_grad(f)(x)
        assert repr(value) == repr(float(f(x)))
        if math.isfinite(x):
            assert slope == pytest.approx(f(x) / x if x else slope)  # the functions are linear in between


@pytest.mark.parametrize(("f", "points"), QUESTIONS[:6])
@pytest.mark.parametrize("backend", ["numpy", "python"])
def test_under_compile_an_equality_is_a_guard(f, points, backend):
    compiled = ag.compile(f, backend=backend)
    for x in (*points, *points):
        assert repr(compiled(x)) == repr(float(f(x)))
        assert ag.grad(compiled)(x) == ag.grad(f)(x)


def test_batches_keep_equalities_apart():
    f = lambda x: x * 2 if x == 0.0 or x != 3.0 else x * 5  # noqa: E731
    batched = ag.compile(f, batch=("x",), reduce=None)
    assert batched(np.array([0.0, 3.0, 4.0])).tolist() == [0.0, 15.0, 8.0]


def rotated(rotation):
    """Rodrigues' formula: the axis of a zero rotation is a question of equality."""
    angle = ag.norm(rotation)
    if angle == 0.0:
        return [rotation[0] + 1.0, rotation[1], rotation[2]]
    x, y, z = (component / angle for component in rotation)
    return [ag.cos(angle) + x * x * (1 - ag.cos(angle)), x * y * (1 - ag.cos(angle)) + z * ag.sin(angle), z * x]


def test_rodrigues_formula_at_zero_rotation():
    assert ag.jacobian(rotated)([0.0, 0.0, 0.0]) == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]


def test_masks_of_arrays_of_values():
    def masked_mean(x):
        kept = x[x == x]
        return ag.sum(kept.ravel()) / len(kept)

    assert ag.grad(masked_mean)(np.array([1.0, math.nan, 3.0])).tolist() == [0.5, 0.0, 0.5]
    assert (np.array([Value(1.0), Value(2.0)]) == 1.0).tolist() == [True, False]
    assert (np.array([Value(1.0), Value(2.0)]) != np.array([1.0, 1.0])).tolist() == [False, True]
    assert ag.grad(lambda x: np.nanmean(x))(np.array([1.0, math.nan, 3.0])).tolist() == [0.5, 0.0, 0.5]


def test_other_things_are_not_equal_and_have_no_order():
    v = Value(1.0)
    for other in (None, "1.0", b"1", [1.0], {}, object(), 1 + 1j, 2 + 0j):
        assert v != other
        assert not v == other  # noqa: SIM201
    with pytest.raises(TypeError, match="needs a number, not str"):
        v < "2"  # noqa: B015
    with pytest.raises(TypeError):
        v < [2.0]  # noqa: B015
    assert (v == np.array([1.0, 2.0])).tolist() == [True, False]


def test_dictionaries_and_sets_hold_nodes_also_under_compile():
    a, b = Value(1.0), Value(1.0)
    rates = {a: 2.0, b: 3.0}
    f = ag.compile(lambda x: sum(rate * p * x for p, rate in rates.items()))
    assert float(f(1.0)) == 5.0
    rates.clear()
    rates |= {b: 2.0, a: 3.0}
    b.data = 10.0
    assert float(f(1.0)) == 23.0


def test_parameters_of_another_model_with_equal_numbers_are_refused():
    model, twin = nn.MLP(2, [3, 1], seed=1), nn.MLP(2, [3, 1], seed=1)
    mixed = nn.SGD([*model.parameters()[:-1], twin.parameters()[-1]])
    with pytest.raises(ValueError, match="the optimizer has 1 others"):
        nn.fit(model, [[0.0, 1.0]], [1.0], loss=nn.mse_loss, optimizer=mixed, compile=True, progress=False)


def test_derivatives_of_a_batch_in_two_programs_go_to_their_own_nodes():
    p, q = Value(2.0), Value(2.0)
    outside = {"first": p, "second": q}

    @ag.compile(batch=("x",), reduce="sum")
    def f(x):
        if x > 0.0:
            return outside["first"] * x
        return outside["second"] * x * x

    f(np.array([1.0, 2.0, -3.0])).backward()
    assert (p.grad, q.grad) == (3.0, 9.0)
