"""Forward mode."""

import autograd


def cube(x):
    return x * x * x + 2.0 * x


def wave(x):
    return (x * x).sin() * x


def nested(x):
    return (x.sin() * 3.0 + x).sin() + 1.0


def cases(draw):
    return [(program, draw.uniform(0.6, 1.4)) for program in (cube, wave, nested)]


def attempt(theirs, program, x):
    result = program(theirs.Dual(x, 1.0))
    return result.value, result.slope


def expected(program, x):
    return autograd.jvp(program, (x,), (1.0,))


MUL = "self.slope * other.value + self.value * other.slope"
MISTAKES = [
    ("slopes multiplied", MUL, "self.slope * other.slope", "The product rule has two terms: u'*v + u*v'."),
    ("second term forgotten", MUL, "self.slope * other.value", "The other factor changes too: add self.value * other.slope."),
    ("slope of sin not multiplied", "math.cos(self.value) * self.slope", "math.cos(self.value)", "The chain rule: multiply by the slope that comes in."),
    ("sin at the slope", "math.cos(self.value) * self.slope", "math.cos(self.slope)", "cos is taken at the value, and multiplied by the slope."),
    ("slope of sin is sin", "math.cos(self.value) * self.slope", "math.sin(self.value) * self.slope", "The derivative of sin is cos."),
    ("slope lost", "Dual(math.sin(self.value), math.cos(self.value) * self.slope)", "Dual(math.sin(self.value))", "The result needs its slope, as the second argument of Dual."),
]
