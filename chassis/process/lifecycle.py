"""From start to stop of a service process: which parts run in which role, readiness, graceful stop, exit codes.

SIGTERM: readiness is withdrawn, then the port closes, requests in flight finish, waiting decisions commit, the relay gives its
lease back, consumers finish the batch in hand. Relay and consumers that fail are started again: their trouble never ends an API.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from fastapi import APIRouter, FastAPI

from chassis import clock, fail_points, logs, telemetry
from chassis.access.callers import ApiKeys, Authenticator, NoApiKeys
from chassis.access.oidc import OidcTokens
from chassis.consuming import dead_letters, operator_log
from chassis.consuming.consumer import Consumer
from chassis.database import counts
from chassis.database.counts import SharedCounts
from chassis.database.failures import PyMongoError
from chassis.database.mongo import Mongo, connect
from chassis.http.app import create_app, create_internal_app
from chassis.http.server import Server, server
from chassis.operations import api as operations_api
from chassis.operations.use_cases import Operations
from chassis.process.supervision import Worker, forever, quietly, supervised
from chassis.publishing import kafka
from chassis.publishing.hints import Hints, ensure_hints
from chassis.publishing.relay import Relay
from chassis.settings import Settings
from chassis.writing import decision
from chassis.writing.group_commit import GroupCommit

log = logs.get(__name__)
Role = Literal["all", "api", "relay", "consumer"]
ROLES: tuple[Role, ...] = ("all", "api", "relay", "consumer")
S = TypeVar("S", bound=Settings)
_STOP_SECONDS = 25.0
_COMMIT_SECONDS = 5.0  # for commits without an answer, once we are stopping: who waits for them must hear so before we are killed


class Core:
    """What every service is built on: its database, its write door and its relay."""

    def __init__(self, name: str, settings: Settings) -> None:
        self.name = name
        self.settings = settings
        self.mongo: Mongo = connect(settings, name)
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{clock.new_id('own')}"
        self.relay = Relay(self.mongo, settings, name, self.owner)
        self.hints = Hints(self.mongo, self.relay)
        self.group_commit = GroupCommit(
            self.mongo,
            batch_limit=settings.commit_batch_limit,
            deadline_seconds=settings.commit_deadline_seconds,
            committed=self.hints.saved,
        )


@dataclass(slots=True)
class Service:
    """The wiring of one service: its core and the literal tables of its rooms."""

    core: Core
    about: str  # what it is for
    topics: tuple[str, ...]
    routers: list[APIRouter]
    tags: dict[str, str] = field(default_factory=dict)  # groups of its operations, and what each is about
    provides: list[object] = field(default_factory=list)  # what handlers ask for with chassis.http.provided
    ensure_indexes: Callable[[Mongo], Awaitable[None]] | None = None
    consumers: list[Consumer] = field(default_factory=list)
    workers: dict[str, Worker] = field(default_factory=dict)
    api_keys: ApiKeys = field(default_factory=NoApiKeys)

    def public_app(self) -> FastAPI:
        """The app of the public port."""
        settings = self.core.settings
        authenticator = Authenticator(settings, OidcTokens(settings), self.api_keys, SharedCounts(self.core.mongo))
        return create_app(
            f"Jakpreneur {self.core.name}",
            settings,
            [*self.routers, operations_api.routes()],
            authenticator,
            [*self.provides, Operations(self.core.mongo, settings)],
            about=self.about,
            tags={**self.tags, **operations_api.TAGS},
        )


class Process:
    """One running process of a service."""

    def __init__(self, service: Service, role: Role) -> None:
        self._service = service
        self._core = service.core
        self._role = role
        # Now, so that settings that can't work end the process before it waits for anything.
        self._app = service.public_app() if self._has("api") else None
        self._prepared = False
        self._stop = asyncio.Event()
        self._draining = False
        self._failure: BaseException | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def _has(self, part: str) -> bool:
        return self._role in ("all", part)

    async def run(self) -> int:
        """Run until SIGTERM or SIGINT (0), or until a part fails (1)."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        settings = self._core.settings
        internal = server(create_internal_app(self._check), settings, settings.internal_port)
        self._start("internal", internal.serve())
        preparing = asyncio.create_task(self._prepare())
        stopping = asyncio.create_task(self._stop.wait())
        await asyncio.wait({preparing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        public: Server | None = None
        if preparing.done() and preparing.exception() is None and not self._stop.is_set():
            public = self._start_parts()
            log.info("started", role=self._role, port=settings.port, internal_port=settings.internal_port)
            await stopping
        elif preparing.done() and preparing.exception() is not None:
            self._failure = preparing.exception()
            log.critical("prepare_failed", exc_info=self._failure)
        preparing.cancel()
        stopping.cancel()
        try:
            await asyncio.wait_for(self._shut_down(public, internal), _STOP_SECONDS + self._core.settings.drain_seconds)
        except TimeoutError:
            log.error("stop_timed_out")
            return 1
        return 1 if self._failure else 0

    def _start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        if task.cancelled() or task.exception() is None:
            return
        log.critical("part_failed", part=task.get_name(), exc_info=task.exception())
        self._failure = task.exception()
        self._stop.set()

    async def _prepare(self) -> None:
        """Indexes must exist before the first write; wait for MongoDB as long as it takes."""
        mongo = self._core.mongo
        while True:
            try:
                await dead_letters.ensure_indexes(mongo)
                await operator_log.ensure_indexes(mongo)
                await ensure_hints(mongo)
                await counts.ensure_indexes(mongo)
                await mongo[decision.IDEMPOTENCY].create_index("expires_at", expireAfterSeconds=0)
                if self._service.ensure_indexes is not None:
                    await self._service.ensure_indexes(mongo)
            except PyMongoError as error:
                log.warning("database_not_ready", error=logs.name_of(error))
                await asyncio.sleep(1.0)
            else:
                self._prepared = True
                return

    def _start_parts(self) -> Server | None:
        core, service = self._core, self._service
        core.group_commit.start()
        self._start("hints-give", supervised("hints-give", core.hints.give))
        if self._has("relay"):
            self._start("topics", supervised("topics", self._ensure_topics))
            self._start("relay", supervised("relay", core.relay.run))
            self._start("hints-follow", supervised("hints-follow", core.hints.follow))
        if self._has("consumer"):
            for consumer in service.consumers:
                self._start(f"consumer-{consumer.name}", supervised(f"consumer-{consumer.name}", consumer.run))
            for name, worker in service.workers.items():
                self._start(name, forever(worker))
        if self._app is None:
            return None
        public = server(self._app, core.settings, core.settings.port)
        self._start("public", public.serve())
        return public

    async def _ensure_topics(self) -> None:
        while True:
            try:
                await kafka.ensure_topics(self._core.settings, self._service.topics)
            except (kafka.KafkaError, TimeoutError) as error:
                log.warning("kafka_not_ready", error=type(error).__name__)
                await asyncio.sleep(1.0)
            else:
                return

    async def _shut_down(self, public: Server | None, internal: Server) -> None:
        by_name = {task.get_name(): task for task in self._tasks}
        if public is not None:
            # Readiness first, the port later: whoever asks for readiness sends nothing new meanwhile.
            self._draining = True
            public.draining()
            log.info("draining", seconds=self._core.settings.drain_seconds)
            await asyncio.sleep(self._core.settings.drain_seconds)
        log.info("stopping")
        self._core.mongo.hurry(_COMMIT_SECONDS)
        if public is not None:
            public.should_exit = True
            await quietly(by_name["public"])
        # Workers submit decisions: they end before the write door closes.
        for name, task in by_name.items():
            if name in self._service.workers or name in ("hints-follow", "topics"):
                task.cancel()
                await quietly(task)
        if self._prepared:
            await self._core.group_commit.stop()
        if "hints-give" in by_name:
            by_name["hints-give"].cancel()
        await self._core.relay.stop()
        for consumer in self._service.consumers:
            await consumer.stop()
        await asyncio.gather(*(quietly(task) for name, task in by_name.items() if name != "internal"))
        internal.should_exit = True
        await quietly(by_name["internal"])
        telemetry.shut_down_tracing()
        await self._core.mongo.close()

    async def _check(self) -> dict[str, str]:
        parts = {"indexes": "up" if self._prepared else "down"}
        if self._draining:
            parts["port"] = "down"
        try:
            await asyncio.wait_for(self._core.mongo.ping(), 2.0)
            parts["mongodb"] = "up"
        except (PyMongoError, TimeoutError):
            parts["mongodb"] = "down"
        if self._has("consumer"):
            # Degraded, not down: while Kafka is away the API goes on, and a restart would cure nothing.
            for consumer in self._service.consumers:
                parts[f"consumer:{consumer.name}"] = "up" if consumer.healthy else "degraded"
        return parts


def role_of(arguments: list[str]) -> Role:
    """The `--role` of a command line; ends the process with a usage message for anything else."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", choices=ROLES, default="all", help="which part of the service to run")
    role: Role = parser.parse_args(arguments).role
    return role


def run(build: Callable[[S], Service], settings: S, name: str, role: Role) -> int:
    """Configure the process, build the service inside the loop and run it; returns the exit code."""
    logs.configure(settings, name)
    telemetry.configure_tracing(settings, name)
    fail_points.configure(settings)

    async def main() -> int:
        return await Process(build(settings), role).run()

    import uvloop

    _calm_garbage_collection()
    return uvloop.run(main())


def _calm_garbage_collection() -> None:
    """Look for cycles only after half a million more objects: two batches have fewer, and looking cost a third of their time.

    Requests make no cycles (40,000 led to no search at all): see GroupCommit.submit, where refusals would.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(500_000, 20, 50)
