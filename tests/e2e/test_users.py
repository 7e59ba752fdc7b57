"""What the services' users can't do: one that was taken over reaches no further than itself, and can't rewrite the past."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer
from confluent_kafka.admin import AdminClient
from pymongo import MongoClient
from pymongo.errors import OperationFailure

from contracts.catalogue import TOPICS
from deploy.access.environment import kafka_of, mongodb_of
from deploy.access.grants import APPENDED, CHANGED, SERVICES
from deploy.access.kafka import MECHANISM
from deploy.local.kafka_broker import PARTNERS_MECHANISM
from deploy.local.layout import ROOT
from deploy.local.stack import Stack
from tests.e2e.conftest import Databases, World

UNAUTHORIZED = 13
DatabaseOf = Callable[[str, str], Any]


@pytest.fixture
def database_of(world: World) -> Iterator[DatabaseOf]:
    """`database_of("metrics", "training")`: with metrics' login, training's database."""
    platform, clients = world.platform, list[MongoClient[dict[str, Any]]]()

    def opened(service: str, whose: str) -> Any:
        url = mongodb_of(platform.environment, service, platform.prefix, platform.passwords)["JAKPRENEUR_MONGODB_URL"]
        clients.append(MongoClient(url))
        return clients[-1][f"{platform.prefix}_{whose}"]

    yield opened
    for client in clients:
        client.close()


def refused(call: Any) -> bool:
    """Whether MongoDB forbids it."""
    try:
        call()
    except OperationFailure as failure:
        return failure.code == UNAUTHORIZED
    return False


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_sees_its_own_database(database_of: DatabaseOf, service: str) -> None:
    """And nothing of another's, nor of the server."""
    own = database_of(service, service)
    own["leases"].find_one()
    for other in {*SERVICES, "elsewhere"} - {service}:
        theirs = database_of(service, other)
        assert refused(lambda theirs=theirs: theirs["leases"].find_one())
        assert refused(lambda theirs=theirs: theirs["leases"].insert_one({}))
    assert own.client.list_database_names() == [own.name]
    admin = own.client.admin
    for command in ("serverStatus", "usersInfo", "replSetGetConfig", "shutdown"):
        assert refused(lambda command=command: admin.command(command)), command
    assert refused(lambda: own.command("dropDatabase"))
    assert refused(lambda: own.command("createUser", "intruder", pwd="x", roles=["readWrite"]))
    assert refused(own["leases"].drop)


@pytest.mark.parametrize(("service", "collection"), [(name, one) for name in SERVICES for one in APPENDED[name]])
def test_logs_are_only_added_to(database_of: DatabaseOf, databases: Databases, service: str, collection: str) -> None:
    """Who did what can't be altered or taken back with the service's own login."""
    log = database_of(service, service)[collection]
    log.insert_one({"_id": "probe"})
    assert log.find_one({"_id": "probe"}) is not None
    assert refused(lambda: log.update_one({"_id": "probe"}, {"$set": {"by": "nobody"}}))
    assert refused(lambda: log.replace_one({"_id": "probe"}, {}))
    assert refused(lambda: log.delete_one({"_id": "probe"}))
    assert refused(log.drop)
    assert refused(lambda: log.rename("elsewhere"))
    databases(service)[collection].delete_one({"_id": "probe"})


@pytest.mark.parametrize("service", SERVICES)
def test_every_collection_has_its_grant(databases: Databases, service: str) -> None:
    """A new collection comes: it is listed as one that is changed or as one that is only added to."""
    found = {name for name in databases(service).list_collection_names() if not name.startswith("system.")}
    assert found <= {*CHANGED[service], *APPENDED[service]}


