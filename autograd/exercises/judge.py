"""The room of verdicts on submissions: right, or which mistake it is, where it shows, and the numbers."""

from __future__ import annotations

import ast
import copy
import inspect
import linecache
import math
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from autograd.arguments import paths
from autograd.check import gradcheck
from autograd.exercises.catalogue import Exercise, Mistake
from autograd.exercises.run import Outcome, plain, run_source
from autograd.trees import leaves

__all__ = ["Verdict", "alike", "inputs_of", "judge", "untouched"]

PASSED, UNTOUCHED, MISTAKE, WRONG, ERROR, TIME = "passed", "untouched", "mistake", "wrong", "error", "time"
LONG = 160  # characters of an input that are shown


@dataclass
class Verdict:
    """What became of a submission: true if it passed, a message when printed."""

    exercise: str
    status: str  # passed, untouched, mistake, wrong, error or time
    message: str
    mistake: str = ""
    where: str = ""  # the input where it shows
    expected: Any = None
    got: Any = None
    line: int | None = None
    source: str = ""  # the learner's own line
    report: str = ""
    printed: str = ""
    edge: str = ""
    picture: str = ""
    case: int = 0

    def __bool__(self) -> bool:
        return self.status == PASSED

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON: numbers that JSON does not have are texts."""
        known: dict[str, Any] = json_numbers(asdict(self))
        return known

    def __str__(self) -> str:
        lines = [self.message]
        if self.source:
            lines.append(f"  your line {self.line}:  {self.source}")
        if self.where:
            lines.append(f"  at {self.where}")
        lines += ["  " + line for line in self.report.split("\n") if line]
        if self.picture:
            lines.append(f"  picture: {self.picture}{', in red where it goes wrong: ' + self.edge if self.edge else ''}")
        if self.printed:
            shown = self.printed.rstrip().split("\n")
            shown = shown[:10] + ["..."] * (len(shown) > 10)
            lines += ["  your program printed:", *["    " + line for line in shown]]
        return "\n".join(lines)

    __repr__ = __str__


def json_numbers(tree: Any) -> Any:
    """The same with nan and infinities as texts."""
    if isinstance(tree, float) and not math.isfinite(tree):
        return str(tree)
    if isinstance(tree, dict):
        return {key: json_numbers(branch) for key, branch in tree.items()}
    if isinstance(tree, list):
        return [json_numbers(branch) for branch in tree]
    return tree


def untouched(exercise: Exercise, source: str) -> bool:
    """Whether a program is the template still, comments and spaces aside."""
    try:
        return ast.dump(ast.parse(source)) == ast.dump(ast.parse(exercise.template))
    except (SyntaxError, ValueError):
        return False


def judge(exercise: Exercise, outcome: Outcome, seed: int, path: str = "", source: str = "") -> Verdict:
    """The verdict on what a submission answered."""
    title = f"{exercise.number:02} {exercise.name}"
    verdict = Verdict(exercise.name, PASSED, f"{title}: right", printed=outcome["printed"])
    if source and untouched(exercise, source):
        verdict.status, verdict.printed = UNTOUCHED, ""
        verdict.message = f"{title}: not started yet; write your lines where the `...` are in {exercise.file_name}"
        return verdict
    cases = exercise.cases(seed)
    results = outcome["results"]
    failure = outcome.get("failure")
    wrong = next((i for i, result in enumerate(results) if not right(exercise, cases[i], result)), None)
    if failure is None and wrong is None:
        return verdict
    if failure is None and wrong is not None:
        verdict.case = wrong
        verdict.where = shown_case(exercise, cases[wrong])
        failure = results[wrong].get("error")
    mistake = matching(exercise, results, seed)
    if mistake is not None and wrong is not None:
        verdict.status, verdict.mistake = MISTAKE, mistake.name
        verdict.message = f'{title}: the mistake "{mistake.name}"\n  {mistake.message}'
        verdict.edge = mistake.edge
    elif failure is not None:
        verdict.status = TIME if failure["kind"] == "time" else ERROR
        verdict.message = f"{title}: {failure['text']}"
        if failure["kind"] == "time":
            verdict.message += "; is there a loop that never ends?"
    else:
        verdict.status = WRONG
        verdict.message = f"{title}: not right yet"
    if failure is not None:
        verdict.line = failure["line"]
        verdict.source = own_line(path, source, verdict.line)
    elif wrong is not None:
        compare(exercise, cases[wrong], results[wrong]["got"], verdict)
    return verdict


def right(exercise: Exercise, case: Sequence[Any], result: dict[str, Any]) -> bool:
    """Whether one answer is right."""
    return "got" in result and alike(plain(exercise.expected(copy.deepcopy(case))), result["got"], exercise.tolerance)


def alike(expected: Any, got: Any, tolerance: float) -> bool:
    """Whether two answers are the same, numbers within the tolerance of the largest of them."""
    sizes = [abs(x) for x in leaves(expected) if isinstance(x, (int, float)) and math.isfinite(x)]
    return first_difference(expected, got, tolerance, tolerance * 1e-3 * max([1.0, *sizes])) is None


def first_difference(expected: Any, got: Any, relative: float, absolute: float, path: str = "") -> str | None:
    """Where two answers differ first; None if nowhere."""
    if isinstance(expected, (list, dict)):
        if type(got) is not type(expected) or len(got) != len(expected):
            return path
        keys = range(len(expected)) if isinstance(expected, list) else expected
        for key in keys:
            if isinstance(got, dict) and key not in got:
                return path
            place = first_difference(expected[key], got[key], relative, absolute, f"{path}[{key!r}]")
            if place is not None:
                return place
        return None
    if isinstance(expected, str) or expected is None:
        return None if got == expected else path
    if not isinstance(got, (int, float)):
        return path
    same = math.isclose(expected, got, rel_tol=relative, abs_tol=absolute) or (expected != expected and got != got)
    return None if same else path


def matching(exercise: Exercise, results: list[dict[str, Any]], seed: int) -> Mistake | None:
    """The known mistake that answers every case just so."""
    for mistake, theirs in known_answers(exercise, seed):
        if len(theirs) == len(results) and all(same_answer(mine, other) for mine, other in zip(theirs, results)):
            return mistake
    return None


def same_answer(mistaken: dict[str, Any], got: dict[str, Any]) -> bool:
    """Whether two runs of a case ended in the same way."""
    if "error" in mistaken or "error" in got:
        kinds = [result["error"]["text"].split(":")[0] if "error" in result else "" for result in (mistaken, got)]
        return kinds[0] == kinds[1]
    return alike(mistaken["got"], got["got"], 1e-8)


@cache
def known_answers(exercise: Exercise, seed: int) -> list[tuple[Mistake, list[dict[str, Any]]]]:
    """What each known mistake answers."""
    return [(mistake, run_source(exercise, exercise.source_of(mistake), seed)["results"]) for mistake in exercise.mistakes]


def own_line(path: str, source: str, line: int | None) -> str:
    """The learner's line of that number."""
    if not line:
        return ""
    if source:
        lines = source.split("\n")
        return lines[line - 1].strip() if line <= len(lines) else ""
    linecache.checkcache(path)
    return linecache.getline(path, line).strip()


