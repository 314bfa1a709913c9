"""What the README and the pages of `docs/` show works as printed."""

import json
import re
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dc3
from tests.datasets.folders import table, write
from tests.review import helpers

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
OWN_IMAGES, ANNOTATIONS, DATA_SETS, PROPOSALS, REVIEW, AGREEMENT = (
    (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8")
    for page in (
        "own-images",
        "annotations",
        "data-sets",
        "proposals",
        "review",
        "agreement",
    )
)


def block(word, page=README):
    """The one code block of a page that holds `word`."""
    blocks = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    (found,) = [text for text in blocks if word in text]
    return found


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with images and every table that the pages name."""
    pytest.importorskip("PIL")
    files = [f"{i}.png" for i in range(60)]
    rows = [
        (name, person, ("cod", "haddock")[(i + (i % 3 == 0 and person == "ann")) % 2])
        for i, name in enumerate(files[:40])
        for person in ("ann", "ben")
    ]
    write(tmp_path / "fish", files)
    table(tmp_path / "answers.csv", rows)
    (tmp_path / "votes.csv").write_text("file,ann,ben\n0.png,cod,?\n1.png,eel,cod\n")
    answer = {"type": "choices", "from_name": "class", "value": {"choices": ["cod"]}}
    task = {
        "id": 1,
        "data": {"image": "/data/local-files/?d=fish/7.png"},
        "annotations": [{"id": 1, "completed_by": 5, "result": [answer]}],
    }
    (tmp_path / "export.json").write_text(json.dumps([task]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_strategy_of_ones_own_is_short_and_keeps_the_contract(make_backbone):
    code = block("class UDA")
    body = code[code.index("@keras.saving") : code.index("check_strategy(UDA")]
    lines = [line for line in body.splitlines() if line.strip()]
    assert len(lines) <= 25
    exec(compile(code, "README.md", "exec"), {"backbone": make_backbone()})


def test_arrays_of_ones_own():
    rng = np.random.default_rng(0)
    names = {
        "images": rng.integers(0, 256, (60, 8, 8, 3)).astype("uint8"),
        "counts": rng.multinomial(4, [0.5, 0.3, 0.2], size=60),
        "file_names": [f"{i}.png" for i in range(60)],
        "keras_dc3": keras_dc3,
    }
    exec(compile(block("from_arrays"), "README.md", "exec"), names)
    assert names["data"].class_names == ("cod", "haddock", "neither")


def test_a_folder_and_a_table(folder):
    names = {"keras_dc3": keras_dc3}
    exec(compile(block('from_directory("fish"'), "README.md", "exec"), names)
    assert names["data"].image_shape == (64, 64, 3)
    assert names["data"].class_names == ("cod", "haddock")


def test_from_a_folder_to_proposals(folder):
    pytest.importorskip("matplotlib")
    code = block("from_directory", OWN_IMAGES).replace("epochs=50", "epochs=1")
    names = {}
    exec(compile(code, "page", "exec"), names)
    proposals = keras_dc3.Proposals.from_csv("proposals.csv")
    assert set(proposals.ids) == set(names["data"].unlabeled.ids)
    assert (folder / "examples.png").exists()


def test_forms_of_annotations(folder):
    names = {}
    code = block("from_label_studio", ANNOTATIONS)
    exec(compile(code, "page", "exec"), names)
    assert names["answers"].class_names == ("cod", "haddock")
    assert names["votes"].counts.sum() == 3
    assert names["reviewed"].counts.sum() == 1
    again = keras_dc3.Annotations.from_csv("annotations.csv")
    assert again.counts.sum() == 81


def test_a_published_data_set(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    counts = np.random.default_rng(0).multinomial(5, [0.5, 0.5], size=40)
    images = np.zeros((40, 16, 16, 3), "uint8")
    data = keras_dc3.datasets.from_arrays(images, counts)
    monkeypatch.setattr(keras_dc3.datasets, "load", lambda name, data_dir: data)
    monkeypatch.chdir(tmp_path)
    code = "import keras_dc3\n" + block('load("plankton"', DATA_SETS)
    exec(compile(code, "page", "exec"), {})
    assert Path("examples.png").exists() and Path("split.json").exists()


@pytest.fixture
def reviewed(folder):
    """Proposals for images in a folder, and a page that two people answered."""
    proposals, images = helpers.make_proposals(60), helpers.make_images(60)
    helpers.write_folder(folder / "fish", images, proposals.ids)
    labeled = keras_dc3.data.ImageSet(
        images[:4], list("abcd"), class_names=proposals.class_names
    )
    unlabeled = keras_dc3.data.ImageSet(images, proposals.ids)
    data = keras_dc3.data.SemiSupervisedData(labeled, [0, 1, 2, 0], unlabeled)
    names = {"keras_dc3": keras_dc3, "proposals": proposals, "data": data}
    exec(compile(block("groups()[0]"), "README.md", "exec"), names)
    anna, ben = people("review.html")
    helpers.save(folder / "review-anna.json", anna)
    (folder / "review-ben.csv").write_text(helpers.as_csv(ben), "utf-8")
    return names


def people(page):
    """Two people's answers to a page, drawn at random."""
    rng = np.random.default_rng(0)
    return [
        helpers.answer(page, name, lambda image, proposed: int(rng.integers(3)))
        for name in ("anna", "ben")
    ]


def test_from_proposals_to_better_labels(reviewed):
    exec(compile(block("fit_bias"), "README.md", "exec"), reviewed)
    assert reviewed["labels"].shrunk_labels.shape == (60, 3)
    assert Path("round-2.html").exists()
    assert len(reviewed["data"].labeled) > 4 and reviewed["data"].labels.ndim == 2


def test_groups_pictures_and_what_to_ask_next(reviewed, capsys):
    for package in ("pyarrow", "matplotlib", "sklearn"):
        pytest.importorskip(package)
    features = np.random.default_rng(0).normal(size=(60, 5))
    reviewed["proposals"].embeddings = features  # as those of `model.propose`
    reviewed["proposals"].to_parquet("proposals.parquet")
    exec(compile(block("from_parquet", PROPOSALS), "page", "exec"), reviewed)
    assert "the model says" in capsys.readouterr().out
    exec(compile(block("plot_clusters", PROPOSALS), "page", "exec"), reviewed)
    assert Path("clusters.png").exists() and Path("embedding.png").exists()
    exec(compile(block("import agreement", README), "page", "exec"), reviewed)
    exec(compile(block("next(budget", PROPOSALS), "page", "exec"), reviewed)
    assert "Ask about" in capsys.readouterr().out


def test_review_sheets(reviewed):
    exec(compile(block("to_review", REVIEW), "page", "exec"), reviewed)
    exec(compile(block("review.read", REVIEW), "page", "exec"), reviewed)
    review = reviewed["review"]
    assert len(review.annotations.records) == len(review.proposed) == 120


def test_agreement(reviewed, capsys):
    images = reviewed["data"].unlabeled
    for word, mode in (("blind", "none"), ("classes", "classes"), ("dc3", "dc3")):
        reviewed["proposals"].to_review(f"{word}.html", images, mode, control=0.3)
        for person in people(f"{word}.html"):
            helpers.save(Path(f"{word}-{person['annotator']}.json"), person)
    for word in ("agreement.compare", "fit_bias"):
        exec(compile(block(word, AGREEMENT), "page", "exec"), reviewed)
    assert reviewed["labels"].soft_labels.shape == (60, 3)
    assert "speed-up" in capsys.readouterr().out


@pytest.mark.tensorflow
def test_the_first_lines(tmp_path, monkeypatch):
    """The usage block, on made-up data of the same shape and for one epoch."""
    code = block('keras_dc3.datasets.load("cifar10h"').replace("epochs=50", "epochs=1")
    rng = np.random.default_rng(0)
    counts = rng.multinomial(50, np.full(10, 0.1), size=100)
    images = rng.integers(0, 256, (100, 32, 32, 3)).astype("uint8")
    data = keras_dc3.datasets.from_arrays(images, counts)
    monkeypatch.setattr(keras_dc3.datasets, "load", lambda name, data_dir: data)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, "README.md", "exec"), {})
    assert keras_dc3.Proposals.from_csv("proposals.csv").class_names == tuple(
        map(str, range(10))
    )
    layer = keras.layers.TFSMLayer("saved_model", call_endpoint="serving_default")
    assert layer(images[:2])["cluster_probabilities"].shape == (2, 50)


