"""The room of runs: a program becomes a call, by NumPy, by plain Python, or by machine code."""

from __future__ import annotations

import marshal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from autograd.compiler.plain import plain
from autograd.compiler.printers.numpy_text import Result, function_of, printed
from autograd.compiler.recover import Shape, Tensors
from autograd.compiler.tensors.instructions import Batch
from autograd.compiler.texts import Text

__all__ = [
    "Job", "Machine", "MachineCode", "MachineOfBlocks", "Memory", "Numbers", "Run", "agreement", "has_nan", "on_arrays",
    "on_lists", "on_rows",
]  # fmt: skip

Numbers = Any  # an array of floats, or a list of them where NumPy is missing
Found = tuple[Numbers, Numbers, Numbers, bool]  # results, derivatives, what is compared, and whether a nan may be among them
BYTES, MOST = 4 << 20, 1 << 15  # of numbers that a block moves through memory, and of examples in it
ROUNDINGS = 1000  # so many may lie between two orders of additions
CLOSE = 1e-9  # relative


@dataclass(frozen=True)
class Job:
    """What a program is run for: its first `count` outputs, and their derivatives, row by row.

    They are with respect to the inputs at the places `wanted`.
    """

    tensors: Tensors
    count: int
    wanted: Sequence[int]

    @property
    def values(self) -> list[int]:
        """The entries that are results."""
        return self.tensors.program.outputs[: self.count]

    @property
    def slopes(self) -> list[int]:
        """Those that are derivatives."""
        return self.tensors.program.outputs[self.count :]

    @property
    def sides(self) -> list[int]:
        """What is compared: the left and the right side of every guard."""
        return [ref for guard in self.tensors.program.guards for ref in (guard.left, guard.right)]


class Run(Protocol):
    """A program, ready to run on the numbers of its inputs, which come in parts."""

    def __call__(self, parts: Sequence[Numbers]) -> Sequence[Any]:
        """The results, their derivatives, and the sides of the guards."""


class MachineCode(Run, Protocol):
    """The same by machine code."""

    @property
    def text(self) -> str:
        """The text of C."""


class on_lists:  # noqa: N801 - used as a word
    """By plain Python, on lists."""

    def __init__(self, job: Job) -> None:
        self.text: Text = plain(job.tensors, {"values": job.values, "slopes": job.slopes}, job.sides)
        self.function = self.text.function()

    def __call__(self, parts: Sequence[Numbers]) -> Found:
        """One list for each."""
        values, slopes, sides = self.function([float(number) for part in parts for number in part])
        return values, slopes, sides, has_nan(slopes)


class on_arrays:  # noqa: N801
    """By NumPy. The text reads the inputs block by block, and gives derivatives block by block."""

    def __init__(self, job: Job) -> None:
        import numpy as np

        self.np, self.count, self.is_derived = np, job.count, bool(job.wanted and job.count)
        program, blocks = job.tensors.program, job.tensors.inputs
        at = {ref: k for k, ref in enumerate(program.inputs)}
        order = permutation(np, [at[ref] for block in blocks for ref in block.entries if ref is not None])
        # Often most of the inputs, such as the data, stay where they are.
        moved: Any = np.flatnonzero(order != np.arange(len(order))) if order is not None else ()
        self.moved = slice(moved[0], moved[-1] + 1) if len(moved) else slice(0)
        self.order: Any = None if order is None else order[self.moved]
        results = [Result("value", job.values, (self.count,) if self.count > 1 else ())] if self.count else []
        place = {program.inputs[k]: j for j, k in enumerate(job.wanted)}
        slopes: list[int] = []
        outputs = job.slopes
        for start in range(0, len(outputs), len(job.wanted) or 1):
            for block in blocks:
                chosen = [ref for ref in block.entries if ref in place]
                if chosen:
                    shape = block.shape if len(chosen) == len(block.entries) else (len(chosen),)
                    slopes += [start + place[ref] for ref in chosen]
                    refs = [outputs[start + place[ref]] for ref in chosen]
                    results.append(Result(f"d_{block.name}", refs, shape))
        sides = job.sides
        self.is_guarded = bool(sides)
        if sides:
            results.append(Result("guards", sides, (len(sides),)))
        self.back = permutation(np, np.argsort(np.array(slopes, dtype=np.intp)).tolist())
        self.text: Text = printed(job.tensors, results)
        self.function = function_of(self.text)

    def __call__(self, parts: Sequence[Numbers]) -> Found:
        """An array for each."""
        np = self.np
        array = np.concatenate(parts, dtype=float)
        if self.order is not None:
            array[self.moved] = array.take(self.order)
        with np.errstate(all="ignore"):
            found = self.function(array)
        sides: Numbers = ()
        if self.is_guarded:
            *found, sides = found
            sides = sides.tolist()
        values = np.array(found[0], ndmin=1) if self.count else ()
        if not self.is_derived:
            return values, (), sides, False
        slopes = np.concatenate(found[1:], axis=None)
        return values, slopes if self.back is None else slopes.take(self.back), sides, has_nan(slopes)


