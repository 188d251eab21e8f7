"""The room of the command line: `python -m autograd` draws, explores, differentiates and checks a formula."""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from autograd.check import gradcheck
from autograd.expressions import Expression, ExpressionError
from autograd.files import write
from autograd.graphs import Graph
from autograd.value import Value

__all__ = ["main"]

EXAMPLES = """
examples:
  python -m autograd draw "tanh(w*x + b)" w=0.5 x=2 b=-1 -o neuron.svg
  python -m autograd explore "tanh(w*x + b)" w=0.5 x=2 b=-1 -o neuron.html
  python -m autograd grad "log(x) / x" x=2
  python -m autograd check "relu(x)" x=0

A formula that begins with a minus goes after the options and `--`. The exercises: python -m autograd.exercises --help
"""
PICTURES = {".svg", ".png", ".pdf"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns 0, or 1 for a derivative that is wrong, or 2 for what cannot be done, said on stderr."""
    options = parser().parse_args(arguments)
    try:
        expression = Expression(options.expression)
        numbers = read(options.numbers)
        expression.check_names(numbers)
        if options.command == "check":
            return check(expression, numbers)
        inputs = {name: Value(number, label=name) for name, number in numbers.items()}
        root = expression(**inputs)
        if not isinstance(root, Value):
            raise ExpressionError(f"{options.expression!r} is the number {root!r}: there is nothing to differentiate by")
        root.label = root.label or "out"
        root.backward()
        if options.command == "grad":
            table(root, inputs)
        else:
            save(root, options.out, options.expression, options.rankdir if options.command == "draw" else "")
    except (ExpressionError, OSError, ValueError, RuntimeError) as error:
        print(f"python -m autograd: {error}", file=sys.stderr)
        return 2
    return 0


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    found = argparse.ArgumentParser(
        prog="python -m autograd", description="See, differentiate and check a formula.", epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    commands = found.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, what in (
        ("draw", "the graph with every number and derivative, as a picture, a page or a file"),
        ("explore", "a page that steps forward and backward through the graph"),
        ("grad", "the value, and the derivative with respect to every name"),
        ("check", "every derivative against numeric ones"),
    ):
        command = commands.add_parser(
            name, help=what, description=what, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        command.add_argument("expression", help="a formula, such as 'tanh(w*x + b)'")
        command.add_argument("numbers", nargs="*", metavar="name=number", help="the numbers of its names, such as w=0.5")
        if name == "draw":
            command.add_argument(
                "-o", "--out", default="", metavar="FILE",
                help="where to; its ending says what: .svg .png .pdf (a picture), .html (a page), .dot, .json; else a table",
            )  # fmt: skip
            command.add_argument("--rankdir", choices=("LR", "TB"), default="LR", help="left to right, or top to bottom")
        elif name == "explore":
            command.add_argument("-o", "--out", default="graph.html", metavar="FILE", help="where to (graph.html)")
    return found


def read(numbers: Sequence[str]) -> dict[str, float]:
    """The numbers of the command line: ['w=0.5', 'x=2']. Raises ExpressionError for what is none."""
    found: dict[str, float] = {}
    for text in numbers:
        name, sign, number = text.partition("=")
        if not sign or not name.isidentifier():
            raise ExpressionError(f"{text!r} is not name=number, such as x=2.5")
        if name in found:
            raise ExpressionError(f"{name} is given twice")
        try:
            found[name] = float(number)
        except ValueError:
            raise ExpressionError(f"{name}={number} is no number; write {name}=2.5, say") from None
    return found


def table(root: Value, inputs: dict[str, Value]) -> None:
    """The value and the derivatives, one a line."""
    width = max(len("value"), *[len(f"d/d{name}") for name in inputs])
    print(f"{'value':{width}}  {root.data:.17g}")
    for name, value in inputs.items():
        print(f"{f'd/d{name}':{width}}  {value.grad:.17g}")


def check(expression: Expression, numbers: dict[str, float]) -> int:
    """Print the report of gradcheck; 1 if a derivative is wrong."""
    if not numbers:
        raise ExpressionError(f"{expression.text!r} is a number: there is nothing to differentiate by")

    def formula(*xs: Any) -> Any:
        return expression(**dict(zip(numbers, xs)))

    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in numbers]
    formula.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined] # the report calls them by these names
    report = gradcheck(formula, *numbers.values())
    print(report)
    return 0 if report else 1


def save(root: Value, out: str, title: str, rankdir: str) -> None:
    """Write the graph in the form that the name of the file asks for; print it as a table if there is none."""
    if not out:
        print(Graph(root))
        return
    ending = Path(out).suffix.lower()
    if ending == ".html":
        from autograd.explorer.page import explore

        explore(root, out, title=title)
    elif not rankdir:
        raise ExpressionError(f"{out!r} must end in .html: explore writes a page")
    elif ending == ".json":
        write(out, Graph(root).to_json(), "the graph")
    elif ending in PICTURES or ending in (".dot", ".gv"):
        from autograd.draw import draw_dot

        picture = draw_dot(root, format=ending[1:] if ending in PICTURES else "svg", rankdir=rankdir)
        write(out, picture.pipe() if ending in PICTURES else picture.source, "the picture")
    else:
        raise ExpressionError(f"{out!r} must end in .svg, .png, .pdf, .html, .dot or .json")
    print(out)
