"""The room of schedules: learning rates as functions of the number of steps taken, for `lr=` of the optimisers.

>>> from nn import SGD, Neuron
>>> optimizer = SGD(Neuron(2).parameters(), lr=warmup(10, cosine(0.1, steps=100)))
"""

from __future__ import annotations

import math
from collections.abc import Callable

__all__ = ["constant", "cosine", "linear", "step", "warmup"]

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """Always `lr`."""
    return lambda _: lr


def step(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """`lr`, multiplied by `factor` after every `every` steps.

    >>> rate = step(1.0, every=10, factor=0.5)
    >>> rate(9), rate(10), rate(25)
    (1.0, 0.5, 0.25)
    """
    check_steps("step", "every", every)
    return lambda steps: lr * factor ** (steps // every)


def linear(lr: float, steps: int, end: float = 0.0) -> Schedule:
    """From `lr` to `end` in a straight line over `steps` steps, and `end` from then on.

    >>> rate = linear(1.0, steps=100, end=0.1)
    >>> rate(0), rate(50), rate(200)
    (1.0, 0.55, 0.1)
    """
    check_steps("linear", "steps", steps)
    return lambda taken: end + (lr - end) * (1.0 - min(taken, steps) / steps)


def cosine(lr: float, steps: int, end: float = 0.0) -> Schedule:
    """From `lr` to `end` along half a cosine over `steps` steps: Loshchilov and Hutter, "SGDR", 2017.

    >>> rate = cosine(1.0, steps=100)
    >>> rate(0), round(rate(50), 12), rate(200)
    (1.0, 0.5, 0.0)
    """
    check_steps("cosine", "steps", steps)
    return lambda taken: end + (lr - end) * 0.5 * (1.0 + math.cos(math.pi * min(taken, steps) / steps))


def warmup(steps: int, then: Schedule | float) -> Schedule:
    """A straight line up to the first rate of `then` over `steps` steps, and then `then`, counted from its own beginning.

    >>> rate = warmup(4, 0.8)
    >>> rate(0), rate(3), rate(4)
    (0.2, 0.8, 0.8)
    """
    check_steps("warmup", "steps", steps)
    after = then if callable(then) else constant(then)
    return lambda taken: after(0) * (taken + 1) / steps if taken < steps else after(taken - steps)


def check_steps(schedule: str, name: str, steps: int) -> None:
    if steps < 1:
        raise ValueError(f"schedules.{schedule} needs {name} of at least 1, not {steps!r}")
