"""One step of gradient descent."""

import autograd

ENTRY = "step"
EXAMPLE = ([0.15, 0.20, 0.25, 0.30, 0.40, 0.45, 0.50, 0.55], (0.35, 0.60), (0.05, 0.10), (0.01, 0.99), 0.5)
TOLERANCE = 1e-8


def cases(draw):
    w = [draw.uniform(-1.0, 1.0) for _ in range(8)]
    return [EXAMPLE, (w, (0.1, -0.2), (draw.uniform(0.5, 1.0), draw.uniform(-1.0, -0.5)), (0.9, 0.2), 2.0)]


def expected(w, b, x, t, rate):
    def error(w):
        h1, h2 = (autograd.sigmoid(w[i] * x[0] + w[i + 1] * x[1] + b[0]) for i in (0, 2))
        o1, o2 = (autograd.sigmoid(w[i] * h1 + w[i + 1] * h2 + b[1]) for i in (4, 6))
        return ((t[0] - o1) ** 2 + (t[1] - o2) ** 2) / 2

    return [wi - rate * g for wi, g in zip(w, autograd.grad(error)(w))]


HIDDEN = "    e1 = (d1 * w[4] + d2 * w[6]) * h1 * (1 - h1)\n"
BOTH = HIDDEN + HIDDEN.replace("e1", "e2").replace("w[4]", "w[5]").replace("w[6]", "w[7]").replace("h1", "h2")
NEW = {"w[4]": "d1 * h1", "w[5]": "d1 * h2", "w[6]": "d2 * h1", "w[7]": "d2 * h2"}
EARLY = BOTH
for weight, g in NEW.items():
    EARLY = EARLY.replace(weight, f"({weight} - rate * {g})")
MISTAKES = [
    ("up the hill", "wi - rate * g", "wi + rate * g", "The gradient points up the hill. Descent goes the other way: minus."),
    ("new weights too early", BOTH, EARLY, "The gradient is taken at the old weights, all of it, before any weight moves."),
    ("one path only", HIDDEN, HIDDEN.replace("(d1 * w[4] + d2 * w[6])", "d1 * w[4]"), "h1 feeds both outputs: add d2 * w[6] to d1 * w[4]."),
    ("hidden slope forgotten", HIDDEN, HIDDEN.replace(" * h1 * (1 - h1)", ""), "h1 is a sigmoid: multiply what comes back by h1 * (1 - h1)."),
    ("output slope forgotten", "(o1 - t[0]) * o1 * (1 - o1)", "o1 - t[0]", "o1 is a sigmoid: multiply by o1 * (1 - o1)."),
    ("rate forgotten", "rate * g", "g", "The step is the rate times the gradient."),
    ("gradient for the step", "[wi - rate * g for wi, g in zip(w, gradient)]", "gradient", "That is the gradient. Return the weights after the step: w - rate * gradient."),
]
