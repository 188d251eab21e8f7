"""The workloads as one writes them by hand for JAX: functions of arrays, one named as each row, for jit and value_and_grad."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

try:
    import jax
    import jax.numpy as jnp
    from jax.nn import log_softmax, logsumexp, relu, sigmoid, softmax
except ImportError:  # the benchmarks leave these rows out
    pass

Parameters = dict[str, Any]
Step = Callable[[], Any]


def step_of(name: str, parameters: Any, examples: Any) -> Step:
    """A compiled step: the loss of the row and its gradient with respect to the parameters."""
    return compiled(jax.value_and_grad(globals()[name]), parameters, *map(np.asarray, examples))


def compiled(function: Callable[..., Any], *arguments: Any) -> Step:
    """A call of a compiled function, in double precision, that waits for the result."""
    jax.config.update("jax_enable_x64", True)
    run, given = jax.jit(function), jax.tree.map(jnp.asarray, arguments)
    return lambda: jax.block_until_ready(run(*given))


def assert_equal(ours: Any, theirs: Any) -> None:
    """Raises AssertionError where numbers in equal containers differ, or containers do."""
    jax.tree.map(lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-11), ours, theirs)


def layers(w_and_b: list[Any], x: Any) -> Any:
    """ReLU between linear layers."""
    for w, b in w_and_b[:-1]:
        x = relu(x @ w.T + b)
    w, b = w_and_b[-1]
    return x @ w.T + b


def cross_entropy(scores: Any, labels: Any) -> Any:
    """The mean over the rows of scores."""
    return -jnp.mean(jnp.take_along_axis(log_softmax(scores), labels[:, None], 1))


def moons(parameters: list[Any], inputs: Any, labels: Any) -> Any:
    squares = sum(jnp.sum(p * p) for layer in parameters for p in layer)
    return jnp.mean(relu(1.0 - labels * layers(parameters, inputs)[:, 0])) + 1e-4 * squares


def perceptron(parameters: list[Any], inputs: Any, labels: Any) -> Any:
    return cross_entropy(layers(parameters, inputs), labels)


def attended(query: Any, key: Any, value: Any, heads: int) -> Any:
    """Causal attention, the heads side by side."""
    length, width = query.shape
    q, k, v = (x.reshape(length, heads, width // heads) for x in (query, key, value))
    scores = jnp.einsum("thi,shi->hts", q, k) / (width // heads) ** 0.5
    shares = softmax(jnp.where(jnp.tril(jnp.ones((length, length), bool)), scores, -jnp.inf))
    return jnp.einsum("hts,shi->thi", shares, v).reshape(length, width)


def gpt(p: Parameters, document: Any, following: Any) -> Any:
    def norm(x: Any) -> Any:
        return x * (jnp.mean(x * x, 1, keepdims=True) + 1e-5) ** -0.5

    x = norm(p["token.weight"][document] + p["place.weight"][: len(document)])
    query, key, value = (norm(x) @ p[f"attention.{name}.weight"].T for name in ("query", "key", "value"))
    x = x + attended(query, key, value, 4) @ p["attention.out.weight"].T
    x = x + relu(norm(x) @ p["up.weight"].T) @ p["down.weight"].T
    return cross_entropy(x @ p["out.weight"].T, following)


def lstm(p: Parameters, document: Any, following: Any) -> Any:
    seen = p["token.weight"][document] @ p["lstm.cell.input.weight"].T + p["lstm.cell.input.bias"]

    def cell(state: Any, x: Any) -> Any:
        h, c = state
        i, f, g, o = jnp.split(x + p["lstm.cell.hidden.weight"] @ h + p["lstm.cell.hidden.bias"], 4)
        c = sigmoid(f) * c + sigmoid(i) * jnp.tanh(g)
        h = sigmoid(o) * jnp.tanh(c)
        return (h, c), h

    start = jnp.zeros(len(p["lstm.cell.hidden.bias"]) // 4)
    outputs = jax.lax.scan(cell, (start, start), seen)[1]
    return cross_entropy(outputs @ p["out.weight"].T + p["out.bias"], following)


def gru(p: Parameters, xs: Any) -> Any:
    def cell(h: Any, x: Any) -> Any:
        rx, zx, nx = jnp.split(x, 3)
        rh, zh, nh = jnp.split(p["cell.hidden.weight"] @ h + p["cell.hidden.bias"], 3)
        new = jnp.tanh(nx + sigmoid(rx + rh) * nh)
        h = new + sigmoid(zx + zh) * (h - new)
        return h, h

    start = jnp.zeros(len(p["cell.hidden.bias"]) // 3)
    return jnp.mean(jax.lax.scan(cell, start, xs @ p["cell.input.weight"].T + p["cell.input.bias"])[1] ** 2)


def squared_distances(xs: Any, ys: Any) -> Any:
    return jnp.sum((xs[:, None] - ys) ** 2, -1)


def gaussian_kernel(p: Parameters, points: Any) -> Any:
    kernel = p["height"] * jnp.exp(-p["width"] * squared_distances(points, points))
    return jnp.sum(jnp.log(jnp.sum(kernel, 1)))


def gaussian_mixture(p: Parameters, points: Any) -> Any:
    scaled = (points[:, None] - p["means"]) * jnp.exp(p["scales"])
    scores = p["logits"] + jnp.sum(p["scales"], 1) - 0.5 * jnp.sum(scaled**2, -1)
    return logsumexp(p["logits"]) - jnp.mean(logsumexp(scores, 1))


def lennard_jones(p: Parameters) -> Any:
    positions = p["positions"]  # atoms a distance of 1 from themselves add nothing
    inverse = (squared_distances(positions, positions) + jnp.eye(len(positions))) ** -3
    return 2.0 * jnp.sum(inverse * inverse - inverse)


def soft_k_means(p: Parameters, points: Any) -> Any:
    distances = squared_distances(points, p["centres"])
    return jnp.mean(jnp.sum(softmax(-2.0 * distances) * distances, 1))


def attention(p: Parameters, xs: Any) -> Any:
    query, key, value, out = ((p[f"{name}.weight"], p[f"{name}.bias"]) for name in ("query", "key", "value", "out"))
    q, k, v = (xs @ w.T + b for w, b in (query, key, value))
    return jnp.mean((attended(q, k, v, 2) @ out[0].T + out[1]) ** 2)


def convolution(p: Parameters, images: Any) -> Any:
    found = jax.lax.conv_general_dilated(images[:, None], p["kernels"][:, None], (1, 1), "VALID")
    return jnp.mean(relu(found) ** 2)


def cholesky(p: Parameters) -> Any:
    lower = jnp.tril(p["matrix"])
    return 2.0 * jnp.sum(jnp.log(jnp.diag(jnp.linalg.cholesky(lower + jnp.tril(lower, -1).T))))


def lu(p: Parameters) -> Any:
    return jnp.linalg.slogdet(p["matrix"])[1]


def gauss_jordan(p: Parameters) -> Any:
    return jnp.sum(jnp.linalg.inv(p["matrix"]) ** 2)


def tree(p: Parameters, leaves: Any) -> Any:
    while len(leaves) > 1:
        leaves = jnp.tanh(leaves.reshape(len(leaves) // 2, -1) @ p["join.weight"].T + p["join.bias"])
    return jnp.mean(leaves**2)


def mixture(parameters: Any, points: Any) -> Any:
    return jax.value_and_grad(posterior)(parameters, points)


def posterior(parameters: Any, points: Any) -> Any:
    """The negative logarithm, as `tests.benchmarks.adbench` has it."""
    alphas, means, factors = parameters
    d = points.shape[1]
    columns, rows = np.triu_indices(d, 1)  # below the diagonal, column by column
    logs, below = factors[:, :d], factors[:, d:]
    matrices = jax.vmap(lambda log, rest: jnp.diag(jnp.exp(log)).at[rows, columns].set(rest))(logs, below)

    def log_likelihood(x: Any) -> Any:
        scaled = jnp.einsum("kij,kj->ki", matrices, x - means)
        scores = alphas + jnp.sum(logs, 1) - 0.5 * jnp.sum(scaled**2, 1)
        return logsumexp(scores) - logsumexp(alphas) - 0.5 * d * jnp.log(2.0 * jnp.pi)

    prior = 0.5 * (jnp.sum(jnp.exp(2.0 * logs)) + jnp.sum(below**2))
    return prior - jnp.sum(jax.vmap(log_likelihood)(points))


def bundle(numbers: Any, seen: Any) -> Any:
    return jax.vmap(jax.jacrev(residual))(numbers, seen)


def residual(numbers: Any, seen: Any) -> Any:
    """Of one observation."""
    rotation, moved = numbers[:3], numbers[11:14] - numbers[3:6]
    angle = jnp.sqrt(rotation @ rotation)
    axis, cosine, sine = rotation / angle, jnp.cos(angle), jnp.sin(angle)
    turned = moved * cosine + jnp.cross(axis, moved) * sine + axis * (axis @ moved) * (1.0 - cosine)
    place = turned[:2] / turned[2]
    square = place @ place
    distorted = place * (1.0 + numbers[9] * square + numbers[10] * square**2)
    return numbers[14] * (distorted * numbers[6] + numbers[7:9] - seen)
