"""The room of C for speed: nests as functions on vectors, sums in registers; what is equal but for its places is one function."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from math import prod
from typing import NamedTuple

from autograd.compiler.native.nests import Call, Nest, fused, packed, rolled
from autograd.compiler.native.spelling import Spelling, number
from autograd.compiler.tensors.instructions import Affine, Code, Gather, Instruction, Number, Operand, Taken

__all__ = ["Printed", "printed"]

REGISTERS = 24  # so many sums are kept at most
PARAMETERS = 16  # a nest that reads and writes at more places than that finds those near each other from one of them
NEAR = 64  # numbers that are near each other
UNROLLED = 4  # instructions after a reduction that are written out for every sum at most
FAR = 8.0  # what it costs to read lanes that lie apart, in vectors


class Part(NamedTuple):
    """An accumulator of a fold: where it starts, what an element `x` (and `y`) does to it, and what two of them are together."""

    name: str
    start: str
    update: str
    join: str


# What a row that folds does in one pass over the elements after another, and its result, in words of the table. The largest of all
# is at first the largest that is no nan in `norm`, where an infinity wins over nan; `logsumexp` counts what is as large.
FOLDS: dict[str, tuple[list[list[Part]], str]] = {
    "sum": ([[Part("s", "0.0", "{s} + {x}", "add")]], "{s}"),
    "dot": ([[Part("s", "0.0", "{s} + {x} * {y}", "add")]], "{s}"),
    "prod": ([[Part("s", "1.0", "{s} * {x}", "mul")]], "{s}"),
    "max": ([[Part("s", "-INFINITY", "maximum({s}, {x})", "maximum")]], "{s}"),
    "min": ([[Part("s", "INFINITY", "minimum({s}, {x})", "minimum")]], "{s}"),
    "norm": ([[Part("t", "0.0", "where(greater(abs({x}), {t}), abs({x}), {t})", "maximum")],
              [Part("s", "0.0", "{s} + square({x} / where({t}, {t}, set(1.0)))", "add")]],
             "where(greater(set(INFINITY), {t}), {t} * sqrt({s}), {t})"),
    "logsumexp": ([[Part("t", "-INFINITY", "maximum({t}, {x})", "maximum")],
                   [Part("s", "0.0", "{s} + where(greater({t}, {x}), exp({x} - {t}), set(0.0))", "add"),
                    Part("n", "0.0", "{n} + (1.0 - greater({t}, {x}))", "add")]],
                  "where(greater(set(INFINITY), abs({t})), {t} + log1p({s} + ({n} - 1.0)), {t})"),
}  # fmt: skip
SCALED = {"sum", "dot", "prod"}  # folds in which a number meets vectors as it is


class Printed(NamedTuple):
    """C text of a program, and how many numbers its scratch buffer holds."""

    text: str
    scratch: int


def printed(code: Code, lanes: int = 8) -> Printed:
    """The program as a file of C with one function, `void run(const double *in, double *out, double *scratch)`.

    It may run in several threads at once, each with a scratch buffer of its own, which begins at a multiple of 64 bytes. `lanes` is
    how many numbers a vector has: any power of two is right, that of the processor is fast.
    """
    instructions, scratch = packed(code)
    spelling = Spelling(lanes)
    names: dict[str, str] = {}  # of functions, by their text
    tables: dict[tuple[int, ...], str] = {}
    functions, calls = [], []
    for nest in fused(instructions):
        writer = Writer(nest, spelling)
        text = writer.text()
        if text not in names:
            names[text] = f"nest{len(names)}"
            functions.append(f"/* {title(nest)} */\n{'NEST' if nest.sizes or nest.main else 'NUMBERS'} {names[text]}{text}")
        given = [(tables.setdefault(table, f"table{len(tables)}"), 0) for table in writer.tables]
        places = [*[(buffer, start) for buffer, start, _ in writer.pointers], *given]
        calls.append(Call(names[text], tuple([buffer for buffer, _ in places]), tuple([start for _, start in places])))
    heads = [f"#define VM_W {lanes}\n", spelling.text()]
    heads += [f"static const int {name}[] = {{{', '.join(map(str, table))}}};\n" for table, name in tables.items()]
    if code.constants:
        numbers = ", ".join(map(number, code.constants))
        heads.append(f"static const double constants[] __attribute__((aligned(64))) = {{{numbers}}};\n")
    lines = [line for repeat in rolled(calls) for line in called(*repeat)]
    body = "".join(f"    {line}\n" for line in ["(void)in, (void)out, (void)scratch;", *lines])
    run = f"void run(const double *in, double *out, double *scratch)\n{{\n{body}}}\n"
    return Printed("\n".join([*heads, *functions, run]), scratch)


def title(nest: Nest) -> str:
    """What a nest does: its loops, and its rows."""
    sizes = nest.main.sizes if nest.main else nest.sizes
    rows = list(dict.fromkeys(ins.row.name for ins in nest.members))
    return f"{' x '.join(map(str, sizes)) or 'numbers'}: {', '.join(rows[:8])}{', ...' if len(rows) > 8 else ''}"


def called(times: int, calls: Sequence[Call], steps: Sequence[Sequence[int]]) -> list[str]:
    """Lines that run calls."""
    lines = []
    for call, moves in zip(calls, steps):
        places = [buffer + (f" + {start}" if start else "") + (f" + {step} * t" if step else "")
                  for buffer, start, step in zip(call.buffers, call.starts, moves)]  # fmt: skip
        lines.append(f"{call.name}({', '.join(places)});")
    if times == 1:
        return lines
    return [f"for (long t = 0; t < {times}; t++) {{", *[f"    {line}" for line in lines], "}"]


def offset(strides: Sequence[int], index: Sequence[str], start: int = 0) -> str:
    """The distance of an element from the start of its operand."""
    parts = []
    for stride, i in zip(strides, index):
        if stride and i.isdigit():
            start += stride * int(i)
        elif stride:
            parts.append(i if stride == 1 else f"{stride} * {i}" if i.isidentifier() else f"{stride} * ({i})")
    return " + ".join([*parts, *([str(start)] if start or not parts else [])])


def further(i: str, steps: int) -> str:
    """An index some steps further on."""
    return str(int(i) + steps) if i.isdigit() else f"{i} + {steps}" if steps else i


class Writer:
    """Writes a nest as the parameters and the body of a function; where operands begin are its parameters."""

    def __init__(self, nest: Nest, spelling: Spelling) -> None:
        self.nest, self.spelling = nest, spelling
        self.pointers: dict[tuple[str, int, bool], str] = {}  # the parameters: buffer, start, whether it is written
        self.tables: dict[tuple[int, ...], str] = {}
        self.lines: list[str] = []
        self.depth = 1
        self.loads: dict[str, str] = {}  # names of what has been read in this block
        self.fresh = map("y{}".format, count())
        self.starts = self.near_places()
        self.nested()

    def text(self) -> str:
        """The function from its parameters on."""
        parameters = [f"{'' if written else 'const '}double *restrict {name}" for (_, _, written), name in self.pointers.items()]
        parameters += [f"const int *restrict {name}" for name in self.tables.values()]
        return f"({', '.join(parameters)})\n{{\n" + "\n".join(self.lines) + "\n}\n"

    def near_places(self) -> dict[tuple[str, int, bool], int]:
        """For every place that is read or written, the place whose pointer it is found from: another one if they are too many."""
        places = sorted({(x.buffer, written, x.start) for ins in self.nest.members for operand, written in
                         [*[(x, False) for x in ins.operands], (ins.out, True)] for x in affine(operand)})  # fmt: skip
        found: dict[tuple[str, int, bool], int] = {}
        last: tuple[str, bool, int] = ("", False, 0)
        for buffer, written, start in places:
            if len(places) <= PARAMETERS or (buffer, written) != last[:2] or start > last[2] + NEAR:
                base = start
            found[buffer, start, written] = base
            last = buffer, written, start
        return found

    # Lines

    def line(self, text: str) -> None:
        """A line, at the depth of its block."""
        self.lines.append("    " * self.depth + text)

    def open(self, text: str) -> None:
        """A line that opens a block."""
        self.line(f"{text} {{" if text else "{")
        self.depth += 1
        self.loads = {}

    def close(self, depth: int) -> None:
        """Closes blocks, down to a depth."""
        while self.depth > depth:
            self.depth -= 1
            self.line("}")
        self.loads = {}

    def loop(self, name: str, size: int | str, step: int = 1, start: int | str = 0) -> str:
        """Opens a loop and returns its index. The last step ends with the loop: it may do again what the one before has done."""
        if isinstance(size, int) and isinstance(start, int) and start + step >= size:
            return str(start)
        if isinstance(size, int) and isinstance(start, int) and (size - start) % step:
            self.open(f"for (long {name}_ = 0; {name}_ < {size}; {name}_ += {step})")
            self.line(f"const long {name} = {name}_ < {size - step} ? {name}_ : {size - step};")
        else:
            self.open(f"for (long {name} = {start}; {name} < {size}; {name}{'++' if step == 1 else f' += {step}'})")
        return name

    def declare(self, names: Sequence[str], start: str, w: int) -> None:
        """Accumulators, where they start."""
        text = self.spelling.spelled(f"set({start})", w)
        self.line(f"{self.spelling.type(w)} {', '.join(f'{name} = {text}' for name in names)};")

    # Operands

    def pointer(self, buffer: str, start: int, *, written: bool = False) -> tuple[str, int]:
        """The parameter for a place in a buffer, and how far the place is from it."""
        base = self.starts.get((buffer, start, written), start)
        return self.pointers.setdefault((buffer, base, written), f"{'q' if written else 'p'}{len(self.pointers)}"), start - base

    def element(self, x: Affine, index: Sequence[str]) -> str:
        """An element of an operand."""
        pointer, start = self.pointer(x.buffer, x.start)
        return f"{pointer}[{offset(x.strides, index, start)}]"

    def load(self, x: Operand, sizes: Sequence[int], index: Sequence[str], w: int, axis: int, *, scalar: bool = False) -> str:
        """An operand at these indices, as w lanes along an axis; or, with `scalar`, as a number if it is the same in all."""
        if isinstance(x, Number):
            return number(x.value)
        if isinstance(x, Affine) and (w == 1 or x.strides[axis] == 0):
            text = self.element(x, index)
            return text if w == 1 or scalar else self.spelling.spelled(f"set({text})", w)
        v, vector = self.spelling.prefix(w) if w > 1 else "", self.spelling.type(w)
        if isinstance(x, Affine):
            pointer, start = self.pointer(x.buffer, x.start)
            at = f"{pointer} + {offset(x.strides, index, start)}".removesuffix(" + 0")
            return f"*(const {vector} *)({at})" if x.strides[axis] == 1 else f"{v}_from({at}, {x.strides[axis]})"
        if isinstance(x, Taken) and w > 1 and x.index.strides[axis] == 0 and x.table.strides[axis] == 1:
            return f"*(const {vector} *)&{self.single(x, sizes, index)}"
        if w == 1:
            return self.single(x, sizes, index)
        lanes = [[further(i, lane) if a == axis else i for a, i in enumerate(index)] for lane in range(w)]
        return f"({vector}){{{', '.join(self.single(x, sizes, at) for at in lanes)}}}"

    def single(self, x: Gather | Taken, sizes: Sequence[int], index: Sequence[str]) -> str:
        """A number whose place is read from a table, or from memory."""
        if isinstance(x, Gather):
            pointer, start = self.pointer(x.buffer, 0)
            at = self.entry(x.table, sizes, index)
            return f"{pointer}[{at}{f' + {start}' if start else ''}]"
        pointer, start = self.pointer(x.table.buffer, x.table.start)
        return f"{pointer}[{offset(x.table.strides, index, start)} + {x.step} * (long){self.element(x.index, index)}]"

    def entry(self, table: tuple[int, ...], sizes: Sequence[int], index: Sequence[str]) -> str:
        """An entry of a table of places."""
        name = self.tables.setdefault(table, f"table{len(self.tables)}")
        return f"{name}[{offset([prod(sizes[a + 1 :]) for a in range(len(sizes))], index)}]"

    def named(self, text: str, kind: str, *, held: bool = False) -> str:
        """The name of what has been read, once in a block."""
        if text not in self.loads:
            self.loads[text] = name = next(self.fresh)
            self.line(f"{kind} {name} = {text}; HELD({name});" if held else f"const {kind} {name} = {text};")
        return self.loads[text]

    def operands(
        self, ins: Instruction, index: Sequence[str], w: int, axis: int, *, scalars: bool = False, held: bool = False
    ) -> list[str]:
        """The operands of an instruction: numbers, or names of what is read here, which vectors may be held in registers."""
        found = []
        for x in ins.operands:
            scalar = scalars and isinstance(x, Affine) and x.strides[axis] == 0
            text = self.load(x, ins.sizes, index, w, axis, scalar=scalar)
            if isinstance(x, Number):
                found.append(text if w == 1 or scalars else self.spelling.spelled(f"set({text})", w))
            else:
                found.append(self.named(text, self.spelling.type(1 if scalar else w), held=held and not scalar and w > 1))
        return found

    def store(self, x: Affine, index: Sequence[str], w: int, axis: int, text: str) -> None:
        """Writes a result."""
        pointer, start = self.pointer(x.buffer, x.start, written=True)
        at = offset(x.strides, index, start)
        if w == 1:
            self.line(f"{pointer}[{at}] = {text};")
        elif x.strides[axis] == 1:
            self.line(f"*({self.spelling.type(w)} *)({pointer} + {at}) = {text};".replace(" + 0)", ")"))
        else:
            self.line(f"{self.spelling.prefix(w)}_to({pointer} + {at}, {x.strides[axis]}, {text});")

    # Elementwise

    def steps(self, index: Sequence[str], w: int, axis: int, result: str = "") -> None:
        """The elementwise instructions at these indices, after the result of the reduction."""
        names: dict[Operand, str] = {}
        if self.nest.main:
            names[self.nest.main.out] = result
            if self.nest.stored[0]:
                self.store(self.nest.main.out, index, w, axis, result)
        vector = self.spelling.type(w)
        for k, ins in enumerate(self.nest.steps):
            words = []
            for x in ins.operands:
                if x not in names:
                    text = self.load(x, ins.sizes, index, w, axis)
                    words.append(text if isinstance(x, Number) else self.named(text, vector))
                else:
                    words.append(names[x])
            if ins.row.arity is None:
                text = self.together(ins, words, w, f"x{k}")
            else:
                text = self.spelling.applied(ins, words, w)
            self.line(f"const {vector} x{k} = {text};")
            names[ins.out] = f"x{k}"
            if self.nest.stored[k + (self.nest.main is not None)]:
                self.store(ins.out, index, w, axis, f"x{k}")

    def together(self, ins: Instruction, words: Sequence[str], w: int, name: str) -> str:
        """The fold of some operands, which are at hand."""
        passes, result = FOLDS[ins.row.name]
        if w > 1:
            words = [self.spelling.spelled(f"set({x})", w) if isinstance(y, Number) else x for x, y in zip(words, ins.operands)]
        names = {part.name: f"{name}{part.name}" for parts in passes for part in parts}
        for parts in passes:
            for part in parts:
                self.declare([names[part.name]], part.start, w)
                for update in self.updates(ins, part, words, names, w):
                    self.line(update)
        return self.spelling.spelled(result, w).format(**names)

    def updates(self, ins: Instruction, part: Part, words: Sequence[str], names: dict[str, str], w: int) -> list[str]:
        """What operands do to an accumulator; `dot` takes the first half of them times the second."""
        half = len(words) // 2 if ins.row.name == "dot" else len(words)
        text = self.spelling.spelled(part.update, w)
        return [f"{names[part.name]} = {text.format(**names, x=x, y=y)};" for x, y in zip(words[:half], words[-half:])]

    def nested(self) -> None:
        """Chooses the loop along which the vectors are, and writes the loops."""
        nest, main = self.nest, self.nest.main
        if main is None:
            self.elementwise()
            return
        outer = len(nest.sizes)
        last = len(main.sizes) - 1
        costs = [self.cost(axis) for axis in range(outer)]
        best = min(range(outer), key=costs.__getitem__, default=None)
        along = self.cost(last)
        if best is None or along < costs[best] or costs[best] > 4.0:
            self.along(self.width(main.sizes[-1]) if along <= 4.0 else 1)
        else:
            self.tiles(best)

    def width(self, n: int) -> int:
        """How many lanes for a loop: as many as there are, if it is long enough; 12 are 3 times 4, not 8 and 4 of them again."""
        lanes = self.spelling.lanes
        while lanes > n or (lanes, n) == (8, 12):
            lanes //= 2
        return lanes

    def cost(self, axis: int) -> float:
        """What an element of a reduction costs, roughly, if the vectors are along a loop."""
        main, outer = self.nest.main, len(self.nest.sizes)
        assert main is not None
        n, limit = main.sizes[axis], main.limit
        if n < 2 or (axis < outer and limit is not None and (isinstance(limit, Gather) or limit.strides[axis])):
            return 1e9
        words = sum(1.0 if strides_along(x, axis) in (0, 1) else FAR for x in main.operands)
        if axis >= outer:
            return words / self.width(n) + 10.0 / prod(main.sizes[outer:])
        stores = [ins.out.strides[axis] for ins, stored in zip(self.nest.members, self.nest.stored) if stored]
        return words / self.width(n) + 0.1 * sum(stride != 1 for stride in stores)

    def elementwise(self) -> None:
        """A nest without a reduction."""
        sizes, members = self.nest.sizes, self.nest.steps
        stored = [ins.out for ins, stored in zip(members, self.nest.stored) if stored]

        def cost(axis: int) -> float:
            far = [strides_along(x, axis) not in (0, 1) for x in [*[x for ins in members for x in ins.operands], *stored]]
            return sum(6 if is_far else 1 for is_far in far) / self.width(sizes[axis])

        axis = min(reversed(range(len(sizes))), key=cost, default=0)
        w = self.width(sizes[axis]) if sizes else 1
        turned = any(strides_along(x, axis) not in (0, 1) for ins in members for x in ins.operands) if sizes else False
        index = [""] * len(sizes)
        order = [a for a in range(len(sizes)) if a != axis]  # what is turned: along the vectors last, to use up lines of cache
        for a in [axis, *order] if turned else [*order, axis] if sizes else []:
            index[a] = self.loop(f"i{a}", sizes[a], w if a == axis else 1)
        self.steps(index, w, axis)
        self.close(1)

    # Reductions

    def limit(self, index: Sequence[str]) -> str:
        """Where the last loop ends."""
        main = self.nest.main
        assert main is not None
        if main.limit is None:
            return str(main.sizes[-1])
        if isinstance(main.limit, Gather):
            return self.entry(main.limit.table, main.sizes, index)
        return offset(main.limit.strides, index, main.limit.start)

    def inner(self, index: Sequence[str], count: int) -> list[str]:
        """Opens the loops that are folded, but for the last `count`; returns their indices."""
        main, outer = self.nest.main, len(self.nest.sizes)
        assert main is not None
        ends: list[int | str] = [*main.sizes[outer:-1], main.sizes[-1] if main.limit is None else self.limit(index)]
        return [self.loop(f"k{a}", end) for a, end in enumerate(ends[: len(ends) - count])]

    def shared(self, j: int) -> int | None:
        """A loop whose steps read the same vectors along loop j: the longest."""
        main = self.nest.main
        assert main is not None

        def is_shared(a: int) -> bool:
            if isinstance(main.limit, Affine) and main.limit.strides[a]:
                return False
            return len(main.operands) == 1 or not any(x.strides[a] and x.strides[j] for x in main.operands if isinstance(x, Affine))

        others = [a for a in range(len(self.nest.sizes)) if a != j and is_shared(a) and not isinstance(main.limit, Gather)]
        return max(others, key=lambda a: (main.sizes[a], a), default=None)

    def tiles(self, j: int) -> None:
        """Accumulators in registers: some vectors along loop j, times some steps of a loop i that shares them."""
        nest, main, outer = self.nest, self.nest.main, range(len(self.nest.sizes))
        assert main is not None
        n, i = main.sizes[j], self.shared(j)
        w = self.width(n)
        columns = min(-(-n // w), 16 if i is None else 4)
        rows = 1 if i is None else rows_of(main.sizes[i], columns)
        index = [""] * len(outer)
        for a in [*[a for a in outer if a not in (i, j)], j, *([] if i is None else [i])]:
            index[a] = self.loop(f"i{a}", main.sizes[a], {j: columns * w, i: rows}.get(a, 1))
        starts = [min(q * w, n - w) if columns * w >= n else q * w for q in range(columns)]

        def at(r: int, q: int) -> list[str]:
            return [further(text, r if a == i else starts[q] if a == j else 0) for a, text in enumerate(index)]

        spots = [(r, q) for r in range(rows) for q in range(columns)]
        passes, result = FOLDS[main.row.name]
        spell, vector, depth = self.spelling.spelled, self.spelling.type(w), self.depth
        names = {(r, q): {part.name: f"{part.name}{r}_{q}" for parts in passes for part in parts} for r, q in spots}
        for parts in passes:
            for part in parts:
                self.declare([names[spot][part.name] for spot in spots], part.start, w)
            inside = self.inner(index, 0)
            for spot in spots:
                words = self.operands(main, [*at(*spot), *inside], w, j, scalars=main.row.name in SCALED, held=rows > 1)
                for part in parts:
                    for update in self.updates(main, part, words, names[spot], w):
                        self.line(update)
            self.close(depth)
        results = [spell(result, w).format(**names[spot]) for spot in spots]
        if len(spots) * len(nest.steps) <= UNROLLED:
            for spot, text in zip(spots, results):
                self.open("")
                self.steps(at(*spot), w, j, text)
                self.close(depth)
        else:
            self.line(f"const {vector} kept[] = {{{', '.join(results)}}};")
            self.open(f"for (long r = 0; r < {rows}; r++) for (long q = 0; q < {columns}; q++)")
            column = f"{w} * q" if starts[-1] == (columns - 1) * w else f"(q < {columns - 1} ? {w} * q : {starts[-1]})"
            ends = {i: "r" if rows > 1 else "", j: column if columns > 1 else ""}
            place = [" + ".join(filter(None, [text, ends.get(a, "")])) for a, text in enumerate(index)]
            self.steps(place, w, j, f"kept[r * {columns} + q]")
        self.close(1)

    def along(self, w: int) -> None:
        """Vectors along the last loop of the fold, whose lanes are folded in the end."""
        main = self.nest.main
        assert main is not None
        index = [self.loop(f"i{a}", size) for a, size in enumerate(self.nest.sizes)]
        depth = self.depth
        passes, result = FOLDS[main.row.name]
        names: dict[str, str] = {}
        for parts in passes:
            self.along_pass(parts, names, index, w)
            names |= {part.name: part.name for part in parts}
        self.steps(index, 1, 0, self.spelling.spelled(result, 1).format(**names))
        self.close(depth)
        self.close(1)

    def along_pass(self, parts: list[Part], names: dict[str, str], index: list[str], w: int) -> None:
        """One pass over what is folded, which leaves each accumulator as one number."""
        main, depth = self.nest.main, self.depth
        assert main is not None
        pieces = self.pieces(index, w)
        ways = pieces[0][3]
        for part in parts:
            if w > 1:
                self.declare([f"{part.name}{way}" for way in range(ways)], part.start, w)
            self.declare([part.name], part.start, 1)
        inside, inner = self.inner(index, 1), self.depth
        for start, end, width, count in pieces:
            wide = {name: self.spelling.spelled(f"set({name})", width) for name in names}
            k = self.loop("k", end, width * count, start)
            for way in range(count):
                words = self.operands(main, [*index, *inside, further(k, way * w)], width, len(main.sizes) - 1)
                for part in parts:
                    own = {part.name: part.name if width < w or w == 1 else f"{part.name}{way}"}
                    for update in self.updates(main, part, words, wide | own, width):
                        self.line(update)
            self.close(inner)
        self.close(depth)
        for part in parts if w > 1 else ():
            join = self.spelling.word(part.join, 1)
            for way in range(ways):
                self.line(f"{part.name} = {join}({part.name}, {self.spelling.prefix(w)}_fold({join}, {part.name}{way}));")

    def pieces(self, index: list[str], w: int) -> list[tuple[int | str, int | str, int, int]]:
        """Where vectors along the last loop start and end, with their lanes and how many there are at once; then single numbers."""
        main = self.nest.main
        assert main is not None
        ends: list[tuple[int | str, int, int]] = []
        if main.limit is not None:
            limit = self.limit(index)
            ends = [(f"({limit}) / {w} * {w}", w, 1)] * (w > 1) + [(limit, 1, 1)]
        else:
            n, ways = main.sizes[-1], 4 if w > 1 and main.sizes[-1] >= 4 * w else 1
            ends = [(n // (ways * w) * ways * w, w, ways), (n // w * w, w, 1), (n, 1, 1)]
        starts = [0, *[end for end, _, _ in ends]]
        return [(start, *end) for start, end in zip(starts, ends) if start != end[0]]


def strides_along(x: Operand, axis: int) -> int | None:
    """How far neighbours along a loop are from each other; None if that differs."""
    return x.strides[axis] if isinstance(x, Affine) else 0 if isinstance(x, Number) else None


def affine(x: Operand) -> list[Affine]:
    """The affine parts of an operand."""
    return [x] if isinstance(x, Affine) else [x.table, x.index] if isinstance(x, Taken) else []


def rows_of(size: int, columns: int) -> int:
    """How many rows a tile has: as many as the registers hold, but few that are computed twice."""
    top = min(size, REGISTERS // columns, 8)
    return min(range(max(1, top - 3), top + 1), key=lambda rows: (-(-size // rows) * rows - size + 0.4 * size / rows, -rows))
