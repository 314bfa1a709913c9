"""The examples in docstrings run as printed, and every public name has one."""

import doctest
import importlib
import importlib.util
import inspect
import pkgutil

import keras
import numpy as np
import pytest

import keras_dc3
from tests.datasets.folders import table
from tests.review import helpers
from tests.scale.runs import write_run
from tests.test_site import NAMES

MODULES = sorted(
    m.name for m in pkgutil.walk_packages(keras_dc3.__path__, "keras_dc3.")
)
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
# What others return, raise or build on: their examples stand where they are made.
RESULTS = {
    "AnnotatedImages",
    "Agreement",
    "AnnotationError",
    "Comparison",
    "CostCurve",
    "CorrectedLabels",
    "CountedLabels",
    "Estimate",
    "FinalLabels",
    "Finding",
    "FolderListing",
    "ImageFileError",
    "NextModel",
    "PairAgreement",
    "PersonAgreement",
    "Proposal",
    "ProposalBias",
    "Question",
    "ReadableImages",
    "Records",
    "Review",
    "ScoreSummary",
    "SparseCounts",
    "Stopping",
    "Summary",
    "TimeCounts",
    "ValueRange",
    "Verdict",
}


def examples(module):
    """The examples in the docstrings of a module."""
    try:
        found = doctest.DocTestFinder().find(importlib.import_module(module))
    except ImportError as error:
        missing = error.__cause__ or error  # of `optional`
        if missing.name not in ("tensorflow", "tensorflow_datasets", "apache_beam"):
            raise
        pytest.skip(f"needs {missing.name}")
    return [test for test in found if test.examples]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """A folder, and what the examples take as given."""
    pytest.importorskip("PIL")
    folder = tmp_path_factory.mktemp("world")
    proposals, images = helpers.make_proposals(60), helpers.make_images(60)
    helpers.write_folder(folder / "fish", images, proposals.ids)
    rng = np.random.default_rng(0)
    rows = [
        (name, person, str(rng.choice(proposals.class_names)))
        for name in proposals.ids[:40]
        for person in ("ann", "ben")
    ]
    table(folder / "answers.csv", rows)
    lines = ["\t".join(row) for row in rows]
    (folder / "answers.tsv").write_text("\n".join(lines))
    (folder / "votes.csv").write_text("file,ann,ben\nimg_0.png,cat,dog\n")
    choice = {"type": "choices", "from_name": "class", "value": {"choices": ["cat"]}}
    annotation = {"id": 1, "completed_by": 5, "result": [choice]}
    task = {"id": 1, "data": {"image": "img_7.png"}, "annotations": [annotation]}
    helpers.save(folder / "export.json", [task])
    if importlib.util.find_spec("pyarrow"):
        write_run(folder / "fish-scores", proposals)
    proposals.to_review(folder / "review.html", images, control=0.3)
    for name in ("anna", "ben"):
        said = helpers.answer(
            folder / "review.html", name, lambda image, proposed: int(rng.integers(3))
        )
        helpers.save(folder / f"review-{name}.json", said)
    labeled = keras_dc3.data.ImageSet(
        images[:12], [f"l{i}" for i in range(12)], class_names=proposals.class_names
    )
    unlabeled = keras_dc3.data.ImageSet(images, proposals.ids)
    data = keras_dc3.data.SemiSupervisedData(
        labeled, np.arange(12) % 3, unlabeled, batch_size=12
    )
    layers = [keras.layers.Flatten(), keras.layers.Dense(4)]
    files = [str(folder / f"review-{name}.json") for name in ("anna", "ben")]
    return folder, {
        "keras": keras,
        "keras_dc3": keras_dc3,
        "np": np,
        "proposals": proposals,
        "annotations": keras_dc3.Annotations.from_csv(folder / "answers.csv"),
        "answers": keras_dc3.review.read(files, proposals=proposals),
        "data": data,
        "model": keras_dc3.DC3Model(keras.Sequential(layers), training_steps=10),
    }


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("module", MODULES)
def test_examples_run(module, request, monkeypatch):
    tests = examples(module)
    if not tests:
        return
    if ".plots" in module:
        pytest.importorskip("matplotlib")
    if ".scale" in module:
        pytest.importorskip("pyarrow")
        if keras.backend.backend() != "tensorflow":
            pytest.skip("models are exported on TensorFlow")
    if ".serving" in module:
        pytest.importorskip("aiohttp")
    if any("digits" in test.docstring for test in tests):
        pytest.importorskip("sklearn")
    folder, given = request.getfixturevalue("world")
    monkeypatch.chdir(folder)
    told = []
    for test in tests:
        test.globs.update(given)
        runner = doctest.DocTestRunner(optionflags=FLAGS, verbose=False)
        runner.run(test, out=told.append)
    assert not told, "".join(told)


@pytest.mark.parametrize("module", NAMES)
def test_every_public_name_has_an_example(module):
    if module == "keras_dc3.datasets.builders":
        return  # classes that TensorFlow Datasets makes
    if module == "keras_dc3.scale.beam":
        pytest.importorskip("apache_beam")
    public = importlib.import_module(module)
    without = {
        name
        for name in NAMES[module]
        if not inspect.ismodule(value := getattr(public, name))
        and callable(value)
        and "Example:" not in (inspect.getdoc(value) or "")
    }
    assert without <= RESULTS
