import math
import random

import pytest

import autograd
import nn
from autograd import Value


def test_a_neuron_by_hand():
    neuron = nn.Neuron(2, activation="tanh")
    neuron.w[0].data, neuron.w[1].data, neuron.b.data = 0.5, -2.0, 0.25
    out = neuron([3.0, 1.0])
    assert out.data == math.tanh(0.5 * 3.0 - 2.0 * 1.0 + 0.25)
    out.backward()
    slope = 1 - out.data**2
    assert [p.grad for p in neuron.parameters()] == pytest.approx([3.0 * slope, 1.0 * slope, slope])


def test_a_neuron_is_three_nodes_whatever_its_width():
    out = nn.Neuron(50, seed=0)([1.0] * 50)
    assert [node._op for node in autograd.topological(out) if node._op] == ["dot", "+", "ReLU"]


@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid", "softplus", "silu", "gelu", "leaky_relu", "elu", "sin"])
def test_activations_by_name(name):
    neuron = nn.Neuron(1, activation=name, seed=3)
    total = neuron.w[0].data * 0.7 + neuron.b.data
    assert neuron([0.7]).data == getattr(autograd, name)(total)


def test_activation_by_function_and_linear():
    assert nn.Neuron(1, activation=lambda x: x * 0.0 + 5.0)([1.0]).data == 5.0
    neuron = nn.Neuron(1, activation="linear", seed=0)
    assert neuron([2.0])._op == "+"
    assert nn.Neuron(1, nonlin=False, seed=0)([2.0]).data == neuron([2.0]).data


def test_an_unknown_activation():
    with pytest.raises(ValueError, match=r"no activation is named 'rellu'; give a function of autograd by name, 'linear'"):
        nn.Neuron(1, activation="rellu")


@pytest.mark.parametrize("model", [nn.Neuron(3), nn.Layer(3, 2), nn.MLP(3, [2, 1])])
@pytest.mark.parametrize("given", [2, 4])
def test_a_wrong_number_of_inputs_names_both(model, given):
    with pytest.raises(ValueError, match=rf"a neuron of 3 weights got {given} inputs"):
        model([1.0] * given)


def test_one_neuron_layers():
    assert isinstance(nn.Layer(2, 1, seed=0)([1.0, 2.0]), Value)
    model = nn.MLP(2, [1, 3, 1, 2], seed=0)
    assert [out.data for out in model([1.0, 2.0])] == pytest.approx([out.data for out in model([Value(1.0), Value(2.0)])])


def test_the_same_seed_gives_the_same_numbers():
    def numbers(**options):
        return [p.data for p in nn.MLP(2, [3, 1], **options).parameters()]

    assert numbers(seed=7) == numbers(seed=7) == numbers(rng=random.Random(7))
    assert numbers(seed=7) != numbers(seed=8)
    random.seed(7)
    assert numbers() == numbers(seed=7)


def test_seed_and_rng_exclude_each_other():
    with pytest.raises(ValueError, match="give rng or seed, not both: seed=1"):
        nn.Neuron(2, rng=random.Random(0), seed=1)
    with pytest.raises(TypeError, match=r"rng needs a generator such as random.Random\(0\), not 3"):
        nn.Neuron(2, rng=3)


def test_numpy_inputs_and_generator():
    np = pytest.importorskip("numpy")
    model = nn.MLP(2, [3, 1], rng=np.random.default_rng(0))
    assert model(np.array([1.0, 2.0])).data == model([1.0, 2.0]).data


def test_reprs():
    assert repr(nn.Neuron(2)) == "ReLUNeuron(2)"
    assert repr(nn.Neuron(2, activation="tanh")) == "TanhNeuron(2)"
    assert repr(nn.Layer(1, 2, nonlin=False)) == "Layer of [LinearNeuron(1), LinearNeuron(1)]"


def test_gradients_agree_with_differences():
    model = nn.MLP(2, [4, 3, 1], activation="tanh", seed=5)
    model([0.3, -0.8]).backward()
    for p in model.parameters():
        h, at = 1e-6, p.data
        p.data = at + h
        above = model([0.3, -0.8]).data
        p.data = at - h
        below = model([0.3, -0.8]).data
        p.data = at
        assert p.grad == pytest.approx((above - below) / (2 * h), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: nn.MLP(2, [1])(1.0), TypeError, "a neuron of 2 weights needs a list of 2 inputs, not float 1.0"),
        (lambda: nn.Linear(2, 1)(1.0), TypeError, "Linear of 2 inputs needs a list of 2 inputs, not float 1.0"),
        (lambda: nn.LayerNorm(2)(1.0), TypeError, "LayerNorm of width 2 needs a list of 2 numbers, not float 1.0"),
        (lambda: nn.Conv1d(1, 1, 2)(1.0), TypeError, "Conv1d of 1 channels needs a list of 1 channels, not float 1.0"),
        (lambda: nn.mse_loss(1.0, "a"), ValueError, "for the target 'a'; with one output, targets are numbers"),
        (lambda: nn.MLP(2, 3), TypeError, r"such as MLP\(2, \[16, 1\]\), not 3"),
        (lambda: nn.MLP(2, []), TypeError, r"such as MLP\(2, \[16, 1\]\), not \[\]"),
        (lambda: nn.MLP("2", [1]), TypeError, "the number of inputs of a neuron is a whole number, not str '2'"),
        (lambda: nn.MLP(0, [1]), ValueError, "the number of inputs of a neuron is at least 1, not 0"),
        (lambda: nn.MLP(2, [0, 1]), ValueError, "the number of neurons is at least 1, not 0"),
        (lambda: nn.Linear(2, 0), ValueError, "the number of outputs of Linear is at least 1, not 0"),
        (lambda: nn.Conv1d(0, 1, 1), ValueError, "the number of input channels of Conv1d is at least 1, not 0"),
        (lambda: nn.Conv2d(1, 1, 2, stride=0), ValueError, "the stride of Conv2d is at least 1, not 0"),
        (lambda: nn.Conv1d(1, 1, 2, padding=-1), ValueError, "the padding of Conv1d is at least 0, not -1"),
        (lambda: nn.MaxPool2d(0), ValueError, "the size of MaxPool2d is at least 1, not 0"),
        (lambda: nn.LayerNorm("2"), TypeError, "the width of LayerNorm is a whole number, not str '2'"),
        (lambda: nn.RMSNorm(0), ValueError, "the width of RMSNorm is at least 1, not 0"),
        (lambda: nn.Embedding(0, 2), ValueError, "the number of rows of Embedding is at least 1, not 0"),
        (lambda: nn.SGD([1.0]), TypeError, r"SGD moves Values, not float 1.0; give it model.parameters\(\)"),
        (lambda: nn.Adam(nn.MLP(1, [1])), TypeError, r"Adam moves Values, not MLP .*; give it model.parameters\(\)"),
    ],
)
def test_calls_that_make_no_network(make, error, message):
    with pytest.raises(error, match=message):
        make()
