"""The room of execution: a program with the derivatives that somebody asked for, ready to run on numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.compiler.emit import Result, Text, printed
from autograd.compiler.program import Guard, Program, rebuilt
from autograd.compiler.recover import recover
from autograd.compiler.reverse import gradients
from autograd.value import ORDER

__all__ = ["Executable"]

Numbers = Any  # an array of floats, or a list of them where NumPy is missing


class Executable:
    """Results of a program and their derivatives by the inputs `wanted`: one row of them for each result.

    `careful` says that derivatives keep track of the choices on the way; see `gradients`.
    """

    def __init__(self, program: Program, wanted: Sequence[int], *, careful: bool = False) -> None:
        self.source, self.wanted, self.careful = program, wanted, careful
        self.with_care: Executable | None = None
        self.count = len(program.outputs)
        program = program.copy()
        inputs = [program.inputs[k] for k in wanted]
        if wanted:
            for output in program.outputs[: self.count]:
                program.outputs += gradients(program, output, inputs, careful=careful)
        self.program = rebuilt(program).new
        self.guards = self.program.guards
        self.tensors = recover(self.program)
        self.text: Text | None = None
        try:
            import numpy as np
        except ImportError:
            return
        self.np = np
        self.print()

    def print(self) -> None:
        """Write the program as NumPy text, and make it a function."""
        np, outputs = self.np, self.program.outputs
        at = {ref: k for k, ref in enumerate(self.program.inputs)}
        entries = [ref for block in self.tensors.inputs for ref in block.entries if ref is not None]
        # The text reads the inputs block by block, and gives derivatives block by block.
        self.order = permutation(np, [at[ref] for ref in entries])
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
            sides = [ref for guard in self.guards for ref in (guard.left, guard.right)]
            results.append(Result("guards", sides, (len(sides),)))
        self.text = printed(self.tensors, results)
        self.function = self.text.function()
        self.back = permutation(np, np.argsort(np.array(slopes, dtype=np.intp)).tolist())

    def run(self, numbers: Numbers) -> tuple[Numbers, Numbers] | None:
        """The results, and their derivatives one row after the other; None if a guard does not hold.

        A nan among the derivatives may come from a branch that was not taken: then they are computed with care.
        """
        found = self.run_plainly(numbers) if self.text is None else self.run_arrays(numbers)
        if found is None or self.careful or not self.wanted or not has_nan(found[1]):
            return found
        if self.with_care is None:
            self.with_care = Executable(self.source, self.wanted, careful=True)
        return self.with_care.run(numbers)

    def run_arrays(self, numbers: Numbers) -> tuple[Numbers, Numbers] | None:
        """The same by NumPy."""
        np = self.np
        array = np.asarray(numbers, dtype=float)
        with np.errstate(all="ignore"):
            found = self.function(array if self.order is None else array[self.order])
        if self.guards:
            *found, sides = found
            if not holds(self.guards, sides.tolist()):
                return None
        values = np.ravel(found[0]) if self.count else ()
        if not self.wanted:
            return values, ()
        slopes = np.concatenate(found[1:], axis=None)
        return values, slopes if self.back is None else slopes[self.back]

    def run_plainly(self, numbers: Numbers) -> tuple[Numbers, Numbers] | None:
        """The same without NumPy, one operation after the other."""
        sides = [side for guard in self.guards for side in (guard.left, guard.right)]
        found = self.program.run(numbers, [*self.program.outputs, *sides])
        total = len(self.program.outputs)
        return (found[: self.count], found[self.count : total]) if holds(self.guards, found[total:]) else None


def permutation(np: Any, places: Sequence[int]) -> Any:
    """An array of places, or None if everything stays where it is."""
    array = np.array(places, dtype=np.intp)
    return None if bool((array == np.arange(len(array))).all()) else array


def has_nan(numbers: Numbers) -> bool:
    """Whether a nan is among these numbers: then it is in their sum, as it is where infinities of both signs meet."""
    total = numbers.sum() if hasattr(numbers, "sum") else sum(numbers)
    return bool(total != total)


def holds(guards: Sequence[Guard], sides: Sequence[float]) -> bool:
    """Whether every comparison comes out as it did."""
    return all(ORDER[guard.sign](sides[2 * k], sides[2 * k + 1]) is guard.answer for k, guard in enumerate(guards))
