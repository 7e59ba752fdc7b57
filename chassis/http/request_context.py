"""Around every request: a request id in logs and replies, series, a span, security headers."""

from __future__ import annotations

import re
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import clock, logs, telemetry
from chassis.http.direct_route import DirectRoute

_REQUEST_ID = re.compile(rb"^[A-Za-z0-9._-]{8,64}$")


class RequestContext:
    """Pure ASGI (no extra task for each request): a request id in logs and replies, series, a span, security headers."""

    def __init__(self, app: ASGIApp, direct: dict[tuple[str, str], DirectRoute]) -> None:
        self._app = app
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, and count it whatever became of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id", b"")
        request_id = given if _REQUEST_ID.match(given) else clock.new_id("req").encode()
        logs.clear()
        logs.bind(request_id=request_id.decode())

        ours = [(b"x-request-id", request_id), (b"x-content-type-options", b"nosniff"), (b"cache-control", b"no-store")]
        started = time.perf_counter()
        status = 500

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *ours]
            await send(message)

        # A direct route needs nothing of what lies between here and the router: it answers its endpoint's errors.
        route = self._direct.get((scope["method"], scope["path"]))
        app = self._app if route is None else route.app
        if route is not None:
            scope["route"] = route
        try:
            if telemetry.tracing():
                parent = headers.get(b"traceparent", b"").decode("latin-1") or None
                with telemetry.span(f"{scope['method']} {scope['path']}", "server", parent=parent):
                    await app(scope, receive, send_with_headers)
            else:
                await app(scope, receive, send_with_headers)
        finally:
            # The route's template, never the path that a caller sent: labels stay bounded.
            template = getattr(scope.get("route"), "path", "none")
            telemetry.http(scope["method"], template, status, time.perf_counter() - started)
