"""Every demo runs at a small setting, prints its numbers and leaves its pictures."""

import datetime
import importlib.util
import random
import sys
from pathlib import Path

import pytest

from tests.test_rendering import alone

DEMOS = Path(__file__).parent.parent / "demos"
# A setting of each demo that takes a second or two, and the package without which it has no data.
SMALL = {
    "cartpole": ("gymnasium", "--steps", "3", "--horizon", "10", "--episodes", "1"),
    "check_a_gradient": ("autograd",),
    "digits": ("sklearn", "--epochs", "1", "--samples", "50"),
    "gallery": ("sklearn", "--steps", "3", "--starts", "2", "--dates", "8"),
    "gradient_descent": ("autograd",),
    "initial_weights": ("autograd", "--width", "8", "--samples", "4", "--steps", "1"),
    "local_minima": ("autograd", "--starts", "5", "--steps", "20"),
    "moons": ("sklearn", "--steps", "3", "--repeats", "1"),
    "names": ("names", "--names", "50", "--epochs", "1", "--steps", "3"),
    "sentiment": ("vaderSentiment", "--epochs", "1", "--words", "200"),
    "translate": ("numpy", "--dates", "32", "--held-out", "2", "--epochs", "1"),
    "worked_example": ("autograd", "--steps", "10"),
}


def load(name):
    spec = importlib.util.spec_from_file_location(f"demo_{name}", DEMOS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name, out, *options):
    if name != "worked_example":
        pytest.importorskip("matplotlib", reason="the demo's pictures need matplotlib")
    return load(name).main(["--out", str(out), *options])


@pytest.mark.parametrize("name", sorted(path.stem for path in DEMOS.glob("*.py")))
def test_help(name, capsys):
    with pytest.raises(SystemExit) as end:
        load(name).main(["--help"])
    assert end.value.code == 0
    assert "--out" in capsys.readouterr().out


@pytest.mark.parametrize("name", sorted(path.stem for path in DEMOS.glob("*.py")))
def test_without_renderers_and_matplotlib_all_numbers_come_and_then_what_to_install(name, tmp_path, capsys, monkeypatch):
    data, *options = SMALL[name]
    pytest.importorskip(data, reason="the demo's data come with it")
    alone("", monkeypatch)
    for module in {"matplotlib", *[module for module in sys.modules if module.startswith("matplotlib.")]}:
        monkeypatch.setitem(sys.modules, module, None)
    assert load(name).main(["--out", str(tmp_path), *options]) is not None
    lines = capsys.readouterr().out.rstrip().splitlines()
    first = next(k for k, line in enumerate(lines) if "no picture: " in line or "no graph" in line or "no plots: " in line)
    assert any(any(letter.isdigit() for letter in line) for line in lines[:first])
    assert "pip install" in "\n".join(lines[first:])
    hints = ("no ", "  pygraphviz: ", "  graphviz-pure: ", "  Graphviz itself: ", "or ", "pictures: ", "; no ")
    assert all(line.startswith(hints) for line in lines[first:]), lines[first:]


def test_moons(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="the demo's data need scikit-learn")
    found = run("moons", tmp_path, "--steps", "25", "--repeats", "1")
    assert found["accuracy"] > 0.9
    printed = capsys.readouterr().out
    assert "accuracy" in printed
    assert "one step:" in printed
    names = {"moons_boundary.png", "moons_training.png", "moons_histograms.png", "moons_neuron.svg"}
    assert {path.name for path in tmp_path.iterdir()} == names
    assert "<svg" in (tmp_path / "moons_neuron.svg").read_text()


def test_worked_example(tmp_path, capsys):
    found = run("worked_example", tmp_path)
    assert found["error"] == pytest.approx(0.298371109, abs=5e-10)
    weights = [0.149780716, 0.199561432, 0.249751144, 0.299502287, 0.358916480, 0.408666186, 0.511301270, 0.561370121]
    assert [found[f"w{i}"] for i in range(1, 9)] == pytest.approx(weights, abs=5e-10)
    assert found["error after"] == pytest.approx(0.0000351, abs=5e-8)
    picture = (tmp_path / "worked_example.svg").read_text()
    assert "0.1498" not in picture  # it has the weights by which the error in it was made: 0.15
    printed = capsys.readouterr().out
    for number in ("0.298371109", "0.149780716", "0.561370121", "0.593269992", "0.751365070"):
        assert number in printed
    for line in printed.splitlines():  # the chain rule by hand and backward() print the same
        if "backward():" in line:
            by_hand, engine = line.split("backward():")
            assert by_hand.split("=")[-1].strip() == engine.strip()


def test_gradient_descent(tmp_path):
    found = run("gradient_descent", tmp_path)
    assert found["right"] < 1e-6 < 1.0 < found["at the edge"] < found["too small"] < 60.5 < found["too large"]
    assert (tmp_path / "gradient_descent.png").exists()


def test_local_minima(tmp_path):
    found = run("local_minima", tmp_path, "--starts", "40", "--steps", "150")
    plain, momentum, restarts = found.values()
    assert plain < momentum < restarts
    assert (tmp_path / "local_minima.png").exists()


def test_initial_weights(tmp_path):
    found = run("initial_weights", tmp_path, "--width", "24", "--samples", "8", "--steps", "2")
    assert 0.4 < found["relu He"] < 2.5
    assert found["relu Xavier"] < 0.15
    assert 0.7 < found["tanh Xavier"] < 1.2
    assert found["tanh too small"] < 1e-6
    assert found["tanh zero"] == 0.0
    assert (tmp_path / "initial_weights.png").exists()


