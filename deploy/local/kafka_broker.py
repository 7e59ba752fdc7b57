"""Apache Kafka for the local stack: one process that is broker and controller (KRaft). Tests of failures make three of them.

Two ways in: SERVICES for our own processes, with SCRAM-SHA-256, and PARTNERS for institutions, with SCRAM-SHA-512. A user has
a credential for one of them only, and may do what an ACL grants (deploy/access). The administrator and the broker may do all, and
come in by SERVICES.
"""

from __future__ import annotations

import base64
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from deploy.access.kafka import MECHANISM
from deploy.local import layout
from deploy.local.credentials import Secrets, write_private
from deploy.local.ports import Ports, accepts
from deploy.local.processes import ServerError
from deploy.local.sizing import DEFAULT, Sizing

USER = "administrator"
BROKER_USER = "broker"
PARTNERS_MECHANISM = "SCRAM-SHA-512"

JVM_FLAGS = [
    "-XX:+UseSerialGC",  # two cores, a small heap: starts faster than G1 and pauses no longer
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
]
SHORT_LIVED_FLAGS = ["-XX:TieredStopAtLevel=1", "-XX:+UnlockDiagnosticVMOptions", "-XX:-BytecodeVerificationRemote"]


@dataclass(frozen=True)
class Node:
    """One broker, which is a controller too: where it keeps its things, and where it listens."""

    number: int
    home: Path
    services: int
    partners: int
    controller: int
    detour: tuple[int, int] | None = None
    """A third way in, for services whose traffic a test looks into: the broker's port, and that of the proxy before it."""

    @property
    def voter(self) -> str:
        """As its fellow controllers know it."""
        return f"{self.number}@127.0.0.1:{self.controller}"


def only_node(directory: Path, ports: Ports) -> Node:
    """The local stack's one broker."""
    return Node(1, directory / "kafka", ports.kafka_services, ports.kafka_partners, ports.kafka_controller)


def kafka_bootstrap_servers(ports: Ports) -> str:
    """Where services find the local Kafka."""
    return f"127.0.0.1:{ports.kafka_services}"


def prepare_kafka(directory: Path, ports: Ports, secrets: Secrets, sizing: Sizing = DEFAULT) -> list[str]:
    """Writes what the local stack's broker needs, and returns its command."""
    node = only_node(directory, ports)
    return prepare_node(node, [node], secrets, sizing)


def prepare_node(
    node: Node, nodes: Sequence[Node], secrets: Secrets, sizing: Sizing = DEFAULT, *, cluster: str | None = None
) -> list[str]:
    """Writes the configuration, formats the storage the first time, and returns the command to run.

    `cluster` is the id that all nodes of a cluster must share.
    """
    node.home.mkdir(parents=True, exist_ok=True)
    properties = node.home / "server.properties"
    write_private(properties, "".join(f"{name}={value}\n" for name, value in settings(node, nodes, secrets).items()))
    if not (node.home / "data" / "meta.properties").exists():
        format_storage(properties, secrets, cluster or new_cluster())
    return node_argv(node.home, sizing)


def kafka_argv(directory: Path, sizing: Sizing = DEFAULT) -> list[str]:
    """The command that runs the local stack's prepared broker."""
    return node_argv(directory / "kafka", sizing)


def node_argv(home: Path, sizing: Sizing = DEFAULT) -> list[str]:
    """The command that runs a prepared broker in the foreground."""
    heap = f"{sizing.kafka_heap_mb}m"
    java = java_command(f"-Xms{heap}", f"-Xmx{heap}", *JVM_FLAGS, *(SHORT_LIVED_FLAGS if sizing.short_lived else ()))
    return [*java, "kafka.Kafka", str(home / "server.properties")]


