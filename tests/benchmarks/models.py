"""The language models that benchmarks measure: a GPT block and an LSTM over characters."""

from __future__ import annotations

import random
from typing import Any

import autograd
import nn


class Norm(nn.Module):
    """Root mean square normalisation without weights."""

    def forward(self, x: Any) -> Any:
        """As many numbers as came in."""
        scale = (autograd.dot(x, x) / len(x) + 1e-5) ** -0.5
        return [xi * scale for xi in x]


class GPT(nn.Module):
    """A language model of one block: 16 wide, 4 heads, up to 16 tokens of 27, 4,192 parameters."""

    def __init__(self, width: int = 16, heads: int = 4, block: int = 16, tokens: int = 27, seed: int = 0) -> None:
        rng = random.Random(seed)
        self.token, self.place = nn.Embedding(tokens, width, rng=rng), nn.Embedding(block, width, rng=rng)
        self.norm = Norm()
        self.attention = nn.CausalSelfAttention(width, heads, bias=False, rng=rng)
        self.up = nn.Linear(width, 4 * width, bias=False, rng=rng)
        self.down = nn.Linear(4 * width, width, bias=False, rng=rng)
        self.out = nn.Linear(width, tokens, bias=False, rng=rng)

    def forward(self, document: Any) -> list[Any]:
        """The scores of the next token, for every token."""
        xs = [self.norm(added(self.token(t), self.place(k))) for k, t in enumerate(document)]
        xs = [added(x, y) for x, y in zip(xs, self.attention([self.norm(x) for x in xs]))]
        xs = [added(x, self.down([h.relu() for h in self.up(self.norm(x))])) for x in xs]
        return [self.out(x) for x in xs]


def added(x: Any, y: Any) -> list[Any]:
    return [a + b for a, b in zip(x, y)]


def next_tokens(model: nn.Module, document: Any, following: Any) -> Any:
    """The cross-entropy of the tokens that follow."""
    return nn.cross_entropy(model(document), following)


def documents(count: int) -> list[list[int]]:
    """First names as numbers of letters, between marks of their beginning and end."""
    import names

    found = []
    for kind in ("first:female", "first:male"):
        with open(names.FILES[kind]) as lines:
            found += [line.split()[0].lower() for line in lines]
    random.Random(0).shuffle(found)
    return [[26, *[ord(letter) - ord("a") for letter in name], 26] for name in found[:count]]


class Characters(nn.Module):
    """Scores of the next character by an LSTM."""

    def __init__(self, tokens: int = 27, width: int = 16, nhidden: int = 32, seed: int = 0) -> None:
        rng = random.Random(seed)
        self.token, self.lstm = nn.Embedding(tokens, width, rng=rng), nn.LSTM(width, nhidden, rng=rng)
        self.out = nn.Linear(nhidden, tokens, rng=rng)

    def forward(self, document: Any) -> list[Any]:
        """The scores, for every character."""
        outputs, _ = self.lstm([self.token(t) for t in document])
        return [self.out(h) for h in outputs]
