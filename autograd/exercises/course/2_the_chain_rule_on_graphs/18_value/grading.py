"""A number that remembers."""

import autograd


def sums_and_products(a, b):
    c = a * b + a
    return c


def shared(a, b):
    c = a * b
    d = c * c + c
    return d + c * a


def uneven(a, b):
    c = a + b
    d = c * 2.0 + c
    e = d * c + 1.0
    return 3.0 * e + c * d + 2.0 + a


def constant_on_the_left(a, b):
    return 2.0 * a + (3.0 + b) * b


def deep(a, b):
    for _ in range(100):
        a = a * 0.5 + b
    return a


PROGRAMS = [sums_and_products, shared, uneven, constant_on_the_left, deep]


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


MUL = "self.grad += other.data * out.grad\n            other.grad += self.data * out.grad"
MISTAKES = [
    ("= for +=", MUL, MUL.replace("+=", "="), "In __mul__, a value that is used twice loses what it had: gather gradients with +=."),
    ("factor of the wrong operand", MUL, "self.grad += self.data * out.grad\n            other.grad += other.data * out.grad", "In __mul__, self gets other.data times out.grad, and other gets self.data times it."),
    ("upstream forgotten", MUL, "self.grad += other.data\n            other.grad += self.data", "In __mul__, multiply by out.grad: what arrived, times the local derivative."),
    ("no seed", "        self.grad = 1.0\n", "", "All gradients are 0: backward must begin with self.grad = 1.0."),
    ("forward order", "reversed(order)", "order", "The gradient got no further than the last operation: visit all nodes, from the result back to the leaves."),
    ("no topological order", "        for node in reversed(order):\n            node._backward()", "        queue = [self]\n        for node in queue:\n            node._backward()\n            queue += [x for x in node._operands if x not in queue]", "A shared node passed on its gradient before all of it had arrived: sort first."),
    ("operands not kept", "out = Value(self.data * other.data, (self, other))", "out = Value(self.data * other.data)", "The result of __mul__ must keep its operands (self, other), or the way back ends there."),
]
