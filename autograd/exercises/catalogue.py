"""The room of the course: every exercise is a folder of text, solution and mistakes, and is read from there."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from functools import cache, cached_property
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, NamedTuple

from autograd.arguments import argument_names
from autograd.calculus import grad

__all__ = ["Exercise", "Mistake", "course", "find", "named", "program"]

ROOT = Path(__file__).parent / "course"
HOLE = "  # hole"


class Mistake(NamedTuple):
    """A wrong solution: the right one with one text in it replaced."""

    name: str
    old: str
    new: str
    message: str
    edge: str = ""  # "a -> c": the edge of the graph that it gets wrong


class Exercise:
    """One folder of the course.

    README.md: the text, an idea and hints. solution.py: the reference, where the learner's lines end in `# hole` (or
    template.py, if what the learner gets is not the solution with holes). solution_2.py, ...: other right ones. grading.py:

    - ENTRY: what the learner writes, if it is one function. `attempt(theirs, *case)` calls it, unless written otherwise.
    - `cases(draw)`: lists of arguments, random ones drawn from `draw`, a random.Random.
    - `function(*case)`: what is differentiated, in words of autograd: by its first BY arguments, or by all. The expected
      answer is its gradient by the engine; or else `expected(*case)` says what it is.
    - MISTAKES: (name, text in solution.py, what stands there instead, what to tell the learner), at least three.
    - `graph(*case)`: a Value to draw, instead of that of `function`. TOLERANCE: relative, 1e-6 unless said.
    """

    def __init__(self, folder: Path) -> None:
        number, self.name = folder.name.split("_", 1)
        self.number, self.folder = int(number), folder
        self.part = folder.parent.name[2:].replace("_", " ").capitalize()
        self.part_number = int(folder.parent.name[0])

    @property
    def file_name(self) -> str:
        """The name of the learner's file."""
        return f"{self.number:02}_{self.name}.py"

    def read(self, name: str) -> str:
        """The text of a file in the folder."""
        return (self.folder / name).read_text(encoding="utf-8")

    @cached_property
    def sections(self) -> dict[str, str]:
        """README.md by its headings: title, text, Idea and Hints."""
        title, _, rest = self.read("README.md").partition("\n")
        text, *others = re.split(r"^## ", rest, flags=re.MULTILINE)
        found = {"title": title.removeprefix("# ").strip(), "text": text.strip("\n")}
        for other in others:
            heading, _, body = other.partition("\n")
            found[heading.strip()] = body.strip()
        return found

    @property
    def title(self) -> str:
        """The heading of the text."""
        return self.sections["title"]

    @property
    def hints(self) -> list[str]:
        """From gentle to plain."""
        return [" ".join(hint.split()) for hint in re.split(r"^\d+\. ", self.sections["Hints"], flags=re.MULTILINE) if hint]

    @cached_property
    def solution(self) -> str:
        """The reference solution, without the marks of holes."""
        return self.read("solution.py").replace(HOLE, "")

    @cached_property
    def template(self) -> str:
        """What the learner gets: the text above the program, and `...` where there is something to write."""
        if (self.folder / "template.py").exists():
            source = self.read("template.py")
        else:
            source = with_holes(self.read("solution.py"))
        _, code = split_docstring(source)
        head = f"Exercise {self.number}: {self.title} (part {self.part_number}, {self.part.lower()})"
        foot = f"Is it right?  python -m autograd.exercises check {self.name}"
        gap = "\n\n\n" if code.lstrip().startswith(("def ", "class ")) else "\n\n"
        return f'"""{head}\n\n{self.sections["text"]}\n\n{foot}\n"""{gap}{code.lstrip()}'

    @property
    def other_solutions(self) -> list[str]:
        """Right solutions in other styles."""
        return [path.read_text(encoding="utf-8") for path in sorted(self.folder.glob("solution_*.py"))]

    @cached_property
    def grading(self) -> dict[str, Any]:
        """The names in grading.py."""
        return program(self.read("grading.py"), str(self.folder / "grading.py"))

    @cached_property
    def mistakes(self) -> list[Mistake]:
        """The common mistakes, in the order in which they are asked."""
        return [Mistake(*mistake) for mistake in self.grading["MISTAKES"]]

    def source_of(self, mistake: Mistake) -> str:
        """The wrong solution as a program."""
        if self.solution.count(mistake.old) != 1:
            found = self.solution.count(mistake.old)
            raise ValueError(f"{self.name}: {mistake.name!r} replaces {mistake.old!r}, found {found} times, not once")
        return self.solution.replace(mistake.old, mistake.new)

    @property
    def entry(self) -> str:
        """The name of the function that the learner writes; empty if there is more than that."""
        return str(self.grading.get("ENTRY", ""))

    @property
    def tolerance(self) -> float:
        """Relative, for the answers."""
        return float(self.grading.get("TOLERANCE", 1e-6))

    @property
    def function(self) -> Callable[..., Any] | None:
        """What is differentiated."""
        return self.grading.get("function")

    @property
    def by(self) -> int:
        """By how many of its first arguments."""
        return int(self.grading.get("BY", len(inspect.signature(self.grading["function"]).parameters)))

    def cases(self, seed: int) -> list[Sequence[Any]]:
        """The arguments that a submission is tried on."""
        return list(self.grading["cases"](Random(seed)))

    def arguments(self, count: int) -> list[str]:
        """What the arguments of a case are called."""
        known = self.function or self.grading["expected"]
        return argument_names(known, count)

    def attempt(self, theirs: SimpleNamespace, case: Sequence[Any]) -> Any:
        """What a submission answers."""
        if "attempt" in self.grading:
            return self.grading["attempt"](theirs, *case)
        return getattr(theirs, self.entry)(*case)

    def expected(self, case: Sequence[Any]) -> Any:
        """The right answer, by the engine."""
        if "expected" in self.grading:
            return self.grading["expected"](*case)
        return grad(self.grading["function"], 0 if self.by == 1 else tuple(range(self.by)))(*case)


