"""One caller's burst, and ten thousand addresses that aren't there: both are bounded."""

from __future__ import annotations

import time
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import REGISTRY

from chassis import fail_points
from chassis.access.callers import Authenticator, Caller, NoApiKeys, callers
from chassis.access.oidc import OidcTokens, development_token
from chassis.http.app import create_app
from chassis.http.direct_route import DirectRoute
from chassis.settings import Settings
from tests.harness.asgi import client_of
from tests.unit.chassis.conftest import DummySettings


@pytest.fixture
def settings(dummy: DummySettings) -> Settings:
    """Three anonymous writes a minute, five reads."""
    made: Settings = dummy(anonymous_rate="3/minute", anonymous_read_rate="5/minute")
    return made


@pytest.fixture
def app(settings: Settings) -> FastAPI:
    """An app that anybody may use."""
    router = APIRouter(route_class=DirectRoute)

    @router.post("/things")
    async def write(_caller: Annotated[Caller, callers("anyone")]) -> Any:
        return {}

    @router.get("/things")
    async def read(_caller: Annotated[Caller, callers("anyone")]) -> Any:
        return {}

    @router.get("/things/{name}")
    async def read_one(_caller: Annotated[Caller, callers("anyone")], name: str) -> Any:
        return {}

    return create_app("test", settings, [router], Authenticator(settings, OidcTokens(settings), NoApiKeys()))


async def test_a_burst_of_one_address(app: FastAPI, settings: Settings) -> None:
    """A script registers people: after three it hears 429 and when to come again; others, readers and staff are unmoved."""
    async with client_of(app) as script, client_of(app, "203.0.113.8") as other:
        statuses = [(await script.post("/things")).status_code for _ in range(5)]
        assert statuses == [200, 200, 200, 429, 429]
        refused = await script.post("/things")
        assert refused.json()["code"] == "rate_limited"
        assert 1 <= int(refused.headers["retry-after"]) <= 61
        assert (await script.get("/things")).status_code == 200
        assert (await other.post("/things")).status_code == 200
        officer = {"Authorization": f"Bearer {development_token(settings, ['officer'])}"}
        assert (await script.post("/things", headers=officer)).status_code == 200


async def test_after_the_window(app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute later the same address may write again."""
    async with client_of(app) as script:
        assert 429 in [(await script.post("/things")).status_code for _ in range(4)]
        later = time.time() + 61
        monkeypatch.setattr(time, "time", lambda: later)
        assert (await script.post("/things")).status_code == 200


async def test_readers_have_a_limit_too(app: FastAPI) -> None:
    """A scraper without a credential is slowed down."""
    async with client_of(app) as scraper:
        assert [(await scraper.get("/things")).status_code for _ in range(7)] == [200] * 5 + [429] * 2


def number_of_series() -> int:
    """Samples in the registry of this process."""
    return sum(len(family.samples) for family in REGISTRY.collect())


@pytest.mark.no_cover  # the same lines ten thousand times
async def test_ten_thousand_addresses(app: FastAPI, settings: Settings) -> None:
    """A scanner tries 10,000 addresses, invented methods and ids: the number of series stays what it was."""
    officer = {"Authorization": f"Bearer {development_token(settings, ['officer'])}"}

    async def a_round(number: int) -> None:
        await client.get(f"/{number}/x", headers=officer)
        await client.get(f"/things/{number}", headers=officer)
        await client.request(f"M{number}", "/things", headers=officer)
        await client.request("DELETE", f"/things/{number}", headers=officer)

    async with client_of(app) as client:
        for number in range(5):
            await a_round(number)
        await client.get("/things", headers=officer)
        before = number_of_series()
        for number in range(2_500):
            await a_round(number + 100)
        assert before == number_of_series()


def test_fail_points_stay_local(dummy: DummySettings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody copies a test's settings to production: the process refuses to start, and nothing is armed."""
    killed: list[Any] = []
    monkeypatch.setattr("os.kill", lambda *arguments: killed.append(arguments))
    with pytest.raises(RuntimeError, match="local"):
        fail_points.configure(dummy(env="production", fail_points="commit.before=1"))
    fail_points.hit("commit.before")
    assert killed == []
    fail_points.configure(dummy(fail_points="commit.before=1,relay.after_send=0;7"))
    fail_points.hit("relay.after_send")
    fail_points.hit("never.named")
    assert killed == []
    fail_points.hit("commit.before")
    assert len(killed) == 1
    fail_points.configure(dummy())
    fail_points.hit("commit.before")
    assert len(killed) == 1
