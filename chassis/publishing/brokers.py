"""Which broker answers now. A broker that hangs takes connections and never says a word: so all are asked at once.

aiokafka asks its bootstrap servers one after the other, in a random order, and waits for each as long as for any request.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from aiokafka.client import AIOKafkaClient
from aiokafka.cluster import ClusterMetadata
from aiokafka.errors import KafkaError

from chassis.publishing import kafka
from chassis.settings import Settings


@dataclass(frozen=True, slots=True)
class Answer:
    """A bootstrap server that answers, and what it knows of the cluster."""

    server: str
    cluster: ClusterMetadata


async def first_answer(settings: Settings, seconds: float) -> Answer | None:
    """What the first bootstrap server to answer says; None when none does in time."""
    servers = [server.strip() for server in settings.kafka_bootstrap_servers.split(",")]
    asking = {asyncio.create_task(_ask(settings, server, seconds)) for server in servers}
    try:
        for answer in asyncio.as_completed(asking):
            found = await answer
            if found is not None:
                return found
        return None
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


async def _ask(settings: Settings, server: str, seconds: float) -> Answer | None:
    options = {**kafka.connection(settings), "bootstrap_servers": server}
    client = AIOKafkaClient(**options, client_id="brokers", request_timeout_ms=int(seconds * 1000))
    try:
        async with asyncio.timeout(seconds):
            await client.bootstrap()
            return Answer(server, await client.fetch_all_metadata())
    except (KafkaError, TimeoutError, OSError):
        return None
    finally:
        with contextlib.suppress(Exception):
            await asyncio.wait_for(client.close(), 1.0)
