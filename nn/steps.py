"""The room of steps: one step of a training by the engine, on the Values of a model."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd import Value
from nn.module import Module
from nn.optim import Optimizer, clip_grad_norm

__all__ = ["Steps", "check_finite", "numbers", "require_value"]


class Steps:
    """Steps of a training by the engine."""

    def __init__(
        self, model: Module, inputs: Sequence[Any], targets: Sequence[Any], loss: Callable[..., Any],
        penalty: Callable[[Module], Any] | None, optimizer: Optimizer, clip_norm: float | None,
    ) -> None:  # fmt: skip
        self.model, self.inputs, self.targets, self.loss = model, inputs, targets, loss
        self.penalty, self.optimizer, self.clip_norm = penalty, optimizer, clip_norm
        self.epoch, self.expected = 0, 0  # the epoch, and how many steps the training will take

    def step(self, batch: Sequence[int]) -> tuple[float, list[Any]]:
        """Move the parameters by the gradient of some samples; returns their loss and what was predicted."""
        predictions = [self.model(self.inputs[i]) for i in batch]
        objective = self.loss(predictions, [self.targets[i] for i in batch])
        require_value(objective)
        if self.penalty is not None:
            objective = objective + self.penalty(self.model)
        check_finite(float(objective), self.epoch)
        self.optimizer.zero_grad()
        objective.backward()
        if self.clip_norm is not None:
            clip_grad_norm(self.optimizer.parameters, self.clip_norm)
        self.optimizer.step()
        return float(objective), predictions

    def settle(self) -> None:
        """Make the model and the optimiser be as after the last step, for somebody looks at them."""


def require_value(loss: Any) -> None:
    """Raise TypeError for what leads nowhere."""
    if isinstance(loss, Value):
        return
    found = f"the loss must return a Value, not {type(loss).__name__} {loss!r}"
    if not hasattr(loss, "__float__"):
        raise TypeError(f"{found}; is a return missing?")
    raise TypeError(
        f"{found}: it was computed from the numbers in the predictions, by math or .data say; "
        "write it with the functions of autograd"
    )


def check_finite(loss: float, epoch: int) -> None:
    """Raise FloatingPointError for a loss that no step can be taken on."""
    if not math.isfinite(loss):
        raise FloatingPointError(
            f"the loss is {loss} in epoch {epoch + 1}; lower the learning rate, look for nan in the data, or for the cause with "
            "autograd.detect_anomaly()"
        )


def numbers(prediction: Any) -> Any:
    """A prediction without its graph."""
    if isinstance(prediction, (Value, float)):
        return float(prediction)
    return [numbers(part) for part in prediction]
