"""Bodies are strict: what isn't exactly what was asked for is refused, and nothing that is sent can hurt."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any

import httpx2
import pytest
import pytest_asyncio
import structlog
from fastapi import APIRouter, FastAPI, Request
from prometheus_client import REGISTRY

from chassis.access.callers import Caller, callers
from chassis.forms.body import Body
from chassis.forms.iso_dates import Date, Moment
from chassis.http.app import create_app
from chassis.http.direct_route import DirectRoute
from chassis.http.idempotency_key import idempotency
from chassis.http.json_body import json_body
from tests.harness.asgi import client_of
from tests.unit.chassis.conftest import DummySettings


class Inner(Body):
    """A form within a form."""

    share: float


class Form(Body):
    """One field of each kind."""

    text: str = "x"
    number: int = 1
    share: float = 0.5
    day: Date = date(2021, 2, 1)
    at: Moment | None = None
    agreed: bool = True
    inner: Inner | None = None


class Siti:
    """Everybody is Siti."""

    async def caller(self, request: Any) -> Caller:
        """A person with an id."""
        return Caller("user:siti", frozenset({"officer"}))


@pytest.fixture(params=[DirectRoute, None], ids=["direct", "FastAPI's"])
def app(request: pytest.FixtureRequest, dummy: DummySettings) -> FastAPI:
    """An app that takes the form and says what it understood."""
    kind = {"route_class": request.param} if request.param else {}
    router = APIRouter(**kind)

    @router.post("/forms")
    @router.post("/other-forms")
    async def take(
        request: Request, caller: Annotated[Caller, callers("officer")], form: Annotated[Form, json_body(Form)]
    ) -> Any:
        key = idempotency(request, caller)
        return {"form": form.model_dump(mode="json"), "key": [key.key, key.request] if key else None}

    return create_app("test", dummy(max_body_bytes=2000), [router], Siti())  # type: ignore[arg-type] # a double


@pytest_asyncio.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of it."""
    async with client_of(app) as ready:
        yield ready


async def post(client: httpx2.AsyncClient, content: Any, **headers: str) -> httpx2.Response:
    """Send raw JSON."""
    return await client.post("/forms", content=content, headers={"Content-Type": "application/json", **headers})


@pytest.mark.parametrize(
    "content",
    [
        '{"number": false}', '{"number": "1"}', '{"number": 1.5}', '{"number": null}', '{"share": false}', '{"share": "0.5"}',
        '{"share": NaN}', '{"share": Infinity}', '{"share": -Infinity}', '{"share": 1e999}', '{"inner": {"share": NaN}}',
        '{"number": NaN}', '{"text": 1}', '{"text": null}', '{"agreed": 1}', '{"agreed": "true"}', '{"day": 18659}',
        '{"day": "20210201"}', '{"day": "0"}', '{"at": "1612146600"}', '{"at": "20210201"}', '{"at": "2021-02-01"}',
        '{"day": "2021-02-30"}', '{"day": "2021-02-01T00:00:00"}', '{"at": "2021-02-01T09:00:00"}', '{"at": 1612146600}',
        '{"unknown": 1}', '{"inner": {"share": 1, "unknown": 1}}', '{"_id": 1}', '{"$where": "1"}', '{"text": {"$ne": 1}}',
        "[]", "1", '"x"', "null", "", "{", "{'text': 'x'}", '{"text": "\\ud800"}', '{"inner": {}}', '{"inner": []}',
    ],
)  # fmt: skip
async def test_what_is_refused(client: httpx2.AsyncClient, content: str) -> None:
    """`false` for a number, a number for a day, NaN, a time without offset, unknown fields, operators: 422, each named."""
    answer = await post(client, content)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["errors"]


