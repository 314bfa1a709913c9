"""Somebody who answers a page of a server by a script, without a browser."""

import http.client
import json
from urllib.parse import urlsplit

from tests.review.helpers import answer


class Client:
    """Sends what a page sends.

    Args:
        address: of the person.
        path: of the page.
        person: the name.
        session: of this person.
    """

    def __init__(self, address, path, person, session="session"):
        self.host, self.token = urlsplit(address).netloc, urlsplit(address).path
        self.whole = answer(path, person, session=session)
        self.page = self.whole["page"]
        self.openings, self.changes, self.labels = [], 0, {}
        self.connection = http.client.HTTPConnection(self.host, timeout=30)

    def open(self, name):
        """Begins, or goes on, as another tab does with `openings` of its own."""
        self.openings = [*self.openings, [name, self.changes]]

    def choose(self, number, label):
        """Answers the image of that number, from 0 on."""
        self.labels[number] = label
        self.changes += 1

    def file(self):
        """What a download would hold."""
        whole = self.whole["annotations"]
        rows = [
            {**whole[i], "label": label, "accepted": label == whole[i]["proposed"]}
            for i, label in sorted(self.labels.items())
        ]
        known = {"changes": self.changes, "openings": self.openings}
        return {**self.whole, **known, "rows": len(rows), "annotations": rows}

    def body(self):
        """What is sent after each act."""
        file = self.file()
        same = ("annotator", "session", "changes", "openings")
        return {"state": {name: file[name] for name in same}, "file": file}

    def ask(self, method="GET", path=None, body=None, **headers):
        """Returns status and JSON of an answer of the server."""
        path = f"{self.token}{self.page}/state" if path is None else path
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        kind = {"Content-Type": "application/json"} if body is not None else {}
        try:
            self.connection.request(method, path, body, {**kind, **headers})
            response = self.connection.getresponse()
            text = response.read()
        except OSError:
            self.connection.close()
            raise
        is_json = response.headers.get_content_type() == "application/json"
        return response.status, json.loads(text) if is_json else text

    def send(self, **headers):
        """Sends the state; returns whether it is the latest one."""
        status, found = self.ask("PUT", body=self.body(), **headers)
        assert status == 200, found
        assert found["kept"] == self.changes
        return found["latest"]
