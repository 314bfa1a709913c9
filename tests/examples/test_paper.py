"""The examples on the paper's data sets, for a moment, on made-up copies of them."""

import pytest

pytest.importorskip("PIL")
from tests.datasets.published_files import PLANKTON, TURKEY, make_dcic
from tests.examples.test_examples import check_output, run

pytestmark = pytest.mark.tensorflow


def moment(script, folder, *flags):
    result = run(
        script,
        f"--data_dir={folder}",
        f"--output={folder / 'out'}",
        "--backbone=small_cnn",
        "--epochs=1",
        "--steps_per_epoch=1",
        "--nobaseline",
        *flags,
    )
    assert result.returncode == 0, result.stderr[-3000:]
    return result.stdout


@pytest.mark.slow
def test_plankton(tmp_path):
    make_dcic(tmp_path / "Plankton", PLANKTON, per_fold=20, votes=4)
    text = moment("plankton.py", tmp_path, "--batch_size=8")
    check_output(tmp_path / "out", 64)
    assert "plankton: 100 images 96x96x3 (uint8), 10 classes" in text
    assert "Each class has the same share" in text
    assert "<SemiSupervisedData plankton: 16 labeled" in text


@pytest.mark.slow
def test_turkey(tmp_path):
    make_dcic(tmp_path / "Turkey", TURKEY, per_fold=10)
    moment("turkey.py", tmp_path, "--batch_size=8")
    check_output(tmp_path / "out", 32)


@pytest.mark.slow
def test_mice_bone(tmp_path):
    make_dcic(tmp_path / "MiceBone", ["g", "nr", "ug"], per_fold=10)
    text = moment("mice_bone.py", tmp_path)
    check_output(tmp_path / "out", 19)
    assert "1 step took" in text


@pytest.mark.slow
def test_the_settings_of_the_paper():
    for script, batch, steps in (
        ("plankton.py", 64, 16_384),
        ("turkey.py", 64, 16_384),
        ("stl10.py", 64, 16_384),
        ("mice_bone.py", 8, 32_768),
    ):
        text = " ".join(run(script, "--helpfull").stdout.split())
        assert f"--batch_size: Labeled images per batch. (default: '{batch}'" in text
        epochs = int(
            text.split("--epochs: Epochs to train. (default: '")[1].split("'")[0]
        )
        per_epoch = text.split("default: all images once. (default: '")[1].split("'")[0]
        assert epochs * int(per_epoch) == steps