def test_digits(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="the demo's data need scikit-learn")
    found = run("digits", tmp_path, "--epochs", "2", "--samples", "150")
    assert all(accuracy > 0.3 for accuracy in found.values())
    assert "of unseen digits" in capsys.readouterr().out
    assert (tmp_path / "digits.png").exists()


def test_too_few_digits_to_hold_out_one_of_each_are_refused(capsys):
    with pytest.raises(SystemExit):
        load("digits").main(["--samples", "49"])
    assert "--samples 50 to 1797" in capsys.readouterr().err


def test_check_a_gradient(tmp_path, capsys):
    errors = run("check_a_gradient", tmp_path)
    assert errors["complex step"] < 1e-15 < errors["central difference"] < 1e-9 < errors["forward difference"] < 1e-6
    assert "valid subgradient: slopes 1 and 2" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["gradcheck_steps.png"]


def test_gallery(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="the demo's data need scikit-learn")
    names = run("gallery", tmp_path, "--steps", "8", "--starts", "5", "--dates", "8")
    figures = ("training", "histograms", "gradcheck", "local_minima", "attention")
    pairs = {f"{name}_{theme}.png" for name in figures for theme in ("light", "dark")}
    shots = {"page_light.png", "page_dark.png"}
    expected = pairs | {"neuron.svg", "folded.svg", "network.svg"}
    assert set(names) - shots == expected
    printed = capsys.readouterr().out
    assert shots <= set(names) or "; no screenshots of the page: " in printed
    assert {path.name for path in tmp_path.iterdir()} == set(names)


def test_names(tmp_path, capsys):
    pytest.importorskip("names", reason="the demo's data are in the package names")
    found = run("names", tmp_path, "--names", "100", "--epochs", "8", "--steps", "40")
    assert found["GRU"] > found["majority"] + 0.05
    assert found["GPT"] < 3.2
    assert found["LSTM"] < 3.2
    printed = capsys.readouterr().out
    assert "GPT: 4192 parameters, 40 steps in" in printed
    assert "of unseen names told apart" in printed
    assert (tmp_path / "names.png").exists()


def test_lists_of_names_and_new_names():
    pytest.importorskip("names", reason="the demo's data are in the package names")
    names = load("names")
    lists = names.read_lists(200)
    assert all(word.isalpha() and word.islower() for words in lists.values() for word in words)
    assert not set(lists["female"]) & set(lists["male"])
    assert 150 < len(lists["female"]) <= 200
    model = names.GPT(random.Random(0))
    found = [names.new_name(model, random.Random(k)) for k in range(3)]
    assert len(set(found)) == 3
    assert max(map(len, found)) < names.BLOCK
    assert found[0] == names.new_name(model, random.Random(0))
    with pytest.raises(SystemExit):
        names.main(["--names", "20"])


def test_translate(tmp_path, capsys):
    found = run("translate", tmp_path, "--dates", "320", "--held-out", "8", "--epochs", "2")
    assert found["loss"] < 2.2
    assert "unseen dates are exactly right" in capsys.readouterr().out
    assert (tmp_path / "translate.png").exists()


def test_dates_in_words(capsys):
    translate = load("translate")
    texts = {form(datetime.date(1987, 5, 3)) for form in translate.FORMATS}
    assert {"the third of May 1987", "Sunday, 3 may 1987", "May 3rd, 1987", "03.05.1987"} <= texts
    assert [translate.numbered(day) for day in (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 31)] == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "31st"]
    )  # fmt: skip
    days = [datetime.date(2000, 1, 1) + datetime.timedelta(days=k) for k in range(366)]
    assert {len(translate.encoded(form(day))) for day in days for form in translate.FORMATS} == {translate.LONGEST + 4}
    for text in ("1 März 2000", "", "x" * 37):
        with pytest.raises(SystemExit):
            translate.main(["--texts", text])
        assert f"not {text!r}" in capsys.readouterr().err


def test_cartpole(tmp_path, capsys):
    pytest.importorskip("gymnasium", reason="the judge of the demo is gymnasium")
    found = run("cartpole", tmp_path, "--steps", "150", "--horizon", "40", "--episodes", "5")
    assert found["mean"] >= 475
    assert "CartPole-v1: mean return" in capsys.readouterr().out
    assert (tmp_path / "cartpole.png").stat().st_size > 10_000


def test_the_physics_of_cartpole_is_that_of_the_environment():
    gymnasium = pytest.importorskip("gymnasium", reason="the judge of the demo is gymnasium")
    demo, environment = load("cartpole"), gymnasium.make("CartPole-v1").unwrapped
    state, _ = environment.reset(seed=3)
    for action in (1, 0, 0, 1, 1):
        expected = demo.moved(list(environment.state), 10.0 if action else -10.0)
        environment.step(action)
        assert list(environment.state) == pytest.approx(expected, rel=1e-12)
    assert len(state) == 4


def test_sentiment(tmp_path, capsys):
    pytest.importorskip("vaderSentiment", reason="the demo's words come with vaderSentiment")
    found = run("sentiment", tmp_path, "--epochs", "3", "--words", "3000")
    assert found["accuracy"] > found["largest"] + 0.05
    assert "unseen words are told right" in capsys.readouterr().out
    assert (tmp_path / "sentiment.png").stat().st_size > 10_000