class Memory:
    """What one call of machine code reads and writes, for one call at a time: arrays, and where they begin in `places`."""

    __slots__ = ("cells", "given", "places", "results", "scratch", "sides", "slopes", "table", "values")

    def __init__(self, np: Any, sizes: Sequence[int], count: int, end: int) -> None:
        from ctypes import addressof, c_void_p

        self.given, self.results, self.scratch = [aligned(np, size) for size in sizes]
        self.cells = memoryview(self.given)  # faster for single numbers
        self.values, self.slopes, self.sides = self.results[:count], self.results[count:end], self.results[end:]
        self.table = (c_void_p * 3)(*[array.ctypes.data for array in (self.given, self.results, self.scratch)])
        self.places = c_void_p(addressof(self.table))


class Machine:
    """By machine code, from C text for speed. Calls may overlap: every one has memory of its own.

    `function(memory.places)` runs the program, and gives nan if a result is nan.
    """

    def __init__(self, job: Job) -> None:
        import numpy as np

        self.np, self.count, self.end = np, job.count, job.count + len(job.slopes)
        self.code = code = compiled(job.tensors, [*job.values, *job.slopes, *job.sides])
        self.function = code.function
        self.sizes, self.has_sides = (code.inputs, code.outputs, code.scratch), self.end < code.outputs
        self.free: list[Memory] = []  # what no call uses now

    def __call__(self, parts: Sequence[Numbers]) -> Found:
        """An array for each."""
        try:  # another thread may take it at any time
            memory = self.free.pop()
        except IndexError:
            memory = self.memory()
        self.np.concatenate(parts, out=memory.given, casting="unsafe")
        squares = self.function(memory.places)
        values, slopes, sides = memory.values.copy(), memory.slopes.copy(), memory.sides.tolist() if self.has_sides else ()
        self.free.append(memory)
        return values, slopes, sides, squares != squares

    @property
    def text(self) -> str:
        """The text of C."""
        return self.code.write()

    def memory(self) -> Memory:
        """Memory for one call more."""
        return Memory(self.np, self.sizes, self.count, self.end)


class on_rows:  # noqa: N801
    """By plain Python, for a block of examples, one after the other; it gives what the printed program of a block gives."""

    def __init__(self, tensors: Tensors, results: Sequence[Result], columns: Mapping[int, tuple[int, int]]) -> None:
        import numpy as np

        self.np = np
        shared, each, self.results = parted(tensors, results)
        matrices = range(1 + max([m for m, _ in columns.values()], default=0))
        widths = [1 + max([column for m, column in columns.values() if m == k], default=0) for k in matrices]
        at = {ref: k for k, ref in enumerate(tensors.program.inputs)}
        self.places = [at[ref] for block in tensors.inputs if not block.batched for ref in block.entries if ref is not None]
        self.inputs = len(at)
        self.text = plain(tensors, {"shared": shared, "each": each}, batch=Batch(1, tuple(widths), columns))
        self.function = self.text.function()

    def __call__(self, parts: Sequence[Any]) -> list[Any]:
        """An array for each result."""
        np, count, numbers = self.np, len(parts[1]), self.np.zeros(self.inputs)
        numbers[self.places] = parts[0]
        shared, each = map(np.array, self.function(*[np.asarray(part, dtype=float).tolist() for part in (numbers, *parts[1:])]))
        each = each.reshape(count, -1).T
        return [
            each[start:stop].reshape(*shape, count) if varies else shared[start:stop].reshape(shape)
            for varies, start, stop, shape in self.results
        ]


