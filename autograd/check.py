"""The room of the gradient check: whether a derivative is right, and if not, which operation is to blame."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from numbers import Integral
from typing import Any

from autograd.arguments import is_module, signature_of
from autograd.calculus import grad
from autograd.chain import pushforward
from autograd.closures import Closure
from autograd.controls import user_line, watched
from autograd.functions import dot
from autograd.ops import Primitive
from autograd.points import Line, Point, unheard
from autograd.report import WRONG, Coordinate, GradcheckError, Report, Row
from autograd.trees import leaves
from autograd.value import Value, topological
from autograd.verdicts import judge

__all__ = ["GradcheckError", "gradcheck"]


def gradcheck(
    f: Callable[..., Any],
    *inputs: Any,
    gradient: Callable[..., Any] | None = None,
    order: int = 1,
    tolerance: float = 1e-6,
    sample: int | None = None,
    directions: int | None = None,
    seed: int = 0,
) -> Report:
    """Check the gradient of `f` at `inputs` against derivatives found by evaluating f.

    The gradient is that of reverse mode, which is checked against forward mode too, or one that is written by hand. If f returns
    several numbers, in any containers, every one of them is checked with respect to every input.

    - `inputs`: numbers, nested containers of numbers, or modules, whose parameters are checked.
    - `gradient`: a gradient written by hand, `gradient(*inputs)`; f then needs no Value. For one argument it returns derivatives
      in the containers of that argument; for several a tuple, or a dictionary by the names of the arguments. Dictionaries pair
      up by key, all else by shape; a module takes a list, one entry per parameter. If f returns several numbers, it is a
      Jacobian in the containers of `jacobian`.
    - `order`: 2 checks the derivatives of the gradient as well, and so on.
    - `tolerance`: how far a derivative may be off, relative to its size.
    - `sample`: check so many of the numbers in the inputs, drawn by `seed`.
    - `directions`: check the derivatives along so many random directions, drawn by `seed`, in place of those with respect to
      single numbers. The cost does not grow with the number of inputs; where the answer is no, it does not say which input.

    Derivatives are estimated by central differences at many steps, extrapolated, with an error estimate; by the complex step
    where f is written with the functions of this package; by mpmath, if that is installed, where both are too noisy. Verdicts:

    - equal: within `tolerance`, relative to the derivative, and the error of the estimate.
    - valid subgradient: f has a kink here, and the derivative lies between the slopes to the left and to the right.
    - below the noise: f is too noisy to tell.
    - wrong, or undefined (f or its derivative is nan): the report is false. Local derivatives are then checked node by node,
      and the report names the first operation whose rule is wrong, its operands and the line of the program that made it.

    Blind spots: a derivative that is wrong elsewhere but right at `inputs` passes, so check at several points; mistakes
    smaller than `tolerance`, or than the noise, pass, along `directions` a small derivative beside large ones too; at a kink
    every derivative is judged alone, so that (1, 1) passes for max(x, y) at a tie, which `directions` catch; a function that
    jumps within the smallest step cannot be checked; constants hidden in f are not varied; `stop_gradient` hides a slope on
    purpose and is reported as wrong.

    Raises TypeError where f returns no numbers; ValueError where it gives different results at the same point (it draws random
    numbers, or counts its calls), and where the gradient has other keys or another shape than the inputs.

    >>> import autograd
    >>> print(gradcheck(lambda x, y: autograd.sin(x) * y, 1.0, 2.0))  # doctest: +ELLIPSIS
    argument  analytic      numeric       error    verdict
    x         1.080604612   1.080604612   ...  equal
    y         0.8414709848  0.8414709848  ...  equal
    forward mode agrees with reverse mode
    >>> gradcheck(lambda x: x**3, 2.0, gradient=lambda x: 2 * x**2).raise_if_wrong()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autograd.report.GradcheckError: the derivative with respect to x is wrong: analytic 8.0, numeric ..., error 4
    >>> print(gradcheck(lambda p: [p["a"] * p["b"], p["a"] ** 2], {"a": 2.0, "b": 3.0}, directions=1))  # doctest: +ELLIPSIS
    argument                analytic     numeric      error    verdict
    f[0] along direction 1  4.854831965  4.854831965  ...  equal
    f[1] along direction 1  5.031817612  5.031817612  ...  equal
    forward mode agrees with reverse mode
    """
    require_possible(f, inputs, gradient, order, sample, directions)
    point = Point(f, inputs, Value if gradient is None else float)
    report = first_order(point, gradient, tolerance, sample, directions, seed)
    if order > 1 and report:
        f = directional(f, inputs, len(point.first), seed)
        rest = gradcheck(f, *inputs, order=order - 1, tolerance=tolerance, sample=sample, directions=directions, seed=seed)
        report.add("order +1", rest)
    return report


def first_order(
    point: Point, gradient: Any, tolerance: float, sample: int | None, directions: int | None, seed: int
) -> Report:
    """The report on the gradient of reverse mode, or on one that is written by hand."""
    lines = point.directions(directions, seed) if directions else point.lines(sample, seed)
    analytic = point.reverse_mode() if gradient is None else point.handwritten(gradient)
    report = Report(*judged(lines, analytic, tolerance))
    if gradient is None:
        report.rows += forward_against_reverse(point, analytic, seed, report.notes)
    point.require_steady(1 if report else 8)
    if gradient is None and not report:
        report.guilty = guilty_operation(point, tolerance)
    if directions and not report:
        report.notes.append("directions do not say which derivative is wrong: check single numbers, with sample= or all of them")
    return report


def require_possible(
    f: Any, inputs: Sequence[Any], gradient: Any, order: int, sample: int | None, directions: int | None
) -> None:
    """Raise TypeError or ValueError for what cannot be checked."""
    if not callable(f):
        raise TypeError(f"gradcheck needs a function, not {type(f).__name__} {f!r}")
    if not inputs:
        raise TypeError("gradcheck needs the point to check at: gradcheck(f, x, ...)")
    if gradient is not None and not callable(gradient):
        raise TypeError(f"gradient is a function of the inputs, not {type(gradient).__name__} {gradient!r}; write lambda *_: ...")
    if not isinstance(order, Integral) or order < 1:
        raise ValueError(f"the order of a gradient check is 1, 2, ..., not {order!r}")
    if order > 1 and (gradient is not None or any(map(is_module, inputs))):
        raise ValueError("gradcheck of order 2 and more needs a function of numbers, without a hand-written gradient")
    for name, count in (("sample", sample), ("directions", directions)):
        if count is not None and (not isinstance(count, Integral) or count < 1):
            raise ValueError(f"{name} is how many to check, 1 or more, not {count!r}")
    if sample is not None and directions is not None:
        raise ValueError("sample= checks single numbers and directions= all of them at once: give one of the two")


def judged(lines: Iterable[Line], analytic: Sequence[Sequence[float]], tolerance: float) -> tuple[list[Row], list[Coordinate]]:
    """A row for every output along every line, output by output, and what they were judged by."""
    found = []
    for line in lines:
        slopes = map(line.slope, analytic)
        found.append([(judge(coordinate, slope, tolerance), coordinate) for coordinate, slope in zip(line.coordinates, slopes)])
    pairs = [pair for column in zip(*found) for pair in column]
    return [row for row, _ in pairs], [coordinate for _, coordinate in pairs]


def directional(f: Callable[..., Any], inputs: Sequence[Any], outputs: int, seed: int) -> Callable[..., Any]:
    """The gradient of f along a fixed random direction: one number, whose derivatives are second derivatives of f.

    Where f has several outputs, it is the gradient of their sum with fixed random weights.
    """
    draw = random.Random(seed)
    direction = [draw.uniform(0.5, 1.5) for _ in leaves(list(inputs))]
    weights = [draw.uniform(0.5, 1.5) for _ in range(outputs)]

    def weighted(*arguments: Any) -> Any:
        found = leaves(f(*arguments))
        return found[0] if outputs == 1 else dot(found, weights)

    def slope(*arguments: Any) -> Any:
        return dot(leaves(list(grad(weighted, tuple(range(len(arguments))))(*arguments))), direction)

    slope.__signature__ = signature_of(f, len(inputs))  # type: ignore[attr-defined]
    return slope


def forward_against_reverse(point: Point, analytic: Sequence[Sequence[float]], seed: int, notes: list[str]) -> list[Row]:
    """A row for each output of which forward mode says otherwise, along a random direction; else a note that it agrees."""
    draw = random.Random(seed)
    with watched(read=unheard):
        outputs, places = point.record()
    direction = [draw.uniform(0.5, 1.5) for _ in places]
    order = topological(*[y for y in outputs if isinstance(y, Value)])
    tangents = pushforward(order, dict(zip(places, direction)))
    rows = []
    for name, y, derivatives in zip(point.outputs, outputs, analytic):
        forward = tangents.get(y, 0.0) if isinstance(y, Value) else 0.0
        terms = [d * a for d, a in zip(direction, derivatives)]
        reverse, size = sum(terms), sum(map(abs, terms))
        difference = abs(forward - reverse)
        if forward != reverse and not difference <= 1e-9 * size and math.isfinite(size):
            paths = gross(order, y)
            if difference <= 1e-12 * sum(d * paths.get(place, 0.0) for d, place in zip(direction, places)):
                continue  # the paths cancel, and what is left of them is rounding
            argument = "forward mode" if point.is_scalar else f"{name} in forward mode"
            rows.append(Row(argument, reverse, forward, abs(forward - reverse), WRONG, "forward and reverse mode differ"))
    if not rows:
        notes.append("forward mode agrees with reverse mode")
    return rows


def gross(order: Sequence[Value], y: Value) -> dict[Any, float]:
    """For every node, the sum of the sizes of all paths from y to it, whatever their signs: rounding is measured by this."""
    sizes: dict[Any, float] = {y: 1.0}
    for node in reversed(order):
        size = sizes.get(node, 0.0)
        for operand, local in zip(node._operands, node._locals):
            if local is not None:
                sizes[operand] = sizes.get(operand, 0.0) + abs(local) * size
    return sizes


def operand_of(row: Primitive, primals: Sequence[float], i: int) -> Coordinate:
    """The i-th operand of an operation, and the operation as a function of it."""

    def value(x: float) -> float:
        operands = [*primals[:i], x, *primals[i + 1 :]]
        return row.function(operands) if row.arity is None else row.function(*operands)

    return Coordinate(f"operand {i + 1}", primals[i], value, None, f"with respect to operand {i + 1}")


def guilty_operation(point: Point, tolerance: float) -> str:
    """The first operation, operands before results, whose local derivative is wrong.

    If all of them are right, the first line where f reads the number in a Value; empty if it reads none.
    """
    reads: list[str] = []
    closures: list[str] = []

    def mark(node: Value) -> None:
        node._note = node._note.but(line=user_line())

    def mark_read(kind: str, *_: Any) -> None:
        if kind in (".data", "float()"):
            reads.append(user_line())

    with watched(mark, mark_read):
        outputs, _ = point.record()
    for node in topological(*[y for y in outputs if isinstance(y, Value)]):
        row = node._primitive
        if row is None:
            continue
        if isinstance(row, Closure):
            closures.append(f"{row.name!r}, made at {node._note.line}")
            continue
        primals = [x._data if isinstance(x, Value) else x for x in node._operands]
        for i, (operand, local) in enumerate(zip(node._operands, node._locals)):
            if not isinstance(operand, Value):
                continue
            coordinate = operand_of(row, primals, i)
            found = judge(coordinate, local or 0.0, tolerance)
            if found.verdict == WRONG:
                return (
                    f"the operation to blame is {row.name}({', '.join(map(repr, primals[:6]))}), made at {node._note.line}: its "
                    f"partial derivative {coordinate.phrase} is {local!r}, it should be {found.numeric:.10g}"
                )
    if closures:
        return (
            f"the operation to blame is {', or '.join(dict.fromkeys(closures))}: its derivative was given as a closure or as "
            "numbers, and all others are right"
        )
    if reads:
        return (
            f"the number in a Value is read at {reads[0]}, as math.sin(v), float(v) and v.data do, and the derivative is lost "
            "there; use the functions of autograd, or stop_gradient if that is meant"
        )
    return ""
