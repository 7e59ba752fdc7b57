"""Topics as a service makes them."""

from __future__ import annotations

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import InvalidReplicationFactorError

from chassis.publishing import kafka
from tests.conftest import SettingsFactory

TOPIC = "test.topics.v1"


async def test_a_topic_that_kafka_refuses_is_not_taken_for_made(settings: SettingsFactory) -> None:
    """Three copies were asked for while one broker is there: it is said, tried again by the caller, and made when it can be."""
    with pytest.raises(InvalidReplicationFactorError):
        await kafka.ensure_topics(settings(kafka_replication=3), [TOPIC])
    for _ in range(2):  # the second finds it there
        await kafka.ensure_topics(settings(), [TOPIC])


async def test_events_are_kept_for_ever(settings: SettingsFactory) -> None:
    """Whatever the cluster's defaults are: a consumer that begins next year reads from the first event."""
    own = settings()
    await kafka.ensure_topics(own, [TOPIC])
    admin = AIOKafkaAdminClient(**kafka.connection(own))
    await admin.start()
    try:
        [reply] = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, own.kafka_topic_prefix + TOPIC)])
    finally:
        await admin.close()
    [(_, _, _, _, entries)] = reply.resources
    found = {entry[0]: entry[1] for entry in entries}
    assert (found["retention.ms"], found["min.insync.replicas"]) == ("-1", "1")
