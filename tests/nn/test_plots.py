"""Figures of trainings: they show the numbers they are given, leave matplotlib as it was, and say what they cannot draw."""

import random
import sys

import pytest

import nn
from autograd import Value

matplotlib = pytest.importorskip("matplotlib", reason="plots need matplotlib")
from matplotlib.colors import to_rgb  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402

LINE = ([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0])


def trained(**options):
    model = nn.MLP(1, [4, 1], seed=0)
    recorder = nn.Recorder(model, inputs=LINE[0], every=options.pop("every", 1))
    history = nn.fit(
        model, *LINE, loss=nn.mse_loss, epochs=6, callbacks=[recorder], progress=False,
        metrics={"worst": lambda found, wanted: max(abs(a - b) for a, b in zip(found, wanted))}, **options,
    )  # fmt: skip
    return model, recorder, history


def lines(figure):
    return {line.get_label(): list(line.get_ydata()) for line in figure.axes[0].lines}


# Curves.
def test_the_curve_is_the_history():
    _, _, history = trained()
    figure = nn.plot_loss(history, title="a line")
    (line,) = figure.axes[0].lines
    assert list(line.get_xdata()) == [1, 2, 3, 4, 5, 6]
    assert list(line.get_ydata()) == history.loss
    assert figure.axes[0].get_yscale() == "log"
    assert figure.axes[0].get_title() == "a line"
    assert nn.plot_loss(history.loss, log=False).axes[0].get_yscale() == "linear"


def test_validation_and_several_trainings():
    _, _, history = trained(validation=LINE)
    assert lines(nn.plot_loss(history)) == {"training": history.loss, "validation": history.validation["loss"]}
    both = lines(nn.plot_loss({"ours": history, "other": [3.0, 1.0]}))
    assert both == {"ours training": history.loss, "ours validation": history.validation["loss"], "other": [3.0, 1.0]}
    shown = lines(nn.plot_metrics(history))
    assert shown == {"worst": history.metrics["worst"], "worst, validation": history.validation["worst"]}


def test_a_loss_of_zero_leaves_a_gap():
    figure = nn.plot_loss([1.0, 0.0, 0.5])
    figure.canvas.draw()
    low, _ = figure.axes[0].get_ylim()
    assert low > 0.1


def test_one_epoch_is_seen():
    (line,) = nn.plot_loss([1.0]).axes[0].lines
    assert line.get_marker() == "o"


def test_it_draws_into_the_axes_it_is_given():
    figure = Figure()
    left, right = figure.subplots(1, 2)
    assert nn.plot_loss([1.0, 0.5], left) is figure
    nn.plot_confusion([0, 1], [0, 1], right)
    assert len(left.lines) == 1
    assert len(right.images) == 1
    assert len(figure.axes) == 2


def test_no_window_and_no_state():
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    nn.plot_loss([1.0, 0.5])
    nn.plot_histograms(trained()[1])
    assert plt.get_fignums() == before


def test_dark_styles():
    import matplotlib.pyplot as plt

    with plt.style.context("dark_background"):
        figure = nn.plot_boundary(lambda place: place[0], [[0.0, 0.0], [1.0, 1.0]], ["a", "b"], resolution=4)
        figure.canvas.draw()
    axes = figure.axes[0]
    assert to_rgb(figure.get_facecolor()) == (0.0, 0.0, 0.0)
    zero_line = axes.collections[1]
    assert to_rgb(zero_line.get_edgecolor()[0]) == (1.0, 1.0, 1.0)


# Boundaries.
def test_the_boundary_is_where_the_score_is_zero():
    figure = nn.plot_boundary(lambda place: place[0] + place[1] - 1.0, [[0.0, 0.0], [1.0, 1.0]], [-1, 1], resolution=30)
    zero_line = figure.axes[0].collections[1]
    places = zero_line.get_paths()[0].vertices
    assert len(places) > 5
    assert places.sum(axis=1) == pytest.approx(1.0)


