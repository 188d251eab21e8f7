"""Random programs: every step is drawn while the program so far runs on jets, so that operands are where rows are defined."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from math import inf, isfinite, nan
from typing import Any

import mpmath as mp
import numpy as np

import autograd as ag
from autograd.ops import Primitive
from tests.soak.idioms import ARGUMENT, ARRAYS, BRANCHES, CONTAINERS, EQUALITY, WORDS
from tests.soak.jets import Jet, UndefinedError
from tests.soak.oracle import ROWS, Run, jet_words, running
from tests.soak.programs import Operand, Program, Step, flatten, rebuilt

__all__ = ["PARTS", "generate"]

IDIOMS = {"branches": BRANCHES, "equality": EQUALITY, "containers": CONTAINERS, "arrays": ARRAYS, "words": WORDS}
# What programs are made of beside the rows; NumPy's words need arrays of a class of their own.
PARTS = ("branches", "equality", "containers", "argument", "arrays", *(["words"] if hasattr(ag, "array") else []))
SIGNS = {
    "add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "truediv": "{0} / {1}", "pow": "{0} ** {1}", "mod": "{0} % {1}",
    "floordiv": "{0} // {1}", "neg": "-{0}", "pos": "+{0}", "abs": "abs({0})",
}  # fmt: skip
ROUND = (0.0, 1.0, -1.0, 2.0, 0.5, -0.5, 3.0, -2.0, 1.5)  # numbers that meet again after arithmetic: ties, kinks
WILD = (0.0, -0.0, 1e200, 1e-200, -1e160, 1e-300, inf, -inf, nan)
LARGE = 1e4  # results beyond are kept now and then only
SHORTEST, LONGEST = 6, 28  # steps


class Writer:
    """A program being written, and what its names are at this point."""

    def __init__(self, name: str, rows: Sequence[Primitive], parts: Sequence[str]) -> None:
        self.random = random.Random(name)
        self.name, self.rows, self.parts = name, rows, parts
        self.wild = self.random.random() < 0.04  # special numbers, and operands outside of the domains
        self.argument = self.container()
        self.steps: list[Step] = []
        jets = iter([Jet(mp.mpf(x)) for x in flatten(self.argument)])
        self.words: dict[str, Any] = {"ag": jet_words, "np": jet_words.numpy, "inf": inf, "nan": nan}
        self.words["p"] = rebuilt(self.argument, jets)
        self.numbers: list[str] = []  # the names of what steps made

    def leaf(self) -> float:
        """A number of the argument."""
        if self.wild and self.random.random() < 0.2:
            return self.random.choice(WILD)
        return self.random.choice(ROUND) if self.random.random() < 0.4 else self.random.uniform(-2.0, 2.0)

    def container(self) -> Any:
        """The argument: one of several shapes, of one to five numbers."""
        x = self.leaf
        shapes: list[Callable[[], Any]] = [
            lambda: [x() for _ in range(self.random.randint(1, 4))],
            lambda: {"a": x(), "b": x(), "c": x()},
            lambda: {"w": [x(), x()], "b": x()},
            lambda: (x(), [x(), x()]),
            lambda: [{"k": x()}, (x(), x())],
            lambda: {"deep": {"t": (x(), [x()])}, "lr": x()},
            lambda: {"v": np.array([x(), x(), x()]), "s": x()},
        ]
        return self.random.choice(shapes if "arrays" in self.parts else shapes[:-1])()

    def number(self, name: str) -> Any:
        """What a name stands for."""
        return self.words[name].value

    def write(self, kind: str, text: str, operands: Sequence[Operand], keep: bool = False) -> str | None:
        """Add a step if its result is a number of sensible size; its name."""
        step = Step(kind, f"v{len(self.steps)}", text, tuple(operands))
        try:
            exec("\n".join(step.lines), self.words)
        except UndefinedError:
            if not keep:
                return None
            raise
        out = self.words[step.out]
        assert isinstance(out, Jet), f"{step.lines} gives {out!r}"
        sensible = isfinite(float(out.value)) and abs(out.value) < LARGE
        if not sensible and not keep and not (self.wild and self.random.random() < 0.5):
            return None
        self.steps.append(step)
        self.numbers.append(step.out)
        return step.out

    # Operands.

    def paths(self) -> list[tuple[str, Any]]:
        """Every place in the argument as it stands now, with what is there."""
        found: list[tuple[str, Any]] = []
        stack: list[tuple[str, Any]] = [("p", self.words["p"])]
        while stack:
            path, tree = stack.pop()
            found.append((path, tree))
            if isinstance(tree, dict):
                stack += [(f"{path}[{key!r}]", branch) for key, branch in tree.items()]
            elif isinstance(tree, (list, tuple, np.ndarray)):
                stack += [(f"{path}[{k}]", branch) for k, branch in enumerate(tree)]
        return found

    def leaf_paths(self) -> list[str]:
        """The places of numbers."""
        return [path for path, thing in self.paths() if isinstance(thing, Jet)]

    def name_in(self, low: float, high: float) -> str:
        """The name of a number between two bounds; one is brought there if there is none."""
        anywhere = self.wild and self.random.random() < 0.3
        fitting = [name for name in self.numbers if anywhere or low <= self.number(name) <= high]
        if fitting and self.random.random() < 0.8:
            return self.random.choice(fitting[-4:] if self.random.random() < 0.5 else fitting)
        if self.random.random() < 0.3 and (made := self.name_at(self.constant_in(low, high))):
            return made
        middle, half = (low + high) / 2, (high - low) / 2
        bounded = self.random.choice(("ag.sin({0})", "ag.tanh({0})", "ag.cos({0})"))
        text = f"{{out}} = {middle!r} + {half!r} * {bounded}" if middle else f"{{out}} = {half!r} * {bounded}"
        made = self.write("row", text, [self.random.choice(self.numbers)])
        return made or self.random.choice(self.numbers)

    def name_at(self, point: float) -> str | None:
        """The name of a number that is exactly this one and depends on the inputs, if one can be made."""
        exact = [name for name in self.numbers if self.is_exact(name)]
        if not exact:
            return None
        name = self.random.choice(exact)
        return self.write("row", "{out} = {0} - {1} + {2}", [name, float(self.number(name)), point])

    def is_exact(self, name: str) -> bool:
        """Whether a double holds this number."""
        value = self.number(name)
        return bool(mp.isfinite(value) and mp.mpf(float(value)) == value)

    def constant_in(self, low: float, high: float) -> float:
        """A number of the program's text."""
        round_ones = [x for x in ROUND if low <= x <= high]
        return self.random.choice(round_ones) if round_ones and self.random.random() < 0.5 else self.random.uniform(low, high)

    def any_name(self) -> str:
        """The name of any number, of the last ones rather."""
        return self.random.choice(self.numbers[-4:] if self.random.random() < 0.6 else self.numbers)

    def rival(self, name: str) -> Operand:
        """What a number is compared with: another one, itself, or a constant that may be equal to it."""
        value = self.number(name)
        if self.is_exact(name) and self.random.random() < 0.4:
            return float(value)
        return self.any_name() if self.random.random() < 0.6 else self.constant_in(-2.0, 2.0)

    # Steps.

    def read(self) -> None:
        """A number of the argument gets a name."""
        places = self.leaf_paths()
        if places:
            self.write("argument", f"{{out}} = {self.random.choice(places)}", [], keep=True)

    def row(self) -> None:
        """A row of the table, written as an operator, a method or a function."""
        row = self.random.choice(self.rows)
        count = row.arity or 2 * self.random.randint(1, 2)
        domains = row.domain if row.arity else [(-3.0, 3.0)] * count
        named = self.random.randrange(count)  # one operand at least depends on the inputs
        operands: list[Operand] = []
        for k, (low, high) in enumerate(domains):
            if row.name == "polygamma" and k == 0:
                operands.append(float(self.random.randint(0, 3)))
            elif k == named or row.name == "polygamma" or self.random.random() < 0.75:
                operands.append(self.name_in(low, high))
            else:
                operands.append(self.constant_in(low, high))
        if row.name == "where":
            operands[0] = self.any_name()
        if row.kinks and self.random.random() < 0.25:
            operands[0] = self.name_at(self.random.choice(row.kinks)[0]) or operands[0]
        if row.arity == 2 and row.name != "polygamma" and self.random.random() < 0.05:
            operands = [operands[named]] * 2
        self.write("row", f"{{out}} = {self.styled(row, operands)}", operands)

    def styled(self, row: Primitive, operands: Sequence[Operand]) -> str:
        """One of the ways to write a row."""
        places = [f"{{{k}}}" for k in range(len(operands))]
        name = self.random.choice([row.name, *row.aliases])
        if row.name == "dot":
            half = len(places) // 2
            return f"ag.dot([{', '.join(places[:half])}], [{', '.join(places[half:])}])"
        if row.arity is None:
            return f"ag.{name}([{', '.join(places)}])"
        if row.operator in SIGNS and self.random.random() < 0.6:
            return SIGNS[row.operator]
        if row.arity <= 2 and not row.operator and isinstance(operands[0], str) and self.random.random() < 0.5:
            return f"{{0}}.{name}({', '.join(places[1:])})"
        return f"ag.{name}({', '.join(places)})"

    def idiom(self, part: str) -> None:
        """One of the idioms of a part."""
        text, count = self.random.choice(IDIOMS[part])
        operands: list[Operand] = [self.any_name() for _ in range(count)]
        if "{rival}" in text:
            operands.append(self.rival(str(operands[0])))
            text = text.replace("{rival}", f"{{{count}}}")
        self.write(part, text, operands)

    def own_argument(self) -> None:
        """A change of the containers that the program was given."""
        places = self.paths()
        lists = [path for path, tree in places if isinstance(tree, list)]
        full = [path for path, tree in places if isinstance(tree, list) and len(tree) > 1 and isinstance(tree[0], Jet)]
        tables = [path for path, tree in places if isinstance(tree, dict)]
        keys = [(path, key) for path, tree in places if isinstance(tree, dict) for key in tree if isinstance(tree[key], Jet)]
        vectors = [path for path, tree in places if isinstance(tree, np.ndarray)]
        choices: list[str] = []
        for where, texts in zip((lists, full, tables, vectors), ARGUMENT):
            if where:
                choices += [text.replace("{where}", self.random.choice(where)) for text in texts]
        if keys:
            path, key = self.random.choice(keys)
            choices += [text.replace("{where}", path).replace("{key}", repr(key)) for text in ARGUMENT[4]]
        if choices:
            self.write("argument", self.random.choice(choices), [self.any_name(), self.any_name()], keep=True)

    def program(self) -> Program:
        """The finished program."""
        for _ in range(self.random.randint(1, 3)):
            self.read()
        for _ in range(self.random.randint(SHORTEST, LONGEST)):
            part = self.random.choice(("rows", "rows", "rows", *self.parts))
            if part == "rows":
                self.row()
            elif part == "argument":
                self.read() if self.random.random() < 0.4 else self.own_argument()
            else:
                self.idiom(part)
        used = {operand for step in self.steps for operand in step.operands}
        results = tuple(name for name in self.numbers if name not in used)
        chosen = self.random.randrange(len(flatten(self.argument)))
        return Program(self.name, self.argument, tuple(self.steps), results, chosen)


def generate(name: str, rows: Sequence[Primitive] = ROWS, parts: Sequence[str] = PARTS) -> Program:
    """The random program of this name: the same for the same name, rows and parts."""
    with running(Run()), np.errstate(all="ignore"):
        return Writer(name, rows, parts).program()
