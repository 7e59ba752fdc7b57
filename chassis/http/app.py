"""The HTTP face of a service: create_app() for the public port, create_internal_app() for /metrics and /health.

Request ids, problem details, series and OpenAPI are here, so that no service repeats them.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from chassis import clock, logs, telemetry
from chassis.access.callers import Authenticator, declared
from chassis.http import problems
from chassis.http.direct_route import DirectRoute, table
from chassis.http.json_body import body_model
from chassis.settings import Settings

_REQUEST_ID = re.compile(rb"^[A-Za-z0-9._-]{8,64}$")
_STATUS_TEXTS = {
    "401": "The credential is missing or does not hold",
    "403": "The credential does not allow this",
    "409": "It clashes with what is there, or the same Idempotency-Key is being worked on",
    "413": "The body is too large",
    "422": "Input or rule refused; every failing field or rule is named",
    "429": "Too many requests; see Retry-After",
    "500": "Something went wrong in the service",
    "503": "A dependency is down; see Retry-After",
}


class RequestContext:
    """Pure ASGI (no extra task for each request): a request id in logs and replies, series, a span, security headers."""

    def __init__(self, app: ASGIApp, direct: dict[tuple[str, str], DirectRoute]) -> None:
        self._app = app
        self._direct = direct

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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


class Api(FastAPI):
    """FastAPI with RequestContext around everything, its own middleware too; only CORS is further out."""

    def build_middleware_stack(self) -> ASGIApp:
        """Starlette calls this once, for the first request."""
        stack: ASGIApp = RequestContext(super().build_middleware_stack(), table(self.router.routes))
        if self.state.cors_origins:
            stack = CORSMiddleware(
                stack,
                allow_origins=self.state.cors_origins,
                allow_methods=["*"],
                allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Accept-Language", "X-Request-Id"],
                expose_headers=["ETag", "X-Request-Id", "Retry-After"],
            )
        return stack


def create_app(
    title: str, settings: Settings, routers: Sequence[APIRouter], authenticator: Authenticator | None, version: str = "1.0.0"
) -> FastAPI:
    """The public app. `authenticator` may be None only to read its OpenAPI document."""
    app = Api(
        title=title,
        version=version,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.authenticator = authenticator
    app.state.max_body_bytes = settings.max_body_bytes
    app.state.cors_origins = settings.cors_origins
    for router in routers:
        # Not include_router: it matches every request twice, and our routers carry nothing that it would add.
        app.router.routes.extend(router.routes)
    problems.install(app)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign] # FastAPI's documented way to extend the document
    return app


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document plus bodies (see body.py), callers, idempotency keys and every status that can come."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(title=app.title, version=app.version, routes=app.routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _add_schema(schemas, problems.Problem)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    }
    for route in _api_routes(app):
        for method in route.methods or ():
            _complete(document["paths"][route.path][method.lower()], route, method, schemas)
    app.openapi_schema = document
    return document


def _api_routes(app: FastAPI) -> list[APIRoute]:
    return [route for route in app.router.routes if isinstance(route, APIRoute) and route.include_in_schema]


def _complete(operation: dict[str, Any], route: APIRoute, method: str, schemas: dict[str, Any]) -> None:
    model = body_model(route.dependant)
    statuses = ["429", "500", "503", "422"]
    if model is not None:
        _add_schema(schemas, model)
        reference = {"$ref": f"#/components/schemas/{model.__name__}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
        statuses.append("413")
    if method == "POST":
        operation.setdefault("parameters", []).append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "required": False,
                "description": "The same key and body again gives the stored reply; kept for 7 days",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[\\x20-\\x7e]+$"},
            }
        )
        statuses.append("409")
    who = declared(route.dependant) or frozenset()
    operation["x-callers"] = sorted(who)
    if "anyone" not in who:
        operation["security"] = [{"bearer": []}, {"api_key": []}] if "partner" in who else [{"bearer": []}]
        statuses.append("403")
    statuses.append("401")
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    responses = operation.setdefault("responses", {})
    for status in statuses:
        responses[status] = {"description": _STATUS_TEXTS[status], "content": content}
    for status in ("400", "404", "409", "412", "413"):
        if status in responses:
            responses[status]["content"] = content


def _add_schema(schemas: dict[str, Any], model: Any) -> None:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    for name, definition in schema.pop("$defs", {}).items():
        schemas.setdefault(name, definition)
    schemas.setdefault(model.__name__, schema)


Check = Callable[[], Awaitable[dict[str, str]]]


def create_internal_app(check: Check) -> FastAPI:
    """`/metrics` and `/health`: never on the public port. `check` returns the state of each part; `down` means not ready."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)

    @app.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.get("/health/live")
    async def live() -> dict[str, str]:
        return {"status": "live"}

    @app.get("/health/ready")
    async def ready() -> JSONResponse:
        parts = await check()
        down = "down" in parts.values()
        return JSONResponse({"status": "not ready" if down else "ready", "parts": parts}, 503 if down else 200)

    return app
