"""The room of training: one loop from data to a trained model, with a progress bar and a history."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from autograd import Value
from nn.module import Module
from nn.optim import SGD, Optimizer

__all__ = ["History", "fit"]


class History:
    """What happened in a training: the loss of every epoch, the metrics, and why it ended."""

    def __init__(self) -> None:
        self.loss: list[float] = []
        self.metrics: dict[str, list[float]] = {}
        self.stopped = "all epochs are done"

    def __repr__(self) -> str:
        last = f", loss {self.loss[0]:.4g} -> {self.loss[-1]:.4g}" if self.loss else ""
        return f"History({len(self.loss)} epochs{last}; {self.stopped})"


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
    metrics: Mapping[str, Callable[[list[float], list[Any]], float]] | None = None,
    tolerance: float | None = None,
    patience: int = 10,
    seed: int = 0,
    progress: bool | None = None,
) -> History:
    """Train `model` to predict `targets` from `inputs`; returns the History.

    Each epoch visits all samples once: in one step, or in shuffled minibatches of `batch_size` (`seed` fixes the order).
    `loss(predictions, targets)` is minimised, plus `penalty(model)`; `metrics` see the numbers of the same predictions. The
    default optimizer is SGD(lr=0.01). With `tolerance`, training ends when `patience` epochs did not lower the best loss by
    that fraction of it. `progress` shows a bar (tqdm; by default where it is installed). Ctrl-C ends the training cleanly:
    the model keeps the last complete step.

    Raises ValueError for no samples or lengths that differ, FloatingPointError when the loss is not finite.

    >>> from nn import Neuron, mse_loss
    >>> line = Neuron(1, nonlin=False, seed=0)
    >>> history = fit(line, [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0], loss=mse_loss,
    ...               optimizer=SGD(line.parameters(), lr=0.1), epochs=200, progress=False)
    >>> round(line.w[0].data, 3), round(line.b.data, 3)
    (2.0, 1.0)
    """
    if len(inputs) != len(targets) or len(inputs) == 0:
        raise ValueError(f"fit needs inputs, and as many targets; got {len(inputs)} inputs and {len(targets)} targets")
    if batch_size is not None and batch_size < 1:
        raise ValueError(f"fit needs a batch_size of at least 1, not {batch_size}")
    optimizer = optimizer or SGD(model.parameters())
    history, order, best, waited = History(), list(range(len(inputs))), math.inf, 0
    shuffle = random.Random(seed).shuffle
    with bar(epochs, progress) as show:
        try:
            for epoch in range(epochs):
                if batch_size is not None:
                    shuffle(order)
                scores = [0.0] * len(order)
                total = 0.0
                for batch in batches(order, batch_size):
                    predictions = [model(inputs[i]) for i in batch]
                    cost = loss(predictions, [targets[i] for i in batch])
                    objective = cost if penalty is None else cost + penalty(model)
                    if not math.isfinite(objective):
                        raise FloatingPointError(
                            f"the loss is {float(objective)} in epoch {epoch + 1}; lower the learning rate, or look for the "
                            "cause with autograd.detect_anomaly()"
                        )
                    optimizer.zero_grad()
                    objective.backward()
                    optimizer.step()
                    total += float(objective) * len(batch)
                    for i, prediction in zip(batch, predictions):
                        scores[i] = numbers(prediction)
                history.loss.append(total / len(order))
                for name, metric in (metrics or {}).items():
                    history.metrics.setdefault(name, []).append(float(metric(scores, list(targets))))
                show({"loss": history.loss[-1], **{name: values[-1] for name, values in history.metrics.items()}})
                if tolerance is not None:
                    waited = 0 if history.loss[-1] < best - tolerance * abs(best) or best == math.inf else waited + 1
                    best = min(best, history.loss[-1])
                    if waited >= patience:
                        history.stopped = f"converged: {patience} epochs without a lower loss"
                        break
        except KeyboardInterrupt:
            history.stopped = "interrupted"
    return history


def numbers(prediction: Any) -> Any:
    """A prediction without its graph."""
    return prediction.data if isinstance(prediction, Value) else [numbers(part) for part in prediction]


def batches(order: Sequence[int], size: int | None) -> Iterator[Sequence[int]]:
    """The samples in parts of `size`; all at once without one."""
    size = size or len(order)
    for start in range(0, len(order), size):
        yield order[start : start + size]


class bar:  # noqa: N801 - used as a word
    """A progress bar with the latest numbers, where it is wanted."""

    def __init__(self, total: int, wanted: bool | None) -> None:
        self.progress: Any = None
        if wanted is False:
            return
        try:
            from tqdm.auto import tqdm
        except ImportError:
            if wanted:
                raise ImportError("the progress bar needs tqdm: pip install tqdm, or fit(..., progress=False)") from None
            return
        self.progress = tqdm(total=total, unit="epoch")

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
