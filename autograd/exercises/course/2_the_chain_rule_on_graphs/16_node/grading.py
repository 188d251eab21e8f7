"""One node, backwards."""

import autograd

ENTRY = "mul_backward"


def expected(x, y, out_grad, x_grad, y_grad):
    by_x, by_y = autograd.grad(lambda x, y: x * y, (0, 1))(x, y)
    return x_grad + by_x * out_grad, y_grad + by_y * out_grad


def graph(x, y, out_grad, x_grad, y_grad):
    x, y = autograd.Value(x, label="x"), autograd.Value(y, label="y")
    out = x * y
    out.label = "out"
    return out


def cases(draw):
    return [tuple(draw.uniform(low, low + 1.0) for low in (1.0, 3.0, -2.0, 0.5, 5.0)), (2.0, 3.0, 1.0, 0.0, 0.0)]


MISTAKES = [
    ("= for +=", "x_grad += y * out_grad\n    y_grad +=", "x_grad = y * out_grad\n    y_grad =", "What other nodes have delivered is lost: add to x_grad and y_grad, do not replace them."),
    ("upstream forgotten", "y * out_grad\n    y_grad += x * out_grad", "y\n    y_grad += x", "Multiply by what arrived: local derivative times out_grad."),
    ("factor of the wrong operand", "y * out_grad\n    y_grad += x * out_grad", "x * out_grad\n    y_grad += y * out_grad", "x gets y times what arrived, and y gets x times it.", "x -> out"),
    ("upstream added", "y * out_grad\n    y_grad += x * out_grad", "y + out_grad\n    y_grad += x + out_grad", "The local derivative multiplies what arrived; it is not added to it."),
    ("all passed on", "y * out_grad\n    y_grad += x * out_grad", "out_grad\n    y_grad += out_grad", "That is the rule of addition. A product multiplies by the other factor.", "x -> out"),
]
