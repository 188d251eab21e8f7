"""The room of C: instructions as one file of C99 that needs nothing but math.h, with a loop nest for each.

Every operation is printed from its row in the table. Sums are taken left to right, as plain Python does, so that both agree to
the last bit wherever the functions of math.h do.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from autograd.compiler.c_nests import NAMES, Printer
from autograd.compiler.c_rows import RESERVED, Rows, is_free
from autograd.compiler.program import Program, rebuilt
from autograd.compiler.recover import recover
from autograd.compiler.reverse import differentiated, gradients
from autograd.compiler.tensors.by_block import by_block
from autograd.compiler.tensors.instructions import Batch
from autograd.compiler.tensors.strides import loops_of
from autograd.compiler.totals import totals
from autograd.ops import TABLE

__all__ = ["File", "to_c"]

HEAD = """#include <math.h>

/* where numbers in between are kept: static, so that calls must not overlap; or auto, on the stack */
#ifndef SCRATCH
#define SCRATCH static
#endif
"""


def to_c(
    program: Program, name: str, wanted: Sequence[int], *, careful: bool = False, varying: Sequence[int] = ()
) -> str:  # fmt: skip
    """The program as a file: `NAME` for its results, `NAME_gradient` for their derivatives with respect to `wanted` too.

    With `careful`, derivatives that come out as nan are computed again with care, as the room of reverse mode has it. Where some
    inputs are `varying` with the example, `NAME_batch` sums results and derivatives over examples.
    """
    if not is_free(name):
        name = "program"
    file = File()
    file.add(program, name, wanted, careful=careful)
    if varying:
        file.add_batch(program, name, [k for k in wanted if k not in set(varying)], varying, careful=careful)
    return file.text()


class File:
    """Functions, and what they share: words and tables."""

    def __init__(self) -> None:
        self.rows = Rows()
        self.headings: list[str] = []
        self.functions: list[str] = []

    def text(self) -> str:
        """The file."""
        helpers = "\n".join(text.strip() + "\n" for text in self.rows.words.values())
        return "\n".join([*self.headings, HEAD, *([helpers] if helpers else []), *self.functions])

    def add(self, program: Program, name: str, wanted: Sequence[int], *, careful: bool) -> None:
        """The functions of one program."""
        self.headings.append(self.heading(program, name, wanted))
        self.functions.append(self.function(program, name, len(program.outputs)))
        if not wanted:
            return
        count, slopes = len(program.outputs), differentiated(program, wanted)
        again = differentiated(program, wanted, careful=True) if careful else slopes
        if len(again.rows) == len(slopes.rows):
            self.functions.append(self.function(slopes, f"{name}_gradient", count, wanted))
            return
        for kind, version in (("plain", slopes), ("careful", again)):
            self.functions.append(f"static {self.function(version, f'{name}_{kind}', count, wanted)}")
        size = count * len(program.inputs)
        self.functions.append(f"""int {name}_gradient(const double *inputs, double *outputs, double *gradient)
{{
    int status = {name}_plain(inputs, outputs, gradient);
    for (int i = 0; i < {size} && status == 0; i++)
        if (gradient[i] != gradient[i]) /* a nan may come from a choice that was not taken: keep track of them */
            return {name}_careful(inputs, outputs, gradient);
    return status;
}}
""")

    def add_batch(
        self, program: Program, name: str, wanted: Sequence[int], varying: Sequence[int], *, careful: bool
    ) -> None:  # fmt: skip
        """The function of a program of one example that sums over many."""
        columns = {program.inputs[k]: column for column, k in enumerate(varying)}
        examples = "\n   ".join(listing(program, "examples", columns)).replace("*/", "* /")
        self.headings.append(f"""
