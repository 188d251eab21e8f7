"""Random lists of instructions as C text: compiled, run, and compared with the reference executor."""

from __future__ import annotations

import ctypes
import random
import subprocess
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from math import copysign, inf, isfinite, nan, prod
from pathlib import Path

import numpy as np
import pytest

import autograd as ag
from autograd.compiler.native.folds import FOLDS
from autograd.compiler.native.printing import printed
from autograd.compiler.native.spelling import POWERS
from autograd.compiler.tensors.instructions import Affine, Code, Gather, Instruction, Number, Taken
from autograd.compiler.tensors.lower import lowered
from autograd.ops import TABLE
from autograd.primitives import primitive
from tests.compiler.native import COMPILER, needs_compiler

pytestmark = needs_compiler
# One place in memory may be given twice to a function that reads and writes elements beside it: no aliasing, but a warning.
FLAGS = ["-std=gnu11", "-O1", "-march=native", "-Wall", "-Wno-psabi", "-Wno-unused", "-Wno-restrict", "-shared", "-fPIC"]
# Rows that do not make errors larger; and those that may, which read inputs only.
SMOOTH = ["add", "sub", "mul", "neg", "pos", "maximum", "minimum", "relu", "tanh", "sigmoid", "atan", "abs", "share"]
SHARP = ["greater", "where", "floor", "sign", "mod", "div", "square", "softplus", "logaddexp", "heaviside", "pow"]
SIZES = [1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 15, 16, 17, 24, 31, 32, 33, 40]
SPECIAL = [0.0, -0.0, 1.0, -1.0, inf, -inf, nan]
PADDING = 16  # numbers around a buffer that must stay as they are


ROWS = list(TABLE.values())  # without those that other tests add

def built(code, folder, lanes=8, flags=()):
    """The function of a program, and how many numbers its scratch buffer holds."""
    text, scratch = printed(code, lanes)
    source, library = folder / "program.c", folder / f"program{len(list(folder.iterdir()))}.so"
    source.write_text(text)
    done = subprocess.run([COMPILER, *FLAGS, *flags, source, "-o", library, "-lm"], capture_output=True, text=True)
    assert (done.returncode, done.stderr[:3000]) == (0, "")
    function = ctypes.CDLL(str(library)).run
    function.restype = None
    return function, scratch


def called(function, inputs, outputs, scratch, mark):
    """The results of a function, which leaves the numbers around its buffers and its inputs as they are."""
    given = inputs, [mark] * outputs, [mark] * scratch
    buffers = [(ctypes.c_double * (len(x) + 2 * PADDING))(*[7.25] * PADDING, *x, *[7.25] * PADDING) for x in given]
    function(*[ctypes.byref(buffer, 8 * PADDING) for buffer in buffers])
    for buffer, x in zip(buffers, given):
        assert {*buffer[:PADDING], *buffer[PADDING + len(x) :]} <= {7.25}
    assert bits(buffers[0][PADDING : PADDING + len(inputs)]) == bits(inputs)
    return buffers[1][PADDING : PADDING + outputs]


def run(code, inputs, folder, lanes=8, flags=()):
    """The results of the C text of a program, twice with the same bits."""
    function, scratch = built(code, folder, lanes, flags)
    one, two = (called(function, inputs, code.outputs, scratch, mark) for mark in (1.5, nan))
    assert bits(one) == bits(two)
    return one


def bits(numbers):
    """Numbers as bytes, in which nan is equal to nan."""
    return bytes((ctypes.c_double * len(numbers))(*[nan if x != x else x for x in numbers]))


def agree(got, want, size=1.0):
    """Whether a number is right: nan and infinities exactly, others within rounding of numbers of this size."""
    if isfinite(want):
        return abs(got - want) <= 1e-13 * max(abs(want), size)
    return got == want or (got != got and want != want)


