"""Files and folders are whole or not there, whoever writes them and however it ends."""

import errno
import io
import os
import resource
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import keras_dc3._writing
from keras_dc3._writing import whole_file, whole_path, working_folder

# Scripts import the module alone, as the whole package takes seconds.
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(Path(keras_dc3._writing.__file__).parent),
}
CONTENTS = [letter * 200_000 for letter in "ab"]


def write(path, text="new"):
    with whole_file(path) as file:
        file.write(text)


def write_folder(path, text):
    with whole_path(path, folder=True) as temporary:
        os.mkdir(temporary)
        for name in "xyz":
            Path(temporary, name).write_text(text)


def content_of(folder):
    return {name: Path(folder, name).read_text() for name in os.listdir(folder)}


def names(folder):
    return sorted(os.listdir(folder))


def in_threads(*functions):
    """Runs all at the same time; raises what one of them raised."""
    errors = []
    barrier = threading.Barrier(len(functions))

    def guarded(function):
        barrier.wait()
        try:
            function()
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(f,)) for f in functions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def killed(code, *arguments, seconds=None):
    """Runs Python code until it prints a line, and kills it `seconds` later."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
    )
    assert process.stdout.readline()
    if seconds is not None:
        time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()


HALF = """
import sys, time
from _writing import whole_file
with whole_file(sys.argv[1]) as file:
    file.write("half")
    file.flush()
    print("ready", flush=True)
    time.sleep(60)
"""
AGAIN_AND_AGAIN = """
import itertools, os, sys
from pathlib import Path
from _writing import whole_file, whole_path
path = Path(sys.argv[1])
print("ready", flush=True)
for letter in itertools.cycle("ab"):
    with whole_file(path / "file") as file:
        for _ in range(20):
            file.write(letter * 10_000)
    with whole_path(path / "folder", folder=True) as temporary:
        os.mkdir(temporary)
        for name in "xyz":
            Path(temporary, name).write_text(letter)
