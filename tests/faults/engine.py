"""One run: the platform under load and under fire, then quiet, then the ledger check. The short and the long form alike."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any

import httpx2
from pymongo import MongoClient

from bench.bodies import bodies
from chassis.settings import Settings
from deploy.local.stack import Stack
from tests.faults import ledger as ledgers
from tests.faults.checker import check
from tests.faults.collect import SERVICES, SUBSCRIPTIONS, collect, end_offsets
from tests.faults.fleet import Fleet, Post
from tests.faults.load import Load, Training
from tests.faults.report import Plan, Report, listed
from tests.faults.troubles import LEASE_SECONDS, RENEW_SECONDS, SESSION_SECONDS, Troubles
from tests.harness.platform import Platform
from tests.harness.waiting import eventually_async

SUBJECT = "chaos"
ROLES = ("officer", "verifier", "admin", "operator")
_PEOPLE = 226_000  # of one seed: the load takes them one by one
_QUIET_SECONDS = 180.0
_TARGET = 40  # verified people: the day that metrics tells of it is one more event that must not be lost or doubled

# Chances for each time that a process comes by; the fleet turns them up and down until processes live as long as planned.
_API = {"commit.before": 0.004, "commit.after": 0.004}
_RELAY = {"relay.after_send": 0.02, "commit.before": 0.008, "commit.after": 0.008}
_CONSUMER = {"consumer.in_transaction": 0.04, "commit.before": 0.02, "commit.after": 0.02}


def posts() -> list[Post]:
    """Who runs: two replicas of what must bear two."""
    relay = {"JAKPRENEUR_RELAY_LEASE_SECONDS": str(LEASE_SECONDS), "JAKPRENEUR_RELAY_RENEW_SECONDS": str(RENEW_SECONDS)}
    consumer = {"JAKPRENEUR_CONSUMER_SESSION_SECONDS": str(SESSION_SECONDS)}
    return [
        Post("registration", "api", _API),
        Post("registration", "api", _API),
        Post("registration", "relay", _RELAY, relay),
        Post("registration", "relay", _RELAY, relay),
        Post("training", "api", {name: chance * 3 for name, chance in _API.items()}),
        Post("training", "relay", {name: chance * 3 for name, chance in _RELAY.items()}, relay),
        Post("training", "relay", {name: chance * 3 for name, chance in _RELAY.items()}, relay),
        Post("training", "consumer", _CONSUMER, consumer),
        Post("metrics", "consumer", _CONSUMER, consumer),
        Post("metrics", "consumer", _CONSUMER, consumer),
        Post("metrics", "relay", {}, relay),
        Post("metrics", "api", {}),
    ]


def _lifetime(plan: Plan) -> float:
    """Seconds that a process should live, for the kills to be done in a good third of the time."""
    armed = sum(bool(post.points) for post in posts())
    return max(7.0, armed * plan.minutes * 60 * 0.35 / max(1, plan.kills))


async def run(plan: Plan, stack: Stack, directory: Path, say: Callable[[str], None]) -> Report:
    """Do what the plan says; the report's verdict holds what the check found."""
    report = Report(plan)
    path = directory / "clients.jsonl"
    with Platform(stack, directory) as platform, ledgers.ClientLedger(path) as clients:
        settings = platform.settings()
        fleet = Fleet(platform, posts(), plan.seed, _lifetime(plan))
        await fleet.start()
        async with _watching(fleet):
            headers = {"authorization": platform.bearer(ROLES, subject=SUBJECT)["Authorization"]}
            trainings = await _prepare(fleet, headers, plan)
            load = Load(
                clients,
                fleet.ports,
                headers,
                chain(bodies(_PEOPLE, plan.seed), bodies(_PEOPLE, plan.seed + 1)),
                trainings,
                workers=plan.workers,
                rate=plan.rate,
                seed=plan.seed,
            )
            troubles = Troubles(stack, settings, fleet, load, plan.seed)
            await _under_fire(plan, fleet, load, troubles, report, say)
            reconciliation = await _until_quiet(settings, fleet, headers, report)
        say(f"quiet after {report.drain_seconds:.1f} s; checking")
        await _check(report, settings, path, troubles, reconciliation)
        report.kills, report.points, report.other_exits = dict(fleet.kills), dict(fleet.points), dict(fleet.exits)
        report.outcomes, report.statuses = dict(load.outcomes), dict(load.statuses)
        report.refusals, report.acknowledged = dict(load.refusals), len(load.acknowledged)
    return report


@asynccontextmanager
async def _watching(fleet: Fleet) -> AsyncIterator[None]:
    watching = asyncio.create_task(fleet.watch())
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching


