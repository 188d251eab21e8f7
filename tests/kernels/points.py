"""The room of points: doubles of all magnitudes, around every threshold, and special ones."""

from __future__ import annotations

from functools import cache

import mpmath as mp
import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

TINY, NORMAL, LARGEST = 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308
SPECIAL = [
    0.0, TINY, 2 * TINY, 3 * TINY, NORMAL - TINY, NORMAL, NORMAL + TINY, 1e-300, 2.0**-54, 2.0**-53, 2.0**-28, 2.0**-27, 2.0**-26,
    0.25, 1 / 3, 0.5, 1 - 2.0**-53, 1.0, 1 + 2.0**-52, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 5.0, 7.0, 22.0, 26.5, 27.226, 28.0, 44.0,
    50.0, 708.3964185322641, 709.0, 709.782712893384, 709.7827128933841, 710.0, 710.4758600739439, 744.4400719213812,
    745.1332191019411, 745.1332191019412, 745.13321910194122, 746.0, 1023.0, 1024.0, 1074.0, 1075.0, 100001.0,
    2.0**20, 2.0**51, 2.0**51 + 0.5, 2.0**52, 2.0**52 + 1, 2.0**53 - 1, 2.0**53, 2.0**53 + 2, 2.0**54, 2.0**60, 2.0**62, 2.0**63,
    2.0**64, 2.0**65, 2.0**66, 1e22, 1e154, 1e155, 1e300, LARGEST / 2, LARGEST, np.inf, np.nan,
]  # fmt: skip
# Where a function changes its method, overflows or has a zero.
THRESHOLDS = [
    5e-324, NORMAL, 2.0**-900, 2.0**-450, 2.0**-400, 2.0**-54, 2.0**-53, 2.0**-28, 2.0**-27, 0.25, 0.2928932188134525,
    0.34657359027997265, 0.35355339059327379, 0.41421356237309505, 0.5, 0.70710678118654752, 0.7853981633974483, 1.0,
    1.03972077083991796, 1.414213562373095, 1.5707963267948966, 2.0, 2.35619449, 2.414213562373095, 2.82842712474619,
    3.141592653589793, 5.921587195794508, 6.0, 19.06, 20.79, 22.0, 26.5432, 27.226, 28.0, 37.4, 42.0, 44.0, 50.0, 354.19820926613,
    372.5665955, 708.3964185322641, 709.782712893384, 710.0, 710.47586007, 711.0, 744.4400719213812, 745.1332191019411, 746.0,
    1022.0, 1024.0, 1074.0, 1075.0, 2.0**20, 2.0**51, 2.0**52, 2.0**53, 2.0**54, 2.0**60, 2.0**100, 2.0**500, 2.0**1000, LARGEST,
]  # fmt: skip


def logarithmic(random: np.random.Generator, low: float, high: float, count: int) -> Doubles:
    """Positive numbers, their logarithms evenly spread."""
    return np.exp(random.uniform(np.log(low), np.log(high), count))


def either_sign(random: np.random.Generator, x: Doubles) -> Doubles:
    """Half of the numbers negated."""
    return x * random.choice([-1.0, 1.0], len(x))


def bits(random: np.random.Generator, count: int) -> Doubles:
    """Every double is as likely: also nan and infinite ones."""
    return random.integers(0, 2**64, count, dtype=np.uint64).view(np.float64)


def subnormal(random: np.random.Generator, count: int) -> Doubles:
    """Subnormal numbers, down to the smallest one."""
    return (random.integers(0, 2**52, count, dtype=np.uint64) >> random.integers(0, 52, count).astype(np.uint64)).view(np.float64)


def neighbours(x: float, count: int) -> Doubles:
    """As many doubles on each side of x."""
    return (np.array([x]).view(np.int64)[0] + np.arange(-count, count + 1)).view(np.float64)


@cache
def nearly_quarters() -> Doubles:
    """The doubles that are nearest to multiples of pi/2, where sines and cosines nearly vanish, by continued fractions."""
    found = []
    with mp.workprec(1400):
        turns = int(mp.floor(2 / mp.pi * mp.mpf(2) ** 1310))
    for exponent in range(-60, 972):
        a, b, last, q = (turns << (exponent + 60)) % 2**1370, 2**1370, 0, 1
        while a and q < 2**53:  # the denominators of the convergents of 2^exponent 2 / pi modulo 1
            found.append(float(q) * 2.0**exponent)
            whole = b // a
            a, b, last, q = b - whole * a, a, q, whole * q + last
    x = np.array(found)
    return x[x < 1e307]


def points(count: int, seed: int = 0) -> Doubles:
    """About `count` doubles, and the special ones."""
    random = np.random.default_rng(seed)
    n, few = count // 10, max(count // 4000, 3)
    multiples = np.pi / 2 * random.integers(1, 2**21, n // 4)
    parts = [
        either_sign(random, logarithmic(random, 1e-308, 1.7e308, n)),
        bits(random, n),
        either_sign(random, logarithmic(random, 1e-20, 1e4, 2 * n)),
        *(random.uniform(-bound, bound, n) for bound in (1, 3, 30, 750)),
        either_sign(random, subnormal(random, n // 10)),
        random.integers(-(2**62), 2**62, n // 10).astype(float),
        random.integers(-1000, 1000, n // 10) / 2.0,
        1 + either_sign(random, logarithmic(random, 2e-16, 0.7, n // 2)),
        *(np.copysign(neighbours(x, few // 4 + 2), sign) for x in THRESHOLDS for sign in (1.0, -1.0)),
        either_sign(random, multiples), np.nextafter(multiples, 0.0),
        6381956970095103.0 * 2.0 ** np.array([797, 798]),
        np.array(SPECIAL), -np.array(SPECIAL),
    ]  # fmt: skip
    return np.concatenate(parts)


def pairs(count: int, seed: int = 0) -> tuple[Doubles, Doubles]:
    """About `count` pairs: arguments of a power over its whole range, of any magnitudes, of like ones; and all special pairs."""
    random = np.random.default_rng(seed)
    n = count // 8
    base = logarithmic(random, 1e-308, 1.7e308, 2 * n)
    near_1 = 1 + either_sign(random, logarithmic(random, 2e-16, 0.5, n))
    edge = np.exp(random.uniform(-1, 1, n // 2))
    like = either_sign(random, logarithmic(random, 1e-308, 1.7e305, n))
    chosen = [
        (base, random.uniform(-750, 712, 2 * n) / np.log(base)),
        (near_1, random.uniform(-745, 710, n) / np.log(near_1)),
        (random.uniform(-20, 20, n), random.uniform(-8, 8, n)),
        (random.integers(-1000, 1000, n) / 2.0, random.integers(-120, 120, n) / 2.0),
        (bits(random, n), bits(random, n)),
        (like, like * either_sign(random, logarithmic(random, 1e-3, 1e3, n))),
        (subnormal(random, n // 4), random.uniform(-1.05, 1.05, n // 4)),
        (subnormal(random, n // 4), subnormal(random, n // 4)),
        (edge, random.choice([709.782712893384, -708.396418532264, -745.1332191019411], n // 2) / np.log(edge)),
    ]
    special = np.array([*SPECIAL, *(-x for x in SPECIAL)])
    x, y = np.meshgrid(special, special)
    return np.concatenate([*(a for a, _ in chosen), x.ravel()]), np.concatenate([*(b for _, b in chosen), y.ravel()])