def compare(exercise: Exercise, case: Sequence[Any], got: Any, verdict: Verdict) -> None:
    """Write into the verdict what was expected, what was got, and the gradient check."""
    expected = plain(exercise.expected(copy.deepcopy(case)))
    verdict.expected, verdict.got = expected, got
    if shape(expected) != shape(got):
        path = first_difference(shape(expected), shape(got), 0.0, 0.0) or ""
        part, other = at(expected, path), at(got, path)
        what = f"answer{path}: " if path else ""
        verdict.report = f"{what}expected {described(part)}, got {described(other)}{missing_return(other)}"
        return
    sizes = [abs(x) for x in leaves(expected) if isinstance(x, (int, float)) and math.isfinite(x)]
    path = first_difference(expected, got, exercise.tolerance, exercise.tolerance * 1e-3 * max([1.0, *sizes])) or ""
    what = f"answer{path}: " if path else ""
    if exercise.function is not None and "expected" not in exercise.grading:
        what = f"the derivative by {dict(zip(paths('', expected), inputs_of(exercise, case))).get(path, 'x')}: "
    lines = [f"{what}expected {short(at(expected, path))}, got {short(at(got, path))}"]
    if verdict.status == WRONG and exercise.function is not None and "expected" not in exercise.grading:
        lines += str(checked(exercise, case, got)).split("\n")
    verdict.report = "\n".join(lines)


