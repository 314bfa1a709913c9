"""Archives: fetched, checked, unpacked; no network is used."""

import hashlib
import io
import json
import stat
import zipfile
from email.message import Message
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_dc3.datasets import archives
from keras_dc3.datasets.archives import ArchiveError, download, record_checksum, unpack

CONTENT = b"some bytes" * 1000


class Answer(io.BytesIO):
    """What `urlopen` returns."""

    def __init__(self, content, length=True):
        super().__init__(content)
        self.headers = Message()
        if length is not None:
            number = len(content) if length is True else length
            self.headers["Content-Length"] = str(number)


@pytest.fixture
def serve(monkeypatch):
    """Answers with the content given for a URL."""
    pages = {}

    def urlopen(url, timeout):
        assert timeout <= 60
        if url not in pages:
            raise OSError(f"nobody answers at {url}")
        page = pages[url]
        return page() if callable(page) else Answer(page)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return pages


def checksum(content, algorithm="md5"):
    return f"{algorithm}:{hashlib.new(algorithm, content).hexdigest()}"


@pytest.mark.parametrize("known", ["md5", "sha256", "none", "unheard-of"])
def test_download(serve, tmp_path, known, capsys):
    serve["http://x/a.zip"] = CONTENT
    expected = {"none": None, "unheard-of": "unheard-of:12"}
    expected = expected[known] if known in expected else checksum(CONTENT, known)
    download("http://x/a.zip", tmp_path / "new" / "a.zip", expected)
    assert (tmp_path / "new" / "a.zip").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.zip"]
    assert "Fetching http://x/a.zip" in capsys.readouterr().out


def test_a_wrong_checksum_leaves_nothing(serve, tmp_path):
    serve["http://x/a.zip"] = CONTENT
    with pytest.raises(ArchiveError, match=r"a\.zip fails its checksum: md5 must be"):
        download("http://x/a.zip", tmp_path / "a.zip", checksum(b"other"))
    assert not list(tmp_path.iterdir())


def test_a_connection_that_breaks_leaves_nothing(serve, tmp_path):
    serve["http://x/a.zip"] = lambda: Answer(CONTENT, length=len(CONTENT) + 5)
    with pytest.raises(ArchiveError, match="ended after 10,000 of 10,005 bytes"):
        download("http://x/a.zip", tmp_path / "a.zip")
    serve["http://x/a.zip"] = lambda: Answer(CONTENT, length=None)
    download("http://x/a.zip", tmp_path / "b.zip")
    with pytest.raises(archives.NETWORK_ERRORS, match="nobody answers"):
        download("http://x/other.zip", tmp_path / "a.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["b.zip"]


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (
            {"files": [{"key": "b", "checksum": "1"}, {"key": "a", "checksum": "2"}]},
            "2",
        ),
        ({"files": [{"key": "b", "checksum": "1"}]}, None),
        ({"files": [{"key": "a", "checksum": 7}, "a"]}, None),
        ({"files": None}, None),
        ([], None),
        ("no JSON", None),
    ],
)
def test_checksum_of_a_record(serve, page, expected):
    page = page if isinstance(page, str) else json.dumps(page)
    serve["https://zenodo.org/api/records/12"] = page.encode()
    assert record_checksum("12", "a") == expected


def pack(path, members, links=()):
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            member = zipfile.ZipInfo(name)
            mode = stat.S_IFLNK if name in links else stat.S_IFREG
            member.external_attr = (mode | 0o644) << 16
            file.writestr(member, content)


def test_unpack(tmp_path):
    members = {"__MACOSX/x": "", "a/b/mark": "1", "a/b/c/d.txt": "2", "e.txt": "3"}
    pack(tmp_path / "a.zip", members)
    unpack(tmp_path / "a.zip", tmp_path / "out", ["other", "mark"])
    found = [p.relative_to(tmp_path / "out") for p in (tmp_path / "out").rglob("*")]
    assert sorted(map(str, found)) == ["c", "c/d.txt", "mark"]
    pack(tmp_path / "b.zip", {"mark": "1", "c/d.txt": "2"})
    unpack(tmp_path / "b.zip", tmp_path / "flat", ["mark"])
    assert (tmp_path / "flat" / "c" / "d.txt").read_text() == "2"
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "a.zip",
        "b.zip",
        "flat",
        "out",
    ]


@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/evil", "..\\evil", "C:/evil", "a/..", "link"]
)
def test_what_would_be_written_elsewhere_is_refused(tmp_path, name):
    (tmp_path / "data").mkdir()
    archive = tmp_path / "data" / "a.zip"
    pack(archive, {"a/mark": "1", name: "/etc/passwd"}, links=("link",))
    with pytest.raises(ArchiveError, match="Nothing was unpacked"):
        unpack(archive, tmp_path / "data" / "out", ["mark"])
    assert [path.name for path in tmp_path.iterdir()] == ["data"]
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["a.zip"]


def test_damaged_archives(tmp_path, monkeypatch):
    archive, out = tmp_path / "a.zip", tmp_path / "out"
    pack(archive, {"a/mark": "1" * 1000})
    whole = archive.read_bytes()
    with pytest.raises(ArchiveError, match="holds no folder with train or val"):
        unpack(archive, out, ["train", "val"])
    archive.write_bytes(whole[:-30])
    with pytest.raises(ArchiveError, match=r"a\.zip' is damaged or no zip archive"):
        unpack(archive, out, ["mark"])
    place = whole.index(b"1111")
    archive.write_bytes(whole[:place] + b"2" + whole[place + 1 :])
    with pytest.raises(ArchiveError, match="is damaged"):
        unpack(archive, out, ["mark"])
    archive.write_bytes(whole)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(archives.NETWORK_ERRORS, match=r"only 0\.0 GB are free"):
        unpack(archive, out, ["mark"])
    assert [path.name for path in tmp_path.iterdir()] == ["a.zip"]


@given(
    st.one_of(
        st.binary(max_size=200),
        st.tuples(st.integers(0, 130), st.binary(min_size=1, max_size=4)),
    )
)
def test_any_bytes_give_a_folder_or_our_error(tmp_path_factory, change):
    folder = tmp_path_factory.mktemp("archive")
    archive = folder / "a.zip"
    pack(archive, {"mark": "1"})
    if isinstance(change, bytes):
        archive.write_bytes(change)
    else:
        whole, (place, new) = archive.read_bytes(), change
        archive.write_bytes(whole[:place] + new + whole[place + len(new) :])
    try:
        unpack(archive, folder / "out", ["mark"])
    except ArchiveError:
        assert [path.name for path in folder.iterdir()] == ["a.zip"]
    else:
        assert (folder / "out" / "mark").exists()
