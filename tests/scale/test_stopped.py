"""Runs that are stopped, and go on as if they had not been."""

import errno
import json
import random
import time
from pathlib import Path

import pytest

from keras_dc3 import Proposals
from keras_dc3._locking import InUseError, locked
from tests.processes import run_script
from tests.scale import helpers
from tests.scale.helpers import score

pytest.importorskip("pyarrow")
pytest.importorskip("PIL")
pytestmark = pytest.mark.tensorflow

SCRIPT = Path(__file__).parent / "run_script.py"


@pytest.mark.parametrize(
    "kills", [2, pytest.param(20, marks=pytest.mark.slow)], ids=str
)
def test_killed_at_any_moment(kills, exported, images, scored, tmp_path):
    """The whole takes about half a second; kills come in the first 0.4."""
    random.seed(kills)
    killed = 0
    run = tmp_path / "run"
    for turn in range(kills):
        flags = (exported, images, run, random.uniform(0.0, 0.4))
        done = run_script(SCRIPT, *flags)
        killed += done.returncode == -9
        if (run / "summary.json").exists():  # begun anew, so that each kill may hurt
            assert helpers.written(run) == helpers.written(scored)
            run = tmp_path / f"run-{turn}"
    assert killed >= kills // 2
    done = run_script(SCRIPT, exported, images, run, check=True)
    assert "50 images in 4 shards" in done.stdout
    assert helpers.written(run) == helpers.written(scored)


@pytest.fixture
def begun(exported, images, tmp_path, monkeypatch):
    """A run of which two shards are finished, as the disk was full then."""
    from pyarrow import parquet

    write, run, tables = parquet.write_table, tmp_path / "run", []

    def full(table, file):
        tables.append(table)
        if len(tables) == 3:
            file.write(b"PAR1")
            raise OSError(errno.ENOSPC, "No space left on device")
        write(table, file)

    told = r"part-00002\.parquet' cannot be written \(No space left.*28 images are kept"
    with monkeypatch.context() as patched:
        patched.setattr(parquet, "write_table", full)
        with pytest.raises(OSError, match=told) as error:
            score(exported, images, run)
    assert error.value.errno == errno.ENOSPC
    return run


def test_a_full_disk_loses_nothing(begun, exported, images, scored):
    names = sorted(helpers.written(begun))
    assert names == ["manifest.json", "part-00000.parquet", "part-00001.parquet"]
    with pytest.raises(ValueError, match=r"no finished run.*goes on"):
        Proposals.from_parquet(begun)
    assert score(exported, images, begun).found == 28
    assert helpers.written(begun) == helpers.written(scored)


def test_a_damaged_shard_is_written_again(exported, images, scored, tmp_path):
    run = tmp_path / "run"
    score(exported, images, run)
    path = run / "part-00001.parquet"
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"part-00001.*cut off or damaged"):
        Proposals.from_parquet(run)
    summary = score(exported, images, run)
    assert summary.rewritten == ("part-00001.parquet",) and summary.found == 36
    assert "written again: part-00001.parquet" in str(summary)
    assert helpers.written(run) == helpers.written(scored)


def test_a_shard_that_lacks_rows_is_written_again(exported, images, scored, tmp_path):
    import pyarrow.parquet as pq

    run = tmp_path / "run"
    score(exported, images, run)
    path = run / "part-00003.parquet"
    pq.write_table(pq.read_table(path).slice(1), path)
    assert score(exported, images, run).rewritten == ("part-00003.parquet",)
    assert helpers.written(run) == helpers.written(scored)


