"""Names, letter by letter: a recurrent network tells which list a name is from, a small GPT and an LSTM make up new ones.

All three are written with scalars; `autograd.compile` finds the matrices in them, one program for each length of a name, and a
step of the GPT takes a fraction of a millisecond. The lists (common first and last names of a census) are those of the package
`names`. Takes about half a minute. Leaves the losses, and which names were taken for which.
"""

from __future__ import annotations

import argparse
import math
import random
import time
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

import autograd
import nn

LISTS = {"female": "dist.female.first", "male": "dist.male.first", "last": "dist.all.last"}
COUNT = 1219  # names of each list that are told apart: as many as the shortest has
LETTERS = "abcdefghijklmnopqrstuvwxyz"
END = len(LETTERS)  # the token before and after every name
BLOCK = 16  # tokens that the GPT sees
BATCH = 32
Lists = dict[str, list[str]]


class Reader(nn.Module):
    """A GRU reads a name letter by letter; its last state tells which list the name is from."""

    def __init__(self, rng: random.Random) -> None:
        self.letters = nn.Embedding(len(LETTERS), 8, rng=rng)
        self.gru = nn.GRU(8, 16, rng=rng)
        self.head = nn.Linear(16, len(LISTS), rng=rng)

    def forward(self, tokens: Sequence[Any]) -> list[Any]:
        """A score for each list."""
        _, state = self.gru([self.letters(token) for token in tokens])
        scores: list[Any] = self.head(state)
        return scores


class GPT(nn.Module):
    """One block of a transformer, as in Andrej Karpathy's microgpt: attention, then a perceptron, each beside a bypass."""

    def __init__(self, rng: random.Random, width: int = 16, heads: int = 4) -> None:
        options: dict[str, Any] = {"init": nn.init.normal(0.08), "rng": rng}
        self.letters = nn.Embedding(len(LETTERS) + 1, width, **options)
        self.places = nn.Embedding(BLOCK, width, **options)
        self.norm = nn.RMSNorm(width, weight=False)
        self.attention = nn.CausalSelfAttention(width, heads, bias=False, **options)
        self.mlp = nn.Sequential(
            nn.Linear(width, 4 * width, bias=False, **options), "relu", nn.Linear(4 * width, width, bias=False, **options)
        )
        self.head = nn.Linear(width, len(LETTERS) + 1, bias=False, **options)

    def forward(self, tokens: Sequence[Any]) -> list[list[Any]]:
        """After each token, a score for every token that may be next."""
        xs = [self.norm(added(self.letters(token), self.places(place))) for place, token in enumerate(tokens)]
        xs = [added(x, seen) for x, seen in zip(xs, self.attention([self.norm(x) for x in xs]))]
        xs = [added(x, self.mlp(self.norm(x))) for x in xs]
        return [self.head(x) for x in xs]


class LSTM(nn.Module):
    """An LSTM reads the letters so far; a linear map of what it shows gives the scores of the next."""

    def __init__(self, rng: random.Random, width: int = 12) -> None:
        self.letters = nn.Embedding(len(LETTERS) + 1, width, rng=rng)
        self.lstm = nn.LSTM(width, 2 * width, rng=rng)
        self.head = nn.Linear(2 * width, len(LETTERS) + 1, rng=rng)

    def forward(self, tokens: Sequence[Any]) -> list[list[Any]]:
        """After each token, a score for every token that may be next."""
        shown, _ = self.lstm([self.letters(token) for token in tokens])
        return [self.head(h) for h in shown]


def added(x: Sequence[Any], y: Sequence[Any]) -> list[Any]:
    """The sum of two vectors."""
    return [a + b for a, b in zip(x, y)]


