"""Which image is asked for when."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.review.plan import Step, blind_pages, group_pages

SHARES = st.floats(0.0, 1.0)
SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=8)
SEEDS = st.integers(0, 1000)


def make_groups(sizes):
    """Groups of these sizes, images numbered throughout, three medoids at most."""
    starts = [sum(sizes[:i]) for i in range(len(sizes))]
    return [
        Step(
            tuple(str(start + i) for i in range(size)),
            f"cluster {number}",
            label=0,
            medoids=min(3, size),
        )
        for number, (start, size) in enumerate(zip(starts, sizes, strict=True))
    ]


def check_blind(steps, repetitions):
    """Each image once; repetitions as many as asked for, and far from the first."""
    first = [step.ids[0] for step in steps if not step.again]
    again = [step.ids[0] for step in steps if step.again]
    assert len(set(first)) == len(first) and len(set(again)) == len(again)
    assert len(again) == min(int(repetitions * len(first) + 0.5), len(first) // 2)
    order = [(step.ids[0], step.again) for step in steps]
    for name in again:
        assert order.index((name, True)) - order.index((name, False)) >= len(first) / 2


@given(n=st.integers(1, 80), repetitions=SHARES, seed=SEEDS, most=st.integers(1, 90))
def test_blind_pages(n, repetitions, seed, most):
    ids = [str(i) for i in range(n)]
    pages = blind_pages(ids, repetitions, seed, most)
    assert pages == blind_pages(ids, repetitions, seed, most)
    assert sorted(s.ids[0] for p in pages for s in p if not s.again) == sorted(ids)
    for page in pages:
        assert len({step.ids[0] for step in page}) <= most
        check_blind(page, repetitions)


@given(SIZES, SHARES, SHARES, SEEDS, st.integers(1, 50))
def test_group_pages(sizes, control, repetitions, seed, most):
    groups = make_groups(sizes)
    pages = group_pages(groups, control, repetitions, seed, most)
    assert pages == group_pages(groups, control, repetitions, seed, most)
    seen = Counter()
    for page in pages:
        members = [i for step in page if step.is_group for i in step.ids]
        blind = [step for step in page if not step.is_group]
        alone = {step.ids[0] for step in blind}
        seen.update(members)
        seen.update(alone)
        assert len(members) + len(alone) <= most
        assert len(alone) == int(control * (len(members) + len(alone)) + 0.5)
        check_blind(blind, repetitions)
        for step in page:
            assert not step.is_group or (step.ids and step.medoids <= len(step.ids))
    assert seen == Counter(name for group in groups for name in group.ids)


@given(SIZES)
def test_whole_groups_stay_in_order(sizes):
    groups = make_groups(sizes)
    (page,) = group_pages(groups, 0.0, 0.5, 0, sum(sizes))
    assert page == groups


def test_blind_blocks_are_spread():
    (page,) = group_pages(make_groups([50] * 6), 0.1, 0.0, 0, 1000)
    kinds = "".join("g" if step.is_group else "b" for step in page)
    assert kinds == ("g" + "b" * 10 + "g") * 3


def check_spread(page, longest=20, tolerance=0.04):
    """Blind images stand as early and as late as the others, in short blocks."""
    kinds = [step.is_group for step in page for _ in step.ids]
    blind = [place for place, group in enumerate(kinds) if not group]
    shown = [place for place, group in enumerate(kinds) if group]
    difference = sum(blind) / len(blind) - sum(shown) / len(shown)
    assert abs(difference) <= tolerance * len(kinds)
    text = "".join("g" if group else "b" for group in kinds)
    assert max(map(len, text.split("g"))) <= longest
    assert max(len(step.ids) for step in page) <= 100


def test_blind_images_are_spread_over_images_not_groups():
    sizes = [5000], [150] * 10, [900, 400, 200, 100, *[20] * 20], [*[20] * 40, 700]
    for one in sizes:
        for page in group_pages(make_groups(one), 0.1, 0.05, 0, 2000):
            check_spread(page)


@given(st.lists(st.integers(1, 900), min_size=1, max_size=40), SEEDS)
def test_blind_images_of_any_groups_are_spread(sizes, seed):
    (page,) = group_pages(make_groups([500, *sizes]), 0.1, 0.0, seed, 99_999)
    check_spread(page, longest=30, tolerance=0.1)


def test_parts_of_a_large_group_are_alike():
    (group,) = make_groups([10])
    pages = group_pages([group], 0.0, 0.0, 0, 4)
    assert [step.ids for page in pages for step in page] == [
        ("0", "3", "6", "9"),
        ("1", "4", "7"),
        ("2", "5", "8"),
    ]
    assert [step.medoids for page in pages for step in page] == [1, 1, 1]
    assert pages[0][0].description.strip() == "(part 1 of 3)"
