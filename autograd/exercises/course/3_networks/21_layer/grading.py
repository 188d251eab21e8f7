"""A layer."""

import autograd

ENTRY, BY = "backward", 3


def function(W, x, b, dy):
    return autograd.dot(dy, [autograd.relu(autograd.dot(row, x) + bi) for row, bi in zip(W, b)])


def cases(draw):
    def numbers(n):
        return [draw.uniform(0.2, 1.0) for _ in range(n)]

    active = ([numbers(3) for _ in range(3)], numbers(3), numbers(3), numbers(3))
    half = ([numbers(2), [-w for w in numbers(2)], numbers(2)], numbers(2), [0.1, 0.1, 0.1], numbers(3))
    half[2][1] = -0.1
    return [active, half]


MISTAKES = [
    ("relu forgotten", "g if si > 0 else 0.0", "g", "A neuron with s <= 0 is switched off, and nothing goes back through it."),
    ("W not transposed", "sum(g * row[j] for g, row in zip(ds, W)) for j in range(len(x))", "sum(g * wij for g, wij in zip(ds, row)) for row in W", "x[j] gets a sum over the neurons: ds[i] * W[i][j], over i. Yours runs along the rows."),
    ("dW transposed", "[[g * xj for xj in x] for g in ds]", "[[g * xj for g in ds] for xj in x]", "dW has the shape of W: row i is ds[i] times all of x."),
    ("bias without relu", "return dW, dx, ds", "return dW, dx, dy", "b goes through relu too: it gets ds, not dy."),
    ("slope is the value", "g if si > 0", "g * si if si > 0", "The slope of relu is 1 where it is active, not its value."),
]
