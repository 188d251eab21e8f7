"""Dates in words become ISO dates: an encoder reads the letters, a decoder looks back at them and writes digit after digit.

"The third of May 1987" and "Tuesday, 5 march 2021" become 1987-05-03 and 2021-03-05. The encoder is a convolution over windows
of five letters; the decoder is a GRU that chooses, before each digit, what of the text it looks at: attention. Both are written
with scalars; `autograd.compile` makes one program of them, since all texts are filled up to one length. Takes about half a
minute. Leaves the attention as a picture.
"""

from __future__ import annotations

import argparse
import datetime
import math
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import autograd
import nn

MONTHS = "January February March April May June July August September October November December".split()  # noqa: SIM905 - reads well
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()  # noqa: SIM905
ORDINALS = """first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth twenty-fifth
twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first""".split()  # noqa: SIM905
FORMATS: list[Callable[[datetime.date], str]] = [
    lambda d: f"{d.day} {month(d)} {d.year}",
    lambda d: f"{month(d)} {d.day}, {d.year}",
    lambda d: f"the {ORDINALS[d.day - 1]} of {month(d)} {d.year}",
    lambda d: f"{month(d)} the {ORDINALS[d.day - 1]}, {d.year}",
    lambda d: f"the {numbered(d.day)} of {month(d)} {d.year}",
    lambda d: f"{weekday(d)}, {d.day} {month(d).lower()} {d.year}",
    lambda d: f"{weekday(d)[:3]} {d.day} {month(d)[:3]} {d.year}",
    lambda d: f"{month(d)[:3]} {numbered(d.day)}, {d.year}",
    lambda d: f"{d.day:02}.{d.month:02}.{d.year}",
]
LETTERS = " ,-.0123456789abcdefghijklmnopqrstuvwxyz"
LONGEST = len("the twenty-seventh of September 1987")
WINDOW = 5  # letters that the encoder sees at once
DIGITS, START = 8, 10  # of a date; and what the decoder reads before the first
BATCH = 32


class Translator(nn.Module):
    """An encoder that makes notes on each letter and its neighbours, and a decoder that reads the notes and writes digits."""

    def __init__(self, rng: random.Random, width: int = 16, size: int = 32) -> None:
        self.letters = nn.Embedding(len(LETTERS), width, rng=rng)
        self.windows = nn.Conv1d(width, size, WINDOW, rng=rng)
        self.begin = nn.Linear(size, size, rng=rng)
        self.digits = nn.Embedding(START + 1, width, rng=rng)
        self.cell = nn.GRUCell(width, size, rng=rng)
        self.query = nn.Linear(size, size, rng=rng)
        self.head = nn.Linear(2 * size, 10, rng=rng)

    def forward(self, tokens: Sequence[Any]) -> list[list[Any]]:
        """A score for each of the digits 0 to 9 in each place, from the text and the digits before that place."""
        return [scores for scores, _ in self.written(tokens)]

    def written(self, tokens: Sequence[Any]) -> list[tuple[list[Any], list[Any]]]:
        """For each place the scores of the digits, and where the decoder looked: a share for each letter."""
        notes, state = self.read(tokens[:-DIGITS])
        found = []
        for digit in tokens[-DIGITS:]:
            state = self.cell(self.digits(digit), state)
            shares, seen = self.look(state, notes)
            found.append((self.head([*state, *seen]), shares))
        return found

    def read(self, text: Sequence[Any]) -> tuple[list[list[Any]], list[Any]]:
        """The notes on every letter, and the state in which the decoder begins."""
        channels = list(zip(*[self.letters(letter) for letter in text]))
        notes = [[autograd.relu(x) for x in note] for note in zip(*self.windows(channels))]
        return notes, [autograd.tanh(x) for x in self.begin([autograd.mean(channel) for channel in zip(*notes)])]

    def look(self, state: list[Any], notes: list[list[Any]]) -> tuple[list[Any], list[Any]]:
        """Attention: how much of the notes on each letter is wanted in this state, and what they say on the whole."""
        query = self.query(state)
        shares = autograd.softmax([autograd.dot(query, note) / math.sqrt(len(query)) for note in notes])
        return shares, [autograd.dot(shares, channel) for channel in zip(*notes)]


def main(arguments: list[str] | None = None) -> dict[str, float]:
    """Train, translate, print, draw; returns the loss and the part of unseen dates that came out exactly right."""
    options = parse(arguments)
    rng = random.Random(options.seed)
    days = list(range(datetime.date(1900, 1, 1).toordinal(), datetime.date(2100, 1, 1).toordinal()))
    rng.shuffle(days)
    dates = [datetime.date.fromordinal(day) for day in days[: options.dates + options.held_out]]
    samples = [(rng.choice(FORMATS)(date), date.isoformat()) for date in dates]
    learnt, unseen = samples[: options.dates], samples[options.dates :]
    model = Translator(rng)
    print(f"{len(learnt)} dates to learn from in {len(FORMATS)} formats; {len(model.parameters())} parameters")
    start = time.perf_counter()
    history = trained(model, learnt, options.epochs)
    if not history.loss:
        raise SystemExit("interrupted in the first epoch: nothing is learnt yet")
    print(f"loss {history.loss[-1]:.4f} after {len(history.loss)} epochs in {time.perf_counter() - start:.0f} s")

    translations, _ = translate(model, [text for text, _ in unseen])
    exact = sum(found == date for found, (_, date) in zip(translations, unseen)) / len(unseen)
    print(f"{exact:.1%} of {len(unseen)} unseen dates are exactly right; the first eight, and what is wrong:")
    for k, ((text, date), found) in enumerate(zip(unseen, translations)):
        if k < 8 or found != date:
            print(f"  {text:{LONGEST}}  {found}" + ("" if found == date else f"  is wrong: {date}"))
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        draw(model, options.texts, options.out / "translate.png")
    except ImportError:
        print("no picture: pip install matplotlib")
    else:
        print(f"picture: {options.out / 'translate.png'}")
    return {"loss": history.loss[-1], "exact": exact}


