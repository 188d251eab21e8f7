"""The room of printing: a program of blocks as NumPy text that a person would write, and as a function that runs.

The text uses nothing but functions of NumPy on whole arrays, so it runs on `jax.numpy` too.
"""

from __future__ import annotations

import ast
import keyword
import math
import re
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from autograd import floats
from autograd.compiler.products import batched_product, is_plain, taken, total_product
from autograd.compiler.program import Program, roots
from autograd.compiler.recover import Group, Shape, Tensors
from autograd.compiler.texts import run
from autograd.compiler.totals import TOTAL, TOTAL_DOT
from autograd.compiler.views import Views
from autograd.ops import NUMBERS, TABLE, Primitive

__all__ = ["Result", "Text", "printed", "stem"]

SYMBOLS = {"add": "{} + {}", "sub": "{} - {}", "mul": "{} * {}", "div": "{} / {}", "pow": "{} ** {}", "neg": "-{}",
           "square": "{0} * {0}", "stop_gradient": "{}", "pos": "{}", "where": "np.where({}, {}, {})",
           "sech2": "np.square(1.0 / np.cosh({}))"}  # fmt: skip
NUMPY = {
    "abs": "abs", "sqrt": "sqrt", "cbrt": "cbrt", "exp": "exp", "exp2": "exp2", "expm1": "expm1", "log": "log", "log2": "log2",
    "log10": "log10", "log1p": "log1p", "sin": "sin", "cos": "cos", "tan": "tan", "asin": "arcsin", "acos": "arccos",
    "atan": "arctan", "atan2": "arctan2", "hypot": "hypot", "sinh": "sinh", "cosh": "cosh", "tanh": "tanh", "asinh": "arcsinh",
    "acosh": "arccosh", "atanh": "arctanh", "maximum": "maximum", "minimum": "minimum", "sign": "sign",
    "floor": "floor", "ceil": "ceil", "round": "rint", "trunc": "trunc", "fmod": "fmod", "where": "where",
    "div": "divide", "pow": "power", "copysign": "copysign", "logaddexp": "logaddexp", "logaddexp2": "logaddexp2",
    "heaviside": "heaviside",
}  # fmt: skip
ONES = {"1.0": "", "-1.0": "-"}  # factors that are not written
REDUCED = {"sum": "{}.sum({})", "prod": "{}.prod({})", "max": "{}.max({})", "min": "{}.min({})",
           "norm": "np.hypot.reduce({}, {})"}  # fmt: skip
WHERE = TABLE["where"]
NAMES = {"dot": "z", "relu": "h", "sum": "s", "where": "d", "greater": "m", "add": "a", "sub": "a", "mul": "p", "div": "q",
         "total": "t", "total_dot": "t"}  # fmt: skip
RESERVED = {"np", "inputs", "batch_size", "program", "spread", "logsumexp"}
RAGGED = {"sum": "add", "prod": "multiply", "max": "maximum", "min": "minimum", "dot": "add"}
LOGSUMEXP = '''
def logsumexp(x, axis):
    if x.size > 4 * x.shape[axis] ** 2:
        x = x.T.copy().T  # many short rows are reduced side by side, not one by one
    top = x.max(axis, keepdims=True)
    ties = x == top
    others = (np.exp(x - top) - ties).sum(axis, keepdims=True) + (ties.sum(axis, keepdims=True) - 1.0)
    return np.where(np.isfinite(top), top + np.log1p(others), top).squeeze(axis)
'''
ROWS = {  # rows that NumPy has not, or not at infinities
    "share": """
def share(x, y):
    return np.where(x == y, 0.5, 1.0 / (1.0 + np.exp(y - x)))
""",
    "sinc": """
def sinc(x):
    rest = x - 2.0 * np.rint(0.5 * x)  # of whole turns, exactly
    is_zero = np.isinf(x) | (rest == np.rint(rest))
    return np.where(x == 0.0, 1.0, np.where(is_zero, 0.0, np.sin(np.pi * rest) / (np.pi * x)))
""",
}
SPREAD = '''
def spread(x, batch_size):
    """The same numbers for every example of a batch."""
    return x if x.ndim > 1 else np.broadcast_to(x[:, None], (len(x), batch_size))
'''


