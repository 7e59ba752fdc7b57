"""What happens to Kafka: a broker dies, one freezes, two are gone, acknowledgements are slow. Writes go on through all of it."""

from __future__ import annotations

import asyncio
import time

from tests.faults.cluster.scene import SERVERS, Scene, Span
from tests.harness.cluster import pause, resume
from tests.harness.waiting import eventually_async

SLOW_SECONDS = 12.0  # three leases
_AWAY_SECONDS = 4.0  # longer than a broker's session: its partitions get other leaders
_FROZEN_SECONDS = 10.0
_NOTICE_SECONDS = 2.0


async def broker_killed(scene: Scene) -> Span:
    """SIGKILL, away for longer than its session, and back."""
    index = scene.random.randrange(SERVERS)
    began = time.monotonic()
    scene.cluster.brokers[index].kill()
    await asyncio.sleep(_AWAY_SECONDS)  # the fault itself
    scene.cluster.brokers[index].spawn()
    await _up(scene, index)
    return Span(began, began, scene.published())


async def broker_frozen(scene: Scene) -> Span:
    """SIGSTOP: one broker keeps its connections and answers nobody. What was saved meanwhile is published before it wakes."""
    index = scene.random.randrange(SERVERS)
    began = time.monotonic()
    pause(scene.cluster.brokers[index])
    try:
        await asyncio.sleep(_FROZEN_SECONDS)  # the fault itself
        held_up = scene.outboxes.waiting(saved_before=began + _NOTICE_SECONDS)
    finally:
        resume(scene.cluster.brokers[index])
    await _up(scene, index)
    broken = (f"a frozen broker held up {held_up} commits for as long as it froze",) if held_up else ()
    return Span(began, began, scene.published(), broken)


async def in_sync_replicas_lost(scene: Scene) -> Span:
    """Two of three brokers are stopped: Kafka acknowledges nothing, writes go on and wait in the outbox."""
    first = scene.random.randrange(SERVERS)
    gone = [first, (first + 1) % SERVERS]
    began = time.monotonic()
    for index in gone:
        scene.cluster.brokers[index].ask_to_stop()
    await asyncio.gather(*(asyncio.to_thread(scene.cluster.brokers[index].stop, 6) for index in gone))
    before = len(scene.load.acknowledged)
    await asyncio.sleep(_AWAY_SECONDS)  # the fault itself
    waiting = scene.outboxes.waiting(saved_before=time.monotonic() - 1)
    broken = () if waiting and len(scene.load.acknowledged) > before else ("nothing was written, or nothing waited",)
    for index in gone:
        scene.cluster.brokers[index].spawn()
    for index in gone:
        await _up(scene, index)
    return Span(began, began, scene.published(), broken)


async def acknowledgements_slow(scene: Scene) -> Span:
    """Each of registration's sends is acknowledged after three leases' time. Its relay stays the same: no livelock."""
    lease = await scene.lease("registration")
    held = sum(proxy.held for proxy in scene.proxies)
    began = time.monotonic()
    for proxy in scene.proxies:
        proxy.delay(SLOW_SECONDS)
    try:

        async def waited() -> bool:
            return sum(proxy.held for proxy in scene.proxies) > held

        await eventually_async(waited, 3 * SLOW_SECONDS, "an acknowledgement was held back for all its time")
    finally:
        for proxy in scene.proxies:
            proxy.flow()
    published = scene.published()
    after = await scene.lease("registration")
    same = (lease.get("owner"), lease.get("epoch")) == (after.get("owner"), after.get("epoch"))
    return Span(began, began, published, () if same else (f"the relay changed hands: epoch {lease['epoch']}, {after['epoch']}",))


async def _up(scene: Scene, index: int) -> None:
    async def up() -> bool:
        return await asyncio.to_thread(scene.cluster.broker_is_up, index)

    await eventually_async(up, 60, f"broker {index} has work again")