def test_the_study():
    """Another process imports it; the guard keeps it from training there."""
    names = {"__name__": "study"}
    exec(compile(block("# study.py"), "README.md", "exec"), names)
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 16, 16, 1)).astype("uint8")
    data = keras_dc3.datasets.from_arrays(images, np.eye(4)[np.arange(20) % 4])
    config = keras_dc3.DC3Config()
    model = names["make_model"](data, "pi_model", config, training_steps=10)
    assert model.training_steps == 10 and model.config == config


def test_commands_are_those_of_continuous_integration():
    commands = re.findall(r"^    (python -m venv .*)$", README, flags=re.MULTILINE)
    assert len(commands) == 2
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    install, test = commands[1].split(" && ")[1:]
    assert install.replace(".venv/bin", ".ci/venv/bin") in ci.replace(" --quiet", "")
    assert test.replace(".venv/bin", ".ci/venv/bin") in ci


def test_the_best_epoch_is_kept(make_backbone, tmp_path, monkeypatch, rng):
    monkeypatch.chdir(tmp_path)
    images = rng.integers(0, 256, (36, 8, 8, 3)).astype("uint8")
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=36)
    data = keras_dc3.datasets.from_arrays(
        images, counts, labeled=12, unlabeled=12, validation=12, batch_size=6
    )
    model = keras_dc3.DC3Model(make_backbone(), training_steps=4)
    names = {"keras": keras, "model": model, "data": data}
    exec(compile(block("val_selective_score"), "README.md", "exec"), names)
    history = model.history.history["val_selective_score"]
    assert len(history) == 2 and names["best"].best == max(history)
    kept = keras.saving.load_model("best.keras")
    figures = kept.evaluate(data, verbose=0, return_dict=True)
    assert figures["selective_score"] == pytest.approx(max(history))
