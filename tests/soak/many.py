"""Many programs: judged in batches, by several processes at a time, and counted.

Not in `__main__`, which a process that is spawned does not import.
"""

from __future__ import annotations

import multiprocessing
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.soak.generate import PARTS, generate
from tests.soak.judge import FULL, OPEN, PARTLY, WRONG, Verdict, judge
from tests.soak.oracle import ROWS
from tests.soak.programs import Program
from tests.soak.systems import System

__all__ = ["Report", "soak"]

BATCH = 25  # programs that a process takes at once
MOST_SKIPPED = 0.05  # of all programs; a soak that looks at less is none


@dataclass
class Report:
    """What was found in many programs."""

    kinds: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    parts: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, Verdict]] = field(default_factory=list)

    def add(self, program: Program, verdict: Verdict) -> None:
        """Count one program."""
        self.kinds[verdict.kind] += 1
        if verdict.kind in (PARTLY, OPEN):
            self.reasons[verdict.kind, verdict.reason] += 1
        if verdict.kind == WRONG:
            self.wrong.append((program.name, verdict))
        words = set(re.findall(r"\w+", program.source))
        self.rows.update(row.name for row in ROWS if row.operator or words & {row.name, *row.aliases})
        self.parts.update(sorted({step.kind for step in program.steps}))

    def merge(self, other: Report) -> None:
        """Add what another process counted."""
        for name in ("kinds", "reasons", "rows", "parts"):
            getattr(self, name).update(getattr(other, name))
        self.wrong += other.wrong

    @property
    def passed(self) -> bool:
        """Whether nothing differs, and enough was compared."""
        return not self.wrong and self.kinds[OPEN] <= MOST_SKIPPED * max(sum(self.kinds.values()), 1)

    def lines(self) -> Iterator[str]:
        """The report, for people."""
        count = sum(self.kinds.values())
        yield f"{count:,} programs: " + ", ".join(f"{self.kinds[kind]:,} {kind}" for kind in (FULL, PARTLY, OPEN, WRONG))
        for (kind, reason), many in self.reasons.most_common():
            yield f"  {kind}: {many:,} ({reason})"
        named = Counter({row.name: self.rows[row.name] for row in ROWS if not row.operator})
        least = min(named, key=named.__getitem__)
        yield f"  {len(ROWS)} rows of the table, each named in {named[least]:,} programs at least ({least})"
        yield "  programs with " + ", ".join(f"{part}: {many:,}" for part, many in self.parts.most_common())


def batch(work: tuple[Sequence[str], Sequence[str], Sequence[System] | None]) -> Report:
    """The report on some programs: what one process does at a time."""
    names, parts, systems = work
    report = Report()
    for name in names:
        program = generate(name, parts=parts)
        report.add(program, judge(program, systems))
    return report


def soak(
    programs: int, seed: int = 0, processes: int = 1, parts: Sequence[str] = PARTS, systems: Sequence[System] | None = None
) -> Report:
    """Judge as many random programs, with a progress line on stderr if that is a terminal."""
    names = [f"{seed}/{k}" for k in range(programs)]
    work = [(names[k : k + BATCH], parts, systems) for k in range(0, programs, BATCH)]
    report = Report()
    if processes == 1:
        for found in progress(map(batch, work), len(work)):
            report.merge(found)
        return report
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for found in progress(pool.imap(batch, work), len(work)):
            report.merge(found)
    return report


def progress(batches: Iterable[Report], count: int) -> Iterator[Report]:
    """The batches, with a progress line: tqdm's where it is installed."""
    if not sys.stderr.isatty():
        yield from batches
        return
    try:
        from tqdm import tqdm
    except ImportError:
        for k, found in enumerate(batches, 1):
            print(f"\r{k * BATCH:,} of {count * BATCH:,} programs", end="" if k < count else "\n", file=sys.stderr)
            yield found
    else:
        yield from tqdm(batches, total=count, unit_scale=BATCH, unit=" programs")
