"""What a run is made of: reading ahead, known ids, records, the summary."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.scale import ScoreSummary
from keras_dc3.scale.known_ids import KnownIds
from keras_dc3.scale.reading import ReadAhead
from keras_dc3.scale.sources.source import Item


class Slow:
    """Decodes an image whose bytes are a number, the later the faster."""

    image_shape = (1, 1, 1)

    def __init__(self):
        self.decoded = 0

    def pixels(self, item, of_frames=None):
        time.sleep(0.002 * (7 - int(item.id) % 7))
        self.decoded += 1
        if item.image is None:
            raise ValueError(item.reason)
        return np.full(self.image_shape, int(item.id), "uint8")


def parts(number, size=3):
    """Batches of so many images, each third of which is damaged."""
    for start in range(0, number, size):
        rows = range(start, min(start + size, number))
        yield start // 6, [Item(str(i), b"" if i % 3 else None, "bad") for i in rows]


def test_batches_keep_their_order():
    with ReadAhead(parts(40), Slow(), 3) as batches:
        found = list(batches)
    assert [name for b in found for name in b.ids] == [
        str(i) for i in range(40) if i % 3
    ]
    for batch in found:
        assert batch.images[:, 0, 0, 0].tolist() == list(map(int, batch.ids))
        assert all(int(name) // 6 == batch.shard for name in batch.ids)
    assert [row for b in found for row in b.failed] == [
        (str(i), "bad") for i in range(0, 40, 3)
    ]
    assert batches.waited > 0


def test_few_batches_are_read_ahead():
    decoder = Slow()
    with ReadAhead(parts(300), decoder, 2) as batches:
        for taken, _ in enumerate(batches, 1):
            time.sleep(0.06)
            assert decoder.decoded <= 3 * (taken + 3)
            if taken == 8:
                break
    before = threading.active_count()
    time.sleep(0.1)
    assert threading.active_count() <= before  # nothing goes on behind
    assert decoder.decoded < 60


def test_errors_of_a_source_come_through():
    def broken():
        yield from parts(6)
        raise OSError("The store is gone.")

    with pytest.raises(OSError, match="store is gone"):  # noqa: SIM117
        with ReadAhead(broken(), Slow(), 2) as batches:
            list(batches)


@given(st.lists(st.lists(st.integers(0, 30).map(str), max_size=12), max_size=12))
def test_ids_that_stood_there_before(groups):
    known, seen = KnownIds(), set()
    for group in groups:
        expected = []
        for name in group:
            expected.append(name in seen)
            seen.add(name)
        assert known.repeated(group).tolist() == expected


def test_many_ids_take_few_bytes():
    known = KnownIds()
    for start in range(0, 60_000, 1000):
        names = [f"fish/{i}" for i in range(start, start + 1000)]
        assert not known.repeated(names).any()
    assert known.repeated(["fish/0", "fish/59999", "fish/60000"]).tolist() == [
        True,
        True,
        False,
    ]
    kept = [known._sorted, *known._new]
    assert sum(part.nbytes for part in kept) <= 8 * 60_010


def test_the_summary_says_what_limits():
    summary = ScoreSummary("run", "run/failed.csv", images=1000, certain=900)
    summary.seconds = 10.0
    for times, limit, words in (
        ((8.0, 1.0, 0.5), "reading", "Reading and decoding limit"),
        ((1.0, 8.0, 0.5), "model", "The model limits"),
        ((1.0, 1.0, 7.0), "writing", "Writing limits"),
        ((4.0, 5.0, 0.5), "both", "about equally long"),
    ):
        summary.waiting, summary.in_model, summary.writing = times
        assert summary.limit == limit
        assert words in str(summary) and "100 images/s" in str(summary)
    summary.found = 1000
    assert summary.images_per_second == 0 and "images/s" not in str(summary)