class MachineOfBlocks:
    """By machine code, for a block of examples: the parts are the numbers that all share, and matrices with rows of examples.

    It gives what the printed program gives: an array for each of `results`, whose last axis is that of the examples if it varies.
    The same bits for the same block. Blocks may be larger than `size` where little goes through memory: `self.size` tells.
    """

    def __init__(
        self, tensors: Tensors, results: Sequence[Result], columns: Mapping[int, tuple[int, int]], size: int,
        matrices: Sequence[Any],
    ) -> None:  # fmt: skip
        import numpy as np

        from autograd.compiler.native.printing import FEWEST

        self.np, self.fewest = np, FEWEST
        varying = [[columns[ref][0] for ref in block.entries if ref is not None] for block in tensors.inputs if block.batched]
        mixed = any(len(set(places)) > 1 for places in varying)
        self.columns = list(columns.values()) if mixed else []  # if a block reads several matrices, they become one
        self.used = sorted({matrix for matrix, _ in columns.values()})
        if mixed:
            columns, widths = {ref: (0, k) for k, ref in enumerate(columns)}, (len(columns),)
        else:
            columns = {ref: (self.used.index(matrix), column) for ref, (matrix, column) in columns.items()}
            widths = tuple([matrices[k].shape[1] for k in self.used])
        self.widths = widths
        shared, each, self.results = parted(tensors, results)
        self.code = code = compiled(tensors, shared, Batch(size, widths, columns), each)
        self.function, self.scratch = code.function, code.scratch
        self.outputs, self.each, self.size, self.room = code.outputs, code.each, code.size, code.room
        self.memory = threading.local()  # of each thread

    @property
    def text(self) -> str:
        """The text of C."""
        return self.code.write()

    def __call__(self, parts: Sequence[Any]) -> list[Any]:
        """An array for each result; what varies is there until the next call in this thread."""
        np = self.np
        numbers, *matrices = parts
        count = len(matrices[0])
        if self.columns:
            matrices = [np.stack([matrices[m][:, column] for m, column in self.columns], axis=1)]
        else:
            matrices = [matrices[k] for k in self.used]
        given = [np.ascontiguousarray(matrix, dtype=float) for matrix in matrices]
        if tuple([matrix.shape[1] for matrix in given]) != self.widths or count > self.size:
            raise RuntimeError(f"a block of {count} examples of {[m.shape[1] for m in given]} numbers does not fit {self.widths}")
        if count < self.fewest:  # the first example once more, which does not count
            given = [np.concatenate([matrix, *[matrix[:1]] * (self.fewest - count)]) for matrix in given]
        memory = self.memory
        if not hasattr(memory, "scratch"):
            memory.scratch, memory.each = aligned(np, self.scratch), np.empty((self.each, self.room))
        scratch, each = memory.scratch, memory.each
        numbers, out = np.ascontiguousarray(numbers, dtype=float), np.empty(self.outputs)
        self.function(numbers.ctypes.data, out.ctypes.data, scratch.ctypes.data, each.ctypes.data, count,
                      *[matrix.ctypes.data for matrix in given])  # fmt: skip
        return [
            each[start:stop, :count].reshape(*shape, count) if varies else out[start:stop].reshape(shape)
            for varies, start, stop, shape in self.results
        ]


def parted(tensors: Tensors, results: Sequence[Result]) -> tuple[list[int], list[int], list[tuple[bool, int, int, Shape]]]:
    """The entries that are results of all examples, and of each; and of every result, whether it varies, and where it is."""
    shared: list[int] = []
    each: list[int] = []
    found = []
    for result in results:
        varies = any(tensors.is_batched(ref) for ref in result.refs)
        refs = each if varies else shared
        found.append((varies, len(refs), len(refs) + len(result.refs), result.shape))
        refs += result.refs
    return shared, each, found


class Compiled(NamedTuple):
    """Machine code: the function, what writes its text, and how many numbers there are of everything.

    Of a batch, `size` is how many examples a block has, and `room` how many there is room for.
    """

    function: Any
    write: Callable[[], str]
    inputs: int
    outputs: int
    each: int
    scratch: int
    size: int
    room: int


