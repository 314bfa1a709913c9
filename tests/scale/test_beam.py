"""Scoring as a pipeline of Apache Beam: what one machine writes, by many."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3 import Proposals, scale
from keras_dc3.command_line import main
from keras_dc3.scale.known_ids import TWICE, KnownIds
from keras_dc3.scale.reading import Batch
from keras_dc3.scale.task import task
from tests.scale import helpers, sources
from tests.slow import few

pytest.importorskip("pyarrow")
pytest.importorskip("PIL")
pytest.importorskip("apache_beam", reason='Needs Apache Beam: pip install -e ".[beam]"')
pytestmark = pytest.mark.tensorflow

from keras_dc3.scale import beam  # noqa: E402
from keras_dc3.scale.beam.exchange import SharedFolder  # noqa: E402
from keras_dc3.scale.beam.model_handler import (  # noqa: E402
    ExportedModelHandler,
    Judged,
)
from keras_dc3.scale.beam.repeats import later, without  # noqa: E402
from keras_dc3.scale.beam.stages import Divide, Read  # noqa: E402

ROOT = Path(__file__).parents[2]
SMALL = {"batch_size": 4, "images_per_shard": 14, "embeddings": True}
PROCESSES = ["--direct_num_workers=2", "--direct_running_mode=multi_processing"]
# Each bundle is done twice, as where a worker is lost after it had written.
AGAIN = ["--runner=DirectRunner", "--direct_runner_bundle_repeat=1"]


def same(run, other):
    """Whether two runs are the same, but for the noise of floating point."""
    assert sorted(helpers.written(run)) == sorted(helpers.written(other))
    found, expected = helpers.rows(run), helpers.rows(other)
    reasons = found.pop("failed"), expected.pop("failed")
    assert found.keys() == expected.keys()
    for name, table in found.items():
        theirs = expected[name]
        assert table.schema == theirs.schema
        for column in table.column_names:
            ours, their = (t.column(column).to_pylist() for t in (table, theirs))
            if isinstance(ours[0], str):
                assert ours == their
            else:
                np.testing.assert_allclose(ours, their, atol=1e-6)
    counts = [json.loads((f / "summary.json").read_text()) for f in (run, other)]
    assert all(count.pop("run") for count in counts) and counts[0] == counts[1]
    return reasons


@pytest.mark.parametrize(
    "make", few(sources.SOURCES, sources.records, sources.remote_folder)
)
def test_what_one_machine_writes(make, exported, images, scored, tmp_path):
    files = helpers.contents(images)
    (tmp_path / "source").mkdir()
    source, options = make(tmp_path / "source", files, images)
    run = tmp_path / "run"
    summary = beam.score(exported, source, run, **SMALL, **options)
    assert (summary.images, summary.failed, summary.shards) == (50, 1, 4)
    assert summary.folder == str(run) and summary.images_per_second > 0
    ours, theirs = same(run, scored)
    ids = [[line.split(",")[0] for line in t.splitlines()] for t in (ours, theirs)]
    assert ids[0] == ids[1]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["run", "source"]
    assert Proposals.from_parquet(run).ids == Proposals.from_parquet(scored).ids
    # One machine knows the run for its own, of which nothing is left to do.
    again = helpers.score(exported, source, run, **options)
    assert again.found == again.images == 50


def test_records_with_every_fault_by_a_command(exported, tmp_path, capsys):
    files = [helpers.encoded(array) for array in helpers.pixels(40)]
    images = {f"{i:02d}": raw for i, raw in enumerate(files)}
    images[b"\xff"] = files[0]
    images["empty"] = b""
    helpers.write_records(tmp_path / "0.tfrecord", images)
    again = {"39": files[3], "empty": b"", b"\xff": b"", "new": files[4], "last": b"x"}
    two = helpers.write_records(tmp_path / "1.tfrecord", again)
    two.write_bytes(two.read_bytes()[:-10])  # within the last record
    helpers.write_records(tmp_path / "2.tfrecord", {"new": files[5], "38": b"x"})
    source = str(tmp_path / "*.tfrecord")
    call = ["score", str(exported), source, "--batch_size=4", "--images_per_shard=14"]
    call += ["--embeddings"]
    one, many = str(tmp_path / "one"), str(tmp_path / "many")
    assert main([*call, "--to", one]) == 0
    assert main([*call, "--to", many, *AGAIN[:1], "--", *AGAIN[1:]]) == 0
    printed = capsys.readouterr().out
    assert printed.count("49 images in 4 shards") == 2
    ours, theirs = same(tmp_path / "many", tmp_path / "one")
    assert ours == theirs and ours.count(TWICE) == 4
    assert main([*call, "--to", many, "--", *AGAIN]) == 1
    told = " ".join(capsys.readouterr().err.split())
    assert "many' holds files, and a pipeline writes it as a whole. Name" in told
    assert main([*call, "--to", one + "2", "--split=a", *AGAIN[:1]]) == 1
    assert "`--split` is of a data set" in capsys.readouterr().err


def test_what_stops_a_pipeline(exported, images, tmp_path, capsys):
    content = helpers.encoded(helpers.pixels(1)[0])
    damaged = {str(i): b"no image" if i % 3 else content for i in range(40)}
    records = helpers.write_records(tmp_path / "a.tfrecord", damaged)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "note.txt").write_text("mine")
    (tmp_path / "none.csv").write_text("path\n")
    (tmp_path / "empty").mkdir()
    run = tmp_path / "run"
    for source, folder, options, error, message in (
        (records, run, (), RuntimeError, r"^The pipeline failed\. \d+ of 14.*no accid"),
        (tmp_path / "none.csv", run, (), ValueError, "the source is empty"),
        (images, tmp_path / "full", (), ValueError, "full' holds files"),
        (tmp_path / "empty", run, (), ValueError, "no image .* that can be read"),
        (tmp_path / "gone", run, (), OSError, r"There is no '.*gone'\."),
        (images, records, (), OSError, "is a file; name a folder"),
        (images, run, ["--runner=Nobody"], RuntimeError, "Nobody"),
        (images, run, ["--direct_num_workers=x"], ValueError, "does not take the opt"),
        (images, run, "--runner=DirectRunner", TypeError, "`options` must be Beam's"),
    ):
        with pytest.raises(error, match=message) as raised:
            beam.score(exported, source, folder, options, **SMALL)
        assert len(str(raised.value).splitlines()) == 1 and "[while" not in message
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *("a.tfrecord", "empty", "full", "none.csv")
    ]
    with pytest.raises(FileNotFoundError, match="no exported model"):
        beam.score(tmp_path / "gone", images, run)
    with pytest.raises(ValueError, match=r"no model as `model\.export` writes"):
        beam.score(images, images, run)
    with pytest.raises(ValueError, match="no column 'photo'"):
        beam.score(exported, tmp_path / "none.csv", run, image_column="photo")
    with pytest.raises(ValueError, match=r"'tfds:fish' is read by one machine alone"):
        beam.score(exported, "tfds:fish", run)
    with pytest.raises(ValueError, match="`threads`"):
        beam.score(exported, images, run, threads=0)
    with pytest.warns(UserWarning, match="does not know the options nobody"):
        assert beam.score(exported, images, run, ["--nobody=3"]).images == 50


@pytest.fixture
def asked(exported, images):
    """What a pipeline is to do."""
    return task(
        exported,
        images,
        **SMALL,
        image_column=None,
        id_column=None,
        split=None,
        fit="resize",
        background=255,
        value_range=None,
        max_pixels=None,
        max_failed=0.5,
    )


def test_machines_that_differ(asked, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=r"folder of images .* has changed since"):
        list(Divide(asked.source, "another", 4).process(0))
    read = Read(asked, 1)
    read.setup()
    with monkeypatch.context() as patched:
        patched.setattr("keras_dc3.scale.manifest.__version__", "0.0.1")
        with pytest.raises(ValueError, match=r"has keras_dc3 0\.0\.1 instead of 0\.2"):
            read.setup()
    with pytest.raises(FileNotFoundError, match="that all machines share"):
        SharedFolder(asked.model.folder, str(tmp_path)).write(None)
    exchange = SharedFolder(asked.model.folder, str(tmp_path))
    handler = ExportedModelHandler(exchange, True, "another")
    with pytest.raises(ValueError, match="is another one than where the pipeline"):
        handler.load_model()


def test_counters_are_among_the_metrics(asked, tmp_path):
    from apache_beam import Pipeline
    from apache_beam.testing.util import assert_that, is_not_empty

    from keras_dc3.scale.beam.pipeline import ScoreImages

    asked.manifest.pin(str(tmp_path))
    exchange = SharedFolder(asked.model.folder, str(tmp_path))
    pipeline = Pipeline()
    assert_that(pipeline | ScoreImages(asked, exchange, 1), is_not_empty())
    result = pipeline.run()
    result.wait_until_finish()
    counted = {
        one.key.metric.name: one.committed
        for one in result.metrics().query()["counters"]
        if one.key.metric.namespace == "keras_dc3"
    }
    assert (counted["images"], counted["failed"]) == (50, 1)
    assert counted["certain"] + counted["ambiguous"] == 49
    assert counted["num_inferences"] == 49


@given(st.lists(st.tuples(st.integers(0, 6), st.sampled_from("dbr")), max_size=30))
def test_repeated_ids_as_one_machine_finds_them(rows):
    """Each image is good, of a source that knows it has no row, or damaged."""
    ids = [str(number) for number, _ in rows]
    repeated = KnownIds().repeated(ids)
    expected = {
        name: TWICE if twice and kind != "r" else kind
        for name, twice, (_, kind) in zip(range(len(ids)), repeated, rows, strict=True)
    }
    groups = {}
    for position, (number, kind) in enumerate(rows):
        groups.setdefault(number, []).append((position, kind == "r"))
    out = set()
    for group in groups.values():
        group.reverse()  # in any order
        out |= {*later((b"", group))}
    found = {}
    for start in range(0, len(rows), 4):
        kinds = [kind for _, kind in rows[start : start + 4]]
        good = [row for row, kind in enumerate(kinds) if kind == "d"]
        bad = [(ids[start + r], k) for r, k in enumerate(kinds) if k != "d"]
        values = np.array(good, float)
        pixels = np.zeros((len(good), 1))
        batch = Batch(0, [ids[start + row] for row in good], pixels, bad, good)
        left, outputs = without(Judged(start, batch, {"a": values}), out)
        assert [ids[start + int(v)] for v in outputs["a"]] == left.ids
        others = sorted(set(range(len(kinds))) - set(left.rows))
        for row, (name, why) in zip(others, left.failed, strict=True):
            assert name == ids[start + row]
            found[start + row] = why
        found.update({start + row: "d" for row in left.rows})
    assert found == expected


def test_through_a_store(exported, images, scored, tmp_path, capsys):
    import fsspec

    run, store = tmp_path / "run", fsspec.filesystem("memory")
    sources.put_into_memory({"here/before.txt": b"mine"})
    through = "memory://bucket/fish/here"
    call = ["score", str(exported), str(images), "--embeddings", "--batch_size=4"]
    call += ["--images_per_shard=14", f"--to={run}"]
    assert main([*call, f"--through={through}/", "--", *AGAIN]) == 0
    ours, theirs = same(run, scored)
    assert ours == theirs
    assert [p.rpartition("/")[2] for p in store.find(through)] == ["before.txt"]
    capsys.readouterr()
    for through, options, message in (
        ("here", AGAIN, "`--through` must be an address that all machines reach"),
        ("strange://here", AGAIN, "Protocol not known: strange"),
        ("memory://here", [], "`--through` is of a pipeline"),
    ):
        to = f"--to={tmp_path / 'other'}"
        assert main([*call, to, f"--through={through}", "--", *options]) == 1
        assert message in " ".join(capsys.readouterr().err.split())
    assert [p.name for p in tmp_path.iterdir()] == ["run"]


@pytest.mark.slow
@pytest.mark.parametrize("through", [None, "file://"])
def test_two_workers_in_processes(through, exported, images, scored, tmp_path):
    run = tmp_path / "run"
    if through is not None:
        through += str(tmp_path / "store")
    summary = beam.score(exported, images, run, PROCESSES, **SMALL, through=through)
    assert summary.images == 50
    ours, theirs = same(run, scored)
    assert ours == theirs
    assert not [p for p in tmp_path.rglob("*") if p.is_file() and p.parent != run]


@pytest.fixture
def service():
    """The address of a service that runs pipelines, in a process of its own."""
    with socket.socket() as found:
        found.bind(("localhost", 0))
        port = found.getsockname()[1]
    name = "apache_beam.runners.portability.local_job_service_main"
    call = [sys.executable, "-m", name, "-p", str(port)]
    process = subprocess.Popen(call, stderr=subprocess.DEVNULL)
    try:
        for _ in range(600):
            assert process.poll() is None
            with suppress(OSError), socket.create_connection(("localhost", port)):
                break
            time.sleep(0.2)
        yield f"localhost:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.mark.slow
def test_a_service_that_an_address_names(service, exported, images, scored, tmp_path):
    options = ["--runner=PortableRunner", f"--job_endpoint={service}"]
    options += ["--environment_type=LOOPBACK"]
    beam.score(exported, images, tmp_path / "run", options, **SMALL)
    ours, theirs = same(tmp_path / "run", scored)
    assert ours == theirs


# Every process that opens a file says so, and waits to be killed.
WAITS = """
import os, sys, time

