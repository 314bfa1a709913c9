"""Bad input gets one clear error before training starts."""

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3.models.data_adapters.adapting import adapt
from tests.models.helpers import Batches, arrays, make_model

pytestmark = pytest.mark.usefixtures("without_graphs")


def model(make_backbone, **kwargs):
    return make_model(make_backbone, **{"num_classes": 3, **kwargs})


def fails(model, x, y, match, error=ValueError, **kwargs):
    with pytest.raises(error, match=match):
        sizes = {} if hasattr(x, "training_batches") else {"batch_size": 8}
        model.fit(x, y, verbose=0, **sizes, **kwargs)
    assert int(keras.ops.convert_to_numpy(model.step.value)) == 0


def test_labels_outside_the_classes(make_backbone):
    x, y = arrays("pi_model")
    y[5] = 3
    fails(model(make_backbone), x, y, r"must lie in 0\.\.2.* first is 3 at position 5")
    y[5] = -1
    fails(model(make_backbone), x, y, "first is -1 at position 5")


def test_soft_labels_that_are_no_distributions(make_backbone):
    x, y = arrays("pi_model")
    soft = np.eye(3, dtype="float32")[y]
    soft[2] *= 2
    fails(model(make_backbone), x, soft, "row 2 is .*sum 2")
    soft[2] = np.nan
    fails(
        model(make_backbone), x, soft, "1 row holds NaN or infinity: the first is row 2"
    )
    fails(model(make_backbone), x, np.eye(4, dtype="float32")[y], "must have 3 columns")


def test_labels_that_are_no_numbers(make_backbone):
    x, y = arrays("pi_model")
    fails(model(make_backbone), x, np.array(["cat"] * 24), "map names to numbers")
    fails(model(make_backbone), x, y + 0.5, "must be whole class numbers")


def test_integer_labels_alone_do_not_tell_the_classes(make_backbone):
    x, y = arrays("pi_model")
    with pytest.raises(ValueError, match="number of classes is not known yet"):
        model(make_backbone, num_classes=None).fit(x, y, verbose=0)
    with pytest.raises(ValueError, match="number of classes is not known yet"):
        model(make_backbone, num_classes=None)(x["labeled"])


def test_no_labeled_image_or_one_class(make_backbone):
    x, y = arrays("pi_model")
    empty = keras.tree.map_structure(lambda v: v[:0], x)
    fails(model(make_backbone), empty, y[:0], "no labeled image")
    fails(model(make_backbone), x, y * 0, "All 24 labeled images are of class 0")


def test_arrays_of_different_lengths_or_none(make_backbone):
    x, y = arrays("pi_model")
    fails(model(make_backbone), x, y[:5], r"must all have one length.*'labels': 5")
    fails(model(make_backbone), None, y, "Training data is missing")
    fails(model(make_backbone), x, y, "`validation_split` would", validation_split=0.2)


def test_lists_and_objects(make_backbone):
    x, y = arrays("pi_model")
    lists = {**x, "labeled": x["labeled"].tolist()}
    fails(model(make_backbone), lists, y, "must be an array or tensor. Received: list")
    objects = {**x, "labeled": x["labeled"].astype(object)}
    fails(model(make_backbone), objects, y, "Received dtype object")
    model(make_backbone).fit(x, list(y), batch_size=8, verbose=0)
    model(make_backbone).fit(x, y[:, None], batch_size=8, verbose=0)


def test_validation_data_is_checked_before_training(make_backbone):
    x, y = arrays("pi_model")
    images, m = x["labeled"], model(make_backbone)
    fails(m, x, y, r"must lie in 0\.\.2", validation_data=(images, y + 1))
    fails(m, x, y, "not batches to train on", validation_data=(x, y))
    fails(m, x, y, "resize them", validation_data=(images[:, :4], y))


def test_data_sets_that_do_not_fit(make_backbone):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (40, 8, 8, 3)).astype("uint8")
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=40)
    data = keras_dc3.datasets.from_arrays(images, counts, labeled=20, validation=10)
    fails(model(make_backbone), data, None, "has none; add some, or use `ssl=")
    fails(model(make_backbone), data, [1], "brings its own labels")
    data = keras_dc3.datasets.from_arrays(images, counts)
    other = model(make_backbone, class_names=["a", "b", "c"])
    fails(other, data, None, "they must be the same, in one order")
    with pytest.raises(ValueError, match="is a part of a data set: pass the whole"):
        other.fit(data.labeled)


