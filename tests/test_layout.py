"""The shape of the library: which way imports go, what is public, and that importing stays light."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import autograd
import nn
from autograd.ops import TABLE
from tests.oracle import ORACLE

ROOT = Path(__file__).resolve().parent.parent
# Every room imports only from rooms before it in this line.
CHAIN = [
    "numbers", "floats", "ops", "value", "functions", "chain", "closures", "controls", "doing", "readings",
    "composites", "copying",
    "arrays.elements", "arrays.words", "arrays.reductions", "arrays.order", "arrays.products", "arrays.trusted",
    "arrays.__init__", "arrays.protocols", "trees", "arguments", "evaluation",
    "colouring", "dependence", "sparsity", "sparse", "calculus",
    "slopes", "report", "points", "verdicts", "check", "primitives", "explanation", "graphs", "stacks", "guard",
    "files", "colours", "boxes", "renderers", "rendering", "draw", "showing",
    "explorer.layout", "explorer.views", "explorer.page", "explorer.__init__",
    "compiler.texts", "compiler.draws", "compiler.facts", "compiler.shadows",
    "compiler.program", "compiler.stand_ins", "compiler.trace",
    "compiler.reverse", "compiler.totals", "compiler.recover",
    "compiler.tensors.names",
    "compiler.tensors.access", "compiler.tensors.regroup", "compiler.tensors.instructions", "compiler.tensors.layout",
    "compiler.tensors.lower", "compiler.tensors.arrays", "compiler.tensors.strides", "compiler.tensors.by_block",
    "compiler.tensors.__init__",
    "compiler.printers.expressions", "compiler.printers.rows", "compiler.printers.views", "compiler.printers.nests",
    "compiler.printers.matrices", "compiler.printers.formulas", "compiler.printers.numpy_text",
    "compiler.printers.__init__", "compiler.plain", "compiler.c_words", "compiler.c_rows", "compiler.c_nests", "compiler.c99",
    "compiler.native.words", "compiler.native.folds", "compiler.native.nests", "compiler.native.packing", "compiler.native.calls",
    "compiler.native.spelling", "compiler.native.functions", "compiler.native.loops", "compiler.native.printing",
    "compiler.native.cache", "compiler.native.building", "compiler.native.__init__", "compiler.runs",
    "compiler.on_jax", "compiler.kinds", "compiler.surroundings",
    "compiler.signature", "compiler.changing", "compiler.given", "compiler.executable",
    "compiler.audit", "compiler.tracing", "compiler.variant", "compiler.summary", "compiler.requests",
    "compiler.conditions", "compiler.prepared",
    "compiler.functional", "compiler.method", "compiler.api",
    "compiler.places", "compiler.blocks", "compiler.examples", "compiler.results",
    "compiler.task", "compiler.batch", "compiler.decorator", "compiler.__init__",
    "exercises.catalogue", "exercises.run", "exercises.judge", "exercises.pictures", "exercises.marking", "exercises.folder",
    "exercises.pytest_plugin", "exercises.__init__", "exercises.command", "exercises.__main__",
    "expressions", "command", "__main__", "__init__",
]  # fmt: skip
# The exercises of the course are programs of their own.
ROOMS = sorted(path for path in (ROOT / "autograd").rglob("*.py") if "course" not in path.parts)
NETWORKS = sorted((ROOT / "nn").glob("*.py"))
DEMOS = sorted((ROOT / "demos").glob("*.py"))


def imported(path: Path) -> list[tuple[str, str]]:
    """Every (module, name) that a file imports, at any depth of the code."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [(node.module or "", alias.name) for alias in node.names]
    return found


def room_of(path: Path) -> str:
    """'draw', or 'explorer.layout' in a package of rooms."""
    return ".".join(path.relative_to(ROOT / "autograd").with_suffix("").parts)


@pytest.mark.parametrize("path", ROOMS, ids=room_of)
def test_imports_go_one_way(path):
    place = CHAIN.index(room_of(path))
    for module, name in imported(path):
        room = module.removeprefix("autograd.") if module.startswith("autograd.") else name if module == "autograd" else None
        if room is not None:
            assert CHAIN.index(room) < place, f"{room_of(path)} imports {room}, which comes after it"
        assert not module.startswith(("nn", "demos", "tests"))


@pytest.mark.parametrize("path", [*NETWORKS, *DEMOS], ids=lambda path: path.stem)
def test_networks_and_demos_see_public_names_only(path):
    for module, name in imported(path):
        if module.split(".")[0] == "autograd":
            assert module == "autograd", f"{path.name} imports from {module}"
            assert not name or name in autograd.__all__, f"{path.name} imports {name}"
        if path in DEMOS and module.startswith("nn."):
            pytest.fail(f"{path.name} imports from {module}")
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "autograd":
            assert node.attr in {*autograd.__all__, "__all__", "__file__"}, f"{path.name} uses autograd.{node.attr}"


def test_public_names():
    assert len(set(autograd.__all__)) == len(autograd.__all__)
    for name in autograd.__all__:
        assert getattr(autograd, name) is not None
        assert name in dir(autograd)
    for name in nn.__all__:
        assert hasattr(nn, name)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        autograd.nothing  # noqa: B018


@pytest.mark.parametrize("package", [autograd, nn], ids=lambda package: package.__name__)
def test_every_public_name_is_listed(package):
    found = {name for name, thing in vars(package).items() if not name.startswith("_") and not inspect.ismodule(thing)}
    assert not found - set(package.__all__)


def test_no_public_function_has_the_name_of_a_module():
    modules = {path.stem for path in ROOMS} | {path.parent.name for path in (ROOT / "autograd").glob("*/__init__.py")}
    assert not modules & set(autograd.__all__)


@pytest.mark.parametrize("path", [*ROOMS, *NETWORKS, *DEMOS], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_file_says_what_it_is(path):
    first = (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]
    assert first.endswith(".")
    assert len(first) > 20
    if path in ROOMS and room_of(path) != "__init__":
        assert first.startswith("The room")


def test_import_is_light():
    program = (
        "import sys; before = set(sys.modules); import autograd; print(*{m.split('.')[0] for m in set(sys.modules) - before})"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT).stdout
    foreign = set(shown.split()) - set(sys.stdlib_module_names) - {"autograd"}
    assert not {name for name in foreign if not name.startswith("_")}


def test_methods_that_type_checkers_see_are_those_of_the_table():
    declared: set[str] = set()
    for node in ast.walk(ast.parse((ROOT / "autograd" / "value.py").read_text())):
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.value, ast.Name)
            and node.value.id in ("_unary", "_binary", "_slope", "_alpha", "_pair")
        ):
            declared |= {target.id for target in node.targets}
    rows = [row for row in list(TABLE.values())[: len(ORACLE)] if row.public and row.arity in (1, 2)]
    made = {name for row in rows if row.arity == 1 or not row.operator for name in (row.name, *row.aliases)}
    made |= {f"__{row.operator}__" for row in rows if row.operator}
    made |= {f"__r{row.operator}__" for row in rows if row.operator and row.arity == 2}
    made |= {"__divmod__", "__rdivmod__"}
    assert declared == made
    for name in made:
        assert inspect.getsource(getattr(autograd.Value, name)).lstrip().startswith("def ")