def checked(exercise: Exercise, case: Sequence[Any], got: Any) -> Any:
    """The report of a gradient check on an answer that is a gradient."""
    function, by = exercise.grading["function"], exercise.by

    def partial(*inputs: Any) -> Any:
        return function(*inputs, *case[by:])

    report = gradcheck(partial, *case[:by], gradient=lambda *_: got)
    report.rows = [row._replace(argument=f"by {name}") for name, row in zip(inputs_of(exercise, case), report.rows)]
    return report


def inputs_of(exercise: Exercise, case: Sequence[Any]) -> list[str]:
    """The names of the numbers by which an exercise differentiates."""
    names = zip(exercise.arguments(len(case)), case[: exercise.by])
    return [name for argument, value in names for name in paths(argument, value)]


def shape(answer: Any) -> Any:
    """What an answer consists of."""
    if isinstance(answer, list):
        return [shape(part) for part in answer]
    if isinstance(answer, dict):
        return answer["type"] if set(answer) == {"type"} else {key: shape(part) for key, part in answer.items()}
    return "text" if isinstance(answer, str) else "None" if answer is None else "number"


def described(answer: Any) -> str:
    """What an answer consists of, for people."""
    if isinstance(answer, list):
        inner = {described(part) for part in answer if isinstance(part, list)}
        return f"a list of {len(answer)}" + (f", each {inner.pop()}" if len(inner) == 1 else "")
    if isinstance(answer, dict):
        return f"`{answer['type']}`" if set(answer) == {"type"} else f"a dictionary with the keys {', '.join(map(repr, answer))}"
    if isinstance(answer, str):
        return f"the text {answer!r}"
    return "None" if answer is None else "a number"


def missing_return(got: Any) -> str:
    """What to say of an answer that is none."""
    if got is None:
        return "; is a `return` missing?"
    if isinstance(got, dict) and set(got) == {"type"}:
        return "; there is still a `...` to fill in" if got["type"] == "..." else "; answer with plain numbers"
    return ""


def at(answer: Any, path: str) -> Any:
    """The part of an answer that a path like [0]['w'] leads to."""
    for key in ast.literal_eval(f"[{path[1:-1].replace('][', ',')}]") if path else []:
        answer = answer[key]
    return answer


def short(value: Any, digits: int = 10) -> str:
    """A number, or containers of numbers, with not too many digits."""
    if isinstance(value, float):
        return f"{value:.{digits}g}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(short(part, digits) for part in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key!r}: {short(part, digits)}" for key, part in value.items()) + "}"
    return getattr(value, "__name__", None) or repr(value)


def shown_case(exercise: Exercise, case: Sequence[Any]) -> str:
    """A case with the names of its arguments."""
    names = exercise.arguments(len(case))
    text = ", ".join(f"{name} = {short(value, 6)}" for name, value in zip(names, case))
    text = text if len(text) <= LONG else text[: LONG - 4] + " ..."
    programs = [inspect.getsource(value) for value in case if inspect.isfunction(value)]
    return "\n".join([text, *(textwrap.indent(program.rstrip(), "    ") for program in programs)])
