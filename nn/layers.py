"""The room of layers: neurons, layers of neurons, and layers of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Value, dot
from nn.init import Initialiser, generator, named
from nn.module import Module, check_inputs, check_size

__all__ = ["MLP", "Layer", "Neuron"]

Activation = str | Callable[[Any], Any]
LINEAR = "linear"


class Neuron(Module):
    """An activation of a weighted sum: act(w1 x1 + ... + wn xn + b).

    `nonlin` chooses between ReLU and a plain sum, as in micrograd; `activation` is the name of a function of autograd, or any
    function of a Value. Weights are drawn from `init` by `rng` or `seed`, by default uniformly in (-1, 1) by the module
    `random`. Raises ValueError if the number of inputs is not the number of weights.

    >>> neuron = Neuron(2, activation="tanh", seed=1)
    >>> round(neuron([1.0, -1.0]).data, 6)
    -0.890873
    """

    def __init__(
        self, nin: int, nonlin: bool = True, *, activation: Activation | None = None,
        init: str | Initialiser = "uniform", rng: Any = None, seed: int | None = None, nout: int = 1,
    ) -> None:  # fmt: skip
        draw, rng = named(init), generator(rng, seed)
        self.w = [Value(draw(nin, nout, rng)) for _ in range(check_size(nin, "the number of inputs of a neuron"))]
        self.b = Value(0.0)
        self.activation = activation or ("relu" if nonlin else LINEAR)
        self.act = activation_function(self.activation)

    @property
    def nonlin(self) -> bool:
        """Whether there is an activation, as micrograd calls it; setting it chooses between ReLU and a plain sum."""
        return self.activation != LINEAR

    @nonlin.setter
    def nonlin(self, nonlin: bool) -> None:
        if nonlin != self.nonlin:
            self.activation = "relu" if nonlin else LINEAR
            self.act = activation_function(self.activation)

    def forward(self, x: Sequence[Any]) -> Value:
        """The activation of the weighted sum of as many inputs as there are weights."""
        if not hasattr(x, "__len__") or len(x) != len(self.w):
            check_inputs(x, len(self.w), f"a neuron of {len(self.w)} weights")
        total: Value = dot(self.w, x) + self.b
        return total if self.act is None else self.act(total)

    def __repr__(self) -> str:
        kind = self.activation if isinstance(self.activation, str) else getattr(self.activation, "__name__", "custom")
        return f"{ {'relu': 'ReLU', LINEAR: 'Linear'}.get(kind, kind.capitalize()) }Neuron({len(self.w)})"


def activation_function(activation: Activation) -> Callable[[Any], Any] | None:
    """The function of this name; None for the identity."""
    if callable(activation):
        return activation
    if activation == LINEAR:
        return None
    method: Callable[[Any], Any] | None = getattr(Value, activation, None)
    if method is None or activation not in autograd.__all__:
        raise ValueError(f"no activation is named {activation!r}; give a function of autograd by name, 'linear', or a function")
    return method


class Layer(Module):
    """`nout` neurons that see the same inputs. A layer of one neuron returns a Value, others a list."""

    def __init__(self, nin: int, nout: int, **options: Any) -> None:
        rng = generator(options.pop("rng", None), options.pop("seed", None))
        self.neurons = [Neuron(nin, rng=rng, nout=nout, **options) for _ in range(check_size(nout, "the number of neurons"))]
        for i, neuron in enumerate(self.neurons):
            neuron.name = f"neuron{i}"

    def forward(self, x: Sequence[Any]) -> Any:
        """What every neuron makes of the inputs."""
        out = [neuron(x) for neuron in self.neurons]
        return out[0] if len(out) == 1 else out

    def __repr__(self) -> str:
        return f"Layer of [{', '.join(map(str, self.neurons))}]"


class MLP(Module):
    """A multilayer perceptron: layers one after the other, the last of them linear.

    `nouts` holds the number of neurons of each layer; `activation` (ReLU by default), `init`, `rng` and `seed` are as for a
    Neuron.

    >>> model = MLP(2, [3, 1], seed=1)
    >>> model
    MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], Layer of [LinearNeuron(3)]]
    >>> len(model.parameters())
    13
    """

    def __init__(self, nin: int, nouts: Sequence[int], *, activation: Activation | None = None, **options: Any) -> None:
        rng = generator(options.pop("rng", None), options.pop("seed", None))
        if not isinstance(nouts, Sequence) or isinstance(nouts, str) or not nouts:
            raise TypeError(f"MLP needs the numbers of neurons of its layers, such as MLP({nin!r}, [16, 1]), not {nouts!r}")
        sizes = [nin, *nouts]
        self.layers = []
        for i, (inputs, outputs) in enumerate(zip(sizes, nouts)):
            last = i == len(nouts) - 1
            layer = Layer(inputs, outputs, nonlin=not last, activation=None if last else activation, rng=rng, **options)
            layer.name = f"layer{i}"
            self.layers.append(layer)

    def forward(self, x: Sequence[Any]) -> Any:
        """The outputs of the last layer."""
        for layer in self.layers:
            x = layer([x] if isinstance(x, Value) else x)
        return x

    def __repr__(self) -> str:
        return f"MLP of [{', '.join(map(str, self.layers))}]"
