"""The room of optimisers: how parameters move when their gradients are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from autograd import Value

__all__ = ["SGD"]

Rate = float | Callable[[int], float]


class SGD:
    """Gradient descent with momentum and weight decay: v = momentum * v + grad + weight_decay * p; p = p - lr * v.

    `lr` is a number, or a function of the number of steps taken so far. The formula is that of Sutskever et al., "On the
    importance of initialization and momentum in deep learning", 2013, in the form PyTorch uses.

    >>> p = Value(1.0)
    >>> optimizer = SGD([p], lr=0.1)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> p.data
    0.8
    """

    def __init__(self, parameters: Iterable[Value], lr: Rate = 0.01, momentum: float = 0.0, weight_decay: float = 0.0) -> None:
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError("SGD got no parameters; give it model.parameters()")
        for name, number in {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}.items():
            if not callable(number) and not number >= 0.0:
                raise ValueError(f"SGD needs {name} >= 0, not {number!r}")
        self.lr, self.momentum, self.weight_decay = lr, momentum, weight_decay
        self.velocity = [0.0] * len(self.parameters)
        self.steps = 0

    def step(self) -> None:
        """Move every parameter against its gradient."""
        lr: Any = self.lr(self.steps) if callable(self.lr) else self.lr
        for i, p in enumerate(self.parameters):
            push = p.grad + self.weight_decay * p.data if self.weight_decay else p.grad
            if self.momentum:
                push = self.velocity[i] = self.momentum * self.velocity[i] + push
            p.data -= lr * push
        self.steps += 1

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for p in self.parameters:
            p.grad = 0.0
