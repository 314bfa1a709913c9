"""Which images to ask about next: gains, settled images, actions, bad input."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import review
from keras_dc3.annotations import Annotations, Records
from keras_dc3.proposals import Proposals
from keras_dc3.proposals.belief import answer_gain, beliefs, fit_weight
from tests.proposals.helpers import NAMES, make_proposals
from tests.review.helpers import answer, content, save


def alone(p, ambiguity=0.9, names=("cat", "dog")):
    """Images a, b, c, ... in clusters of their own, which are asked about alone."""
    n = len(p)
    return Proposals.from_columns(
        [chr(ord("a") + i) for i in range(n)],
        np.broadcast_to(ambiguity, n),
        p,
        np.arange(n),
        np.ones(n),
        names,
    )


def answers(*rows, names=("cat", "dog")):
    """Annotations of (image, annotator, label)."""
    return Annotations.from_records(rows, class_names=names)


def naive_gain(belief):
    """The mutual information of two answers, by plain loops."""
    total, found = sum(belief), 0.0
    for c, d in itertools.product(range(len(belief)), repeat=2):
        after = (belief[d] + (c == d)) / (total + 1)
        found += belief[c] / total * after * math.log(after / (belief[d] / total))
    return found


@given(st.lists(st.floats(1e-3, 50), min_size=1, max_size=6))
def test_the_gain_is_that_of_a_plain_computation(belief):
    found = answer_gain(np.array([belief]))[0]
    assert found == pytest.approx(naive_gain(belief), abs=1e-9)
    assert found >= 0


def test_the_gain_is_the_decrease_of_the_expected_divergence(rng):
    belief = np.array([0.4, 1.3, 2.0])
    truth = rng.dirichlet(belief, 400_000)

    def divergence(guess):
        return (truth * np.log(truth.clip(1e-300) / guess)).sum(axis=1)

    label = (truth.cumsum(axis=1) < rng.random((len(truth), 1))).sum(axis=1)
    before = divergence(belief / belief.sum())
    after = divergence((belief + np.eye(3)[label.clip(0, 2)]) / (belief.sum() + 1))
    assert answer_gain(belief[None])[0] == pytest.approx(
        (before - after).mean(), abs=5e-3
    )


def test_what_the_model_is_unsure_about_comes_first():
    proposals = alone([[0.99, 0.01], [0.5, 0.5], [0.8, 0.2], [0.5, 0.5]])
    asked = proposals.next(budget=10)
    assert asked.ids == ("b", "d", "c", "a")  # of equals the first
    gains = [q.gain for q in asked]
    beliefs = [[0.5, 0.5], [0.5, 0.5], [0.77, 0.23], [0.941, 0.059]]
    assert gains == pytest.approx([naive_gain(b) for b in beliefs])
    assert proposals.next(budget=2).ids == ("b", "d")
    assert asked.gain == pytest.approx(sum(gains)) and asked.actions == 4
    heavy = proposals.next(budget=1, model_weight=4)
    assert heavy.gain == pytest.approx(naive_gain([2, 2]))


def test_answers_count():
    proposals = alone([[0.5, 0.5]] * 3)
    told = answers(("a", "ann", "cat"), ("b", "ann", "cat"), ("b", "ben", "dog"))
    asked = proposals.next(budget=3, annotations=told, model_weight=1)
    assert asked.ids == ("c", "a", "b")
    assert asked[1].gain == pytest.approx(naive_gain([1.5, 0.5]))
    assert asked[2].gain == pytest.approx(naive_gain([1.5, 1.5]))
    review = SimpleNamespace(annotations=told)
    assert proposals.next(3, review, model_weight=1).ids == asked.ids


def naive_likelihood(weight, prior, counts):
    """Log probability of the answers one by one, by Polya's urn."""
    found = -0.5 * (math.log2(weight) / 1.5) ** 2
    for mean, row in zip(prior, counts, strict=True):
        belief, left = weight * mean, list(row)
        for c, number in enumerate(left):
            for _ in range(number):
                found += math.log(belief[c] / belief.sum())
                belief = belief + np.eye(len(mean))[c]
    return found


@given(seed=st.integers(0, 1000), n=st.integers(1, 30), most=st.integers(0, 6))
def test_the_weight_of_the_model_explains_the_answers_best(seed, n, most):
    rng = np.random.default_rng(seed)
    prior = rng.dirichlet([1, 1, 2], n)
    counts = rng.integers(0, most + 1, (n, 3))
    weights = 2.0 ** np.arange(-4, 7)
    likelihood = [naive_likelihood(w, prior, counts) for w in weights]
    assert naive_likelihood(fit_weight(prior, counts), prior, counts) == pytest.approx(
        max(likelihood)
    )


