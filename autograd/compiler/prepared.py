"""The room of prepared calls: what a call must check and do, written as one small function for calls like one that went before.

What cannot be told by identity alone is not prepared: such calls go the long way, as do those for which a condition fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from itertools import chain
from operator import is_
from struct import Struct
from time import perf_counter
from typing import Any

from autograd.compiler.conditions import FLOATS, Conditions, Splice, Unprepared
from autograd.compiler.executable import holds
from autograd.compiler.requests import contained
from autograd.compiler.runs import Machine
from autograd.compiler.signature import Signature
from autograd.compiler.texts import run
from autograd.compiler.tracing import Call
from autograd.compiler.variant import FEW, Variant, Variants
from autograd.ops import TABLE
from autograd.trees import is_array
from autograd.value import PLAIN, Note, current, note

__all__ = ["Prepared", "Ready"]

MOST = 8  # prepared calls that are kept for one use of a function
MANY = 4000  # conditions, of which a Python function is made in a moment
SINGLE = 4  # so many numbers are stored one by one

SOURCE = """
def call({names}):
    try:
        if not ({lines}):
            return None{watched}
    except Exception:
        return None
    compiled.latest, variant.latest = variant, executable
{body}
    found = run({parts})
    return None if found is None else {result}
"""
# Lists of Values are compared by equality, which looks at identity first; whoever reads a Value then is not the same.
WATCHED = """
        before = note.set(WATCHFUL)
        try:
            if not ({watched}):
                return None
        finally:
            note.reset(before)"""
# Machine code reads and writes memory that this call has for itself. A nan is left to those who know where it comes from.
MACHINE = """
    try:
        memory = free.pop()
    except IndexError:
        memory = fresh()
    {stores}
    squares = function(memory.places)
{guards}    if squares == squares:
        result = {result}
        free.append(memory)
        return result
    free.append(memory)
"""
GUARDS = """\
    if not holds(guards, memory.sides.tolist()):
        free.append(memory)
        return None
