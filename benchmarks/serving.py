"""How long a server of review sheets takes to keep an answer, with 50 people at once.

    python benchmarks/serving.py --output benchmarks/results/serving.json

Scripted people answer a page, each on a connection of their own: one answer a second
each, and without a pause. An answer takes from when it is sent until the server has
acknowledged it, which is after it is on the disk. After each turn the server is killed,
and what it has acknowledged is looked for in its file. People, server and disk are of
one machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import record
from absl import app, flags

import keras_dc3
from keras_dc3.review.answer_store import AnswerStore
from keras_dc3.review.page import content_of

FLAGS = flags.FLAGS
flags.DEFINE_integer("people", 50, "Who answer at the same time.", lower_bound=1)
flags.DEFINE_list("images", "300,2000", "Of the page; each number is measured.")
flags.DEFINE_float("seconds", 30.0, "Of a turn.", lower_bound=1.0)
flags.DEFINE_integer("turns", 3, "Measured turns of each pace.", lower_bound=1)
flags.DEFINE_integer("seed", 0, "Of labels and pauses.")
flags.DEFINE_string("folder", None, "On the disk; else that of temporary files.")
flags.DEFINE_string("output", None, "JSON file for the result.")
_CLASSES = ("cat", "dog", "red deer", "frog")
_WHEN = "2026-01-01T10:00:00.000Z"


def write_page(folder: Path, images: int) -> str:
    """Writes a page on which images come alone."""
    rng = np.random.default_rng(0)
    proposals = keras_dc3.Proposals(
        [f"pictures/image-{number:05d}.png" for number in range(images)],
        rng.random(images),
        rng.dirichlet(np.ones(len(_CLASSES)), images),
        rng.dirichlet(np.ones(8), images),
        _CLASSES,
    )
    pixels = rng.integers(0, 256, (images, 16, 16, 3), "uint8")
    return proposals.to_review(folder / "review.html", pixels, "none", repetitions=0)[0]


class Person:
    """One who answers, as a page sends it; half of the images have an answer before.

    Args:
        name: of the person.
        address: to answer at.
        content: of the page.
        seed: of labels and pauses.
    """

    def __init__(self, name: str, address: str, content: dict[str, Any], seed: int):
        self.name, self.rng = name, random.Random(seed)
        self.address = f"{address}{content['page']}/state"
        self.images, self.classes = content["images"], content["classes"]
        keys = ("title", "mode", "fingerprint", "page", "page_number", "pages", "seed")
        self.file = {
            **{"format": "keras_dc3 review", "version": 1},
            **{key: content[key] for key in keys},
            **{"annotator": name, "session": f"session {seed}", "started": _WHEN},
            **{"saved": _WHEN, "finished": False, "openings": [["first", 0]]},
            **{"classes": self.classes, "images": self.images},
        }
        self.labels: dict[int, int] = {}
        self.rows: dict[int, str] = {}
        self.own: dict[int, str] = {}
        self.changes = 0
        for number in range(len(self.images) // 2):
            self.choose(number)
        self.acknowledged: tuple[int, dict[int, int]] = (0, {})

    def choose(self, number: int | None = None) -> None:
        """Answers one image; None: any."""
        if number is None:
            number = self.rng.randrange(len(self.images))
        label = self.rng.randrange(len(self.classes))
        row = {
            "image": self.images[number],
            "label": self.classes[label],
            "proposed": None,
            "group": "",
            "accepted": False,
            "repetition": False,
            "seconds": round(self.rng.uniform(0.3, 9.0), 3),
            "started": _WHEN,
            "ended": _WHEN,
        }
        self.labels[number], self.changes = label, self.changes + 1
        self.rows[number] = json.dumps(row)
        self.own[number] = (
            f'"{number}":[{label},"{_WHEN}"]',
            f'"{number}":{row["seconds"]}',
            f'"{number}":"{_WHEN}"',
        )

    def body(self) -> bytes:
        """Returns what a page sends after an act."""
        changes = {"changes": self.changes}
        file = json.dumps({**self.file, **changes, "rows": len(self.rows)})
        kept = {key: self.file[key] for key in ("annotator", "session", "openings")}
        own, seconds, begun = (
            ",".join(parts) for parts in zip(*self.own.values(), strict=True)
        )
        state = json.dumps({"version": 1, **kept, **changes, "cursor": "0"})
        return (
            f'{{"state":{state[:-1]},"own":{{{own}}},"marked":{{}},"label":{{}},'
            f'"done":{{}},"seconds":{{{seconds}}},"begun":{{{begun}}}}},'
            f'"file":{file[:-1]},"annotations":[{",".join(self.rows.values())}]}}}}'
        ).encode()

    async def work(self, until: float, pause: float) -> list[float]:
        """Answers until then, with a pause between; returns what each one took."""
        took = []
        options = {"timeout": aiohttp.ClientTimeout(60)}
        async with aiohttp.ClientSession(**options) as session:
            await asyncio.sleep(self.rng.uniform(0, pause))
            while time.perf_counter() < until:
                self.choose()
                body, begun = self.body(), time.perf_counter()
                kind = {"Content-Type": "application/json"}
                async with session.put(self.address, data=body, headers=kind) as told:
                    found = await told.json()
                now = time.perf_counter()
                if found != {"kept": self.changes, "latest": True}:
                    raise AssertionError(f"{self.name} was told {found}")
                self.acknowledged = (self.changes, dict(self.labels))
                took.append(now - begun)
                await asyncio.sleep(
                    max(0.0, pause * self.rng.uniform(0.5, 1.5) - took[-1])
                )
        return took


def serve(page: str, people: list[str]) -> tuple[subprocess.Popen, dict[str, str]]:
    """Starts `keras-dc3 serve`; returns its process and the addresses of people."""
    names = ",".join(people)
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "keras_dc3", "serve", page),
            *(f"--people={names}", "--port=0"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    found = {}
    for line in process.stdout:
        match = re.match(r"  (\S+): (http:\S+)$", line)
        if match:
            found[match[1]] = match[2]
        if "Ctrl-C" in line:
            return process, found
    raise RuntimeError("The server has ended.")


def lost(folder: Path, people: list[Person]) -> int:
    """Returns how many acknowledged answers are not in the file of the server."""
    with AnswerStore(folder / "answers.sqlite") as store:
        files = [json.loads(text) for text in store.files().values()]
    found = {
        file["annotator"]: {row["image"]: row["label"] for row in file["annotations"]}
        for file in files
    }
    missing = 0
    for person in people:
        _, labels = person.acknowledged
        for number, label in labels.items():
            kept = found.get(person.name, {}).get(person.images[number])
            missing += kept != person.classes[label]
    return missing


async def answer(people: list[Person], pause: float) -> tuple[list[float], float]:
    """Lets all people answer; returns what each answer took, and the seconds of all."""
    start = time.perf_counter()
    until = start + FLAGS.seconds
    parts = await asyncio.gather(*(one.work(until, pause) for one in people))
    return [took for part in parts for took in part], time.perf_counter() - start


def turn(images: int, pause: float, seed: int) -> dict[str, Any]:
    """Returns the figures of one turn."""
    with tempfile.TemporaryDirectory(dir=FLAGS.folder) as temporary:
        folder = Path(temporary)
        page = write_page(folder, images)
        content = content_of(Path(page).read_text("utf-8"))
        names = [f"person{number}" for number in range(FLAGS.people)]
        process, addresses = serve(page, names)
        try:
            people = [
                Person(name, addresses[name], content, seed + number)
                for number, name in enumerate(names)
            ]
            took, seconds = asyncio.run(answer(people, pause))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        return {
            "answers": len(took),
            "answers_per_second": len(took) / seconds,
            "kilobytes_each": len(people[0].body()) / 1000,
            "median": statistics.median(took),
            "percentile_95": float(np.percentile(took, 95)),
            "longest": max(took),
            "lost": lost(folder, people),
        }


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    results, load = [], os.getloadavg()[0]
    for images in map(int, FLAGS.images):
        for pace, pause in (("one a second each", 1.0), ("without a pause", 0.0)):
            turns = [
                turn(images, pause, FLAGS.seed + 1000 * n) for n in range(FLAGS.turns)
            ]
            of = {key: statistics.median(t[key] for t in turns) for key in turns[0]}
            sums = {key: sum(t[key] for t in turns) for key in ("answers", "lost")}
            results.append({"images": images, "pace": pace, "of": of, **sums})
            results[-1]["turns"] = turns
            print(f"{images} images, {pace}: {of}")
    if FLAGS.output:
        names = ("people", "seconds", "turns")
        settings = {name: FLAGS[name].value for name in names}
        settings["load_before"] = load  # processes of others that want the cores
        packages = ("aiohttp",)
        record.write(FLAGS.output, results, settings, packages, FLAGS.seed)


if __name__ == "__main__":
    app.run(main)
