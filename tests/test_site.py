"""The site has every public name, and its menu every page."""

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from keras_dc3.metrics import format_scores

ROOT = Path(__file__).parents[1]


def script(name):
    path = ROOT / "docs" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


hooks, files = script("hooks"), script("files")
NAMES = hooks.public_names()


@pytest.fixture(scope="module")
def reference():
    """Pages of the reference, file name -> text."""
    return hooks.reference()


@pytest.mark.parametrize("module", NAMES)
def test_every_public_name_has_an_entry(module, reference):
    if module == "keras_dc3.datasets.builders":
        pytest.importorskip("tensorflow_datasets")
    if module == "keras_dc3.scale.beam":
        pytest.importorskip("apache_beam")
    public = importlib.import_module(module)
    assert set(NAMES[module]) == {*public.__all__} - {"__version__"}
    entries = "".join(reference.values())
    for name, path in NAMES[module].items():
        assert f"::: {path}\n" in entries
        assert hasattr(public, name)


def test_modules_that_are_public_have_a_page():
    import keras_dc3

    modules = {f"keras_dc3.{n}" for n in keras_dc3.__all__ if n.islower()}
    modules.discard("keras_dc3.__version__")
    assert modules <= set(NAMES)


def test_the_menu_has_every_page(reference):
    menu = set(re.findall(r"([\w/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.M))
    results = (ROOT / "benchmarks" / "results").glob("*.md")
    pages = {path.name for path in (ROOT / "docs").glob("*.md")} | {"changelog.md"}
    pages |= {f"results/{path.name}" for path in results} | set(reference)
    assert menu == pages


def test_the_glossary_is_the_legend_of_the_score_table():
    legend = format_scores({"a": {"f1": 0.5, "d": 0.5}}, width=10_000)
    for line in hooks.glossary_of_scores().splitlines()[2:4]:
        assert line.split(" | ")[1] in legend


def test_every_file_stands_in_a_line():
    assert files.PAGE.read_text("utf-8") == files.page(), "run `python docs/files.py`"
    lines = re.findall(r"^- `.+?`:(.*)$", files.page(), re.M)
    assert len(lines) > 200
    assert all(line.strip().endswith(".") for line in lines)
