"""Reviews of several rounds together, and of classes that have changed since."""

import numpy as np
import pytest

from keras_dc3 import agreement, review
from keras_dc3.annotations import AnnotationError
from tests.review.helpers import NAMES, answer, make_images, make_proposals, save


def read_round(folder, number, proposals, people=("anna", "ben"), **options):
    """What people answer in a round: the proposed class, or one by the image's name."""
    path = folder / f"round-{number}.html"
    images = dict(zip(proposals.ids, make_images(len(proposals)), strict=True))
    proposals.to_review(path, images, control=0.3, seed=number, **options)

    def choose(image, proposed):
        return proposed if proposed >= 0 else (len(image) + number) % 3

    files = [
        save(folder / f"{person}-{number}.json", answer(path, person, choose))
        for person in people
    ]
    return review.read(files, proposals=proposals)


@pytest.fixture
def rounds(tmp_path):
    whole = make_proposals(40)
    return [
        read_round(tmp_path, 1, whole.take(range(25))),
        read_round(tmp_path, 2, whole.take(range(15, 40)), ("ben", "cem")),
    ]


def rows_of(found):
    """All that is known of each answer, as a sorted list."""
    names, records = found.annotations, found.annotations.records
    classes = [*names.class_names, None]
    return sorted(
        (
            names.ids[records.image[i]],
            names.annotators[records.annotator[i]],
            str(classes[records.label[i]]),
            str(classes[found.proposed[i]]),
            found.group[i],
            bool(found.accepted[i]),
            bool(found.repetition[i]),
            float(records.seconds[i]),
        )
        for i in range(len(records))
    )


def test_no_answer_is_lost_or_changed_when_rounds_are_merged(rounds):
    both = rounds[0].merge(rounds[1])
    assert rows_of(both) == sorted(rows_of(rounds[0]) + rows_of(rounds[1]))
    assert both.annotations.annotators == ("anna", "ben", "cem")
    assert len(both.annotations.ids) == 40
    expected = rounds[0].annotations.merge(rounds[1].annotations)
    assert both.annotations == expected
    assert rows_of(rounds[0].merge()) == rows_of(rounds[0])


def test_bias_and_agreement_are_measured_over_all_rounds(rounds):
    both, whole = rounds[0].merge(rounds[1]), make_proposals(40)
    bias = agreement.fit_bias(both, whole)
    labels = bias.correct(both)
    # Of a person's answers to one image, the first with a proposal and without.
    first = {(row[0], row[1], row[3] == "None") for row in rows_of(both)}
    assert labels.counts.sum() == pytest.approx(len(first))
    blind = agreement.control_share(both)
    assert len(blind.records) == sum(
        len(agreement.control_share(one).records) for one in rounds
    )


def test_what_is_no_review_of_the_kind_is_refused(rounds, tmp_path):
    with pytest.raises(TypeError, match=r"Only reviews.*Annotations"):
        rounds[0].merge(rounds[1].annotations)
    none = read_round(tmp_path, 3, make_proposals(9), mode="none")
    with pytest.raises(ValueError, match=r"'dc3' and 'none'; merge their"):
        rounds[0].merge(none)
    other = rounds[1].with_classes(["cat", "dog", "deer"], {"red deer": "deer"})
    with pytest.raises(AnnotationError, match="The classes do not fit"):
        rounds[0].merge(other)


def test_classes_change_in_answers_and_proposals(rounds):
    before = rounds[0]
    after = before.with_classes(["pet", "red deer", "fox"], dict(cat="pet", dog="pet"))
    new = {"cat": "pet", "dog": "pet"}
    expected = [
        (*row[:2], *(new.get(name, name) for name in row[2:4]), *row[4:])
        for row in rows_of(before)
    ]
    accepted = [(*r[:5], r[2] == r[3] and r[3] != "None", *r[6:]) for r in expected]
    assert rows_of(after) == sorted(accepted)
    assert after.annotations.class_names == ("pet", "red deer", "fox")
    grown = before.with_classes([*NAMES, "fox"])
    np.testing.assert_array_equal(grown.proposed, before.proposed)
    assert grown.merge(rounds[1]).annotations.class_names == (*NAMES, "fox")
    with pytest.raises(ValueError, match=r"'cat' cannot be left out of a review"):
        before.with_classes(["dog", "red deer"], {"cat": None})
