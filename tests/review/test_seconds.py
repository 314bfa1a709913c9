"""How a review sheet counts the seconds of an answer."""

import json

import pytest

from tests.review.driving import (
    begin,
    download,
    write,
)
from tests.review.helpers import (
    make_proposals,
)

pytest.importorskip("PIL.Image")


def visit_with_clock(visit, path):
    """Opens a page whose time stands still, but for `page.clock.run_for`."""
    page = visit(path, hurried=True)
    page.clock.install(time=0)
    page.reload()
    page.clock.pause_at(600)
    begin(page)
    return page


def test_breaks_are_cut_off(visit, tmp_path):
    path, _ = write(tmp_path, mode="none")
    page = visit_with_clock(visit, path)
    for wait in (4, 600, 0.5):
        page.clock.run_for(wait * 1000)
        page.keyboard.press("1")
    file = json.loads(download(page, "json", tmp_path / "a.json").read_text("utf-8"))
    by_time = sorted(file["annotations"], key=lambda row: row["ended"])
    assert [row["seconds"] for row in by_time] == pytest.approx([4, 30, 0.5], abs=0.01)
    assert all(row["started"] <= row["ended"] for row in by_time)
    assert by_time[0]["ended"] == "1970-01-01T00:10:04.000Z"


def test_the_time_of_a_group_is_shared(visit, tmp_path):
    proposals = make_proposals(8)
    path, made = write(tmp_path, proposals, "classes", control=0.0)
    page = visit_with_clock(visit, path)
    page.clock.run_for(8000)
    page.keyboard.press("Enter")
    file = json.loads(download(page, "json", tmp_path / "a.json").read_text("utf-8"))
    size = len(made["steps"][0]["images"])
    assert len(file["annotations"]) == size and not file["finished"]
    times = {row["seconds"] for row in file["annotations"]}
    assert len(times) == 1 and times.pop() == pytest.approx(8 / size, abs=0.01)
