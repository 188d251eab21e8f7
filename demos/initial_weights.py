"""First weights: zero, too small, too large, Xavier and He, through ten layers of tanh and of ReLU.

Shows the spread (root mean square) of activations and of gradients in every layer, the units that are silent for every sample,
and how training goes from there. Theory: He keeps the spread of ReLU layers, Xavier that of tanh layers.
"""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path
from typing import Any

import autograd
import nn
from autograd import Value

DEPTH = 10
INPUTS = 0.1  # the spread of what is sent in: small, so that tanh starts where it is nearly straight
HIGHEST = 1.5  # the loss pictures are cut off here
INITS: dict[str, nn.init.Initialiser] = {
    "zero": nn.init.zeros,
    "too small": nn.init.normal(0.01),
    "too large": nn.init.normal(1.0),
    "Xavier": nn.init.xavier_normal,
    "He": nn.init.he_normal,
}
COLOURS = dict(zip(INITS, ["#7f7f7f", "#3b4cc0", "#b2182b", "#1b7837", "#d95f02"]))
Spread = dict[str, Any]


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Measure, train, print, draw; returns the spread of the last layer over that of the first for every pair."""
    options = parse(arguments)
    spreads: dict[tuple[str, str], Spread] = {}
    for activation in ("tanh", "relu"):
        print(f"\n{activation}: spread of activations in layer 1 and {DEPTH}, of gradients in layer 1; silent units; loss")
        for name, init in INITS.items():
            spread = measure(activation, init, options.width, options.samples, options.seed)
            spread["loss"] = train(activation, init, options.steps, options.seed)
            spreads[activation, name] = spread
            ends = (spread["activations"][0], spread["activations"][-1], spread["gradients"][0])
            shown = [f"{number:9.2e}" for number in ends]
            losses = f"{spread['loss'][0]:.3f} -> {spread['loss'][-1]:.3f}"
            print(f"  {name:10} {'  '.join(shown)}  {spread['silent']:6.1%}  {losses}")
    found = {f"{activation} {name}": kept(spread) for (activation, name), spread in spreads.items()}
    print("\nThe last layer's spread over the first one's, 1 when variance is kept:")
    print(f"  ReLU: He keeps it ({found['relu He']:.2f}); Xavier leaves {found['relu Xavier']:.3f} (theory: 2^-4.5 = 0.044)")
    print(f"  tanh: Xavier keeps it ({found['tanh Xavier']:.2f}); He makes it {found['tanh He']:.1f} times larger and saturates")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "initial_weights.png"
    try:
        draw(spreads, path)
    except ImportError:
        print("no picture: pip install matplotlib")
    else:
        print(f"picture: {path}")
    return found


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--width", type=int, default=48, help="units in each layer that is measured")
    parser.add_argument("--samples", type=int, default=16, help="samples that are sent through")
    parser.add_argument("--steps", type=int, default=40, help="steps of training")
    parser.add_argument("--seed", type=int, default=0, help="of the weights and samples")
    options = parser.parse_args(arguments)
    if min(options.width, options.samples, options.steps) < 1:
        parser.error("--width, --samples and --steps need at least 1")
    return options


def measure(activation: str, init: nn.init.Initialiser, width: int, samples: int, seed: int) -> Spread:
    """The spread of activations and gradients in every layer of fresh weights, and the part of units that are silent."""
    rng = random.Random(seed)
    layers = [nn.Linear(width, width, init=init, rng=rng) for _ in range(DEPTH)]
    act = getattr(autograd, activation)
    seen: list[list[Value]] = [[] for _ in layers]
    for _ in range(samples):
        x: list[Any] = [rng.gauss(0.0, INPUTS) for _ in range(width)]
        for layer, found in zip(layers, seen):
            x = [act(total) for total in layer(x)]
            found += x
        autograd.dot(x, [rng.gauss(0.0, 1.0) for _ in x]).backward()
    silent = [all(found[unit + k * width].data == 0.0 for k in range(samples)) for found in seen for unit in range(width)]
    return {
        "activations": [spread_of([value.data for value in found]) for found in seen],
        "gradients": [spread_of([value.grad for value in found]) for found in seen],
        "silent": sum(silent) / len(silent),
    }


def spread_of(numbers: list[float]) -> float:
    """The root of the mean square."""
    return math.sqrt(sum(x * x for x in numbers) / len(numbers))


def kept(spread: Spread) -> float:
    """The spread of the last layer over that of the first; 0 where nothing arrives."""
    first, last = spread["activations"][0], spread["activations"][-1]
    return last / first if first else 0.0


def train(activation: str, init: nn.init.Initialiser, steps: int, seed: int) -> list[float]:
    """The loss over some steps of a network of ten layers, 12 units wide, that learns which ring a point lies on."""
    rng = random.Random(seed)
    angles = [rng.uniform(0.0, 2.0 * math.pi) for _ in range(24)]
    points = [[(1 + i % 2) * math.cos(angle), (1 + i % 2) * math.sin(angle)] for i, angle in enumerate(angles)]
    sizes = [2, *[12] * (DEPTH - 1), 1]
    layers: list[Any] = []
    for i in range(DEPTH):
        layers += [nn.Linear(sizes[i], sizes[i + 1], init=init, rng=rng), activation]
    model = nn.Sequential(*layers[:-1])
    optimizer = nn.SGD(model.parameters(), lr=0.05, momentum=0.9)
    losses = []
    for _ in range(steps):
        loss = nn.bce_with_logits([model(point)[0] for point in points], [i % 2 for i in range(len(points))])
        optimizer.zero_grad()
        loss.backward()
        nn.clip_grad_norm(optimizer.parameters, 1.0)
        optimizer.step()
        losses.append(loss.data)
    return losses


def draw(spreads: dict[tuple[str, str], Spread], path: Path) -> None:
    """Activations, gradients and losses, tanh above and ReLU below."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 6.4), layout="constrained")
    grid = figure.subplots(2, 3)
    kinds = {"activations": "spread of activations", "gradients": "spread of gradients", "loss": f"loss (cut at {HIGHEST})"}
    for row, activation in zip(grid, ("tanh", "relu")):
        for axes, (kind, title) in zip(row, kinds.items()):
            for name, colour in COLOURS.items():
                numbers = spreads[activation, name][kind]
                if kind == "loss":
                    thick = 5.0 if name == "zero" else 1.5  # so that it is seen below "too small", which learns as little
                    axes.plot(range(1, len(numbers) + 1), [min(x, HIGHEST) for x in numbers], color=colour, lw=thick, label=name)
                else:  # what is 0 has no place on a logarithmic scale
                    shown = [x if x > 0.0 else math.nan for x in numbers]
                    axes.semilogy(range(1, DEPTH + 1), shown, "o-", color=colour, markersize=4, label=name)
            axes.set_title(f"{'ReLU' if activation == 'relu' else activation}: {title}")
            axes.set_xlabel("step" if kind == "loss" else "layer")
            if kind == "loss":
                axes.set_ylim(0.0, 1.03 * HIGHEST)
            axes.grid(alpha=0.3)
    grid[0, 2].legend(loc="upper right", ncols=2)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
