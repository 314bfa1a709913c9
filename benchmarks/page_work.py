"""SIMULATION: what it takes to answer 1,000 images on a review sheet, before and now.

    python benchmarks/page_work.py --data_dir data \
        --output benchmarks/results/page_work.json

A scripted person works a sheet of CIFAR-10H in Chromium, by keys, by a mouse and by a
finger on a phone (390 x 844): on the page of an earlier commit (`--before`, written by
the package of that commit), on the page as it is, and there also with what only this
one has. The proposals, what the person thinks of each image and the chance of slips are
the same. How long acts take stands in `page_hands.SECONDS`, what the person does in
`page_person.ASSUMPTIONS`; both are in the record. Times are by the clock of the page,
which stands still between two acts, and are compared with the active time that the page
itself tells. It asks for the whole history of the repository.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import page_proposals
from absl import app, flags
from page_hands import SECONDS, WAYS
from page_person import ASSUMPTIONS
from page_turns import PAGES, content_of, work

FLAGS = flags.FLAGS
ROOT = Path(__file__).parents[1]

flags.DEFINE_string("data_dir", None, "Folder of the data; default $KERAS_DC3_DATA.")
flags.DEFINE_string("before", "a124411", "The commit whose page is the one before.")
flags.DEFINE_integer("images", 1000, "Of the sheet.", lower_bound=50)
flags.DEFINE_list("ways", list(WAYS), "Which to run.")
flags.DEFINE_integer("from_page", 0, "The first of PAGES to run.", 0, 3)
flags.DEFINE_list("seeds", ["1", "2", "3"], "Of opinions and slips: a person each.")
flags.DEFINE_integer("processes", 2, "At once.", lower_bound=1)
flags.DEFINE_string("proposals", None, "NPZ file to keep the proposals in, or to read.")
flags.DEFINE_string("output", None, "JSON file for the result.")

# Run by the package that writes the page.
WRITE = """
import sys
import numpy as np
import keras_dc3
with np.load(sys.argv[1]) as file:
    p = {name: file[name] for name in file}
proposals = keras_dc3.Proposals(
    p["ids"].tolist(), p["ambiguity"], p["classes"], p["clusters"],
    p["names"].tolist(), embeddings=p["embeddings"],
)
proposals.to_review(sys.argv[2], p["images"])
"""


@contextmanager
def package_of(commit: str) -> Iterator[Path]:
    """Gives a folder with the files of a commit."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "package"
        git = ["git", "-C", str(ROOT), "worktree"]
        add = [*git, "add", "--detach", str(place), commit]
        subprocess.run(add, check=True, capture_output=True)
        try:
            yield place
        finally:
            subprocess.run([*git, "remove", "--force", str(place)], check=True)


def write_page(package: Path, proposals: Path, page: Path) -> None:
    """Writes the sheet by the package in a folder."""
    subprocess.run(
        [sys.executable, "-c", WRITE, str(proposals), str(page)],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package)},
        check=True,
    )


def main(argv: list[str]) -> None:
    """Runs the benchmark."""
    del argv
    import record

    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        kept = Path(FLAGS.proposals or folder / "proposals.npz")
        if not kept.exists():
            page_proposals.make(kept, FLAGS.data_dir, FLAGS.images)
        old, new = folder / "before.html", folder / "now.html"
        with package_of(FLAGS.before) as package:
            write_page(package, kept, old)
        write_page(ROOT, kept, new)
        jobs = [
            (way, kind, int(seed), str(old if kind == "before" else new), str(kept))
            for way in FLAGS.ways
            for kind in PAGES[FLAGS.from_page :]
            for seed in FLAGS.seeds
        ]
        results = []
        with ProcessPoolExecutor(FLAGS.processes) as pool:
            for result in pool.map(work, [(*job, temporary) for job in jobs]):
                print(json.dumps(result), flush=True)
                results.append(result)
        steps = content_of(new)["steps"]
    if FLAGS.output:
        names = ("before", "images")
        settings = {name: FLAGS[name].value for name in names}
        settings |= {"seconds": SECONDS, "assumptions": ASSUMPTIONS}
        settings["groups"] = sum(step["kind"] == "group" for step in steps)
        settings |= {"labeled": page_proposals.LABELED, "steps": page_proposals.STEPS}
        packages = ("playwright", "numpy")
        seeds = ", ".join(FLAGS.seeds)
        record.write(FLAGS.output, results, settings, packages, seeds)


if __name__ == "__main__":
    app.run(main)
