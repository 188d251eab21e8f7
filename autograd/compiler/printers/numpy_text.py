"""The room of NumPy text: instructions over named arrays as lines that a person would write, and as a function that runs.

The text uses nothing but functions of NumPy on whole arrays, so it runs on `jax.numpy` too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import prod
from typing import Any, NamedTuple, TypeGuard

from autograd.compiler.printers.expressions import Name, Node, Tree, call, group, index, lines
from autograd.compiler.printers.formulas import Formulas
from autograd.compiler.printers.nests import Arrays, Axis, Nest
from autograd.compiler.printers.rows import SPREAD, Rows, vectorized
from autograd.compiler.printers.views import EACH, Loop, Stored, View, reshaped, stored
from autograd.compiler.program import Program, roots
from autograd.compiler.recover import Group, Shape, Tensors
from autograd.compiler.tensors.instructions import Instruction, Number, Taken
from autograd.compiler.tensors.names import chosen
from autograd.compiler.texts import Text
from autograd.ops import TABLE

__all__ = ["Result", "function_of", "printed"]

WHERE = TABLE["where"]


class Result(NamedTuple):
    """Something to return: its name, its references in order and its shape."""

    name: str
    refs: list[int]
    shape: Shape


def function_of(text: Text) -> Callable[..., Any]:
    """The text as a function of arrays."""
    import numpy as np

    return text.function({"np": np, **{word: vectorized(f) for word, f in text.words.items()}})


def printed(tensors: Tensors, results: Sequence[Result]) -> Text:
    """The program as text."""
    return Printer(tensors, results).text()


class Part(NamedTuple):
    """Results of one instruction in a buffer of several: their first place, and an expression with sizes of its axes."""

    start: int
    tree: Tree
    sizes: list[int]


class Printer:
    """Writes instructions as lines of NumPy."""

    def __init__(self, tensors: Tensors, results: Sequence[Result]) -> None:
        from autograd.compiler.tensors.arrays import in_arrays  # which needs NumPy

        self.results = results
        self.code = in_arrays(tensors, [(result.refs, result.shape) for result in results])
        self.names = chosen(self.code.tensors, self.code.buffers, {result.name: result.refs for result in results})
        self.arrays, self.rows = Arrays(), Rows()
        self.formulas = Formulas(self.rows, self.is_condition)
        self.statements: list[tuple[str, Tree]] = []
        self.parts: dict[str, list[Part]] = {}  # of buffers that several instructions write
        self.returned: list[Tree] = []
        self.conditions = conditions(self.code.tensors.program)

    def text(self) -> Text:
        """All lines, as the function `program(inputs)`; what has an axis of examples follows, each array by its name."""
        heads, examples = self.inputs()
        for ins in self.code.instructions:
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
        tables = {name: table for name, table in self.arrays.tables.items() if name in used}
        gathers = [f"{n} numbers of {self.names[key]}, in an order that no slice describes" for key, n in self.arrays.gathers]
        return Text(source, tables, self.rows.words, gathers)

    def inputs(self) -> tuple[list[tuple[str, str]], list[str]]:
        """The lines that name the inputs, and the names of those that vary with the example."""
        heads, examples, start = [], [], 0
        for k, block in enumerate(self.code.tensors.blocks):
            if isinstance(block, Group):
                continue
            name = self.names[str(k)]
            self.arrays.stored[str(k)] = stored(name, block.shape, batched=block.batched)
            if block.batched:
                examples.append(name)
                continue
            stop = start + len(block.entries)
            part = f"inputs[{start}:{stop}]" if block.shape else f"inputs[{start}]"
            heads.append((name, f"{part}.reshape({', '.join(map(str, block.shape))})" if len(block.shape) > 1 else part))
            start = stop
        return heads, examples

    # Instructions

    def write(self, ins: Instruction) -> None:
        """The line of an instruction, or a part of one."""
        parts = [part for x in ins.operands for part in ((x.table, x.index) if isinstance(x, Taken) else (x,))]
        for part in parts:
            if not isinstance(part, Number) and (numbers := self.code.buffers[part.buffer].constants) is not None:
                self.arrays.constants(part.buffer, numbers)
        result = self.results[-2 - ins.writes] if ins.writes < -1 else None
        nest = Nest(ins, self.arrays, result.shape if result else (), self.code.terms.get(ins.writes))
        found, buffer = self.formulas.formula(nest), ins.out.buffer
        axes = [nest.axes[j] for j in found.order]
        if result:
            self.returned.append(self.returning(result, found, axes))
        elif (count := self.code.buffers[buffer].writers) == 1:
            self.store(buffer, found.tree, [Loop(axis.size, axis.out or 0) for axis in axes])
        else:
            order = in_place(axes)
            tree = View(found.tree, list(range(len(axes)))).arranged(order)
            pieces = self.parts.setdefault(buffer, [])
            pieces.append(Part(ins.out.start, tree, [axes[d].size for d in order]))
            if len(pieces) == count:
                self.join(buffer, sorted(pieces, key=lambda piece: piece.start))

    def store(self, buffer: str, tree: Tree, axes: Sequence[Loop]) -> None:
        """A line that gives an expression the name of its buffer."""
        self.statements.append((self.names[buffer], tree))
        self.arrays.stored[buffer] = Stored(Name(self.names[buffer]), tuple(axes))

    def returning(self, result: Result, found: View, axes: Sequence[Axis]) -> Tree:
        """A result in its shape."""
        places = in_place(axes)
        tree = View(found.tree, list(range(len(axes)))).arranged(places)
        is_batched = bool(places) and axes[places[-1]].size == EACH
        sizes = [axes[d].size for d in places][: len(places) - is_batched]
        if sizes == list(result.shape):
            return tree
        if is_literal(tree):
            return self.constant(tree, result.shape)
        if not sizes and not is_batched:
            return index(tree, ", ".join(["None"] * len(result.shape)))
        if not result.shape:
            return index(tree, ", ".join(["0"] * len(sizes)))
        return reshaped(tree, [*result.shape, *[EACH] * is_batched])

    def constant(self, tree: Node, shape: Sequence[int]) -> Tree:
        """An array of a number that is written down."""
        import numpy as np

        return self.arrays.table("C", np.full(shape, float(tree.template.replace("np.", ""))))

    def join(self, buffer: str, parts: Sequence[Part]) -> None:
        """One array of several parts: numbers or vectors one below the other, or rows, or all numbers along one axis."""
        batched = self.code.buffers[buffer].batched
        if batched:
            parts = [self.spread(part) for part in parts]
        tail = [EACH] * batched
        shapes = [part.sizes[: len(part.sizes) - batched] for part in parts]
        if len(shapes[0]) <= 1 and all(shape == shapes[0] for shape in shapes):
            sizes, tree = [len(parts), *shapes[0]], call("np.array", group(*[part.tree for part in parts]))
        else:
            if len({tuple(shape[1:]) for shape in shapes if shape}) > 1 or [] in shapes:
                parts = [Part(part.start, self.flat(part.tree, shape, tail), []) for part, shape in zip(parts, shapes)]
                shapes = [[prod(shape)] for shape in shapes]
            sizes = [sum(shape[0] for shape in shapes), *shapes[0][1:]]
            tree = call("np.concatenate", group(*[part.tree for part in parts]))
        self.store(buffer, tree, stored("", sizes, batched=batched).axes)

    def spread(self, part: Part) -> Part:
        """A part with an axis of examples."""
        if EACH in part.sizes:
            return part
        self.rows.helpers["spread"] = SPREAD
        tree = call("np.array", part.tree) if is_literal(part.tree) else part.tree
        return Part(part.start, call("spread", tree, tail=", batch_size"), [*part.sizes, EACH])

    def flat(self, tree: Tree, shape: Sequence[int], tail: Sequence[int]) -> Tree:
        """A part along one axis, that of the examples aside."""
        if is_literal(tree):
            return self.constant(tree, (1,))
        if len(shape) == 1:
            return tree
        return reshaped(tree, [prod(shape), *tail]) if shape else index(tree, "None")

    def is_condition(self, ins: Instruction) -> bool:
        """Whether the results of an instruction are asked for their truth alone."""
        blocks = self.code.tensors.blocks
        entries = blocks[ins.writes].entries if 0 <= ins.writes < len(blocks) else [None]
        return self.conditions.issuperset([entry for entry in entries if entry is not None]) and entries != [None]


def is_literal(tree: Tree) -> TypeGuard[Node]:
    """Whether an expression is a number that is written down."""
    return isinstance(tree, Node) and not tree.operands


def in_place(axes: Sequence[Axis]) -> list[int]:
    """Axes in the order of their places, that of the examples last."""
    return sorted(range(len(axes)), key=lambda d: (axes[d].size == EACH, -(axes[d].out or 0)))


def conditions(program: Program) -> set[int]:
    """Entries that serve as conditions alone: they may stay truth values."""
    found = {refs[0] for row, refs in zip(program.rows, program.operands) if row is WHERE}
    if found:
        found.difference_update(roots(program))
        found.difference_update(*[refs[1:] if row is WHERE else refs for row, refs in zip(program.rows, program.operands)])
    return found