def test_classes_and_their_names():
    rng = random.Random(0)
    points = [[rng.gauss(k, 0.2), rng.gauss(0.0, 0.2)] for k in range(3) for _ in range(5)]
    labels = [k for k in range(3) for _ in range(5)]

    def nearest(place):
        return [Value(-((place[0] - k) ** 2)) for k in range(3)]

    figure = nn.plot_boundary(nearest, points, labels, names={0: "red", 2: "blue"}, resolution=20)
    legend = figure.axes[0].get_legend()
    assert [text.get_text() for text in legend.get_texts()] == ["red", "1", "blue"]
    assert len(figure.axes) == 1  # no scale of scores


def test_the_model_is_in_evaluation_and_comes_back():
    model = nn.Sequential(nn.Linear(2, 4, seed=0), nn.Dropout(0.5, seed=0), nn.Linear(4, 1, seed=1))
    before = model.layers[1].rng.getstate()
    nn.plot_boundary(model, [[0.0, 1.0], [1.0, 0.0]], [0, 1], resolution=4)
    assert model.layers[1].rng.getstate() == before
    assert model.training
    assert model.layers[1].training


@pytest.mark.parametrize(("points", "labels"), [([], []), ([[0.0, 1.0]], [0, 1]), ([[1.0]], [0]), ([[1.0, 2.0, 3.0]], [0])])
def test_points_are_pairs_with_labels(points, labels):
    with pytest.raises(ValueError, match="plot_boundary needs pairs of numbers and a label for each; got"):
        nn.plot_boundary(sum, points, labels)


# The recorder and its histograms.
def test_the_recorder_keeps_what_was():
    model, recorder, history = trained()
    assert recorder.steps == [1, 2, 3, 4, 5, 6]
    for name, layer in (("layers.0", model.layers[0]), ("layers.1", model.layers[1])):
        assert recorder.weights[name][-1] == [p.data for p in layer.parameters()]
        assert recorder.gradients[name][-1] == [p.grad for p in layer.parameters()]
        assert recorder.weights[name][0] != recorder.weights[name][-1]
    hidden = [y.data for x in LINE[0] for y in model.layers[0](x)]
    assert recorder.activations["layers.0"][-1] == hidden
    assert recorder.activations["layers.1"][-1] == [model(x).data for x in LINE[0]]
    assert trained(every=4)[1].steps == [1, 5]
    assert history.stopped == "all epochs are done"


def test_recording_changes_nothing():
    model = nn.Sequential(nn.Linear(1, 3, seed=0), nn.Dropout(0.5, seed=2), nn.Linear(3, 1, seed=1))
    twin = nn.Sequential(nn.Linear(1, 3, seed=0), nn.Dropout(0.5, seed=2), nn.Linear(3, 1, seed=1))

    def squares(found, wanted):
        return nn.mse_loss([y for (y,) in found], wanted)

    recorder = nn.Recorder(model, LINE[0])
    watched = nn.fit(model, *LINE, loss=squares, epochs=4, callbacks=[recorder], progress=False)
    alone = nn.fit(twin, *LINE, loss=squares, epochs=4, progress=False)
    assert watched.loss == alone.loss
    assert not any(module._hooks for module in model.modules())


def test_compiled_trainings_are_recorded_too():
    def gradients(**options):
        model = nn.MLP(1, [4, 1], seed=0)
        recorder = nn.Recorder(model, LINE[0])
        nn.fit(model, *LINE, loss=nn.mse_loss, epochs=4, callbacks=[recorder], progress=False, **options)
        return [number for layer in recorder.layers for step in recorder.gradients[layer] for number in step]

    pytest.importorskip("numpy", reason="compiled trainings need numpy")
    assert gradients(compile=True) == pytest.approx(gradients())


def test_layers_are_the_modules_below_the_model():
    class Two(nn.Module):
        def __init__(self):
            self.scale = Value(2.0)
            self.first = nn.MLP(1, [2, 2], seed=0)
            self.again = self.first
            self.heads = {"left": nn.Linear(2, 1, seed=1), "drop": nn.Dropout()}

    assert nn.Recorder(Two()).layers == ["first", "heads.left"]
    assert nn.Recorder(nn.Neuron(2, seed=0)).layers == ["(itself)"]


