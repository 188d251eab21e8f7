"""The room of training on several cores or machines: the gradient of a batch, split over the workers of an executor."""

from __future__ import annotations

import copy
import math
import os
import pickle
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from operator import mul
from typing import Any, NamedTuple

from autograd import Value, dot, no_grad
from nn.generators import generators, restore, state_of
from nn.losses import known
from nn.module import Module
from nn.optim import clip_grad_norm
from nn.steps import Steps, check_finite, numbers, require_value

__all__ = ["ParallelSteps"]

ALIKE = 1e-9  # relative difference of sums in another order


class Piece(NamedTuple):
    """What a worker finds out about its samples: their loss, its gradient by every parameter, and what was predicted."""

    loss: float
    gradient: list[float]
    predictions: list[Any]


class ParallelSteps(Steps):
    """Steps of a training whose gradients are found by the workers of an executor, in equal pieces of a batch.

    Where it is not known that the loss of a batch is the mean or the sum of the losses of its samples, every batch tries it out.
    The pieces are added up in their order, so the numbers are those of one process up to the order of additions, however the
    workers are scheduled. Dropout draws anew in every piece, from a generator that the epoch, the batch and the piece fix.
    A worker that is lost costs its piece, which is then computed here, with a warning.
    """

    def __init__(self, *arguments: Any, executor: Executor, workers: int | None = None) -> None:
        super().__init__(*arguments)
        if not callable(getattr(executor, "submit", None)):
            raise TypeError(f"fit(executor=) needs a concurrent.futures.Executor, not {type(executor).__name__} {executor!r}")
        # The mean over numbers is the mean over samples where all samples have as many numbers.
        self.executor, self.reduction = executor, known(self.loss)[1] if is_uniform(self.targets) else ""
        self.workers = workers or workers_of(executor)
        self.shares_memory = isinstance(executor, ThreadPoolExecutor)
        self.batches = 0

    def step(self, batch: Sequence[int]) -> tuple[float, list[Any]]:
        """Move the parameters by the gradient of some samples; returns their loss and what was predicted."""
        reduction = self.reduction or self.found_out(batch)
        count = len(batch)
        cuts = [(k * count // self.workers, (k + 1) * count // self.workers) for k in range(self.workers)]
        parts = [batch[start:stop] for start, stop in cuts if start < stop]
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
        shared = None if self.shares_memory else self.packed((self.model, self.loss))
        tasks: list[tuple[Callable[..., Any], tuple[Any, ...]]] = []
        for k, part in enumerate(parts):
            seed = f"{self.epoch}, {self.batches}, {k}"
            inputs, targets = [self.inputs[i] for i in part], [self.targets[i] for i in part]
            if shared is None:
                tasks.append((of_copy, (copy.deepcopy(self.model), self.loss, inputs, targets, seed)))
            else:
                tasks.append((of_bytes, (shared, self.packed((inputs, targets)), seed)))
        futures: list[Future[Any] | None] = []
        try:
            for function, arguments in tasks:
                futures.append(self.submitted(function, arguments))
            return [self.result(future, *task) for future, task in zip(futures, tasks)]
        except BaseException:
            for future in futures:
                if future is not None:
                    future.cancel()
            raise

    def packed(self, things: Any) -> bytes:
        """What is sent to workers. Raises TypeError for what cannot be."""
        try:
            return dumps(things)
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise TypeError(
                f"fit(executor=) sends the model, the loss and the samples to other processes, and one of them cannot be "
                f"pickled: {error}; define it at the top of a module, or install cloudpickle"
            ) from error

    def submitted(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Future[Any] | None:
        """A task for a worker; None if the executor takes none any more."""
        try:
            return self.executor.submit(function, *arguments)
        except Exception as error:
            self.warn(error)
            return None

    def result(self, future: Future[Any] | None, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Piece:
        """What a worker found; computed here if the worker was lost. Raises what the model or the loss raised."""
        answer = None
        if future is not None:
            try:
                answer = future.result()
            except Exception as error:
                self.warn(error)
        if answer is None:
            answer = function(*arguments)
        if isinstance(answer, Exception):
            raise answer
        return Piece(*answer)

    def warn(self, error: Exception) -> None:
        """Say that a worker was lost."""
        warnings.warn(
            f"a worker of fit(executor=) was lost ({type(error).__name__}: {error}); its samples are computed in this process",
            RuntimeWarning, stacklevel=6,
        )  # fmt: skip


def workers_of(executor: Any) -> int:
    """How many workers an executor has, as far as it tells: the threads of Dask's workers, or a number that it was made with.

    Else as many as this machine has processors. The pieces of a training stay the same, though workers come and go, so that
    its numbers can be had again.
    """
    client = getattr(executor, "_client", executor)
    if callable(threads := getattr(client, "nthreads", None)):
        with suppress(Exception):  # a scheduler that does not answer loses no training
            if isinstance(found := threads(), Mapping) and (total := sum(found.values())) > 0:
                return int(total)
    size = getattr(executor, "_max_workers", None)
    return size if isinstance(size, int) and size > 0 else os.cpu_count() or 1


def is_uniform(targets: Sequence[Any]) -> bool:
    """Whether all targets are single numbers, or lists of numbers as long as each other."""
    shapes = {len(target) if hasattr(target, "__len__") else -1 for target in targets}
    return len(shapes) == 1 and not any(hasattr(part, "__len__") for target in targets if shapes != {-1} for part in target)


def dumps(things: Any) -> bytes:
    """Pickled; with cloudpickle where it is installed, which knows the functions of a script and lambdas too."""
    try:
        import cloudpickle  # type: ignore[import-untyped]
    except ImportError:
        return pickle.dumps(things)
    found: bytes = cloudpickle.dumps(things)
    return found


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


def of_bytes(shared: bytes, samples: bytes, seed: str) -> Any:
    """What a worker in another process does. An error of the model or the loss is an answer: it is not the worker's."""
    try:
        (model, loss), (inputs, targets) = pickle.loads(shared), pickle.loads(samples)
        return of_copy(model, loss, inputs, targets, seed)
    except Exception as error:
        return error


def of_copy(model: Module, loss: Callable[..., Any], inputs: Sequence[Any], targets: Sequence[Any], seed: str) -> Any:
    """The loss of some samples, its gradient and the predictions, by a copy of the model that nobody else uses."""
    try:
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
    except Exception as error:
        return error
