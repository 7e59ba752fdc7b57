"""What happens to MongoDB: its primary steps down, dies, freezes; a secondary dies. Each returns when all are well again."""

from __future__ import annotations

import asyncio
import time

from tests.faults.cluster.scene import SERVERS, Scene, Span
from tests.harness.cluster import pause, resume

FREEZE_SECONDS = 5.0  # longer than an election takes: it wakes as a primary that isn't one any more
_AWAY_SECONDS = 1.5


async def primary_steps_down(scene: Scene) -> Span:
    """An operator takes the primary out."""
    old = await scene.primary()
    began = time.monotonic()
    await asyncio.to_thread(scene.cluster.ask_member, old, "replSetStepDown", 10, secondaryCatchUpPeriodSecs=5)
    await scene.primary(but=old)
    return Span(began, time.monotonic(), scene.published())


async def primary_killed(scene: Scene) -> Span:
    """SIGKILL; it comes back when another is the primary."""
    old = await scene.primary()
    began = time.monotonic()
    scene.cluster.mongods[old].kill()
    await scene.primary(but=old)
    elected = time.monotonic()
    scene.cluster.mongods[old].spawn()
    await scene.member_is(old, "SECONDARY", "PRIMARY")
    return Span(began, elected, scene.published())


async def primary_frozen(scene: Scene) -> Span:
    """SIGSTOP for some seconds, with all connections open; then it wakes."""
    old = await scene.primary()
    began = time.monotonic()
    pause(scene.cluster.mongods[old])
    try:
        await scene.primary(but=old)
        elected = time.monotonic()
        await asyncio.sleep(began + FREEZE_SECONDS - elected)  # the fault itself
    finally:
        resume(scene.cluster.mongods[old])
    await scene.member_is(old, "SECONDARY")
    return Span(began, elected, scene.published())


async def secondary_killed(scene: Scene) -> Span:
    """SIGKILL; the other two are a majority."""
    index = (await scene.primary() + scene.random.randrange(1, SERVERS)) % SERVERS
    began = time.monotonic()
    scene.cluster.mongods[index].kill()
    await asyncio.sleep(_AWAY_SECONDS)  # the fault itself
    scene.cluster.mongods[index].spawn()
    await scene.member_is(index, "SECONDARY")
    return Span(began, began, scene.published())
