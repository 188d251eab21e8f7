"""The room of expressions: trees that become text once, with the brackets that they need and no others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

__all__ = [
    "ANY", "ATOM", "NEGATED", "POWER", "Name", "Node", "Tree", "call", "group", "index", "lines", "literal", "method", "pair",
]  # fmt: skip

# How tightly an expression binds.
ANY, COMPARED, SUM, PRODUCT, NEGATED, POWER, ATOM = range(7)
WIDTH = 96  # of an expression that others are written into


class Name(NamedTuple):
    """The result of another line, or a constant array."""

    name: str


class Node(NamedTuple):
    """A template with places for operands, how tightly it binds, and how tightly each operand must bind."""

    template: str
    operands: tuple[Tree, ...] = ()
    level: int = ATOM
    needs: tuple[int, ...] = ()


Tree = Name | Node


def literal(number: float) -> Node:
    """A number."""
    if number != number:
        return Node("np.nan")
    if number in (float("inf"), float("-inf")):
        return Node("np.inf") if number > 0 else Node("-np.inf", level=NEGATED)
    text = repr(int(number)) + ".0" if number == int(number) and abs(number) < 1e15 and repr(number)[0] != "-" else repr(number)
    return Node(text, level=NEGATED if text[0] == "-" else ATOM)


def call(function: str, *operands: Tree, tail: str = "") -> Node:
    """A function of operands, and of what is written after them."""
    return Node(f"{function}({', '.join(['{}'] * len(operands))}{tail})", operands, ATOM, (ANY,) * len(operands))


def method(tree: Tree, text: str) -> Node:
    """A method or an attribute."""
    return Node(f"{{}}.{text}", (tree,), ATOM, (ATOM,))


def group(*operands: Tree) -> Node:
    """A tuple."""
    inner = ", ".join(["{}"] * len(operands))
    return Node(f"({inner},)" if len(operands) == 1 else f"({inner})", operands, ATOM, (ANY,) * len(operands))


def index(tree: Tree, text: str, *operands: Tree) -> Node:
    """Elements of an array."""
    return Node(f"{{}}[{text}]", (tree, *operands), ATOM, (ATOM, *[ANY] * len(operands)))


def pair(sign: str, left: Tree, right: Tree) -> Node:
    """An operator between two operands, which is applied from left to right."""
    level = {"+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "@": PRODUCT, "**": POWER, ">": COMPARED, "!=": COMPARED}[sign]
    needs = (ATOM, NEGATED) if level == POWER else (SUM, SUM) if level == COMPARED else (level, level + 1)
    return Node(f"{{}} {sign} {{}}", (left, right), level, needs)


def names(tree: Tree) -> Iterator[str]:
    """The names in an expression, as often as they occur."""
    if isinstance(tree, Name):
        yield tree.name
    else:
        for operand in tree.operands:
            yield from names(operand)


def written(tree: Tree, of: Callable[[str], tuple[str, int]]) -> tuple[str, int]:
    """The text of an expression and how tightly it binds; `of` tells both of a name."""
    if isinstance(tree, Name):
        return of(tree.name)
    if not tree.operands:
        return tree.template, tree.level
    texts = []
    for operand, need in zip(tree.operands, tree.needs):
        text, level = written(operand, of)
        texts.append(text if level >= need else f"({text})")
    return tree.template.format(*texts), tree.level


def lines(statements: list[tuple[str, Tree]], returned: Tree) -> tuple[list[tuple[str, str]], str]:
    """Names with the text of their expressions, and what is returned. What is used once is written where it is used, while lines
    stay short; what nobody uses is left out.
    """
    uses: dict[str, int] = {}
    for name in names(returned):
        uses[name] = uses.get(name, 0) + 1
    kept = []
    for name, tree in reversed(statements):
        if name in uses:
            kept.append((name, tree))
            for used in names(tree):
                uses[used] = uses.get(used, 0) + 1
    waiting: dict[str, tuple[str, int]] = {}
    found: list[tuple[str, str]] = []

    def of(name: str) -> tuple[str, int]:
        return waiting.get(name) or (name, ATOM)

    def settled(tree: Tree, width: int) -> tuple[str, int]:
        """The text of an expression, with what waits written into it as long as it is short enough."""
        here = [name for name in dict.fromkeys(names(tree)) if name in waiting]
        text, level = written(tree, of)
        length, kept = len(text), set[str]()
        for name in sorted(here, key=lambda name: -len(waiting[name][0])):
            if length > width:
                length -= len(waiting[name][0]) - len(name)
                kept.add(name)
        for name in here:
            if name in kept:
                found.append((name, waiting.pop(name)[0]))
        if kept:
            text, level = written(tree, of)
        here = [name for name in here if name in waiting]
        for name in here:
            del waiting[name]
        return text, level

    for name, tree in reversed(kept):
        text, level = settled(tree, WIDTH)
        if uses[name] == 1 and len(text) < WIDTH - 20:
            waiting[name] = text, level
        else:
            found.append((name, text))
    return found, settled(returned, 0)[0]
