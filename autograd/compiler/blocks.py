"""The room of blocks: the program of one example, run on many at once, in blocks of examples that fit the cache."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from autograd.compiler.emit import Result, Text, printed
from autograd.compiler.program import Program, rebuilt
from autograd.compiler.recover import Block, recover
from autograd.compiler.reverse import gradients
from autograd.compiler.totals import COUNT, totals, varying

__all__ = ["Blocks", "Found"]

BYTES = 1 << 20  # of numbers that vary with the example, in one block
FEWEST = 128  # examples in a block: products of matrices need some
SIGNS = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge, "!=": operator.ne}


class Found(NamedTuple):
    """What some examples give: results and derivatives, and which of the examples the guards turned down."""

    values: Any  # their sum, or a column for each example
    slopes: Any  # the sums of the derivatives, one row after the other for each result
    each: Any  # derivatives by the inputs that vary, a column for each example
    refused: Any  # the numbers of examples


class Blocks:
    """Results of a program summed over examples (or not), and their derivatives.

    The inputs at the places `batched` vary with the example. By those at `wanted`, which do not, derivatives are summed; by those
    at `each`, there is one for every example.
    """

    def __init__(
        self, program: Program, batched: Sequence[int], wanted: Sequence[int], each: Sequence[int], *, summed: bool,
        careful: bool = False,
    ) -> None:  # fmt: skip
        import numpy as np

        self.np = np
        self.given = program, batched, wanted, each
        self.batched, self.wanted, self.each, self.summed, self.careful = list(batched), list(wanted), list(each), summed, careful
        self.with_care: Blocks | None = None
        self.count = len(program.outputs)
        program = rebuilt(program).new
        inputs = list(program.inputs)
        by = [inputs[k] for k in (*wanted, *each)]
        for output in program.outputs[: self.count] if by else ():
            program.outputs += gradients(program, output, by, careful=careful)
        if summed:
            program.outputs = self.totalled(program, inputs)
        self.program = rebuilt(program).new
        entries = [self.program.inputs[k] for k in batched]
        self.guards = self.program.guards
        self.tensors = recover(self.program, entries)
        self.size = max(FEWEST, BYTES // (8 * max(1, sum(varying(self.program, entries)))))
        self.text: Text = self.printed()
        self.function = self.text.function()

    def totalled(self, program: Program, inputs: Sequence[int]) -> list[int]:
        """The outputs with totals in place of those that are to be summed."""
        outputs, width = program.outputs, len(self.wanted) + len(self.each)
        places = list(range(self.count))
        for row in range(self.count if width else 0):
            places += range(self.count + row * width, self.count + row * width + len(self.wanted))
        found = dict(zip(places, totals(program, [outputs[k] for k in places], [inputs[k] for k in self.batched])))
        return [found.get(k, ref) for k, ref in enumerate(outputs)]

    def printed(self) -> Text:
        """The program as text; where its inputs and results are."""
        np, program = self.np, self.program
        at = {ref: k for k, ref in enumerate(program.inputs)}
        fixed = [at[ref] for block in self.tensors.inputs if not block.batched for ref in block.entries if ref is not None]
        self.is_counted = bool(program.names) and program.names[-1] == COUNT
        if self.is_counted:
            fixed.pop()  # the number of examples, which is the last input
        self.fixed = np.array(fixed, dtype=np.intp)
        self.is_leading = bool((self.fixed == np.arange(len(fixed))).all())
        self.examples: list[tuple[Block, list[int]]] = [
            (block, [at[ref] for ref in block.entries if ref is not None]) for block in self.tensors.inputs if block.batched
        ]
        outputs = program.outputs
        results = [Result("value", outputs[: self.count], (self.count,) if self.count > 1 else ())]
        place = {program.inputs[k]: j for j, k in enumerate((*self.wanted, *self.each))}
        width = len(place)
        slopes: list[int] = []
        each: list[int] = []
        self.kinds: list[tuple[bool, int, bool]] = []  # of derivatives: whether by inputs that vary; how many; whether they vary
        for row in range(self.count if width else 0):
            start = self.count + row * width
            for block in self.tensors.inputs:
                chosen = [ref for ref in block.entries if ref in place]
                if chosen:
                    shape = block.shape if len(chosen) == len(block.entries) else (len(chosen),)
                    results.append(Result(f"d_{block.name}", [outputs[start + place[ref]] for ref in chosen], shape))
                    varies = any(self.tensors.is_batched(ref) for ref in results[-1].refs)
                    self.kinds.append((block.batched, len(chosen), varies))
                    found = each if block.batched else slopes
                    first = -len(self.wanted) if block.batched else row * len(self.wanted)
                    found += [first + place[ref] for ref in chosen]
        self.slopes, self.places = (np.argsort(np.array(part, dtype=np.intp)) for part in (slopes, each))
        self.is_in_order = bool((self.slopes == np.arange(len(self.slopes))).all())
        if self.guards:
            sides = [ref for guard in self.guards for ref in (guard.left, guard.right)]
            results.append(Result("guards", sides, (len(sides),)))
        return printed(self.tensors, results)

    def run(self, numbers: Any, columns: Mapping[int, Any], rows: Any) -> Found:
        """All the blocks of these examples (None: of all). `columns` has the matrix and the column of each input that varies."""
        np = self.np
        numbers = np.asarray(numbers, dtype=float)
        total = len(next(iter(columns.values()))[0]) if rows is None else len(rows)
        count = -(-total // self.size)
        values, slopes = None, None
        refused = []
        each = np.empty((len(self.each), total))
        results = None if self.summed else np.empty((self.count, total))
        for k in range(count):
            chosen = slice(k * total // count, (k + 1) * total // count)
            mine = chosen if rows is None else rows[chosen]
            found = self.block(numbers, columns, mine)
            if found.refused is not None:
                members = np.arange(chosen.start, chosen.stop)
                refused.append(members[found.refused])
                if found.values is None:
                    continue
                chosen = members[~found.refused]
            if results is None:
                values = found.values if values is None else values + found.values
                slopes = found.slopes if slopes is None else slopes + found.slopes
            else:
                results[:, chosen] = found.values
            if self.each:
                each[:, chosen] = found.each
        turned_down = np.concatenate(refused) if refused else np.empty(0, dtype=np.intp)
        if results is not None:
            values = results
        return Found(values, slopes, each, turned_down)

    def block(self, numbers: Any, columns: Mapping[int, Any], rows: Any) -> Found:
        """One block. If guards turn some examples down, only the others count."""
        np = self.np
        given = [taken(np, block, [columns[k] for k in places], rows) for block, places in self.examples]
        size = given[0].shape[-1]
        inputs = numbers[: len(self.fixed)] if self.is_leading else numbers[self.fixed]
        with np.errstate(all="ignore"):
            found = self.function(np.append(inputs, float(size)) if self.is_counted else inputs, *given)
        if self.guards:
            *found, sides = found
            holds = self.holding(sides)
            if not holds.all():
                if not holds.any() or holds.ndim == 0:
                    return Found(None, None, None, np.ones(size, dtype=bool))
                members = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
                others = self.block(numbers, columns, members[holds])
                if others.refused is not None:  # another order of additions has tipped a comparison
                    holds[np.flatnonzero(holds)[others.refused]] = False
                return others._replace(refused=~holds)
        values = np.asarray(found[0]).reshape(self.count, -1)
        slopes, each = [], []
        for (is_each, count, varies), part in zip(self.kinds, found[1:]):
            if is_each:
                each.append(part.reshape(count, -1) if varies else np.broadcast_to(np.reshape(part, (count, 1)), (count, size)))
            else:
                slopes.append(np.ravel(part))
        flat = np.concatenate(slopes) if len(slopes) > 1 else slopes[0] if slopes else np.empty(0)
        own = np.concatenate(each) if each else np.empty((0, size))
        if not self.careful and (has_nan(flat) or has_nan(own)):
            # nan may come from a branch that was not taken: then the derivatives are computed with care.
            if self.with_care is None:
                program, batched, wanted, by = self.given
                self.with_care = Blocks(program, batched, wanted, by, summed=self.summed, careful=True)
            return self.with_care.block(numbers, columns, rows)
        return Found(
            values[:, 0] if self.summed else values,
            flat if self.is_in_order else flat[self.slopes], own[self.places], None,
        )  # fmt: skip

    def holding(self, sides: Any) -> Any:
        """For each example, whether every comparison comes out as it did in the trace; one answer if none varies."""
        holds = True
        for k, guard in enumerate(self.guards):
            holds = holds & (SIGNS[guard.sign](sides[2 * k], sides[2 * k + 1]) == guard.answer)
        return self.np.asarray(holds)


def taken(np: Any, block: Block, columns: Sequence[tuple[Any, int]], rows: Any) -> Any:
    """The numbers of a block for some examples: a view of a matrix, if they are next to each other in one, turned."""
    (matrix, first), count = columns[0], len(columns)
    if all(m is matrix and column == first + k for k, (m, column) in enumerate(columns)):
        part = matrix[rows, first : first + count]
    else:
        part = np.stack([matrix[rows, column] for matrix, column in columns], axis=1)
    return np.moveaxis(part.reshape(-1, *block.shape), 0, -1)


def has_nan(numbers: Any) -> bool:
    """Whether a nan is among these numbers (or infinities of both signs)."""
    total = numbers.sum()
    return bool(total != total)
