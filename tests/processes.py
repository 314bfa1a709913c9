"""Scripts run in processes of their own, without importing Keras anew for each.

They are forked from a process that has imported `keras_dc3` and started nothing, which
takes a moment instead of the seconds of the import. Where an import itself is tested,
or a process without this package, use `subprocess`.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = str(Path(__file__).parents[1])

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["keras_dc3"])


def run_script(script, *flags, cwd=None, timeout=1200, check=False):
    """Runs a script as `python script flags...`, from the folder `cwd`.

    Args:
        script: path of a file, or code.
        flags: what the script finds in `sys.argv`, as text.
        timeout: seconds after which it is killed, and an error; None: never.
        check: whether it is an error if the script fails.

    Returns:
        A `subprocess.CompletedProcess` with what was printed as text.
    """
    flags = tuple(map(str, flags))
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    with tempfile.TemporaryDirectory() as folder:
        printed = [Path(folder, name) for name in ("stdout", "stderr")]
        process = _processes.Process(
            target=_run, args=(script, flags, cwd or os.getcwd(), environment, printed)
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
        done = subprocess.CompletedProcess(
            [str(script), *flags], process.exitcode, *(p.read_text() for p in printed)
        )
    if check:
        assert done.returncode == 0, done.stderr[-3000:]
    return done


def _run(script, flags, cwd, environment, printed):
    for stream, path in zip((sys.stdout, sys.stderr), printed, strict=True):
        stream.flush()
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(file, stream.fileno())
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    sys.path[:] = [ROOT, *(p for p in sys.path if p not in ("", ROOT))]
    if isinstance(script, Path):
        sys.argv = [str(script), *flags]
        sys.path.insert(0, str(script.parent))
        runpy.run_path(str(script), run_name="__main__")
    else:
        sys.argv = ["-c", *flags]
        exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})
