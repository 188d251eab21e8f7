"""The room of normalisation: numbers brought to one size, layer by layer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import autograd
from autograd import Value
from nn.module import Module, check_inputs, check_size

__all__ = ["LayerNorm", "RMSNorm"]


class LayerNorm(Module):
    """(x - mean) / sqrt(var + eps) * weight + bias, over one list of numbers: Ba et al., 2016.

    >>> [round(float(y), 3) for y in LayerNorm(2)([1.0, 3.0])]
    [-1.0, 1.0]
    """

    def __init__(self, width: int, eps: float = 1e-5) -> None:
        check_size(width, "the width of LayerNorm")
        self.weight, self.bias = [Value(1.0) for _ in range(width)], [Value(0.0) for _ in range(width)]
        self.width, self.eps = width, eps

    def forward(self, x: Sequence[Any]) -> list[Value]:
        """As many numbers as came in."""
        check_width(self, x)
        middle = autograd.mean(x)
        deviations = [xi - middle for xi in x]
        scale = (autograd.dot(deviations, deviations) / len(x) + self.eps) ** -0.5
        return [w * (d * scale) + b for w, d, b in zip(self.weight, deviations, self.bias)]


class RMSNorm(Module):
    """x / sqrt(mean of squares + eps) * weight, over one list of numbers: Zhang and Sennrich, 2019.

    With `weight=False` it has no parameters.

    >>> [round(float(y), 3) for y in RMSNorm(2)([3.0, 3.0])]
    [1.0, 1.0]
    """

    def __init__(self, width: int, eps: float = 1e-5, weight: bool = True) -> None:
        check_size(width, "the width of RMSNorm")
        self.weight, self.width, self.eps = [Value(1.0) for _ in range(width)] if weight else None, width, eps

    def forward(self, x: Sequence[Any]) -> list[Value]:
        """As many numbers as came in."""
        check_width(self, x)
        scale = (autograd.dot(x, x) / len(x) + self.eps) ** -0.5
        scaled = [xi * scale for xi in x]
        return scaled if self.weight is None else [w * xi for w, xi in zip(self.weight, scaled)]


def check_width(module: LayerNorm | RMSNorm, x: Sequence[Any]) -> None:
    check_inputs(x, module.width, f"{type(module).__name__} of width {module.width}", "numbers")
