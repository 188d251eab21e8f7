"""The room of views: how the operands of a group are written, as whole blocks, slices, rows or, if need be, gathers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd.compiler.recover import Block, Group, Shape, Tensors, prod

__all__ = ["Views"]

MANY = 64  # blocks that are written one after the other


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
            if not isinstance(block, Group) and not block.batched:
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
        home = self.tensors.home
        homes = {home[ref] if ref >= 0 else -1 for ref in refs}
        if len(homes) == 1:
            block = self.tensors.blocks[homes.pop()]
            return self.part(block, self.places(refs), shape)
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
        """Places of one block, gathered if no view of it will do."""
        text = self.view(block, places, shape)
        if text is None:
            self.gathers.append(f"{len(places)} numbers of {block.name}, in an order that no slice describes")
            text = f"{self.flat(block)}[{self.table('I', places, shape)}]"
        return text

    def view(self, block: Block, places: list[int], shape: Shape) -> str | None:
        """Places of one block as a view of it; None if there is none."""
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
            top, left = divmod(start, whole[1])
            if left + columns <= whole[1] and top + rows <= whole[0] and places == grid(start, whole[1], rows, 1, columns):
                return corner(name, whole, (top, top + rows), (left, left + columns))
            if left + rows <= whole[1] and top + columns <= whole[0] and places == grid(start, 1, rows, whole[1], columns):
                text = corner(name, whole, (top, top + columns), (left, left + rows))
                return f"{text}.T" if not block.batched else f"{text}.swapaxes(0, 1)"
        if len(whole) == 2 and len(shape) == 3 and not block.batched:  # parts of rows side by side, as heads of an attention
            outer, rows, columns = shape
            top, left = divmod(start, whole[1])
            right = left + outer * columns
            split = [place for h in range(outer) for place in grid(start + h * columns, whole[1], rows, 1, columns)]
            if top + rows <= whole[0] and right <= whole[1] and places == split:
                source = corner(name, whole, (top, top + rows), (left, right))
                return f"{source}.reshape({rows}, {outer}, {columns}).swapaxes(0, 1)"
        return None

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
        places = [self.offsets[home[ref]] + place[ref] if ref >= 0 and home[ref] in self.offsets else -1 for ref in refs]
        if places[0] >= 0 and places == list(range(places[0], places[0] + len(refs))):  # inputs, side by side
            whole = len(refs) == self.offsets[-1]
            return self.shaped("inputs" if whole else f"inputs[{places[0]}:{places[-1] + 1}]", (len(refs),), shape, ())
        if (text := self.stacked(refs, shape)) is not None:
            return text
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
        self.gathers.append(f"{len(places)} numbers of {', '.join(pieces)}, which are mixed in them")
        return f"{text}[{self.table('I', places, shape)}]"

    def stacked(self, refs: Sequence[int], shape: Shape) -> str | None:
        """Views of several blocks one below the other, or side by side; None if that will not do."""
        if len(shape) != 2 or shape[1] == 1:
            text = self.below(refs, (len(refs),))
            return text and self.shaped(text, (len(refs),), shape, (-1,) if self.is_batched(refs) else ())
        rows, columns = shape
        text = self.below(refs, shape)
        if text is not None or rows == 1:
            return text
        text = self.below([ref for j in range(columns) for ref in refs[j::columns]], (columns, rows))
        return None if text is None else f"{text}.swapaxes(0, 1)" if self.is_batched(refs) else f"{text}.T"

    def below(self, refs: Sequence[int], shape: Shape) -> str | None:
        """Views of several blocks one below the other; None if a row is in several blocks, or the blocks are many."""
        width = prod(shape[1:])
        parts = self.runs([refs[k : k + width] for k in range(0, len(refs), width)])
        if not 0 < len(parts) <= MANY or len(set(map(self.is_batched, parts))) > 1:
            return None
        vectors = len(shape) == 2 and all(len(part) == width for part in parts)
        texts: list[str] = []
        for part in parts:
            own = (len(part),) if vectors or len(shape) == 1 else (len(part) // width, width)
            if part[0] < 0:
                texts.append(self.constant(part, own, spread=False))
            elif (text := self.view(self.tensors.blocks[self.tensors.home[part[0]]], self.places(part), own)) is None:
                return None
            else:
                texts.append(text)
        return f"np.{'stack' if vectors else 'concatenate'}(({', '.join(texts)}))"

    def places(self, refs: Sequence[int]) -> list[int]:
        """Where references are in their block."""
        return [self.tensors.place[ref] for ref in refs]

    def runs(self, rows: Sequence[Sequence[int]]) -> list[list[int]]:
        """Rows of references with those that follow in the same block; none if a row is of several blocks."""
        home, last = self.tensors.home, None
        found: list[list[int]] = []
        for row in rows:
            homes = {home[ref] if ref >= 0 else -1 for ref in row}
            if len(homes) > 1:
                return []
            if homes != last:
                found.append([])
            last = homes
            found[-1] += row
        return found


def grid(start: int, step: int, rows: int, stride: int, columns: int) -> list[int]:
    """The places start + i * step + j * stride."""
    return [start + i * step + j * stride for i in range(rows) for j in range(columns)]


def corner(name: str, whole: Shape, rows: tuple[int, int], columns: tuple[int, int]) -> str:
    """Some rows and columns of a matrix."""
    parts = [span(*rows, whole[0]), span(*columns, whole[1])]
    while parts and parts[-1] == ":":
        parts.pop()
    return f"{name}[{', '.join(parts)}]" if parts else name


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