"""


def test_two_threads_write_one_path(tmp_path):
    for _ in range(30):
        in_threads(
            *(lambda text=text: write(tmp_path / "a", text) for text in CONTENTS)
        )
        assert (tmp_path / "a").read_text() in CONTENTS
    assert names(tmp_path) == ["a"]


def test_two_threads_write_one_folder(tmp_path):
    for _ in range(30):
        in_threads(
            *(lambda text=text: write_folder(tmp_path / "a", text) for text in "abc")
        )
        texts = content_of(tmp_path / "a")
        assert set(texts) == set("xyz") and len(set(texts.values())) == 1
    assert names(tmp_path) == ["a"]


def test_an_error_leaves_all_as_it_was(tmp_path):
    write(tmp_path / "a", "old")
    with pytest.raises(KeyError), whole_file(tmp_path / "a") as file:
        file.write("new")
        raise KeyError
    with pytest.raises(KeyError), whole_path(tmp_path / "new", folder=True):
        raise KeyError
    assert (tmp_path / "a").read_text() == "old" and names(tmp_path) == ["a"]


def test_a_folder_is_replaced_with_all_in_it(tmp_path):
    folder = tmp_path / "a"
    folder.mkdir(mode=0o750)
    (folder / "old").mkdir()
    (folder / "old" / "x").write_text("old")
    write_folder(folder, "new")
    assert content_of(folder) == dict.fromkeys("xyz", "new")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750


@pytest.mark.parametrize("swaps", [True, False])
def test_a_folder_where_the_system_cannot_swap(swaps, tmp_path, monkeypatch):
    if not swaps:
        monkeypatch.setattr("keras_dc3._writing._exchange", lambda *_: False)
    for text in ("one", "two"):
        write_folder(tmp_path / "a", text)
    assert content_of(tmp_path / "a") == dict.fromkeys("xyz", "two")
    assert names(tmp_path) == ["a"]


def test_a_killed_writer_leaves_the_old_file(tmp_path):
    write(tmp_path / "a.csv", "old")
    killed(HALF, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == "old"
    (leftover,) = (name for name in names(tmp_path) if name != "a.csv")
    assert leftover.startswith(".a.csv.") and leftover.endswith(".part")
    write(tmp_path / "b.csv")  # another path's leftovers are not its own
    assert leftover in names(tmp_path)
    write(tmp_path / "a.csv")
    assert names(tmp_path) == ["a.csv", "b.csv"]


def test_leftovers_of_names_that_differ_in_numbers_alone(tmp_path):
    """As those of checkpoints, which are each written once."""
    with whole_file(tmp_path / "m-08-0.31.keras") as alive:
        for name in ("m-09-0.25.keras", "m-best.keras"):
            killed(HALF, tmp_path / name)
        write(tmp_path / "m-10-0.2.keras")
        found = names(tmp_path)
        assert [name[:8] for name in found] == [".m-08-0.", ".m-best.", "m-10-0.2"]
        alive.write("whole")
    assert (tmp_path / "m-08-0.31.keras").read_text() == "whole"


@pytest.mark.parametrize("path", [None, 1, b"x.csv", io.StringIO(), ["a"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(TypeError, match=r"must be text or a `pathlib.*Received: ") as e:
        write(path)
    assert ("write to a path and read" in str(e.value)) == hasattr(path, "write")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_names_that_no_file_can_have(path):
    with pytest.raises(ValueError, match=r"must not be empty or hold.*Received: ") as e:
        write(path)
    assert repr(path) in str(e.value)


def test_what_a_living_writer_writes_is_not_cleaned_away(tmp_path):
    """Neither that of another thread, nor of another process."""
    process = subprocess.Popen(
        [sys.executable, "-c", HALF, tmp_path / "a"],
        env=ENVIRONMENT,
        stdout=subprocess.PIPE,
    )
    process.stdout.readline()
    with whole_file(tmp_path / "a") as slow:
        write(tmp_path / "a", "quick")
        assert len(names(tmp_path)) == 3
        slow.write("slow")
    assert (tmp_path / "a").read_text() == "slow"
    process.kill()
    process.wait()
    write(tmp_path / "a")
    assert names(tmp_path) == ["a"]


def whole(folder):
    """Whether what the killed script has written is whole, or not there yet."""
    if (folder / "file").exists():
        assert (folder / "file").read_text() in CONTENTS
    if (folder / "folder").exists():
        texts = content_of(folder / "folder")
        assert set(texts) == set("xyz") and len(set(texts.values())) == 1
    return (folder / "file").exists() + (folder / "folder").exists()


def test_kills_at_random_moments(tmp_path):
    rng = np.random.default_rng()
    there = 0
    for _ in range(8):
        killed(AGAIN_AND_AGAIN, tmp_path, seconds=rng.uniform(0.0, 0.3))
        found = whole(tmp_path)
        assert found >= there, "what was there is gone"
        there = found
    write(tmp_path / "file", "a")
    write_folder(tmp_path / "folder", "a")
    assert names(tmp_path) == ["file", "folder"]


def test_links_are_followed(tmp_path):
    write(tmp_path / "real" / "file", "old")
    (tmp_path / "link").symlink_to("real/file")
    (tmp_path / "second").symlink_to("link")
    (tmp_path / "dangling").symlink_to("real/new")
    (tmp_path / "folder").symlink_to("real folder")
    write(tmp_path / "second")
    write(tmp_path / "dangling", "there")
    write_folder(tmp_path / "folder", "a")
    for name in ("link", "second", "dangling", "folder"):
        assert (tmp_path / name).is_symlink()
    assert (tmp_path / "real" / "file").read_text() == "new"
    assert (tmp_path / "real" / "new").read_text() == "there"
    assert content_of(tmp_path / "real folder") == dict.fromkeys("xyz", "a")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_permissions_are_kept(mode, tmp_path):
    write(tmp_path / "a")
    (tmp_path / "a").chmod(mode)
    write(tmp_path / "a", "again")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_new_files_follow_the_umask(mask, tmp_path):
    before = os.umask(mask)
    try:
        write(tmp_path / "a")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o666 & ~mask


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid(), reason="needs root")
def test_owner_and_group_are_kept(tmp_path):
    write(tmp_path / "a")
    os.chown(tmp_path / "a", 1234, 5678)
    write(tmp_path / "a", "again")
    status = (tmp_path / "a").stat()
    assert (status.st_uid, status.st_gid) == (1234, 5678)


def test_special_files_are_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    for path in (tmp_path / "pipe", tmp_path / "link", "/dev/null", "/dev/stdout"):
        with pytest.raises(OSError, match=r"is a pipe, a device or a socket.*Name a"):
            write(path)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)
    assert names(tmp_path) == ["link", "pipe"]


def test_standard_output_that_is_a_file_is_not_replaced(tmp_path):
    code = (
        "from _writing import whole_file\n"
        "try:\n    with whole_file('/dev/stdout') as file: file.write('x')\n"
        "except OSError as error: print(error)\n"
    )
    with open(tmp_path / "out", "w") as out:
        subprocess.run(
            [sys.executable, "-c", code],
            env=ENVIRONMENT,
            stdout=out,
            check=True,
        )
    assert "'/dev/stdout' is a pipe, a device" in (tmp_path / "out").read_text()


@pytest.mark.parametrize("letter, times", [("n", 250), ("n", 255), ("ü", 127)])
def test_long_names(letter, times, tmp_path):
    path = tmp_path / (letter * times)
    for text in ("one", "two"):
        write(path, text)
    killed(HALF, path)
    write(path, "three")
    assert path.read_text() == "three" and len(names(tmp_path)) == 1


def test_names_that_are_too_long(tmp_path):
    path = tmp_path / ("n" * 256)
    with pytest.raises(OSError, match=r"nnn' cannot be written \(File name too long\)"):
        write(path)


def test_a_full_disk(tmp_path):
    """As far as a limit on the size of files is like one."""
    write(tmp_path / "a", "old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
    try:
        with pytest.raises(OSError, match=r"a' cannot be written \(File too") as error:
            write(tmp_path / "a", "n" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert error.value.errno == errno.EFBIG
    assert (tmp_path / "a").read_text() == "old" and names(tmp_path) == ["a"]


def test_a_disk_error_that_a_package_tells_in_words(tmp_path):
    """HDF5 and TensorFlow raise errors of their own; other errors stay as they are."""
    words = "unable to write: errno = 28, error message = 'No space left on device'"
    with (
        pytest.raises(OSError, match=r"a' cannot be written \(No space") as error,
        whole_path(tmp_path / "a"),
    ):
        raise RuntimeError(words)
    assert error.value.errno == errno.ENOSPC and names(tmp_path) == []
    elsewhere = FileNotFoundError(errno.ENOENT, "No such file", "image.png")
    with pytest.raises(FileNotFoundError, match=r"image\.png"), whole_path("a"):
        raise elsewhere


AS_NOBODY = """
import os, sys
from _writing import whole_file
os.setgid(65534); os.setuid(65534)
for path in sys.argv[1:]:
    try:
        with whole_file(path) as file: file.write("new")
    except PermissionError as error:
        print(error)
