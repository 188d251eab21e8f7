"""The room of C for speed: a program of instructions as a file of C, in which equal nests are one function."""

from __future__ import annotations

import platform
from contextlib import suppress
from functools import cache
from math import prod
from typing import NamedTuple

from autograd.compiler.native.calls import Call, called
from autograd.compiler.native.loops import Writer
from autograd.compiler.native.nests import Nest, fused
from autograd.compiler.native.packing import packed
from autograd.compiler.native.spelling import Spelling, number
from autograd.compiler.tensors.instructions import Code

__all__ = ["FEWEST", "Printed", "moved", "printed"]

CALL = """
/* one argument makes the fastest call; the sum of the squares of all results is nan if one of them is */
double call(double *const *memory)
{
    const double *out = memory[1];
    double sum = 0.0;
    V squares = {0};
    long k = 0;
    run(memory[0], memory[1], memory[2]);
    for (; k + VM_W <= OUTPUTS; k += VM_W)
        squares += *(const V *)&out[k] * *(const V *)&out[k];
    for (int lane = 0; lane < VM_W; lane++)
        sum += squares[lane];
    for (; k < OUTPUTS; k++)
        sum += out[k] * out[k];
    return sum;
}
"""
FEWEST = 8  # examples that there is room for at least, whatever the number of lanes


class Printed(NamedTuple):
    """C text of a program, and how many numbers its scratch buffer holds."""

    text: str
    scratch: int


@cache
def lanes_of_processor() -> int:
    """How many numbers a register of this processor holds, as far as that can be known."""
    flags = ["avx"] if platform.machine().lower() in ("x86_64", "amd64") else []
    with suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        flags = next((line.split() for line in file if line.startswith("flags")), [])
    return 8 if "avx512f" in flags else 4 if "avx" in flags else 2


def printed(code: Code, lanes: int | None = None) -> Printed:
    """The program as a file of C with a function `void run(const double *in, double *out, double *scratch)`.

    `double call(double *const *memory)` does the same with these three, and tells whether a result is nan.

    The function of a batch has more: `double *each, long count, const double *examples0, ...`, results for each of `count`
    examples and their numbers, in rows. There are FEWEST rows at least.

    It may run in several threads at once, each with a scratch buffer of its own, which begins at a multiple of 64 bytes.
    `lanes` is how many numbers a vector has: 2, 4 and 8 are all right, but more than a register of the processor holds are slow.
    """
    lanes = lanes or lanes_of_processor()
    instructions, scratch = packed(code)
    spelling = Spelling(lanes)
    names: dict[str, str] = {}  # of functions, by their text
    tables: dict[tuple[int, ...], str] = {}
    functions, calls = [], []
    for nest in fused(instructions):
        writer = Writer(nest, spelling)
        text = writer.text()
        if text not in names:
            names[text] = f"nest{len(names)}"
            functions.append(f"/* {title(nest)} */\n{'NEST' if nest.sizes or nest.main else 'NUMBERS'} {names[text]}{text}")
        given = [(tables.setdefault(table, f"table{len(tables)}"), 0) for table in writer.tables]
        places = [*[(buffer, start) for buffer, start, _ in writer.pointers], *given]
        places += [("count", 0), ("padded", 0)] if writer.batched else []
        calls.append(Call(names[text], tuple([buffer for buffer, _ in places]), tuple([start for _, start in places])))
    heads = [f"#define VM_W {lanes}\n", spelling.text()]
    heads += [f"static const int {name}[] = {{{', '.join(map(str, table))}}};\n" for table, name in tables.items()]
    if code.constants:
        numbers = ", ".join(map(number, code.constants))
        heads.append(f"static const double constants[] __attribute__((aligned(64))) = {{{numbers}}};\n")
    lines, parameters = ["(void)in, (void)out, (void)scratch;"], "const double *in, double *out, double *scratch"
    if code.batch is not None:
        examples = [f"examples{k}" for k in range(len(code.batch.widths))]
        parameters += ", double *each, long count, " + ", ".join(f"const double *{name}" for name in examples)
        lines += [f"double *const lanes = scratch + {scratch};", f"const long padded = count < {FEWEST} ? {FEWEST} : count;"]
        lines.append(f"(void){', (void)'.join(['each', 'lanes', 'padded', *examples])};")
        scratch += code.size("lanes")
    body = "".join(f"    {line}\n" for line in [*lines, *called(calls)])
    run = f"void run({parameters})\n{{\n{body}}}\n"
    run += CALL.replace("OUTPUTS", str(code.outputs)) if code.batch is None else ""
    return Printed("\n".join([*heads, *functions, run]), scratch)


def moved(code: Code) -> int:
    """How many numbers for each example go through memory: those of the inputs, and what is not in registers alone."""
    batch, nests = code.batch, fused(packed(code)[0])
    stored = [ins for nest in nests for ins in nest.members if ins.batched and nest.is_stored(ins)]
    return sum(batch.widths if batch else ()) + sum(prod(ins.outer[1:]) for ins in stored)


def title(nest: Nest) -> str:
    """What a nest does: its loops, and its rows."""
    sizes = nest.main.sizes if nest.main else nest.sizes
    rows = list(dict.fromkeys(ins.row.name for ins in nest.members))
    return f"{' x '.join(map(str, sizes)) or 'numbers'}: {', '.join(rows[:8])}{', ...' if len(rows) > 8 else ''}"
