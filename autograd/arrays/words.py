"""The room of words: what NumPy's universal functions mean on elements, and how they run over arrays of them."""

from __future__ import annotations

import operator
from collections.abc import Callable
from math import inf
from operator import itemgetter
from typing import Any

import numpy as np

from autograd.arrays.elements import elementwise, plain
from autograd.functions import FUNCTIONS
from autograd.ops import TABLE
from autograd.value import Value

__all__ = ["COMPARISONS", "LOOPS", "ORDINARY", "WORDS", "equal", "flat_at_zero", "loop_of", "word", "word_of"]

Word = Callable[..., Any]

ORDINARY = {Value, float, int, bool, np.float64, np.int64}  # what meets a Value as one number
div, exp2, fmod, maximum, minimum, mul, trunc = (
    FUNCTIONS[name] for name in ("div", "exp2", "fmod", "maximum", "minimum", "mul", "trunc")
)  # fmt: skip


def word(name: str) -> Word:
    """The function of a row for elements: straight to the method of a Value, by way of the package's function for the rest."""
    general, row = FUNCTIONS[name], TABLE.get(FUNCTIONS[name].__name__)
    if row is None or not row.public or row.arity not in (1, 2):
        return general
    method = getattr(Value, f"__{row.operator}__" if row.operator else row.name)
    if row.arity == 1:
        return lambda x: method(x) if x.__class__ is Value else general(x)
    return meeting(method, getattr(Value, f"__r{row.operator}__", None), general)


def meeting(method: Word, mirrored: Word | None, general: Word) -> Word:
    """A function of two elements that knows the methods for a Value on the left, and on the right."""

    def meet(x: Any, y: Any) -> Any:
        if x.__class__ is Value and y.__class__ in ORDINARY:
            return method(x, y)
        if mirrored is not None and y.__class__ is Value and x.__class__ in ORDINARY:
            return mirrored(y, x)
        return general(x, y)

    return meet


def choosing(best: Word) -> Word:
    """The larger or the smaller of two, where nan stands for a number that is missing."""
    return lambda x, y: y if x != x else x if y != y else best(x, y)


# The words of the table under NumPy's names; and what is said with several of them.
WORDS: dict[Any, Word] = {
    np.conjugate: lambda x: x,
    np.fmax: choosing(maximum),
    np.fmin: choosing(minimum),
    np.ldexp: lambda x, y: mul(x, exp2(y)),
    np.modf: lambda x: (fmod(x, 1.0), trunc(x)),
    np.reciprocal: lambda x: div(1.0, x),
}
WORDS |= {ufunc: word(name) for name in FUNCTIONS if isinstance(ufunc := getattr(np, name, None), np.ufunc)}

# Comparisons: what Python's operators say on a Value on the left, on the right, and on numbers.
COMPARISONS: dict[Any, tuple[Word, Word, Word]] = {
    np.less: (Value.__lt__, Value.__gt__, operator.lt), np.less_equal: (Value.__le__, Value.__ge__, operator.le),
    np.greater: (Value.__gt__, Value.__lt__, operator.gt), np.greater_equal: (Value.__ge__, Value.__le__, operator.ge),
    np.equal: (Value.__eq__, Value.__eq__, operator.eq), np.not_equal: (Value.__ne__, Value.__ne__, operator.ne),
}  # fmt: skip
WORDS |= {ufunc: meeting(*functions) for ufunc, functions in COMPARISONS.items()}
ALIKE = (np.add, np.subtract, np.multiply, np.negative, np.positive, np.absolute)  # NumPy's own loops call Python's operators
RAISING = (np.divide, np.floor_divide, np.power, np.remainder)  # so do these, which on two floats may raise


def loop(function: Word, outputs: int = 1, kind: Any = object) -> Word:
    """How a function of elements runs over arrays of NumPy's own class."""
    if outputs == 1:
        return lambda *operands: elementwise(function, *operands, kind=kind)

    def run(*operands: Any) -> Any:
        found = elementwise(function, *operands)
        return tuple([elementwise(itemgetter(k), found) for k in range(outputs)])

    return run


def quiet(ufunc: Any) -> Word:
    """NumPy's own loop, which else would warn of nan and infinities, or raise, as a program has asked of its floats."""
    run: Word = np.errstate(all="ignore")(ufunc)
    return run


def beside_values(ufunc: Any) -> Word:
    """NumPy's own loop where one operand has nothing but Values."""
    general, own = loop(WORDS[ufunc]), quiet(ufunc)
    return lambda x, y: (own if are_values(x) or are_values(y) else general)(x, y)


def are_values(x: Any) -> bool:
    return x.dtype.char == "O" and {Value}.issuperset(map(type, x.ravel().tolist()))


def flat_at_zero(function: Word) -> Word:
    """How a function of numbers that are not negative runs over arrays, with no slope at 0, where its own may be infinite."""
    where = FUNCTIONS["where"]
    return loop(lambda x: where(x, function(x), 0.0))


def on_truths(ufunc: Any) -> Word:
    return lambda *xs: ufunc(*[x.astype(bool) for x in xs])


LOOPS: dict[Any, Any] = {ufunc: loop(function, ufunc.nout) for ufunc, function in WORDS.items()}
LOOPS |= {ufunc: loop(WORDS[ufunc], kind=bool) for ufunc in COMPARISONS}
LOOPS |= {ufunc: quiet(ufunc) for ufunc in ALIKE} | {ufunc: beside_values(ufunc) for ufunc in RAISING}
LOOPS |= {ufunc: on_truths(ufunc) for ufunc in (np.logical_and, np.logical_or, np.logical_xor, np.logical_not)}
less, equal = LOOPS[np.less], LOOPS[np.equal]
LOOPS |= {  # by comparisons, which do not read the number
    np.isfinite: lambda x: less(-inf, x) & less(x, inf),
    np.isinf: lambda x: equal(x, -inf) | equal(x, inf),
    np.isnan: lambda x: LOOPS[np.not_equal](x, x),
    np.signbit: lambda x: less(LOOPS[np.copysign](1.0, x), 0.0),
}
# Words that only their name tells: NumPy's own for `clip` and, since 2.5, for the parts of complex numbers are private, and SciPy
# is not imported for its sake.
NAMED: dict[str, Word] = {
    "clip": lambda x, low, high: minimum(maximum(x, low), high), "real": lambda x: x, "imag": lambda x: 0.0,  # noqa: ARG005
}  # fmt: skip
NAMED |= {scipy: word(ours) for scipy, ours in {
    "erf": "erf", "erfc": "erfc", "expit": "sigmoid", "gammaln": "lgamma", "psi": "digamma",
}.items()}  # fmt: skip


def loop_of(ufunc: Any) -> Any:
    """How this universal function runs over arrays.

    Raises TypeError for one that has no derivative here.
    """
    if ufunc in LOOPS:
        return LOOPS[ufunc]
    if ufunc.types and all(set(kinds) <= set("O->") for kinds in ufunc.types):
        return ufunc  # made of a Python function, by numpy.frompyfunc or numpy.vectorize
    if (function := NAMED.get(ufunc.__name__)) is None:
        raise TypeError(
            f"numpy.{ufunc.__name__} has no derivative here; give it numbers, a.numbers, or make it an autograd.primitive"
        )
    WORDS[ufunc], LOOPS[ufunc] = function, loop(function)
    return LOOPS[ufunc]


def word_of(ufunc: Any) -> Word:
    """What this universal function means on single elements."""
    found = loop_of(ufunc)
    return WORDS.get(ufunc) or (lambda *xs: found(*map(plain, xs))[()])
