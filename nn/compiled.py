"""The room of compiled training: steps by programs, with the parameters and the memory of the optimiser in arrays."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from operator import is_
from typing import Any

import autograd
from autograd import TraceError, no_grad
from nn.linear import Dropout
from nn.losses import check_targets, known
from nn.module import Module
from nn.optim import Optimizer, shrinking
from nn.steps import Steps, check_finite

__all__ = ["CompiledSteps"]

MANY = 32  # programs for one training



def check_formula(optimizer: Optimizer) -> None:
    """Raise TypeError for an optimizer that does more in a step than its formula says, which is all that arrays are moved by."""
    for name in ("step", "zero_grad"):
        if name in vars(optimizer) or getattr(type(optimizer), name) is not getattr(Optimizer, name):
            raise TypeError(
                f"fit(compile=True) moves arrays by the formula of the optimizer, and {type(optimizer).__name__} has a {name}() "
                "of its own; define move(self, at, grad, lr, *memory), or leave compile out"
            )


class CompiledSteps(Steps):
    """Steps by programs, until somebody looks: `settle` writes the arrays back into the model and the optimiser.

    `reduction` says that the loss of a batch is the mean or the sum of what it is for each sample alone, which is so for the
    losses of `nn`: then one sample is traced, and a batch runs along an axis of its program. Otherwise a batch is traced as a
    whole.
    """

    def __init__(self, *arguments: Any, reduction: str, predicting: bool) -> None:
        super().__init__(*arguments)
        self.np, self.predicting = numpy(), predicting
        check_targets(self.loss, self.targets)
        check_formula(self.optimizer)
        name, known_reduction = known(self.loss)
        self.data = [Samples(self.inputs), Samples(self.targets)]
        if name not in ("", "cross_entropy"):
            self.data[1].be_floats()
        # The loss has as many terms for one sample as for another if all targets have one shape.
        alone = self.data[0].are_arrays and self.data[1].stack is not None
        self.reduction = (reduction or known_reduction) if alone else ""
        self.parameters = self.model.parameters()
        self.moved = self.places()
        self.dropouts = [module for module in self.model.modules() if isinstance(module, Dropout) and module.rate]
        self.sites: dict[Any, list[Dropout]] = {}  # who drops, one number after the other, in a sample of some shape
        self.program: Any = None
        self.forward: Any = None
        self.penalties: Any = None
        self.shapes: set[Any] = set()
        self.is_observed = autograd.compile(same).is_observed
        self.weights: Any = None  # and the gradient of the last step, while nobody looks
        self.gradient: Any = None

    def places(self) -> Any:
        """Where the parameters that the optimiser moves are among those of the model."""
        moved, own = self.optimizer.parameters, self.parameters
        if len(moved) == len(own) and all(map(is_, moved, own)):
            return slice(None)
        at = {p: k for k, p in enumerate(self.parameters)}
        foreign = [p for p in self.optimizer.parameters if p not in at]
        if foreign:
            raise ValueError(
                f"fit(compile=True) moves the parameters of the model, and the optimizer has {len(foreign)} others, such as "
                f"{foreign[0]!r}; make the optimizer of model.parameters(), or leave compile out"
            )
        return self.np.array([at[p] for p in self.optimizer.parameters])

    def step(self, batch: Sequence[int]) -> tuple[float, list[Any]]:
        """Move the parameters by the gradient of some samples; returns their loss, and what was predicted if it is wanted."""
        if self.is_observed():  # by detect_anomaly, say
            self.settle()
            return super().step(batch)
        if self.weights is None:
            self.look_at_model()
            self.weights = self.np.array([p.data for p in self.parameters])
        factors = [[site.factor() for site in self.sites_of(i)] for i in batch] if self.dropouts else []
        value, gradient = 0.0, self.np.zeros_like(self.weights)
        for part in self.parts(batch):
            share = len(part) / len(batch) if self.reduction == "mean" else 1.0
            found, slopes = self.of_samples([batch[k] for k in part], [factors[k] for k in part if factors])
            value, gradient = value + share * found, gradient + share * slopes
        if self.penalties is not None:
            found, slopes = self.penalties.without_hooks(self.weights)
            value, gradient = value + found, gradient + slopes
        gradient = self.program.listened(gradient)
        check_finite(value, self.epoch)
        if self.clip_norm is not None:
            gradient = gradient * shrinking(gradient[self.moved].tolist(), self.clip_norm)[1]
        weights = self.weights.copy()
        weights[self.moved] -= self.optimizer.step_of(self.weights[self.moved], gradient[self.moved])
        predictions = self.predicted(batch, factors) if self.predicting else []
        self.weights, self.gradient = weights, gradient
        return value, predictions

    def look_at_model(self) -> None:
        """After somebody could change the model, a callback say: programs of a model that is another now are dropped."""
        if self.program is not None and not self.program.is_same_model():
            self.program = self.forward = self.penalties = None
            self.parameters = self.model.parameters()
            self.moved = self.places()
            self.dropouts = [module for module in self.model.modules() if isinstance(module, Dropout) and module.rate]
            self.sites.clear()

    def predicted(self, batch: Sequence[int], factors: list[list[float]]) -> list[Any]:
        """What the model makes of some samples, with the weights before the step."""
        if self.forward is None:
            self.forward = autograd.compile(outputs(self.data[0].restored)).functional(self.model)
        inputs, _, *drawn = self.arguments(batch, factors)
        found: list[Any] = self.forward.value(self.weights, inputs, *[array.ravel() for array in drawn])
        return found

    def settle(self) -> None:
        """Write the numbers into the Values of the model, and the memory of the optimiser into lists."""
        if self.gradient is not None:
            for p, number, slope in zip(self.parameters, self.weights.tolist(), self.gradient.tolist()):
                p.data, p.grad = number, slope
            self.optimizer.state = {kind: [float(x) for x in numbers] for kind, numbers in self.optimizer.state.items()}
        self.weights = self.gradient = None

    def parts(self, batch: Sequence[int]) -> list[Sequence[int]]:
        """The places of a batch in parts that one program serves: samples of one shape if they are traced alone."""
        everything = range(len(batch))
        if self.data[0].stack is not None:
            return [everything]
        shapes = [self.data[0].shape(i) for i in batch]
        if self.reduction:
            return [[k for k in everything if shapes[k] == shape] for shape in dict.fromkeys(shapes)]
        self.shapes.add(tuple(shapes))
        if len(self.shapes) == MANY:
            warnings.warn(
                f"fit(compile=True) has made {MANY} programs, one for every order of shapes in a batch; use batch_size=1, "
                "samples of one shape, or say that the loss is a mean over samples: compile='mean'", RuntimeWarning, stacklevel=5,
            )  # fmt: skip
        return [everything]

    def of_samples(self, samples: Sequence[int], factors: list[list[float]]) -> tuple[float, Any]:
        """The value and the gradient of some samples."""
        if self.program is None:
            self.program = self.chosen(samples, factors)
            self.program.expect(self.expected)
        found: tuple[float, Any] = self.program.without_hooks(self.weights, *self.arguments(samples, factors))
        return found

    def arguments(self, samples: Sequence[int], factors: list[list[float]]) -> list[Any]:
        """What the program is called with: inputs, targets, and the factors of Dropout."""
        given: list[Any] = [data.taken(samples, stacked=bool(self.reduction)) for data in self.data]
        if factors:
            given.append(self.np.array(factors if self.reduction else [x for row in factors for x in row]))
        return given

    def chosen(self, samples: Sequence[int], factors: list[list[float]]) -> Any:
        """The program of a step: of one sample if that can be, else of a batch.

        Integers stay integers where the model or the loss indexes with them; where they are numbers like others, a program
        would be good for these numbers alone.
        """
        integers = [data for data in self.data if data.are_integers]
        attempts = [[], *[[data] for data in integers], integers][: 2 ** len(integers)]
        reductions = [self.reduction, ""] if self.reduction else [""]
        refusal: TraceError | None = None
        for self.reduction in reductions:
            for others in attempts:
                for data in integers:
                    data.as_floats = data in others
                compiled = self.compiled()
                program = compiled.functional(self.model)
                try:
                    program.without_hooks(self.weights, *self.arguments(samples, factors))
                except TraceError as error:
                    refusal = refusal or error
                    continue
                if others is attempts[-1] or not any(line.startswith(("inputs.", "targets.")) for line in compiled.frozen):
                    if self.reduction and self.penalty is not None:
                        self.penalties = autograd.compile(self.penalty).functional(self.model)
                    return program
        raise refusal or TraceError("fit(compile=True) found no program for the loss; leave compile out")

    def compiled(self) -> Any:
        """The loss of one sample, to be run along an axis of samples, or the loss of a batch."""
        model_takes, loss_takes = (data.restored for data in self.data)
        if self.reduction:
            function = sample_loss(self.loss, model_takes, loss_takes)
            return autograd.compile(function, batch=(1, 2, 3) if self.dropouts else (1, 2), reduce=self.reduction)
        return autograd.compile(batch_loss(self.loss, self.penalty, model_takes, loss_takes))

    def sites_of(self, i: int) -> list[Dropout]:
        """The Dropout of every number that is dropped or not in a sample, in the order in which it happens."""
        shape = self.data[0].shape(i)
        if shape not in self.sites:
            found: list[Dropout] = []

            def counting(dropout: Dropout) -> Iterator[float]:
                while True:
                    found.append(dropout)
                    yield 1.0

            for dropout in self.dropouts:
                dropout.given = counting(dropout)
            try:
                with no_grad():
                    self.model(self.inputs[i])
            finally:
                for dropout in self.dropouts:
                    del dropout.given
            self.sites[shape] = found
        return self.sites[shape]


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


def outputs(model_takes: Any) -> Callable[..., Any]:
    """What a model makes of samples."""

    def forward(model: Module, inputs: Any, factors: Any = ()) -> Any:
        with dropping(model, factors):
            return [model(model_takes(x)) for x in inputs]

    return forward


@contextmanager
def dropping(model: Module, factors: Any) -> Iterator[None]:
    """Make Dropout use these factors, one after the other, instead of drawing."""
    dropouts, given = [module for module in model.modules() if isinstance(module, Dropout)], iter(factors)
    for dropout in dropouts:
        dropout.given = given
    try:
        yield
    finally:
        for dropout in dropouts:
            del dropout.given


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
            found = self.stack[self.np.asarray(chosen)]
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
    try:
        import numpy as np
    except ImportError:
        raise ImportError("fit(compile=True) keeps the parameters in arrays: pip install numpy") from None
    return np
