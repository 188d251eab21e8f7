"""The room of compiled functions, which are traced once, and run as programs of arrays from then on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial, update_wrapper
from itertools import count
from time import perf_counter
from typing import Any

from autograd.calculus import grad, value_and_grad
from autograd.compiler.audit import Auditor, Report, audit, untouched
from autograd.compiler.c99 import to_c
from autograd.compiler.changing import Changing
from autograd.compiler.emit import Text
from autograd.compiler.executable import Executable
from autograd.compiler.on_jax import to_jax
from autograd.compiler.plain import PlainText
from autograd.compiler.signature import Signature, parameter_names
from autograd.compiler.summary import summary
from autograd.compiler.surroundings import Surroundings
from autograd.compiler.tracing import Call, Tracing
from autograd.compiler.variant import Variant, Variants, collector_paused
from autograd.trees import is_array, leaves, rebuild, transform
from autograd.value import Value, current

__all__ = ["Compiled", "Functional", "check_scalar", "contained", "inputs_of", "numbers_in", "positions"]

Tracer = Callable[[Callable[..., Any]], Any]
MOST = 128  # functions and classes of former calls that are remembered
STATES = count(1)  # numbers of what surrounds functions


class Compiled:
    """A compiled function; see `compile`."""

    def __init__(self, function: Callable[..., Any], backend: str = "numpy", audit: bool | None = None) -> None:
        update_wrapper(self, function)
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self.function, self.backend = function, backend
        self.variants = Variants(self.__name__)
        self.latest: Variant | None = None
        self.auditor = Auditor(audit)
        self._names = parameter_names(function)
        self._used: dict[Any, None] = {}  # functions and classes, and what they find outside
        self._around = Surroundings()
        self._changing = Changing(function)
        self._states: dict[Any, int] = {}  # what must stay the very same thing, and a number for each state of it

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """What the function returns: floats for numbers and arrays, Values where Values or modules are involved."""
        if getattr(current(), "trace", None) is not None:
            return self.function(*arguments, **keywords)  # part of another program
        is_due = self.auditor.is_due()
        call = Call(arguments, keywords)
        found = self.signature(call)
        if found.is_foreign:
            return self.function(*arguments, **keywords)
        for variant in self.fitting(call, found):
            nodes = variant.nodes(found.things)
            if nodes:
                result = variant.as_nodes(found.things, nodes)
                if result is None:
                    continue
            elif (numbers := variant.run(found.things)) is not None:
                result = variant.rebuilt(numbers[0])
            else:
                continue
            if is_due:
                self.verify(variant, self.tracer(call))
            return result
        return self.function(*arguments, **keywords)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """As a method: the object comes first among the arguments."""
        return self if owner is None else Method(self, owner)

    def value_and_grad(self, *arguments: Any, argnums: int | Sequence[int] = 0, **keywords: Any) -> tuple[Any, Any]:
        """The value and its gradient with respect to the arguments `argnums`, in their containers; no Value is touched.

        For a module it is a dictionary of its parameters by name. Raises TypeError if the function does not return one
        number.
        """
        is_due = self.auditor.is_due()
        chosen = positions(self.__name__, argnums, arguments)
        call = Call(tuple([as_floats(x) if k in chosen else x for k, x in enumerate(arguments)]), keywords)
        found = self.signature(call)
        for variant in self.fitting(call, found):
            check_scalar(variant)
            spans = {k: inputs_of(variant, found, k, call.arguments[k]) for k in chosen}
            numbers = variant.run(found.things, tuple([k for places in spans.values() for k in places]))
            if numbers is None:
                continue
            if is_due:
                self.verify(variant, self.tracer(call))
            results, start = {}, 0
            for k, places in spans.items():
                results[k] = contained(call.arguments[k], numbers[1][start : start + len(places)])
                start += len(places)
            return float(numbers[0][0]), results[chosen[0]] if isinstance(argnums, int) else tuple([results[k] for k in chosen])
        return value_and_grad(self.function, argnums)(*call.arguments, **keywords)  # type: ignore[no-any-return]

    def functional(self, model: Any, argnum: int = 0) -> Functional:
        """The same function of arrays alone: in place of `model`, argument `argnum`, it takes the numbers of its parameters.

        The numbers are one flat array in the order of `model.parameters()`, and so is the gradient. What else the model is
        made of (frozen parameters, modes, sizes) is taken as it is now: make a new one after changing that.

        >>> import nn
        >>> model = nn.MLP(1, [1], init="zeros")
        >>> from autograd import compile
        >>> step = compile(lambda model, x, y: (model([x]) - y) ** 2).functional(model)
        >>> import numpy as np
        >>> value, gradient = step(np.array([2.0, 1.0]), 3.0, 5.0)
        >>> value, gradient.tolist()
        (4.0, [12.0, 4.0])
        """
        return Functional(self, model, argnum)

    def signature(self, call: Call, *, named: bool = False, start: Signature | None = None, skip: int = -1) -> Signature:
        """The numbers of a call, and what must be as it was at the trace; argument `skip` is in `start` already."""
        if not named and not self._around.hold():
            self._look_around()
        around, changing = self._around, self._changing
        if not named and changing.traced:
            changing.notice(self._objects(call))
        found = Signature(named=named, start=start, around=around)
        numbers = changing.skip(found, self._objects(call)) if changing.attributes else ()
        for k, x in enumerate(call.arguments):
            name = self._names[k] if k < len(self._names) else f"argument{k}"
            found.begin(name)
            if k != skip:
                found.argument(x, name)
        for name, x in call.keywords.items():
            found.begin(name)
            found.key.append(name)
            found.argument(x, name)
        found.end_arguments()
        found.key.append(around.state)
        found.outside(self.function, "self")
        for name, look in around.looks.items():
            if named:
                found.mark(name)
            x = look()
            if (type(x) is float or type(x) is int) and changing.is_input(name, x, around):
                found.enter_changing(x, name)
            else:
                found.outside(x, name)
        for number, path in numbers:
            found.mark(path)
            found.enter_changing(number, path)
        if named:
            changing.remember(found, around)
        if found.used and not found.used.keys() <= self._used.keys():  # what these use from outside belongs to it too
            self._used = found.used if len(self._used) > MOST else self._used | found.used
            self._look_around()
            return self.signature(call, named=named, start=start, skip=skip)
        return found

    def _objects(self, call: Call) -> dict[str, Any]:
        """The arguments, and what is outside, by name."""
        named = dict(zip(self._names, call.arguments)) | dict(call.keywords)
        return {name: look() for name, look in self._around.looks.items()} | named

    def _look_around(self) -> None:
        """Find out what the functions and classes use, after one more was seen or something was replaced."""
        self._around = Surroundings(*self._used)
        if len(self._states) > MOST:
            self._states.clear()
        self._around.state = self._states.setdefault(self._around.identity(), next(STATES))
        self._changing.check(self._around)

    def fitting(self, call: Call, found: Signature) -> Iterator[Variant]:
        """The programs that may fit a call, and in the end a new one."""
        trace = self.tracer(call)
        for variant in self.variants.fitting(found, lambda: self.compiled(trace), self._changing):
            self.latest = variant
            yield variant
            if variant.is_undecided:
                return

    def tracer(self, call: Call) -> Tracer:
        """What runs the function on Values for this call, by the class that it is given: a new program, or an audit."""
        return lambda make: make(self.function, self.__name__, call, lambda: self.signature(call, named=True))

    def compiled(self, trace: Tracer) -> Variant:
        """A new program."""
        variant: Variant = trace(partial(Variant, backend=self.backend))
        self.auditor.traced(variant.size, variant.seconds)
        return variant

    def verify(self, variant: Variant, trace: Tracer, variants: Variants | None = None) -> None:
        """Audit a program that just ran. Raises CompileMismatch if the function does something else now.

        Its programs are dropped then, so that the next call traces it again.
        """
        started = perf_counter()
        report = self.report(variant, trace)
        self.auditor.audited(perf_counter() - started)
        if not report:
            (variants or self.variants).known.clear()
            report.raise_if_wrong()

    def report(self, variant: Variant, trace: Tracer) -> Report:
        """What an audit of a program finds."""
        with collector_paused():
            return audit(self.__name__, variant, lambda make: trace(partial(Tracing, program=make, around=untouched)))

    def audit(self, *arguments: Any, **keywords: Any) -> Report:
        """Whether the function still does for these arguments what its program does: it is traced again, and compared.

        The report is true if so; printed, it says what changed, and on which line.

        >>> import random
        >>> from autograd import compile
        >>> f = compile(lambda x: x * random.Random().random(), audit=False)  # a generator made inside cannot be noticed
        >>> f(1.0) == f(1.0), bool(f.audit(1.0))
        (True, False)
        """
        call = Call(arguments, keywords)
        found = self.signature(call)
        for variant in self.fitting(call, found):
            if variant.run(found.things) is not None:
                return self.report(variant, self.tracer(call))
        return Report(self.__name__)

    @property
    def frozen(self) -> list[str]:
        """What the latest program has fixed: comparisons, integers, numbers from outside, and names from outside.

        >>> from autograd import compile
        >>> f = compile(lambda x: 3.0 * x if x > 0.0 else x)
        >>> f(2.0)
        6.0
        >>> print(*[line.split(": ")[-1] for line in f.frozen], sep=chr(10))
        x > 0.0 is True
        the number 0.0
        the number 3.0
        """
        if self.latest is None:
            return []
        program = self.latest.program
        lines = [guard.told(program) for guard in program.guards]
        lines += [f"{path} is {number}; traced anew for another" for path, number in self.latest.fixed.values()]
        lines += [f"{line}: the number {number!r}" for number, line in self.latest.constants.items()]
        lines += self.latest.hidden
        for name, look in self._around.looks.items():
            thing = look()
            if name in self._changing.names:
                continue  # it is an input
            if isinstance(thing, (bool, int, float, str)):
                lines.append(f"{name} is {thing!r}; traced anew when it changes")
            elif isinstance(thing, (list, tuple)) or is_array(thing):
                lines.append(f"{name} has {len(thing)} elements; traced anew when they change")
        return lines

    @property
    def source(self) -> str:
        """The latest program as text of its back end: with gradients, if it was run with gradients."""
        return self.latest_text().source

    def latest_text(self) -> Text | PlainText:
        """The text of the latest program."""
        return self.latest_run()[1].text

    def inputs(self, *arguments: Any, **keywords: Any) -> list[float]:
        """The numbers of the arguments, and of Values from outside, in the order in which `to_c` and `to_jax` want them."""
        call = Call(arguments, keywords)
        found = self.signature(call)
        for variant in self.fitting(call, found):
            return list(map(float, variant.inputs(found.things)))
        raise ValueError(f"{self.__name__} has no program for these arguments: it was compiled too often")

    def to_c(self, name: str = "", *, careful: bool = False) -> str:
        """The latest program as one file of C99, which allocates nothing and needs math.h only; see its first comment.

        `NAME(inputs, outputs)` computes the results, `NAME_gradient(inputs, outputs, gradient)` their derivatives by all inputs
        too; `inputs` gives the numbers of arguments in their order. Both return 0, or what does not hold. A derivative may come
        out as nan because of a choice that was not taken, as that of where(x > 0, sqrt(x), 0) at 0: with `careful`, it is
        computed again so that it does not. Raises TypeError for an operation of your own that is a Python function.

        >>> import autograd as ag
        >>> f = ag.compile(lambda x: x[0] * x[0] + 3.0 * x[1])
        >>> f([2.0, 1.0])
        7.0
        >>> print(f.to_c("energy"))  # doctest: +ELLIPSIS
        /* int energy(const double *inputs, double *outputs)
           int energy_gradient(const double *inputs, double *outputs, double *gradient)
        ...
        """
        variant = self.latest_variant()
        return to_c(variant.program, name or self.__name__, variant.numbers(), careful=careful)

    def to_jax(self, *, careful: bool = False) -> Callable[[Any], Any]:
        """The latest program on `jax.numpy`: a pure function from inputs, a flat array, to (results, derivatives by all inputs).

        `inputs` gives the numbers of arguments in their order. The function can be given to `jax.jit` and `jax.vmap`. It has the
        precision that JAX is set to: call jax.config.update("jax_enable_x64", True) first for that of the engine. Where a
        comparison comes out otherwise than in the trace, everything is nan; `careful` is as in `to_c`. Raises ImportError
        without JAX.
        """
        variant = self.latest_variant()
        return to_jax(variant.program, variant.numbers(), careful=careful)

    def latest_variant(self) -> Variant:
        """The latest program."""
        if self.latest is None:
            raise ValueError(f"{self.__name__} has no program yet; call it first")
        return self.latest

    def latest_run(self) -> tuple[Variant, Executable]:
        """The latest program, and what ran of it."""
        variant = self.latest_variant()
        if variant.latest is None:
            raise ValueError(f"{self.__name__} has no program yet; call it first")
        return variant, variant.latest

    def summary(self) -> str:
        """How many scalar operations became how many lines, which became matrix products, what is gathered, and why.

        >>> from autograd import compile
        >>> f = compile(lambda w, xs: [sum(wi * xi for wi, xi in zip(w, x)) for x in xs])
        >>> f([1.0, 2.0], [[3.0, 4.0], [5.0, 6.0], [7.0, 8.0]])
        [11.0, 17.0, 23.0]
        >>> print(f.summary())
        <lambda>: 12 operations on scalars became 1 on arrays, printed in 1 lines
          1 matrix products: (3, 2) @ (2,)
        """
        return summary(*self.latest_run())


class Method:
    """A compiled method of an object: `Compiled` with the object as first argument."""

    def __init__(self, compiled: Compiled, owner: Any) -> None:
        self.compiled, self.owner = compiled, owner

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Call the method."""
        return self.compiled(self.owner, *arguments, **keywords)

    def value_and_grad(self, *arguments: Any, argnums: int | Sequence[int] = 0, **keywords: Any) -> tuple[Any, Any]:
        """The value and its gradient; argument 0 is the first after the object."""
        chosen = positions(self.compiled.__name__, argnums, arguments)
        shifted = chosen[0] + 1 if isinstance(argnums, int) else [k + 1 for k in chosen]
        return self.compiled.value_and_grad(self.owner, *arguments, argnums=shifted, **keywords)

    def functional(self, model: Any, argnum: int = 0) -> Callable[..., tuple[float, Any]]:
        """The function of flat arrays; `model` may be the object itself."""
        if model is self.owner:
            return self.compiled.functional(model)
        step = self.compiled.functional(model, argnum + 1)
        return lambda weights, *others, **keywords: step(weights, self.owner, *others, **keywords)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.compiled, name)


class Functional:
    """A compiled function of arrays: the parameters of a model as one flat array, and the other arguments.

    Calling it gives the value and the gradient by the parameters, a flat array; `value` gives the value alone. Raises ValueError
    for another number of parameters.
    """

    def __init__(self, compiled: Compiled, model: Any, argnum: int) -> None:
        import numpy as np

        if not hasattr(model, "parameters"):
            raise TypeError(f"{compiled.__name__}.functional needs a model with parameters, not {type(model).__name__} {model!r}")
        self.np, self.compiled, self.model, self.argnum = np, compiled, model, argnum
        self.own = Signature(named=True)
        self.own.argument(model, "model")
        self.plain = Signature()
        self.plain.argument(model, "model")
        self.values: list[Value] = self.own.things
        place = {value: k for k, value in enumerate(self.values)}
        trained = model.parameters()
        self.size = len(trained)
        self.places = np.array([place[value] for value in trained], dtype=np.intp)  # of the weights among all Values of the model
        self.wanted = tuple(self.places.tolist())
        self.is_whole = self.wanted == tuple(range(len(self.values)))
        self.variants = Variants(compiled.__name__)

    def __call__(self, weights: Any, *others: Any, **keywords: Any) -> tuple[float, Any]:
        """The value, and its gradient by the weights."""
        value, gradient = self.run(weights, others, keywords, self.wanted)
        return value, gradient

    def value(self, weights: Any, *others: Any, **keywords: Any) -> Any:
        """The value alone: all numbers that the function returns, in its containers."""
        return self.run(weights, others, keywords, ())[0]

    def head(self, weights: Any) -> Any:
        """The numbers of all Values of the model, those of the weights among them."""
        weights = self.np.asarray(weights, dtype=float)
        if weights.shape != (self.size,):
            name = self.compiled.__name__
            raise ValueError(f"{name} needs {self.size} weights in a flat array, not one of shape {weights.shape}")
        if self.is_whole:
            return weights
        head = self.np.array([value._data for value in self.values])
        head[self.places] = weights
        return head

    def run(self, weights: Any, others: Sequence[Any], keywords: dict[str, Any], wanted: tuple[int, ...]) -> tuple[Any, Any]:
        """The value, and the gradient by these inputs."""
        is_due = self.compiled.auditor.is_due()
        compiled, head = self.compiled, self.head(weights)
        call = Call((*others[: self.argnum], self.model, *others[self.argnum :]), keywords)
        found = compiled.signature(call, start=self.plain, skip=self.argnum)

        def trace(make: Callable[..., Any]) -> Any:
            with numbers_in(self.values, head.tolist()):
                return make(compiled.function, compiled.__name__, call,
                            lambda: compiled.signature(call, named=True, start=self.own, skip=self.argnum))

        for variant in self.variants.fitting(found, lambda: compiled.compiled(trace), compiled._changing):
            compiled.latest = variant
            if wanted:
                check_scalar(variant)
            numbers = variant.run(found.things, wanted, head)
            if numbers is not None:
                if is_due:
                    compiled.verify(variant, trace, self.variants)
                return float(numbers[0][0]) if wanted else variant.rebuilt(numbers[0]), numbers[1]
        with numbers_in(self.values, head.tolist()):
            if not wanted:
                return transform(float, compiled.function(*call.arguments, **keywords)), ()
            value = compiled.function(*call.arguments, **keywords)
            return float(value), self.np.array(grad(value, self.model.parameters()))


@contextmanager
def numbers_in(values: Sequence[Value], numbers: Sequence[float]) -> Iterator[None]:
    """Values have other numbers for a moment."""
    before = [value._data for value in values]
    try:
        for value, number in zip(values, numbers):
            value._data = number
        yield
    finally:
        for value, number in zip(values, before):
            value._data = number


def positions(name: str, argnums: int | Sequence[int], arguments: Sequence[Any]) -> list[int]:
    """The arguments that a function is differentiated by; -1 is the last. Raises TypeError for one that there is not."""
    chosen = [argnums] if isinstance(argnums, int) else list(argnums)
    for k in chosen:
        if not -len(arguments) <= k < len(arguments):
            raise TypeError(
                f"{name} is differentiated with respect to argument {k}, but was called with {len(arguments)} arguments"
            )
    return [k % len(arguments) for k in chosen]


def check_scalar(variant: Variant) -> None:
    """Raise TypeError if a function that is to be differentiated returns more than one number."""
    if not variant.is_scalar:
        kind = type(variant.structure).__name__
        raise TypeError(f"{variant.name} must return one number to be differentiated, not {kind}")


def inputs_of(variant: Variant, found: Signature, k: int, x: Any) -> list[int]:
    """The inputs that belong to argument k."""
    if hasattr(x, "named_parameters"):
        return [variant.place[found.seen[value]] for value in x.named_parameters().values()]
    things = range(found.starts[k], found.starts[k + 1])
    owners = [source[0] if isinstance(source, tuple) else source for source in variant.sources]
    return [place for place, thing in enumerate(owners) if thing in things]


def contained(x: Any, slopes: Any) -> Any:
    """Derivatives in the containers of the argument; those by a module in a dictionary of its parameters by name."""
    if is_array(x) and x.dtype.kind == "f" and hasattr(slopes, "reshape"):
        return slopes.reshape(x.shape)
    slopes = slopes.tolist() if hasattr(slopes, "tolist") else slopes
    if hasattr(x, "named_parameters"):
        return dict(zip(x.named_parameters(), slopes))
    if len(slopes) != len(leaves(x)):
        raise TypeError(
            f"a compiled function is differentiated with respect to numbers in lists, tuples, dictionaries and arrays, not in a "
            f"{type(x).__name__}; use autograd.value_and_grad for deques and dataclasses"
        )
    return rebuild(x, iter(slopes))


def as_floats(x: Any) -> Any:
    """An argument that is differentiated by: its integers and Values are numbers."""
    if hasattr(x, "named_parameters") or (is_array(x) and x.dtype.kind == "f"):
        return x
    return transform(float, x)
