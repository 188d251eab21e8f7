"""The room of reports: what a gradient check found, as a truth value, a table and a picture."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograd.slopes import central

__all__ = ["EQUAL", "NOISE", "SUBGRADIENT", "UNDEFINED", "WRONG", "Coordinate", "GradcheckError", "Report", "Row", "complex_step"]

EQUAL, SUBGRADIENT, NOISE, WRONG, UNDEFINED = "equal", "valid subgradient", "below the noise", "wrong", "undefined"


class GradcheckError(AssertionError):
    """A gradient is wrong; the message names the worst argument and, where it is known, the operation to blame."""


class Row(NamedTuple):
    """One checked derivative."""

    argument: str
    analytic: float
    numeric: float
    error: float  # |analytic - numeric|
    verdict: str
    note: str = ""


class Coordinate(NamedTuple):
    """One number that is varied: its name, its place, and the function along it; on complex numbers too, if it can."""

    name: str
    point: float
    along: Callable[[float], float]
    on: Callable[[Any], Any] | None
    phrase: str  # what a sentence says of it: "with respect to x"


class Report:
    """What `gradcheck` found: true if no derivative is wrong, and a table when printed."""

    def __init__(self, rows: Sequence[Row], coordinates: Sequence[Coordinate]) -> None:
        self.rows = list(rows)
        self.notes: list[str] = []
        self.guilty = ""  # the operation to blame, in a sentence
        self.coordinates = {coordinate.name: coordinate for coordinate in coordinates}

    def __bool__(self) -> bool:
        return all(row.verdict not in (WRONG, UNDEFINED) for row in self.rows)

    def add(self, title: str, other: Report) -> None:
        """Take in the rows of another report, under a title."""
        self.rows += [row._replace(argument=f"{title}: {row.argument}") for row in other.rows]
        for name, coordinate in other.coordinates.items():
            self.coordinates[f"{title}: {name}"] = coordinate._replace(phrase=f"{coordinate.phrase}, {title},")
        self.notes += [note for note in other.notes if note not in self.notes]
        self.guilty = other.guilty

    @property
    def worst(self) -> Row:
        """The row that fails most: wrong before right, then by error relative to the size of the derivative."""

        def badness(row: Row) -> tuple[bool, float]:
            relative = row.error / max(abs(row.analytic), abs(row.numeric), 1e-300)
            return row.verdict in (WRONG, UNDEFINED), relative if relative == relative else math.inf

        return max(self.rows, key=badness)

    def raise_if_wrong(self) -> None:
        """Raise GradcheckError, which names the worst argument, unless the report is true."""
        if not self:
            row = self.worst
            phrase = self.coordinates[row.argument].phrase if row.argument in self.coordinates else f"({row.argument})"
            blame = f"; {self.guilty}" if self.guilty else ""
            raise GradcheckError(
                f"the derivative {phrase} is {row.verdict}: analytic {row.analytic!r}, numeric {row.numeric!r}, "
                f"error {row.error:.3g}{' (' + row.note + ')' if row.note else ''}{blame}"
            )

    def cells(self) -> list[tuple[str, ...]]:
        """The table as text, head first."""
        head = ("argument", "analytic", "numeric", "error", "verdict")
        body = [
            (row.argument, f"{row.analytic:.10g}", f"{row.numeric:.10g}", f"{row.error:.1e}",
             row.verdict + (f": {row.note}" if row.note else ""))
            for row in self.rows
        ]  # fmt: skip
        return [head, *body]

    def __str__(self) -> str:
        cells = self.cells()
        widths = [max(map(len, column)) for column in zip(*cells)]
        lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths)).rstrip() for row in cells]
        return "\n".join([*lines, *self.notes, *([self.guilty] if self.guilty else [])])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        head, *body = [[html.escape(cell) for cell in row] for row in self.cells()]
        lines = ["<table><tr>" + "".join(f"<th>{cell}</th>" for cell in head) + "</tr>"]
        lines += ["<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in body]
        return "".join([*lines, "</table>", *(f"<p>{html.escape(note)}</p>" for note in [*self.notes, self.guilty] if note)])

    def plot(self, argument: str | None = None) -> Any:
        """The error of each numeric method against its step, on log axes: the V that every course draws.

        For the worst argument, or the one named. Too large a step cuts the Taylor series short; too small a one is eaten by
        rounding. Errors are taken from the complex step where it works, else from the extrapolated slope. The dotted
        line is the extrapolated slope, which has no step. Returns the figure (needs matplotlib).
        """
        from matplotlib.figure import Figure

        name = argument or self.worst.argument
        if name not in self.coordinates:
            raise ValueError(f"the report has no argument {name!r}, only {', '.join(self.coordinates)}")
        coordinate = self.coordinates[name]
        x, f = coordinate.point, coordinate.along
        imaginary = complex_step(coordinate)
        exact = central(f, x).value if imaginary is None else imaginary
        sizes = [2.0**-k * max(abs(x), 1.0) for k in range(2, 50)]
        curves: dict[str, Callable[[float], float]] = {
            "forward difference": lambda h: (f(x + h) - f(x)) / ((x + h) - x),
            "central difference": lambda h: (f(x + h) - f(x - h)) / ((x + h) - (x - h)),
        }
        if imaginary is not None:
            curves["complex step"] = lambda h: complex_step(coordinate, h) or 0.0
        figure = Figure(figsize=(6, 4), layout="constrained")
        axes = figure.add_subplot()
        for label, method in curves.items():
            errors = [abs(method(h) - exact) / max(abs(exact), 1e-300) for h in sizes]
            axes.loglog(sizes, [max(error, 1e-17) for error in errors], ".-", label=label)
        if imaginary is not None:
            error = abs(central(f, x).value - exact) / max(abs(exact), 1e-300)
            axes.axhline(max(error, 1e-17), color="gray", linestyle=":", label="central, extrapolated")
        axes.set(xlabel="step", ylabel="relative error", title=f"derivative {coordinate.phrase} at {x:.6g}")
        axes.invert_xaxis()
        axes.grid(alpha=0.3)
        axes.legend(loc="upper center")
        return figure


def complex_step(coordinate: Coordinate, h: float = 2.0**-100) -> float | None:
    """Im f(x + ih) / h: no difference is taken, so nothing cancels (Squire and Trapp, 1998).

    None where f takes no complex numbers.
    """
    if coordinate.on is None:
        return None
    try:
        result = coordinate.on(complex(coordinate.point, h))
    except (TypeError, ValueError, AttributeError, ArithmeticError):
        return None
    return result.imag / h if isinstance(result, complex) else None
