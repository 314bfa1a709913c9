"""What a server of pages takes, refuses and keeps."""

import copy
import json
import os
import socket

import pytest

from keras_dc3 import review
from keras_dc3.review.answer_store import AnswerStore
from keras_dc3.serving import Server
from tests.review.driving import write
from tests.review.helpers import HOSTILE, make_images, make_proposals
from tests.review.test_kinds import as_kind
from tests.serving.clients import Client

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")


@pytest.fixture
def anna(server, sheet):
    client = Client(server.addresses["anna"], sheet, "anna")
    client.open("first")
    return client


def labels(server, **options):
    """(person, image) -> class, of all that the server has kept."""
    found = review.read(server.answers, **options).annotations
    records = zip(
        found.records.image, found.records.annotator, found.records.label, strict=True
    )
    return {
        (found.annotators[who], found.ids[image]): found.class_names[label]
        for image, who, label in records
    }


def test_answers_are_kept_and_read(server, sheet, anna):
    assert anna.ask() == (200, {"annotator": "anna", "state": None})
    anna.choose(0, "cat")
    assert anna.send()
    anna.choose(1, "dog")
    assert anna.send() and anna.send()  # once more, as a page does that heard nothing
    ben = Client(server.addresses["ben"], sheet, "ben", "another")
    ben.open("first")
    ben.choose(0, "red deer")
    assert ben.send()
    ids = [row["image"] for row in anna.whole["annotations"]]
    kept = {
        ("anna", ids[0]): "cat",
        ("anna", ids[1]): "dog",
        ("ben", ids[0]): "red deer",
    }
    assert labels(server) == kept  # while it runs
    state = json.loads(anna.ask()[1]["state"])
    assert state["changes"] == 2
    server.stop()
    assert labels(server, proposals=make_proposals(12)) == kept
    assert not [name for name in os.listdir(os.path.dirname(sheet)) if "-wal" in name]
    with AnswerStore(server.answers) as store:
        assert json.loads(store.files()["review-anna.json"]) == anna.file()
    with Server(sheet, ["anna", "carla"], port=0) as again:
        assert again.addresses["anna"].split("/")[3] == anna.token.strip("/")
        assert labels(again) == kept


def test_of_two_who_share_an_address_nobody_loses_an_answer(server, sheet, anna):
    anna.choose(0, "cat")
    anna.send()
    other = copy.copy(anna)  # goes on with the same, on another computer
    other.connection = copy.copy(anna.connection)
    other.labels = dict(anna.labels)
    other.open("second")
    assert other.send()
    other.choose(1, "dog")
    assert other.send()
    anna.choose(2, "red deer")
    assert not anna.send() and not anna.send()  # kept beside the latest state
    other.choose(3, "cat")
    assert other.send()
    assert json.loads(anna.ask()[1]["state"])["changes"] == other.changes
    said = [label for _, label in sorted(labels(server).items())]
    assert sorted(said) == ["cat", "cat", "dog", "red deer"]
    stranger = Client(server.addresses["anna"], sheet, "anna", "another session")
    stranger.open("third")
    stranger.choose(4, "dog")
    assert not stranger.send()
    assert len(labels(server)) == 5
    earlier = copy.copy(other)  # as a request that comes late
    earlier.changes, earlier.labels = 2, {0: "cat", 1: "dog"}
    assert earlier.ask("PUT", body=earlier.body())[1]["latest"]
    assert len(labels(server)) == 5


def changed(body, *keys, to):
    """A body in which one value is another."""
    body = copy.deepcopy(body)
    place = body
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = to
    return body


def test_what_is_refused_is_told_and_not_kept(server, sheet, anna, tmp_path):
    anna.choose(0, "cat")
    good = anna.body()
    other, _ = write(tmp_path, make_proposals(12), "none", "o.html", round_name="2")
    stranger = Client(server.addresses["anna"], other, "anna")
    both = ("state", "file")
    renamed = good
    for part in both:
        renamed = changed(renamed, part, "annotator", to="ben")
    many = good
    for part in both:
        many = changed(many, part, "changes", to=10**30)
    wrong = {
        400: [b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"state": NaN}'],
        422: [
            [],
            {"state": {}},
            {"state": {}, "file": {}},
            changed(good, "state", "changes", to=7),
            changed(good, "file", "rows", to=2),
            changed(good, "file", "annotations", 0, "label", to="unicorn"),
            changed(good, "file", "annotations", 0, "image", to="../../etc/passwd"),
            changed(good, "file", "title", to="\ud800"),
            changed(good, "file", "fingerprint", to="none-a-b-c-d"),
            {part: stranger.body()[part] for part in both},
            renamed,
            many,
        ],
        413: [b" " * (17 << 20)],
    }
    for status, bodies in wrong.items():
        for body in bodies:
            found, told = anna.ask("PUT", body=body)
            assert found == status and told["error"].endswith(".")
            anna.connection.close()
    state = f"{anna.token}{anna.page}/state"
    for status, path in {
        403: f"/AAAAAAAAAAAAAAAAAAAAAA/{anna.page}/state",
        404: f"{anna.token}{stranger.page}/state",
    }.items():
        assert anna.ask("PUT", path, good)[0] == anna.ask("GET", path)[0] == status
    for path in ("/", "/..", "/../../etc/passwd", f"{anna.token}../review.html", "//"):
        assert anna.ask("GET", path)[0] in (403, 404)
        assert anna.ask("GET", path.replace("..", "%2e%2e"))[0] in (403, 404)
    for host in ("evil.example", "evil.example:80", "", "127.0.0.1.evil.example"):
        assert anna.ask("GET", Host=host)[0] == 421
        assert anna.ask("PUT", body=good, Host=host)[0] == 421
    for origin in ("http://evil.example", "null", "http://localhost:1"):
        assert anna.ask("PUT", body=good, Origin=origin)[0] == 403
    assert anna.ask("PUT", body=good, Content_Type="text/plain")[0] == 415
    assert anna.ask("POST", body=good)[0] == anna.ask("DELETE")[0] == 405
    with pytest.raises(ValueError, match="holds no answer"):
        review.read(server.answers)
    assert anna.send(Origin=f"http://{anna.host}")
    assert anna.ask("GET", state, Host="localhost")[0] == 200
    assert len(labels(server)) == 1


