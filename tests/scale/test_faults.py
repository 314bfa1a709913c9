"""Images that cannot be judged, and calls that cannot be meant."""

import json
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import keras_dc3
from keras_dc3 import Proposals
from keras_dc3.command_line import main
from keras_dc3.scale.exported import ExportedModel
from keras_dc3.scale.reading import why
from tests.scale import helpers
from tests.scale.helpers import score

pytest.importorskip("pyarrow")
pytest.importorskip("PIL")
pytestmark = pytest.mark.tensorflow


def failures(folder):
    """Id -> reason, of the table of a run."""
    import csv

    with open(folder / "failed.csv", newline="", encoding="utf-8") as file:
        return {row["id"]: row["reason"] for row in csv.DictReader(file)}


def test_records_with_every_fault(exported, tmp_path):
    files = [helpers.encoded(array) for array in helpers.pixels(40)]
    images = {f"{i:02d}": raw for i, raw in enumerate(files)}
    images[b"\xff"] = files[0]
    images[""] = files[1]
    images["empty"] = b""
    one = helpers.write_records(tmp_path / "0.tfrecord", images)
    again = {"39": files[3], "new": files[4], "=last": b"no image"}
    two = helpers.write_records(tmp_path / "1.tfrecord", again)
    raw = two.read_bytes()
    two.write_bytes(raw[:-10])  # within the last record
    three = helpers.write_records(tmp_path / "2.tfrecord", {"after": files[5]})
    run = tmp_path / "run"
    summary = score(exported, [one, two, three], run)
    found = failures(run)
    assert "no text in UTF-8" in found["b'\\xff'"]
    assert found["0.tfrecord, record 41"] == "its id is empty"
    assert "0 bytes" in found["empty"]
    assert found["39"] == "an image before it has the same id"
    assert "cut off here" in found["1.tfrecord, record 2"]
    assert summary.failed == len(found) == 5
    kept = Proposals.from_parquet(run).ids
    assert kept == (*(f"{i:02d}" for i in range(40)), "new", "after")
    # Which of two equal ids is the first does not hang on what was finished.
    before = helpers.written(run)
    (run / "part-00000.parquet").unlink()
    score(exported, [one, two, three], run)
    assert helpers.written(run) == before
    (run / "part-00003.parquet").unlink()
    score(exported, [one, two, three], run)
    assert helpers.written(run) == before


def test_tables_with_gaps(exported, images, tmp_path):
    import pyarrow as pa

    content = [*helpers.contents(images).values()][:3]
    columns = {
        "id": ["a", None, "c", "d"],
        "bytes": pa.array([content[0], content[1], None, content[2]], pa.binary()),
    }
    table = helpers.write_parquet(tmp_path / "a.parquet", columns)
    assert score(exported, table, tmp_path / "run").failed == 2
    assert failures(tmp_path / "run") == {
        "a.parquet, row 1": "it has no id",
        "c": "its 'bytes' is empty",
    }
    columns = {"path": [str(images / "cod/00.png"), "gone.png"]}
    table = helpers.write_csv(tmp_path / "b.csv", columns)
    score(exported, table, tmp_path / "paths")
    assert failures(tmp_path / "paths") == {"gone.png": why(FileNotFoundError())}


def test_a_damaged_table_is_named(exported, tmp_path):
    files = [helpers.encoded(array) for array in helpers.pixels(30)]
    columns = {"id": [str(i) for i in range(30)], "bytes": files}
    table = helpers.write_parquet(tmp_path / "a.parquet", columns, rows_at_once=30)
    content = bytearray(table.read_bytes())
    content[300:1500] = bytes(1200)
    table.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.parquet' cannot be read .*damaged\?"):
        score(exported, table, tmp_path / "run")


