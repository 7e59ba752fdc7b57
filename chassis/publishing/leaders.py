"""Which broker leads a partition now: asked only while a batch waits long, over connections of its own that give up quickly.

A broker that is stopped keeps its connections: a batch sent to it would wait for the whole send timeout, though the partition
has had another leader for long.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping

from aiokafka import TopicPartition
from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError

from chassis import logs
from chassis.publishing import kafka
from chassis.publishing.lane import Lane
from chassis.settings import Settings

log = logs.get(__name__)
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 1.0  # of a batch, before anybody looks
_ASK_SECONDS = 3.0


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
        found = await _ask(settings)
        if found is not None:
            for lane in slow:
                lane.leader_is(found.leader_for_partition(lane.partition))


async def _ask(settings: Settings) -> ClusterMetadata | None:
    client = AIOKafkaClient(**kafka.connection(settings), client_id="leaders", request_timeout_ms=int(_ASK_SECONDS * 1000))
    try:
        async with asyncio.timeout(_ASK_SECONDS):
            await client.bootstrap()
            return await client.fetch_all_metadata()
    except (KafkaError, TimeoutError, OSError) as error:
        log.info("leaders_unknown", error=type(error).__name__)
        return None
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(client.close(), 1.0)
