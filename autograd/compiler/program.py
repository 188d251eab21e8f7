"""The room of programs: a function of numbers as a flat list of operations, simplified exactly as it is written down.

A program is what a trace of scalar code leaves: operations on earlier results and on constants. Equal operations are written
once, and operations on constants are carried out; but `x * 0.0` and `x + 0.0` stay, because of nan and -0.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from autograd.ops import TABLE, Primitive

__all__ = ["Guard", "Hint", "Program", "live", "rebuilt", "roots", "sums_of_products"]

ADD, SUB, MUL, DIV, POW, NEG, POS, SUM, DOT, WHERE = (
    TABLE[name] for name in ("add", "sub", "mul", "div", "pow", "neg", "pos", "sum", "dot", "where")
)  # fmt: skip
SIMPLER = {DIV, POW, NEG, POS, WHERE}
STEPS = 3  # products of one kind at so many depths are the steps of a recurrence


class Guard(NamedTuple):
    """A comparison that the traced code branched on: the program is valid where it comes out the same."""

    sign: str
    left: int
    right: int
    answer: bool
    line: str

    def told(self, program: Program) -> str:
        """The comparison in words: 'train.py, line 3: x > 0.0 is True'."""
        left, right = (program.name_of(ref) for ref in (self.left, self.right))
        return f"{self.line}: {left} {self.sign} {right} is {self.answer}"


class Hint(NamedTuple):
    """Where a result comes from, to name it by: the scope it was made in, its label, and whether it is a derivative by that."""

    scope: tuple[str, ...]
    label: str = ""
    is_slope: bool = False


class Program:
    """Operations in an order in which each comes after its operands.

    References are integers: i >= 0 is the result of entry i, -1 - k is constant k. `rows[i]` is None for an input.
    """

    def __init__(self) -> None:
        self.rows: list[Primitive | None] = []
        self.operands: list[tuple[int, ...]] = []
        self.depths: list[int] = []  # 0 for inputs, else one more than the deepest operand
        self.inputs: list[int] = []
        self.names: list[str] = []  # of the inputs
        self.families: dict[int, tuple[int, str]] = {}  # parameters (0) or not (1), and the name without its numbers
        self.constants: list[float] = []
        self.outputs: list[int] = []
        self.guards: list[Guard] = []
        self.hints: dict[int, Hint] = {}
        self._constant_of: dict[Any, int] = {}
        self._entry_of: dict[tuple[Primitive, tuple[int, ...]], int] = {}

    def input(self, name: str, *, parameter: bool = True, family: tuple[int, str] | None = None) -> int:
        """A new input, named by its path in the arguments: 'layers.0.neurons.3.b'."""
        self.inputs.append(self._append(None, (), 0))
        self.names.append(name)
        self.families[self.inputs[-1]] = family or (not parameter, re.sub(r"\d+", "*", name))
        return self.inputs[-1]

    def constant(self, number: float) -> int:
        """The reference of a constant; 0.0 and -0.0 are two, all nans are one."""
        key = number if number and number == number else repr(number)
        if key not in self._constant_of:
            self.constants.append(number)
            self._constant_of[key] = -len(self.constants)
        return self._constant_of[key]

    def name_of(self, ref: int) -> str:
        """A constant, the name of an input, or what made a result."""
        if ref < 0:
            return repr(self.number(ref))
        row = self.rows[ref]
        return dict(zip(self.inputs, self.names))[ref] if row is None else f"{row.name}(...)"

    def number(self, ref: int) -> float:
        """The constant that a reference means."""
        return self.constants[-1 - ref]

    def add(self, row: Primitive, operands: Sequence[int]) -> int:
        """The result of an operation: a new entry, an equal one that is there already, or something simpler."""
        refs = tuple(operands)
        key = row, refs
        found = self._entry_of.get(key)
        if found is not None:
            return found
        if max(refs) < 0:
            numbers = [self.number(ref) for ref in refs]
            return self.constant(row.function(numbers) if row.arity is None else row.function(*numbers))
        if row in SIMPLER and (simpler := self.simpler(row, refs)) is not None:
            return simpler
        depths = self.depths
        self._entry_of[key] = found = self._append(row, refs, 1 + max([depths[ref] for ref in refs if ref >= 0]))
        return found

    def _append(self, row: Primitive | None, operands: tuple[int, ...], depth: int) -> int:
        self.rows.append(row)
        self.operands.append(operands)
        self.depths.append(depth)
        return len(self.rows) - 1

    def copy(self) -> Program:
        """The same program, to be continued."""
        found = Program()
        for name, facts in vars(self).items():
            setattr(found, name, facts.copy())
        return found

    def simpler(self, row: Primitive, refs: tuple[int, ...]) -> int | None:
        """An exact identity: the same number for every operand, nan, infinities and the sign of zero included.

        A product with 1.0 stays for now: among products with other constants it belongs to their group.
        """
        if row is POS:
            return refs[0]
        if row is NEG and self.rows[refs[0]] is NEG:
            return self.operands[refs[0]][0]
        if (row is DIV or row is POW) and refs[1] < 0 and self.number(refs[1]) == 1.0:
            return refs[0]
        if row is WHERE and refs[0] < 0:
            return refs[1] if self.number(refs[0]) else refs[2]
        return None

    def sum_of_products(self, pairs: Iterable[tuple[int | None, int]], terms: Iterable[int] = ()) -> int:
        """The sum of l * r over the pairs (r alone if l is None) and of further terms, products of one kind in one `dot` each.

        Two products are of one kind if their factors were made the same way at the same depth, or are inputs of one block:
        these become a matrix product later. The order of additions is that of the first product of each kind.
        """
        parts: dict[Any, list[tuple[int, int]]] = {}
        singles: list[int] = list(terms)
        for left, right in pairs:
            if left is None:
                singles.append(right)
                continue
            kinds = self.kind(left), self.kind(right)
            if kinds[0] > kinds[1]:
                kinds, left, right = kinds[::-1], right, left
            parts.setdefault(kinds, []).append((left, right))
        parts = self.across_depths(parts)
        found = []
        for part in parts.values():
            if len(part) == 2 and part[0] == part[1]:  # p + p is 2 p, exactly
                found.append(self.doubled(*part[0]))
            elif len(part) == 1:
                found.append(self.add(MUL, part[0]))
            else:
                lefts, rights = zip(*part)
                found.append(self.add(DOT, lefts + rights))
        alike: dict[Any, list[int]] = {}
        for single in singles:
            alike.setdefault(self.kind(single), []).append(single)
        found += [part[0] if len(part) == 1 else self.add(SUM if len(part) > 2 else ADD, part) for part in alike.values()]
        if len(found) == 1:
            return found[0]
        return self.add(ADD, found) if len(found) == 2 else self.add(SUM, found)

    def across_depths(self, parts: dict[Any, list[tuple[int, int]]]) -> dict[Any, list[tuple[int, int]]]:
        """Products that are alone at their depths, put together where several are of one kind: the steps of a recurrence."""
        alike: dict[Any, list[Any]] = {}
        for kinds, part in parts.items():
            if len(part) == 1:
                alike.setdefault(tuple([(min(depth, 1), *rest) for depth, *rest in kinds]), []).append(kinds)
        found = dict(parts)
        for several in alike.values():
            if len(several) >= STEPS:
                found[several[0]] = [pair for kinds in several for pair in found.pop(kinds)]
        return found

    def doubled(self, left: int, right: int) -> int:
        """2 * left * right."""
        if right < 0:
            return self.add(MUL, (left, self.constant(2.0 * self.number(right))))
        return self.add(MUL, (self.constant(2.0), self.add(MUL, (left, right))))

    def kind(self, ref: int) -> tuple[int, int, str]:
        """How a number was made: parameters come first, then other inputs, constants, and operations by depth."""
        if ref < 0:
            return 0, 2, ""
        row = self.rows[ref]
        return (0, *self.families[ref]) if row is None else (self.depths[ref], 0, row.name)

    def check(self) -> None:
        """Raise ValueError if an invariant does not hold."""
        if not len(self.rows) == len(self.operands) == len(self.depths) or len(self.inputs) != len(self.names):
            raise ValueError("the columns of the program have different lengths")
        for i, (row, refs) in enumerate(zip(self.rows, self.operands)):
            if (row is None) != (not refs) or (row is None) != (self.depths[i] == 0):
                raise ValueError(f"entry {i} is neither an input nor an operation")
            if any(ref >= i or ref < -len(self.constants) for ref in refs):
                raise ValueError(f"entry {i} refers to what comes later: {refs}")
            if row is not None:
                if row.arity is not None and row.arity != len(refs):
                    raise ValueError(f"entry {i} is {row.name} of {len(refs)} operands")
                if self.depths[i] != 1 + max([self.depths[ref] for ref in refs if ref >= 0], default=0):
                    raise ValueError(f"entry {i} has depth {self.depths[i]}")
        if self.inputs != [i for i, row in enumerate(self.rows) if row is None]:
            raise ValueError("the inputs are not those that are listed")
        for ref in [*self.outputs, *[side for guard in self.guards for side in (guard.left, guard.right)]]:
            if not -len(self.constants) <= ref < len(self.rows):
                raise ValueError(f"an output refers to {ref}, which does not exist")

    def run(self, inputs: Sequence[float], wanted: Sequence[int] | None = None) -> list[float]:
        """The outputs (or other entries), computed one operation after the other: what every back end must agree with."""
        given = iter(inputs)
        found: list[float] = []

        def read(ref: int) -> float:
            return found[ref] if ref >= 0 else self.constants[-1 - ref]

        for row, refs in zip(self.rows, self.operands):
            if row is None:
                found.append(next(given))
            else:
                numbers = [found[ref] if ref >= 0 else self.constants[-1 - ref] for ref in refs]
                found.append(row.function(numbers) if row.arity is None else row.function(*numbers))
        return [read(ref) for ref in (self.outputs if wanted is None else wanted)]


def live(program: Program, roots: Iterable[int]) -> list[bool]:
    """Which entries the roots depend on."""
    needed = [False] * len(program.rows)
    for ref in roots:
        if ref >= 0:
            needed[ref] = True
    for i in range(len(needed) - 1, -1, -1):
        if needed[i]:
            for ref in program.operands[i]:
                if ref >= 0:
                    needed[ref] = True
    return needed


def roots(program: Program) -> list[int]:
    """What must be computed: outputs, and both sides of every guard."""
    return [*program.outputs, *[side for guard in program.guards for side in (guard.left, guard.right)]]


class rebuilt:  # noqa: N801 - used as a word
    """A program written anew without what nothing depends on; inputs stay, and come first, in the order given.

    A pass overrides `write`. `place` tells where an entry or a constant of the old program is in the new one.
    """

    def __init__(self, old: Program, inputs: Sequence[int] | None = None) -> None:
        self.old, self.new = old, Program()
        self.place: dict[int, int] = {-1 - k: self.new.constant(number) for k, number in enumerate(old.constants)}
        names = dict(zip(old.inputs, old.names))
        for i in old.inputs if inputs is None else inputs:
            self.place[i] = self.new.input(names[i], family=old.families[i])
        self.needed = live(old, roots(old))
        self.prepare()
        for i, row in enumerate(old.rows):
            if self.needed[i] and row is not None:
                self.place[i] = self.write(i, row, old.operands[i])
        self.new.outputs = self.at(old.outputs)
        for ref, hint in old.hints.items():
            if (place := self.place.get(ref, -1)) >= 0:
                self.new.hints.setdefault(place, hint)
        self.new.guards = [
            guard._replace(left=self.place[guard.left], right=self.place[guard.right]) for guard in old.guards
        ]  # fmt: skip

    def at(self, refs: Iterable[int]) -> list[int]:
        """The new references for old ones."""
        return list(map(self.place.__getitem__, refs))

    def prepare(self) -> None:
        """What a pass has to know before it writes; it may take entries out of those that are needed."""

    def write(self, i: int, row: Primitive, operands: tuple[int, ...]) -> int:  # noqa: ARG002 - for passes
        """The new reference of an old entry."""
        return self.new.add(row, self.at(operands))


class sums_of_products(rebuilt):  # noqa: N801
    """A chain of additions whose intermediate results are used once becomes one sum; products used once become its pairs.

    The sums are what the micrograd style writes with `sum(w * x for ...)`. Two terms with at most one product stay as they are.
    A chain of subtractions, as `loss = loss - term` makes, is what it begins with less the sum of what is taken away.
    """

    def prepare(self) -> None:
        """Find the additions and products that belong to sums; they are not written as entries of their own."""
        rows, needed = self.old.rows, self.needed
        self.uses = uses = [0] * len(rows)
        additions = []
        for i, refs in enumerate(self.old.operands):
            if needed[i]:
                for ref in refs:
                    if ref >= 0:
                        uses[ref] += 1
                if rows[i] is ADD or rows[i] is SUM:
                    additions.append(i)
        for ref in roots(self.old):
            if ref >= 0:
                uses[ref] += 1
        # An addition that is an operand of one other addition, and of nothing else, is written inside it.
        self.inside: set[int] = set()
        self.sums: dict[int, tuple[list[int], list[int]]] = {}  # their products and other terms
        for i in additions:
            self.inside.update([ref for ref in self.old.operands[i] if ref >= 0 and uses[ref] == 1 and rows[ref] in (ADD, SUM)])
        for i in additions:
            if i not in self.inside:
                self.sums[i] = self.terms(self.old.operands[i])
        self.differences: dict[int, int] = {}  # what a chain of subtractions begins with; its sum is what is taken away
        for i in range(len(rows) - 1, -1, -1):
            if rows[i] is SUB and needed[i] and i not in self.inside:
                self.find_difference(i)
        for products, _ in self.sums.values():
            self.inside.update(products)
        for ref in self.inside:
            needed[ref] = False

    def find_difference(self, i: int) -> None:
        """Whether a subtraction is the last of a chain of several, and what it takes away in all."""
        chain, first = [i], self.old.operands[i][0]
        while first >= 0 and self.old.rows[first] is SUB and self.uses[first] == 1:
            chain.append(first)
            first = self.old.operands[first][0]
        if len(chain) > 2:
            self.inside.update(chain[1:])
            self.differences[i] = first
            self.sums[i] = self.terms([self.old.operands[k][1] for k in reversed(chain)])

    def terms(self, refs: Sequence[int]) -> tuple[list[int], list[int]]:
        """The products in a sum that are used nowhere else, if they are several, and the other terms."""
        terms: list[int] = []
        stack = list(refs[::-1])
        while stack:
            ref = stack.pop()
            if ref in self.inside:
                stack += self.old.operands[ref][::-1]
            else:
                terms.append(ref)
        products = [ref for ref in terms if ref >= 0 and self.old.rows[ref] is MUL and self.uses[ref] == 1]
        if len(products) < 2:
            products = []
        chosen = set(products)
        return products, [ref for ref in terms if ref not in chosen]

    def write(self, i: int, row: Primitive, operands: tuple[int, ...]) -> int:
        """An addition takes in additions and products below it; two products of different kinds in a `dot` are an addition."""
        if row is DOT and len(operands) == 4:
            left, left2, right, right2 = self.at(operands)
            if {self.new.kind(left), self.new.kind(right)} != {self.new.kind(left2), self.new.kind(right2)}:
                return self.new.sum_of_products([(left, right), (left2, right2)])
        products, terms = self.sums.get(i, ((), ()))
        if i in self.differences:
            pairs = [self.at(self.old.operands[ref]) for ref in products]
            total = self.new.sum_of_products(pairs, self.at(terms))  # type: ignore[arg-type]
            return self.new.add(SUB, (self.place[self.differences[i]], total))
        if not products and len(terms) < 3 and self.inside.isdisjoint(operands):
            return super().write(i, row, operands)
        # A sum starts at 0.0, so further zeros change nothing.
        others = [ref for ref in terms if not (ref < 0 and self.old.number(ref) == 0.0)]
        pairs = [self.at(self.old.operands[ref]) for ref in products]
        return self.new.sum_of_products(pairs, self.at(others))  # type: ignore[arg-type]
