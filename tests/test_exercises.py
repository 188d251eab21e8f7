"""The exercises: every template fails kindly, every solution passes, every mistake is named; and the machinery around them."""

from __future__ import annotations

import ast
import doctest
import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import autograd.exercises
from autograd import gradcheck
from autograd.exercises import Exercise, check, course, find, grade, submissions
from autograd.exercises.command import changes, main
from autograd.exercises.folder import Folder, seed_of
from autograd.exercises.judge import judge, untouched
from autograd.exercises.marking import grade_source
from autograd.exercises.pictures import draw
from autograd.exercises.run import run_source

pytest_plugins = ["autograd.exercises.pytest_plugin", "pytester"]

ROOT = Path(__file__).resolve().parent.parent
SEEDS = (0, seed_of("Ada"), seed_of("Emmy"))
EVERY = pytest.mark.parametrize("exercise", course(), ids=lambda exercise: exercise.name)

DIFFERENTIATED = [exercise for exercise in course() if exercise.function is not None and "expected" not in exercise.grading]


# Every exercise


def test_the_course_is_complete():
    assert [exercise.number for exercise in course()] == list(range(1, len(course()) + 1))
    assert len(course()) >= 30
    assert [exercise.part_number for exercise in course()] == sorted(exercise.part_number for exercise in course())
    assert {exercise.part_number for exercise in course()} == {1, 2, 3, 4, 5}
    assert sum(len(exercise.other_solutions) >= 2 for exercise in course()) >= 10
    assert len({exercise.name for exercise in course()}) == len(course())


@EVERY
def test_the_untouched_template_fails_kindly(exercise):
    verdict = grade_source(exercise.name, "# my own remark\n" + exercise.template)
    assert verdict.status == "untouched"
    assert not verdict
    assert "not started yet" in str(verdict)
    assert exercise.file_name in str(verdict)


@EVERY
def test_a_template_with_holes_is_no_solution(exercise):
    verdict = grade_source(exercise.name, exercise.template + "\nTOUCHED = True\n")
    assert not verdict
    assert verdict.status in ("mistake", "wrong", "error")


@EVERY
@pytest.mark.parametrize("seed", SEEDS)
def test_right_solutions_pass(exercise, seed):
    for source in (exercise.solution, *exercise.other_solutions):
        verdict = grade_source(exercise.name, source, seed=seed)
        assert verdict, f"{verdict}\n{source}"
    assert "hole" not in exercise.solution


@EVERY
@pytest.mark.parametrize("seed", SEEDS)
def test_every_mistake_is_named(exercise, seed):
    assert len(exercise.mistakes) >= 3
    for mistake in exercise.mistakes:
        verdict = grade_source(exercise.name, exercise.source_of(mistake), seed=seed)
        assert verdict.status == "mistake"
        assert verdict.mistake == mistake.name
        assert mistake.message in str(verdict)
        assert verdict.where
        assert "got" in verdict.report or verdict.line


@pytest.mark.parametrize("exercise", DIFFERENTIATED, ids=lambda exercise: exercise.name)
def test_answers_are_those_of_the_gradient_check(exercise):
    """Formulas are checked by evaluating the function, independently of the engine's derivatives."""
    solution = {}
    exec(exercise.solution, solution)
    for case in exercise.cases(0):
        if max(map(abs, numbers(case))) < 100:  # further out, differences tell nothing
            given, rest = case[: exercise.by], case[exercise.by :]
            function, gradient = (with_last(f, rest) for f in (exercise.function, solution[exercise.entry]))
            report = gradcheck(function, *given, gradient=gradient)
            assert report, report


def with_last(function, rest):
    return lambda *inputs: function(*inputs, *rest)


def numbers(tree):
    return [x for part in tree for x in numbers(part)] if isinstance(tree, (list, tuple)) else [tree]


