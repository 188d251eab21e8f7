"""The systems that are judged: the engine by every mode of differentiation that it has.

A system has a name and one method, `value_and_derivatives(program)`: that is all a further one (a compiled back end) needs.
"""

from __future__ import annotations

from typing import Any, Protocol

import autograd as ag
from tests.soak.programs import Derivatives, Program, flatten, rebuilt, same_structure

__all__ = ["SYSTEMS", "Engine", "Forward", "Plain", "RefusedError", "System", "WrongAnswerError"]


class WrongAnswerError(Exception):
    """A system answered in a form that no reader of its documentation expects."""


class RefusedError(Exception):
    """A program says that a comparison comes out otherwise than where it was traced."""


class System(Protocol):
    """What can run a program."""

    name: str

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value, the gradient, and one row of the Hessian."""


def leaves(tree: Any, program: Program) -> list[float]:
    """The numbers of a derivative, which must stand in the containers of the argument."""
    if not same_structure(tree, program.argument):
        raise WrongAnswerError(f"the answer {tree!r} has not the containers of {program.argument!r}")
    return flatten(tree)


class Engine:
    """Reverse mode, and reverse mode over it."""

    name = "engine"

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value, the gradient, and one row of the Hessian."""
        f = program.function(ag)
        value, gradient = ag.value_and_grad(f)(program.point())
        second = ag.grad(lambda p: flatten(ag.grad(f)(p))[program.chosen])(program.point())
        return Derivatives(value, leaves(gradient, program), leaves(second, program))


class Forward:
    """Forward mode, and forward mode over reverse mode."""

    name = "engine, forward"

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value, the gradient, and one row of the Hessian."""
        f, count = program.function(ag), len(flatten(program.argument))
        gradient = []
        for k in range(count):
            value, slope = ag.jvp(f, (program.point(),), (unit(program, k),))
            gradient.append(slope)
        _, second = ag.jvp(ag.grad(f), (program.point(),), (unit(program, program.chosen),))
        return Derivatives(value, gradient, leaves(second, program))


class Plain:
    """The value alone, on Values that nobody differentiates."""

    name = "engine, value alone"

    def value_and_derivatives(self, program: Program) -> Derivatives:
        """The value."""
        values = [ag.Value(x) for x in flatten(program.argument)]
        return Derivatives(float(program.function(ag)(rebuilt(program.argument, iter(values)))))


def unit(program: Program, k: int) -> Any:
    """The direction of one input, in the containers of the argument."""
    count = len(flatten(program.argument))
    return rebuilt(program.argument, iter([1.0 if j == k else 0.0 for j in range(count)]))


SYSTEMS: list[System] = [Engine(), Forward(), Plain()]
