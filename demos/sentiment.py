"""What the letters of a word tell of its feeling: a convolution over characters, on 7,200 words that people have rated.

The words and their ratings, from -4 to 4, are the lexicon of the package vaderSentiment. The network sees letters, never the
words of the part that it is judged on. A sentence is rated by the mean of its words. Leaves a picture of the groups of letters
that tell most.
"""

from __future__ import annotations

import argparse
import random
import re
from importlib import metadata
from pathlib import Path
from typing import Any

import autograd
import nn

LETTERS = "_abcdefghijklmnopqrstuvwxyz"  # the first stands for no letter
LONGEST, WIDTH, CHANNELS, SIZE = 16, 12, 48, 4
SENTENCES = (
    "the charming and delightful gardener smiled", "a horrible, painful and disgusting failure", "they were cheerfully unharmed",
    "an agonizing and hopeless misery", "a blessed and joyful celebration",
)  # fmt: skip


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Learn, judge, rate sentences, draw; returns the accuracy and that of the larger class."""
    options = parse(arguments)
    words = lexicon()
    random.Random(options.seed).shuffle(words)
    words = words[: options.words]
    cut = len(words) // 5
    unseen, seen = words[:cut], words[cut:]
    model = Letters(options.seed)
    history = nn.fit(
        model, [letters(word) for word, _ in seen], [float(rating > 0.0) for _, rating in seen], loss=nn.bce_with_logits,
        optimizer=nn.AdamW(model.parameters(), lr=options.rate, weight_decay=0.02), epochs=options.epochs, batch_size=64,
        seed=options.seed, compile=True,
    )  # fmt: skip
    scores = scored(model, [word for word, _ in unseen])
    accuracy = sum((score > 0.0) == (rating > 0.0) for score, (_, rating) in zip(scores, unseen)) / len(unseen)
    positive = sum(rating > 0.0 for _, rating in unseen) / len(unseen)
    largest = max(positive, 1.0 - positive)
    print(f"{len(seen)} words learnt, loss {history.loss[0]:.3f} to {history.loss[-1]:.3f}")
    print(f"{accuracy:.1%} of {len(unseen)} unseen words are told right; the larger class alone has {largest:.1%}")
    for sentence in SENTENCES:
        found = scored(model, re.findall(r"[a-z]+", sentence))
        print(f"  {sum(found) / len(found):+6.2f}  {sentence}")
    options.out.mkdir(parents=True, exist_ok=True)
    path = options.out / "sentiment.png"
    try:
        draw(telling(model, [word for word, _ in words]), path)
    except ImportError:
        print("no picture: pip install matplotlib")
    else:
        print(f"picture: {path}")
    return {"accuracy": accuracy, "largest": largest}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--epochs", type=int, default=12, help="how often every word is seen")
    parser.add_argument("--rate", type=float, default=0.004, help="the learning rate of AdamW")
    parser.add_argument("--words", type=int, default=10_000, help="how many words at most; a fifth of them is held out")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and the words held out")
    options = parser.parse_args(arguments)
    if options.epochs < 1 or options.words < 10:
        parser.error("--epochs needs at least 1, --words at least 10")
    return options


def lexicon() -> list[tuple[str, float]]:
    """The plain words and their ratings."""
    try:
        files = metadata.files("vaderSentiment") or []
    except metadata.PackageNotFoundError:
        raise SystemExit("the words come with the package vaderSentiment: pip install vaderSentiment") from None
    path = next(file.locate() for file in files if file.name == "vader_lexicon.txt")
    lines = [line.split("\t") for line in Path(str(path)).read_text(encoding="utf-8").splitlines()]
    return [(word, float(rating)) for word, rating, *_ in lines if re.fullmatch(f"[a-z]{{1,{LONGEST}}}", word)]


def letters(word: str) -> list[int]:
    """The numbers of the letters, with the ends of the word marked, filled up to one length."""
    return [LETTERS.index(c) for c in f"_{word[:LONGEST]}_".ljust(LONGEST + 2, "_")]


class Letters(nn.Module):
    """A score from the letters of a word: the strongest answer of each of some detectors of four letters."""

    def __init__(self, seed: int) -> None:
        rng = random.Random(seed)
        self.embedding = nn.Embedding(len(LETTERS), WIDTH, rng=rng)
        self.convolution = nn.Conv1d(WIDTH, CHANNELS, SIZE, rng=rng)
        self.out = nn.Linear(CHANNELS, 1, rng=rng)

    def forward(self, word: list[int]) -> Any:
        """The score: positive for a pleasant word."""
        return self.out([autograd.relu(autograd.max(answers)) for answers in self.answers(word)])[0]

    def answers(self, word: list[int]) -> Any:
        """What each detector says at each place."""
        columns = [self.embedding(letter) for letter in word]
        return self.convolution([list(row) for row in zip(*columns)])


def scored(model: Letters, words: list[str]) -> list[float]:
    """The scores of words, all at once."""
    import numpy as np

    program = autograd.compile(lambda word: model(word), batch="word", reduce=None)
    found: list[float] = np.array(program(np.array([letters(word) for word in words])), dtype=float).tolist()
    return found


def telling(model: Letters, words: list[str], count: int = 12) -> list[tuple[str, float]]:
    """The groups of letters with the largest mean effect on the score, where a detector answers strongest, of both signs."""
    import numpy as np

    chosen = words[:1500]
    program = autograd.compile(lambda word: model.answers(word), batch="word", reduce=None)
    answers = np.asarray(program(np.array([letters(word) for word in chosen])))  # of words, detectors and places
    effects: dict[str, list[float]] = {}
    weights = [w.data for w in model.out.weight[0]]
    for k, word in enumerate(chosen):
        marked = f"_{word}_".ljust(LONGEST + 2, "_")
        for channel, weight in enumerate(weights):
            place = int(answers[k, channel].argmax())
            effect = weight * max(0.0, float(answers[k, channel, place]))
            effects.setdefault(marked[place : place + SIZE], []).append(effect)
    sums = {group: sum(found) / len(chosen) for group, found in effects.items() if group.strip("_") and len(found) > 5}
    ranked = sorted(sums.items(), key=lambda item: item[1])
    return ranked[:count] + ranked[-count:]


def draw(groups: list[tuple[str, float]], path: Path) -> None:
    """The groups of letters as bars."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 6), layout="constrained")
    colours = ["#5a9bd4" if x < 0.0 else "#f28e2b" for _, x in groups]
    axes.barh([group for group, _ in groups], [x for _, x in groups], color=colours)
    axes.tick_params(axis="y", labelfontfamily="monospace")
    axes.set(title="letters that tell: unpleasant and pleasant (_ is an end of the word)", xlabel="mean effect on the score")
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
