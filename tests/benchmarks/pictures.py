"""Prints the figures of static pictures: `python -m tests.benchmarks.pictures`. Sizes, and times with every renderer here."""

from __future__ import annotations

import argparse
import re
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from autograd import Graph, Value, draw_dot, renderers, scope
from tests.benchmarks.explorer import network


def small() -> Value:
    """28 values: two neurons with tanh, a linear one over them, and a squared error, every product and sum a node."""
    x = [Value(0.2355, label="x0"), Value(0.06653, label="x1")]
    weights = iter([-0.2683, 0.1716, -0.6686, 0.6487, -0.2326, 0.5792])

    def neuron(inputs: list[Value]) -> Value:
        total = Value(0.1, label="b")
        for k, value in enumerate(inputs):
            total = Value(next(weights), label=f"w{k}") * value + total
        return total

    hidden = []
    for j in range(2):
        with scope(f"neuron{j}"):
            hidden.append(neuron(x).tanh())
    with scope("out"):
        out = neuron(hidden)
    out.label = "out"
    loss = (out - Value(1.0, label="y")) ** 2
    loss.label = "L"
    loss.backward()
    return loss


def timed(run: Callable[[], Any], repeats: int) -> tuple[Any, float]:
    """What it gives, and its median time in seconds."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        found = run()
        times.append(time.perf_counter() - start)
    return found, statistics.median(times)


@contextmanager
def alone(name: str) -> Iterator[None]:
    """Let only this renderer answer."""
    everybody = renderers.renderers
    renderers.renderers = lambda *options: (pair for pair in everybody(*options) if pair[0] == name)
    try:
        yield
    finally:
        renderers.renderers = everybody


def main(arguments: list[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="one picture, drawn once: to see that it works")
    options = parser.parse_args(arguments)
    if options.small:
        print_pictures([("28 values", small(), {})], repeats=1)
        print_refused([("a chain of 5,000", chain(5000))])
        return
    three = network([8, 20, 20, 19, 1])[0]
    moons = network([2, 16, 16, 1], 100)[0]
    print_pictures([
        ("28 values", small(), {}),
        ("300 values", network([4, 8, 6, 1])[0], {}),
        ("500 values", network([4, 10, 10, 1])[0], {}),
        ("3,000, depth=2", three, {"depth": 2}),
        ("3,000, depth=2, stack", three, {"depth": 2, "stack": True}),
        ("66,000, depth=1", moons, {"depth": 1}),
    ])  # fmt: skip
    print_refused([("a chain of 1,000,000", chain(1_000_000)), ("two moons", moons)])


def chain(length: int) -> Value:
    """Products, one of the other."""
    y = Value(1.0)
    for _ in range(length):
        y = y * 1.0000001
    return y


def print_pictures(views: list[tuple[str, Value, dict[str, Any]]], repeats: int = 5) -> None:
    """The size of each picture, and its time with each renderer alone."""
    known = [name for name, _ in renderers.renderers("svg", "dot")]
    print(f"{'picture':<22} {'boxes':>6} {'size/pt':>12} {'kB':>5} {'text/s':>7}", *(f"{name + '/s':>17}" for name in known))
    for name, root, options in views:
        picture, text = timed(lambda root=root, options=options: draw_dot(root, **options), repeats)
        times, size, kilobytes = [], "", 0.0
        for renderer in known:
            with alone(renderer):
                svg, seconds = timed(lambda picture=picture: picture.pipe(encoding="utf-8"), repeats)
            times.append(f"{text + seconds:17.2f}")
            if not size:
                width, height = re.findall(r'(?:width|height)="(\d+)pt"', svg)[:2]
                size, kilobytes = f"{width} x {height}", len(svg.encode()) / 1000
        boxes = len(re.findall(r"^\t[ns]\d+ \[", picture.source, flags=re.MULTILINE))
        print(f"{name:<22} {boxes:>6} {size:>12} {kilobytes:5.0f} {text:7.2f}", *times)
    print(f"(graphs frozen: {', '.join(str(len(Graph(root).nodes)) for _, root, _ in views)} values with constants)")


def print_refused(graphs: list[tuple[str, Value]]) -> None:
    """How fast graphs are refused that are too large for a picture."""
    for name, root in graphs:
        start = time.perf_counter()
        try:
            draw_dot(root)
        except ValueError as error:
            print(f"{name}: refused in {time.perf_counter() - start:.2f} s: {str(error).splitlines()[0]}")


if __name__ == "__main__":
    main()
