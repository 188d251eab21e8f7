"""The room of optimisers: how parameters move when their gradients are known.

Each is one formula, `move`, for one number; formulas and defaults are those of PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from autograd import Value

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm", "clip_grad_value"]

Rate = float | Callable[[int], float]


class Optimizer:
    """What all optimisers share: the parameters, the learning rate, and the memory that a formula keeps for each parameter.

    `lr` is a number, or a function of the number of steps taken so far (see `nn.schedules`).
    """

    memory: tuple[str, ...] = ()  # the names of what is remembered for each parameter

    def __init__(self, parameters: Iterable[Value], lr: Rate, **settings: float) -> None:
        self.parameters = list(parameters)
        name = type(self).__name__
        if not self.parameters:
            raise ValueError(f"{name} got no parameters; give it model.parameters()")
        for setting, number in {"lr": lr, **settings}.items():
            if not callable(number) and not number >= 0.0:
                raise ValueError(f"{name} needs {setting} >= 0, not {number!r}")
        self.lr, self.steps = lr, 0
        self.state = {kind: [0.0] * len(self.parameters) for kind in self.memory}

    def step(self) -> None:
        """Move every parameter against its gradient."""
        lr = self.lr(self.steps) if callable(self.lr) else self.lr
        self.steps += 1
        for i, p in enumerate(self.parameters):
            p.data -= self.move(i, p.data, p.grad, lr)

    def move(self, i: int, at: float, grad: float, lr: float) -> float:  # noqa: ARG002 - for subclasses
        """What is taken away from parameter `i`, which is `at` and has the gradient `grad`."""
        raise TypeError(f"{type(self).__name__} has no formula: define move(self, i, at, grad, lr)")

    def zero_grad(self) -> None:
        """Set the gradient of every parameter to 0."""
        for p in self.parameters:
            p.grad = 0.0


class SGD(Optimizer):
    """Gradient descent with momentum and weight decay: v = momentum * v + grad + weight_decay * p; p = p - lr * v.

    With `nesterov` the step is grad + momentum * v. The formula is that of Sutskever et al., "On the importance of
    initialization and momentum in deep learning", 2013, in the form PyTorch uses.

    >>> p = Value(1.0)
    >>> optimizer = SGD([p], lr=0.1)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> p.data
    0.8
    """

    memory = ("velocity",)

    def __init__(
        self, parameters: Iterable[Value], lr: Rate = 0.01, momentum: float = 0.0, weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and not momentum:
            raise ValueError("SGD(nesterov=True) looks ahead along the momentum; give momentum > 0 too")
        self.momentum, self.weight_decay, self.nesterov = momentum, weight_decay, nesterov

    def move(self, i: int, at: float, grad: float, lr: float) -> float:
        """The velocity times lr."""
        if self.weight_decay:
            grad += self.weight_decay * at
        if not self.momentum:
            return lr * grad
        velocity = self.state["velocity"][i] = self.momentum * self.state["velocity"][i] + grad
        return lr * (grad + self.momentum * velocity if self.nesterov else velocity)


class RMSprop(Optimizer):
    """Steps over the root of a running mean of squared gradients: Hinton, "Neural networks for machine learning", 2012."""

    memory = ("square",)

    def __init__(
        self, parameters: Iterable[Value], lr: Rate = 0.01, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, alpha=alpha, eps=eps, weight_decay=weight_decay)
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay

    def move(self, i: int, at: float, grad: float, lr: float) -> float:
        """The gradient over the root of its running mean square, times lr."""
        grad += self.weight_decay * at
        square = self.state["square"][i] = self.alpha * self.state["square"][i] + (1.0 - self.alpha) * grad * grad
        return lr * grad / (math.sqrt(square) + self.eps)


class Adam(Optimizer):
    """Running means of gradients and their squares, corrected for their start at 0: Kingma and Ba, 2015.

    >>> p = Value(1.0)
    >>> optimizer = Adam([p], lr=0.1)
    >>> (p * p).backward()
    >>> optimizer.step()
    >>> round(p.data, 6)
    0.9
    """

    memory = ("mean", "square")

    def __init__(
        self, parameters: Iterable[Value], lr: Rate = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, eps=eps, weight_decay=weight_decay)
        for beta in betas:
            if not 0.0 <= beta < 1.0:
                raise ValueError(f"{type(self).__name__} needs betas from 0 to below 1, not {betas!r}")
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def move(self, i: int, at: float, grad: float, lr: float) -> float:
        """Adam's step for the gradient with the decay in it."""
        return self.adapted(i, grad + self.weight_decay * at, lr)

    def adapted(self, i: int, grad: float, lr: float) -> float:
        """The step for a gradient: lr * mean / (sqrt(mean square) + eps), both without the bias of their start."""
        (slow, slower), state = self.betas, self.state
        mean = state["mean"][i] = slow * state["mean"][i] + (1.0 - slow) * grad
        square = state["square"][i] = slower * state["square"][i] + (1.0 - slower) * grad * grad
        mean, square = mean / (1.0 - slow**self.steps), square / (1.0 - slower**self.steps)
        return lr * mean / (math.sqrt(square) + self.eps)


class AdamW(Adam):
    """Adam with weight decay beside the gradient instead of in it: Loshchilov and Hutter, 2019."""

    def __init__(
        self, parameters: Iterable[Value], lr: Rate = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def move(self, i: int, at: float, grad: float, lr: float) -> float:
        """Adam's step, and lr * weight_decay of the parameter itself."""
        return self.adapted(i, grad, lr) + lr * self.weight_decay * at


def clip_grad_norm(parameters: Iterable[Value], max_norm: float) -> float:
    """Shrink all gradients by one factor so that their Euclidean norm is at most `max_norm`; returns the norm before.

    >>> p, q = Value(0.0), Value(0.0)
    >>> p.grad, q.grad = 3.0, 4.0
    >>> clip_grad_norm([p, q], 2.5), p.grad, q.grad
    (5.0, 1.5, 2.0)
    """
    check_bound("clip_grad_norm", "max_norm", max_norm)
    found = list(parameters)
    norm = math.hypot(*[p.grad for p in found])
    if norm > max_norm:
        for p in found:
            p.grad *= max_norm / norm
    return norm


def clip_grad_value(parameters: Iterable[Value], limit: float) -> None:
    """Cut every gradient to between -limit and limit."""
    check_bound("clip_grad_value", "limit", limit)
    for p in parameters:
        p.grad = max(-limit, min(limit, p.grad))


def check_bound(function: str, name: str, bound: Any) -> None:
    if not bound > 0.0:
        raise ValueError(f"{function} needs {name} > 0, not {bound!r}")
