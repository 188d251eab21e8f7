"""The room of the command line: start, check, watch, hint, show, status and reset."""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from autograd.exercises.catalogue import Exercise, course, find
from autograd.exercises.folder import STATE, Folder
from autograd.exercises.judge import UNTOUCHED, Verdict
from autograd.exercises.marking import grade
from autograd.exercises.pictures import LARGE, graph_of, write
from autograd.graphs import Graph

__all__ = ["main"]

FOLDER = "autograd-exercises"
COMMAND = "python -m autograd.exercises"
RIGHT, WRONG, USAGE = 0, 1, 2  # exit codes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code is 0 if all that was asked is right, 1 if not, 2 if the question makes no sense."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "start":
            return start(Path(options.dir_argument or options.dir or FOLDER), options.student)
        folder = Folder(place(options.dir))
        exercise = find(options.name) if getattr(options, "name", None) else None
        if options.command == "check":
            return check(folder, exercise, options.json)
        if options.command == "watch":
            return watch(folder)
        if options.command in ("hint", "show", "reset") and exercise is None:
            exercise = folder.open[0] if folder.open else course()[0]
        if options.command == "hint" and exercise:
            number, text = folder.next_hint(exercise)
            head = f"{exercise.number:02} {exercise.name}, hint {number} of {len(exercise.hints)}"
            print(textwrap.fill(f"{head}: {text}", 100, subsequent_indent="  ", break_on_hyphens=False))
        elif options.command == "show" and exercise:
            show(folder, exercise)
        elif options.command == "reset" and exercise:
            kept = folder.reset(exercise)
            print(f"{exercise.file_name} is the template again" + (f"; your version is now {kept.name}" if kept else ""))
        else:
            status(folder)
    except (KeyError, ValueError, FileNotFoundError) as error:
        print(error.args[0] if isinstance(error, KeyError) else error, file=sys.stderr)
        return USAGE
    except KeyboardInterrupt:
        print()
    return RIGHT


def parser() -> argparse.ArgumentParser:
    """What can be written on the command line."""
    result = argparse.ArgumentParser(prog=COMMAND, description="Learn backpropagation by getting gradients right.")
    result.add_argument("--dir", help="the folder of the course (else this one, or ./autograd-exercises)")
    commands = result.add_subparsers(dest="command", metavar="COMMAND")
    begin = commands.add_parser("start", help="write the exercises into a folder; files that are there stay as they are")
    begin.add_argument("dir_argument", nargs="?", metavar="DIR")
    begin.add_argument("--student", default="", help="a name: every student gets numbers of their own")
    grading = commands.add_parser("check", help="grade one exercise, or all")
    grading.add_argument("name", nargs="?", help="power, 1 or 01_power.py")
    grading.add_argument("--json", action="store_true", help="print the verdicts as JSON")
    commands.add_parser("watch", help="check again whenever a file is saved")
    for word, text in (
        ("hint", "the next hint"),
        ("show", "the text, the idea and the graph, and, once it is solved, a solution"),
        ("reset", "bring the template back; your file is kept as .bak"),
    ):
        commands.add_parser(word, help=text).add_argument("name", nargs="?", help="the first open exercise unless said")
    commands.add_parser("status", help="how far you are")
    return result


def place(given: str | None) -> Path:
    """The folder of the course: the one said, this one, or the one that `start` makes."""
    for path in [Path(given)] if given else [Path(), Path(FOLDER)]:
        if (path / STATE).exists():
            return path
    raise FileNotFoundError(f"there is no course in {Path(given or '.').resolve()}; begin with `{COMMAND} start`")


def start(path: Path, student: str) -> int:
    """Write the files."""
    folder = Folder(path)
    written = folder.start(student)
    kept = len(course()) - written
    print(f"{written} exercises written to {path}" + (f"; {kept} files that were there are as they were" if kept else ""))
    here = "" if path.resolve() == Path().resolve() else f"cd {path}; "
    first = folder.open[0] if folder.open else course()[-1]
    print(f"Open {first.file_name} in an editor and fill in the `...`. Then:  {here}{COMMAND} check {first.name}")
    print(f"Stuck?  {COMMAND} hint {first.name}      How far am I?  {COMMAND} status")
    return RIGHT