def test_many_failures_are_no_accident(exported, tmp_path):
    content = helpers.encoded(helpers.pixels(1)[0])
    images = {str(i): b"no image" if i % 3 else content for i in range(40)}
    records = helpers.write_records(tmp_path / "a.tfrecord", images)
    run = tmp_path / "run"
    with pytest.raises(ValueError, match=r"no accident, so the run stops"):
        score(exported, records, run)
    assert sorted(helpers.written(run)) == ["manifest.json"]
    summary = score(exported, records, run, max_failed=0.8)
    assert (summary.failed, summary.images) == (26, 40)
    assert "26 images could not be judged" in str(summary)
    # The few images of a last shard may all fail.
    images = {str(i): content if i < 28 else b"" for i in range(30)}
    records = helpers.write_records(tmp_path / "b.tfrecord", images)
    assert score(exported, records, tmp_path / "few").failed == 2
    assert len(Proposals.from_parquet(tmp_path / "few")) == 28


def test_answers_that_are_no_numbers(exported, images, tmp_path, monkeypatch):
    answer = ExportedModel.__call__

    def sometimes(self, pixels):
        outputs = answer(self, pixels)
        outputs["ambiguity"] = outputs["ambiguity"].copy()
        outputs["ambiguity"][1:2] = np.nan
        return outputs

    monkeypatch.setattr(ExportedModel, "__call__", sometimes)
    summary = score(exported, images, tmp_path / "run")
    reasons = summary.reasons["the model's answer to it is not a number"]
    assert reasons == summary.failed - 1 > 3
    assert len(Proposals.from_parquet(tmp_path / "run")) == 50 - summary.failed


def test_what_cannot_be_meant(exported, images, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "a.bin").write_bytes(b"nothing that is known")
    (tmp_path / "a.zip").write_bytes(b"PK\x03\x04 nothing")
    (tmp_path / "none.csv").write_text("")
    helpers.write_csv(tmp_path / "odd.csv", {"photo": ["a"]})
    helpers.write_csv(tmp_path / "two.csv", {"path": ["a"], "file": ["a"]})
    records = helpers.write_records(tmp_path / "a.tfrecord", {"a": b"x"}, ids="name")
    (tmp_path / "cut.parquet").write_bytes(b"PAR1 and no more")
    helpers.write_parquet(tmp_path / "raw.parquet", {"image": [b"x"]})
    for source, options, message in (
        (tmp_path / "empty", {}, "no image .* that can be read"),
        (tmp_path / "gone", {}, r"There is no '.*gone'\. Name a folder of images"),
        (str(tmp_path / "*.png"), {}, "There is no"),
        (tmp_path / "a.bin", {}, "neither TFRecords nor Parquet"),
        (tmp_path / "a.zip", {}, "a ZIP archive"),
        (tmp_path / "none.csv", {}, "empty, a file of 0 bytes"),
        (tmp_path / "odd.csv", {}, "has 'photo'. Name it as `image_column`"),
        (tmp_path / "odd.csv", {"image_column": "foto"}, "no column 'foto'"),
        (tmp_path / "two.csv", {}, "several columns .* 'path', 'file'"),
        (records, {}, "'image', 'name'. Name it as `id_column`"),
        (tmp_path / "cut.parquet", {}, "no complete Parquet file"),
        (tmp_path / "raw.parquet", {}, "Name it as `id_column`"),
        ([images, tmp_path / "odd.csv"], {}, "is a folder"),
        ([records, tmp_path / "odd.csv"], {}, "of one kind"),
        ([records, records], {}, "stands twice"),
        (images, {"id_column": "id"}, "has no columns"),
        (images, {"split": "test"}, "`split` is of a data set"),
        ([], {}, "Name a folder"),
        (7, {}, "Name a folder"),
    ):
        with pytest.raises((ValueError, TypeError, OSError), match=message):
            score(exported, source, tmp_path / "run", **options)
    for options, message in (
        ({"batch_size": 0}, "`batch_size`"),
        ({"images_per_shard": 1.5}, "`images_per_shard`"),
        ({"max_failed": 2}, "`max_failed`"),
        ({"fit": "stretch"}, "`fit`"),
        ({"threads": 0}, "`threads`"),
    ):
        with pytest.raises((ValueError, TypeError), match=message):
            score(exported, images, tmp_path / "run", **options)
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot be written to"):
        score(exported, images, tmp_path / "file")


