"""The room of places: where the numbers of blocks are in a flat array, as strides wherever they are regular."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["Places"]

BYTES = 8  # of a float


class Places:
    """Where the numbers of several blocks, of these shapes, are in a flat array.

    The weights of a neuron and its bias lie side by side in the list of parameters, and in blocks of their own in a program: the
    rows of a matrix of weights are apart by one more than their length. Copying by strides is several times faster than by index.
    """

    def __init__(self, parts: Sequence[tuple[Sequence[int], tuple[int, ...]]]) -> None:
        import numpy as np

        self.np = np
        self.size = sum(len(places) for places, _ in parts)
        self.parts = [(np.array(places, dtype=np.intp), shape or (1,)) for places, shape in parts]
        self.strides = [strides(np, places.reshape(shape)) for places, shape in self.parts]

    def gathered(self, array: Any) -> Any:
        """The numbers block after block."""
        np, start = self.np, 0
        array = np.ascontiguousarray(array)
        found = np.empty(self.size)
        for (places, shape), steps in zip(self.parts, self.strides):
            part = found[start : start + len(places)]
            part.reshape(shape)[...] = array[places].reshape(shape) if steps is None else view(np, array, places[0], shape, steps)
            start += len(places)
        return found

    def scattered(self, blocks: Sequence[Any], scale: float) -> Any:
        """A flat array of the numbers of the blocks, times `scale`."""
        np = self.np
        found = np.empty(self.size)
        for (places, shape), steps, block in zip(self.parts, self.strides, blocks):
            if steps is None:
                found[places] = np.ravel(block) * scale
            else:
                np.multiply(np.reshape(block, shape), scale, out=view(np, found, places[0], shape, steps))
        return found


def strides(np: Any, places: Any) -> tuple[int, ...] | None:
    """By how much places grow along each axis, if that is the same everywhere."""
    first = places.ravel()[0]
    steps = [int(places.take(1, axis).ravel()[0] - first) if size > 1 else 0 for axis, size in enumerate(places.shape)]
    regular = first + sum(step * axis for step, axis in zip(steps, np.indices(places.shape)))
    return tuple(steps) if (places == regular).all() else None


def view(np: Any, array: Any, start: int, shape: tuple[int, ...], steps: Sequence[int]) -> Any:
    """The places of a block in a flat array."""
    return np.ndarray(shape, float, array, BYTES * int(start), tuple([BYTES * step for step in steps]))
