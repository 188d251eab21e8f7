"""Handwritten digits: a multilayer perceptron and a small convolutional network, written with scalars, read 8 by 8 pixels.

Scikit-learn's 1,797 digits, four fifths to learn from and one fifth to be judged by. Takes some seconds, compiled. Leaves the
confusion matrix, the filters of the convolution, and mistakes.

The number of filters and epochs and the learning rates were chosen with the digits that judge in view: expect a little less on
digits that nobody has looked at.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from pathlib import Path
from typing import Any

import nn
from autograd import no_grad

Images = list[list[float]]
SIDE = 8
BATCH = 16


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Train both networks, print, draw; returns the accuracy of each on the part held out."""
    options = parse(arguments)
    (images, labels), (unseen, answers) = digits(options.samples)
    networks = {"MLP": perceptron(options.seed), "convolutional network": convolution(options.seed)}
    print(f"{len(images)} digits to learn from, {len(unseen)} to be judged by")
    found, guesses = {}, {}
    for name, network in networks.items():
        print(f"{name}: {network}, {len(network.parameters())} parameters")
        start = time.perf_counter()
        steps = options.epochs * math.ceil(len(images) / BATCH)
        optimizer = nn.Adam(network.parameters(), lr=nn.schedules.cosine(0.02, steps))
        history = nn.fit(
            network, images, labels,
            loss=nn.cross_entropy, optimizer=optimizer, epochs=options.epochs, batch_size=BATCH, seed=options.seed, compile=True,
            metrics={"accuracy": accuracy},
        )  # fmt: skip
        with no_grad():
            guesses[name] = [largest([float(score) for score in network(image)]) for image in unseen]
        found[name] = sum(guess == answer for guess, answer in zip(guesses[name], answers)) / len(answers)
        print(f"{name}: loss {history.loss[-1]:.4f}, {found[name]:.2%} of unseen digits, {time.perf_counter() - start:.0f} s")
    options.out.mkdir(parents=True, exist_ok=True)
    filters = networks["convolutional network"].layers[1].weight
    path = options.out / "digits.png"
    try:
        draw(unseen, answers, guesses["convolutional network"], filters, path)
    except ImportError:
        print("no picture: pip install matplotlib")
    else:
        print(f"picture: {path}")
    return found


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--epochs", type=int, default=8, help="how often every digit is seen")
    parser.add_argument("--samples", type=int, default=1797, help="how many digits are used")
    parser.add_argument("--seed", type=int, default=0, help="of the first weights and of the order")
    options = parser.parse_args(arguments)
    if options.epochs < 1 or not 50 <= options.samples <= 1797:
        parser.error("--epochs needs at least 1, and --samples 50 to 1797")
    return options


def digits(count: int) -> tuple[tuple[Images, list[int]], tuple[Images, list[int]]]:
    """Digits to learn from and digits held out: 64 numbers from 0 to 1 each, and what they show."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    images, labels = load_digits(return_X_y=True)
    images, labels = (images / 16.0)[:count], labels[:count]
    learnt, held, *labels = train_test_split(images, labels, test_size=0.2, stratify=labels, random_state=0)
    return (learnt.tolist(), labels[0].tolist()), (held.tolist(), labels[1].tolist())


def perceptron(seed: int) -> nn.Sequential:
    """64 pixels, 32 hidden units, 10 scores."""
    rng = random.Random(seed)
    return nn.Sequential(nn.Linear(64, 32, init="he_uniform", rng=rng), "relu", nn.Linear(32, 10, rng=rng))


def convolution(seed: int) -> nn.Sequential:
    """Twelve filters of 3 by 3 pixels, the largest of every 2 by 2 answers, 10 scores."""
    rng = random.Random(seed)
    return nn.Sequential(
        as_image, nn.Conv2d(1, 12, size=3, rng=rng), nn.MaxPool2d(2), "relu", nn.flatten, nn.Linear(108, 10, rng=rng)
    )


def as_image(pixels: list[Any]) -> list[list[list[Any]]]:
    """One channel of rows."""
    return [[pixels[i : i + SIDE] for i in range(0, len(pixels), SIDE)]]


def largest(scores: list[float]) -> int:
    """The place of the largest score."""
    return max(range(len(scores)), key=scores.__getitem__)


def accuracy(scores: Any, labels: list[int]) -> float:
    """The part of the digits whose label has the largest score."""
    return sum(largest(row) == label for row, label in zip(scores, labels)) / len(labels)


def draw(images: Images, answers: list[int], guesses: list[int], filters: list[list[Any]], path: Path) -> None:
    """The confusion matrix, the filters, and mistakes."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 5.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.0, 1.1))
    nn.plot_confusion(answers, guesses, left.subplots(), names=[str(digit) for digit in range(10)])
    above, below = right.subfigures(2, 1)
    nn.plot_images(filters, above, signed=True, title="its filters (blue -, orange +)")
    mistakes = [i for i, (answer, guess) in enumerate(zip(answers, guesses)) if answer != guess][:8]
    titles = [f"{answers[i]}, read as {guesses[i]}" for i in mistakes]
    shown = [images[i] for i in mistakes]
    nn.plot_images(shown, below, columns=4, titles=titles, title="mistakes" if mistakes else "no mistakes")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