def compiled(tensors: Tensors, results: Sequence[int], batch: Batch | None = None, each: Sequence[int] = ()) -> Compiled:
    """Machine code of a program, for blocks of as many examples as a batch says, or more if little goes through memory.

    Raises NativeError where there is none.
    """
    import ctypes

    from autograd.compiler.native.building import NativeError, load_made
    from autograd.compiler.native.printing import FEWEST, moved, printed
    from autograd.compiler.tensors.instructions import IrregularError
    from autograd.compiler.tensors.lower import lowered

    def write() -> str:
        try:
            given, size = batch, 0
            if batch is not None:
                width = moved(lowered(tensors, results, batch, each))
                size = max(batch.size, min(MOST, BYTES // (8 * max(1, width))))
                given = batch._replace(size=(-(-max(size, FEWEST) // 8) | 1) * 8)  # lines of cache: an odd number is best
            code = lowered(tensors, results, given, each)
            text, scratch = printed(code)
        except (IrregularError, TypeError) as error:  # an operation that is a Python function, say
            raise NativeError(f'there is no machine code of this program: {error}; use backend="numpy"') from error
        sizes = code.inputs, code.outputs, code.each, scratch, size, given.size if given else 0
        return f"{text}\nconst long sizes[] = {{{', '.join(map(str, sizes))}}};\n"

    library, pointer = load_made(described(tensors, results, batch, each), write), ctypes.c_void_p
    if batch is None:
        function = library.call
        function.argtypes, function.restype = [pointer], ctypes.c_double
    else:
        function = library.run
        function.argtypes = [pointer] * 4 + [ctypes.c_long] + [pointer] * len(batch.widths)
        function.restype = None
    return Compiled(function, write, *(ctypes.c_long * 6).in_dll(library, "sizes"))


def described(tensors: Tensors, results: Sequence[int], batch: Batch | None, each: Sequence[int]) -> bytes:
    """All that the text of a program depends on."""
    program = tensors.program
    rows = {row: (row.name, row.operands, row.forward) for row in program.rows if row is not None}
    varies = [(block.name, block.batched) for block in tensors.inputs]
    examples = batch and (batch.size, batch.widths, sorted(batch.columns.items()), BYTES, MOST)
    parts = (
        source_digest(), [row and rows[row] for row in program.rows], program.operands, program.constants, program.names,
        [*program.families.items()], varies, [*results], [*each], examples,
    )  # fmt: skip
    return marshal.dumps(parts, 2)


@cache
def source_digest() -> bytes:
    """The text of this library, which makes other text of the same program when it changes."""
    folder = Path(__file__).parents[1]
    files = sorted([*folder.rglob("*.py"), *folder.rglob("*.h")])
    return blake2b(b"".join([file.read_bytes() for file in files])).digest()


def has_nan(numbers: Numbers) -> bool:
    """Whether a nan is among these numbers: then it is in the sum of their squares."""
    if hasattr(numbers, "dot"):
        import numpy as np

        total = np.vdot(numbers, numbers)  # which does not warn of overflow, as @ and `dot` do
    else:
        total = sum([number * number for number in numbers])
    return bool(total != total)


def aligned(np: Any, size: int) -> Any:
    """An array that begins where a line of the cache does."""
    array = np.zeros(size + 8)
    start = -array.ctypes.data // 8 % 8
    return array[start : start + size]


def permutation(np: Any, places: Sequence[int]) -> Any:
    """An array of places, or None if everything stays where it is."""
    array = np.array(places, dtype=np.intp)
    return None if bool((array == np.arange(len(array))).all()) else array


def agreement(one: Run, other: Run, parts: Sequence[Numbers]) -> tuple[str, bool]:
    """Where two runs of a program differ on these numbers by more than roundings make, in words, "" if nowhere; and whether
    all numbers could be compared, which infinities and nan cannot.

    How much roundings make is measured: the numbers are moved by one unit in their last place.
    """
    import numpy as np

    parts = [np.asarray(part, dtype=float) for part in parts]
    with np.errstate(all="ignore"):
        moved = [[np.nextafter(part, np.inf) for part in parts], [part * (1.0 + 2.0**-51) for part in parts]]
        runs = zip([one, *[other] * 3], [parts, parts, *moved])
        found, expected, *shaken = [
            np.concatenate([x for x in run(given) if not isinstance(x, bool)], axis=None) for run, given in runs
        ]
        finite, was_finite = np.isfinite(found), np.isfinite(expected)
        is_sure = np.all([np.isfinite(x) == was_finite for x in shaken], axis=0)  # no rounding makes an infinity
        slack = ROUNDINGS * np.max([np.abs(x - expected) for x in shaken], axis=0, initial=0.0)
        largest = np.max(np.abs(expected), initial=0.0, where=np.isfinite(expected))
        far = np.abs(found - expected) > CLOSE * (np.abs(expected) + 1e-3 * largest) + slack
        wrong = np.flatnonzero(np.where(finite & was_finite, far, is_sure & (finite != was_finite)))
    if not len(wrong):
        return "", bool((finite & was_finite).all())
    k = int(wrong[0])
    return f"result {k} of {len(found)} is {float(found[k])!r} and should be {float(expected[k])!r}", True
