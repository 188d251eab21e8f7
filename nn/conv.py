"""The room of convolution: the same few weights at every place of a sequence or an image, and pooling.

A sequence is a list of channels, each a list of numbers; an image is a list of channels, each a list of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import autograd
from autograd import Value, dot
from nn.init import Initialiser, generator, matrix
from nn.module import Module, check_inputs, check_size

__all__ = ["AvgPool1d", "AvgPool2d", "Conv1d", "Conv2d", "MaxPool1d", "MaxPool2d"]

Image = Sequence[Sequence[Sequence[Any]]]


class Conv2d(Module):
    """For each filter: weight . window + bias, at every window of `size` by `size` over all channels.

    `padding` rings of zeros are put around the image first; windows are `stride` apart. The weights of a filter lie channel by
    channel, row by row, in one list.

    >>> layer = Conv2d(1, 2, size=2, seed=0)
    >>> out = layer([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]])
    >>> len(out), len(out[0]), len(out[0][0])
    (2, 2, 2)
    """

    def __init__(
        self, nin: int, nout: int, size: int, stride: int = 1, padding: int = 0, bias: bool = True, *,
        init: str | Initialiser = "he_uniform", rng: Any = None, seed: int | None = None,
    ) -> None:  # fmt: skip
        check_sizes(type(self).__name__, nin, nout, size, stride, padding)
        area = size * size
        self.weight = matrix(nout, nin * area, init, generator(rng, seed), fans=(nin * area, nout * area))
        self.bias = [Value(0.0) for _ in range(nout)] if bias else None
        self.nin, self.size, self.stride, self.padding = nin, size, stride, padding

    def forward(self, image: Image) -> list[list[list[Value]]]:
        """An image with a channel for each filter."""
        check_inputs(image, self.nin, f"{type(self).__name__} of {self.nin} channels", "channels")
        padded = [pad(channel, self.padding) for channel in image]
        grids = [windows(channel, self.size, self.stride) for channel in padded]
        seen = [[[x for window in place for x in window] for place in zip(*rows)] for rows in zip(*grids)]
        biases: list[Any] = self.bias or [0.0] * len(self.weight)
        return [[[dot(row, place) + b for place in places] for places in seen] for row, b in zip(self.weight, biases)]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.nin}, {len(self.weight)}, {self.size})"


class Conv1d(Module):
    """For each filter: weight . window + bias, at every window of `size` over all channels of a sequence."""

    def __init__(
        self, nin: int, nout: int, size: int, stride: int = 1, padding: int = 0, bias: bool = True, *,
        init: str | Initialiser = "he_uniform", rng: Any = None, seed: int | None = None,
    ) -> None:  # fmt: skip
        check_sizes(type(self).__name__, nin, nout, size, stride, padding)
        self.weight = matrix(nout, nin * size, init, generator(rng, seed), fans=(nin * size, nout * size))
        self.bias = [Value(0.0) for _ in range(nout)] if bias else None
        self.nin, self.size, self.stride, self.padding = nin, size, stride, padding

    def forward(self, sequence: Sequence[Sequence[Any]]) -> list[list[Value]]:
        """A sequence with a channel for each filter."""
        check_inputs(sequence, self.nin, f"Conv1d of {self.nin} channels", "channels")
        zeros = [0.0] * self.padding
        padded = [[*zeros, *channel, *zeros] for channel in sequence]
        starts = places(len(padded[0]), self.size, self.stride)
        seen = [[x for channel in padded for x in channel[i : i + self.size]] for i in starts]
        biases: list[Any] = self.bias or [0.0] * len(self.weight)
        return [[dot(row, place) + b for place in seen] for row, b in zip(self.weight, biases)]

    def __repr__(self) -> str:
        return f"Conv1d({self.nin}, {len(self.weight)}, {self.size})"


class Pool(Module):
    """What the pools share: a function of every window of every channel; windows lie side by side unless `stride` says else."""

    pool: Callable[[list[Any]], Any]

    def __init__(self, size: int, stride: int | None = None) -> None:
        self.size = check_size(size, f"the size of {type(self).__name__}")
        self.stride = size if stride is None else check_size(stride, f"the stride of {type(self).__name__}")

    def forward(self, image: Image) -> list[Any]:
        """An image with the same channels, smaller."""
        return [[[self.pool(window) for window in row] for row in windows(channel, self.size, self.stride)] for channel in image]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.size})"


class Pool1d(Pool):
    """A pool over sequences."""

    def forward(self, sequence: Sequence[Sequence[Any]]) -> list[Any]:
        """A sequence with the same channels, shorter."""
        return [
            [self.pool(list(channel[i : i + self.size])) for i in places(len(channel), self.size, self.stride)]
            for channel in sequence
        ]


class MaxPool2d(Pool):
    """The largest number of every window of an image.

    >>> MaxPool2d(2)([[[1.0, 2.0], [3.0, 4.0]]])
    [[[4.0]]]
    """

    pool = staticmethod(autograd.max)


class AvgPool2d(Pool):
    """The mean of every window of an image."""

    pool = staticmethod(autograd.mean)


class MaxPool1d(Pool1d):
    """The largest number of every window of a sequence."""

    pool = staticmethod(autograd.max)


class AvgPool1d(Pool1d):
    """The mean of every window of a sequence.

    >>> AvgPool1d(2)([[1.0, 2.0, 3.0, 4.0]])
    [[1.5, 3.5]]
    """

    pool = staticmethod(autograd.mean)


def pad(channel: Sequence[Sequence[Any]], rings: int) -> list[list[Any]]:
    """A channel with rings of zeros around it."""
    side, width = [0.0] * rings, len(channel[0]) + 2 * rings
    empty = [[0.0] * width for _ in range(rings)]
    return [*empty, *[[*side, *row, *side] for row in channel], *empty]


def windows(channel: Sequence[Sequence[Any]], size: int, stride: int) -> list[list[list[Any]]]:
    """The numbers of every window of a channel, row by row, in a grid of windows."""
    down, across = places(len(channel), size, stride), places(len(channel[0]), size, stride)
    return [[[x for row in channel[i : i + size] for x in row[j : j + size]] for j in across] for i in down]


def places(length: int, size: int, stride: int) -> range:
    """Where windows begin."""
    if size < 1 or stride < 1 or length < size:
        raise ValueError(f"windows of size {size}, {stride} apart, do not fit into length {length}")
    return range(0, length - size + 1, stride)


def check_sizes(name: str, nin: int, nout: int, size: int, stride: int, padding: int) -> None:
    """Raise TypeError or ValueError for what is no number of channels, or no width of a window, a step or a border."""
    check_size(nin, f"the number of input channels of {name}")
    check_size(nout, f"the number of filters of {name}")
    check_size(size, f"the size of {name}")
    check_size(stride, f"the stride of {name}")
    check_size(padding, f"the padding of {name}", least=0)
