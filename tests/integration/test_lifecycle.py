"""A service as its operators see it: real processes on real servers, started, stopped in order, cut off and split in parts."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest

from chassis.database.mongo import connect
from deploy.local.stack import Stack
from tests.harness.forms import registration
from tests.harness.platform import Platform, ServiceProcess
from tests.harness.topics import ids_by_subject
from tests.harness.waiting import eventually, eventually_async

TOPIC = "registration.jakpreneurs.v1"


@pytest.fixture
def platform(stack: Stack, tmp_path: Path) -> Iterator[Platform]:
    """A deployment of this test's own."""
    brisk = {
        "JAKPRENEUR_ANONYMOUS_RATE": "100000/minute",
        "JAKPRENEUR_RELAY_LEASE_SECONDS": "3",
        "JAKPRENEUR_RELAY_RENEW_SECONDS": "1",
    }
    with Platform(stack, tmp_path, environment=brisk) as deployed:
        yield deployed


async def register_until_refused(process: ServiceProcess, officer: dict[str, str], first: int, answers: dict[int, Any]) -> None:
    """An officer's client that registers one person after another until the service no longer answers; notes what it was told."""
    number = first
    async with httpx2.AsyncClient(base_url=process.url, timeout=20.0, headers=officer) as client:
        while True:
            answers[number] = "unknown"
            try:
                answer = await client.post("/v1/jakpreneurs", json=registration(number))
            except httpx2.HTTPError as error:
                if isinstance(error, httpx2.ConnectError):
                    answers[number] = "refused"
                return
            answers[number] = answer.json()["jakpreneur_id"] if answer.status_code == 201 else answer.status_code
            if answer.status_code != 201:
                return
            number += 1


def test_a_port_that_is_taken(platform: Platform) -> None:
    """An operator starts registration twice: the second ends in order, with code 1, and its log says which port it can't have."""
    first = platform.start("registration").wait_ready()
    port = first.url.rpartition(":")[2]
    second = platform.start("registration", env={"JAKPRENEUR_PORT": port})
    assert second.wait() == 1
    lines = second.log.read_text().splitlines()
    failed = [line for line in lines if '"event": "part_failed"' in line]
    assert len(failed) == 1
    assert f"can't listen on 127.0.0.1:{port}: Address already in use" in failed[0]
    assert any('"event": "stopping"' in line for line in lines)
    assert first.ready()


async def test_stopped_under_load(platform: Platform) -> None:
    """SIGTERM while eight clients register people: every answered registration is stored, nobody hears 5xx, exit code 0."""
    process = platform.start("registration")
    process.wait_ready()
    answers: dict[int, Any] = {}
    officer = platform.bearer(["officer"])
    clients = [asyncio.create_task(register_until_refused(process, officer, 10_000 * n, answers)) for n in range(8)]
    await eventually_async(lambda: _at_least(answers, 200), 30, "two hundred registrations were answered")
    process.ask_to_stop()
    await asyncio.wait_for(asyncio.gather(*clients), 30)
    assert await asyncio.to_thread(process.wait) == 0
    mongo = connect(platform.settings(), "registration")
    try:
        stored = {doc["_id"] async for doc in mongo["jakpreneurs"].find({}, {"_id": 1})}
        waiting = await mongo["outbox"].count_documents({})
    finally:
        await mongo.close()
    told = {answer for answer in answers.values() if isinstance(answer, str) and answer.startswith("jkp_")}
    assert set() == told - stored
    others = Counter(answer for answer in answers.values() if answer not in told)
    assert {"refused", "unknown", 503} >= set(others)
    assert len(stored - told) <= others["unknown"]
    published = await ids_by_subject(platform.settings(), TOPIC)
    assert len(stored) <= waiting + len(published)
    assert {(1,)} == {tuple(dict.fromkeys(sequences)) for sequences in published.values()}


async def _at_least(answers: dict[int, Any], number: int) -> bool:
    return sum(isinstance(answer, str) and answer.startswith("jkp_") for answer in answers.values()) >= number


def test_not_ready_without_mongodb(platform: Platform, stack: Stack) -> None:
    """MongoDB goes: readiness says 503 and names it, liveness stays, a write is 503 with Retry-After; it comes back: ready."""
    process = platform.start("registration")
    process.wait_ready()
    stack.kill_mongodb()
    try:
        eventually(lambda: not process.ready(), 20, "it is not ready")
        readiness = httpx2.get(f"{process.internal_url}/health/ready", timeout=5.0)
        assert (readiness.status_code, readiness.json()["parts"]["mongodb"]) == (503, "down")
        assert httpx2.get(f"{process.internal_url}/health/live", timeout=5.0).status_code == 200
        refused = httpx2.post(f"{process.url}/v1/jakpreneurs", json=registration(1), timeout=20.0)
        assert (refused.status_code, refused.json()["code"]) == (503, "unavailable")
        assert int(refused.headers["Retry-After"]) > 0
    finally:
        stack.start_mongodb()
    process.wait_ready()
    assert httpx2.post(f"{process.url}/v1/jakpreneurs", json=registration(1), timeout=20.0).status_code == 202


