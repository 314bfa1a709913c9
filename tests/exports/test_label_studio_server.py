"""A real Label Studio takes the tasks, and its export is read back.

pip install "keras_dc3[label-studio]"  # into an environment of its own
KERAS_DC3_LABEL_STUDIO=<environment>/bin/label-studio pytest -m slow tests/exports
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from keras_dc3.annotations import Annotations
from keras_dc3.exports import to_label_studio
from keras_dc3.exports.label_studio import label_studio_config
from tests.exports.helpers import make

TOKEN = "0123456789abcdef0123456789abcdef01234567"
NAMES = ("cat", 'dog & "cat"', "deer <red>")
SECONDS = 300.0  # to start in


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Server:
    """A server, and the folder whose files it serves."""

    def __init__(self, address, images):
        self.address, self.images = address, images

    def get(self, path, content=None):
        """Returns the answer to a GET, or to a POST of some content, as bytes."""
        request = urllib.request.Request(
            self.address + path,
            None if content is None else json.dumps(content).encode(),
            {"Authorization": f"Token {TOKEN}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error}, {error.read()[:500]}") from error

    def call(self, path, content=None):
        """The same for JSON."""
        return json.loads(self.get(f"/api/{path}", content))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    program = os.environ.get("KERAS_DC3_LABEL_STUDIO") or shutil.which("label-studio")
    if not program:
        pytest.skip("Label Studio is not installed; see the top of this file")
    folder, port = tmp_path_factory.mktemp("label_studio"), free_port()
    images = tmp_path_factory.mktemp("images")
    options = {
        "--internal-host": "127.0.0.1",
        "--port": str(port),
        "--data-dir": str(folder),
        "--username": "a@example.com",
        "--password": "secret12345",
        "--user-token": TOKEN,
        "--log-level": "ERROR",
    }
    environment = {
        **{k: v for k, v in os.environ.items() if k != "PYTHONPATH"},
        "COLLECT_ANALYTICS": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
        "LATEST_VERSION_CHECK": "false",
        "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED": "true",
        "LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT": str(images),
    }
    with open(folder / "log.txt", "wb") as log:
        process = subprocess.Popen(
            [
                *(program, "start", "--no-browser", "--enable-legacy-api-token"),
                *(part for option in options.items() for part in option),
            ],
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    found = Server(f"http://127.0.0.1:{port}", images)
    try:
        end = time.monotonic() + SECONDS
        while True:
            try:
                found.call("projects")
                break
            except (urllib.error.URLError, OSError, AssertionError):
                text = (folder / "log.txt").read_text("utf-8", "replace")[-2000:]
                assert process.poll() is None and time.monotonic() < end, text
                time.sleep(2)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["dc3", "classes", "none"])
def test_a_server_takes_tasks_and_gives_annotations(server, tmp_path, mode):
    proposals = make([f"sub folder/ü{i}+?.png" for i in range(8)], names=NAMES)
    path = tmp_path / "tasks.json"
    to_label_studio(proposals, path, mode=mode)
    interface = (tmp_path / "tasks.xml").read_text("utf-8")
    assert interface == label_studio_config(NAMES, mode != "none")
    project = server.call("projects", {"title": mode, "label_config": interface})["id"]
    tasks = json.loads(path.read_text("utf-8"))
    imported = server.call(f"projects/{project}/import", tasks)
    assert imported["task_count"] == 8
    assert imported["prediction_count"] == (0 if mode == "none" else 8)
    second = {"email": f"{mode}@example.com", "username": mode, "password": "x12345678"}
    second = server.call("users/", second)["id"]

    listed = server.call(f"tasks?project={project}&fields=all&page_size=100")["tasks"]
    given = {}
    for number, task in enumerate(listed):
        name = task["data"]["id"]
        if task["predictions"]:
            shown = task["predictions"][0]["result"]
            assert shown[0]["value"]["choices"][0] in NAMES
        if number == 7:
            continue  # nobody looks at it
        labels = [NAMES[number % 3], NAMES[(number + 1) % 3]]
        for label, person in zip(labels, (1, second), strict=True):
            result = {
                "from_name": "class",
                "to_name": "image",
                "type": "choices",
                "value": {"choices": [label]},
            }
            answer = {"result": [result], "lead_time": 3.5, "completed_by": person}
            if number == 6:  # skipped by both
                answer |= {"result": [], "was_cancelled": True}
            server.call(f"tasks/{task['id']}/annotations/", answer)
        given[name] = labels if number < 6 else []

    export = server.call(
        f"projects/{project}/export?exportType=JSON&download_all_tasks=true"
    )
    (tmp_path / "export.json").write_text(json.dumps(export), "utf-8")
    with pytest.warns(UserWarning, match="2 skipped"):
        annotations = Annotations.from_label_studio(
            tmp_path / "export.json", class_names=NAMES
        )
    assert set(annotations.ids) == set(proposals.ids)
    assert annotations.annotators == ("1", str(second))
    for image, row in zip(annotations.ids, annotations.counts, strict=True):
        expected = [given.get(image, []).count(name) for name in NAMES]
        assert row.tolist() == expected
    assert set(annotations.records.seconds[annotations.records.label >= 0]) == {3.5}


@pytest.mark.slow
def test_a_server_finds_the_images(server, tmp_path):
    folder = server.images / "sub folder"
    folder.mkdir()
    proposals = make([f"sub folder/ü{i} +?&#%.png" for i in range(4)])
    for name in proposals.ids:
        (server.images / name).write_bytes(name.encode())
    to_label_studio(proposals, tmp_path / "tasks.json")
    interface = (tmp_path / "tasks.xml").read_text("utf-8")
    content = {"title": "images", "label_config": interface}
    project = server.call("projects", content)["id"]
    storage = {"project": project, "path": str(folder), "use_blob_urls": True}
    server.call("storages/localfiles", storage)
    for task in json.loads((tmp_path / "tasks.json").read_text("utf-8")):
        found = server.get(task["data"]["image"])
        assert found == task["data"]["id"].encode()
