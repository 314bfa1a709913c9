"""A scripted person's whole turn on a review sheet, and what is left of the answers."""

from __future__ import annotations

import json
import os
import random
import shutil
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import page_proposals
from page_hands import WAYS, WITNESS
from page_person import DOUBTFUL, Person

PAGES = ("before", "now", "now, new means", "now, doubtful images large")
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "device_scale_factor": 2,
    "is_mobile": True,
    "has_touch": True,
}
DESK = {"viewport": {"width": 1280, "height": 860}}
START = "2026-01-01T10:00:00"


def content_of(page: Path) -> dict[str, Any]:
    """Returns what stands in a page."""
    from keras_dc3.review import page as pages

    return pages.content_of(page.read_text("utf-8"))


def open_page(play: Any, path: Path, way: str) -> Any:
    """Returns a page in a new browser, begun by Anna; its clock stands still."""
    arguments = ["--disable-smooth-scrolling"]
    browser = play.chromium.launch(
        executable_path=shutil.which("chromium"),
        args=arguments + (["--no-sandbox"] if os.geteuid() == 0 else []),
    )
    page = browser.new_context(**(PHONE if way == "touch" else DESK)).new_page()
    page.set_default_timeout(60_000)
    page.clock.install(time=START)
    page.add_init_script(WITNESS)
    page.goto(path.as_uri())
    page.clock.pause_at("2026-01-01T11:00:00")
    page.fill("#name", "Anna")
    page.press("#name", "Enter")
    page.clock.run_for(1000)
    return page


def presses_to_cluster(play: Any, path: Path, way: str, by_new_means: bool) -> int:
    """Returns how many acts it takes from the start to the first cluster."""
    page = open_page(play, path, way)
    hands = WAYS[way](page, random.Random(0))
    while not hands.see()["title"].startswith("cluster"):
        (hands.to_cluster if by_new_means else hands.next)()
    page.context.browser.close()
    return sum(hands.acts.values())


def download(page: Any, path: Path) -> None:
    """Keeps the answers of a page as it gives them."""
    if page.is_hidden("#json"):
        page.click("#download")
    with page.expect_download() as started:
        page.click("#json")
    started.value.save_as(path)


def compare(path: Path, proposals: Any, person: Person) -> dict[str, int]:
    """Returns how many answers there are, are not as meant, and are wrong by slips."""
    from keras_dc3 import review

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = review.read(path, proposals=proposals)
    rows = read.annotations.records
    images = [proposals.ids[i] for i in rows.image.tolist()]
    keys = list(zip(images, read.repetition.tolist(), strict=True))
    found = dict(zip(keys, rows.label.tolist(), strict=True))
    meant = person.meant.answers()
    return {
        "answers": len(found),
        "lost": sum(found.get(key) != label for key, label in meant.items())
        + len(person.meant.items)
        - len(meant),
        "wrong by slips": sum(
            label != person.opinion[image] for (image, _), label in found.items()
        ),
    }


def work(job: tuple[str, str, int, str, str, str]) -> dict[str, Any]:
    """Lets a person work a page; returns what it took."""
    from playwright.sync_api import sync_playwright

    way, kind, seed, path, kept, folder = job
    proposals, _, counts = page_proposals.read(Path(kept))
    shares = counts / counts.sum(axis=1, keepdims=True)
    rng = np.random.default_rng([seed, 5])
    drawn = (rng.random(len(shares))[:, None] > shares.cumsum(axis=1)).sum(axis=1)
    opinion = dict(zip(proposals.ids, drawn.tolist(), strict=True))
    doubtful: set[str] = set()
    if kind == PAGES[3]:
        rows = np.flatnonzero(shares.max(axis=1) < DOUBTFUL)
        doubtful = {proposals.ids[row] for row in rows}
    with sync_playwright() as play:
        first = presses_to_cluster(play, Path(path), way, kind != "before")
        page = open_page(play, Path(path), way)
        hands = WAYS[way](page, random.Random(seed))
        new_means = kind == "now, new means"
        content = content_of(Path(path))
        slips = random.Random(f"slips of {seed}")
        person = Person(hands, content, opinion, doubtful, slips, new_means)
        person.work()
        answers = Path(folder) / f"{way}-{PAGES.index(kind)}-{seed}.json"
        download(page, answers)
        page.context.browser.close()
    told = json.loads(answers.read_text("utf-8"))["annotations"]
    result = compare(answers, proposals, person)
    number = result["answers"]
    return {
        "way": way,
        "page": kind,
        "seed": seed,
        **result,
        "seconds_per_image": hands.seconds / number,
        "seconds_per_image_by_page": sum(row["seconds"] for row in told) / number,
        "acts_per_image": sum(hands.acts.values()) / number,
        "acts": dict(hands.acts),
        "slips": dict(person.slips),
        "acts_to_first_cluster": first,
        "looked_at_large": len(person.looked_large),
    }