def graded(folder: Folder, exercise: Exercise, picture: bool = True) -> Verdict:
    """The verdict on the learner's file."""
    file = folder.file_of(exercise)
    if not file.exists():
        raise FileNotFoundError(f"{file} is not there; `{COMMAND} reset {exercise.name}` writes it anew")
    drawing = folder.path / "pictures" / f"{exercise.name}.svg" if picture else ""
    return grade(exercise.name, file, seed=folder.seed, picture=drawing)


def check(folder: Folder, exercise: Exercise | None, as_json: bool) -> int:
    """Grade one exercise or all, several at a time."""
    if exercise is not None:
        chosen = [exercise]
    else:
        chosen = [exercise for exercise in course() if folder.file_of(exercise).exists()]
    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        verdicts = list(pool.map(lambda one: graded(folder, one, picture=exercise is not None), chosen))
    for one, verdict in zip(chosen, verdicts):
        folder.record(one, bool(verdict))
    if as_json:
        found = {"student": folder.state["student"], "verdicts": [verdict.to_dict() for verdict in verdicts]}
        print(json.dumps(found, indent=1))
    elif exercise is not None:
        print(verdicts[0])
        advise(folder, exercise, verdicts[0])
    else:
        for verdict in verdicts:
            if verdict.status != UNTOUCHED:
                print(verdict.message.split("\n")[0])
        blank = sum(verdict.status == UNTOUCHED for verdict in verdicts)
        print(f"{sum(map(bool, verdicts))} of {len(course())} right" + (f", {blank} not started" if blank else ""))
    return RIGHT if all(verdicts) and (exercise is not None or len(chosen) == len(course())) else WRONG


def advise(folder: Folder, exercise: Exercise, verdict: Verdict) -> None:
    """What to do next."""
    if not verdict:
        print(f"  a hint: {COMMAND} hint {exercise.name}")
    elif folder.open:
        following = next((one for one in folder.open if one.number > exercise.number), folder.open[0])
        print(f"  next: {following.file_name}, {following.title}")
    else:
        print("  That was the last one: you have been through the whole course.")


def changes(folder: Folder, pause: float = 0.3) -> Iterator[Exercise]:
    """The exercises whose files are saved, as it happens."""
    files = {exercise: folder.file_of(exercise) for exercise in course()}
    seen = {exercise: file.stat().st_mtime_ns for exercise, file in files.items() if file.exists()}
    while True:
        time.sleep(pause)
        for exercise, file in files.items():
            if file.exists() and (saved := file.stat().st_mtime_ns) != seen.get(exercise):
                seen[exercise] = saved
                yield exercise


def watch(folder: Folder) -> int:
    """Check whatever is saved, until the learner has enough."""
    print(f"watching {folder.path.resolve()}: save a file and it is checked; Ctrl-C ends", flush=True)
    for exercise in changes(folder):
        check(folder, exercise, as_json=False)
        print(flush=True)
    return RIGHT


def show(folder: Folder, exercise: Exercise) -> None:
    """The text, the idea and the graph of an exercise."""
    text, idea = exercise.sections["text"], without_pictures(exercise.sections["Idea"])
    print(f"{exercise.number:02} {exercise.title}\n\n{text}\n\nThe idea. {idea}")
    root = graph_of(exercise, exercise.cases(folder.seed)[0])
    if root is not None and len(Graph(root).nodes) <= LARGE:
        picture = write(root, [], folder.path / "pictures" / f"{exercise.name}_graph.svg")
        print(f"\nThe graph, with numbers of your course (as a picture: {picture}):\n\n{Graph(root)}")
    if exercise.name in folder.state["passed"]:
        print(f"\nYou have solved it. One way to write it:\n\n{exercise.solution.rstrip()}")


def without_pictures(text: str) -> str:
    """The text as it is shown in a terminal."""
    return re.sub(r"\n!\[.*\n", "", text)


def status(folder: Folder) -> None:
    """How far the learner is, part by part."""
    passed, total = len(course()) - len(folder.open), len(course())
    filled = 40 * passed // total
    print(f"[{'#' * filled}{'.' * (40 - filled)}] {passed} of {total}")
    for part in dict.fromkeys(exercise.part for exercise in course()):
        own = [exercise for exercise in course() if exercise.part == part]
        print(f"\n{own[0].part_number}. {part}")
        for exercise in own:
            print(f"  {'done' if exercise not in folder.open else '    '}  {exercise.file_name:<28} {exercise.title}")
    if folder.open:
        print(f"\nnext: {folder.open[0].file_name}")
