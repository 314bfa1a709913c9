"""The page of a review sheet: one HTML file, which needs no server and no network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib import resources
from typing import Any

_SCRIPTS = (
    *("state.js", "store.js", "export.js", "view.js", "cards.js", "beside.js"),
    *("order.js", "large.js", "overview.js", "menu.js", "press.js", "guard.js"),
    *("acts.js", "beyond.js", "groups.js", "keys.js", "page.js"),
)
_SENDING = "sync.js"
# Zooms and moves an image. As `npm pack @panzoom/panzoom@4.6.2` gives it, in
# package/dist; its licence lies beside it.
_VENDORED = "vendor/panzoom.min.js"
_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>', re.S)


def html(content: dict[str, Any], *, served: bool = False) -> str:
    """Returns the page. What it may run or load stands in its security policy.

    Args:
        content: what the scripts read; texts in it may hold anything.
        served: whether a server gives the page, to which it sends answers. Else it
            can reach no network.
    """
    folder = resources.files("keras_dc3.review")
    style = folder.joinpath("page.css").read_text("utf-8")
    names = (*_SCRIPTS[:-1], *([_SENDING] if served else ()), _SCRIPTS[-1])
    scripts = [folder.joinpath(name).read_text("utf-8") for name in names]
    vendored = folder.joinpath(_VENDORED).read_text("utf-8")
    script = "\n".join([vendored, '(() => {\n"use strict";', *scripts, "})();"])
    # A page that is opened as a file is "self" to some browsers, no one to others.
    here = "'self'" if served else "'self' file:"
    large = content.get("large", {}).values()
    files = any(not address.startswith("data:") for address in large)
    beside = f" {here}" if files else ""
    policy = (
        f"default-src 'none'; img-src data:{beside}; base-uri 'none'; "
        "form-action 'none'; "
        f"style-src {hash_source(style)}; script-src {hash_source(script)}"
        + ("; connect-src 'self'" if served else "")
    )
    parts = {
        "policy": policy,
        "style": style,
        "script": script,
        "data": as_inert_json(content),
    }
    page = folder.joinpath("page.html").read_text("utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda match: parts[match[1]], page)


def content_of(page: str) -> Any:
    """Returns the `content` of a page; None if the text is none."""
    found = _DATA.search(page)
    try:
        return json.loads(found[1]) if found else None
    except ValueError:
        return None


def as_inert_json(content: Any) -> str:
    """Returns JSON that cannot end the element of a page in which it stands."""
    text = json.dumps(content, ensure_ascii=True, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def hash_source(text: str) -> str:
    """Returns how a security policy allows a script or style with this text alone."""
    found = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{found}'"
