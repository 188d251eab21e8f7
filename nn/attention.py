"""The room of attention: every place of a sequence looks back at the places before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd import Value, dot, softmax
from nn.init import Initialiser, generator
from nn.linear import Linear
from nn.module import Module

__all__ = ["CausalSelfAttention"]


class CausalSelfAttention(Module):
    """Multi-head self-attention in which no place sees a later one: Vaswani et al., 2017.

    In each head, place t gathers the values v of places 0 ... t with the shares softmax(q[t] . k / sqrt(size)).

    >>> attention = CausalSelfAttention(4, heads=2, seed=0)
    >>> out = attention([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    >>> len(out), len(out[0])
    (2, 4)
    """

    def __init__(
        self, width: int, heads: int = 1, bias: bool = True, *, init: str | Initialiser = "xavier_uniform",
        rng: Any = None, seed: int | None = None,
    ) -> None:  # fmt: skip
        if heads < 1 or width % heads:
            raise ValueError(f"CausalSelfAttention needs a width that its heads divide, not width {width} and {heads} heads")
        rng = generator(rng, seed)
        self.heads, self.size = heads, width // heads
        self.query, self.key, self.value, self.out = (Linear(width, width, bias, init=init, rng=rng) for _ in range(4))
        for name in ("query", "key", "value", "out"):
            getattr(self, name).name = name

    def forward(self, xs: Sequence[Sequence[Any]]) -> list[list[Value]]:
        """A list of vectors of `width` numbers, for a list of as many."""
        queries, keys, values = ([linear(x) for x in xs] for linear in (self.query, self.key, self.value))
        return [self.out(self.gathered(queries[t], keys[: t + 1], values[: t + 1])) for t in range(len(xs))]

    def gathered(self, query: list[Value], keys: list[list[Value]], values: list[list[Value]]) -> list[Value]:
        """What one place gathers from the places it sees, the heads side by side."""
        found: list[Value] = []
        for start in range(0, len(query), self.size):
            head = slice(start, start + self.size)
            shares = softmax([dot(query[head], key[head]) / self.size**0.5 for key in keys])
            found += [dot(shares, column) for column in zip(*[value[head] for value in values])]
        return found