@EVERY
def test_texts_can_be_read(exercise):
    assert set(exercise.sections) == {"title", "text", "Idea", "Hints"}
    assert 3 <= len(exercise.hints) <= 4
    assert len(exercise.sections["text"]) < 1200
    for line in exercise.read("README.md").split("\n"):
        assert len(line) <= 125
    assert "\\" not in exercise.sections["text"]
    assert '"""' not in exercise.sections["text"]
    assert "..." in exercise.template
    ast.parse(exercise.template)
    names = {node.name for node in ast.walk(ast.parse(exercise.template)) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    assert not exercise.entry or exercise.entry in names
    assert not exercise.entry or exercise.entry in exercise.sections["text"]
    assert exercise.template.isascii()


@EVERY
def test_messages_speak_to_the_learner(exercise):
    for mistake in exercise.mistakes:
        assert mistake.message.endswith((".", "?", ")"))
        assert len(mistake.message) < 200


@EVERY
def test_pictures_mark_the_edge(exercise, tmp_path):
    for mistake in exercise.mistakes:
        if mistake.edge:
            verdict = grade_source(exercise.name, exercise.source_of(mistake))
            assert verdict.edge == mistake.edge
            draw(exercise, verdict, 0, tmp_path / "picture.dot")
            assert verdict.edge == mistake.edge
            assert "#b00020" in (tmp_path / "picture.dot").read_text()
            assert (tmp_path / "picture.dot").read_text().count("#b00020") % 2 == 0  # the line and its number


def test_the_page_lists_the_course():
    page = (ROOT / "autograd" / "exercises" / "README.md").read_text()
    for exercise in course():
        folder = f"{exercise.folder.parent.name}/{exercise.folder.name}"
        known = ", ".join(mistake.name for mistake in exercise.mistakes)
        assert f"| {exercise.number} | [{exercise.title}](course/{folder}/README.md) | {known} |" in page
    for target in re.findall(r"\]\(([^)#]+)\)", page):
        assert (ROOT / "autograd" / "exercises" / target).exists(), target


def test_the_page_says_what_happens():
    page = ROOT / "autograd" / "exercises" / "README.md"
    found = doctest.testfile(str(page), module_relative=False)
    assert (found.failed, found.attempted) == (0, 2)


def test_an_exercise_can_be_added_as_the_page_says(tmp_path):
    page = (ROOT / "autograd" / "exercises" / "README.md").read_text()
    folder = tmp_path / "5_deeper" / "41_gelu"
    folder.mkdir(parents=True)
    (folder / "grading.py").write_text(re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)[-1])
    solution = "import math\n\n\ndef derivative(x):\n    s = 1 / (1 + math.exp(-1.702 * x))\n"
    (folder / "solution.py").write_text(solution + "    return s + x * 1.702 * s * (1 - s)  # hole\n")
    (folder / "README.md").write_text("# GELU\n\nThe text.\n\n## Idea\n\nAn idea.\n\n## Hints\n\n1. One.\n2. Two.\n3. Three.\n")
    exercise = Exercise(folder)
    assert (exercise.number, exercise.name, exercise.part, exercise.hints) == (41, "gelu", "Deeper", ["One.", "Two.", "Three."])
    assert "    return ...\n" in exercise.template
    assert judge(exercise, run_source(exercise, exercise.solution, 0), 0)
    wrong = run_source(exercise, exercise.source_of(exercise.mistakes[0]), 0)
    assert judge(exercise, wrong, 0).mistake == "second term forgotten"


# A program of the learner, in a process of its own


def submit(tmp_path, name, body):
    file = tmp_path / find(name).file_name
    file.write_text(body)
    return grade(name, file)


def test_a_loop_that_never_ends(tmp_path):
    verdict = submit(tmp_path, "power", "def derivative(x, n):\n    while True:\n        n += 1\n")
    assert verdict.status == "time"
    assert "loop that never ends" in str(verdict)
    assert verdict.line in (2, 3)
    assert verdict.source in ("while True:", "n += 1")


