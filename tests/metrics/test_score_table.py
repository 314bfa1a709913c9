"""`format_scores`: a table that people can read."""

import numpy as np
import pytest

from keras_dc3.metrics import format_scores, honest_context, proposal_scores
from keras_dc3.metrics.score_table import COLUMNS


@pytest.fixture
def rows(rng):
    soft, p_n = rng.dirichlet(np.ones(3), 50), rng.dirichlet(np.ones(3), 50)
    p_o, p_a = rng.dirichlet(np.ones(9), 50), rng.random(50)
    features = rng.normal(size=(50, 4))
    return {
        "vanilla": {**proposal_scores(soft, p_n), **honest_context(soft, p_n)},
        "Pi-Model with DC3": {
            **proposal_scores(soft, p_n, p_o, p_a, features=features),
            **honest_context(soft, p_n, p_a, reference_probabilities=p_n),
        },
    }


def test_by_hand():
    rows = {
        "vanilla": {"f1": 0.7153, "d": 0.4913, "degenerated": False},
        "DC3": {"d": float("nan"), "f1": 1.0, "degenerated": True},
    }
    assert format_scores(rows, legend=False) == (
        "model       F1     d  degenerated\n"
        "---------------------------------\n"
        "vanilla   71.5  49.1           no\n"
        "DC3      100.0     -          yes"
    )


def test_every_score_is_shown_and_explained(rows):
    text = format_scores(rows)
    legend = text.split("All numbers are percentages")[1]
    for heading in ("F1", "d", "d - F1", "ambiguous", "degenerated", "d by size"):
        assert f"\n{heading}  " in legend
    for heading in ("d of class", "d by chance", "F1 one class", "F1 confident"):
        assert f"\n{heading}  " in legend
    for heading in ("accuracy", "AUROC amb.", "AUROC conf.", "AUROC entr."):
        assert f"\n{heading}  " in legend
    for heading in ("d of class by size", "d of k-means", "d of k-means by size"):
        assert f"\n{heading}  " in legend
    for heading in ("F1 conf. ref.", "AUROC margin", "AUROC label"):
        assert f"\n{heading}  " in legend
    assert set(COLUMNS) == {key for scores in rows.values() for key in scores}
    assert f"{100 * rows['vanilla']['accuracy']:.1f}" in text


@pytest.mark.parametrize("width", [40, 60, 88, 400])
def test_lines_fit_and_align(rows, width):
    text = format_scores(rows, width=width)
    lines = text.splitlines()
    assert max(map(len, lines)) <= width
    assert all(line == line.rstrip() for line in lines)
    for block in text.split("\n\n")[:-1]:
        if block.startswith("model"):
            header, rule, *table = block.splitlines()
            assert set(rule) == {"-"}
            assert len(table) == 2
            assert {len(line) for line in table} == {len(header)}


def test_columns_are_chosen_and_ordered(rows):
    header = format_scores(rows, columns=["accuracy", "f1"]).splitlines()[0]
    assert header.split() == ["model", "accuracy", "F1"]


def test_d_of_different_images_is_pointed_out(rows):
    note = "compare the two with care"
    joined = " ".join(format_scores(rows).split())
    assert note in joined
    assert note not in format_scores({"vanilla": rows["vanilla"]})
    assert note not in " ".join(format_scores(rows, columns=["f1"]).split())


def test_small_negative_numbers_have_no_sign():
    text = format_scores({"a": {"d_minus_f1": -1e-9}}, legend=False)
    assert text.splitlines()[-1].split() == ["a", "0.0"]


def test_names_with_line_breaks_stay_in_their_row():
    lines = format_scores({"two\nlines": {"f1": 0.5}}, legend=False).splitlines()
    assert lines[2] == "two lines  50.0"


@pytest.mark.parametrize(
    ("rows", "options", "error", "message"),
    [
        ({}, {}, ValueError, "`rows` must hold the scores of at least one model"),
        ({"a": {}}, {}, ValueError, "There is no score to show"),
        ({"a": {"f2": 1.0}}, {}, ValueError, "Unknown score 'f2'. Known scores: f1"),
        ({"a": {"f1": 1.0}}, {"columns": ["x"]}, ValueError, "Unknown score 'x'"),
        ({"a": {"f1": "high"}}, {}, TypeError, "f1='high' for the model 'a'"),
        ({"a": {"f1": 1.0}}, {"width": 10}, ValueError, "`width` must be an integer"),
    ],
)
def test_bad_input(rows, options, error, message):
    with pytest.raises(error, match=message):
        format_scores(rows, **options)
