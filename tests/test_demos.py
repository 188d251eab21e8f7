"""Every demo runs at a small setting, prints its numbers and leaves its pictures."""

import importlib.util
from pathlib import Path

import pytest

DEMOS = Path(__file__).parent.parent / "demos"


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


def test_moons(tmp_path, capsys):
    pytest.importorskip("sklearn", reason="the demo's data need scikit-learn")
    found = run("moons", tmp_path, "--steps", "25")
    assert found["accuracy"] > 0.9
    printed = capsys.readouterr().out
    assert "accuracy" in printed
    assert "one step:" in printed
    assert {path.name for path in tmp_path.iterdir()} == {"moons_boundary.png", "moons_training.png", "moons_neuron.svg"}
    assert "<svg" in (tmp_path / "moons_neuron.svg").read_text()
