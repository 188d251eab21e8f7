"""Weight decay."""

import autograd

ENTRY, BY = "gradient", 2


def function(w, b, dw, db, strength):
    """A loss that has these gradients, and the penalty."""
    loss = autograd.dot(dw, w) + autograd.dot(db, b)
    return loss + strength * sum(wi**2 for wi in w)


def cases(draw):
    def numbers(n):
        return [draw.choice((-1, 1)) * draw.uniform(0.5, 2.0) for _ in range(n)]

    return [(numbers(3), numbers(2), numbers(3), numbers(2), strength) for strength in (0.1, 0.01)]


MISTAKES = [
    ("factor 2 forgotten", "2 * strength", "strength", "The derivative of strength * w**2 is 2 * strength * w. (Without the 2, the penalty has 1/2 in front.)"),
    ("instead of the loss", "g + 2 * strength * wi", "2 * strength * wi", "The gradient of the loss is still there: add the decay to dw."),
    ("biases decayed", "], db", "], [g + 2 * strength * bi for g, bi in zip(db, b)]", "The penalty has only the weights in it; biases keep their gradient."),
    ("sign", "g + 2", "g - 2", "The gradient of the penalty points away from 0; the minus comes with the step of descent."),
    ("L1", "2 * strength * wi", "strength * (1 if wi > 0 else -1)", "That is the derivative of abs(w), of L1. The penalty here has squares."),
    ("penalty for its derivative", "2 * strength * wi", "strength * wi**2", "That is the penalty. Its derivative is 2 * strength * w."),
]
