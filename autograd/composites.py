"""The room of composed functions: what is written with the functions of the table, as a user would write it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from autograd.functions import FUNCTIONS, sequence
from autograd.value import Value

__all__ = ["clip", "log_softmax", "mean", "softmax", "take", "var"]

total, logsumexp, dot, exp = FUNCTIONS["sum"], FUNCTIONS["logsumexp"], FUNCTIONS["dot"], FUNCTIONS["exp"]
largest, maximum, minimum, stop_gradient = (FUNCTIONS[name] for name in ("max", "maximum", "minimum", "stop_gradient"))


def mean(xs: Iterable[Any]) -> Any:
    """The arithmetic mean of some numbers or Values.

    >>> mean([1.0, 2.0, 6.0])
    3.0
    """
    terms = operands(xs, "mean")
    return total(terms) / len(terms)


def var(xs: Iterable[Any], ddof: int = 0) -> Any:
    """The variance: the mean of the squared deviations from the mean, over n - ddof.

    >>> var([1.0, 2.0, 6.0])
    4.666666666666667
    """
    terms = operands(xs, "var")
    if len(terms) <= ddof:
        raise ValueError(f"autograd.var needs more than ddof = {ddof} numbers, not {len(terms)}")
    middle = mean(terms)
    deviations = [x - middle for x in terms]
    return dot(deviations, deviations) / (len(terms) - ddof)


def softmax(xs: Iterable[Any]) -> list[Any]:
    """exp(x) over the sum of all of them, for each x: positive numbers that add up to 1. No x is too large.

    >>> softmax([1000.0, 1000.0])
    [0.5, 0.5]
    """
    powers = [exp(x) for x in shifted(xs, "softmax")]
    size = total(powers)
    return [power / size for power in powers]


def log_softmax(xs: Iterable[Any]) -> list[Any]:
    """The logarithms of `softmax`, without rounding small ones to log(0).

    >>> log_softmax([0.0, -1000.0])
    [0.0, -1000.0]
    """
    terms = shifted(xs, "log_softmax")
    size = logsumexp(terms)
    return [x - size for x in terms]


def shifted(xs: Iterable[Any], name: str) -> list[Any]:
    """The operands less the largest, which changes neither softmax nor its derivatives and keeps the powers small."""
    terms = operands(xs, name)
    top = stop_gradient(largest(terms))
    return [x - top for x in terms]


def clip(x: Any, low: Any = -math.inf, high: Any = math.inf) -> Any:
    """x, but at least `low` and at most `high`, as NumPy defines it: minimum(maximum(x, low), high).

    Outside the gradient goes to the bound, if that is a Value; on a bound it is split in halves.

    >>> clip(3.0, 0.0, 1.0)
    1.0
    """
    return minimum(maximum(x, low), high)


def take(rows: Sequence[Any], index: Any) -> Any:
    """rows[index]: one row of a table of parameters, by an integer. In a compiled function the integer is an input.

    Raises IndexError outside 0 ... len(rows) - 1 (negative indices hide mistakes) and TypeError for what is no integer.

    >>> take([[1.0, 2.0], [3.0, 4.0]], 1)
    [3.0, 4.0]
    """
    if hasattr(index, "row_of"):
        return index.row_of(rows)  # an integer that a trace has made an input
    if isinstance(index, Value) or not hasattr(index, "__index__"):
        raise TypeError(f"autograd.take needs an integer index, not {type(index).__name__} {index!r}")
    i = index.__index__()
    if not 0 <= i < len(rows):
        raise IndexError(f"autograd.take got index {i} for {len(rows)} rows: it must be from 0 to {len(rows) - 1}")
    return rows[i]


def operands(xs: Iterable[Any], name: str) -> list[Any]:
    found = list(sequence(xs, name))
    if not found:
        raise ValueError(f"autograd.{name} needs at least one number")
    return found
