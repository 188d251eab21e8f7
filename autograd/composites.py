"""The room of composed functions: what is written with the functions of the table, as a user would write it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from autograd import functions
from autograd.floats import number, unboxed
from autograd.functions import FUNCTIONS, sequence
from autograd.numbers import words_for
from autograd.value import Value

__all__ = ["clip", "log_softmax", "mean", "softmax", "take", "var"]

total, logsumexp, dot, maximum, minimum = (FUNCTIONS[name] for name in ("sum", "logsumexp", "dot", "maximum", "minimum"))


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
    return functions.softmax(operands(xs, "softmax"))


def log_softmax(xs: Iterable[Any]) -> list[Any]:
    """The logarithms of `softmax`, without rounding small ones to log(0).

    >>> log_softmax([0.0, -1000.0])
    [0.0, -1000.0]
    """
    terms = functions.distances(operands(xs, "log_softmax"))
    size = logsumexp(terms)
    return [x - size for x in terms]


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
    """What a function of any number of operands is given: at least one, each a number of some kind or a Value."""
    found = [unboxed(x) for x in sequence(xs, name)]
    if not found:
        raise ValueError(f"autograd.{name} needs at least one number")
    if words_for(set(map(type, found))) is not None:  # complex and mpmath's numbers, for checks
        return found
    return [x if isinstance(x, Value) else number(x, f"autograd.{name}") for x in found]
