"""Networks drawn as the textbook does: every weight a line, every neuron a circle, and in the page a door to its graph."""

import math
import re
import xml.etree.ElementTree as ET

import pytest

import nn
from autograd import Value
from tests.browser import Tab, chromium, missing

needs_browser = pytest.mark.skipif(bool(missing()), reason=missing() or "there is one")
SVG = "{http://www.w3.org/2000/svg}"


def two_by_two():
    model = nn.Sequential(nn.Linear(2, 2, seed=0), "sigmoid", nn.Linear(2, 2, seed=1), "sigmoid")
    model.layers[0].bias[1].data = -0.6
    return model


def parsed(drawing):
    """Lines as {title: attributes} and circles as {title: (class, number written)}."""
    root = ET.fromstring(str(drawing))
    lines = {line.find(f"{SVG}title").text: line.attrib for line in root.iter(f"{SVG}line") if len(line)}
    circles = {}
    for group in root.iter(f"{SVG}g"):
        text = group.find(f"{SVG}text")
        circles[group.find(f"{SVG}title").text] = (group.get("class"), None if text is None else text.text)
    return lines, circles


def words(drawing):
    return [text.text for text in ET.fromstring(str(drawing)).iter(f"{SVG}text")]


# What is drawn.
def test_every_weight_is_a_line_with_its_sign_and_size():
    model = nn.MLP(3, [4, 2], seed=0)
    model.layers[0].neurons[1].w[2].data = 0.0
    lines, circles = parsed(nn.draw_network(model))
    assert len(lines) == 3 * 4 + 4 * 2
    assert len(circles) == 3 + 4 + 2
    widths = []
    for k, layer in enumerate(model.layers):
        for j, neuron in enumerate(layer.neurons):
            for i, w in enumerate(neuron.w):
                line = lines[f"layer{k}, neuron {j}, weight {i}: {w.data!r}"]
                assert line["class"] == ("p" if w.data > 0 else "n" if w.data < 0 else "none")
                widths.append((abs(w.data), float(line.get("stroke-width", 0.0))))
    widths.sort()
    assert [width for _, width in widths] == sorted(width for _, width in widths)


def test_neurons_hold_what_they_give():
    model = two_by_two()
    _, circles = parsed(nn.draw_network(model, [0.05, 0.1], inputs=["i1", "i2"], outputs=["o1", "o2"]))
    hidden = [h.sigmoid().data for h in model.layers[0]([0.05, 0.1])]
    out = [y.data for y in model([0.05, 0.1])]
    assert circles["i1 = 0.05"][1] == "0.05"
    for j in (0, 1):
        bias = model.layers[0].bias[j].data
        assert circles[f"linear0, neuron {j}, gives {hidden[j]!r}, bias {bias!r}"][1] == f"{hidden[j]:.2f}"
        assert circles[f"linear2, neuron {j}, gives {out[j]!r}, bias 0.0"][1] == f"{out[j]:.2f}"


def test_an_activation_behind_neurons():
    model = nn.Sequential(nn.MLP(2, [3, 1], seed=0), lambda y: [y], nn.Neuron(1, nonlin=False, seed=1))
    silent = nn.Sequential(nn.Layer(2, 3, nonlin=False, seed=0), "tanh", nn.Neuron(3, activation="tanh", seed=1))
    shown = words(nn.draw_network(silent, [1.0, -2.0]))
    for y in (*(h.tanh() for h in silent.layers[0]([1.0, -2.0])), silent([1.0, -2.0])):
        assert f"{y.data:.2f}" in shown
    assert "3 neurons, tanh" in shown
    assert f"{model([1.0, -2.0]).data:.2f}" in words(nn.draw_network(model, [1.0, -2.0]))


def test_heads_and_names():
    shown = words(nn.draw_network(two_by_two(), [Value(0.0, label="width"), 1.0], outputs=["o1", "o2"], title="paper & pencil"))
    for expected in ("paper & pencil", "inputs", "2 numbers", "linear0", "2 neurons, sigmoid", "width", "x2", "o1", "o2"):
        assert expected in shown
    for row in two_by_two().layers[0].weight:  # few weights have their numbers written on them
        assert {f"{w.data:.2f}" for w in row} <= set(shown)