def parse(arguments: list[str] | None) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("pictures"), metavar="DIR", help="where the picture goes")
    parser.add_argument("--dates", type=int, default=8000, help="how many dates are learnt from")
    parser.add_argument("--held-out", type=int, default=400, help="how many other dates judge")
    parser.add_argument("--epochs", type=int, default=6, help="how often each date is seen")
    parser.add_argument("--seed", type=int, default=0, help="of dates, formats and first weights")
    parser.add_argument("--texts", nargs="+", metavar="TEXT", default=["The third of May 1987", "Tuesday, 5 march 2021"],
                        help="dates whose translation is drawn")  # fmt: skip
    options = parser.parse_args(arguments)
    if min(options.dates, options.held_out, options.epochs) < 1:
        parser.error("--dates, --held-out and --epochs need at least 1")
    if options.dates + options.held_out > 73_000:
        parser.error("from 1900 to 2099 there are about 73,000 dates")
    for text in options.texts:
        if not 0 < len(text) <= LONGEST or not set(text.lower()) <= set(LETTERS):
            parser.error(f"the translator reads up to {LONGEST} of {LETTERS!r}, not {text!r}")
    return options


def month(date: datetime.date) -> str:
    """The name of its month, in English whatever the language of the machine is."""
    return MONTHS[date.month - 1]


def weekday(date: datetime.date) -> str:
    """The name of its day."""
    return DAYS[date.weekday()]


def numbered(day: int) -> str:
    """1st, 2nd, 3rd, 4th, ..."""
    return f"{day}th" if 10 < day < 14 else f"{day}{ {1: 'st', 2: 'nd', 3: 'rd'}.get(day % 10, 'th') }"


def encoded(text: str) -> list[int]:
    """The numbers of the letters, with blanks around, so that there is a window for every place of the longest text."""
    around = " " * (WINDOW // 2)
    return [LETTERS.index(letter) for letter in around + text.lower().ljust(LONGEST) + around]


def trained(model: Translator, samples: list[tuple[str, str]], epochs: int) -> nn.History:
    """Teach the decoder each next digit, given the right ones before."""
    dates = [[int(digit) for digit in date.replace("-", "")] for _, date in samples]
    inputs = [[*encoded(text), START, *digits[:-1]] for (text, _), digits in zip(samples, dates)]
    steps = epochs * math.ceil(len(samples) / BATCH)
    optimizer = nn.Adam(model.parameters(), lr=nn.schedules.linear(0.01, steps), betas=(0.9, 0.99))
    return nn.fit(
        model, inputs, dates, loss=loss_of_digits, optimizer=optimizer, epochs=epochs, batch_size=BATCH, compile="mean"
    )


def loss_of_digits(predictions: list[Any], targets: list[Any]) -> Any:
    """The mean cross-entropy over the places of all dates."""
    return autograd.mean([nn.cross_entropy(scores, digits) for scores, digits in zip(predictions, targets)])


def translate(model: Translator, texts: list[str]) -> tuple[list[str], Any]:
    """The ISO dates of texts, each digit the one with the largest score; and where the decoder looked for each digit."""
    write = autograd.compile(written, batch=1, reduce=None)
    tokens = np.array([[*encoded(text), START, *[0] * (DIGITS - 1)] for text in texts])
    digits = np.zeros((len(texts), DIGITS), dtype=int)
    for place in range(DIGITS):
        found = write(model, tokens)
        digits[:, place] = found[place][0].argmax(axis=1)
        tokens[:, -DIGITS + 1 :] = digits[:, :-1]
    looks = np.stack([shares for _, shares in found], axis=1)
    return [f"{y1}{y2}{y3}{y4}-{m1}{m2}-{d1}{d2}" for y1, y2, y3, y4, m1, m2, d1, d2 in digits], looks


def written(model: Translator, tokens: Sequence[Any]) -> Any:
    """What a model writes, and where it looks."""
    return model.written(tokens)


def draw(model: Translator, texts: list[str], path: Path) -> None:
    """Which letters the decoder looks at before it writes each digit."""
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 3.0 * len(texts)), layout="constrained")
    rows = figure.subplots(len(texts), 1, squeeze=False)[:, 0]
    for ax, text, date, shares in zip(rows, texts, *translate(model, texts)):
        within, beyond = shares[:, : len(text)], shares[:, len(text) :].sum(axis=1)
        shades = LinearSegmentedColormap.from_list("shares", [ax.get_facecolor(), "#3b82c4"])
        ax.imshow(np.column_stack([within, beyond]), cmap=shades, vmin=0.0, vmax=1.0, aspect="auto")
        ax.set_xticks(range(len(text) + 1), [*text, "(end)"], family="monospace")
        ax.set_yticks(range(DIGITS), list(date.replace("-", "")), family="monospace")
        ax.set_title(f"{text}  \N{RIGHTWARDS ARROW}  {date}")
        ax.set(xlabel="letters that are read", ylabel="digits that are written")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