@pytest.mark.parametrize(
    "content",
    ["{}", '{"number": -3}', '{"share": 1}', '{"day": "2021-02-28"}', '{"at": "2021-02-01T09:00:00+07:00"}', '{"text": " x "}'],
)
async def test_what_is_taken(client: httpx2.AsyncClient, content: str) -> None:
    """The control: sound bodies pass, and blanks around a text are dropped."""
    answer = await post(client, content)
    assert answer.status_code == 200
    assert answer.json()["form"]["text"] == "x"


@pytest.mark.parametrize("opening", ["[", '{"inner":', '{"text":['], ids=["lists", "objects", "both"])
async def test_deep_nesting(client: httpx2.AsyncClient, opening: str) -> None:
    """Brackets within brackets to the limit of the body: refused, and the process lives."""
    answer = await post(client, opening * (1900 // len(opening)))
    assert answer.status_code == 422


async def test_bytes_that_are_not_utf_8(client: httpx2.AsyncClient) -> None:
    """Another encoding: refused."""
    assert (await post(client, b'{"text": "\xe9"}')).status_code == 422


async def test_another_content_type(client: httpx2.AsyncClient) -> None:
    """A form or XML in place of JSON: refused, and the header is named; JSON with a charset or suffix passes."""
    for kind in ("text/plain", "application/xml", "application/x-www-form-urlencoded", "json"):
        answer = await post(client, "{}", **{"Content-Type": kind})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "Content-Type")
    for kind in ("application/json; charset=utf-8", "application/merge-patch+json"):
        assert (await post(client, "{}", **{"Content-Type": kind})).status_code == 200


async def test_a_body_over_the_limit(client: httpx2.AsyncClient) -> None:
    """Too long, with and without a length told beforehand: 413."""

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 100

    assert (await post(client, " " * 2001)).status_code == 413
    answer = await post(client, pieces())
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert (await post(client, "{}" + " " * 1998)).status_code == 200


async def test_idempotency_keys(client: httpx2.AsyncClient) -> None:
    """A caller's key is one record; its request hash follows method, path and body; odd keys are refused."""
    first = (await post(client, "{}", **{"Idempotency-Key": "k"})).json()["key"]
    assert re.fullmatch("[0-9a-f]{64}", first[0])
    assert first[0] != (await post(client, "{}", **{"Idempotency-Key": "l"})).json()["key"][0]
    assert first == (await post(client, "{}", **{"Idempotency-Key": "k"})).json()["key"]
    assert first != (await post(client, '{"number": 2}', **{"Idempotency-Key": "k"})).json()["key"]
    headers = {"Content-Type": "application/json", "Idempotency-Key": "k"}
    elsewhere = (await client.post("/other-forms", content="{}", headers=headers)).json()["key"]
    assert first[1] != elsewhere[1]
    for odd in ("", "x" * 201):
        assert (await post(client, "{}", **{"Idempotency-Key": odd})).status_code == 422
    assert (await post(client, "{}")).json()["key"] is None


async def test_a_line_that_breaks_within_a_form(app: FastAPI) -> None:
    """Siti's phone loses the network half-way through: no error of ours, nothing to wake anybody for."""
    arriving: list[dict[str, Any]] = [
        {"type": "http.request", "body": b'{"text": "S', "more_body": True},
        {"type": "http.disconnect"},
    ]
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return arriving.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    failed = {"method": "POST", "handler": "/forms", "status": "5xx"}
    before = REGISTRY.get_sample_value("http_requests_total", failed)
    scope = {
        "type": "http", "method": "POST", "path": "/forms", "raw_path": b"/forms", "query_string": b"", "root_path": "",
        "headers": [(b"content-type", b"application/json"), (b"content-length", b"100")], "client": ("203.0.113.7", 4711),
        "server": ("service", 80), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip
    with structlog.testing.capture_logs() as logged:
        await app(scope, receive, send)
    assert sent[0]["status"] == 400
    assert [line for line in logged if line["log_level"] in ("error", "critical")] == []
    assert before == REGISTRY.get_sample_value("http_requests_total", failed)