@pytest.mark.parametrize("weight", [0.25, 2.0, 16.0])
def test_a_known_weight_is_found(rng, weight):
    p = rng.dirichlet(np.ones(4), 2000)
    prior = 0.9 * p + 0.1 / 4
    truth = rng.gamma(weight * prior)
    counts = rng.multinomial(4, truth / truth.sum(axis=1, keepdims=True))
    assert fit_weight(prior, counts) == weight
    assert beliefs(p, counts) == pytest.approx(weight * prior + counts)


def test_single_answers_tell_no_weight(rng):
    p = rng.dirichlet(np.ones(4), 500)
    assert fit_weight(p, np.eye(4)[rng.integers(0, 4, 500)]) == 1
    assert fit_weight(p, np.zeros((500, 4))) == 1


def test_images_nobody_disagrees_on_are_not_asked_twice():
    # Certain: a, b, c. The model says cat everywhere.
    proposals = alone([[0.8, 0.2]] * 8, ambiguity=[0.1] * 3 + [0.9] * 5)
    told = answers(
        ("a", "ann", "cat"),  # the model agrees: settled
        ("b", "ann", "dog"),  # the model disagrees
        ("d", "ann", "cat"),  # one voice, as the model is unsure
        ("e", "ann", "dog"),
        ("e", "ben", "dog"),  # two voices: settled, whatever the model says
        ("f", "ann", "cat"),
        ("f", "ben", "cat"),
        ("f", "cyd", "dog"),  # somebody disagrees
        ("g", "ann", None),  # cannot tell
    )
    asked = proposals.next(budget=100, annotations=told)
    assert set(asked.ids) == {"b", "c", "d", "f", "g", "h"}
    assert asked.settled == 2
    strict = proposals.next(budget=100, annotations=told, agreeing=3)
    assert set(strict.ids) == set(proposals.ids) and strict.settled == 0
    once = proposals.next(budget=100, annotations=told, agreeing=1)
    assert set(once.ids) == {"c", "f", "g", "h"}


def test_one_person_who_says_the_same_again_is_one_voice():
    with pytest.warns(UserWarning, match="again"):
        told = answers(("a", "ann", "dog"), ("a", "ann", "dog"))
    assert alone([[0.5, 0.5]]).next(5, told).ids == ("a",)


def test_nothing_is_left_to_ask():
    proposals = alone([[0.5, 0.5]])
    told = answers(("a", "ann", "dog"), ("a", "ben", "dog"))
    asked = proposals.next(5, told)
    assert len(asked) == 0 and asked.ids == () and asked.gain == 0
    assert "1 image is settled" in str(asked) and len(asked.proposals) == 0
    assert make_proposals(0).next(5).ids == ()
    one_class = alone([[1.0]] * 2, names=("cat",))
    assert one_class.next(5).ids == ()  # no answer tells anything


def grouped(sure=0.9, n=20):
    """n certain cats and one image that could be anything."""
    p = [[sure, 1 - sure]] * n + [[0.5, 0.5]]
    return Proposals.from_columns(
        [f"cat_{i:02d}" for i in range(n)] + ["unsure"],
        [0.1] * n + [0.9],
        p,
        np.zeros(n + 1, int),
        np.ones(n + 1),
        ("cat", "dog"),
    )


def test_a_group_costs_few_actions():
    asked = grouped().next(budget=100)
    group = next(q for q in asked if q.kind == "group")
    change = 1 - (0.9 * 0.9 + 0.05)
    assert group.name == "class cat" and group.label == 0 and len(group.ids) == 20
    assert group.actions == pytest.approx(1 + 2 * 20 * change)
    assert group.gain == pytest.approx(20 * naive_gain([0.86, 0.14]))
    assert {q.ids for q in asked if q.kind == "image"} == {("unsure",)}
    ratios = [q.gain / q.actions for q in asked]
    assert ratios == sorted(ratios, reverse=True)
    assert asked.proposals.ids == asked.ids
    assert "20 images" in str(group) and "21 images" in str(asked)


def test_a_group_of_wrong_images_is_asked_about_one_by_one():
    """Two actions for most of the images cost more than one for each."""
    assert {q.kind for q in grouped(sure=0.5).next(budget=100)} == {"image"}
    assert {q.kind for q in grouped(n=1).next(budget=100)} == {"image"}


def test_a_group_is_cut_where_the_budget_ends():
    asked = grouped().next(budget=3)
    assert [q.kind for q in asked] == ["group"]
    assert len(asked.ids) == int((3 - 1) / (2 * 0.14))  # one action to accept
    assert 2.7 < asked.actions <= 3


