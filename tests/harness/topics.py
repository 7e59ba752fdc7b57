"""Looking into topics: what was really sent, in the order of each partition."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from confluent_kafka.admin import AdminClient

from chassis.settings import Settings
from deploy.access.kafka import MECHANISM

_READ_SECONDS = 20.0


async def read_all(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """Every message that a topic (without the settings' prefix) holds now, each partition in order."""
    reader = AIOKafkaConsumer(
        bootstrap_servers=settings.kafka_bootstrap_servers,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        **_login(settings),
    )
    name = settings.kafka_topic_prefix + topic
    found: list[ConsumerRecord] = []
    async with asyncio.timeout(_READ_SECONDS):
        await reader.start()
        try:
            numbers = reader.partitions_for_topic(name) or await _look(reader, name)
            partitions = [TopicPartition(name, number) for number in sorted(numbers)]
            reader.assign(partitions)
            ends = await reader.end_offsets(partitions)
            await reader.seek_to_beginning(*partitions)
            for partition, end in ends.items():
                while await reader.position(partition) < end:
                    for records in (await reader.getmany(partition, timeout_ms=200)).values():
                        found += records
        finally:
            await reader.stop()
    return found


async def ids_by_subject(settings: Settings, topic: str) -> dict[str, list[int]]:
    """The sequences of each subject in the order sent, repeated ones included."""
    sequences: dict[str, list[int]] = {}
    for record in await read_all(settings, topic):
        headers = dict(record.headers)
        sequences.setdefault(headers["ce_subject"].decode(), []).append(int(headers["ce_sequence"]))
    return sequences


async def _look(reader: AIOKafkaConsumer, topic: str) -> set[int]:
    await reader._client.force_metadata_update()
    metadata = await reader._client.fetch_all_metadata()
    return set(metadata.partitions_for_topic(topic) or ())


def _login(settings: Settings) -> dict[str, object]:
    if settings.kafka_username is None or settings.kafka_password is None:
        return {}
    return {
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": MECHANISM,
        "sasl_plain_username": settings.kafka_username,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }


def admin(settings: Settings) -> AdminClient:
    """The admin API, for what aiokafka's own lacks (deleting records, for one)."""
    password = settings.kafka_password.get_secret_value() if settings.kafka_password else ""
    return AdminClient(
        {
            "bootstrap.servers": settings.kafka_bootstrap_servers,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": MECHANISM,
            "sasl.username": settings.kafka_username or "",
            "sasl.password": password,
            "log_level": 0,
        }
    )
