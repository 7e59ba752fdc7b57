"""What is done to the platform beside the kills at fail points: zombies, a broker and a database that die, poison.

Each trouble returns when the platform has recovered from it: a person registered after its end shows in metrics' ledger.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pymongo import AsyncMongoClient

from chassis.publishing import kafka
from chassis.settings import Settings
from contracts.envelope import Headers, to_headers
from contracts.registration import TOPIC, JakpreneurRegistered
from deploy.local.stack import Stack
from tests.faults.client import Client
from tests.faults.collect import Planted
from tests.faults.fleet import Fleet
from tests.faults.load import Load
from tests.harness.events import TIME
from tests.harness.platform import ServiceProcess
from tests.harness.waiting import eventually_async

LEASE_SECONDS = 2.0
RENEW_SECONDS = 0.5
SESSION_SECONDS = 6.0  # the least that Kafka takes
_RECOVERY_SECONDS = 120.0
_OUTAGE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Trouble:
    """One trouble that is over: its kind, how long until all was well again, writes acknowledged while it lasted."""

    kind: str
    recovery_seconds: float
    acknowledged: int


class Troubles:
    """Each method makes one trouble and waits until it is over."""

    def __init__(self, stack: Stack, settings: Settings, fleet: Fleet, load: Load, seed: int) -> None:
        self.planted: list[Planted] = []
        self._stack = stack
        self._settings = settings
        self._fleet = fleet
        self._load = load
        self._random = random.Random(seed)
        self._poisoned = 0

    def kinds(self) -> dict[str, Callable[[], Awaitable[Trouble]]]:
        """The troubles by name."""
        return {
            "relay_pauses": self.relay_pause,
            "consumer_pauses": self.consumer_pause,
            "broker_kills": self.broker_kill,
            "mongodb_kills": self.mongodb_kill,
            "poisonings": self.poison,
        }

    async def relay_pause(self) -> Trouble:
        """The relay that holds the lease sleeps past it; another takes over; then it wakes amid whatever it was doing."""
        service = self._random.choice(("registration", "training"))
        zombie = await eventually_async(lambda: self._holder(service), 60, f"somebody is {service}'s relay")
        began = time.monotonic()
        zombie.pause()
        try:
            await eventually_async(
                lambda: self._another(service, zombie), 60, f"another {service} relay took over from the one that sleeps"
            )
        finally:
            zombie.resume()
        return await self._over("relay_pauses", began)

    async def consumer_pause(self) -> Trouble:
        """A consumer sleeps until Kafka has given its partitions to another; then it goes on with the batch in hand."""
        service = self._random.choice(("metrics", "metrics", "training"))
        zombie = self._random.choice(await eventually_async(lambda: self._consumers(service), 60, "a consumer lives"))
        began = time.monotonic()
        zombie.pause()
        try:
            await asyncio.sleep(SESSION_SECONDS + 2)  # the trouble itself: longer than the session
        finally:
            zombie.resume()
        return await self._over("consumer_pauses", began)

    async def broker_kill(self) -> Trouble:
        """Kafka dies and is away for a while: writes go on, the outbox drains later."""
        began = time.monotonic()
        self._stack.kill_broker()
        await asyncio.sleep(_OUTAGE_SECONDS)  # the trouble itself: an outage
        self._stack._broker.spawn()  # here and not in a pool's thread: it would die with it
        await asyncio.to_thread(self._stack._wait_for_broker)
        return await self._over("broker_kills", began)

    async def mongodb_kill(self) -> Trouble:
        """The database dies: clients hear 503 or nothing until it is back, never a false 201."""
        began = time.monotonic()
        self._stack.kill_mongodb()
        self._stack._mongodb.spawn()
        await asyncio.to_thread(self._stack._wait_for_mongodb)
        return await self._over("mongodb_kills", began)

    async def poison(self) -> Trouble:
        """Messages that nobody can read, among the good ones: each a dead letter of every consumer that reads the topic."""
        began = time.monotonic()
        self._poisoned += 1
        self.planted += await poison(self._settings, f"jkp_poison{self._poisoned}", self._random.randbytes(900_000))
        return await self._over("poisonings", began)

    async def _holder(self, service: str) -> ServiceProcess | None:
        async with AsyncMongoClient[dict[str, Any]](self._settings.mongodb_url.get_secret_value()) as client:
            database = client[f"{self._settings.mongodb_database_prefix}_{service}"]
            lease: dict[str, Any] | None = await database["leases"].find_one({"_id": "relay"})
        if lease is None or lease.get("owner") is None:
            return None
        return self._fleet.by_pid(int(lease["owner"].split(":")[1]))

    async def _another(self, service: str, zombie: ServiceProcess) -> bool:
        holder = await self._holder(service)
        return zombie.exit_code is not None or (holder is not None and holder is not zombie)

    async def _consumers(self, service: str) -> list[ServiceProcess]:
        return self._fleet.running(service, "consumer")

    async def _over(self, kind: str, began: float) -> Trouble:
        ended = time.monotonic()
        await self._probe()
        acknowledged = sum(began <= at <= ended for at in self._load.acknowledged)
        return Trouble(kind, round(time.monotonic() - ended, 2), acknowledged)

    async def _probe(self) -> None:
        """Register a person and wait until metrics has counted them."""
        client = Client()
        try:
            act = await self._load.register(client)
        finally:
            await client.close()
        if act.outcome != "ok":
            raise AssertionError(f"nobody could be registered after a trouble: {act}")
        row = f"registration/{act.reply['jakpreneur_id']}:1"
        async with AsyncMongoClient[dict[str, Any]](self._settings.mongodb_url.get_secret_value()) as mongo:
            ledger = mongo[f"{self._settings.mongodb_database_prefix}_metrics"]["ledger"]
            await eventually_async(lambda: ledger.find_one({"_id": row}), _RECOVERY_SECONDS, "metrics counts again")


async def poison(settings: Settings, name: str, garbage: bytes) -> list[Planted]:
    """Put six bad messages on registration's topic.

    Broken JSON, a type of a version to come, a wrong schema, garbage, and a bad first event with a good second one behind it.
    """
    good = JakpreneurRegistered.model_validate(JakpreneurRegistered.SAMPLE)
    broken, newer, wrong, first = (f"{name}x{number}" for number in range(4))
    value = {who: good.model_copy(update={"jakpreneur_id": who}).model_dump_json().encode() for who in (newer, first)}
    messages: list[tuple[str | None, Headers, bytes, str, str]] = [
        (broken, _headers(broken, 1), b'{"jakpreneur_id": ', "dead", "schema"),
        (newer, _headers(newer, 1, good.TYPE.replace(".v1", ".v99")), value[newer], "dead", "unknown_type"),
        (wrong, _headers(wrong, 1), b'{"jakpreneur_id": 7}', "dead", "schema"),
        (None, [], garbage, "dead", "malformed"),
        (first, _headers(first, 1), b"[]", "dead", "schema"),
        (first, _headers(first, 2), value[first], "parked", "behind_dead_letter"),
    ]
    planted: list[Planted] = []
    producer = kafka.producer(settings, "poison")
    await producer.start()
    try:
        for key, headers, body, state, reason in messages:
            topic = settings.kafka_topic_prefix + TOPIC
            sent = await producer.send_and_wait(topic, body, key=key.encode() if key else None, headers=headers)
            planted.append(Planted(TOPIC, sent.partition, sent.offset, state, reason))
    finally:
        await producer.stop()
    return planted


def _headers(subject: str, sequence: int, type_name: str = JakpreneurRegistered.TYPE) -> Headers:
    return to_headers(
        type_name=type_name,
        source="/services/registration",
        subject=subject,
        sequence=sequence,
        time=TIME,
        traceparent=None,
    )