"""


class Prepared:
    """A call that went before, ready to go again.

    `call(*arguments)` is what the call gives, or None if a condition does not hold: the value, or, with the inputs `wanted`, the
    value and its derivatives in the containers of the argument `by`. In place of argument `skip`, which `start` has taken apart,
    the first one is an array of its numbers.
    """

    def __init__(
        self, compiled: Any, call: Call, variant: Variant, signature: Signature, *, start: Signature | None = None,
        skip: int = -1, wanted: tuple[int, ...] = (), by: Any = None,
    ) -> None:  # fmt: skip
        if call.keywords or variant.nested is not None or variant.changed or compiled._changing.attributes:
            raise Unprepared
        self.variant, self.wanted = variant, wanted
        self.nodes = variant.nodes(signature.things) if start is None and not wanted else {}
        self.found = found = Conditions(compiled._around, start)
        self.arity = len(call.arguments)
        names = [f"a{k}" for k in range(self.arity)]
        splices: list[Splice] = []
        for k, x in enumerate(call.arguments):
            found.begin("")
            if k != skip:
                splices += found.given(names[k], x)
        if len(set(found.containers)) < len(found.containers):
            raise Unprepared
        if len(found.containers) > 1:  # a container that comes twice is another signature
            found.lines.append(f"len({{{', '.join(found.ids)}}}) == {len(found.containers)}")
        found.end_arguments()
        splices += found.surroundings(compiled.function, compiled._changing)
        is_same = found.key == signature.key and found.used.keys() <= compiled._used.keys()
        if not is_same or len(found.lines) > MANY or variant.structure is None:
            raise Unprepared
        parts = placed(variant, splices, found)
        if skip >= 0:
            names = [names[skip], *names[:skip], *names[skip + 1 :]]
            parts.insert(0, [Splice(names[0], found.head, found.head, is_array=True)])
        found.lines += [f"TABLE.edition == {variant.edition}", "now() < auditor.due"]
        found.lines.append("(current() is PLAIN or is_unseen(current()))")
        self.words = {
            "FLOATS": FLOATS, "chain": chain, "is_": is_, "note": note, "WATCHFUL": WATCHFUL, "TABLE": TABLE, "PLAIN": PLAIN,
            "current": current, "is_unseen": is_unseen, "compiled": compiled, "variant": variant, "rebuilt": variant.rebuilt,
            "now": perf_counter, "auditor": compiled.auditor,
            "pack": as_given if by is None else partial(contained, by),
            "run": partial(variant.as_nodes, nodes=self.nodes) if self.nodes else variant.runner(wanted),
        }  # fmt: skip
        body = self.machine(parts, by)
        result = "(float(found[0][0]), pack(found[1]))" if wanted else "found[0]" if self.nodes else "rebuilt(found[0])"
        self.source = SOURCE.format(
            names=", ".join(names), lines="\n            and ".join(dict.fromkeys(found.lines)), body=body, result=result,
            watched=WATCHED.format(watched="\n                and ".join(found.watched)) if found.watched else "",
            parts=f"[{', '.join(map(listed, parts))}]",
        )  # fmt: skip
        self.call: Callable[..., Any] = run(self.source, {**found.words, **self.words}, "call")

    def machine(self, parts: Sequence[Sequence[Splice]], by: Any) -> str:
        """What runs machine code without any step between; nothing as long as there is none."""
        is_replayed = len(self.variant.program.outputs) > FEW
        executable = self.variant.executable(self.wanted or (() if is_replayed else tuple(self.nodes)))
        chosen, machine = executable.chosen, executable.chosen.machine
        self.words |= {"executable": executable, "chosen": chosen, "guards": executable.guards, "holds": holds}
        if self.nodes and is_replayed:
            return ""
        if not isinstance(machine, Machine) or not chosen.is_trusted:
            self.found.lines.append("not chosen.is_trusted")
            return ""
        self.words |= {"free": machine.free, "fresh": machine.memory, "function": machine.function}
        result = "rebuilt(memory.values)"
        if self.wanted:
            result = f"(memory.results.item(0), {text_of_slopes(by)})"
        elif self.nodes:
            self.found.lines.append("current().recording")
            self.words["recorded"] = partial(self.variant.recorded, self.nodes)
            result = "recorded(memory.given.copy(), memory.values.tolist(), memory.slopes.tolist())"
        elif self.variant.structure.__class__ is float:
            result = "memory.results.item(0)"
        guards = GUARDS if executable.guards else ""
        return MACHINE.strip("\n").format(stores="\n    ".join(self.stores(parts)), guards=guards, result=result)

    def stores(self, parts: Sequence[Sequence[Splice]]) -> list[str]:
        """What puts the inputs into memory."""
        lines, start = [], 0
        for part in parts:
            size = sum([splice.numbers for splice in part])
            if part and part[0].is_array:
                lines.append(f"memory.given[{start}:{start + size}] = {part[0].text}")
            elif part and part[0].is_list:
                lines.append(self.packed(start, size, f"*{part[0].text}"))
            elif size <= SINGLE and all(splice.text[0] != "*" for splice in part):
                lines += [f"memory.cells[{start + k}] = {splice.text}" for k, splice in enumerate(part)]
            elif size:
                lines.append(self.packed(start, size, ", ".join([splice.text for splice in part])))
            start += size
        return lines

    def packed(self, start: int, size: int, numbers: str) -> str:
        """What puts some numbers into memory, from such a place on."""
        self.words[f"pack{size}"] = Struct(f"{size}d").pack_into
        return f"pack{size}(memory.cells, {8 * start}, {numbers})"


class Places:
    """The places of something that has so many. What was looked at last is often what comes again: that is seen faster."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.known: Any = None

    def has(self, x: Any) -> bool:
        """Whether all these integers are places."""
        written = x.tobytes() if is_array(x) else x
        if written == self.known:
            return True
        low, high = (x.min(), x.max()) if is_array(x) else (min(x), max(x))
        if low >= 0 and high < self.limit:
            self.known = written if is_array(x) else list(x)
            return True
        return False


