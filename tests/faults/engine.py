"""One run: the platform under load and under fire, then quiet, then the ledger check. The short and the long form alike."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from bench.bodies import bodies
from chassis.settings import Settings
from deploy.local.stack import Stack
from tests.faults import ledger as ledgers
from tests.faults.checker import check
from tests.faults.collect import collect
from tests.faults.fleet import Fleet, Post
from tests.faults.load import Load
from tests.faults.opening import prepare
from tests.faults.quiet import reconcile, until_quiet
from tests.faults.report import Plan, Report, listed
from tests.faults.troubles import LEASE_SECONDS, RENEW_SECONDS, SESSION_SECONDS, Troubles
from tests.harness.platform import Platform

SUBJECT = "chaos"
ROLES = ("officer", "verifier", "admin", "operator")
_PEOPLE = 226_000  # of one seed: the load takes them one by one

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
            training, metrics = (fleet.running(name, "api")[0].url for name in ("training", "metrics"))
            trainings = await prepare(training, metrics, headers, plan.trainings, plan.quota)
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
            await fleet.ready()
            report.drain_seconds = await until_quiet(settings)
            reconciliation = await reconcile(fleet.running("metrics", "api")[0].url, headers)
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


async def _check(report: Report, settings: Settings, path: Path, troubles: Troubles, reconciliation: dict[str, Any]) -> None:
    began = time.monotonic()
    collected = await collect(
        settings, ledgers.read(path), planted=troubles.planted, caller=f"user:{SUBJECT}", reconciliation=reconciliation
    )
    report.verdict = await asyncio.to_thread(check, collected)
    report.check_seconds = round(time.monotonic() - began, 1)
