"""tanh."""

import autograd

ENTRY = "derivative"


def function(x):
    return autograd.tanh(x)


def cases(draw):
    return [(draw.uniform(0.4, 1.5),), (draw.uniform(-1.5, -0.4),), (0.0,)]


MISTAKES = [
    ("x for tanh(x)", "math.tanh(x) ** 2", "x**2", "The formula is in the result y = tanh(x), not in x."),
    ("not squared", "math.tanh(x) ** 2", "math.tanh(x)", "y is squared: 1 - y**2."),
    ("plus for minus", "1 - ", "1 + ", "1 + y**2 belongs to tan. For tanh the slope is never above 1."),
    ("the rule of sigmoid", "1 - math.tanh(x) ** 2", "math.tanh(x) * (1 - math.tanh(x))", "y * (1 - y) is the slope of sigmoid. That of tanh is 1 - y**2."),
]
