"""Prints the polynomials and constants of vectors.h, made again with mpmath: `python -m tests.kernels.coefficients [NAME ...]`.

A polynomial is the minimax approximation (Remez's exchange on a grid of Chebyshev points) of a function, times a weight that
turns its error into the relative error of what it is a part of. Its coefficients are rounded to doubles in the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

from mpmath import mp, mpf

MIDDLE_ERF, MIDDLE_ERFC = mpf("0.21875"), mpf("0.171875")  # the middles of the ranges of 1 / (x + 2)


class Polynomial(NamedTuple):
    """What is approximated, where, how its error is weighed, and to which degree."""

    function: Callable[[Any], Any]
    weight: Callable[[Any], Any]
    low: Any
    high: Any
    degree: int


def of_square(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A function of r as one of z = r ** 2."""
    return lambda z: function(mp.sqrt(z))


def decay(middle: Any) -> Callable[[Any], Any]:
    """Erfc without its exponential: (x + 2) e^(x^2) erfc(x), as a function of 1 / (x + 2) - middle."""
    return lambda t: (1 / (t + middle)) * mp.exp((1 / (t + middle) - 2) ** 2) * mp.erfc(1 / (t + middle) - 2)


def slope(t: Any) -> Any:
    """The derivative of y decay(y) with respect to y."""
    return mp.diff(lambda u: (u + MIDDLE_ERFC) * decay(MIDDLE_ERFC)(u), t)


mp.dps = 60
HALF_LN2 = mp.log(2) / 2 * mpf("1.001")
LARGEST_S = ((mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)) ** 2 * mpf("1.0001")
EIGHTH_TURN = (mp.pi / 4 * mpf("1.001")) ** 2
TINY = mpf(10) ** -12
POLYNOMIALS = {
    "exp": Polynomial(lambda r: (mp.expm1(r) - r) / r**2 if r else mpf(1) / 2, lambda r: abs(r**2 / mp.expm1(r)) if r else TINY,
                      -HALF_LN2, HALF_LN2, 10),
    "log": Polynomial(of_square(lambda s: (2 * mp.atanh(s) / s - 2) / s**2), lambda z: z / 2, TINY, LARGEST_S, 6),
    "pow": Polynomial(of_square(lambda s: ((2 * mp.atanh(s) / s - 2) / s**2 - mpf(2) / 3) / s**2), lambda z: z**2 / 2,
                      TINY, LARGEST_S, 8),
    "sin": Polynomial(of_square(lambda r: (mp.sin(r) / r - 1) / r**2), lambda z: z, TINY, EIGHTH_TURN, 5),
    "cos": Polynomial(of_square(lambda r: (mp.cos(r) - 1 + r**2 / 2) / r**4), lambda z: z**2 / mp.cos(mp.sqrt(z)),
                      TINY, EIGHTH_TURN, 5),
    "atan": Polynomial(of_square(lambda q: (mp.atan(q) / q - 1) / q**2), lambda z: z,
                       TINY, (mp.sqrt(2) - 1) ** 2 * mpf("1.0001"), 10),
    "cbrt": Polynomial(mp.cbrt, lambda m: 1 / mp.cbrt(m), mp.sqrt(2) / 4, 2 * mp.sqrt(2), 4),
    "erf, below 1": Polynomial(of_square(lambda x: mp.erf(x) / x - 1), lambda z: mp.sqrt(z) / mp.erf(mp.sqrt(z)),
                               TINY, mpf("1.0001"), 12),
    "erf, from 1 on": Polynomial(decay(MIDDLE_ERF), lambda t: mp.erfc(1 / (t + MIDDLE_ERF) - 2) / decay(MIDDLE_ERF)(t),
                                 mpf(1) / 8 - MIDDLE_ERF, 1 / mpf("2.9999") - MIDDLE_ERF, 12),
    "erfc": Polynomial(decay(MIDDLE_ERFC), lambda t: 1 / decay(MIDDLE_ERFC)(t),
                       mpf(1) / 30 - MIDDLE_ERFC, 1 / mpf("2.4999") - MIDDLE_ERFC, 22),
    "erfc, slope": Polynomial(slope, lambda t: 1 / slope(t), mpf(1) / 30 - MIDDLE_ERFC, 1 / mpf("2.4999") - MIDDLE_ERFC, 3),
}  # fmt: skip


