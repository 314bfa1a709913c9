"""Predictions of any model as proposals: p_a, clusters, and the whole way to labels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import agreement, exports, metrics, review
from keras_dc3.proposals import Proposals
from tests.review.helpers import answer, make_images, quiet, save

NAMES = ("cat", "dog", "eel")
IDS = [f"img_{i}.png" for i in range(60)]


def predictions(n=60, seed=0, k=3):
    return np.random.default_rng(seed).dirichlet(np.full(k, 0.5), n)


def proposed(p=None, **options):
    p = predictions() if p is None else np.asarray(p)
    names = [f"c{i}" for i in range(p.shape[-1])] if p.shape[-1] != 3 else NAMES
    options = {"ids": IDS[: len(p)], "class_names": names, **options}
    return Proposals.from_predictions(p, **options)


@pytest.mark.parametrize("prior", [0.1, 0.6, 0.85])
def test_the_certain_images_are_the_most_confident_ones(prior):
    p = predictions()
    found = proposed(p, prior=prior)
    certain = found.decision == "certain"
    assert certain.sum() == round(60 * (1 - prior))
    assert p[certain].max(axis=1).min() > p[~certain].max(axis=1).max()
    truth = np.random.default_rng(1).integers(0, 3, 60)
    most = np.argsort(-p.max(axis=1))[: certain.sum()]
    f1 = metrics.weighted_f1(truth[certain], found.class_index[certain], 3)
    assert f1 == metrics.weighted_f1(truth[most], p[most].argmax(axis=1), 3)


def test_ambiguity_is_the_formula():
    p = predictions(10)
    u = 1 - p.max(axis=1)
    low, high = np.sort(u)[[3, 4]]  # 40% of ten images are certain
    np.testing.assert_allclose(proposed(p).ambiguity, u / (u + (low + high) / 2))


@given(
    st.lists(st.integers(50, 100), min_size=2, max_size=30).filter(
        lambda n: len(set(n)) > 1
    ),
    st.floats(0.01, 0.99),
)
@pytest.mark.filterwarnings("ignore:.*of the images are called ambiguous")
def test_ambiguity_rises_with_uncertainty_and_equals_stay_together(percent, prior):
    largest = np.array(percent) / 100
    found = proposed(np.stack([largest, 1 - largest], axis=1), prior=prior)
    order = np.argsort(-largest, kind="stable")
    assert (np.diff(found.ambiguity[order]) >= 0).all()
    for value in set(percent):
        assert len(set(found.decision[np.array(percent) == value])) == 1
    assert ((found.ambiguity >= 0) & (found.ambiguity <= 1)).all()


def test_ties_that_move_the_threshold_are_told():
    p = np.array([[1.0, 0.0]] * 45 + [[0.6, 0.4]] * 15)
    with pytest.warns(UserWarning, match="25% of the images .* instead of 60%"):
        found = proposed(p)
    assert (found.decision == "certain").sum() == 45


def test_one_image_is_enough():
    found = proposed([[0.7, 0.2, 0.1]])
    assert len(found) == len(found.groups()) == 1


def test_clusters_are_k_means_of_the_ambiguous_images():
    p, places = predictions(), np.random.default_rng(1).normal(size=(60, 5))
    found = proposed(p, embeddings=places, num_clusters=4, seed=3)
    ambiguous = found.decision == "ambiguous"
    f = places / np.linalg.norm(places, axis=1, keepdims=True)
    z = np.concatenate([f, 2 * np.sqrt(p)], axis=1)
    centers, cluster = metrics.k_means(z[ambiguous], 4, 3)
    assert (found.cluster[ambiguous] == cluster).mean() > 0.99
    distances = ((z[:, None] - centers) ** 2).sum(axis=2)
    size = distances[ambiguous].min(axis=1).mean()
    expected = np.exp(-distances / size)
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.cluster_probabilities, expected, rtol=1e-6)
    np.testing.assert_allclose(found.embeddings, places, rtol=1e-6)
    again = proposed(p, embeddings=places, num_clusters=4, seed=3)
    assert found == again


def test_without_embeddings_clusters_hold_the_same_mixtures():
    mixtures = np.repeat([[0.5, 0.5, 0.0], [0.0, 0.5, 0.5], [0.98, 0.01, 0.01]], 20, 0)
    noise = np.random.default_rng(0).uniform(0, 0.01, (60, 1))
    found = proposed(mixtures * (1 - noise) + noise / 3, prior=2 / 3, num_clusters=2)
    assert len(set(found.cluster[:20])) == len(set(found.cluster[20:40])) == 1
    assert found.embeddings is None
    assert [len(g) for g in found.groups()] == [20, 20, 20]


def test_how_many_clusters_there_are():
    assert proposed().cluster_probabilities.shape == (60, 3)  # ten images each
    p = predictions(400, k=2)
    found = proposed(p, ids=[f"{i}" for i in range(400)])
    assert found.cluster_probabilities.shape == (400, 10)  # five per class
    with pytest.raises(ValueError, match="at most the number of ambiguous images, 36"):
        proposed(num_clusters=40)


@pytest.mark.parametrize(
    "option, match",
    [
        ({"prior": 0}, "`prior` must be a number above 0 and below 1"),
        ({"prior": 1.0}, "`prior` must be a number above 0 and below 1"),
        ({"num_clusters": 0}, "`num_clusters` must be"),
        ({"seed": -1}, "`seed` must be"),
        ({"logits": "yes"}, "`logits` must be"),
        ({"logits": True}, "are probabilities already. Leave `logits` out"),
        ({"class_names": ["a", "b"]}, "one name per column .* 2 names for 3 columns"),
        ({"class_names": ["a", "b", "a"]}, "`class_names` must differ"),
        ({"class_names": None}, "pass `class_names`, 3 names"),
        ({"ids": None}, "pass `ids`, 60 names"),
        ({"ids": IDS[:-1]}, "59 names for 60 rows"),
        ({"ids": [*IDS[:-1], IDS[0]]}, "Row 59: .*'img_0.png' stands in Row 0 already"),
        ({"ids": [*IDS[:-1], ""]}, "Row 59: the image has no name"),
        ({"ids": IDS, "id_column": "id"}, "not both"),
    ],
)
def test_wrong_arguments_are_refused(option, match):
    with pytest.raises((TypeError, ValueError), match=match):
        proposed(**option)


@pytest.mark.parametrize(
    "p, match",
    [
        (predictions() * 20 - 10, "Row 0: .* as logits do.*pass `logits=True`"),
        (np.log(predictions()), "logarithms of probabilities.*`logits=True`"),
        (predictions() * 0.7, "Row 0: .* sum to 0.7 and not to 1.*a sigmoid"),
        (np.full((60, 3), 4), "whole numbers, as of people.*Annotations.from_counts"),
        (np.eye(3)[np.arange(60) % 3], "of every image is 1, so that nothing tells"),
        (np.full((60, 3), 1 / 3), "of every image is 0.3333"),
        (np.vstack([predictions()[:59], [[1, np.nan, 0]]]), "Row 59: .* holds NaN"),
        (np.vstack([predictions()[:59], [[1, 1, 0]]]), "Row 59: .* 1 of 60 rows are"),
        (np.ones(60), "must be the path of a file"),
        (np.empty((0, 3)), "the table or array has no row"),
        (np.full((60, 3), "a"), "must be the path of a file"),
    ],
)
def test_what_is_no_probability_is_refused(p, match):
    with pytest.raises(ValueError, match=match):
        proposed(p, ids=IDS[: len(p)], class_names=NAMES)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="there is 1 column"):
        Proposals.from_predictions(np.ones((2, 1)), ids=["a", "b"], class_names=["x"])


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match="make a data frame first"):
        Proposals.from_predictions({"a": [0.5, 0.5]})
    with pytest.raises(ValueError, match="rows of several lengths"):
        Proposals.from_predictions([[0.5, 0.5], [1.0]], ids=["a", "b"])


def test_percent_and_rounded_numbers_are_told():
    p = predictions()
    for numbers, match in (
        (100 * p, "sum to 100 and are read as percent"),
        (np.round(p, 2), "sum to between 0.99 and 1.01"),
    ):
        with pytest.warns(UserWarning, match=match):
            found = proposed(numbers)
        np.testing.assert_allclose(found.class_probabilities.sum(axis=1), 1, atol=1e-12)
        np.testing.assert_allclose(found.class_probabilities, p, atol=0.01)


def test_logits_become_probabilities():
    p = predictions()
    shift = np.random.default_rng(0).normal(size=(60, 1)) * 1000
    found = proposed(np.log(p) + shift, logits=True)
    np.testing.assert_allclose(found.class_probabilities, p, atol=1e-9)


def test_tensors_of_pytorch_are_taken():
    torch = pytest.importorskip("torch")
    p = torch.tensor(predictions(), requires_grad=True)
    assert proposed(predictions()) == Proposals.from_predictions(
        p, ids=IDS, class_names=NAMES
    )


def test_the_whole_way_without_a_model(tmp_path):
    """From a table of somebody's predictions to labels, and to what to ask next."""
    pytest.importorskip("PIL")
    rng = np.random.default_rng(0)
    p = predictions()
    lines = [
        ",".join([name, *map(repr, row)])
        for name, row in zip(IDS, p.tolist(), strict=True)
    ]
    table = tmp_path / "predictions.csv"
    table.write_text("\n".join(["image,cat,dog,eel", *lines]))
    places = np.concatenate([p, rng.normal(size=(60, 3))], axis=1).astype("float32")
    np.savez(tmp_path / "places.npz", features=places[::-1], ids=IDS[::-1])
    proposals = Proposals.from_predictions(table, tmp_path / "places.npz")
    assert proposals == proposed(p, embeddings=places)
    np.testing.assert_array_equal(proposals.embeddings, places)

    assert "not measured" in proposals.summary()
    assert "cluster" in proposals.cards()
    assert {n for group in proposals.groups() for n in group.ids} == set(IDS)

    images = make_images(60)
    proposals.to_review(tmp_path / "review.html", images, control=0.3)
    files = []
    for person in ("anna", "ben"):
        said = answer(
            tmp_path / "review.html",
            person,
            lambda image, shown: int(rng.choice(3, p=p[IDS.index(image)])),
        )
        files.append(save(tmp_path / f"{person}.json", said))
    answers = quiet(files, proposals=proposals)
    assert isinstance(answers, review.Review)
    with pytest.warns(UserWarning, match="blind"):
        assert agreement.measure(answers).alpha.value > 0
    labels = agreement.fit_bias(answers, proposals).correct(answers)
    assert labels.soft_labels.shape == (60, 3)
    asked = proposals.next(20, answers)
    asked.to_review(tmp_path / "next.html", images[[IDS.index(i) for i in asked.ids]])
    assert proposals.expected_disagreement(answers).shape == (60,)

    proposals.to_csv(tmp_path / "proposals.csv")
    assert Proposals.from_csv(tmp_path / "proposals.csv") == proposals
    exports.to_label_studio(proposals, tmp_path / "tasks.json")
    exports.to_cleanlab(proposals, answers.annotations)
    exports.to_dcic(proposals, tmp_path / "dcic", "mine")


def test_a_parquet_file_keeps_the_embeddings(tmp_path):
    pytest.importorskip("pyarrow")
    places = np.random.default_rng(0).normal(size=(60, 4)).astype("float32")
    proposals = proposed(embeddings=places)
    proposals.to_parquet(tmp_path / "proposals.parquet")
    read = Proposals.from_parquet(tmp_path / "proposals.parquet")
    assert read == proposals
    np.testing.assert_array_equal(read.embeddings, places)
    with pytest.raises(ValueError, match=r"read it with `Proposals\.from_csv`"):
        Proposals.from_predictions(tmp_path / "proposals.parquet")
