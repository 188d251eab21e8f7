"""The soak: its oracle is right, its programs are many-sided and made again by name, and a wrong rule does not escape it."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
from math import inf, nan
from pathlib import Path

import mpmath as mp
import numpy as np
import pytest

import autograd as ag
from autograd.functions import FUNCTIONS, ON_FLOATS, ON_VALUES, define, dot
from autograd.ops import TABLE
from tests.oracle import CONSTANT
from tests.soak import __main__ as command
from tests.soak import judge as judge_module
from tests.soak.compiled import COMPILED, Compiled, available, systems_for
from tests.soak.generate import PARTS, generate
from tests.soak.jets import Jet
from tests.soak.judge import FULL, OPEN, PARTLY, WRONG, judge, shrink
from tests.soak.many import Report, soak
from tests.soak.oracle import DIGITS, ROWS, Oracle
from tests.soak.programs import Derivatives, Program, Step, flatten, same_structure
from tests.soak.rules import RULES, differentiated, rule
from tests.soak.systems import SYSTEMS, Engine, RefusedError

NAMES = [row.name for row in ROWS]
ROOT = Path(__file__).parent.parent


# The oracle.


@pytest.mark.parametrize("row", ROWS, ids=NAMES)
def test_the_rules_are_what_mpmath_differentiates(row):
    draw = random.Random(row.name)
    domains = row.domain if row.arity else [(-3.0, 3.0)] * 4
    with mp.workdps(DIGITS):
        for _ in range(3):
            point = [mp.mpf(draw.uniform(*domain)) for domain in domains]
            if row.name == "polygamma":
                point[0] = mp.mpf(draw.randint(0, 3))
            jets = []
            for k, x in enumerate(point):
                depends = (row.name, k) not in CONSTANT
                mixed = [mp.mpf(draw.uniform(-1.0, 1.0)) for _ in range(6)]
                jets.append(Jet(x, mixed[:2], mixed[2], mixed[3:5]) if depends else Jet(x))
            found, slow = rule(row.name)(*jets), differentiated(row.name, *jets)
            assert found.value == pytest.approx(slow.value, rel=1e-30, abs=1e-30)
            for name in ("first", "second"):
                ours, theirs = ([a or 0 for a in getattr(jet, name)] or [0, 0] for jet in (found, slow))
                assert all(abs(a - b) <= 1e-12 * (1 + abs(b)) for a, b in zip(ours, theirs)), name


def test_a_row_without_a_rule_is_differentiated_by_mpmath_and_one_without_a_formula_is_refused(monkeypatch):
    monkeypatch.delitem(RULES, "silu")
    x = Jet(mp.mpf(0.5), [mp.mpf(1)], mp.mpf(1), [None])
    with mp.workdps(DIGITS):
        assert float(rule("silu")(x).first[0]) == pytest.approx(ag.grad(ag.silu)(0.5), rel=1e-12)
    with pytest.raises(LookupError, match=r"no rule for the row 'nothing': write one in tests/soak/rules\.py"):
        rule("nothing")


# The programs.


def test_a_program_is_made_again_by_its_name_and_runs_as_it_is_printed():
    for k in range(20):
        program = generate(f"again/{k}")
        assert program.text == generate(f"again/{k}").text
        names: dict = {}
        exec(program.text, names)
        assert same_structure(names["p"], program.argument)


def test_every_row_and_every_part_occurs_and_little_is_skipped():
    report = Report()
    for k in range(250):
        program = generate(f"0/{k}", parts=("branches", "containers", "arrays"))
        report.add(program, judge(program, [Oracle()]))
    assert all(report.rows[name] >= 5 for name in NAMES)
    assert report.kinds[OPEN] + report.kinds["partly compared"] <= 0.05 * 250
    assert not report.wrong
    assert {step.kind for k in range(50) for step in generate(f"0/{k}").steps} == {"row", *PARTS}


def test_programs_of_every_part_find_no_difference():
    report = soak(150, seed=1)
    assert not report.wrong, report.wrong
    assert report.passed


def test_containers_are_compared_with_their_kinds_keys_and_order():
    tree = {"a": [1.0, (2.0, 3.0)], "b": np.array([4.0, 5.0])}
    assert flatten(tree) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert same_structure(tree, tree)
    for other in ({"b": tree["b"], "a": tree["a"]}, {"a": [1.0, [2.0, 3.0]], "b": tree["b"]}, {"a": [1.0], "b": tree["b"]}):
        assert not same_structure(other, tree)


# The judge.


def program(*lines, argument, results=("v1",)):
    """A program of steps ('v0', 'text', operands...)."""
    steps = tuple(Step("row", out, "{out} = " + text, tuple(operands)) for out, text, *operands in lines)
    return Program("by hand", argument, steps, results, 0)


class Answer:
    """A system that always answers the same."""

    name = "fixed"

    def __init__(self, *numbers):
        self.numbers = numbers

    def value_and_derivatives(self, program):
        value, slope, curvature = self.numbers
        return Derivatives(value, [slope], [curvature])


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ((0.25, 1.0, 2.0), FULL),
        ((0.25 * (1 + 1e-13), 1.0, 2.0), FULL),
        ((0.25 * (1 + 1e-8), 1.0, 2.0), WRONG),
        ((0.25, 1.0 + 1e-8, 2.0), WRONG),
        ((0.25, 1.0, 2.0 + 1e-8), WRONG),
        ((0.25, nan, 2.0), WRONG),
        ((inf, 1.0, 2.0), WRONG),
    ],
)
def test_what_is_well_conditioned_must_agree(numbers, kind):
    square = program(("v0", "p[0]"), ("v1", "{0} * {0}", "v0"), argument=[0.5])
    assert judge(square, [Answer(*numbers)]).kind == kind


def test_what_roundings_decide_is_skipped_and_said():
    cancels = [("v0", "p[0]"), ("v1", "ag.sin({0}) * 1e9", "v0"), ("v2", "({0} + 1e-9) - {0}", "v1")]
    ill = program(*cancels, ("v3", "ag.exp({0} * 1e9)", "v2"), argument=[0.7], results=("v3",))
    assert judge(ill, [Answer(1.0, 0.0, 0.0)]).reason == "ill conditioned"
    branch = program(*cancels, ("v3", "1.0 * {0} if {1} > 1e-9 else -{0}", "v0", "v2"), argument=[0.7], results=("v3",))
    assert judge(branch, [Answer(1.0, 0.0, 0.0)]).reason == "a comparison within rounding"
    pole = program(("v0", "p[0]"), ("v1", "1.0 / {0}", "v0"), argument=[0.0])
    assert judge(pole, [Answer(1.0, 0.0, 0.0)]).reason == "a division by 0, whose sign is unknown here"


def test_a_tie_of_exact_numbers_stays_a_tie_and_is_judged():
    tie = program(("v0", "p[0]"), ("v1", "ag.maximum({0}, {0} * 1.0)", "v0"), argument=[0.3])
    assert judge(tie).kind == FULL
    assert judge(tie, [Answer(0.3, 0.5, 0.0)]).kind == WRONG


# Wrong rules.


@contextlib.contextmanager
def wrong_rule(name: str, place: int, text: str):
    """The engine with another text for one partial of a row."""
    row, right = TABLE[name], TABLE[name].partials

    def take(partials: tuple[str, ...]) -> None:
        row.partials = partials
        for rules in (ON_FLOATS, ON_VALUES):
            rules.pop(row, None)
        define(row)
        FUNCTIONS["dot"] = dot

    take((*right[:place], text, *right[place + 1 :]))
    try:
        yield
    finally:
        take(right)


MUTANTS = [
    ("mul", 1, "x * 1.0001"),
    ("sub", 1, "1.0"),
    ("asinh", 0, "1.0 / hypot(1.0, x) + 1e-6"),
    ("hypot", 1, "where(out, x / out, 0.0)"),
    ("logsumexp", 0, "[exp(x - out) if x < out - 0.1 else 1.0 for x in xs]"),
    ("lgamma", 0, "log(x) - 0.5 / x"),
    ("polygamma", 1, "polygamma(x, y)"),
    ("where", 1, "1.0"),
    ("mod", 1, "-trunc(x / y)"),  # right where x > 0
    ("maximum", 0, "greater(x, y) or None"),  # wrong at a tie only
    ("abs", 0, "where(x, sign(x), 1.0)"),  # wrong at the kink only
    ("exp", 0, "stop_gradient(out)"),  # wrong in second derivatives only
]


@pytest.mark.parametrize(("name", "place", "text"), MUTANTS, ids=[f"{name}-{place}" for name, place, _ in MUTANTS])
def test_a_wrong_partial_is_found_and_shown_by_a_small_program(name, place, text):
    for k in range(600):
        program = generate(f"mutants/{k}", parts=("branches",))
        with wrong_rule(name, place, text):
            wrong = judge(program).kind == WRONG
        if wrong and judge(program).kind == FULL:
            break
    else:
        pytest.fail(f"600 programs do not notice the partial {text!r} of {name}")
    with wrong_rule(name, place, text):
        small = shrink(program)
        assert judge(small).kind == WRONG
    assert judge(small).kind == FULL
    assert len(small.steps) <= 6


# The command.


class Backwards:
    """The engine with the sign of every derivative turned."""

    name = "backwards"

    def value_and_derivatives(self, program):
        said = Engine().value_and_derivatives(program)
        return Derivatives(said.value, [-slope for slope in said.gradient], said.second)


def test_the_command_reports_and_fails_on_a_difference(capsys, monkeypatch):
    quiet = ["--programs", "30", "--parts", "branches,containers"]
    assert command.main(["--replay", "0/3", "--parts", ""]) == 0
    shown = capsys.readouterr().out
    assert "def f(p):" in shown
    assert "# fully compared" in shown
    for system, code in ((Oracle(), 0), (Backwards(), 1)):
        monkeypatch.setattr(judge_module, "systems_for", lambda _, system=system: [system])
        assert command.main([*quiet, "--shown", "1"]) == code
        shown = capsys.readouterr().out
        assert "30 programs: " in shown
        assert (", 0 different" in shown) == (code == 0)
        assert ("--- program 0/" in shown) == (code == 1)


def test_several_processes_find_what_one_does():
    command_line = [sys.executable, "-m", "tests.soak", "--programs", "40", "--processes", "2"]
    done = subprocess.run(command_line, capture_output=True, text=True, check=False, timeout=300, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    assert list(soak(40).lines()) == done.stdout.splitlines()[2:]


def test_the_command_says_what_it_knows(capsys):
    with pytest.raises(SystemExit):
        command.main(["--parts", "nothing"])
    assert "--parts knows branches, equality, containers, argument, arrays, words, not 'nothing'" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        command.main(["--help"])
    assert "--processes" in capsys.readouterr().out
    assert command.main(["--conventions"]) == 0
    assert "a tie is split in halves" in capsys.readouterr().out


def test_compiled_functions_join_as_one_more_system():
    class Compiled:
        name = "compiled"

        def value_and_derivatives(self, program):
            f = ag.compile(program.function(ag), backend="python")
            value, gradient = f.value_and_grad(program.point())
            return Derivatives(value, flatten(gradient))

    for k in range(10):
        assert judge(generate(f"compiled/{k}", parts=()), [Compiled()]).kind == FULL


def test_every_system_has_its_turn():
    chosen = [system for k in range(200) for system in systems_for(generate(f"turns/{k}"))]
    assert {system.name for system in chosen} == {system.name for system in (*SYSTEMS, *filter(available, COMPILED))}


@pytest.mark.parametrize("system", COMPILED, ids=lambda system: system.name)
def test_compiled_functions_agree_on_a_program_of_everything(system):
    if not available(system):
        pytest.skip(f"{system.name} needs what is not installed")
    assert {judge(generate(f"everything/{k}"), [system]).kind for k in range(3)} <= {FULL, PARTLY}


def test_sums_of_compiled_functions_may_be_taken_in_another_order():
    first = Step("row", "v0", "{out} = ag.sum([p[0] * 1e200, 1.0])", ())
    steps = (first, Step("row", "v1", "{out} = {0} - p[0] * 1e200", ("v0",)))
    absorbed = Program("absorbed", [0.5], steps, ("v1",), 0)  # 0.0 in this order, 1.0 in another
    for system in (Engine(), Compiled("python")):
        assert judge(absorbed, [system]).kind in (FULL, OPEN)


class Refusing:
    """A system that says of every program that a comparison comes out otherwise."""

    name = "refusing"

    def value_and_derivatives(self, program):
        raise RefusedError("a comparison comes out otherwise")


def test_a_comparison_that_is_refused_is_wrong_unless_roundings_decide_it():
    assert judge(generate("78/1269"), [Refusing()]).kind == OPEN  # a sum of 0 is compared with 0
    assert judge(generate("0/3"), [Refusing()]).kind == WRONG