@pytest.mark.filterwarnings("ignore:The loss is NaN")
def test_a_diverged_model_has_no_scores(make_backbone):
    x, y = arrays("pi_model")
    m = model(make_backbone, evaluate_with="raw")
    bias = m.network.class_head.bias
    bias.assign(bias * np.nan)
    logs = m.evaluate(x["labeled"], y, verbose=0, return_dict=True)
    assert np.isnan(logs["f1"]) and np.isnan(logs["loss"])


def test_labels_are_missing(make_backbone):
    x, _ = arrays("pi_model")
    fails(model(make_backbone), x, None, "Labels are missing")


def test_images_of_another_shape_or_rank(make_backbone):
    x, y = arrays("pi_model")
    m = model(make_backbone)
    fails(m, {**x, "labeled": x["labeled"][..., 0]}, y, r"must have shape \(n, height")
    fails(m, {**x, "labeled": x["labeled"][:, :4]}, y, r"resize them")
    with pytest.raises(ValueError, match="resize them"):
        m.evaluate(x["labeled"][:, :4], y, verbose=0)
    fixed = keras.Sequential([keras.Input((9, 9, 3)), keras.layers.Flatten()])
    m = keras_dc3.DC3Model(fixed, num_classes=3)
    with pytest.raises(ValueError, match=r"cannot take images of shape \(8, 8, 3\)"):
        m.fit(x, y, verbose=0)


def test_backbone_without_feature_vectors():
    x, y = arrays("pi_model")
    backbone = keras.layers.Reshape((8, -1))
    with pytest.raises(ValueError, match=r"features of shape \(n, d\)"):
        keras_dc3.DC3Model(backbone, num_classes=3).fit(x, y, verbose=0)


def test_images_that_are_not_finite_or_no_bytes(make_backbone):
    x, y = arrays("pi_model", dtype="float32")
    x["unlabeled"]["second"][4, 0, 0, 0] = np.nan
    fails(model(make_backbone), x, y, "'second' images hold NaN.*first at position 4")
    x, y = arrays("pi_model")
    wide = {**x, "labeled": x["labeled"].astype("int32") * 100}
    fails(model(make_backbone), wide, y, "must hold 0 to 255")


def test_batches_that_lack_a_part(make_backbone):
    x, y = arrays("pi_model")
    m = model(make_backbone)
    fails(m, {"labeled": x["labeled"]}, y, r"lacks \['unlabeled'\]")
    one = {**x, "unlabeled": {"first": x["labeled"]}}
    fails(m, one, y, r"lacks the unlabeled views \['second'\]")
    fails(m, {**x, "unlabeled": x["labeled"]}, y, "must be a dict of views")
    fails(m, x["labeled"], y, r"`PiModel` needs unlabeled images")
    with pytest.raises(ValueError, match=r"lacks the unlabeled views"):
        m.fit(Batches(one, y), verbose=0)


@pytest.mark.slow
@pytest.mark.graph
@pytest.mark.tensorflow
def test_values_inside_a_tf_dataset(make_backbone):
    import tensorflow as tf

    x, y = arrays("pi_model", dtype="float32")

    def fit(x, y, match):
        dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
        with pytest.raises(tf.errors.InvalidArgumentError, match=match):
            model(make_backbone).fit(dataset, verbose=0)

    bad = y.copy()
    bad[3] = 7
    fit(x, bad, "Labels must lie in 0..2 for 3 classes")
    fit(x, np.eye(3, dtype="float32")[y] * 0.5, "must be distributions")
    x["labeled"][2] = np.inf
    fit(x, y, "hold NaN or infinity")
    with pytest.raises(ValueError, match="labels are missing"):
        model(make_backbone).fit(tf.data.Dataset.from_tensor_slices(x).batch(8))


@pytest.mark.tensorflow
def test_datasets_without_batches(make_backbone):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(arrays("pi_model"))
    with pytest.raises(ValueError, match=r"Call `\.batch\(\.\.\.\)`"):
        model(make_backbone).fit(dataset)
    with pytest.raises(ValueError, match="is empty: it has no batch"):
        model(make_backbone).fit(dataset.batch(8).take(0))


@pytest.mark.tensorflow
def test_validation_without_end(make_backbone):
    import tensorflow as tf

    x, y = arrays("pi_model")
    endless = tf.data.Dataset.from_tensor_slices((x["labeled"], y)).batch(8).repeat()
    m = model(make_backbone)
    with pytest.raises(ValueError, match="repeats without end"):
        m.fit(x, y, batch_size=8, verbose=0, validation_data=endless)
    logs = m.evaluate(endless, steps=2, verbose=0, return_dict=True)
    assert "f1" in logs