def test_a_loop_while_loading_and_one_that_catches_everything(tmp_path):
    verdict = submit(tmp_path, "power", "while True:\n    try:\n        1 / 0\n    except BaseException:\n        pass\n")
    assert verdict.status == "time"
    assert verdict.line


def test_an_exception(tmp_path):
    verdict = submit(tmp_path, "power", "def derivative(x, n):\n    return helper(x)\n\ndef helper(x):\n    return x / 0\n")
    assert verdict.status == "error"
    assert "ZeroDivisionError" in str(verdict)
    assert (verdict.line, verdict.source) == (5, "return x / 0")
    assert "x = " in verdict.where


@pytest.mark.parametrize(
    ("body", "said", "line"),
    [
        ("def derivative(x, n)\n    return 1\n", "SyntaxError", 1),
        ("import sys\nsys.exit(3)\n", "SystemExit", 2),
        ("import os\nos._exit(3)\n", "ended by itself", None),
        ("x = 1\n", "no function `derivative`", None),
        ("def derivative(x):\n    return 1\n", "takes 1 positional argument", None),
        ("def derivative(x, n):\n    return input()\n", "EOFError", 2),
        ("def derivative(x, n):\n    return derivative(x, n)\n", "RecursionError", 2),
        ("raise KeyboardInterrupt\n", "KeyboardInterrupt", 1),
    ],
)
def test_programs_that_end_badly(tmp_path, body, said, line):
    verdict = submit(tmp_path, "power", body)
    assert verdict.status == "error"
    assert said in str(verdict)
    assert verdict.line == line


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("None", "is a `return` missing?"),
        ("...", "there is still a `...` to fill in"),
        ("'2.0'", "expected a number, got the text '2.0'"),
        ("[1.0, 2.0]", "expected a number, got a list of 2"),
        ("{'x': 1.0}", "expected a number, got a dictionary with the keys 'x'"),
        ("object()", "got `object`; answer with plain numbers"),
        ("float('nan')", "got nan"),
        ("complex(1, 2)", "got `complex`"),
    ],
)
def test_wrong_types(answer, said):
    verdict = grade_source("power", f"def derivative(x, n):\n    return {answer}\n")
    assert verdict.status == "wrong"
    assert said in str(verdict)


def test_a_hole_inside_an_answer_is_found():
    verdict = grade_source("neuron", "def gradient(w, x, b):\n    return [0.0, 0.0, 0.0], ..., 1.0\n")
    assert "answer[1]: expected a list of 3, got `...`; there is still a `...` to fill in" in str(verdict)
    verdict = grade_source("layer", "def backward(W, x, b, dy):\n    return [[0.0] * 2] * 3, x, b\n")
    assert "answer[0][0]: expected a list of 3, got a list of 2" in str(verdict)


def test_numbers_of_other_kinds_are_welcome():
    for kind in ("Fraction(n) * Fraction(x) ** (n - 1)", "numpy.float64(n) * x ** (n - 1)", "numpy.array(n * x ** (n - 1))"):
        source = f"from fractions import Fraction\nimport numpy\ndef derivative(x, n):\n    return {kind}\n"
        assert grade_source("power", source)
    value = "from autograd import Value\ndef derivative(x, n):\n    return Value(n * x ** (n - 1))\n"
    assert grade_source("power", value)


def test_printed_noise(tmp_path):
    noise = "import os, sys\nprint('hello')\nos.system('echo from the shell')\nprint('{\"results\": []}', file=sys.stderr)\n"
    verdict = submit(tmp_path, "power", noise + "def derivative(x, n):\n    print(x)\n    return n * x ** (n - 1)\n")
    assert verdict
    assert "your program printed:" in str(verdict)
    assert "hello" in verdict.printed
    assert "from the shell" in verdict.printed


@pytest.mark.skipif(os.name == "nt", reason="no limits on Windows")
def test_too_much_printed(tmp_path):
    verdict = submit(tmp_path, "power", "def derivative(x, n):\n    while True:\n        print('again')\n")
    assert not verdict
    assert len(str(verdict)) < 2000


