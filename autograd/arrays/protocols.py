"""The room of protocols: `Array`, a NumPy array of Values and numbers, and its answers when NumPy asks what a function means."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import autograd.arrays.order as order
import autograd.arrays.products as products
from autograd.arrays.elements import box, elementwise, filled, fitting, objects, plain, primals, written
from autograd.arrays.reductions import METHODS
from autograd.arrays.trusted import TRUSTED
from autograd.arrays.words import COMPARISONS, LOOPS, ORDINARY, WORDS, equal, flat_at_zero, loop_of, word
from autograd.floats import number, unboxed
from autograd.numbers import words_for
from autograd.value import Value

__all__ = ["Array", "array", "array_of"]

BIGGEST = float(np.finfo(float).max)
LOOPS |= products.GENERALIZED


class Array(np.ndarray[Any, Any]):
    """A NumPy array of Values and numbers: NumPy's functions on it mean those of the table, and carry derivatives.

    `autograd.array` makes one, and the arrays that `grad`, `compile` and their relatives hand to a function are of this kind.
    Elementwise functions, reductions along axes, sorting, products and linear algebra do what NumPy documents; what has no
    derivative here raises TypeError, and so does writing into an array of floats in place. An element is a Value or a number;
    what a program writes, `a[0] = x`, is kept as it is, and looked at when it is used. An array without dimensions counts as the
    Value in it.

    >>> import numpy as np
    >>> from autograd import array, grad
    >>> grad(lambda x: np.linalg.norm(np.maximum(x, 0.0)))(np.array([3.0, -1.0, 4.0]))
    array([0.6, 0. , 0.8])
    """

    @property
    def numbers(self) -> np.ndarray[Any, Any]:
        """The numbers, as an array of floats: no derivative leads through them.

        >>> array([Value(1.0), 2.0]).numbers
        array([1., 2.])
        """
        elements = [x.data if isinstance(x, Value) else float(x.real) for x in self.flat]
        return np.array(elements, dtype=float).reshape(self.shape)

    @property
    def grad(self) -> Any:
        """The gradients of the elements, after `backward()`; 0.0 for numbers.

        >>> x = array([Value(1.0), Value(2.0)])
        >>> (x @ x).backward()
        >>> x.grad
        array([2., 4.])
        """
        return array_of([x.grad if isinstance(x, Value) else 0.0 for x in self.flat], self.shape)

    def __iter__(self) -> Any:
        return iter(self.tolist()) if self.ndim == 1 else super().__iter__()  # NumPy's own way is for any subclass, and slow

    def __repr__(self) -> str:
        if all(isinstance(x, (Value, float, int)) for x in self.flat):
            return f"Array({np.array2string(primals(self), separator=', ', prefix='Array(')})"
        return f"Array({np.array2string(plain(self), separator=', ', prefix='Array(')})"

    def __str__(self) -> str:
        return repr(self)[len("Array(") : -1]

    def astype(self, dtype: Any, *arguments: Any, **options: Any) -> Any:
        """The elements in another type: floats are read, and no derivative leads through them."""
        return wrapped(super().astype(dtype, *arguments, **options))

    def var(self, *arguments: Any, **options: Any) -> Any:
        """The variance, 0 of one element without dimensions."""
        return wrapped(np.ndarray.var(self.reshape(self.shape or -1), *arguments, **options))

    def sort(self, axis: Any = -1, **options: Any) -> None:  # type: ignore[override]
        """Sort in place."""
        self[...] = order.sort(self, axis, **options)

    def partition(self, kth: Any, axis: Any = -1, **options: Any) -> None:  # type: ignore[override]  # noqa: ARG002
        """Sort in place, which is a partition at every place."""
        self[...] = order.sort(self, axis)


FAMILIAR = ORDINARY | {Array, np.ndarray, list, tuple}


def array(data: Any) -> Array:
    """An Array of numbers and Values in any nested lists or arrays; a copy.

    Raises TypeError for what is no number.

    >>> import numpy as np
    >>> from autograd import Value, array
    >>> v, w = Value(2.0), Value(2.0)
    >>> np.max(array([v, w])).backward()
    >>> v.grad, w.grad
    (0.5, 0.5)
    """
    found = np.array(data)
    return filled(map(element, found.ravel().tolist()), found.shape).view(Array)


def element(x: Any) -> Any:
    """What is given as an element: a Value, a number of a check, or a float."""
    x = unboxed(x)
    return x if isinstance(x, Value) or words_for({type(x)}) is not None else number(x, "autograd.array")


def array_of(elements: Sequence[Any], shape: Sequence[int]) -> Any:
    """A NumPy array of floats if all elements are, else an Array."""
    if all(isinstance(element, float) for element in elements):
        return np.array(elements, dtype=float).reshape(shape)
    return filled(elements, shape).view(Array)


# What NumPy asks


def wrapped(x: Any) -> Any:
    """A result, as the caller sees it: arrays of objects are Arrays, and without dimensions what is in them."""
    if isinstance(x, np.ndarray):
        if x.dtype.char != "O":
            return (x.view(np.ndarray) if isinstance(x, Array) else x) if x.ndim else x[()]
        return x.item() if not x.ndim else x if isinstance(x, Array) else x.view(Array)
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        return type(x)(*map(wrapped, x))
    return type(x)(map(wrapped, x)) if isinstance(x, (list, tuple)) else x


def stored(result: Any, out: Any) -> Any:
    """A result, in the arrays that the caller gave, if any, and else as the caller sees it."""
    if out is None:
        return wrapped(result)
    outs = out if isinstance(out, tuple) else (out,)
    for target, part in zip(outs, result if len(outs) > 1 else (result,)):
        written(part, target)
    return outs[0] if len(outs) == 1 else outs


def is_foreign(x: Any) -> bool:
    """Whether this has words of its own for universal functions; a masked array has, and would lose its mask."""
    own = getattr(type(x), "__array_ufunc__", np.ndarray.__array_ufunc__)
    return own not in (np.ndarray.__array_ufunc__, on_ufunc, on_value) or isinstance(x, np.ma.MaskedArray)


def on_ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:  # noqa: ARG001
    """What a universal function, or a method of it, means on Arrays and Values."""
    for x in inputs:
        if x.__class__ not in FAMILIAR and is_foreign(x):
            return NotImplemented
    if options or method != "__call__" or ufunc not in LOOPS:
        return at_length(ufunc, method, *inputs, **options)
    found = LOOPS[ufunc](*map(plain, inputs))
    return found.view(Array) if found.__class__ is np.ndarray and found.ndim and found.dtype.char == "O" else wrapped(found)


def at_length(
    ufunc: Any, method: str, *inputs: Any, out: Any = None, where: Any = True, dtype: Any = None, casting: Any = None,  # noqa: ARG001
    order: Any = None, subok: Any = None, **options: Any,  # noqa: ARG001
) -> Any:  # fmt: skip
    """The same, with all that a caller may ask for."""
    if dtype is not None and np.dtype(dtype) not in (object, float, bool):
        raise TypeError(f"Values are floats of 64 bits; numpy.{ufunc.__name__} cannot give {np.dtype(dtype)}")
    if method != "__call__":
        if where is not True:
            options["where"] = plain(where)
        return stored(METHODS[method](ufunc, *inputs, **options), out)
    result = loop_of(ufunc)(*map(plain, inputs), **options)
    if where is not True:  # elsewhere stands what was there, or nan
        chosen = plain(where).astype(bool)
        rest = (np.nan,) * ufunc.nout if out is None else [np.nan if x is None else plain(x) for x in out]
        result = np.where(chosen, result, rest[0]) if ufunc.nout == 1 else tuple(
            [np.where(chosen, part, other) for part, other in zip(result, rest)]
        )  # fmt: skip
    return stored(result, out)


def on_value(self: Value, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """The same on a Value: beside numbers, the function of the row at once."""
    if not options and method == "__call__" and ufunc in WORDS:
        for x in inputs:
            if x.__class__ not in ORDINARY:
                break
        else:
            return WORDS[ufunc](*inputs)
        if ufunc in COMPARISONS and not any(getattr(x, "ndim", 0) for x in inputs):  # NumPy's float64 comes as an array
            return WORDS[ufunc](*[x.item() if isinstance(x, np.ndarray) else x for x in inputs])
    return on_ufunc(self, ufunc, method, *inputs, **options)


def on_function(self: Any, function: Any, types: Any, arguments: Any, keywords: Any) -> Any:  # noqa: ARG001
    """What any other function of NumPy means on Arrays and Values: ours, or NumPy's own made of what we have."""
    if function in LIKE:
        return LIKE[function](*arguments, **keywords)
    if function not in OWN and function not in TRUSTED:
        raise TypeError(
            f"{function.__module__}.{function.__name__} has no derivative here; give it numbers, a.numbers, or make it an "
            "autograd.primitive"
        )
    with np.errstate(all="ignore"):  # what a program asks of NumPy's floats is not asked of Values
        if function in OWN:
            return wrapped(OWN[function](*arguments, **keywords))
        out = keywords.pop("out", None)
        arguments = [box(x).view(Array) if isinstance(x, Value) else x for x in arguments]
        return stored(function._implementation(*arguments, **keywords), out)