class Result(NamedTuple):
    """Something to return: its name, its references in order and its shape."""

    name: str
    refs: list[int]
    shape: Shape


class Text(NamedTuple):
    """A printed program: its text, the constant arrays in it, and the words it uses that are no functions of NumPy."""

    source: str
    tables: dict[str, Any]
    words: dict[str, Any]
    gathers: list[str]

    @property
    def lines(self) -> list[str]:
        """The lines that compute something."""
        return [line for line in self.source.splitlines() if " = " in line and "= inputs[" not in line] or ["return"]

    def function(self) -> Callable[..., Any]:
        """The text as a function, which `inspect.getsource` and tracebacks can show."""
        import numpy as np

        tables = {
            name: np.array(entries, dtype=np.intp if name[0] == "I" else float).reshape(shape)
            for name, (entries, shape) in self.tables.items()
        }
        return run(self.source, {"np": np, **tables, **{word: vectorized(function) for word, function in self.words.items()}})


def vectorized(function: Callable[..., float]) -> Callable[..., Any]:
    """A function of floats, element by element: SciPy's if it is installed and has this one."""
    import numpy as np

    if function in (math.erf, math.erfc):
        try:
            from scipy import special  # type: ignore[import-untyped]
        except ImportError:
            pass
        else:
            found: Callable[..., Any] = getattr(special, function.__name__)
            return found
    ufunc = np.frompyfunc(function, function.__code__.co_argcount if hasattr(function, "__code__") else 1, 1)
    return lambda *xs: np.asarray(ufunc(*xs), dtype=float)


def printed(tensors: Tensors, results: Sequence[Result]) -> Text:
    """The program as text."""
    return Printer(tensors).text(results)


def stem(program: Program, group: Group) -> str:
    """The first part of the name of a group; a number may follow."""
    kind = NAMES.get(group.row.name, f"{group.row.name}_")
    found = [program.hints.get(entry) for entry in (group.entries[0], group.entries[-1]) if entry is not None]
    if not found or None in found:
        return kind
    first, last = found[0], found[-1]
    if first is None or last is None or first.is_slope != last.is_slope:
        return kind
    prefix = "d_" if first.is_slope else ""
    if first.label and last.label:
        words = {label.rstrip("0123456789_") for label in (first.label, last.label)}
        word = words.pop()
        return prefix + word if not words and word.isidentifier() else kind
    shared = [part for part, other in zip(first.scope, last.scope) if part.partition("#")[0] == other.partition("#")[0]]
    word = re.sub(r"\W", "_", shared[-1].partition("#")[0]) if shared else ""
    return f"{prefix}{word}_{kind.rstrip('_')}" if word.isidentifier() else kind