def test_a_submission_cannot_change_the_case():
    spoils = "def gradient(p, t):\n    answer = given(p, t)\n    p.clear()\n    return answer\n"
    assert grade_source("mse", find("mse").solution + "\ngiven = gradient\n" + spoils)


def test_an_unknown_mistake_gets_the_gradient_check():
    verdict = grade_source("two_paths", "def gradient(a, b):\n    return 3 * a, a\n")
    assert verdict.status == "wrong"
    assert "by a " in verdict.report
    assert "wrong" in verdict.report
    assert "equal" in verdict.report


def test_the_edges_of_a_wrong_input_are_marked(tmp_path):
    verdict = grade_source("two_paths", "def gradient(a, b):\n    return 3 * a, a\n")
    draw(find("two_paths"), verdict, 0, tmp_path / "picture.svg")
    assert verdict.edge == "a -> c, a -> d"
    assert "#b00020" in Path(verdict.picture).read_text()
    assert "picture.svg" in str(verdict)


def test_no_picture_of_a_program_that_raised(tmp_path):
    verdict = grade_source("two_paths", "def gradient(a, b):\n    return 1 / 0\n")
    draw(find("two_paths"), verdict, 0, tmp_path / "picture.svg")
    assert not list(tmp_path.iterdir())


def test_json_of_nan_is_json():
    verdict = grade_source("power", "def derivative(x, n):\n    return float('nan')\n")
    json.dumps(verdict.to_dict(), allow_nan=False)
    assert verdict.to_dict()["got"] == "nan"


# In a notebook


def test_check_a_function():
    assert check("power", lambda x, n: n * x ** (n - 1))
    verdict = check("tanh", lambda x: 1 - x**2)
    assert verdict.mistake == "x for tanh(x)"
    assert "not in x" in repr(verdict)


def test_check_of_several_names():
    names = {}
    exec(find("signs").solution, names)
    wanted = {name: names[name] for name in ("WRONG", "sub_backward", "div_backward")}
    assert check("signs", **wanted)
    assert check("signs", **{**wanted, "WRONG": "sub"}).mistake == "the other one blamed"


def test_check_a_class():
    names = {}
    exec(find("value").solution, names)
    assert check("value", names["Value"])


def test_check_shows_the_line_and_stops_loops():
    def derivative(x):
        return undefined  # noqa: F821

    def endless(x):
        while True:
            pass

    verdict = check("tanh", derivative)
    assert verdict.source.startswith("return undefined")
    if hasattr(__import__("signal"), "SIGALRM"):
        assert check("tanh", endless).status == "time"


def test_check_of_nothing():
    with pytest.raises(KeyError, match="no exercise 'cosh'; the course has power, product"):
        check("cosh", abs)
    with pytest.raises(TypeError, match=r"exercise tanh needs your function: check\('tanh', derivative\)"):
        check("tanh")


# The folder and the command line


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["start"]) == 0
    return Folder(tmp_path / "autograd-exercises")


def solve(folder, *names):
    for name in names:
        folder.file_of(find(name)).write_text(find(name).solution)


def test_start_writes_templates_and_never_overwrites(folder, capsys):
    assert len(list(folder.path.glob("*.py"))) == len(course())
    assert untouched(find("tanh"), folder.file_of(find("tanh")).read_text())
    solve(folder, "tanh")
    folder.file_of(find("power")).unlink()
    assert main(["start"]) == 0
    assert folder.file_of(find("tanh")).read_text() == find("tanh").solution
    shown = capsys.readouterr().out
    assert "1 exercises written to autograd-exercises" in shown
    assert f"{len(course()) - 1} files that were there are as they were" in shown


