"""The room of views: how the operands of a group are written, as whole blocks, slices, rows or, if need be, gathers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.compiler.recover import Block, Shape, Tensors, prod

__all__ = ["Views"]


class Views:
    """Writes lists of references as NumPy expressions of a wanted shape; constants and index tables are collected.

    An expression of a block with a batch axis has that axis last, after the wanted shape.
    """

    def __init__(self, tensors: Tensors) -> None:
        self.tensors, self.program = tensors, tensors.program
        self.tables: dict[str, Any] = {}  # constant arrays, by name
        self.names: dict[Any, str] = {}
        self.gathers: list[str] = []  # what had to be gathered, for the summary
        self.offsets: dict[int, int] = {-1: 0}  # where the blocks of inputs begin, and (-1) where they end
        for k, block in enumerate(tensors.blocks):
            if block in tensors.inputs and not block.batched:
                self.offsets[k], self.offsets[-1] = self.offsets[-1], self.offsets[-1] + len(block.entries)

    def table(self, prefix: str, entries: Sequence[float], shape: Shape) -> str:
        """The name of a constant array."""
        key = (prefix, tuple(map(repr, entries)), shape)
        if key not in self.names:
            name = f"{prefix}{sum(n.startswith(prefix) for n in self.tables) + 1}"
            self.names[key], self.tables[name] = name, (list(entries), shape)
        return self.names[key]

    def is_batched(self, refs: Sequence[int]) -> bool:
        """Whether any of these has a batch axis."""
        blocks, home = self.tensors.blocks, self.tensors.home
        return any(blocks[k].batched for k in {home[ref] for ref in refs if ref >= 0})

    def write(self, refs: Sequence[int], shape: Shape, *, spread: bool = True) -> str:
        """References as an expression of this shape; with `spread`, anything that broadcasts to the shape will do."""
        if refs[0] < 0 and max(refs) < 0:
            return self.constant(refs, shape, spread=spread)
        if spread and len(shape) == 2:
            rows, columns = shape
            if rows > 1 and all(refs[k] == refs[k % columns] for k in range(len(refs))):
                return self.write(refs[:columns], (columns,))
            if columns > 1 and all(refs[k] == refs[k - k % columns] for k in range(len(refs))):
                return f"{self.write(refs[::columns], (rows,), spread=False)}[:, None]"  # a batch axis stays last
        if spread and len(shape) == 1 and len(refs) > 1 and len(set(refs)) == 1:
            return self.write(refs[:1], ())
        home, place = self.tensors.home, self.tensors.place
        homes = {home[ref] if ref >= 0 else -1 for ref in refs}
        if len(homes) == 1:
            block = self.tensors.blocks[homes.pop()]
            return self.part(block, [place[ref] for ref in refs], shape)
        return self.joined(refs, shape)

    def constant(self, refs: Sequence[int], shape: Shape, *, spread: bool) -> str:
        """Constants: a number where they are all the same, else a table."""
        numbers = [self.program.number(ref) for ref in refs]
        if spread and len(set(refs)) == 1:
            return literal(numbers[0])
        if spread and len(shape) == 2:
            rows, columns = shape
            if all(refs[k] == refs[k % columns] for k in range(len(refs))):
                numbers, shape = numbers[:columns], (columns,)
            elif all(refs[k] == refs[k - k % columns] for k in range(len(refs))):
                numbers, shape = numbers[::columns], (rows, 1)
        return self.table("C", numbers, shape) if shape else literal(numbers[0])

    def part(self, block: Block, places: list[int], shape: Shape) -> str:
        """Places of one block."""
        name, whole, tail = block.name, block.shape, (-1,) if block.batched else ()
        n = len(places)
        if not whole:
            if not shape:
                return name
            one = f"{name}[None]"
            return self.shaped(one, (1,), shape, tail) if n == 1 else f"{one}[{self.table('I', places, shape)}]"
        start = places[0]
        if n == 1 and not shape:
            return f"{name}[{', '.join(map(str, unravel(start, whole)))}]"
        step = places[1] - start if n > 1 else 1
        if step > 0 and all(places[k] == start + k * step for k in range(n)):
            if step == 1:
                if n == prod(whole):
                    return self.shaped(name, whole, shape, tail)
                width = prod(whole[1:])
                if start % width == 0 and n % width == 0:
                    first, last = start // width, (start + n) // width
                    if n == width and len(whole) > 1:
                        return self.shaped(f"{name}[{first}]", whole[1:], shape, tail)
                    return self.shaped(f"{name}[{first}:{last}]", (n // width, *whole[1:]), shape, tail)
            elif len(whole) == 2 and (step, n) == (whole[1], whole[0]) and start < whole[1]:
                return self.shaped(f"{name}[:, {start}]", (n,), shape, tail)
            if len(whole) == 2 and step == 1 and start // whole[1] == (start + n - 1) // whole[1]:
                row, low = divmod(start, whole[1])
                return self.shaped(f"{name}[{row}, {low}:{low + n}]", (n,), shape, tail)
            flat = self.flat(block)
            return self.shaped(f"{flat}[{start}:{places[-1] + 1}{f':{step}' if step > 1 else ''}]", (n,), shape, tail)
        if len(whole) == 2 and len(shape) == 2:
            rows, columns = shape
            turned = [j * rows + i for i in range(rows) for j in range(columns)]
            if (columns, rows) == whole and places == turned:
                return f"{name}.T" if not block.batched else f"{name}.swapaxes(0, 1)"
            left, top = start % whole[1], start // whole[1]
            inside = left + columns <= whole[1] and top + rows <= whole[0]
            if inside and places == [start + i * whole[1] + j for i in range(rows) for j in range(columns)]:
                return f"{name}[{span(top, top + rows, whole[0])}, {left}:{left + columns}]"
        if len(whole) == 2 and len(shape) == 3 and not block.batched:  # parts of rows side by side, as heads of an attention
            outer, rows, columns = shape
            left, top = start % whole[1], start // whole[1]
            right = left + outer * columns
            split = [
                start + i * whole[1] + h * columns + j for h in range(outer) for i in range(rows) for j in range(columns)
            ]  # fmt: skip
            if top + rows <= whole[0] and right <= whole[1] and places == split:
                whole_rows = (top, rows) == (0, whole[0])
                part = f"{name}[{span(top, top + rows, whole[0])}, {left}:{right}]"
                source = name if whole_rows and right - left == whole[1] else part
                return f"{source}.reshape({rows}, {outer}, {columns}).swapaxes(0, 1)"
        self.gathers.append(name)
        return f"{self.flat(block)}[{self.table('I', places, shape)}]"

    def flat(self, block: Block) -> str:
        """A block along one axis."""
        if len(block.shape) == 1:
            return block.name
        return self.shaped(block.name, block.shape, (prod(block.shape),), (-1,) if block.batched else ())

    def shaped(self, text: str, has: Shape, wants: Shape, tail: Shape) -> str:
        """An expression of one shape in another."""
        if has == wants:
            return text
        if not wants:
            return f"{text}[{', '.join('0' for _ in has)}]"
        if len(wants) == 1 and not tail:
            return f"{text}.ravel()"
        return f"{text}.reshape({', '.join(map(str, (*wants, *tail)))})"

    def joined(self, refs: Sequence[int], shape: Shape) -> str:
        """References to several blocks: the blocks one after the other, and a gather from that if need be."""
        blocks, home, place = self.tensors.blocks, self.tensors.home, self.tensors.place
        batched = self.is_batched(refs)
        places = [self.offsets.get(home[ref], -len(refs)) + place[ref] if ref >= 0 else -1 for ref in refs]
        if places[0] >= 0 and places == list(range(places[0], places[0] + len(refs))):  # inputs, side by side
            whole = len(refs) == self.offsets[-1]
            return self.shaped("inputs" if whole else f"inputs[{places[0]}:{places[-1] + 1}]", (len(refs),), shape, ())
        pieces, offsets, size = [], {}, 0
        for k in dict.fromkeys(home[ref] for ref in refs if ref >= 0):
            block = blocks[k]
            text = self.flat(block) if block.shape else f"{block.name}[None]"
            if batched and not block.batched:
                text = f"spread({text}, batch_size)"
            pieces.append(text)
            offsets[k], size = size, size + len(block.entries)
        constants = {ref: k for k, ref in enumerate(dict.fromkeys(ref for ref in refs if ref < 0))}
        if constants:
            text = self.table("C", [self.program.number(ref) for ref in constants], (len(constants),))
            pieces.append(f"spread({text}, batch_size)" if batched else text)
        places = [offsets[home[ref]] + place[ref] if ref >= 0 else size + constants[ref] for ref in refs]
        text = f"np.concatenate(({', '.join(pieces)}))"
        tail = (-1,) if batched else ()
        if places == list(range(size + len(constants))):
            return self.shaped(text, (len(places),), shape, tail)
        self.gathers.append(" and ".join(pieces))
        return f"{text}[{self.table('I', places, shape)}]"


def literal(number: float) -> str:
    if number != number:
        return "np.nan"
    if number in (float("inf"), float("-inf")):
        return "np.inf" if number > 0 else "-np.inf"
    return repr(int(number)) + ".0" if number == int(number) and abs(number) < 1e15 and repr(number)[0] != "-" else repr(number)


def unravel(place: int, shape: Shape) -> list[int]:
    found: list[int] = []
    for size in reversed(shape):
        place, rest = divmod(place, size)
        found.append(rest)
    return found[::-1]


def span(low: int, high: int, size: int) -> str:
    return ":" if (low, high) == (0, size) else f"{low}:{high}"

