"""The room of reverse mode on programs: a program gets the derivatives of one of its results as further operations.

The partial derivatives are the texts of the table, read on terms of the program. A choice that was not taken contributes
nothing, not even nan: where a text says `or None`, the cotangent is replaced by 0 before the product.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any, ClassVar, NamedTuple

from autograd import floats
from autograd.compiler.program import Program, rebuilt
from autograd.compiler.trace import TAKE, is_masked, shares
from autograd.functions import ON_VALUES
from autograd.ops import TABLE, Primitive

__all__ = ["Term", "differentiated", "gradients"]

LARGEST = sys.float_info.max
MUL, SUM, WHERE, GREATER = (TABLE[name] for name in ("mul", "sum", "where", "greater"))


class Term:
    """A reference into a program that is being written: arithmetic on it adds operations."""

    __slots__ = ("program", "ref")
    words: ClassVar[dict[str, Any]] = {}  # what the words of the table mean on terms

    def __init__(self, program: Program, ref: int) -> None:
        self.program, self.ref = program, ref


def emit(row: Primitive, *operands: Any) -> Any:
    """A row of the table applied to terms and numbers."""
    if row.arity is None and len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    program = next((x.program for x in operands if isinstance(x, Term)), None)
    if program is None:
        return row.function(operands) if row.arity is None else row.function(*operands)
    return Term(program, program.add(row, [reference(program, x) for x in operands]))


def reference(program: Program, x: Any) -> int:
    return x.ref if isinstance(x, Term) else program.constant(float(x))


def words(*, careful: bool = False) -> dict[str, Any]:
    """The words of the table on terms, and its operators as methods of Term; rows added later included."""
    for row in TABLE.values():
        if row.name not in Term.words:
            Term.words[row.name] = partial(emit, row)
            if row.operator:
                setattr(Term, f"__{row.operator}__", method(row))
                if row.arity == 2:
                    setattr(Term, f"__r{row.operator}__", method(row, reflected=True))
    exponentials = partial(infinite_shares if careful else finite_shares, Term.words)
    return ON_VALUES.words | Term.words | {"ties": partial(shares, Term.words), "others": floats.others, "shares": exponentials}


def finite_shares(words: Mapping[str, Any], xs: Sequence[Any], out: Any) -> list[Any]:
    """What `shares` is in the room of floats, but nan for an infinity: then the derivatives are computed again with care."""
    return [words["exp"](x - out) for x in xs]


def infinite_shares(words: Mapping[str, Any], xs: Sequence[Any], out: Any) -> list[Any]:
    """What `shares` is in the room of floats, without branches."""
    is_infinite = words["greater"](words["abs"](out), LARGEST)
    return [words["where"](is_infinite, equal, words["exp"](x - out)) for x, equal in zip(xs, shares(words, xs, out))]


def method(row: Primitive, *, reflected: bool = False) -> Callable[..., Any]:
    return lambda self, *other: emit(row, *other, self) if reflected else emit(row, self, *other)


def gradients(program: Program, output: int, wanted: Iterable[int], *, careful: bool = False) -> list[int]:
    """Add the derivatives of `output` with respect to the wanted entries to the program; returns their references.

    Every entry, last first, tells its operands a local derivative and its own cotangent, as `chain.pullback` does. An entry that
    only choices not taken lead to has the cotangent 0, and passes on 0 times its local derivatives: that is nan if one of them
    is infinite. With `careful`, it is written down which entries a path leads to, and the others pass nothing on.
    """
    targets, nothing = list(wanted), program.constant(0.0)
    if output < 0:
        return [nothing for _ in targets]
    reaches = [False] * len(program.rows)  # whether a path leads here from a wanted entry
    for ref in targets:
        reaches[ref] = True
    for i, refs in enumerate(program.operands):
        reaches[i] = reaches[i] or any(ref >= 0 and reaches[ref] for ref in refs)
    told: dict[int, list[tuple[int | None, int]]] = {output: [(None, program.constant(1.0))]}
    paths: dict[int, list[int | None]] = {output: [None]}  # whether a path leads to an entry; None: always
    rules = Partials(program, careful=careful)
    found: dict[int, int] = {}
    for i in range(output, -1, -1):
        if i not in told or not reaches[i]:
            continue
        found[i] = cotangent = program.sum_of_products(told.pop(i))
        if cotangent >= 0 and i in program.hints:
            program.hints.setdefault(cotangent, program.hints[i]._replace(is_slope=True))
        alive = rules.any_of(paths.pop(i)) if careful else None
        row = program.rows[i]
        if row is None:
            continue
        wished = [ref >= 0 and reaches[ref] for ref in program.operands[i]]
        for operand, local in zip(program.operands[i], rules.of(i, row, wished, careful=careful)):
            if local is not None:
                path = rules.both(alive, local) if careful else None
                pair = rules.told(local, cotangent) if path is None else rules.told_on(path, local, cotangent)
                told.setdefault(operand, []).append(pair)
                if careful:
                    paths.setdefault(operand, []).append(path)
    return [found.get(ref, nothing) for ref in targets]


def differentiated(program: Program, wanted: Sequence[int], *, careful: bool = False) -> Program:
    """A program that computes, after its results, their derivatives with respect to `wanted`: a row of them for each result."""
    found = program.copy()
    inputs = [found.inputs[k] for k in wanted]
    if wanted:
        for output in program.outputs:
            found.outputs += gradients(found, output, inputs, careful=careful)
    return rebuilt(found).new


class Local(NamedTuple):
    """A local derivative: a reference (None for the constant 1), and whether 0 means that no path leads through."""

    ref: int | None
    masked: bool = False


class Partials:
    """The partial derivatives of the table as operations of a program."""

    def __init__(self, program: Program, *, careful: bool = False) -> None:
        self.program, self.words = program, words(careful=careful)
        self.rules: dict[Primitive, list[Callable[..., Any] | None]] = {}
        self.one, self.zero = program.constant(1.0), program.constant(0.0)

    def of(self, i: int, row: Primitive, wished: Sequence[bool], *, careful: bool) -> list[Local | None]:
        """The local derivatives of an entry with respect to its operands; None where none is wished or no path leads.

        What was not taken from a table gets 0 times the cotangent, and becomes part of a matrix product; only with `careful` it
        gets 0 whatever the cotangent is.
        """
        operands = [Term(self.program, ref) if ref >= 0 else self.program.number(ref) for ref in self.program.operands[i]]
        out = Term(self.program, i)
        if row not in self.rules:
            self.rules[row] = [self.rule(row, text) for text in row.partials]
        if row.arity is None:
            rule, masked = self.rules[row][0], is_masked(row) and (careful or row is not TAKE)
            partials = rule(operands, out) if rule is not None else [None] * len(operands)
            text = row.partials[0]
            return [self.local(x, text, masked) if wish and x is not None else None for x, wish in zip(partials, wished)]
        return [
            self.local(rule(*operands, out), text, text.endswith(" or None")) if wish and rule is not None else None
            for rule, text, wish in zip(self.rules[row], row.partials, wished)
        ]

    def rule(self, row: Primitive, text: str) -> Callable[..., Any] | None:
        return None if text == "None" else row.evaluate(text.removesuffix(" or None"), self.words, "out")

    def local(self, x: Any, text: str, masked: bool) -> Local:
        return Local(None if text in ("1.0", "[1.0] * len(xs)") else reference(self.program, x), masked)

    def told(self, local: Local, cotangent: int) -> tuple[int | None, int]:
        """A local derivative and a cotangent, such that a masked 0 contributes 0 whatever the cotangent is."""
        ref, program = local.ref, self.program
        if not local.masked or ref is None:
            return ref, cotangent
        if ref >= 0 and program.rows[ref] is GREATER:  # 0 or 1, so that no product is needed
            return None, program.add(WHERE, (ref, cotangent, self.zero))
        if ref >= 0 and program.rows[ref] is WHERE:
            condition, *sides = program.operands[ref]
            if sides == [self.one, self.zero]:
                return None, program.add(WHERE, (condition, cotangent, self.zero))
            if sides == [self.zero, self.one]:
                return None, program.add(WHERE, (condition, self.zero, cotangent))
        return ref, program.add(WHERE, (ref, cotangent, self.zero))

    def any_of(self, paths: Sequence[int | None]) -> int | None:
        """Whether one of these paths is open."""
        given = [path for path in dict.fromkeys(paths) if path is not None]
        if len(given) < len(dict.fromkeys(paths)):
            return None
        return given[0] if len(given) == 1 else self.program.add(SUM, given)

    def both(self, alive: int | None, local: Local) -> int | None:
        """Whether a path leads to an entry, and on through a local derivative."""
        if not local.masked or local.ref is None:
            return alive
        program = self.program
        is_open = program.add(WHERE, (local.ref, self.one, self.zero))
        return is_open if alive is None else program.add(WHERE, (alive, is_open, self.zero))

    def told_on(self, path: int, local: Local, cotangent: int) -> tuple[int | None, int]:
        """A product that counts only where the path is open."""
        product = cotangent if local.ref is None else self.program.add(MUL, (local.ref, cotangent))
        return None, self.program.add(WHERE, (path, product, self.zero))
