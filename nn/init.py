"""The room of first weights: where they are drawn from, with an explicit generator.

An initialiser is a function `(fan_in, fan_out, generator) -> number` that draws one weight. The generator is a `random.Random`,
the module `random` itself, or a NumPy Generator.

Sources: LeCun et al., "Efficient backprop", 1998; Glorot and Bengio, "Understanding the difficulty of training deep
feedforward neural networks", 2010 (Xavier); He et al., "Delving deep into rectifiers", 2015 (He); Saxe et al., "Exact
solutions to the nonlinear dynamics of learning in deep linear neural networks", 2014 (orthogonal).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

from autograd import Value

__all__ = [
    "GAINS", "INITIALISERS", "constant", "gain", "generator", "he_normal", "he_uniform", "lecun_normal", "lecun_uniform",
    "matrix", "normal", "orthogonal", "scaled", "uniform", "xavier_normal", "xavier_uniform", "zeros",
]  # fmt: skip

Initialiser = Callable[[int, int, Any], float]


def generator(rng: Any = None, seed: int | None = None) -> Any:
    """The generator to draw from: `rng` itself, a new one from `seed`, or the module `random`, which `random.seed` controls.

    >>> generator(seed=1).random() == random.Random(1).random()
    True
    """
    if rng is not None and seed is not None:
        raise ValueError(f"give rng or seed, not both: seed={seed!r} would not be used")
    if rng is not None and not hasattr(rng, "uniform"):
        raise TypeError(f"rng needs a generator such as random.Random(0), not {rng!r}; for a number write seed={rng!r}")
    return rng if rng is not None else random if seed is None else random.Random(seed)


def gauss(rng: Any, deviation: float) -> float:
    """One draw from the normal distribution around 0."""
    return float(rng.gauss(0.0, deviation) if hasattr(rng, "gauss") else rng.normal(0.0, deviation))


def uniform(fan_in: int, fan_out: int, rng: Any) -> float:  # noqa: ARG001
    """Between -1 and 1, as micrograd does."""
    return float(rng.uniform(-1, 1))


def zeros(fan_in: int, fan_out: int, rng: Any) -> float:  # noqa: ARG001
    """0: every neuron of a layer then learns the same."""
    return 0.0


def xavier_uniform(fan_in: int, fan_out: int, rng: Any) -> float:
    """Uniform with variance 2 / (fan_in + fan_out): keeps the spread of tanh layers, forward and backward."""
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    return float(rng.uniform(-bound, bound))


def xavier_normal(fan_in: int, fan_out: int, rng: Any) -> float:
    """Normal with variance 2 / (fan_in + fan_out)."""
    return gauss(rng, math.sqrt(2.0 / (fan_in + fan_out)))


def he_uniform(fan_in: int, fan_out: int, rng: Any) -> float:  # noqa: ARG001
    """Uniform with variance 2 / fan_in: keeps the spread of ReLU layers, half of whose units are silent."""
    bound = math.sqrt(6.0 / fan_in)
    return float(rng.uniform(-bound, bound))


def he_normal(fan_in: int, fan_out: int, rng: Any) -> float:  # noqa: ARG001
    """Normal with variance 2 / fan_in."""
    return gauss(rng, math.sqrt(2.0 / fan_in))


def lecun_uniform(fan_in: int, fan_out: int, rng: Any) -> float:  # noqa: ARG001
    """Uniform with variance 1 / fan_in: keeps the spread of plain sums."""
    bound = math.sqrt(3.0 / fan_in)
    return float(rng.uniform(-bound, bound))


def lecun_normal(fan_in: int, fan_out: int, rng: Any) -> float:  # noqa: ARG001
    """Normal with variance 1 / fan_in."""
    return gauss(rng, math.sqrt(1.0 / fan_in))


INITIALISERS: dict[str, Initialiser] = {
    rule.__name__: rule
    for rule in (uniform, zeros, xavier_uniform, xavier_normal, he_uniform, he_normal, lecun_uniform, lecun_normal)
}


def constant(number: float) -> Initialiser:
    """The initialiser that always gives `number`."""
    return lambda fan_in, fan_out, rng: number  # noqa: ARG005


def normal(deviation: float = 1.0) -> Initialiser:
    """An initialiser that draws from the normal distribution around 0."""
    return lambda fan_in, fan_out, rng: gauss(rng, deviation)  # noqa: ARG005


INITIALISERS["normal"] = normal()

# How much an activation shrinks the spread of what goes through it, as a factor to make up for it.
GAINS = {"linear": 1.0, "sigmoid": 1.0, "tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "leaky_relu": math.sqrt(2.0 / (1.0 + 0.01**2))}


def gain(activation: str) -> float:
    """The gain of an activation, for `scaled`.

    >>> gain("relu")
    1.4142135623730951
    """
    if activation not in GAINS:
        raise ValueError(f"no gain is known for activation {activation!r}; there are {', '.join(GAINS)}")
    return GAINS[activation]


def scaled(factor: float, init: str | Initialiser) -> Initialiser:
    """Another initialiser, times a factor: the gain of tanh, for example."""
    draw = named(init)
    return lambda fan_in, fan_out, rng: factor * draw(fan_in, fan_out, rng)


def named(init: str | Initialiser) -> Initialiser:
    """An initialiser by its name."""
    if callable(init):
        return init
    if init not in INITIALISERS:
        raise ValueError(f"no initialiser is named {init!r}; there are {', '.join(INITIALISERS)}, or give a function")
    return INITIALISERS[init]


def matrix(
    rows: int, columns: int, init: str | Initialiser = "xavier_uniform", rng: Any = random, fans: tuple[int, int] | None = None
) -> list[list[Value]]:
    """A matrix of parameters, drawn row by row. `fans` are fan_in and fan_out, by default the columns and the rows."""
    draw, (fan_in, fan_out) = named(init), fans or (columns, rows)
    return [[Value(draw(fan_in, fan_out, rng)) for _ in range(columns)] for _ in range(rows)]


def orthogonal(weight: list[list[Value]], rng: Any = random, factor: float = 1.0) -> None:
    """Give a matrix of parameters orthonormal rows (or columns, if there are more rows), times a factor.

    >>> weight = matrix(2, 2)
    >>> orthogonal(weight, random.Random(0))
    >>> (a, b), (c, d) = weight
    >>> round(float(a * a + b * b), 12), round(abs(float(a * c + b * d)), 12)
    (1.0, 0.0)
    """
    count, length = sorted((len(weight), len(weight[0])))
    basis: list[list[float]] = []
    while len(basis) < count:  # Gram and Schmidt, twice for the last digits
        vector = [gauss(rng, 1.0) for _ in range(length)]
        for other in basis + basis:
            overlap = sum(x * y for x, y in zip(vector, other))
            vector = [x - overlap * y for x, y in zip(vector, other)]
        size = math.hypot(*vector)
        basis.append([x / size for x in vector])
    wide = len(weight) <= len(weight[0])
    for i, row in enumerate(weight):
        for j, p in enumerate(row):
            p.data = factor * (basis[i][j] if wide else basis[j][i])
