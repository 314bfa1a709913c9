"""The forms that crowd-kit and cleanlab take."""

import numpy as np
import pytest

from keras_dc3.annotations import Annotations
from tests.annotations.helpers import told


def crowd():
    """10 images and four people, one always wrong, the others not asked everywhere."""
    truth = [("cat", "dog")[i % 2] for i in range(10)]
    for i, label in enumerate(truth):
        for person in ("p0", "p1", "p2"):
            if (i + int(person[1])) % 4:
                yield f"i{i}", person, label
        yield f"i{i}", "wrong", {"cat": "dog", "dog": "cat"}[label]
    yield "i0", "p1", "dog"  # a first round, then the right answer
    yield "i0", "p1", "cat"
    yield "unseen", "p0", None


@pytest.mark.filterwarnings("ignore:The (inplace|copy) keyword:Warning")
def test_crowd_kit_aggregates():
    aggregation = pytest.importorskip("crowdkit.aggregation")
    with told():
        annotations = Annotations.from_records(crowd())
    frame = annotations.to_frame("crowdkit")
    assert list(frame.columns) == ["task", "worker", "label"]
    assert not frame.duplicated(["task", "worker"]).any() and len(frame) == 33
    most = aggregation.MajorityVote().fit_predict(frame)
    model = aggregation.DawidSkene(n_iter=50).fit(frame)
    expected = {f"i{i}": ("cat", "dog")[i % 2] for i in range(10)}
    assert model.labels_.to_dict() == expected
    wrong = model.errors_.loc["wrong"]
    assert wrong.loc["cat", "dog"] > 0.9 and wrong.loc["dog", "cat"] > 0.9
    majority = dict(zip(annotations.ids, annotations.majority.tolist(), strict=True))
    clear = {
        image: annotations.class_names[c]
        for image, c in majority.items()
        if c >= 0 and np.ptp(annotations.counts[annotations.ids.index(image)])
    }
    assert {image: most[image] for image in clear} == clear and len(clear) >= 5


def test_cleanlab_takes_the_table():
    pytest.importorskip("pandas")
    multiannotator = pytest.importorskip("cleanlab.multiannotator")
    with told():
        annotations = Annotations.from_records(crowd())
    table = annotations.to_frame("cleanlab")
    assert list(table.index) == [f"i{i}" for i in range(10)]
    assert set(table.columns) == {"p0", "p1", "p2", "wrong"}
    assert table.loc["i0", "p1"] == 0 and np.isnan(table.loc["i0", "p0"])
    predicted = np.full((10, 2), 0.1)
    predicted[np.arange(10), np.arange(10) % 2] = 0.9
    result = multiannotator.get_label_quality_multiannotator(
        table, predicted, verbose=False
    )
    labels = result["label_quality"]["consensus_label"].to_list()
    assert labels == [i % 2 for i in range(10)]
    assert result["annotator_stats"].index[0] == "wrong"  # the worst one


def test_unknown_people_are_people_of_their_own():
    pytest.importorskip("pandas")
    with told():
        annotations = Annotations.from_records(
            [("a", None, "cat"), ("a", None, "dog"), ("b", "unknown 1", "cat")]
        )
    frame = annotations.to_frame("crowdkit")
    assert frame["worker"].tolist() == ["unknown 2", "unknown 3", "unknown 1"]
    table = annotations.to_frame("cleanlab")
    assert table.shape == (2, 3) and table.notna().sum().sum() == 3
