import pytest

import nn
from autograd import Value

np = pytest.importorskip("numpy")


def test_mse_of_numbers_values_lists_and_arrays():
    assert nn.mse_loss([1.0, 2.0], [1.0, 4.0]) == 2.0
    assert nn.mse_loss([[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 0.0]]) == 4.0
    assert nn.mse_loss(np.array([[1.0, 2.0]]), [[1.0, 4.0]]) == 2.0
    x = Value(3.0)
    nn.mse_loss([x, x], [1.0, 0.0]).backward()
    assert x.grad == 2.0 + 3.0


def test_hinge():
    scores = [Value(2.0), Value(0.5), Value(-0.5)]
    loss = nn.hinge_loss(scores, [1, 1, 1])
    assert loss.data == pytest.approx((0.0 + 0.5 + 1.5) / 3)
    loss.backward()
    assert [score.grad for score in scores] == pytest.approx([0.0, -1 / 3, -1 / 3])


@pytest.mark.parametrize("loss", [nn.mse_loss, nn.hinge_loss])
def test_lengths_must_agree(loss):
    with pytest.raises(ValueError, match=rf"{loss.__name__} got 2 predictions and 3 targets"):
        loss([1.0, 2.0], [1, 1, 1])
    with pytest.raises(ValueError, match=rf"{loss.__name__} needs at least one prediction"):
        loss([], [])


def test_hinge_refuses_other_targets():
    with pytest.raises(ValueError, match=r"hinge_loss needs targets -1 and 1, not 0"):
        nn.hinge_loss([1.0], [0])


def test_l2_penalty():
    neuron = nn.Neuron(2, seed=0)
    expected = 0.1 * sum(p.data**2 for p in neuron.parameters())
    assert nn.l2_penalty(neuron, 0.1).data == pytest.approx(expected)
    assert nn.l2_penalty(neuron.parameters(), 0.1).data == pytest.approx(expected)