class Maker:
    """Makes random instructions: each reads what is there, and writes places of its own."""

    def __init__(self, seed, special=0.0):
        self.draw = draw = random.Random(seed)
        plain = [draw.choice([draw.gauss(0, 1), draw.randint(-2, 2) / 2]) for _ in range(400)]
        self.inputs = [draw.choice(SPECIAL) if draw.random() < special else x for x in plain]
        self.inputs += [float(draw.randrange(4)) for _ in range(100)]  # what indexes
        self.numbers = [0.5, -1.25, 2.0, *(SPECIAL if special else [])]
        self.code = Code(len(self.inputs), 0, [draw.gauss(0, 1) for _ in range(150)])
        self.blocks = [("in", 0, 400, (400,), -1), ("constants", 0, 150, (150,), -1)]  # buffer, start, size, shape, number

    def sizes(self, most=3):
        """Sizes of loops, not too many elements together; often those of a block that is there."""
        if self.draw.random() < 0.5:
            shape = self.draw.choice(self.blocks)[3]
            if prod(shape) < 400:
                return shape
        sizes = [self.draw.choice(SIZES) for _ in range(self.draw.randrange(most + 1))]
        return self.bounded(sizes)

    def bounded(self, sizes, most=1500):
        """Sizes of which some are made less, if their product is large."""
        while prod(sizes) > most:
            sizes[self.draw.randrange(len(sizes))] = self.draw.choice(SIZES[:6])
        return tuple(sizes)

    def dense(self, sizes, start, *, shuffled=False):
        """Strides and a start that visit places side by side, in any order of the loops."""
        order = list(range(len(sizes)))
        if shuffled:
            self.draw.shuffle(order)
        strides, step = [0] * len(sizes), 1
        for a in reversed(order):
            strides[a], step = step, step * sizes[a]
        return start, tuple(strides)

    def operand(self, sizes, blocks):
        """An operand of loops of these sizes, and the blocks it reads."""
        draw, (buffer, start, size, shape, block) = self.draw, self.draw.choice(blocks)
        reads, kind = ({block} if block >= 0 else set()), self.draw.random()
        if kind < 0.1:
            return Number(draw.choice(self.numbers)), set()
        if kind < 0.17:
            return Gather(buffer, tuple(start + draw.randrange(size) for _ in range(prod(sizes)))), reads
        if kind < 0.25 and size >= 4:
            step = draw.randint(1, size // 4)
            index, _ = self.affine("in", 400, 100, sizes)
            table, _ = self.affine(buffer, start, size - 3 * step, sizes)
            return Taken(table, index, step, 4), reads
        if prod(shape) == prod(sizes) and draw.random() < 0.8:
            return Affine(buffer, *self.dense(sizes, start)), reads
        return self.affine(buffer, start, size, sizes)[0], reads

    def affine(self, buffer, start, size, sizes):
        """Any strides: dense, turned, repeated, backwards, overlapping."""
        _, strides = self.dense(sizes, 0, shuffled=self.draw.random() < 0.5)
        strides = [stride * self.draw.choice([1, 1, 1, 1, 0, 2]) for stride in strides]
        while sum(stride * (n - 1) for stride, n in zip(strides, sizes)) >= size:
            a = self.draw.choice([a for a, stride in enumerate(strides) if stride])
            strides[a] = 0 if strides[a] == 1 else 1
        room = size - 1 - sum(stride * (n - 1) for stride, n in zip(strides, sizes))
        start += self.draw.choice([0, self.draw.randint(0, room)])
        for a, n in enumerate(sizes):
            if self.draw.random() < 0.1:
                start, strides[a] = start + strides[a] * (n - 1), -strides[a]
        return Affine(buffer, start, tuple(strides)), strides

    def place(self, outer):
        """Where a result goes: side by side in some order, or with gaps."""
        gap = self.draw.choice([1, 1, 1, 3])
        buffer = self.draw.choice(["out", "scratch"])
        start = self.code.size(buffer)
        _, strides = self.dense(outer, 0, shuffled=self.draw.random() < 0.2)
        end = start + prod(outer)
        if buffer == "scratch" and gap > 1:
            strides, end = tuple(gap * stride for stride in strides), start + gap * prod(outer)
        if buffer == "out":
            self.code.outputs = end
        else:
            self.code.scratch = end + self.draw.choice([0, 3])
        block = len(self.code.instructions)
        out = Affine(buffer, start, strides)
        if buffer == "out" or gap == 1:
            self.blocks.append((buffer, start, prod(outer), outer, block))
        return out, block

    def elementwise(self, rows=SMOOTH):
        """An instruction without reduction; what jumps reads inputs only."""
        row = TABLE[self.draw.choice(rows)]
        blocks = self.blocks[:2] if rows is SHARP else [*self.blocks, *self.blocks[-3:] * 3]
        self.add(row, self.sizes(), 0, row.arity, blocks)

    def fold(self):
        """A reduction of one, two or three loops, ragged now and then."""
        row = TABLE[self.draw.choice(list(FOLDS))]
        reduced = 1 if row.name == "prod" else self.draw.randint(1, 3)  # products of many numbers lose all digits
        sizes = [*self.sizes(4), *self.draw.choices(SIZES, k=3)][: max(reduced, self.draw.randint(1, 4))]
        sizes = self.bounded(sizes)
        limit = None
        if self.draw.random() < 0.3:
            limit = self.limit(sizes, reduced, 0 if row.name in ("sum", "dot", "prod", "norm", "logsumexp") else 1)
        self.add(row, sizes, reduced, 2 if row.name == "dot" else 1, [*self.blocks, *self.blocks[-3:] * 3], limit)

    def limit(self, sizes, reduced, least):
        """Ends of the last loop, from a table or growing along one outer loop."""
        outer, inner, n = sizes[: len(sizes) - reduced], prod(sizes[len(sizes) - reduced :]), sizes[-1]
        if not outer or self.draw.random() < 0.5:
            ends = [self.draw.randint(least, n) for _ in range(prod(outer))]
            return Gather("", tuple(end for end in ends for _ in range(inner)))
        a, strides = self.draw.randrange(len(outer)), [0] * len(sizes)
        if outer[a] <= n - least + 1:
            strides[a] = self.draw.choice([1, -1])
        low, high = sorted([0, strides[a] * (outer[a] - 1)])
        start = self.draw.randint(least - low, n - high)
        return Affine("", start, tuple(strides))

    def many(self):
        """The fold of some operands, element by element."""
        row = TABLE[self.draw.choice(list(FOLDS))]
        self.add(row, self.sizes(), 0, 2 * self.draw.randint(1, 3), self.blocks)

    def add(self, row, sizes, reduced, arity, blocks, limit=None):
        """An instruction more."""
        found = [self.operand(sizes, blocks) for _ in range(arity)]
        out, block = self.place(sizes[: len(sizes) - reduced])
        reads = frozenset().union(*[reads for _, reads in found])
        self.code.instructions.append(Instruction(row, sizes, reduced, tuple(x for x, _ in found), out, block, reads, limit))


def program(seed, count=40, special=0.0):
    """A random program and its inputs."""
    maker = Maker(seed, special)
    for _ in range(count):
        maker.draw.choices([maker.elementwise, lambda: maker.elementwise(SHARP), maker.fold, maker.many], [5, 1, 4, 1])[0]()
    maker.code.check()
    return maker.code, maker.inputs


@pytest.mark.parametrize(("seed", "lanes"), [(seed, (8, 4, 2)[seed % 3]) for seed in range(12)])
def test_random_programs_agree_with_the_reference(seed, lanes, tmp_path):
    code, inputs = program(seed, special=0.02 if seed % 2 else 0.0)
    want = code.run(inputs)
    got = run(code, inputs, tmp_path, lanes)
    size = max([abs(x) for x in want if isfinite(x)], default=1.0)
    owner = {code_place(ins.out, index): k for k, ins in enumerate(code.instructions) if ins.out.buffer == "out"
             for index in product(*map(range, ins.outer))}  # fmt: skip
    for place, (x, y) in enumerate(zip(got, want)):
        assert agree(x, y, size), f"result {place} is {x}, not {y}: {code.instructions[owner[place]]}"


def code_place(x, index):
    """The place of an element."""
    return x.start + sum(stride * i for stride, i in zip(x.strides, index))


def points(row, draw):
    """Where a row is tried: everywhere in its domain, and at all combinations of special numbers."""
    inside = [tuple(draw.uniform(*interval) for interval in row.domain) for _ in range(30)]
    mixed = [tuple(draw.choice([draw.uniform(*interval), *SPECIAL]) for interval in row.domain) for _ in range(30)]
    kinks = [tuple(kink) for kink in row.kinks]
    return [*inside, *mixed, *kinks, *product(SPECIAL, repeat=row.arity)]


@pytest.mark.parametrize("lanes", [8, 2])
def test_every_row_of_the_table(lanes, tmp_path):
    draw, inputs, code, want = random.Random(0), [], Code(0, 0), []
    for row in ROWS:
        if row.arity is None:
            continue
        tried = points(row, draw)
        start = len(inputs)
        inputs += [x for column in zip(*tried) for x in column]
        ranges = [(0, len(tried)), *[(draw.randrange(len(tried) - 5), size) for size in (1, 2, 3, 5)]]
        for first, size in ranges:
            sizes = (size,) if size > 1 else ()
            operands = tuple(Affine("in", start + k * len(tried) + first, (1,) * len(sizes)) for k in range(row.arity))
            out = Affine("out", code.outputs, (1,) * len(sizes))
            code.instructions.append(Instruction(row, sizes, 0, operands, out, len(code.instructions)))
            code.outputs += size
            want += [(row, point) for point in tried[first : first + size]]
    code.inputs = len(inputs)
    code.check()
    for x, y, (row, point) in zip(run(code, inputs, tmp_path, lanes), code.run(inputs), want):
        assert agree(x, y, 1e-300), f"{row.name}{point} is {x}, not {y}"
        assert x != x or copysign(1.0, x) == copysign(1.0, y), f"{row.name}{point} is {x}, not {y}"


def numbers_and_folds():
    """Lists of numbers whose folds are special, or nearly overflow."""
    draw = random.Random(1)
    lists = [[*part] for part in product(SPECIAL, repeat=3)]
    lists += [[draw.choice(SPECIAL) for _ in range(n)] for n in range(1, 41)]
    lists += [[draw.choice([1.0, -2.0, 3.0, 3.0, inf]) for _ in range(n)] for n in range(1, 41)]
    lists += [[draw.gauss(0, 1) for _ in range(n)] for n in range(1, 41)]
    lists += [[1e300, -1e300, 1e299] * 3, [3e-320, 4e-320] * 9, [1e-200] * 8, [-745.0, 700.0, 700.0, 1000.0] * 4]
    return [*lists, [0.0, 1e-17] * 8]


@pytest.mark.parametrize("name", FOLDS)
def test_folds_of_special_numbers(name, tmp_path):
    lists, inputs, code = numbers_and_folds(), [], Code(0, 0)
    for xs in lists:
        pairs = 2 if name == "dot" else 1
        table = [xs] * 3 * pairs  # as three rows, as three columns, and as operands
        start, n = len(inputs), len(xs)
        inputs += [x for row in table for x in row]
        for sizes, strides in (((3, n), (n, 1)), ((9, n), (0, 1))):
            operands = tuple(Affine("in", start + 3 * n * k, strides) for k in range(pairs))
            code.instructions.append(Instruction(TABLE[name], sizes, 1, operands, Affine("out", code.outputs, (1,)), -1))
            code.outputs += sizes[0]
        if n % 3 == 0:
            operands = tuple(Affine("in", start + k, (3,)) for k in range(n * pairs if n < 9 else 3 * pairs))
            code.instructions.append(Instruction(TABLE[name], (n // 3,), 0, operands, Affine("out", code.outputs, (1,)), -1))
            code.outputs += n // 3
    code.inputs = len(inputs)
    code.check()
    for k, (x, y) in enumerate(zip(run(code, inputs, tmp_path), code.run(inputs))):
        assert agree(x, y, 1e-300), f"{name}: result {k} is {x}, not {y}"


def test_powers_with_constant_exponents(tmp_path):
    xs = [*SPECIAL, 2.0, 3.0, -0.5, 1e-103, -1e-103, 1e-160, 1e154, 1e155, 1e206, 1e308, 5e-324, -5e-324, 1e-309]
    exponents = [*POWERS, *(-x for x in POWERS), 0.0, 2.5, inf, nan]
    code = Code(len(xs), 0)
    for exponent in exponents:
        for first, size in ((0, len(xs)), (2, 5), *[(k, 1) for k in range(len(xs))]):
            sizes = (size,) if size > 1 else ()
            operands = Affine("in", first, (1,) * len(sizes)), Number(exponent)
            out = Affine("out", code.outputs, (1,) * len(sizes))
            code.instructions.append(Instruction(TABLE["pow"], sizes, 0, operands, out, -1))
            code.outputs += size
    code.check()
    for k, (x, y) in enumerate(zip(run(code, xs, tmp_path), code.run(xs))):
        assert agree(x, y, 5e-324), f"result {k} is {x}, not {y}"
        assert x != x or copysign(1.0, x) == copysign(1.0, y), f"result {k} is {x}, not {y}"


def chain(*instructions, inputs=500, outputs=0, constants=()):
    """A program: each instruction writes a block of its own, and reads what its operands say."""
    code, starts = Code(inputs, outputs, list(constants)), {}
    for k, (name, sizes, reduced, out, *operands) in enumerate(instructions):
        reads = frozenset(starts[x.buffer, x.start] for x in operands if getattr(x, "buffer", "") in ("out", "scratch"))
        starts[out.buffer, out.start] = k
        code.instructions.append(Instruction(TABLE[name], sizes, reduced, tuple(operands), out, k, reads))
        end = out.start + 1 + sum(stride * (n - 1) for stride, n in zip(out.strides, sizes))
        if out.buffer == "out":
            code.outputs = max(code.outputs, end)
        else:
            code.scratch = max(code.scratch, end)
    code.check()
    return code


def body(code):
    """What the exported function does, line by line."""
    return [line.strip() for line in printed(code).text.split("void run(")[1].split("\n}\n")[0].splitlines()[3:]]


def titles(code):
    """What the functions do, as their comments say."""
    lines = printed(code).text.split("_fold(f, x)")[-1].splitlines()
    return [line[3:-3] for line in lines if line.startswith("/* ") and ": " in line]


def test_what_follows_a_product_is_in_its_loops(tmp_path):
    code = chain(("dot", (10, 16, 8), 1, Affine("scratch", 0, (16, 1)), Affine("in", 0, (8, 0, 1)), Affine("in", 80, (0, 1, 16))),
                 ("add", (10, 16), 0, Affine("scratch", 160, (16, 1)), Affine("scratch", 0, (16, 1)), Affine("in", 300, (0, 1))),
                 ("relu", (160,), 0, Affine("out", 0, (1,)), Affine("scratch", 160, (1,))))  # fmt: skip
    assert titles(code) == ["10 x 16 x 8: dot, add, relu"]
    assert body(code) == ["nest0(in, in + 80, in + 300, out);"]


def test_what_precedes_a_sum_is_in_its_loops():
    code = chain(("sub", (10, 8), 0, Affine("scratch", 0, (8, 1)), Affine("in", 0, (8, 1)), Affine("in", 80, (0, 1))),
                 ("square", (80,), 0, Affine("scratch", 80, (1,)), Affine("scratch", 0, (1,))),
                 ("sum", (10, 8), 1, Affine("out", 0, (1,)), Affine("scratch", 80, (8, 1))))  # fmt: skip
    assert titles(code) == ["10 x 8: sub, square, sum"]


def test_an_operand_along_the_wrong_loop_is_copied_once():
    weights = Affine("in", 0, (0, 9, 1))  # 16 rows of 9, of which 8 are read
    code = chain(("dot", (40, 16, 8), 1, Affine("out", 0, (16, 1)), Affine("in", 200, (8, 0, 1)), weights),
                 ("dot", (40, 16, 8), 1, Affine("out", 640, (16, 1)), Affine("in", 600, (8, 0, 1)), weights),
                 inputs=1000)  # fmt: skip
    assert titles(code) == ["8 x 16: pos", "40 x 16 x 8: dot"]
    assert printed(code).scratch == 8 * 16
    assert body(code) == ["nest0(in, scratch);", "nest1(in + 200, scratch, out);", "nest1(in + 600, scratch, out + 640);"]


def test_steps_are_one_loop():
    steps = []
    for t in range(20):  # h = tanh(h + x[t])
        h = Affine("scratch", 8 * (t - 1), (1,)) if t else Affine("in", 400, (1,))
        steps.append(("add", (8,), 0, Affine("scratch", 8 * t + 4000, (1,)), h, Affine("in", 8 * t, (1,))))
        steps.append(("tanh", (8,), 0, Affine("scratch", 8 * t, (1,)), Affine("scratch", 8 * t + 4000, (1,))))
        steps.append(("sum", (8,), 1, Affine("out", t, ()), Affine("scratch", 8 * t, (1,))))
    assert body(chain(*steps)) == [
        "nest0(in + 400, in, scratch, out);",
        "for (long t = 0; t < 18; t++) {",
        "nest0(scratch + 8 * t, in + 8 + 8 * t, scratch + 8 + 8 * t, out + 1 + t);",
        "}",
        "nest1(scratch + 144, in + 152, out + 19);",  # nothing reads its last step
    ]


def test_straight_lines_are_functions_of_bounded_length():
    draw = random.Random(0)
    steps = [("add", (), 0, Affine("scratch", 0, ()), Affine("in", 0, ()), Number(1.0))]
    for k in range(1, 4000):
        x, y = (Affine("scratch", draw.randrange(max(0, k - 50), k), ()) for _ in "xy")
        steps.append((draw.choice(["add", "mul", "maximum"]), (), 0, Affine("scratch", k, ()), x, y))
    text = printed(chain(*steps, ("pos", (), 0, Affine("out", 0, ()), Affine("scratch", 3999, ())))).text
    functions = text.split("\nNUMBERS nest")[1:]
    assert 20 < len(functions) < 80
    assert max(function.count("\n") for function in functions) < 500


@pytest.mark.parametrize("gathered", [Gather("in", (3, 3, 4)), Gather("in", (9, 11, 9)), Gather("in", (6,), 0, 2)])
def test_tables_begin_where_other_operands_are_read(gathered, tmp_path):
    steps = [("sum", (3,), 1, Affine("out", 0, ()), gathered)]
    for k in range(20):  # so many places that they are found from one of them
        steps.append(("mul", (), 0, Affine("out", k + 1, ()), Affine("out", k, ()), Affine("in", k, ())))
    code, inputs = chain(*steps, inputs=20), [1.0 + 0.1 * k for k in range(20)]
    assert run(code, inputs, tmp_path) == pytest.approx(code.run(inputs), rel=1e-15)


def test_the_readme_shows_a_nest_as_it_is_printed():
    f = ag.compile(lambda w, x: [ag.tanh(ag.dot(row, x)) for row in w], backend="numpy")
    f(np.full((16, 8), 0.5), np.ones(8))
    assert "value = np.tanh(w @ x)" in f.source
    text = printed(lowered(f.latest_run()[1].tensors), lanes=8).text
    shown = (Path(__file__).parents[2] / "README.md").read_text().split("```c\nNEST ")[1].split("```")[0]
    assert f"NEST {shown}" in text


def test_programs_without_anything(tmp_path):
    assert run(Code(0, 0), [], tmp_path) == []
    assert run(chain(("pos", (), 0, Affine("out", 0, ()), Number(-0.0))), [0.0] * 500, tmp_path) == [0.0]


@pytest.mark.parametrize("name", ["run", "V", "p0", "nest0", "table0", "s", "double", "y1", "own_way"])
def test_own_primitives_of_any_name(own_rows, name, tmp_path):
    primitive(name, "sin(x) * maximum(y, x ** 2) + exp(-x)", "None", "None")
    code = Code(20, 0)
    for first, size in ((0, 10), (3, 1), (5, 3)):  # vectors, single numbers, and another width
        operands = (Affine("in", first, (1,) * (size > 1)), Affine("in", 10 + first, (1,) * (size > 1)))
        out = Affine("out", code.outputs, (1,) * (size > 1))
        code.instructions.append(Instruction(TABLE[name], (size,) * (size > 1), 0, operands, out, -1))
        code.outputs += size
    inputs = [random.Random(0).uniform(-2.0, 2.0) for _ in range(20)]
    assert all(map(agree, run(code, inputs, tmp_path), code.run(inputs)))


def test_calls_at_the_same_time_do_not_meet(tmp_path):
    code, inputs = program(3)
    function, scratch = built(code, tmp_path)
    lists = [[x + k for x in inputs[:400]] + inputs[400:] for k in range(20)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda xs: called(function, xs, code.outputs, scratch, nan), lists))
    assert [bits(numbers) for numbers in found] == [bits(called(function, xs, code.outputs, scratch, nan)) for xs in lists]


def test_memory_that_is_shared_does_not_change():
    text = printed(program(1)[0]).text
    assert not [line for line in text.splitlines() if line.startswith("static") and "(" not in line.split("=")[0]
                and not line.startswith("static const")]  # fmt: skip
