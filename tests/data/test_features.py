"""Sets of features, and how batches show them."""

import warnings

import numpy as np
import pytest

import keras_dc3
from keras_dc3.data import FeatureNoise, FeatureSet, ImageSet, StoredViews
from keras_dc3.data.feature_set import joined
from keras_dc3.data.feature_views import STAND_INS, shown
from keras_dc3.data.moments import moments_of

N, D = 20, 6
IDS = [f"{i}.png" for i in range(N)]
COUNTS = np.eye(2, dtype="int64")[np.arange(N) % 2] * 3
RNG = np.random.default_rng(0)
FEATURES = (RNG.normal(size=(N, D)) * 3 + 10).astype("float32")
WEAK = (FEATURES + RNG.normal(size=(3, N, D)) * 0.1).astype("float16")
VIEWS = {"first": "student", "strong": "student"}


def make(**options):
    return FeatureSet(FEATURES, IDS, COUNTS, ["cod", "eel"], **options)


def data_of(part, **options):
    options = {"labels": "sampled", "batch_size": 4, **options}
    options = {"labeled": 8, "unlabeled": 8, "validation": 4} | options
    return keras_dc3.data.SemiSupervisedData.from_image_set(part, **options)


def batches(data, views=VIEWS, epoch=0, **options):
    data.set_epoch(epoch)
    made = data.training_batches(views, **options)
    indexed = hasattr(made, "__getitem__")
    found = [made[i] for i in range(len(made))] if indexed else list(made)
    return [
        (
            np.asarray(x["labeled"]),
            {name: np.asarray(view) for name, view in x["unlabeled"].items()},
            np.asarray(y),
        )
        for x, y in found
    ]


# -- sets


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_a_set_reads_float32_and_keeps_what_is_small(dtype):
    part = FeatureSet(FEATURES.astype(dtype), IDS)
    assert part.features.dtype == ("float16" if dtype == "float16" else "float32")
    assert part.dtype == "float32" and part.image_shape == (D,)
    expected = FEATURES.astype(dtype).astype("float32")
    np.testing.assert_array_equal(part.read([3, 3, 1]), expected[[3, 3, 1]])
    some = part.subset([5, 2]).subset([1])
    assert some.ids == ("2.png",)
    np.testing.assert_array_equal(some.read([0]), expected[[2]])
    np.testing.assert_array_equal(some.features[0], expected[2].astype(dtype))


def test_a_memory_map_stays_one(tmp_path):
    np.save(tmp_path / "f.npy", FEATURES)
    np.save(tmp_path / "w.npy", WEAK)
    mapped = np.load(tmp_path / "f.npy", mmap_mode="r")
    part = FeatureSet(mapped, IDS, weak=np.load(tmp_path / "w.npy", mmap_mode="r"))
    assert np.shares_memory(part.features, mapped)
    assert isinstance(part.views["weak"], np.memmap)


@pytest.mark.parametrize(
    ("features", "error", "match"),
    [
        (np.zeros((N, D), "int64"), TypeError, r"whole numbers \(int64\)"),
        (np.zeros((N, D), "uint8"), TypeError, "from_arrays"),
        (np.zeros(N, "float32"), ValueError, r"shape \(20,\); .*features\[None\]"),
        (np.zeros((N, 4, D), "float32"), ValueError, r"mean\(axis=1\)"),
        (np.zeros((N, 2, 2, D), "float32"), ValueError, "from_arrays"),
        (np.zeros((N, 0), "float32"), ValueError, r"\(images, features\)"),
        (np.where(FEATURES[7, 2] == FEATURES, np.nan, FEATURES), ValueError, "n 7"),
        (FEATURES.astype("float64") * 1e38, ValueError, "too large for float32"),
        (np.full((N, D), np.inf, "float16"), ValueError, "float16 ends at 65,504"),
        ([[1.0], [1.0, 2.0]], ValueError, None),
        (np.array([["a"]] * N), TypeError, "floating point, float16 or float32"),
        (FEATURES[:-1], ValueError, "20 ids for features of 19 images"),
    ],
)
def test_what_is_no_set_of_features(features, error, match):
    with pytest.raises(error, match=match):
        FeatureSet(features, IDS)


