"""The room of functions: the text of a C function that reads and writes strided memory, in loops and in vectors."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import count
from math import prod
from typing import NamedTuple

from autograd.compiler.native.spelling import Spelling, number
from autograd.compiler.tensors.instructions import Affine, Gather, Number, Operand, Taken, without
from autograd.compiler.texts import offset

__all__ = ["PADDED", "At", "Function", "further", "stride_of"]

PARAMETERS = 16  # a function that reads and writes at more places than that finds those near each other from one of them
PADDED = "padded"  # where loops over examples end: after so many as a vector has at least, of which some may not count
NEAR = 64  # numbers that are near each other


class At(NamedTuple):
    """Where an operation is done: at indices of loops, on w numbers along one of them."""

    indices: tuple[str, ...]
    w: int = 1
    axis: int = 0


class Function:
    """The parameters and the body of a function; where operands begin are its parameters."""

    def __init__(self, reads: Iterable[Operand], writes: Iterable[Affine], spelling: Spelling) -> None:
        self.spelling, self.batched = spelling, False
        self.pointers: dict[tuple[str, int, bool], str] = {}  # the parameters: buffer, start, whether it is written
        self.tables: dict[tuple[int, ...], str] = {}
        self.lines: list[str] = []
        self.depth = 1
        self.known: dict[str, str] = {}  # names of what has been read in this block
        self.fresh = count()
        read = {(y.buffer, False, y.start) for x in reads for y in affine(x)}
        self.bases = near([*read, *{(x.buffer, True, x.start) for x in writes}])

    def text(self) -> str:
        """The function from its parameters on."""
        parameters = [f"{'' if written else 'const '}double *restrict {name}" for (_, _, written), name in self.pointers.items()]
        parameters += [f"const int *restrict {name}" for name in self.tables.values()]
        parameters += ["long count", "long padded"] if self.batched else []
        return f"({', '.join(parameters)})\n{{\n" + "\n".join(self.lines) + "\n}\n"

    # Lines

    def line(self, text: str) -> None:
        """A line, at the depth of its block."""
        self.lines.append("    " * self.depth + text)

    def open(self, text: str = "") -> None:
        """A line that opens a block."""
        self.line(f"{text} {{".strip())
        self.depth += 1
        self.known = {}

    def close(self, depth: int) -> None:
        """Closes blocks, down to a depth."""
        while self.depth > depth:
            self.depth -= 1
            self.line("}")
        self.known = {}

    def loop(self, name: str, end: int | str, step: int = 1, start: int | str = 0) -> str:
        """Opens a loop and returns its index. The last step ends with the loop: it may do again what the one before has done."""
        if isinstance(end, int) and isinstance(start, int):
            if start + step >= end:
                return str(start)
            if (end - start) % step:
                self.open(f"for (long {name}_ = {start}; {name}_ < {end}; {name}_ += {step})")
                self.line(f"const long {name} = {name}_ < {end - step} ? {name}_ : {end - step};")
                return name
        elif end == PADDED and step > 1:
            self.open(f"for (long {name}_ = {start}; {name}_ < {end}; {name}_ += {step})")
            self.line(f"const long {name} = {name}_ < {end} - {step} ? {name}_ : {end} - {step};")
            return name
        self.open(f"for (long {name} = {start}; {name} < {end}; {name}{'++' if step == 1 else f' += {step}'})")
        return name

    def named(self, text: str, w: int, *, held: bool = False) -> str:
        """The name of what is read, once in a block; a vector that is used often is held in a register."""
        if text not in self.known:
            self.known[text] = name = f"y{next(self.fresh)}"
            kind = self.spelling.type(w)
            self.line(f"{kind} {name} = {text}; HELD({name});" if held and w > 1 else f"const {kind} {name} = {text};")
        return self.known[text]

    # Memory

    def pointer(self, buffer: str, start: int, *, written: bool = False) -> tuple[str, int]:
        """The parameter for a place in a buffer, and how far the place is from it."""
        base = self.bases.get((buffer, written, start), start)
        return self.pointers.setdefault((buffer, base, written), f"{'q' if written else 'p'}{len(self.pointers)}"), start - base

    def load(self, x: Operand, sizes: Sequence[int], at: At, *, scalar: bool = False) -> str:
        """An operand in loops of these sizes; with `scalar`, one number if it is the same in all lanes."""
        index, w, axis = at
        if isinstance(x, Number):
            return number(x.value) if w == 1 or scalar else self.spelling.spelled(f"set({number(x.value)})", w)
        stride = 0 if w == 1 else stride_of(x, axis)
        if stride == 0:
            text = self.element(x, sizes, index)
            return text if w == 1 or scalar else self.spelling.spelled(f"set({text})", w)
        vector = self.spelling.type(w)
        if stride == 1:
            return f"*(const {vector} *)&{self.element(x, sizes, index)}"
        if isinstance(x, Affine):
            return f"{self.spelling.prefix(w)}_from(&{self.element(x, sizes, index)}, {stride})"
        lanes = [[further(i, lane) if a == axis else i for a, i in enumerate(index)] for lane in range(w)]
        return f"({vector}){{{', '.join(self.element(x, sizes, lane) for lane in lanes)}}}"

    def element(self, x: Affine | Gather | Taken, sizes: Sequence[int], index: Sequence[str]) -> str:
        """One number of an operand."""
        if isinstance(x, Gather):
            low, table = from_lowest(x.table)
            pointer, start = self.pointer(x.buffer, low)
            place = self.entry(table, without(sizes, x.axis), without(index, x.axis))
            if start or (x.axis is not None and x.stride):
                place += f" + {offset([x.stride], [index[x.axis]], start) if x.axis is not None else start}"
            return f"{pointer}[{place}]"
        if isinstance(x, Taken):
            pointer, start = self.pointer(x.table.buffer, x.table.start)
            chosen = f"{x.step} * (long){self.element(x.index, sizes, index)}"
            return f"{pointer}[{offset(x.table.strides, index, start)} + {chosen}]"
        pointer, start = self.pointer(x.buffer, x.start)
        return f"{pointer}[{offset(x.strides, index, start)}]"

    def entry(self, table: tuple[int, ...], sizes: Sequence[int], index: Sequence[str]) -> str:
        """An entry of a table of numbers, one for each step of loops."""
        name = self.tables.setdefault(table, f"table{len(self.tables)}")
        return f"{name}[{offset([prod(sizes[a + 1 :]) for a in range(len(sizes))], index)}]"

    def store(self, x: Affine, at: At, text: str) -> None:
        """Writes a result."""
        pointer, start = self.pointer(x.buffer, x.start, written=True)
        place = f"{pointer}[{offset(x.strides, at.indices, start)}]"
        if at.w == 1:
            self.line(f"{place} = {text};")
        elif x.strides[at.axis] == 1:
            self.line(f"*({self.spelling.type(at.w)} *)&{place} = {text};")
        else:
            self.line(f"{self.spelling.prefix(at.w)}_to(&{place}, {x.strides[at.axis]}, {text});")


@lru_cache(maxsize=256)
def from_lowest(places: tuple[int, ...]) -> tuple[int, tuple[int, ...]]:
    """The lowest place of a table, and how far all are from it."""
    low = min(places)
    return low, tuple([place - low for place in places])


def near(places: list[tuple[str, bool, int]]) -> dict[tuple[str, bool, int], int]:
    """The starts from which places of buffers are found: other than their own, where there are too many."""
    found: dict[tuple[str, bool, int], int] = {}
    if len(places) > PARAMETERS:
        base = last = min(places)
        for place in sorted(places):
            if place[:2] != last[:2] or place[2] > last[2] + NEAR:
                base = place
            found[place], last = base[2], place
    return found


def affine(x: Operand) -> list[Affine]:
    """The affine parts of an operand."""
    return [x] if isinstance(x, Affine) else [x.table, x.index] if isinstance(x, Taken) else []


def stride_of(x: Operand, axis: int) -> int | None:
    """How far neighbours along a loop are from each other; None if that differs."""
    if isinstance(x, Affine):
        return x.strides[axis]
    if isinstance(x, Taken):
        return x.table.strides[axis] if x.index.strides[axis] == 0 else None
    if isinstance(x, Gather) and x.axis == axis:
        return x.stride
    return 0 if isinstance(x, Number) else None


def further(i: str, steps: int) -> str:
    """An index some steps further on."""
    return str(int(i) + steps) if i.isdigit() else f"{i} + {steps}" if steps else i
