"""The program that serves: what it prints, and what is left when it is killed."""

import json
import os
import random
import signal
import threading
import time

import pytest

from keras_dc3 import review
from keras_dc3.review.answer_store import AnswerStore
from tests.serving.clients import Client
from tests.serving.programs import begin, free_port
from tests.slow import few

pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals are of other systems"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
LABELS = ("cat", "dog", "red deer")


def addresses(printed):
    """Person -> address, as the program has printed it."""
    lines = [line.split(": ") for line in printed.read_text().splitlines()]
    return {pair[0].strip(): pair[1] for pair in lines if pair[-1].startswith("http:")}


def test_it_ends_when_asked_and_says_where_the_answers_are(sheet, tmp_path):
    printed = tmp_path / "printed"
    port = free_port()
    for number, signal_ in enumerate((signal.SIGINT, signal.SIGTERM)):
        call = (sheet, "--people=anna, ben", f"--port={port}", "--names", "lab")
        process = begin(*call, cwd=tmp_path, printed=printed)
        found = addresses(printed)
        assert set(found) == {"anna", "ben"}
        client = Client(found["anna"], sheet, "anna", str(signal_))
        client.open("first")
        client.choose(number, "cat")
        client.send(Host="lab:80")
        os.kill(process.pid, signal_)
        process.join(30)
        assert process.exitcode == 0
        told = printed.read_text().splitlines()
        assert told[-2] == f"Stopped. The answers are in {tmp_path}/answers.sqlite."
        assert told[-1].startswith('Next: `keras_dc3.review.read("')
        (code,) = told[-1].split("`")[1:2]
        assert "0 blind" not in repr(eval(code, {"keras_dc3": __import__("keras_dc3")}))


class Answering(threading.Thread):
    """Answers one image after the other, without a pause, whatever happens."""

    def __init__(self, client):
        super().__init__(daemon=True)
        self.client, self.ended = client, threading.Event()
        self.acknowledged = (0, {})  # changes, labels

    def run(self):
        rng = random.Random(0)
        while not self.ended.is_set():
            number = rng.randrange(len(self.client.whole["annotations"]))
            self.client.choose(number, rng.choice(LABELS))
            while not self.ended.is_set():
                try:
                    assert self.client.send()
                except OSError:  # it is dead, or dies
                    time.sleep(0.005)
                else:
                    self.acknowledged = (self.client.changes, dict(self.client.labels))
                    break


@pytest.mark.parametrize("kills", few([3, 20], 3))
def test_what_was_acknowledged_outlives_kills(sheet, tmp_path, kills):
    rng = random.Random(kills)
    printed, port = tmp_path / "printed", free_port()
    call = (sheet, "--people=anna", f"--port={port}")
    process = begin(*call, cwd=tmp_path, printed=printed)
    answering = Answering(Client(addresses(printed)["anna"], sheet, "anna"))
    answering.client.open("first")
    answering.start()
    ids = [row["image"] for row in answering.client.whole["annotations"]]
    seen = 0
    for _ in range(kills):
        time.sleep(rng.uniform(0.0, 0.3))
        process.kill()
        process.join()
        changes, labels = answering.acknowledged
        assert answering.is_alive()
        with AnswerStore(tmp_path / "answers.sqlite") as store:
            kept = [json.loads(text) for text in store.files().values()]
        if changes:
            (file,) = kept
            assert file["changes"] >= changes
            if file["changes"] == changes:
                found = {row["image"]: row["label"] for row in file["annotations"]}
                assert found == {ids[i]: label for i, label in labels.items()}
        process = begin(*call, cwd=tmp_path, printed=printed)
        seen = max(seen, changes)
    until = time.monotonic() + 30
    while answering.acknowledged[0] <= seen and time.monotonic() < until:
        time.sleep(0.01)
    answering.ended.set()
    answering.join()
    process.kill()
    changes, labels = answering.acknowledged
    assert changes > max(seen, kills)
    found = review.read(tmp_path / "answers.sqlite").annotations
    records = zip(found.records.image, found.records.label, strict=True)
    kept = {found.ids[image]: LABELS[label] for image, label in records}
    assert kept == {ids[i]: label for i, label in labels.items()}
