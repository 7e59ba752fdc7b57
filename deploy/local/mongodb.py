"""MongoDB for the local stack: a replica set of one, with a password. Tests of failures make one of three.

Transactions need a replica set, so even one node is one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

from deploy.local import layout
from deploy.local.credentials import Secrets, write_private
from deploy.local.ports import Ports
from deploy.local.sizing import DEFAULT, TRANSACTION_SECONDS, Sizing

REPLICA_SET = "rs0"
USER = "platform"
AUTHENTICATION_FAILED = 18

Client = MongoClient[dict[str, Any]]


@dataclass(frozen=True)
class Member:
    """One server of a replica set: where it keeps its things, and where it listens."""

    home: Path
    port: int

    @property
    def address(self) -> str:
        """As the replica set and its clients know it."""
        return f"127.0.0.1:{self.port}"


def only_member(directory: Path, ports: Ports) -> Member:
    """The local stack's one server."""
    return Member(directory / "mongodb", ports.mongodb)


def mongodb_url(ports: Ports, secrets: Secrets) -> str:
    """How services reach the local MongoDB."""
    return url_of([f"127.0.0.1:{ports.mongodb}"], secrets)


def url_of(addresses: Sequence[str], secrets: Secrets) -> str:
    """How services reach a replica set."""
    servers = ",".join(addresses)
    return f"mongodb://{USER}:{secrets.mongodb_password}@{servers}/?replicaSet={REPLICA_SET}&authSource=admin"


def prepare_mongodb(directory: Path, ports: Ports, secrets: Secrets, sizing: Sizing = DEFAULT) -> list[str]:
    """Writes what the local stack's server needs, and returns its command."""
    return prepare_member(only_member(directory, ports), secrets, sizing)


def prepare_member(member: Member, secrets: Secrets, sizing: Sizing = DEFAULT) -> list[str]:
    """Writes key file and configuration, and returns the command that runs `mongod` in the foreground.

    After its first start the server has neither replica set nor user: `open_replica_set` makes both.
    """
    home = member.home
    (home / "data").mkdir(parents=True, exist_ok=True)
    write_private(home / "keyfile", secrets.mongodb_member_key + "\n")
    configuration = {
        # It logs to standard output, for whoever starts it to keep; `quiet` leaves out each connection.
        "systemLog": {"quiet": True},
        "net": {
            "port": member.port,
            "bindIp": "127.0.0.1",
            "unixDomainSocket": {"enabled": False},
            # Without zlib, the third default: it costs the most processor time.
            "compression": {"compressors": "snappy,zstd"},
        },
        "replication": {"replSetName": REPLICA_SET, "oplogSizeMB": sizing.mongodb_oplog_mb},
        "security": {"authorization": "enabled", "keyFile": str(home / "keyfile")},
        "storage": {
            "dbPath": str(home / "data"),
            "wiredTiger": {"engineConfig": {"cacheSizeGB": sizing.mongodb_cache_gb}},
        },
        "setParameter": {
            # Nobody else is there to take over, so there is no reason to linger on SIGTERM.
            "shutdownTimeoutMillisForSignaledShutdown": 100,
            "diagnosticDataCollectionEnabled": False,
            "enableTestCommands": sizing.fail_points,
            "transactionLifetimeLimitSeconds": TRANSACTION_SECONDS,
            # A secondary waits so much longer than an answer should take before it leaves a primary that hangs. By default it
            # is 5 s, for which a new primary has nobody to make its writes a majority's.
            "oplogNetworkTimeoutBufferSeconds": 1,
        },
    }
    write_private(home / "mongod.yml", yaml.safe_dump(configuration))
    return member_argv(home)


def mongodb_argv(directory: Path) -> list[str]:
    """The command that runs the local stack's prepared server."""
    return member_argv(directory / "mongodb")


def member_argv(home: Path) -> list[str]:
    """The command that runs a prepared `mongod` in the foreground."""
    return [str(layout.mongod()), "--config", str(home / "mongod.yml")]


def open_mongodb(ports: Ports, secrets: Secrets) -> bool:
    """One attempt to bring the local stack's server to where services can write; True when they can."""
    return open_replica_set([f"127.0.0.1:{ports.mongodb}"], secrets)


def open_replica_set(members: Sequence[str], secrets: Secrets, settings: dict[str, Any] | None = None) -> bool:
    """One attempt to bring started servers to where services can write; True when they can.

    Call it until it is True. At the first start it makes the replica set (with these `settings`) and the user, through
    the exception that MongoDB grants to a local client as long as there is no user.
    """
    return any(open_member(member, members, secrets, settings or {}) for member in members)


def open_member(member: str, members: Sequence[str], secrets: Secrets, settings: dict[str, Any]) -> bool:
    """Whether services can write to this member; else one step is made towards it."""
    try:
        with connect(member) as anyone:
            hello = anyone.admin.command("hello")
            with connect(member, secrets.mongodb_password) as known:
                if not is_user(known):
                    if not hello.get("setName") and member == members[0]:
                        initiate(anyone, members, settings)
                    elif hello["isWritablePrimary"]:
                        create_user(anyone, secrets)
                    return False
                if not hello["isWritablePrimary"]:
                    if len(members) == 1:
                        follow_port(known, member)
                    return False
                return True
    except PyMongoError:
        return False  # not listening yet, or amid an election


def connect(member: str, password: str | None = None) -> Client:
    """A client of this one server, whatever state its replica set is in.

    It gives up quickly: the caller tries again.
    """
    return MongoClient(
        f"mongodb://{member}",
        directConnection=True,
        serverSelectionTimeoutMS=500,
        connectTimeoutMS=500,
        socketTimeoutMS=5_000,
        username=USER if password else None,
        password=password,
    )


def is_user(client: Client) -> bool:
    """Whether the server knows the user and password of this client."""
    try:
        client.admin.command("ping")
    except OperationFailure as failure:
        if failure.code == AUTHENTICATION_FAILED:
            return False
        raise
    return True


def initiate(client: Client, members: Sequence[str], settings: dict[str, Any]) -> None:
    """Makes the replica set."""
    hosts = [{"_id": number, "host": member} for number, member in enumerate(members)]
    client.admin.command("replSetInitiate", {"_id": REPLICA_SET, "members": hosts, "settings": settings})


def create_user(client: Client, secrets: Secrets) -> None:
    """Makes the one user; with it the exception for local clients is over."""
    client.admin.command("createUser", USER, pwd=secrets.mongodb_password, roles=["root"])


def follow_port(client: Client, member: str) -> None:
    """The replica set remembers its address: tells it the new one when the port was changed."""
    configuration = client.admin.command("replSetGetConfig")["config"]
    if configuration["members"][0]["host"] == member:
        return
    configuration["members"][0]["host"] = member
    configuration["version"] += 1
    client.admin.command("replSetReconfig", configuration, force=True)
