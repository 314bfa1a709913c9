"""Predictions for DCIC."""

import json
from datetime import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.exports import to_dcic
from keras_dc3.proposals import Proposals
from tests.exports.helpers import NAMES, make


def read(path):
    """As DCIC's importer does: the sets by name."""
    with open(path, encoding="utf-8") as file:
        sets = json.load(file)
    return {one["name"]: one for one in sets}


def test_what_stands_in_the_file(tmp_path):
    proposals = make(n=5)
    identifier = "dc3#dataset-Turkey-no_alg-01-0.10-1.1@-1-10"
    path = to_dcic(proposals, tmp_path / "new", identifier, config="a note")
    assert path == str(tmp_path / "new" / f"predictions-{identifier}.json")
    one = read(path)["unlabeled#ema_normal"]
    assert set(one) == {"config", "identifier", "name", "created_at", "predictions"}
    assert (one["config"], one["identifier"]) == ("a note", identifier)
    assert datetime.strptime(one["created_at"], "%d-%m-%Y-%H-%M-%S")
    alphabetical = sorted(NAMES)
    for prediction, proposal in zip(one["predictions"], proposals, strict=True):
        row = proposals.class_probabilities[proposals.ids.index(proposal.id)]
        assert prediction == {
            "image_path": proposal.id,
            "cluster_label": proposal.cluster,
            "class_label": proposal.class_name,
            "confidences": [row[NAMES.index(name)] for name in alphabetical],
        }


@given(
    p=st.lists(st.sampled_from([(0.5, 0.5, 0.0), (0.0, 0.5, 0.5), (0.2, 0.4, 0.4)])),
    names=st.permutations(["b", "a", "c"]),
)
def test_class_and_confidences_agree_as_dcic_asserts(tmp_path_factory, p, names):
    n = len(p)
    proposals = Proposals.from_columns(
        [f"{i}" for i in range(n)],
        np.zeros(n),
        np.array(p).reshape(n, 3),
        np.zeros(n, int),
        np.ones(n),
        names,
    )
    path = to_dcic(proposals, tmp_path_factory.getbasetemp(), "x", subset="train")
    for prediction in read(path)["train"]["predictions"]:
        likeliest = int(np.argmax(prediction["confidences"]))
        assert ["a", "b", "c"][likeliest] == prediction["class_label"]


def test_paths(tmp_path):
    path = to_dcic(make(n=3), tmp_path, "x", image=lambda name: f"Turkey/fold1/{name}")
    (one,) = read(path).values()
    assert one["config"] == "Not available"
    first = one["predictions"][0]["image_path"]
    assert first == "Turkey/fold1/folder/img 0.png"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"identifier": "a/b"}, ValueError, "`identifier` must be a non-empty text wi"),
        ({"subset": ""}, ValueError, "`subset` must be a non-empty text without '/'"),
        ({"image": lambda name: "x"}, ValueError, "gives 'x' for several images"),
        ({"image": lambda name: None}, TypeError, "must return the path of an image"),
        ({"config": {1, 2}}, ValueError, "`config` must be a text, or what JSON can h"),
        ({"config": float("nan")}, ValueError, "`config` must be a text, or what JSON"),
        ({"proposals": []}, TypeError, "`proposals` must be a .*Received: list"),
    ],
)
def test_bad_arguments(tmp_path, options, error, message):
    given = {"proposals": make(), "folder": tmp_path, "identifier": "x", **options}
    with pytest.raises(error, match=message):
        to_dcic(**given)
    assert not list(tmp_path.iterdir())
