"""The room of verdicts: one derivative, compared with what evaluating the function says of it."""

from __future__ import annotations

import math

from autograd.report import EQUAL, NOISE, SUBGRADIENT, UNDEFINED, WRONG, Coordinate, Row, complex_step
from autograd.slopes import EPSILON, Slope, bends, central, grain, noise_of, scales, shrinks, sides, steepest

__all__ = ["judge"]


def judge(coordinate: Coordinate, analytic: float, tolerance: float) -> Row:
    """Compare one derivative with what evaluating the function says of it."""
    name, x, f = coordinate.name, coordinate.point, coordinate.along
    sizes = scales(x)
    value = f(x)
    if not math.isfinite(value):
        return Row(name, analytic, math.nan, math.nan, UNDEFINED, f"the function is {value} here")
    exact = complex_step(coordinate)
    estimates = []
    for scale in sizes:
        estimate = central(f, x, scale)
        if exact is not None and abs(exact - estimate.value) <= 10.0 * estimate.error + tolerance * abs(exact):
            estimate = Slope(exact, 1e-14 * abs(exact))
        if agrees(analytic, estimate, tolerance):
            error = abs(analytic - estimate.value)
            if bends(f, x, scale) and apart(*(slopes := sides(f, x, scale)), tolerance) and finite(*slopes):
                return Row(name, analytic, estimate.value, error, SUBGRADIENT, told(*slopes))
            return Row(name, analytic, estimate.value, error, EQUAL)
        if vanish(analytic, estimate, tolerance, coordinate, scale):
            return Row(name, analytic, estimate.value, abs(analytic - estimate.value), EQUAL)
        estimates.append((doubt(estimate), scale))
    scale = min(estimates)[1]
    noise = noise_of(f, x, sizes[-1])
    estimate = central(f, x, scale, noise)
    if estimate.value == 0.0:
        widest = sizes[0]
        rounded = central(f, x, widest, grain(f, x, widest))
        error = abs(analytic - rounded.value)
        if error <= 10.0 * rounded.error <= 0.01 * abs(rounded.value):
            return Row(name, analytic, rounded.value, error, NOISE, "the function does not change over small steps")
    left, right = sides(f, x, scale, noise)
    kink = apart(left, right, tolerance)
    low, high = min(left.value, right.value), max(left.value, right.value)
    error = abs(analytic - estimate.value)
    if left.value != left.value or right.value != right.value:  # the function ends here
        side = right if left.value != left.value else left
        outwards = 1.0 if side is right else -1.0
        if analytic == 0.0 and shrinks(f, x, outwards, scale):
            return Row(name, analytic, 0.0, 0.0, EQUAL, "one-sided")
        if agrees(analytic, side, tolerance) or analytic == side.value:
            error = 0.0 if analytic == side.value else abs(analytic - side.value)
            return Row(name, analytic, side.value, error, EQUAL, "one-sided")
        if abs(analytic - side.value) <= 10.0 * side.error < 1e-2:
            return Row(name, analytic, side.value, abs(analytic - side.value), NOISE, "one-sided")
    elif math.inf in (abs(left.value), abs(right.value)):
        if analytic == left.value == right.value:
            return Row(name, analytic, analytic, 0.0, EQUAL, "a vertical tangent")
        beside = [central(f, x + side * 0.01 * max(abs(x), 1.0)) for side in (-1.0, 1.0)]
        if any(agrees(analytic, slope, tolerance) for slope in beside):
            return Row(name, analytic, beside[0].value, abs(analytic - beside[0].value), SUBGRADIENT, "the function jumps here")
    elif kink and low - 10.0 * left.error <= analytic <= high + 10.0 * right.error:
        return Row(name, analytic, estimate.value, error, SUBGRADIENT, told(left, right))
    if analytic != analytic:
        return Row(name, analytic, estimate.value, error, UNDEFINED, "the derivative is nan")
    hidden = 10.0 * estimate.error
    if not kink and (error <= hidden or not math.isfinite(estimate.value)):
        best = reference(coordinate)
        if best is None:
            verdict = EQUAL if analytic == 0.0 and error <= tolerance else NOISE
            return Row(name, analytic, estimate.value, error, verdict, "" if verdict == EQUAL else f"noise {hidden:.1g}")
        error = abs(analytic - best)
        if agrees(analytic, Slope(best, 1e-14 * abs(best)), tolerance):
            return Row(name, analytic, best, error, EQUAL, "by mpmath")
        rounding = 4.0 * EPSILON * abs(value) / max(abs(x), 1.0)  # what one rounding of f costs its slope
        return Row(name, analytic, best, error, NOISE if error <= rounding else WRONG, "by mpmath")
    return Row(name, analytic, estimate.value, error, WRONG, told(left, right) if kink else "")


def told(left: Slope, right: Slope) -> str:
    """The slopes on both sides of a kink."""
    return f"slopes {left.value:.6g} and {right.value:.6g}"


def finite(*slopes: Slope) -> bool:
    return all(math.isfinite(slope.value) for slope in slopes)


def doubt(estimate: Slope) -> float:
    """How uncertain an estimate is, relative to its size."""
    if not math.isfinite(estimate.value):
        return math.inf
    return estimate.error / abs(estimate.value) if estimate.value else float(estimate.error > 0.0)


def apart(left: Slope, right: Slope, tolerance: float) -> bool:
    """Whether two slopes differ by more than the tolerance and their errors."""
    if not finite(left, right):
        return left.value != right.value
    size = max(abs(left.value), abs(right.value))
    return abs(left.value - right.value) > 100.0 * tolerance * size + 10.0 * (left.error + right.error)


def agrees(analytic: float, estimate: Slope, tolerance: float) -> bool:
    """Within the tolerance and the error of the estimate, if that error is small enough to tell."""
    if not (math.isfinite(analytic) and math.isfinite(estimate.value)):
        return analytic == estimate.value
    if analytic == estimate.value == 0.0:
        return True
    size = max(abs(analytic), abs(estimate.value))
    margin = 10.0 * estimate.error
    return margin <= 100.0 * tolerance * size and abs(analytic - estimate.value) <= tolerance * size + margin


def vanish(analytic: float, estimate: Slope, tolerance: float, coordinate: Coordinate, scale: float) -> bool:
    """Whether both derivatives are 0 within the error of the estimate, and that error is small beside the slopes around here.

    At 0, the derivative of relu(x)**2 has no size that an error could be relative to, and its estimate shrinks with the step.
    The slopes of the function nearby say what is small. What is larger than the error of the estimate is a mistake all the same.
    """
    margin = 10.0 * estimate.error
    if not max(abs(analytic), abs(estimate.value)) <= margin:
        return False
    return margin <= 100.0 * tolerance * steepest(coordinate.along, coordinate.point, scale)


def reference(coordinate: Coordinate) -> float | None:
    """The derivative with 30 digits by mpmath; None where it is not installed, or f does not take its numbers.

    0 where twice the digits, and so a far smaller step, shrink it: max(x, 0)**1.1 has slopes at 0 that go to 0 slowly.
    """
    if coordinate.on is None:
        return None
    try:
        import mpmath

        found = []
        for digits in (60, 30):
            with mpmath.workdps(digits):
                found.append(float(mpmath.diff(coordinate.on, mpmath.mpf(coordinate.point))))
    except (ImportError, TypeError, ValueError, AttributeError, ArithmeticError):
        return None
    return 0.0 if abs(found[0]) < 0.5 * abs(found[1]) else found[0]
