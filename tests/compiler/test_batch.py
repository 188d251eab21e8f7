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


class Convolved(nn.Module):
    """A convolution, a maximum of each channel, and a linear layer."""

    def __init__(self):
        self.conv = nn.Conv2d(1, 2, 2, seed=1)
        self.out = nn.Linear(2, 3, seed=2)

    def forward(self, image):
        channels = self.conv([image])
        return self.out([ag.max([ag.relu(v) for row in channel for v in row]) for channel in channels])


def test_a_convolution():
    images = RNG.standard_normal((6, 4, 4))
    agrees(lambda model, x, y: nn.cross_entropy(model(x), y), Convolved(), images, RNG.integers(0, 3, 6))


class Attending(nn.Module):
    """Embedded tokens that attend to each other, and logits of the next one."""

    def __init__(self):
        self.embedding = nn.Embedding(5, 4, seed=1)
        self.query, self.key, self.out = nn.Linear(4, 4, seed=2), nn.Linear(4, 4, seed=3), nn.Linear(4, 5, seed=4)

    def forward(self, tokens):
        rows = [self.embedding(token) for token in tokens]
        queries, keys = [self.query(row) for row in rows], [self.key(row) for row in rows]
        found = []
        for query in queries:
            weights = ag.softmax([ag.dot(query, key) for key in keys])
            found.append([ag.dot(weights, column) for column in zip(*rows)])
        return [self.out(row) for row in found]


def test_tokens_are_taken_from_a_table_and_attend():
    tokens, following = RNG.integers(0, 5, (6, 3)), RNG.integers(0, 5, (6, 3))
    compiled = agrees(
        lambda model, xs, ys: ag.mean([nn.cross_entropy(row, y) for row, y in zip(model(xs), ys)]), Attending(), tokens, following
    )
    assert sum(map(len, compiled.variants.known.values())) == 1


def test_examples_that_branch_otherwise_are_run_by_another_program():
    def bent(model, x, y):
        score = model(x)
        if score > 0.0:
            return score * score * y
        if x[0] > 0.5:
            return -score * y
        return score * y

    compiled = agrees(bent, nn.MLP(5, [1], seed=3), X, RNG.standard_normal(7))
    assert 1 < sum(map(len, compiled.variants.known.values())) <= 3


def test_integers_that_are_no_indices_are_told_apart():
    signs = np.array([1, -1, 1, 1, -1, 1, -1])
    compiled = agrees(lambda model, x, y: nn.hinge_loss([model(x)], [y]), nn.MLP(5, [1], seed=3), X, signs)
    assert sum(map(len, compiled.variants.known.values())) == 2


def test_too_many_branches_warn_and_are_right():
    def steps(x):
        n = 0
        while x > 0.0:
            x, n = x - 1.0, n + 1
        return x * n

    compiled = ag.compile(steps, batch=0, reduce=None)
    xs = np.arange(20) + 0.5
    with pytest.warns(RuntimeWarning, match=r"steps was compiled 16 times, because the comparison at .*test_batch.py"):
        found = compiled(xs)
    np.testing.assert_array_equal(found, [steps(x) for x in xs.tolist()])
    assert sum(map(len, compiled.variants.known.values())) == 16


@pytest.mark.parametrize("reduce", ["mean", "sum", None])
def test_derivatives_by_batched_arguments_are_those_of_each_example(reduce):
    f = lambda x, y: ag.sin(x[0] * y) + ag.relu(x[1]) * x[2]  # noqa: E731
    scale = 1.0 / 7 if reduce == "mean" else 1.0
    y = RNG.standard_normal(7)
    value, (dx, dy) = ag.compile(f, batch=(0, 1), reduce=reduce).value_and_grad(X, y, argnums=(0, 1))
    each = [ag.value_and_grad(f, (0, 1))(a.tolist(), b) for a, b in zip(X, y.tolist())]
    assert dx.shape == X.shape
    np.testing.assert_allclose(dx, [np.multiply(gradient[0], scale) for _, gradient in each], rtol=1e-12)
    np.testing.assert_allclose(dy, [gradient[1] * scale for _, gradient in each], rtol=1e-12)
    values = [value for value, _ in each]
    np.testing.assert_allclose(value, values if reduce is None else np.sum(values) * scale, rtol=1e-12)


def test_results_that_are_the_same_for_all():
    f = ag.compile(lambda w, x: {"both": (w * 2.0, [x[0], x[1] * w]), "three": 3.0}, batch=1, reduce=None)
    found = f(1.5, X)
    np.testing.assert_array_equal(found["both"][0], np.full(7, 3.0))
    np.testing.assert_array_equal(found["both"][1], np.stack([X[:, 0], X[:, 1] * 1.5], 1))
    np.testing.assert_array_equal(found["three"], np.full(7, 3.0))
    total = ag.compile(lambda w, x: [w * 2.0, x[0]], batch=1, reduce="sum")(1.5, X)
    assert total == [pytest.approx(21.0), pytest.approx(X[:, 0].sum())]
    value, gradient = ag.compile(lambda w, x: w * w, batch=1).value_and_grad(3.0, X)
    assert (value, gradient) == (pytest.approx(9.0), pytest.approx(6.0))