def is_unseen(around: Note) -> bool:
    """Whether nobody wants to see every operation; see `is_observed`."""
    return around.watch is None and around.storing is None


def as_given(slopes: Any) -> Any:
    """Derivatives of a functional form: a flat array."""
    return slopes


def text_of_slopes(by: Any) -> str:
    """How the derivatives get out of the memory of machine code, into the containers of an argument."""
    if by.__class__ is float:
        return "memory.slopes.item(0)"
    if by is None or (is_array(by) and by.ndim == 1):
        return "memory.slopes.copy()"
    if by.__class__ is list and set(map(type, by)) == FLOATS:
        return "memory.slopes.tolist()"
    return "pack(memory.slopes.copy())"


class Changed(Exception):  # noqa: N818 - nobody sees it
    """A Value was compared with something else."""


def changed(*_: Any) -> None:
    """Called where a Value is compared: it is not the very same."""
    raise Changed


WATCHFUL = Note().but(read=changed)


def listed(part: Sequence[Splice]) -> str:
    """An array as it is, or some things as one list."""
    return part[0].text if part and (part[0].is_array or part[0].is_list) else f"[{', '.join([splice.text for splice in part])}]"


def placed(variant: Variant, splices: Sequence[Splice], found: Conditions) -> list[list[Splice]]:
    """The parts that the inputs of a program come in, each an array or some things; adds conditions on integers among them."""
    starts: dict[int, Splice] = {}
    place = found.head
    for splice in splices:
        starts[place] = splice
        place += splice.things
    if place != found.count:
        raise Unprepared
    for k, limit, _ in variant.limits:
        several = starts[k].is_array or starts[k].is_list
        text = starts[k].text
        found.lines.append(f"{found.word(Places(limit))}.has({text})" if several else f"0 <= {text} < {limit}")
    for source, (_, number) in variant.fixed.items():
        if isinstance(source, tuple):
            raise Unprepared
        found.lines.append(f"{starts[source].text} == {number}")
    parts = []
    for kind, part in variant.segments[1:] if found.head else variant.segments:
        if kind == "array":
            parts.append([starts[part]])
        elif kind == "values":
            parts.append([Splice(f"*[v._data for v in {found.word(tuple(part))}]", len(part), len(part))])
        else:
            parts.append(whole(part, starts))
    return parts


def whole(places: Sequence[int], starts: Mapping[int, Splice]) -> list[Splice]:
    """What gives these things, if they are all of some splices."""
    chosen: list[Splice] = []
    k = 0
    while k < len(places):
        splice = starts.get(places[k])
        if splice is None or list(places[k : k + splice.things]) != list(range(places[k], places[k] + splice.things)):
            raise Unprepared  # some of them are no inputs
        chosen.append(splice)
        k += splice.things
    return chosen


class Ready:
    """The prepared calls for one use of a function; `calls` are tried in turn.

    After the second call that went the long way one more is prepared, and then after twice as many each time: where conditions
    keep failing, little time goes into them.
    """

    first = 2  # the call after which the first is prepared

    def __init__(self, variants: Variants) -> None:
        variants.prepared.append(self)
        self.calls: list[tuple[int, Callable[..., Any]]] = []  # how many arguments each has, and what it does
        self.long, self.next = 0, self.first

    def went_long(self, make: Callable[[], Prepared]) -> None:
        """A call went the long way."""
        self.long += 1
        if self.long < self.next:
            return
        self.next *= 2
        with suppress(Unprepared):
            prepared = make()
            self.calls = [(prepared.arity, prepared.call), *self.calls][:MOST]

    def clear(self) -> None:
        """Forget everything."""
        self.calls, self.long, self.next = [], 0, self.first
