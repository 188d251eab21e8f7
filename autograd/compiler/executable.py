"""The room of execution: a program with the derivatives that somebody asked for, ready to run on numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from autograd.compiler.program import Guard, Program
from autograd.compiler.recover import Tensors, recover
from autograd.compiler.reverse import differentiated
from autograd.compiler.runs import Job, Machine, MachineCode, Numbers, Run, agreement, has_nan, on_arrays, on_lists
from autograd.compiler.texts import Text
from autograd.value import ORDER

__all__ = ["BACKENDS", "Chosen", "Executable", "Numbers", "has_nan", "worth"]

BACKENDS = ("auto", "numpy", "python", "native")
COMPARED = 8  # calls that are compared where numbers are not finite
# What machine code costs and saves, in seconds, roughly: it is built when it would have paid for itself, in the number of calls,
# so that the same program does the same thing at every call of every run.
BUILD, PER_INSTRUCTION, SAVED_PER_LINE, SAVED_PER_NUMBER = 0.2, 0.003, 3e-6, 2e-10


class Executable:
    """Results of a program and their derivatives with respect to `wanted`: one row of them for each result.

    `careful` says that derivatives keep track of the choices on the way; see `gradients`. `backend` is one of BACKENDS.
    """

    def __init__(self, program: Program, wanted: Sequence[int], *, careful: bool = False, backend: str = "numpy") -> None:
        self.source, self.wanted, self.careful, self.backend = program, wanted, careful, backend
        self.with_care: Executable | None = None
        self.count = len(program.outputs)
        self.program = differentiated(program, wanted, careful=careful)
        self.guards = self.program.guards
        self.tensors = recover(self.program)
        self.job = Job(self.tensors, self.count, wanted)
        written = on_lists(self.job) if backend == "python" else on_arrays(self.job)
        self.text: Text = written.text
        self.written: Run = written  # what runs until there is machine code, and what that is compared with
        self.chosen = Chosen(backend, written, lambda _: Machine(self.job), worth(self.tensors, self.text))

    def run(self, parts: Sequence[Numbers]) -> tuple[Numbers, Numbers] | None:
        """The results, and their derivatives one row after the other; None if a guard does not hold.

        The parts, one after the other, are the numbers of all inputs. A nan among the derivatives may come from a branch that was
        not taken: then they are computed with care.
        """
        values, slopes, sides, may_be_nan = self.chosen.run(parts)
        if self.guards and not holds(self.guards, sides):
            return None
        if not may_be_nan or self.careful or not self.wanted or not has_nan(slopes):
            return values, slopes
        if self.with_care is None:
            self.with_care = Executable(self.source, self.wanted, careful=True, backend=self.backend)
        return self.with_care.run(parts)


def worth(tensors: Tensors, text: Text, numbers: int = 0) -> int:
    """The call from which on machine code pays, for a program whose examples have so many numbers in all."""
    saved = SAVED_PER_LINE * len(text.lines) + SAVED_PER_NUMBER * numbers
    return math.ceil((BUILD + PER_INSTRUCTION * len(tensors.groups)) / saved)


class Chosen:
    """What runs a program: the printed text, and machine code from the call on at which it pays, or at which it was asked for.

    `run` gives the results of a program on the parts of its inputs; `make` makes machine code for such numbers as it is given.
    """

    def __init__(self, backend: str, written: Run, make: Callable[[Sequence[Numbers]], MachineCode], worth: int) -> None:
        self.backend, self.written, self.make = backend, written, make
        self.machine: MachineCode | None = None
        self.is_trusted, self.compared = False, 0  # whether machine code and the text have agreed; how often they were compared
        self.calls, self.built_at = 0, {"auto": worth, "native": 1}.get(backend, math.inf)
        self.run: Callable[[Sequence[Numbers]], Any] = self.counted
        self.reason = f"machine code would pay from call {self.built_at:,} on" if backend == "auto" else "as it was asked for"

    @property
    def ran(self) -> str:
        """What runs now, and why."""
        kind = "python" if self.backend == "python" else "native" if self.is_trusted else "numpy"
        return f"{kind}: {self.reason}"

    def counted(self, parts: Sequence[Numbers]) -> Any:
        """The results, as long as there is no machine code."""
        self.calls += 1
        if self.calls >= self.built_at:
            self.build(parts)
        return self.run(parts) if self.is_trusted else self.written(parts)

    def expect(self, calls: int) -> None:
        """So many calls will follow: machine code that pays within them is made at the next."""
        if self.backend == "auto" and not self.is_trusted and self.calls + calls >= self.built_at:
            self.built_at = self.calls + 1

    def build(self, parts: Sequence[Numbers]) -> None:
        """Make machine code, and trust it if it agrees with the text on these numbers. Raises NativeError if it was asked for.

        A compiler may make wrong code of right text, as GCC 12 does. Infinities and nan tell nothing: then the next calls are
        compared too, up to so many.
        """
        from autograd.compiler.native.building import NativeError

        machine = self.prepared(parts)
        if machine is None:
            return
        try:
            differs, is_known = agreement(machine, self.written, parts)
            if differs:
                raise NativeError(f'machine code and the printed program differ: {differs}; use backend="numpy"')
        except Exception as error:
            self.refuse(error)
            return
        self.compared += 1
        if is_known or self.compared == COMPARED:
            self.is_trusted, self.run = True, machine.__call__
        if self.backend == "auto":
            self.reason = f"machine code pays from call {self.built_at:,} on"

    def prepared(self, parts: Sequence[Numbers]) -> MachineCode | None:
        """Machine code for such numbers, made if the next call needs it."""
        if self.machine is None and self.calls + 1 >= self.built_at:
            try:
                self.machine = self.make(parts)
            except Exception as error:
                self.refuse(error)
        return self.machine

    def refuse(self, error: Exception) -> None:
        """No machine code from now on, whatever the error is: NumPy goes on. Raises it if machine code was asked for."""
        from autograd.compiler.native.building import NativeError

        if self.backend == "native":
            raise error
        self.built_at = math.inf
        self.reason = str(error) if isinstance(error, NativeError) else f"{type(error).__name__}: {error}"


def holds(guards: Sequence[Guard], sides: Sequence[float]) -> bool:
    """Whether every comparison comes out as it did."""
    return all(ORDER[guard.sign](sides[2 * k], sides[2 * k + 1]) is guard.answer for k, guard in enumerate(guards))
