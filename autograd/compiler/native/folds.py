"""The room of folds: sums, largest numbers and the like, as accumulators that are updated element by element."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["FOLDS", "SCALED", "Fold", "Part"]


class Part(NamedTuple):
    """An accumulator of a fold: where it starts, what an element `x` (and `y`) does to it, and what two of them are together."""

    name: str
    start: str
    update: str
    join: str


class Fold(NamedTuple):
    """What a row that folds does in one pass over the elements after another, and its result, in words of the table."""

    passes: list[list[Part]]
    result: str


# `norm` first finds the largest that is no nan, as an infinity wins over nan; `logsumexp` counts what is as large as the largest.
FOLDS: dict[str, Fold] = {
    "sum": Fold([[Part("s", "0.0", "{s} + {x}", "add")]], "{s}"),
    "dot": Fold([[Part("s", "0.0", "fused({x}, {y}, {s})", "add")]], "{s}"),
    "prod": Fold([[Part("s", "1.0", "{s} * {x}", "mul")]], "{s}"),
    "max": Fold([[Part("s", "-INFINITY", "maximum({s}, {x})", "maximum")]], "{s}"),
    "min": Fold([[Part("s", "INFINITY", "minimum({s}, {x})", "minimum")]], "{s}"),
    "norm": Fold([[Part("t", "0.0", "where(greater(abs({x}), {t}), abs({x}), {t})", "maximum")],
              [Part("s", "0.0", "{s} + square({x} / where({t}, {t}, set(1.0)))", "add")]],
             "where(greater(set(INFINITY), {t}), {t} * sqrt({s}), {t})"),
    "logsumexp": Fold([[Part("t", "-INFINITY", "maximum({t}, {x})", "maximum")],
                   [Part("s", "0.0", "{s} + where(greater({t}, {x}), exp({x} - {t}), set(0.0))", "add"),
                    Part("n", "0.0", "{n} + (1.0 - greater({t}, {x}))", "add")]],
                  "where(greater(set(INFINITY), abs({t})), {t} + log1p({s} + ({n} - 1.0)), {t})"),
}  # fmt: skip
SCALED = {"sum", "dot", "prod"}  # folds in which a number may stand for a vector of which all lanes are the same
