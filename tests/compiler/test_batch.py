"""Batches: one example is traced and many are run, with the results of the engine, whatever the size of the blocks."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value
from autograd.compiler.blocks import Blocks

RNG = np.random.default_rng(5)
X, Y = RNG.standard_normal((7, 5)), RNG.integers(0, 3, 7)


def classified(model, x, y):
    return nn.cross_entropy(model(x), y) + nn.l2_penalty(model, 1e-2)


def eager(f, model, examples, reduce="mean"):
    """Value and gradients of the mean or sum over the examples, by the engine."""
    results = [f(model, *example) for example in examples]
    total = ag.mean(results) if reduce == "mean" else ag.sum(results)
    model.zero_grad()
    total.backward()
    return total.data, {name: p.grad for name, p in model.named_parameters().items()}


def agrees(f, model, *arrays, batch=None):
    """The compiled mean, sum and per-example results agree with the engine, as a node and on arrays."""
    examples = [[x.tolist() if np.ndim(x) else x.item() for x in example] for example in zip(*arrays)]
    places = batch or tuple(range(1, 1 + len(arrays)))
    for reduce in ("mean", "sum"):
        value, slopes = eager(f, model, examples, reduce)
        compiled = ag.compile(f, batch=places, reduce=reduce)
        found, gradient = compiled.value_and_grad(model, *arrays)
        assert found == pytest.approx(value, rel=1e-12)
        assert gradient == pytest.approx(slopes, rel=1e-10, abs=1e-12)
        model.zero_grad()
        node = compiled(model, *arrays)
        node.backward()
        assert node.data == pytest.approx(value, rel=1e-12)
        assert {name: p.grad for name, p in model.named_parameters().items()} == pytest.approx(slopes, rel=1e-10, abs=1e-12)
    each = ag.compile(f, batch=places, reduce=None)(model, *arrays)
    np.testing.assert_allclose(each, [f(model, *example).data for example in examples], rtol=1e-12)
    return compiled


def test_a_network_with_labels_and_a_penalty():
    compiled = agrees(classified, nn.MLP(5, [4, 3], seed=0), X, Y)
    assert ".T" in compiled.source
    assert sum(map(len, compiled.variants.known.values())) == 1
    for blocks in compiled.latest.programs.values():
        blocks.program.check()
        blocks.tensors.check()


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_blocks_of_any_size_agree(monkeypatch, size):
    model = nn.MLP(5, [4, 3], seed=0)
    value, slopes = ag.compile(classified, batch=(1, 2)).value_and_grad(model, X, Y)
    monkeypatch.setattr("autograd.compiler.blocks.FEWEST", size)
    monkeypatch.setattr("autograd.compiler.blocks.BYTES", 0)
    compiled = ag.compile(classified, batch=("x", "y"))
    found, gradient = compiled.value_and_grad(model, X, Y)
    assert found == pytest.approx(value, rel=1e-14)
    assert gradient == pytest.approx(slopes, rel=1e-12)
    assert isinstance(compiled.latest.latest, Blocks)
    assert compiled.latest.latest.size == size
    each = ag.compile(lambda x: x[0] * x[1], batch=0, reduce=None)
    np.testing.assert_allclose(each(X), X[:, 0] * X[:, 1])


def test_flat_weights():
    model = nn.MLP(5, [4, 3], seed=0)
    value, slopes = ag.compile(classified, batch=(1, 2)).value_and_grad(model, X, Y)
    step = ag.compile(classified, batch=(1, 2)).functional(model)
    found, gradient = step(np.array([p.data for p in model.parameters()]), X, Y)
    assert found == pytest.approx(value)
    np.testing.assert_allclose(gradient, list(slopes.values()))


def test_values_from_outside_get_gradients():
    w = Value(2.0)
    loss = ag.compile(lambda x: (w * x) ** 2, batch=0, reduce="sum")
    loss(np.array([1.0, 2.0])).backward()
    assert w.grad == 20.0
