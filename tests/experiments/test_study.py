"""Studies: every cell in a process of its own, recorded, resumed."""

import functools
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest

import keras_dc3
from keras_dc3 import DC3Config, experiments
from keras_dc3.experiments import cell as cell_module
from keras_dc3.experiments.records import Cell, StudyFolder, plain
from tests.experiments import tiny

CONFIGS = {"vanilla": DC3Config.vanilla(), "dc3": DC3Config()}


def make_study(make_model=tiny.make_model, **changes):
    settings = {
        "strategies": ["pi_model"],
        "configs": CONFIGS,
        "seeds": [1],
        "epochs": 2,
        **changes,
    }
    return experiments.Study(tiny.make_data, make_model, **settings)


def read(folder, name):
    return json.loads((folder / "cells" / f"{name}.json").read_text("utf-8"))


@pytest.mark.slow
def test_a_study_runs_goes_on_and_grows(tmp_path, capsys):
    summary = make_study().run(tmp_path, processes=2, threads=1)
    assert "0 of 2 cells are finished." in capsys.readouterr().out
    assert sorted(path.name for path in (tmp_path / "cells").iterdir()) == [
        "pi_model-dc3-1.json",
        "pi_model-dc3-1.log",
        "pi_model-vanilla-1.json",
        "pi_model-vanilla-1.log",
    ]
    assert set(summary.content["rows"]["pi_model"]) == {"vanilla", "dc3"}
    record = read(tmp_path, "pi_model-dc3-1")
    assert record["cell"] == {"strategy": "pi_model", "config": "dc3", "seed": 1}
    assert record["settings"]["config"] == DC3Config().get_config()
    assert record["settings"]["strategy"]["ramp_steps"] == round(0.4 * 6)
    assert record["settings"]["steps"] == 6 and record["settings"]["batch_size"] == 4
    assert record["versions"]["keras"] == keras.__version__
    assert record["device"]  # "CPU", or the name of a GPU
    assert record["threads"] == "1"
    assert record["peak_memory_mib"] > 50
    assert 0 < record["seconds"]["fit"] < record["seconds"]["total"]
    assert len(record["history"]["val_f1"]) == len(record["history"]["loss"]) == 2

    # A lost cell is trained again, alone, and is the same.
    other = tmp_path / "cells" / "pi_model-vanilla-1.json"
    kept = other.stat().st_mtime_ns
    (tmp_path / "cells" / "pi_model-dc3-1.json").unlink()
    make_study().run(tmp_path, threads=1)
    assert "1 of 2 cells are finished." in capsys.readouterr().out
    assert other.stat().st_mtime_ns == kept
    again = read(tmp_path, "pi_model-dc3-1")
    for name, value in record["scores"].items():
        np.testing.assert_allclose(again["scores"][name], value, rtol=1e-4)

    # More strategies join; other settings are refused.
    summary = make_study(
        strategies=["supervised"], configs={"vanilla": CONFIGS["vanilla"]}
    )
    text = str(summary.run(tmp_path, threads=1))
    assert "0 of 1 cells are finished." in capsys.readouterr().out
    assert "pi_model dc3: accuracy" in text and "supervised vanilla" in text
    with pytest.raises(ValueError, match="trained with epochs=2, but this study has 3"):
        make_study(epochs=3).run(tmp_path)
    with pytest.raises(ValueError, match=r"configs\['dc3'\]"):
        make_study(configs={"dc3": DC3Config(prior=0.5)}).run(tmp_path)


@pytest.mark.slow
def test_failed_cells_are_told_and_the_others_go_on(tmp_path, capsys):
    configs = {
        "fails": DC3Config(prior=0.1),
        "dies": DC3Config(prior=0.2),
        "right": DC3Config(),
    }
    study = make_study(tiny.make_some_models, configs=configs, epochs=1)
    with pytest.raises(RuntimeError, match="2 of 3 cells failed, the first pi_model-"):
        study.run(tmp_path, processes=2, threads=1)
    out = capsys.readouterr().out
    assert "FAILED (RuntimeError: no model today)" in out
    assert "FAILED (its process died, exit code 7)" in out
    summary = experiments.summarize(tmp_path)
    assert list(summary.content["rows"]["pi_model"]) == ["right"]
    assert summary.content["failed"] == {
        "pi_model-fails-1": "RuntimeError: no model today"
    }
    assert "no model today" in str(summary)
    log = (tmp_path / "cells" / "pi_model-fails-1.log").read_text("utf-8")
    assert "Traceback" in log


def task(tmp_path, make_data=tiny.make_data, **changes):
    return cell_module.Task(
        folder=str(tmp_path),
        cell=Cell("mean_teacher", "dc3", 1),
        make_data=make_data,
        make_model=changes.pop("make_model", tiny.make_model),
        strategy="mean_teacher",
        config=keras.saving.serialize_keras_object(DC3Config()),
        epochs=1,
        steps_per_epoch=2,
        validation_freq=1,
    )


def test_a_cell_keeps_what_scores_are_computed_from(tmp_path):
    record, outputs = cell_module.train(task(tmp_path))
    assert outputs["classes"].shape == outputs["soft_labels"].shape == (12, 3)
    assert outputs["ambiguity"].shape == outputs["clusters"].shape == (12,)
    assert outputs["features"].shape == (12, 5)
    expected = keras_dc3.metrics.honest_context(
        outputs["soft_labels"], outputs["classes"], outputs["ambiguity"]
    )
    for name, value in expected.items():
        np.testing.assert_equal(record["scores"][name], value)
    json.dumps(record)  # plain values alone