class Printer:
    """Writes the groups of a program as lines of NumPy."""

    def __init__(self, tensors: Tensors) -> None:
        self.tensors, self.program = tensors, tensors.program
        self.views = Views(tensors)
        self.helpers: dict[str, str] = {}  # functions that the text defines for itself
        self.words: dict[str, Any] = {}
        self.lines: list[tuple[str, str]] = []  # what is assigned to which name

        # Results that serve as conditions alone may stay truth values.
        rows, operands = self.program.rows, self.program.operands
        self.conditions = {refs[0] for row, refs in zip(rows, operands) if row is WHERE}
        if self.conditions:
            self.conditions.difference_update(roots(self.program))
            for row, refs in zip(rows, operands):
                self.conditions.difference_update(refs[1:] if row is WHERE else refs)

    def text(self, results: Sequence[Result]) -> Text:
        """All lines, as the function `program(inputs)`; what has an axis of examples follows, each array by its name."""
        self.name_blocks(results)
        heads, start = [], 0
        for block in self.tensors.inputs:
            if not block.batched:
                stop = start + len(block.entries)
                part = f"inputs[{start}:{stop}]" if block.shape else f"inputs[{start}]"
                shape = ", ".join(map(str, block.shape))
                heads.append((block.name, f"{part}.reshape({shape})" if len(block.shape) > 1 else part))
                start = stop
        examples = [block.name for block in self.tensors.inputs if block.batched]
        for group in self.tensors.groups:
            self.lines.append((group.name, self.expression(group)))
        returned = [self.result(result) for result in results]
        returns = f"({', '.join(returned)},)" if returned else "()"
        lines = [(name, plainly(text)) for name, text in inlined([*self.lines, ("return", returns)])]
        body = "\n".join(f"    {name} = {text}" if name != "return" else f"    return {text}" for name, text in lines)
        used = set(re.findall(r"\w+", body))
        head = "".join(f"    {name} = {text}\n" for name, text in heads if name in used)
        if examples:
            what = f"{', '.join(examples[:-1])} and {examples[-1]}" if len(examples) > 1 else examples[0]
            head = f'    """Some examples: the last axis of {what}."""\n{head}'
            head += f"    batch_size = {examples[0]}.shape[-1]\n" if "batch_size" in used else ""
        if "spread" in used:
            self.helpers["spread"] = SPREAD
        helpers = "".join(f"{text.strip()}\n\n\n" for text in self.helpers.values())
        source = f"{helpers}def program({', '.join(['inputs', *examples])}):\n{head}{body}\n"
        return Text(source, self.views.tables, self.words, self.views.gathers)

    def name_blocks(self, results: Sequence[Result]) -> None:
        """Names for all groups: of the result that they are, of the scope that made them, or of what they do."""
        taken: dict[str, int] = {}
        given: set[str] = set()
        wanted = {}
        for result in results:
            group = self.tensors.blocks[self.tensors.home[result.refs[0]]] if result.refs[0] >= 0 else None
            if isinstance(group, Group) and len(group.entries) == len(result.refs):
                wanted[group] = result.name
        for block in self.tensors.blocks:
            is_group = isinstance(block, Group)
            name = wanted.get(block) or stem(self.program, block) if isinstance(block, Group) else block.name
            taken[name] = count = taken.get(name, 0) + 1
            if is_group and (count > 1 or len(name) == 1 or name[-1] == "_"):
                name = f"{name}{count}"
            while name in given or is_reserved(name):
                name += "_"
            given.add(name)
            block.name = name

    def result(self, result: Result) -> str:
        return self.views.write(result.refs, result.shape, spread=False)

    def expression(self, group: Group) -> str:
        """One group as an expression."""
        if group.form == "elementwise":
            return self.elementwise(group)
        if group.form == "product" and not group.batched and (parts := self.parts(group)):
            return " + ".join(parts)
        texts = [self.views.write(refs, shape, spread=False) for refs, shape in group.arguments]
        batched = [self.views.is_batched(refs) for refs, _ in group.arguments]
        shapes = [shape for _, shape in group.arguments]
        if group.form == "reduced":
            return self.reduced(group, texts[0], len(shapes[0]) - 1)
        if group.form == "ragged":
            if group.row.name == "dot":
                texts = [" * ".join(self.aligned(*side, any(batched)) for side in zip(texts, shapes, batched))]
            starts = self.views.table("I", group.starts, (len(group.starts),))
            return f"np.{RAGGED[group.row.name]}.reduceat({texts[0]}, {starts})"
        if group.form == "dots":
            left, right, out = ("b" if b else "" for b in (*batched, group.batched))
            return f"np.einsum('ij{left},ij{right}->i{out}', {texts[0]}, {texts[1]})"
        if group.form == "picked" and not any(batched):
            rows = self.views.table("I", range(shapes[0][0]), shapes[0])
            return f"{texts[1]}[{rows}, {texts[0]}.astype(int)]"
        if group.form in ("taken", "picked"):
            return taken(group.form, texts[1], f"{texts[0]}.astype(int)", batched)
        deep = group.form == "products"
        if group.row is TOTAL_DOT:
            if is_plain(shapes, deep=deep):
                texts = [self.views.write(refs, shape[:-1], spread=False) for refs, shape in group.arguments]
            return total_product(texts, shapes, deep=deep)
        if any(batched):
            return batched_product(texts, shapes, batched, deep=deep)
        return self.product(texts, shapes, deep=deep)

    def parts(self, group: Group) -> list[str]:
        """One sum of products over several blocks, such as the squares of all weights: block by block. Else nothing."""
        (lefts, shape), (rights, other) = group.arguments
        home = self.tensors.home
        if len(shape) != 1 or len(other) != 1 or min(*lefts, *rights) < 0:
            return []
        pairs = list(zip(lefts, rights))
        runs = [list(run) for _, run in groupby(pairs, lambda pair: (home[pair[0]], home[pair[1]]))]
        if not 1 < len(runs) <= FEW_BLOCKS:
            return []
        sides = [[self.views.write([pair[k] for pair in run], (len(run),), spread=False) for k in (0, 1)] for run in runs]
        return [f"np.vdot({left.removesuffix('.ravel()')}, {right.removesuffix('.ravel()')})" for left, right in sides]

    def product(self, texts: list[str], shapes: list[Shape], *, deep: bool) -> str:
        """The matrix product of the first argument and the second, transposed; stacks of them if `deep`."""
        (first, second), axes = texts, 2 if deep else 1
        p, m = len(shapes[0]) > axes, len(shapes[1]) > axes  # whether there are several rows
        if deep and not (p and m):
            rows, columns = "p" if p else "", "m" if m else ""
            return f"np.einsum('h{rows}k,h{columns}k->h{rows}{columns}', {first}, {second})"
        if m and not p:  # one row: read the matrix from the other side
            return f"{second} @ {first}"
        if m and deep:
            second = f"{atom(second)}.swapaxes(1, 2)"
        elif m:
            second = second.removesuffix(".T") if second.endswith(".T") else f"{atom(second)}.T"
        return f"{first} @ {second}"

    def reduced(self, group: Group, text: str, axis: int) -> str:
        if group.row.name == "logsumexp":
            self.helpers["logsumexp"] = LOGSUMEXP
            return f"logsumexp({text}, {axis})"
        if group.row.name in REDUCED:
            if axis == 1 and text.endswith(".T"):
                text, axis = text.removesuffix(".T"), 0
            return REDUCED[group.row.name].format(text, axis)
        raise TypeError(f"{group.row.name} of many operands has no form in NumPy")

    def aligned(self, text: str, shape: Shape, batched: bool, wanted: bool) -> str:
        """An operand with a last axis for the batch, if others have one."""
        if batched or not wanted or not shape or is_number(text):
            return text
        return f"{text}[:, None]" if len(shape) == 1 else f"{text}[..., None]"

    def elementwise(self, group: Group) -> str:
        if group.row is TOTAL:
            text = self.views.write(*group.arguments[0], spread=False)
            return f"{atom(text)}.sum(-1)"
        operands = []
        for refs, shape in group.arguments:
            text = self.views.write(refs, shape)
            scalar = len(set(refs)) == 1
            operands.append(self.aligned(text, () if scalar else shape, self.views.is_batched(refs), group.batched))
        sign = {"greater": ">", "sub": "!="}.get(group.row.name)
        if sign and self.conditions.issuperset(group.entries) and (sign == ">" or self.is_finite(group.arguments[1][0])):
            return f"{atom(operands[0])} {sign} {atom(operands[1])}"
        return self.applied(group.row, operands)

    def is_finite(self, refs: Sequence[int]) -> bool:
        """Whether these are finite constants: then a difference from them is 0 where it is equal, and nowhere else."""
        return all(ref < 0 and math.isfinite(self.program.number(ref)) for ref in refs)

    def applied(self, row: Primitive, operands: Sequence[str]) -> str:
        """An operation of the table on expressions."""
        if row.name == "greater":
            return f"({atom(operands[0])} > {atom(operands[1])}) * 1.0"
        if row.name == "relu":
            return f"np.maximum({operands[0]}, 0.0)"
        if row.name == "sum":
            return " + ".join(map(atom, operands))
        if row.name == "mul" and operands[0] in ONES:
            return ONES[operands[0]] + (atom(operands[1]) if ONES[operands[0]] else operands[1])
        if row.name in SYMBOLS:
            plain = row.name in ("stop_gradient", "pos", "where", "sech2")
            return SYMBOLS[row.name].format(*(operands if plain else map(atom, operands)))
        if row.name in NUMPY:
            return f"np.{NUMPY[row.name]}({', '.join(operands)})"
        self.define(row)
        return f"{row.name}({', '.join(operands)})"

    def define(self, row: Primitive) -> None:
        """Give the text a function for a row that NumPy does not have: the row's own forward text, or a function of floats."""
        if row.name in self.helpers or row.name in self.words:
            return
        if row.name in ROWS:
            self.helpers[row.name] = ROWS[row.name]
            return
        if callable(getattr(floats, row.name, None)) or row.arity is None:
            self.words[row.name] = row.function if not hasattr(math, row.name) else getattr(math, row.name)
            self.words[row.name] = {"erf": math.erf, "erfc": math.erfc}.get(row.name, row.function)
            return
        self.helpers[row.name] = ""
        body = Words(self).visit(ast.parse(row.forward, mode="eval"))
        self.helpers[row.name] = f"def {row.name}({', '.join(row.operands)}):\n    return {ast.unparse(body)}\n"


