"""The room of texts: what printers of programs share.

Offsets in memory, names that are not taken yet, and generated programs as functions, which `inspect.getsource`, the debugger and
tracebacks can show.
"""

from __future__ import annotations

import linecache
import re
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, NamedTuple

__all__ = ["Names", "Text", "offset", "run"]

READING = re.compile(r"= inputs(\[|$)")  # a line that gives a part of the inputs a name
numbers = count(1)


def run(source: str, words: dict[str, Any], name: str = "program") -> Callable[..., Any]:
    """The function of this name in a text, in which names mean `words`. Its lines are known for as long as it lives."""
    file = f"<autograd {name} {next(numbers)}>"
    linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    exec(compile(source, file, "exec"), words)
    function: Callable[..., Any] = words.pop(name)  # lest the function and its globals keep each other alive
    weakref.finalize(function, linecache.cache.pop, file, None).atexit = False
    return function


def offset(strides: Sequence[int], index: Sequence[str], start: int = 0) -> str:
    """How far an element is from the start of its operand.

    >>> offset((16, 1), ("i0 + 2", "8"), 5), offset((0, -2), ("i", "j"))
    ('16 * (i0 + 2) + 13', '-2 * j')
    """
    text = ""
    for stride, i in zip(strides, index):
        if stride and i.isdigit():
            start += stride * int(i)
        elif stride:
            factor = f"{abs(stride)} * " if abs(stride) > 1 else ""
            part = factor + (i if i.isidentifier() or i[-1] == ")" or (not factor and stride > 0) else f"({i})")
            text = f"{text} {'+' if stride > 0 else '-'} {part}" if text else part if stride > 0 else f"-{part}"
    return f"{text} {'+' if start > 0 else '-'} {abs(start)}" if text and start else text or str(start)


class Text(NamedTuple):
    """A printed program: its text, the tables of places and constants in it, and the words it uses, as functions of floats."""

    source: str
    tables: dict[str, Any]
    words: dict[str, Any]
    gathers: list[str]

    @property
    def lines(self) -> list[str]:
        """The lines that compute something."""
        return [line for line in self.source.splitlines() if " = " in line and not READING.search(line)] or ["return"]

    def function(self, words: Mapping[str, Any] | None = None) -> Callable[..., Any]:
        """The text as a function, in which its words mean others if these are given."""
        return run(self.source, {**(self.words if words is None else words), **self.tables})


class Names:
    """Names that nothing else has, one for each thing."""

    def __init__(self, taken: Iterable[str]) -> None:
        self.taken = set(taken)
        self.known: dict[tuple[str, Hashable], str] = {}
        self.numbered: dict[str, Iterator[int]] = {}

    def of(self, prefix: str, thing: Hashable = None) -> tuple[str, bool]:
        """The name of a thing, and whether it is new; without a thing it always is."""
        key = prefix, thing
        if key in self.known:
            return self.known[key], False
        numbers = self.numbered.setdefault(prefix, count(1))
        name = next(name for name in map(f"{prefix}{{}}".format, numbers) if name not in self.taken)
        if thing is not None:
            self.known[key] = name
        return name, True
