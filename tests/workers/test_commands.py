"""The lines of docs/scale.md that tell each machine its place."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In the place of the programs of a cluster of two, on the second machine of it.
PROGRAMS = {
    "scontrol": 'echo "node1\nnode2"',
    "srun": 'shift; SLURM_PROCID=1 exec "$@"',
    "python": 'echo "$TF_CONFIG"; echo "$@"',
}


@pytest.mark.parametrize(
    ("begins", "workers", "index"),
    [
        ("export TF_CONFIG='", ["10.0.0.1:2222", "10.0.0.2:2222"], 0),
        ("srun ", ["node1:2222", "node2:2222"], 1),
        ('export TF_CONFIG="', ["dc3-0.dc3:2222", "dc3-1.dc3:2222"], 1),
    ],
    ids=["plain", "slurm", "kubernetes"],
)
def test_each_machine_is_told_its_place(begins, workers, index, tmp_path):
    lines = (ROOT / "docs" / "scale.md").read_text("utf-8").splitlines()
    place = next(i for i, line in enumerate(lines) if line.startswith(f"    {begins}"))
    end = next(i for i in range(place, len(lines)) if not lines[i])
    for name, does in PROGRAMS.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{does}\n")
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", "\n".join(lines[place:end])],
        env={**os.environ, "PATH": path, "JOB_COMPLETION_INDEX": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    config, command = done.stdout.splitlines()
    assert json.loads(config) == {
        "cluster": {"worker": workers},
        "task": {"type": "worker", "index": index},
    }
    assert command == "examples/cifar10h.py --data_dir data --workers"
