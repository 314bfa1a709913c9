"""The pages show what the results hold, and all of it."""

import re
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))

import report  # noqa: E402


@pytest.fixture(scope="module")
def found():
    return report.sections()


def test_pages_are_drawn_from_the_results(found):
    """If this fails: python benchmarks/report.py."""
    drawn = {**report.pages(found), **report.redrawn(found)}
    old = [p.name for p, text in drawn.items() if p.read_text("utf-8") != text]
    assert old == []


def test_nothing_is_left_out(found):
    pages = report.pages(found)
    assert set(pages) == set((BENCHMARKS / "results").glob("*.md"))
    shown = {
        name for name, text in found.items() for page in pages.values() if text in page
    }
    for text in report.redrawn(found).values():
        shown |= set(re.findall(r"<!-- /(.*?) -->", text))
    assert shown == set(found)


def test_what_we_found_is_five_lines(found):
    lines = re.findall(r"^\d\. \*\*", found["findings"], flags=re.MULTILINE)
    assert len(lines) == 5
    assert "save no actions over class proposals" in found["findings"]