def test_gradients():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    with pytest.raises(ValueError, match=r"no gradients to show: call backward\(\)"):
        nn.draw_network(model, show="gradients")
    model([1.0, -0.5]).backward()
    lines, circles = parsed(nn.draw_network(model, show="gradients"))
    for k, layer in enumerate(model.layers):
        for j, neuron in enumerate(layer.neurons):
            assert f"layer{k}, neuron {j}, gradient of its sum {neuron.b.grad!r}" in circles
            for i, w in enumerate(neuron.w):
                line = lines[f"layer{k}, neuron {j}, gradient of its weight {i}: {w.grad!r}"]
                assert line["class"] == ("p" if w.grad > 0 else "n")


def test_lines_that_are_all_0_have_no_size():
    model = nn.Sequential(nn.Linear(2, 2, seed=0))
    for p in model.layers[0].named_parameters().values():
        p.data = 0.0
    assert "widest" not in str(nn.draw_network(model))
    assert "all are 0" in str(nn.draw_network(model))


def test_wide_columns_are_cut_and_say_so():
    model = nn.Sequential(nn.Linear(784, 32, seed=0), "relu", nn.Linear(32, 10, seed=1))
    lines, circles = parsed(nn.draw_network(model))
    assert len(circles) == 15 + 15 + 10
    assert len(lines) == 15 * 15 + 15 * 10
    shown = words(nn.draw_network(model))
    assert "769 more" in shown
    assert "17 more" in shown
    assert "784 numbers" in shown
    assert {"x1", "x11", "x781", "x784"} <= set(shown)
    assert "x12" not in shown
    assert len(parsed(nn.draw_network(model, max_neurons=800))[1]) == 784 + 32 + 10
    with pytest.raises(ValueError, match="at least max_neurons=4 of its neurons, not 1"):
        nn.draw_network(model, max_neurons=1)


def test_a_number_that_is_none_is_seen():
    model = nn.Neuron(2, seed=0)
    model.w[1].data = math.nan
    lines, circles = parsed(nn.draw_network(model, [1.0, 2.0]))
    assert lines["neuron, neuron 0, weight 1: nan"]["class"] == "odd"
    assert ("neuron ", "nan") in circles.values()


def test_other_steps_are_boxes():
    def as_image(pixels):
        return [[pixels[i : i + 4] for i in range(0, 16, 4)]]

    model = nn.Sequential(
        as_image, nn.Conv2d(1, 2, size=3, seed=0), "relu", nn.flatten, nn.Linear(8, 3, seed=0), nn.Dropout(0.5), nn.LayerNorm(3)
    )
    x = [0.1 * i for i in range(16)]
    shown = words(nn.draw_network(model, x))
    assert {"as_image", "Conv2d(1, 2, 3)", "relu", "flatten", "LayerNorm(6 parameters)"} <= set(shown)
    assert {"16 numbers", "8 numbers", "3 neurons"} <= set(shown)
    assert "8 numbers" in words(nn.draw_network(model))
    given = model.eval().layers[1](as_image(x))
    numbers = [max(0.0, y.data) for channel in given for row in channel for y in row]
    _, circles = parsed(nn.draw_network(model, x))
    assert circles[f"number 3 = {numbers[3]!r}"]


def test_evaluation_mode_and_no_traces():
    model = nn.Sequential(nn.Linear(2, 3, seed=0), nn.Dropout(0.5, seed=0), nn.Linear(3, 1, seed=1))
    model.layers[1].training = False
    model([1.0, 2.0])[0].backward()
    gradients = [p.grad for p in model.parameters()]
    nn.draw_network(model, [1.0, 2.0])
    nn.explore_network(model, [1.0, 2.0])
    assert [p.grad for p in model.parameters()] == gradients
    assert [module.training for module in model.modules()] == [True, True, False, True]
    assert not any(module._hooks for module in model.modules())
    x = [Value(1.0), Value(2.0)]
    nn.explore_network(model, x)
    assert [value.grad for value in x] == [0.0, 0.0]


