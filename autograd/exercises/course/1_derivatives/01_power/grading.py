"""A power."""

ENTRY, BY = "derivative", 1


def function(x, n):
    return x**n


def cases(draw):
    return [(draw.uniform(0.5, 3.0), 3), (draw.uniform(-3.0, -0.5), 2), (draw.uniform(1.5, 3.0), 5), (1.7, 1), (2.5, 0)]


MISTAKES = [
    ("factor forgotten", "n * x", "x", "The exponent comes down as a factor: n times x**(n - 1)."),
    ("exponent not lowered", "(n - 1)", "n", "The power that is left has one factor x less: x**(n - 1)."),
    ("integral", "n * x ** (n - 1)", "x ** (n + 1) / (n + 1)", "That is the integral of x**n. The derivative goes the other way: the exponent falls."),
    ("x and n mixed up", "n * x ** (n - 1)", "n**x", "The power is of x, and n is the exponent: x**(n - 1), n times."),
]
