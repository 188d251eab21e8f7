"""A diamond."""

import autograd

ENTRY = "gradient"


def function(a, b):
    t = a * b
    return autograd.sin(t) * (t * t)


def graph(a, b):
    a, b = autograd.Value(a, label="a"), autograd.Value(b, label="b")
    t = a * b
    u, v = autograd.sin(t), t * t
    y = u * v
    t.label, u.label, v.label, y.label = "t", "u", "v", "y"
    return y


def cases(draw):
    return [(draw.uniform(0.6, 0.9), draw.uniform(1.2, 1.5)), (draw.uniform(-0.9, -0.6), draw.uniform(1.2, 1.5))]


MISTAKES = [
    ("passed on too early", "du * math.cos(t) + dv * 2 * t", "du * math.cos(t)", "t passed on its gradient before v had delivered: dt needs both sides.", "t -> v"),
    ("one side forgotten", "du * math.cos(t) + dv * 2 * t", "dv * 2 * t", "u delivers to t too: add du * cos(t).", "t -> u"),
    ("factor of the wrong operand", "du, dv = v, u", "du, dv = u, v", "In u * v the local derivative by u is v, and the one by v is u.", "u -> y"),
    ("t * t counted once", "dv * 2 * t", "dv * t", "t * t uses t twice: its derivative is 2*t.", "t -> v"),
    ("sides multiplied", "math.cos(t) + dv", "math.cos(t) * dv", "What comes back from u and from v adds up in t."),
]