@pytest.mark.parametrize("model", [nn.Neuron(2, seed=0), nn.Layer(2, 3, seed=0), nn.Linear(2, 1, seed=0), nn.MLP(2, [1], seed=0)])
def test_what_can_be_drawn(model):
    lines, _ = parsed(nn.draw_network(model, [1.0, 2.0]))
    assert len(lines) in (2, 6)


def test_what_cannot_be_drawn():
    with pytest.raises(TypeError, match=r"drawn as a network, not RNN.*put its layers into a Sequential"):
        nn.draw_network(nn.RNN(2, 3))
    with pytest.raises(TypeError, match=r"Sequential\(relu\) has no neurons to draw"):
        nn.draw_network(nn.Sequential("relu"))
    with pytest.raises(ValueError, match="shows 'weights' or 'gradients', not 'biases'"):
        nn.draw_network(nn.Neuron(2), show="biases")
    with pytest.raises(ValueError, match="the network has 2 inputs, and inputs= has 1 names"):
        nn.draw_network(nn.Neuron(2), inputs=["x"])
    with pytest.raises(ValueError, match="the network has 1 outputs, and outputs= has 2 names"):
        nn.draw_network(nn.Neuron(2), outputs=["x", "y"])


def test_files_and_notebooks(tmp_path):
    drawing = nn.draw_network(two_by_two())
    drawing.save(tmp_path / "network.svg")
    assert (tmp_path / "network.svg").read_text(encoding="utf-8") == str(drawing) == drawing._repr_svg_()
    assert re.fullmatch(r"Drawing\(\d+ kB of SVG\)", repr(drawing))
    assert "prefers-color-scheme: dark" in str(drawing)
    assert str(drawing) == str(nn.draw_network(two_by_two()))
    with pytest.raises(OSError, match="nowhere"):
        drawing.save(tmp_path / "nowhere" / "network.svg")
    assert [path.name for path in tmp_path.iterdir()] == ["network.svg"]


def test_any_name_survives():
    names = ["<&>\"'", "\u03b8 \u2264 \U0001f600"]
    assert set(names) <= set(words(nn.draw_network(nn.Neuron(2, seed=0), inputs=names)))
    assert "&lt;&amp;" in str(nn.explore_network(nn.Neuron(2, seed=0), [1.0, 2.0], inputs=names))


# In the page.
def test_the_page_needs_one_number():
    model = two_by_two()
    with pytest.raises(ValueError, match=r"needs one number to explore, and the model gives \[.*: give loss="):
        nn.explore_network(model, [0.05, 0.1])
    page = nn.explore_network(model, [0.05, 0.1], lambda y: nn.mse_loss(y, [0.01, 0.99]))
    assert "<title>Sequential(2, 2, 2), neuron by neuron</title>" in str(page)
    page = nn.explore_network(nn.Sequential(abs_of_all, nn.Neuron(2, seed=0)), [0.05, -0.1])
    assert "<title>Sequential, neuron by neuron</title>" in str(page)


def abs_of_all(x):
    return [abs(number) for number in x]


@pytest.fixture(scope="module")
def browser():
    with chromium() as running:
        yield running


@pytest.fixture
def visit(browser, tmp_path):
    tabs = []

    def opened(page, **options):
        path = tmp_path / f"{len(tabs)}.html"
        page.save(path)
        tabs.append(Tab(browser, path.as_uri(), **options))
        return tabs[-1]

    yield opened
    for tab in tabs:
        assert tab.errors == []
        assert all(address.startswith(("file:", "data:", "blob:")) for address in tab.requests)
        tab.context.close()


def opened_scope(tab):
    view = "explorer.views[explorer.state.view]"
    return tab.run(f"() => {view}.kind === 'inside' ? scopePath[{view}.of + 1] : ''")


