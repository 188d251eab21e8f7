"""The room of columns: a model as a textbook draws it, columns of neurons with weights between, and boxes for everything else."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import autograd
from autograd import Value, scope
from nn.layers import LINEAR, MLP, Layer, Neuron
from nn.linear import Dropout, Linear, Sequential, flatten
from nn.module import Module, evaluating

__all__ = ["LINEAR", "Block", "Column", "Run", "columns_of", "run"]


class Column(NamedTuple):
    """Neurons side by side: what each multiplies its inputs with, what it adds, and what it does to the sum."""

    name: str
    weights: Sequence[Sequence[Value]]
    biases: Sequence[Value | None]
    activation: str
    modules: Sequence[Module]  # a Neuron for each, or one Linear for all
    after: str = ""  # the activation, where it is a step of its own behind the modules

    @property
    def inputs(self) -> int:
        """How many numbers it takes."""
        return len(self.weights[0])


class Block(NamedTuple):
    """A step that is not made of neurons, or not in a column."""

    name: str


class Run(NamedTuple):
    """What one column got and gave for one sample, and where in the graph its neurons are."""

    inputs: list[Any]
    outputs: list[float]  # after the activation
    scopes: list[tuple[str, ...]]


def columns_of(model: Any) -> list[Column | Block]:
    """The columns and blocks of a Neuron, Layer, Linear, MLP, or a Sequential of these. Raises TypeError for other models."""
    if not isinstance(model, (Neuron, Layer, Linear, MLP, Sequential)):
        raise TypeError(
            f"only a Neuron, Layer, Linear, MLP and a Sequential with some of them are drawn as a network, not {model!r}; put "
            "its layers into a Sequential, or draw the graph of what it computes, with autograd.draw_dot or autograd.explore"
        )
    parts = list(parts_of(model))
    if not any(isinstance(part, Column) for part in parts):
        raise TypeError(f"{model!r} has no neurons to draw; draw the graph of what it computes, with autograd.explore")
    return parts


def parts_of(model: Any) -> list[Column | Block]:
    """The parts of a model in the order in which numbers go through them."""
    name = getattr(model, "name", "") or type(model).__name__.lower()
    if isinstance(model, Neuron):
        return [Column(name, [model.w], [model.b], name_of(model.activation), [model])]
    if isinstance(model, Layer):
        neurons = model.neurons
        activations = dict.fromkeys(name_of(neuron.activation) for neuron in neurons)
        return [Column(name, [n.w for n in neurons], [n.b for n in neurons], " or ".join(activations), neurons)]
    if isinstance(model, Linear):
        biases = [None] * len(model.weight) if model.bias is None else model.bias
        return [Column(name, model.weight, biases, LINEAR, [model])]
    if not isinstance(model, (MLP, Sequential)):
        return [Block(repr(model) if isinstance(model, Module) else name_of(model))]
    parts: list[Column | Block] = []
    for layer in model.layers:
        last = parts[-1] if parts else None
        if isinstance(layer, str) and isinstance(last, Column) and last.activation == LINEAR:
            parts[-1] = last._replace(activation=layer, after=layer)
        elif not isinstance(layer, Dropout):  # it has no neurons of its own
            parts += parts_of(layer)
    return parts


def name_of(activation: str | Callable[[Any], Any]) -> str:
    """What a function is called."""
    name = activation if isinstance(activation, str) else getattr(activation, "__name__", "")
    return "a function" if name in ("", "<lambda>") else name


def run(model: Module, parts: Sequence[Column | Block], x: Sequence[Any]) -> tuple[Any, list[Run | None]]:
    """What a model gives for one sample, and what its columns did; None for blocks. Every neuron has a scope of its own."""
    calls: dict[int, list[tuple[Any, Any, tuple[str, ...]]]] = {}

    def keep(module: Module, arguments: tuple[Any, ...], out: Any) -> None:
        calls.setdefault(id(module), []).append((arguments[0], out, scope.path()))

    modules = {id(module): module for part in parts if isinstance(part, Column) for module in part.modules}
    for module in model.modules():
        module._seen = Module._seen  # calls are numbered from 1 again
    removals = [module.register_forward_hook(keep) for module in modules.values()]
    linear = [module for module in modules.values() if type(module) is Linear]
    try:
        for module in linear:
            vars(module)["forward"] = by_rows(module)
        with evaluating(model):
            result = model(x)
    finally:
        for module in linear:
            vars(module).pop("forward", None)
        for remove in removals:
            remove()
    runs: list[Run | None] = []
    for part in parts:
        if isinstance(part, Block):
            runs.append(None)
            continue
        own = [calls[id(module)].pop(0) for module in part.modules]
        sums = [float(total) for total in flatten([out for _, out, _ in own])]
        outputs = [float(getattr(autograd, part.after)(total)) for total in sums] if part.after else sums
        paths = [path for _, _, path in own]
        if part.modules[0] in linear:
            paths = [(*paths[0], f"neuron{i}") for i in range(len(sums))]
        runs.append(Run(flatten([own[0][0]]), outputs, paths if len(paths) == len(sums) else paths * len(sums)))
    return result, runs


def by_rows(linear: Linear) -> Callable[[Sequence[Any]], list[Value]]:
    """What a Linear computes, every row in a scope of its own, as if it were a Layer of neurons."""
    rows = []
    for i, weights in enumerate(linear.weight):
        row = copy.copy(linear)
        row.weight, row.bias = [weights], None if linear.bias is None else [linear.bias[i]]
        rows.append(row)

    def forward(x: Sequence[Any]) -> list[Value]:
        out: list[Value] = []
        for i, row in enumerate(rows):
            with scope(f"neuron{i}"):
                out += Linear.forward(row, x)
        return out

    return forward
