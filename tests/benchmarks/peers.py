"""What compiled programs are measured against: scalars in pure Python, PyTorch tensors."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any


class Scalar:
    """A number that records its operands and local derivatives: the least that backpropagation needs."""

    __slots__ = ("data", "grad", "local", "operands")

    def __init__(self, data: float, operands: tuple[Any, ...] = (), local: tuple[float, ...] = ()) -> None:
        self.data, self.grad, self.operands, self.local = data, 0.0, operands, local

    def __add__(self, other: Any) -> Scalar:
        if isinstance(other, Scalar):
            return Scalar(self.data + other.data, (self, other), (1.0, 1.0))
        return Scalar(self.data + other, (self,), (1.0,))

    def __mul__(self, other: Any) -> Scalar:
        if isinstance(other, Scalar):
            return Scalar(self.data * other.data, (self, other), (other.data, self.data))
        return Scalar(self.data * other, (self,), (other,))

    def __pow__(self, power: float) -> Scalar:
        return Scalar(self.data**power, (self,), (power * self.data ** (power - 1.0),))

    def __neg__(self) -> Scalar:
        return self * -1.0

    def __sub__(self, other: Any) -> Scalar:
        return self + other * -1.0

    def __truediv__(self, other: Any) -> Scalar:
        return self * other**-1.0

    __radd__, __rmul__ = __add__, __mul__

    def exp(self) -> Scalar:
        out = math.exp(self.data)
        return Scalar(out, (self,), (out,))

    def log(self) -> Scalar:
        return Scalar(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self) -> Scalar:
        return Scalar(max(0.0, self.data), (self,), (float(self.data > 0.0),))

    def backward(self) -> None:
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                stack += [(operand, False) for operand in node.operands]
        self.grad = 1.0
        for node in reversed(order):
            for operand, local in zip(node.operands, node.local):
                operand.grad += local * node.grad


def gpt_on_scalars(numbers: dict[str, float], heads: int) -> Callable[[list[int], list[int]], Scalar]:
    """The step of a GPT block (loss and all gradients) on scalars in pure Python, from the numbers of its parameters."""
    tensors: dict[str, list[list[Scalar]]] = {}
    for name, number in numbers.items():
        stem, row, _ = name.rsplit(".", 2)
        rows = tensors.setdefault(stem, [])
        if int(row) == len(rows):
            rows.append([])
        rows[-1].append(Scalar(number))
    parameters = [p for rows in tensors.values() for row in rows for p in row]

    def linear(name: str, x: list[Scalar]) -> list[Scalar]:
        return [sum(w * xi for w, xi in zip(row, x)) for row in tensors[f"{name}.weight"]]

    def norm(x: list[Scalar]) -> list[Scalar]:
        scale = (sum(xi * xi for xi in x) * (1.0 / len(x)) + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def softmax(x: list[Scalar]) -> list[Scalar]:
        top = max(xi.data for xi in x)
        exps = [(xi - top).exp() for xi in x]
        total = sum(exps)
        return [e / total for e in exps]

    def scores(token: int, place: int, keys: list[Any], values: list[Any]) -> list[Scalar]:
        x = norm([a + b for a, b in zip(tensors["token.weight"][token], tensors["place.weight"][place])])
        seen = norm(x)
        query = linear("attention.query", seen)
        keys.append(linear("attention.key", seen))
        values.append(linear("attention.value", seen))
        size, gathered = len(x) // heads, []
        for start in range(0, len(x), size):
            part = range(start, start + size)
            shares = softmax([sum(query[i] * key[i] for i in part) * (1.0 / size**0.5) for key in keys])
            gathered += [sum(share * value[i] for share, value in zip(shares, values)) for i in part]
        x = [a + b for a, b in zip(x, linear("attention.out", gathered))]
        x = [a + b for a, b in zip(x, linear("down", [h.relu() for h in linear("up", norm(x))]))]
        return linear("out", x)

    def step(document: list[int], following: list[int]) -> Scalar:
        keys: list[Any] = []
        values: list[Any] = []
        losses = []
        for place, (token, target) in enumerate(zip(document, following)):
            losses.append(-softmax(scores(token, place, keys, values))[target].log())
        loss = sum(losses) * (1.0 / len(losses))
        for p in parameters:
            p.grad = 0.0
        loss.backward()
        return loss

    step.parameters = parameters  # type: ignore[attr-defined]
    return step


def tensors_of(layers: list[Any]) -> list[list[Any]]:
    """Weights and biases as PyTorch tensors."""
    import torch

    return [[torch.tensor(part, dtype=torch.float64, requires_grad=True) for part in layer] for layer in layers]


def perceptron_of_torch(layers: list[list[Any]], x: Any) -> Any:
    """ReLU between linear layers."""
    import torch

    for k, (w, b) in enumerate(layers):
        x = torch.nn.functional.linear(x, w, b)
        x = torch.relu(x) if k < len(layers) - 1 else x
    return x


def backward(loss: Any, parameters: list[Any]) -> None:
    """The gradients of a loss in PyTorch."""
    for p in parameters:
        p.grad = None
    loss.backward()
