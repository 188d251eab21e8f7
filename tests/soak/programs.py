"""A random program: the container it is given, steps that each make one number, and the text that every system runs."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import inf, nan
from typing import Any

import numpy as np

__all__ = ["Derivatives", "Program", "Step", "flatten", "rebuilt", "same_structure"]

Operand = str | float  # the name of an earlier number, or a constant


@dataclass(frozen=True)
class Step:
    """Lines of Python that make the number `out` from operands {0}, {1}, ...; `kind` says what the step is there to try."""

    kind: str
    out: str
    text: str
    operands: tuple[Operand, ...]

    @property
    def lines(self) -> list[str]:
        """The lines as they stand in the program."""
        return self.text.format(*map(written, self.operands), out=self.out).split("\n")


@dataclass(frozen=True)
class Program:
    """A function of one container of numbers, and where to evaluate it."""

    name: str  # from which it is made again
    argument: Any
    steps: tuple[Step, ...]
    results: tuple[str, ...]  # the numbers whose sum is the result
    chosen: int  # the input whose row of the Hessian is compared

    @property
    def source(self) -> str:
        """The function as Python."""
        lines = [line for step in self.steps for line in step.lines]
        lines.append(f"return ag.sum([{', '.join(self.results)}])")
        return "def f(p):\n" + "".join(f"    {line}\n" for line in lines)

    @property
    def text(self) -> str:
        """The whole program, to be pasted into a file and run."""
        names = ["import numpy as np", "from math import inf, nan", "import autograd as ag", "", self.source]
        return "\n".join([*names, f"p = {shown(self.argument)}", f"# the row of the Hessian: of input {self.chosen}"])

    def function(self, ag: Any) -> Callable[[Any], Any]:
        """The function, with `ag` meaning the words of a system, and `np` what that calls `numpy`, if it has its own."""
        names: dict[str, Any] = {"ag": ag, "np": getattr(ag, "numpy", np), "inf": inf, "nan": nan}
        exec(compile(self.source, f"<program {self.name}>", "exec"), names)
        function: Callable[[Any], Any] = names["f"]
        return function

    def point(self) -> Any:
        """The argument, to be changed at will."""
        return copy.deepcopy(self.argument)


@dataclass
class Derivatives:
    """What a system says; None where it is not asked."""

    value: Any
    gradient: list[Any] | None = None
    second: list[Any] | None = None  # the row of the Hessian that the program chooses


def written(operand: Operand) -> str:
    """An operand as it stands in the program."""
    if isinstance(operand, str):
        return operand
    return f"({operand!r})" if repr(operand).startswith("-") else repr(operand)


def shown(tree: Any) -> str:
    """A container as Python."""
    if isinstance(tree, np.ndarray):
        return f"np.array({tree.tolist()!r})"
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key!r}: {shown(branch)}" for key, branch in tree.items()) + "}"
    if isinstance(tree, list):
        return f"[{', '.join(map(shown, tree))}]"
    if isinstance(tree, tuple):
        return f"({', '.join(map(shown, tree))},)"
    return repr(tree)


def flatten(tree: Any) -> list[Any]:
    """The numbers of nested containers, in order: written here again, so that the library's own way is judged too."""
    if isinstance(tree, dict):
        return [leaf for branch in tree.values() for leaf in flatten(branch)]
    if isinstance(tree, (list, tuple, np.ndarray)):
        return [leaf for branch in tree for leaf in flatten(branch)]
    return [tree]


def rebuilt(tree: Any, leaves: Iterator[Any]) -> Any:
    """The same containers with other numbers."""
    if isinstance(tree, dict):
        return {key: rebuilt(branch, leaves) for key, branch in tree.items()}
    if isinstance(tree, np.ndarray):
        made = np.empty(len(tree), dtype=object)
        made[:] = [next(leaves) for _ in tree]
        return made
    if isinstance(tree, (list, tuple)):
        return type(tree)([rebuilt(branch, leaves) for branch in tree])
    return next(leaves)


def same_structure(tree: Any, like: Any) -> bool:
    """Whether two containers have the same kinds, keys (in order) and lengths."""
    if isinstance(like, dict):
        return (
            isinstance(tree, dict)
            and list(tree) == list(like)
            and all(same_structure(tree[key], branch) for key, branch in like.items())
        )
    if isinstance(like, np.ndarray):
        return isinstance(tree, np.ndarray) and tree.shape == like.shape
    if isinstance(like, (list, tuple)):
        return type(tree) is type(like) and len(tree) == len(like) and all(map(same_structure, tree, like))
    return not isinstance(tree, (dict, list, tuple, np.ndarray))
