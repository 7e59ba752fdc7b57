"""What happens to the services' replicas: they are killed, restarted, stopped without a database, and live in another time."""

from __future__ import annotations

import asyncio
import time

from tests.faults.cluster.scene import SERVERS, Scene, Span
from tests.faults.collect import SERVICES
from tests.faults.fleet import SIGKILLED, Post
from tests.harness.cluster import pause, resume
from tests.harness.waiting import eventually_async

AHEAD_SECONDS = 65 * 60.0  # Kafka refuses a record whose time is more than an hour ahead
_DEADLY = {"JAKPRENEUR_FAIL_POINTS": "commit.before=1;1"}


async def replica_killed(scene: Scene) -> Span:
    """SIGKILL to the replica that is registration's relay; the other one takes the lease when it lapses."""
    post = await scene.holder("registration")
    began = time.monotonic()
    await scene.fleet.kill(post)
    published = scene.published()
    await scene.in_service(post)
    return Span(began, began, published)


async def registration_killed_in_a_transaction(scene: Scene) -> Span:
    """SIGKILL between the writes and the commit: what it wrote stays locked until MongoDB gives its transaction up."""
    return await _killed_in_a_transaction(scene, "registration")


async def training_killed_in_a_transaction(scene: Scene) -> Span:
    """The same where many write to the same few documents."""
    return await _killed_in_a_transaction(scene, "training")


async def _killed_in_a_transaction(scene: Scene, service: str) -> Span:
    post = scene.random.choice(scene.posts(service))
    await scene.restart(post, _DEADLY)
    doomed = post.process
    assert doomed is not None

    async def dead() -> bool:
        return doomed.exit_code == SIGKILLED

    await eventually_async(dead, 60, f"{service} dies at its first commit")
    began = time.monotonic()
    published = scene.published()
    await scene.in_service(post)
    return Span(began, began, published)


async def rolling_restart_idle(scene: Scene) -> Span:
    """SIGTERM to one replica after the other while nobody asks for anything."""
    scene.load.going.clear()
    began = time.monotonic()
    await _roll(scene)
    scene.load.going.set()
    return Span(began, time.monotonic(), scene.published())


async def rolling_restart(scene: Scene) -> Span:
    """SIGTERM to one replica after the other under load."""
    began, errors = time.monotonic(), scene.load.errors
    await _roll(scene)
    seen = scene.load.errors - errors
    return Span(began, began, scene.published(), (f"clients behind the balancer saw {seen} errors",) if seen else ())


async def _roll(scene: Scene) -> None:
    async def one_service(service: str) -> None:
        for post in scene.posts(service):
            await scene.restart(post)
            await scene.in_service(post)

    await asyncio.gather(*(one_service(service) for service in SERVICES))


async def stopped_without_a_primary(scene: Scene) -> Span:
    """Two of three mongods freeze, so there is no primary; a replica of each service is asked to stop, and ends in order."""
    primary = await scene.primary()
    frozen = [index for index in range(SERVERS) if index != primary]
    began = time.monotonic()
    posts = [scene.random.choice(scene.posts(service)) for service in SERVICES]
    for index in frozen:
        pause(scene.cluster.mongods[index])
    try:
        await scene.member_is(primary, "SECONDARY")
        await asyncio.gather(*(scene.restart(post) for post in posts))
    finally:
        for index in frozen:
            resume(scene.cluster.mongods[index])
    await scene.primary()
    elected = time.monotonic()
    published = scene.published()
    for post in posts:
        await scene.in_service(post)
    return Span(began, elected, published)


async def clock_ahead(scene: Scene) -> Span:
    """A replica lives 65 minutes ahead of the others, and is registration's relay: it publishes all the same."""
    post = await _aside(scene, "registration")
    await scene.restart(post, faults=("--clock-ahead", str(AHEAD_SECONDS)))
    await scene.in_service(post)
    began = time.monotonic()
    while (holder := await scene.holder("registration")) is not post:
        await scene.restart(holder)
        await scene.in_service(holder)
    published = scene.published()
    await asyncio.wait({published}, timeout=60)
    await scene.restart(post)
    await scene.in_service(post)
    return Span(began, began, published)


async def _aside(scene: Scene, service: str) -> Post:
    """The replica that isn't the service's relay."""
    holder = await scene.holder(service)
    return next(post for post in scene.posts(service) if post is not holder)
