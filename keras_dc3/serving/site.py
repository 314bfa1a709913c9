"""What a server answers to each request. Needs aiohttp."""

from __future__ import annotations

import asyncio
import html
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keras_dc3._extras import optional
from keras_dc3.review.page import hash_source
from keras_dc3.serving import guard
from keras_dc3.serving.keeper import Keeper
from keras_dc3.serving.pages import Page
from keras_dc3.serving.taking import RefusedError, state_of

MOST_BYTES = 16 << 20  # of what a page sends at once
_STYLE = (
    "body{font:16px/1.4 system-ui,sans-serif;max-width:600px;margin:auto;padding:8px}"
    "h1{font-size:22px}ul{padding:0}li{list-style:none;margin:8px 0}"
    "a{display:block;padding:12px 16px;border:1px solid;border-radius:8px}"
    "h1,a{overflow-wrap:anywhere}"
)
_LIST = """<!doctype html>
<html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src {style_hash}"><meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>{style}</style><title>Pages of {person}</title>
<h1>Pages of {person}</h1><ul>{items}</ul></html>
"""


def web() -> Any:
    """Returns aiohttp's `web`.

    Raises:
        ImportError: if it is not installed.
    """
    return optional("aiohttp.web", "A server of pages needs aiohttp", "serve")


@dataclass(frozen=True)
class Site:
    """What there is to ask for.

    Attributes:
        pages: key -> page.
        people: token -> person.
        theirs: person -> keys of this person's pages.
        names: under which the server is asked, see `guard.known_names`.
        keeper: of the answers.
    """

    pages: Mapping[str, Page]
    people: Mapping[str, str]
    theirs: Mapping[str, Sequence[str]]
    names: frozenset[str]
    keeper: Keeper

    def app(self) -> Any:
        """Returns it as an application of aiohttp."""

        @web().middleware
        async def answer(request: Any, handler: Callable[[Any], Awaitable]) -> Any:
            return await self._answer(request, handler)

        app = web().Application(client_max_size=MOST_BYTES, middlewares=[answer])
        app.router.add_get("/{token}", self._list)
        app.router.add_get("/{token}/", self._list)
        app.router.add_get("/{token}/{page}/", self._page)
        app.router.add_get("/{token}/{page}/state", self._give)
        app.router.add_get("/{token}/{page}/{folder}/{file}", self._picture)
        app.router.add_put("/{token}/{page}/state", self._take)
        return app

    async def _answer(self, request: Any, handle: Callable[[Any], Awaitable]) -> Any:
        """Answers a request; what is refused or goes wrong is told in a sentence."""
        try:
            self._check(request)
            response = await handle(request)
        except RefusedError as error:
            response = _told(error.status, str(error))
        except web().HTTPRequestEntityTooLarge:
            response = _told(413, f"This is more than {MOST_BYTES >> 20} MiB at once.")
        except web().HTTPRedirection as found:
            found.headers.update(guard.HEADERS)
            raise
        except web().HTTPException as error:
            response = _told(error.status, "There is nothing here.")
        except OSError as error:  # such as a full disk
            response = _told(507, error.strerror or str(error))
        except ValueError as error:  # such as a damaged file of answers
            response = _told(500, str(error))
        for name, value in guard.HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _check(self, request: Any) -> None:
        if not guard.is_known(request.headers.get("Host", ""), self.names):
            raise RefusedError(
                421,
                "This server does not go by that name. Open the address that it has "
                "printed, or start it with --names.",
            )
        if not guard.is_own(request.headers.get("Origin"), request.headers["Host"]):
            raise RefusedError(403, "Another web site has sent this; it is refused.")

    def _person(self, request: Any) -> str:
        person = self.people.get(request.match_info["token"])
        if person is None:
            raise RefusedError(
                403, "Nobody has this address. Open the one that you were given."
            )
        return person

    def _whose(self, request: Any) -> tuple[str, Page]:
        """Returns who asks, and for which page."""
        person, key = self._person(request), request.match_info["page"]
        if key not in self.theirs[person]:
            raise RefusedError(404, f"{person} has no such page.")
        return person, self.pages[key]

    async def _list(self, request: Any) -> Any:
        person = self._person(request)
        if not request.path.endswith("/"):  # not from "/" on: a proxy may add to it
            raise web().HTTPFound(f"{request.match_info['token']}/")
        pages = [self.pages[key] for key in self.theirs[person]]
        if len(pages) == 1:
            raise web().HTTPFound(f"{pages[0].key}/")
        items = "".join(
            f'<li><a href="{page.key}/">{html.escape(page.title)}</a>' for page in pages
        )
        text = _LIST.format(
            person=html.escape(person),
            items=items,
            style=_STYLE,
            style_hash=hash_source(_STYLE),
        )
        return web().Response(text=text, content_type="text/html")

    async def _page(self, request: Any) -> Any:
        _, page = self._whose(request)
        return web().Response(body=page.text, content_type="text/html", charset="utf-8")

    async def _picture(self, request: Any) -> Any:
        _, page = self._whose(request)
        known = request.match_info
        path = page.pictures.get(f"{known['folder']}/{known['file']}")
        if path is None:
            raise RefusedError(404, f"{page.title!r} has no such picture.")
        # Its name is that of what it shows, so that it can be kept.
        return web().FileResponse(
            path, headers={"Cache-Control": "private, max-age=86400"}
        )

    async def _give(self, request: Any) -> Any:
        person, page = self._whose(request)
        state = await self.keeper.latest(page.key, person)
        return _json(200, {"annotator": person, "state": state})

    async def _take(self, request: Any) -> Any:
        person, page = self._whose(request)
        if request.content_type != "application/json":
            raise RefusedError(415, "Only JSON is taken.")
        body = await request.read()
        state = await asyncio.to_thread(state_of, body, page, person)
        latest = await self.keeper.put(state)
        return _json(200, {"kept": state.changes, "latest": latest})


def _told(status: int, why: str) -> Any:
    return _json(status, {"error": why})


def _json(status: int, content: Any) -> Any:
    return web().Response(
        status=status, text=json.dumps(content), content_type="application/json"
    )
