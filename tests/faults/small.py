"""The platform in one process and step by step, on a real MongoDB and Kafka: so that a test forces the interleaving it means.

small.register(3); small.relay("registration"); small.consume("metrics"); small.check()
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TypeVar

from chassis import clock
from chassis.access.callers import Caller
from chassis.consuming.consumer import Consumer
from chassis.database.mongo import Mongo
from chassis.privacy import vault as privacy
from chassis.process.lifecycle import Core
from chassis.publishing import kafka
from chassis.publishing.relay import Relay
from chassis.settings import Settings
from chassis.writing.decision import Idempotency
from chassis.writing.group_commit import GroupCommit
from chassis.writing.outbox import OUTBOX
from deploy.local.stack import Stack
from services.metrics.main import build as build_metrics
from services.metrics.settings import MetricsSettings
from services.registration.people.models import RegistrationForm, Verification
from services.registration.people.store import PeopleStore
from services.registration.people.use_cases import PeopleUseCases
from services.training.actor import Actor
from services.training.completion.store import CompletionStore
from services.training.completion.use_cases import CompletionUseCases
from services.training.enrolments.store import EnrolmentStore
from services.training.enrolments.use_cases import EnrolmentUseCases
from services.training.main import build as build_training
from services.training.seats.store import SeatStore
from services.training.settings import TrainingSettings
from services.training.trainings.rules import CreateTraining, Session
from services.training.trainings.store import TrainingStore
from services.training.trainings.use_cases import TrainingUseCases
from tests.faults.checker import Verdict, check
from tests.faults.collect import ALL_TOPICS, SUBSCRIPTIONS, Planted, collect, end_offsets
from tests.faults.ledger import Act
from tests.harness.forms import registration
from tests.harness.settings import settings_of
from tests.harness.waiting import eventually_async

S = TypeVar("S", bound=Settings)
OFFICER = Caller("user:chaos", frozenset({"officer", "verifier"}))
ACTOR = Actor(id=OFFICER.id, staff=True)
CAUGHT_UP_SECONDS = 20.0


class Died(BaseException):
    """Stands for a SIGKILL in the middle of something: nothing may catch it."""


class Small:
    """Use as `async with Small.running(stack) as small`."""

    def __init__(self, stack: Stack) -> None:
        self.prefix = f"p{uuid.uuid4().hex[:10]}"
        self.acts: list[Act] = []
        self.people: list[str] = []
        self.planted: list[Planted] = []
        self._stack = stack
        self._forms = 0
        self._verified: set[str] = set()
        self.settings = self._settings(Settings)
        self._cores = {name: Core(name, self.settings) for name in ("registration", "training", "metrics")}
        mongo = self._cores["registration"].mongo
        doors = [self._cores["registration"].group_commit, self._door(mongo)]
        self._doors = [*doors, self._cores["training"].group_commit]
        self._replicas = [PeopleUseCases(door, PeopleStore(mongo), privacy.vault(self.settings)) for door in doors]
        settings = self._settings(TrainingSettings)
        rules, training = settings.rules(), self._cores["training"]
        store, write_door = TrainingStore(training.mongo), training.group_commit
        completion = CompletionUseCases(write_door, CompletionStore(training.mongo), rules, settings.settle_at_once)
        self._trainings = TrainingUseCases(write_door, store, rules, completion.begin_settling)
        self._enrolments = EnrolmentUseCases(
            write_door, EnrolmentStore(training.mongo), store, SeatStore(training.mongo), rules, settings.offers_swept_at_once
        )

    @classmethod
    @asynccontextmanager
    async def running(cls, stack: Stack) -> AsyncIterator[Small]:
        """Topics made, write doors open; closed and the databases dropped in the end."""
        small = cls(stack)
        await kafka.ensure_topics(small.settings, ALL_TOPICS)
        for door in small._doors:
            door.start()
        try:
            yield small
        finally:
            for door in small._doors:
                await door.stop()
            for core in small._cores.values():
                await core.mongo.client.drop_database(core.mongo.database.name)
                await core.mongo.close()

    def _door(self, mongo: Mongo) -> GroupCommit:
        return GroupCommit(
            mongo,
            batch_limit=self.settings.commit_batch_limit,
            deadline_seconds=self.settings.commit_deadline_seconds,
        )

    def _settings(self, kind: type[S]) -> S:
        return settings_of(
            self._stack.environment(),
            kind,
            mongodb_database_prefix=self.prefix,
            kafka_topic_prefix=f"{self.prefix}.",
            relay_poll_seconds=0.05,
            consumer_session_seconds=6.0,
        )

    def core(self, service: str) -> Core:
        """A service's database, write door and relay."""
        return self._cores[service]

    async def register(self, number: int, replica: int = 0) -> None:
        """That many more people, at one of registration's two replicas, each by a client that notes what it heard."""
        for _ in range(number):
            self._forms += 1
            form = RegistrationForm.model_validate_json(json.dumps(registration(self._forms)))
            act = Act(uuid.uuid4().hex, "register", {"nik": form.nik})
            act.reply = await self._replicas[replica].register_jakpreneur(form, OFFICER, _idempotency(act))
            self._acknowledge(act)
            self.people.append(act.reply["jakpreneur_id"])

    async def verify(self, replica: int = 0) -> None:
        """Everybody registered so far who isn't verified yet."""
        for person in [person for person in self.people if person not in self._verified]:
            act = Act(uuid.uuid4().hex, "verify", {"person": person, "decision": "verify"})
            verification, door = Verification(decision="verify"), self._replicas[replica]
            act.reply = await door.verify_jakpreneur(person, verification, OFFICER, None, _idempotency(act))
            self._acknowledge(act)
            self._verified.add(person)

    async def training(self, quota: int) -> str:
        """A published training of the office's own."""
        start = clock.now() + timedelta(days=5)
        command = CreateTraining(
            training_id=clock.new_id("trn"),
            actor=ACTOR,
            title="Pelatihan",
            description="",
            stage="P2",
            dinas=None,
            sessions=(Session(start, start + timedelta(hours=6), "Balai"),),
            quota=quota,
            registration_deadline=start - timedelta(hours=26),
            audience={},
        )
        await self._trainings.create_training(command, None)
        for to in ("submitted", "approved", "published"):
            await self._trainings.move_training(command.training_id, to, None, ACTOR, None, None)
        return command.training_id

    async def enrol(self, training: str) -> None:
        """Everybody registered so far, one after the other."""
        for person in self.people:
            act = Act(uuid.uuid4().hex, "enrol", {"training": training, "person": person})
            reply = await self._enrolments.enrol_people(training, {"jakpreneur_id": person}, ACTOR, _idempotency(act))
            act.reply = reply["enrolments"][0]
            self._acknowledge(act)

    def _acknowledge(self, act: Act) -> None:
        act.outcome, act.status = "ok", 201
        self.acts.append(act)

    @asynccontextmanager
    async def relaying(self, service: str) -> AsyncIterator[Relay]:
        """A relay at work."""
        core = self._cores[service]
        relay = Relay(core.mongo, self.settings, service, uuid.uuid4().hex)
        task = asyncio.create_task(relay.run())
        try:
            yield relay
        finally:
            await relay.stop()
            with contextlib.suppress(Died):
                await asyncio.wait_for(task, 20)

    async def relay(self, service: str) -> None:
        """Publish what is in the outbox."""
        async with self.relaying(service):
            await self.until_drained(service)

    async def until_drained(self, service: str) -> None:
        """Wait until a relay at work has emptied the outbox."""
        await eventually_async(lambda: self._drained(service), CAUGHT_UP_SECONDS, f"{service}'s outbox is empty")

    async def _drained(self, service: str) -> bool:
        count: int = await self._cores[service].mongo[OUTBOX].count_documents({})
        return count == 0

    def consumer(self, service: str) -> Consumer:
        """A new consumer of the service, as after a restart."""
        if service == "metrics":
            return build_metrics(self._settings(MetricsSettings)).consumers[0]
        return build_training(self._settings(TrainingSettings)).consumers[0]

    async def consume(self, service: str) -> None:
        """Until the stored positions are the ends of the partitions, or the consumer dies."""
        consumer = self.consumer(service)
        task = asyncio.create_task(consumer.run())
        try:
            await eventually_async(lambda: self._caught_up(consumer.name, service, task), CAUGHT_UP_SECONDS, "caught up")
        finally:
            await consumer.stop()
            with contextlib.suppress(Died):
                await asyncio.wait_for(task, 30)
            await consumer._mongo.close()

    async def _caught_up(self, name: str, service: str, task: asyncio.Task[None]) -> bool:
        if task.done():
            return True
        ends = await end_offsets(self.settings)
        stored = self._cores[service].mongo["positions"].find({"consumer": name})
        reached = {(doc["topic"].removeprefix(f"{self.prefix}."), doc["partition"]): doc["next_offset"] async for doc in stored}
        return reached == {place: end for place, end in ends.items() if place[0] in SUBSCRIPTIONS[name][1]}

    async def check(self, services: Sequence[str]) -> Verdict:
        """The ledger check over these services."""
        collected = await collect(self.settings, self.acts, planted=self.planted, caller=OFFICER.id, services=services)
        return check(collected)


def _idempotency(act: Act) -> Idempotency:
    return Idempotency(f"{OFFICER.id}:{act.key}", act.key)
