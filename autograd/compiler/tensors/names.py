"""The room of names: what the arrays of a program are called, after results, inputs, scopes, or what made them."""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from autograd.compiler.program import Program
from autograd.compiler.recover import Group, Tensors
from autograd.ops import TABLE

__all__ = ["chosen", "stem"]

KINDS = {"dot": "z", "relu": "h", "sum": "s", "where": "d", "greater": "m", "add": "a", "sub": "a", "mul": "p", "div": "q",
         "total": "t", "total_dot": "t"}  # fmt: skip
RESERVED = {"np", "inputs", "batch_size", "program", "spread", "logsumexp", "masked"}


def chosen(tensors: Tensors, buffers: Mapping[str, Any], results: Mapping[str, Sequence[int]]) -> dict[str, str]:
    """Names of all buffers: of the result that they are, of the scope that made them, or of what they do."""
    wanted = {}
    for name, refs in results.items():
        home = tensors.home[refs[0]] if refs[0] >= 0 else -1
        if home >= 0 and len(tensors.blocks[home].entries) == len(refs):
            wanted[str(home)] = name
    counts: Counter[str] = Counter()
    found: dict[str, str] = {}
    given: set[str] = set()
    for key, buffer in buffers.items():
        block = buffer.block
        if isinstance(block, Group):
            name = wanted.get(key) or stem(tensors.program, block)
        else:
            name = "x" if block is None else block.name
        counts[name] += 1
        if (block is None or isinstance(block, Group)) and (counts[name] > 1 or len(name) == 1 or name[-1] == "_"):
            name = f"{name}{counts[name]}"
        while name in given or is_reserved(name):
            name += "_"
        given.add(name)
        found[key] = name
    return found


def stem(program: Program, group: Group) -> str:
    """The first part of the name of a group; a number may follow."""
    kind = KINDS.get(group.row.name, f"{group.row.name}_")
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
    """Whether a program uses this name for something else than an array."""
    return name in RESERVED or name in TABLE or keyword.iskeyword(name) or re.fullmatch(r"[CIM]\d+", name) is not None
