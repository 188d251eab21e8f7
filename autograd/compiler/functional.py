"""The room of functional forms: compiled functions of a model as functions of flat arrays, its weights, which leave it alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from operator import is_
from typing import Any

from autograd.calculus import grad
from autograd.chain import listened
from autograd.compiler.prepared import Prepared, Ready
from autograd.compiler.requests import check_scalar, is_observed
from autograd.compiler.shadows import numbers_in
from autograd.compiler.signature import Signature
from autograd.compiler.tracing import Call
from autograd.compiler.variant import Variants
from autograd.controls import user_line
from autograd.floats import number
from autograd.trees import transform
from autograd.value import Note, Value, current, note

__all__ = ["Functional"]


class Functional:
    """A compiled function of arrays: the parameters of a model as one flat array, and the other arguments.

    Calling it gives the value and the gradient with respect to the parameters, a flat array; `value` gives the value
    alone. Raises ValueError for another number of parameters.
    """

    def __init__(self, compiled: Any, model: Any, argnum: int) -> None:
        import numpy as np

        if not hasattr(model, "parameters"):
            raise TypeError(f"{compiled.__name__}.functional needs a model with parameters, not {type(model).__name__} {model!r}")
        self.np, self.compiled, self.model, self.argnum = np, compiled, model, argnum
        self.own = self.owned()
        self.plain = Signature()
        self.plain.argument(model, "model")
        self.values: list[Value] = self.own.things
        place = {value: k for k, value in enumerate(self.values)}
        trained = model.parameters()
        self.trained, self.size = trained, len(trained)
        self.places = np.array([place[value] for value in trained], dtype=np.intp)  # of the weights among all Values of the model
        self.wanted = tuple(self.places.tolist())
        self.is_whole = self.wanted == tuple(range(len(self.values)))
        self.variants = Variants(compiled.__name__)
        self.ready, self.ready_for_value = Ready(self.variants), Ready(self.variants)
        self.registered = -1  # how many hooks there were when they were looked for
        self.hooked: list[int] = []  # the weights whose gradients somebody listens to

    def __call__(self, weights: Any, *others: Any, **keywords: Any) -> tuple[float, Any]:
        """The value, and its gradient with respect to the weights, after the hooks of the parameters."""
        value, gradient = self.run(weights, others, keywords, self.wanted)
        if self.hooked or self.registered != Note.registered:
            gradient = self.listened(gradient)
        return value, gradient

    def without_hooks(self, weights: Any, *others: Any, **keywords: Any) -> tuple[float, Any]:
        """The value and its gradient, of which hooks do not know yet: a sum of several is given to `listened`."""
        value, gradient = self.run(weights, others, keywords, self.wanted)
        return value, gradient

    def listened(self, gradient: Any) -> Any:
        """The gradient after the hooks of the parameters. Raises TypeError for a hook of another Value of the model."""
        if self.registered != Note.registered:
            self.registered, trained = Note.registered, set(self.trained)
            self.hooked = [k for k, value in enumerate(self.trained) if value._note.hooks]
            if any(value._note.hooks and value not in trained for value in self.values):
                raise TypeError(
                    f"a Value of the model that {self.compiled.__name__} does not train has a hook, which would not be called; "
                    "remove the hook, or do not compile"
                )
        if self.hooked:
            gradient = gradient.copy()
            for k in self.hooked:
                gradient[k] = float(listened(self.trained[k], float(gradient[k])))
        return gradient

    def expect(self, calls: int) -> None:
        """Say that so many calls like the last will follow: machine code that pays within them is made at the next call."""
        self.compiled.latest.latest.chosen.expect(calls)

    def __reduce__(self) -> Any:
        return type(self), (self.compiled, self.model, self.argnum)

    def owned(self) -> Signature:
        """What the model is made of now, to be compared after a trace."""
        own = Signature(named=True)
        own.mark("model")
        own.argument(self.model, "model")
        return own

    def is_same_model(self) -> bool:
        """Whether the model is made of what it was made of; the numbers of its Values may be others."""
        now = self.owned()
        return now.key == self.own.key and len(now.things) == len(self.values) and all(map(is_, now.things, self.values))

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
        """The value, and the gradient with respect to these inputs."""
        compiled, head = self.compiled, self.head(weights)
        ready = self.ready if wanted else self.ready_for_value
        if not keywords:
            count = len(others) + 1
            for arity, prepared in ready.calls:
                if arity == count and (result := prepared(head, *others)) is not None:
                    return result if wanted else (result, ())
        is_due = compiled.auditor.is_due()
        call = Call((*others[: self.argnum], self.model, *others[self.argnum :]), keywords)
        if is_observed():
            return self.observed(call, head, wanted)
        found = compiled.signature(call, start=self.plain, skip=self.argnum)

        def trace(make: Callable[..., Any]) -> Any:
            with numbers_in(self.values, head.tolist()):
                return make(compiled.function, compiled.__name__, call,
                            lambda: compiled.signature(call, named=True, start=self.owned(), skip=self.argnum))

        for variant in self.variants.fitting(found, lambda: compiled.compiled(trace), compiled._changing):
            compiled.latest = variant
            variant.check_unchanged()
            if wanted:
                check_scalar(variant)
            numbers = variant.run(found.things, wanted, head)
            if numbers is not None:
                if is_due:
                    compiled.verify(variant, trace, self.variants)
                ready.went_long(
                    partial(Prepared, compiled, call, variant, found, start=self.plain, skip=self.argnum, wanted=wanted)
                )
                return float(numbers[0][0]) if wanted else variant.rebuilt(numbers[0]), numbers[1]
        return self.by_engine(call, head, wanted)

    def observed(self, call: Call, head: Any, wanted: tuple[int, ...]) -> tuple[Any, Any]:
        """The same by the engine. Raises TraceError in a trace, which would take the weights for constants."""
        if (trace := current().trace) is not None:
            raise trace.refuse(
                f"the functional form of {self.compiled.__name__} takes numbers, and is called at {user_line()} while another "
                "function is compiled; call the function itself, or do not compile the other"
            )
        return self.by_engine(call, head, wanted)

    def by_engine(self, call: Call, head: Any, wanted: tuple[int, ...]) -> tuple[Any, Any]:
        """The value and the gradient without a program."""
        with numbers_in(self.values, head.tolist()):
            value = self.compiled.by_engine(*call.arguments, **call.keywords)
            if not wanted:
                return transform(float, value), ()
            value = value if isinstance(value, Value) else Value(number(value, f"the result of {self.compiled.__name__}"))
            token = note.set(current().but(listened=False))
            try:
                return float(value), self.np.array(grad(value, self.trained))
            finally:
                note.reset(token)
