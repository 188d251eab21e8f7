"""Prints what sparse derivatives cost: `python -m tests.benchmarks.sparse`. Medians of interleaved runs, dense over sparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import autograd as ag
from tests.benchmarks.measuring import SMALL, Effort, Row, Step, medians, rows_of


def rosenbrock(x: Any) -> Any:
    return ag.sum([100.0 * (b - a * a) ** 2 + (1.0 - a) ** 2 for a, b in zip(x, x[1:])])


def heat(u: Any) -> Any:
    """Ten steps of the heat equation, with cold ends."""
    for _ in range(10):
        u = [b + 0.25 * (a - 2.0 * b + c) for a, b, c in zip([0.0, *u], u, [*u[1:], 0.0])]
    return u


def arrow(x: Any) -> Any:
    return ag.sum([x[0] * ag.sin(a) for a in x])


def rosenbrock_in_jax(x: Any) -> Any:
    return (100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2).sum()


def heat_in_jax(u: Any) -> Any:
    import jax.numpy as jnp

    for _ in range(10):
        padded = jnp.pad(u, 1)
        u = u + 0.25 * (padded[:-2] - 2.0 * u + padded[2:])
    return u


def jax_step(derivatives: str, function: Callable[[Any], Any], x: Any) -> Step:
    """The dense matrix by JAX, compiled."""
    import jax

    jax.config.update("jax_enable_x64", True)
    compiled = jax.jit(getattr(jax, derivatives)(function))
    return lambda: compiled(x).block_until_ready()


def rows_for(effort: Effort, n: int, order: int, title: str, function: Callable[[Any], Any], peer: Any = None) -> list[Row]:
    """The matrix of one function by the engine, sparse and dense, and by its program."""
    import numpy as np

    x = np.linspace(0.5, 1.5, n)
    derivatives: Any = ag.jacobian if order == 1 else ag.hessian
    program = derivatives(ag.compile(function, backend="native"), sparse=True)
    pattern = ag.pattern(function, order=order)(x)
    title = f"{title}, n = {n:,}: {pattern.count:,} entries, {pattern.passes} passes"
    steps: dict[str, Step] = {
        "compiled": lambda: derivatives(function, sparse=True)(x),
        "dense": lambda: derivatives(function)(x),
    }
    rows = rows_of(title, medians(steps, effort.seconds))
    steps = {"compiled": lambda: program(x), "the engine, sparse": lambda: derivatives(function, sparse=True)(x)}
    if peer is not None and find_spec("jax"):
        steps["JAX, dense, jit"] = jax_step("jacobian" if order == 1 else "hessian", peer, x)
    return rows + rows_of("the same, compiled", medians(steps, effort.seconds))


def main(arguments: list[str] | None = None) -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.sparse", description=__doc__)
    parser.add_argument("--small", action="store_true", help="a small setting, to see that it runs")
    effort = SMALL if parser.parse_args(arguments).small else Effort()
    n = 1000 if effort.part == 1 else 20
    rows = rows_for(effort, n, 2, "Hessian of Rosenbrock's function", rosenbrock, rosenbrock_in_jax)
    rows += rows_for(effort, n, 2, "Hessian that is an arrow", arrow)
    rows += rows_for(effort, n, 1, "Jacobian of the heat equation, 10 steps", heat, heat_in_jax)
    print("| | sparse | against | times |\n|---|---|---|---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")


if __name__ == "__main__":
    main()
