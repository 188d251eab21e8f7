import copy
import operator
import pickle

import pytest

import autograd
import nn
from autograd import Value, scope, topological


class Pair(nn.Module):
    def __init__(self):
        self.shared = Value(2.0)
        self.parts = {"left": nn.Neuron(1, seed=0), "right": (nn.Neuron(1, seed=1), self.shared)}

    def forward(self, x):
        return self.parts["left"]([x]) + self.parts["right"][0]([x]) * self.shared


def test_parameters_are_named_once_in_order_of_attributes():
    pair = Pair()
    assert list(pair.named_parameters()) == ["shared", "parts.left.w.0", "parts.left.b", "parts.right.0.w.0", "parts.right.0.b"]
    assert all(map(operator.is_, pair.parameters(), pair.named_parameters().values()))


def test_zero_grad():
    model = nn.MLP(2, [3, 1], seed=0)
    model([1.0, 2.0]).backward()
    assert any(p.grad for p in model.parameters())
    model.zero_grad()
    assert not any(p.grad for p in model.parameters())


def test_calling_pushes_the_scope():
    model = nn.MLP(2, [3, 1], seed=0)
    first = model([1.0, 2.0])
    assert first.scope == "mlp/layer1/neuron0"
    assert {node.scope for node in topological(first) if node._op} == {
        "mlp/layer0/neuron0", "mlp/layer0/neuron1", "mlp/layer0/neuron2", "mlp/layer1/neuron0"
    }  # fmt: skip


def test_later_calls_are_numbered_so_that_a_folded_graph_has_no_cycle():
    neuron = nn.Neuron(1, seed=0)
    second = neuron([neuron([1.0])])
    assert [node.scope for node in topological(second) if node._op == "dot"] == ["neuron", "neuron#2"]
    assert neuron([1.0]).scope == "neuron#3"
    neuron.zero_grad()
    assert neuron([1.0]).scope == "neuron"


def test_a_module_without_forward():
    with pytest.raises(TypeError, match=r"Empty has no forward method: define forward"):
        type("Empty", (nn.Module,), {})()(1.0)


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda model: pickle.loads(pickle.dumps(model))])
def test_copies_compute_the_same_with_their_own_parameters(copied):
    model = nn.MLP(2, [3, 1], seed=0)
    model([1.0, 1.0])
    twin = copied(model)
    assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data
    twin.layers[0].neurons[0].w[0].data += 1.0
    assert twin.parameters()[0].data != model.parameters()[0].data


def test_repr():
    assert repr(Pair()) == "Pair(5 parameters)"


def test_frozen_parameters_stay():
    model = nn.Sequential(nn.Linear(2, 3, seed=0), "tanh", nn.Linear(3, 1, seed=1))
    model.layers[0].freeze()
    before = [p.data for p in model.named_parameters().values()]
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    assert len(optimizer.parameters) == 4
    model([1.0, 2.0])[0].backward()
    optimizer.step()
    after = [p.data for p in model.named_parameters().values()]
    assert after[:9] == before[:9]
    assert all(x != y for x, y in zip(after[9:], before[9:]))
    assert len(model.freeze(False).parameters()) == 13


def test_summary_counts_shared_parameters_once():
    first = nn.Linear(2, 2, seed=0)
    model = nn.Sequential(first, first, nn.Dropout(0.5), nn.LayerNorm(2))
    model.layers[3].freeze()
    assert model.summary().splitlines()[1:] == [
        "layers.0  Linear                       6",
        "layers.3  LayerNorm (frozen)           4",
        "total                                 10",
    ]


def test_many_equal_modules_are_one_row_of_the_summary():
    assert nn.MLP(2, [16, 3, 1], seed=0).summary().splitlines() == [
        "module                    kind       parameters",
        "layers.0.neurons.0 to 15  16 Neuron          48",
        "layers.1.neurons.0        Neuron             17",
        "layers.1.neurons.1        Neuron             17",
        "layers.1.neurons.2        Neuron             17",
        "layers.2.neurons.0        Neuron              4",
        "total                                       103",
    ]
    parts = [nn.Linear(2, 2, seed=i) for i in range(5)]
    assert "layers.0 to 4  5 Linear" in nn.Sequential(*parts).summary()
    parts[2].freeze()
    assert len(nn.Sequential(*parts).summary().splitlines()) == 7  # one that differs keeps them apart


def test_forward_hooks_are_told_of_every_call():
    model = nn.MLP(2, [3, 1], seed=0)
    told = []
    layer = model.layers[0]
    remove = layer.register_forward_hook(lambda module, arguments, out: told.append((module, arguments, out, scope.path())))
    other = layer.register_forward_hook(lambda *_: told.append("second"))
    model([1.0, 2.0])
    (module, arguments, out, path), second = told
    assert (module, arguments, second) == (layer, ([1.0, 2.0],), "second")
    assert [y.data for y in out] == [neuron([1.0, 2.0]).data for neuron in model.layers[0].neurons]
    assert path == ("mlp", "layer0")
    assert not copy.deepcopy(model).layers[0]._hooks
    assert len(pickle.loads(pickle.dumps(nn.MLP(2, [3, 1]))).parameters()) == 13
    remove()
    model([1.0, 2.0])
    assert told[2:] == ["second"]
    other()
    model([1.0, 2.0])
    assert len(told) == 3


def test_parameters_of_equal_numbers_stay_apart(tmp_path):
    model = nn.MLP(2, [3, 1], init=lambda *_: 0.5, seed=0)
    assert len(model.parameters()) == len(model.named_parameters()) == 13
    model.layers[0].freeze()
    assert len(model.parameters()) == 4
    model.layers[0].freeze(False)
    nn.save(tmp_path / "model.json", model)
    model.layers[0].neurons[1].w[1].data = 7.0
    nn.load(tmp_path / "model.json", model)
    assert [p.data for p in model.parameters()] == [0.5, 0.5, 0.0] * 3 + [0.5, 0.5, 0.5, 0.0]
    unused = set(model.layers[0].neurons[2].parameters())
    total = autograd.lint(model.named_parameters())(autograd.sum([p for p in model.parameters() if p not in unused]).backward)
    with pytest.warns(autograd.GradientWarning, match=r"3 of 13 parameters get no gradient, .* layers\.0\.neurons\.2\.w"):
        total()
    optimiser = nn.Adam(model.parameters(), lr=0.1)
    optimiser.step()
    assert len(model.parameters()) == 13
