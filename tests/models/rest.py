"""A server that speaks the REST of TensorFlow Serving, as its pages describe it.

One model, `POST /v1/models/<name>[/versions/<n>]:predict` and
`GET /v1/models/<name>`. What a request may hold, and what it is answered with, is as
`tensorflow_model_server` has it: rows ("instances") or columns ("inputs"), bytes as
`{"b64": ...}`, one "error" in words.
"""

import base64
import json
import re
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

_PATH = re.compile(r"/v1/models/(\w+)(?:/versions/(\d+))?(:predict)?")


class Refused(Exception):
    """A request that is answered with a status and an error."""

    def __init__(self, status, error):
        super().__init__(error)
        self.status = status


class Model:
    """The latest version in a folder of versions."""

    def __init__(self, folder, name):
        import tensorflow as tf  # these tests are read without it, too

        self.name = name
        self._refusal = tf.errors.InvalidArgumentError
        self.version = max(int(p.name) for p in Path(folder).iterdir())
        self._loaded = tf.saved_model.load(Path(folder, str(self.version)))

    def predict(self, body):
        try:
            request = json.loads(body)
        except ValueError as error:
            raise Refused(400, f"JSON Parse error: {error}") from error
        if not isinstance(request, dict):
            raise Refused(400, "JSON Value: is not object")
        name = request.get("signature_name", "serving_default")
        if name not in self._loaded.signatures:
            raise Refused(400, f'Serving signature name: "{name}" not found')
        signature = self._loaded.signatures[name]
        specs = signature.structured_input_signature[1]
        if not specs:
            raise Refused(400, f"Failed to get input map for signature: {name}")
        keys = {"instances", "inputs"} & set(request)
        if len(keys) != 1:
            raise Refused(400, "expecting one of 'inputs' or 'instances'")
        by_row = "instances" in keys
        read = _rows if by_row else _columns
        arguments = read(request[keys.pop()], specs)
        try:
            outputs = signature(**arguments)
        except self._refusal as error:
            raise Refused(400, error.message) from error
        return _told(outputs, by_row)


def _rows(instances, specs):
    if not isinstance(instances, list) or not instances:
        raise Refused(400, "Excepting 'instances' to be an list/array")
    if isinstance(instances[0], dict) and set(instances[0]) != {"b64"}:
        if any(set(item) != set(specs) for item in instances):
            raise Refused(400, f"keys must be equal to: {','.join(specs)}")
        columns = {name: [item[name] for item in instances] for name in specs}
    elif len(specs) > 1:
        raise Refused(400, "instances is a plain list, but expecting list of objects")
    else:
        columns = {name: instances for name in specs}
    return _columns(columns, specs)


def _columns(inputs, specs):
    if not isinstance(inputs, dict):
        inputs = {name: inputs for name in specs}
    for name in set(specs) - set(inputs):
        raise Refused(400, f"Missing named input: {name} in 'inputs' object.")
    return {name: _tensor(inputs[name], spec.dtype) for name, spec in specs.items()}


def _tensor(value, dtype):
    def plain(part):
        if isinstance(part, list):
            return [plain(item) for item in part]
        if dtype == "string":
            if isinstance(part, dict) and set(part) == {"b64"}:
                return base64.b64decode(part["b64"], validate=True)
            if isinstance(part, str):
                return part.encode()
        elif isinstance(part, int if dtype.is_integer else int | float):
            return part
        raise Refused(400, f"JSON Value: {part} is not of expected type: {dtype.name}")

    import tensorflow as tf

    try:
        return tf.constant(plain(value), dtype)
    except ValueError as error:
        raise Refused(400, str(error)) from error


def _told(outputs, by_row):
    def text(name, value):
        if isinstance(value, list):
            return [text(name, item) for item in value]
        if not isinstance(value, bytes):
            return value
        if name.endswith("_bytes"):
            return {"b64": base64.b64encode(value).decode()}
        return value.decode()

    columns = {n: text(n, np.asarray(v).tolist()) for n, v in outputs.items()}
    assert len(columns) > 1, "a single output would be told without its name"
    if not by_row:
        return {"outputs": columns}
    rows = zip(*columns.values(), strict=True)
    return {"predictions": [dict(zip(columns, row, strict=True)) for row in rows]}


@contextmanager
def serving(folder, name, port=0):
    """Serves the versions in a folder; gives the address."""
    model = Model(folder, name)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self._answer(None)

        def do_POST(self):
            self._answer(self.rfile.read(int(self.headers["Content-Length"])))

        def _answer(self, body):
            try:
                status, told = 200, self._told(body)
            except Refused as error:
                status, told = error.status, {"error": str(error)}
            content = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def _told(self, body):
            match = _PATH.fullmatch(self.path)
            if match is None or (match[3] is None) != (body is None):
                raise Refused(404, "Malformed request")
            if match[1] != name or int(match[2] or model.version) != model.version:
                raise Refused(
                    404, f"Servable not found for request: Latest({match[1]})"
                )
            if body is not None:
                return model.predict(body)
            good = {"error_code": "OK", "error_message": ""}
            version = {"version": str(model.version), "state": "AVAILABLE"}
            return {"model_version_status": [{**version, "status": good}]}

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("localhost", port), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://localhost:{server.server_port}/v1/models/{name}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
