"""The room of `autograd.compile`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, overload

from autograd.compiler.api import Compiled
from autograd.compiler.batch import Batched
from autograd.compiler.executable import BACKENDS
from autograd.compiler.method import Method

__all__ = ["compile"]

Batch = int | str | Sequence[int | str]
Decorator = Callable[[Callable[..., Any]], Compiled]


@overload
def compile(
    function: None = None, *, batch: Batch | None = None, reduce: str | None = "mean", backend: str | None = None,
    audit: bool | None = None, threads: int = 1,
) -> Decorator: ...  # fmt: skip
@overload
def compile(
    function: Callable[..., Any], *, batch: None = None, reduce: str | None = "mean", backend: str | None = None,
    audit: bool | None = None, threads: int = 1,
) -> Compiled: ...  # fmt: skip
@overload
def compile(
    function: Callable[..., Any], *, batch: Batch, reduce: str | None = "mean", backend: str | None = None,
    audit: bool | None = None, threads: int = 1,
) -> Batched: ...
def compile(
    function: Callable[..., Any] | None = None, *, batch: Batch | None = None, reduce: str | None = "mean",
    backend: str | None = None, audit: bool | None = None, threads: int = 1,
) -> Any:  # fmt: skip
    """The same function, traced at the first call and run as a program of NumPy arrays from then on.

    Arguments may be numbers, Values, arrays, modules, and containers of them; results come in the same containers. Called with
    Values or modules, or using Values from outside, it returns Values whose `backward()` fills the same `grad`s. Called with
    numbers and arrays alone it returns floats. What the function branches on is compared again at every call: where a
    comparison comes out otherwise, the function is traced anew. `value_and_grad` works on arrays.

    Raises TraceError where the function reads the number inside a Value, also if it catches the error: what it does with it
    cannot be known. The same goes for what a program would not do again: changing something outside (a counter of a module,
    `.data` or `.grad` of a Value), registering a hook, drawing random numbers. Under `detect_anomaly` and `lint`, which look at
    every operation, the function runs by the engine. Static and class methods and properties are compiled as what they are.

    >>> @compile
    ... def energy(x):
    ...     return x[0] * x[0] + 3.0 * x[1]
    >>> energy([2.0, 1.0])
    7.0
    >>> energy.value_and_grad([2.0, 1.0])
    (7.0, [4.0, 3.0])
    >>> from autograd import Value
    >>> x = [Value(2.0), Value(1.0)]
    >>> energy(x).backward()
    >>> x[0].grad, x[1].grad
    (4.0, 3.0)

    With `batch`, the function is written for one example, and called with many: the arguments that `batch` names, by position
    or name, get an axis of examples in front. The result is the mean over the examples, or their sum; with `reduce=None`, an
    array with a result for each of them. One example is traced, however many there are.

    >>> import numpy as np
    >>> @compile(batch=(1, 2))
    ... def loss(w, x, y):
    ...     return (w[0] * x + w[1] - y) ** 2
    >>> loss.value_and_grad([2.0, 1.0], np.array([0.0, 1.0, 2.0]), np.array([1.0, 3.0, 2.0]))
    (3.0, [4.0, 2.0])

    Whatever a function reads by itself (a clock, a file, a random generator that it makes inside) was read when it was traced.
    So a compiled function audits itself: at its second call, and then for at most 2 % of the time, it is traced again beside its
    program and run on plain numbers, and raises CompileMismatch where it does something else now, or for these. `audit=True`
    audits every call, `audit=False` none;
    `compiled.audit(...)` is an audit at will, whose report says what was, what is, and on which line. Audits leave results,
    random states and what is printed as they are; what else a function does to the world, it does in an audit too.

    `backend` is "auto": NumPy at first, and machine code from the call on at which it has paid to build it, if there is a C
    compiler. "native" builds it at the first call, and raises NativeError where that fails; "numpy" never does. Machine code is
    kept in `autograd.cache_dir()`, and compared with the NumPy program before it is trusted; its sums may be taken in another
    order. "python" is plain Python on lists, which is what runs where NumPy is missing; it goes through a batch example by
    example. `backend` and `summary()` of a compiled function say what ran and why. A batch runs in blocks of examples, which give
    the same bits every time, but not those of blocks of another size. Machine code runs them on so many `threads`, with the same
    bits for any number of these. The same program is to be had in C (`to_c`) and on JAX (`to_jax`).

    >>> print(compile(backend="python")(lambda xs: sum(x * x for x in xs) + 1.0)([1.0, 2.0, 3.0]))
    15.0
    """
    options: Any = {"batch": batch, "reduce": reduce, "backend": backend, "audit": audit, "threads": threads}
    if function is None:
        return lambda function: compile(function, **options)
    if isinstance(function, (staticmethod, classmethod, property)):
        part: Any = function.fget if isinstance(function, property) else function.__func__
        made = compile(part, **options)
        if isinstance(function, property):
            return property(made, function.fset, function.fdel, function.__doc__)
        return staticmethod(made) if isinstance(function, staticmethod) else ClassMethod(made)
    if hasattr(function, "registry") and hasattr(function, "dispatch"):
        raise TypeError(
            f"{function.__name__} is a singledispatch function, which chooses by the type of its argument, and a number is a "
            "Value while it is compiled; compile the functions that it chooses among"
        )
    if not callable(function):
        raise TypeError(f"autograd.compile needs a function, not {type(function).__name__} {function!r}")
    if backend not in (None, *BACKENDS):
        names = ", ".join(map(repr, BACKENDS))
        raise ValueError(f"autograd.compile has the back ends {names}, not {backend!r}; see also to_c and to_jax")
    if backend in ("numpy", "native") and not has_numpy():
        raise ValueError(f"the back end {backend!r} works on arrays, which needs NumPy; leave it out to run plain Python")
    if audit is not None and not isinstance(audit, bool):
        raise TypeError(f"audit is True (every call), False (none) or None (now and then), not {audit!r}")
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"threads is how many threads run the blocks of a batch, a whole number from 1 on, not {threads!r}")
    if batch is None and threads > 1:
        raise ValueError(f"threads={threads} runs the blocks of a batch on threads: name the batched arguments by batch, too")
    if batch is None:
        return Compiled(function, (backend or "auto") if has_numpy() else "python", audit)
    if not has_numpy():
        raise ValueError("a batch is given as arrays, which needs NumPy; without it, compile the function of all examples")
    return Batched(function, batch, reduce, backend or "auto", audit, threads)


class ClassMethod(classmethod):  # type: ignore[type-arg]
    """A compiled function as a class method, with all that a compiled function can do."""

    def __get__(self, owner: Any, kind: Any = None) -> Any:
        compiled: Any = self.__func__
        return Method(compiled, type(owner) if kind is None else kind)


def has_numpy() -> bool:
    """Whether NumPy can be imported."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        return False
    return True
