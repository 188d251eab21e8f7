"""The room of the network's picture: columns of circles, weights as lines between them, in SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from string import Template
from typing import Any, NamedTuple

from autograd import Value
from nn.columns import LINEAR, Block, Column, Run
from nn.linear import flatten

__all__ = ["Picture"]

# The colours of the page of autograd.explore; in that page they are its variables of these names.
LIGHT = {
    "paper": "#ffffff", "ink": "#1b1b1b", "soft": "#555b63", "line": "#858b93", "bad": "#b00020", "mark": "#7a1fa2",
    "orange": "#e07b16", "blue": "#3f7fc0", "z": "#f4f4f4",
    "p1": "#fee8d3", "p2": "#fdcf9f", "p3": "#fbb269", "p4": "#f28e2b",
    "n1": "#dbe9f6", "n2": "#b5d3ec", "n3": "#86b8e0", "n4": "#5a9bd4",
}  # fmt: skip
DARK = {
    "paper": "#16191d", "ink": "#f2f2f2", "soft": "#b3bac3", "line": "#7d858f", "bad": "#ff8a95", "mark": "#d9a6f5",
    "orange": "#d98a2b", "blue": "#5a9bd4", "z": "#262b31",
    "p1": "#3a2a18", "p2": "#573a14", "p3": "#774b0c", "p4": "#955c08",
    "n1": "#1a2c3e", "n2": "#1f4263", "n3": "#235787", "n4": "#276ba8",
}  # fmt: skip
PAGE = {name: f"var(--{name})" for name in LIGHT}
STYLE = Template("""
.network text { font: 12px Helvetica, Arial, sans-serif; fill: $ink; text-anchor: middle }
.network .head { font-weight: bold } .network .soft { font-size: 11px; fill: $soft }
.network .name { text-anchor: end } .network .result { text-anchor: start } .network .number { font-size: 10px }
.network .halo { paint-order: stroke; stroke: $paper; stroke-width: 5px; stroke-linejoin: round }
.network .paper { fill: $paper } .network .dots, .network .arrow { fill: $line }
.network line { stroke: $line; stroke-linecap: round } .network .none { stroke-dasharray: 3 3; stroke-width: 0.6; opacity: 0.5 }
.network circle, .network .block { fill: $z; stroke: $line; stroke-width: 1.2 } .network .dots { stroke: none }
.network .p1 circle { fill: $p1 } .network .p2 circle { fill: $p2 }
.network .p3 circle { fill: $p3 } .network .p4 circle { fill: $p4 }
.network .n1 circle { fill: $n1 } .network .n2 circle { fill: $n2 }
.network .n3 circle { fill: $n3 } .network .n4 circle { fill: $n4 }
.network .p { stroke: $orange } .network .n { stroke: $blue } .network .odd { stroke: $bad; stroke-width: 3 }
""")
LINKED = Template("""
.network .neuron[role="button"] { outline: none }
.network .neuron[role="button"]:hover circle { stroke: $soft !important; stroke-width: 4px !important }
.network .neuron:focus-visible circle { stroke: $mark !important; stroke-width: 4.5px !important }
.network .neuron[aria-current] circle { stroke: $mark !important; stroke-width: 4.5px !important }
.network .live circle { stroke: $ink !important; stroke-width: 4px !important }
""")
RADIUS, APART = 20.0, 165.0  # of a circle; from column to column
LETTER = 6.4  # the width of a letter of a name
LONGEST = 24  # letters of a name
FEW = 3  # up to so many circles on both sides, the numbers of weights are written on the lines
CROWD = 50  # more lines than this between two columns are thinner


class Spot(NamedTuple):
    """A circle that is drawn: a neuron, or an input."""

    place: int  # in its column
    x: float
    y: float


class Picture:
    """Columns and blocks of a network, drawn from left to right.

    `most` circles of a column are drawn. With `gradients`, lines and numbers are gradients. `linked` is for the page: colours
    are its variables, and every circle says where in the graph it is.
    """

    def __init__(self, parts: Sequence[Column | Block], most: int, gradients: bool, linked: bool, title: str) -> None:
        self.parts, self.most, self.gradients, self.linked, self.title = parts, most, gradients, linked, title
        self.columns = [part for part in parts if isinstance(part, Column)]
        tallest = max(len(shown(count, most)) for column in self.columns for count in (len(column.weights), column.inputs))
        self.step = 66.0 if tallest <= 6 else 54.0 if tallest <= 10 else 45.0
        self.top = 78.0 if title else 52.0
        self.bottom = self.top + tallest * self.step
        self.middle = (self.top + self.bottom) / 2.0
        carried = [self.carried(w) for column in self.columns for row in column.weights for w in row]
        self.weight_size, self.flat = size_of(carried), not any(carried)
        self.bias_size = size_of([b.data for column in self.columns for b in column.biases if b is not None])
        self.lines: list[str] = []
        self.spots: list[str] = []
        self.texts: list[str] = []
        self.x = 0.0  # of the last column, or the right end of the last block less a radius

    def carried(self, weight: Value) -> float:
        """What a line shows."""
        return float(weight.grad) if self.gradients else weight.data

    def drawn(self, x: Sequence[Any] | None, runs: Sequence[Run | None], inputs: Sequence[str], outputs: Sequence[str]) -> str:
        """The whole picture, with the numbers of a sample if there is one."""
        first = self.parts[0]
        given = None if x is None else flatten(x)
        # If a block comes first, only a sample tells how many numbers it takes.
        count = first.inputs if isinstance(first, Column) else len(given) if given is not None else 0
        last = len(self.columns[-1].weights)
        require_names(inputs, count, "inputs")
        require_names(outputs, last, "outputs")
        names = list(inputs) or [getattr(value, "label", "") or f"x{i + 1}" for i, value in enumerate(given or [None] * count)]
        self.x = max(50.0, 20.0 + RADIUS + (room_for(names) if count else 0.0))
        spots = self.numbers("inputs", count, given, names) if count else []
        for part, ran in zip(self.parts, runs):
            if isinstance(part, Block):
                self.block(part.name, arrives=part is not first or bool(spots))
                spots = []
                continue
            if not spots:
                self.x += 0.62 * APART
                self.arrow(self.x - 0.62 * APART + RADIUS + 6, self.x - RADIUS - 6)
                spots = self.numbers("", part.inputs, None if ran is None else ran.inputs, [])
            spots = self.neurons(part, ran, spots)
        for i, x_, y in spots if outputs else []:
            self.text("result", x_ + RADIUS + 7, y + 4, clipped(outputs[i]))
        return self.written(self.x + max(60.0, RADIUS + 20.0 + (room_for(outputs) if outputs else 0.0)), x is not None)

    def numbers(self, title: str, count: int, given: Sequence[Any] | None, names: Sequence[str]) -> list[Spot]:
        """A column of numbers that no neuron makes."""
        spots = self.column(title, count, f"{count} number{'s' * (count > 1)}")
        holds = None if given is None or self.gradients else [float(number) for number in given]
        size = size_of(holds or [])
        for i, x, y in spots:
            name = names[i] if names else ""
            words = (name or f"number {i}") + ("" if holds is None else f" = {holds[i]!r}")
            place = f' data-scope="" data-value="{escape(name)}"' if self.linked and name else ""
            self.circle(x, y, None if holds is None else holds[i], size, words, place)
            self.text("name", x - RADIUS - 7, y + 4, clipped(name))
        return spots

    def neurons(self, part: Column, ran: Run | None, before: list[Spot]) -> list[Spot]:
        """A column of neurons, and the lines to it."""
        self.x += APART
        count = len(part.weights)
        kind = "" if part.activation == LINEAR else f", {part.activation}"
        spots = self.column(part.name, count, f"{count} neuron{'s' * (count > 1)}{kind}")
        self.connect(part, before, spots)
        size = size_of([b.grad for b in part.biases if b is not None] if self.gradients else ran.outputs if ran else [])
        for i, x, y in spots:
            bias, words, number, ring = part.biases[i], f"{part.name}, neuron {i}", None, None
            if self.gradients and bias is not None:
                number = float(bias.grad)
                words += f", gradient of its sum {number!r}"
            elif not self.gradients:
                if ran is not None:
                    number = ran.outputs[i]
                    words += f", gives {number!r}"
                if bias is not None:
                    ring = bias.data
                    words += f", bias {ring!r}"
            place = ""
            if self.linked and ran is not None:
                place = f' data-scope="{escape("/".join(ran.scopes[i]))}"'
            self.circle(x, y, number, size, words, place, ring)
        return spots

    def column(self, title: str, count: int, words: str) -> list[Spot]:
        """Where the circles of a column stand; writes its head, and dots for those that are left out."""
        self.text("head", self.x, self.top - 26, clipped(title))
        self.text("soft", self.x, self.top - 10, words)
        spots, rows = [], shown(count, self.most)
        for row, i in enumerate(rows):
            y = self.middle + (row - (len(rows) - 1) / 2.0) * self.step
            if i is not None:
                spots.append(Spot(i, self.x, y))
                continue
            self.texts += [f'<circle class="dots" cx="{self.x:g}" cy="{y + shift:g}" r="2"/>' for shift in (-14, -7, 0)]
            self.text("soft halo", self.x, y + 15, f"{count - len(rows) + 1} more")
        return spots

    def connect(self, part: Column, before: list[Spot], here: list[Spot]) -> None:
        """The lines between two columns, the weakest first, with their numbers where there is room."""
        widest = 3.7 if len(before) * len(here) <= CROWD else 2.4
        what = "gradient of its weight" if self.gradients else "weight"
        found: list[tuple[float, str]] = []
        for source, target in ((a, b) for a in before for b in here):
            number = self.carried(part.weights[target.place][source.place])
            strength = min(1.0, abs(number) / self.weight_size) if math.isfinite(number) else 1.0
            along, across = target.x - source.x, target.y - source.y
            away = RADIUS / math.hypot(along, across)
            x1, y1, x2, y2 = source.x + away * along, source.y + away * across, target.x - away * along, target.y - away * across
            look = f'stroke-width="{0.5 + widest * strength:.2f}" opacity="{0.2 + 0.8 * strength:.2f}"' if strength else ""
            words = escape(f"{part.name}, neuron {target.place}, {what} {source.place}: {number!r}")
            ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
            found.append((strength, f'<line class="{sign(number)}" {ends} {look}><title>{words}</title></line>'))
            if max(len(before), len(here)) <= FEW:
                self.text("number halo", x1 + 0.24 * (x2 - x1), y1 + 0.24 * (y2 - y1) + 3, short(number))
        self.lines += [line for _, line in sorted(found, key=lambda pair: pair[0])]

    def circle(
        self, x: float, y: float, number: float | None, size: float, words: str, place: str, bias: float | None = None
    ) -> None:
        """A neuron or an input, filled by the number in it, with a ring for its bias."""
        ring = ""
        if number is not None and not math.isfinite(number):
            ring = ' class="odd"'
        elif bias:
            width = 1.2 + 3.3 * min(1.0, abs(bias) / self.bias_size) if math.isfinite(bias) else 3.0
            ring = f' class="{sign(bias)}" style="stroke-width:{width:.1f}px"'
        inner = "" if number is None else f'<text class="number" x="{x:g}" y="{y + 3.5:g}">{short(number)}</text>'
        self.spots.append(
            f'<g class="neuron {fill(number, size)}"{place}><title>{escape(words)}</title>'
            f'<circle cx="{x:g}" cy="{y:g}" r="{RADIUS:g}"{ring}/>{inner}</g>'
        )

    def block(self, name: str, arrives: bool) -> None:
        """A box for a step that is not made of neurons."""
        width = len(clipped(name)) * LETTER + 20.0
        start = self.x + RADIUS + 40.0 if arrives else self.x
        if arrives:
            self.arrow(self.x + RADIUS + 6, start - 4)
        self.lines.append(f'<rect class="block" x="{start:g}" y="{self.middle - 17:g}" width="{width:g}" height="34" rx="6"/>')
        self.text("", start + width / 2, self.middle + 4, clipped(name))
        self.x = start + width - RADIUS

    def arrow(self, start: float, end: float) -> None:
        """An arrow to the right, at half height."""
        y = self.middle
        self.lines.append(f'<line x1="{start:g}" y1="{y:g}" x2="{end - 7:g}" y2="{y:g}" stroke-width="1.5"/>')
        self.lines.append(f'<path class="arrow" d="M{end - 8:g} {y - 5:g}L{end:g} {y:g}L{end - 8:g} {y + 5:g}z"/>')

    def text(self, kind: str, x: float, y: float, words: str) -> None:
        """Words at a place."""
        if words:
            self.texts.append(f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(words)}</text>')

    def written(self, width: float, with_sample: bool) -> str:
        """The file, with what lines, rings and colours mean at its foot."""
        if self.gradients:
            lines = "lines: gradients of weights; numbers: of biases"
        else:
            lines = "lines: weights; rings: biases" + ("; numbers: what neurons give" if with_sample else "")
        colours = "orange positive, blue negative; " + ("all are 0" if self.flat else f"widest: {self.weight_size:.3g}")
        notes = [f"{lines} \u00b7 {colours}"]
        if len(notes[0]) * 5.6 > width - 24:
            notes = [lines, colours]
        width = max(width, max(map(len, notes)) * 5.6 + 24)
        for i, note in enumerate(notes):
            self.text("soft", width / 2, self.bottom + 12 + 16 * i, note)
        self.text("head", width / 2, 20, self.title)
        if self.linked:
            style = STYLE.substitute(PAGE) + LINKED.substitute(PAGE)
        else:
            style = f"{STYLE.substitute(LIGHT)}@media (prefers-color-scheme: dark) {{{STYLE.substitute(DARK)}}}\n"
        height = self.bottom + 18.0 * len(notes) + 10.0
        body = "\n".join([*self.lines, *self.spots, *self.texts])
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="network" role="img" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" height="{height:g}" style="max-width:100%;height:auto">'
            f"<title>{escape(self.title or 'A network: neurons in columns, weights as lines')}</title>\n<style>{style}</style>\n"
            f'<rect class="paper" width="{width:g}" height="{height:g}"/>\n{body}\n</svg>\n'
        )


def shown(count: int, most: int) -> list[int | None]:
    """Which circles of a column are drawn; None stands for those between."""
    if count <= most:
        return list(range(count))
    last = most // 4
    return [*range(most - 1 - last), None, *range(count - last, count)]


def require_names(names: Sequence[str], count: int, what: str) -> None:
    """Raise ValueError unless there is a name for each, or none."""
    if names and len(names) != count:
        raise ValueError(f"the network has {count} {what}, and {what}= has {len(names)} names")


def size_of(numbers: Sequence[float]) -> float:
    """The size that gets the widest line and the strongest colour: the 98th percentile."""
    sizes = sorted(abs(x) for x in numbers if x and math.isfinite(x))
    return sizes[math.ceil(0.98 * (len(sizes) - 1))] if sizes else 1.0


def sign(x: float) -> str:
    """The class of a line by what it carries."""
    return "odd" if not math.isfinite(x) else "p" if x > 0.0 else "n" if x < 0.0 else "none"


def fill(x: float | None, size: float) -> str:
    """The class of a circle by the number in it: four steps of half a decade."""
    if not x or x != x:
        return ""
    step = 3 + 2 * math.log10(abs(x) / size) if math.isfinite(x) else 3
    return ("p" if x > 0.0 else "n") + str(1 + max(0, min(3, round(step))))


def short(x: float) -> str:
    """A number in at most six letters, or seven with a sign.

    >>> [short(x) for x in (0.0, -1.5, 0.123456, 1234567.0, -0.000012345)]
    ['0', '-1.50', '0.12', '1e6', '-1e-5']
    """
    text = f"{x:.2f}" if 0.01 <= abs(x) < 100 else f"{x:.2g}"
    text = text if len(text) <= 6 else f"{x:.0e}"
    return text.replace("e-0", "e-").replace("e+0", "e")


def clipped(text: str) -> str:
    """A name that has room."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "\u2026"


def room_for(names: Sequence[str]) -> float:
    """The width of the longest name."""
    return max(len(clipped(name)) for name in names) * LETTER + 8.0