def test_a_generator_for_a_model_that_is_not_built(make_backbone):
    x, y = arrays("pi_model")
    m = model(make_backbone, num_classes=None)
    with pytest.raises(ValueError, match="cannot be looked into"):
        m.fit((batch for batch in [(x, y)]), verbose=0)


def test_a_loss_of_ones_own(make_backbone):
    m = model(make_backbone)
    with pytest.raises(ValueError, match="made by its strategy and its `DC3Config`"):
        m.compile(loss="categorical_crossentropy")


@pytest.mark.parametrize(
    ("kwargs", "match"),
    [
        ({"num_clusters": 3}, "`num_clusters` must be larger than the number of class"),
        ({"num_clusters": 2.5}, "`num_clusters` must be an integer"),
        ({"num_classes": 1}, "`num_classes` must be an integer of at least 2"),
        ({"class_names": ["a", "b"]}, "There are 2 `class_names` but 3 classes"),
        ({"class_names": ["a", "b", "a"]}, "`class_names` must differ, but 'a'"),
        ({"ema_decay": 1.0}, r"`ema_decay`\) must lie in \[0, 1\)"),
        ({"batch_norm": "own"}, "`batch_norm` must be one of"),
        ({"evaluate_with": "teacher"}, "`evaluate_with` must be one of"),
        ({"training_steps": 0}, "`training_steps` must be an integer"),
    ],
)
def test_arguments(kwargs, match):
    kwargs = {"num_classes": 3, **kwargs}
    with pytest.raises(ValueError, match=match):
        keras_dc3.DC3Model(keras.layers.Flatten(), **kwargs)


def test_arguments_of_a_wrong_type():
    with pytest.raises(TypeError, match="`backbone` must be a Keras model or layer"):
        keras_dc3.DC3Model(50)
    with pytest.raises(TypeError, match="`config` must be a `DC3Config`"):
        keras_dc3.DC3Model(keras.layers.Flatten(), config={"prior": 0.5})
    with pytest.raises(ValueError, match=r"`prior` must be a number in \[0, 1\]"):
        keras_dc3.DC3Config(prior=1.5)


def test_propose_does_not_guess(make_backbone):
    x, _ = arrays("pi_model")
    m = model(make_backbone)
    with pytest.raises(ValueError, match="does not say which image is which"):
        m.propose(x["labeled"])
    with pytest.raises(ValueError, match="There are 2 `ids` but 24 images"):
        m.propose(x["labeled"], ids=["a", "b"])
    with pytest.raises(ValueError, match=r"\"image\" and \"id\", but \['id'\]"):
        m.propose([{"image": x["labeled"]}])
    with pytest.raises(ValueError, match="the data is empty"):
        m.propose([], verbose=0)
    with pytest.raises(ValueError, match="not trained or loaded yet"):
        keras_dc3.DC3Model(keras.layers.Flatten()).propose(x["labeled"], ids=["a"])


def test_class_names_of_model_and_data_must_agree(make_backbone):
    x, _ = arrays("pi_model")
    m = model(make_backbone, class_names=["a", "b", "c"])

    class Part:
        ids = ["1"]
        class_names = ("b", "a", "c")

        def image_batches(self, batch_size):
            yield x["labeled"][:1]

    with pytest.raises(ValueError, match="they must be the same, in one order"):
        m.propose(Part())


def test_late_batches_of_a_stream_are_checked(make_backbone):
    x, y = arrays("pi_model", dtype="float32")
    y[20] = 7
    batches = Batches(x, y)
    stream = adapt(batches[i] for i in range(3)).checked(3, (8, 8, 3))
    assert len([next(stream), next(stream)]) == 2
    with pytest.raises(ValueError, match="first is 7"):
        next(stream)
    x["unlabeled"]["first"][20] = np.nan
    checked = adapt(Batches(x, y)).checked(3, (8, 8, 3))
    assert len(checked) == 3 and len(checked[0][1]) == 8
    with pytest.raises(ValueError, match="'first' images hold NaN"):
        checked[2]
    # In `fit`, TensorFlow reports it from its own thread, with the sentence inside.
    with pytest.raises(Exception, match="'first' images hold NaN"):
        model(make_backbone).fit(Batches(x, y % 3), shuffle=False, verbose=0)


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.tensorflow
def test_an_iterator_over_a_tf_dataset_is_a_stream(make_backbone):
    import tensorflow as tf

    x, y = arrays("pi_model", dtype="float32")
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    m = model(make_backbone)
    m.fit(iter(dataset), verbose=0)
    assert int(m.step.numpy()) == 3
    x["labeled"][20] = np.nan
    poor = tf.data.Dataset.from_tensor_slices((x, y)).batch(8)
    with pytest.raises(Exception, match=r"labeled'? images hold NaN"):
        model(make_backbone).fit(iter(poor), verbose=0)


