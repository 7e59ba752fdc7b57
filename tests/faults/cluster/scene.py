"""The scene of the cluster's faults: servers, replicas, balancers and load, running; and what a fault can ask of them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient

from bench.bodies import bodies
from chassis.settings import Settings
from tests.faults import ledger as ledgers
from tests.faults.cluster.outboxes import Outboxes
from tests.faults.collect import SERVICES
from tests.faults.fleet import Fleet, Post
from tests.faults.load import Load
from tests.faults.opening import prepare
from tests.harness.balancer import Backend, Balancer
from tests.harness.cluster import SERVERS, Cluster
from tests.harness.kafka_proxy import KafkaProxy
from tests.harness.platform import Platform
from tests.harness.waiting import eventually_async

SUBJECT = "chaos"
ROLES = ("officer", "verifier", "admin", "operator")
REPLICAS = 2
WRITERS = ("registration", "training")  # the services that the load writes to
# More enrolments than elsewhere: a silence of training must be seen though a second without any would be chance.
_WEIGHTS = {"register": 40, "verify": 30, "enrol": 30, "cancel": 3, "wrong": 2, "again": 2}
_WARM = 20  # acknowledged by each service before the first fault
_WORKERS = 16
_PEOPLE = 100_000


@dataclass(frozen=True, slots=True)
class Span:
    """A fault, once it is over.

    Monotonic times: it began, from then on writes must be acknowledged; `published` began at its end (see
    Scene.published).
    """

    began: float
    counted_from: float
    published: asyncio.Task[float]
    broken: tuple[str, ...] = ()  # what else didn't hold


@dataclass(frozen=True, slots=True)
class End:
    """A process that was asked to stop: its exit code, and after how many seconds."""

    name: str
    code: int
    seconds: float


@dataclass
class Scene:
    """What is running."""

    cluster: Cluster
    fleet: Fleet
    load: Load
    balancers: Mapping[str, Balancer]
    proxies: list[KafkaProxy]
    settings: Settings
    headers: dict[str, str]
    random: random.Random
    ledger: Path  # of the clients
    databases: Mapping[str, Any]
    outboxes: Outboxes
    began: float = field(default_factory=time.monotonic)
    ends: list[End] = field(default_factory=list)  # of processes that were asked to stop

    async def rest(self) -> None:
        """No more requests; returns when those that are on their way have been answered."""
        self.load.going.clear()

        async def at_rest() -> bool:
            return self.load.busy == 0

        await eventually_async(at_rest, 100, "every client has its answer")

    # MongoDB

    async def primary(self, but: int | None = None) -> int:
        """Wait for a primary (another than `but`); returns which member it is."""

        async def found() -> tuple[int] | None:
            index = await asyncio.to_thread(self.cluster.primary, but)
            return None if index is None else (index,)

        return (await eventually_async(found, 40, "there is a primary"))[0]

    async def member_is(self, index: int, *states: str) -> None:
        """Wait until a member is in one of these states."""

        async def there() -> bool:
            return await asyncio.to_thread(self.cluster.member_state, index) in states

        await eventually_async(there, 60, f"member {index} is {' or '.join(states)}")

    def published(self) -> asyncio.Task[float]:
        """The fault ends now: begins to wait until all that is saved by now, or within a second, has been published.

        Gives the longest that a commit waited for it, in seconds.
        """
        return asyncio.create_task(self.outboxes.published_after(time.monotonic()))

    # Replicas

    def posts(self, service: str) -> list[Post]:
        """A service's replicas."""
        return [post for post in self.fleet.posts if post.service == service]

    async def lease(self, service: str) -> dict[str, Any]:
        """The lease of a service's relay."""
        found: dict[str, Any] | None = await self.databases[service]["leases"].find_one({"_id": "relay"})
        return found or {}

    async def holder(self, service: str) -> Post:
        """The replica that is the service's relay."""

        async def found() -> Post | None:
            owner = (await self.lease(service)).get("owner") or "::"
            return next((p for p in self.posts(service) if p.running and str(p.running.pid) == owner.split(":")[1]), None)

        return await eventually_async(found, 40, f"a living replica is {service}'s relay")

    async def restart(self, post: Post, env: Mapping[str, str] | None = None, faults: tuple[str, ...] = ()) -> None:
        """SIGTERM to one replica; returns when its successor is there, ready or not."""
        asked = time.monotonic()
        code = await self.fleet.restart(post, env, faults)
        self.ends.append(End(post.name, code, time.monotonic() - asked))

    async def in_service(self, post: Post) -> None:
        """Wait until the balancer sends requests to a replica."""

        async def taken() -> bool:
            return post.running is not None and _backend(post) in self.balancers[post.service].ready

        await eventually_async(taken, 60, f"{post.name} is ready and has requests")


