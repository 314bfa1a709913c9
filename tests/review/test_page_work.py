"""The benchmark of a review sheet at work: what it calls lost, and whole turns."""

import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from keras_dc3.review.page import content_of
from tests.review.helpers import answer, make_images, make_proposals, save

pytest.importorskip("PIL.Image")
sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))

import page_proposals
import page_turns
from page_person import Meant


def sheet(tmp_path, n=60):
    """A page of ten classes, and the file of its proposals."""
    proposals = make_proposals(n, names=page_proposals.NAMES)
    images = make_images(n)
    kept = tmp_path / "proposals.npz"
    np.savez(
        kept,
        ids=np.array(proposals.ids),
        names=np.array(proposals.class_names),
        ambiguity=proposals.ambiguity,
        classes=proposals.class_probabilities,
        clusters=proposals.cluster_probabilities,
        embeddings=np.random.default_rng(0).random((n, 3)),
        images=images,
        counts=np.random.default_rng(1).integers(0, 9, (n, 10)) + np.eye(10)[0],
    )
    proposals, images, _ = page_proposals.read(kept)
    (path,) = proposals.to_review(tmp_path / "sheet.html", images)
    return path, kept, proposals


def test_what_is_lost_and_what_is_wrong_is_found(tmp_path):
    path, _, proposals = sheet(tmp_path)
    content = content_of(Path(path).read_text("utf-8"))
    meant = Meant(content)
    while meant.kind != "end":
        meant.accept() if meant.kind == "group" else meant.choose(0)
    file = answer(path, choose=lambda image, proposed: max(proposed, 0))
    opinion = {
        row["image"]: page_proposals.NAMES.index(row["label"])
        for row in file["annotations"]
    }
    person = SimpleNamespace(meant=meant, opinion=opinion)
    number = len(file["annotations"])
    whole = {"answers": number, "lost": 0, "wrong by slips": 0}
    assert (
        page_turns.compare(save(tmp_path / "a.json", file), proposals, person) == whole
    )
    blind = [row for row in file["annotations"] if row["proposed"] is None]
    blind[0]["label"] = "truck"
    file["annotations"].remove(blind[1])
    file["rows"] -= 1
    found = page_turns.compare(save(tmp_path / "b.json", file), proposals, person)
    assert found == {"answers": number - 1, "lost": 2, "wrong by slips": 1}


@pytest.mark.slow
@pytest.mark.parametrize("way", ["keys", "mouse", "touch"])
@pytest.mark.parametrize("kind", page_turns.PAGES[2:])
@pytest.mark.skipif(not shutil.which("chromium"), reason="no Chromium in the PATH")
def test_a_person_works_a_whole_page(tmp_path, way, kind):
    pytest.importorskip("playwright.sync_api")
    path, kept, _ = sheet(tmp_path)
    found = page_turns.work((way, kind, 3, path, str(kept), str(tmp_path)))
    assert found["lost"] == 0 and found["answers"] >= 60
    assert found["seconds_per_image"] == pytest.approx(
        found["seconds_per_image_by_page"], abs=0.05
    )
    assert (found["looked_at_large"] > 0) == (kind == page_turns.PAGES[3])
