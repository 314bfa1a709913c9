"""What metrics, proposals and plots import."""

import ast
import sys
from pathlib import Path

import pytest

import keras_dc3

ROOT = Path(keras_dc3.__file__).parent
MODULES = sorted(
    ".".join(("keras_dc3", *path.relative_to(ROOT).with_suffix("").parts))
    for pattern in ("metrics/*.py", "proposals/*.py", "plots/*.py", "_writing.py")
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("name", MODULES)
def test_only_numpy_is_imported_at_the_top(name):
    path = ROOT.parent.joinpath(*name.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text("utf-8"))
    imported = set()
    for node in tree.body:
        if isinstance(node, ast.Import):
            imported |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported.add(node.module)
    ours = {name for name in imported if name.startswith("keras_dc3")}
    roots = {module.split(".")[0] for module in imported - ours}
    assert roots <= {"numpy", *sys.stdlib_module_names}