def plain_best(gain, actions):
    """The largest gain per action of all parts that are cheaper than alone."""
    parts = itertools.chain.from_iterable(
        itertools.combinations(range(len(gain)), size)
        for size in range(1, len(gain) + 1)
    )
    return max(
        sum(gain[i] for i in part) / cost
        for part in parts
        if (cost := 1 + sum(actions[i] for i in part)) < len(part)
    )


@given(seed=st.integers(0, 10_000), n=st.integers(3, 8))
def test_a_group_begins_with_its_best_part(seed, n):
    """Among all its parts none has more gain per action than the first chosen one."""
    from keras_dc3.proposals import asking

    sure = np.random.default_rng(seed).uniform(0.6, 1, n)
    proposals = Proposals.from_columns(
        [f"{i}" for i in range(n)],
        np.zeros(n),
        np.stack([sure, 1 - sure], axis=1),
        np.zeros(n, int),
        np.ones(n),
        ("cat", "dog"),
    )
    belief = 0.9 * proposals.class_probabilities + 0.05
    gain = answer_gain(belief)
    everything = np.ones(n, bool)
    found = asking._candidates(proposals, proposals.groups(), gain, belief, everything)
    if found.group[0] < 0:
        return
    ratio = gain[found.rows[0]].sum() / (1 + found.actions[0].sum())
    assert ratio == pytest.approx(plain_best(gain, 2 * (1 - belief[:, 0])))


@given(
    seed=st.integers(0, 1000),
    n=st.integers(0, 60),
    budget=st.integers(1, 80),
    people=st.integers(0, 3),
)
def test_what_always_holds(seed, n, budget, people):
    proposals = make_proposals(n, seed=seed, clusters=4)
    rng = np.random.default_rng(seed)
    told = None
    if people and n:
        rows = [
            (name, f"p{person}", NAMES[rng.integers(3)])
            for name in proposals.ids
            for person in range(people)
            if rng.random() < 0.7
        ]
        told = answers(*rows, names=NAMES) if rows else None
    asked = proposals.next(budget, told)
    assert len(set(asked.ids)) == len(asked.ids)
    assert set(asked.ids) <= set(proposals.ids)
    assert asked.actions <= budget + 1e-6
    if n and not asked.settled:
        assert asked.ids
    again = proposals.next(budget, told)
    assert again.questions == asked.questions
    more = proposals.next(10 * n + 1, told)
    assert len(more.ids) + more.settled == n
    for question in asked:
        assert question.gain > 0 and question.actions > 0
        if question.kind == "group":
            group = [g for g in proposals.groups() if set(question.ids) <= set(g.ids)]
            assert len(group) == 1 and group[0].proposed_class == question.label


def test_a_budget_that_is_too_small_for_a_group_asks_about_images_alone():
    asked = grouped(n=4, sure=0.8).next(budget=1)
    assert [(q.kind, len(q.ids)) for q in asked] == [
        ("image", 1)
    ] and asked.actions == 1
    for budget in range(1, 12):
        asked = grouped(sure=0.95).next(budget)
        assert asked.actions <= budget + 1e-9
        if len(asked.ids) < 21:
            assert asked.actions > budget - 1  # else an image alone would fit
        for question in asked:  # no group costs more than its images alone
            assert question.kind == "image" or question.actions < len(question.ids)


def test_a_group_that_is_dearer_than_its_images_alone(rng):
    """The best part of a group may be a single image."""
    proposals = Proposals.from_columns(
        list("abcd"),
        np.zeros(4),
        [[0.7, 0.15, 0.15]] * 4,
        [0] * 4,
        [1.0] * 4,
        list("xyz"),
    )
    counts = [[0, 0, 0]] + [[6, 1, 1]] * 3
    told = Annotations(tuple("abcd"), tuple("xyz"), counts=counts)
    for budget in (1, 2, 3, 4):
        asked = proposals.next(budget, told, model_weight=1.0)
        assert all(q.kind == "image" or q.actions < len(q.ids) for q in asked)
        assert asked.actions <= budget + 1e-9 and len(asked.ids) >= min(budget, 4)


