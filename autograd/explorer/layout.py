"""The room of layout: where the boxes of a layered drawing stand, left to right, without Graphviz and in near linear time."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Layout", "layered"]

GAP, WIDE_GAP, ROW_GAP, THREAD = 56, 110, 14, 8  # between columns, at most; between boxes; the height of a passing link
SWEEPS = 6
LONGEST = 12  # links over more columns are drawn straight where a drawing has more passages than boxes
Pair = tuple[int, int]


class Layout(NamedTuple):
    """Centres of boxes, the size of the drawing, and where links over several columns pass: (left, right, y) for each column."""

    x: list[int]
    y: list[int]
    size: Pair
    routes: dict[Pair, list[tuple[int, int, int]]]


def layered(sizes: Sequence[Pair], links: Sequence[Pair]) -> Layout:
    """A layered drawing (Sugiyama, 1981) of boxes with these widths and heights.

    Columns are longest paths; leaves stand just before their first use. Long links pass through every column between, links of
    one box on one thread. Boxes are ordered by the barycentres of their neighbours, and stand as near to those as the order
    allows. A link that would lead backward on a cycle is drawn straight.

    >>> drawing = layered([(40, 20)] * 3, [(0, 2), (1, 2)])
    >>> drawing.x[0] == drawing.x[1] < drawing.x[2]
    True
    """
    columns = column_of(len(sizes), links)
    net = Net(sizes, links, columns)
    order = net.ordered()
    y = net.settled(order)
    crossing = [0] * len(order)  # links between a column and the next
    for source, target in net.threads:
        crossing[net.columns[source]] += target >= 0
    lefts, rights, x = [], [], 0
    for column, places in enumerate(order):
        width = max([sizes[place][0] for place in places if place < len(sizes)], default=0)
        lefts.append(x)
        rights.append(x + width)
        x += width + min(WIDE_GAP, GAP + crossing[column])
    top = round(min(y[place] - net.heights[place] / 2 for place in range(len(y))))
    height = round(max(y[place] + net.heights[place] / 2 for place in range(len(y)))) - top
    routes = {
        link: [(lefts[net.columns[place]], rights[net.columns[place]], round(y[place]) - top) for place in passages]
        for link, passages in net.passages.items()
    }
    centres = [(lefts[column] + rights[column]) // 2 for column in columns]
    return Layout(centres, [round(y[place]) - top for place in range(len(sizes))], (rights[-1], height), routes)


def column_of(count: int, links: Sequence[Pair]) -> list[int]:
    """The column of every box: the longest path that leads to it; cycles are broken at their first box."""
    after: list[list[int]] = [[] for _ in range(count)]
    waiting = [0] * count
    for source, target in links:
        after[source].append(target)
        waiting[target] += 1
    columns = [0] * count
    leaves = [place for place in range(count) if not waiting[place]]
    ready, done, next_blocked = leaves[:], [False] * count, 0
    order: list[int] = []
    heapify(ready)
    while len(order) < count:
        if not ready:
            while done[next_blocked]:
                next_blocked += 1
            ready.append(next_blocked)
        place = heappop(ready)
        if done[place]:
            continue
        done[place] = True
        order.append(place)
        for target in after[place]:
            if not done[target]:
                columns[target] = max(columns[target], columns[place] + 1)
                waiting[target] -= 1
                if not waiting[target]:
                    heappush(ready, target)
    for place in leaves:
        columns[place] = min([columns[target] for target in after[place]], default=1) - 1
    return columns


class Net:
    """Boxes and the passages of long links, as one net in which every thread leads from a column to the next."""

    def __init__(self, sizes: Sequence[Pair], links: Sequence[Pair], columns: Sequence[int]) -> None:
        self.columns = list(columns)
        self.heights = [height for _, height in sizes]
        self.threads: list[Pair] = []
        self.passages: dict[Pair, list[int]] = {}
        reach = [0] * len(sizes)
        for source, target in links:
            reach[source] = max(reach[source], columns[target] - columns[source] - 1)
        longest = max(reach, default=0) if sum(reach) <= 4 * len(sizes) + 200 else LONGEST
        passage_of: dict[Pair, int] = {}
        for source, target in links:
            span = columns[target] - columns[source]
            if not 0 < span <= longest + 1:
                continue
            before = source
            for column in range(columns[source] + 1, columns[target]):
                if (place := passage_of.get((source, column))) is None:
                    passage_of[source, column] = place = len(self.columns)
                    self.columns.append(column)
                    self.heights.append(THREAD)
                    self.threads.append((before, place))
                before = place
                self.passages.setdefault((source, target), []).append(place)
            self.threads.append((before, target))
        self.before: list[list[int]] = [[] for _ in self.columns]
        self.after: list[list[int]] = [[] for _ in self.columns]
        for source, target in self.threads:
            self.before[target].append(source)
            self.after[source].append(target)

    def ordered(self) -> list[list[int]]:
        """The places of every column from top to bottom: of a few sweeps, the order with the fewest crossings."""
        order: list[list[int]] = [[] for _ in range(max(self.columns) + 1)]
        for place, column in enumerate(self.columns):
            order[column].append(place)
        best, fewest = order, self.crossings(order)
        for sweep in range(SWEEPS):
            forward = sweep % 2 == 1  # the first looks from the root back
            neighbours = self.before if forward else self.after
            order = order[:] if forward else order[::-1]
            position = [0.0] * len(self.columns)
            for i, places in enumerate(order):
                for row, place in enumerate(places):
                    around = neighbours[place]
                    own = (row + 0.5) / len(places)
                    position[place] = sum([position[other] for other in around]) / len(around) if around else own
                order[i] = places = sorted(places, key=position.__getitem__)
                for row, place in enumerate(places):
                    position[place] = (row + 0.5) / len(places)
            order = order if forward else order[::-1]
            if (count := self.crossings(order)) < fewest:
                best, fewest = order, count
        return best

    def crossings(self, order: Sequence[Sequence[int]]) -> int:
        """How many pairs of threads cross: inversions, counted with a Fenwick tree."""
        row = [0] * len(self.columns)
        for places in order:
            for i, place in enumerate(places):
                row[place] = i
        count = 0
        for places, following in pairwise(order):
            tree = [0] * (len(following) + 1)
            seen = 0
            for place in places:
                ends = [row[target] + 1 for target in self.after[place]]
                for end in ends:
                    count += seen
                    while end:
                        count -= tree[end]
                        end -= end & -end
                for end in ends:
                    while end <= len(following):
                        tree[end] += 1
                        end += end & -end
                seen += len(ends)
        return count

    def settled(self, order: Sequence[Sequence[int]]) -> list[float]:
        """The height at which everything stands: near its neighbours, in this order, without overlap."""
        y = [0.0] * len(self.columns)
        for places in order:
            self.settle(places, [0.0] * len(places), y)
        both = [before + after for before, after in zip(self.before, self.after)]
        for neighbours, direction in ((self.before, 1), (self.after, -1), (both, 1), (both, -1), (both, 1), (both, -1)):
            for places in order[::direction]:
                wanted = [
                    sum([y[other] for other in neighbours[place]]) / len(neighbours[place]) if neighbours[place] else y[place]
                    for place in places
                ]
                self.settle(places, wanted, y)
        return y

    def settle(self, places: Sequence[int], wanted: Sequence[float], y: list[float]) -> None:
        """Write the heights nearest to the wanted ones, by least squares, that keep order and distance: neighbours are pooled."""
        offsets, offset = [], 0.0
        for i, place in enumerate(places):
            if i:
                offset += (self.heights[places[i - 1]] + self.heights[place]) / 2 + ROW_GAP
            offsets.append(offset)
        blocks: list[tuple[float, int]] = []  # the sum of wanted heights less offsets, and how many
        for want, offset in zip(wanted, offsets):
            total, count = want - offset, 1
            while blocks and blocks[-1][0] * count >= total * blocks[-1][1]:
                above, many = blocks.pop()
                total, count = total + above, count + many
            blocks.append((total, count))
        i = 0
        for total, count in blocks:
            for _ in range(count):
                y[places[i]] = total / count + offsets[i]
                i += 1
