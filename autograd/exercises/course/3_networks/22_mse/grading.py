"""Mean squared error."""

ENTRY, BY = "gradient", 1


def function(p, t):
    return sum((pi - ti) ** 2 for pi, ti in zip(p, t)) / len(p)


def cases(draw):
    return [([draw.uniform(1.0, 2.0) for _ in range(n)], [draw.uniform(-1.0, 0.5) for _ in range(n)]) for n in (3, 5)]


MISTAKES = [
    ("mean forgotten", " / len(p)", "", "The loss is a mean: divide by n."),
    ("factor 2 forgotten", "2 * (pi - ti)", "(pi - ti)", "The derivative of a square has the factor 2. (It is gone only if the loss has a 1/2 in front.)"),
    ("sign", "(pi - ti)", "(ti - pi)", "Prediction minus target: the loss grows when a prediction that is too large grows."),
    ("the loss itself", "2 * (pi - ti) / len(p)", "(pi - ti) ** 2 / len(p)", "Those are the terms of the loss. Differentiate them: 2 * (p - t) / n."),
]
