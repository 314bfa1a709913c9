"""Proposals say whether they are of use before they say what they are."""

import numpy as np
import pytest

from keras_dc3 import Proposals
from keras_dc3.metrics import verdict
from tests.proposals.helpers import NAMES, make_proposals


def judged(good, n=400, seed=0):
    """A verdict on a model that knows the classes, or does not, mostly "cat"."""
    rng = np.random.default_rng(seed)
    truth = np.where(rng.random(n) < 0.6, 0, rng.integers(0, 3, n))
    guess = truth if good else rng.integers(0, 3, n)
    p_n = 0.1 + 0.7 * np.eye(3)[guess]
    soft = 0.05 + 0.85 * np.eye(3)[truth]
    p_a = rng.random(n)
    return verdict(soft, p_n, rng.integers(0, 9, n), p_a, class_names=NAMES)


def test_certain_images_of_a_useless_model_are_not_for_a_glance():
    proposals = make_proposals()
    proposals.verdict = judged(good=False)
    assert proposals.verdict["classes"].answer == "no"
    text = " ".join(proposals.summary().split())
    assert text.startswith("Verdict on the model that proposes, from 400 validation")
    assert "No: the class is right for" in text and "'cat'" in text
    assert "do not rely on it" in text and "at a glance" not in text


def test_those_of_a_good_one_are():
    proposals = make_proposals()
    proposals.verdict = judged(good=True)
    text = " ".join(proposals.summary().split())
    assert "right for 100.0% (" in text and "check it at a glance" in text


def test_few_images_and_none_at_all_promise_nothing():
    proposals = make_proposals()
    of_nine = np.eye(3)[[0, 0, 0, 0, 0, 1, 1, 0, 1]]
    proposals.verdict = verdict([0, 0, 0, 0, 0, 0, 1, 1, 1], of_nine)
    assert "too few validation images tell" in " ".join(proposals.summary().split())
    proposals.verdict = None
    text = proposals.summary()
    assert text.startswith("Verdict: not measured")
    assert "at a glance" not in text


def test_images_called_alike_are_no_probability():
    proposals = Proposals.from_columns(
        list("abcde"),
        [0.9] * 5,
        np.eye(3)[[0, 0, 0, 0, 1]] * 0.4 + 0.2,
        [1, 1, 1, 2, 2],
        np.ones(5),
        NAMES,
    )
    text = proposals.summary()
    assert "which the model would call all cat" in text
    assert "which the model would call 1 cat, 1 dog" in text
    assert "100%" not in text
    assert "(mean probabilities)" in proposals.cards()


def test_parquet_keeps_the_verdict_and_csv_does_not(tmp_path):
    proposals = make_proposals()
    proposals.verdict = judged(good=True)
    proposals.to_csv(tmp_path / "p.csv")
    assert Proposals.from_csv(tmp_path / "p.csv").verdict is None
    pq = pytest.importorskip("pyarrow.parquet")
    proposals.to_parquet(tmp_path / "p.parquet")
    read = Proposals.from_parquet(tmp_path / "p.parquet")
    assert read == proposals
    assert read.verdict.to_json() == proposals.verdict.to_json()
    table = pq.read_table(tmp_path / "p.parquet")
    damaged = table.replace_schema_metadata({b"keras_dc3.verdict": b"{"})
    pq.write_table(damaged, tmp_path / "damaged.parquet")
    with pytest.raises(ValueError, match=r"damaged.parquet.*verdict.*cannot be read"):
        Proposals.from_parquet(tmp_path / "damaged.parquet")
    pq.write_table(table.replace_schema_metadata({}), tmp_path / "none.parquet")
    assert Proposals.from_parquet(tmp_path / "none.parquet").verdict is None


def test_only_a_verdict_is_taken():
    with pytest.raises(TypeError, match=r"`verdict` must be what.*Received: verdict='"):
        make_proposals().verdict = "yes"


def texts(figure):
    return " ".join("\n".join(t.get_text() for t in figure.texts).split())


@pytest.mark.parametrize("good", [True, False, None])
def test_pictures_begin_with_it(good, rng):
    backend = pytest.importorskip("matplotlib.backends.backend_agg")
    from keras_dc3 import plots

    proposals = make_proposals()
    proposals.embeddings = rng.normal(size=(40, 4)).astype("float32")
    proposals.verdict = None if good is None else judged(good)
    images = rng.integers(0, 256, (40, 8, 8, 1)).astype("uint8")
    first = "Verdict: not measured" if good is None else "Verdict on the model that"
    for figure in (
        plots.plot_proposals(proposals, images),
        plots.plot_clusters(proposals, images),
        plots.plot_embedding(proposals, method="pca"),
    ):
        found = figure.texts[1]
        assert found.get_text().startswith(first)
        # It fits on the sheet, and what follows is below it.
        renderer = backend.FigureCanvasAgg(figure).get_renderer()
        box = found.get_window_extent(renderer)
        assert box.x1 < figure.bbox.x1
        for other in figure.texts[2:]:
            assert other.get_window_extent(renderer).y1 <= box.y0 + 1
    text = texts(plots.plot_proposals(proposals, images))
    assert ("at a glance" in text) == bool(good)
    assert ("do not rely on it" in text) == (good is False)


def test_people_who_tie_get_the_color_of_no_class(rng):
    pytest.importorskip("matplotlib")
    from keras_dc3 import plots

    proposals = make_proposals()
    proposals.embeddings = rng.normal(size=(40, 4)).astype("float32")
    soft = np.tile([0.5, 0.5, 0.0], (40, 1))
    figure = plots.plot_embedding(proposals, soft, method="pca")
    colors = figure.axes[0].collections[0].get_facecolors()
    assert (colors == [0.0, 0.0, 0.0, 1.0]).all()
