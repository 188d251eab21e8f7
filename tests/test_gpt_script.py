"""A GPT training script written with scalars runs on Value, and gives what a reference Value of thirty lines gives."""

import math
import random

import pytest

from autograd import Value


class Reference:
    """Scalar reverse mode as plainly as it can be said: every node keeps its children and the local derivatives."""

    def __init__(self, data, children=(), local=()):
        self.data, self.grad, self.children, self.local = data, 0.0, children, local

    def lift(self, other):
        return other if isinstance(other, Reference) else Reference(other)

    def __add__(self, other):
        other = self.lift(other)
        return Reference(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = self.lift(other)
        return Reference(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, n):
        return Reference(self.data**n, (self,), (n * self.data ** (n - 1),))

    def exp(self):
        return Reference(math.exp(self.data), (self,), (math.exp(self.data),))

    def log(self):
        return Reference(math.log(self.data), (self,), (1.0 / self.data,))

    def relu(self):
        return Reference(max(0.0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * self.lift(other) ** -1.0

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif id(node) not in seen:
                seen.add(id(node))
                stack.append((node, True))
                stack.extend((child, False) for child in node.children)
        self.grad = 1.0
        for node in reversed(order):
            for child, local in zip(node.children, node.local):
                child.grad += local * node.grad


WIDTH, HEADS, LONGEST = 16, 4, 16
NAMES = ["ada", "bo", "cy", "eve", "ida", "jo", "kim", "leo", "max", "una", "quinn", "fritz", "david", "gwen", "phil"]
LETTERS = sorted(set("abcdefghijklmnopqrstuvwxyz"))
START = len(LETTERS)


def train(number, steps):
    random.seed(42)
    vocabulary = START + 1

    def matrix(rows, columns, spread=0.08):
        return [[number(random.gauss(0, spread)) for _ in range(columns)] for _ in range(rows)]

    weights = {"wte": matrix(vocabulary, WIDTH), "wpe": matrix(LONGEST, WIDTH), "head": matrix(vocabulary, WIDTH)}
    weights |= {name: matrix(WIDTH, WIDTH) for name in ("wq", "wk", "wv", "wo")}
    weights |= {"up": matrix(4 * WIDTH, WIDTH), "down": matrix(WIDTH, 4 * WIDTH)}
    parameters = [p for rows in weights.values() for row in rows for p in row]

    def linear(x, w):
        return [sum(wi * xi for wi, xi in zip(row, x)) for row in w]

    def softmax(logits):
        top = max(logit.data for logit in logits)
        powers = [(logit - top).exp() for logit in logits]
        total = sum(powers)
        return [power / total for power in powers]

    def rmsnorm(x):
        scale = (sum(xi * xi for xi in x) / len(x) + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def gpt(token, position, keys, values):
        x = rmsnorm([t + p for t, p in zip(weights["wte"][token], weights["wpe"][position])])
        residual, x = x, rmsnorm(x)
        q, k, v = (linear(x, weights[name]) for name in ("wq", "wk", "wv"))
        keys.append(k)
        values.append(v)
        attended = []
        size = WIDTH // HEADS
        for h in range(0, WIDTH, size):
            scores = [sum(a * b for a, b in zip(q[h : h + size], k[h : h + size])) / size**0.5 for k in keys]
            shares = softmax(scores)
            attended += [sum(share * v[h + j] for share, v in zip(shares, values)) for j in range(size)]
        x = [a + b for a, b in zip(linear(attended, weights["wo"]), residual)]
        residual, x = x, rmsnorm(x)
        x = [xi.relu() for xi in linear(x, weights["up"])]
        x = [a + b for a, b in zip(linear(x, weights["down"]), residual)]
        return linear(x, weights["head"])

    first, second, losses = [0.0] * len(parameters), [0.0] * len(parameters), []
    for step in range(steps):
        name = NAMES[step % len(NAMES)][:3]
        tokens = [START, *[LETTERS.index(letter) for letter in name], START]
        keys, values, costs = [], [], []
        for position in range(len(tokens) - 1):
            shares = softmax(gpt(tokens[position], position, keys, values))
            costs.append(-shares[tokens[position + 1]].log())
        loss = (1 / len(costs)) * sum(costs)
        loss.backward()
        rate = 0.01 * (1 - step / steps)
        for i, p in enumerate(parameters):
            first[i] = 0.85 * first[i] + 0.15 * p.grad
            second[i] = 0.99 * second[i] + 0.01 * p.grad**2
            p.data -= rate * (first[i] / (1 - 0.85 ** (step + 1))) / ((second[i] / (1 - 0.99 ** (step + 1))) ** 0.5 + 1e-8)
            p.grad = 0
        losses.append(loss.data)
    return len(parameters), losses


def test_gpt_training_script():
    count, losses = train(Value, steps=20)
    assert count == 4192
    assert losses == pytest.approx(train(Reference, steps=20)[1], rel=0, abs=1e-9)
    assert losses[-1] < losses[0]
