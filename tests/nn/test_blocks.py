import math
import random

import pytest

import nn
from autograd import Value, gradcheck
from nn import init, schedules

XS = [[0.3, -0.8], [0.5, 0.1], [-0.4, 0.9]]


@pytest.mark.parametrize(("module", "x"), [
    (nn.Linear(2, 3, seed=0), XS[0]), (nn.LayerNorm(2), XS[0]), (nn.RMSNorm(2), XS[0]), (nn.RNN(2, 2, seed=0), XS),
    (nn.LSTM(2, 2, seed=0), XS), (nn.GRU(2, 2, seed=0), XS), (nn.CausalSelfAttention(2, 2, seed=0), XS),
    (nn.Conv1d(3, 2, 2, seed=0), XS), (nn.Conv2d(1, 2, 2, padding=1, seed=0), [XS]), (nn.AvgPool2d(2), [XS]),
    (nn.MaxPool2d(2), [XS]), (nn.Embedding(3, 2, seed=0), 1),
], ids=lambda x: type(x).__name__)  # fmt: skip
def test_gradients_of_every_layer_agree_with_differences(module, x):
    def output(x):
        out = module(x)
        return sum((i + 1) * y for i, y in enumerate(nn.flatten(out[0] if isinstance(out, tuple) else out)))

    if not isinstance(x, int):
        assert gradcheck(output, x)
    for p in module.parameters():
        module.zero_grad()
        output(x).backward()
        grad, at, h = p.grad, p.data, 1e-5
        p.data = at + h
        above = float(output(x))
        p.data = at - h
        below = float(output(x))
        p.data = at
        assert grad == pytest.approx((above - below) / (2 * h), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize(("module", "x", "message"), [
    (nn.Linear(2, 1), [1.0], "Linear of 2 inputs got 1"),
    (nn.LayerNorm(2), [1.0], "LayerNorm of width 2 got 1 numbers"),
    (nn.RMSNorm(2), [1.0] * 3, "RMSNorm of width 2 got 3 numbers"),
    (nn.RMSNorm(2, weight=False), [1.0] * 3, "RMSNorm of width 2 got 3 numbers"),
    (nn.Conv2d(2, 1, 2), [[[1.0] * 3] * 3], "Conv2d of 2 channels got 1"),
    (nn.Conv1d(1, 1, 2), [[1.0] * 3] * 2, "Conv1d of 1 channels got 2"),
    (nn.Conv2d(1, 1, 4), [[[1.0] * 3] * 3], "windows of size 4, 1 apart, do not fit into length 3"),
    (nn.GRU(1, 1), [], "GRU needs a sequence of at least one step"),
])  # fmt: skip
def test_wrong_shapes(module, x, message):
    with pytest.raises(ValueError, match=message):
        module(x)


def test_wrong_constructions():
    with pytest.raises(ValueError, match=r"needs a width that its heads divide, not width 6 and 4 heads"):
        nn.CausalSelfAttention(6, 4)
    with pytest.raises(ValueError, match="Dropout needs a rate from 0 to below 1, not 1"):
        nn.Dropout(1)
    with pytest.raises(TypeError, match="Sequential needs modules, functions and names of activations, not 3"):
        nn.Sequential(3)
    with pytest.raises(ValueError, match="no activation is named 'rellu'"):
        nn.Sequential("rellu")
    with pytest.raises(IndexError, match="index 10 for 10 rows"):
        nn.Embedding(10, 2)(10)
    with pytest.raises(ValueError, match=r"Adam needs betas from 0 to below 1"):
        nn.Adam([Value(1.0)], betas=(1.0, 0.9))
    with pytest.raises(ValueError, match=r"schedules.cosine needs steps of at least 1, not 0"):
        schedules.cosine(0.1, steps=0)


def test_wrong_losses():
    with pytest.raises(IndexError, match="cross_entropy got label 3 for 3 classes, 0 to 2"):
        nn.cross_entropy([[1.0, 2.0, 3.0]], [3])
    with pytest.raises(IndexError, match="cross_entropy got label -1"):
        nn.cross_entropy([1.0, 2.0, 3.0], -1)
    with pytest.raises(ValueError, match="cross_entropy needs at least one prediction"):
        nn.cross_entropy([], [])
    with pytest.raises(ValueError, match="bce_with_logits needs targets from 0 to 1, not nan"):
        nn.bce_with_logits([1.0], [math.nan])
    with pytest.raises(ValueError, match=r"reduction is 'mean', 'sum' or 'none', not 'average'"):
        nn.mse_loss([1.0], [1.0], reduction="average")
    with pytest.raises(ValueError, match="huber_loss needs delta > 0, not 0"):
        nn.huber_loss([1.0], [1.0], delta=0)


@pytest.mark.parametrize("logit", [1000.0, -1000.0])
def test_losses_are_finite_far_out(logit):
    x = Value(logit)
    loss = nn.bce_with_logits(x, 1) + nn.cross_entropy([x, 0.0], 1)
    loss.backward()
    assert math.isfinite(loss.data)
    assert math.isfinite(x.grad)


def test_dropout_keeps_the_mean_and_is_off_in_evaluation():
    drop = nn.Dropout(0.3, seed=0)
    kept = drop([1.0] * 20_000)
    assert set(kept) == {0.0, 1.0 / 0.7}
    assert sum(kept) / len(kept) == pytest.approx(1.0, abs=0.02)
    model = nn.Sequential(nn.Linear(2, 2, seed=0), nn.Dropout(0.5, seed=1))
    assert [y.data for y in model.eval()([1.0, 2.0])] == [y.data for y in model.layers[0]([1.0, 2.0])]
    assert model.train().layers[1].training


def test_attention_does_not_see_what_comes_later():
    attention = nn.CausalSelfAttention(4, 2, seed=0)
    xs = [[float(i == j) for j in range(4)] for i in range(4)]
    before = attention(xs)
    after = attention([*xs[:3], [9.0] * 4])
    assert [[float(y) for y in place] for place in before[:3]] == [[float(y) for y in place] for place in after[:3]]
    assert [float(y) for y in before[3]] != [float(y) for y in after[3]]


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4)])
def test_orthogonal(shape):
    np = pytest.importorskip("numpy")
    weight = init.matrix(*shape)
    init.orthogonal(weight, random.Random(1), factor=2.0)
    w = np.array([[p.data for p in row] for row in weight])
    small = w @ w.T if shape[0] <= shape[1] else w.T @ w
    np.testing.assert_allclose(small, 4 * np.eye(min(shape)), atol=1e-12)


def test_gain_and_scaled():
    draw = init.scaled(init.gain("tanh"), init.constant(3.0))
    assert nn.Linear(1, 1, bias=False, init=draw).weight[0][0].data == pytest.approx(5.0)
    with pytest.raises(ValueError, match="no gain is known for activation 'swish'; there are linear, sigmoid"):
        init.gain("swish")
