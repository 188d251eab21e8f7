"""The rest of the operators, on micrograd's two tests and on each operator alone."""

import autograd


def power(a, b):
    return a**3 + b**2 * a


def relu(a, b):
    return (a * 2.0).relu() * a + (b * a).relu() + b.relu() * a


def tanh(a, b):
    c = a + b
    return c.tanh() * c * a


def minus(a, b):
    return -a * b - a + (b - 2.0) * (1.0 - a)


def divide(a, b):
    return a / b + 2.0 / a + b / 4.0


def micrograd_sanity(a, b):
    z = 2 * b + 2 + b
    q = z.relu() + z * b
    h = (z * z).relu()
    return h + q + q * b + a


def micrograd_operators(a, b):
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g


PROGRAMS = [power, relu, tanh, minus, divide, micrograd_sanity, micrograd_operators]


def cases(draw):
    return [(program, draw.uniform(0.5, 2.0), draw.uniform(-3.0, -1.0)) for program in PROGRAMS]


def answers(kind, program, a, b):
    a, b = kind(a), kind(b)
    out = program(a, b)
    out.backward()
    return {"result": out.data, "a.grad": a.grad, "b.grad": b.grad}


def attempt(theirs, program, a, b):
    return answers(theirs.Value, program, a, b)


def expected(program, a, b):
    return answers(autograd.Value, program, a, b)


MISTAKES = [
    ("exponent not lowered", "n * self.data ** (n - 1)", "n * self.data**n", "The rule of pow: n * x**(n - 1)."),
    ("factor forgotten", "n * self.data ** (n - 1)", "self.data ** (n - 1)", "The rule of pow: n * x**(n - 1), with the exponent as a factor."),
    ("relu lets all pass", "(1.0 if out.data > 0 else 0.0)", "1.0", "relu hands on only where its result is above 0."),
    ("relu multiplies by its result", "(1.0 if out.data > 0 else 0.0)", "max(self.data, 0.0)", "The slope of relu is 1 or 0, not its value."),
    ("tanh of the operand", "(1 - out.data**2)", "(1 - self.data**2)", "The slope of tanh is 1 - out.data**2: of the result, not of the operand."),
    ("1 - a the wrong way round", "other + (-self)", "self + (-other)", "1 - a calls a.__rsub__(1): the other one comes first."),
    ("2 / a the wrong way round", "other * self**-1", "self * other**-1", "2 / a calls a.__rtruediv__(2): the other one is divided."),
    ("= for +=", "self.grad += (1 - out", "self.grad = (1 - out", "In tanh, what the operand had gathered is lost: use +=."),
    ("upstream forgotten", "self.grad += (1 - out.data**2) * out.grad", "self.grad += 1 - out.data**2", "In tanh, multiply by out.grad."),
]