def test_a_nan_poisons_its_own_example_only():
    x = np.array([1.0, np.nan, -2.0, 0.0])
    f = ag.compile(lambda x: ag.sqrt(ag.relu(x)) + x, batch=0, reduce=None)
    np.testing.assert_array_equal(np.isnan(f(x)), np.isnan(x))
    _, slopes = f.value_and_grad(x)
    np.testing.assert_array_equal(slopes, [ag.grad(lambda x: ag.sqrt(ag.relu(x)) + x)(v) for v in x.tolist()])
    masked = ag.compile(lambda w, x: ag.relu(ag.sqrt(x) * w - 1.0), batch=1)
    assert masked.value_and_grad(2.0, np.array([0.0, 4.0])) == (1.5, 1.0)


def test_containers_of_arrays_and_lists_of_examples():
    f = ag.compile(lambda pair, more: pair[0][1] * pair[1] + more["a"], batch=("pair", "more"), reduce=None)
    y, a = RNG.standard_normal(7), RNG.standard_normal(7)
    expected = X[:, 1] * y + a
    np.testing.assert_allclose(f((X, y), {"a": a}), expected)
    np.testing.assert_allclose(f((X.tolist(), y.tolist()), {"a": a.tolist()}), expected)
    np.testing.assert_allclose(f(list(zip(X, y)), more=[{"a": v} for v in a]), expected)
    _, ((dx, dy), da) = f.value_and_grad((X, y), {"a": a}, argnums=(0, 1))
    np.testing.assert_allclose(dy, X[:, 1])
    np.testing.assert_allclose(da["a"], 1.0)
    assert dx.shape == X.shape


def test_as_a_decorator_and_inside_other_programs():
    @ag.compile(batch=1, reduce="sum")
    def loss(w, x):
        return (w * x - 1.0) ** 2

    xs = np.array([1.0, 2.0, 3.0])
    assert loss(2.0, xs) == 35.0
    outer = ag.compile(lambda w: loss(w, [1.0, 2.0, 3.0]) * w)
    assert outer.value_and_grad(2.0) == (70.0, pytest.approx(35.0 + 2.0 * (28.0 * 2.0 - 12.0)))
    assert ag.derivative(lambda w: loss(w, xs), order=2)(2.0) == pytest.approx(28.0)


def test_what_cannot_be_a_batch_is_refused():
    f = ag.compile(lambda w, x, y: w * x[0] * y, batch=(1, 2))
    with pytest.raises(ValueError, match="x of <lambda> has 7 examples, but y has 6"):
        f(1.0, X, np.ones(6))
    with pytest.raises(ValueError, match="x of <lambda> is an empty batch; it must have at least one example"):
        f(1.0, X[:0], np.ones(0))
    with pytest.raises(TypeError, match=r"y of <lambda> is batched: it must be an array or a list .* not float 1.0"):
        f(1.0, X, 1.0)
    with pytest.raises(TypeError, match="it must be plain numbers, not Values"):
        f(1.0, X, [Value(1.0)] * 7)
    with pytest.raises(ValueError, match="the examples in x of <lambda> are of different lengths"):
        f(1.0, [[1.0], [1.0, 2.0]], [1.0, 1.0])
    with pytest.raises(TypeError, match="is batched by y, but was called without it"):
        f(1.0, X)
    with pytest.raises(ValueError, match=r"reduce is 'mean', 'sum' or None, not 'max'"):
        ag.compile(lambda x: x, batch=0, reduce="max")
    with pytest.raises(TypeError, match=r"batch is 3, but <lambda> has the arguments x"):
        ag.compile(lambda x: x, batch=3)
    with pytest.raises(ValueError, match=r"the gradient with respect to w is a sum over the examples, .* choose reduce='sum'"):
        ag.compile(lambda w, x: w * x, batch=1, reduce=None).value_and_grad(1.0, np.ones(2))
    with pytest.raises(IndexError, match="y is 9 in example 2, but <lambda> indexes 3 rows with it"):
        ag.compile(lambda x, y: ag.take([x, x, x], y), batch=(0, 1))(np.ones(3), np.array([0, 1, 9]))


def test_a_gradient_of_a_choice_that_was_not_taken():
    slope = ag.grad(lambda x: ag.relu(ag.sqrt(x) - 1.0) + x)
    xs = np.array([0.0, 4.0, 0.25])
    for reduce in (None, "sum"):
        found = ag.compile(lambda x: slope(x), batch=0, reduce=reduce)(xs)
        expected = [slope(x) for x in xs.tolist()]
        np.testing.assert_allclose(found, expected if reduce is None else sum(expected))


def test_a_batch_needs_numpy(monkeypatch):
    import sys

    compiled = ag.compile(lambda x: x * x, batch=0)
    monkeypatch.setitem(sys.modules, "numpy", None)
    with pytest.raises(ImportError, match="a batch needs NumPy: install numpy, or call the function example by example"):
        compiled([1.0, 2.0])


def test_the_program_can_be_read():
    compiled = ag.compile(lambda model, x, y: nn.cross_entropy(model(x), y), batch=("x", "y"))
    compiled.value_and_grad(nn.MLP(5, [4, 3], seed=0), X, Y)
    for line in (
        "def program(inputs, x, y):", "the last axis of x and y", "layer0_a = layers0_w @ x + layers0_b[:, None]",
        "d_layers0_w = d_layer0_d @ x.T", "d_layers0_b = d_layer0_d.sum(-1)", "d_layers1_w = d_layer1_a @ layer0_h.T",
    ):  # fmt: skip
        assert line in compiled.source
    assert "matrix products" in compiled.summary()


def test_numbers_that_are_read_are_refused():
    with pytest.raises(ag.TraceError, match="the number inside a Value is read"):
        ag.compile(lambda x: float(x) * x, batch=0)(np.ones(3))
