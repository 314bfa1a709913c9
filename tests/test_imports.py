"""What may import what, and that optional packages are not needed."""

import ast
import functools
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "keras_dc3"

# The floors of the house, from the ground up. A part may import the parts of lower
# floors, and its own modules; the parts of one floor do not know each other.
LAYERS = (
    ("_decision", "_formulas", "_keras", "_kinds", "_registration", "_text", "_ties"),
    ("_extras", "_locking", "_quiet", "_unpacking", "_version", "_writing"),
    ("_array_files", "_names"),
    ("_validation",),
    ("annotations",),
    ("collective", "config", "optimizers", "backbones", "callbacks"),
    ("losses", "layers", "strategies", "metrics", "data"),
    ("objective", "probes"),
    ("review",),
    ("proposals",),
    ("agreement", "plots", "exports", "models", "serving"),
    ("datasets", "experiments", "scale"),
    ("project", "testing"),
    ("__init__",),
    ("command_line",),
    ("__main__",),
)
FLOOR = {part: floor for floor, parts in enumerate(LAYERS) for part in parts}

# Where TensorFlow may be imported; at the top of the file only where True.
TENSORFLOW = {
    "_keras/adapted_model.py": False,  # the guard in `train_step`
    "_keras/fused_normalization.py": False,
    "collective/tf_collective.py": True,
    "data/": False,
    "datasets/": False,
    "models/export": False,
    "scale/exported.py": False,
    "scale/sources/from_tfds.py": False,
    "scale/sources/tfrecords.py": False,
    "testing/gradients.py": False,
}
# TFDS finds a builder by importing its file, which is TensorFlow's and TFDS' alone.
FREE_AT_THE_TOP = ("_dataset_builder.py", "_dataset_builder_test.py")


def files():
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path, path.relative_to(PACKAGE).as_posix()


@functools.cache
def imports(path, types=False):
    """Returns (module or name in one, whether at the top of the file) of all imports.

    With `types` also those that only type checkers see.
    """
    tree = ast.parse(path.read_text("utf-8"))
    for node in [] if types else ast.walk(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            node.body = [ast.Pass()]
    inside = {
        node
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    found = []
    for node in ast.walk(tree):
        top = node not in inside
        if isinstance(node, ast.Import):
            for alias in node.names:
                found.append((alias.name, top))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide what is imported"
            for alias in node.names:
                found.append((f"{node.module}.{alias.name}", top))
    return found


def part_of(name):
    return name.split("/")[0].removesuffix(".py")


def test_every_part_has_a_floor():
    assert {part_of(name) for _, name in files()} == set(FLOOR)


@pytest.mark.parametrize("part", FLOOR)
def test_imports_run_down(part):
    for path, name in files():
        for module, _ in imports(path, True) if part_of(name) == part else ():
            pieces = module.split(".")
            if pieces[0] == "keras_dc3" and len(pieces) > 1 and pieces[1] != part:
                assert FLOOR[pieces[1]] < FLOOR[part], f"{name} imports {module}"


def test_modules_do_not_import_each_other_in_a_circle():
    """Wherever an import stands: each can be taken away after those it imports."""
    paths = {f"keras_dc3/{name}".removesuffix(".py"): path for path, name in files()}
    left = {
        module: {target(imported, paths) for imported, _ in imports(path)} - {module}
        for module, path in paths.items()
    }
    while left:
        free = [module for module, needed in left.items() if not needed & set(left)]
        assert free, f"circles in or below {sorted(left)}"
        for module in free:
            del left[module]


def target(imported, paths):
    """The module of this package that holds what is imported; None for others."""
    path = imported.replace(".", "/")
    while path and not {path, f"{path}/__init__"} & set(paths):
        path = path.rpartition("/")[0]
    return None if not path else path if path in paths else f"{path}/__init__"


@pytest.mark.parametrize(
    "part", ["agreement", "annotations", "proposals", "metrics", "plots", "review"]
)
def test_numpy_parts_know_no_framework(part):
    for path, name in files():
        if part_of(name) == part:
            for module, _ in imports(path):
                top = module.split(".")[0]
                assert top not in ("keras", "tensorflow", "torch", "jax"), name


def test_tensorflow_is_imported_where_allowed():
    for path, name in files():
        for module, top in imports(path):
            if module.split(".")[0] not in ("tensorflow", "tensorflow_datasets"):
                continue
            rules = [rule for rule in TENSORFLOW if name.startswith(rule)]
            assert rules, f"{name} imports {module}"
            if name.endswith(FREE_AT_THE_TOP):
                continue
            assert not top or TENSORFLOW[rules[0]], f"{name} imports {module} at once"


def test_heavy_packages_are_never_imported_at_the_top():
    heavy = (
        *("pandas", "sklearn", "scipy", "matplotlib", "torch", "jax", "onnx", "PIL"),
        *("pyarrow", "fiftyone", "umap", "cleanlab", "crowdkit", "aiohttp", "fsspec"),
        "apache_beam",
    )
    for path, name in files():
        for module, top in imports(path):
            assert not (top and module.split(".")[0] in heavy), f"{name}: {module}"


BLOCK = """
import sys
sys.modules.update(dict.fromkeys({blocked!r}))  # None: as if not installed
"""
TRAIN = """
import keras, numpy as np, keras_dc3
backbone = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(3)])
model = keras_dc3.DC3Model(backbone, ssl="pi_model", num_classes=2, training_steps=2)
x = np.zeros((4, 4, 4, 1), "float32")
model.compile(jit_compile=False)
model.fit({"labeled": x, "unlabeled": {"first": x, "second": x}},
          np.array([0, 1, 0, 1]), batch_size=2, verbose=0)
assert model.predict(x, verbose=0)["classes"].shape == (4, 2)
"""


def run(code, blocked, backend):
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(ROOT),
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    done = subprocess.run(
        [sys.executable, "-c", BLOCK.format(blocked=blocked) + code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def installed(name):
    return importlib.util.find_spec(name) is not None


OPTIONAL = (
    "tensorflow_datasets",
    "pandas",
    "sklearn",
    "scipy",
    "matplotlib",
    "PIL",
    "cleanlab",
    "crowdkit",
    "onnx",
    "tf2onnx",
    "onnxruntime",
    "aiohttp",
    "fsspec",
    "apache_beam",
)


def test_import_without_optional_packages():
    backend = next(b for b in ("tensorflow", "jax", "torch") if installed(b))
    # scikit-learn and SciPy may be Keras' or JAX' own dependencies.
    blocked = [name for name in OPTIONAL if (name, backend) != ("scipy", "jax")]
    code = "import keras_dc3, sys, keras_dc3.testing\n" + (
        f"print([m for m in {blocked!r} if sys.modules.get(m)])"
    )
    assert run(code, blocked, backend).strip() == "[]"


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_import_and_training_without_tensorflow(backend):
    if not installed(backend):
        pytest.skip(f"{backend} is not installed")
    code = TRAIN + "\nimport sys; assert sys.modules['tensorflow'] is None\n"
    run(code, ["tensorflow", "tensorflow_datasets", "pandas", "sklearn"], backend)
