"""The room of runs: a learner's program on the cases of an exercise, in a process of its own, with limits."""

from __future__ import annotations

import contextlib
import copy
import faulthandler
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autograd.exercises.catalogue import Exercise, find, program

__all__ = ["LIMIT", "run_file", "run_names", "run_source"]

LIMIT = 2.0  # seconds
MEMORY, OUTPUT = 4 * 2**30, 2**20  # bytes
PRINTED = 1000  # characters of what a program prints that are shown

# What a run found: {"results": [{"got": ...} or {"error": ..., "line": ...}], "printed": "...", "failure": {...} or absent}.
Outcome = dict[str, Any]


class TimeIsUp(BaseException):
    """The time limit of a function in a notebook."""


def run_file(exercise: Exercise, path: Path, seed: int, limit: float = LIMIT) -> Outcome:
    """Run the learner's file in a process of its own."""
    root = str(Path(__file__).parents[2])
    start = f"import sys; sys.path[0] = {root!r}; from autograd.exercises.run import main; main()"
    with tempfile.TemporaryDirectory() as folder:
        answer, out, err = (Path(folder, name) for name in ("answer", "out", "err"))
        command = [sys.executable, "-c", start, exercise.name, str(path), str(seed), str(limit), str(answer)]
        late = contextlib.suppress(subprocess.TimeoutExpired)  # killed by then, and there is no answer
        with out.open("wb") as stdout, err.open("wb") as stderr, late:
            subprocess.run(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, check=False, timeout=limit + 5.0)
        printed, errors = (file.read_text(encoding="utf-8", errors="replace") for file in (out, err))
        if answer.exists():
            return {**json.loads(answer.read_text(encoding="utf-8")), "printed": printed[:PRINTED]}
    return {"results": [], "printed": printed[:PRINTED], "failure": ending(errors, path, limit)}


def ending(errors: str, path: Path, limit: float) -> dict[str, Any]:
    """Why a process left no answer, from what it wrote last."""
    if "Timeout (" in errors:
        frame = re.search(rf'File "{re.escape(str(path))}", line (\d+)', errors.split("Timeout (")[-1])
        return {"kind": "time", "text": f"it was still running after {limit:g} seconds", "line": int(frame[1]) if frame else None}
    last = errors.strip().split("\n")[-1]
    return {"kind": "end", "text": f"the program ended by itself{': ' + last if last else ''}", "line": None}


def main() -> None:
    """What the process does: `NAME FILE SEED LIMIT ANSWER`."""
    name, path, seed, limit, answer = sys.argv[1:]
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # not on Windows

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_FSIZE, (OUTPUT, OUTPUT))
    faulthandler.dump_traceback_later(float(limit), exit=True)
    outcome = run_source(find(name), Path(path).read_text(encoding="utf-8"), int(seed), path)
    faulthandler.cancel_dump_traceback_later()
    unfinished = Path(answer + ".new")
    unfinished.write_text(json.dumps(outcome), encoding="utf-8")
    unfinished.replace(answer)
    with contextlib.suppress(OSError):  # more was printed than may be
        sys.stdout.flush()
    os._exit(0)  # whatever threads the program has left


def run_source(exercise: Exercise, source: str, seed: int, path: str = "solution.py") -> Outcome:
    """Run a program on the cases of an exercise, here and without limits."""
    try:
        names = program(source, path)
    except BaseException as error:  # sys.exit() too
        return {"results": [], "printed": "", "failure": told(error, path)}
    return run_names(exercise, names, seed, path)


def run_names(exercise: Exercise, names: dict[str, Any], seed: int, path: str = "", limit: float = 0.0) -> Outcome:
    """Try what a program defined on the cases of an exercise; in a notebook with a time limit."""
    theirs = SimpleNamespace(**names)
    if exercise.entry and not callable(names.get(exercise.entry)):
        text = f"there is no function `{exercise.entry}` any more; `reset {exercise.name}` brings the template back"
        return {"results": [], "printed": "", "failure": {"kind": "missing", "text": text, "line": None}}
    results: list[dict[str, Any]] = []
    for case in exercise.cases(seed):
        try:
            with time_limit(limit):
                results.append({"got": plain(exercise.attempt(theirs, copy.deepcopy(case)))})
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            results.append({"error": told(error, path, limit)})
            break  # the rest would say the same
    return {"results": results, "printed": ""}


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise TimeIsUp after so many seconds, where the system can."""
    if not seconds or not hasattr(signal, "SIGALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: Any) -> None:
        raise TimeIsUp

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)


def told(error: BaseException, path: str, limit: float = LIMIT) -> dict[str, Any]:
    """An exception, with the last line of the learner's own program in its traceback."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not path or frame.filename == path]
    line = error.lineno if isinstance(error, SyntaxError) and error.filename == path else frames[-1].lineno if frames else None
    if isinstance(error, TimeIsUp):
        return {"kind": "time", "text": f"it was still running after {limit:g} seconds", "line": line if path else None}
    text = " ".join(traceback.format_exception_only(type(error), error)[-1].split())
    return {"kind": "error", "text": text[:300], "line": line if path else None}


def plain(result: Any) -> Any:
    """An answer as numbers, texts and lists; what is nothing of these, as its type."""
    if result is None or isinstance(result, (bool, int, float, str)):
        return float(result) if isinstance(result, int) and not isinstance(result, bool) else result
    if isinstance(result, (list, tuple)):
        return [plain(part) for part in result]
    if isinstance(result, dict):
        return {str(key): plain(part) for key, part in result.items()}
    if hasattr(result, "tolist"):
        return plain(result.tolist())
    if hasattr(result, "__float__"):
        return float(result)
    return {"type": "..." if result is ... else type(result).__name__}
