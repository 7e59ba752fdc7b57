"""Events of an invented service, to test the chassis without any business word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import ClassVar

from aiokafka import AIOKafkaProducer
from pydantic import Field

from chassis.errors import Conflict
from chassis.publishing import kafka
from chassis.settings import Settings
from chassis.writing.decision import Decision, Documents, Idempotency, Outcome, Write
from contracts.envelope import TYPE_PREFIX, Headers, Payload, to_headers

COUNTERS = "counters"
TOPIC = "test.counters.v1"
TIME = datetime(2021, 2, 1, 2, 30, tzinfo=UTC)


class Counted(Payload):
    """A counter was counted up."""

    TYPE = f"{TYPE_PREFIX}test.counter.counted.v1"
    TOPIC = TOPIC
    SAMPLE: ClassVar[dict[str, object]] = {"value": 1}

    value: int = Field(ge=0, description="Its value now")


class Echoed(Payload):
    """Somebody heard that a counter was counted up."""

    TYPE = f"{TYPE_PREFIX}test.echo.echoed.v1"
    TOPIC = "test.echoes.v1"
    SAMPLE: ClassVar[dict[str, object]] = {"value": 1}

    value: int = Field(ge=0, description="The value heard of")


def count_up(counter: str, *, events: int = 1, idempotency: Idempotency | None = None) -> Decision:
    """The decision to count a counter up by one; replies with its value."""

    def decide(documents: Documents, now: datetime) -> Outcome:
        before = documents.get(COUNTERS, counter) or {"_id": counter, "value": 0}
        value = before["value"] + 1
        told = tuple(Counted(value=value) for _ in range(events))
        return Outcome({"value": value}, (Write(COUNTERS, {**before, "value": value}, told),))

    return Decision(decide, [(COUNTERS, counter)], idempotency)


def claim(seat: str, person: str) -> Decision:
    """The decision to take a seat that only one person can have; raises Conflict for everybody after the first."""

    def decide(documents: Documents, now: datetime) -> Outcome:
        if documents.get("seats", seat) is not None:
            raise Conflict("taken", "Sudah diambil.", "Taken.")
        return Outcome({"person": person}, (Write("seats", {"_id": seat, "person": person}, (Counted(value=1),)),))

    return Decision(decide, [("seats", seat)])


def headers_of(subject: str, sequence: int, type_name: str = Counted.TYPE, source: str = "/services/test") -> Headers:
    """The headers of one event."""
    return to_headers(type_name=type_name, source=source, subject=subject, sequence=sequence, time=TIME, traceparent=None)


class Sender:
    """Puts messages on this test's topics as a relay would, or as a relay never would."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer = kafka.producer(settings, "sender")

    async def __aenter__(self) -> Sender:
        await kafka.ensure_topics(self._settings, [TOPIC])
        await self._producer.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._producer.stop()

    async def count(self, subject: str, sequence: int, *, partition: int | None = None, value: bytes | None = None) -> None:
        """Send one event, its value well formed unless given."""
        body = Counted(value=sequence).model_dump_json().encode() if value is None else value
        await self.raw(subject, headers_of(subject, sequence), body, partition=partition)

    async def raw(self, key: str | None, headers: Headers, value: bytes | None, *, partition: int | None = None) -> None:
        """Send any message."""
        await self._producer.send_and_wait(
            self._settings.kafka_topic_prefix + TOPIC,
            value,
            key=key.encode() if key is not None else None,
            headers=headers,
            partition=partition,
        )

    async def count_all(self, subjects: int, each: int) -> None:
        """Events 1..each of subjects s0, s1, …, one round after the other."""
        for sequence in range(1, each + 1):
            for number in range(subjects):
                subject = f"s{number}"
                await self._producer.send(
                    self._settings.kafka_topic_prefix + TOPIC,
                    Counted(value=sequence).model_dump_json().encode(),
                    key=subject.encode(),
                    headers=headers_of(subject, sequence),
                )
        await self._producer.flush()
