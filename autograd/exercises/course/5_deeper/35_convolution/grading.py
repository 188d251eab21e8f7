"""A convolution."""

import autograd

ENTRY, BY = "backward", 2


def function(x, w, dy):
    return autograd.dot(dy, [autograd.dot(w, x[i : i + len(w)]) for i in range(len(dy))])


def cases(draw):
    def numbers(n):
        return [draw.uniform(-2.0, 2.0) for _ in range(n)]

    return [(numbers(5), numbers(3), numbers(3)), (numbers(4), numbers(2), numbers(3))]


MISTAKES = [
    ("= for += in w", "dw[k] += dy", "dw[k] = dy", "A weight serves every place: gather from all of them with +=."),
    ("= for += in x", "dx[i + k] += dy", "dx[i + k] = dy", "Neighbouring places see the same x: gather with +=."),
    ("kernel flipped", "dy[i] * w[k]", "dy[i] * w[len(w) - 1 - k]", "w[k] met x[i + k]; no flip is needed when you write it as a loop."),
    ("place forgotten", "dy[i] * x[i + k]", "dy[i] * x[i]", "w[k] met x[i + k], not x[i]."),
    ("upstream forgotten", "dy[i] * w[k]", "w[k]", "Multiply by what arrives: dy[i]."),
    ("shift the other way", "dy[i] * x[i + k]", "dy[i] * x[i - k]", "w[k] met x[i + k], to the right of x[i]."),
]