class Words(ast.NodeTransformer):
    """Puts NumPy's names for the words of a text."""

    def __init__(self, printer: Printer) -> None:
        self.printer = printer

    def visit_Call(self, node: ast.Call) -> ast.expr:
        """A word of the table, called."""
        self.generic_visit(node)
        word = node.func.id if isinstance(node.func, ast.Name) else ""
        if word in TABLE and (TABLE[word].arity is not None):
            text = self.printer.applied(TABLE[word], [ast.unparse(argument) for argument in node.args])
            return ast.parse(text, mode="eval").body
        self.printer.words[word] = NUMBERS[word]
        return node


def is_reserved(name: str) -> bool:
    """Whether a program uses this name for something else than an input."""
    return name in RESERVED or name in TABLE or keyword.iskeyword(name) or re.fullmatch(r"[CI]\d+", name) is not None


def atom(text: str) -> str:
    """An expression in brackets, unless it binds tightly as it is."""
    depth = 0
    for k, c in enumerate(text):
        depth += (c in "([") - (c in ")]")
        if depth == 0 and c in " -" and not (k and text[k - 1] == "e"):
            return f"({text})"
    return text


def is_number(text: str) -> bool:
    return re.fullmatch(r"-?(np\.\w+|[\d.]+(e[-+]?\d+)?)", text) is not None


