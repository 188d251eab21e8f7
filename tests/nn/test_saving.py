import json
import math
import random

import pytest

import nn
from autograd import Value

SUFFIXES = [".json", ".safetensors"]


class Odd(nn.Module):
    """Lists of several lengths, Values between modules, a Value of its own."""

    def __init__(self, seed):
        self.mixed = [Value(seed), nn.Linear(2, 2, seed=seed), Value(seed + 1)]
        self.ragged = [[Value(seed)], [Value(seed), Value(seed)]]
        self.alone = Value(seed)


def numbers(model):
    return {name: p.data for name, p in model.named_parameters().items()}


def need(suffix):
    if suffix == ".safetensors":
        pytest.importorskip("safetensors", reason="needs safetensors")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("make", [lambda s: nn.MLP(3, [4, 1], seed=s), Odd, lambda s: nn.LSTM(2, 3, seed=s)])
def test_what_is_saved_is_loaded(tmp_path, suffix, make):
    need(suffix)
    model, twin = make(1), make(2)
    nn.save(tmp_path / f"model{suffix}", model)
    assert numbers(model) != numbers(twin)
    nn.load(tmp_path / f"model{suffix}", twin)
    assert numbers(model) == numbers(twin)
    assert [path.name for path in tmp_path.iterdir()] == [f"model{suffix}"]


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_training_goes_on_as_if_never_interrupted(tmp_path, suffix):
    need(suffix)

    def train(model, optimizer, steps):
        for _ in range(steps):
            optimizer.zero_grad()
            (model([1.0, 2.0]) ** 2).backward()
            optimizer.step()

    def fresh(seed):
        model = nn.MLP(2, [3, 1], seed=seed)
        return model, nn.Adam(model.parameters(), lr=0.05)

    whole, interrupted, resumed = fresh(1), fresh(1), fresh(2)
    train(*whole, 8)
    train(*interrupted, 5)
    nn.save(tmp_path / f"at5{suffix}", *interrupted)
    nn.load(tmp_path / f"at5{suffix}", *resumed)
    train(*resumed, 3)
    assert numbers(whole[0]) == numbers(resumed[0])


def test_a_matrix_is_one_tensor(tmp_path):
    safetensors = pytest.importorskip("safetensors.numpy", reason="needs safetensors")
    nn.save(tmp_path / "a.safetensors", nn.Linear(2, 3, seed=0))
    found = safetensors.load_file(tmp_path / "a.safetensors")
    assert {name: x.shape for name, x in found.items()} == {"weight": (3, 2), "bias": (3,)}


def test_numbers_that_are_not_finite(tmp_path):
    model, twin = nn.Linear(3, 1, bias=False), nn.Linear(3, 1, bias=False)
    for p, x in zip(model.weight[0], (math.nan, math.inf, -math.inf)):
        p.data = x
    nn.save(tmp_path / "a.json", model)
    nn.load(tmp_path / "a.json", twin)
    assert [repr(p.data) for p in twin.weight[0]] == ["nan", "inf", "-inf"]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize(("saved", "into", "message"), [
    (nn.Linear(2, 3, bias=False), nn.Linear(2, 3), "lacks 1 entries, the first is 'bias'"),
    (nn.Linear(2, 3), nn.Linear(2, 3, bias=False), "has 1 entries too many, the first is 'bias'"),
    (nn.Linear(2, 3), nn.Linear(3, 3), r"has 'weight' in shape \[3, 2\], and the model needs shape \[3, 3\]"),
])  # fmt: skip
def test_another_model(tmp_path, suffix, saved, into, message):
    need(suffix)
    before = numbers(into)
    nn.save(tmp_path / f"a{suffix}", saved)
    with pytest.raises(ValueError, match=message):
        nn.load(tmp_path / f"a{suffix}", into)
    assert numbers(into) == before


def test_an_optimiser_that_was_not_saved(tmp_path):
    model = nn.Linear(1, 1)
    nn.save(tmp_path / "a.json", model)
    with pytest.raises(ValueError, match="lacks 3 entries, the first is 'optimizer/steps'"):
        nn.load(tmp_path / "a.json", model, nn.Adam(model.parameters()))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("damage", [
    lambda b: b[: len(b) // 2], lambda _: b"", lambda _: b"\x80\x04cos\nsystem\n", lambda b: b"x" + b,
])  # fmt: skip
def test_damaged_files(tmp_path, suffix, damage):
    need(suffix)
    path, model = tmp_path / f"a{suffix}", nn.Linear(2, 2, seed=0)
    nn.save(path, model)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=r"is not (JSON|a safetensors file), or was cut off"):
        nn.load(path, model)


