"""Colourings: every entry is found where nothing else is, and the passes are few."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest

import autograd as ag
import autograd.colouring as colouring
import autograd.evaluation as evaluation
import autograd.sparse as sparse
from autograd.colouring import by_columns_or_rows, by_stars, transposed
from tests.test_sparsity import FAMILIES, JACOBIANS, POINT, agree, heat, rosenbrock

RNG = random.Random(7)


@pytest.fixture
def counted(monkeypatch):
    """How many passes forward and back there were."""
    found = {"pullback": 0, "pushforward": 0}

    def counting(name, function):
        def counts(*arguments, **keywords):
            found[name] += 1
            return function(*arguments, **keywords)

        return counts

    for name in found:
        for module in (evaluation, sparse):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, counting(name, getattr(module, name)))
    return found


def test_passes_do_not_grow_with_the_matrix(counted):
    for n in (20, 2000):
        x = [0.5 + 0.5 * math.sin(i) for i in range(n)]
        counted.update(pullback=0, pushforward=0)
        found = ag.hessian(rosenbrock, sparse=True)(x)
        assert counted == {"pullback": 1, "pushforward": 3}  # the gradient, and a product for each of three colours
        assert found.nnz == 3 * n - 2
        counted.update(pullback=0, pushforward=0)
        assert ag.jacobian(lambda x: heat(x, 2), sparse=True)(x).shape == (n, n)
        assert counted == {"pullback": 5, "pushforward": 0}
        counted.update(pullback=0, pushforward=0)
        assert ag.jacobian(lambda x: [x[0] * a for a in x], sparse=True)(x).nnz == 2 * n - 1
        assert counted == {"pullback": 0, "pushforward": 2}
    x = np.array(x)
    diagonal = 1200.0 * x * x - 400.0 * np.append(x[1:], 0.0) + 2.0
    diagonal[-1] = 0.0
    diagonal[1:] += 200.0
    second = ag.hessian(rosenbrock, sparse=True)(x)
    np.testing.assert_allclose(second.diagonal(), diagonal, rtol=1e-12)
    np.testing.assert_allclose(second.diagonal(1), -400.0 * x[:-1], rtol=1e-12)


def random_rows(n, width, share):
    return [[j for j in range(width) if RNG.random() < share] for _ in range(n)]


def is_right(rows, width, found, symmetric):
    """Whether every entry is read where nothing else is."""
    matrix = np.zeros((len(rows), width))
    for i, row in enumerate(rows):
        for j in row:
            matrix[i, j] = 1.0 + (min(i, j) * 1000.0 + max(i, j) if symmetric else i * 1000.0 + j)
    across = matrix.T if found.mode == "reverse" else matrix
    products = [across[:, group].sum(axis=1) for group in found.groups]
    read = iter(found.sources)
    return all(products[color][place] == matrix[i, j] for i, row in enumerate(rows) for j in row for color, place in [next(read)])


def symmetric(rows):
    return [sorted({*row, *column}) for row, column in zip(rows, transposed(rows, len(rows)))]


@pytest.mark.parametrize("share", [0.0, 0.05, 0.2, 0.5, 0.9, 1.0])
def test_colourings_of_random_matrices(share):
    for n in (0, 1, 2, 5, 9, 30):
        for width in (0, 1, 4, 20):
            rows = random_rows(n, width, share)
            found = by_columns_or_rows(rows, width)
            assert is_right(rows, width, found, symmetric=False)
            assert found.passes <= min(n, width)
            assert found.passes >= (0 if not any(rows) else 1)
        rows = symmetric(random_rows(n, n, share))
        found = by_stars(rows)
        assert is_right(rows, n, found, symmetric=True)
        assert found.passes <= n


def test_two_dimensional_grids():
    m = 15
    steps = ((0, 0), (0, 1), (1, 0), (0, -1), (-1, 0))
    places = [(a, b) for a in range(m) for b in range(m)]
    rows = [sorted((a + x) * m + b + y for x, y in steps if 0 <= a + x < m and 0 <= b + y < m) for a, b in places]
    assert by_stars(rows).passes <= 6
    assert by_columns_or_rows(rows, m * m).passes <= 8
    assert by_stars(rows).passes < by_columns_or_rows(rows, m * m).passes


def every_family():
    for f, _, _ in JACOBIANS.values():
        agree(f, POINT)
    for f, _ in FAMILIES.values():
        agree(f, POINT, order=2)


@pytest.mark.parametrize("wrong", [
    ("greedy", lambda rows, columns, order: [0 if row else -1 for row in rows]),
    ("greedy", lambda rows, columns, order: [i % 2 if row else -1 for i, row in enumerate(rows)]),
    ("star", lambda rows, order: [0 if row else -1 for row in rows]),
    ("star", lambda rows, order: [i % 2 for i in range(len(rows))]),  # neighbours differ, and paths of four have two colours
    ("repeated", lambda numbers: 0),
    ("lowest_free", lambda bits: 0),
    ("lowest_free", lambda bits: (bits + 1).bit_length() - 1),
])  # fmt: skip
def test_a_wrong_colouring_is_caught(wrong, monkeypatch):
    every_family()
    monkeypatch.setattr(colouring, *wrong)
    with pytest.raises(AssertionError):
        every_family()