"""


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid(), reason="needs root")
def test_missing_permission(tmp_path):
    tmp_path.parent.chmod(0o755)
    tmp_path.parent.parent.chmod(0o755)
    (tmp_path / "closed").mkdir(mode=0o755)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    write(tmp_path / "open" / "protected", "old")
    (tmp_path / "open" / "protected").chmod(0o444)
    paths = [tmp_path / "closed" / "a", tmp_path / "open" / "protected"]
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, *paths],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = done.stdout.splitlines()
    for line, path in zip(lines, paths, strict=True):
        assert f"'{path}' cannot be written (Permission denied)" in line
    assert (tmp_path / "open" / "protected").read_text() == "old"


def test_folders_and_files_are_not_confused(tmp_path):
    (tmp_path / "folder").mkdir()
    write(tmp_path / "file", "old")
    for path in (tmp_path / "folder", f"{tmp_path}/new/"):
        with pytest.raises(IsADirectoryError, match="is a folder; name a file in it"):
            write(path)
    with pytest.raises(NotADirectoryError, match="file' is a file; name a folder"):
        write_folder(tmp_path / "file", "a")
    with pytest.raises(OSError, match=r"a' cannot be written \(Not a directory\)"):
        write(tmp_path / "file" / "a")
    assert names(tmp_path) == ["file", "folder"]


def test_a_working_folder(tmp_path):
    with working_folder(tmp_path / "a") as work:
        assert os.listdir(work) == [] and Path(work).parents[1] == tmp_path
        Path(work, "x").write_text("")
    assert names(tmp_path) == []


def test_only_a_picture_takes_the_place_of_a_picture(tmp_path):
    path = tmp_path / "fish.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n one")
    with (
        pytest.raises(FileExistsError, match=r"fish\.png' is a picture"),
        whole_file(path) as file,
    ):
        file.write("image,label\n")
    assert path.read_bytes() == b"\x89PNG\r\n\x1a\n one"
    with whole_file(path, "wb") as file:
        file.write(b"\xff\xd8\xff two")
    assert path.read_bytes() == b"\xff\xd8\xff two"
    assert list(tmp_path.iterdir()) == [path]
