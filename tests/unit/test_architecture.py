"""The folders are the architecture: imports point downwards, for types too, and never in a circle."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
LAYERS = ["settings resources configuration", "api", "sync", "singer", "run", "verify", "tap", "__main__"]
RANKS = {name: rank for rank, names in enumerate(LAYERS) for name in names.split()}
PACKAGES = ["tap_bill", "bill_emulator", "benchmarks", "demo"]


def modules(package):
    """Return the modules of a package, each with those of the same package that it imports."""
    paths = {
        ".".join(path.relative_to(PROJECT).with_suffix("").parts): path for path in PROJECT.glob(f"{package}/**/*.py")
    }
    paths = {name.removesuffix(".__init__"): path for name, path in paths.items()}
    return {name: set(_imported(path, paths)) - {name} for name, path in paths.items()}


def _imported(path, known):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from inner & known.keys() or {node.module}


def test_the_layers_of_the_tap_import_downwards():
    wrong = [
        f"{name} imports {other}"
        for name, imported in modules("tap_bill").items()
        for other in imported
        if name != "tap_bill" and RANKS[name.split(".")[1]] < RANKS[other.split(".")[1]]
    ]
    assert not wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_no_imports_go_round_in_a_circle(package):
    left = modules(package)
    assert len(left) > 4
    while free := [name for name, imported in left.items() if not imported & left.keys()]:
        left = {name: imported for name, imported in left.items() if name not in free}
    assert not left
