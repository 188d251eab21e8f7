"""What a call costs where the program costs little: functions of a few numbers, and a model of 337 parameters on one point."""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd
import nn
from tests.benchmarks.measuring import Effort, Row, Step, medians, rows_of

__all__ = ["calls"]

FEW = 10  # small calls are timed so many at a time


def rosenbrock(x: Any) -> Any:
    """The banana of ten dimensions."""
    return autograd.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in zip(x, x[1:])])


def calls(effort: Effort) -> list[Row]:
    """Calls of compiled functions, by machine code, audits included."""
    x, model = np.linspace(-1.0, 1.0, 10), nn.MLP(2, [16, 16, 1], seed=1)
    gradient = autograd.compile(rosenbrock, backend="native")
    square = autograd.compile(lambda x: x * x + 1.0, backend="native")
    loss = autograd.compile(lambda model, points: autograd.mean([(model(p) - 1.0) ** 2 for p in points]), backend="native")
    optimizer = nn.SGD(model.parameters(), lr=0.01)
    points = [[0.02 * k, 0.5] for k in range(50)]

    def training_step() -> None:
        model.zero_grad()
        loss(model, points).backward()
        optimizer.step()

    rows = rows_of(
        "Rosenbrock in 10 dimensions, value and gradient",
        few({"compiled": lambda: gradient.value_and_grad(x), **rosenbrock_in_jax(x)}, effort),
    )
    for title, step in {
        "x * x + 1, a number": lambda: square(3.0),
        "a model of 337 parameters on one point, call and backward()": lambda: loss(model, points[:1]).backward(),
        "the same on 50 points": lambda: loss(model, points).backward(),
        "a whole step of that, with zero_grad and SGD.step": training_step,
    }.items():
        rows += rows_of(title, few({"compiled": step}, effort))
    return rows


def few(steps: dict[str, Step], effort: Effort) -> dict[str, float]:
    """The median time of one step of each, of which several are timed together, as the clock costs as much as they do."""

    def several(step: Step) -> Step:
        def run() -> None:
            for _ in range(FEW):
                step()

        return run

    times = medians({name: several(step) for name, step in steps.items()}, effort.seconds)
    return {name: seconds / FEW for name, seconds in times.items()}


def rosenbrock_in_jax(x: Any) -> dict[str, Step]:
    """The same in JAX, by hand on arrays."""
    try:
        import jax
    except ImportError:
        return {}
    from tests.benchmarks.peers_in_jax import compiled

    def function(x: Any) -> Any:
        return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()

    return {"JAX, jit": compiled(jax.value_and_grad(function), x)}
