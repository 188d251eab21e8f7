"""Sparse derivatives of compiled functions: the passes are a program, and the pattern belongs to it."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings

import autograd as ag
import nn
from autograd import Value
from tests.test_sparsity import CHOICES, POINTS, SMOOTH, agree, graphs, heat, rosenbrock, run


def alike(function, *points, order=1, **options):
    """Assert that the compiled function has the sparse derivatives of the function itself, at every point."""
    derivatives = ag.jacobian if order == 1 else ag.hessian
    compiled = derivatives(ag.compile(function, **options), sparse=True)
    for point in points:
        for _ in range(3):  # traced, audited, prepared
            found, expected = compiled(point), derivatives(function, sparse=True)(point)
            assert found.shape == expected.shape
            assert np.array_equal(found.indices, expected.indices)
            assert np.array_equal(found.indptr, expected.indptr)
            np.testing.assert_allclose(found.data, expected.data, rtol=1e-9, atol=1e-12)


@pytest.mark.filterwarnings("ignore::autograd.GradientWarning")
@settings(max_examples=15)
@given(graphs(SMOOTH + CHOICES), POINTS)
def test_random_graphs_compiled(graph, point):
    count, steps, results = graph
    x = point[:count]
    f = lambda x: run(steps, results, x)  # noqa: E731
    g = lambda x: ag.sum([0.0, *run(steps, results, x)])  # noqa: E731
    for function, order in ((f, 1), (g, 2)):
        alike(function, x, [0.5 + number for number in x], order=order, backend="numpy", audit=True)


def branching(x):
    return [x[0] * x[1], x[2]] if x[0] > 0.0 else [x[1] * x[2], x[0] + x[1]]


def weighted(x, k=2.0):
    return ag.sum([k * ag.where(a, a * b * b, a) for a, b in zip(x, x[1:])])


POINTS_OF_THREE = [0.5, 2.0, 3.0], [-0.5, 1.0, 3.0], (1.5, 2.0, 0.5), np.array([0.3, 0.7, 0.2]), np.array([-0.3, 0.7, 0.2])


@pytest.mark.parametrize("backend", ["numpy", "native", "python", "auto"])
def test_branches_have_patterns_of_their_own(backend):
    alike(branching, *POINTS_OF_THREE, backend=backend)
    alike(lambda x: ag.sum(branching(x)), *POINTS_OF_THREE, order=2, backend=backend)
    alike(lambda x: ag.sum([a * abs(a) for a in branching(x)]), *POINTS_OF_THREE, order=2, backend=backend)


@pytest.mark.parametrize("backend", ["numpy", "native", "python"])
def test_choices_and_what_is_no_number(backend):
    bad = [0.0, 1.0, 2.0], [-0.0, float("nan"), 3.0], [float("inf"), 1.0, 0.0]
    alike(weighted, *POINTS_OF_THREE, *bad, order=2, backend=backend)
    alike(lambda x: [ag.maximum(x[0], x[1] * x[2]), ag.relu(x[0]), ag.sqrt(x[2])], *POINTS_OF_THREE, *bad, backend=backend)


def test_containers_lengths_and_keywords():
    alike(heat, [1.0, 2.0, 3.0], [1.0] * 7, [1.0], [2.0, 1.0, 3.0])
    alike(lambda p: {"y": [p["a"] * p["b"][1], p["b"][0]]}, {"a": 2.0, "b": [3.0, 4.0]}, {"a": 5.0, "b": [6.0, 7.0]})
    alike(lambda x: x * x + x[::-1], np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]))
    alike(lambda x: 2.0 * x, 3.0, 4.0)
    compiled = ag.compile(weighted)
    for k in (2.0, 3.0):
        found = ag.hessian(compiled, sparse=True)([1.0, 2.0, 3.0], k=k).toarray()
        assert np.array_equal(found, ag.hessian(weighted, sparse=True)([1.0, 2.0, 3.0], k=k).toarray())
    two = ag.compile(lambda x, y: [x[0] * y, x[1] * y * y])
    for argnums in (0, 1, (0, 1), (1, 0), -1):
        for _ in range(2):
            found = ag.jacobian(two, argnums, sparse=True)([1.0, 2.0], 3.0).toarray()
            assert np.array_equal(found, ag.jacobian(two.function, argnums, sparse=True)([1.0, 2.0], 3.0).toarray())


def test_integers():
    alike(lambda x: [x[0] * x[1], x[1] ** 2, x[0] * 3], [1, 2], [3, 4], [1, 2.5], (True, 2), np.array([1, 2]), {0: 1, 1: 2})
    alike(lambda n: n * n * n, 2, 3, 3.5, order=2)
    picked = ag.compile(lambda x, i: [x[i] * x[0], x[1]])  # an index is an input of the program: any entry may be taken
    for i in (0, 1, 2, 1, 0):
        found = ag.jacobian(picked, sparse=True)([2.0, 3.0, 4.0], i).toarray()
        assert np.array_equal(found, ag.jacobian(picked.function, sparse=True)([2.0, 3.0, 4.0], i).toarray())


@pytest.mark.filterwarnings("ignore::autograd.GradientWarning")
def test_constants_and_nothing():
    for f in (lambda x: [], lambda x: [3.0], lambda x: [x[0], 5.0, x[0]], lambda x: [ag.sign(x[0])]):
        alike(f, [1.0, 2.0], [3.0, 4.0])
    alike(lambda x: ag.sum(x), [1.0, 2.0], [3.0, 4.0], order=2)


def test_the_passes_run_as_a_program(monkeypatch):
    compiled = ag.compile(rosenbrock, backend="numpy", audit=False)
    second = ag.hessian(compiled, sparse=True)
    x = [0.1 * i for i in range(30)]
    first = second(x)

    def never(*arguments, **keywords):
        raise AssertionError

    monkeypatch.setattr("autograd.sparse.Sparse", never)
    x[3] += 1.0
    found = second(x)
    monkeypatch.undo()
    expected = ag.hessian(rosenbrock, sparse=True)(x)
    np.testing.assert_allclose(found.toarray(), expected.toarray(), rtol=1e-12)
    assert (found != first).nnz > 0
    found.data[:] = 0.0  # the caller's own, and its structure too
    found.eliminate_zeros()
    np.testing.assert_allclose(second(x).toarray(), expected.toarray(), rtol=1e-12)


def test_what_is_outside_and_changes():
    scale, weight, given = [2.0], Value(3.0), ag.compile(lambda x: x * x * x)
    f = lambda x: [scale[0] * x[0] * weight, x[1] * weight, given(x[1])]  # noqa: E731
    compiled = ag.jacobian(ag.compile(f), sparse=True)
    for _ in range(4):
        assert compiled([1.0, 2.0]).toarray().tolist() == ag.jacobian(f, sparse=True)([1.0, 2.0]).toarray().tolist()
        scale[0] += 1.0
        weight.data += 1.0
    assert weight.grad == 0.0


def test_parameters_of_a_module_may_be_there():
    model = nn.MLP(2, [3, 1], seed=1)
    f = lambda model, x: model(x)  # noqa: E731
    compiled, plain = ag.hessian(ag.compile(f), 1, sparse=True), ag.hessian(f, 1, sparse=True)
    for x in ([0.5, -0.5], [1.0, 2.0]):
        for _ in range(2):
            np.testing.assert_allclose(compiled(model, x).toarray(), plain(model, x).toarray(), rtol=1e-9, atol=1e-15)
    for parameter in model.parameters():
        parameter.data *= 0.5
    np.testing.assert_allclose(compiled(model, x).toarray(), plain(model, x).toarray(), rtol=1e-9, atol=1e-15)
    with pytest.raises(TypeError, match="needs numbers, not a MLP"):
        ag.hessian(f, sparse=True)(model, [1.0, 2.0])


def test_compiled_functions_inside_show_every_operation():
    pair = ag.compile(lambda x: x[0] * x[1])
    rows = ag.compile(lambda x: [x[0] * x[1], x[2]])
    f = lambda x: [pair([x[0], x[1]]), *rows(x[1:]), x[3]]  # noqa: E731
    for _ in range(2):
        assert set(agree(f, [1.0, 2.0, 3.0, 4.0])) == {(0, 0), (0, 1), (1, 1), (1, 2), (2, 3), (3, 3)}
        assert set(agree(lambda x: ag.sum(f(x)), [1.0, 2.0, 3.0, 4.0], order=2)) == {(0, 1), (1, 0), (1, 2), (2, 1)}
        assert ag.pattern(rows)([1.0, 2.0, 3.0]) == ag.pattern(rows.function)([1.0, 2.0, 3.0])
    alike(f, [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0])
    alike(lambda x: ag.sum(f(x)), [1.0, 2.0, 3.0, 4.0], [5.0, 6.0, 7.0, 8.0], order=2)


def test_methods_and_batches_are_right():
    class Model:
        @ag.compile
        def rows(self, x):
            return [x[0] * x[1], x[2]]

    assert ag.jacobian(Model().rows, sparse=True)([1.0, 2.0, 3.0]).toarray().tolist() == [[2.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    loss = ag.compile(lambda w, x: (w[0] * x - 1.0) ** 2 + w[1] ** 3, batch=1)
    xs = np.array([1.0, 2.0, 3.0])
    found = ag.hessian(loss, sparse=True)([0.5, 2.0], xs)
    np.testing.assert_allclose(found.toarray(), [[2.0 * np.mean(xs * xs), 0.0], [0.0, 12.0]], rtol=1e-12)
    assert found.nnz == 2


def test_mistakes_of_compiled_functions():
    with pytest.raises(TypeError, match="must return one number, not list"):
        ag.hessian(ag.compile(lambda x: [x, x]), sparse=True)(1.0)
    with pytest.raises(TypeError, match="holds numbers and no Values"):
        ag.jacobian(ag.compile(lambda x: [x]), sparse=True)(Value(1.0))
    with pytest.raises(TypeError, match="argument 1, but was called with 1"):
        ag.jacobian(ag.compile(lambda x: [x]), 1, sparse=True)(1.0)


@pytest.mark.parametrize("n", [2, 50])
def test_audits_see_where_entries_stand(n, monkeypatch):
    turned = lambda x: x[::-1] if os.getenv("AUTOGRAD_TURNED") else list(x)  # noqa: E731 - which no call can notice
    compiled = ag.jacobian(ag.compile(turned, audit=True), sparse=True)
    assert np.array_equal(compiled([1.0] * n).toarray(), np.eye(n))
    monkeypatch.setenv("AUTOGRAD_TURNED", "yes")
    with pytest.raises(ag.CompileMismatch):
        compiled([1.0] * n)
    assert np.array_equal(compiled([1.0] * n).toarray(), np.eye(n)[::-1])
