"""The room of totals: sums over the examples of a batch, pushed down to where they are products of matrices.

The program of one example becomes that of a batch when each entry that depends on the example has one number for every example.
What is wanted of a parameter is the sum over the examples; writing `total` for it,

    total(a + b) = total(a) + total(b),   total(w * a) = w * total(a)   where w is the same for every example,

and `total(a * b)` of two that vary is a sum of products again, over the examples: the gradient of a matrix of weights is a
product of matrices, and its examples are never laid side by side.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from autograd.compiler.program import Program
from autograd.ops import TABLE, Primitive

__all__ = ["COUNT", "TOTAL", "TOTAL_DOT", "totals", "varying"]

ADD, SUB, NEG, SUM, MUL, DIV, DOT = (TABLE[name] for name in ("add", "sub", "neg", "sum", "mul", "div", "dot"))
COUNT = "number of examples"  # the name of the input that is added where it is needed

# On one example, which is how a program runs plainly, the total is the number itself.
TOTAL = Primitive("total", "x", "1.0", public=False)
TOTAL_DOT = Primitive("total_dot", "dot(xs)", "None", public=False)


def varying(program: Program, batched: Iterable[int]) -> list[bool]:
    """Which entries depend on these inputs."""
    varies = [False] * len(program.rows)
    for ref in batched:
        varies[ref] = True
    for i, refs in enumerate(program.operands):
        if refs:
            varies[i] = any(ref >= 0 and varies[ref] for ref in refs)
    return varies


def totals(program: Program, wanted: Sequence[int], batched: Iterable[int], others: Iterable[int] = ()) -> list[int]:
    """Add the totals of these entries to the program, of which the inputs `batched` vary; returns their references.

    `others` are the entries that are needed themselves: the total of such a one is nothing but the sum of its numbers.
    """
    return Totals(program, varying(program, batched)).of(wanted, others)


class Totals:
    """Totals of the entries of one program."""

    def __init__(self, program: Program, varies: list[bool]) -> None:
        self.program, self.varies = program, varies
        self.found: dict[int, int] = {}
        self.count: int | None = None  # the input that is the number of examples

    def of(self, wanted: Sequence[int], others: Iterable[int]) -> list[int]:
        """Their references."""
        program, varies = self.program, self.varies
        opens = [varies[i] and self.is_opened(i) for i in range(len(varies))]
        for i, row in enumerate(program.rows):
            if row in (ADD, SUB, SUM, NEG) and varies[i]:
                refs = program.operands[i]
                opens[i] = any(ref >= 0 and (opens[ref] or not varies[ref]) for ref in refs)
        asked = {ref for ref in wanted if self.is_varying(ref)}
        needed = set(others)
        for i in range(len(varies) - 1, -1, -1):
            if i in asked and opens[i] and i not in needed:
                parts = self.parts(i)
                asked.update(parts)
                needed.update([ref for ref in program.operands[i] if ref not in parts])
            elif i in asked or i in needed:
                opens[i] = False
                needed.update(program.operands[i])
        for i in sorted(asked):
            self.found[i] = self.opened(i) if opens[i] else program.add(TOTAL, (i,))
        return [self.total(ref) for ref in wanted]

    def is_varying(self, ref: int) -> bool:
        return ref >= 0 and self.varies[ref]

    def is_opened(self, i: int) -> bool:
        """Whether the total of an entry is written with totals of its operands, wherever it occurs."""
        row, refs = self.program.rows[i], self.program.operands[i]
        return row is MUL or row is DOT or (row is DIV and not self.is_varying(refs[1]))

    def parts(self, i: int) -> list[int]:
        """The operands whose totals the total of an entry needs."""
        row, refs = self.program.rows[i], self.program.operands[i]
        if row is MUL or row is DOT:
            half = len(refs) // 2
            sides = zip(refs[:half], refs[half:])
            return [b if self.is_varying(b) else a for a, b in sides if self.is_varying(a) != self.is_varying(b)]
        return [ref for ref in refs if self.is_varying(ref)]

    def opened(self, i: int) -> int:
        """The total of an entry by those of its operands."""
        program = self.program
        row, refs = program.rows[i], program.operands[i]
        if row is MUL or row is DOT:
            return self.products(refs[: len(refs) // 2], refs[len(refs) // 2 :])
        if row is DIV:
            return program.add(DIV, (self.total(refs[0]), refs[1]))
        if row is NEG or row is SUB:
            return program.add(row, [self.total(ref) for ref in refs])
        return program.sum_of_products([], [self.total(ref) for ref in refs])

    def products(self, lefts: Sequence[int], rights: Sequence[int]) -> int:
        """The total of a sum of products: those of factors that vary are one sum over the examples."""
        program, pairs = self.program, []
        both: list[tuple[int, int]] = []
        for left, right in zip(lefts, rights):
            if self.is_varying(left) and self.is_varying(right):
                both.append((right, left) if program.kind(left) > program.kind(right) else (left, right))
            elif self.is_varying(left):
                pairs.append((right, self.total(left)))
            else:
                pairs.append((left, self.total(right)))
        terms = [program.add(TOTAL_DOT, [left for left, _ in both] + [right for _, right in both])] if both else []
        return program.sum_of_products(pairs, terms)

    def total(self, ref: int) -> int:
        """The total of an operand: of what does not vary, the number of examples times it."""
        if self.is_varying(ref):
            return self.found[ref]
        if self.count is None:
            self.count = self.program.input(COUNT)
        return self.program.add(MUL, (self.count, ref))