@pytest.mark.parametrize("entry", [
    {"shape": [2], "numbers": [1.0]}, {"shape": [-1, -1], "numbers": [1.0]}, {"shape": ["x"], "numbers": []}, {"shape": [1]}, 7,
    {"shape": [1], "numbers": ["x"]}, {"shape": [1], "numbers": [[1.0]]}, {"shape": None, "numbers": None},
])  # fmt: skip
def test_hostile_entries(tmp_path, entry):
    (tmp_path / "a.json").write_text(json.dumps({"format": "scalar-autograd 1", "tensors": {"weight": entry}}))
    with pytest.raises(ValueError, match="the entry 'weight'"):
        nn.load(tmp_path / "a.json", nn.Linear(1, 1))


@pytest.mark.parametrize("content", ["[]", "{}", '{"format": "other", "tensors": {}}', "3", "[" * 100_000])
def test_json_that_is_no_model(tmp_path, content):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(ValueError, match=r"is JSON, but not a saved model|is not JSON"):
        nn.load(tmp_path / "a.json", nn.Linear(1, 1))


def test_other_suffixes(tmp_path):
    with pytest.raises(ValueError, match=r"a model is saved as .json or .safetensors, not as '.pkl'"):
        nn.save(tmp_path / "a.pkl", nn.Linear(1, 1))


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kind", ["python", "numpy"])
def test_dropout_goes_on_drawing_where_it_was(tmp_path, suffix, kind):
    need(suffix)
    np = pytest.importorskip("numpy", reason="needs numpy")

    def fresh(seed):
        rng = random.Random(seed) if kind == "python" else np.random.default_rng(seed)
        model = nn.Sequential(nn.Linear(2, 3, seed=seed), nn.Dropout(0.5, rng=rng), nn.Dropout(0.5, seed=seed))
        return model, nn.SGD(model.parameters())

    model, optimizer = fresh(1)
    model([1.0, 2.0])
    nn.save(tmp_path / f"run{suffix}", model, optimizer)
    expected = [float(y) for _ in range(5) for y in model([1.0, 2.0])]
    twin, other = fresh(2)
    nn.load(tmp_path / f"run{suffix}", twin, other)
    assert [float(y) for _ in range(5) for y in twin([1.0, 2.0])] == expected


@pytest.mark.parametrize("numbers", [[], [3.0], [1e300] * 627, [math.nan] * 627, [300.0], [ord(c) for c in '{"state": 1}']])
@pytest.mark.parametrize("kind", ["python", "numpy"])
def test_the_state_of_a_generator_that_is_none(tmp_path, numbers, kind):
    np = pytest.importorskip("numpy", reason="needs numpy")
    rng = random.Random(1) if kind == "python" else np.random.default_rng(1)
    model = nn.Sequential(nn.Linear(1, 1, seed=1), nn.Dropout(rng=rng))
    optimizer = nn.SGD(model.parameters())
    path = tmp_path / "run.json"
    nn.save(path, model, optimizer)
    content = json.loads(path.read_text())
    content["tensors"]["generator/0"] = {"shape": [len(numbers)], "numbers": [str(x) for x in numbers]}
    path.write_text(json.dumps(content))
    with pytest.raises(ValueError, match="what was saved is no state of a generator such as"):
        nn.load(path, model, optimizer)


@pytest.mark.parametrize("steps", ["inf", "nan", "-1", "0.5"])
def test_steps_that_cannot_be(tmp_path, steps):
    model = nn.Linear(1, 1, seed=1)
    optimizer = nn.SGD(model.parameters())
    path = tmp_path / "run.json"
    nn.save(path, model, optimizer)
    path.write_text(path.read_text().replace('"optimizer/steps": {"shape": [], "numbers": [0.0]}',
                                             f'"optimizer/steps": {{"shape": [], "numbers": ["{steps}"]}}'))  # fmt: skip
    with pytest.raises(ValueError, match="it counts steps"):
        nn.load(path, model, optimizer)
