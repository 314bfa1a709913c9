"""Data sets with answers that came later: soft labels, joined parts, saved splits."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import Annotations
from keras_dc3.agreement.correction import CorrectedLabels
from keras_dc3.data import ImageSet, SemiSupervisedData
from keras_dc3.data.image_set import JoinedImages

N, K = 60, 3
IDS = [f"scan {i:02}.png" for i in range(N)]
NAMES = ("cod", "haddock", "ling")


def counts_of(annotated, seed=0):
    """Three answers to each of the first images, none to the others."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(3, np.full(K, 1 / K), N)
    counts[annotated:] = 0
    return counts


def images_of(number=N, dtype="uint8"):
    """Images whose first pixel tells which one each is."""
    images = np.zeros((number, 4, 4, 3), dtype)
    images[:, 0, 0, 0] = np.arange(number)
    return images


def make_data(annotated=30, seed=0, **kwargs):
    whole = ImageSet(images_of(), IDS, counts_of(annotated), NAMES)
    options = {"seed": seed, "batch_size": 4, "labels": "sampled", **kwargs}
    return SemiSupervisedData.from_image_set(whole, 0.7, None, 0.3, **options)


def answers_to(ids, seed=1, people=2):
    rng = np.random.default_rng(seed)
    return Annotations.from_records(
        [(i, f"p{p}", NAMES[rng.integers(K)]) for i in ids for p in range(people)],
        class_names=NAMES,
    )


def test_answered_images_move_and_validation_stays(capsys):
    data = make_data()
    asked = [*data.unlabeled.ids[:7], data.labeled.ids[2], data.validation.ids[0]]
    answers = answers_to(asked)
    after = data.with_labels(answers)
    assert after.validation is data.validation
    assert after.labeled.ids == (*data.labeled.ids, *data.unlabeled.ids[:7])
    assert after.unlabeled.ids == data.unlabeled.ids[7:]
    soft = dict(zip(answers.ids, answers.soft_labels, strict=True))
    for row, name in enumerate(after.labeled.ids):
        expected = soft.get(name)
        if expected is None:
            expected = np.eye(K)[data.labels[data.labeled.ids.index(name)]]
        np.testing.assert_allclose(after.labels[row], expected, atol=1e-6)
    counts = dict(zip(answers.ids, answers.counts, strict=True))
    assert after.labeled.counts[-1].tolist() == counts[after.labeled.ids[-1]].tolist()
    pixels = after.labeled.read(np.arange(len(after.labeled)))[:, 0, 0, 0]
    assert [IDS[i] for i in pixels] == list(after.labeled.ids)
    told = capsys.readouterr().out
    for said in ("7 answered images moved", "1 labeled images", "1 have new answers"):
        assert said in told, told


def test_rounds_follow_each_other():
    data = make_data()
    trained, held = {*data.labeled.ids, *data.unlabeled.ids}, data.validation.ids
    for seed in range(4):
        data = data.with_labels(answers_to(data.unlabeled.ids[:5], seed))
        assert data.validation.ids == held and trained.isdisjoint(held)
        assert {*data.labeled.ids, *data.unlabeled.ids} == trained
        at = np.arange(len(data.labeled))[::-1]
        pixels = data.labeled.read(at)[:, 0, 0, 0]
        assert [IDS[i] for i in pixels] == [data.labeled.ids[i] for i in at]
    assert len(data.labeled._sets) == 5  # not one in the other
    data = data.with_labels(answers_to(data.unlabeled.ids))
    assert data.unlabeled is None


def test_the_same_in_every_form():
    data = make_data()
    answers = answers_to(data.unlabeled.ids[:6])
    corrected = CorrectedLabels(
        answers.ids,
        answers.class_names,
        answers.counts.astype("float64"),
        answers.soft_labels.astype("float64"),
        1.0,
        answers.counts,
    )
    first, second = data.with_labels(answers), data.with_labels(corrected)
    np.testing.assert_allclose(first.labels, second.labels, atol=1e-6)
    assert first.labeled.ids == second.labeled.ids


def test_names_and_classes_match_as_elsewhere():
    data = make_data()
    asked = data.unlabeled.ids[:3]
    bare = answers_to([name.removesuffix(".png") for name in asked])
    assert data.with_labels(bare).labeled.ids[-3:] == asked
    fewer = Annotations.from_records([(asked[0], "p", "ling"), (asked[1], "p", "cod")])
    assert fewer.class_names == ("cod", "ling")
    after = data.with_labels(fewer)
    assert after.labels[-2:].tolist() == [[0, 0, 1], [1, 0, 0]]


def test_what_cannot_be_used_is_refused():
    data = make_data()
    name = data.unlabeled.ids[0]
    with pytest.raises(TypeError, match="Received: dict"):
        data.with_labels({name: 1})
    with pytest.raises(ValueError, match=r"'eel'.*none of the classes"):
        data.with_labels(Annotations.from_records([(name, "p", "eel")]))
    stranger = Annotations.from_records([(name, "p", "cod"), ("x.png", "p", "cod")])
    with pytest.raises(ValueError, match=r"'x\.png'"):
        data.with_labels(stranger)
    assert name in data.with_labels(stranger, missing="drop").labeled.ids


