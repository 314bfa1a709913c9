"""Rounds that follow each other: what is settled, and sheets read back alone."""

import warnings

import numpy as np
import pytest

from keras_dc3 import agreement, review
from keras_dc3.annotations import AnnotationError
from keras_dc3.proposals import Proposals, asking
from tests.review.helpers import (
    NAMES,
    answer,
    as_csv,
    content,
    make_images,
    make_proposals,
    save,
)

N = 40
WHOLE = make_proposals(N)
IMAGES = dict(zip(WHOLE.ids, make_images(N), strict=True))
TRUE = dict(zip(WHOLE.ids, np.random.default_rng(1).integers(0, 3, N), strict=True))


def sure_proposals():
    """Those that are cheaper to ask about in groups, but for some images."""
    p = np.full((N, 3), 0.05)
    p[np.arange(N), np.arange(N) % 3] = 0.9
    p[30:] = 1 / 3
    clusters = np.eye(4)[np.arange(N) % 4]
    return Proposals(
        WHOLE.ids, np.where(p.max(axis=1) > 0.5, 0.2, 0.8), p, clusters, NAMES
    )


def ask(asked, folder, number, people=("anna",), **options):
    """Writes the sheet of a round; returns the files that people download."""
    path = folder / f"round-{number}.html"
    (path,) = asked.to_review(path, IMAGES, seed=number, **options)

    def choose(image, proposed):  # everybody sees the same, but for some images
        return int(TRUE[image])

    return [
        save(folder / f"{name}-{number}.json", answer(path, name, choose))
        for name in people
    ]


def quiet(files, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return review.read(files, **options)


def test_a_sheet_of_next_reads_back_with_nothing_but_the_file(tmp_path):
    whole = sure_proposals()
    asked = whole.next(budget=25)
    assert {question.kind for question in asked} == {"group", "image"}
    files = ask(asked, tmp_path, 1, ("anna", "ben"), control=0.3)
    alone = quiet(files)
    assert set(alone.annotations.ids) == set(asked.ids)
    assert alone.annotations.class_names == whole.class_names
    for proposals in (asked.proposals, whole):
        found = quiet(files, proposals=proposals)
        assert set(found.annotations.ids) == set(asked.ids)
        assert set(zip(found.group, found.proposed, strict=True)) == set(
            zip(alone.group, alone.proposed, strict=True)
        )
        by_id = [
            dict(zip(one.annotations.ids, one.annotations.counts.tolist(), strict=True))
            for one in (found, alone)
        ]
        assert by_id[0] == by_id[1]
    blind = alone.proposed < 0
    shown = {alone.annotations.ids[i] for i in alone.annotations.records.image[~blind]}
    assert shown <= set(asked.proposed)
    assert blind.any() and shown
    steps = whole.steps("dc3")  # all proposals tell what a sheet of some proposes
    said = {name: whole.class_names[step.label] for step in steps for name in step.ids}
    assert asked.proposed.items() <= said.items()
    corrected = agreement.fit_bias(alone, whole).correct(alone)
    assert corrected.counts.sum() == pytest.approx(alone.annotations.counts.sum())


def test_a_csv_of_next_is_read_alone_too(tmp_path):
    asked = WHOLE.next(budget=12)
    (file,) = ask(asked, tmp_path, 1)
    json_ = quiet(file)
    table = tmp_path / "anna.csv"
    page = content(tmp_path / "round-1.html")
    said = answer(tmp_path / "round-1.html", "anna", lambda image, _: int(TRUE[image]))
    assert page["images"]
    table.write_text(as_csv(said), "utf-8")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # classes that nobody chose are not known
        found = review.read(table)
    order = {name: i for i, name in enumerate(found.annotations.ids)}
    rows = [order[name] for name in json_.annotations.ids]
    np.testing.assert_array_equal(
        found.annotations.with_classes(WHOLE.class_names).counts[rows],
        json_.annotations.counts,
    )


def test_a_sheet_of_several_pages_needs_all_of_them_to_be_known(tmp_path):
    asked = WHOLE.next(budget=30)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pages = asked.to_review(
            tmp_path / "round.html", IMAGES, max_images_per_page=10, repetitions=0
        )
    assert len(pages) > 1
    files = [
        save(tmp_path / f"{i}.json", answer(page, session=f"s{i}"))
        for i, page in enumerate(pages)
    ]
    assert set(quiet(files, proposals=WHOLE).annotations.ids) == set(asked.ids)
    assert len(quiet(files[0]).annotations.ids) <= 10
    with pytest.raises(AnnotationError, match="ids of the images differ"):
        review.read(files[0], proposals=WHOLE)
    other = make_proposals(N, [f"other_{i}" for i in range(N)])
    with pytest.raises(AnnotationError, match="ids of the images differ"):
        review.read(files, proposals=other)


@pytest.mark.parametrize("agreeing", [2, 3])
def test_what_earlier_rounds_settled_is_not_asked_again(tmp_path, agreeing):
    """Over rounds of single reviewers, until nothing is left to ask."""
    answers, settled = None, []
    for number in range(1, 9):
        asked = WHOLE.next(budget=60, annotations=answers, agreeing=agreeing)
        counts = asking.counts_of(WHOLE, answers)
        votes = counts.sum(axis=1)
        backed = (WHOLE.decision == "certain") & (
            counts.argmax(axis=1) == WHOLE.class_index
        )
        done = (votes > 0) & (votes + backed >= agreeing)  # all say the same here
        expected = {
            name for name, is_done in zip(WHOLE.ids, done, strict=True) if is_done
        }
        assert not expected & set(asked.ids) and asked.settled == len(expected)
        settled.append(asked.settled)
        if not len(asked):
            break
        read = quiet(ask(asked, tmp_path, number, (f"person {number}",), control=0))
        answers = read if answers is None else answers.merge(read)
    assert settled[0] == 0 and settled == sorted(settled)
    assert settled[-1] == N and not len(asked)
    found = WHOLE.next(budget=60, annotations=answers.annotations, agreeing=agreeing)
    assert not len(found)


def test_each_round_asks_with_the_proposals_of_its_own_model(tmp_path):
    """Another model proposes in round 2, of which one class has another name."""
    first = WHOLE.next(budget=25)
    answers = quiet(ask(first, tmp_path, 1, ("anna", "ben")))
    names = ("cat", "wolf", "red deer", "fox")
    later = make_proposals(N, names=names, seed=5)
    with pytest.raises(ValueError, match=r"`with_classes` of either"):
        later.next(budget=25, annotations=answers)
    carried = answers.with_classes(names, {"dog": "wolf"})
    second = later.next(budget=25, annotations=carried)
    # Two equal answers settle whatever the new model thinks of an image.
    assert not set(first.ids) & set(second.ids)
    assert second.settled == len(first.ids)
    more = quiet(ask(second, tmp_path, 2, ("anna",)), proposals=later)
    both = carried.merge(more)
    assert len(both.annotations.records) == len(answers.annotations.records) + len(
        more.annotations.records
    )
    assert later.next(budget=25, annotations=both).settled >= second.settled


def test_an_image_on_which_people_disagree_stays_open(tmp_path):
    asked = WHOLE.next(budget=10)
    files = ask(asked, tmp_path, 1, ("anna", "ben"))
    said = answer(
        tmp_path / "round-1.html", "cem", lambda image, _: (int(TRUE[image]) + 1) % 3
    )
    answers = quiet([*files, save(tmp_path / "cem.json", said)])
    again = WHOLE.next(budget=200, annotations=answers)
    assert again.settled == 0 and set(asked.ids) <= set(again.ids)