def test_check_one(folder, capsys):
    assert main(["check", "power"]) == 1
    assert "not started yet" in capsys.readouterr().out
    solve(folder, "power")
    assert main(["check", "1"]) == 0
    assert "01 power: right\n  next: 02_product.py" in capsys.readouterr().out
    folder.file_of(find("two_paths")).write_text(find("two_paths").source_of(find("two_paths").mistakes[0]))
    assert main(["check", "13_two_paths.py"]) == 1
    shown = capsys.readouterr().out
    assert 'the mistake "only through c"' in shown
    assert "in red where it goes wrong: a -> d" in shown
    assert list((folder.path / "pictures").glob("two_paths.*"))


def test_check_all_and_status(folder, capsys):
    solve(folder, "power", "value")
    folder.file_of(find("tanh")).write_text(find("tanh").source_of(find("tanh").mistakes[0]))
    capsys.readouterr()
    assert main(["check"]) == 1
    shown = capsys.readouterr().out
    assert "01 power: right" in shown
    assert '05 tanh: the mistake "x for tanh(x)"' in shown
    assert f"2 of {len(course())} right, {len(course()) - 3} not started" in shown
    assert main(["status"]) == 0
    shown = capsys.readouterr().out
    assert f"[##......................................] 2 of {len(course())}" in shown
    assert "done  01_power.py" in shown
    assert "next: 02_product.py" in shown


def test_everything_solved(folder, capsys):
    solve(folder, *(exercise.name for exercise in course()))
    assert main(["check"]) == 0
    assert f"{len(course())} of {len(course())} right" in capsys.readouterr().out
    assert main(["check", "forward"]) == 0
    assert "the whole course" in capsys.readouterr().out
    folder.file_of(find("power")).unlink()
    assert main(["check"]) == 1


