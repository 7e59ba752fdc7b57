"""Around every request: its id in logs and replies, its line in the access log, series, a span, headers; HEAD as GET.

An id that a client sends isn't taken over: it may be a NIK, and it would stand in every line of the log.
"""

from __future__ import annotations

import re
import time

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import clock, logs, telemetry
from chassis.errors import FieldError, Invalid
from chassis.http import problems
from chassis.http.direct_route import DirectRoute
from chassis.http.representation import Representation

log = logs.get(__name__)
_HOST = re.compile(rb"[A-Za-z0-9._~%!$&'()*+,;=:\[\]-]*")


class RequestContext:
    """Pure ASGI (no extra task for each request)."""

    def __init__(self, app: ASGIApp, direct: dict[tuple[str, str], DirectRoute]) -> None:
        self._app = app
        self._reading = Representation(self._route)
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, count it and note it, whatever became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method, request_id = scope["method"], clock.new_id("req")
        if method == "HEAD":  # as GET, but for the body (RFC 9110, section 9.3.2)
            scope = {**scope, "method": "GET"}
        scope.setdefault("state", {})["request_id"] = request_id
        logs.clear()
        logs.bind(request_id=request_id)
        started = time.perf_counter()
        reply = _Reply(send, scope, request_id, bodiless=method == "HEAD")
        answer = self._route if scope["method"] != "GET" else self._reading
        try:
            if _has_one_host(scope):
                await _traced(answer, scope, receive, reply)
            else:
                await _refuse_host(scope, receive, reply)
        except Exception as error:
            if not reply.status:
                raise
            # Behind a whole reply it is Starlette, which tells the server of the error that it has answered. Within one the
            # server breaks the connection off, since the reply isn't complete.
            if not reply.complete:
                log.error("reply_broken_off", exc_info=error)
        finally:
            # The route's template, never the path that a caller sent: labels stay bounded.
            template = getattr(scope.get("route"), "path", "none")
            seconds, status = time.perf_counter() - started, reply.status or 500
            telemetry.http(method, template, status, seconds)
            logs.access(method, template, status, seconds, request_id, getattr(scope["state"].get("caller"), "id", ""))

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        # A direct route needs nothing of what lies between here and the router: it answers its endpoint's errors.
        route = self._direct.get((scope["method"], scope["path"]))
        if route is None:
            await self._app(scope, receive, send)
        else:
            scope["route"] = route
            await route.app(scope, receive, send)


class _Reply:
    """The send of one request: adds our headers, and knows how far the reply has come."""

    def __init__(self, send: Send, scope: Scope, request_id: str, *, bodiless: bool) -> None:
        self._send = send
        self._scope = scope
        self._bodiless = bodiless
        self._ours = [(b"x-request-id", request_id.encode()), (b"x-content-type-options", b"nosniff")]
        self.status = 0  # 0: none yet
        self.complete = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._scope["state"]["begun"] = True
            headers = [*message["headers"], *self._ours, *self._scope["state"].get("headers", ())]
            if not any(name == b"cache-control" for name, _ in headers):
                headers.append((b"cache-control", b"no-store"))
            message["headers"] = headers
        elif message["type"] == "http.response.body":
            self.complete = not message.get("more_body", False)
            if self._bodiless:
                message = {**message, "body": b""}
        await self._send(message)


async def _traced(answer: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    if not telemetry.tracing():
        await answer(scope, receive, send)
        return
    parent = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"traceparent"), None)
    with telemetry.span(f"{scope['method']} {scope['path']}", "server", parent=parent):
        await answer(scope, receive, send)


def _has_one_host(scope: Scope) -> bool:
    """RFC 9112, section 3.2: a request of HTTP/1.1 without Host, with two or with a wrong one is refused."""
    hosts = [value for name, value in scope["headers"] if name == b"host"]
    if len(hosts) == 1:
        return _HOST.fullmatch(hosts[0]) is not None
    return not hosts and scope.get("http_version") != "1.1"


async def _refuse_host(scope: Scope, receive: Receive, send: Send) -> None:
    text = ("Harus ada satu Host yang benar.", "There must be one valid Host.")
    error = Invalid("malformed", *text, (FieldError("Host", "host", *text),))
    await problems.response(Request(scope), 400, error)(scope, receive, send)
