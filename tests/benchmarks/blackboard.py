"""Small functions as they stand on the blackboard, written with scalars: workloads of `python -m tests.benchmarks.compiling`."""

from __future__ import annotations

from typing import Any

import autograd as ag
import nn
from tests.benchmarks.measuring import Effort, Workload


class Parameters(nn.Module):
    """Arrays whose numbers are parameters."""

    def __init__(self, **arrays: Any) -> None:
        for name, array in arrays.items():
            setattr(self, name, values(array.tolist()))


def values(x: Any) -> Any:
    return [values(part) for part in x] if isinstance(x, list) else ag.Value(x)


def normal(*shape: int) -> Any:
    import numpy as np

    return np.random.default_rng(0).normal(size=shape)


def squared(x: Any, y: Any) -> Any:
    """The square of a distance."""
    return ag.sum([(a - b) ** 2 for a, b in zip(x, y)])


def gaussian_kernel(effort: Effort) -> Workload:
    def loss(model: Any, points: Any) -> Any:
        kernel = [[model.height * ag.exp(-model.width * squared(x, y)) for y in points] for x in points]
        return ag.sum([ag.log(ag.sum(row)) for row in kernel])

    count, scales = 40 // effort.part, abs(normal(2))
    model = Parameters(width=scales[0], height=scales[1])
    return Workload(f"Gaussian kernel, {count} points in 3-d, 2 scales", loss, model, (normal(count, 3),))


def gaussian_mixture(effort: Effort) -> Workload:
    def loss(model: Any, points: Any) -> Any:
        def score(x: Any, logit: Any, mean: Any, scale: Any) -> Any:
            scaled = [(a - m) * ag.exp(s) for a, m, s in zip(x, mean, scale)]
            return logit + ag.sum(scale) - 0.5 * ag.sum([d * d for d in scaled])

        components = list(zip(model.logits, model.means, model.scales))
        scores = [ag.logsumexp([score(x, *component) for component in components]) for x in points]
        return ag.logsumexp(model.logits) - ag.mean(scores)

    count = 200 // effort.part
    model = Parameters(logits=normal(5), means=normal(5, 2), scales=0.3 * normal(5, 2))
    return Workload(f"Gaussian mixture, 5 components in 2-d, {count} points", loss, model, (normal(count, 2),))


