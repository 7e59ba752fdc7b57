"""A cluster of servers for tests of failures: a replica set of three mongods and three Kafka brokers, each its own process.

    with Cluster.start(directory) as cluster:
        settings = cluster.environment()

Topics have three replicas and acknowledge with two; MongoDB elects within about two seconds. Brokers have a second listener whose
advertised address is for proxies to take (see kafka_proxy.py): `environment(detour=True)`. Start it in a thread that outlives it.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from deploy.local.credentials import Secrets
from deploy.local.kafka_broker import USER as KAFKA_USER
from deploy.local.kafka_broker import Node, brokers_known, new_cluster, prepare_node
from deploy.local.mongodb import Member, connect, open_replica_set, prepare_member, url_of
from deploy.local.ports import HeldPort
from deploy.local.processes import Server
from deploy.local.sizing import TESTS, TRANSACTION_SECONDS
from deploy.local.stack import settings_of_services
from tests.harness.waiting import eventually

SERVERS = 3
ELECTION_SECONDS = 2
_READY_SECONDS = 90.0
_SIZING = replace(TESTS, mongodb_cache_gb=0.25, kafka_heap_mb=192, short_lived=True)


class Cluster:
    """Running servers. Make one with `Cluster.start`."""

    def __init__(self, directory: Path, members: Sequence[Member], nodes: Sequence[Node]) -> None:
        self.secrets = Secrets.of(directory)
        self.members = list(members)
        self.nodes = list(nodes)
        self._directory = directory
        cluster = new_cluster()
        with ThreadPoolExecutor() as pool:  # formatting starts a Java for each
            commands = list(pool.map(lambda node: prepare_node(node, nodes, self.secrets, _SIZING, cluster=cluster), nodes))
        self.mongods = [
            Server(f"mongod {member.port}", prepare_member(member, self.secrets, _SIZING), member.home.with_suffix(".log"))
            for member in members
        ]
        self.brokers = [
            Server(f"broker {node.number}", command, node.home.with_suffix(".log"))
            for node, command in zip(nodes, commands, strict=True)
        ]

    @classmethod
    @contextmanager
    def start(cls, directory: Path) -> Iterator[Cluster]:
        """All servers, until the end of the `with` block; ready when it begins."""
        with contextlib.ExitStack() as held:

            def port() -> int:
                held_port = HeldPort()
                held.callback(held_port.release)
                return held_port.number

            members = [Member(directory / f"mongod{number}", port()) for number in range(SERVERS)]
            nodes = [
                Node(number, directory / f"broker{number}", port(), port(), port(), detour=(port(), port()))
                for number in range(1, SERVERS + 1)
            ]
            cluster = cls(directory, members, nodes)
            held.callback(cluster.stop)
            for server in (*cluster.mongods, *cluster.brokers):
                server.spawn()
            cluster.wait_ready()
            yield cluster

    def environment(self, *, detour: bool = False) -> dict[str, str]:
        """The settings for services that use these servers; by `detour` they go through the proxies before the brokers."""
        ports = [node.detour[1] if detour and node.detour else node.services for node in self.nodes]
        return {
            **settings_of_services(self._directory, self.secrets),
            "JAKPRENEUR_MONGODB_URL": url_of([member.address for member in self.members], self.secrets),
            "JAKPRENEUR_MONGO_TRANSACTION_SECONDS": str(TRANSACTION_SECONDS),
            "JAKPRENEUR_KAFKA_BOOTSTRAP_SERVERS": ",".join(f"127.0.0.1:{port}" for port in ports),
            "JAKPRENEUR_KAFKA_USERNAME": KAFKA_USER,
            "JAKPRENEUR_KAFKA_PASSWORD": self.secrets.kafka_password,
            "JAKPRENEUR_KAFKA_REPLICATION": str(SERVERS),
        }

    def wait_ready(self) -> None:
        """Wait until every server is up and knows the others."""
        settings = {"electionTimeoutMillis": ELECTION_SECONDS * 1000, "heartbeatIntervalMillis": 500}
        addresses = [member.address for member in self.members]
        eventually(lambda: open_replica_set(addresses, self.secrets, settings), _READY_SECONDS, "a primary can be written to")
        for index in range(SERVERS):
            member_up, broker_up = partial(self.member_is_up, index), partial(self.broker_is_up, index)
            self.mongods[index].wait_until(member_up, _READY_SECONDS)
            self.brokers[index].wait_until(broker_up, _READY_SECONDS)

    # MongoDB

    def member_state(self, index: int) -> str | None:
        """PRIMARY, SECONDARY … as the member itself says; None while it doesn't answer."""
        with contextlib.suppress(Exception):
            status = self.ask_member(index, "replSetGetStatus")
            return str(next(member["stateStr"] for member in status["members"] if member.get("self")))
        return None

    def member_is_up(self, index: int) -> bool:
        """Whether the member can vote and take writes in."""
        return self.member_state(index) in ("PRIMARY", "SECONDARY")

    def ask_member(self, index: int, command: str, value: Any = 1, **arguments: Any) -> dict[str, Any]:
        """A command to one member, whatever its state; raises the driver's errors, at once when it doesn't answer."""
        with connect(self.members[index].address, self.secrets.mongodb_password) as client:
            found: dict[str, Any] = client.admin.command(command, value, **arguments)
            return found

    def primary(self, but: int | None = None) -> int | None:
        """Which member is the primary that can be written to; None while there is none, or only `but`."""
        for index in range(SERVERS):
            with contextlib.suppress(Exception):
                if index != but and self.ask_member(index, "hello")["isWritablePrimary"]:
                    return index
        return None

    # Kafka

    def broker_is_up(self, index: int) -> bool:
        """Whether the broker answers and is one of those that the cluster gives work to."""
        node = self.nodes[index]
        return node.number in brokers_known(node.services, self.secrets)

    def stop(self) -> None:
        """End all servers; doing it twice is fine."""
        servers = [*self.mongods, *self.brokers]
        for server in servers:
            server.ask_to_stop()
        for server in self.mongods:
            server.stop(5)
        for server in self.brokers:
            server.stop(3)  # the last broker of a quorum waits for others that are gone


def pause(server: Server) -> None:
    """SIGSTOP: it stands still with all its connections open."""
    os.kill(server.pid, signal.SIGSTOP)


def resume(server: Server) -> None:
    """SIGCONT."""
    os.kill(server.pid, signal.SIGCONT)
