"""Prints the figures of the README: `python -m tests.benchmarks`. Ratios in one run, medians, one thread."""

from __future__ import annotations

import argparse
import gc
import os
import random
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import autograd as ag
import nn
from autograd import Value


def interleaved(runs: dict[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """The median time of each in seconds, measured in turn, so that a machine that slows down slows all of them.

    Between runs the cyclic collector clears what the one before left behind, so that nobody pays for another's garbage.
    """
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats + 1):
        for name, run in runs.items():
            gc.collect()
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found[1:]) for name, found in times.items()}


def data(samples: int = 100) -> tuple[list[list[float]], list[int]]:
    """Two moons, and on which of them a point lies."""
    from sklearn.datasets import make_moons

    points, labels = make_moons(n_samples=samples, noise=0.1, random_state=1)
    return points.tolist(), [2 * int(label) - 1 for label in labels]


def micrograd_style(value: Any, mlp: Any, samples: int = 100) -> Callable[[], Any]:
    """One full-batch step of micrograd's moons demo, on anybody's Value and MLP."""
    random.seed(1337)
    model = mlp(2, [16, 16, 1])
    points, targets = data(samples)

    def step() -> Any:
        inputs = [list(map(value, row)) for row in points]
        scores = []
        for x in inputs:
            for k, layer in enumerate(model.layers):
                x = [sum((w * xi for w, xi in zip(n.w, x)), n.b) for n in layer.neurons]
                x = [act.relu() for act in x] if k < 2 else x
            scores.append(x[0])
        losses = [(1 + -yi * score).relu() for yi, score in zip(targets, scores)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        return loss

    return step


def with_layers(samples: int) -> Callable[[], Any]:
    """The same step with nn's own layers."""
    model = nn.MLP(2, [16, 16, 1], seed=1)
    points, targets = data(samples)

    def step() -> Any:
        loss = nn.hinge_loss([model(x) for x in points], targets) + nn.l2_penalty(model, 1e-4)
        model.zero_grad()
        loss.backward()
        return loss

    return step


def step_of(name: str, samples: int = 100) -> Callable[[], Any]:
    """The training step of one of the three: ours and theirs in micrograd's style, and with our layers."""
    if name == "layers":
        return with_layers(samples)
    if name == "ours":
        return micrograd_style(Value, nn.MLP, samples)
    import micrograd.engine
    import micrograd.nn

    return micrograd_style(micrograd.engine.Value, micrograd.nn.MLP, samples)


def loop(name: str, samples: int, collect: bool) -> float:
    """The median time of five steps in a row, after one that is not counted, as a training loop runs them."""
    step = step_of(name, samples)
    if not collect:
        gc.disable()
    times = []
    for _ in range(6):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
        if not collect:
            gc.collect()
    return statistics.median(times[1:])


def steps(names: list[str], rounds: int, samples: int, *, collect: bool) -> dict[str, float]:
    """Every loop in a process of its own, in turn: garbage that one engine leaves must not slow the other."""
    found: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            command = [sys.executable, "-m", "tests.benchmarks", "--loop", name, "--samples", str(samples)]
            command += [] if collect else ["--no-collector"]
            run = subprocess.run(command, check=True, capture_output=True, text=True)
            found[name].append(float(run.stdout))
    return {name: statistics.median(times) for name, times in found.items()}


def main(arguments: list[str] | None = None) -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5, help="runs of which the median is taken")
    parser.add_argument("--loop", choices=["ours", "theirs", "layers"], help="only time this training loop, in seconds a step")
    parser.add_argument("--no-collector", action="store_true", help="with --loop: without Python's cyclic collector")
    parser.add_argument("--samples", type=int, default=100, help="of the two moons")
    parser.add_argument("--small", action="store_true", help="one run of each, on little: to see that it works")
    options = parser.parse_args(arguments)
    if options.loop:
        print(loop(options.loop, options.samples, not options.no_collector))
        return
    if options.small:
        options.repeats, options.samples = 1, 2
    repeats, samples, length = options.repeats, options.samples, 1000 if options.small else 1_000_000
    times = steps(["theirs", "ours", "layers"], repeats, samples, collect=True)
    without = steps(["theirs", "ours"], max(1 if options.small else 2, repeats // 2), samples, collect=False)
    ours, theirs = step_of("ours", samples), step_of("theirs", samples)

    rows = [("measured", "figure")]
    rows.append(("a full-batch step on moons, MLP(2, 16, 16, 1), in micrograd's style", f"{1e3 * times['ours']:.0f} ms"))
    rows.append(("micrograd's time for it, over ours", f"{times['theirs'] / times['ours']:.1f}"))
    rows.append(("the same with Python's cyclic collector off", f"{without['theirs'] / without['ours']:.1f}"))
    rows.append(("the step with `nn`'s layers", f"{1e3 * times['layers']:.0f} ms"))
    rows.append(("micrograd's time over that", f"{times['theirs'] / times['layers']:.1f}"))
    sizes = f"{bytes_per_node(ours):.0f} ({bytes_per_node(theirs):.0f})"
    rows.append(("bytes per node, with its gradient (micrograd's nodes)", sizes))
    rows.append((f"a chain of {length:,} operations: build, backward, free", f"{chain(length):.1f} s"))
    rows.append(("`import autograd`, in a new process, over an empty one", f"{importing(repeats):.0f} ms"))
    inference, plain = forward_only(samples)
    found = interleaved({"graph": plain, "no_grad": inference}, repeats)
    rows.append(("evaluation with a graph, over the same under `no_grad`", f"{found['graph'] / found['no_grad']:.1f}"))
    rows += second_order(repeats, samples)
    width = max(len(name) for name, _ in rows)
    for i, (name, figure) in enumerate(rows):
        print(f"| {name:<{width}} | {figure:>12} |")
        if i == 0:
            print(f"|{'-' * (width + 2)}|{'-' * 13}:|")


def bytes_per_node(step: Callable[[], Any]) -> float:
    gc.collect()
    tracemalloc.start()
    root = step()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    nodes, stack = set(), [root]
    while stack:
        node = stack.pop()
        if node not in nodes:
            nodes.add(node)
            stack.extend(node._prev)
    return size / len(nodes)


def chain(length: int) -> float:
    start = time.perf_counter()
    y = Value(1.0)
    for _ in range(length):
        y = y * 1.0000001
    y.backward()
    del y
    return time.perf_counter() - start


def importing(repeats: int) -> float:
    """What `import autograd` adds to a new process, in ms, once Python keeps its bytecode as it does by default."""
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def run(program: str) -> Callable[[], Any]:
        return lambda: subprocess.run([sys.executable, "-c", program], check=True, env=environment)

    found = interleaved({"ours": run("import autograd"), "empty": run("pass")}, 3 * repeats)
    return 1e3 * (found["ours"] - found["empty"])


def forward_only(samples: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Scores of all samples in micrograd's style, without and with a graph."""
    model = nn.MLP(2, [16, 16, 1], seed=1)
    points, _ = data(samples)

    def run() -> Any:
        scores = []
        for x in points:
            for layer in model.layers:
                x = [sum((w * xi for w, xi in zip(n.w, x)), n.b).relu() for n in layer.neurons]
            scores.append(x[0])
        return sum(scores)

    def inference() -> Any:
        with ag.no_grad():
            return run()

    return inference, run


def second_order(repeats: int, samples: int) -> list[tuple[str, str]]:
    """The cost of derivatives of an MLP of 337 parameters on 10 samples, as a function of its weights."""
    draw = random.Random(0)
    sizes = [2, 16, 16, 1]
    weights = [[[draw.uniform(-1, 1) for _ in range(i + 1)] for _ in range(o)] for i, o in zip(sizes, sizes[1:])]
    direction = [[[draw.uniform(-1, 1) for _ in w] for w in layer] for layer in weights]
    points = data(samples)[0][:10]

    def loss(weights: Any) -> Any:
        total = 0.0
        for x in points:
            for k, layer in enumerate(weights):
                x = [ag.dot(w[:-1], x) + w[-1] for w in layer]
                x = [ag.tanh(v) for v in x] if k < 2 else x
            total = total + (x[0] - 1.0) ** 2
        return total

    values = [[[Value(w) for w in neuron] for neuron in layer] for layer in weights]
    found = interleaved(
        {
            "evaluate": lambda: loss(values),
            "gradient": lambda: ag.value_and_grad(loss)(weights),
            "hvp": lambda: ag.hvp(loss)(weights, direction),
        },
        3 * repeats,
    )
    return [
        ("value and gradient, over evaluation on Values (337 parameters)", f"{found['gradient'] / found['evaluate']:.1f}"),
        ("Hessian-vector product, over value and gradient", f"{found['hvp'] / found['gradient']:.1f}"),
    ]


if __name__ == "__main__":
    main()
