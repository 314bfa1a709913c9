"""Pages with answers, and a real browser, for the tests of the review sheet."""

import os
import shutil

import pytest

from tests.review.helpers import answer, as_csv, make_images, make_proposals, save

# People look before they answer: each key or click comes 0.3 s after the one before.
UNHURRIED = """{
  const real = performance.now.bind(performance);
  let ahead = 0;
  performance.now = () => real() + ahead;
  for (const name of ["keydown", "pointerdown"])
    addEventListener(name, () => { ahead += 300; }, true);
}"""


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; skips the test where it or its driver is not installed."""
    sync_api = pytest.importorskip(
        "playwright.sync_api", reason="no driver of browsers: pip install playwright"
    )
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip("no Chromium in the PATH: install Debian's package `chromium`")
    # As root, as in a container, Chromium cannot make its sandbox.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_api.sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=path, args=["--no-sandbox"] if root else []
        )
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, tmp_path):
    """Opens pages in one browser profile; faults on them fail the test.

    With `hurried`, keys and clicks follow each other as fast as they are sent. Errors
    that hold the text `expected` are no faults.
    """
    contexts, faults = {}, []

    def open_page(path, name="", script=None, hurried=False, expected=None, **options):
        if name not in contexts:
            contexts[name] = browser.new_context(
                viewport={"width": 1280, "height": 860}, **options
            )
            contexts[name].set_default_timeout(20_000)
        page = contexts[name].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))

        def hear(told):
            if told.type == "error" and (not expected or expected not in told.text):
                faults.append(told.text)

        page.on("console", hear)
        page.on(
            "request",
            lambda sent: (
                None
                if sent.url.startswith(("file:", "data:", "blob:"))
                else faults.append(sent.url)
            ),
        )
        if not hurried:
            page.add_init_script(UNHURRIED)
        if script:
            page.add_init_script(script)
        page.goto(f"file://{path}")
        return page

    yield open_page
    for context in contexts.values():
        context.close()
    assert not faults


@pytest.fixture
def page(tmp_path):
    """Writes a page and returns its path."""

    def write(proposals=None, images=None, mode="dc3", **options):
        proposals = make_proposals() if proposals is None else proposals
        images = make_images(len(proposals)) if images is None else images
        (path,) = proposals.to_review(tmp_path / "review.html", images, mode, **options)
        return path

    return write


@pytest.fixture
def saved(page, tmp_path):
    """Answers a page, changes the file, and returns its path."""

    def write(change=lambda file: None, name="anna.json", **options):
        file = answer(page(), **options)
        change(file)
        if name.endswith(".csv"):
            path = tmp_path / name
            path.write_bytes(as_csv(file).encode())
            return path
        return save(tmp_path / name, file)

    return write
