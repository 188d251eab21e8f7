"""The room of programs of training: the loss of some samples and its gradient, at weights that are an array."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import autograd
from autograd import NativeError, TraceError
from nn.linear import Dropout, given_to
from nn.module import Module

__all__ = ["Programs", "Samples", "dropouts_of", "numpy"]

MANY = 32  # programs for one training


class Programs:
    """The loss of samples and its gradient, by programs of a model, a loss and data; the weights are an array of their own.

    `reduction` says that the loss of a batch is the mean or the sum of what it is for each sample alone: then one sample is
    traced, and a batch runs along an axis of its program. Otherwise a batch is traced as a whole, with the penalty. `backend`
    is that of `autograd.compile`; where it is "native" and there is no machine code, NumPy goes on.
    """

    def __init__(
        self, model: Module, loss: Any, penalty: Any, data: list[Samples], reduction: str, backend: str = "auto"
    ) -> None:  # fmt: skip
        self.np = numpy()
        self.model, self.loss, self.penalty, self.data = model, loss, penalty, data
        self.reduction, self.backend = reduction, backend
        self.shapes: set[Any] = set()
        self.expected = 0  # how many times the gradient will be asked for
        self.forget()

    def forget(self) -> None:
        """Drop the programs, of a model that is another now."""
        self.drops = bool(dropouts_of(self.model))
        self.program: Any = None
        self.forward: Any = None
        self.penalties: Any = None

    def gradient(self, weights: Any, samples: Sequence[int], factors: list[list[float]]) -> tuple[float, Any]:
        """The value and the gradient of some samples, of which hooks do not know yet; the factors are those of Dropout."""
        if self.program is None:
            self.program = self.chosen(weights, samples, factors)
            self.program.expect(self.expected)
        value, gradient = 0.0, self.np.zeros_like(weights)
        for part in self.parts(samples):
            share = len(part) / len(samples) if self.reduction == "mean" else 1.0
            found, slopes = self.run(weights, self.arguments(*chosen_from(part, samples, factors)))
            value, gradient = value + share * found, gradient + share * slopes
        return value, gradient

    def run(self, weights: Any, arguments: list[Any]) -> tuple[float, Any]:
        """The value and the gradient of what one program takes."""
        found: tuple[float, Any]
        try:
            found = self.program.without_hooks(weights, *arguments)
        except NativeError:
            if self.backend != "native":
                raise
            self.backend = "numpy"
            self.program = self.opened()  # other threads may use the old one
            found = self.program.without_hooks(weights, *arguments)
        return found

    def penalized(self, weights: Any) -> tuple[float, Any]:
        """The value and the gradient of a penalty that is not part of the program of samples."""
        if self.penalty is None or not self.reduction:
            return 0.0, self.np.zeros_like(weights)
        if self.penalties is None:
            self.penalties = autograd.compile(self.penalty).functional(self.model)
        found: tuple[float, Any] = self.penalties.without_hooks(weights)
        return found

    def predicted(self, weights: Any, samples: Sequence[int], factors: list[list[float]]) -> list[Any]:
        """What the model makes of some samples."""
        if self.forward is None:
            self.forward = self.opened_forward()
        found: list[Any] = [None] * len(samples)
        for part in self.parts(samples):
            inputs, _, *drawn = self.arguments(*chosen_from(part, samples, factors))
            for k, prediction in zip(part, self.forward(weights, inputs, drawn)):
                found[k] = prediction
        return found

    def opened_forward(self) -> Callable[[Any, Any, list[Any]], list[Any]]:
        """The outputs of inputs of one shape: one sample is traced, if an output is an array of numbers, else all of them."""
        takes, axes = self.data[0].restored, (1, 2) if self.drops else 1
        backend = "auto" if self.backend == "auto" else "numpy"
        alone = autograd.compile(sample_output(takes), batch=axes, reduce=None, backend=backend).functional(self.model)
        whole = autograd.compile(batch_outputs(takes), backend=backend).functional(self.model)

        def of_batch(weights: Any, inputs: Any, drawn: list[Any]) -> list[Any]:
            found: list[Any] = whole.value(weights, inputs, *[array.ravel() for array in drawn])
            return found

        def of_samples(weights: Any, inputs: Any, drawn: list[Any]) -> list[Any]:
            found = alone.value(weights, inputs, *drawn)
            return found.tolist() if hasattr(found, "tolist") else of_batch(weights, inputs, drawn)

        return of_samples if self.reduction else of_batch

    def parts(self, samples: Sequence[int]) -> list[Sequence[int]]:
        """The places of samples in parts that one program serves: samples of one shape if they are traced alone."""
        everything = range(len(samples))
        if self.data[0].stack is not None:
            return [everything]
        shapes = [self.data[0].shape(i) for i in samples]
        if self.reduction:
            return [[k for k in everything if shapes[k] == shape] for shape in dict.fromkeys(shapes)]
        self.shapes.add(tuple(shapes))
        if len(self.shapes) == MANY:
            warnings.warn(
                f"fit(compile=True) has made {MANY} programs, one for every order of shapes in a batch; use batch_size=1, "
                "samples of one shape, or say that the loss is a mean over samples: compile='mean'", RuntimeWarning, stacklevel=6,
            )  # fmt: skip
        return [everything]

    def arguments(self, samples: Sequence[int], factors: list[list[float]]) -> list[Any]:
        """What the program is called with: inputs, targets, and the factors of Dropout."""
        given: list[Any] = [data.taken(samples, stacked=bool(self.reduction)) for data in self.data]
        if factors:
            given.append(self.np.array(factors if self.reduction else [x for row in factors for x in row]))
        return given

    def chosen(self, weights: Any, samples: Sequence[int], factors: list[list[float]], *, splits: bool = False) -> Any:
        """The program of a step: of one sample if that can be (or must be, if a batch is split), else of a batch.

        Integers stay integers where the model or the loss indexes with them; where they are numbers like others, a program
        would be good for these numbers alone.
        """
        samples, factors = chosen_from(self.parts(samples)[0], samples, factors)
        integers = [data for data in self.data if data.are_integers]
        attempts = [[], *[[data] for data in integers], integers][: 2 ** len(integers)]
        reductions = [self.reduction, ""] if self.reduction and not splits else [self.reduction]
        refusal: TraceError | None = None
        for self.reduction in reductions:
            for others in attempts:
                for data in integers:
                    data.as_floats = data in others
                self.program = self.opened()
                try:
                    self.run(weights, self.arguments(samples, factors))
                except TraceError as error:
                    refusal = refusal or error
                    continue
                frozen = self.program.compiled.frozen
                if others is attempts[-1] or not any(line.startswith(("inputs.", "targets.")) for line in frozen):
                    return self.program
        self.program = None
        raise refusal or TraceError("fit(compile=True) found no program for the loss; leave compile out")

    def opened(self) -> Any:
        """The loss of one sample, to be run along an axis of samples, or the loss of a batch; as a function of arrays."""
        model_takes, loss_takes = (data.restored for data in self.data)
        if self.reduction:
            function = sample_loss(self.loss, model_takes, loss_takes)
            options: Any = {"batch": (1, 2, 3) if self.drops else (1, 2), "reduce": self.reduction}
        else:
            function, options = batch_loss(self.loss, self.penalty, model_takes, loss_takes), {}
        return autograd.compile(function, backend=self.backend, **options).functional(self.model)


def chosen_from(
    part: Sequence[int], samples: Sequence[int], factors: list[list[float]]
) -> tuple[Sequence[int], list[list[float]]]:  # fmt: skip
    """Some of the samples, with their factors."""
    if len(part) == len(samples):
        return samples, factors
    return [samples[k] for k in part], [factors[k] for k in part if factors]


# What is compiled are functions that know nothing of the data: everything that a compiled function refers to is compared at
# every call.


def sample_loss(loss: Any, model_takes: Any, loss_takes: Any) -> Callable[..., Any]:
    """The loss of one sample."""

    def objective(model: Module, inputs: Any, targets: Any, factors: Any = ()) -> Any:
        with dropping(model, factors):
            return loss([model(model_takes(inputs))], [loss_takes(targets)])

    return objective


def batch_loss(loss: Any, penalty: Any, model_takes: Any, loss_takes: Any) -> Callable[..., Any]:
    """The loss of a batch, and the penalty."""

    def objective(model: Module, inputs: Any, targets: Any, factors: Any = ()) -> Any:
        with dropping(model, factors):
            found = loss([model(model_takes(x)) for x in inputs], [loss_takes(target) for target in targets])
        return found if penalty is None else found + penalty(model)

    return objective


def sample_output(model_takes: Any) -> Callable[..., Any]:
    """What a model makes of one sample."""

    def forward(model: Module, inputs: Any, factors: Any = ()) -> Any:
        with dropping(model, factors):
            return model(model_takes(inputs))

    return forward


def batch_outputs(model_takes: Any) -> Callable[..., Any]:
    """What a model makes of samples."""

    def forward(model: Module, inputs: Any, factors: Any = ()) -> Any:
        with dropping(model, factors):
            return [model(model_takes(x)) for x in inputs]

    return forward


@contextmanager
def dropping(model: Module, factors: Any) -> Iterator[None]:
    """Make Dropout use these factors, one after the other, instead of drawing."""
    given = iter(factors)
    with given_to(dict.fromkeys(dropouts_of(model), given)):
        yield


def dropouts_of(model: Module) -> list[Dropout]:
    """The modules of a model that drop numbers."""
    return [module for module in model.modules() if isinstance(module, Dropout) and module.rate]


class Samples:
    """Samples as arrays where they are numbers: one array of them all if they have one shape."""

    def __init__(self, samples: Sequence[Any]) -> None:
        self.np, self.samples = numpy(), samples
        whole = self.array(samples)
        self.stack = whole
        self.arrays = [] if whole is not None else [self.array(sample) for sample in samples]
        self.are_arrays = whole is not None or all(array is not None for array in self.arrays)
        found = [whole] if whole is not None else self.arrays
        self.are_integers = self.are_arrays and all(array.dtype.kind in "iu" for array in found)
        self.as_floats = self.are_arrays and not self.are_integers
        self.restored = same if isinstance(samples[0], self.np.ndarray) else listed

    def __getstate__(self) -> dict[str, Any]:
        """What a worker needs: arrays, and the samples themselves only where they are no arrays."""
        return vars(self) | {"np": None, "samples": None if self.are_arrays else self.samples}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, np=numpy())

    def array(self, x: Any) -> Any:
        """Something as an array of numbers, or None."""
        try:
            found = self.np.asarray(x)
        except ValueError:  # lists of several lengths
            return None
        return found if found.dtype.kind in "fiub" else None

    def be_floats(self) -> None:
        """Take integers for numbers like others."""
        self.are_integers, self.as_floats = False, self.are_arrays

    def shape(self, i: int) -> tuple[int, ...]:
        """The shape of one sample; of what is no array, its length."""
        if self.stack is not None:
            shape: tuple[int, ...] = self.stack.shape[1:]
            return shape
        return self.arrays[i].shape if self.arrays[i] is not None else (-1, len(self.samples[i]))

    def taken(self, chosen: Sequence[int], *, stacked: bool) -> Any:
        """Some samples, in one array if they have one shape."""
        if self.stack is not None:
            rows = slice(chosen.start, chosen.stop, chosen.step) if isinstance(chosen, range) else self.np.asarray(chosen)
            found = self.stack[rows]
            return found.astype(float, copy=False) if self.as_floats else found
        if not self.are_arrays:
            return [self.samples[i] for i in chosen]
        parts = [self.arrays[i].astype(float, copy=False) if self.as_floats else self.arrays[i] for i in chosen]
        return self.np.stack(parts) if stacked else parts


def listed(x: Any) -> Any:
    """An array as nested lists."""
    return x.tolist() if hasattr(x, "tolist") else x


def same(x: Any) -> Any:
    """An array as it is."""
    return x


def numpy() -> Any:
    """NumPy. Raises ImportError where it is missing."""
    try:
        import numpy as np
    except ImportError:
        raise ImportError("fit(compile=True) keeps the parameters in arrays: pip install numpy") from None
    return np
