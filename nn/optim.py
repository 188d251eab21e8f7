"""The room of optimisers: how parameters move when their gradients are known.

Each is one formula, `move`, of one number, or of arrays of all of them at once; formulas and defaults are those of PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import repeat
from typing import Any

from autograd import Value, sqrt

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "clip_grad_norm", "clip_grad_value"]

Rate = float | Callable[[int], float]


class Optimizer:
    """What all optimisers share: the parameters, the learning rate, and the memory that a formula keeps for each parameter.

    `lr` is a number, or a function of the number of steps taken so far (see `nn.schedules`).
    """

    memory: tuple[str, ...] = ()  # the names of what is remembered for each parameter

    def __init__(self, parameters: Iterable[Value], lr: Rate, **settings: float) -> None:
        name = type(self).__name__
        self.parameters = list(parameters) if isinstance(parameters, Iterable) else [parameters]
        if not self.parameters:
            raise ValueError(f"{name} got no parameters; give it model.parameters()")
        for p in self.parameters:
            if not isinstance(p, Value):
                raise TypeError(f"{name} moves Values, not {type(p).__name__} {p!r}; give it model.parameters()")
        for setting, number in {"lr": lr, **settings}.items():
            if not callable(number) and not number >= 0.0:
                raise ValueError(f"{name} needs {setting} >= 0, not {number!r}")
        self.lr, self.steps = lr, 0
        self.state = {kind: [0.0] * len(self.parameters) for kind in self.memory}

    def step(self) -> None:
        """Move every parameter against its gradient."""
        lr, remembered, move = self.next_rate(), list(self.state.values()), self.move
        known = zip(*remembered) if remembered else repeat(())
        for i, (p, before) in enumerate(zip(self.parameters, known)):
            at = p.data
            step, *memory = move(at, p.grad, lr, *before)
            p.data = at - step
            for numbers, number in zip(remembered, memory):
                numbers[i] = number

    def step_of(self, at: Any, grad: Any) -> Any:
        """What to take away from an array of the numbers of all parameters, whose gradients are another: one step.

        The memory of the optimiser is in arrays from then on.

        >>> import numpy as np
        >>> p = Value(1.0)
        >>> Adam([p], lr=0.5).step_of(np.array([p.data]), np.array([2.0])).round(6)
        array([0.5])
        """
        import numpy as np

        step, *memory = self.move(at, grad, self.next_rate(), *[np.asarray(numbers) for numbers in self.state.values()])
        self.state = dict(zip(self.state, memory))
        return step

    def next_rate(self) -> float:
        """The learning rate of the next step, which is counted."""
        lr = self.lr(self.steps) if callable(self.lr) else self.lr
        self.steps += 1
        return lr

    def move(self, at: Any, grad: Any, lr: float, *memory: Any) -> tuple[Any, ...]:  # noqa: ARG002 - for subclasses
        """What is taken away from a parameter, which is `at` and has the gradient `grad`, and what to remember of it.

        `memory` is what was remembered before. All are floats, or arrays of the same shape: write arithmetic and
        functions of `autograd`.
        """
        raise TypeError(f"{type(self).__name__} has no formula: define move(self, at, grad, lr, *memory)")

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

    def move(self, at: Any, grad: Any, lr: float, *memory: Any) -> tuple[Any, ...]:
        """The velocity times lr."""
        (velocity,) = memory
        if self.weight_decay:
            grad = grad + self.weight_decay * at
        if not self.momentum:
            return lr * grad, velocity
        velocity = self.momentum * velocity + grad
        return lr * (grad + self.momentum * velocity if self.nesterov else velocity), velocity


class RMSprop(Optimizer):
    """Steps over the root of a running mean of squared gradients: Hinton, "Neural networks for machine learning", 2012."""

    memory = ("square",)

    def __init__(
        self, parameters: Iterable[Value], lr: Rate = 0.01, alpha: float = 0.99, eps: float = 1e-8, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, alpha=alpha, eps=eps, weight_decay=weight_decay)
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay

    def move(self, at: Any, grad: Any, lr: float, *memory: Any) -> tuple[Any, ...]:
        """The gradient over the root of its running mean square, times lr."""
        (square,) = memory
        if self.weight_decay:
            grad = grad + self.weight_decay * at
        square = self.alpha * square + (1.0 - self.alpha) * grad * grad
        return lr * grad / (root(square) + self.eps), square


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

    def move(self, at: Any, grad: Any, lr: float, *memory: Any) -> tuple[Any, ...]:
        """Adam's step for the gradient with the decay in it."""
        return self.adapted(grad + self.weight_decay * at if self.weight_decay else grad, lr, *memory)

    def adapted(self, grad: Any, lr: float, mean: Any, square: Any) -> tuple[Any, ...]:
        """The step for a gradient: lr * mean / (sqrt(mean square) + eps), both without the bias of their start."""
        slow, slower = self.betas
        mean = slow * mean + (1.0 - slow) * grad
        square = slower * square + (1.0 - slower) * grad * grad
        unbiased = root(square / (1.0 - slower**self.steps))
        return lr * (mean / (1.0 - slow**self.steps)) / (unbiased + self.eps), mean, square


class AdamW(Adam):
    """Adam with weight decay beside the gradient instead of in it: Loshchilov and Hutter, 2019."""

    def __init__(
        self, parameters: Iterable[Value], lr: Rate = 0.001, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:  # fmt: skip
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def move(self, at: Any, grad: Any, lr: float, *memory: Any) -> tuple[Any, ...]:
        """Adam's step, and lr * weight_decay of the parameter itself."""
        step, *memory_after = self.adapted(grad, lr, *memory)
        return step + lr * self.weight_decay * at, *memory_after


def clip_grad_norm(parameters: Iterable[Value], max_norm: float) -> float:
    """Shrink all gradients by one factor so that their Euclidean norm is at most `max_norm`; returns the norm before.

    >>> p, q = Value(0.0), Value(0.0)
    >>> p.grad, q.grad = 3.0, 4.0
    >>> clip_grad_norm([p, q], 2.5), p.grad, q.grad
    (5.0, 1.5, 2.0)
    """
    found = list(parameters)
    norm, factor = shrinking([p.grad for p in found], max_norm)
    if factor < 1.0:
        for p in found:
            p.grad *= factor
    return norm


def shrinking(gradient: Iterable[float], max_norm: float) -> tuple[float, float]:
    """The Euclidean norm of a gradient, and by what to multiply it so that its norm is at most `max_norm`."""
    check_bound("clip_grad_norm", "max_norm", max_norm)
    norm = math.hypot(*gradient)
    return norm, max_norm / norm if norm > max_norm else 1.0


def clip_grad_value(parameters: Iterable[Value], limit: float) -> None:
    """Cut every gradient to between -limit and limit."""
    check_bound("clip_grad_value", "limit", limit)
    for p in parameters:
        p.grad = max(-limit, min(limit, p.grad))


def root(x: Any) -> Any:
    """The square root of a number or of every number in an array."""
    return math.sqrt(x) if x.__class__ is float else sqrt(x)


def check_bound(function: str, name: str, bound: Any) -> None:
    if not bound > 0.0:
        raise ValueError(f"{function} needs {name} > 0, not {bound!r}")
