"""Two moons: a network written with scalar Values learns to tell them apart.

Leaves pictures: the decision boundary with the samples, loss and accuracy over the steps, how weights, gradients and activations
are spread, and the graph of one neuron with every number in it. Ends with the time of one step, ours against micrograd's if that
is installed.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graphviz import ExecutableNotFound

import nn
from autograd import Value, draw_dot, no_grad

STRENGTH = 1e-4  # of the L2 penalty


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Train, print, draw; returns the loss and the accuracy."""
    options = parse(arguments)
    inputs, targets = moons(options.seed)
    model = nn.MLP(2, [16, 16, 1], seed=options.seed)
    print(f"MLP(2, [16, 16, 1]): {len(model.parameters())} parameters, {len(inputs)} samples")
    recorder = nn.Recorder(model, inputs, every=5)
    history = nn.fit(
        model, inputs, targets,
        loss=nn.hinge_loss,
        penalty=lambda model: nn.l2_penalty(model, STRENGTH),
        optimizer=nn.SGD(model.parameters(), lr=lambda step: 1.0 - 0.9 * step / options.steps),
        epochs=options.steps,
        metrics={"accuracy": accuracy},
        callbacks=[recorder],
    )  # fmt: skip
    with no_grad():
        reached = accuracy([float(model(x)) for x in inputs], targets)
    print(f"loss {history.loss[-1]:.4f}, accuracy {reached:.1%} after {len(history.loss)} steps ({history.stopped})")
    print(benchmark(inputs, targets, options.seed, options.repeats))
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        draw_plots(model, inputs, targets, history, recorder, options.out)
    except ImportError:
        print("no plots: pip install matplotlib")
    try:
        draw_neuron(model, inputs[0], options.out / "moons_neuron.svg")
    except ExecutableNotFound as error:
        print(f"no graph: {error}")
    print(f"pictures: {', '.join(str(path) for path in sorted(options.out.glob('moons_*'))) or 'none'}")
    return {"loss": history.loss[-1], "accuracy": reached}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the pictures go")
    parser.add_argument("--steps", type=int, default=100, help="steps of gradient descent, each on all samples")
    parser.add_argument("--seed", type=int, default=1, help="of the samples and of the first weights")
    parser.add_argument("--repeats", type=int, default=3, help="how often a step is timed; the fastest counts")
    options = parser.parse_args(arguments)
    if options.steps < 1 or options.repeats < 1:
        parser.error("--steps and --repeats need at least 1")
    return options


def moons(seed: int) -> tuple[list[list[float]], list[int]]:
    """100 points of two interleaved half circles with some noise, and the half circle of each: -1 or 1."""
    from sklearn.datasets import make_moons

    points, labels = make_moons(n_samples=100, noise=0.1, random_state=seed)
    return points.tolist(), [2 * int(label) - 1 for label in labels]


def accuracy(scores: list[float], targets: list[int]) -> float:
    """The part of the samples whose score has the sign of the target."""
    return sum((score > 0) == (target > 0) for score, target in zip(scores, targets)) / len(targets)


def draw_plots(
    model: nn.MLP, inputs: list[list[float]], targets: list[int], history: nn.History, recorder: nn.Recorder, out: Path
) -> None:
    """The boundary, the training, and what was inside the network on the way."""
    figure = nn.plot_boundary(model, inputs, targets, names={-1: "upper moon (-1)", 1: "lower moon (+1)"}, title="Two moons")
    figure.savefig(out / "moons_boundary.png", dpi=150)
    draw_training(history, out / "moons_training.png")
    nn.plot_histograms(recorder).savefig(out / "moons_histograms.png", dpi=110)


def draw_training(history: nn.History, path: Path) -> None:
    """Loss and accuracy over the steps."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.6), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    nn.plot_loss(history, above, title="Training on two moons")
    above.set_xlabel("")
    nn.plot_metrics(history, below)
    figure.savefig(path, dpi=150)


def draw_neuron(model: nn.MLP, sample: list[float], path: Path) -> None:
    """The graph of the first neuron that is active at a sample, after backward: every value and every derivative."""
    inputs = [Value(x, label=f"x{i}") for i, x in enumerate(sample, 1)]
    neurons = model.layers[0].neurons
    neuron = next((neuron for neuron in neurons if neuron(inputs) > 0), neurons[0])
    for i, weight in enumerate(neuron.w, 1):
        weight.label = f"w{i}"
    neuron.b.label = "b"
    model.zero_grad()
    output = neuron(inputs)
    output.backward()
    draw_dot(output).render(outfile=path, cleanup=True)


def benchmark(inputs: list[list[float]], targets: list[int], seed: int, repeats: int) -> str:
    """One full step (forward and backward), the fastest of some: ours, and micrograd's on the same data."""
    ours = fastest(step_of(nn.MLP(2, [16, 16, 1], seed=seed), Value, inputs, targets, nn.l2_penalty), repeats)
    line = f"one step: {1000 * ours:.0f} ms"
    try:
        from micrograd import engine
        from micrograd import nn as micrograd
    except ImportError:
        return f"{line} (pip install micrograd to compare)"
    random.seed(seed)
    theirs = fastest(step_of(micrograd.MLP(2, [16, 16, 1]), engine.Value, inputs, targets, plain_penalty), repeats)
    return f"{line}; micrograd: {1000 * theirs:.0f} ms, {theirs / ours:.1f} times as long"


def step_of(model: Any, number: type, inputs: list[list[float]], targets: list[int], penalty: Any) -> Callable[[], None]:
    """One step on all samples, as micrograd's demo writes it."""

    def step() -> None:
        scores = [model([number(x) for x in sample]) for sample in inputs]
        losses = [(1 + -target * score).relu() for target, score in zip(targets, scores)]
        loss = sum(losses) * (1.0 / len(losses)) + penalty(model, STRENGTH)
        model.zero_grad()
        loss.backward()

    return step


def plain_penalty(model: Any, strength: float) -> Any:
    """The L2 penalty in plain arithmetic."""
    return strength * sum(p * p for p in model.parameters())


def fastest(step: Callable[[], None], times: int) -> float:
    """The shortest of some runs, in seconds."""
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        step()
        durations.append(time.perf_counter() - start)
    return min(durations)


if __name__ == "__main__":
    main()
