"""Prints the figures of the page: `python -m tests.benchmarks.explorer`. Sizes, loading, steps and zoom in headless Chromium."""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import nn
from autograd import Graph, Value, explore, scope
from tests.browser import Tab, chromium, missing

PAINTED = "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now()))))"
STEP = """t => new Promise(done => {
    const start = performance.now();
    explorer.go(t);
    requestAnimationFrame(() => {
        const channel = new MessageChannel();  // its message comes after the frame is painted
        channel.port1.onmessage = () => done(performance.now() - start);
        channel.port2.postMessage(0);
    });
})"""
ZOOM = """() => new Promise(done => {
    const times = [], stage = document.getElementById("stage");
    const frame = now => {
        times.push(now);
        if (times.length > 60) return done(times.slice(1).map((t, i) => t - times[i]));
        const deltaY = times.length % 20 < 10 ? -60 : 60;
        stage.dispatchEvent(new WheelEvent("wheel", { deltaY, clientX: 500, clientY: 400, bubbles: true, cancelable: true }));
        requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
})"""


def network(sizes: list[int], samples: int = 0) -> tuple[Value, nn.MLP]:
    """A loss with every product and sum a node of its own, as micrograd makes it, and scopes; and the model."""
    rng = random.Random(1)
    model = nn.MLP(sizes[0], sizes[1:], seed=1)

    def score(x: list[Value]) -> Value:
        for k, layer in enumerate(model.layers):
            with scope(f"layer{k}"):
                out = []
                for j, neuron in enumerate(layer.neurons):
                    with scope(f"neuron{j}"):
                        total = sum((w * xi for w, xi in zip(neuron.w, x)), neuron.b)
                        out.append(total.tanh())
            x = out
        return x[0]

    def inputs() -> list[Value]:
        return [Value(rng.uniform(-1.0, 1.0), label=f"x{i}") for i in range(sizes[0])]

    if not samples:
        loss = (score(inputs()) - Value(1.0, label="y")) ** 2
    else:
        losses = []
        for i in range(samples):
            with scope(f"sample{i}"):
                losses.append((1 - score(inputs()) * rng.choice([-1, 1])).relu())
        with scope("loss"):
            loss = sum(losses, Value(0.0)) / samples + 1e-4 * sum((p * p for p in model.parameters()), Value(0.0))
    loss.label = "loss"
    loss.backward()
    return loss, model


def measure(browser: Any, name: str, loss: Value, model: nn.MLP, folder: Path, max_boxes: int = 1000) -> None:
    """Print one line of the table."""
    path = folder / "graph.html"
    start = time.perf_counter()
    page = explore(loss, path, names=model.named_parameters(), max_boxes=max_boxes)
    written = time.perf_counter() - start
    loads = []
    for _ in range(3):
        tab = Tab(browser, path.as_uri())
        loads.append(tab.run(PAINTED) / 1000)
        if len(loads) < 3:
            tab.context.close()
    if max_boxes > 1000:
        tab.run("() => explorer.setView(explorer.views.findIndex(view => view.kind === 'all'))")
        tab.run(PAINTED)
    last = tab.run("() => explorer.frame.lastStep")
    rng = random.Random(1)
    jumps = [tab.run(STEP, rng.randrange(last)) for _ in range(6)]
    steps = [tab.run(STEP, last // 2 + t) for t in range(20)][1:]
    frames = sorted(tab.run(ZOOM))
    shown = tab.run("() => explorer.stage.boxes.length")
    tab.context.close()
    figures = (
        f"{path.stat().st_size / 1000:8.0f}", f"{written:10.2f}", f"{statistics.median(loads):7.2f}",
        *(f"{time:8.0f}" for time in (statistics.median(steps), max(steps), max(jumps))),
        *(f"{time:8.0f}" for time in (statistics.median(frames), frames[int(0.95 * len(frames))])),
    )  # fmt: skip
    print(f"{name:<14} {page.values:>6} {shown:>6}", *figures)


GRAPHS = (
    ("two neurons", [2, 2, 1], 0, 1000),
    ("two layers", [4, 8, 7, 1], 0, 1000),
    ("three layers", [8, 20, 20, 19, 1], 0, 1000),
    ("all boxes", [8, 20, 20, 19, 1], 0, 10_000),
    ("two moons", [2, 16, 16, 1], 100, 1000),
)


def main(arguments: list[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="the smallest graph only: to see that it works")
    options = parser.parse_args(arguments)
    if reason := missing():
        parser.error(reason)
    print("graph          values  boxes       kB  written/s  load/s  step/ms     most     jump  zoom/ms      95%")
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        for name, sizes, samples, max_boxes in GRAPHS[:1] if options.small else GRAPHS:
            loss, model = network(sizes, samples)
            measure(browser, name, loss, model, Path(folder), max_boxes)
    if options.small:
        return
    start = time.perf_counter()
    Graph(network([2, 16, 16, 1], 100)[0])
    print(f"(making and freezing the graph of two moons: {time.perf_counter() - start:.2f} s)")


if __name__ == "__main__":
    main()
