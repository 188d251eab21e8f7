"""The room of the gradient check: whether a derivative is right, and if not, which operation is to blame."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from typing import Any

from autograd.arguments import argument_names, is_module, parameters_of, paths, signature_of
from autograd.calculus import grad, jvp
from autograd.chain import pullback
from autograd.closures import Closure
from autograd.controls import enable_grad, no_grad, user_line, watched
from autograd.floats import number, unboxed
from autograd.functions import dot
from autograd.ops import Primitive
from autograd.report import WRONG, Coordinate, GradcheckError, Report, Row
from autograd.trees import is_array, leaves, rebuild, transform
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
    seed: int = 0,
) -> Report:
    """Check the gradient of `f` at `inputs` against derivatives found by evaluating f.

    `inputs` are numbers, nested containers of numbers, or modules, whose parameters are checked (`sample` of them, drawn by
    `seed`, if that is given). The gradient is that of reverse mode, which is checked against forward mode too; or what the
    hand-written `gradient(*inputs)` returns: then f needs no Value, and one argument gives one derivative, several a tuple.
    `order=2` checks the derivatives of the gradient as well, and so on.

    Derivatives are estimated by central differences at many steps, extrapolated, with an error estimate; by the complex step
    where f is written with the functions of this package; by mpmath, if that is installed, where both are too noisy. Verdicts:

    - equal: within `tolerance`, relative to the derivative, and the error of the estimate.
    - valid subgradient: f has a kink here, and the derivative lies between the slopes to the left and to the right.
    - below the noise: f is too noisy to tell.
    - wrong, or undefined (f or its derivative is nan): the report is false. Local derivatives are then checked node by node,
      and the report names the first operation whose rule is wrong, its operands and the line of the program that made it.

    Blind spots: a derivative that is wrong elsewhere but right at `inputs` passes, so check at several points; mistakes
    smaller than `tolerance`, or than the noise, pass; a function that draws random numbers, or that jumps within the
    smallest step, cannot be checked; constants hidden in f are not varied; `stop_gradient` hides a slope on purpose and is
    reported as wrong. Raises TypeError or ValueError where f does not return one number or the gradient has another size.

    >>> import autograd
    >>> print(gradcheck(lambda x, y: autograd.sin(x) * y, 1.0, 2.0))  # doctest: +ELLIPSIS
    argument  analytic      numeric       error    verdict
    x         1.080604612   1.080604612   ...  equal
    y         0.8414709848  0.8414709848  ...  equal
    forward mode agrees with reverse mode
    >>> gradcheck(lambda x: x**3, 2.0, gradient=lambda x: 2 * x**2).raise_if_wrong()  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    autograd.report.GradcheckError: the derivative by x is wrong: analytic 8.0, numeric ..., error 4
    """
    if not callable(f):
        raise TypeError(f"gradcheck needs a function, not {type(f).__name__} {f!r}")
    if not inputs:
        raise TypeError("gradcheck needs the point to check at: gradcheck(f, x, ...)")
    if not isinstance(order, int) or order < 1:
        raise ValueError(f"the order of a gradient check is 1, 2, ..., not {order!r}")
    coordinates = coordinates_of(f, inputs, on_values=gradient is None)
    if gradient is None:
        analytic = reverse_mode(f, inputs)
    else:
        given = gradient(*inputs)
        analytic = [float(leaf) for leaf in leaves(given if len(inputs) > 1 else [given])]
        if len(analytic) != len(coordinates):
            raise ValueError(f"the gradient has {len(analytic)} numbers, the inputs have {len(coordinates)}")
    chosen = list(range(len(coordinates)))
    if sample is not None and sample < len(chosen):
        chosen = sorted(random.Random(seed).sample(chosen, sample))
    rows = [judge(coordinates[i], analytic[i], tolerance) for i in chosen]
    report = Report(rows, coordinates)
    if gradient is None and not any(is_module(x) for x in inputs):
        report.rows += forward_against_reverse(f, inputs, analytic, seed, report.notes)
    if gradient is None and not report:
        report.guilty = guilty_operation(f, inputs, tolerance)
    if order > 1 and report:
        if gradient is not None or any(is_module(x) for x in inputs):
            raise ValueError("gradcheck of order 2 and more needs a function of numbers, without a hand-written gradient")
        rest = gradcheck(directional(f, inputs, seed), *inputs, order=order - 1, tolerance=tolerance, sample=sample, seed=seed)
        report.rows += [row._replace(argument=f"order +1: {row.argument}") for row in rest.rows]
        report.guilty = rest.guilty
    return report


def directional(f: Callable[..., Any], inputs: Sequence[Any], seed: int) -> Callable[..., Any]:
    """The gradient of f along a fixed random direction: one number, whose derivatives are second derivatives of f."""
    draw = random.Random(seed)
    direction = [draw.uniform(0.5, 1.5) for _ in leaves(list(inputs))]

    def slope(*arguments: Any) -> Any:
        return dot(leaves(list(grad(f, tuple(range(len(arguments))))(*arguments))), direction)

    slope.__signature__ = signature_of(f, len(inputs))  # type: ignore[attr-defined]
    return slope


def coordinates_of(f: Callable[..., Any], inputs: Sequence[Any], *, on_values: bool) -> list[Coordinate]:
    """Every number in the inputs, with f as a function of it alone."""
    parameters = [is_module(tree) for tree in inputs for _ in (parameters_of(tree) if is_module(tree) else leaves(tree))]
    names = [name for parameter, tree in zip(argument_names(f, len(inputs)), inputs) for name in paths(parameter, tree)]
    places = [place for tree in inputs for place in (parameters_of(tree) if is_module(tree) else leaves(tree))]
    points = [place._data if isinstance(place, Value) else number(place, "gradcheck") for place in places]

    def evaluate(i: int, kind: Callable[[float], Any]) -> Callable[[Any], Any]:
        def on(x: Any) -> Any:
            moved_points = [kind(x) if j == i else kind(point) for j, point in enumerate(points)]
            fill = iter([point for point, own in zip(moved_points, parameters) if not own])
            arguments = [x_ if is_module(x_) else rebuild(x_, fill) for x_ in inputs]
            return f(*arguments)

        return on

    def along(i: int) -> Callable[[float], float]:
        if parameters[i]:
            return moved(places[i], lambda: f(*inputs))
        on = evaluate(i, Value if on_values else float)

        def value(x: float) -> float:
            with no_grad():
                return scalar(on(x))

        return value

    modules = any(parameters)
    return [
        Coordinate(name, points[i], along(i), None if modules or not on_values else evaluate(i, lambda x: x))
        for i, name in enumerate(names)
    ]


def moved(parameter: Value, run: Callable[[], Any]) -> Callable[[float], float]:
    """The result of `run` as a function of a parameter, which is put back afterwards."""

    def value(x: float) -> float:
        before = parameter._data
        parameter.data = x
        try:
            with no_grad():
                return scalar(run())
        finally:
            parameter.data = before

    return value


def scalar(result: Any) -> float:
    """The one number that a function returned."""
    if isinstance(result, Value) or (hasattr(result, "__float__") and not is_array(result)):
        return float(result)
    raise TypeError(f"gradcheck needs a function that returns one number, not {type(result).__name__}")


def reverse_mode(f: Callable[..., Any], inputs: Sequence[Any]) -> list[float]:
    """The derivatives by every number in the inputs, by the chain rule."""
    root, places = run_on_values(f, inputs)
    if not isinstance(root, Value):
        scalar(root)
        return [0.0] * len(places)
    cotangents = pullback(topological(root), {root: 1.0})
    return [cotangents.get(place, 0.0) for place in places]


def run_on_values(f: Callable[..., Any], inputs: Sequence[Any]) -> tuple[Any, list[Value]]:
    """Run f on Values, recorded, and the Values that stand for the inputs."""
    arguments = [x if is_module(x) else transform(lambda leaf: Value(number(leaf, "gradcheck")), x) for x in map(plain, inputs)]
    with enable_grad():
        root = unboxed(f(*arguments))
    return root, [place for x in arguments for place in (parameters_of(x) if is_module(x) else leaves(x))]


def plain(tree: Any) -> Any:
    """The tree with the numbers of its Values."""
    return tree if is_module(tree) else transform(lambda leaf: leaf._data if isinstance(leaf, Value) else leaf, tree)


def forward_against_reverse(
    f: Callable[..., Any], inputs: Sequence[Any], analytic: Sequence[float], seed: int, notes: list[str]
) -> list[Row]:
    """A row if forward mode says otherwise, along a random direction; else a note that it agrees."""
    draw = random.Random(seed)
    direction = [draw.uniform(0.5, 1.5) for _ in analytic]
    fill = iter(direction)
    with watched(read=lambda *_: None):  # the report says by itself which line reads a number
        _, forward = jvp(f, [plain(x) for x in inputs], [rebuild(x, fill) for x in inputs])
    terms = [d * a for d, a in zip(direction, analytic)]
    size = sum(map(abs, terms))
    if forward == sum(terms) or abs(forward - sum(terms)) <= 1e-9 * size or not math.isfinite(size):
        notes.append("forward mode agrees with reverse mode")
        return []
    return [Row("forward mode", sum(terms), forward, abs(forward - sum(terms)), WRONG, "forward and reverse mode differ")]


def along_operand(row: Primitive, primals: Sequence[float], i: int) -> Callable[[float], float]:
    """An operation as a function of its i-th operand."""

    def value(x: float) -> float:
        operands = [*primals[:i], x, *primals[i + 1 :]]
        return row.function(operands) if row.arity is None else row.function(*operands)

    return value


def guilty_operation(f: Callable[..., Any], inputs: Sequence[Any], tolerance: float) -> str:
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
        root, _ = run_on_values(f, inputs)
    for node in topological(root) if isinstance(root, Value) else []:
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

            found = judge(Coordinate("", primals[i], along_operand(row, primals, i), None), local or 0.0, tolerance)
            if found.verdict == WRONG:
                return (
                    f"the operation to blame is {row.name}({', '.join(map(repr, primals[:6]))}), made at {node._note.line}: its "
                    f"partial derivative by operand {i + 1} is {local!r}, it should be {found.numeric:.10g}"
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