def test_models_that_cannot_be_asked(exported, images, tmp_path):
    with pytest.raises(FileNotFoundError, match="no exported model"):
        score(tmp_path / "gone", images, tmp_path / "run")
    with pytest.raises(TypeError, match=r"the folder that `model\.export"):
        score(keras_dc3.DC3Model, images, tmp_path / "run")
    with pytest.raises(ValueError, match=r"no model as `model\.export` writes"):
        score(images, images, tmp_path / "run")
    text = (exported / "assets.extra/keras_dc3.json").read_text("utf-8")
    taken = {"uint8": "x", "name": "images"}
    for change, message in (
        ({"format": "keras_dc3 export, version 9"}, "this version knows"),
        ({"input": {**taken, "shape": [None, 7]}}, "takes features, not images"),
        ({"input": {**taken, "shape": [None, None, 8, 3]}}, "images of one size"),
        ({"input": {"shape": [None, 8, 9, 3]}}, r"changed, or .*KeyError: 'name'"),
        ({"input": []}, "keras_dc3.json' has been changed, or is damaged"),
        ({"class_names": ["cod", "cod", "eel"]}, "'cod' stands at .* Export it by"),
        (
            {
                "input": {
                    **taken,
                    "shape": [None, 8, 9, 3],
                    "uint8": "not taken",
                    "trained_on": "floats of -3 to 3",
                }
            },
            "no images of 0 to 255.*floats of -3 to 3",
        ),
    ):
        folder = tmp_path / "model"
        (folder / "assets.extra").mkdir(parents=True, exist_ok=True)
        path = folder / "assets.extra/keras_dc3.json"
        path.write_text(json.dumps({**json.loads(text), **change}))
        with pytest.raises(ValueError, match=message):
            score(folder, images, tmp_path / "run")


def test_a_model_that_is_not_whole(exported, images, tmp_path):
    folder = shutil.copytree(exported, tmp_path / "model")
    (data,) = (folder / "variables").glob("*.data*")
    data.write_bytes(data.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"damaged or not whole .*or export it anew"):
        score(folder, images, tmp_path / "run")


def test_addresses_without_fsspec(exported, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ImportError, match=r"keras_dc3\[remote\]"):
        score(exported, "gs://bucket/fish", tmp_path / "run")


def test_a_split_of_tfds(exported, tmp_path, monkeypatch):
    """The package is made up here: images of the model's size, and of others."""
    arrays = helpers.pixels(30)
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", made_up(arrays, True))
    score(exported, "tfds:fish", tmp_path / "run", split="test")
    found = Proposals.from_parquet(tmp_path / "run")
    assert found.ids[17] == "test_00017"
    (tmp_path / "run/part-00001.parquet").unlink()
    score(exported, "tfds:fish", tmp_path / "run", split="test")
    assert Proposals.from_parquet(tmp_path / "run") == found
    monkeypatch.setitem(sys.modules, "tensorflow_datasets", made_up(arrays, False))
    score(exported, "tfds:fish", tmp_path / "encoded", split="test")
    encoded = Proposals.from_parquet(tmp_path / "encoded")
    assert encoded.ids[17] == "id 17"
    assert (encoded.ambiguity == found.ambiguity).all()

    def unknown(name):
        raise ValueError(f"Dataset {name} not found.\nAvailable datasets:\n- ...")

    monkeypatch.setattr(sys.modules["tensorflow_datasets"], "builder", unknown)
    with pytest.raises(ValueError, match=r"'fsh' \(Dataset fsh not found\)\. Correct"):
        score(exported, "tfds:fsh", tmp_path / "unknown")


