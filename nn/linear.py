"""The room of building blocks: linear maps, embeddings and dropout, and modules one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

import autograd
from autograd import Value, dot
from nn.init import Initialiser, generator, matrix
from nn.layers import activation_function
from nn.module import Module, check_inputs, check_size

__all__ = ["Dropout", "Embedding", "Linear", "Sequential", "each", "flatten"]


class Linear(Module):
    """A matrix times the inputs, plus a bias: weight[o] . x + bias[o] for every output o. Always gives a list.

    >>> layer = Linear(2, 3, init="zeros")
    >>> layer.bias[1].data = 5.0
    >>> [float(y) for y in layer([1.0, 2.0])]
    [0.0, 5.0, 0.0]
    """

    def __init__(
        self, nin: int, nout: int, bias: bool = True, *, init: str | Initialiser = "xavier_uniform",
        rng: Any = None, seed: int | None = None,
    ) -> None:  # fmt: skip
        check_size(nin, "the number of inputs of Linear")
        check_size(nout, "the number of outputs of Linear")
        self.weight = matrix(nout, nin, init, generator(rng, seed))
        self.bias = [Value(0.0) for _ in range(nout)] if bias else None
        self.nin = nin

    def forward(self, x: Sequence[Any]) -> list[Value]:
        """As many outputs as the weight has rows."""
        check_inputs(x, self.nin, f"Linear of {self.nin} inputs")
        totals = [dot(row, x) for row in self.weight]
        return totals if self.bias is None else [total + b for total, b in zip(totals, self.bias)]

    def __repr__(self) -> str:
        return f"Linear({self.nin}, {len(self.weight)})"


class Embedding(Module):
    """A row of parameters for each of `count` integers.

    >>> Embedding(10, 3, init="zeros")(7)
    [Value(data=0.0, grad=0.0), Value(data=0.0, grad=0.0), Value(data=0.0, grad=0.0)]
    """

    def __init__(
        self, count: int, width: int, *, init: str | Initialiser = "normal", rng: Any = None, seed: int | None = None
    ) -> None:
        check_size(count, "the number of rows of Embedding")
        check_size(width, "the width of Embedding")
        self.weight = matrix(count, width, init, generator(rng, seed))

    def forward(self, index: Any) -> list[Value]:
        """The row of one integer, from 0 to count - 1."""
        row: list[Value] = autograd.take(self.weight, index)
        return row

    def __repr__(self) -> str:
        return f"Embedding({len(self.weight)}, {len(self.weight[0])})"


class Dropout(Module):
    """In training, each number is 0 with probability `rate`, and the others are divided by 1 - rate; in evaluation, nothing.

    The generator is drawn from in order, so the same seed drops the same numbers. Srivastava et al., 2014.

    >>> drop = Dropout(0.5, seed=1)
    >>> drop([1.0, 1.0, 1.0, 1.0]), drop.eval()([1.0, 1.0])
    ([0.0, 2.0, 2.0, 0.0], [1.0, 1.0])
    """

    def __init__(self, rate: float = 0.5, *, rng: Any = None, seed: int | None = None) -> None:
        if not 0.0 <= rate < 1.0:
            raise ValueError(f"Dropout needs a rate from 0 to below 1, not {rate!r}")
        self.rate, self.rng = rate, generator(rng, seed)

    def forward(self, x: Any) -> Any:
        """The numbers, in whatever lists they come, some of them dropped."""
        return each(self.drop, x) if self.training and self.rate else x

    def drop(self, x: Any) -> Any:
        """One number, dropped or scaled up."""
        given = GIVEN.get().get(id(self))
        return x * (self.factor() if given is None else next(given))

    def factor(self) -> float:
        """Draw 0, or what keeps the mean as it is."""
        return 0.0 if self.rng.random() < self.rate else 1.0 / (1.0 - self.rate)

    def __repr__(self) -> str:
        return f"Dropout({self.rate})"


# Factors that modules use instead of drawing, while a training step is compiled: in this thread alone.
GIVEN: ContextVar[Mapping[int, Iterator[Any]]] = ContextVar("GIVEN", default=MappingProxyType({}))


@contextmanager
def given_to(factors: Mapping[Dropout, Iterator[Any]]) -> Iterator[None]:
    """Make each Dropout use these factors, one after the other, instead of drawing."""
    token = GIVEN.set({id(dropout): given for dropout, given in factors.items()})
    try:
        yield
    finally:
        GIVEN.reset(token)


class Sequential(Module):
    """Modules and functions one after the other. The name of an activation applies it to every number.

    >>> model = Sequential(Linear(2, 3, seed=0), "tanh", Linear(3, 1, seed=1))
    >>> model
    Sequential(Linear(2, 3), tanh, Linear(3, 1))
    >>> len(model([1.0, 2.0]))
    1
    """

    def __init__(self, *layers: Callable[[Any], Any] | str) -> None:
        self.layers = list(layers)
        self.functions = [activation_function(layer) if isinstance(layer, str) else None for layer in layers]
        for i, layer in enumerate(layers):
            if isinstance(layer, Module):
                layer.name = layer.name or f"{type(layer).__name__.lower()}{i}"
            elif not isinstance(layer, str) and not callable(layer):
                raise TypeError(f"Sequential needs modules, functions and names of activations, not {layer!r}")

    def forward(self, x: Any) -> Any:
        """What the last one makes of what the others made."""
        for layer, function in zip(self.layers, self.functions):
            if function is not None:
                x = each(function, x)
            elif not isinstance(layer, str):
                x = layer(x)
        return x

    def __repr__(self) -> str:
        names = [layer if isinstance(layer, str) else getattr(layer, "__name__", repr(layer)) for layer in self.layers]
        return f"Sequential({', '.join(names)})"


def each(function: Callable[[Any], Any], x: Any) -> Any:
    """A function of every number in nested lists.

    >>> each(abs, [[-1.0], [2.0, -3.0]])
    [[1.0], [2.0, 3.0]]
    """
    return [each(function, part) for part in x] if hasattr(x, "__len__") else function(x)


def flatten(x: Any) -> list[Any]:
    """The numbers of nested lists in one list.

    >>> flatten([[1.0], [2.0, 3.0]])
    [1.0, 2.0, 3.0]
    """
    return [number for part in x for number in flatten(part)] if hasattr(x, "__len__") else [x]
