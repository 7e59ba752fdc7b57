"""Fixtures for tests on the real servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import pytest
import pytest_asyncio
from pymongo import MongoClient

from chassis.database.mongo import Mongo
from chassis.publishing import kafka
from chassis.settings import Settings
from chassis.writing.group_commit import GroupCommit
from deploy.local.mongodb import mongodb_url
from deploy.local.stack import Stack
from tests.conftest import SettingsFactory
from tests.harness.events import TOPIC, Sender

FailCommand = Callable[[dict[str, Any], dict[str, Any] | str], Any]


@pytest_asyncio.fixture
async def replicas(mongo: Mongo) -> AsyncIterator[Callable[[int], Any]]:
    """`async with`-less: `await replicas(2)` gives that many running GroupCommits on this test's database."""
    async with AsyncExitStack() as open_doors:

        async def make(number: int, *, deadline_seconds: float = 10.0, batch_limit: int = 256) -> list[GroupCommit]:
            doors = [GroupCommit(mongo, batch_limit=batch_limit, deadline_seconds=deadline_seconds) for _ in range(number)]
            for door in doors:
                door.start()
                open_doors.push_async_callback(door.stop)
            return doors

        yield make


@pytest_asyncio.fixture
async def door(replicas: Callable[..., Any]) -> GroupCommit:
    """One running GroupCommit."""
    opened: list[GroupCommit] = await replicas(1)
    return opened[0]


@pytest_asyncio.fixture
async def sender(settings: SettingsFactory) -> AsyncIterator[Sender]:
    """Puts messages on this test's topic."""
    async with Sender(settings()) as ready:
        yield ready


@pytest.fixture
def plain(settings: SettingsFactory) -> Settings:
    """The settings of this test's consumers."""
    return settings(consumer_session_seconds=6.0)


@pytest.fixture
async def quick(settings: SettingsFactory) -> Settings:
    """Settings for relays that don't let a test wait, and the topic they send to."""
    made = settings(relay_poll_seconds=0.05, relay_lease_seconds=2.0, relay_renew_seconds=0.3)
    await kafka.ensure_topics(made, [TOPIC])
    return made


@pytest.fixture
def fail_command(stack: Stack) -> Iterator[FailCommand]:
    """`with fail_command({"failCommands": ["commitTransaction"], …}, {"times": 1})`: mongod fails as told."""
    with MongoClient[dict[str, Any]](mongodb_url(stack.ports, stack.secrets)) as client:

        @contextmanager
        def fail(data: dict[str, Any], mode: dict[str, Any] | str) -> Iterator[None]:
            only_ours = {"appName": "jakpreneur", **data}
            client.admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": only_ours})
            try:
                yield
            finally:
                client.admin.command({"configureFailPoint": "failCommand", "mode": "off"})

        yield fail


@pytest.fixture
def mongodb_down(stack: Stack) -> Callable[[], Any]:
    """`async with mongodb_down():` mongod is killed, and started again afterwards."""

    @asynccontextmanager
    async def down() -> AsyncIterator[None]:
        stack.kill_mongodb()
        try:
            yield
        finally:
            stack.start_mongodb()

    return down


@pytest.fixture
def kafka_down(stack: Stack) -> Callable[[], Any]:
    """`async with kafka_down():` the broker is killed, and started again afterwards."""

    @asynccontextmanager
    async def down() -> AsyncIterator[None]:
        stack.kill_broker()
        try:
            yield
        finally:
            stack.start_broker()

    return down
