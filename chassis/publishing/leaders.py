"""Which broker leads a partition now: asked only while a batch waits long, over connections of its own that give up quickly.

A broker that is stopped keeps its connections: a batch sent to it would wait for the whole send timeout, though the partition
has had another leader for long.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

from aiokafka import TopicPartition

from chassis import logs
from chassis.publishing.brokers import first_answer
from chassis.publishing.lane import Lane
from chassis.settings import Settings

log = logs.get(__name__)
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 1.0  # of a batch, before anybody looks
_ASK_SECONDS = 2.0


async def watch_leaders(settings: Settings, lanes: Mapping[TopicPartition, Lane]) -> None:
    """Tell lanes that wait long who leads their partition. Runs until cancelled."""
    while True:
        await asyncio.sleep(_LOOK_SECONDS)
        now = time.monotonic()
        slow = [
            lane for lane in lanes.values() if lane.waiting_since is not None and now - lane.waiting_since > _PATIENCE_SECONDS
        ]
        if not slow:
            continue
        answer = await first_answer(settings, _ASK_SECONDS)
        if answer is None:
            log.info("leaders_unknown")
            continue
        for lane in slow:
            lane.leader_is(answer.cluster.leader_for_partition(lane.partition))
