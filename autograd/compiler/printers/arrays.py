"""The room of NumPy text: instructions over named arrays as lines that a person would write, and as a function that runs.

The text uses nothing but functions of NumPy on whole arrays, so it runs on `jax.numpy` too.
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import isfinite, prod
from typing import Any, NamedTuple

from autograd.compiler.printers.expressions import ANY, ATOM, Name, Node, Tree, call, group, index, lines, literal, method, pair
from autograd.compiler.printers.rows import LOGSUMEXP, MASKED, REDUCED, SPREAD, Rows, vectorized
from autograd.compiler.printers.views import (
    EACH, STEP, Loop, Stored, View, expanded, named, reshaped, turned, view, widths,
)  # fmt: skip
from autograd.compiler.program import Program, roots
from autograd.compiler.recover import Group, Shape, Tensors
from autograd.compiler.tensors.instructions import Affine, Gather, Instruction, Number, Operand, Taken
from autograd.compiler.texts import run
from autograd.compiler.totals import TOTAL, TOTAL_DOT
from autograd.ops import TABLE

__all__ = ["Result", "Text", "printed"]

NAMES = {"dot": "z", "relu": "h", "sum": "s", "where": "d", "greater": "m", "add": "a", "sub": "a", "mul": "p", "div": "q",
         "total": "t", "total_dot": "t"}  # fmt: skip
RESERVED = {"np", "inputs", "batch_size", "program", "spread", "logsumexp", "masked"}
FOLDS = {"sum": "add", "dot": "add", "prod": "multiply", "max": "maximum", "min": "minimum"}
TABLES = {"C": float, "I": "intp", "M": bool}  # by the first letter of their names
WHERE, MUL, SUM, DOT, POS, ABS = (TABLE[name] for name in ("where", "mul", "sum", "dot", "pos", "abs"))
SIGNS = {"greater": ">", "sub": "!="}
SHORT = 16  # the size of a loop that is not worth being the innermost
LETTERS = "ijklmnopqrstuvw"


class Result(NamedTuple):
    """Something to return: its name, its references in order and its shape."""

    name: str
    refs: list[int]
    shape: Shape


class Text(NamedTuple):
    """A printed program: its text, the constant arrays in it, and the words it uses that are no functions of NumPy."""

    source: str
    tables: dict[str, Any]
    words: dict[str, Any]
    gathers: list[str]

    @property
    def lines(self) -> list[str]:
        """The lines that compute something."""
        return [line for line in self.source.splitlines() if " = " in line and "= inputs[" not in line] or ["return"]

    def function(self) -> Callable[..., Any]:
        """The text as a function, which `inspect.getsource` and tracebacks can show."""
        import numpy as np

        return run(self.source, {"np": np, **self.tables, **{word: vectorized(f) for word, f in self.words.items()}})


def printed(tensors: Tensors, results: Sequence[Result]) -> Text:
    """The program as text."""
    return Printer(tensors, results).text()


@dataclass
class Axis:
    """A loop of an instruction: by how much the place of each operand and of the result grows (None: it is folded)."""

    size: int
    strides: list[int]
    out: int | None
    parts: tuple[int, ...] = ()  # the loops that it stands for, where it is several of them, one in the other

    def runs(self, k: int) -> bool:
        """Whether operand k varies along it."""
        return self.strides[k] != 0


class Factor(NamedTuple):
    """A factor of a product: operand number k, and how it is read."""

    x: Operand
    k: int
    view: View


class Printer:
    """Writes instructions as lines of NumPy."""

    def __init__(self, tensors: Tensors, results: Sequence[Result]) -> None:
        from autograd.compiler.tensors.arrays import in_arrays  # which needs NumPy

        self.results = results
        program = in_arrays(tensors, [(result.refs, result.shape) for result in results])
        self.tensors, self.buffers, self.instructions = program.tensors, program.buffers, program.instructions
        self.terms = program.terms
        self.rows = Rows()
        self.tables: dict[str, Any] = {}
        self.counts: Counter[str] = Counter()  # of constant arrays, by the first letter of their names
        self.known: dict[Any, str] = {}  # names of constant arrays by what is in them
        self.gathers: list[str] = []
        self.statements: list[tuple[str, Tree]] = []
        self.stored: dict[str, Stored] = {}  # arrays by their buffers
        self.parts: dict[str, list[tuple[Affine, Tree, list[Axis]]]] = {}  # of buffers that several instructions write
        self.returned: list[Tree] = []
        self.conditions = conditions(self.tensors.program)

    # The text

    def text(self) -> Text:
        """All lines, as the function `program(inputs)`; what has an axis of examples follows, each array by its name."""
        self.names = self.chosen_names()
        heads, examples, start = [], [], 0
        for k, block in enumerate(self.tensors.blocks):
            if isinstance(block, Group):
                continue
            name = self.names[str(k)]
            self.stored[str(k)] = named(name, block.shape, batched=block.batched)
            if block.batched:
                examples.append(name)
                continue
            stop = start + len(block.entries)
            part = f"inputs[{start}:{stop}]" if block.shape else f"inputs[{start}]"
            heads.append((name, f"{part}.reshape({', '.join(map(str, block.shape))})" if len(block.shape) > 1 else part))
            start = stop
        for ins in self.instructions:
            self.write(ins)
        found, returned = lines(self.statements, group(*self.returned))
        body = "".join(f"    {name} = {text}\n" for name, text in found) + f"    return {returned}\n"
        used = set(re.findall(r"\w+", body))
        head = "".join(f"    {name} = {text}\n" for name, text in heads if name in used)
        if examples:
            what = f"{', '.join(examples[:-1])} and {examples[-1]}" if len(examples) > 1 else examples[0]
            head = f'    """Some examples: the last axis of {what}."""\n{head}'
            head += f"    batch_size = {examples[0]}.shape[-1]\n" if "batch_size" in used else ""
        helpers = "".join(f"{text.strip()}\n\n\n" for text in self.rows.helpers.values())
        source = f"{helpers}def program({', '.join(['inputs', *examples])}):\n{head}{body}"
        return Text(source, {name: table for name, table in self.tables.items() if name in used}, self.rows.words, self.gathers)

    def chosen_names(self) -> dict[str, str]:
        """Names of all buffers: of the result that they are, of the scope that made them, or of what they do."""
        wanted = {}
        for result in self.results:
            home = self.tensors.home[result.refs[0]] if result.refs[0] >= 0 else -1
            if home >= 0 and len(self.tensors.blocks[home].entries) == len(result.refs):
                wanted[str(home)] = result.name
        counts: Counter[str] = Counter()
        found: dict[str, str] = {}
        given: set[str] = set()
        for key, buffer in self.buffers.items():
            block = buffer.block
            is_input = block is not None and not isinstance(block, Group)
            if block is None:
                name = "x_"
            elif isinstance(block, Group):
                name = wanted.get(key) or stem(self.tensors.program, block)
            else:
                name = block.name
            counts[name] += 1
            if not is_input and (counts[name] > 1 or len(name) == 1 or name[-1] == "_"):
                name = f"{name}{counts[name]}"
            while name in given or is_reserved(name):
                name += "_"
            given.add(name)
            found[key] = name
        return found

    def table(self, prefix: str, array: Any) -> Name:
        """A constant array."""
        import numpy as np

        array = np.ascontiguousarray(array, dtype=TABLES[prefix])
        key = prefix, array.shape, array.tobytes()
        if key not in self.known:
            self.counts[prefix] += 1
            self.known[key] = name = f"{prefix}{self.counts[prefix]}"
            self.tables[name] = array
        return Name(self.known[key])

    # Instructions

    def write(self, ins: Instruction) -> None:
        """The line of an instruction, or a part of one."""
        import numpy as np

        operands, axes = self.opened(ins)
        tree, order, _ = self.expression(ins, operands, axes)
        if ins.row is POS and isinstance(operands[0], Number) and axes:
            tree, order = self.table("C", np.full([axis.size for axis in axes], operands[0].value)), list(range(len(axes)))
        covered = {*order, *[part for j in order for part in axes[j].parts]}
        missing = [j for j, axis in enumerate(axes) if axis.out is not None and j not in covered]
        if missing:  # nothing that is read varies along these
            every = [j for j, axis in enumerate(axes) if axis.out is not None]
            tree, order = self.spread(tree, [j for j in order if j in every], every, axes)
        places = [axes[j] for j in order]
        if ins.out.buffer.startswith("result"):
            self.give_back(ins, tree, order, axes)
        elif self.buffers[ins.out.buffer].writers > 1:
            self.parts.setdefault(ins.out.buffer, []).append((ins.out, tree, places))
            if len(self.parts[ins.out.buffer]) == self.buffers[ins.out.buffer].writers:
                self.join(ins.out.buffer)
        else:
            self.store(ins.out.buffer, tree, [Loop(axis.size, axis.out or 0) for axis in places])

    def store(self, buffer: str, tree: Tree, axes: Sequence[Loop]) -> None:
        """A line that gives an expression the name of its buffer."""
        name = self.names[buffer]
        self.statements.append((name, tree))
        self.stored[buffer] = Stored(Name(name), tuple(axes))

    def opened(self, ins: Instruction) -> tuple[list[Operand], list[Axis]]:
        """The operands of an instruction and its loops, one more where it is done for each example."""
        operands: list[Operand] = []
        for x in ins.operands:
            operands += [x.table, x.index] if isinstance(x, Taken) else [x]
            for part in operands[-2:]:
                self.know(part)
        axes = []
        for j, size in enumerate(ins.sizes):
            strides = [x.strides[j] if isinstance(x, Affine) else int(isinstance(x, Gather)) for x in operands]
            axes.append(Axis(size, strides, ins.out.strides[j] if j < len(ins.outer) else None))
        batched = [not isinstance(x, Number) and self.stored[x.buffer].is_batched for x in operands]
        is_total = ins.row in (TOTAL, TOTAL_DOT)
        if any(batched):
            axes.append(Axis(EACH, [STEP * is_batched for is_batched in batched], None if is_total else STEP))
        if ins.row is TOTAL_DOT or ins.row is DOT:
            finer = self.split(ins, operands, axes)
            whole = all(axis.out is None for axis in axes)
            return operands, finer if whole or self.is_sliced(operands, finer) > self.is_sliced(operands, axes) else axes
        axes = self.split(ins, operands, axes)
        return operands, axes

    def know(self, x: Operand) -> None:
        """A table of constants becomes an array when it is first read, in the shape in which it is."""
        import numpy as np

        if isinstance(x, Number) or x.buffer in self.stored:
            return
        numbers = np.array(self.buffers[x.buffer].constants)
        self.stored[x.buffer] = Stored(self.table("C", numbers), (Loop(len(numbers), 1),))

    def is_sliced(self, operands: Sequence[Operand], axes: list[Axis]) -> bool:
        """Whether all operands are slices of arrays."""
        for k, x in enumerate(operands):
            if isinstance(x, Affine):
                loops = [Loop(axis.size, axis.strides[k]) for axis in axes if axis.runs(k)]
                if view(self.stored[x.buffer], x.start, loops) is None:
                    return False
        return True

    def split(self, ins: Instruction, operands: Sequence[Operand], axes: list[Axis]) -> list[Axis]:
        """The loops as fine as the axes of the arrays that they run through."""
        found = []
        wanted = self.results[-2 - ins.writes].shape if ins.out.buffer.startswith("result") else ()
        ends = {prod(wanted[d:]) for d in range(1, len(wanted))}
        for axis in axes:
            inner = {end for end in ends if axis.out == 1 and 1 < end < axis.size}
            for x, stride in zip(operands, axis.strides):
                if isinstance(x, Affine) and stride > 0 and axis.size != EACH:
                    inner.update(widths(self.stored[x.buffer], x.start, Loop(axis.size, stride)))
            sizes, last = [], 1
            for width in sorted(inner):
                if width % last == 0 and axis.size % width == 0:
                    sizes.append(width // last)
                    last = width
            parts = []
            step = 1
            for size in [*sizes, axis.size // last if axis.size != EACH else EACH]:
                out = None if axis.out is None else axis.out * step
                parts.append(Axis(size, [stride * step for stride in axis.strides], out))
                step *= size
            found += parts[::-1]
        return found

    def read(self, x: Operand, k: int, axes: Sequence[Axis]) -> View:
        """An operand, with an axis for each loop along which it varies."""
        if isinstance(x, Number):
            return View(literal(x.value), [])
        if isinstance(x, Gather):
            return self.gathered(x, k, axes)
        if isinstance(x, Taken):
            raise TypeError("a table is read by `taken`")
        mine = [j for j, axis in enumerate(axes) if axis.runs(k)]
        stored = self.stored[x.buffer]
        found = view(stored, x.start, [Loop(axes[j].size, axes[j].strides[k]) for j in mine])
        if found is not None:
            return View(found.tree, [mine[j] for j in found.order])
        import numpy as np

        inner = [j for j in mine if axes[j].size != EACH]
        places = x.start + sum(
            axes[j].strides[k] * np.arange(axes[j].size).reshape([-1 if i == j else 1 for i in inner]) for j in inner
        )
        places = places.clip(0, prod([axis.size for axis in stored.axes if axis.size != EACH]) - 1)  # of terms that are left out
        return self.taken_from(x.buffer, places, inner, axes)

    def gathered(self, x: Gather, k: int, axes: Sequence[Axis]) -> View:
        """An operand that lies in no loops, by a table of places."""
        import numpy as np

        inner = [j for j, axis in enumerate(axes) if axis.size != EACH]
        places = np.array(x.table).reshape([axes[j].size for j in inner])
        for d, j in reversed(list(enumerate(inner))):
            if (places == places.take([0], d)).all():
                places = places.take(0, d)
                inner.remove(j)
        for j, axis in enumerate(axes):
            axis.strides[k] = int(j in inner or (axis.size == EACH and axis.strides[k] != 0))
        self.gathers.append(f"{places.size} numbers of {self.names[x.buffer]}, in an order that no slice describes")
        return self.taken_from(x.buffer, places, inner, axes)

    def taken_from(self, buffer: str, places: Any, inner: list[int], axes: Sequence[Axis]) -> View:
        """The numbers at places of an array, by a table."""
        stored = self.stored[buffer]
        tree, is_batched = stored.tree, stored.is_batched
        order = sorted(range(len(stored.axes)), key=lambda d: (stored.axes[d].size == EACH, -stored.axes[d].stride))
        tree = turned(View(tree, list(range(len(stored.axes)))), order)
        if len(stored.axes) - is_batched != 1:
            size = prod([axis.size for axis in stored.axes if axis.size != EACH])
            tree = reshaped(tree, [size, EACH] if is_batched else [size])
        each = [j for j, axis in enumerate(axes) if axis.size == EACH] if is_batched else []
        return View(tree, [*inner, *each], places)

    def arranged(self, found: View, order: Sequence[int]) -> Tree:
        """A view with its axes in this order of loops."""
        if found.places is None:
            return turned(found, order)
        count = found.places.ndim
        inner = [j for j in order if j in found.order[:count]]
        table = self.table("I", found.places.transpose([found.order.index(j) for j in inner]))
        return turned(View(index(found.tree, "{}", table), [*inner, *found.order[count:]]), order)

    def natural(self, found: View) -> View:
        """A view as an expression with its axes in their order."""
        return found if found.places is None else View(self.arranged(found, found.order), found.order)

    # Expressions

    def expression(self, ins: Instruction, operands: Sequence[Operand], axes: list[Axis]) -> View:
        """What an instruction computes, and which loops are the axes of that."""
        if isinstance(ins.operands[0], Taken):
            return self.taken(ins.operands[0], operands, axes)
        row = {TOTAL: SUM, TOTAL_DOT: DOT}.get(ins.row, ins.row)
        folded = [j for j, axis in enumerate(axes) if axis.out is None]
        if not folded and row.arity is None and row is not SUM:  # of one number, or one product
            return self.broadcast(MUL if row is DOT else ABS if row.name == "norm" else POS, operands, axes, [])
        if not folded:
            return self.elementwise(ins, operands, axes)
        if ins.writes in self.terms:
            return self.ragged(ins, operands, axes)
        if row is not DOT:
            return self.folded(ins, self.natural(self.read(operands[0], 0, axes)), axes)
        found = self.product(operands, axes)
        if found is not None:
            return found
        numbers = [k for k, x in enumerate(operands) if isinstance(x, Number) and abs(x.value) == 1.0]
        if numbers:
            tree, order, _ = self.folded(ins, self.natural(self.read(operands[1 - numbers[0]], 1 - numbers[0], axes)), axes)
            return View(self.rows.applied(MUL, [literal(operands[numbers[0]].value), tree]), order)
        product = self.broadcast(MUL, operands, axes, list(range(len(axes))))
        return self.folded(ins, product, axes)

    def ragged(self, ins: Instruction, operands: Sequence[Operand], axes: list[Axis]) -> View:
        """Sums of several lengths: products of matrices with a mask, folds with a mask, or folds of runs of one list."""
        views = [self.read(x, k, axes) for k, x in enumerate(operands)]
        mask, loops = self.mask(ins, axes)
        if ins.row is DOT and any(axis.size == EACH for axis in axes) is False:
            found = self.masked_product(views, mask, loops, axes)
            if found is not None:
                return found
        if any(found.places is not None for found in views):
            return self.in_runs(ins, operands, axes)
        found = self.natural(views[0]) if len(operands) == 1 else self.broadcast(MUL, operands, axes, [])
        return self.folded(ins, found, axes)

    def masked_product(self, views: list[View], mask: Any, loops: list[int], axes: list[Axis]) -> View | None:
        """A product of matrices of which only some terms count; None if it is none."""
        inner = [j for j, axis in enumerate(axes) if axis.out is None]
        for first, second in (views, views[::-1]):
            each = [j for j in first.order if j in second.order and j not in inner]
            left, right = ([j for j in side.order if j not in (*each, *inner)] for side in (first, second))
            is_all = len(each) + len(left) + len(right) + len(inner) == len(axes)
            if not is_all or len(inner) != 1 or len(left) != 1 or len(right) != 1 or not {*inner, *loops} <= {*each, *left, *inner}:
                continue
            if not set(inner) <= set(first.order) & set(second.order):
                continue
            self.rows.helpers["masked"] = MASKED
            order = [*each, *left, *inner]
            mine = [j for j in order if j in loops]
            condition = expanded(self.table("M", mask.transpose([loops.index(j) for j in mine])), mine, order)
            trees = self.arranged(first, order), self.arranged(second, [*each, *inner, *right])
            return View(call("masked", condition, *trees), [*each, *left, *right])
        return None

    def in_runs(self, ins: Instruction, operands: Sequence[Operand], axes: list[Axis]) -> View:
        """Sums of several lengths, of one list of all terms."""
        import numpy as np

        terms, sizes = self.terms[ins.writes], [axis.size for axis in axes if axis.size != EACH]
        is_batched = any(axis.size == EACH for axis in axes)
        trees = []
        for x in operands:
            if isinstance(x, Number):
                trees.append(literal(x.value))
                continue
            if isinstance(x, Gather):
                places = np.array(x.table).reshape(ins.sizes)
            else:
                places = x.start + sum(
                    stride * np.arange(size).reshape([-1 if d == e else 1 for e in range(len(ins.sizes))])
                    for d, (size, stride) in enumerate(zip(ins.sizes, x.strides))
                )
            places = np.broadcast_to(places, ins.sizes).ravel()[terms.ravel()]
            each = Axis(EACH, [STEP], STEP)
            found = self.taken_from(x.buffer, places, [0], [Axis(len(places), [1], 1), each])
            tree = self.arranged(found, found.order)
            trees.append(tree if len(found.order) == 2 or not is_batched else index(tree, ":, None"))
        tree = trees[0] if len(trees) == 1 else pair("*", *trees)
        starts = np.cumsum([0, *terms.sum(1)[:-1]])
        tree = call(f"np.{FOLDS[ins.row.name]}.reduceat", tree, self.table("I", starts))
        outer = [j for j, axis in enumerate(axes) if axis.out is not None and axis.size != EACH]
        joint = self.joint(outer, axes)
        last = [j for j, axis in enumerate(axes) if axis.size == EACH]
        if len(joint) > 1:
            tree = reshaped(tree, [axes[j].size for j in (*joint, *last)])
        return View(tree, [*joint, *last])

    def elementwise(self, ins: Instruction, operands: Sequence[Operand], axes: Sequence[Axis]) -> View:
        """An operation on numbers one by one."""
        return self.broadcast(ins.row, operands, axes, list(range(len(axes))), ins)

    def broadcast(self, row: Any, operands: Sequence[Operand], axes: Sequence[Axis], loops: list[int], ins: Any = None) -> View:
        """An operation on operands that broadcast, in the order of the axes of one that has all loops."""
        views = [self.read(x, k, axes) for k, x in enumerate(operands)]
        present = {j for found in views for j in found.order}
        order = next((found.order for found in views if len(found.order) == len(present)), None)
        if order is None:
            order = ordered(sorted(present), axes)
        trees = []
        for found in views:
            mine = [j for j in order if j in found.order]
            tree = self.arranged(found, mine)
            if found.places is None and mine != found.order and len(mine) < len(order) and len(mine) > 1:
                tree = method(tree, "copy()")  # else NumPy takes the loops in the order of the memory, and the innermost is short
            trees.append(expanded(tree, mine, order))
        sign = SIGNS.get(row.name)
        if ins is not None and sign and self.is_condition(ins, operands):
            return View(pair(sign, *trees), order)
        return View(self.rows.applied(row, trees), order)

    def is_condition(self, ins: Instruction, operands: Sequence[Operand]) -> bool:
        """Whether the results are asked for their truth alone: a difference from a finite number is 0 where it is equal."""
        if not 0 <= ins.writes < len(self.tensors.blocks):
            return False
        entries = [entry for entry in self.tensors.blocks[ins.writes].entries if entry is not None]
        if not self.conditions.issuperset(entries):
            return False
        x = operands[1]
        numbers = [x.value] if isinstance(x, Number) else self.buffers[x.buffer].constants or [float("nan")]
        return ins.row.name == "greater" or all(map(isfinite, numbers))

    def folded(self, ins: Instruction, found: View, axes: list[Axis]) -> View:
        """A fold of some axes."""
        name = {TOTAL: "sum", TOTAL_DOT: "sum", DOT: "sum"}.get(ins.row) or ins.row.name
        if name not in REDUCED:
            raise TypeError(f"{name} of many operands has no form in NumPy")
        plain, with_mask = REDUCED[name]
        inner = [j for j, axis in enumerate(axes) if axis.out is None]
        tree, order = found.tree, list(found.order)
        mask, loops = self.mask(ins, axes) if ins.writes in self.terms else (None, [])
        if missing := [j for j in (*inner, *loops) if j not in order]:  # the same number again and again
            tree, order = self.spread(tree, order, [*order, *dict.fromkeys(missing)], axes)
        if len(inner) > 1 and name in ("norm", "logsumexp"):
            first, last = ([j for j in order if j not in inner and (axes[j].size == EACH) is is_last] for is_last in (False, True))
            sizes = [*[axes[j].size for j in first], size_of(axes, inner), *[EACH] * len(last)]
            tree = reshaped(turned(View(tree, order), [*first, *inner, *last]), sizes)
            order, inner = [*first, inner[0], *last], inner[:1]
        if name == "logsumexp":
            self.rows.helpers["logsumexp"] = LOGSUMEXP
        rest = [j for j in order if j not in inner]
        where = sorted([order.index(j) for j in inner])
        number = "-1" if [axes[j].size for j in inner] == [EACH] and order[-1] in inner else str(where[0]) if len(where) == 1 else str(tuple(where)) if rest else "None"
        needs = ATOM if plain.startswith("{}.") else ANY
        if mask is not None:
            mine = [j for j in order if j in loops]
            condition = expanded(self.table("M", mask.transpose([loops.index(j) for j in mine])), mine, order)
            return View(Node(with_mask.format("{}", number, "{}"), (tree, condition), ATOM, (needs, ANY)), rest)
        text = plain.format("{}", number if rest or needs is ANY else "")
        return View(Node(text, (tree,), ATOM, (needs,)), rest)

    def spread(self, tree: Tree, has: list[int], order: list[int], axes: Sequence[Axis]) -> tuple[Tree, list[int]]:
        """An expression with axes along which it is the same everywhere."""
        sizes = [str(axes[j].size) if axes[j].size != EACH else "batch_size" for j in order]
        return call("np.broadcast_to", expanded(tree, has, order), tail=f", ({', '.join(sizes)}{',' * (len(sizes) == 1)})"), order

    def mask(self, ins: Instruction, axes: list[Axis]) -> tuple[Any, list[int]]:
        """Which terms of ragged sums there are, along the loops on which that depends."""
        mask = self.terms[ins.writes].reshape([axis.size for axis in axes if axis.size != EACH])
        loops = [j for j, axis in enumerate(axes) if axis.size != EACH]
        for d, j in reversed(list(enumerate(list(loops)))):
            if (mask == mask.take([0], d)).all():
                mask = mask.take(0, d)
                loops.remove(j)
        return mask, loops

    def taken(self, x: Taken, operands: Sequence[Operand], axes: list[Axis]) -> View:
        """Numbers of a table by index."""
        import numpy as np

        both = [j for j, axis in enumerate(axes) if axis.runs(0) and axis.runs(1)]
        rows = [j for j, axis in enumerate(axes) if not axis.runs(0) and axis.runs(1)]
        columns = [j for j, axis in enumerate(axes) if axis.runs(0) and not axis.runs(1)]
        chosen = len(axes)  # the loop through what the index chooses among
        more = [*axes, Axis(x.limit, [x.step, 0], None)]
        table = self.read(x.table, 0, more)
        if x.limit == 1 or not x.step:
            table = View(expanded(table.tree, table.order, [*table.order, chosen]), [*table.order, chosen])
        found = self.read(x.index, 1, axes)
        number = self.arranged(found, [*both, *rows])
        at = method(number, "astype(int)")
        if not both:
            tree = self.arranged(table, [chosen, *columns])
            return View(index(tree, "{}", at), [*rows, *columns])
        if len(both) == 1 and axes[both[0]].size != EACH and not rows:
            count = self.table("I", np.arange(axes[both[0]].size))
            return View(index(self.arranged(table, [*both, chosen, *columns]), "{}, {}", count, at), [*both, *columns])
        order = [*both, *rows, *columns]
        tree = expanded(self.arranged(table, [*both, *columns, chosen]), [*both, *columns, chosen], [*order, chosen])
        at = index(expanded(at, [*both, *rows], order), "..., None")
        return View(index(call("np.take_along_axis", tree, at, tail=", -1"), "..., 0"), order)

    # Products

    def product(self, operands: Sequence[Operand], axes: list[Axis]) -> View | None:
        """Sums of products as products of matrices; None where they are none."""
        if any(isinstance(x, Number) for x in operands):
            return None
        first, second = (Factor(x, k, self.read(x, k, axes)) for k, x in enumerate(operands))
        extra = [j for j, axis in enumerate(axes) if axis.out is None and axis.runs(0) != axis.runs(1)]
        if extra and any(axis.out is None and axis.runs(0) and axis.runs(1) for axis in axes):
            found = self.product(operands, [replace(axis, out=1) if j in extra else axis for j, axis in enumerate(axes)])
            return found and self.sum_over(found, extra)
        both = [j for j, axis in enumerate(axes) if axis.runs(0) and axis.runs(1)]
        inner, each = [j for j in both if axes[j].out is None], [j for j in both if axes[j].out is not None]
        left, right = ([j for j, axis in enumerate(axes) if axis.runs(k) and not axis.runs(1 - k)] for k in (0, 1))
        if len(both) + len(left) + len(right) < len(axes) or not inner:
            return None
        if any(axes[j].size == EACH for j in left):  # the examples are the columns of the second factor
            first, second, left, right = second, first, right, left
        elif left and right and axes[right[-1]].size != EACH and axes[left[-1]].out < axes[right[-1]].out:
            first, second, left, right = second, first, right, left
        if each:
            return self.products(first, second, axes, each, left, inner, right)
        if not left and not right:
            return View(call("np.vdot", *[self.arranged(side.view, first.view.order) for side in (first, second)]), [])
        if len(right) > 1 and axes[right[-1]].size == EACH and len(inner) == 1 and len(left) <= 1:
            outer, last = right[:-1], right[-1:]
            tree = pair("@", self.arranged(first.view, [*left, *inner]), self.arranged(second.view, [*outer, *inner, *last]))
            return View(tree, [*outer, *left, *last])
        if not left and axes[right[0]].size != EACH:  # one row: read the matrix from the other side
            first, second, left, right = second, first, right, left
        groups = [side for side in (left, inner) if side], [side for side in (inner, right) if side]
        tree = pair("@", self.merged(first, groups[0], axes), self.merged(second, groups[1], axes))
        left, right = self.joint(left, axes), self.joint(right, axes)
        if len(left) > 1 or len(right) > 1:
            tree = reshaped(tree, [axes[j].size for j in (*left, *right)])
        return View(tree, [*left, *right])

    def products(self, first: Factor, second: Factor, axes: list[Axis], each: list[int], left: list[int], inner: list[int],
                 right: list[int]) -> View:  # fmt: skip
        """Products of matrices side by side."""
        if len(left) != 1 or len(right) != 1 or len(inner) != 1 or any(axes[j].size == EACH for j in each):
            return self.einsum(first.view, second.view, axes, [*each, *left, *right])
        tree = pair("@", self.arranged(first.view, [*each, *left, *inner]), self.arranged(second.view, [*each, *inner, *right]))
        return View(tree, [*each, *left, *right])

    def sum_over(self, found: View, loops: list[int]) -> View:
        """The sum along some loops."""
        rest = [j for j in found.order if j not in loops]
        where = sorted([found.order.index(j) for j in loops])
        text = "" if not rest else str(where[0]) if len(where) == 1 else str(tuple(where))
        return View(method(found.tree, f"sum({text})"), rest)

    def merged(self, factor: Factor, groups: Sequence[list[int]], axes: Sequence[Axis]) -> Tree:
        """A factor with one axis for each group of loops."""
        found, order = factor.view, [j for group in groups for j in group]
        if all(len(group) == 1 for group in groups):
            return self.arranged(found, order)
        sizes = [size_of(axes, group) for group in groups]
        if found.places is not None and EACH not in sizes:
            places = found.places.transpose([found.order.index(j) for j in order]).reshape(sizes)
            return index(found.tree, "{}", self.table("I", places))
        whole = [self.whole(group, factor.k, axes) for group in groups]
        if isinstance(factor.x, Affine) and None not in whole:
            one = view(self.stored[factor.x.buffer], factor.x.start, [loop for loop in whole if loop])
            if one is not None:
                return turned(one, range(len(groups)))
        if len(groups) == 2 and found.order == [*groups[1], *groups[0]]:
            return method(reshaped(self.natural(found).tree, sizes[::-1]), "T")
        return reshaped(self.arranged(found, order), sizes)

    def whole(self, group: Sequence[int], k: int, axes: Sequence[Axis]) -> Loop | None:
        """Loops as one, if an operand lies so that one can run on into the next."""
        for outer, inner in pairwise(group):
            if axes[outer].strides[k] != axes[inner].strides[k] * axes[inner].size or axes[inner].size == EACH:
                return None
        return Loop(size_of(axes, group), axes[group[-1]].strides[k])

    def joint(self, loops: list[int], axes: list[Axis]) -> list[int]:
        """Loops whose results lie one after the other as one loop, which is added to the axes; else the loops."""
        for outer, inner in pairwise(loops):
            if EACH in (axes[outer].size, axes[inner].size) or axes[outer].out != (axes[inner].out or 0) * axes[inner].size:
                return loops
        if len(loops) < 2:
            return loops
        axes.append(Axis(size_of(axes, loops), [], axes[loops[-1]].out, tuple(loops)))
        return [len(axes) - 1]

    def einsum(self, first: View, second: View, axes: Sequence[Axis], order: list[int]) -> View:
        """Sums of products along any loops."""
        order = sorted(order, key=lambda j: axes[j].size == EACH)
        first, second = self.natural(first), self.natural(second)
        used = [*order, *[j for j in first.order if j not in order]]
        letter = {j: "b" if axes[j].size == EACH else LETTERS[k] for k, j in enumerate(used)}
        left, right, out = ("".join(letter[j] for j in loops) for loops in (first.order, second.order, order))
        return View(Node(f"np.einsum('{left},{right}->{out}', {{}}, {{}})", (first.tree, second.tree), ATOM, (ANY, ANY)), order)

    # Results

    def give_back(self, ins: Instruction, tree: Tree, order: list[int], axes: list[Axis]) -> None:
        """A result in its shape, or a part of it."""
        result = self.results[-2 - ins.writes]
        wanted = sorted(order, key=lambda j: (axes[j].size == EACH, -(axes[j].out or 0)))
        tree = self.arranged(View(tree, order), wanted)
        is_batched = bool(wanted) and axes[wanted[-1]].size == EACH
        sizes = [axes[j].size for j in wanted][: len(wanted) - is_batched]
        if sizes != list(result.shape):
            if isinstance(tree, Node) and not tree.operands:
                import numpy as np

                tree = self.table("C", np.full(result.shape, eval(tree.template, {"np": np})))
            elif not sizes and not is_batched:
                tree = index(tree, ", ".join(["None"] * len(result.shape)))
            elif not result.shape:
                tree = index(tree, ", ".join(["0"] * len(sizes)))
            else:
                tree = reshaped(tree, [*result.shape, *([EACH] if is_batched else [])])
        self.returned.append(tree)

    def flat(self, tree: Tree, shape: Sequence[int], tail: Sequence[int]) -> Tree:
        """A part along one axis, that of the examples aside."""
        inner = len(shape) - len(tail)
        if isinstance(tree, Node) and not tree.operands:
            return self.table("C", [float(tree.template)]) if tree.template[:3] != "np." else call("np.array", group(tree))
        if inner == 1:
            return tree
        return index(tree, "None") if not inner else reshaped(tree, [prod(shape[:inner]), *tail])

    def join(self, buffer: str) -> None:
        """One array of several parts."""
        batched = self.buffers[buffer].batched
        parts = [
            (out.start, tree, [Loop(axis.size, axis.out or 0) for axis in places])
            for out, tree, places in sorted(self.parts[buffer], key=lambda part: part[0].start)
        ]
        pieces: list[Tree] = []
        shapes = []
        for _, tree, loops in parts:
            order = sorted(range(len(loops)), key=lambda d: (loops[d].size == EACH, -loops[d].stride))
            tree = self.arranged(View(tree, list(range(len(loops)))), order)
            sizes = [loops[d].size for d in order]
            if isinstance(tree, Node) and not tree.operands:
                tree = call("np.array", tree)
            if batched and EACH not in sizes:
                self.rows.helpers["spread"] = SPREAD
                tree = call("spread", tree, tail=", batch_size")
                sizes.append(EACH)
            pieces.append(tree)
            shapes.append(sizes)
        tail = [EACH] if batched else []
        alike = all(shape == shapes[0] for shape in shapes)
        if alike and len(shapes[0]) - batched <= 1:  # numbers or vectors, one below the other
            sizes = [len(parts), *shapes[0]]
            tree = call("np.array", group(*pieces))
        else:
            rests = {tuple(shape[1:]) for shape in shapes}
            if len(rests) > 1 or min(map(len, shapes)) <= batched:
                pieces = [self.flat(tree, shape, tail) for tree, shape in zip(pieces, shapes)]
                shapes = [[prod(shape[: len(shape) - batched]), *tail] for shape in shapes]
            sizes = [sum(shape[0] for shape in shapes), *shapes[0][1:]]
            tree = call("np.concatenate", group(*pieces))
        inner = sizes[: len(sizes) - batched]
        axes = [Loop(size, prod(inner[d + 1 :])) for d, size in enumerate(inner)]
        self.store(buffer, tree, [*axes, *([Loop(EACH, STEP)] if batched else [])])


def ordered(loops: list[int], axes: Sequence[Axis]) -> list[int]:
    """Loops in an order in which the innermost is long: that of the examples, or if the last is short, the longest."""
    last = next((j for j in loops if axes[j].size == EACH), None)
    if last is None and loops and axes[loops[-1]].size < SHORT:
        return sorted(loops, key=lambda j: axes[j].size >= SHORT)
    return loops if last is None else [*[j for j in loops if j != last], last]


def size_of(axes: Sequence[Axis], group: Sequence[int]) -> int:
    """How many numbers loops visit; EACH if that depends on the number of examples."""
    sizes = [axes[j].size for j in group]
    return EACH if EACH in sizes else prod(sizes)


def conditions(program: Program) -> set[int]:
    """Entries that serve as conditions alone: they may stay truth values."""
    found = {refs[0] for row, refs in zip(program.rows, program.operands) if row is WHERE}
    if found:
        found.difference_update(roots(program))
        for row, refs in zip(program.rows, program.operands):
            found.difference_update(refs[1:] if row is WHERE else refs)
    return found


def stem(program: Program, group: Group) -> str:
    """The first part of the name of a group; a number may follow."""
    kind = NAMES.get(group.row.name, f"{group.row.name}_")
    found = [program.hints.get(entry) for entry in (group.entries[0], group.entries[-1]) if entry is not None]
    if not found or None in found:
        return kind
    first, last = found[0], found[-1]
    if first is None or last is None or first.is_slope != last.is_slope:
        return kind
    prefix = "d_" if first.is_slope else ""
    if first.label and last.label:
        words = {label.rstrip("0123456789_") for label in (first.label, last.label)}
        word = words.pop()
        return prefix + word if not words and word.isidentifier() else kind
    shared = [part for part, other in zip(first.scope, last.scope) if part.partition("#")[0] == other.partition("#")[0]]
    word = re.sub(r"\W", "_", shared[-1].partition("#")[0]) if shared else ""
    return f"{prefix}{word}_{kind.rstrip('_')}" if word.isidentifier() else kind


def is_reserved(name: str) -> bool:
    """Whether a program uses this name for something else than an input."""
    return name in RESERVED or name in TABLE or keyword.iskeyword(name) or re.fullmatch(r"[CIM]\d+", name) is not None