def at(coefficients: list[Any], x: Any) -> Any:
    """The polynomial at x, by Horner's rule."""
    return reduce(lambda total, c: total * x + c, reversed(coefficients), mp.mpf(0))


def minimax(p: Polynomial) -> tuple[list[Any], Any]:
    """The coefficients, from the constant on, and the largest weighed error."""
    unknowns = p.degree + 2
    count = 40 * unknowns
    xs = [(p.low + p.high) / 2 - (p.high - p.low) / 2 * mp.cos(mp.pi * (i + 0.5) / count) for i in range(count)]
    ys, weights = [p.function(x) for x in xs], [p.weight(x) for x in xs]
    chosen = [round(i * (count - 1) / (unknowns - 1)) for i in range(unknowns)]
    for _ in range(20):  # as many points as unknowns, where the weighed error alternates
        powers = [[xs[j] ** c for c in range(p.degree + 1)] for j in chosen]
        equations = [[*row, (-1) ** k / weights[j]] for k, (row, j) in enumerate(zip(powers, chosen))]
        coefficients = list(mp.lu_solve(mp.matrix(equations), mp.matrix([ys[j] for j in chosen])))[:-1]
        errors = [w * (y - at(coefficients, x)) for x, y, w in zip(xs, ys, weights)]
        peaks: list[int] = []
        for i, error in enumerate(errors):  # the largest of every run of equal sign
            if not peaks or (error > 0) != (errors[peaks[-1]] > 0):
                peaks.append(i)
            elif abs(error) > abs(errors[peaks[-1]]):
                peaks[-1] = i
        while len(peaks) > unknowns:
            peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
        if peaks == chosen or len(peaks) < unknowns:
            break
        chosen = peaks
    return coefficients, max(map(abs, errors))


def parts(x: Any, *bits: int) -> list[str]:
    """A number as a sum of doubles: the first parts end at these powers of 2, so that small multiples of them are exact."""
    found = []
    for bit in bits:
        part = mp.floor(x * mpf(2) ** bit) / mpf(2) ** bit
        found.append(float(part).hex())
        x -= part
    return [*found, float(x).hex()]


def constants() -> dict[str, list[str]]:
    """Numbers in parts, and the bits of 2 / pi."""
    with mp.workdps(450):
        bits = int(2 / mp.pi * mpf(2) ** (64 * 19))
        words = [f"0x{bits >> 64 * (18 - i) & (2**64 - 1):016x}" for i in range(19)]
        return {
            "ln 2": parts(mp.log(2), 33),
            "log10(2)": parts(mp.log10(2), 33),
            "1 / ln 2": parts(1 / mp.log(2), 31),
            "1 / ln 10": parts(1 / mp.log(10), 33),
            "pi / 2": parts(mp.pi / 2, 32, 65, 98),
            "pi / 4": parts(mp.pi / 4, 49),
            "pi / 2, whole": [float(mp.pi / 2).hex(), float(mp.pi / 2 - float(mp.pi / 2)).hex()],
            "2 / pi": words,
        }


def main(names: list[str]) -> None:
    """Print what is asked for, or everything."""
    for name, words in constants().items():
        if not names or name in names:
            print(name, *words, sep="\n    ")
    for name, polynomial in POLYNOMIALS.items():
        if not names or name in names:
            coefficients, error = minimax(polynomial)
            print(f"{name}: degree {polynomial.degree}, weighed error 2^{mp.nstr(mp.log(error, 2), 4)}")
            for c in coefficients:
                print(f"    {float(c).hex()}    {float(c - float(c)).hex()}")


if __name__ == "__main__":
    main(sys.argv[1:])