def test_channels_that_the_backbone_does_not_take():
    x, y = arrays("pi_model", channels=1)
    backbone = keras_dc3.backbones.small_cnn((8, 8, 3))
    with pytest.raises(ValueError, match=r"images of shape \(8, 8, 1\): it takes"):
        keras_dc3.DC3Model(backbone, num_classes=3).fit(x, y, verbose=0)


def test_predict_checks_its_images(make_backbone):
    m = model(make_backbone)
    images = arrays("pi_model")[0]["labeled"]
    for bad, match in (
        (images[:, :4], "resize them"),
        (images[0], "must have shape"),
        (images * np.float32(np.nan), "hold NaN"),
    ):
        with pytest.raises(ValueError, match=match):
            m.predict(bad, verbose=0)


def test_class_names_of_validation_data_must_agree(make_backbone):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (60, 8, 8, 3)).astype("uint8")
    counts = rng.multinomial(5, [0.5, 0.3, 0.2], size=60)
    data, other = (
        keras_dc3.datasets.from_arrays(images, counts, class_names=names)
        for names in (["a", "b", "c"], ["c", "b", "a"])
    )
    m = model(make_backbone, class_names=["a", "b", "c"])
    fails(m, data, None, "must be the same", validation_data=other)
    for part in (other, other.validation):
        with pytest.raises(ValueError, match="must be the same, in one order"):
            m.evaluate(part, verbose=0)


def test_ids_are_counted_in_every_batch(make_backbone):
    images = arrays("pi_model")[0]["labeled"]
    batches = [
        {"image": images[:2], "id": ["a", "b", "c"]},
        {"image": images[4:8], "id": ["d", "e", "f"]},
    ]
    with pytest.raises(ValueError, match="A batch holds 2 images but 3 ids"):
        model(make_backbone).propose(batches, verbose=0)


@pytest.mark.tensorflow
def test_endless_training_data(make_backbone):
    import tensorflow as tf

    dataset = tf.data.Dataset.from_tensor_slices(arrays("pi_model")).batch(8).repeat()
    with pytest.raises(ValueError, match="repeats without end; pass `steps_per_epoch`"):
        model(make_backbone).fit(dataset)


@pytest.mark.parametrize("kind", ["classes", "soft", "data set"])
def test_classes_without_a_labeled_image_are_told_once(kind, make_backbone):
    x, y = arrays("supervised")
    names = ["cod", "ling", "sole", "dab"]
    given = (x, np.eye(4, dtype="float32")[y] if kind == "soft" else y)
    if kind == "data set":
        counts = np.eye(4, dtype="int64")[y]
        given = (
            keras_dc3.datasets.from_arrays(
                x["labeled"], counts, class_names=names, validation=None, labeled=20
            ),
        )
        names = None
    taught = model(make_backbone, num_classes=None, class_names=names, ssl="supervised")
    taught.compile(run_eagerly=True)
    with pytest.warns(UserWarning) as told:
        taught.fit(*given, epochs=2, steps_per_epoch=1, verbose=0)
    found = [one for one in told if "None of the" in str(one.message)]
    number = 20 if kind == "data set" else 24
    assert [str(one.message) for one in found] == [
        f"None of the {number} labeled images is of the class 'dab', so that this "
        "training teaches nothing of it: label images of it, or leave it out of the "
        "classes."
    ]
    assert found[0].filename == __file__


def test_a_class_that_some_answers_name_is_not_told_as_untaught(make_backbone, recwarn):
    x, y = arrays("supervised")
    soft = np.eye(4, dtype="float32")[y]
    soft[0] = [0.75, 0.0, 0.0, 0.25]
    taught = model(make_backbone, num_classes=4, ssl="supervised")
    taught.fit(x, soft, steps_per_epoch=1, verbose=0)
    assert not [one for one in recwarn if "None of the" in str(one.message)]
