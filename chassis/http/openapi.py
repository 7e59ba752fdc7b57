"""The OpenAPI document: FastAPI's, plus bodies, callers, idempotency keys and every status that can come."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from chassis.access.callers import declared
from chassis.http import problems
from chassis.http.json_body import body_model

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


def document_of(app: FastAPI) -> dict[str, Any]:
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
    if method == "POST" and not operation.get("x-repeatable"):
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
