"""From the settings of the servers' own administrator to those of a service: for the local platform and for tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from confluent_kafka.admin import AdminClient
from pymongo import MongoClient

from deploy.access import kafka, mongodb
from deploy.access.grants import user_of

_URL, _USER, _PASSWORD = "JAKPRENEUR_MONGODB_URL", "JAKPRENEUR_KAFKA_USERNAME", "JAKPRENEUR_KAFKA_PASSWORD"


def grant_in_mongodb(administrator: Mapping[str, str], prefix: str, passwords: Mapping[str, str]) -> None:
    """Make the services' users. Raises PyMongoError."""
    with MongoClient[dict[str, Any]](administrator[_URL]) as client:
        mongodb.grant(client, prefix, passwords)


def grant_in_kafka(administrator: Mapping[str, str], prefix: str, topic_prefix: str, passwords: Mapping[str, str]) -> None:
    """Make the services' users. Raises KafkaException."""
    login: dict[str, str | int | float | bool] = {
        "bootstrap.servers": administrator["JAKPRENEUR_KAFKA_BOOTSTRAP_SERVERS"],
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": kafka.MECHANISM,
        "sasl.username": administrator[_USER],
        "sasl.password": administrator[_PASSWORD],
        "log_level": 0,
    }
    kafka.grant(AdminClient(login), prefix, topic_prefix, passwords)


def mongodb_of(administrator: Mapping[str, str], service: str, prefix: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """The settings with which a service logs in to MongoDB."""
    scheme, _, rest = administrator[_URL].partition("://")
    servers = rest.rpartition("@")[2]
    return {_URL: f"{scheme}://{user_of(service, prefix)}:{quote(passwords[service], safe='')}@{servers}"}


def kafka_of(service: str, prefix: str, passwords: Mapping[str, str]) -> dict[str, str]:
    """The settings with which a service logs in to Kafka."""
    return {_USER: user_of(service, prefix), _PASSWORD: passwords[service]}