def writing_loss(model: nn.Module, tokens: Sequence[Any]) -> Any:
    """How surprised a model is by each next token of a name, on average."""
    return nn.cross_entropy(model(tokens[:-1]), tokens[1:])


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Train the three, print, draw; returns what each reached on names that it has not seen."""
    options = parse(arguments)
    rng = random.Random(options.seed)
    lists = read_lists(options.names)
    found, confusion = told_apart(lists, options.epochs, rng)

    names = sorted({*lists["female"], *lists["male"]})
    rng.shuffle(names)
    cut = len(names) // 10
    unseen, learnt = names[:cut], names[cut:]
    print(f"new first names, after {len(learnt)}; a guess that knows nothing has the loss {autograd.log(END + 1.0):.2f}")
    losses = {}
    for model in (GPT(rng), LSTM(rng)):
        title = type(model).__name__
        losses[title], found[title], seconds = written(model, learnt, unseen, options.steps)
        print(f"{title}: {len(model.parameters())} parameters, {options.steps} steps in {seconds:.1f} s, ", end="")
        print(f"loss {found[title]:.2f} on unseen names")
        made_up = [new_name(model, random.Random(k)) for k in range(20)]
        print("  " + ", ".join([name for name in made_up if name not in names][:12]))
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        draw(losses, confusion, options.out / "names.png")
    except ImportError:
        print("no picture: pip install matplotlib")
    else:
        print(f"picture: {options.out / 'names.png'}")
    return found


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--steps", type=int, default=1000, help="names that the GPT and the LSTM learn from, a step for each")
    parser.add_argument("--epochs", type=int, default=16, help="how often the GRU sees every name")
    parser.add_argument("--names", type=int, default=COUNT, help="how many of each list are told apart")
    parser.add_argument("--seed", type=int, default=0, help="of first weights and of what is held out")
    options = parser.parse_args(arguments)
    if options.steps < 1 or options.epochs < 1 or not 50 <= options.names <= COUNT:
        parser.error(f"--steps and --epochs need at least 1, and --names 50 to {COUNT}")
    return options


def read_lists(count: int) -> Lists:
    """The most common names of each list in lower case, without those that are in two of them."""
    package = distribution("names")  # not imported: that would be this file
    lists = {}
    for name, file in LISTS.items():
        text = Path(str(package.locate_file(f"names/{file}"))).read_text(encoding="ascii")
        lists[name] = [line.split()[0].lower() for line in text.splitlines()][:count]
    everything = [word for words in lists.values() for word in words]
    once = {word for word in everything if everything.count(word) == 1}
    return {name: [word for word in words if word in once] for name, words in lists.items()}


def tokens_of(word: str) -> list[int]:
    """The numbers of the letters."""
    return [LETTERS.index(letter) for letter in word]


def told_apart(lists: Lists, epochs: int, rng: random.Random) -> tuple[dict[str, float], tuple[list[int], list[int]]]:
    """Teach a GRU which list a name is from; its accuracy on names held out, and what it took them for."""
    samples = [(word, label) for label, words in enumerate(lists.values()) for word in words]
    rng.shuffle(samples)
    cut = len(samples) // 5
    unseen, learnt = samples[:cut], samples[cut:]
    model = Reader(rng)
    print(f"{', '.join(f'{len(words)} {name}' for name, words in lists.items())} names, {cut} of them held out")
    words, labels = [tokens_of(word) for word, _ in learnt], [label for _, label in learnt]
    start = time.perf_counter()
    optimizer = nn.Adam(model.parameters(), lr=nn.schedules.linear(0.01, epochs * math.ceil(len(learnt) / BATCH)))
    history = nn.fit(
        model, words, labels, loss=nn.cross_entropy, optimizer=optimizer, epochs=epochs, batch_size=BATCH, compile=True
    )  # fmt: skip
    seconds = time.perf_counter() - start
    with autograd.no_grad():
        guesses = [largest(model(tokens_of(word))) for word, _ in unseen]
    answers = [label for _, label in unseen]
    right = sum(guess == answer for guess, answer in zip(guesses, answers)) / cut
    majority = max(map(answers.count, answers)) / cut
    print(f"GRU: {len(model.parameters())} parameters, {len(history.loss)} epochs in {seconds:.1f} s, ", end="")
    print(f"{right:.1%} of unseen names told apart (the largest list alone: {majority:.1%})")
    mistakes = [f"{word} ({kind(answer)}) for {kind(guess)}" for (word, answer), guess in zip(unseen, guesses) if guess != answer]
    print(f"  it took {', '.join(mistakes[:5])}")
    return {"GRU": right, "majority": majority}, (answers, guesses)


def kind(label: int) -> str:
    """The name of a list."""
    return list(LISTS)[label]


def largest(scores: Sequence[Any]) -> int:
    """The place of the largest score."""
    return max(range(len(scores)), key=lambda k: float(scores[k]))


def written(model: nn.Module, learnt: list[str], unseen: list[str], steps: int) -> tuple[list[float], float, float]:
    """Teach a model to go on with names; the loss at each step, the mean loss on unseen names, and the seconds it took.

    A step is one name. No Value is touched: the compiled loss takes the numbers of all parameters as one array, and gives the
    gradient as one.
    """
    documents = [[END, *tokens_of(word), END] for word in learnt]
    start = time.perf_counter()
    loss = autograd.compile(writing_loss).functional(model)
    weights = np.array([p.data for p in model.parameters()])
    optimizer = nn.Adam(model.parameters(), lr=nn.schedules.linear(0.01, steps), betas=(0.85, 0.99))
    losses = []
    for k in progress(range(steps), type(model).__name__):
        value, gradient = loss(weights, documents[k % len(documents)])
        weights -= optimizer.step_of(weights, gradient)
        losses.append(value)
    for p, number in zip(model.parameters(), weights):
        p.data = float(number)
    seconds = time.perf_counter() - start
    judged = [loss.value(weights, [END, *tokens_of(word), END]) for word in unseen]
    return losses, sum(judged) / len(judged), seconds


def new_name(model: nn.Module, rng: random.Random, temperature: float = 0.6) -> str:
    """A name that a model makes up, letter by letter; colder ones are more like the most common."""
    tokens = [END]
    with autograd.no_grad():
        while len(tokens) < BLOCK:
            shares = autograd.softmax([score / temperature for score in model(tokens)[-1]])
            (token,) = rng.choices(range(len(shares)), [float(share) for share in shares])
            if token == END:
                break
            tokens.append(token)
    return "".join(LETTERS[token] for token in tokens[1:])


def progress(steps: range, name: str) -> Any:
    """The steps, with a progress bar where tqdm is installed."""
    try:
        from tqdm.auto import tqdm
    except ImportError:
        return steps
    return tqdm(steps, desc=name, unit="step")


def draw(losses: dict[str, list[float]], confusion: tuple[list[int], list[int]], path: Path) -> None:
    """The losses, as running means, and what names of each list were taken for."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.6, 1.0))
    smooth = {name: [sum(run[max(0, k - 49) : k + 1]) / min(k + 1, 50) for k in range(len(run))] for name, run in losses.items()}
    nn.plot_loss(smooth, left, log=False, title="the next letter of a name (means of 50 steps)")
    left.set_xlabel("step")
    nn.plot_confusion(*confusion, right, names=list(LISTS))
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
