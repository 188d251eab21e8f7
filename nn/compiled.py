"""The room of compiled training: steps by programs, with the parameters and the memory of the optimiser in arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from operator import is_
from typing import Any

import autograd
from autograd import no_grad
from nn.linear import Dropout, given_to
from nn.losses import check_targets, known
from nn.optim import Optimizer, shrinking
from nn.programs import Programs, Samples, dropouts_of, numpy
from nn.steps import Steps, check_finite

__all__ = ["CompiledSteps"]


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

    `reduction` says that the loss of a batch is the mean or the sum of what it is for each sample alone, which is known of the
    losses of `nn`.
    """

    backend = "auto"

    def __init__(self, *arguments: Any, reduction: str, predicting: bool) -> None:
        super().__init__(*arguments)
        self.np, self.predicting = numpy(), predicting
        check_targets(self.loss, self.targets)
        check_formula(self.optimizer)
        name, known_reduction = known(self.loss)
        data = [Samples(self.inputs), Samples(self.targets)]
        if name not in ("", "cross_entropy"):
            data[1].be_floats()
        # The loss has as many terms for one sample as for another if all targets have one shape.
        self.are_alike = data[0].are_arrays and data[1].stack is not None
        reduction = (reduction or known_reduction) if self.are_alike else ""
        self.programs = Programs(self.model, self.loss, self.penalty, data, reduction, self.backend)
        self.look_at_parts()
        self.is_observed = autograd.compile(abs).is_observed
        self.weights: Any = None  # and the gradient of the last step, while nobody looks
        self.gradient: Any = None

    def look_at_parts(self) -> None:
        """Find what the model is made of."""
        self.parameters = self.model.parameters()
        self.moved = self.places()
        self.dropouts = dropouts_of(self.model)
        self.sites: dict[Any, list[Dropout]] = {}  # who drops, one number after the other, in a sample of some shape

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
        """Move the parameters by the gradient of some samples; returns their loss, and what was predicted if it is requested."""
        if self.is_observed():  # by detect_anomaly, say
            self.settle()
            return super().step(batch)
        if self.weights is None:
            self.look_at_model()
            self.programs.expected = self.expected
            self.weights = self.np.array([p.data for p in self.parameters])
        factors = [[site.factor() for site in self.sites_of(i)] for i in batch] if self.dropouts else []
        value, gradient, predictions = self.found(batch, factors)
        gradient = self.programs.program.listened(gradient)
        check_finite(value, self.epoch)
        if self.clip_norm is not None:
            gradient = gradient * shrinking(gradient[self.moved].tolist(), self.clip_norm)[1]
        weights = self.weights.copy()
        weights[self.moved] -= self.optimizer.step_of(self.weights[self.moved], gradient[self.moved])
        self.weights, self.gradient = weights, gradient
        return value, predictions

    def found(self, batch: Sequence[int], factors: list[list[float]]) -> tuple[float, Any, list[Any]]:
        """The objective of some samples, its gradient before the hooks, and what was predicted if it is requested."""
        value, gradient = self.programs.gradient(self.weights, batch, factors)
        penalty, slopes = self.programs.penalized(self.weights)
        predictions = self.programs.predicted(self.weights, batch, factors) if self.predicting else []
        return value + penalty, gradient + slopes, predictions

    def look_at_model(self) -> None:
        """After somebody could change the model, a callback say: programs of a model that is another now are dropped."""
        if self.programs.program is not None and not self.programs.program.is_same_model():
            self.programs.forget()
            self.look_at_parts()

    def settle(self) -> None:
        """Write the numbers into the Values of the model, and the memory of the optimiser into lists."""
        if self.gradient is not None:
            for p, number, slope in zip(self.parameters, self.weights.tolist(), self.gradient.tolist()):
                p.data, p.grad = number, slope
            self.optimizer.state = {kind: [float(x) for x in numbers] for kind, numbers in self.optimizer.state.items()}
        self.weights = self.gradient = None

    def sites_of(self, i: int) -> list[Dropout]:
        """The Dropout of every number that is dropped or not in a sample, in the order in which it happens."""
        shape = self.programs.data[0].shape(i)
        if shape not in self.sites:
            found: list[Dropout] = []

            def counting(dropout: Dropout) -> Iterator[float]:
                while True:
                    found.append(dropout)
                    yield 1.0

            with no_grad(), given_to({dropout: counting(dropout) for dropout in self.dropouts}):
                self.model(self.inputs[i])
            self.sites[shape] = found
        return self.sites[shape]