def gru(effort: Effort) -> Workload:
    def loss(model: Any, xs: Any) -> Any:
        return ag.mean([h * h for state in model(xs)[0] for h in state])

    steps = max(2, 12 // effort.part)
    return Workload(f"GRU(8, 16), {steps} steps", loss, nn.GRU(8, 16, seed=0), (normal(steps, 8),))


def lennard_jones(effort: Effort) -> Workload:
    def energy(model: Any) -> Any:
        total = 0.0
        for i, x in enumerate(model.positions):
            for y in model.positions[:i]:
                inverse = squared(x, y) ** -3
                total = total + 4.0 * (inverse * inverse - inverse)
        return total

    count = 20 // effort.part
    grid = [[1.2 * i, 1.2 * j, 1.2 * k] for i in range(3) for j in range(3) for k in range(3)][:count]
    model = Parameters(positions=grid + 0.1 * normal(count, 3))
    return Workload(f"Lennard-Jones, {count} atoms, energy and forces", energy, model)


def soft_k_means(effort: Effort) -> Workload:
    def loss(model: Any, points: Any) -> Any:
        losses = []
        for x in points:
            distances = [squared(x, centre) for centre in model.centres]
            losses.append(ag.dot(ag.softmax([-2.0 * d for d in distances]), distances))
        return ag.mean(losses)

    count = 100 // effort.part
    return Workload(f"soft k-means, {count} points, 5 centres", loss, Parameters(centres=normal(5, 2)), (normal(count, 2),))


def attention(effort: Effort) -> Workload:
    def loss(model: Any, xs: Any) -> Any:
        return ag.mean([y * y for row in model(xs) for y in row])

    tokens = max(3, 12 // effort.part)
    model = nn.CausalSelfAttention(16, heads=2, seed=0)
    return Workload(f"causal attention, 2 heads, {tokens} tokens, width 16", loss, model, (normal(tokens, 16),))


def convolution(effort: Effort) -> Workload:
    def loss(model: Any, images: Any) -> Any:
        found = [
            ag.sum([kernel[a][b] * image[i + a][j + b] for a in range(3) for b in range(3)])
            for image in images for kernel in model.kernels for i in range(6) for j in range(6)
        ]  # fmt: skip
        return ag.mean([ag.relu(x) ** 2 for x in found])

    count = 5 // effort.part
    model = Parameters(kernels=normal(4, 3, 3))
    return Workload(f"convolution, 4 kernels 3x3 on {count} images 8x8", loss, model, (normal(count, 8, 8),))


def matrix(size: int) -> Any:
    """A positive definite matrix."""
    import numpy as np

    return normal(size, size) @ normal(size, size).T + np.eye(size)


def cholesky(effort: Effort) -> Workload:
    def log_determinant(model: Any) -> Any:
        rows: list[Any] = []
        for i, numbers in enumerate(model.matrix):
            row: list[Any] = []
            for j in range(i):
                row.append((numbers[j] - sum(a * b for a, b in zip(row, rows[j]))) / rows[j][j])
            row.append(ag.sqrt(numbers[i] - sum(a * a for a in row)))
            rows.append(row)
        return 2.0 * ag.sum([ag.log(row[-1]) for row in rows])

    return Workload("Cholesky of 8, log-determinant", log_determinant, Parameters(matrix=matrix(8)))


def lu(effort: Effort) -> Workload:
    def log_determinant(model: Any) -> Any:
        rows = [list(row) for row in model.matrix]
        for k, pivot in enumerate(rows):
            for row in rows[k + 1 :]:
                factor = row[k] / pivot[k]
                for j in range(k + 1, len(row)):
                    row[j] = row[j] - factor * pivot[j]
        return ag.sum([ag.log(ag.abs(rows[k][k])) for k in range(len(rows))])

    return Workload("LU of 8, log-determinant", log_determinant, Parameters(matrix=matrix(8)))


def gauss_jordan(effort: Effort) -> Workload:
    def loss(model: Any) -> Any:
        size = len(model.matrix)
        rows = [[*row, *[float(i == j) for j in range(size)]] for i, row in enumerate(model.matrix)]
        for k in range(size):
            rows[k] = [x / rows[k][k] for x in rows[k]]
            for i in range(size):
                if i != k:
                    rows[i] = [x - rows[i][k] * y for x, y in zip(rows[i], rows[k])]
        return ag.sum([x * x for row in rows for x in row[size:]])

    return Workload("Gauss-Jordan of 6, squares of the inverse", loss, Parameters(matrix=matrix(6)))


class Joined(nn.Module):
    """A tree network: the same linear map and tanh join the numbers of two children, up to the root."""

    def __init__(self, width: int) -> None:
        self.join = nn.Linear(2 * width, width, seed=0)

    def forward(self, leaves: Any) -> Any:
        """The numbers of the root."""
        while len(leaves) > 1:
            leaves = [[ag.tanh(x) for x in self.join([*a, *b])] for a, b in zip(leaves[::2], leaves[1::2])]
        return leaves[0]


def tree(effort: Effort) -> Workload:
    def loss(model: Any, leaves: Any) -> Any:
        return ag.mean([x * x for x in model(leaves)])

    return Workload("tree RNN of depth 4, width 8", loss, Joined(8), (normal(16, 8),))


WORKLOADS = (
    gaussian_kernel, gaussian_mixture, gru, lennard_jones, soft_k_means, attention, convolution, cholesky, lu,
    gauss_jordan, tree,
)  # fmt: skip
