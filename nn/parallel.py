"""The room of training on several cores or machines: the gradient of a batch, split over the workers of an executor."""

from __future__ import annotations

import copy
import math
import pickle
import random
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from io import BytesIO
from operator import mul
from typing import Any, NamedTuple

from autograd import Value, dot, no_grad
from nn.generators import generators, restore, state_of
from nn.losses import known
from nn.module import Module
from nn.optim import clip_grad_norm
from nn.steps import Steps, check_finite, numbers, require_value
from nn.workers import Task, Workers, cuts, dumps

__all__ = ["ParallelSteps"]

ALIKE = 1e-9  # relative difference of sums in another order


class Piece(NamedTuple):
    """What a worker finds out about its samples: their loss, its gradient, and what was predicted."""

    loss: float
    gradient: list[float]
    predictions: list[Any]


class ParallelSteps(Steps):
    """Steps of a training whose gradients are found by the workers of an executor, in equal pieces of a batch.

    Where it is not known that the loss of a batch is the mean or the sum of the losses of its samples, every batch tries it out.
    The pieces are added up in their order, so the numbers are those of one process up to the order of additions, however the
    workers are scheduled. Dropout draws anew in every piece, from a generator that the epoch, the batch and the piece fix.
    A worker that is lost costs its piece, which is sent again, with a warning.
    """

    def __init__(self, *arguments: Any, executor: Executor, workers: int | None = None) -> None:
        super().__init__(*arguments)
        self.workers = Workers(executor, workers)
        # The mean over numbers is the mean over samples where all samples have as many numbers.
        self.reduction = known(self.loss)[1] if is_uniform(self.targets) else ""
        self.batches = 0

    def step(self, batch: Sequence[int]) -> tuple[float, list[Any]]:
        """Move the parameters by the gradient of some samples; returns their loss and what was predicted."""
        reduction = self.reduction or self.found_out(batch)
        parts = cuts(batch, self.workers.count)
        pieces = self.gathered(parts)
        weights = [len(part) / len(batch) if reduction == "mean" else 1.0 for part in parts]
        objective = sum(weight * piece.loss for weight, piece in zip(weights, pieces))
        penalty = self.penalty(self.model) if self.penalty is not None else 0.0
        check_finite(objective + float(penalty), self.epoch)
        self.optimizer.zero_grad()
        parameters = list(self.model.named_parameters().values())
        gradient = [sum(map(mul, weights, slopes)) for slopes in zip(*[piece.gradient for piece in pieces])]
        (dot(parameters, gradient) + penalty).backward()  # one pass, in which hooks see the whole gradient
        if self.clip_norm is not None:
            clip_grad_norm(self.optimizer.parameters, self.clip_norm)
        self.optimizer.step()
        self.batches += 1
        return objective + float(penalty), [prediction for piece in pieces for prediction in piece.predictions]

    def found_out(self, batch: Sequence[int]) -> str:
        """Whether the loss of a batch is the mean or the sum of what it is for pieces of the batch.

        Raises ValueError if it is neither: then it cannot be split.
        """
        if len(batch) == 1:
            return ""
        state = [state_of(rng) for rng in generators(self.model)]
        with no_grad():
            predictions = [self.model(self.inputs[i]) for i in batch]
            targets = [self.targets[i] for i in batch]
            objective = self.loss(predictions, targets)
            require_value(objective)
            whole = float(objective)
            cut = max(1, len(batch) // 3)
            first = float(self.loss(predictions[:cut], targets[:cut]))
            rest = float(self.loss(predictions[cut:], targets[cut:]))
        for rng, before in zip(generators(self.model), state):
            restore(rng, before)
        check_finite(whole, self.epoch)
        share = cut / len(batch)
        for kind, total in (("mean", share * first + (1.0 - share) * rest), ("sum", first + rest)):
            if math.isclose(whole, total, rel_tol=ALIKE, abs_tol=ALIKE * (abs(first) + abs(rest))):
                return kind
        raise ValueError(
            f"fit(executor=) splits a batch, and {self.loss!r} of {len(batch)} samples is {whole!r}, neither the mean nor the "
            f"sum of its value for the first {cut} ({first!r}) and the others ({rest!r}); leave executor out"
        )

    def gathered(self, parts: Sequence[Sequence[int]]) -> list[Piece]:
        """What the workers found, in the order of the parts."""
        shared = None if self.workers.shares_memory else dumps((self.model, self.loss))
        tasks = []
        for k, part in enumerate(parts):
            seed = f"{self.epoch}, {self.batches}, {k}"
            inputs, targets = [self.inputs[i] for i in part], [self.targets[i] for i in part]
            function: Callable[..., Any] = of_copy
            arguments: tuple[Any, ...] = (self.loss, inputs, targets, seed)
            if shared is None:
                arguments = (copy.deepcopy(self.model), *arguments)
            else:
                function, arguments = of_bytes, (shared, dumps((inputs, targets)), seed)
            tasks.append(Task(function, arguments, partial(function, *arguments)))
        return [Piece(*answer) for answer in self.workers.gathered(tasks, self.workers.send(tasks))]


def is_uniform(targets: Sequence[Any]) -> bool:
    """Whether all targets are single numbers, or lists of numbers as long as each other."""
    shapes = {len(target) if hasattr(target, "__len__") else -1 for target in targets}
    return len(shapes) == 1 and not any(hasattr(part, "__len__") for target in targets if shapes != {-1} for part in target)


class Facts(pickle.Pickler):
    """Pickles what is neither a number of the training nor a module nor a generator of random numbers."""

    def persistent_id(self, thing: Any) -> str | None:
        """What stands for all that is left out; None for the rest."""
        left_out = isinstance(thing, (Value, Module, random.Random)) or hasattr(thing, "bit_generator")
        return type(thing).__name__ if left_out else None


def facts(model: Module) -> dict[tuple[int, str], bytes | None]:
    """What the modules are made of beside parameters, by module and attribute; None for what cannot be pickled."""
    found: dict[tuple[int, str], bytes | None] = {}
    for k, module in enumerate(model.modules()):
        for name, part in Module.__getstate__(module).items():
            file = BytesIO()
            try:
                Facts(file).dump(part)
                found[k, f"{type(module).__name__}.{name}"] = file.getvalue()
            except Exception:  # a lambda, say, which threads share
                found[k, f"{type(module).__name__}.{name}"] = None
    return found


def check_unchanged(before: dict[tuple[int, str], Any], after: dict[tuple[int, str], Any]) -> None:
    """Raise TypeError if a model has changed itself: workers have copies, so the change would be lost."""
    for key in [*before, *after]:
        if before.get(key, b"") != after.get(key, b""):
            raise TypeError(
                f"calling the model changes {key[1]}, and the workers of fit(executor=) have copies of the model, whose changes "
                "are lost; leave executor out, or change it outside"
            )


def of_bytes(shared: bytes, samples: bytes, seed: str) -> tuple[Any, ...]:
    """What a worker in another process does."""
    (model, loss), (inputs, targets) = pickle.loads(shared), pickle.loads(samples)
    return of_copy(model, loss, inputs, targets, seed)


def of_copy(model: Module, loss: Callable[..., Any], inputs: Sequence[Any], targets: Sequence[Any], seed: str) -> tuple[Any, ...]:
    """The loss of some samples, its gradient and the predictions, by a copy of the model that nobody else uses."""
    for rng in generators(model):
        fresh = random.Random(f"{state_of(rng)}, {seed}")
        if hasattr(rng, "setstate"):
            rng.setstate(fresh.getstate())
        else:
            rng.bit_generator.state = type(rng.bit_generator)(fresh.getrandbits(64)).state
    for parameter in model.named_parameters().values():
        parameter.grad = 0.0
    before = facts(model)
    predictions = [model(x) for x in inputs]
    check_unchanged(before, facts(model))
    objective = loss(predictions, list(targets))
    require_value(objective)
    objective.backward()
    gradient = [parameter.grad for parameter in model.named_parameters().values()]
    return tuple(Piece(float(objective), gradient, [numbers(prediction) for prediction in predictions]))