def _answers(url: str) -> bool:
    return bool(httpx2.get(url).status_code == 200)


def test_started_before_mongodb(platform: Platform, stack: Stack) -> None:
    """The service is up before its database: it waits, not ready, and serves as soon as it can; SIGTERM ends even the wait."""
    stack.kill_mongodb()
    try:
        process, impatient = platform.start("registration"), platform.start("registration")
        for waiting in (process, impatient):
            eventually(partial(_answers, f"{waiting.internal_url}/health/live"), 20, "it lives")
            assert not waiting.ready()
        assert impatient.terminate() == 0
    finally:
        stack.start_mongodb()
    process.wait_ready()


def test_operators_pages_are_not_public(platform: Platform) -> None:
    """Series, health and interactive documentation can't be had on the public port, and the API not on the internal one."""
    process = platform.start("registration")
    process.wait_ready()
    for path in ("/metrics", "/health/live", "/health/ready", "/docs", "/redoc"):
        assert (path, 404) == (path, httpx2.get(process.url + path).status_code)
    for path in ("/v1/areas", "/openapi.json", "/docs", "/redoc"):
        assert (path, 404) == (path, httpx2.get(process.internal_url + path).status_code)
    assert "group_commit_batch_size" in httpx2.get(f"{process.internal_url}/metrics").text
    assert httpx2.get(f"{process.url}/openapi.json").status_code == 200


async def test_two_replicas(platform: Platform) -> None:
    """People register at the replica that isn't the relay: the other publishes long before it would look by itself.

    Every half minute it looks because it opens its cursor anew; no look of its own comes within ten seconds of the start.
    """
    patient = {"JAKPRENEUR_RELAY_POLL_SECONDS": "60"}
    replicas = [platform.start("registration", env=patient).wait_ready() for _ in range(2)]
    relay, other = eventually(lambda: _relay_first(replicas), 20, "one of them is the relay")
    async with httpx2.AsyncClient(base_url=other.url, timeout=20.0) as client:
        for number in range(1, 4):
            (await client.post("/v1/jakpreneurs", json=registration(number))).raise_for_status()
            await eventually_async(partial(_published, relay, number), 10, "it is published")


def _relay_first(replicas: list[ServiceProcess]) -> list[ServiceProcess]:
    """The replicas with the holder of the relay's lease first; none before one of them holds it."""
    found = sorted(replicas, key=lambda process: -process.metric("relay_lease_held"))
    return found if found[0].metric("relay_lease_held") == 1.0 else []


async def test_split_into_parts(platform: Platform) -> None:
    """API and relay run as processes of their own: what one saves the other publishes; the API holds no lease."""
    api, relay = platform.start("registration", "api"), platform.start("registration", "relay")
    api.wait_ready()
    relay.wait_ready()
    for number in range(5):
        assert httpx2.post(f"{api.url}/v1/jakpreneurs", json=registration(number)).status_code == 202
    await eventually_async(lambda: _published(relay, 5), 20, "five events were published")
    assert (api.metric("relay_lease_held"), relay.metric("relay_lease_held")) == (0.0, 1.0)
    assert len(await ids_by_subject(platform.settings(), TOPIC)) == 5
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"{relay.url}/v1/areas")
    assert [api.terminate(), relay.terminate()] == [0, 0]


async def _published(relay: ServiceProcess, number: int) -> bool:
    return relay.metric("relay_published_total") == number


async def test_killed_and_started_again(platform: Platform) -> None:
    """SIGKILL amid its work, and a new process: what was answered is there, and its event is published after all."""
    first = platform.start("registration")
    first.wait_ready()
    officer = platform.bearer(["officer"])
    answered = httpx2.post(f"{first.url}/v1/jakpreneurs", json=registration(1), headers=officer).json()["jakpreneur_id"]
    first.kill()
    assert first.exit_code == -signal.SIGKILL
    second = platform.start("registration")
    second.wait_ready()
    person = httpx2.get(f"{second.url}/v1/jakpreneurs/{answered}", headers=officer)
    assert (person.status_code, person.json()["status"]) == (200, "submitted")
    published = await eventually_async(lambda: ids_by_subject(platform.settings(), TOPIC), 30, "the event was published")
    assert {answered: [1]} == {subject: list(dict.fromkeys(sequences)) for subject, sequences in published.items()}


def test_frozen_and_thawed(platform: Platform) -> None:
    """SIGSTOP and SIGCONT: the harness can freeze a process, and the process goes on as if nothing had been."""
    process = platform.start("registration")
    process.wait_ready()
    process.pause()
    with pytest.raises(httpx2.TimeoutException):
        httpx2.get(f"{process.url}/v1/commodities", timeout=0.3)
    process.resume()
    assert httpx2.get(f"{process.url}/v1/commodities", timeout=10.0).status_code == 200
