"""The OpenAPI document: FastAPI's, plus bodies, callers, headers, and every status that can come. Next: openapi_parts.py."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from chassis.access.callers import declared
from chassis.http import problems
from chassis.http.json_body import body_model
from chassis.http.openapi_parts import (
    HEADERS,
    IDEMPOTENCY_KEY,
    IF_NONE_MATCH,
    REFUSALS,
    SECURITY,
    header_references,
    refusals,
)
from chassis.http.representation import is_public

_REFERENCE = "#/components/schemas/"


def document_of(app: FastAPI, about: str, tags: Mapping[str, str], url: str) -> dict[str, Any]:
    """The whole document. `about`: what the service is for; `tags`: what each group of its operations is about."""
    if app.openapi_schema:
        return app.openapi_schema
    document = get_openapi(
        title=app.title,
        version=app.version,
        description=about,
        routes=app.routes,
        servers=[{"url": url, "description": "Where this service answers"}],
        tags=[{"name": name, "description": text} for name, text in tags.items()],
        contact={"name": "Operators of the Jakpreneur platform"},
        license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
    )
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    _add_schema(schemas, problems.Problem)
    components |= {"securitySchemes": SECURITY, "headers": HEADERS, "responses": refusals()}
    for route in _api_routes(app):
        for method in route.methods or ():
            _complete(document["paths"][route.path][method.lower()], route, method, schemas)
    _drop_unused(document)
    app.openapi_schema = document
    return document


def operation_id(name: str) -> str:
    """`moveTraining` for the handler `move_training`: what generated clients call it."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _api_routes(app: FastAPI) -> list[APIRoute]:
    return [route for route in app.router.routes if isinstance(route, APIRoute) and route.include_in_schema]


def _complete(operation: dict[str, Any], route: APIRoute, method: str, schemas: dict[str, Any]) -> None:
    operation["operationId"] = operation_id(route.name)
    operation["summary"] = route.name.replace("_", " ").capitalize()
    who = declared(route.dependant) or frozenset()
    operation["x-callers"] = sorted(who)
    signed_in: list[dict[str, list[str]]] = [{"bearer": []}, {"api_key": []}] if who & {"partner", "anyone"} else [{"bearer": []}]
    operation["security"] = [{}, *signed_in] if "anyone" in who else signed_in
    parameters = operation.setdefault("parameters", [])
    for parameter in parameters:
        parameter["schema"] = _without_null(parameter["schema"])
    statuses = (
        ["400", "401", "422", "429", "500", "503"] if "anyone" in who else ["400", "401", "403", "422", "429", "500", "503"]
    )
    model = body_model(route.dependant)
    if model is not None:
        _add_schema(schemas, model)
        reference = {"$ref": f"{_REFERENCE}{model.__name__}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": reference}}}
        statuses.append("413")
    if method == "POST" and not operation.get("x-repeatable"):
        parameters.append(IDEMPOTENCY_KEY)
        statuses.append("409")
    responses = operation["responses"]
    headers = ["X-Request-Id", *(["RateLimit", "RateLimit-Policy"] if "anyone" in who else [])]
    if is_public(route.dependant):
        headers += ["ETag", "Cache-Control"]
        parameters.append(IF_NONE_MATCH)
        responses["304"] = {"description": "The caller has it already", "headers": header_references(*headers)}
    elif _has_version(responses, schemas):
        headers.append("ETag")
    for response in responses.values():
        response["headers"] = header_references(*headers)
    for status in {*statuses, *(responses.keys() & REFUSALS.keys())}:
        responses[status] = {"$ref": f"#/components/responses/{REFUSALS[status][0]}"}
    operation["responses"] = dict(sorted(responses.items()))
    if not parameters:
        del operation["parameters"]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or it isn't; the text `null` would be a value like any other."""
    choices = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    if not choices:
        return schema
    rest = {name: value for name, value in schema.items() if name != "anyOf"}
    return {**choices[0], **rest} if len(choices) == 1 else {**rest, "anyOf": choices}


def _has_version(responses: Mapping[str, Any], schemas: Mapping[str, Any]) -> bool:
    """Whether the reply tells a version, which then is its ETag."""
    references = re.findall(rf'"{_REFERENCE}(\w+)"', str(responses).replace("'", '"'))
    return any("version" in schemas.get(name, {}).get("properties", {}) for name in references)


def _add_schema(schemas: dict[str, Any], model: Any) -> None:
    schema = model.model_json_schema(ref_template=f"{_REFERENCE}{{model}}")
    for name, definition in schema.pop("$defs", {}).items():
        schemas.setdefault(name, definition)
    schemas.setdefault(model.__name__, schema)


def _drop_unused(document: dict[str, Any]) -> None:
    """Components that nothing names, FastAPI's own form of a validation error for one."""
    for kind in ("responses", "headers", "schemas"):
        found = document["components"][kind]
        while unused := [name for name in found if f"'#/components/{kind}/{name}'" not in str(document)]:
            document["components"][kind] = found = {name: each for name, each in found.items() if name not in unused}
