"""The room of training: one loop from data to a trained model, with a progress bar and a history."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from typing import Any

from autograd import no_grad
from nn.compiled import CompiledSteps
from nn.history import History
from nn.module import Module, check_size
from nn.optim import SGD, Optimizer
from nn.parallel import ParallelSteps
from nn.saving import load, save
from nn.split import SplitSteps
from nn.steps import Steps, numbers

__all__ = ["fit"]

Metrics = Mapping[str, Callable[[list[Any], list[Any]], float]]


def fit(
    model: Module,
    inputs: Sequence[Any],
    targets: Sequence[Any],
    *,
    loss: Callable[[list[Any], list[Any]], Any],
    optimizer: Optimizer | None = None,
    epochs: int = 100,
    batch_size: int | None = None,
    penalty: Callable[[Module], Any] | None = None,
    clip_norm: float | None = None,
    metrics: Metrics | None = None,
    validation: tuple[Sequence[Any], Sequence[Any]] | None = None,
    tolerance: float | None = None,
    patience: int = 10,
    callbacks: Sequence[Callable[[History], Any]] = (),
    checkpoint: str | os.PathLike[str] | None = None,
    seed: int = 0,
    compile: bool | str = False,
    executor: Executor | Any = None,
    workers: int | None = None,
    progress: bool | None = None,
) -> History:
    """Train `model` to predict `targets` from `inputs`; returns the History.

    Each epoch visits all samples once: in one step, or in shuffled minibatches of `batch_size` (`seed` fixes the order).
    `loss(predictions, targets)` is minimised, plus `penalty(model)`; `metrics` see the numbers of the same predictions. The
    default optimizer is SGD(lr=0.01). `validation` holds inputs and targets that are only judged, with the model in evaluation.

    With `tolerance`, training ends when `patience` epochs did not lower the best loss by that fraction of it. Each of
    `callbacks` is called with the History after every epoch, and ends the training by returning True. `progress` shows a bar
    (tqdm; by default where it is installed). Ctrl-C ends the training cleanly: the model keeps the last complete step.

    `clip_norm` bounds the Euclidean norm of the gradient of a step. `compile` traces the steps and runs them as programs of
    arrays (see `autograd.compile`), to the same numbers up to the order of additions; the data are read when the training
    begins, and an optimizer moves by its formula `move` alone; the model and the optimizer are up to
    date whenever validation, callbacks and checkpoints look at them, and at the end, however it comes. A loss of `nn` is traced
    for one sample; for a loss of your own, a batch is traced as a whole, unless you say with "mean" or "sum" what it is of the
    losses of its samples alone.

    `executor`, any of `concurrent.futures`, or Dask's `Client(...)`, splits the gradients of each batch over its workers: the
    same numbers up to the order of additions, which does not depend on who is ready first. Each batch has as many pieces as
    there are `workers`: by default, as many as the executor tells (Dask: the threads of all workers), or else as this machine
    has processors. The samples of a worker that is lost are sent again, with a warning, and RuntimeError is raised where three
    in a row are lost; if the executor takes none any more, the training goes on in this process. The loss must be the mean or
    the sum of the losses of samples. By the engine, that is tried out where it is not known, and Dropout draws anew in every
    piece of a batch. With `compile`, a loss of your own needs "mean" or "sum", Dropout draws what it draws in one process, and
    every worker gets the data and the model once: samples must be arrays of numbers, and targets of one shape.

    `checkpoint` names a .json or .safetensors file that is written after every epoch. If it exists, training goes on from it
    and comes to the same numbers as without a break.

    Raises ValueError for no samples or lengths that differ, for an optimizer of another model, or for a loss that cannot be
    split; TypeError for what cannot be sent to the workers; RuntimeError for samples on which workers are lost again and again;
    FloatingPointError when the loss is not finite. What a model or a loss raises in a worker is raised here.

    >>> from nn import Neuron, mse_loss
    >>> line = Neuron(1, nonlin=False, seed=0)
    >>> history = fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], loss=mse_loss,
    ...               optimizer=SGD(line.parameters(), lr=0.1), epochs=200, progress=False)
    >>> round(line.w[0].data, 3), round(line.b.data, 3)
    (2.0, 1.0)
    """
    check_samples(inputs, targets, "inputs")
    if validation is not None:
        check_samples(*validation, "validation inputs")
    check_settings(model, loss, optimizer, epochs, batch_size)
    check_execution(compile, executor, workers)
    optimizer = optimizer or SGD(model.parameters())
    history, named, was_training = History(), dict(metrics or {}), model.training
    if checkpoint is not None and os.path.exists(checkpoint):
        load(checkpoint, model, optimizer, history)
    parts = (model, inputs, targets, loss, penalty, optimizer, clip_norm)
    steps = steps_of(parts, compile, executor, workers, predicting=bool(named))
    steps.expected = (epochs - len(history.loss)) * -(-len(inputs) // (batch_size or len(inputs)))
    with bar(epochs, len(history.loss), progress) as show:
        try:
            for epoch in range(len(history.loss), epochs):
                model.train()
                judge(history, *learn(steps, len(inputs), batch_size, seed, epoch), named, targets)
                if validation is not None or checkpoint is not None or callbacks:
                    steps.settle()
                if validation is not None:
                    validate(history, model.eval(), validation, loss, named)
                if checkpoint is not None:
                    save(checkpoint, model, optimizer, history)
                show(history.latest())
                if True in [callback(history) for callback in callbacks]:
                    history.stopped = "ended by a callback"
                    break
                if tolerance is not None and history.settled(tolerance, patience):
                    history.stopped = f"converged: {patience} epochs without a lower loss"
                    break
        except KeyboardInterrupt:
            history.stopped = "interrupted"
        finally:
            steps.settle()
            model.train(was_training)
    return history


def check_settings(model: Any, loss: Any, optimizer: Any, epochs: int, batch_size: int | None) -> None:
    """Raise TypeError or ValueError for what cannot be trained."""
    if not isinstance(model, Module):
        raise TypeError(f"fit trains a Module of nn, not {type(model).__name__} {model!r}")
    if batch_size is not None:
        check_size(batch_size, "the batch_size of fit")
    check_size(epochs, "the number of epochs of fit", least=0)
    if not callable(loss):
        raise TypeError(f"fit needs a loss that is a function, such as nn.mse_loss, not {loss!r}")
    if optimizer is not None:
        check_optimizer(optimizer, model)


def check_execution(compile: Any, executor: Any, workers: Any) -> None:
    """Raise ValueError or TypeError for settings that name no way of taking steps."""
    if workers is not None:
        check_size(workers, "the number of workers of fit")
        if executor is None:
            raise ValueError(f"fit got workers={workers} and no executor that has them; add executor=")
    if compile not in (False, True, "mean", "sum"):
        raise ValueError(f"fit needs compile of True, 'mean' or 'sum', not {compile!r}")


def steps_of(
    parts: tuple[Any, ...], compile: bool | str, executor: Any, workers: int | None, *, predicting: bool
) -> Steps:  # fmt: skip
    """The steps of a training: compiled, split over workers, or taken by the engine."""
    if compile:
        options: Any = {"reduction": "" if compile is True else compile, "predicting": predicting}
        if executor is None:
            return CompiledSteps(*parts, **options)
        return SplitSteps(*parts, **options, executor=executor, workers=workers)
    return Steps(*parts) if executor is None else ParallelSteps(*parts, executor=executor, workers=workers)


def check_optimizer(optimizer: Any, model: Module) -> None:
    """Raise TypeError for what is no optimizer, or ValueError for one that moves nothing of the model."""
    if not isinstance(optimizer, Optimizer):
        name = optimizer.__name__ if isinstance(optimizer, type) else "Adam"
        raise TypeError(f"fit needs an optimizer such as nn.{name}(model.parameters()), not {optimizer!r}")
    if not {*optimizer.parameters} & {*model.named_parameters().values()}:
        raise ValueError("the optimizer moves no parameter of this model; make it of model.parameters()")


def learn(steps: Steps, count: int, batch_size: int | None, seed: int, epoch: int) -> tuple[float, list[Any]]:
    """One epoch; returns its mean loss and the numbers that were predicted, in the order of the samples."""
    order: Sequence[int] = range(count)
    if batch_size is not None:
        order = list(order)
        random.Random(f"{seed}, epoch {epoch}").shuffle(order)
    steps.epoch, total, predicted = epoch, 0.0, [0.0] * count
    for batch in batches(order, batch_size):
        loss, predictions = steps.step(batch)
        total += loss * len(batch)
        for i, prediction in zip(batch, predictions):
            predicted[i] = numbers(prediction)
    return total / count, predicted


def judge(history: History, loss: float, predicted: list[Any], metrics: Metrics, targets: Sequence[Any]) -> None:
    """Write down what an epoch came to."""
    measured = {name: float(metric(predicted, list(targets))) for name, metric in metrics.items()}
    history.loss.append(loss)
    for name, value in measured.items():
        history.metrics.setdefault(name, []).append(value)


def validate(history: History, model: Module, data: tuple[Sequence[Any], Sequence[Any]], loss: Any, metrics: Metrics) -> None:
    """Write down how the model does on data it does not learn from."""
    with no_grad():
        predictions = [model(x) for x in data[0]]
        found = {"loss": float(loss(predictions, list(data[1])))}
    predicted = [numbers(prediction) for prediction in predictions]
    found |= {name: float(metric(predicted, list(data[1]))) for name, metric in metrics.items()}
    for name, value in found.items():
        history.validation.setdefault(name, []).append(value)


def check_samples(inputs: Sequence[Any], targets: Sequence[Any], name: str) -> None:
    if len(inputs) != len(targets) or len(inputs) == 0:
        raise ValueError(f"fit needs {name}, and as many targets; got {len(inputs)} inputs and {len(targets)} targets")


def batches(order: Sequence[int], size: int | None) -> Iterator[Sequence[int]]:
    """The samples in parts of `size`; all at once without one."""
    size = size or len(order)
    for start in range(0, len(order), size):
        yield order[start : start + size]


class bar:  # noqa: N801 - used as a word
    """A progress bar with the latest numbers, where it is wanted."""

    def __init__(self, total: int, done: int, wanted: bool | None) -> None:
        self.progress: Any = None
        if wanted is False:
            return
        try:
            from tqdm.auto import tqdm
        except ImportError:
            if wanted:
                raise ImportError("the progress bar needs tqdm: pip install tqdm, or fit(..., progress=False)") from None
            return
        self.progress = tqdm(total=total, initial=done, unit="epoch")

    def __enter__(self) -> Callable[[dict[str, float]], None]:
        return self.show

    def show(self, latest: dict[str, float]) -> None:
        """One more epoch is done."""
        if self.progress is not None:
            self.progress.set_postfix({name: f"{number:.4g}" for name, number in latest.items()}, refresh=False)
            self.progress.update()

    def __exit__(self, *error: object) -> None:
        if self.progress is not None:
            self.progress.close()
