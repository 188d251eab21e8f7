"""The room of first weights: where they are drawn from, with an explicit generator.

An initialiser is a function `(fan_in, fan_out, generator) -> number` that draws one weight. The generator is a `random.Random`,
the module `random` itself, or a NumPy Generator.

Sources: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010 (Xavier); He et al.,
"Delving deep into rectifiers", 2015 (He).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

__all__ = ["INITIALISERS", "generator", "he_normal", "he_uniform", "uniform", "xavier_normal", "xavier_uniform", "zeros"]

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


def normal(rng: Any, deviation: float) -> float:
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
    return normal(rng, math.sqrt(2.0 / (fan_in + fan_out)))


def he_uniform(fan_in: int, fan_out: int, rng: Any) -> float:  # noqa: ARG001
    """Uniform with variance 2 / fan_in: keeps the spread of ReLU layers, half of whose units are silent."""
    bound = math.sqrt(6.0 / fan_in)
    return float(rng.uniform(-bound, bound))


def he_normal(fan_in: int, fan_out: int, rng: Any) -> float:  # noqa: ARG001
    """Normal with variance 2 / fan_in."""
    return normal(rng, math.sqrt(2.0 / fan_in))


INITIALISERS: dict[str, Initialiser] = {
    rule.__name__: rule for rule in (uniform, zeros, xavier_uniform, xavier_normal, he_uniform, he_normal)
}


def named(init: str | Initialiser) -> Initialiser:
    """An initialiser by its name."""
    if callable(init):
        return init
    if init not in INITIALISERS:
        raise ValueError(f"no initialiser is named {init!r}; there are {', '.join(INITIALISERS)}, or give a function")
    return INITIALISERS[init]
