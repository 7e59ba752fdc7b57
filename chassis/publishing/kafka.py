"""Kafka: producers, consumers and topics made from the settings. The only module that knows how to connect."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from chassis import logs
from chassis.settings import Settings

log = logs.get(__name__)
PARTITIONS = 6  # of a topic that is made here


def connection(settings: Settings) -> dict[str, Any]:
    """How any client connects."""
    authenticated = settings.kafka_username is not None
    protocol = {
        (False, False): "PLAINTEXT",
        (False, True): "SSL",
        (True, False): "SASL_PLAINTEXT",
        (True, True): "SASL_SSL",
    }[authenticated, settings.kafka_tls]
    options: dict[str, Any] = {"bootstrap_servers": settings.kafka_bootstrap_servers, "security_protocol": protocol}
    if settings.kafka_tls:
        options["ssl_context"] = ssl.create_default_context()
    if authenticated and settings.kafka_password is not None:
        options |= {
            "sasl_mechanism": settings.kafka_mechanism,
            "sasl_plain_username": settings.kafka_username,
            "sasl_plain_password": settings.kafka_password.get_secret_value(),
        }
    return options


def producer(settings: Settings, client_id: str, servers: str | None = None) -> AIOKafkaProducer:
    """Idempotent, acknowledged by all in-sync replicas. Not started yet; starts with these bootstrap servers, if given."""
    options = connection(settings)
    return AIOKafkaProducer(
        **{**options, "bootstrap_servers": servers or options["bootstrap_servers"]},
        client_id=client_id,
        enable_idempotence=True,
        acks="all",
        compression_type="lz4",
        linger_ms=2,
        max_batch_size=1024 * 1024,  # an event larger than this could never be sent; the brokers take 2 MB
        # Acknowledgements may be slow without being lost; a leader that is gone is noticed by leaders.py.
        request_timeout_ms=int(settings.relay_send_timeout_seconds * 1000),
    )


def consumer(settings: Settings, group: str, listener: Any, topics: Iterable[str]) -> AIOKafkaConsumer:
    """Group subscription for assignment only: offsets are never committed to Kafka. Not started yet.

    `auto_offset_reset` is none: a stored position that Kafka no longer has must stop the consumer, not move it in silence.
    """
    made = AIOKafkaConsumer(
        **connection(settings),
        client_id=group,
        group_id=settings.kafka_topic_prefix + group,
        enable_auto_commit=False,
        auto_offset_reset="none",
        session_timeout_ms=int(settings.consumer_session_seconds * 1000),
        heartbeat_interval_ms=max(500, int(settings.consumer_session_seconds * 1000) // 4),
        max_poll_interval_ms=300_000,
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=2 * 1024 * 1024,
        metadata_max_age_ms=5_000,
        request_timeout_ms=max(12_000, int(settings.consumer_session_seconds * 1000) + 2_000),
    )
    made.subscribe([settings.kafka_topic_prefix + topic for topic in topics], listener=listener)
    return made


def reader(settings: Settings) -> AIOKafkaConsumer:
    """For an operator's look at partitions: of no group, takes nobody's share. Not started yet."""
    return AIOKafkaConsumer(
        **connection(settings), client_id="operator", group_id=None, enable_auto_commit=False, request_timeout_ms=12_000
    )


async def ensure_topics(settings: Settings, topics: Iterable[str]) -> None:
    """Create the topics that a service publishes, unless they exist. Raises KafkaError while Kafka is down or refuses.

    Those that are made here keep events for ever and, from three replicas on, acknowledge none that only one holds. Topics
    that were there before keep their settings.
    """
    # LogAppendTime: Kafka refuses records whose own time is far ahead, so a replica's wrong clock would stop its publishing.
    configs = {
        "message.timestamp.type": "LogAppendTime",
        "retention.ms": "-1",
        "min.insync.replicas": str(max(1, settings.kafka_replication - 1)),
    }
    admin = AIOKafkaAdminClient(**connection(settings), client_id="ensure-topics")
    await asyncio.wait_for(admin.start(), 20)
    try:
        wanted = [settings.kafka_topic_prefix + topic for topic in topics]
        missing = sorted(set(wanted) - set(await admin.list_topics()))
        for topic in missing:
            reply = await admin.create_topics([NewTopic(topic, PARTITIONS, settings.kafka_replication, topic_configs=configs)])
            for _, code, *_ in reply.topic_errors:  # aiokafka raises nothing for these
                if code not in (0, TopicAlreadyExistsError.errno):
                    raise for_code(code)(topic)
            log.info("topic_created", topic=topic)
    finally:
        await admin.close()


__all__ = ["PARTITIONS", "KafkaError", "consumer", "ensure_topics", "producer", "reader"]
