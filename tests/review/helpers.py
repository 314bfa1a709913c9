"""Review sheets to test with, and people who answer them without a browser."""

import csv
import io
import json
import re
import warnings

import numpy as np

from keras_dc3 import review
from keras_dc3.proposals import Proposals

NAMES = ("cat", "dog", "red deer")
COLUMNS = (
    *("image", "annotator", "label", "proposed", "group", "accepted", "repetition"),
    *("seconds", "started", "ended", "mode", "fingerprint", "page", "session"),
    *("saved", "rows", "changes", "openings"),
)
FURTHER = ("kind", "split", "note")  # from the second version on
HOSTILE = (
    "</script><script>window.hacked = 1</script>",
    '"><img src=x onerror="window.hacked = 1">.png',
    "<!-- <script> &amp; ' `${window.hacked = 1}` {{data}}",
    "line\u2028separators\u2029and\nbreaks",
    '=1+1,\t;"quotes"\'',
    "\u202egnp.lrt\u202c مرحبا שלום",
    "😀👩‍🔬 Ölweiß/猫.png",
    "\\u003c\\n\\",
)


def make_images(n, seed=0, side=12):
    """Different images, (n, side, side, 3) uint8."""
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, 3), "uint8")


def make_proposals(n=30, ids=None, names=NAMES, seed=0, clusters=4):
    """Proposals of a model, certain and ambiguous ones."""
    rng = np.random.default_rng(seed)
    return Proposals(
        [f"img_{i}.png" for i in range(n)] if ids is None else ids,
        rng.random(n),
        rng.dirichlet(np.full(len(names), 0.5), n),
        rng.dirichlet(np.full(clusters, 0.5), n),
        names,
    )


def write_folder(folder, images, ids):
    """Writes the images as PNG files under their ids."""
    from PIL import Image

    for name, image in zip(ids, images, strict=True):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(path, "PNG")
    return folder


def content(path):
    """What stands in a page for its scripts."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    found = re.findall(
        r'<script type="application/json" id="data">(.*?)</script>', text
    )
    assert len(found) == 1
    return json.loads(found[0])


def blind(page):
    """The blind images of a page, in order, as (image, whether it comes again)."""
    return [
        (page["images"][step["images"][0]], step["again"])
        for step in page["steps"]
        if step["kind"] == "blind"
    ]


def groups(page):
    """(name, position of the proposed class, images) of each group of a page."""
    return [
        (step["name"], step["label"], [page["images"][i] for i in step["images"]])
        for step in page["steps"]
        if step["kind"] == "group"
    ]


def answer(path, annotator="anna", choose=lambda image, proposed: 0, session=None):
    """What somebody downloads as JSON: `choose` gives the position of a class, or -1.

    It is called with an image and the position of the proposed class, -1 for none. By
    default each annotator has one session.
    """
    page = content(path)
    rows = []
    for step in page["steps"]:
        proposed = step.get("label", -1)
        for number in step["images"]:
            image = page["images"][number]
            label = choose(image, proposed)
            rows.append(
                {
                    "image": image,
                    "label": None if label < 0 else page["classes"][label],
                    "proposed": None if proposed < 0 else page["classes"][proposed],
                    "group": step.get("name", ""),
                    "accepted": proposed >= 0 and label == proposed,
                    "repetition": step.get("again", False),
                    "seconds": 1.5,
                    "started": "2026-01-01T10:00:00.000Z",
                    "ended": "2026-01-01T10:00:01.500Z",
                }
            )
    keys = ("title", "mode", "fingerprint", "page", "page_number", "pages", "seed")
    return {
        "format": "keras_dc3 review",
        "version": 1,
        **{key: page[key] for key in keys},
        "annotator": annotator,
        "session": session or f"session of {annotator}",
        "started": "2026-01-01T10:00:00.000Z",
        "saved": "2026-01-01T11:00:00.000Z",
        "changes": len(rows),
        "openings": [[f"opening of {annotator}".replace(" ", "_"), 0]],
        "finished": True,
        "classes": page["classes"],
        "images": page["images"],
        "rows": len(rows),
        "annotations": rows,
    }


def save(path, file):
    """Writes a downloaded file and returns its path."""
    path.write_text(json.dumps(file), "utf-8")
    return path


def as_csv(file):
    """The same answers as the page writes them to CSV."""

    def text(value):
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, dict):
            return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return "" if value is None else str(value)

    out = io.StringIO(newline="")
    openings = " ".join(f"{name}:{number}" for name, number in file["openings"])
    whole = {**file, "openings": openings}
    rows = [{**whole, **row} for row in file["annotations"]]
    for row in rows:
        if re.match("'*[=+@\t\r-]", row.get("note") or ""):
            row["note"] = f"'{row['note']}"
    columns = COLUMNS + (FURTHER if file["version"] > 1 else ())
    csv.writer(out).writerow(columns)
    csv.writer(out).writerows([text(row.get(c)) for c in columns] for row in rows)
    return out.getvalue()


def quiet(*args, **options):
    """Reads files of which nothing must be told."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return review.read(*args, **options)
