"""The first card says what the proposals are worth."""

from tests.proposals.test_worth import judged
from tests.review.driving import begin, seen, write
from tests.review.helpers import make_proposals


def test_pages_hold_the_verdict_unless_nothing_is_proposed(tmp_path):
    proposals = make_proposals()
    _, page = write(tmp_path, proposals)
    assert len(page["verdict"]) == 1 and "not measured" in page["verdict"][0]
    proposals.verdict = judged(good=False)
    for mode, number in {"dc3": 7, "classes": 7, "none": 0}.items():
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


def test_people_read_it_before_they_start(tmp_path, visit):
    proposals = make_proposals()
    proposals.verdict = judged(good=False)
    path, content = write(tmp_path, proposals)
    page = visit(path)
    card = page.inner_text(".card")
    for sentence in content["verdict"]:
        assert sentence in card
    begin(page)
    assert seen(page)["kind"] in ("group", "single")
    assert page.locator(".verdict").count() == 0