def test_by_the_command_of_a_deployment(stack: Stack) -> None:
    """`python -m deploy.access`, twice, as in compose: the users are there, with the passwords of the second time."""
    prefix = f"t{secrets.token_hex(5)}"
    administrator = stack.environment()
    passwords = {service: secrets.token_urlsafe(12) for service in SERVICES}
    for _ in range(2):
        passwords["metrics"] += "x"
        given = {
            f"{service.upper()}_{server}_PASSWORD": passwords[service] for service in SERVICES for server in ("MONGODB", "KAFKA")
        }
        env = given | {
            "ACCESS_MONGODB_URL": administrator["JAKPRENEUR_MONGODB_URL"],
            "ACCESS_KAFKA_BOOTSTRAP_SERVERS": administrator["JAKPRENEUR_KAFKA_BOOTSTRAP_SERVERS"],
            "ACCESS_KAFKA_USERNAME": administrator["JAKPRENEUR_KAFKA_USERNAME"],
            "ACCESS_KAFKA_PASSWORD": administrator["JAKPRENEUR_KAFKA_PASSWORD"],
            "JAKPRENEUR_MONGODB_DATABASE_PREFIX": prefix,
            "JAKPRENEUR_KAFKA_TOPIC_PREFIX": f"{prefix}.",
        }
        command = [sys.executable, "-m", "deploy.access"]
        done = subprocess.run(command, cwd=ROOT, env={**os.environ, **env}, check=True, capture_output=True, text=True)
        assert done.stdout == "services have their users\n"
        assert not any(password in done.stdout + done.stderr for password in passwords.values())
    url = mongodb_of(administrator, "metrics", prefix, passwords)["JAKPRENEUR_MONGODB_URL"]
    with MongoClient[dict[str, Any]](url) as client:
        assert client[f"{prefix}_metrics"]["leases"].find_one() is None


def login(world: World, service: str, port: int, mechanism: str) -> dict[str, Any]:
    """How a client logs in to Kafka as a service."""
    known = kafka_of(service, world.platform.prefix, world.platform.passwords)
    return {
        "bootstrap.servers": f"127.0.0.1:{port}",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": mechanism,
        "sasl.username": known["JAKPRENEUR_KAFKA_USERNAME"],
        "sasl.password": known["JAKPRENEUR_KAFKA_PASSWORD"],
        "log_level": 0,
    }


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_publishes_its_own_topics(world: World, stack: Stack, service: str) -> None:
    """It can't speak for another, whatever it may read."""
    settings = login(world, service, stack.ports.kafka_services, MECHANISM)
    visible = set(AdminClient(settings).list_topics(timeout=10).topics)
    own = {f"{world.platform.prefix}.{topic}" for topic in TOPICS[service]}
    assert own <= visible
    outcomes: list[str] = []

    def note(error: KafkaError | None, _message: object) -> None:
        outcomes.append(error.name() if error else "delivered")

    producer = Producer({**settings, "message.timeout.ms": 5000})
    foreign = [topic for other, topics in TOPICS.items() if other != service for topic in topics]
    for topic in foreign:
        producer.produce(f"{world.platform.prefix}.{topic}", b"{}", on_delivery=note)
    producer.flush(20)
    assert outcomes == ["TOPIC_AUTHORIZATION_FAILED"] * len(foreign)


@pytest.mark.parametrize("mechanism", [MECHANISM, PARTNERS_MECHANISM])
def test_no_service_comes_in_by_the_partners_door(world: World, stack: Stack, mechanism: str) -> None:
    """Nor the administrator: a partner who guesses our names has no password to guess at."""
    port = stack.ports.kafka_partners
    for service in SERVICES:
        with pytest.raises(KafkaException):
            AdminClient(login(world, service, port, mechanism)).list_topics(timeout=3)
    settings = {
        **login(world, "metrics", port, mechanism),
        "sasl.username": world.platform.environment["JAKPRENEUR_KAFKA_USERNAME"],
        "sasl.password": world.platform.environment["JAKPRENEUR_KAFKA_PASSWORD"],
    }
    with pytest.raises(KafkaException):
        AdminClient(settings).list_topics(timeout=3)