def _backend(post: Post) -> Backend:
    assert post.process is not None
    public, internal = (int(url.rpartition(":")[2]) for url in (post.process.url, post.process.internal_url))
    return Backend(public, internal)


@asynccontextmanager
async def playing(cluster: Cluster, directory: Path, *, rate: float, seed: int) -> AsyncIterator[Scene]:
    """Start replicas, proxies and balancers, and the load; stop the load at the end of the `with` block."""
    async with AsyncExitStack() as stack:
        proxies = []
        for node in cluster.nodes:
            assert node.detour is not None
            behind, before = node.detour
            proxies.append(await stack.enter_async_context(KafkaProxy(before, behind).running()))
        platform = stack.enter_context(Platform(cluster, directory))
        # Registration publishes through the proxies; everybody else goes straight to the brokers.
        detour = {"JAKPRENEUR_KAFKA_BOOTSTRAP_SERVERS": cluster.environment(detour=True)["JAKPRENEUR_KAFKA_BOOTSTRAP_SERVERS"]}
        posts = [Post(name, "all", {}, detour if name == "registration" else {}) for name in SERVICES for _ in range(REPLICAS)]
        fleet = Fleet(platform, posts, seed, lifetime_seconds=60)
        await fleet.start()
        await stack.enter_async_context(_running(fleet.watch))
        balancers = {name: await stack.enter_async_context(_balancer(fleet, name).running()) for name in SERVICES}
        headers = {"authorization": platform.bearer(ROLES, subject=SUBJECT)["Authorization"]}
        urls = {name: f"http://127.0.0.1:{balancer.port}" for name, balancer in balancers.items()}
        await eventually_async(lambda: _all_ready(balancers), 30, "all replicas have requests")
        trainings = await prepare(urls["training"], urls["metrics"], headers, trainings=10, quota=15)
        ledger = directory / "clients.jsonl"
        load = Load(
            stack.enter_context(ledgers.ClientLedger(ledger)),
            lambda service: [balancers[service].port],
            headers,
            chain(bodies(_PEOPLE, seed), bodies(_PEOPLE, seed + 1)),
            trainings,
            workers=_WORKERS,
            rate=rate,
            seed=seed,
            weights=_WEIGHTS,
            longest_pause=0.2,  # what clients sleep must not count as the platform's silence
        )
        settings = platform.settings()
        mongo: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            settings.mongodb_url.get_secret_value(), readConcernLevel="majority", serverSelectionTimeoutMS=2000
        )
        stack.push_async_callback(mongo.close)
        databases = {name: mongo[f"{settings.mongodb_database_prefix}_{name}"] for name in SERVICES}
        outboxes = Outboxes(databases)
        await stack.enter_async_context(_running(outboxes.watch))
        scene = Scene(
            cluster, fleet, load, balancers, proxies, settings, headers, random.Random(seed), ledger, databases, outboxes
        )
        async with _under_load(load):
            await eventually_async(lambda: _warm(load), 60, "writes are acknowledged")
            yield scene
        await fleet.ready()


def _balancer(fleet: Fleet, service: str) -> Balancer:
    def backends() -> list[Backend]:
        return [_backend(post) for post in fleet.posts if post.service == service and post.running is not None]

    return Balancer(backends)


async def _all_ready(balancers: Mapping[str, Balancer]) -> bool:
    return all(len(balancer.ready) == REPLICAS for balancer in balancers.values())


async def _warm(load: Load) -> bool:
    return all(len(load.acknowledged_by[service]) >= _WARM for service in WRITERS)


@asynccontextmanager
async def _running(work: Callable[[], Any]) -> AsyncIterator[None]:
    task = asyncio.create_task(work())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def _under_load(load: Load) -> AsyncIterator[None]:
    stop = asyncio.Event()
    task = asyncio.create_task(load.run(stop))
    try:
        yield
    finally:
        load.going.set()
        stop.set()
        await task


__all__ = ["SERVERS", "WRITERS", "Scene", "Span", "playing"]