def settings(node: Node, nodes: Sequence[Node], secrets: Secrets) -> dict[str, str]:
    """The `server.properties` of one broker of a cluster of these nodes."""
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required"
    plain = "org.apache.kafka.common.security.plain.PlainLoginModule required"
    broker = f'username="{BROKER_USER}" password="{secrets.kafka_broker_password}"'
    listeners = advertised = f"SERVICES://127.0.0.1:{node.services},PARTNERS://127.0.0.1:{node.partners}"
    protocols = "SERVICES:SASL_PLAINTEXT,PARTNERS:SASL_PLAINTEXT,CONTROLLER:SASL_PLAINTEXT"
    detour = {}
    if node.detour is not None:
        behind, before = node.detour
        listeners += f",DETOUR://127.0.0.1:{behind}"
        advertised += f",DETOUR://127.0.0.1:{before}"
        protocols += ",DETOUR:SASL_PLAINTEXT"
        detour = {
            "listener.name.detour.sasl.enabled.mechanisms": MECHANISM,
            "listener.name.detour.scram-sha-256.sasl.jaas.config": f"{scram};",
        }
    copies = min(3, len(nodes))
    in_sync = max(1, copies - 1)
    return {
        "process.roles": "broker,controller",
        "node.id": str(node.number),
        # Static voters: unlike a quorum that is stored, it follows a change of port.
        "controller.quorum.voters": ",".join(each.voter for each in nodes),
        "controller.listener.names": "CONTROLLER",
        "listeners": f"{listeners},CONTROLLER://127.0.0.1:{node.controller}",
        "advertised.listeners": advertised,
        "inter.broker.listener.name": "SERVICES",
        "listener.security.protocol.map": protocols,
        "log.dirs": str(node.home / "data"),
        # Who may come in. The controller can't use SCRAM, whose users are in the log that it has yet to
        # read; an open listener would make everybody on this machine a super user.
        "listener.name.services.sasl.enabled.mechanisms": MECHANISM,
        "listener.name.partners.sasl.enabled.mechanisms": PARTNERS_MECHANISM,
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        "sasl.mechanism.controller.protocol": "PLAIN",
        "listener.name.services.scram-sha-256.sasl.jaas.config": f"{scram} {broker};",
        "listener.name.partners.scram-sha-512.sasl.jaas.config": f"{scram};",
        **detour,
        "listener.name.controller.sasl.enabled.mechanisms": "PLAIN",
        "listener.name.controller.plain.sasl.jaas.config": (
            f'{plain} {broker} user_{BROKER_USER}="{secrets.kafka_broker_password}";'
        ),
        # What they may do: nothing, unless an ACL says so.
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": f"User:{USER};User:{BROKER_USER}",
        "allow.everyone.if.no.acl.found": "false",
        "auto.create.topics.enable": "false",
        "num.partitions": "6",
        "default.replication.factor": str(copies),
        "min.insync.replicas": str(in_sync),
        "offsets.topic.replication.factor": str(copies),
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": str(copies),
        "transaction.state.log.min.isr": str(in_sync),
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": str(copies),
        "share.coordinator.state.topic.min.isr": str(in_sync),
        "group.initial.rebalance.delay.ms": "0",
        # Events are never thrown away: what services know can be rebuilt from them.
        "log.retention.ms": "-1",
        "log.retention.bytes": "-1",
        "message.max.bytes": str(2 * 1024 * 1024),
        "replica.fetch.max.bytes": str(2 * 1024 * 1024),
        # Two index files of this size are set aside for every partition. They need 8 bytes for every
        # `index.interval.bytes` of a segment, so this is enough for segments of 128 MB.
        "log.segment.bytes": str(128 * 1024 * 1024),
        "log.index.size.max.bytes": str(512 * 1024),
        "metadata.log.segment.bytes": str(16 * 1024 * 1024),
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        # A registration of a session is forgotten soon, so that a killed broker comes back at once.
        "broker.session.timeout.ms": "3000",
        "broker.heartbeat.interval.ms": "500",
    }


def new_cluster() -> str:
    """A random cluster id."""
    return base64.urlsafe_b64encode(b"\x01" + uuid.uuid4().bytes[1:]).decode().rstrip("=")


def format_storage(properties: Path, secrets: Secrets, cluster: str) -> None:
    """Makes the empty log with its first users, who could not be made later: they let everybody else in."""
    command = [
        *java_command("-Xmx128m", "-XX:TieredStopAtLevel=1", *JVM_FLAGS),
        *("kafka.tools.StorageTool", "format", "--ignore-formatted"),
        *("--cluster-id", cluster, "--config", str(properties)),
    ]
    for user, password in ((USER, secrets.kafka_password), (BROKER_USER, secrets.kafka_broker_password)):
        command += ["--add-scram", f"{MECHANISM}=[name={user},password={password}]"]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        raise ServerError(f"Kafka's storage can't be formatted:\n{done.stderr}")


def java_command(*flags: str) -> list[str]:
    """Java with Kafka's class path and log settings."""
    return [
        layout.java(),
        *flags,
        f"-Dlog4j2.configurationFile={layout.KAFKA_LOGGING}",
        *("-cp", f"{layout.KAFKA_LIBS}/*"),
    ]


def kafka_is_ready(ports: Ports, secrets: Secrets) -> bool:
    """Whether services can log in and the broker answers for itself."""
    return brokers_known(ports.kafka_services, secrets) == {1}


def brokers_known(port: int, secrets: Secrets) -> set[int]:
    """The living brokers as the one at this port knows them; none if it can't be asked."""
    if not accepts(port):
        return set()  # asked first, since the client below is slow to give up
    admin = AdminClient(
        {
            "bootstrap.servers": f"127.0.0.1:{port}",
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": MECHANISM,
            "sasl.username": USER,
            "sasl.password": secrets.kafka_password,
            "log_level": 0,
        }
    )
    try:
        return set(admin.list_topics(timeout=2).brokers)
    except KafkaException:
        return set()