def test_what_the_functions_return_is_checked(tmp_path):
    with pytest.raises(ValueError, match="with a validation part"):
        cell_module.train(task(tmp_path, tiny.make_data_without_validation))
    with pytest.raises(TypeError, match="must return a `DC3Model`"):
        cell_module.train(task(tmp_path, make_model=lambda *args: "model"))


def test_the_model_must_be_the_one_that_was_asked_for(tmp_path):
    def without_config(data, ssl, config, training_steps):
        return tiny.make_model(data, ssl, DC3Config.vanilla(), training_steps)

    def other_strategy(data, ssl, config, training_steps):
        return tiny.make_model(data, "pi_model", config, training_steps)

    for make_model, what in ((without_config, "config"), (other_strategy, "ssl")):
        with pytest.raises(ValueError, match=f"must hand the `{what}` that it is"):
            cell_module.train(task(tmp_path, make_model=make_model))


def test_an_old_failure_is_not_told_of_a_new_death(tmp_path):
    folder = StudyFolder(tmp_path)
    one = task(tmp_path, make_model=tiny.make_some_models)
    config = keras.saving.serialize_keras_object(DC3Config(prior=0.1))
    one = one._replace(config=config)
    with pytest.raises(SystemExit):
        cell_module.run(one)
    assert folder.failures() == {one.cell: "RuntimeError: no model today"}

    def stop(*args):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cell_module.run(one._replace(make_model=stop))
    assert not folder.failures()


def test_instances_of_strategies_keep_their_settings():
    strategy = keras_dc3.strategies.FixMatch(unlabeled_ratio=2, threshold=0.7)
    study = make_study(strategies={"fixmatch_2": strategy})
    restored = keras_dc3.strategies.get(study.strategies["fixmatch_2"])
    named = {"name": strategy.name}  # names are counted up
    assert {**restored.get_config(), **named} == strategy.get_config()
    assert study.cells == [Cell("fixmatch_2", n, 1) for n in ("vanilla", "dc3")]


def test_a_study_made_again_is_the_same_study():
    """Numbers that JSON cuts, and names that Keras counts up, make no difference."""

    def study():
        strategy = keras_dc3.strategies.FixMatch(threshold=2 / 3)
        configs = {"third": DC3Config(prior=1 / 3)}
        return make_study(strategies={"fixmatch": strategy}, configs=configs)

    first = study()
    written = json.loads(json.dumps(plain(first._manifest(None))))
    assert study()._manifest(written)["strategies"] == first.strategies
    other = make_study(configs={"third": DC3Config(prior=0.3333)})
    with pytest.raises(ValueError, match=r"configs\['third'\]"):
        other._manifest(written)


@pytest.mark.slow
def test_a_cell_ends_with_the_process_that_started_it(tmp_path):
    """Killed outright, so that it cannot end its children itself."""
    code = f"""
import multiprocessing, os, time
from tests.experiments.tiny import wait_for_ever

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    context.Process(target=wait_for_ever, args=({str(tmp_path)!r},)).start()
    while not os.path.exists({str(tmp_path / "started")!r}):
        time.sleep(0.1)
    os._exit(1)
"""
    script = tmp_path / "script.py"
    script.write_text(code)
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    subprocess.run([sys.executable, script], env={**os.environ, "PYTHONPATH": path})
    pid = int((tmp_path / "started").read_text())
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists():
            return
        time.sleep(0.1)
    os.kill(pid, signal.SIGKILL)
    pytest.fail("the process went on without its parent")


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"strategies": ["pi_modle"]}, "Did you mean 'pi_model'"),
        ({"strategies": "pi_model"}, "must be a list of names or a dict"),
        ({"strategies": {"pi": keras_dc3.strategies.PiModel}}, r"`PiModel\(\)`"),
        ({"configs": {"dc3": "paper"}}, "must be a `DC3Config`"),
        ({"configs": {"a/b": DC3Config()}}, "must consist of letters"),
        ({"configs": {"a-b": DC3Config()}}, "must consist of letters"),
        ({"configs": [DC3Config()]}, "`configs` must be a dict"),
        ({"configs": {}}, "at least one strategy, one config and one seed"),
        ({"seeds": [1, 1]}, "`seeds` must differ"),
        ({"seeds": [-1]}, "seed"),
        ({"epochs": 0}, "`epochs`"),
        ({"steps_per_epoch": 0}, "`steps_per_epoch`"),
        ({"make_model": lambda *args: None}, "top level of a module"),
        ({"make_model": functools.partial(lambda *args: None)}, "top level of a mod"),
        ({"make_model": "model"}, "`make_model` must be a function"),
    ],
)
def test_bad_arguments(changes, message):
    with pytest.raises((ValueError, TypeError), match=message):
        make_study(**changes)


def test_the_folder_must_be_writable(tmp_path):
    file = tmp_path / "file"
    file.write_text("in the way")
    with pytest.raises(OSError):
        make_study().run(file)
    with pytest.raises(ValueError, match=r"no study in .*it has no `study.json`"):
        experiments.summarize(tmp_path)


def test_threads_are_set_for_the_processes_alone(monkeypatch):
    from keras_dc3.experiments import processes

    monkeypatch.setenv("OMP_NUM_THREADS", "5")
    monkeypatch.delenv("TF_NUM_INTRAOP_THREADS", raising=False)
    with processes._environment(3):
        assert os.environ["OMP_NUM_THREADS"] == "3"
        assert os.environ["TF_NUM_INTRAOP_THREADS"] == "3"
    assert os.environ["OMP_NUM_THREADS"] == "5"
    assert "TF_NUM_INTRAOP_THREADS" not in os.environ