def test_a_sheet_of_questions_asks_them(tmp_path):
    pytest.importorskip("PIL.Image")
    proposals = make_proposals(60, seed=0, clusters=4)
    asked = proposals.next(budget=15)
    groups = {q.name: (q.label, q.ids) for q in asked if q.kind == "group"}
    single = [q.ids[0] for q in asked if q.kind == "image"]
    assert groups and single
    images = np.zeros((len(asked.ids), 8, 8, 3), "uint8")
    (path,) = asked.to_review(tmp_path / "a.html", images, control=0.0)
    page = content(path)
    shown = {
        s["name"]: (s["label"], tuple(page["images"][i] for i in s["images"]))
        for s in page["steps"]
        if s["kind"] == "group"
    }
    assert shown == groups
    blind = [s for s in page["steps"] if s["kind"] == "blind"]
    assert sorted(page["images"][s["images"][0]] for s in blind) == sorted(single)
    assert {s["name"] for s in blind} == {"alone"}
    names = {image: NAMES[label] for label, ids in groups.values() for image in ids}
    assert asked.proposed == names
    (path,) = asked.to_review(tmp_path / "b.html", images, control=0.4)
    page = content(path)
    of = [s["name"] for s in page["steps"] if s["kind"] == "blind" and not s["again"]]
    assert of.count("alone") == len(single)
    assert len(of) - len(single) == int(0.4 * len(names) + 0.5)
    file = answer(path)
    assert {r["group"] for r in file["annotations"] if not r["proposed"]} == {
        "alone",
        "",
    }
    found = review.read(save(tmp_path / "a.json", file), proposals=asked.proposals)
    assert not found.notes and (found.group == "alone").sum() == len(single)
    told = answers(("a", "ann", "dog"), ("a", "ben", "dog"))
    nothing = alone([[0.5, 0.5]]).next(5, told)
    with pytest.raises(TypeError, match="mode"):
        asked.to_review(tmp_path / "c.html", images, mode="none")
    with pytest.raises(ValueError, match="no question is left"):
        nothing.to_review(tmp_path / "c.html", images)


def test_classes_in_another_order_and_images_without_proposal():
    proposals = alone([[0.8, 0.2]] * 2, ambiguity=0.1)
    told = answers(
        ("b", "ann", "cat"), ("elsewhere", "ann", "dog"), names=("dog", "cat")
    )
    assert proposals.next(5, told).ids == ("a",)


def test_counts_without_records_and_fractions():
    told = Annotations(("a", "b"), ("cat", "dog"), counts=[[2, 0], [0.5, 0.5]])
    assert alone([[0.5, 0.5]] * 2).next(5, told).ids == ("b",)


@pytest.mark.parametrize(
    ("arguments", "error", "told"),
    [
        ({"budget": 0}, ValueError, "budget"),
        ({"budget": 2.5}, ValueError, "budget"),
        ({"budget": True}, ValueError, "budget"),
        ({"budget": 5, "model_weight": 0}, ValueError, "model_weight"),
        ({"budget": 5, "model_weight": math.nan}, ValueError, "model_weight"),
        ({"budget": 5, "agreeing": 0}, ValueError, "agreeing"),
        ({"budget": 5, "annotations": [("a", "cat")]}, TypeError, "a review.*list"),
        (
            {"budget": 5, "annotations": answers(("a", "x", "eel"), names=("eel",))},
            ValueError,
            r"classes of the proposals.*'cat', 'dog'.*\['eel'\]",
        ),
    ],
)
def test_bad_input(arguments, error, told):
    with pytest.raises(error, match=told):
        alone([[0.5, 0.5]]).next(**arguments)


def test_answers_to_other_images_play_no_part(recwarn):
    # As in a second round, where all answered images are labeled by now.
    asked = alone([[0.5, 0.5]]).next(5, answers(("z.png", "x", "cat")))
    assert asked.ids == ("a",) and not recwarn.list


@pytest.mark.parametrize("name", ["A.png", "fish/a", "Fish/A.PNG"])
def test_answers_lost_for_a_small_difference_are_told(name):
    with pytest.warns(UserWarning, match=rf"1 image has no.*{name!r} and 'a'"):
        alone([[0.5, 0.5]]).next(5, answers((name, "x", "cat")))


def test_what_is_asked_in_words():
    told = str(alone([[0.5, 0.5]]).next(1))
    assert told.startswith("Ask about 1 image, one by one: about 1 action, from which")
    assert told.endswith("; 0 images are settled.")


def test_a_class_that_nobody_chose_may_lack(recwarn):
    given = answers(("a", "x", "cat"), ("a", "y", "cat"), names=("cat",))
    assert alone([[0.5, 0.5]]).next(5, given).settled == 1
    assert not recwarn.list


def test_bad_images_are_not_asked_about_again():
    proposals = Proposals(
        ["a.png", "b.png"], [1.0, 1.0], [[0.5, 0.5]] * 2, np.eye(2), ["x", "y"]
    )
    records = Records([0, 0, 1], [0, 1, 0], [-1, -1, -1], [1.0] * 3, [2, 2, 3])
    people = ["anna", "ben"]
    answers = Annotations(["a", "b"], ["x", "y"], annotators=people, records=records)
    with pytest.warns(UserWarning, match="2 images were written without the ext"):
        assert proposals.next(9, answers).ids == ("b.png",)
    assert set(proposals.next(9).ids) == {"a.png", "b.png"}
