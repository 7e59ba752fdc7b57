"""Errors become problem details: one status for each kind, two languages, and never what the caller sent."""

from __future__ import annotations

import json
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Query
from pymongo.errors import AutoReconnect, OperationFailure

from chassis import errors
from chassis.access.callers import ANONYMOUS, Caller, callers
from chassis.errors import DomainError, FieldError
from chassis.forms.body import Body
from chassis.http import problems
from chassis.http.app import create_app
from chassis.http.direct_route import DirectRoute
from chassis.http.json_body import json_body
from tests.harness.asgi import client_of
from tests.unit.chassis.conftest import DummySettings

NIK = "3171014512909001"


def every_kind(of: type[DomainError] = DomainError) -> list[type[DomainError]]:
    """All subclasses that exist, services' own among them."""
    return [found for kind in of.__subclasses__() for found in (kind, *every_kind(kind))]


@pytest.mark.parametrize("kind", every_kind(), ids=lambda kind: kind.__name__)
def test_every_kind_of_refusal_has_a_status(kind: type[DomainError]) -> None:
    """Somebody adds a kind of error and forgets its status: this is where it is noticed."""
    statuses = [status for known, status in problems.STATUS if issubclass(kind, known)]
    assert statuses
    assert 400 <= statuses[0] < 600


def test_a_narrower_kind_comes_first() -> None:
    """The table is read from above: no kind stands behind one that contains it."""
    kinds = [kind for kind, _ in problems.STATUS]
    assert [(late, early) for place, early in enumerate(kinds) for late in kinds[place + 1 :] if issubclass(late, early)] == []


class Form(Body):
    """A form to get wrong."""

    nik: str
    amount: int


RAISED: dict[str, Exception] = {
    "bug": RuntimeError(f"something about {NIK}"),
    "down": AutoReconnect(f"lost with {NIK}"),
    "odd": OperationFailure(f"odd with {NIK}", 2),
    "busy": errors.InFlight("in_flight", "Sedang diproses.", "Being worked on."),
    "stale": errors.Stale("stale", "Basi.", "Stale."),
    "often": errors.TooMany(7),
    "away": errors.Unavailable(),
    "rule": errors.RuleBroken("R9.full", "Penuh.", "Full.", (FieldError("quota", "R9.full", "Penuh.", "Full."),)),
}


class Everybody:
    """Lets everybody in."""

    async def caller(self, request: Any) -> Caller:
        """Nobody in particular."""
        return ANONYMOUS


