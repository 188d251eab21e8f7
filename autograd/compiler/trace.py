"""The room of traces: what a function does to Values, written down as a program while it does it."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from autograd.closures import Closure
from autograd.compiler.draws import Draws
from autograd.compiler.facts import listen
from autograd.compiler.program import Guard, Program
from autograd.compiler.stand_ins import TAKE, Float, Index
from autograd.controls import user_line
from autograd.functions import FUNCTIONS, ON_VALUES
from autograd.ops import TABLE, Primitive
from autograd.value import ORDER, Operand, Value, current, note

__all__ = ["TAKE", "Index", "Trace", "TraceError", "is_masked", "shares"]

WAYS_OUT = (
    "use autograd.maximum, minimum or where to choose, autograd.take to index, stop_gradient to hold a number fixed, "
    "primitive to define an operation"
)
WHOLE = "use autograd.floor, ceil or round, which stay in the program, or autograd.take to index"
# How the methods of a Value that read its number are written, and what to write in their place.
READERS = {
    "__float__": ("float(), as the functions of math do", "use those of autograd: autograd.sin for math.sin"),
    "__int__": ("int()", WHOLE), "__round__": ("round()", WHOLE), "__trunc__": ("math.trunc()", WHOLE),
    "__floor__": ("math.floor()", WHOLE), "__ceil__": ("math.ceil()", WHOLE),
    "__format__": ("as text", "leave the text out, or write it after the call"),
    "detach": (".detach()", "use autograd.stop_gradient"),
}  # fmt: skip

FLOATS = {float, Float}
STOP = TABLE["stop_gradient"]


# What a traced function does to a Value beside computing with it; the last are changes of it.
FACTS = {
    ".grad": "reads .grad of {name} at {line}, and a program knows numbers alone; pass the gradient as an argument",
    ".label": "reads .label of {name} at {line}, and a program knows numbers alone; pass the label as an argument",
    "register_hook": "registers a hook of {name} at {line}, which a program would not call; register it outside",
    "a hook": "takes a derivative with respect to {name}, which has a hook, at {line}; a program would not call it: remove it",
    "pickle": "pickles {name} at {line}, and a program has numbers alone; do so outside",
}
CHANGE = (
    "changes {name} while it runs (it sets {kind} at {line}), which its program would not do; return what is new instead, or "
    "change {name} outside"
)


class TraceError(TypeError):
    """A function cannot be compiled, because what it does depends on the number inside a Value."""


def how_it_is_read(kind: str) -> tuple[str, str]:
    """How a program reads a number, as it is written there, and what to write in its place."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_code.co_name in ("data", "item"):
        frame = frame.f_back
    return READERS.get(frame.f_code.co_name, (kind, WAYS_OUT))


def is_masked(row: Primitive) -> bool:
    """Whether a local derivative 0 of this row may mean that no path leads through: the row chooses among its operands."""
    return row.name in ("max", "min", "take") or any(text.endswith(" or None") for text in row.partials)


def shares(words: Mapping[str, Any], xs: Sequence[Any], out: Any) -> list[Any]:
    """What `ties` is in the room of floats, without branches: 1 for those that attain the extreme, over their number."""
    greater = words["greater"]
    attained = [1.0 - (greater(x, out) + greater(out, x)) for x in xs]
    count = words["sum"](attained)
    return [hit / count for hit in attained]


