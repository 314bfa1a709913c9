"""The same images in every kind of source: functions of (folder, files, images).

`files` are id -> bytes, of the folder `images`. Each returns the source, and how to
read it.
"""

import shutil

import pytest

from tests.scale import helpers


def records(folder, files, images):
    names = list(files)
    for part, start in enumerate((0, 0, 13, 13)):  # two files are empty
        stop = (0, 13, 13, 50)[part]
        chosen = {name: files[name] for name in names[start:stop]}
        helpers.write_records(folder / f"fish-{part}.tfrecord", chosen)
    return str(folder / "fish-*.tfrecord"), {}


def named_records(folder, files, images):
    path = folder / "a.tfrecord"
    helpers.write_records(path, files, "image/encoded", "image/source")
    return path, {"id_column": "image/source"}


def parquet_of_bytes(folder, files, images):
    import pyarrow as pa

    names, content = list(files), list(files.values())
    helpers.write_parquet(
        folder / "a.parquet", {"image": content[:23], "id": names[:23]}
    )
    as_dicts = [{"bytes": raw, "path": None} for raw in content[23:]]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {"id": names[23:], "image": pa.array(as_dicts, kind)}
    helpers.write_parquet(folder / "b.parquet", columns)
    return [folder / "a.parquet", folder / "b.parquet"], {}


def parquet_of_paths(folder, files, images):
    shutil.copytree(images, folder / "pictures")
    columns = {"photo": [f"pictures/{name}" for name in files], "id": list(files)}
    path = helpers.write_parquet(folder / "a.parquet", columns)
    return path, {"image_column": "photo"}


def csv_of_paths(folder, files, images):
    shutil.copytree(images, folder, dirs_exist_ok=True)
    columns = {"path": list(files), "note": [""] * len(files)}
    return helpers.write_csv(folder / "a.csv", columns, ";"), {}


def remote_folder(folder, files, images):
    put_into_memory(files)
    return "memory://bucket/fish", {}


def remote_table(folder, files, images):
    put_into_memory(files)
    import fsspec

    with fsspec.open("memory://bucket/fish/all.csv", "w") as file:
        file.write("\n".join(["image", *files]))
    return "memory://bucket/fish/all.csv", {}


def remote_records(folder, files, images):
    import fsspec

    path = helpers.write_records(folder / "a", files)
    store = fsspec.filesystem("memory")
    store.pipe_file("/bucket/records/a", path.read_bytes())
    return "memory://bucket/records/*", {}


def put_into_memory(files):
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    for name, content in files.items():
        store.pipe_file(f"/bucket/fish/{name}", content)
    store.pipe_file("/bucket/fish/.hidden/a.png", b"")
    store.pipe_file("/bucket/fish/note.txt", b"")


SOURCES = (
    records,
    named_records,
    parquet_of_bytes,
    parquet_of_paths,
    csv_of_paths,
    remote_folder,
    remote_table,
    remote_records,
)
QUICK = (records, parquet_of_bytes, csv_of_paths, remote_folder)
