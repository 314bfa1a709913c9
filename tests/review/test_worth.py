"""The first card asks for a name; what proposals are worth stands there closed."""

import pytest

from tests.proposals.test_worth import judged
from tests.review.driving import begin, seen, write
from tests.review.helpers import make_proposals


def test_pages_hold_the_verdict_unless_nothing_is_proposed(tmp_path):
    proposals = make_proposals()
    _, page = write(tmp_path, proposals)
    assert len(page["verdict"]) == 1 and "not measured" in page["verdict"][0]
    proposals.verdict = judged(good=False)
    for mode, number in {"dc3": 6, "classes": 6, "none": 0}.items():
        _, page = write(tmp_path, proposals, mode)
        assert len(page["verdict"]) == number
    _, page = write(tmp_path, proposals)
    assert page["verdict"][0].startswith("Verdict on the proposals on this page, from")
    assert "do not rely on it" in page["verdict"][1]


def test_another_verdict_does_not_lose_answers(tmp_path):
    proposals = make_proposals()
    _, before = write(tmp_path, proposals)
    proposals.verdict = judged(good=True)
    _, after = write(tmp_path, proposals)
    assert before["page"] == after["page"]


def test_people_are_asked_for_their_name_before_they_may_read_it(tmp_path, visit):
    proposals = make_proposals()
    proposals.verdict = judged(good=False)
    path, content = write(tmp_path, proposals)
    page = visit(path)
    card = page.inner_text(".card")
    assert "30 answers are asked for" in card and "accept the rest" in card
    assert "Images that come alone" in card  # the control share
    assert "Verdict" not in card and "%" not in card
    summary = page.locator(".verdict summary")
    assert summary.bounding_box()["y"] > page.locator("#name").bounding_box()["y"]
    summary.click()
    card = page.inner_text(".card")
    for sentence in content["verdict"]:
        assert sentence in card and "Not measured" not in sentence
    begin(page)
    assert seen(page)["kind"] in ("group", "single")
    assert page.locator(".verdict").count() == 0


@pytest.mark.parametrize(("number", "last"), [(3, "3"), (10, "9, 0"), (12, "9, 0")])
def test_the_keys_of_classes_are_told(number, last, tmp_path, visit):
    names = tuple(f"species {i}" for i in range(number))
    path, _ = write(tmp_path, make_proposals(12, names=names), "none")
    page = visit(path)
    card = page.inner_text(".card")
    assert "Say what each image shows." in card and "About the model" not in card
    begin(page)
    assert page.inner_text("#keys").startswith(f"1\N{EN DASH}{last} answer")
