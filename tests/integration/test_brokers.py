"""Asking a cluster of which one broker hangs: it takes connections, and never says a word."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from chassis.publishing.brokers import first_answer
from chassis.publishing.producers import Producers
from tests.conftest import SettingsFactory


@pytest.fixture
async def hanging() -> AsyncIterator[str]:
    """The address of a broker that is frozen."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()
    for writer in writers:
        writer.close()


async def test_the_living_broker_answers_first(settings: SettingsFactory, hanging: str) -> None:
    """Two of three bootstrap servers hang: the third is heard at once, whichever is asked first."""
    living = settings().kafka_bootstrap_servers
    three = settings(kafka_bootstrap_servers=f"{hanging},{hanging},{living}")
    asked = time.monotonic()
    answer = await first_answer(three, 10.0)
    assert answer is not None
    assert answer.server == living
    assert time.monotonic() - asked < 5.0


async def test_nobody_answers(settings: SettingsFactory, hanging: str) -> None:
    """All hang: who asks is told so in time."""
    assert await first_answer(settings(kafka_bootstrap_servers=f"{hanging},{hanging}"), 0.5) is None


async def test_a_producer_starts_beside_a_broker_that_hangs(settings: SettingsFactory, hanging: str) -> None:
    """Ten producers in a row start at once, though each would begin with the frozen broker as often as not."""
    living = settings().kafka_bootstrap_servers
    two = settings(kafka_bootstrap_servers=f"{hanging},{living}")
    for _ in range(10):
        producers = Producers(two, "beside")
        await asyncio.wait_for(producers.current(), 5.0)
        await producers.close()
