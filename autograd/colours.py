"""The room of colours: the sign and size of a gradient as a colour, for light and for dark surroundings."""

from __future__ import annotations

import math
from collections.abc import Iterable

__all__ = ["BAD", "DARK", "INK", "LINE", "NEUTRAL", "PAPER", "SOFT", "colour", "strongest"]

# Orange and blue stay apart for colour-blind eyes, and the text on every one of them has a contrast of 4.9 : 1 or better.
POSITIVE = ("#fee8d3", "#fdcf9f", "#fbb269", "#f28e2b")
NEGATIVE = ("#dbe9f6", "#b5d3ec", "#86b8e0", "#5a9bd4")
NEUTRAL, PAPER, INK, SOFT, LINE, BAD = "#f4f4f4", "#ffffff", "#1b1b1b", "#555b63", "#858b93", "#b00020"
DARK = dict(zip(
    (*POSITIVE, *NEGATIVE, NEUTRAL, PAPER, INK, SOFT, LINE, BAD),
    ("#3a2a18", "#573a14", "#774b0c", "#955c08", "#1a2c3e", "#1f4263", "#235787", "#276ba8",
     "#262b31", "#16191d", "#f2f2f2", "#b3bac3", "#7d858f", "#ff8a95"),
))  # fmt: skip


def strongest(gradients: Iterable[float]) -> float:
    """The size of gradient that gets the strongest colour: the 98th percentile of those that are finite and not 0."""
    sizes = sorted(abs(gradient) for gradient in gradients if gradient and math.isfinite(gradient))
    return sizes[int(0.98 * (len(sizes) - 1))] if sizes else 1.0


def colour(gradient: float, scale: float) -> str:
    """Orange for positive and blue for negative gradients, in four steps over two decades below the scale.

    >>> colour(1.0, 1.0), colour(-0.001, 1.0), colour(0.0, 1.0)
    ('#f28e2b', '#dbe9f6', '#f4f4f4')
    """
    if not gradient or gradient != gradient:
        return NEUTRAL
    step = 3.0 + 2.0 * (math.log10(abs(gradient)) - math.log10(scale))
    return (POSITIVE if gradient > 0.0 else NEGATIVE)[round(max(0.0, min(3.0, step)))]
