"""The room of blocks: the program of one example, run on many at once, in blocks of examples that fit the cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, NamedTuple

from autograd.compiler.draws import OWN_THREADS
from autograd.compiler.executable import Chosen, worth
from autograd.compiler.places import Places
from autograd.compiler.printers.numpy_text import Result, function_of, printed
from autograd.compiler.program import Program, rebuilt
from autograd.compiler.recover import recover
from autograd.compiler.reverse import gradients
from autograd.compiler.runs import MachineOfBlocks, on_rows
from autograd.compiler.texts import Text
from autograd.compiler.totals import COUNT, totals, varying
from autograd.value import ORDER

__all__ = ["Blocks", "Found"]

BYTES = 4 << 20  # of numbers that vary with the example, in one block
FEWEST, MOST = 128, 8192  # examples in a block: products of matrices need some; of more, nothing becomes faster


class Found(NamedTuple):
    """What some examples give: results and derivatives, and which of the examples the guards turned down."""

    values: Any  # their sum, or a column for each example
    slopes: Any  # the sums of the derivatives, one row after the other for each result; of one block, in parts as printed
    each: Any  # derivatives for the inputs that vary, a column for each example; of one block, in parts as printed
    refused: Any  # the numbers of examples


class Blocks:
    """Results of a program summed over examples (or not), and their derivatives.

    The inputs at the places `batched` vary with the example: their numbers are columns of matrices. By those at `wanted`, which
    do not vary, derivatives are summed; by those at `each`, there is one for every example. `backend` is that of an Executable,
    and `expected` how many examples there are, as far as that is known. Machine code runs on so many threads.
    """

    def __init__(
        self, program: Program, batched: Mapping[int, tuple[int, int]], wanted: Sequence[int], each: Sequence[int], *,
        summed: bool, careful: bool = False, backend: str = "numpy", expected: int = 1, threads: int = 1,
    ) -> None:  # fmt: skip
        import numpy as np

        self.np = np
        self.given = program, batched, wanted, each
        self.batched, self.wanted, self.each, self.summed, self.careful = batched, wanted, each, summed, careful
        self.with_care: Any = None  # the same with care
        self.backend, self.expected, self.threads = backend, expected, threads
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
        width = max(1, sum(varying(self.program, entries)))
        self.size = max(FEWEST, min(MOST, BYTES // (8 * width)))
        results = self.results()
        columns = {self.program.inputs[k]: column for k, column in batched.items()}
        lists = on_rows(self.tensors, results, columns) if backend == "python" else None
        self.text: Text = lists.text if lists else printed(self.tensors, results)
        function = self.text.function() if lists else function_of(self.text)

        def written(parts: Sequence[Any]) -> Any:
            numbers, *matrices = parts
            return function(numbers, *[part.taken(matrices) for part in self.examples])

        def machine(parts: Sequence[Any]) -> MachineOfBlocks:
            return MachineOfBlocks(self.tensors, results, columns, self.size, parts[1:])

        self.chosen = Chosen(backend, lists or written, machine, worth(self.tensors, self.text, width * min(expected, self.size)))

    def totalled(self, program: Program, inputs: Sequence[int]) -> list[int]:
        """The outputs with totals in place of those that are to be summed."""
        outputs, width = program.outputs, len(self.wanted) + len(self.each)
        places = list(range(self.count))
        for row in range(self.count if width else 0):
            places += range(self.count + row * width, self.count + row * width + len(self.wanted))
        summed = set(places)
        needed = [ref for k, ref in enumerate(outputs) if k not in summed]
        needed += [side for guard in program.guards for side in (guard.left, guard.right)]
        refs = totals(program, [outputs[k] for k in places], [inputs[k] for k in self.batched], needed)
        found = dict(zip(places, refs))
        return [found.get(k, ref) for k, ref in enumerate(outputs)]

    def results(self) -> list[Result]:
        """What is returned of a block; finds where inputs and results are."""
        np, program = self.np, self.program
        at = {ref: k for k, ref in enumerate(program.inputs)}
        self.is_counted = bool(program.names) and program.names[-1] == COUNT
        fixed = [block for block in self.tensors.inputs if not block.batched]
        if self.is_counted:
            fixed.pop()  # the number of examples, which is the last input
        self.fixed = Places([([at[ref] for ref in block.entries if ref is not None], block.shape) for block in fixed])
        self.examples = [
            Columns(np, block.shape, [self.batched[at[ref]] for ref in block.entries if ref is not None])
            for block in self.tensors.inputs if block.batched
        ]  # fmt: skip
        outputs = program.outputs
        results = [Result("value", outputs[: self.count], (self.count,) if self.count > 1 else ())]
        place = {program.inputs[k]: j for j, k in enumerate((*self.wanted, *self.each))}
        width = len(place)
        slopes: list[tuple[list[int], tuple[int, ...]]] = []
        each: list[int] = []
        self.kinds: list[tuple[bool, int, bool]] = []  # of derivatives: whether for inputs that vary; how many; whether they vary
        for row in range(self.count if width else 0):
            start = self.count + row * width
            for block in self.tensors.inputs:
                chosen = [ref for ref in block.entries if ref in place]
                if chosen:
                    shape = block.shape if len(chosen) == len(block.entries) else (len(chosen),)
                    results.append(Result(f"d_{block.name}", [outputs[start + place[ref]] for ref in chosen], shape))
                    varies = any(self.tensors.is_batched(ref) for ref in results[-1].refs)
                    self.kinds.append((block.batched, len(chosen), varies))
                    if block.batched:
                        each += [place[ref] - len(self.wanted) for ref in chosen]
                    else:
                        slopes.append(([row * len(self.wanted) + place[ref] for ref in chosen], shape))
        self.slopes, self.order = Places(slopes), None if each == sorted(each) else np.argsort(np.array(each))
        if self.guards:
            sides = [ref for guard in self.guards for ref in (guard.left, guard.right)]
            results.append(Result("guards", sides, (len(sides),)))
        return results

    def run(self, numbers: Any, matrices: Sequence[Any], rows: Any, scale: float = 1.0, *, guarded: bool = True) -> Found:
        """All the blocks of these examples (None: of all), sums times `scale`; whatever guards say, if not `guarded`."""
        np = self.np
        numbers = self.fixed.gathered(np.asarray(numbers, dtype=float))
        total = len(matrices[0]) if rows is None else len(rows)
        machine: Any = self.chosen.prepared([numbers, *matrices])
        count = -(-total // (machine.size if machine else self.size))
        values: Any = np.zeros(self.count) if self.summed else np.empty((self.count, total))
        each = np.empty((len(self.each), total))

        def block(span: slice, *, with_care: bool = False) -> Found | None:
            examples = span if rows is None else rows[span]
            find = self.carefully if with_care else self.block
            found = find(numbers, matrices, examples, guarded=guarded)
            if found is not None and found.values is not None:  # what it has for each example is copied: its memory is used again
                chosen: Any = span if found.refused is None else np.arange(span.start, span.stop)[~found.refused]
                if not self.summed:
                    values[:, chosen] = found.values
                start = 0
                for part in found.each:
                    each[start : start + len(part), chosen] = part
                    start += len(part)
            return found

        slopes: list[Any] = []
        refused = []
        spans = [slice(k * total // count, (k + 1) * total // count) for k in range(count)]
        for span, quick in zip(spans, self.in_order(block, spans)):
            found: Any = quick or block(span, with_care=True)
            if found.refused is not None:
                refused.append(span.start + np.flatnonzero(found.refused))
            if found.values is not None and self.summed:
                values += found.values
                slopes = [old + new for old, new in zip(slopes, found.slopes)] if slopes else found.slopes
        flat = self.slopes.scattered(slopes, scale) if slopes or not self.wanted else np.zeros(self.count * len(self.wanted))
        each = each if self.order is None else each[self.order]
        values = values if scale == 1.0 else values * scale
        return Found(values, flat, each, np.concatenate(refused) if refused else np.empty(0, dtype=np.intp))

    def in_order(self, block: Callable[[slice], Found | None], spans: Sequence[slice]) -> Iterator[Found | None]:
        """The blocks, one after the other; machine code that is trusted runs them on threads, which changes no bit."""
        found: Iterator[Found | None] | None = None
        for k, span in enumerate(spans):
            if found is None and self.threads > 1 and self.chosen.is_trusted:
                found = pool(self.threads).map(block, spans[k:])
            yield block(span) if found is None else next(found)

    def carefully(self, numbers: Any, matrices: Sequence[Any], rows: Any, *, guarded: bool) -> Found:
        """One block, with care: a nan among the derivatives may come from a branch that was not taken."""
        if self.with_care is None:
            program, batched, wanted, by = self.given
            self.with_care = Blocks(
                program, batched, wanted, by, summed=self.summed, careful=True, backend=self.backend, expected=self.expected
            )  # one thread: it is rarely needed
        found: Found = self.with_care.block(numbers, matrices, rows, guarded=guarded)
        return found

    def block(self, numbers: Any, matrices: Sequence[Any], rows: Any, *, guarded: bool = True) -> Found | None:
        """One block. If guards turn some examples down, only the others count. None if it is to be computed with care."""
        np = self.np
        given = [matrix[rows] for matrix in matrices]
        size = len(given[0])
        with np.errstate(all="ignore"):
            found = self.chosen.run([np.append(numbers, size) if self.is_counted else numbers, *given])
        if self.guards:
            *found, sides = found
            holds = self.holding(sides)
            if guarded and not holds.all():
                if not holds.any() or holds.ndim == 0:
                    return Found(None, None, None, np.ones(size, dtype=bool))
                members = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows
                others = self.block(numbers, matrices, members[holds])
                if others is None:
                    return None
                if others.refused is not None:  # another order of additions has tipped a comparison
                    holds[np.flatnonzero(holds)[others.refused]] = False
                return others._replace(refused=~holds)
        values = np.asarray(found[0]).reshape(self.count, -1)
        slopes, each = [], []
        for (is_each, count, varies), part in zip(self.kinds, found[1:]):
            if not is_each:
                slopes.append(part)
            elif varies:
                each.append(part.reshape(count, -1))
            else:
                each.append(np.broadcast_to(np.reshape(part, (count, 1)), (count, size)))
        if not self.careful and any(bool(np.isnan(np.vdot(part, part))) for part in (*slopes, *each)):
            return None
        return Found(values[:, 0] if self.summed else values, slopes, each, None)

    def holding(self, sides: Any) -> Any:
        """For each example, whether every comparison comes out as it did in the trace; one answer if none varies."""
        holds = True
        for k, guard in enumerate(self.guards):
            holds = holds & (ORDER[guard.sign](sides[2 * k], sides[2 * k + 1]) == guard.answer)
        return self.np.asarray(holds)


@lru_cache(maxsize=4)
def pool(threads: int) -> ThreadPoolExecutor:
    """So many threads, which stay."""
    return ThreadPoolExecutor(threads, OWN_THREADS)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=pool.cache_clear)  # the threads are not in the child


class Columns:
    """Where a block finds its numbers for each example: in columns of matrices."""

    def __init__(self, np: Any, shape: tuple[int, ...], places: list[tuple[int, int]]) -> None:
        self.np, self.shape, self.places = np, shape, places
        self.matrix, self.first = places[0]
        self.count, self.axes = len(places), (*range(1, len(shape) + 1), 0)
        self.is_view = places == [(self.matrix, self.first + k) for k in range(self.count)]  # next to each other in one matrix

    def taken(self, matrices: Sequence[Any]) -> Any:
        """The numbers of the examples, which are the last axis: a view, if they are next to each other."""
        if self.is_view:
            part = matrices[self.matrix][:, self.first : self.first + self.count]
        else:
            part = self.np.stack([matrices[m][:, column] for m, column in self.places], axis=1)
        return part.reshape(-1, *self.shape).transpose(self.axes)
