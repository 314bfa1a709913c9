"""A model with other classes: what it says before and after it is trained further."""

import warnings
from itertools import product

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import keras_dc3
from keras_dc3 import DC3Config, datasets
from keras_dc3.annotations.class_changes import ClassChange
from keras_dc3.layers import MergedClassHead
from keras_dc3.models.class_growth import RARE, Rows, class_rows
from keras_dc3.probes.disagreement_probe import DisagreementCoefficients
from tests.models.helpers import difference
from tests.slow import few

pytestmark = pytest.mark.usefixtures("without_graphs")

N, NAMES = 60, ("cat", "dog", "red deer", "roe deer")
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (N, 8, 8, 3)).astype("uint8")
COUNTS = RNG.multinomial(4, np.full(4, 0.25), size=N)
NEW, RENAMED = (
    ("fox", "deer", "kitten", "dog", "elk"),
    {"red deer": "deer", "roe deer": "deer", "cat": "kitten"},
)


def make_pixels():
    return datasets.from_arrays(
        IMAGES,
        COUNTS,
        class_names=NAMES,
        labeled=24,
        unlabeled=20,
        validation=16,
        batch_size=8,
    )


def convolutional():
    layers = keras.layers
    parts = [layers.Conv2D(6, 3), layers.BatchNormalization(), layers.ReLU()]
    return keras.Sequential([keras.Input((8, 8, 3)), *parts])


def trained_on(kind, ssl="pi_model", **options):
    """A model of a kind, and the data that it was trained on."""
    keras.utils.set_random_seed(3)
    data, joins = make_pixels(), kind == "joined"
    if kind != "pixels":
        data = data.embed(convolutional(), weak=1, strong=0, verbose=0)
    backbone = convolutional()
    if kind != "pixels":
        backbone = keras_dc3.backbones.feature_mlp(data.image_shape, 8)
    model = keras_dc3.DC3Model(backbone, ssl, training_steps=6, **options)
    model.compile(run_eagerly=keras.backend.backend() == "tensorflow")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(data, epochs=1, steps_per_epoch=1, verbose=0)
    kernel, bias = model.network.class_head.get_weights()
    kernel = kernel + RNG.normal(0, 1, kernel.shape)  # sure of some images
    model.network.class_head.set_weights([kernel, bias + RNG.normal(0, 1, bias.shape)])
    if joins:
        return model.with_image_backbone(), make_pixels()
    return model, data


def expected_classes(p, change):
    """What the new model has to say of images, by what the old one said, (n, m)."""
    kept = [c for c, new in enumerate(change.becomes) if new >= 0]
    q = np.zeros((len(p), len(change.after)))
    for c in kept:
        q[:, change.becomes[c]] += p[:, c]
    added = [i for i, name in enumerate(change.after) if name in change.added]
    if added:
        mean = np.exp(np.log(p[:, kept]).mean(axis=1, keepdims=True))
        q[:, added] = mean * len(kept) * 0.01 / len(added)
    return q / q.sum(axis=1, keepdims=True)


def expected_clusters(model, features, p, change):
    """Shares of prototypes, whose class parts are added up as probabilities are."""
    prototypes = np.float64(model.network.prototype_head.prototypes)
    d = features.shape[1]
    parts = np.zeros((len(prototypes), len(change.after)))
    for new, old in enumerate(change.sources):
        columns = prototypes[:, [d + c for c in old]]
        parts[:, new] = columns[:, 0] if len(old) == 1 else 0
        if len(old) > 1:
            parts[:, new] = np.sqrt((np.maximum(columns, 0) ** 2).sum(axis=1))
    prototypes = np.hstack([prototypes[:, :d], parts])
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    z = np.hstack([features / norms, 2 * np.sqrt(p)])
    logits = -10 * ((z[:, None] - prototypes) ** 2).sum(axis=2)
    q = np.exp(logits - logits.max(axis=1, keepdims=True))
    return q / q.sum(axis=1, keepdims=True)


def numpy(model, images):
    """What a model says, by its weights of now."""
    found = model.predict(images, verbose=0)
    return {name: np.float64(value) for name, value in found.items()}


