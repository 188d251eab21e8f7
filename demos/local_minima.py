"""Where descent ends on a loss with several minima: plain gradient descent, momentum, and restarts, from many starts.

The loss is f(x) = 0.2 x^2 + sin(3 x) + 1: a bowl with ripples, whose lowest point is the one near -0.5. Leaves the loss with
the places where each way ends, and how many starts reach the lowest.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import autograd
import nn
from autograd import Value

REACH = 6.0  # starts lie between -REACH and REACH
RATE = 0.03
RESTARTS = 6


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Descend from every start in every way, print, draw; returns the part that reached the lowest minimum."""
    options = parse(arguments)
    rng = random.Random(options.seed)
    starts = [rng.uniform(-REACH, REACH) for _ in range(options.starts)]
    minima = find_minima()
    ways: dict[str, Callable[[float], float]] = {
        "gradient descent": lambda x: descend(x, 0.0, options.steps),
        "momentum 0.9": lambda x: descend(x, 0.9, options.steps),
        f"best of {RESTARTS} restarts": lambda x: restarted(x, rng, options.steps),
    }
    ends = {name: [nearest(way(x), minima) for x in progress(starts, name)] for name, way in ways.items()}
    print(f"f(x) = 0.2 x^2 + sin(3 x) + 1 has {len(minima)} minima; the lowest is f({minima[0]:.3f}) = {loss(minima[0]):.4f}")
    found = {name: places.count(minima[0]) / len(starts) for name, places in ends.items()}
    for name, places in ends.items():
        mean = sum(map(loss, places)) / len(places)
        print(f"  {name:18} {found[name]:6.1%} of {len(starts)} starts reach the lowest; mean loss {mean:.3f}")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "local_minima.png"
    try:
        draw(minima, ends, path)
    except ImportError:
        print("no picture: pip install matplotlib")
    else:
        print(f"picture: {path}")
    return found


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--starts", type=int, default=200, help="how many starts")
    parser.add_argument("--steps", type=int, default=300, help="steps of gradient descent from each start")
    parser.add_argument("--seed", type=int, default=0, help="of the starts")
    options = parser.parse_args(arguments)
    if options.steps < 1 or options.starts < 1:
        parser.error("--steps and --starts need at least 1")
    return options


def loss(x: Any) -> Any:
    """A bowl with ripples."""
    return 0.2 * x * x + autograd.sin(3.0 * x) + 1.0


def descend(start: float, momentum: float, steps: int) -> float:
    """Where gradient descent ends."""
    x = Value(start, label="x")
    optimizer = nn.SGD([x], lr=RATE, momentum=momentum)
    for _ in range(steps):
        optimizer.zero_grad()
        loss(x).backward()
        optimizer.step()
    return x.data


def restarted(start: float, rng: random.Random, steps: int) -> float:
    """The lowest end of several descents, the first from `start`; they share the steps of one way's descent."""
    starts = [start, *(rng.uniform(-REACH, REACH) for _ in range(RESTARTS - 1))]
    return min((descend(x, 0.0, max(1, steps // RESTARTS)) for x in starts), key=loss)


def find_minima() -> list[float]:
    """The minima, lowest first: descents from a fine grid, told apart."""
    found: list[float] = []
    for i in range(-12, 13):
        x = i / 2.0
        for _ in range(400):
            x -= RATE * autograd.grad(loss)(x)
        if all(abs(x - other) > 0.01 for other in found):
            found.append(x)
    return sorted(found, key=loss)


def nearest(x: float, minima: list[float]) -> float:
    """The minimum that a descent ended in."""
    return min(minima, key=lambda minimum: abs(minimum - x))


def progress(starts: list[float], name: str) -> Any:
    """The starts, with a progress bar where tqdm is installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return starts
    return tqdm(starts, desc=name, unit="start")


def draw(minima: list[float], ends: dict[str, list[float]], path: Path) -> None:
    """The loss with its minima, and under it how many starts ended in each, for every way."""
    import numpy as np
    from matplotlib.figure import Figure

    xs = np.linspace(1.1 * min(minima), 1.1 * max(minima), 600)
    figure = Figure(figsize=(8.0, 6.4), layout="constrained")
    above, *below = figure.subplots(1 + len(ends), 1, sharex=True, height_ratios=[2.2, *[1.0] * len(ends)])
    above.plot(xs, loss(xs), color="#8c8c8c")
    above.plot(minima, [loss(x) for x in minima], "o", color="#4a8bc9", label="minima")
    above.plot(minima[0], loss(minima[0]), "*", color="#e8871e", markersize=16, label="the lowest")
    above.set(ylabel="f(x)", title="$f(x) = 0.2\\,x^2 + \\sin 3x + 1$: where do descents from random starts end?")
    above.legend(loc="upper center")
    highest = max(places.count(x) for places in ends.values() for x in minima)
    for axes, (name, places) in zip(below, ends.items()):
        counts = [places.count(x) for x in minima]
        bars = axes.bar(minima, counts, width=0.7, color=["#e8871e", *["#4a8bc9"] * (len(minima) - 1)])
        axes.bar_label(bars, [count or "" for count in counts], padding=1)
        axes.set(ylabel="starts", ylim=(0, 1.3 * highest))
        axes.text(0.01, 0.95, name, transform=axes.transAxes, va="top", weight="bold")
        axes.spines[["top", "right"]].set_visible(False)
    below[-1].set(xlabel="x")
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