def test_ids_differ():
    with pytest.raises(ValueError, match="'a' stands at positions 0 and 2"):
        FeatureSet(FEATURES[:3], ["a", "b", "a"])


@pytest.mark.parametrize(
    ("weak", "match"),
    [
        (WEAK[:, :-1], r"\(views, 20, 6\).*Received: shape \(3, 19, 6\)"),
        (WEAK[:, :, :-1], r"shape \(3, 20, 5\)"),
        (np.moveaxis(WEAK, 0, 1), r"np.moveaxis\(weak, 1, 0\)"),
        (WEAK[:0], "some views of each image"),
        (np.where(WEAK[1, 4, 2] == WEAK, np.nan, WEAK), "position 4"),
    ],
)
def test_views_that_are_not_of_these_images(weak, match):
    with pytest.raises(ValueError, match=match):
        make(weak=weak)


def test_one_view_without_an_axis_of_its_own():
    assert make(weak=WEAK[0]).views["weak"].shape == (1, N, D)


# -- views


def test_stored_views_are_drawn_of_the_image_itself():
    part = make(weak=WEAK).subset(np.arange(N)[::-1])
    at = np.array([0, 5, 5, 19] * 50)
    found = part.read_views("weak", at, np.random.default_rng(0))
    own = WEAK[:, ::-1][:, at].astype("float32")
    is_view = (found == own).all(axis=2)
    assert (is_view.sum(axis=0) == 1).all()
    assert (is_view.sum(axis=1) > 30).all()  # each view its turn


def test_of_one_stored_view_the_features_are_the_second():
    part = make(weak=WEAK[:1])
    found = part.read_views("weak", np.arange(N), np.random.default_rng(0))
    is_view = (found == WEAK[0].astype("float32")).all(axis=1)
    is_plain = (found == FEATURES).all(axis=1)
    assert (is_view ^ is_plain).all() and is_view.any() and is_plain.any()


@pytest.mark.parametrize(("name", "share"), [("weak", 0.5), ("strong", 0.0)])
def test_one_weak_view_in_two_is_the_image_as_it_is(name, share):
    part = make(**{name: WEAK})
    at = np.arange(N).repeat(100)
    found = StoredViews(name).show(part, at, None, 3)
    is_plain = (found == FEATURES[at]).all(axis=1)
    is_view = (found == WEAK[:, at].astype("float32")).all(axis=2).any(axis=0)
    assert (is_plain ^ is_view).all() and found.dtype == np.float32
    assert is_plain.mean() == pytest.approx(share, abs=0.05)


def test_joined_sets_read_each_its_own():
    first, second = make(weak=WEAK).subset([0, 1, 2]), make(weak=WEAK).subset([9, 8])
    both = joined([first, second]).subset([4, 0, 3])
    np.testing.assert_array_equal(both.read([0, 1, 2]), FEATURES[[8, 0, 9]])
    found = both.read_views("weak", [0, 0, 1], np.random.default_rng(0))
    assert all(
        (found[i] == WEAK[:, k]).all(axis=1).any() for i, k in enumerate([8, 8, 0])
    )
    assert both.holds_features and both.views == ("weak",)


def test_moments_are_those_of_all_rows():
    wide = np.concatenate([FEATURES * 1e3, np.full((N, 1), 7.0)], axis=1)
    found = moments_of(iter([wide[:3], wide[:0], wide[3:4], wide[4:]]))
    assert found.number == N
    np.testing.assert_allclose(found.mean, wide.mean(axis=0), rtol=1e-6)
    expected = [*(FEATURES.astype("float64") * 1e3).std(axis=0), 1.0]
    np.testing.assert_allclose(found.deviation, expected, rtol=1e-5)


MOMENTS = moments_of([FEATURES])
AT = np.arange(4000) % N


def test_noise_has_the_deviation_of_each_feature():
    part = make()
    view = shown(FeatureNoise(noise=0.5), part, AT, MOMENTS, [1, 2])
    assert view.dtype == "float32"
    change = (view - FEATURES[AT]) / MOMENTS.deviation
    np.testing.assert_allclose(change.std(axis=0), 0.5, rtol=0.05)
    np.testing.assert_allclose(change.mean(axis=0), 0.0, atol=0.05)
    again = shown(FeatureNoise(noise=0.5), part, AT, MOMENTS, [1, 2])
    other = shown(FeatureNoise(noise=0.5), part, AT, MOMENTS, [1, 3])
    assert (view == again).all() and (view != other).any()


