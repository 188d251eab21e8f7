"""Momentum, compared with a sum over all gradients of the past."""

ENTRY = "step"


def cases(draw):
    return [(draw.uniform(1.0, 2.0), draw.uniform(0.5, 1.0), draw.uniform(-2.0, -1.0), rate, beta) for rate, beta in ((0.2, 0.9), (0.3, 0.5))]


def expected(w, v, g, rate, beta):
    velocity = sum(beta**age * gradient for age, gradient in enumerate([g, v]))
    return w - rate * velocity, velocity


MISTAKES = [
    ("old velocity", "    v = beta * v + g\n    w = w - rate * v", "    w = w - rate * v\n    v = beta * v + g", "The step is taken with the new velocity: compute v first."),
    ("averaged", "beta * v + g", "beta * v + (1 - beta) * g", "That form, a mean of gradients, is Adam's. Here g counts fully: beta * v + g."),
    ("up the hill", "w - rate * v", "w + rate * v", "Down the hill: minus."),
    ("velocity not used", "rate * v", "rate * g", "That is plain descent. Move by the velocity."),
    ("rate twice", "beta * v + g", "beta * v + rate * g", "The rate comes in once, in the step; the velocity is made of plain gradients."),
    ("nothing forgotten", "beta * v + g", "v + g", "The old velocity fades: multiply it by beta."),
]
