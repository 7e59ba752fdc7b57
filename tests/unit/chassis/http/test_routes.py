"""Every route of every service: who may call it is declared, and whoever may not is turned away before anything happens."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute

from chassis.access.callers import Caller, declared, not_authenticated
from chassis.access.oidc import development_token
from chassis.process.lifecycle import Service
from chassis.settings import Settings
from tests.harness.asgi import client_of
from tests.unit.chassis.conftest import DummySettings

SERVICES = [
    name for name in ("registration", "training", "metrics") if importlib.util.find_spec(f"services.{name}.main") is not None
]
TOKEN_ROLES = ["citizen", "officer", "verifier", "admin", "operator"]
FRAMEWORK = {"/openapi.json"}


class OneKey:
    """Knows one partner's key, without any scope."""

    async def caller(self, key: str) -> Caller:
        """The partner, or a refusal."""
        if key != "partner-key":
            raise not_authenticated()
        return Caller("partner:par_1", frozenset({"partner"}), partner_id="par_1")


@pytest_asyncio.fixture(params=SERVICES)
async def service(request: pytest.FixtureRequest, dummy: DummySettings) -> AsyncIterator[Service]:
    """A service as its composition root builds it, with nobody to talk to."""
    module = importlib.import_module(f"services.{request.param}.settings")
    [kind] = [
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, Settings) and found is not Settings
    ]
    built: Service = importlib.import_module(f"services.{request.param}.main").build(
        dummy(kind, failed_credential_rate="1000/minute")
    )
    built.api_keys = OneKey()
    yield built
    await built.core.mongo.close()


@pytest.fixture
def app(service: Service) -> FastAPI:
    """Its public app."""
    return service.public_app()


def test_every_route_declares_its_callers(app: FastAPI) -> None:
    """Somebody adds a route and forgets who may call it: the build fails here (deny by default)."""
    routes = [route for route in app.router.routes if isinstance(route, APIRoute)]
    assert routes
    assert [route.path for route in routes if not declared(route.dependant)] == []
    others = {getattr(route, "path", "?") for route in app.router.routes if not isinstance(route, APIRoute)}
    assert set() == others - FRAMEWORK


def operations(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and description of every operation in the OpenAPI document."""
    return [
        (method.upper(), path, operation)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_is_in_the_document(app: FastAPI) -> None:
    """There is no route that the OpenAPI document, and so the test below, doesn't know."""
    hidden = [r.path for r in app.router.routes if isinstance(r, APIRoute) and not r.include_in_schema]
    assert hidden == []
    assert all(operation["x-callers"] for _, _, operation in operations(app))


def address(path: str) -> str:
    """The path with something in each place: whoever may not call it must be turned away whatever stands there."""
    return "/".join("x" if part.startswith("{") else part for part in path.split("/"))


async def test_every_route_and_every_role(service: Service, app: FastAPI) -> None:
    """Each role, each route: 401 without a credential or with a bad one, 403 for the wrong one, whatever else is wrong."""
    settings = service.core.settings
    credentials: dict[str, dict[str, str]] = {
        role: {"Authorization": f"Bearer {development_token(settings, [role], subject=role)}"} for role in TOKEN_ROLES
    }
    credentials["partner"] = {"X-API-Key": "partner-key"}
    credentials["no role"] = {"Authorization": f"Bearer {development_token(settings, [], subject='nobody')}"}
    bad = [{"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}, {"X-API-Key": "x"}, {"Authorization": ""}]
    wrong: list[Any] = []
    async with client_of(app) as client:
        for method, path, operation in operations(app):
            allowed = set(operation["x-callers"])
            tries = [(403, headers, role) for role, headers in credentials.items() if role not in allowed]
            tries += [(401, {}, "nobody")]
            if "anyone" in allowed:
                tries = []
            tries += [(401, headers, f"bad {headers}") for headers in bad]
            for expected, headers, who in tries:
                answer = await client.request(method, address(path), headers=headers, json={} if method != "GET" else None)
                if answer.status_code != expected:
                    wrong.append((method, path, who, expected, answer.status_code))
    assert wrong == []


async def test_every_refusal_is_in_the_document(app: FastAPI) -> None:
    """A client's developer reads which refusals can come: each operation says them, with the problem document."""
    for _, _, operation in operations(app):
        expected = {"401", "422", "429", "500", "503"} | (set() if "anyone" in operation["x-callers"] else {"403"})
        assert expected <= set(operation["responses"])
        for status in expected:
            name = operation["responses"][status]["$ref"].rpartition("/")[2]
            assert list(app.openapi()["components"]["responses"][name]["content"]) == ["application/problem+json"]
