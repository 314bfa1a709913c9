"""The example scripts run as printed, here for a moment only."""

import json
from pathlib import Path

import pytest

import keras_dc3
from keras_dc3._validation import check_writable_folder
from tests.processes import run_script

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.tensorflow


def run(script, *flags):
    return run_script(ROOT / "examples" / script, *flags)


def check_output(folder, num_images):
    proposals = keras_dc3.Proposals.from_csv(folder / "proposals.csv")
    assert len(proposals) == num_images
    assert (folder / "proposals.png").stat().st_size > 10_000
    assert (folder / "saved_model" / "saved_model.pb").exists()
    assert (folder / "model.keras").exists()
    scores = json.loads((folder / "scores.json").read_text())
    assert {"f1", "d", "auroc_softmax"} <= set(next(iter(scores["scores"].values())))


@pytest.mark.slow
def test_quickstart(tmp_path):
    pytest.importorskip("sklearn", reason="needs keras_dc3[demo]")
    short = ("--epochs=1", "--steps_per_epoch=3")
    result = run("quickstart.py", *short, "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr[-3000:]
    check_output(tmp_path / "out", 1920)
    assert "demonstration" in result.stdout
    for word in (
        "supervised_loss",
        "val_d_minus_f1",
        "degenerated",
        "Proposals for 1,920",
    ):
        assert word in result.stdout, word
    assert result.stdout.count("Verdict on") == 3  # on one model each
    assert result.stdout.count("Did the unlabeled images help?") == 4


@pytest.mark.slow
def test_cifar10h(tmp_path, data_dir):
    result = run(
        "cifar10h.py",
        f"--data_dir={data_dir}",
        "--epochs=1",
        "--steps_per_epoch=2",
        "--nobaseline",
        f"--output={tmp_path}",
    )
    assert result.returncode == 0, result.stderr[-3000:]
    check_output(tmp_path, 6400)


@pytest.mark.slow
def test_an_unwritable_folder_is_told_before_training():
    result = run("quickstart.py", "--epochs=1", "--output=/proc/output")
    assert result.returncode != 0
    assert "cannot be written to" in result.stderr
    assert "Training" not in result.stdout


def test_the_check_leaves_no_trace(tmp_path):
    check_writable_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
    (tmp_path / "file").write_text("x")
    with pytest.raises(OSError, match="cannot be written to"):
        check_writable_folder(tmp_path / "file")


@pytest.mark.parametrize(
    ("script", "own"),
    [
        ("quickstart.py", []),
        ("review_round.py", ["--people", "--budget"]),
        ("own_images.py", ["--images", "--parts", "--value_range", "--max_pixels"]),
        ("mice_bone.py", ["--data_dir", "--backbone"]),
    ],
)
def test_help_lists_the_flags(script, own):
    """Also those that several examples share, without `--helpfull`."""
    result = run(script, "--help")
    shared = ["--output", "--epochs", "--ssl", "--[no]baseline", "--seed"]
    for flag in [*shared, *own]:
        assert f"  {flag}: " in result.stdout, flag
    assert "--verbosity" not in result.stdout  # of other packages


def test_shared_flags_belong_to_the_example():
    """Every module that others define flags through says so."""
    for path in sorted((ROOT / "examples").glob("*.py")):
        text = path.read_text("utf-8")
        if "def define_flags" in text:
            assert "flags.disclaim_key_flags()" in text, path.name


@pytest.mark.slow
@pytest.mark.parametrize("pictures", [True, False])
def test_features(tmp_path, pictures):
    np, image = pytest.importorskip("numpy"), pytest.importorskip("PIL.Image")
    rng, ids = np.random.default_rng(0), [f"{i}.png" for i in range(90)]
    (tmp_path / "fish").mkdir()
    for name in ids[:80]:  # people can look at 20 of the 30 unlabeled ones
        pixels = rng.integers(0, 256, (16, 16, 3), "uint8")
        image.fromarray(pixels).save(tmp_path / "fish" / name)
    features = rng.normal(size=(90, 12)).astype("float32")
    np.savez(tmp_path / "f.npz", features=features, ids=np.array(ids))
    rows = [
        f"{name},{who},{('cod', 'eel')[i % 2]}"
        for i, name in enumerate(ids[:60])
        for who in "ab"
    ]
    table = "\n".join(["image,annotator,label", *rows])
    (tmp_path / "answers.csv").write_text(table)
    flags = [f"--images={tmp_path / 'fish'}"] if pictures else []
    result = run(
        "features.py",
        f"--features={tmp_path / 'f.npz'}",
        f"--annotations={tmp_path / 'answers.csv'}",
        f"--output={tmp_path / 'out'}",
        "--epochs=1",
        "--steps_per_epoch=3",
        "--nobaseline",
        *flags,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    assert len(keras_dc3.Proposals.from_csv(tmp_path / "out" / "proposals.csv")) == 30
    assert (tmp_path / "out" / "saved_model" / "saved_model.pb").exists()
    assert (tmp_path / "out" / "proposals.png").exists() == pictures
    assert ("There is no picture of them" in result.stdout) != pictures
    told = "10 of 30 images are left out of the picture: '80.png' is no file in the"
    assert (told in result.stdout) == pictures
    assert (tmp_path / "out" / "model.keras").exists()
