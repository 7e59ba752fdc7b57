"""One caller's burst, and ten thousand addresses that aren't there: both are bounded."""

from __future__ import annotations

import re
import time
from contextlib import suppress
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import REGISTRY

from chassis import fail_points
from chassis.access.callers import Authenticator, Caller, NoApiKeys, callers
from chassis.access.oidc import OidcTokens, development_token
from chassis.access.rate_limits import OwnCounts, RateLimits
from chassis.errors import TooMany
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

    return create_app("test", settings, [router], Authenticator(settings, OidcTokens(settings), NoApiKeys(), OwnCounts()))


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


async def test_wrong_credentials_are_limited(app: FastAPI, settings: Settings) -> None:
    """A script guesses keys and tokens: after twenty it hears 429. The same campus's officer isn't shut out by it."""
    guesses = [{"X-API-Key": "jkp_x"}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp4"}]
    async with client_of(app) as script:
        statuses = [(await script.get("/things", headers=guesses[number % 3])).status_code for number in range(23)]
        assert statuses == [401] * 20 + [429] * 3
        officer = {"Authorization": f"Bearer {development_token(settings, ['officer'])}"}
        assert (await script.get("/things", headers=officer)).status_code == 200
        assert (await script.get("/things")).status_code == 200


@pytest.mark.parametrize(
    ("first", "second", "one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:203.0.113.9", "203.0.113.9", True),
        ("203.0.113.9", "203.0.113.10", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("not an address", "not an address", True),
    ],
)
async def test_whom_an_address_counts_for(app: FastAPI, first: str, second: str, one: bool) -> None:
    """A subscriber of IPv6 has 2^64 addresses, all in one /64: they count as one."""
    async with client_of(app, first) as before, client_of(app, second) as after:
        assert [(await before.post("/things")).status_code for _ in range(3)] == [200] * 3
        assert (await after.post("/things")).status_code == (429 if one else 200)


async def test_two_replicas_count_together(settings: Settings) -> None:
    """Two processes with one count let in as many as one."""
    shared = OwnCounts()
    replicas = [RateLimits(settings, shared), RateLimits(settings, shared)]
    allowed = 0
    for number in range(20):
        with suppress(TooMany):
            await replicas[number % 2].count("writes", "203.0.113.7")
            allowed += 1
    assert allowed == 3


async def test_parts_of_a_large_limit(dummy: DummySettings) -> None:
    """Of 600 a replica takes 20 at a time: the shared count is asked thirty times, and 600 are let in, not one more."""
    shared = OwnCounts()
    asked: list[int] = []
    add = shared.add

    async def counting(key: str, amount: int, expires_at: float) -> int | None:
        asked.append(amount)
        return await add(key, amount, expires_at)

    shared.add = counting  # type: ignore[method-assign] # a double
    replicas = [RateLimits(dummy(), shared) for _ in range(3)]
    allowed = 0
    for number in range(700):
        with suppress(TooMany):
            await replicas[number % 3].count("reads", "203.0.113.7")
            allowed += 1
    assert allowed == 600
    assert len(asked) <= 33


async def test_while_the_database_is_away(settings: Settings) -> None:
    """The shared count can't be had: each replica counts alone, and the limit holds for each."""

    class Away:
        async def add(self, key: str, amount: int, expires_at: float) -> int | None:
            return None

    limits, allowed = RateLimits(settings, Away()), 0
    for _ in range(10):
        with suppress(TooMany):
            await limits.count("writes", "203.0.113.7")
            allowed += 1
    assert allowed == 3


async def test_what_a_client_is_told(app: FastAPI) -> None:
    """A frontend's developer reads how much is left, before and after the limit."""
    async with client_of(app) as client:
        answers = [await client.post("/things") for _ in range(4)]
    assert [answer.headers["ratelimit-policy"] for answer in answers] == ['"writes";q=3;w=60'] * 4
    left = [re.fullmatch(r'"writes";r=(\d);t=\d+', answer.headers["ratelimit"]) for answer in answers]
    assert [found[1] if found else None for found in left] == ["2", "1", "0", "0"]


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