@pytest.mark.slow
def test_a_split_of_the_real_package(exported, tmp_path, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    arrays = helpers.pixels(30)

    class FishOfTest(tfds.core.GeneratorBasedBuilder):
        """Images of the size that the model takes."""

        VERSION = tfds.core.Version("1.0.0")
        shape = helpers.SHAPE

        def _info(self):
            image = tfds.features.Image(shape=self.shape)
            return self.dataset_info_from_configs(
                features=tfds.features.FeaturesDict({"image": image})
            )

        def _split_generators(self, dl_manager):
            return {"test": self._generate_examples()}

        def _generate_examples(self):
            for number, array in enumerate(arrays):
                yield number, {"image": array}

    class FishOfOtherSizes(FishOfTest):
        """The same, of which the size is not known."""

        VERSION = tfds.core.Version("1.0.0")
        shape = (None, None, 3)

    class Located:
        """The package, with data sets in a folder of the test."""

        def __getattr__(self, name):
            return getattr(tfds, name)

        def builder(self, name):
            return tfds.builder(name, data_dir=tmp_path / "data")

    monkeypatch.setitem(sys.modules, "tensorflow_datasets", Located())
    found = []
    for name in ("fish_of_test", "fish_of_other_sizes"):
        run = tmp_path / name
        score(exported, f"tfds:{name}", run, split="test[:20]")
        (run / "part-00001.parquet").unlink()
        assert score(exported, f"tfds:{name}", run, split="test[:20]").found == 14
        found.append(Proposals.from_parquet(run))
    assert found[0] == found[1] and found[0].ids[17] == "test[:20]_00017"
    with pytest.raises(ValueError, match=r"no split 'tset'; it has \['test'\]"):
        score(exported, "tfds:fish_of_test", tmp_path / "run", split="tset")


def made_up(arrays, decoded):
    """What of the package is used, with the images of a data set."""
    features = {"image": SimpleNamespace(shape=helpers.SHAPE if decoded else (None,))}
    if not decoded:
        features["id"] = None

    class Examples(list):
        def skip(self, number):
            return Examples(self[number:])

    def as_dataset(split, decoders, read_config):
        assert split == "test" and (decoders is None) == decoded
        if decoded:
            return Examples({"image": array} for array in arrays)
        return Examples(
            {"image": helpers.encoded(array), "id": f"id {i}".encode()}
            for i, array in enumerate(arrays)
        )

    split = SimpleNamespace(
        name="test", num_examples=len(arrays), num_bytes=1, shard_lengths=[30]
    )
    info = SimpleNamespace(
        features=features, splits={"test": split}, full_name="fish/1.0.0"
    )
    builder = SimpleNamespace(
        info=info, as_dataset=as_dataset, download_and_prepare=lambda: None
    )
    return SimpleNamespace(
        builder=lambda name: builder,
        as_numpy=lambda examples: examples,
        ReadConfig=lambda try_autocache: None,
        decode=SimpleNamespace(SkipDecoding=lambda: "skip"),
    )


def test_the_command(exported, images, scored, tmp_path, capsys):
    run = tmp_path / "run"
    call = ["score", str(exported), str(images), "--to", str(run), "--embeddings"]
    call += ["--batch_size=4", "--images_per_shard=14", "--threads=2"]
    assert main(call) == 0
    printed = capsys.readouterr().out
    assert "50 images in 4 shards" in printed and "images/s" in printed
    assert helpers.written(run) == helpers.written(scored)
    assert main([*call, "--fit=pad"]) == 1
    assert "fit='resize' instead of 'pad'" in capsys.readouterr().err
    assert main(["score", str(exported), "--to", str(run)]) == 1
    assert "`keras-dc3 score MODEL SOURCE --to" in capsys.readouterr().err
    assert main(["score", str(exported), str(images)]) == 1
    assert "`--to` must name" in capsys.readouterr().err
    assert main([*call, "--value_range=dark"]) == 1
    assert "two numbers" in capsys.readouterr().err
