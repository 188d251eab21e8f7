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
from autograd import grad, gradcheck


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

    print()
    errors = least_errors(x)
    for method, error in errors.items():
        print(f"least relative error of the {method}: {error:.0e}")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "gradcheck_steps.png"
    try:
        report.plot().savefig(path, dpi=150)
    except ImportError:
        print("no picture: pip install matplotlib")
    else:
        print(f"picture: {path}")
    return errors


def bump(x: Any) -> Any:
    """exp(sin(x)) over 1 + x^2."""
    return autograd.exp(autograd.sin(x)) / (1.0 + x * x)


def least_errors(x: float) -> dict[str, float]:
    """The lowest point of each curve of the picture."""
    exact = grad(bump)(x)
    steps = [2.0**-k * x for k in range(2, 50)]
    slopes = {
        "forward difference": [(bump(x + h) - bump(x)) / ((x + h) - x) for h in steps],
        "central difference": [(bump(x + h) - bump(x - h)) / ((x + h) - (x - h)) for h in steps],
        "complex step": [bump(complex(x, h)).imag / h for h in steps],
    }
    return {method: min(abs(slope / exact - 1.0) for slope in found) for method, found in slopes.items()}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--seed", type=int, default=1, help="of the point at which gradients are checked")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
