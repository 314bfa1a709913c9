"""A server of a page, and a browser that asks it."""

import pytest

from keras_dc3.serving import Server
from tests.review.conftest import UNHURRIED, browser
from tests.review.driving import write
from tests.review.helpers import make_proposals

__all__ = ["browser"]


@pytest.fixture
def sheet(tmp_path):
    """The path of a page on which 12 images come alone."""
    pytest.importorskip("aiohttp")
    pytest.importorskip("PIL.Image")
    return write(tmp_path, make_proposals(12), "none", repetitions=0.0)[0]


@pytest.fixture
def server(sheet):
    """A server of the page for Anna and Ben, which runs."""
    with Server(sheet, ["anna", "ben"], port=0) as running:
        yield running


@pytest.fixture
def look(browser):
    """Opens addresses, each name with a browser profile of its own."""
    contexts, faults = {}, []

    def open_page(address, name="anna", script=None):
        if name not in contexts:
            contexts[name] = browser.new_context(
                viewport={"width": 1280, "height": 860}
            )
            contexts[name].set_default_timeout(20_000)
        page = contexts[name].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.add_init_script(UNHURRIED)
        if script:
            page.add_init_script(script)
        page.goto(address)
        return page

    yield open_page
    for context in contexts.values():
        context.close()
    assert not faults