def test_a_bit_that_flipped_is_found(exported, images, scored, tmp_path):
    run = tmp_path / "run"
    score(exported, images, run)
    path = run / "part-00002.parquet"
    content = bytearray(path.read_bytes())
    content[40] ^= 1  # among the values: the end of the file says nothing of it
    path.write_bytes(content)
    told = r"part-00002\.parquet' is damaged: its content is no longer what was written"
    with pytest.raises(ValueError, match=told):
        Proposals.from_parquet(run)
    assert score(exported, images, run).rewritten == ("part-00002.parquet",)
    assert helpers.written(run) == helpers.written(scored)
    manifest = run / "manifest.json"
    kept = json.loads(manifest.read_text())
    found = Proposals.from_parquet(run)
    del kept["checksums"]["part-00003.parquet"]  # killed before it was told
    manifest.write_text(json.dumps(kept))
    assert Proposals.from_parquet(run) == found
    assert score(exported, images, run).rewritten == ()
    assert helpers.written(run) == helpers.written(scored)
    manifest.write_text("[")
    with pytest.raises(ValueError, match=r"manifest\.json' cannot be read"):
        Proposals.from_parquet(run)


def test_one_process_at_a_time(begun, exported, images):
    with (
        locked(str(begun / "lock"), "scoring"),
        pytest.raises(InUseError, match=r"in use by .*scoring"),
    ):
        score(exported, images, begun)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"embeddings": False}, "other settings: embeddings=True instead of False"),
        ({"batch_size": 5}, "batch_size=4 instead of 5"),
        ({"fit": "pad"}, "fit='resize' instead of 'pad'"),
    ],
)
def test_other_settings_are_refused(changed, message, begun, exported, images):
    before = helpers.written(begun)
    with pytest.raises(ValueError, match=message):
        score(exported, images, begun, **changed)
    assert helpers.written(begun) == before


def test_another_model_source_or_version_is_refused(
    begun, exported, images, model, tmp_path, monkeypatch
):
    description = exported / "assets.extra" / "keras_dc3.json"
    text = description.read_text()
    try:
        description.write_text(text + "\n")
        with pytest.raises(ValueError, match="another model"):
            score(exported, images, begun)
    finally:
        description.write_text(text)
    added = helpers.write_images(tmp_path / "more", 51)
    with pytest.raises(ValueError, match="other images"):
        score(exported, added, begun)
    with monkeypatch.context() as patched:
        patched.setattr("keras_dc3.scale.manifest.__version__", "0.0.1")
        with pytest.raises(ValueError, match=r"other versions: keras_dc3='0\.2\.0'"):
            score(exported, images, begun)
    (begun / "manifest.json").unlink()
    with pytest.raises(ValueError, match=r"'manifest\.json' is missing"):
        score(exported, images, begun)


def test_shards_of_two_runs_are_no_run(exported, images, scored, tmp_path):
    run = tmp_path / "run"
    score(exported, images, run, embeddings=False)
    strange = (scored / "part-00002.parquet").read_bytes()
    own = (run / "part-00002.parquet").read_bytes()
    for name, content, message in (
        ("part-00002.parquet", strange, "of another run"),
        ("part-00003.parquet", own, r"is the shard 'part-00002.* under another name"),
        ("part-00004.parquet", own, r"has part-00004\.parquet too many"),
    ):
        path = run / name
        before = path.read_bytes() if path.exists() else None
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            Proposals.from_parquet(run)
        with pytest.raises(ValueError, match=r"another run|another name"):
            score(exported, images, run, embeddings=False)
        path.unlink() if before is None else path.write_bytes(before)
    (run / "part-00000.parquet").unlink()
    with pytest.raises(ValueError, match=r"lacks part-00000\.parquet"):
        Proposals.from_parquet(run)


def test_a_clock_that_jumps(exported, images, scored, tmp_path, monkeypatch):
    now, rng = time.time, random.Random(0)
    monkeypatch.setattr(time, "time", lambda: now() + rng.uniform(-1e8, 1e8))
    summary = score(exported, images, tmp_path / "run")
    assert 0 < summary.seconds < 60
    parts = (summary.waiting, summary.in_model, summary.writing)
    assert min(parts) > 0 and sum(parts) <= summary.seconds
    assert helpers.written(tmp_path / "run") == helpers.written(scored)
