"""The room of recurrent networks: cells that carry a state from one step of a sequence to the next.

Cells take `(x, state)` and return the new state; `Recurrent` runs one over a sequence. Formulas and the order of the gates are
those of PyTorch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import dot, sigmoid, tanh
from nn.init import Initialiser, generator
from nn.linear import Linear
from nn.module import Module

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNCell", "Recurrent"]

Vector = list[Any]


class Cell(Module):
    """What the cells share: one linear map of the input and one of the state, with `gates` times `nhidden` outputs."""

    gates = 1

    def __init__(
        self, nin: int, nhidden: int, *, init: str | Initialiser = "xavier_uniform", rng: Any = None, seed: int | None = None
    ) -> None:
        rng = generator(rng, seed)
        self.input = Linear(nin, self.gates * nhidden, init=init, rng=rng)
        self.hidden = Linear(nhidden, self.gates * nhidden, init=init, rng=rng)
        self.nhidden = nhidden

    def sums(self, x: Sequence[Any], h: Sequence[Any]) -> list[Vector]:
        """The sums of both maps, cut into the gates."""
        return self.cut([a + b for a, b in zip(self.input(x), self.hidden(h))])

    def cut(self, numbers: Vector) -> list[Vector]:
        """A list of `gates * nhidden` numbers, cut into gates."""
        return [numbers[i : i + self.nhidden] for i in range(0, len(numbers), self.nhidden)]

    def start(self) -> Any:
        """The state before the first step: zeros."""
        return [0.0] * self.nhidden

    def output(self, state: Any) -> Vector:
        """What a state shows to the next layer."""
        numbers: Vector = state
        return numbers


class RNNCell(Cell):
    """h' = tanh(W x + U h + b): Elman, 1990.

    >>> cell = RNNCell(2, 3, seed=0)
    >>> len(cell([1.0, 2.0], cell.start()))
    3
    """

    def forward(self, x: Sequence[Any], h: Sequence[Any]) -> Vector:
        """The next state."""
        return [total.tanh() for total in self.sums(x, h)[0]]


class LSTMCell(Cell):
    """Gates i, f, g, o; c' = f c + i g and h' = o tanh(c'): Hochreiter and Schmidhuber, 1997. The state is the pair (h, c)."""

    gates = 4

    def forward(self, x: Sequence[Any], state: tuple[Vector, Vector]) -> tuple[Vector, Vector]:
        """The next state."""
        h, c = state
        gates = [[sigmoid(a), sigmoid(b), tanh(g), sigmoid(o)] for a, b, g, o in zip(*self.sums(x, h))]
        cells = [dot([f, i], [old, g]) for (i, f, g, _), old in zip(gates, c)]
        return [o * tanh(new) for (_, _, _, o), new in zip(gates, cells)], cells

    def start(self) -> tuple[Vector, Vector]:
        """The state before the first step: zeros."""
        return [0.0] * self.nhidden, [0.0] * self.nhidden

    def output(self, state: tuple[Vector, Vector]) -> Vector:
        """h, the part that is shown."""
        return state[0]


class GRUCell(Cell):
    """Gates r, z; n = tanh(W x + r (U h)), h' = (1 - z) n + z h: Cho et al., 2014."""

    gates = 3

    def forward(self, x: Sequence[Any], h: Sequence[Any]) -> Vector:
        """The next state."""
        seen, kept = self.cut(self.input(x)), self.cut(self.hidden(h))
        state = []
        for rx, zx, nx, rh, zh, nh, old in zip(*seen, *kept, h):
            reset, update = sigmoid(rx + rh), sigmoid(zx + zh)
            new = tanh(nx + reset * nh)
            state.append(new + update * (old - new))
        return state


class Recurrent(Module):
    """A cell run over a sequence; gives the outputs of all steps and the last state.

    >>> outputs, state = LSTM(2, 3, seed=0)([[1.0, 2.0], [3.0, 4.0]])
    >>> len(outputs), len(outputs[0])
    (2, 3)
    """

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def forward(self, xs: Sequence[Sequence[Any]], state: Any = None) -> tuple[list[Vector], Any]:
        """The outputs, one list per step, and the state to go on from."""
        if len(xs) == 0:
            raise ValueError(f"{type(self).__name__} needs a sequence of at least one step")
        state = self.cell.start() if state is None else state
        outputs = []
        for x in xs:
            state = self.cell(x, state)
            outputs.append(self.cell.output(state))
        return outputs, state


class RNN(Recurrent):
    """An RNNCell over a sequence."""

    def __init__(self, nin: int, nhidden: int, **options: Any) -> None:
        super().__init__(RNNCell(nin, nhidden, **options))


class LSTM(Recurrent):
    """An LSTMCell over a sequence."""

    def __init__(self, nin: int, nhidden: int, **options: Any) -> None:
        super().__init__(LSTMCell(nin, nhidden, **options))


class GRU(Recurrent):
    """A GRUCell over a sequence."""

    def __init__(self, nin: int, nhidden: int, **options: Any) -> None:
        super().__init__(GRUCell(nin, nhidden, **options))
