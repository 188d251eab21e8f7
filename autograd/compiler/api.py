"""The room of compiled functions, which are traced once, and run as programs of arrays from then on."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial, update_wrapper
from itertools import count
from threading import RLock
from time import perf_counter
from typing import Any

from autograd.compiler.audit import Auditor, Report, audit, untouched
from autograd.compiler.c99 import to_c
from autograd.compiler.changing import Changing
from autograd.compiler.executable import Executable
from autograd.compiler.functional import Functional
from autograd.compiler.method import Method
from autograd.compiler.on_jax import to_jax
from autograd.compiler.prepared import Prepared, Ready
from autograd.compiler.requests import (
    as_floats,
    check_scalar,
    contained,
    inputs_of,
    is_module,
    is_observed,
    parameter_names,
    positions,
    value_and_gradient,
)
from autograd.compiler.signature import Signature
from autograd.compiler.summary import summary
from autograd.compiler.surroundings import Surroundings
from autograd.compiler.texts import Text
from autograd.compiler.tracing import Call, Tracing
from autograd.compiler.variant import Variant, Variants, collector_paused
from autograd.evaluation import differentiating
from autograd.ops import TABLE
from autograd.trees import is_array, leaves, transform
from autograd.value import Value, current, topological

__all__ = ["Compiled"]

Tracer = Callable[[Callable[..., Any]], Any]
MOST = 128  # functions and classes of former calls that are remembered
STATES = count(1)  # numbers of what surrounds functions


class Compiled:
    """A compiled function; see `compile`."""

    is_observed = staticmethod(is_observed)

    def __init__(self, function: Callable[..., Any], backend: str = "numpy", audit: bool | None = None) -> None:
        self.options: tuple[Any, ...] = (backend, audit)
        update_wrapper(self, function)
        self.__name__: str = getattr(function, "__name__", type(function).__name__)
        self.function, self.asked = function, backend
        self.variants = Variants(self.__name__)
        self.latest: Variant | None = None
        self.auditor = Auditor(audit)
        self._names = parameter_names(function)
        self._used: dict[Any, None] = {}  # functions and classes, and what they find outside
        self._around = Surroundings()
        self._changing = Changing(function)
        self._lock = RLock()  # what surrounds the function must not be looked at anew while another thread traces
        self._ready = Ready(self.variants)
        self._ready_for: dict[int, Ready] = {}  # the same with derivatives, for each argument
        self._states: dict[Any, int] = {}  # what must stay the very same thing, and a number for each state of it

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """What the function returns: floats for numbers and arrays, Values where Values or modules are involved."""
        if not keywords:
            count = len(arguments)
            for arity, prepared in self._ready.calls:
                if arity == count and (result := prepared(*arguments)) is not None:
                    return result
        if is_observed():
            return self.observed(*arguments, **keywords)
        is_due = self.auditor.is_due()
        call = Call(arguments, keywords)
        found = self.signature(call)
        if found.is_foreign:
            return self.function(*arguments, **keywords)
        for variant in self.fitting(call, found):
            nodes = variant.nodes(found.things)
            result = variant.result(variant.parts(found.things), nodes)
            if result is None:
                continue
            if is_due:
                self.verify(variant, self.tracer(call))
            self._ready.went_long(partial(Prepared, self, call, variant, found))
            return result[0]
        return self.function(*arguments, **keywords)

    def observed(self, *arguments: Any, **keywords: Any) -> Any:
        """The function by the engine. Where there are floats alone, they are Values inside, as they are in a trace."""
        given = leaves([*arguments, *keywords.values()])
        if current().trace is not None or any(isinstance(x, Value) or is_module(x) for x in given):
            return self.by_engine(*arguments, **keywords)
        fresh: set[Value] = set()

        def entered(x: Any) -> Any:
            if x.__class__ is not float:
                return x
            value = Value(x)
            fresh.add(value)
            return value

        named = {name: transform(entered, x) for name, x in keywords.items()}
        with differentiating(nested=False):  # records, also under no_grad: then it is seen what the result comes from
            result = self.by_engine(*[transform(entered, x) for x in arguments], **named)
        order = topological(*[x for x in leaves(result) if isinstance(x, Value)])
        if all(x._operands or x in fresh for x in order):
            return transform(lambda x: x._data if isinstance(x, Value) else x, result)
        return result if current().recording else transform(lambda x: Value(x), result)

    def compile_alike(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Another function, compiled as this one is."""
        return Compiled(function, *self.options)

    def derived(self, argnums: int | Sequence[int], arguments: Sequence[Any], keywords: dict[str, Any]) -> tuple[Any, Any]:
        """The value and its gradient by the engine."""
        return value_and_gradient(self.by_engine, self.__name__, argnums, arguments, keywords)

    def by_engine(self, *arguments: Any, **keywords: Any) -> Any:
        """The function as it was given."""
        return self.function(*arguments, **keywords)

    def __reduce__(self) -> Any:
        """How a copy is made: by name, as a function's, where it has one; else of what it was compiled from."""
        name, module = getattr(self, "__qualname__", ""), sys.modules.get(getattr(self, "__module__", ""))
        try:
            if operator.attrgetter(name)(module) is self:
                return name
        except AttributeError:
            pass
        return type(self), (self.function, *self.options)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        """As a method: the object comes first among the arguments."""
        return self if owner is None else Method(self, owner)

    def value_and_grad(self, *arguments: Any, argnums: int | Sequence[int] = 0, **keywords: Any) -> tuple[Any, Any]:
        """The value and its gradient with respect to the arguments `argnums`, in their containers; no Value is touched.

        For a module it is a dictionary of its parameters by name. Raises TypeError if the function does not return one
        number.
        """
        if not keywords and argnums.__class__ is int and argnums in self._ready_for:
            count = len(arguments)
            for arity, prepared in self._ready_for[argnums].calls:
                if arity == count and (results := prepared(*arguments)) is not None:
                    return results  # type: ignore[no-any-return]
        is_due = self.auditor.is_due()
        if is_observed():
            return self.derived(argnums, arguments, keywords)
        chosen = positions(self.__name__, argnums, arguments)
        call = Call(tuple([as_floats(x) if k in chosen else x for k, x in enumerate(arguments)]), keywords)
        found = self.signature(call)
        for variant in self.fitting(call, found, chosen):
            check_scalar(variant)
            spans = {k: inputs_of(variant, found, k, call.arguments[k]) for k in chosen}
            numbers = variant.run(found.things, tuple([k for places in spans.values() for k in places]))
            if numbers is None:
                continue
            if is_due:
                self.verify(variant, self.tracer(call))
            slopes, start = {}, 0
            for k, places in spans.items():
                slopes[k] = contained(call.arguments[k], numbers[1][start : start + len(places)])
                start += len(places)
            if isinstance(argnums, int) and not isinstance(argnums, bool):
                wanted, by = tuple(spans[chosen[0]]), call.arguments[chosen[0]]
                if argnums not in self._ready_for:
                    self._ready_for[argnums] = Ready(self.variants)
                self._ready_for[argnums].went_long(partial(Prepared, self, call, variant, found, wanted=wanted, by=by))
            return float(numbers[0][0]), slopes[chosen[0]] if isinstance(argnums, int) else tuple([slopes[k] for k in chosen])
        return self.derived(argnums, arguments, keywords)

    def functional(self, model: Any, argnum: int = 0) -> Functional:
        """The same function of arrays alone: in place of `model`, argument `argnum`, it takes the numbers of its parameters.

        The numbers are one flat array in the order of `model.parameters()`, and so is the gradient. What else the model is
        made of (frozen parameters, modes, sizes) is taken as it is now: make a new one after changing that. The gradient has
        passed the hooks of the parameters. The model itself is not touched. Raises TraceError where calling the model changes
        it, by a counter or a running mean, say: a program would not do so again.

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
        if named:
            around.forms.clear()  # a call that was traced may have changed a class
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
        for x, path in numbers:
            found.mark(path)
            found.enter_changing(x, path)
        if named:
            changing.remember(found, around)
        if found.used and not found.used.keys() <= self._used.keys():  # what these use from outside belongs to it too
            self._used = found.used if len(self._used) > MOST else self._used | found.used
            self._look_around()
            return self.signature(call, named=named, start=start, skip=skip)
        return found

    def name_of(self, k: int) -> str:
        """What the function calls argument k."""
        return self._names[k] if k < len(self._names) else f"argument{k}"

    def _objects(self, call: Call) -> dict[str, Any]:
        """The arguments, and what is outside, by name."""
        named = dict(zip(self._names, call.arguments)) | dict(call.keywords)
        return {name: look() for name, look in self._around.looks.items()} | named

    def _look_around(self) -> None:
        """Find out what the functions and classes use, after one more was seen or something was replaced."""
        with self._lock:
            around = Surroundings(*self._used)
            if len(self._states) > MOST:
                self._states.clear()
            around.state = self._states.setdefault(around.identity(), next(STATES))
            self._changing.check(around)
            self._around = around  # when it is complete: other threads read it

    def fitting(self, call: Call, found: Signature, own: Sequence[int] | None = ()) -> Iterator[Variant]:
        """The programs that may fit a call, and in the end a new one.

        `own` are the arguments that the function gets for its own, to change as it likes; None where it is not called.
        """
        trace = self.tracer(call)
        for variant in self.variants.fitting(found, lambda: self.compiled(trace), self._changing):
            self.latest = variant
            if variant.changed and own is not None:
                variant.check_unchanged([self.name_of(k) for k in own])
            yield variant
            if variant.is_undecided:
                return

    def tracer(self, call: Call) -> Tracer:
        """What runs the function on Values for this call, by the class that it is given: a new program, or an audit."""
        return lambda make: make(self.function, self.__name__, call, lambda: self.signature(call, named=True))

    def compiled(self, trace: Tracer) -> Variant:
        """A new program."""
        with self._lock:
            variant: Variant = trace(partial(Variant, backend=self.asked, audited=self.auditor.requested is not False))
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
            self.auditor.failed()
            (variants or self.variants).forget()
            report.raise_if_wrong()

    def report(self, variant: Variant, trace: Tracer) -> Report:
        """What an audit of a program finds."""
        tracing = partial(Tracing, around=untouched, plainly=untouched)
        with collector_paused():
            return audit(self.__name__, variant, lambda make: trace(partial(tracing, program=make)))

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
        for variant in self.fitting(call, found, None):
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

    def latest_text(self) -> Text:
        """The text of the latest program."""
        return self.latest_run()[1].text

    def inputs(self, *arguments: Any, **keywords: Any) -> list[float]:
        """The numbers of the arguments, and of Values from outside, in the order in which `to_c` and `to_jax` want them."""
        call = Call(arguments, keywords)
        found = self.signature(call)
        for variant in self.fitting(call, found, None):
            return list(map(float, variant.inputs(found.things)))
        raise ValueError(f"{self.__name__} has no program for these arguments: it was compiled too often")

    def to_c(self, name: str = "", *, careful: bool = False) -> str:
        """The latest program as one file of C99, which allocates nothing and needs math.h only; see its first comment.

        `NAME(inputs, outputs)` computes the results, `NAME_gradient(inputs, outputs, gradient)` their derivatives
        with respect to all inputs too; `inputs` gives the numbers of arguments in their order. Both return 0, or what does not
        hold. A derivative may come out as nan because of a choice that was not taken, as that of where(x > 0, sqrt(x), 0) at 0:
        with `careful`, it is computed again so that it does not. A name that C or its headers have already becomes `program`.
        Of a batch, these are of one example, and `NAME_batch` gives their sums over many. Raises TypeError for an operation of
        your own that is a Python function.

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
        return to_c(variant.program, name or self.__name__, variant.numbers(), careful=careful, varying=list(variant.varying))

    def to_jax(self, *, careful: bool = False, checked: bool = False) -> Callable[[Any], Any]:
        """The latest program on `jax.numpy`: a pure function from inputs, a flat array, to results and derivatives.

        The derivatives are with respect to all inputs. `inputs` gives the numbers of arguments in their order. The function can
        be given to `jax.jit` and `jax.vmap`, and its inputs may lie on many devices. It has the precision that JAX is set to:
        call jax.config.update("jax_enable_x64", True) first for that of the engine. Where a comparison has another outcome than
        in the trace, everything is nan, for under `jit` nothing can be raised. With `checked`, it is an error instead, which
        names the comparison: a ValueError outside of `jit`; under `jit` and `vmap`, that of `jax.experimental.checkify`,
        without which they refuse it. `careful` is as in `to_c`. Raises ImportError without JAX.

        >>> import autograd as ag
        >>> f = ag.compile(lambda x: 2.0 * x if x > 0.0 else x)
        >>> f(3.0)
        6.0
        >>> import jax  # doctest: +SKIP
        >>> from jax.experimental import checkify  # doctest: +SKIP
        >>> jax.jit(f.to_jax())(jax.numpy.array([-3.0]))  # doctest: +SKIP
        (Array([nan], dtype=float32), Array([nan], dtype=float32))
        >>> error, _ = jax.jit(checkify.checkify(f.to_jax(checked=True)))(jax.numpy.array([-3.0]))  # doctest: +SKIP
        >>> error.throw()  # doctest: +SKIP
        ValueError: line 1: x > 0.0 is True in the program, and not for these inputs; use where or maximum
        """
        variant = self.latest_variant()
        return to_jax(variant.program, variant.numbers(), careful=careful, checked=checked)

    def latest_variant(self) -> Variant:
        """The latest program."""
        if self.latest is None:
            raise ValueError(f"{self.__name__} has no program yet; call it first")
        if self.latest.edition != TABLE.edition:
            raise ValueError(f"{self.__name__} uses a primitive that may have been registered again; call it first")
        return self.latest

    @property
    def backend(self) -> str:
        """What runs the latest program, and why: 'numpy: machine code would pay from call 6,917 on'.

        >>> from autograd import compile
        >>> f = compile(lambda x: x * x, backend="python")
        >>> f(3.0), f.backend
        (9.0, 'python: as it was asked for')
        """
        if self.latest is None or self.latest.latest is None:
            return f"{self.asked}: not called yet"
        return self.latest.latest.chosen.ran

    @property
    def native_source(self) -> str:
        """The C of the machine code that runs the latest program. Raises ValueError where none runs; `backend` says why."""
        machine = self.latest_run()[1].chosen.machine
        if machine is None:
            raise ValueError(f"{self.__name__} has no machine code ({self.backend}); compile it with backend='native'")
        return machine.text

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
          run by numpy: machine code would pay from call 67,667 on
        """
        return summary(*self.latest_run())
