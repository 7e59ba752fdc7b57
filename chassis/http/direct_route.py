"""A route that calls its endpoint directly when all it needs is the request, the caller and a JSON body.

FastAPI's general machinery (dependency solving, two exit stacks, response validation) costs more than the rest of a write.
Such routes skip it; every other route is FastAPI's own. What OpenAPI says is the same for both, and schemathesis holds the
replies against it. Measured: docs/decisions/0006-direct-routes.md.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from chassis.http import problems
from chassis.http.etag import set_etag

_MARKS = ("declares", "model", "provides")  # of our own dependencies


class DirectRoute(APIRoute):
    """Use as `APIRouter(route_class=DirectRoute)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.direct = _is_plain(self.dependant)
        if self.direct:
            self.app = _direct(self)


def table(routes: Sequence[Any]) -> dict[tuple[str, str], DirectRoute]:
    """Direct routes by method and path: the app finds them here before it looks at any other."""
    plain = [route for route in routes if isinstance(route, DirectRoute) and route.direct]
    return {(method, route.path): route for route in plain for method in route.methods or ()}


def _is_plain(dependant: Any) -> bool:
    """Whether only `callers`, `json_body`, `provided` and the request go in."""
    parameters = dependant.path_params or dependant.query_params or dependant.header_params or dependant.cookie_params
    ours = all(any(hasattr(inner.call, mark) for mark in _MARKS) for inner in dependant.dependencies)
    extras = dependant.response_param_name or dependant.background_tasks_param_name or dependant.body_params
    return bool(ours and dependant.dependencies and not parameters and not extras)


def _direct(route: APIRoute) -> ASGIApp:
    # The caller first: whoever may not call learns nothing about the body.
    inner = sorted(((d.name, d.call) for d in route.dependant.dependencies), key=lambda pair: not hasattr(pair[1], "declares"))
    request_name = route.dependant.request_param_name
    endpoint: Any = route.endpoint
    status = route.status_code or 200

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        values: dict[str, Any] = {request_name: request} if request_name else {}
        response: Response
        try:
            for name, call in inner:
                values[str(name)] = await call(request)  # type: ignore[misc] # ours: async functions of the request
            result = await endpoint(**values)
            if isinstance(result, Response):
                response = result
            else:
                content = json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode()
                response = Response(content, status, media_type="application/json")
                if "version" in result:
                    set_etag(response, result["version"])
        except Exception as error:  # noqa: BLE001 - the last handler of these routes: every error becomes a problem document
            response = problems.of(request, error)
        await response(scope, receive, send)

    return app
