"""The room of generators: what a generator of random numbers will draw next, as numbers that a file can keep."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Sequence
from typing import Any

from nn.module import Module

__all__ = ["generators", "restore", "state_of"]


def generators(model: Module) -> list[Any]:
    """The generators that the modules of a model draw from while it is used, those of Dropout."""
    return [module.rng for module in model.modules() if hasattr(module, "rng")]


def state_of(rng: Any) -> list[float]:
    """The state of a `random.Random`, of the module `random`, or of a NumPy Generator.

    >>> rng = random.Random(1)
    >>> state = state_of(rng)
    >>> drawn = rng.random()
    >>> restore(rng, state)
    >>> rng.random() == drawn
    True
    """
    if hasattr(rng, "getstate"):
        version, words, normal = rng.getstate()
        return [float(version), *map(float, words), math.nan if normal is None else normal]
    text = json.dumps(rng.bit_generator.state, default=lambda array: array.tolist())
    return [float(byte) for byte in text.encode()]


def restore(rng: Any, state: Sequence[float], *, try_only: bool = False) -> None:
    """Make a generator go on from a state, or only see whether it could. Raises ValueError for what is no state of its kind."""
    try:
        if hasattr(rng, "setstate"):
            version, *words, normal = state
            target = random.Random() if try_only else rng
            target.setstate((int(version), tuple(map(int, words)), None if math.isnan(normal) else normal))
        else:
            bits = type(rng.bit_generator)() if try_only else rng.bit_generator
            bits.state = json.loads(bytes(map(int, state)).decode())
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        raise ValueError(f"what was saved is no state of a generator such as {type(rng).__name__}: {error}") from None