def wait(event, arguments):
    if event == "open" and str(arguments[0]) == {path!r}:
        os.close(os.open({said!r} + str(os.getpid()), os.O_CREAT))
        time.sleep(600)

sys.addaudithook(wait)
"""


def kill_in_the_middle(options, exported, images, run):
    """Kills who reads an image, of a pipeline in a process; returns how that ends."""
    place = run.parent / "start"
    place.mkdir(exist_ok=True)
    asked = {"path": str(images / "eel/30.png"), "said": f"{place}/by-"}
    (place / "sitecustomize.py").write_text(WAITS.format(**asked))
    code = "import sys; from keras_dc3.scale import beam; "
    code += "beam.score(*sys.argv[1:4], sys.argv[4:], batch_size=4)"
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(exported), str(images), str(run), *options],
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": f"{place}{os.pathsep}{ROOT}"},
        text=True,
    )
    while not (found := list(place.glob("by-*"))):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    os.kill(int(found[0].name.removeprefix("by-")), signal.SIGKILL)
    told = process.communicate(timeout=300)[1]
    shutil.rmtree(place)
    return process.returncode, told


@pytest.mark.slow
def test_killed_in_the_middle(exported, images, scored, tmp_path):
    """Nothing is at the folder then; called again, it begins anew."""
    run = tmp_path / "run"
    ended, told = kill_in_the_middle(PROCESSES, exported, images, run)
    assert ended == 1 and "The pipeline failed. " in told
    assert not list(tmp_path.iterdir())
    ended, told = kill_in_the_middle([], exported, images, run)
    assert ended == -signal.SIGKILL
    assert [p.name[:5] for p in tmp_path.iterdir()] == [".run."]
    beam.score(exported, images, run, **SMALL)
    assert [p.name for p in tmp_path.iterdir()] == ["run"]
    ours, theirs = same(run, scored)
    assert ours == theirs


def test_without_the_package(monkeypatch):
    for name in [*sys.modules]:
        if name.startswith(("apache_beam", "keras_dc3.scale.beam")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delattr(scale, "beam")
    with pytest.raises(ImportError, match=r'pip install "keras_dc3\[beam\]"'):
        from keras_dc3.scale import beam as _  # noqa: F401