@pytest.mark.parametrize(
    "kind, weights",
    few(
        [*product(("pixels", "features", "joined"), ("ema", "raw"))],
        ("pixels", "ema"),
    ),
)
def test_what_it_knows_is_carried(kind, weights, tmp_path):
    model, data = trained_on(kind, evaluate_with=weights)
    weights_before = [np.array(w) for w in model.get_weights()]
    before = numpy(model, data.validation)
    grown = model.with_classes(NEW, RENAMED)
    after = numpy(grown, data.validation)
    change = ClassChange.of(NAMES, NEW, RENAMED)
    expected = expected_classes(before["classes"], change)
    np.testing.assert_allclose(after["classes"], expected, atol=2e-5)
    features = np.float64(model.embed(data.validation, verbose=0))
    found = grown.embed(data.validation, verbose=0)
    np.testing.assert_allclose(found, features, atol=1e-5)
    clusters = expected_clusters(model, features, expected, change)
    np.testing.assert_allclose(after["clusters"], clusters, atol=1e-3)
    images = data.validation.read(np.arange(16))
    logits = [
        keras.ops.convert_to_numpy(m.network_outputs(images)["cluster_logits"])
        for m in (model, grown)
    ]
    np.testing.assert_allclose(*logits, atol=1e-4)
    assert grown.class_names == NEW and grown.num_clusters == 20
    assert grown.steps_taken == 0 and grown.verdict is None
    assert grown.evaluate_with == model.evaluate_with
    assert grown.image_values == model.image_values
    assert grown.feature_source == model.feature_source
    for old, new in zip(weights_before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    grown.save(tmp_path / "grown.keras")
    loaded = keras.saving.load_model(tmp_path / "grown.keras")
    assert difference(loaded, grown) == 0
    again = numpy(loaded, data.validation)
    for name, value in after.items():
        np.testing.assert_allclose(again[name], value, atol=1e-6)
    copy = numpy(grown.with_averaged_weights(), data.validation)
    np.testing.assert_allclose(copy["classes"], after["classes"], atol=1e-6)
    if model.image_backbone is not None:
        joined = grown.with_image_backbone()
        images = make_pixels().validation
        found = numpy(joined, images)["classes"]
        np.testing.assert_allclose(found, after["classes"], atol=5e-2)


@pytest.fixture(scope="module")
def model():
    found, _ = trained_on("pixels")
    k, d = len(NAMES), found.network.num_features
    draw = np.random.default_rng(1).normal
    found.network.disagreement_head.learn(
        DisagreementCoefficients(
            draw(size=d),
            np.full(d, 0.2),
            draw(size=(d, k)),
            draw(size=k),
            draw(size=3 + k),
            draw(size=d),
        )
    )
    return found


def test_names_and_order_change_nothing_else(model):
    before = numpy(model, IMAGES)
    names, renamed = ("roe deer", "a", "dog", "b"), {"cat": "b", "red deer": "a"}
    after = numpy(model.with_classes(names, renamed), IMAGES)
    order = [3, 2, 1, 0]
    np.testing.assert_allclose(after["classes"], before["classes"][:, order], atol=1e-6)
    for name in ("clusters", "ambiguity"):
        np.testing.assert_allclose(after[name], before[name], atol=1e-6)
    same = model.with_classes(NAMES)
    assert same.verdict is model.verdict
    for name, value in numpy(same, IMAGES).items():
        np.testing.assert_allclose(value, before[name], atol=1e-6)


def test_disagreement_stays_unless_it_is_about_something_else(model):
    before = keras.ops.convert_to_numpy(model.network_outputs(IMAGES)["disagreement"])
    assert before.std() > 0.01
    grown = model.with_classes(["elk", *NAMES[::-1], "fox"])
    after = keras.ops.convert_to_numpy(grown.network_outputs(IMAGES)["disagreement"])
    np.testing.assert_allclose(after, before, atol=1e-5)
    merged = model.with_classes(("cat", "deer"), {**RENAMED, "cat": "cat", "dog": None})
    assert not merged.network.disagreement_head.is_learned
    assert np.isfinite(numpy(merged, IMAGES)["ambiguity"]).all()


def test_changes_follow_each_other(model):
    before = numpy(model, IMAGES)["classes"]
    first = model.with_classes(("deer", "cat", "dog"), dict.fromkeys(NAMES[2:], "deer"))
    second = first.with_classes(("dog", "deer", "cat"))
    third = second.with_classes(
        ("other", "elk", "deer"), dict(cat="other", dog="other")
    )
    assert third.network.class_head.class_of_row[:3] == (0, 0, 1)
    p = numpy(third, IMAGES)["classes"]
    change = ClassChange.of(
        NAMES,
        ("other", "elk", "deer"),
        {"cat": "other", "dog": "other", **dict.fromkeys(NAMES[2:], "deer")},
    )
    np.testing.assert_allclose(p, expected_classes(before, change), atol=2e-5)
    left = third.with_classes(("other", "deer"), {"elk": None})
    expected = np.stack([before[:, :2].sum(axis=1), before[:, 2:].sum(axis=1)], axis=1)
    np.testing.assert_allclose(numpy(left, IMAGES)["classes"], expected, atol=2e-5)
    apart = left.with_classes(("other", "deer", "fox"))
    assert apart.network.class_head.class_of_row == (0, 0, 1, 1, 2)


@given(st.integers(1, 6), st.integers(1, 4), st.floats(0.1, 30), st.integers(0, 99))
def test_new_classes_are_rare_for_every_image(k, added, scale, seed):
    rng = np.random.default_rng(seed)
    kernel, bias = rng.normal(0, scale, (5, k)), rng.normal(0, scale, k)
    old = (*range(k), *[-1] * added)
    kernel, bias = class_rows(kernel, bias, Rows(tuple(range(k + added)), old))
    logits = rng.normal(size=(50, 5)) @ kernel + bias
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    odds = p[:, k:].sum(axis=1) / p[:, :k].sum(axis=1)
    assert odds.max() <= RARE * (1 + 1e-6)
    even = class_rows(np.zeros((5, k)), np.zeros(k), Rows((0,), old))
    p = np.exp(even[1])
    assert p[k:].sum() / p[:k].sum() == pytest.approx(RARE)


@pytest.mark.slow
def test_a_new_class_is_learned():
    rng = np.random.default_rng(0)
    means = np.eye(4)[np.arange(160) % 4] * 4
    features = (means + rng.normal(size=(160, 4))).astype("float32")
    known = np.arange(160) % 4 < 3
    data = datasets.from_embeddings(
        features[known], np.eye(3)[(np.arange(160) % 4)[known]], batch_size=16
    )
    keras.utils.set_random_seed(0)
    model = keras_dc3.DC3Model(
        keras_dc3.backbones.feature_mlp((4,), 16), "supervised", training_steps=50
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(data, epochs=5, verbose=0)
        grown = model.with_classes(("0", "1", "2", "3"))
        every = datasets.from_embeddings(
            features, np.eye(4)[np.arange(160) % 4], batch_size=16
        )
        first = numpy(grown, features)["classes"]
        grown.fit(every, epochs=5, verbose=0)
    last = numpy(grown, features)["classes"]
    assert (first[:, 3] < 0.01).all()
    assert (last.argmax(axis=1) == np.arange(160) % 4).mean() > 0.9


@pytest.mark.parametrize(
    "config",
    few(
        [
            DC3Config(cluster_head="prototypes"),
            DC3Config(ambiguity_inputs="features+uncertainty"),
            DC3Config(ambiguity_inputs="features"),
            DC3Config.vanilla(),
        ],
        DC3Config(cluster_head="prototypes"),
        DC3Config(ambiguity_inputs="features+uncertainty"),
    ),
    ids=lambda config: f"{config.cluster_head}-{config.ambiguity_inputs}",
)
def test_every_head_knows_what_it_knew(config):
    model, data = trained_on("features", config=config)
    head = model.network.prototype_head
    if head is not None:
        head.prototypes.assign(head.prototypes + 0.3)
    before = numpy(model, data.validation)
    grown = model.with_classes((*NAMES[::-1], "fox", "elk"))
    after = numpy(grown, data.validation)
    p = before["classes"][:, ::-1]
    scale = 1 - after["classes"][:, 4:].sum(axis=1, keepdims=True)
    np.testing.assert_allclose(after["classes"][:, :4] / scale, p, atol=1e-5)
    # New classes have at most 1%, which is all that can differ.
    for name in ("clusters", "ambiguity"):
        np.testing.assert_allclose(after[name], before[name], atol=0.1)
    if head is None and config.ambiguity_inputs == "features+uncertainty":
        old = np.array(model.network.ambiguity_head.uncertainty_weights)
        new = np.array(grown.network.ambiguity_head.uncertainty_weights)
        np.testing.assert_allclose(new, old * [np.log(6) / np.log(4), 1], rtol=1e-6)
    if head is not None:
        merged = model.with_classes(
            ("cat", "dog", "deer"), dict.fromkeys(NAMES[2:], "deer")
        )
        old, new = (np.array(m.network.prototype_head.memory) for m in (model, merged))
        d = old.shape[1] - 4
        p = np.clip(old[:, d:], 0, None) ** 2
        expected = np.sqrt([p[:, 0], p[:, 1], p[:, 2] + p[:, 3]]).T
        np.testing.assert_allclose(new[:, d:], expected, atol=1e-6)
        np.testing.assert_array_equal(new[:, :d], old[:, :d])


@pytest.mark.parametrize("head", few(["linear", "prototypes"], "linear"))
def test_clusters_are_added_where_there_must_be_more(head):
    config = DC3Config(cluster_head=head)
    model, data = trained_on("features", config=config, num_clusters=5)
    kept = model.with_classes(NAMES)
    assert kept.num_clusters == 5
    grown = model.with_classes((*NAMES, "fox"))
    assert grown.num_clusters == 25
    old, new = (m.network.cluster_head.get_weights() for m in (kept, grown))
    np.testing.assert_array_equal(new[0][:, :5], old[0])
    assert len(np.unique(new[0][:, 5:], axis=1).T) == 20
    p = numpy(grown, data.validation)["clusters"]
    assert np.isfinite(p).all()


def test_what_makes_no_sense_is_refused(model):
    with pytest.raises(ValueError, match="not trained or loaded yet"):
        keras_dc3.DC3Model(keras.layers.Flatten()).with_classes(["a", "b"])
    with pytest.raises(ValueError, match=r"'red deer', 'roe deer' would vanish"):
        model.with_classes(["cat", "dog"])
    with pytest.raises(ValueError, match=r"becomes of 'wolf', but the classes so far"):
        model.with_classes(NAMES, {"wolf": "dog"})
    with pytest.raises(ValueError, match="'cat'"):
        model.with_classes(["cat", "cat", *NAMES[1:]])
    with pytest.raises(ValueError, match="No class of the model stays"):
        model.with_classes(["a", "b"], dict.fromkeys(NAMES))
    with pytest.raises(ValueError, match="2"):
        model.with_classes(["animal"], dict.fromkeys(NAMES, "animal"))
    with pytest.raises(ValueError, match=r"`model\.with_classes` carries a model"):
        model.fit(make_pixels().with_classes(NEW, RENAMED), verbose=0)


def test_classes_without_names_are_called_by_their_number():
    model = keras_dc3.DC3Model(keras.layers.Flatten(), num_classes=2)
    model.build((None, 4, 4, 1))
    grown = model.with_classes(["no", "yes", "odd"], {"0": "no", "1": "yes"})
    assert grown.class_names == ("no", "yes", "odd")


@pytest.mark.tensorflow
@pytest.mark.slow
def test_a_merged_model_is_exported(model, tmp_path):
    import tensorflow as tf

    grown = model.with_classes(NEW, RENAMED)
    grown.export(tmp_path / "model", verbose=0)
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    found = loaded.serve(images=tf.constant(IMAGES))["class_probabilities"].numpy()
    np.testing.assert_allclose(found, numpy(grown, IMAGES)["classes"], atol=1e-5)
    names = loaded.signatures["class_names"]()["class_names"].numpy()
    assert [name.decode() for name in names] == list(NEW)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=7), st.integers(0, 99))
def test_the_merged_head_gives_sums(rows, seed):
    rows = [sorted(set(rows)).index(row) for row in rows]
    head = MergedClassHead(rows)
    features = np.random.default_rng(seed).normal(0, 9, (4, 3)).astype("float32")
    logits = np.float64(head(features))
    kernel, bias = map(np.float64, head.get_weights())
    of_rows = features @ kernel + bias
    p = np.exp(of_rows - of_rows.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    expected = np.stack(
        [p[:, np.equal(rows, c)].sum(axis=1) for c in range(max(rows) + 1)], axis=1
    )
    q = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(q / q.sum(axis=1, keepdims=True), expected, atol=1e-5)


def test_the_merged_head_is_made_again_from_its_config():
    head = MergedClassHead([1, 0, 1], name="head", kernel_initializer="zeros")
    again = MergedClassHead.from_config(head.get_config())
    assert again.get_config() == head.get_config() and again.class_of_row == (1, 0, 1)
    assert head.compute_output_shape((None, 4)) == (None, 2)
    with pytest.raises(ValueError, match=r"each class of 0\.\.k - 1.*\[0, 2\]"):
        MergedClassHead([0, 2])
