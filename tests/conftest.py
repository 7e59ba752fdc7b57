"""Fixtures of every test: one real MongoDB and Kafka for the whole run, started when a test first asks for them.

Each test gets databases and topics of its own (a prefix), so that tests share servers and nothing else.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
import structlog

from chassis.database.mongo import Mongo, connect
from chassis.settings import Settings
from deploy.local.ports import Ports
from deploy.local.stack import TESTS, Stack
from tests.harness.settings import settings_of

SettingsFactory = Callable[..., Settings]
DRIVERS = ("motor", "pymongo")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave property tests out of the coverage: they run the same lines thousands of times, and each line would be noted."""
    for item in items:
        if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
            item.add_marker(pytest.mark.no_cover)


@pytest.fixture(scope="session", autouse=True)
def short_logs() -> None:
    """Warnings with plain tracebacks; structlog's own default prints every local variable of every frame."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A real MongoDB and a real Kafka. A test that stops one starts it again."""
    with Ports.free() as ports, Stack.start(tmp_path_factory.mktemp("stack"), ports, sizing=TESTS) as running:
        yield running


@pytest.fixture
def prefix() -> str:
    """What the databases and topics of this test begin with."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture
def settings(stack: Stack, prefix: str) -> SettingsFactory:
    """`settings(relay_page=10)`: chassis settings for this test's own databases and topics."""

    def make(**changes: Any) -> Settings:
        own = {"mongodb_database_prefix": prefix, "kafka_topic_prefix": f"{prefix}."}
        made: Settings = settings_of(stack.environment(), **{**own, **changes})
        return made

    return make


@pytest_asyncio.fixture(params=DRIVERS)
async def mongo(request: pytest.FixtureRequest, settings: SettingsFactory) -> AsyncIterator[Mongo]:
    """This test's own database, once on each driver; dropped afterwards."""
    opened = connect(settings(mongo_driver=request.param), "test")
    try:
        yield opened
        await opened.client.drop_database(opened.database.name)
    finally:
        await opened.close()