def test_two_pages_do_not_mix(tmp_path):
    pytest.importorskip("aiohttp")
    paths = [
        write(
            tmp_path,
            make_proposals(6, [*HOSTILE[:6]]),
            "none",
            f"{name}.html",
            repetitions=0.0,
            round_name=name,
            images=make_images(6),
            title=HOSTILE[0],
        )[0]
        for name in ("a", "b")
    ]
    with Server(paths, [HOSTILE[1]], port=0) as server:
        (address,) = server.addresses.values()
        clients = [Client(address, path, HOSTILE[1], path) for path in paths]
        status, listed = clients[0].ask("GET", clients[0].token)
        assert status == 200 and b"<script" not in listed and b"<img" not in listed
        for client, label in zip(clients, ("cat", "dog"), strict=True):
            assert client.page.encode() in listed
            client.open("first")
            client.choose(0, label)
            assert client.send()
        with AnswerStore(server.answers) as store:
            kept = store.files()
    assert len(kept) == 2
    for text, label in zip(kept.values(), ("cat", "dog"), strict=True):
        assert [row["label"] for row in json.loads(text)["annotations"]] == [label]


def test_a_full_disk_is_told_and_loses_nothing(server, anna, monkeypatch):
    anna.choose(0, "cat")
    anna.send()
    put = AnswerStore.put

    def full(store, states):
        (pages,) = store._database.execute("pragma page_count").fetchone()
        store._database.execute(f"pragma max_page_count = {pages}")
        try:
            return put(store, states)
        finally:
            store._database.execute("pragma max_page_count = 1000000")

    anna.whole["annotations"][1]["group"] = "g" * 100_000
    anna.choose(1, "dog")
    with monkeypatch.context() as patched:
        patched.setattr(AnswerStore, "put", full)
        status, told = anna.ask("PUT", body=anna.body())
    assert status == 507 and "is full" in told["error"]
    assert len(labels(server)) == 1
    assert anna.send() and len(labels(server)) == 2


def test_what_a_server_cannot_start_with(server, sheet, tmp_path):
    with (
        pytest.raises(OSError, match=r"is in use by .*serve"),
        Server(sheet, ["anna"], port=0),
    ):
        pass
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        options = {"answers": tmp_path / "b.sqlite", "port": port}
        with (
            pytest.raises(OSError, match=f"Port {port} .* is in use"),
            Server(sheet, ["anna"], **options),
        ):
            pass
        with (
            pytest.raises(OSError, match="cannot be used"),
            Server(sheet, ["anna"], answers=options["answers"], host="192.0.2.1"),
        ):
            pass
    other, _ = write(tmp_path, make_proposals(12), "none", "o.html", round_name="2")
    with pytest.raises(ValueError, match="has answers to other pages, such as"):
        Server(other, ["anna"], answers=server.answers)
    (tmp_path / "no.html").write_text("<p>no")
    (tmp_path / "cut.sqlite").write_bytes(b"SQLite format 3\0" + bytes(200))
    for wrong, told in {
        (tmp_path / "no.html", ("anna",)): "is no review sheet",
        (sheet, ("anna", "Anna")): "are one name",
        (sheet, None): "`people` must name",
    }.items():
        with pytest.raises(ValueError, match=told):
            Server(*wrong)
    with pytest.raises(ValueError, match="is damaged"):
        Server(sheet, ["anna"], answers=tmp_path / "cut.sqlite")
    with pytest.raises(FileNotFoundError):
        Server(tmp_path / "nowhere.html", ["anna"])
    with pytest.raises(ValueError, match="`port` must be"):
        Server(sheet, ["anna"], port=70000)


def test_answers_beyond_the_classes_are_taken(server, sheet, anna):
    """A typed class, two classes, and a note alone; but no share of 150%."""
    for number in range(3):
        anna.choose(number, "cat")
    body = anna.body()
    body["file"]["version"] = 2
    rows = body["file"]["annotations"]
    as_kind(rows[0], "new class", label="狐")
    as_kind(rows[1], "split", label="dog", split={"dog": 0.6, "狐": 0.4})
    as_kind(rows[2], "note", label=None, note="😀")
    status, found = anna.ask("PUT", body=body)
    assert status == 200, found
    kept = review.read(server.answers)
    assert kept.new_classes == ("狐",) and len(kept.kinds) == 2
    assert kept.annotations.counts.sum(axis=0)[-1] == pytest.approx(1.4)
    assert list(kept.notes_of.values()) == [(("anna", "😀"),)]
    rows[1]["split"] = {"dog": 1.5, "cat": 0.5}
    status, found = anna.ask("PUT", body=body)
    assert status == 422 and "'split' must give two classes" in found["error"]