def test_check_as_json(folder, capsys):
    folder.file_of(find("tanh")).write_text(find("tanh").source_of(find("tanh").mistakes[0]))
    capsys.readouterr()
    assert main(["check", "tanh", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["verdicts"][0]["mistake"] == "x for tanh(x)"
    assert found["verdicts"][0]["expected"] != found["verdicts"][0]["got"]


def test_hints_go_from_gentle_to_plain_and_are_remembered(folder, capsys):
    capsys.readouterr()
    shown = []
    for _ in range(4):
        assert main(["hint", "tanh"]) == 0
        shown.append(capsys.readouterr().out)
    assert "hint 1 of 3" in shown[0]
    assert "return 1 - math.tanh(x) ** 2" in shown[2]
    assert shown[3] == shown[2]


def test_show(folder, capsys):
    assert main(["show", "diamond"]) == 0
    shown = capsys.readouterr().out
    assert "The paths part at t" in shown
    assert "n0    a" in shown
    assert "One way to write it" not in shown
    solve(folder, "diamond")
    main(["check", "diamond"])
    main(["show", "diamond"])
    assert "One way to write it" in capsys.readouterr().out
    assert main(["show", "step"]) == 0
    assert "![" not in capsys.readouterr().out


def test_reset_keeps_what_was_written(folder, capsys):
    for i, kept in enumerate(("05_tanh.py.bak", "05_tanh.py.bak1")):
        folder.file_of(find("tanh")).write_text(f"# version {i}\n")
        assert main(["reset", "tanh"]) == 0
        assert kept in capsys.readouterr().out
        assert (folder.path / kept).read_text() == f"# version {i}\n"
    assert untouched(find("tanh"), folder.file_of(find("tanh")).read_text())


def test_progress_survives_an_interruption(folder):
    folder.record(find("tanh"), True)
    folder.file.with_name(folder.file.name + ".new").write_text('{"passed": [')  # the power went while writing
    assert Folder(folder.path).state["passed"] == ["tanh"]
    assert main(["start"]) == 0
    assert Folder(folder.path).state["passed"] == ["tanh"]


def test_a_question_that_makes_no_sense(folder, tmp_path, capsys):
    assert main(["check", "cosh"]) == 2
    assert "no exercise 'cosh'" in capsys.readouterr().err
    assert main(["--dir", str(tmp_path / "elsewhere"), "status"]) == 2
    assert "begin with `python -m autograd.exercises start`" in capsys.readouterr().err
    folder.file_of(find("tanh")).unlink()
    assert main(["check", "tanh"]) == 2
    assert "`python -m autograd.exercises reset tanh` writes it anew" in capsys.readouterr().err
    folder.file.write_text("{")
    assert main(["status"]) == 2
    assert "delete it" in capsys.readouterr().err


def test_saved_files_are_seen(folder):
    seen = changes(folder, pause=0.0)
    file = folder.file_of(find("tanh"))
    before = file.stat().st_mtime_ns
    # The generator takes stock when it is asked first, so another file is saved from a thread while it looks.
    timer = threading.Timer(0.2, lambda: os.utime(folder.file_of(find("power")), ns=(before + 1, before + 10**9)))
    timer.start()
    assert next(seen).name == "power"
    timer.join()
    os.utime(file, ns=(before + 10**9, before + 10**9))
    assert next(seen).name == "tanh"


def test_the_command_from_a_terminal(tmp_path):
    def run(*words):
        command, environment = [sys.executable, "-m", "autograd.exercises", *words], {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True).stdout

    shown = run("start", ".")
    assert "Open 01_power.py in an editor" in shown
    assert "cd" not in shown.split("Then:")[1].split("\n")[0]
    shown = run("--help")
    for word in ("start", "check", "watch", "hint", "show", "status", "reset"):
        assert word in shown


# For teachers


def test_students_have_numbers_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["start", "ada", "--student", "Ada"]) == 0
    assert Folder(tmp_path / "ada").seed == seed_of("Ada") != 0
    assert find("power").cases(seed_of("Ada")) != find("power").cases(seed_of("Emmy"))
    learned = "def derivative(x):\n    return {answer!r}\n"
    case = find("tanh").cases(seed_of("Ada"))[0]
    assert not grade_source("tanh", learned.format(answer=find("tanh").expected(case)), seed=seed_of("Ada"))


def test_a_class_is_graded_with_pytest(pytester):
    for student, source in (("ada", find("tanh").solution), ("bob", find("tanh").source_of(find("tanh").mistakes[0]))):
        place = pytester.path / "class" / student
        place.mkdir(parents=True)
        (place / "05_tanh.py").write_text(source)
        (place / "notes.py").write_text("")
    assert [found[:2] for found in submissions(pytester.path / "class")] == [("ada", "tanh"), ("bob", "tanh")]
    pytester.makepyfile(
        """
        import pytest
        from autograd.exercises import submissions

        @pytest.mark.parametrize("student, exercise, file", submissions("class"))
        def test_class(grade_submission, student, exercise, file):
            grade_submission(exercise, file, student)
        """
    )
    pytester.syspathinsert(ROOT)
    result = pytester.runpytest_inprocess("-p", "autograd.exercises.pytest_plugin", "-p", "no:cacheprovider")
    result.assert_outcomes(passed=1, failed=1)
    assert 'the mistake "x for tanh(x)"' in result.stdout.str()


def test_a_mistake_that_does_not_fit_is_refused():
    exercise = find("power")
    with pytest.raises(ValueError, match=r"power: 'none' replaces 'nothing', found 0 times, not once"):
        exercise.source_of(exercise.mistakes[0]._replace(name="none", old="nothing"))


def test_no_public_name_is_that_of_a_module():
    assert not set(autograd.exercises.__all__) & {path.stem for path in (ROOT / "autograd" / "exercises").glob("*.py")}


def test_imports_go_one_way():
    chain = ["catalogue", "run", "judge", "pictures", "folder", "marking", "pytest_plugin", "command", "__init__", "__main__"]
    for path in (ROOT / "autograd" / "exercises").glob("*.py"):
        tree = ast.parse(path.read_text())
        assert ast.get_docstring(tree).startswith("The room of")
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "autograd", f"{path.name} imports from the whole package"
                assert not node.module.startswith("nn")
                if node.module.startswith("autograd.exercises."):
                    assert chain.index(node.module.split(".")[2]) < chain.index(path.stem)
