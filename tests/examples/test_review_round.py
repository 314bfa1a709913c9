"""A whole round: annotations, training, proposals, review, annotations, training."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest

from keras_dc3 import agreement, review
from keras_dc3.annotations import Annotations
from keras_dc3.data import ImageSet
from keras_dc3.proposals import Proposals
from tests.processes import run_script

EXAMPLES = Path(__file__).parents[2] / "examples"
sys.path.insert(0, str(EXAMPLES))

import scripted_people  # noqa: E402


@pytest.mark.slow
@pytest.mark.tensorflow
def test_the_example_runs(tmp_path):
    pytest.importorskip("sklearn", reason="needs keras_dc3[demo]")
    pytest.importorskip("PIL", reason="needs keras_dc3[images]")
    script = EXAMPLES / "review_round.py"
    options = ("--people=2", "--budget=200")
    done = run_script(script, *options, f"--output={tmp_path}", check=True)
    for text in (
        "annotators and answers made up",
        "kappa between annotators",
        "Proposals accepted whatever people think",
        "corrected, shrunk",
        "6. What to ask next",
        "from what all people would say",
    ):
        assert text in done.stdout, text
    asked = int(
        re.search(r"Ask about ([\d,]+) images", done.stdout)[1].replace(",", "")
    )
    answers = review.read([tmp_path / "person-1.json", tmp_path / "person-2.json"])
    assert (answers.annotations.annotations_per_image > 0).sum() == asked
    with pytest.warns(UserWarning, match="4,800 answers name no annotator"):
        merged = Annotations.from_csv(tmp_path / "annotations.csv", repeated="keep")
    assert len(merged) == 480 + asked
    assert f"{480 + asked} labeled" in done.stdout


def test_from_proposals_to_labels_and_back(tmp_path):
    """Page, downloaded file, review, soft labels, what to ask next."""
    pytest.importorskip("PIL", reason="needs keras_dc3[images]")
    rng = np.random.default_rng(0)
    names, n = ("cat", "dog", "eel"), 120
    ids = [f"img_{i:03d}" for i in range(n)]
    values = rng.dirichlet([0.3, 0.3, 0.3], n)
    proposals = Proposals.from_columns(
        ids,
        rng.random(n),
        0.8 * values + 0.2 / 3,
        rng.integers(0, 5, n),
        np.ones(n),
        names,
    )
    images = ImageSet(rng.integers(0, 256, (n, 8, 8, 1), "uint8"), ids)
    truth = dict(zip(ids, values, strict=True))
    asked = proposals.next(60)
    answers = scripted_people.ask(
        asked, images, truth, tmp_path, people=3, acceptance=0.1
    )
    told = answers.annotations
    assert set(told.ids) == set(asked.ids)
    assert told.annotators == ("person 1", "person 2", "person 3")
    blind = answers.proposed < 0
    assert 0 < blind.mean() < 0.5 and answers.repetition.any()
    assert answers.accepted[~blind].mean() > 0.4

    labels = agreement.fit_bias(answers, asked.proposed).correct(answers)
    assert labels.ids == told.ids
    assert np.allclose(labels.soft_labels.sum(axis=1), 1)
    real = np.array([truth[name] for name in labels.ids])
    before = scripted_people.divergence(real, told.soft_labels)
    assert scripted_people.divergence(real, labels.shrunk_labels) < before

    again = proposals.next(60, answers)
    agreed = np.array(told.ids)[~told.ambiguous]  # by three people
    assert len(agreed) and again.settled == len(agreed)
    assert not set(again.ids) & set(agreed)
    assert set(ids) - set(told.ids) <= set(proposals.next(1000, answers).ids)
