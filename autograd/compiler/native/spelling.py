"""The room of spelling: what an operation of the table is called in C, on one number and on vectors of several widths."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograd.compiler.c_rows import Rows
from autograd.compiler.native.words import Words
from autograd.compiler.tensors.instructions import Instruction, Number
from autograd.ops import TABLE

__all__ = ["Spelling", "halves", "number"]

# Arithmetic, which C has operators for.
OPERATORS = {"add": "{0} + {1}", "sub": "{0} - {1}", "mul": "{0} * {1}", "div": "{0} / {1}", "neg": "-{0}", "pos": "{0}",
             "stop_gradient": "{0}", "square": "{0} * {0}"}  # fmt: skip
# Powers with a constant exponent, in words of the table: as pow is at zeros and infinities, and nowhere an overflow on the way.
ROOT = "where(greater(set(-1.7976931348623157e308), {0}), set(INFINITY), sqrt({0} + 0.0))"
POWERS = {1.0: "{0}", 2.0: "{0} * {0}", 3.0: "{0} * {0} * {0}", -1.0: "1.0 / {0}", -2.0: "(1.0 / {0}) * (1.0 / {0})",
          0.5: ROOT, -0.5: f"1.0 / {ROOT}", -1.5: f"1.0 / abs({{0}}) / {ROOT}"}  # fmt: skip
# Functions for a width: a number in all lanes, numbers that lie apart, and back; where the width is less than that of `V`, too.
WIDTH = """
typedef double {V} __attribute__((vector_size({size}), aligned(8), may_alias));
VM_FN {V} {v}_set(double x) {{ return x - ({V}){{0}}; }}
VM_FN V {v}_wide({V} x) {{ return (V){{{repeated}}}; }}
VM_FN {V} {v}_cut(V x) {{ return ({V}){{{lanes}}}; }}
"""
# `noipa`, as GCC 12 makes wrong code of a copy of a function that it has made for one call. Single numbers compile faster by O1.
# HELD, as GCC would read a vector from memory again for every use, which may lie in two lines of cache.
HEAD = """
#if defined(__clang__)
#define NEST static __attribute__((noinline)) void
#define NUMBERS NEST
#else
#define NEST static __attribute__((noipa)) void
#define NUMBERS static __attribute__((noipa, optimize("O1"))) void
#endif

/* a product and a sum with one rounding: in sums of products, and nowhere else, or x * x - y * y would not be 0 where x is y */
#if defined(__FMA__) || defined(__ARM_FEATURE_FMA)
#define fused(x, y, z) __builtin_fma(x, y, z)
#else
#define fused(x, y, z) ((x) * (y) + (z))
#endif

/* a vector is kept in a register, where it fits */
#if defined(__AVX512F__) || (defined(__AVX__) && VM_W <= 4) || (defined(__SSE2__) && VM_W <= 2)
#define HELD(x) __asm__("" : "+v"(x))
#else
#define HELD(x) (void)(x)
#endif
"""
APART = """
/* lanes that lie apart, and the fold of all lanes by a function of two numbers */
VM_FN {V} {v}_from(const double *p, long s) {{ return ({V}){{{read}}}; }}
VM_FN void {v}_to(double *p, long s, {V} x) {{ {written} }}
#define {v}_fold(f, x) {fold}
VM_FN {V} {v}_fused_({V} x, {V} y, {V} z) {{ {V} r; for (int k = 0; k < {w}; k++) r[k] = fused(x[k], y[k], z[k]); return r; }}
#define {v}_fused(x, y, z) {v}_fused_((x) - ({V}){{0}}, (y) - ({V}){{0}}, z)
"""


def number(x: float) -> str:
    """A number in C."""
    text = repr(x).replace("inf", "INFINITY").replace("nan", "NAN")
    return f"({text})" if text[0] == "-" else text


class Spelling:
    """The words that a file uses, and their definitions."""

    def __init__(self, lanes: int) -> None:
        self.lanes = lanes
        self.words, self.rows = Words(), Rows()
        self.rows.words = self.words.scalars  # functions of one number, which both may define
        self.widths: set[int] = set()
        self.narrow: dict[tuple[str, int], int] = {}  # functions of less lanes, with how many operands they have

    def type(self, w: int) -> str:
        """The type of w numbers."""
        return "double" if w == 1 else self.prefix(w).upper()

    def prefix(self, w: int) -> str:
        """What the names of functions on w numbers begin with."""
        self.widths.add(w)
        return "v" if w == self.lanes else f"v{w}"

    def word(self, name: str, w: int) -> str:
        """The function for a word of the table; `set` is a number in all lanes, `fused` a product and a sum."""
        if w == 1:
            return {"set": "", "fused": name}[name] if name in ("set", "fused") else self.rows.word(TABLE["pos"], name)
        if name not in ("set", "fused"):
            function = self.words.define(name)
            if w == self.lanes:
                return function
            self.narrow[name, w] = TABLE[name].arity or 1
        return f"{self.prefix(w)}_{name}"

    def spelled(self, text: str, w: int) -> str:
        """A text in words of the table, with the functions for w numbers."""
        return re.sub(r"\b[a-z]\w*(?=\()", lambda match: self.word(match[0], w), text)

    def applied(self, ins: Instruction, operands: Sequence[str], w: int) -> str:
        """An operation on operands, which are names, or numbers where the instruction has numbers."""
        name, numbers = ins.row.name, [isinstance(x, Number) for x in ins.operands]
        if name == "pow" and isinstance(exponent := ins.operands[1], Number) and exponent.value in POWERS and not numbers[0]:
            return self.spelled(POWERS[exponent.value], w).format(operands[0])
        if w > 1 and (name not in OPERATORS or all(numbers)):
            operands = [self.spelled(f"set({x})", w) if is_number else x for x, is_number in zip(operands, numbers)]
        if name in OPERATORS:
            return OPERATORS[name].format(*operands)
        return self.rows.applied(ins.row, operands) if w == 1 else f"{self.word(name, w)}({', '.join(operands)})"

    def text(self) -> str:
        """The definitions of all words that were asked for."""
        parts = ["#include <math.h>\n", self.words.text(), HEAD]
        for w in sorted(self.widths, reverse=True):
            names = {"V": self.type(w), "v": self.prefix(w), "size": 8 * w, "w": w}
            lanes = [f"x[{k}]" for k in range(w)]
            if w < self.lanes:
                parts.append(WIDTH.format(**names, lanes=", ".join(lanes), repeated=", ".join(lanes * (self.lanes // w))))
            read, written = ", ".join(f"p[{k} * s]" for k in range(w)), " ".join(f"p[{k} * s] = x[{k}];" for k in range(w))
            parts.append(APART.format(**names, read=read, written=written, fold=halves("f", [f"(x)[{k}]" for k in range(w)])))
        for (name, w), arity in self.narrow.items():
            v, operands = self.prefix(w), "xyz"[:arity]
            given, wide = (", ".join(f.format(x) for x in operands) for f in (f"{self.type(w)} {{}}", f"{v}_wide({{}})"))
            parts.append(f"VM_FN {self.type(w)} {v}_{name}({given}) {{ return {v}_cut(v_{name}({wide})); }}\n")
        return "".join(parts)


def halves(f: str, operands: Sequence[str]) -> str:
    """The fold of operands by a function, halves first.

    >>> halves("add", ["a", "b", "c", "d"])
    'add(add(a, b), add(c, d))'
    """
    middle = len(operands) // 2
    return f"{f}({halves(f, operands[:middle])}, {halves(f, operands[middle:])})" if middle else operands[0]
