"""The pictures of the README, light and dark: one network on two moons, seen in every way this library has.

SVG files carry both sets of colours; the others are pairs. Screenshots of the page need the package playwright and Chromium; they
are left as they are where one is missing, and the last line says so.
"""

from __future__ import annotations

import argparse
import runpy
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from graphviz import ExecutableNotFound

import autograd
import nn
from autograd import Value, draw_dot, gradcheck

PAPER = {"light": "#ffffff", "dark": "#16191d"}
WIDE, HIGH = 1400, 800  # of a screenshot
Figures = dict[str, Callable[[], Any]]


def main(arguments: list[str] | None = None) -> list[str]:
    """Train, draw, print; returns the names of the pictures."""
    options = parse(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    before = {path: path.stat().st_mtime_ns for path in options.out.iterdir()}
    inputs, targets = moons(options.seed)
    model, history, recorder = trained(inputs, targets, options.steps, options.seed)
    print(f"{model_line(model)}: loss {history.loss[-1]:.4f}, accuracy {history.metrics['accuracy'][-1]:.0%}")
    sample, target = nearest_to_line(model, inputs, targets)
    missing: list[str] = []
    try:
        draw_graphs(model, sample, target, options.out)
    except ExecutableNotFound as error:
        missing.append(f"no graphs: {error}")
    try:
        draw_figures(model, inputs, targets, history, recorder, options)
    except ImportError:
        missing.append("no figures: pip install matplotlib pillow")
    else:
        missing.append(screenshots(model, sample, target, options.out))

    written = [path for path in sorted(options.out.iterdir()) if before.get(path) != path.stat().st_mtime_ns]
    for path in written:
        print(f"  {path}: {path.stat().st_size / 1000:.0f} kB")
    print("; ".join([f"pictures: {sum(path.stat().st_size for path in written) / 1000:.0f} kB in all", *filter(None, missing)]))
    return [path.name for path in written]


def draw_graphs(model: nn.MLP, sample: list[float], target: int, out: Path) -> None:
    """A neuron, the network and the loss of a sample, each with all its numbers."""
    nn.draw_network(model, sample, outputs=["score"]).save(out / "network.svg")
    draw_neuron(out / "neuron.svg")
    draw_folded(model, sample, target, out / "folded.svg")


def draw_figures(
    model: nn.MLP, inputs: Any, targets: Any, history: nn.History, recorder: nn.Recorder, options: argparse.Namespace
) -> None:
    """What matplotlib draws, in both sets of colours."""
    figures: Figures = {
        "training": lambda: training(model, history, inputs, targets),
        "histograms": lambda: nn.plot_histograms(recorder),
        "gradcheck": gradcheck(lambda x: autograd.exp(autograd.sin(x)) / (1.0 + x * x), 1.2).plot,
    }
    for theme in PAPER:
        with colours(theme):
            for name, figure in figures.items():
                save(figure(), options.out / f"{name}_{theme}.png")
            draw_demo("local_minima", options.out / f"local_minima_{theme}.png", "--starts", str(options.starts))
            draw_demo("translate", options.out / f"attention_{theme}.png", "--dates", str(options.dates))


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    here = Path(__file__).with_name("pictures")
    parser.add_argument("--out", type=Path, default=here, metavar="DIR", help="where the pictures go")
    parser.add_argument("--steps", type=int, default=100, help="steps of the training")
    parser.add_argument("--seed", type=int, default=3, help="of the samples and of the first weights")
    parser.add_argument("--starts", type=int, default=200, help="of demos/local_minima.py, which draws one of the pictures")
    parser.add_argument("--dates", type=int, default=8000, help="of demos/translate.py, which draws another")
    return parser.parse_args(arguments)


def moons(seed: int) -> tuple[list[list[float]], list[int]]:
    """100 points of two interleaved half circles, and the half circle of each: -1 or 1."""
    from sklearn.datasets import make_moons

    points, labels = make_moons(n_samples=100, noise=0.1, random_state=seed)
    return points.tolist(), [2 * int(label) - 1 for label in labels]


def trained(inputs: Any, targets: Any, steps: int, seed: int) -> tuple[nn.MLP, nn.History, nn.Recorder]:
    """A network that tells the moons apart, and what was seen on the way."""
    model = nn.MLP(2, [8, 8, 1], seed=seed)
    recorder = nn.Recorder(model, inputs, every=max(1, steps // 16))
    history = nn.fit(
        model, inputs, targets, loss=nn.hinge_loss, penalty=lambda model: nn.l2_penalty(model, 1e-4), epochs=steps,
        optimizer=nn.SGD(model.parameters(), lr=lambda step: 1.0 - 0.9 * step / steps), callbacks=[recorder],
        metrics={"accuracy": lambda scores, wanted: sum((s > 0) == (t > 0) for s, t in zip(scores, wanted)) / len(wanted)},
    )  # fmt: skip
    model.zero_grad()
    return model, history, recorder


def model_line(model: nn.MLP) -> str:
    """What was trained."""
    return f"MLP(2, [8, 8, 1]) with {len(model.parameters())} parameters"


def nearest_to_line(model: nn.MLP, inputs: Any, targets: Any) -> tuple[list[float], int]:
    """The sample the network is least sure of, which still has a loss to learn from, and its target."""
    with autograd.no_grad():
        return min(zip(inputs, targets), key=lambda pair: float(model(pair[0])) * pair[1])


def draw_neuron(path: Path) -> None:
    """The example of the README: one neuron, every number and every derivative."""
    x, w, b = Value(2.0, label="x"), Value(-0.5, label="w"), Value(1.5, label="b")
    y = (w * x + b).tanh()
    y.label = "y"
    y.backward()
    draw_dot(y).render(outfile=path, cleanup=True)


def draw_folded(model: nn.MLP, sample: list[float], target: int, path: Path) -> None:
    """The whole loss of one sample, neurons of equal shape in one box."""
    model.zero_grad()
    loss = nn.hinge_loss([model([Value(x, label=f"x{i}") for i, x in enumerate(sample, 1)])], [target])
    loss.label = "loss"
    loss.backward()
    draw_dot(loss, depth=3, stack=True).render(outfile=path, cleanup=True)
    model.zero_grad()


def training(model: nn.MLP, history: nn.History, inputs: Any, targets: Any) -> Any:
    """The boundary that was learnt, and how it was learnt."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 4.0), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.35, 1.0))
    nn.plot_boundary(model, inputs, targets, left.subplots(), names={-1: "upper moon", 1: "lower moon"}, title="Two moons")
    above, below = right.subplots(2, 1, sharex=True)
    nn.plot_loss(history, above)
    nn.plot_metrics(history, below)
    above.set_xlabel("")
    return figure


def draw_demo(name: str, path: Path, *options: str) -> None:
    """The picture that another demo leaves."""
    demo = runpy.run_path(str(Path(__file__).with_name(f"{name}.py")))
    with tempfile.TemporaryDirectory() as folder:
        demo["main"](["--out", folder, *options])
        shrink(Path(folder) / f"{name}.png", path)


@contextmanager
def colours(theme: str) -> Iterator[None]:
    """Matplotlib draws in these colours for as long as the block runs."""
    from matplotlib import rcParams, style

    own: dict[str, Any] = dict.fromkeys(("figure.facecolor", "axes.facecolor", "savefig.facecolor"), PAPER[theme])
    own["axes.prop_cycle"] = rcParams["axes.prop_cycle"]  # the dark style's own colours are pale, and much alike
    with style.context(["dark_background" if theme == "dark" else "default", own]):
        yield


def save(figure: Any, path: Path) -> None:
    """Save a figure, and make the file small."""
    figure.savefig(path, dpi=100)
    shrink(path, path)


def shrink(source: Path, path: Path) -> None:
    """The same picture in 256 colours: a third of the bytes, and nobody sees it."""
    from PIL import Image

    Image.open(source).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def screenshots(model: nn.MLP, sample: list[float], target: int, out: Path) -> str:
    """The page with one neuron opened, in both colours; returns why there are none, if so."""
    try:
        from playwright.sync_api import Error, sync_playwright
    except ImportError:
        return "no screenshots of the page: pip install playwright"
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "page.html"
        nn.explore_network(model, sample, lambda score: nn.hinge_loss([score], [target]), file)
        try:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        except Error as error:
            return f"no screenshots of the page: no Chromium could be started ({str(error).splitlines()[0]})"
        for theme in PAPER:
            page = browser.new_context(color_scheme=theme, viewport={"width": WIDE, "height": HIGH}, offline=True).new_page()
            page.goto(file.as_uri())
            page.get_by_role("button", name="layer1, neuron 3,").click()
            page.wait_for_timeout(400)
            page.screenshot(path=file.with_suffix(".png"))
            shrink(file.with_suffix(".png"), out / f"page_{theme}.png")
        browser.close()
    return ""


if __name__ == "__main__":
    main()
