"""Two objectives of ADBench (Srajer, Kukelova and Fitzgibbon, 2018), on random data of its sizes, written for one example."""

from __future__ import annotations

import importlib.util
import math
from typing import Any

import autograd as ag
from tests.benchmarks.measuring import Effort, Row, Step, medians, rows_of

SIZE, COMPONENTS = 10, 25
CAMERA = 11  # numbers of a camera: rotation, centre, focal length, principal point, two of radial distortion


def log_likelihood(alphas: Any, means: Any, factors: Any, x: Any) -> Any:
    """That of a point in a mixture of Gaussians: weights, means and Cholesky factors of the inverse covariances.

    A factor is the logarithms of its diagonal, and then what is below that, column by column.
    """
    scores = []
    for alpha, mean, factor in zip(alphas, means, factors):
        d = len(x)
        apart = [a - b for a, b in zip(x, mean)]
        scaled = [ag.exp(q) * a for q, a in zip(factor, apart)]
        below = iter(factor[d:])
        for column in range(d):
            for row in range(column + 1, d):
                scaled[row] = scaled[row] + next(below) * apart[column]
        scores.append(alpha + ag.sum(factor[:d]) - 0.5 * ag.sum([s * s for s in scaled]))
    return ag.logsumexp(scores) - ag.logsumexp(alphas) - 0.5 * len(x) * math.log(2.0 * math.pi)


def log_prior(factors: Any, d: int) -> Any:
    """The Wishart prior of the inverse covariances with d + 1 degrees of freedom and a scale of 1, without its constant."""
    below = ag.sum([q * q for factor in factors for q in factor[d:]])
    return 0.5 * (ag.sum([ag.exp(2.0 * q) for factor in factors for q in factor[:d]]) + below)


def mixture(effort: Effort) -> list[Row]:
    """The negative logarithm of the posterior of a mixture, and its gradient with respect to all 1,650 parameters."""
    import numpy as np

    draw, count = np.random.default_rng(0), 1000 // effort.part
    alphas, means = draw.normal(size=COMPONENTS), draw.random((COMPONENTS, SIZE))
    parameters = alphas, means, draw.normal(size=(COMPONENTS, SIZE * (SIZE + 1) // 2))
    points = draw.random((count, SIZE))
    program = ag.compile(
        lambda alphas, means, factors, x: log_prior(factors, SIZE) / count - log_likelihood(alphas, means, factors, x),
        batch="x", reduce="sum", backend="native",
    )  # fmt: skip
    steps: dict[str, Step] = {"compiled": lambda: program.value_and_grad(*parameters, points, argnums=range(3))}
    add_jax(steps, "mixture", parameters, points)
    return rows_of(f"mixture of ADBench, d = {SIZE}, K = {COMPONENTS}, n = {count:,}", medians(steps, effort.seconds))


def cross(a: Any, b: Any) -> list[Any]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def residual(numbers: Any, seen: Any) -> list[Any]:
    """How far a point falls from where a camera has seen it, times a weight: of the camera, the point and the weight."""
    rotation, centre = numbers[:3], numbers[3:6]
    focal, across, down, first, second, *point, weight = numbers[6:]
    moved = [p - c for p, c in zip(point, centre)]
    angle = ag.sqrt(ag.dot(rotation, rotation))
    axis, cosine, sine = [r / angle for r in rotation], ag.cos(angle), ag.sin(angle)
    along = ag.dot(axis, moved) * (1.0 - cosine)
    x, y, z = [m * cosine + c * sine + a * along for m, c, a in zip(moved, cross(axis, moved), axis)]
    x, y = x / z, y / z
    square = x * x + y * y
    scale = focal * (1.0 + first * square + second * square * square)
    return [weight * (x * scale + across - seen[0]), weight * (y * scale + down - seen[1])]


def bundle(effort: Effort) -> list[Row]:
    """The derivatives of both residuals of every observation with respect to the 15 numbers that it depends on."""
    import numpy as np

    draw, count = np.random.default_rng(0), effort.observations
    numbers = draw.random((count, CAMERA + 4)) * 0.5 + [*[0.1] * 6, *[0.5] * 5, 1.0, 1.0, 4.0, 1.0]
    seen = draw.random((count, 2))
    program = ag.compile(ag.jacobian(residual), batch=(0, 1), reduce=None, backend="native")
    steps: dict[str, Step] = {"compiled": lambda: program(numbers, seen)}
    add_jax(steps, "bundle", numbers, seen)
    return rows_of(f"bundle adjustment, Jacobian of {count:,} observations", medians(steps, effort.seconds))


def add_jax(steps: dict[str, Step], name: str, *arguments: Any) -> None:
    """A step of JAX, if it is here, after a comparison with ours."""
    if importlib.util.find_spec("jax"):
        from tests.benchmarks import peers_in_jax

        steps["JAX, vmap and jit"] = peers_in_jax.compiled(getattr(peers_in_jax, name), *arguments)
        peers_in_jax.assert_equal(steps["compiled"](), steps["JAX, vmap and jit"]())
