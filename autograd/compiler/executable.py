"""The room of execution: a program with the derivatives that somebody asked for, ready to run on numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.compiler.emit import Result, Text, printed
from autograd.compiler.plain import PlainText, plain
from autograd.compiler.program import Guard, Program
from autograd.compiler.recover import recover
from autograd.compiler.reverse import differentiated
from autograd.value import ORDER

__all__ = ["Executable", "Numbers", "has_nan"]

Numbers = Any  # an array of floats, or a list of them where NumPy is missing


class Executable:
    """Results of a program and their derivatives by the inputs `wanted`: one row of them for each result.

    `careful` says that derivatives keep track of the choices on the way; see `gradients`. `backend` is "numpy" or "python".
    """

    def __init__(self, program: Program, wanted: Sequence[int], *, careful: bool = False, backend: str = "numpy") -> None:
        self.source, self.wanted, self.careful, self.backend = program, wanted, careful, backend
        self.with_care: Executable | None = None
        self.count = len(program.outputs)
        self.program = differentiated(program, wanted, careful=careful)
        self.guards = self.program.guards
        self.tensors = recover(self.program)
        self.text: Text | PlainText = self.numpy_text() if backend == "numpy" else self.python_text()
        self.function = self.text.function()

    def python_text(self) -> PlainText:
        """The program as text of plain Python: its results, their derivatives, and the sides of its guards."""
        outputs = self.program.outputs
        return plain(self.tensors, [outputs[: self.count], outputs[self.count :], self.sides()])

    def sides(self) -> list[int]:
        """What is compared: the left and the right side of every guard."""
        return [ref for guard in self.guards for ref in (guard.left, guard.right)]

    def numpy_text(self) -> Text:
        """The program as NumPy text."""
        import numpy as np

        self.np, outputs = np, self.program.outputs
        at = {ref: k for k, ref in enumerate(self.program.inputs)}
        entries = [ref for block in self.tensors.inputs for ref in block.entries if ref is not None]
        # The text reads the inputs block by block, and gives derivatives block by block.
        self.order, self.moved = permutation(np, [at[ref] for ref in entries]), slice(0)
        if self.order is not None:  # often most of them, such as the data, stay where they are
            moved = np.flatnonzero(self.order != np.arange(len(self.order)))
            self.moved = slice(moved[0], moved[-1] + 1)
            self.order = self.order[self.moved]
        results = [Result("value", outputs[: self.count], (self.count,) if self.count > 1 else ())] if self.count else []
        place = {self.program.inputs[k]: j for j, k in enumerate(self.wanted)}
        slopes: list[int] = []
        for row in range(self.count if self.wanted else 0):
            start = self.count + row * len(self.wanted)
            for block in self.tensors.inputs:
                chosen = [ref for ref in block.entries if ref in place]
                if chosen:
                    shape = block.shape if len(chosen) == len(block.entries) else (len(chosen),)
                    refs = [outputs[start + place[ref]] for ref in chosen]
                    results.append(Result(f"d_{block.name}", refs, shape))
                    slopes += [start - self.count + place[ref] for ref in chosen]
        if self.guards:
            results.append(Result("guards", self.sides(), (2 * len(self.guards),)))
        self.back = permutation(np, np.argsort(np.array(slopes, dtype=np.intp)).tolist())
        return printed(self.tensors, results)

    def run(self, parts: Sequence[Numbers]) -> tuple[Numbers, Numbers] | None:
        """The results, and their derivatives one row after the other; None if a guard does not hold.

        The parts, one after the other, are the numbers of all inputs. A nan among the derivatives may come from a branch that was
        not taken: then they are computed with care.
        """
        found = self.run_arrays(parts) if self.backend == "numpy" else self.run_lists(parts)
        if found is None or self.careful or not self.wanted or not has_nan(found[1]):
            return found
        if self.with_care is None:
            self.with_care = Executable(self.source, self.wanted, careful=True, backend=self.backend)
        return self.with_care.run(parts)

    def run_arrays(self, parts: Sequence[Numbers]) -> tuple[Numbers, Numbers] | None:
        """The same by NumPy."""
        np = self.np
        array = np.concatenate(parts, dtype=float)
        if self.order is not None:
            array[self.moved] = array.take(self.order)
        with np.errstate(all="ignore"):
            found = self.function(array)
        if self.guards:
            *found, sides = found
            if not holds(self.guards, sides.tolist()):
                return None
        values = np.array(found[0], ndmin=1) if self.count else ()
        if not self.wanted or not self.count:
            return values, ()
        slopes = np.concatenate(found[1:], axis=None)
        return values, slopes if self.back is None else slopes.take(self.back)

    def run_lists(self, parts: Sequence[Numbers]) -> tuple[Numbers, Numbers] | None:
        """The same by plain Python."""
        values, slopes, sides = self.function([float(number) for part in parts for number in part])
        return (values, slopes) if holds(self.guards, sides) else None


def permutation(np: Any, places: Sequence[int]) -> Any:
    """An array of places, or None if everything stays where it is."""
    array = np.array(places, dtype=np.intp)
    return None if bool((array == np.arange(len(array))).all()) else array


def has_nan(numbers: Numbers) -> bool:
    """Whether a nan is among these numbers: then it is in the sum of their squares."""
    if hasattr(numbers, "dot"):
        import numpy as np

        total = np.vdot(numbers, numbers)  # which does not warn of overflow, as @ and `dot` do
    else:
        total = sum([number * number for number in numbers])
    return bool(total != total)


def holds(guards: Sequence[Guard], sides: Sequence[float]) -> bool:
    """Whether every comparison comes out as it did."""
    return all(ORDER[guard.sign](sides[2 * k], sides[2 * k + 1]) is guard.answer for k, guard in enumerate(guards))
