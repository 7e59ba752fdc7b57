"""`python -m deploy.access`: make or renew the services' users, once their servers are up.

Environment: ACCESS_MONGODB_URL (root's), ACCESS_KAFKA_BOOTSTRAP_SERVERS, ACCESS_KAFKA_USERNAME and ACCESS_KAFKA_PASSWORD (a
super user's), and for each service <SERVICE>_MONGODB_PASSWORD and <SERVICE>_KAFKA_PASSWORD. JAKPRENEUR_MONGODB_DATABASE_PREFIX
and JAKPRENEUR_KAFKA_TOPIC_PREFIX as the services have them.
"""

from __future__ import annotations

import os
from typing import Any

from confluent_kafka.admin import AdminClient
from pymongo import MongoClient

from deploy.access import kafka, mongodb
from deploy.access.grants import SERVICES


def main() -> None:
    """Grant, and say so."""
    prefix = os.environ.get("JAKPRENEUR_MONGODB_DATABASE_PREFIX") or "jakpreneur"
    topic_prefix = os.environ.get("JAKPRENEUR_KAFKA_TOPIC_PREFIX", "")
    with MongoClient[dict[str, Any]](os.environ["ACCESS_MONGODB_URL"]) as client:
        mongodb.grant(client, prefix, _passwords("MONGODB"))
    kafka.grant(AdminClient(_login()), prefix, topic_prefix, _passwords("KAFKA"))
    print("services have their users")


def _passwords(server: str) -> dict[str, str]:
    return {service: os.environ[f"{service.upper()}_{server}_PASSWORD"] for service in SERVICES}


def _login() -> dict[str, str | int | float | bool]:
    return {
        "bootstrap.servers": os.environ["ACCESS_KAFKA_BOOTSTRAP_SERVERS"],
        "security.protocol": os.environ.get("ACCESS_KAFKA_PROTOCOL", "SASL_PLAINTEXT"),
        "sasl.mechanism": kafka.MECHANISM,
        "sasl.username": os.environ["ACCESS_KAFKA_USERNAME"],
        "sasl.password": os.environ["ACCESS_KAFKA_PASSWORD"],
    }


if __name__ == "__main__":
    main()