@cache
def course() -> tuple[Exercise, ...]:
    """All exercises, in order."""
    return tuple(sorted((Exercise(path.parent) for path in ROOT.glob("*/*/grading.py")), key=lambda exercise: exercise.number))


def find(name: str) -> Exercise:
    """The exercise called so: by name ('tanh'), number ('5') or file ('05_tanh.py').

    >>> find("5").name == find("05_tanh.py").name == find("tanh").name
    True
    """
    stem = Path(name).stem
    for exercise in course():
        if stem in (exercise.name, str(exercise.number), f"{exercise.number:02}", Path(exercise.file_name).stem):
            return exercise
    raise KeyError(f"there is no exercise {name!r}; the course has {', '.join(exercise.name for exercise in course())}")


def program(source: str, path: str) -> dict[str, Any]:
    """Run a program; the names it leaves."""
    names: dict[str, Any] = {"__name__": "exercise", "__file__": path}
    exec(compile(source, path, "exec"), names)
    return names


def named(theirs: SimpleNamespace, answer: str) -> str:
    """Whether a program says in WRONG what was wrong; the answer itself is not told."""
    said = theirs.WRONG
    return "open" if said is ... else "right" if said == answer else "not right"


def split_docstring(source: str) -> tuple[str, str]:
    """The first docstring of a program, and the rest."""
    match = re.match(r'"""(.*?)"""\n', source, flags=re.DOTALL)
    return (match[1], source[match.end() :]) if match else ("", source)


def with_holes(source: str) -> str:
    """The program with `...` in place of the marked lines; one marked line `return x  # hole` leaves `return ...`."""

    def hole(match: re.Match[str]) -> str:
        lines = match[0].rstrip("\n").split("\n")
        indent = lines[0][: len(lines[0]) - len(lines[0].lstrip())]
        start = re.match(r"\s*(return |[A-Z_]+ = )", lines[0]) if len(lines) == 1 else None
        return f"{indent}{start[1] if start else ''}...\n"

    return re.sub(rf"(?:^.*{HOLE}\n)+", hole, source, flags=re.MULTILINE)