def test_dropout_hides_features_behind_their_mean():
    view = shown(FeatureNoise(dropout=0.25), make(), AT, MOMENTS, [0])
    hidden = view == MOMENTS.mean
    np.testing.assert_allclose(hidden.mean(axis=0), 0.25, atol=0.03)
    np.testing.assert_array_equal(view[~hidden], FEATURES[AT][~hidden])


def test_interpolation_goes_towards_another_image():
    at = np.arange(N)
    view = shown(FeatureNoise(interpolation=0.4), make(), at, MOMENTS, [0])
    steps = view - FEATURES
    for i in range(N):
        ways = FEATURES - FEATURES[i]
        share = (steps[i] * ways).sum(1) / np.maximum((ways**2).sum(1), 1e-9)
        off = np.abs(steps[i] - share[:, None] * ways).max(axis=1)
        best = np.argmin(off)
        assert off[best] < 1e-4 and -1e-4 <= share[best] <= 0.4


@pytest.mark.parametrize("name", ["noise", "dropout", "interpolation"])
def test_what_is_no_noise(name):
    with pytest.raises(ValueError, match=f"`{name}`"):
        FeatureNoise(**{name: -0.1})


# -- batches


def test_batches_hold_stored_views_and_are_a_function_of_seed_and_epoch():
    strong = np.stack([FEATURES + 100, FEATURES + 101])
    data = data_of(make(weak=WEAK, strong=strong), seed=3)
    assert data.policies(VIEWS) == {
        "labeled": StoredViews("weak"),
        "first": StoredViews("weak"),
        "strong": StoredViews("strong"),
    }
    found = batches(data)
    assert len(found) == 2
    seen = []
    for labeled, views, y in found:
        assert labeled.shape == (4, D) and y.shape == (4,)
        assert labeled.dtype == views["first"].dtype == np.float32
        near = np.abs(labeled[:, None] - FEATURES).max(axis=2)
        assert (near.min(axis=1) < 1).all()
        np.testing.assert_array_equal(near.argmin(axis=1) % 2, y)
        weak_of = np.abs(views["first"][:, None] - FEATURES).max(axis=2).argmin(axis=1)
        strong_of = np.abs(views["strong"][:, None] - 100.5 - FEATURES).max(axis=2)
        np.testing.assert_array_equal(strong_of.argmin(axis=1), weak_of)
        seen += weak_of.tolist()
    ids = {IDS[i] for i in seen}
    assert len(seen) == 8 and ids == set(data.unlabeled.ids)
    again, other = batches(data), batches(data, epoch=1)
    for (a, b, c), (d, e, f) in zip(found, again, strict=True):
        assert (a == d).all() and (c == f).all()
        assert all((b[name] == e[name]).all() for name in b)
    assert any((a[0] != b[0]).any() for a, b in zip(found, other, strict=True))


def test_without_stored_views_hidden_features_stand_in():
    data = data_of(make())
    assert data.policies(VIEWS) == {
        "labeled": STAND_INS["weak"],
        "first": STAND_INS["weak"],
        "strong": STAND_INS["strong"],
    }
    ((labeled, views, _), *_rest) = batches(data)
    assert np.isfinite(labeled).all() and (views["first"] != views["strong"]).any()


@pytest.mark.parametrize("augment", ["none", {"labeled": "none", "weak": None}])
def test_augmentation_can_be_chosen(augment):
    data = data_of(make(weak=WEAK), augment=augment)
    ((labeled, views, _), *_rest) = batches(data, views=["first"])
    for rows in (labeled, views["first"]):
        assert (rows[:, None] == FEATURES).all(axis=2).any(axis=1).all()


@pytest.mark.parametrize(
    ("augment", "error", "match"),
    [
        ("weka", ValueError, "Did you mean 'weak'"),
        (keras_dc3.data.Weak(), TypeError, "features are no pixels"),
        ({"strong": StoredViews("strong")}, ValueError, "stored are .*'weak'"),
        ({"strange": "weak"}, ValueError, "names 'strange', which is no view"),
    ],
)
def test_augmentation_that_features_do_not_have(augment, error, match):
    with pytest.raises(error, match=match):
        data_of(make(weak=WEAK), augment=augment).policies(VIEWS)