class Trace:
    """Writes operations on Values into a program, in the order in which they are made.

    `source_of` tells for a Value from outside which input of the program it is, by the key and the name it answers.
    """

    def __init__(
        self, source_of: Callable[[Value], tuple[Any, str] | None], generators: Iterable[Any] = (), program: Program | None = None
    ) -> None:  # fmt: skip
        self.program = Program() if program is None else program
        self.refs: dict[Value, int] = {}
        self.given: set[Value] = set()  # those that were made of numbers in the arguments
        self.sources: list[Any] = []  # for each input, where its number is found
        self.source_of = source_of
        self.draws = Draws(list(generators))
        for generator in self.draws.generators:
            if isinstance(generator, random.SystemRandom):
                raise TraceError(
                    f"nobody can see whether {generator!r} is drawn from; draw outside and pass the numbers as an argument"
                )
        self.refusal: TraceError | None = None  # what was refused first: the function may have caught it
        self.constants: dict[float, str] = {}  # numbers from outside, and the line where each came in first
        self.copies = False  # whether Values were copied
        self.chose = False  # whether derivatives of choices are part of the program
        self.rules: dict[Primitive, list[Callable[..., Any] | None]] = {}
        self.around = current()
        listen()

    def input(self, source: Any, number: float, name: str) -> Value:
        """A Value that stands for a number in the arguments."""
        value = Float(number)
        self.given.add(value)
        self.enter(value, source, name, parameter=False)
        return value

    def enter(self, value: Value, source: Any, name: str, *, parameter: bool) -> int:
        """Make a Value an input."""
        self.refs[value] = self.program.input(name, parameter=parameter)
        self.sources.append(source)
        return self.refs[value]

    def run(
        self, function: Callable[..., Any], arguments: Sequence[Any], keywords: Mapping[str, Any], *, alone: bool = False
    ) -> Any:
        """Call the function, and write down what it does; `alone` as in `Draws`."""
        self.name = getattr(function, "__name__", type(function).__name__)
        token = note.set(self.around.but(
            recording=True, nested=1, watch=self.watch, read=self.read, storing=self.storing, choices=self.choices, trace=self
        ))  # fmt: skip
        try:
            with self.draws.watched(alone=alone):
                output = function(*arguments, **keywords)
        finally:
            note.reset(token)
        if self.refusal is not None:
            raise self.refusal
        if self.draws.happened and self.draws.are_own:
            raise TraceError(
                "the function draws random numbers, and a compiled program would use the same ones at every call; draw them "
                "outside and pass them as an argument"
            )
        return output

    def refuse(self, message: str) -> TraceError:
        """The error to raise; it is remembered, lest the function catches it and goes on with something else."""
        error = TraceError(message)
        self.refusal = self.refusal or error
        return error

    def watch(self, node: Value) -> None:
        """Write down an operation."""
        row = node._primitive
        if row is None:
            raise self.refuse(
                f"an operation under no_grad leaves no trace to compile, at {user_line()}; use stop_gradient instead"
            )
        if isinstance(row, Closure):
            raise self.refuse(
                f"the operation {row.name!r} at {user_line()} was given as a closure or as numbers, which cannot be compiled; "
                "define it by autograd.primitive"
            )
        refs = self.refs
        self.refs[node] = self.program.add(
            row, [refs[x] if x in refs else self.reference(x) for x in node._operands]  # type: ignore[index]
        )  # fmt: skip
        if FLOATS.issuperset(map(type, node._operands)):
            node.__class__ = Float

    def reference(self, operand: Operand) -> int:
        """Where an operand is in the program."""
        if operand.__class__ is float:
            if operand not in self.constants:
                self.constants[operand] = user_line()
            return self.program.constant(operand)
        ref = self.refs.get(operand)  # type: ignore[arg-type]
        return self.foreign(operand) if ref is None else ref  # type: ignore[arg-type]

    def copied(self, node: Value, copied: Value) -> None:
        """A Value was copied: a float that was given, an operation with its operands, or another Value.

        No derivative leads from the copy of a leaf to the first one, nor from that of what was computed before the trace, unless
        a derivative is being taken around the call.
        """
        self.copies = True
        if node in self.given:
            self.given.add(copied)
            self.refs[copied] = self.refs[node]
        elif copied._primitive is not None and node._note.trace is self:
            self.watch(copied)
        else:
            self.refs[copied] = self.program.add(STOP, [self.reference(node)])

    def foreign(self, value: Value) -> int:
        """A Value that no operation of the trace made: a constant if it was written down in there, else an input."""
        if value._note.trace is self:
            ref: int = self.program.constant(value._data)
            self.refs[value] = ref
            return ref
        known = self.source_of(value)
        if known is None and value._note.trace is not None:
            raise self.refuse(
                f"{self.name} uses a Value that was made while a function was compiled before, at {user_line()}: something keeps "
                "results, such as functools.cache; compute them anew, or pass them as an argument"
            )
        source, name = known or (value, value._note.label or f"value.{len(self.sources)}")
        return self.enter(value, source, name, parameter=True)

    def choices(self, node: Value) -> list[Any] | None:
        """The local derivatives of a node that chooses, for whichever side it takes; None for other nodes."""
        row = node._primitive
        if row is None or not is_masked(row):
            return None
        self.chose = True
        if row not in self.rules:
            words = ON_VALUES.words | {"ties": partial(shares, FUNCTIONS)}
            texts = [text.removesuffix(" or None") for text in row.partials]
            self.rules[row] = [None if text == "None" else row.evaluate(text, words, "out") for text in texts]
        if row.arity is None:
            partials = self.rules[row][0](node._operands, node)  # type: ignore[misc]
        else:
            partials = [rule and rule(*node._operands, node) for rule in self.rules[row]]
        return [None if operand.__class__ is float else local for operand, local in zip(node._operands, partials)]

    def read(self, kind: str, *operands: Any) -> None:
        """A comparison becomes a guard; reading a number that depends on an input is an error."""
        if kind in FACTS or kind in (".data =", ".grad =", ".label ="):
            self.fact(kind, operands[0])
            return
        left = self.reference(operands[0])
        if kind in ORDER:
            right = self.reference(operands[1])
            if left >= 0 or right >= 0:
                self.program.guards.append(Guard(kind, left, right, operands[2], user_line()))
        elif left >= 0:
            written, way_out = how_it_is_read(kind)
            raise self.refuse(f"the number inside a Value is read ({written}) at {user_line()}, while it is compiled; {way_out}")

    def fact(self, kind: str, value: Value) -> None:
        """What is no number is read or written: an error, unless the Value belongs to the function alone, which made it."""
        is_own = value._note.trace is self or value in self.given
        if is_own and (kind.split()[0] in (".grad", ".label") or (kind == ".data =" and value not in self.refs)):
            return
        name = (self.source_of(value) or ("", value._note.label or "a Value"))[1]
        fact = FACTS.get(kind, CHANGE).format(name=name, line=user_line(), kind=kind.removesuffix(" ="))
        raise self.refuse(f"{self.name} {fact}")

    def storing(self, *_: Any) -> None:
        """Gradients in `grad` would be numbers of the trace."""
        line = user_line()
        raise self.refuse(f"backward() at {line} stores numbers, which a compiled function does not have; use autograd.grad")