@pytest.fixture(params=[DirectRoute, None], ids=["direct", "FastAPI's"])
def app(request: pytest.FixtureRequest, dummy: DummySettings) -> FastAPI:
    """An app whose routes fail in every way: on our direct routes and on FastAPI's own."""
    kind = {"route_class": request.param} if request.param else {}
    router = APIRouter(prefix="/v1", **kind)

    @router.post("/forms")
    async def form(_caller: Annotated[Caller, callers("anyone")], body: Annotated[Form, json_body(Form)]) -> Any:
        return {"amount": body.amount}

    @router.get("/numbers")
    async def number(_caller: Annotated[Caller, callers("anyone")], n: Annotated[int, Query(le=9)]) -> Any:
        return {"n": n}

    def failing(what: Exception) -> Any:
        async def fail(_caller: Annotated[Caller, callers("anyone")]) -> Any:
            raise what

        return fail

    for name, what in RAISED.items():
        router.get(f"/{name}")(failing(what))
    return create_app("test", dummy(), [router], Everybody())  # type: ignore[arg-type] # a double


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("bug", 500, "internal"),
        ("down", 503, "unavailable"),
        ("odd", 500, "internal"),
        ("busy", 409, "in_flight"),
        ("stale", 412, "stale"),
        ("often", 429, "rate_limited"),
        ("away", 503, "unavailable"),
        ("rule", 422, "R9.full"),
    ],
)
async def test_what_a_caller_hears(app: FastAPI, name: str, status: int, code: str) -> None:
    """Every failure is a problem document with a status, a code and a text; what the exception said stays inside."""
    async with client_of(app) as client:
        answer = await client.get(f"/v1/{name}")
    body = answer.json()
    assert (status, status, code) == (answer.status_code, body["status"], body["code"])
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "code", "detail", "errors", "request_id"} == set(body)
    assert answer.headers["x-request-id"] == body["request_id"]
    assert NIK not in answer.text
    assert len(answer.headers.get_list("x-request-id")) == 1
    assert answer.headers["x-request-id"].startswith("req_")
    if status in (429, 503):
        assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        (None, "id"), ("id", "id"), ("en", "en"), ("en-GB,id;q=0.5", "en"), ("id,en", "id"), ("fr", "id"), ("", "id"),
        ("en;q=0.1, id;q=0.9", "id"), ("id;q=0.1, en;q=0.9", "en"), ("fr, en;q=0.3", "en"), ("en;q=0", "id"),
        ("*;q=0.5, id;q=0.4", "en"), ("EN-us", "en"), ("in-ID, en;q=0.9", "id"), ("en;q=abc", "id"), ("en, id", "en"),
        ("en;q=0.8;x=1, id;q=0.81", "id"),
    ],
)  # fmt: skip
async def test_in_which_language(app: FastAPI, accept: str | None, language: str) -> None:
    """Indonesian unless English is asked for; the texts of fields come in both."""
    headers = {} if accept is None else {"Accept-Language": accept}
    async with client_of(app) as client:
        answer = await client.get("/v1/rule", headers=headers)
    assert (language, {"id": "Penuh.", "en": "Full."}[language]) == (answer.headers["content-language"], answer.json()["detail"])
    [field] = answer.json()["errors"]
    assert field == {"field": "quota", "code": "R9.full", "message_id": "Penuh.", "message_en": "Full."}


@pytest.mark.parametrize(
    "body",
    [
        {"nik": NIK, "amount": NIK},
        {"nik": NIK, "amount": [NIK]},
        {"nik": [NIK], "amount": 1},
        {"nik": NIK, "amount": 10**30},
        NIK,
        f'{{"nik": "{NIK}", "amount": ',
        {"nik": NIK, "amount": NIK, "extra": NIK},
    ],
    ids=lambda body: str(body)[:24],
)
async def test_no_input_is_echoed(app: FastAPI, body: Any) -> None:
    """Siti's form is wrong somewhere: the reply names the fields, and her NIK is nowhere in it."""
    content = body if isinstance(body, str) else json.dumps(body)
    async with client_of(app) as client:
        answer = await client.post("/v1/forms", content=content, headers={"Content-Type": "application/json"})
    if answer.status_code != 200:  # a number of 30 digits is one all the same
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
        assert answer.json()["errors"]
    assert NIK not in answer.text


async def test_a_wrong_query(app: FastAPI) -> None:
    """Query parameters are refused in the same form, without the value."""
    async with client_of(app) as client:
        answers = [await client.get("/v1/numbers", params={"n": wrong}) for wrong in (NIK, "x" + NIK, "")]
    for answer in answers:
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "n")
        assert NIK not in answer.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/v1/{NIK}", 404, "not_found"),
        ("DELETE", "/v1/rule", 405, "method_not_allowed"),
        ("GET", "/docs", 404, "not_found"),
    ],
)
async def test_an_address_that_is_not_there(app: FastAPI, method: str, path: str, status: int, code: str) -> None:
    """Also what the framework refuses is a problem document, and doesn't repeat the address."""
    async with client_of(app) as client:
        answer = await client.request(method, path)
    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert NIK not in answer.text


async def test_headers_of_every_reply(app: FastAPI) -> None:
    """A request id of ours, whatever the caller sends: theirs may be a NIK. Nothing is sniffed or stored."""
    async with client_of(app) as client:
        sound = await client.get("/v1/numbers?n=1", headers={"X-Request-Id": NIK})
    assert sound.headers["x-request-id"].startswith("req_")
    assert (sound.headers["x-content-type-options"], sound.headers["cache-control"]) == ("nosniff", "no-store")