/* int {name}_batch(int count, const double *inputs, const double *examples, double *outputs, double *gradient)

   examples, {len(varying)} numbers for each of so many, one example after the other:
   {examples}

   outputs and gradient are sums over the examples. What varies has no derivative there, and is not read from the inputs. */""")
        count, batch = len(program.outputs), rebuilt(program).new
        inputs = list(batch.inputs)
        for output in batch.outputs[:count] if wanted else ():
            batch.outputs += gradients(batch, output, [inputs[k] for k in wanted], careful=careful)
        sides = [side for guard in batch.guards for side in (guard.left, guard.right)]
        batch.outputs = totals(batch, batch.outputs, [inputs[k] for k in varying], sides)
        batch = rebuilt(batch).new
        rows = Batch(1, (len(varying),), {batch.inputs[k]: (0, column) for column, k in enumerate(varying)})
        self.functions.append(self.function(batch, f"{name}_batch", count, wanted, rows, len(inputs)))

    def heading(self, program: Program, name: str, wanted: Sequence[int]) -> str:
        """What a caller must know, as a comment."""
        lines = [f"int {name}(const double *inputs, double *outputs)"]
        if wanted:
            lines.append(f"int {name}_gradient(const double *inputs, double *outputs, double *gradient)")
        at = {ref: k for k, ref in enumerate(program.inputs)}
        lines += ["", f"inputs, {len(at)} in number:", *listing(program, "inputs", at)]
        lines += ["", "outputs[o]: the results, in their order" if len(program.outputs) > 1 else "outputs[0]: the result"]
        if wanted:
            by = f"[o * {len(at)} + k]: the derivative of outputs[o]" if len(program.outputs) > 1 else "[k]: the derivative"
            lines.append(f"gradient{by} with respect to inputs[k]")
            if len(wanted) < len(at):
                lines.append("            (all inputs have a place in there; 0 for those that index, which have no derivative)")
        status = ["Returns 0"]
        if any(row is not None and row.name == "take" for row in program.rows):
            status.append("-1 if an input that indexes is out of range")
        if program.guards:
            status.append("the number of a comparison that comes out otherwise, which needs another program:")
        lines += ["", "; ".join(status) + ("" if program.guards else ".")]
        lines += [f"    {k}: {g.line}, {g.sign} is {str(g.answer).lower()}" for k, g in enumerate(program.guards, 1)]
        text = "\n   ".join(line.replace("*/", "* /") for line in lines)
        return "/* " + re.sub(r"[ ]+\n", "\n", text) + " */"

    def function(
        self, program: Program, name: str, count: int, wanted: Sequence[int] = (), batch: Batch | None = None, size: int = 0
    ) -> str:  # fmt: skip
        """One function: the first `count` results are outputs, the others derivatives with respect to the inputs `wanted`.

        `size` inputs have a place in the gradient; all, if it is 0.
        """
        results, size = {"outputs": program.outputs[:count]}, size or len(program.inputs)
        if wanted or batch:
            gradient = results["gradient"] = [program.constant(0.0)] * (count * size)
            for o in range(count):
                for j, k in enumerate(wanted):
                    gradient[o * size + k] = program.outputs[count + o * len(wanted) + j]
        sides = [ref for guard in program.guards for ref in (guard.left, guard.right)]
        code = by_block(recover(program, batch.columns if batch else ()), results, sides, RESERVED | NAMES | TABLE.keys(), batch)
        return Printer(code, self.rows, size).text(name, [(guard.sign, guard.answer) for guard in program.guards])


def listing(program: Program, name: str, at: Mapping[int, int]) -> list[str]:
    """Where inputs lie in an array, block by block: 'inputs[4 .. 19]: w.0.0 to w.3.3, 4 x 4', or with a step."""
    names, lines = dict(zip(program.inputs, program.names)), []
    copy = empty(program)
    for block in recover(copy).inputs:
        refs = [program.inputs[ref] for ref in block.entries if ref is not None]
        if refs[0] not in at:
            continue
        places, first, last = [at[ref] for ref in refs], names[refs[0]], names[refs[-1]]
        shape = f", {' x '.join(map(str, block.shape))}" if len(block.shape) > 1 else ""
        lines.append(f"    {name}{span(places)}: {first}{f' to {last}' if last != first else ''}{shape}")
    return lines


def span(places: Sequence[int]) -> str:
    """Places as a person writes them.

    >>> span([4, 5, 6]), span([4, 6, 8]), span([4]), span([4, 6, 7])
    ('[4 .. 6]', '[4 .. 8 by 2]', '[4]', '[4 .. 7] with gaps')
    """
    if len(places) == 1:
        return f"[{places[0]}]"
    loops, ends = loops_of(places), f"{places[0]} .. {places[-1]}"
    if loops is None or len(loops) > 1:
        return f"[{ends}] with gaps"
    return f"[{ends}]" if loops[0][1] == 1 else f"[{ends} by {loops[0][1]}]"


def empty(program: Program) -> Program:
    """A program that has the inputs of another, and nothing else."""
    copy = Program()
    for ref, name in zip(program.inputs, program.names):
        copy.input(name, parameter=not program.families[ref][0])
    return copy
