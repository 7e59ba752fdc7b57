"""What a database bounds: how long a read may take, and counts that replicas share."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from fastapi import APIRouter

from chassis.access.callers import Caller, callers
from chassis.access.rate_limits import RateLimits
from chassis.database import counts
from chassis.database.counts import RATE_LIMITS, SharedCounts
from chassis.database.failures import PyMongoError, is_too_slow
from chassis.database.mongo import Mongo, connect
from chassis.errors import TooMany
from chassis.http.app import create_app
from tests.conftest import SettingsFactory
from tests.harness.asgi import client_of

_SLOW = {"$expr": {"$function": {"body": "function() { sleep(400); return false; }", "args": [], "lang": "js"}}}


async def test_a_read_that_takes_too_long(mongo: Mongo, settings: SettingsFactory) -> None:
    """A query that would hold the server for half a minute is given up, whatever kind of read it is; the server goes on."""
    await mongo["things"].insert_many([{"n": number} for number in range(80)])
    hasty = connect(settings(mongo_driver=mongo.driver, mongo_query_seconds=0.5), "test")
    try:
        began = time.monotonic()
        for read in (
            hasty["things"].find(_SLOW).to_list(None),
            hasty["things"].find_one(_SLOW),
            hasty["things"].count_documents(_SLOW),
        ):
            with pytest.raises(PyMongoError) as refusal:
                await read
            assert is_too_slow(refusal.value)
        assert time.monotonic() - began < 10
        assert len(await hasty["things"].find({}).to_list(None)) == 80
    finally:
        await hasty.close()


async def test_the_caller_hears_so(mongo: Mongo, settings: SettingsFactory) -> None:
    """A 503 that says what to do, and nothing in it about the database."""
    await mongo["things"].insert_many([{"n": number} for number in range(80)])
    hasty = connect(settings(mongo_driver=mongo.driver, mongo_query_seconds=0.2), "test")
    router = APIRouter()

    class Everybody:
        async def caller(self, _request: object) -> Caller:
            return Caller("anonymous", frozenset())

    @router.get("/slow", dependencies=[callers("anyone")])
    async def slow() -> dict[str, int]:
        return {"found": len(await hasty["things"].find(_SLOW).to_list(None))}

    app = create_app("test", settings(), [router], None)
    app.state.authenticator = Everybody()
    try:
        async with client_of(app) as client:
            answer = await client.get("/slow")
    finally:
        await hasty.close()
    assert (answer.status_code, answer.json()["code"], answer.headers["retry-after"]) == (503, "too_slow", "5")


async def test_replicas_count_together(mongo: Mongo, settings: SettingsFactory) -> None:
    """Two replicas and one attacker: the limit is the limit, however requests are spread; a restarted replica remembers."""
    await counts.ensure_indexes(mongo)
    made = settings(failed_credential_rate="20/day", anonymous_rate="60/day")

    async def let_in(limits: RateLimits, kind: str, address: str) -> bool:
        try:
            await limits.count(kind, address)  # type: ignore[arg-type] # one of the kinds
        except TooMany:
            return False
        return True

    for kind, limit in (("failures", 20), ("writes", 60)):
        replicas = [RateLimits(made, SharedCounts(mongo)) for _ in range(2)]
        outcomes = [await let_in(replicas[number % 2], kind, "203.0.113.9") for number in range(200)]
        # Parts of the limit that a replica holds without using them may be lost, never gained.
        assert limit * 0.9 <= sum(outcomes) <= limit
        restarted = RateLimits(made, SharedCounts(mongo))
        assert not await let_in(restarted, kind, "203.0.113.9")
        assert await let_in(restarted, kind, "203.0.113.10")
    stored = await mongo[RATE_LIMITS].find({}).to_list(None)
    assert all("203.0.113" not in str(doc) for doc in stored)
    assert all(doc["expires_at"].replace(tzinfo=UTC) > datetime(2026, 1, 1, tzinfo=UTC) for doc in stored)


async def test_one_network_of_ipv6_is_one_caller(mongo: Mongo, settings: SettingsFactory) -> None:
    """Who has one address of IPv6 has 2^64: each /64 counts as one; IPv4 within IPv6 as IPv4."""
    limits = RateLimits(settings(failed_credential_rate="5/day"), SharedCounts(mongo))
    for number in range(5):
        await limits.count("failures", f"2001:db8:7:7::{number:x}")
    for same in ("2001:db8:7:7:ffff::1", "2001:0db8:0007:0007:0:0:0:99"):
        with pytest.raises(TooMany):
            await limits.count("failures", same)
    await limits.count("failures", "2001:db8:7:8::1")
    for number in range(5):
        await limits.count("failures", "198.51.100.7" if number % 2 else "::ffff:198.51.100.7")
    with pytest.raises(TooMany):
        await limits.count("failures", "::ffff:198.51.100.7")
