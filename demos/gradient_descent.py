"""Learning rates that are too small, right and too large, on one surface: a bowl ten times as steep one way as the other.

On f(x, y) = (x^2 + 10 y^2) / 2 gradient descent converges for rates below 2 / 10, fastest at 2 / (1 + 10), and diverges above.
Leaves the paths over the surface and the loss over the steps.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import nn
from autograd import Value

STEEP = 10.0
START = (-9.0, 2.0)
RATES = {
    "too small": 0.01,
    "right": 2.0 / (1.0 + STEEP),
    "at the edge": 1.99 / STEEP,
    "too large": 2.04 / STEEP,
}


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Descend with every rate, print, draw; returns the last loss for every rate."""
    options = parse(arguments)
    paths = {name: descend(rate, options.steps) for name, rate in RATES.items()}
    found = {name: loss(*path[-1]) for name, path in paths.items()}
    print(f"f(x, y) = (x^2 + {STEEP:g} y^2) / 2 from {START}, f = {loss(*START):g}; {options.steps} steps")
    for name, rate in RATES.items():
        verdict = "diverges" if rate > 2.0 / STEEP else "converges"
        print(f"  rate {rate:.4f} ({name:11}): f = {found[name]:10.3e}, {verdict}")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "gradient_descent.png"
    try:
        draw(paths, path)
    except ImportError:
        print("no picture: pip install matplotlib")
    else:
        print(f"picture: {path}")
    return found


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--steps", type=int, default=60, help="steps of gradient descent")
    options = parser.parse_args(arguments)
    if options.steps < 1:
        parser.error(f"--steps needs at least 1, not {options.steps}")
    return options


def loss(x: Any, y: Any) -> Any:
    """The surface."""
    return (x * x + STEEP * y * y) / 2.0


def descend(rate: float, steps: int) -> list[tuple[float, float]]:
    """The places that gradient descent visits."""
    x, y = Value(START[0], label="x"), Value(START[1], label="y")
    optimizer = nn.SGD([x, y], lr=rate)
    path = [START]
    for _ in range(steps):
        optimizer.zero_grad()
        loss(x, y).backward()
        optimizer.step()
        path.append((x.data, y.data))
    return path


def draw(paths: dict[str, list[tuple[float, float]]], path: Path) -> None:
    """The paths over the surface, and the loss over the steps."""
    import numpy as np
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 6.4), layout="constrained")
    grid = figure.add_gridspec(2, 3, width_ratios=(1, 1, 1.1))
    axes = figure.add_subplot(grid[:, 2])
    nn.plot_loss({f"{RATES[name]:.3f} {name}": [loss(*place) for place in visited[1:]] for name, visited in paths.items()}, axes)
    axes.set(xlabel="step", ylabel="f(x, y)", title="loss")
    colours = [line.get_color() for line in axes.lines]
    xs, ys = np.meshgrid(np.linspace(-10, 10, 160), np.linspace(-4.5, 4.5, 120))
    for i, (colour, (name, visited)) in enumerate(zip(colours, paths.items())):
        axes = figure.add_subplot(grid[i // 2, i % 2])
        axes.contour(xs, ys, loss(xs, ys), levels=np.geomspace(0.5, 160, 9), colors="#cccccc", linewidths=0.8)
        axes.plot(*zip(*visited), "o-", color=colour, markersize=3, linewidth=1.2)
        axes.plot(*START, "k*", markersize=10)
        axes.plot(0, 0, "k+", markersize=10)
        axes.set(title=f"rate {RATES[name]:.3f}: {name}", xlim=(-10, 10), ylim=(-4.5, 4.5))
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
