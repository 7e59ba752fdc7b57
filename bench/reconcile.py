"""reconcile: events a second of a recount of the whole ledger, a million of them. Aim: >= 100,000."""

from __future__ import annotations

import asyncio
from pathlib import Path

from bench.lived import fill_ledger
from bench.result import Result
from chassis.database.mongo import connect
from deploy.local.stack import Stack
from services.metrics.ledger.reconciliation import Reconciliation
from tests.harness.platform import Platform

PEOPLE = 500_000


def measure(stack: Stack, directory: Path) -> list[Result]:
    """In this process: what counts is the database's work."""
    return asyncio.run(_measure(Platform(stack, directory)))


async def _measure(platform: Platform) -> list[Result]:
    await fill_ledger(platform.settings(), PEOPLE)
    mongo = connect(platform.settings(), "metrics")
    found = await Reconciliation(mongo, 3600).run()
    await mongo.close()
    if found["difference"]:
        raise RuntimeError(f"a difference of {found['difference']}: not a measurement")
    return [Result("reconcile", round(2 * PEOPLE / found["seconds"]), "events/s", target=">= 100000")]