@needs_browser
def test_a_neuron_opens_its_graph(visit):
    model = nn.MLP(2, [4, 3, 1], seed=1)
    tab = visit(nn.explore_network(model, [0.5, -1.0], lambda score: nn.hinge_loss([score], [-1])))
    assert opened_scope(tab) == ""
    assert tab.page.locator("#overview [role=button]").count() == 2 + 4 + 3 + 1
    tab.page.get_by_role("button", name="layer0, neuron 3,").click()
    assert opened_scope(tab) == "mlp/layer0/neuron3"
    current = tab.page.locator("#overview [aria-current=true]")
    assert current.count() == 1
    assert current.get_attribute("data-scope") == "mlp/layer0/neuron3"
    chosen = tab.run("() => explorer.frame.data[explorer.state.chosen]")
    assert chosen == model.layers[0].neurons[3]([0.5, -1.0]).data
    assert "in mlp/layer0/neuron3" in tab.text("#panel")
    boxes = tab.page.locator("#stage .box").count()
    assert boxes >= 6  # two weights, two inputs, a bias, the sum and its ReLU
    tab.page.get_by_role("button", name="layer2, neuron 0,").click()
    assert opened_scope(tab) == "mlp/layer2/neuron0"
    tab.page.get_by_role("button", name="x1 = 0.5").click()
    assert tab.text("#panel h2") == "x1"


@needs_browser
def test_neurons_by_keyboard_alone(visit):
    tab = visit(nn.explore_network(nn.MLP(2, [3, 1], seed=1), [0.5, -1.0]))
    assert tab.page.locator("#overview [tabindex='0']").count() == 1
    tab.page.locator("#overview [tabindex='0']").focus()
    tab.press("ArrowDown", "ArrowDown", "ArrowDown", "Enter")
    assert opened_scope(tab) == "mlp/layer0/neuron1"
    assert tab.run("() => document.activeElement.dataset.scope") == "mlp/layer0/neuron1"
    tab.press("ArrowUp", " ")
    assert opened_scope(tab) == "mlp/layer0/neuron0"
    step = tab.run("() => explorer.state.t")
    tab.press("ArrowLeft")
    assert tab.run("() => explorer.state.t") < step
    tab.press("o")
    assert not tab.page.locator("#overview").is_visible()
    tab.press("o")
    assert tab.page.locator("#overview").is_visible()


@needs_browser
def test_neurons_light_up_as_the_steps_go(visit):
    tab = visit(nn.explore_network(nn.MLP(2, [2, 1], seed=1), [0.5, -1.0]))
    tab.press("Home")
    assert tab.page.locator("#overview .live").count() == 0
    seen = []
    while tab.run("() => explorer.state.t < explorer.frame.seedStep - 1"):
        tab.run("() => explorer.go(explorer.state.t + 1)")
        seen.append(tab.page.locator("#overview .live").get_attribute("data-scope"))
    assert list(dict.fromkeys(seen)) == ["mlp/layer0/neuron0", "mlp/layer0/neuron1", "mlp/layer1/neuron0"]


@needs_browser
def test_a_row_of_a_linear_layer_is_a_neuron(visit):
    model = two_by_two()
    tab = visit(nn.explore_network(model, [0.05, 0.1], lambda y: nn.mse_loss(y, [0.01, 0.99])))
    tab.page.get_by_role("button", name="linear0, neuron 1,").click()
    assert opened_scope(tab) == "sequential/linear0/neuron1"
    chosen = tab.run("() => explorer.frame.data[explorer.state.chosen]")
    assert chosen == model.layers[0]([0.05, 0.1])[1].data
    assert tab.page.locator("#overview [aria-current=true]").count() == 1
    assert model([0.05, 0.1])[0]._operands[0].scope == "sequential#2/linear2"  # as ever


@needs_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_drawing_has_the_colours_of_its_surroundings(browser, tmp_path, scheme):
    drawing = nn.draw_network(nn.MLP(2, [3, 1], seed=1), [0.5, -1.0])
    context = browser.new_context(offline=True, color_scheme=scheme)
    page = context.new_page()
    page.set_content(str(drawing))
    fill = page.evaluate("() => getComputedStyle(document.querySelector('.paper')).fill")
    assert fill == {"light": "rgb(255, 255, 255)", "dark": "rgb(22, 25, 29)"}[scheme]
    # Nothing is cut off, and no circle lies on another.
    inside = page.evaluate(
        """() => { const frame = document.querySelector('svg').getBoundingClientRect();
        return [...document.querySelectorAll('text, circle')].every(e => { const r = e.getBoundingClientRect();
        return r.left >= frame.left && r.right <= frame.right && r.top >= frame.top && r.bottom <= frame.bottom; }); }"""
    )
    assert inside
    context.close()