async def _prepare(fleet: Fleet, headers: dict[str, str], plan: Plan) -> list[Training]:
    """Before the fire: a target that metrics will tell of, and trainings with too few seats, each on a day of its own."""
    training, metrics = (fleet.running(name, "api")[0].url for name in ("training", "metrics"))
    start = (datetime.now(UTC) + timedelta(days=5)).replace(microsecond=0)
    made: list[Training] = []
    async with httpx2.AsyncClient(headers=headers, timeout=30) as client:
        target = {"value": _TARGET, "source": "Fault test", "valid_from": "2018-01-01"}
        (await client.put(f"{metrics}/v1/targets/chaos", json=target)).raise_for_status()
        for number in range(plan.trainings):
            begins = start + timedelta(days=number)
            body = {
                "title": f"Pelatihan {number}",
                "stage": "P2",
                "sessions": [
                    {"starts_at": begins.isoformat(), "ends_at": (begins + timedelta(hours=6)).isoformat(), "place": "Balai"}
                ],
                "quota": plan.quota,
                "registration_deadline": (begins - timedelta(hours=26)).isoformat(),
            }
            answer = (await client.post(f"{training}/v1/trainings", json=body)).raise_for_status()
            identity = answer.json()["training_id"]
            for to in ("submitted", "approved", "published"):
                step = await client.post(f"{training}/v1/trainings/{identity}/transitions", json={"to": to})
                step.raise_for_status()
            made.append(Training(identity, plan.quota))
    return made


async def _under_fire(
    plan: Plan, fleet: Fleet, load: Load, troubles: Troubles, report: Report, say: Callable[[str], None]
) -> None:
    stop = asyncio.Event()
    began = time.monotonic()
    deadline = began + plan.minutes * 60
    loading = asyncio.create_task(load.run(stop))
    troubling = asyncio.create_task(_trouble(plan, troubles, report, deadline, say))
    fleet.arm()
    told, relaxed = began, False
    try:
        while time.monotonic() < deadline and not loading.done():
            killed = fleet.killed >= plan.kills
            if killed and len(load.acknowledged) >= plan.acknowledged and troubling.done():
                break
            if killed and not relaxed:
                fleet.relax()
            relaxed = killed
            if time.monotonic() - told > 10:
                told = time.monotonic()
                done = listed(dict(report.done()))
                say(f"{told - began:5.0f} s: {fleet.killed:,} kills, {len(load.acknowledged):,} acknowledged; {done}")
            if troubling.done() and troubling.exception():
                break
            await asyncio.sleep(0.2)
        await asyncio.wait({troubling}, timeout=150)  # one that has begun is brought to its end
    finally:
        troubling.cancel()
        fleet.disarm()
        stop.set()
        await loading
    with contextlib.suppress(asyncio.CancelledError):
        await troubling
    report.load_seconds = round(time.monotonic() - began, 1)


async def _trouble(plan: Plan, troubles: Troubles, report: Report, deadline: float, say: Callable[[str], None]) -> None:
    """All troubles, one after the other, the kinds mixed evenly; none begins after the deadline."""
    kinds = troubles.kinds()
    wanted = plan.troubles()
    slots = sorted(((number + 0.5) / count, kind) for kind, count in wanted.items() for number in range(count))
    for _, kind in slots:
        if time.monotonic() >= deadline:
            return
        trouble = await kinds[kind]()
        report.troubles.append(trouble)
        if sum(wanted.values()) < 20:
            say(f"{kind}: recovered in {trouble.recovery_seconds:.1f} s, {trouble.acknowledged} acknowledged meanwhile")


async def _until_quiet(settings: Settings, fleet: Fleet, headers: dict[str, str], report: Report) -> dict[str, Any]:
    """Wait until the outboxes are empty and positions stand at the ends, twice in a row; returns metrics' reconciliation."""
    began = time.monotonic()
    before: list[Any] = []

    async def quiet() -> bool:
        ends = await end_offsets(settings)
        found = await asyncio.to_thread(_unfinished, settings, ends)
        if found:
            raise AssertionError(f"unfinished: {found}")
        same = before == [ends]
        before[:] = [ends]
        return same

    await fleet.ready()
    await eventually_async(quiet, _QUIET_SECONDS, "the platform is quiet")
    report.drain_seconds = round(time.monotonic() - began, 1)
    async with httpx2.AsyncClient(headers=headers, timeout=120) as client:
        url = fleet.running("metrics", "api")[0].url
        answer = (await client.get(f"{url}/v1/reconciliation", params={"fresh": "true"})).raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _unfinished(settings: Settings, ends: dict[tuple[str, int], int]) -> list[str]:
    """What still has to happen, in words."""
    found: list[str] = []
    with MongoClient(settings.mongodb_url.get_secret_value()) as client:
        databases = {name: client[f"{settings.mongodb_database_prefix}_{name}"] for name in SERVICES}
        for name, database in databases.items():
            if commits := database["outbox"].count_documents({}):
                found.append(f"{commits} commits in {name}'s outbox")
        if waiting := databases["metrics"]["pending"].count_documents({}):
            found.append(f"{waiting} pending events")
        for consumer, (service, topics) in SUBSCRIPTIONS.items():
            stored = databases[service]["positions"].find({"consumer": consumer})
            positions = {(doc["topic"].removeprefix(settings.kafka_topic_prefix), doc["partition"]): doc for doc in stored}
            behind = sum(
                end - (positions[place]["next_offset"] if place in positions else 0)
                for place, end in ends.items()
                if place[0] in topics
            )
            if behind:
                found.append(f"{consumer} is {behind} events behind")
    return found


async def _check(report: Report, settings: Settings, path: Path, troubles: Troubles, reconciliation: dict[str, Any]) -> None:
    began = time.monotonic()
    collected = await collect(
        settings, ledgers.read(path), planted=troubles.planted, caller=f"user:{SUBJECT}", reconciliation=reconciliation
    )
    report.verdict = await asyncio.to_thread(check, collected)
    report.check_seconds = round(time.monotonic() - began, 1)