def test_what_cannot_be_recorded():
    with pytest.raises(ValueError, match="needs a model with parameters; Dropout"):
        nn.Recorder(nn.Dropout())
    with pytest.raises(ValueError, match="at least 1, not 0"):
        nn.Recorder(nn.Neuron(1), every=0)


def test_histograms_have_a_row_for_each_layer():
    _, recorder, _ = trained()
    figure = nn.plot_histograms(recorder)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [f"layers.{i}: {kind}" for i in (0, 1) for kind in ("weights", "gradients", "activations")]
    ticks = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert ticks == ["1", "2", "3", "4", "5", "6"]
    assert [axes.get_title() for axes in nn.plot_histograms(recorder, "gradients").axes] == titles[1::3]
    into = Figure().subfigures(1, 2)[0]
    assert nn.plot_histograms(recorder, ["weights"], into) is into


def test_numbers_that_are_zero_are_told():
    model = nn.Neuron(3, init="zeros")
    model.b.data = 1.0
    recorder = nn.Recorder(model)
    recorder.record(1)
    assert [text.get_text() for text in nn.plot_histograms(recorder, "weights").axes[0].texts] == ["75% are 0"]
    assert [text.get_text() for text in nn.plot_histograms(recorder, "gradients").axes[0].texts] == ["all are 0"]


def test_histograms_of_nothing():
    recorder = nn.Recorder(nn.Neuron(1, seed=0))
    with pytest.raises(ValueError, match=r"has recorded none of .*; pass it to fit\(..., callbacks=\[recorder\]\)"):
        nn.plot_histograms(recorder)
    recorder.record(1)
    with pytest.raises(ValueError, match="recorded none of 'activations'"):
        nn.plot_histograms(recorder, "activations")
    with pytest.raises(ValueError, match="knows the kinds weights, gradients, activations, not 'biases'"):
        nn.plot_histograms(recorder, "biases")


# Confusion and images.
def test_the_confusion_matrix_counts():
    figure = nn.plot_confusion([0, 0, 1, 2, 2, 2], [0, 1, 1, 2, 2, 0])
    axes = figure.axes[0]
    counts = {(int(t.get_position()[1]), int(t.get_position()[0])): t.get_text() for t in axes.texts}
    assert counts == {(0, 0): "1", (0, 1): "1", (1, 1): "1", (2, 2): "2", (2, 0): "1"}
    assert axes.get_title() == "4 of 6 right"
    with pytest.raises(ValueError, match="a guess for every answer; got 1 answers and 2 guesses"):
        nn.plot_confusion([0], [0, 1])
    with pytest.raises(ValueError, match="has 2 classes, 0 to 1"):
        nn.plot_confusion([0, 1], [0, 2], names=["cat", "dog"])


def test_images_share_a_scale():
    conv = nn.Conv2d(1, 3, size=3, seed=0)
    figure = nn.plot_images(conv.weight, signed=True, titles=["first"])
    assert len(figure.axes) == 3
    limit = max(abs(w.data) for row in conv.weight for w in row)
    assert {axes.images[0].get_clim() for axes in figure.axes} == {(-limit, limit)}
    assert figure.axes[0].images[0].get_array().shape == (3, 3)
    assert figure.axes[0].images[0].get_array()[0, 1] == conv.weight[0][1].data
    assert figure.axes[0].get_title() == "first"
    with pytest.raises(ValueError, match=r"not an array of shape \(3,\)"):
        nn.plot_images([[1.0, 2.0, 3.0]])


def test_nothing_to_plot():
    with pytest.raises(ValueError, match="no loss of any epoch was recorded"):
        nn.plot_loss(nn.History())
    with pytest.raises(ValueError, match="found no metrics in the history"):
        nn.plot_metrics(nn.History())


def test_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match="plots need matplotlib: pip install matplotlib"):
        nn.plot_loss([1.0])
    with pytest.raises(ImportError, match="plots need matplotlib"):
        nn.plot_boundary(sum, [[0.0, 1.0]], [1])