def test_features_and_images_do_not_mix():
    images = ImageSet(
        np.zeros((2, 8, 8, 3), "uint8"), ["x", "y"], class_names=["a", "b"]
    )
    features = FeatureSet(FEATURES[:2], ["a", "b"], class_names=["a", "b"])
    with pytest.raises(ValueError, match="same image_shape"):
        keras_dc3.data.SemiSupervisedData(features, [0, 1], images)


def test_plain_batches_and_validation():
    data = data_of(make(weak=WEAK))
    x, y = next(iter(data.training_batches([])))
    assert np.asarray(x).shape == (4, D) and np.asarray(y).shape == (4,)
    x, y = next(iter(data.validation_batches()))
    rows = [IDS.index(name) for name in data.validation.ids]
    np.testing.assert_array_equal(np.asarray(x), FEATURES[rows])
    assert np.asarray(y).shape[0] == 4


def test_more_answers_move_features_to_the_labeled_part(capsys):
    data = data_of(make(weak=WEAK))
    moved = data.unlabeled.ids[:2]
    rows = [(name, "ann", "eel") for name in moved]
    answers = keras_dc3.Annotations.from_records(rows, class_names=["cod", "eel"])
    more = data.with_labels(answers)
    assert "2 answered images moved" in capsys.readouterr().out
    assert len(more.labeled) == 10 and len(more.unlabeled) == 6
    assert more.policies(VIEWS)["first"] == StoredViews("weak")
    np.testing.assert_array_equal(
        more.labeled.read([8]), FEATURES[[IDS.index(moved[0])]]
    )
    assert batches(more)[0][0].shape == (4, D)


# -- pictures


PICTURES = np.random.default_rng(5).integers(0, 256, (N, 9, 9, 3), "uint8")


@pytest.mark.parametrize("kind", ["array", "dict", "set", "folder"])
def test_pictures_for_people(kind, tmp_path):
    pytest.importorskip("matplotlib")
    images = PICTURES
    if kind == "dict":
        images = dict(zip(IDS, PICTURES, strict=True))
    elif kind == "set":
        images = ImageSet(PICTURES, IDS)
    elif kind == "folder":
        pillow = pytest.importorskip("PIL.Image")
        for name, pixels in zip(IDS, PICTURES, strict=True):
            pillow.fromarray(pixels).save(tmp_path / name)
        images = tmp_path
    data = data_of(make(images=images))
    assert keras_dc3.plots.plot_examples(data) is not None
    from keras_dc3.plots.pixels import drawable

    name = data.unlabeled.ids[3]
    found = drawable(data.unlabeled, [name])[name]
    np.testing.assert_allclose(found, PICTURES[IDS.index(name)] / 255.0)


def test_without_pictures_it_is_said():
    pytest.importorskip("matplotlib")
    data = data_of(make())
    with pytest.raises(
        ValueError, match=r"no pictures .* features alone.*images=folder"
    ):
        keras_dc3.plots.plot_examples(data)
    with pytest.raises(ValueError, match="no pictures of their views"):
        keras_dc3.plots.plot_views(data)
    with pytest.raises(TypeError, match="`images` must be a folder, a dict"):
        make(images=7)
    with pytest.raises(ValueError, match="20 ids for 3"):
        make(images=PICTURES[:3])


def test_a_description_says_features(capsys):
    keras_dc3.datasets.describe(data_of(make()))
    assert "20 images, 6 features of each, 2 classes" in capsys.readouterr().out


def test_rows_that_were_never_computed_are_told():
    features = FEATURES.copy()
    features[4], features[7:10] = 0, 1.5
    with pytest.warns(
        UserWarning, match=r"of 4 of 20 images .* \(0\), first .*'4.png'"
    ):
        FeatureSet(features, IDS, COUNTS, ["cod", "eel"])
    features = FEATURES.copy()
    features[4] = 0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FeatureSet(features, IDS, COUNTS, ["cod", "eel"])  # it may be black
        FeatureSet(FEATURES[:, :1], IDS, COUNTS, ["cod", "eel"])
