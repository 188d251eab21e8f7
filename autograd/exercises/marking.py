"""The room of grading: one submission, a file or a function of a notebook, from program to verdict."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograd.exercises.catalogue import find
from autograd.exercises.judge import Verdict, judge, untouched
from autograd.exercises.pictures import draw
from autograd.exercises.run import LIMIT, run_file, run_names, run_source

__all__ = ["check", "grade", "grade_source"]


def check(name: str, function: Callable[..., Any] | None = None, /, *, seed: int = 0, picture: str = "", **names: Any) -> Verdict:
    """Grade what was written in a notebook: true if it is right, a message when printed.

    `function` is what exercise `name` asks for; where it asks for several things, pass them by their names. They run in this
    very process, with a time limit where the system has one. `picture` is where to write a picture, if there is one.
    Raises KeyError for an exercise that does not exist, TypeError for nothing to grade.

    >>> print(check("product", u=2.0))
    Traceback (most recent call last):
    TypeError: exercise product needs your function: check('product', derivative)
    """
    exercise = find(name)
    if function is not None:
        names = {exercise.entry or getattr(function, "__name__", ""): function, **names}
    if not names or (exercise.entry and exercise.entry not in names):
        wanted = exercise.entry or "NAME=..., for every name in the template"
        raise TypeError(f"exercise {exercise.name} needs your function: check({exercise.name!r}, {wanted})")
    code = getattr(next((value for value in names.values() if callable(value)), None), "__code__", None)
    path = code.co_filename if code else ""
    verdict = judge(exercise, run_names(exercise, names, seed, path, LIMIT), seed, path)
    if picture:
        draw(exercise, verdict, seed, Path(picture))
    return verdict


def grade(name: str, path: str | Path, *, seed: int = 0, picture: str | Path = "") -> Verdict:
    """Grade a file, in a process of its own with limits on time, memory and output.

    The process guards against accidents, not against malice: it runs with your rights. Raises FileNotFoundError.
    """
    exercise, path = find(name), Path(path).resolve()
    source = path.read_text(encoding="utf-8")
    blank = untouched(exercise, source)
    outcome = {"results": [], "printed": ""} if blank else run_file(exercise, path, seed)
    verdict = judge(exercise, outcome, seed, str(path), source)
    if picture:
        draw(exercise, verdict, seed, Path(picture))
    return verdict


def grade_source(name: str, source: str, *, seed: int = 0) -> Verdict:
    """Grade a program in this process, without limits: for programs that are known to end."""
    exercise = find(name)
    path = exercise.file_name
    return judge(exercise, run_source(exercise, source, seed, path), seed, path, source)
