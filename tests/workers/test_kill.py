"""A worker that is killed ends the others, and all go on from the last backup."""

import time

import numpy as np
import pytest

from tests.workers.cluster import run, started

pytestmark = [pytest.mark.tensorflow, pytest.mark.long]
EPOCHS = 4  # of two steps


def test_the_rest_end_and_all_go_on(tmp_path):
    def train(name, workers, **settings):
        folder = tmp_path / name
        folder.mkdir()
        paths = run(
            "kill_script.py",
            workers,
            folder,
            alone=not workers,
            backup=str(settings.pop("backup", folder / "backup")),
            epochs=EPOCHS,
            **settings,
        )
        found = [dict(np.load(path)) for path in paths.values()]
        return found[0]

    never = train("never", 2)
    backup = tmp_path / "backup"
    settings = {"backup": str(backup), "epochs": EPOCHS, "dies": 1, "after": 5}
    (tmp_path / "killed").mkdir()
    with started("kill_script.py", 2, tmp_path / "killed", **settings) as processes:
        assert processes[1].wait(600) == -9
        began = time.monotonic()
        while "another one has stopped" not in processes[0].printed():
            assert time.monotonic() - began < 60
            time.sleep(0.5)
        assert processes[0].wait(300) not in (0, -9)
    assert list(backup.glob("backup-*.zip"))

    other = tmp_path / "copy"
    other.mkdir()
    for file in backup.iterdir():
        (other / file.name).write_bytes(file.read_bytes())
    again = train("again", 2, backup=backup)
    for name, value in never.items():
        if name != "logs":
            np.testing.assert_array_equal(again[name], value, err_msg=name)
    alone = train("alone", 0, backup=other)
    for name, value in never.items():
        if name != "logs":
            np.testing.assert_allclose(alone[name], value, atol=1e-5, err_msg=name)
