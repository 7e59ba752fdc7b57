"""What is kept of a request with an Idempotency-Key: enough to know it again, and nothing that gives away what was in it."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, Request

from chassis.access.callers import ANONYMOUS, Caller, callers
from chassis.forms.body import Body
from chassis.http.app import create_app
from chassis.http.idempotency_key import idempotency, note_body
from chassis.http.json_body import json_body
from chassis.writing.decision import IDEMPOTENCY, Decision, Documents, Outcome, Write
from tests.harness.asgi import client_of
from tests.harness.desk import Desk
from tests.unit.chassis.conftest import DummySettings

NOW = datetime(2021, 3, 1, tzinfo=UTC)
SITI = Caller("user:siti", frozenset({"officer"}))
NIK = "3171014512900042"
OTHER_PEPPER = base64.b64encode(b"o" * 32).decode()


class Form(Body):
    """A form with a NIK."""

    nik: str


class Somebody:
    """An authenticator that knows one caller."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def caller(self, request: Any) -> Caller:
        """Whoever it is."""
        return self._caller


def app_of(desk: Desk, caller: Caller, dummy: DummySettings, **changes: Any) -> FastAPI:
    """A registration in miniature, which counts how many people there are."""
    router = APIRouter()

    def decide(documents: Documents, now: datetime) -> Outcome:
        count = (documents.get("counters", "people") or {"count": 0})["count"] + 1
        return Outcome({"count": count}, (Write("counters", {"_id": "people", "count": count}),))

    @router.post("/people")
    async def register(
        request: Request, caller: Annotated[Caller, callers("anyone")], form: Annotated[Form, json_body(Form)]
    ) -> Any:
        return desk.run(Decision(decide, [("counters", "people")], idempotency(request, caller)))

    @router.post("/files")
    async def upload(request: Request, caller: Annotated[Caller, callers("anyone")]) -> Any:
        note_body(request, hashlib.sha256(await request.body()).hexdigest().encode())
        return desk.run(Decision(decide, [("counters", "people")], idempotency(request, caller)))

    return create_app("test", dummy(**changes), [router], Somebody(caller))  # type: ignore[arg-type] # a double


async def send(app: FastAPI, nik: str = NIK, path: str = "/people", key: str = "k-1") -> Any:
    """One registration under the key that the client chose."""
    async with client_of(app) as client:
        body = f'{{"nik": "{nik}"}}'
        headers = {"Idempotency-Key": key, "Content-Type": "application/json"}
        return await client.post(path, content=body, headers=headers)


def record_of(desk: Desk) -> Any:
    """The one record of a request."""
    [record] = [document for (name, _), document in desk.staging.documents._known.items() if name == IDEMPOTENCY and document]
    return record


@pytest.mark.parametrize("path", ["/people", "/files"])
@pytest.mark.parametrize("caller", [SITI, ANONYMOUS], ids=["officer", "anonymous"])
async def test_a_nik_can_not_be_found_by_trying(dummy: DummySettings, caller: Caller, path: str) -> None:
    """Somebody who reads the database knows all of a body but the NIK's serial: they try all ten thousand, and none fits."""
    desk = Desk(NOW)
    await send(app_of(desk, caller, dummy), path=path)
    record = record_of(desk)
    stored = {record["request"], record["_id"]}
    for serial in range(10_000):
        body = f'{{"nik": "{NIK[:12]}{serial:04d}"}}'.encode()
        once = hashlib.sha256(body).hexdigest()
        for hashed in (once, hashlib.sha256(once.encode()).hexdigest()):
            asked = f"POST {path}? {hashed}".encode()
            assert not {once, hashed, hashlib.sha256(asked).hexdigest()} & stored
    assert NIK not in repr(record)


@pytest.mark.parametrize("caller", [SITI, ANONYMOUS], ids=["officer", "anonymous"])
async def test_the_record_takes_the_pepper(dummy: DummySettings, caller: Caller) -> None:
    """The same request of the same caller is another record under another pepper, and the very same one under its own."""
    found = []
    for changes in ({}, {"idempotency_pepper": OTHER_PEPPER}, {}):
        desk = Desk(NOW)
        await send(app_of(desk, caller, dummy, **changes))
        found.append(record_of(desk)["request"])
    assert found[0] == found[2] != found[1]


async def test_the_same_again_is_answered_and_another_is_refused(dummy: DummySettings) -> None:
    """Siti's phone sends twice and she is counted once; another NIK under the same key is a mistake of her app."""
    desk = Desk(NOW)
    app = app_of(desk, SITI, dummy)
    assert [(await send(app)).json() for _ in range(2)] == [{"count": 1}, {"count": 1}]
    refused = await send(app, "3171014512900043")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert (await send(app, path="/files")).status_code == 422


async def test_a_caller_and_a_key_do_not_run_into_each_other(dummy: DummySettings) -> None:
    """`pen` asks with `a:K`, and somebody else, `pen:a`, with `K`: each is counted, nobody hears the other's reply."""
    desk = Desk(NOW)
    pairs = (("user:pen", "a:K"), ("user:pen:a", "K"), ("user:pen", "a:K"))
    heard = []
    for name, key in pairs:
        app = app_of(desk, Caller(name, frozenset({"officer"})), dummy)
        heard.append((await send(app, key=key)).json()["count"])
    assert heard == [1, 2, 1]


@pytest.mark.parametrize("caller", [SITI, ANONYMOUS], ids=["officer", "anonymous"])
async def test_a_key_with_a_nik_in_it_is_not_stored(dummy: DummySettings, caller: Caller) -> None:
    """A client makes its key of NIK and phone: neither is in the record."""
    desk = Desk(NOW)
    await send(app_of(desk, caller, dummy), key=f"{NIK}-+628121234567")
    assert [part for part in (NIK, "628121234567") if part in repr(record_of(desk))] == []


async def test_anonymous_callers_share_no_keys(dummy: DummySettings) -> None:
    """Two people choose the same key: each is counted, and each hears their own answer again."""
    desk = Desk(NOW)
    app = app_of(desk, ANONYMOUS, dummy)
    heard = [(await send(app, nik)).json()["count"] for nik in (NIK, "3171014512900043", NIK)]
    assert heard == [1, 2, 1]


@pytest.mark.parametrize("pepper", ["", base64.b64encode(b"short").decode()])
def test_without_a_pepper_no_service_starts(dummy: DummySettings, pepper: str) -> None:
    """Not even locally: a default that everybody knows would be none."""
    with pytest.raises(ValueError, match="JAKPRENEUR_IDEMPOTENCY_PEPPER"):
        app_of(Desk(NOW), SITI, dummy, idempotency_pepper=pepper)
