"""When all is over: every outbox empty, every position at the end of its partition, nothing pending."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import httpx2
from pymongo import MongoClient

from chassis.settings import Settings
from tests.faults.collect import SERVICES, SUBSCRIPTIONS, end_offsets
from tests.harness.waiting import eventually_async

_QUIET_SECONDS = 180.0


async def until_quiet(settings: Settings) -> float:
    """Wait until nothing is left to be done, twice in a row; returns how many seconds that took."""
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

    await eventually_async(quiet, _QUIET_SECONDS, "the platform is quiet")
    return round(time.monotonic() - began, 1)


async def reconcile(metrics: str, headers: dict[str, str]) -> dict[str, Any]:
    """Metrics' own recount of its figures, made now."""
    async with httpx2.AsyncClient(headers=headers, timeout=120) as client:
        answer = (await client.get(f"{metrics}/v1/reconciliation", params={"fresh": "true"})).raise_for_status()
        found: dict[str, Any] = answer.json()
        return found


def _unfinished(settings: Settings, ends: dict[tuple[str, int], int]) -> list[str]:
    """What still has to happen, in words."""
    found: list[str] = []
    with MongoClient[dict[str, Any]](settings.mongodb_url.get_secret_value()) as client:
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
