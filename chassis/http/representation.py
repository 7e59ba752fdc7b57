"""How the reply to a GET travels: not at all when the client has it already (304), compressed when it is long.

A public reply that carries no ETag of its own gets one from its content, so that whoever asks again for figures or reference
data that haven't changed hears 304 and nothing else.
"""

from __future__ import annotations

import hashlib
from typing import Any

from fastapi import Depends, Request, Response
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis.http.accept import takes_gzip
from chassis.http.etag import matches_weakly

_SHORT_BYTES = 1024  # compressing less saves no packet
REFERENCE = "public, max-age=3600"  # lists that change with a release
FIGURES = "public, max-age=5"  # what the public sees of the programme; short, for people watch it grow


def public(cache_control: str) -> Any:
    """Declare that anybody may keep a route's replies: `dependencies=[public(REFERENCE)]`.

    Only what an anonymous caller hears: whoever signs in may hear more.
    """

    async def allow(request: Request, response: Response) -> None:
        response.headers["Vary"] = "Authorization, X-API-Key"
        if "authorization" not in request.headers and "x-api-key" not in request.headers:
            response.headers["Cache-Control"] = cache_control

    allow.keeps = cache_control  # type: ignore[attr-defined] # a mark on a function, read by is_public
    return Depends(allow)


def is_public(dependant: Any) -> bool:
    """Whether a route declares so."""
    return any(hasattr(dependency.call, "keeps") for dependency in dependant.dependencies)


class Representation:
    """Wraps what answers GET requests."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._compressing = GZipMiddleware(self._conditional, minimum_size=_SHORT_BYTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one GET."""
        if takes_gzip(Headers(scope=scope).get("accept-encoding")):
            scope["headers"] = [(b"accept-encoding", b"gzip"), *scope["headers"]]  # Starlette looks for the word and misses "*"
            await self._compressing(scope, receive, send)
        else:
            await self._conditional(scope, receive, send)

    async def _conditional(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, _Conditional(Headers(scope=scope).get("if-none-match"), send))


class _Conditional:
    """The send of one reply: holds its head until it is known whether the client has the body already."""

    def __init__(self, if_none_match: str | None, send: Send) -> None:
        self._if_none_match = if_none_match
        self._send = send
        self._head: Message | None = None
        self._silent = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] == 200:
            self._head = message
            return
        if message["type"] == "http.response.body" and self._head is not None:
            head, self._head = self._head, None
            self._silent = self._unchanged(head, message)
            await self._send(head)
        if not self._silent:
            await self._send(message)
        elif not message.get("more_body", False):
            await self._send({"type": "http.response.body", "body": b""})

    def _unchanged(self, head: Message, body: Message) -> bool:
        """Whether the client has this reply; then `head` has become a 304."""
        headers = MutableHeaders(raw=head["headers"])
        whole = not body.get("more_body", False)
        if whole and "etag" not in headers and headers.get("cache-control", "").startswith("public"):
            headers["ETag"] = f'"{hashlib.sha256(body["body"]).hexdigest()[:32]}"'
        head["headers"] = headers.raw
        tag = headers.get("etag")
        if tag is None or self._if_none_match is None or not matches_weakly(self._if_none_match, tag):
            return False
        head["status"] = 304
        head["headers"] = [pair for pair in headers.raw if pair[0] not in (b"content-length", b"content-type")]
        return True
