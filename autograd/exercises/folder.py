"""The room of the learner's folder: files to fill in, and how far the learner has come; nothing of it is ever overwritten."""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograd.exercises.catalogue import Exercise, course, find

__all__ = ["Folder", "seed_of", "submissions"]

STATE = ".autograd-exercises.json"


def seed_of(student: str) -> int:
    """The seed of a student's numbers: the same name has the same on every machine; 0 without a name.

    >>> seed_of(""), seed_of("Ada") == seed_of("ada ")
    (0, True)
    """
    return zlib.crc32(student.strip().lower().encode("utf-8")) if student else 0


class Folder:
    """A folder with the learner's files, and their progress in a file beside them."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.state: dict[str, Any] = {"student": "", "passed": [], "hints": {}}
        if self.file.exists():
            try:
                self.state.update(json.loads(self.file.read_text(encoding="utf-8")))
            except ValueError:
                raise ValueError(f"{self.file} cannot be read; delete it, and `start` and `check` make it anew") from None

    @property
    def file(self) -> Path:
        """Where the progress is kept."""
        return self.path / STATE

    @property
    def seed(self) -> int:
        """The seed of the student's numbers."""
        return seed_of(self.state["student"])

    def save(self) -> None:
        """Write the progress: at once or not at all."""
        unfinished = self.file.with_name(STATE + ".new")
        unfinished.write_text(json.dumps(self.state, indent=1), encoding="utf-8")
        os.replace(unfinished, self.file)

    def file_of(self, exercise: Exercise) -> Path:
        """The learner's file."""
        return self.path / exercise.file_name

    def start(self, student: str = "") -> int:
        """Write the files that are not there yet, and say how many."""
        self.path.mkdir(parents=True, exist_ok=True)
        self.state["student"] = student or self.state["student"]
        missing = [exercise for exercise in course() if not self.file_of(exercise).exists()]
        for exercise in missing:
            self.file_of(exercise).write_text(exercise.template, encoding="utf-8")
        self.save()
        return len(missing)

    def reset(self, exercise: Exercise) -> Path | None:
        """Bring the template back; the learner's file gets another name, which is returned."""
        file, kept = self.file_of(exercise), None
        if file.exists():
            names = (file.with_name(f"{file.name}.bak{i or ''}") for i in range(10**6))
            kept = next(name for name in names if not name.exists())
            file.rename(kept)
        file.write_text(exercise.template, encoding="utf-8")
        self.record(exercise, False)
        return kept

    def record(self, exercise: Exercise, passed: bool) -> None:
        """Remember whether an exercise is solved."""
        if passed != (exercise.name in self.state["passed"]):
            others = [name for name in self.state["passed"] if name != exercise.name]
            self.state["passed"] = [*others, *([exercise.name] if passed else [])]
            self.save()

    def next_hint(self, exercise: Exercise) -> tuple[int, str]:
        """The number and text of the next hint; the last one again and again."""
        number = min(self.state["hints"].get(exercise.name, 0) + 1, len(exercise.hints))
        self.state["hints"][exercise.name] = number
        self.save()
        return number, exercise.hints[number - 1]

    @property
    def open(self) -> list[Exercise]:
        """What is not solved yet."""
        return [exercise for exercise in course() if exercise.name not in self.state["passed"]]


def submissions(folder: str | Path) -> Iterator[tuple[str, str, Path]]:
    """(student, exercise, file) for every file of the course in the folders FOLDER/STUDENT/, to grade a class.

    >>> list(submissions("no such folder"))
    []
    """
    names = {exercise.file_name for exercise in course()}
    for path in sorted(Path(folder).glob("*/*.py")):
        if path.name in names:
            yield path.parent.name, find(path.name).name, path
