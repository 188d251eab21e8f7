"""Checking a gradient: what a right one, a kink and a wrong one look like, and the V of the error against the step.

Prints three reports of gradcheck and leaves the picture: how far the forward difference, the central difference and the
complex step are from the derivative, for steps from large to small.
"""

from __future__ import annotations

import argparse
import math
import random
from pathlib import Path
from typing import Any

import autograd
from autograd import gradcheck


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Check, print, draw; returns the least error of each method."""
    options = parse(arguments)
    x = random.Random(options.seed).uniform(1.0, 2.0)

    print(f"A right gradient, at x = {x:.6g}:")
    report = gradcheck(bump, x)
    print(report)
    print("\nA kink:")
    print(gradcheck(lambda x: autograd.relu(x) + x, 0.0))
    print("\nA gradient written by hand, with the inner derivative forgotten:")
    print(gradcheck(lambda x: math.exp(math.sin(x)), x, gradient=lambda x: math.exp(math.sin(x))))

    figure = report.plot()
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "gradcheck_steps.png"
    figure.savefig(path, dpi=150)
    print(f"\npicture: {path}")
    errors = least_errors(figure)
    for method, error in errors.items():
        print(f"least relative error of the {method}: {error:.0e}")
    return errors


def bump(x: Any) -> Any:
    """exp(sin(x)) over 1 + x^2."""
    return autograd.exp(autograd.sin(x)) / (1.0 + x * x)


def least_errors(figure: Any) -> dict[str, float]:
    """The lowest point of each curve."""
    curves = [line for line in figure.axes[0].get_lines() if not line.get_label().startswith("_")]
    return {line.get_label(): float(min(line.get_ydata())) for line in curves}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--seed", type=int, default=1, help="of the point at which gradients are checked")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
