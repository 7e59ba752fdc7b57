"""The HTTP face of a service: create_app() for the public port, create_internal_app() for /metrics and /health.

Request ids, problem details, series and OpenAPI are here, so that no service repeats them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from fastapi import APIRouter, FastAPI
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route
from starlette.types import ASGIApp

from chassis import telemetry
from chassis.access.callers import Authenticator
from chassis.http import problems
from chassis.http.direct_route import table
from chassis.http.idempotency_key import pepper_of
from chassis.http.openapi import document_of
from chassis.http.query import check_query
from chassis.http.request_context import RequestContext
from chassis.settings import Settings

_API_VERSION = "1.0.0"  # of /v1
_FROM_BROWSERS = [
    "Authorization", "Content-Type", "X-API-Key", "Idempotency-Key", "If-Match", "If-None-Match", "Accept-Language",
]  # fmt: skip


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
                allow_headers=_FROM_BROWSERS,
                expose_headers=["ETag", "X-Request-Id", "Retry-After", "RateLimit", "RateLimit-Policy"],
            )
        return stack


def create_app(
    title: str,
    settings: Settings,
    routers: Sequence[APIRouter],
    authenticator: Authenticator | None,
    provides: Sequence[object] = (),
    *,
    about: str = "",
    tags: Mapping[str, str] | None = None,
) -> FastAPI:
    """The public app.

    `provides` is what its handlers ask for with `provided`, one object of a kind. It and `authenticator` may be missing only to
    read the OpenAPI document, which `about` and `tags` describe. Raises ValueError for settings that can't work.
    """
    app = Api(
        title=title,
        version=_API_VERSION,
        openapi_url="/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.authenticator = authenticator
    app.state.provided = {type(thing): thing for thing in provides}
    app.state.max_body_bytes = settings.max_body_bytes
    app.state.idempotency_pepper = pepper_of(settings) if authenticator is not None else b""
    app.state.cors_origins = settings.cors_origins
    app.state.admit = check_query
    for router in routers:
        # Not include_router: it matches every request twice, and our routers carry nothing that it would add.
        app.router.routes.extend(router.routes)
    problems.install(app)
    telemetry.begin_http(_handlers(app))
    app.openapi = lambda: document_of(app, about, tags or {}, settings.public_url)  # type: ignore[method-assign] # FastAPI's documented way to extend the document
    return app


def _handlers(app: FastAPI) -> list[tuple[str, str]]:
    """Method and template of every route; a GET is a HEAD too."""
    found = []
    for route in app.router.routes:
        if isinstance(route, Route):
            methods = set(route.methods or ())
            found += [(method, route.path) for method in (methods | {"HEAD"} if "GET" in methods else methods)]
    return found


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
