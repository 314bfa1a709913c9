"""A second round: images, answers, a model, answers to its proposals, and again."""

import warnings

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import Annotations, datasets
from tests.annotations.helpers import told
from tests.datasets.folders import quiet, write

NAMES = [f"{i:03}.png" for i in range(60)]
CLASSES = ("cod", "haddock")


def answers(names, person, seed=0):
    rng = np.random.default_rng(seed)
    return Annotations.from_records(
        [(name, person, CLASSES[rng.integers(2)]) for name in names],
        class_names=CLASSES,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("fish"), NAMES)


@pytest.fixture(scope="module")
def first_round(folder):
    """Data of the first answers, a model trained on them, and its proposals."""
    first = answers(NAMES[:30], "anna").merge(answers(NAMES[:30], "ben", 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = datasets.from_directory(folder, first, batch_size=8)
        keras.utils.set_random_seed(0)
        backbone = keras.Sequential(
            [keras.layers.Conv2D(4, 3), keras.layers.GlobalAveragePooling2D()]
        )
        model = keras_dc3.DC3Model(backbone, training_steps=10)
        model.fit(data, epochs=1, verbose=0)
        proposals = model.propose(data.unlabeled, verbose=0)
    return first, data, model, proposals


@pytest.mark.slow
def test_the_whole_way(first_round, folder, tmp_path):
    first, data, model, proposals = first_round
    asked = proposals.next(budget=12)
    reviewed = answers(asked.ids, "anna", 2)
    merged = first.merge(reviewed)
    second = data.with_labels(merged)
    assert second.validation.ids == data.validation.ids
    assert {*asked.ids} <= {*second.labeled.ids}
    assert {*second.labeled.ids}.isdisjoint(second.unlabeled.ids)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(second, epochs=1, verbose=0)  # on soft labels
    # The same from the files, by the split that was saved.
    data.save_split(tmp_path / "split.json")
    split = tmp_path / "split.json"
    with pytest.warns(UserWarning, match="have answers now and join the labeled"):
        again = datasets.from_directory(folder, merged, split=split, batch_size=8)
    assert {*again.labeled.ids} == {*second.labeled.ids}
    assert again.validation.ids == data.validation.ids
    # Proposals of the second round are for images that nobody has answered.
    with told() as texts:
        more = model.propose(second.unlabeled, verbose=0).next(12, merged)
    assert more.ids and {*more.ids}.isdisjoint(merged.ids)
    assert not any("Answers so far" in text for text in texts)


def test_a_new_split_of_merged_answers_is_told(first_round, folder):
    first, _, _, proposals = first_round
    merged = first.merge(answers(proposals.ids[:5], "anna"))
    with pytest.warns(UserWarning, match=r"split is drawn anew.*with_labels"):
        datasets.from_directory(folder, merged)
    with told() as texts:
        datasets.from_directory(folder, answers(NAMES, "anna"))
    assert not any("drawn anew" in text for text in texts)


def test_a_new_split_beside_a_saved_one_is_told(first_round, folder, tmp_path):
    first, data, _, proposals = first_round
    table, split = tmp_path / "merged.csv", tmp_path / "split.json"
    first.merge(answers(proposals.ids[:5], "anna")).to_csv(table)
    (tmp_path / "other.json").write_text('{"format": "keras_dc3 split", "validation"')
    (tmp_path / "another.json").write_text("[1]")
    _, texts = quiet(folder, table)
    assert not any("drawn anew" in text for text in texts)
    data.save_split(split)
    _, texts = quiet(folder, table)
    assert any("drawn anew" in t and f"`split={str(split)!r}`" in t for t in texts)
    again, texts = quiet(folder, table, split=split)
    assert not any("drawn anew" in text for text in texts)
    assert again.validation.ids == data.validation.ids
    split.write_text(split.read_text().replace(".png", ".jpg"))  # of other images
    _, texts = quiet(folder, table)
    assert not any("drawn anew" in text for text in texts)


def test_answers_to_images_whose_labels_were_held_back_are_told(folder, tmp_path):
    everyone = answers(NAMES, "anna")
    sizes = {"labeled": 20, "unlabeled": 25, "validation": 15}
    data, _ = quiet(folder, everyone, **sizes)
    data.save_split(tmp_path / "split.json")
    _, texts = quiet(folder, everyone, split=tmp_path / "split.json")
    assert not any("not trained on" in text for text in texts)
    more = everyone.merge(answers(data.unlabeled.ids[:10], "ben"))
    again, texts = quiet(folder, more, split=tmp_path / "split.json")
    assert again.labeled.ids == data.labeled.ids
    assert any("25 images that stay unlabeled have 35 answers" in t for t in texts)


def test_answers_to_a_folder_of_unlabeled_images_are_told(tmp_path):
    names = [f"{part}/{i}.png" for part in ("train", "unlabeled") for i in range(20)]
    write(tmp_path, names)
    data, texts = quiet(tmp_path, answers(names[:26], "anna"))
    assert len(data.unlabeled) == 20
    assert any("6 images in the folder of unlabeled images" in text for text in texts)
