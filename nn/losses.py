"""The room of losses: how far predictions are from targets, as one Value.

Predictions and targets are numbers or equally long lists of them, nested as deep as they come. `reduction` is "mean", "sum" or
"none" (the list of all losses). Raises ValueError for lengths that differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import autograd
from autograd import Value
from nn.linear import flatten
from nn.module import Module

__all__ = ["bce_with_logits", "cross_entropy", "hinge_loss", "huber_loss", "l2_penalty", "mae_loss", "mse_loss"]


def mse_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """The squared differences.

    >>> mse_loss([1.0, 2.0], [1.0, 4.0])
    2.0
    """
    return reduced([(p - t) ** 2 for p, t in pairs(predictions, targets, "mse_loss")], reduction)


def mae_loss(predictions: Any, targets: Any, reduction: str = "mean") -> Any:
    """The absolute differences.

    >>> mae_loss([1.0, 2.0], [1.0, 4.0])
    1.0
    """
    return reduced([abs(p - t) for p, t in pairs(predictions, targets, "mae_loss")], reduction)


def huber_loss(predictions: Any, targets: Any, delta: float = 1.0, reduction: str = "mean") -> Any:
    """Half the squared difference up to `delta`, a straight line beyond: Huber, 1964.

    >>> huber_loss([0.5, 4.0], [0.0, 0.0], reduction="none")
    [0.125, 3.5]
    """
    if not delta > 0.0:
        raise ValueError(f"huber_loss needs delta > 0, not {delta!r}")
    losses = []
    for p, t in pairs(predictions, targets, "huber_loss"):
        far = abs(p - t)
        near = autograd.minimum(far, delta)
        losses.append(0.5 * near * near + delta * (far - near))
    return reduced(losses, reduction)


def hinge_loss(scores: Any, targets: Any, reduction: str = "mean") -> Any:
    """max(0, 1 - target * score), for targets -1 and 1: the margin loss of support vector machines.

    >>> hinge_loss([2.0, 0.5], [1, -1])
    0.75
    """
    losses = []
    for score, target in pairs(scores, targets, "hinge_loss"):
        check_target("hinge_loss", target)
        losses.append(autograd.relu(1.0 - target * score))
    return reduced(losses, reduction)


def bce_with_logits(logits: Any, targets: Any, reduction: str = "mean") -> Any:
    """Binary cross-entropy of sigmoid(logit) against targets from 0 to 1, as softplus(x) - t x: no logit is too large.

    >>> round(bce_with_logits([0.0, 1000.0], [1, 1]), 6)
    0.346574
    """
    losses = []
    for x, t in pairs(logits, targets, "bce_with_logits"):
        check_target("bce_with_logits", t)
        losses.append(autograd.softplus(x) - t * x)
    return reduced(losses, reduction)


def cross_entropy(logits: Any, targets: Any, reduction: str = "mean") -> Any:
    """-log softmax(logits)[target]: a list of logits with one label, or a list of such lists with a list of labels.

    Computed as logsumexp(logits) - logits[target], so no logit is too large. Raises IndexError for a label that is no class.

    >>> round(cross_entropy([[0.0, 0.0], [1000.0, 0.0]], [0, 0]), 6)
    0.346574
    """
    if not is_sequence(targets):
        logits, targets = [logits], [targets]
    check_lengths(logits, targets, "cross_entropy")
    losses = []
    for row, target in zip(logits, targets):
        try:
            chosen = autograd.take(row, target)
        except IndexError:
            raise IndexError(f"cross_entropy got label {target} for {len(row)} classes, 0 to {len(row) - 1}") from None
        losses.append(autograd.logsumexp(row) - chosen)
    return reduced(losses, reduction)


def l2_penalty(model: Module | Iterable[Any], strength: float) -> Any:
    """`strength` times the sum of the squares of all parameters, biases included."""
    parameters = model.parameters() if isinstance(model, Module) else list(model)
    return strength * autograd.dot(parameters, parameters)


def reduced(losses: list[Any], reduction: str) -> Any:
    """The losses as one: their mean or sum, or as they are."""
    if reduction == "mean":
        return autograd.mean(losses)
    if reduction == "sum":
        return autograd.sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")


MADE_FOR: dict[str, tuple[Callable[[Any], bool], str]] = {
    "hinge_loss": (lambda target: target in (-1, 1), "-1 and 1"),
    "bce_with_logits": (lambda target: 0 <= target <= 1, "from 0 to 1"),
}


def check_target(loss: str, target: Any) -> None:
    """Raise ValueError for a number that the loss is not made for. A target that is a Value is not looked at."""
    allowed, words = MADE_FOR[loss]
    if not isinstance(target, Value) and not allowed(target):
        raise ValueError(f"{loss} needs targets {words}, not {target!r}")


def known(loss: Any) -> tuple[str, str]:
    """The name and the reduction of a loss of this room, also with some of its settings given by `functools.partial`.

    Both are empty for other losses. The loss of a batch is the reduction of the losses of its samples.
    """
    settings: dict[str, Any] = {}
    while isinstance(loss, partial) and not loss.args:
        settings, loss = loss.keywords | settings, loss.func
    if loss not in (mse_loss, mae_loss, huber_loss, hinge_loss, bce_with_logits, cross_entropy):
        return "", ""
    return loss.__name__, settings.get("reduction", "mean")


def check_targets(loss: Any, targets: Any) -> None:
    """Look at all targets of a loss of this room."""
    name, _ = known(loss)
    if name in MADE_FOR:
        for target in flatten(targets):
            check_target(name, target)


def pairs(predictions: Any, targets: Any, loss: str) -> list[tuple[Any, Any]]:
    """Predictions with their targets, lists of lists included."""
    if not is_sequence(predictions):
        if is_sequence(targets):
            raise ValueError(f"{loss} got one number for the target {targets!r}; with one output, targets are numbers")
        return [(predictions, targets)]
    check_lengths(predictions, targets, loss)
    return [pair for p, t in zip(predictions, targets) for pair in pairs(p, t, loss)]


def check_lengths(predictions: Any, targets: Any, loss: str) -> None:
    if not is_sequence(targets) or len(predictions) != len(targets):
        count = len(targets) if is_sequence(targets) else 1
        raise ValueError(f"{loss} got {len(predictions)} predictions and {count} targets")
    if len(predictions) == 0:
        raise ValueError(f"{loss} needs at least one prediction")


def is_sequence(x: Any) -> bool:
    return isinstance(x, Sequence) or bool(getattr(x, "ndim", 0))