@pytest.mark.parametrize("views", [(), ("first", "second")])
def test_soft_labels_are_what_a_batch_holds(views):
    data = make_data()
    soft = np.random.default_rng(0).dirichlet(np.ones(K), len(data.labeled))
    data = SemiSupervisedData(
        data.labeled, soft, data.unlabeled, batch_size=4, augment="none"
    )
    assert data.labels.dtype == np.float32
    seen = 0
    for x, y in data.training_batches(views):
        images = np.asarray(x["labeled"] if views else x)[:, 0, 0, 0]
        rows = [data.labeled.ids.index(IDS[int(i)]) for i in images]
        np.testing.assert_allclose(np.asarray(y), soft[rows], atol=1e-6)
        assert np.asarray(y).dtype == np.float32
        seen += len(rows)
    assert seen


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.full((4, 2), 0.5), "a column for each of the 3 classes"),
        (np.full((4, 3), 0.5), "must be a distribution"),
        ([[np.nan, 0, 1]] * 4, "must be finite"),
        ([[1.0, 0, 0]] * 4, "All 4 labeled images are of class 'cod'"),
        ([[1.0, 0, 0]] * 5, "labels for 5, but there are 4"),
        ([0.0, 1.0, 2.0, 0.0], "shape"),
        ([["a", "b", "c"]] * 4, "dtype"),
    ],
)
def test_labels_are_checked(labels, message):
    part = ImageSet(images_of(4), IDS[:4], class_names=NAMES)
    with pytest.raises(ValueError, match=message):
        SemiSupervisedData(part, labels)


@pytest.mark.slow
def test_training_on_soft_labels_lowers_their_cross_entropy(make_backbone):
    keras.utils.set_random_seed(0)
    data = make_data()
    data = data.with_labels(answers_to(data.unlabeled.ids[:9]))
    model = keras_dc3.DC3Model(make_backbone(batch_norm=False), training_steps=30)
    history = model.fit(data, epochs=1, verbose=0, class_weight="balanced").history
    assert np.isfinite(history["loss"]).all()
    # The loss that is logged for a plain classifier is their cross-entropy.
    plain = keras_dc3.DC3Model(
        make_backbone(batch_norm=False),
        ssl="supervised",
        config=keras_dc3.DC3Config.vanilla(),
        training_steps=30,
        evaluate_with="raw",
    )
    plain.compile(optimizer=keras.optimizers.SGD(0.0))
    still = SemiSupervisedData(
        data.labeled, data.labels, batch_size=len(data.labels), augment="none"
    )
    logged = plain.fit(still, epochs=1, verbose=0).history["loss"][0]
    found = plain.predict(still.labeled, verbose=0)["classes"]
    expected = -(data.labels * np.log(found)).sum(axis=1).mean()
    np.testing.assert_allclose(logged, expected, rtol=1e-4)


class TestSavedSplit:
    def test_images_answered_since_join_the_labeled_ones(self, tmp_path):
        data = make_data(annotated=30)
        data.save_split(tmp_path / "split.json")
        more = ImageSet(images_of(), IDS, counts_of(50), NAMES)
        with pytest.warns(
            UserWarning, match=r"20 images .*join the labeled .*21 -> 41"
        ):
            after = SemiSupervisedData.from_image_set(
                more, split=tmp_path / "split.json"
            )
        assert after.validation.ids == data.validation.ids
        assert {*after.labeled.ids} == {*data.labeled.ids, *IDS[30:50]}
        after.save_split(tmp_path / "next.json")  # and so on
        last = ImageSet(images_of(), IDS, counts_of(60), NAMES)
        with pytest.warns(UserWarning, match="41 -> 51"):
            last = SemiSupervisedData.from_image_set(last, split=tmp_path / "next.json")
        assert last.unlabeled is None and last.validation.ids == data.validation.ids

    def test_images_unlabeled_on_purpose_stay(self, tmp_path, recwarn):
        whole = ImageSet(images_of(), IDS, counts_of(N), NAMES)
        data = SemiSupervisedData.from_image_set(whole, 20, 20, 10)
        data.save_split(tmp_path / "split.json")
        again = SemiSupervisedData.from_image_set(whole, split=tmp_path / "split.json")
        assert again.labeled.ids == data.labeled.ids
        assert again.unlabeled.ids == data.unlabeled.ids
        assert not [w for w in recwarn if "split" in str(w.message)]

    def test_with_labels_and_saved(self, tmp_path):
        data = make_data().with_labels(answers_to(IDS[40:45]))
        data.save_split(tmp_path / "split.json")
        counts = counts_of(30)
        counts[40:45] = 1
        same = ImageSet(images_of(), IDS, counts, NAMES)
        again = SemiSupervisedData.from_image_set(same, split=tmp_path / "split.json")
        assert {*again.labeled.ids} == {*data.labeled.ids}
        assert again.validation.ids == data.validation.ids

    def test_lists_tell_what_they_leave_out(self):
        whole = ImageSet(images_of(), IDS, counts_of(50), NAMES)
        lists = {"labeled": IDS[:20], "unlabeled": IDS[30:], "validation": IDS[20:25]}
        with pytest.warns(
            UserWarning, match=r"20 unlabeled images .*5 answered images"
        ):
            data = SemiSupervisedData.from_image_set(whole, split=lists)
        assert data.unlabeled.ids == tuple(IDS[30:])

    def test_validation_images_alone(self):
        whole = ImageSet(images_of(), IDS, counts_of(40), NAMES)
        data = SemiSupervisedData.from_image_set(whole, split={"validation": IDS[5:9]})
        assert data.validation.ids == tuple(IDS[5:9])
        assert data.labeled.ids == (*IDS[:5], *IDS[9:40])
        assert data.unlabeled.ids == tuple(IDS[40:])


def test_joined_images_must_be_alike():
    first = ImageSet(images_of(3), IDS[:3])
    with pytest.raises(ValueError, match="same dtype"):
        JoinedImages([first, ImageSet(images_of(3, "float32"), IDS[3:6])])
    with pytest.raises(ValueError, match="stands at positions"):
        JoinedImages([first, first])
