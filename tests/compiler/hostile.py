"""Small hostile programs, written once and run twice: by the engine, and compiled. They must agree, or the compiler must refuse.

A program is a function of a tool, which compiles (or leaves functions as they are), and returns what it observes.
"""

from __future__ import annotations

import inspect
import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import autograd as ag
import nn
from autograd import Value

__all__ = ["AGREE", "STATE", "Engine", "Line", "Tool", "calls", "same", "steps", "table", "trained", "verdict"]

AGREE = "agree"
STATE = r"changes .* while it runs.*return what is new instead, or change .* outside"


class Tool:
    """Programs are compiled."""

    compiles = True

    def compile(self, function: Callable[..., Any], **options: Any) -> Any:
        return ag.compile(function, **options)

    def fit(self, model: Any, *samples: Any, **options: Any) -> Any:
        return nn.fit(model, *samples, compile=True, progress=False, **options)


class Engine(Tool):
    """Programs are left as they are."""

    compiles = False

    def compile(self, function: Callable[..., Any], **_: Any) -> Any:
        return Plain(function)

    def fit(self, model: Any, *samples: Any, **options: Any) -> Any:
        return nn.fit(model, *samples, progress=False, **options)


class Plain:
    """A function with the words of a compiled one, by the engine."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        return self.function(*arguments, **keywords)

    def __get__(self, owner: Any, kind: type | None = None) -> Any:
        return self if owner is None else Plain(lambda *arguments: self.function(owner, *arguments))

    def value_and_grad(self, *arguments: Any, argnums: Any = 0) -> Any:
        return ag.value_and_grad(self.function, argnums)(*arguments)

    def functional(self, model: Any) -> Callable[..., Any]:
        """The weights are written into the model for a moment."""
        trained = model.parameters()

        def step(weights: Any, *others: Any) -> Any:
            before = [p.data for p in trained]
            for p, number in zip(trained, weights):
                p.data = float(number)
            value = self.function(model, *others)
            gradient = ag.grad(value, trained)
            for p, number in zip(trained, before):
                p.data = number
            return float(value), gradient

        return step


def table() -> tuple[dict[str, tuple[Any, str]], Callable[..., Any]]:
    """A table of programs by name, and the decorator that adds one with its verdict: AGREE, or what the error says."""
    programs: dict[str, tuple[Any, str]] = {}

    def program(expected: str) -> Callable[..., Any]:
        def add(function: Callable[..., Any]) -> Callable[..., Any]:
            assert function.__name__ not in programs
            programs[function.__name__] = function, expected
            return function

        return add

    return programs, program


def verdict(function: Callable[[Tool], Any], expected: str) -> None:
    """Run a program twice and compare what it observes, or look for the error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if expected == AGREE:
            assert same(function(Tool()), function(Engine()))
            return
        function(Engine())  # the program is all right
        with pytest.raises((TypeError, ValueError, RuntimeError, FloatingPointError), match=expected):
            function(Tool())


def same(left: Any, right: Any) -> bool:
    """Whether two observations are equal, up to the order of additions."""
    if hasattr(left, "tolist") or hasattr(right, "tolist"):
        left, right = (x.tolist() if hasattr(x, "tolist") else x for x in (left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, (list, tuple)) and isinstance(right, (list, tuple)):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, (float, ag.Value)) and isinstance(right, (float, ag.Value)):
        x, y = float(left), float(right)
        return math.isclose(x, y, rel_tol=1e-12, abs_tol=1e-300) or (x != x and y != y)
    if inspect.isclass(left) or isinstance(left, (str, bool, int, type(None))):
        return bool(left == right)
    return bool(left == right)


class Line(nn.Module):
    """One weight, and what a subclass does with it."""

    def __init__(self, **state: Any) -> None:
        self.w = Value(0.5)
        for name, thing in state.items():
            setattr(self, name, thing)


def steps(tool: Any, model: Any, count: int = 3) -> Any:
    """Calls of the functional form, one after the other."""
    step = tool.compile(lambda model, x: model(x) * 1.0).functional(model)
    return [step(np.array([float(k)]), 2.0) for k in range(count)]


def calls(tool: Any, model: Any, count: int = 3) -> Any:
    """Calls of the compiled function, one after the other."""
    f = tool.compile(lambda x: model(x) * 1.0)
    return [float(f(2.0)) for _ in range(count)]


def trained(tool: Any, model: Any, **options: Any) -> Any:
    """The losses of a training, and the weights at its end."""
    samples = [[1.0], [2.0], [3.0], [4.0]], [1.0, 2.0, 4.0, 3.0]
    options = {"loss": nn.mse_loss, "epochs": 3, "optimizer": nn.SGD(model.parameters(), lr=0.05), **options}
    history = tool.fit(model, *samples, **options)
    return history.loss, [p.data for p in model.named_parameters().values()], [p.grad for p in model.parameters()]
