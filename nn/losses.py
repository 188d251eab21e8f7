"""The room of losses: how far predictions are from targets, as one Value."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import autograd
from nn.module import Module

__all__ = ["hinge_loss", "l2_penalty", "mse_loss"]


def mse_loss(predictions: Any, targets: Any) -> Any:
    """The mean of the squared differences; predictions may be numbers or lists of numbers.

    >>> mse_loss([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    pairs = list(paired(predictions, targets, "mse_loss"))
    return autograd.mean([(prediction - target) ** 2 for prediction, target in pairs])


def hinge_loss(scores: Any, targets: Any) -> Any:
    """The mean of max(0, 1 - target * score), for targets -1 and 1: the margin loss of support vector machines.

    >>> hinge_loss([2.0, 0.5], [1, -1])
    0.75
    """
    pairs = list(paired(scores, targets, "hinge_loss"))
    for _, target in pairs:
        if target not in (-1, 1):
            raise ValueError(f"hinge_loss needs targets -1 and 1, not {target!r}")
    return autograd.mean([autograd.relu(1.0 - target * score) for score, target in pairs])


def l2_penalty(model: Module | Iterable[Any], strength: float) -> Any:
    """`strength` times the sum of the squares of all parameters, biases included."""
    parameters = model.parameters() if isinstance(model, Module) else list(model)
    return strength * autograd.dot(parameters, parameters)


def paired(predictions: Any, targets: Any, loss: str) -> Iterable[tuple[Any, Any]]:
    """Predictions with their targets, lists of lists included; a length that differs raises ValueError."""
    if not is_sequence(predictions):
        yield predictions, targets
        return
    if not is_sequence(targets) or len(predictions) != len(targets):
        count = len(targets) if is_sequence(targets) else 1
        raise ValueError(f"{loss} got {len(predictions)} predictions and {count} targets")
    if len(predictions) == 0:
        raise ValueError(f"{loss} needs at least one prediction")
    for prediction, target in zip(predictions, targets):
        yield from paired(prediction, target, loss)


def is_sequence(x: Any) -> bool:
    return isinstance(x, Sequence) or bool(getattr(x, "ndim", 0))
