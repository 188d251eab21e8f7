"""Runs random programs on the engine and on the oracle, and prints every one on which they differ."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.soak.compiled import COMPILED, available
from tests.soak.generate import PARTS, generate
from tests.soak.judge import WRONG, judge, shrink
from tests.soak.many import soak
from tests.soak.rules import CONVENTIONS
from tests.soak.systems import SYSTEMS

EXAMPLES = """
examples:
  python -m tests.soak --programs 2000
  python -m tests.soak --programs 100000 --processes 2 --seed 7
  python -m tests.soak --replay 7/4711             one program, by the name that a report gives it
"""


def told(name: str, parts: Sequence[str]) -> str:
    """A program that differs, made small, with what differs."""
    program = shrink(generate(name, parts=parts))
    verdict = judge(program)
    return f"--- program {name}, {verdict.system}: {verdict.reason}\n{program.text}"


def parser() -> argparse.ArgumentParser:
    """The arguments."""
    made = argparse.ArgumentParser(
        prog="python -m tests.soak", description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--programs", type=int, default=1000, metavar="N", help="how many (1000)")
    made.add_argument("--seed", type=int, default=0, metavar="S", help="another seed gives other programs (0)")
    made.add_argument("--processes", type=int, default=1, metavar="P", help="how many at the same time (1)")
    made.add_argument("--parts", default=",".join(PARTS), help="what programs are made of beside the rows: some of %(default)s")
    made.add_argument("--shown", type=int, default=10, metavar="K", help="how many differing programs are made small (10)")
    made.add_argument("--replay", metavar="SEED/K", help="print and judge this one program")
    made.add_argument("--engine", action="store_true", help="the engine alone, without compiled functions: four times as fast")
    made.add_argument("--conventions", action="store_true", help="print where the oracle follows a convention, and stop")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the soak; returns 0, or 1 if a program differs or too many were skipped."""
    command = parser()
    options = command.parse_args(arguments)
    parts = [part for part in options.parts.split(",") if part]
    if not set(parts) <= set(PARTS):
        command.error(f"--parts knows {', '.join(PARTS)}, not {options.parts!r}")
    if options.conventions:
        print(*[f"{rows}: {what}" for rows, what in CONVENTIONS.items()], sep="\n")
        return 0
    if options.replay:
        program = generate(options.replay, parts=parts)
        verdict = judge(program)
        print(program.text, f"# {verdict.kind} {verdict.system}: {verdict.reason}", sep="\n")
        return int(verdict.kind == WRONG)
    systems = SYSTEMS if options.engine else None
    names = ", ".join(system.name for system in systems or (*SYSTEMS, *filter(available, COMPILED)))
    print(f"systems: {names}{'' if systems else ' (a back end and a use of compiled functions for each program)'}")
    print("oracle: jets of mpmath's numbers")
    report = soak(options.programs, options.seed, options.processes, parts, systems)
    for name, _ in report.wrong[: options.shown]:
        print(told(name, parts))
    if len(report.wrong) > options.shown:
        print("different too:", *[name for name, _ in report.wrong[options.shown :]])
    print(*report.lines(), sep="\n")
    return int(not report.passed)


if __name__ == "__main__":
    sys.exit(main())