# What NumPy's own code would do wrong on elements


def full_like(a: Any, fill_value: Any, dtype: Any = None, order: Any = "K", subok: bool = True, shape: Any = None) -> Any:  # noqa: ARG001
    """An Array, so that Values can be written into it, also where floats are asked for."""
    shape = np.shape(a) if shape is None else shape
    if dtype is not None and np.dtype(dtype).kind not in "fO":
        return np.full(shape, fill_value, dtype=dtype)
    found = np.empty(shape, dtype=object)
    found[...] = objects(fill_value)
    return found.view(Array)


def alike(fill: float) -> Callable[..., Any]:
    """zeros_like and its relatives."""
    return lambda a, dtype=None, *arguments, **options: full_like(a, fill, dtype, *arguments, **options)


def rounded(a: Any, decimals: int = 0, out: Any = None) -> Any:
    """To so many places behind the point, ties to even: flat."""
    scale = 10.0**decimals
    return written(LOOPS[np.divide](LOOPS[np.rint](objects(a) * scale), plain(scale)), out)


def nan_to_num(x: Any, copy: bool = True, nan: Any = 0.0, posinf: Any = None, neginf: Any = None) -> Any:
    """Numbers in place of what is no number."""
    found = objects(x)
    highest, lowest = BIGGEST if posinf is None else posinf, -BIGGEST if neginf is None else neginf
    is_nan, is_high, is_low = LOOPS[np.isnan](found), equal(found, math.inf), equal(found, -math.inf)
    for is_bad, good in ((is_nan, nan), (is_high, highest), (is_low, lowest)):
        found = np.where(is_bad, objects(good), found)
    return found if copy else written(found, x)


def geomspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0) -> Any:
    """Numbers from `start` to `stop`, each the same multiple of the one before it."""
    if dtype is not None and np.dtype(dtype) != float:
        raise TypeError(f"Values are floats of 64 bits; numpy.geomspace cannot give {np.dtype(dtype)}")
    start, stop = (x[None] for x in np.broadcast_arrays(objects(start), objects(stop)))
    if equal(start, 0.0).any() or equal(stop, 0.0).any():
        raise ValueError("numpy.geomspace needs ends other than 0")
    power, sign = LOOPS[np.power], LOOPS[np.sign](start)
    parts = objects(np.linspace(0.0, 1.0, num, endpoint)).reshape(-1, *[1] * (start.ndim - 1))
    found = sign * power(sign * start, 1.0 - parts) * power(sign * stop, parts)
    return np.moveaxis(found, 0, axis)


def apply_over_axes(function: Callable[..., Any], a: Any, axes: Any) -> Any:
    """A function of an array and an axis, along one axis after the other."""
    found: Any = objects(a).view(Array)
    for axis in np.ravel(axes).tolist():
        result = function(found, axis)
        found = result if np.ndim(result) == found.ndim else np.expand_dims(result, axis)
    return found


def of_elements(function: Any) -> Callable[..., Any]:
    """A function of NumPy's whose result has the type of its first argument: here that holds Values, too."""
    return lambda a, *arguments, **options: function._implementation(objects(a).view(Array), *arguments, **options)


