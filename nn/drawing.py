"""The room of drawings: a network as the textbook draws it, as a picture and beside its graph in a page."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from autograd import Graph, Value, explore, no_grad
from nn.columns import Block, Column, Run, columns_of, run
from nn.linear import flatten
from nn.module import Module
from nn.picture import Picture

__all__ = ["Drawing", "draw_network", "explore_network"]


class Drawing:
    """A picture in SVG, light or dark as its surroundings: `str()`, `save(path)`, and shown by notebooks."""

    def __init__(self, text: str) -> None:
        self.text = text

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Drawing({len(self.text.encode()) / 1000:.0f} kB of SVG)"

    def _repr_svg_(self) -> str:
        return self.text

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the picture to a file, whole or not at all. Raises OSError if it cannot be written."""
        path = Path(path)
        beside = path.with_name(path.name + ".part")
        beside.write_text(self.text, encoding="utf-8")
        os.replace(beside, path)


def draw_network(
    model: Module, x: Sequence[Any] | None = None, *, show: str = "weights", inputs: Sequence[str] = (),
    outputs: Sequence[str] = (), max_neurons: int = 16, title: str = "",
) -> Drawing:  # fmt: skip
    """A network as the textbook draws it: neurons in columns, weights as lines between them.

    A line has the colour of the sign of its weight (orange positive, blue negative), and is the wider the larger the weight is;
    so has the ring around a neuron for its bias. With a sample `x`, every neuron holds what it gives for that, in evaluation
    mode. With `show="gradients"` lines, and the numbers in the neurons, are the gradients that `backward()` left in weights and
    biases (the gradient of a bias is that of the sum which the neuron makes).

    A Neuron, Layer, Linear, MLP and a Sequential can be drawn; what is no neuron in a Sequential is a box. Columns of more than
    `max_neurons` are shown in part. `inputs` and `outputs` are names. Raises TypeError for other models; ValueError if there are
    no gradients to show.

    >>> from nn import MLP
    >>> drawing = draw_network(MLP(2, [3, 1], seed=0), [1.0, -0.5], inputs=["width", "height"])
    >>> str(drawing).count("<circle"), str(drawing).count("<line")
    (6, 9)
    """
    parts = columns_of(model)
    require_room(max_neurons)
    if show not in ("weights", "gradients"):
        raise ValueError(f"draw_network shows 'weights' or 'gradients', not {show!r}")
    if show == "gradients" and not any(p.grad for p in model.named_parameters().values()):
        raise ValueError("there are no gradients to show: call backward() on a loss of this model first")
    runs: Sequence[Run | None] = [None] * len(parts)
    if x is not None:
        with no_grad():
            _, runs = run(model, parts, x)
    return Drawing(Picture(parts, max_neurons, show == "gradients", False, title).drawn(x, runs, inputs, outputs))


def explore_network(
    model: Module, x: Sequence[Any], loss: Any = None, path: str | os.PathLike[str] | None = None, *,
    inputs: Sequence[str] = (), outputs: Sequence[str] = (), max_neurons: int = 16, title: str = "",
) -> Any:  # fmt: skip
    """The page of `autograd.explore` for one sample, with the network drawn beside the graph: a neuron opens its own graph.

    `loss` is a function of what the model gives for `x`, such as `lambda score: nn.hinge_loss([score], [1])`; it is not needed
    if that is one number. The model runs in evaluation mode, and the rows of a Linear are neurons with scopes of their own. The
    page is saved at `path`, and in a notebook it shows itself. The gradients of the parameters stay as they were. Raises what
    `draw_network` and `autograd.explore` raise, and ValueError if there is more than one number and no loss.

    >>> from nn import MLP
    >>> page = explore_network(MLP(2, [3, 1], seed=0), [1.0, -0.5])
    >>> str(page).count('data-scope="mlp/layer0/')
    3
    """
    parts = columns_of(model)
    require_room(max_neurons)
    names = model.named_parameters()
    labels = [inputs[i] if i < len(inputs) else f"x{i + 1}" for i in range(len(flatten(x)))]
    given = [number if isinstance(number, Value) else Value(number, label=label) for number, label in zip(flatten(x), labels)]
    held = [(value, value.grad) for value in (*names.values(), *given)]
    result, runs = run(model, parts, reshaped(x, iter(given)))
    root = result if loss is None else loss(result)
    if isinstance(root, list) and len(root) == 1:
        root = root[0]
    if not isinstance(root, Value):
        raise ValueError(
            f"explore_network needs one number to explore, and the model gives {root!r}: give loss=, a function of what it gives"
        )
    root.label = root.label or ("y" if loss is None else "loss")
    try:
        for value, _ in held:
            value.grad = 0.0
        root.backward()
        graph = Graph(root, names)
    finally:
        for value, gradient in held:
            value.grad = gradient
    picture = Picture(parts, max_neurons, False, True, "").drawn(given, runs, inputs, outputs)
    return explore(graph, path, title=title or f"{called(model, parts)}, neuron by neuron", overview=picture)


def called(model: Module, parts: Sequence[Column | Block]) -> str:
    """What a page calls a model: MLP(2, 16, 16, 1), by its columns, if it is made of columns alone."""
    columns = [part for part in parts if isinstance(part, Column)]
    sizes = [columns[0].inputs, *(len(column.weights) for column in columns)]
    return f"{type(model).__name__}({', '.join(map(str, sizes))})" if len(columns) == len(parts) else type(model).__name__


def require_room(max_neurons: int) -> None:
    """Raise ValueError for columns too short to show anything."""
    if max_neurons < 4:
        raise ValueError(f"a column shows at least max_neurons=4 of its neurons, not {max_neurons!r}")


def reshaped(x: Any, numbers: Iterator[Value]) -> Any:
    """Numbers in lists nested as those of x."""
    return [reshaped(part, numbers) for part in x] if hasattr(x, "__len__") else next(numbers)
