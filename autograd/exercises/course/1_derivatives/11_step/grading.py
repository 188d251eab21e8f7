"""The step that is too small."""

import math

TOLERANCE = 0.25  # of the exponent: a neighbour of the best step is as good
ENTRY = "best_step"


def cases(draw):
    return [(math.exp, math.exp(x), x) for x in (draw.uniform(1.0, 2.0), draw.uniform(2.0, 3.0))] + [(math.sin, math.cos(1.0), 1.0)]


def attempt(theirs, f, exact, x):
    h = theirs.best_step(f, exact, x)
    return {"power of ten": math.log10(h)} if isinstance(h, float) and h > 0 else h


def expected(f, exact, x):
    """For functions like these, about the cube root of the precision of a float."""
    return {"power of ten": -5.0}


MISTAKES = [
    ("the smallest is best", "min(STEPS, key=error)", "min(STEPS)", "The smallest step loses all digits in the difference. Compare the errors, not the steps."),
    ("one side only", "(f(x + h) - f(x - h)) / (2 * h)", "(f(x + h) - f(x)) / h", "With the forward difference the legs meet at about 1e-8, and at a larger error. Take both sides."),
    ("good enough", "min(STEPS, key=error)", "next(h for h in STEPS if error(h) < 1e-4)", "That stops at the first step that is good. A smaller one is better still; look at all of them."),
    ("the largest error", "min(STEPS, key=error)", "max(STEPS)", "The largest step is wrong by h**2 times something. Look for the smallest error."),
]