def deviation(variance: Callable[..., Any]) -> Callable[..., Any]:
    """The root of a variance, which has no slope where all elements are equal: it is the length of what they differ by."""
    root = flat_at_zero(word("sqrt"))

    def f(a: Any, axis: Any = None, dtype: Any = None, out: Any = None, *arguments: Any, **options: Any) -> Any:
        return written(root(variance(objects(a).view(Array), axis, dtype, None, *arguments, **options)), out)

    return f


def writing(function: Any) -> Callable[..., Any]:
    """A function of NumPy's that writes into its first argument, which must be able to hold Values."""

    def write(a: Any, *arguments: Any, **options: Any) -> None:
        first = [x if isinstance(x, str) else fitting(x, a) for x in arguments]
        rest = {name: x if isinstance(x, str) else fitting(x, a) for name, x in options.items()}
        function._implementation(a, *first, **rest)

    return write


LIKE: dict[Any, Callable[..., Any]] = {
    np.zeros_like: alike(0.0), np.ones_like: alike(1.0), np.empty_like: alike(math.nan), np.full_like: full_like,
}  # fmt: skip
OWN: dict[Any, Callable[..., Any]] = {
    getattr(np, name): getattr(room, name)
    for room, names in {
        order: "argmax argmin argsort interp median nanmedian percentile quantile sort",
        products: "corrcoef cov cross dot inner tensordot vdot",
    }.items()
    for name in names.split()
}
OWN |= {getattr(np.linalg, name): getattr(products, name) for name in ["cholesky", "det", "inv", "norm", "slogdet", "solve"]}
OWN |= {function: of_elements(function) for function in (np.ediff1d, np.gradient, np.insert)}
OWN |= {function: writing(function) for function in (np.copyto, np.place, np.putmask)}
OWN |= {
    np.apply_over_axes: apply_over_axes,
    np.argpartition: lambda a, kth, axis=-1, **_: order.argsort(a, axis),  # noqa: ARG005
    np.around: rounded,
    np.array2string: lambda a, *arguments, **options: np.array2string(primals(a), *arguments, **options),
    np.array_repr: lambda a, *_, **__: repr(a),
    np.array_str: lambda a, *_, **__: str(a),
    np.fix: lambda x, out=None: written(LOOPS[np.trunc](x), out),
    np.geomspace: geomspace,
    np.nan_to_num: nan_to_num,
    np.nanstd: deviation(np.nanvar),
    np.partition: lambda a, kth, axis=-1, **_: order.sort(a, axis),  # noqa: ARG005 - sorted is partitioned at every place
    np.round: rounded,
    np.squeeze: lambda a, axis=None: np.squeeze(plain(a), axis),
    np.sinc: lambda x: elementwise(word("sinc"), x),
    np.std: deviation(np.var),
}


def method(name: str) -> Callable[..., Any]:
    """A method that NumPy answers itself without asking: the function of that name, which asks."""
    return lambda self, *arguments, **options: getattr(np, name)(self, *arguments, **options)


for _name in ["argmax", "argmin", "argpartition", "argsort", "dot", "round", "squeeze", "std"]:
    setattr(Array, _name, method(_name))

# The methods that NumPy asks.
for _kind, _answer in ((Array, on_ufunc), (Value, on_value)):
    setattr(_kind, "__array_ufunc__", _answer)  # noqa: B010
    setattr(_kind, "__array_function__", on_function)  # noqa: B010