WIDTH = 96
FEW_BLOCKS = 8  # parts that are written out


NAME = re.compile(r"(?<![\w.])\w+")  # one pattern for all names: the module `re` keeps only some hundreds


def inlined(lines: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Lines with the expressions of names that are used once written where they are used, while lines stay short."""
    uses: dict[str, int] = {}
    for _, text in lines:
        for word in NAME.findall(text):
            uses[word] = uses.get(word, 0) + 1
    waiting: dict[str, str] = {}
    found: list[tuple[str, str]] = []

    for name, text in lines:
        for word in dict.fromkeys(NAME.findall(text)):
            if word not in waiting:
                continue
            inner = waiting.pop(word)
            match = next(match for match in NAME.finditer(text) if match.group() == word)
            longer = text[: match.start()] + placed(text, match, inner) + text[match.end() :]
            if len(longer) <= WIDTH and name != "return":
                text = longer
            else:
                found.append((word, inner))
        if name != "return" and uses.get(name, 0) == 1 and len(text) < WIDTH - 20:
            waiting[name] = text
        elif name == "return" or uses.get(name, 0):
            found.append((name, text))
    return found


def plainly(text: str) -> str:
    """An expression without the brackets that it does not need."""
    return ast.unparse(ast.parse(text, mode="eval")) if "(" in text else text


def placed(text: str, match: re.Match[str], inner: str) -> str:
    """An expression in place of a name, in brackets where they are needed."""
    before, after = text[: match.start()], text[match.end() :]
    alone = (not before or before[-1] == "(" or before.endswith(", ")) and (not after or after[0] in "),")
    return inner if alone else atom(inner)

