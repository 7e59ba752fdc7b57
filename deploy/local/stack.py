"""A real MongoDB and a real Kafka as child processes: for tests, measurements and `make up` alike.

    with Ports.free() as ports, Stack.start(directory, ports, sizing=TESTS) as stack:
        settings = stack.environment()

A stack keeps everything in its directory: started there again it finds its data. It dies with the process
that started it. Services are not its business: `control` runs them under the supervisor, tests run their own.

Next: mongodb.py and kafka_broker.py say how each server is set up.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from deploy.local.credentials import Secrets
from deploy.local.kafka_broker import USER as KAFKA_USER
from deploy.local.kafka_broker import kafka_bootstrap_servers, kafka_is_ready, prepare_kafka
from deploy.local.mongodb import mongodb_url, open_mongodb, prepare_mongodb
from deploy.local.ports import Ports
from deploy.local.processes import Server, ServerError
from deploy.local.sizing import DEFAULT, TESTS, TRANSACTION_SECONDS, Sizing

__all__ = [
    "DEFAULT",
    "TESTS",
    "Ports",
    "Secrets",
    "ServerError",
    "Sizing",
    "Stack",
    "environment",
    "kafka_is_ready",
    "open_mongodb",
    "prepare_kafka",
    "prepare_mongodb",
]

READY_SECONDS = 60


def environment(directory: Path, ports: Ports, secrets: Secrets) -> dict[str, str]:
    """The settings with which a service uses the servers in `directory`."""
    return {
        **settings_of_services(directory, secrets),
        "JAKPRENEUR_MONGODB_URL": mongodb_url(ports, secrets),
        "JAKPRENEUR_MONGO_TRANSACTION_SECONDS": str(TRANSACTION_SECONDS),
        "JAKPRENEUR_KAFKA_BOOTSTRAP_SERVERS": kafka_bootstrap_servers(ports),
        "JAKPRENEUR_KAFKA_USERNAME": KAFKA_USER,
        "JAKPRENEUR_KAFKA_PASSWORD": secrets.kafka_password,
    }


def settings_of_services(directory: Path, secrets: Secrets) -> dict[str, str]:
    """The settings of a service of this machine, whatever servers it uses."""
    return {
        "JAKPRENEUR_ENV": "local",
        "JAKPRENEUR_VAULT_MASTER_KEYS": f'{{"1": "{secrets.vault_master_key}"}}',
        "JAKPRENEUR_BLIND_INDEX_PEPPER": secrets.blind_index_pepper,
        "JAKPRENEUR_API_KEY_PEPPER": secrets.api_key_pepper,
        "JAKPRENEUR_IDEMPOTENCY_PEPPER": secrets.idempotency_pepper,
        "JAKPRENEUR_DEVELOPMENT_ISSUER_KEY_FILE": str(directory / "development-issuer.pem"),
        # One heap for all threads, as in the image: they take turns anyway, and each heap keeps what its busiest hour took.
        "MALLOC_ARENA_MAX": "1",
    }


@dataclass(frozen=True)
class Stack:
    """Two running servers. Make one with `Stack.start`."""

    directory: Path
    ports: Ports
    secrets: Secrets
    _mongodb: Server
    _broker: Server

    @classmethod
    def start(cls, directory: Path, ports: Ports, sizing: Sizing = DEFAULT) -> Stack:
        """Starts both servers side by side and returns when both can be used.

        Call it from a thread that outlives the stack (see processes.py). Raises ServerError, with the tail
        of the server's log, if one doesn't come up; nothing is left running then.
        """
        directory = directory.resolve()
        secrets = Secrets.of(directory)
        mongodb = Server("MongoDB", prepare_mongodb(directory, ports, secrets, sizing), directory / "mongodb.log")
        mongodb.spawn()
        try:
            broker = Server("Kafka", prepare_kafka(directory, ports, secrets, sizing), directory / "kafka.log")
        except BaseException:
            mongodb.kill()
            raise
        stack = cls(directory, ports, secrets, mongodb, broker)
        try:
            broker.spawn()
            stack._wait_for_mongodb()
            stack._wait_for_broker()
        except BaseException:
            mongodb.kill()
            broker.kill()
            raise
        return stack

    def environment(self) -> dict[str, str]:
        """The settings for services that use this stack."""
        return environment(self.directory, self.ports, self.secrets)

    @property
    def mongodb_pid(self) -> int:
        """Process id of `mongod`, to freeze or to kill."""
        return self._mongodb.pid

    @property
    def broker_pid(self) -> int:
        """Process id of the broker, to freeze or to kill."""
        return self._broker.pid

    def kill_mongodb(self) -> None:
        """SIGKILL, as a crash would be."""
        self._mongodb.kill()

    def start_mongodb(self) -> None:
        """Starts `mongod` again on its data and waits until it can be written to."""
        self._mongodb.spawn()
        self._wait_for_mongodb()

    def kill_broker(self) -> None:
        """SIGKILL, as a crash would be."""
        self._broker.kill()

    def start_broker(self) -> None:
        """Starts the broker again on its data and waits until it answers."""
        self._broker.spawn()
        self._wait_for_broker()

    def stop(self) -> None:
        """Ends both servers in order; those that don't end in 20 s are killed. Doing it twice is fine."""
        self._mongodb.ask_to_stop()
        self._broker.stop()
        self._mongodb.stop()

    def __enter__(self) -> Stack:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def _wait_for_mongodb(self) -> None:
        self._mongodb.wait_until(lambda: open_mongodb(self.ports, self.secrets), READY_SECONDS)

    def _wait_for_broker(self) -> None:
        self._broker.wait_until(lambda: kafka_is_ready(self.ports, self.secrets), READY_SECONDS)
