"""The room of plots: a training and its model as figures of matplotlib, which is imported when the first is drawn.

Every function draws into the axes (or the figure) it is given, or makes a figure, and returns the figure; none shows a window.
Text, frames and backgrounds have the colours of matplotlib's style, so `plt.style.use("dark_background")` gives dark figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from autograd import no_grad
from nn.history import History
from nn.module import Module, evaluating
from nn.recorder import KINDS, Recorder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

__all__ = ["plot_boundary", "plot_confusion", "plot_histograms", "plot_images", "plot_loss", "plot_metrics"]

# Orange and blue stay apart for colour-blind eyes, on white and on black.
COLOURS = ("#4a8bc9", "#e8871e", "#3a9d6b", "#b05fc0", "#8c8c8c", "#c2485a", "#00a3a3", "#a08030", "#6a6ad0", "#d070a0")
MARKERS = "osD^vP*Xph"
SIGNED = ("#1f5288", "#5a9bd4", "#b5d3ec", "#f7f7f7", "#fdcf9f", "#f28e2b", "#944a06")  # from negative over 0 to positive
RIDGES = 8  # histograms in one picture, one before the other
BINS = 48


def plot_loss(
    history: History | Sequence[float] | Mapping[str, Any], ax: Axes | None = None, *, log: bool = True, title: str = ""
) -> Figure:
    """The loss over the epochs, on a logarithmic scale unless `log` is False; losses of the validation data are dashed.

    Give a History, a list of losses, or a dictionary of them to compare several trainings. Numbers that are not positive have no
    place on a logarithmic scale and are left out. Raises ValueError if there is no epoch.

    >>> figure = plot_loss({"slow": [3.0, 2.0, 1.5], "fast": [3.0, 1.0, 0.3]})
    >>> len(figure.axes[0].lines)
    2
    """
    runs = history if isinstance(history, Mapping) else {"": history}
    curves: list[tuple[str, Sequence[float], Any]] = []
    for i, (name, run) in enumerate(runs.items()):
        style = {"color": COLOURS[i % len(COLOURS)]}
        if isinstance(run, History):
            learnt = f"{name} training".strip() if run.validation else name
            curves.append((learnt, run.loss, style))
            if run.validation:
                curves.append((f"{name} validation".strip(), run.validation["loss"], style | {"linestyle": "--"}))
        else:
            curves.append((name, run, style))
    return draw_curves(curves, axes_for(ax, (6.4, 3.6)), "loss", title, log)


def plot_metrics(history: History, ax: Axes | None = None, *, title: str = "") -> Figure:
    """The metrics of a History over the epochs; those of the validation data are dashed. Raises ValueError if there are none."""
    curves: list[tuple[str, Sequence[float], Any]] = []
    for i, (name, numbers) in enumerate(history.metrics.items()):
        style = {"color": COLOURS[(i + 1) % len(COLOURS)]}
        curves.append((name, numbers, style))
        if name in history.validation:
            curves.append((f"{name}, validation", history.validation[name], style | {"linestyle": "--"}))
    if not curves:
        raise ValueError("plot_metrics found no metrics in the history; give some to fit: metrics={'accuracy': accuracy}")
    return draw_curves(curves, axes_for(ax, (6.4, 3.6)), curves[0][0] if len(curves) == 1 else "", title, log=False)


def draw_curves(curves: list[tuple[str, Sequence[float], Any]], ax: Axes, words: str, title: str, log: bool) -> Figure:
    """Lists of numbers over 1, 2, 3, ..."""
    if not any(len(numbers) for _, numbers, _ in curves):
        raise ValueError(f"there is nothing to plot: no {words or 'metric'} of any epoch was recorded")
    from matplotlib.ticker import MaxNLocator

    for name, numbers, style in curves:
        marker = "o" if len(numbers) == 1 else ""
        ax.plot(range(1, len(numbers) + 1), numbers, label=name or None, marker=marker, **style)
    if log:
        ax.set_yscale("log", nonpositive="mask")
    ax.set(xlabel="epoch", ylabel=words, title=title)
    ax.xaxis.set_major_locator(MaxNLocator(steps=[1, 2, 5, 10], integer=True))
    ax.grid(alpha=0.3)
    ax.spines[["top", "right"]].set_visible(False)
    if sum(bool(name) for name, _, _ in curves) > 1:
        ax.legend()
    return ax.figure  # type: ignore[return-value]


def plot_boundary(
    model: Any, points: Sequence[Sequence[float]], labels: Sequence[Any], ax: Axes | None = None, *,
    names: Mapping[Any, str] | None = None, resolution: int = 64, title: str = "",
) -> Figure:  # fmt: skip
    """What a model of two inputs says over the plane, with the samples, coloured by their label.

    A model that gives one score is drawn by its score, with a line where that is 0; one that gives a score for each of several
    classes by the class with the largest, which are the `labels` 0, 1, 2, ... `names` are of the labels, for the legend. The
    model is asked in evaluation mode and without a graph, at `resolution` places each way: any function of a list of two numbers
    will do. Raises ValueError unless points are pairs and there is a label for each.

    >>> from nn import MLP
    >>> figure = plot_boundary(MLP(2, [3, 1], seed=0), [[0.0, 1.0], [1.0, 0.0]], [1, -1], resolution=8)
    >>> figure.axes[0].get_xlabel()
    '$x_1$'
    """
    if len(points) != len(labels) or len(points) == 0 or any(len(point) != 2 for point in points):
        raise ValueError(
            f"plot_boundary needs pairs of numbers and a label for each; got {len(points)} points and {len(labels)} labels"
        )
    ax = axes_for(ax, (6.4, 4.2), "compressed")
    import numpy as np
    from matplotlib.ticker import MaxNLocator

    places = np.asarray(points, dtype=float)
    low, high = places.min(axis=0), places.max(axis=0)
    margin = 0.12 * (high - low) + 0.1
    xs, ys = (np.linspace(low[i] - margin[i], high[i] + margin[i], resolution) for i in (0, 1))
    scores = scores_at(model, [[[x, y] for x in xs.tolist()] for y in ys.tolist()])
    ink = ax.xaxis.label.get_color()
    if scores.ndim == 2:
        limit = float(np.quantile(np.abs(scores), 0.9)) or 1.0
        levels = MaxNLocator(12, symmetric=True).tick_values(-limit, limit)
        field = ax.contourf(xs, ys, scores, levels=levels, cmap=signed_colours(), alpha=0.8, extend="both")
        if scores.min() < 0.0 < scores.max():
            ax.contour(xs, ys, scores, levels=[0.0], colors=[ink], linewidths=1.5)
        ax.figure.colorbar(field, cax=ax.inset_axes((1.03, 0.0, 0.035, 1.0)), label="score")
    else:
        classes = scores.shape[-1]
        colours = [COLOURS[i % len(COLOURS)] for i in range(classes)]
        ax.contourf(xs, ys, scores.argmax(axis=-1), levels=np.arange(classes + 1) - 0.5, colors=colours, alpha=0.35)
    for i, label in enumerate(sorted(set(labels))):
        its = places[[i for i, other in enumerate(labels) if other == label]]
        colour = COLOURS[(int(label) if scores.ndim == 3 else i) % len(COLOURS)]
        name = (names or {}).get(label, str(label))
        ax.scatter(its[:, 0], its[:, 1], c=colour, marker=MARKERS[i % 10], s=34, edgecolors="white", linewidths=0.9, label=name)
    ax.set(xlabel="$x_1$", ylabel="$x_2$", xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]), aspect="equal")
    ax.set_title(title, loc="left")
    ax.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=5, frameon=False, handletextpad=0.1, columnspacing=1.0)
    return ax.figure  # type: ignore[return-value]


def scores_at(model: Any, grid: list[list[list[float]]]) -> Any:
    """What a model gives at every place of a grid, as an array: one score at each, or one for every class."""
    import numpy as np

    with no_grad(), evaluating(model) if isinstance(model, Module) else nullcontext():
        scores = np.array([[model(place) for place in row] for row in grid], dtype=float)
    return scores[..., 0] if scores.ndim == 3 and scores.shape[-1] == 1 else scores


def plot_histograms(
    recorder: Recorder, kinds: str | Sequence[str] = KINDS, figure: Figure | SubFigure | None = None
) -> Figure | SubFigure:
    """How the numbers of every layer are spread, step by step: a row of pictures for each layer, a column for each kind.

    Kinds are "weights" (with biases), "gradients" and "activations". The earliest histogram stands at the back, the latest in
    front, each as high as the others. Numbers that are exactly 0 (silent ReLUs, weights that get no gradient) are left out, and
    the share of them at the last step is written beside. Raises ValueError if nothing was recorded.

    >>> from nn import MLP, Recorder
    >>> recorder = Recorder(MLP(1, [3, 1], seed=0))
    >>> recorder.record(1)
    >>> [axes.get_title() for axes in plot_histograms(recorder, "weights").axes]
    ['layers.0: weights', 'layers.1: weights']
    """
    wanted = [kinds] if isinstance(kinds, str) else list(kinds)
    if unknown := [kind for kind in wanted if kind not in KINDS]:
        raise ValueError(f"plot_histograms knows the kinds {', '.join(KINDS)}, not {unknown[0]!r}")
    wanted = [kind for kind in wanted if getattr(recorder, kind)]
    if not recorder.steps or not wanted:
        raise ValueError(
            f"{recorder!r} has recorded none of {kinds!r}; pass it to fit(..., callbacks=[recorder]), with inputs for activations"
        )
    if figure is None:
        figure = new_figure((3.6 * len(wanted) + 0.6, 2.3 * len(recorder.layers) + 0.3))
    grid = figure.subplots(len(recorder.layers), len(wanted), squeeze=False)
    for row, layer in zip(grid, recorder.layers):
        for ax, kind in zip(row, wanted):
            draw_ridges(ax, recorder.steps, getattr(recorder, kind)[layer], f"{layer}: {kind}")
    for ax in grid[:, 0]:
        ax.set_ylabel("epoch")
    return figure


def draw_ridges(ax: Axes, steps: Sequence[int], numbers: Sequence[Sequence[float]], title: str) -> None:
    """Histograms one before the other, the latest in front."""
    import numpy as np
    from matplotlib import colormaps

    shown = sorted({round(i) for i in np.linspace(0, len(steps) - 1, min(RIDGES, len(steps)))})
    kept = [np.array([x for x in numbers[i] if x != 0.0 and np.isfinite(x)]) for i in shown]
    everything = np.concatenate(kept)
    ax.set_title(title, fontsize="medium")
    ax.spines[["top", "right", "left"]].set_visible(False)
    if not len(everything):
        ax.text(0.5, 0.5, "all are 0", transform=ax.transAxes, ha="center")
        ax.set(xticks=[], yticks=[])
        return
    # The few that lie far out would press the others together.
    far = 0.002 if len(everything) > 2000 else 0.0
    low, high = np.quantile(everything, [far, 1.0 - far])
    spread = (high - low) or abs(high) or 1.0
    bins = min(BINS, 6 + round(2.0 * max(map(len, kept)) ** 0.5))
    width = spread / bins
    edges = np.linspace(low - 2.5 * width, low + spread + 2.5 * width, bins + 6)
    middles = (edges[1:] + edges[:-1]) / 2.0
    colours = colormaps["plasma"](np.linspace(0.25, 0.88, len(shown)))
    for place, (these, colour) in enumerate(zip(kept, colours)):
        counts = np.histogram(these, edges)[0]
        smooth = np.convolve(counts, [0.25, 0.5, 0.25], mode="same")
        height = 2.0 * smooth / max(smooth.max(), 1e-300)
        ax.fill_between(middles, -place, height - place, color=colour, linewidth=0, zorder=place)
        ax.plot(middles, height - place, color=ax.get_facecolor(), linewidth=0.9, zorder=place + 0.5)
    ax.set_yticks([-place for place in range(len(shown))], [str(steps[i]) for i in shown], fontsize="small")
    ax.tick_params(axis="y", length=0)
    silent = sum(x == 0.0 for x in numbers[-1]) / max(len(numbers[-1]), 1)
    if silent >= 0.005:
        ax.text(0.99, 0.97, f"{silent:.0%} are 0", transform=ax.transAxes, ha="right", va="top", fontsize="small")


def plot_confusion(
    answers: Sequence[int], guesses: Sequence[int], ax: Axes | None = None, *, names: Sequence[str] | None = None, title: str = ""
) -> Figure:
    """How often each class (a row) was taken for each (a column); classes are 0, 1, 2, ... or those of `names`.

    Raises ValueError for lengths that differ, and for classes without a name.

    >>> figure = plot_confusion([0, 0, 1], [0, 1, 1], names=["cat", "dog"])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['1', '1', '1']
    """
    if len(answers) != len(guesses) or len(answers) == 0:
        raise ValueError(f"plot_confusion needs a guess for every answer; got {len(answers)} answers and {len(guesses)} guesses")
    classes = len(names) if names is not None else 1 + max(*answers, *guesses)
    if not all(0 <= label < classes for label in (*answers, *guesses)):
        raise ValueError(f"plot_confusion has {classes} classes, 0 to {classes - 1}; some answer or guess is none of them")
    ax = axes_for(ax, (1.8 + 0.42 * classes, 1.6 + 0.42 * classes))
    import numpy as np

    counts = np.zeros((classes, classes), dtype=int)
    for answer, guess in zip(answers, guesses):
        counts[answer, guess] += 1
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    ax.imshow(np.sqrt(shares), cmap="Blues", vmin=0.0, vmax=1.0)
    for (answer, guess), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[answer, guess] > 0.35 else "black"
            ax.text(guess, answer, str(count), ha="center", va="center", color=colour, fontsize="small")
    words = list(names) if names is not None else [str(i) for i in range(classes)]
    ax.set_xticks(range(classes), words, rotation=45 if max(map(len, words)) > 3 else 0)
    ax.set_yticks(range(classes), words)
    right = int(np.trace(counts))
    ax.set(xlabel="taken for", ylabel="is", title=title or f"{right} of {len(answers)} right")
    return ax.figure  # type: ignore[return-value]


def plot_images(
    images: Sequence[Any], figure: Figure | SubFigure | None = None, *, titles: Sequence[str] = (), columns: int = 6,
    signed: bool = False, title: str = "",
) -> Figure | SubFigure:  # fmt: skip
    """Small pictures side by side: rows of numbers or Values, each with a title if there are any.

    Grey from 0 (white) to the largest; with `signed`, such as for the filters of a convolution, blue for negative and orange
    for positive numbers, white for 0. All share one scale. A flat list of numbers is taken for a square. Raises ValueError for
    one that is none.

    >>> len(plot_images([[1.0, 0.0, 0.0, 1.0], [[0.0, 1.0], [1.0, 0.0]]]).axes)
    2
    """
    rows = -(-len(images) // columns)
    if figure is None:
        figure = new_figure((1.1 * min(columns, max(len(images), 1)) + 0.3, 1.25 * max(rows, 1) + 0.4))
    import numpy as np

    pixels = []
    for image in images:
        array = np.array(image).astype(float)
        if array.ndim == 1 and round(array.size**0.5) ** 2 == array.size:
            array = array.reshape(round(array.size**0.5), -1)
        if array.ndim != 2:
            raise ValueError(f"plot_images needs rows of numbers or the numbers of a square, not an array of shape {array.shape}")
        pixels.append(array)
    limit = max([float(np.abs(array).max()) for array in pixels], default=1.0) or 1.0
    look: dict[str, Any] = {"cmap": signed_colours() if signed else "gray_r", "vmin": -limit if signed else 0.0, "vmax": limit}
    if title:
        figure.suptitle(title, fontsize="medium")
    for i, array in enumerate(pixels):
        ax = figure.add_subplot(rows, columns, i + 1)
        ax.imshow(array, **look)
        ax.set(xticks=[], yticks=[])
        if i < len(titles):
            ax.set_title(titles[i], fontsize="small")
    return figure


def signed_colours() -> Any:
    """Blue for negative, white for 0, orange for positive numbers: a colour map of matplotlib."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("signed", SIGNED)


def axes_for(ax: Axes | None, size: tuple[float, float], layout: str = "constrained") -> Axes:
    """The axes to draw in; without any, those of a new figure."""
    return new_figure(size, layout).add_subplot() if ax is None else ax


def new_figure(size: tuple[float, float], layout: str = "constrained") -> Figure:
    """An empty figure, in inches. Raises ImportError that says what to install."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise ImportError("plots need matplotlib: pip install matplotlib") from None
    return Figure(figsize=size, layout=layout)  # type: ignore[arg-type]
