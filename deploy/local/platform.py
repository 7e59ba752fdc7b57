"""What `make up` runs: which programs, with which settings, on which ports.

Decides and writes nothing. Next: supervisor.py turns it into files, control.py runs them.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from deploy.access.environment import kafka_of, mongodb_of
from deploy.access.grants import SERVICES as GRANTED
from deploy.local import layout
from deploy.local.credentials import Secrets
from deploy.local.ports import Ports
from deploy.local.stack import environment

SERVICES = ("registration", "training", "metrics")
MONGODB_SETTINGS = ("JAKPRENEUR_MONGODB_URL", "MONGODB_URL")
KAFKA_SETTINGS = ("JAKPRENEUR_KAFKA_BOOTSTRAP_SERVERS", "KAFKA_BOOTSTRAP_SERVERS")
MONGODB_LIMIT = "JAKPRENEUR_MONGO_TRANSACTION_SECONDS"
PREFIX = "jakpreneur"  # of the services' databases and users
KAFKA_LOGIN = ("JAKPRENEUR_KAFKA_USERNAME", "JAKPRENEUR_KAFKA_PASSWORD")


@dataclass(frozen=True)
class Platform:
    """One running platform on this machine."""

    directory: Path
    logs: Path
    ports: Ports
    secrets: Secrets
    services: tuple[str, ...]
    service_root: Path
    """Where `python -m services.<name>` finds the services."""
    settings: dict[str, str]
    """Settings of every service but for its logins; those here are the administrator's. A user's own have come before ours."""
    runbook_url: str
    """Where alerts say that the runbook is."""
    own_mongodb: bool
    own_kafka: bool
    prometheus: str | None
    alertmanager: str | None

    @classmethod
    def of(
        cls,
        user: Mapping[str, str],
        *,
        directory: Path = layout.LOCAL_DIRECTORY,
        logs: Path = layout.LOG_DIRECTORY,
        services: tuple[str, ...] = SERVICES,
        service_root: Path = layout.ROOT,
    ) -> Platform:
        """The platform as the user's environment variables want it."""
        ports = Ports.from_environment(user)
        secrets = Secrets.of(directory)
        mongodb_url = first_of(user, MONGODB_SETTINGS)
        kafka = first_of(user, KAFKA_SETTINGS)
        return cls(
            directory=directory,
            logs=logs,
            ports=ports,
            secrets=secrets,
            services=services,
            service_root=service_root,
            settings=settings(environment(directory, ports, secrets), user, mongodb_url, kafka),
            runbook_url=user.get("RUNBOOK_URL") or (layout.ROOT / "docs" / "runbook.md").as_uri(),
            own_mongodb=mongodb_url is None,
            own_kafka=kafka is None,
            prometheus=layout.prometheus(),
            alertmanager=layout.alertmanager(),
        )

    @property
    def servers(self) -> list[str]:
        """Programs that the services need before they start."""
        return ["mongodb"] * self.own_mongodb + ["kafka"] * self.own_kafka

    @property
    def monitors(self) -> list[str]:
        """Monitoring programs; those that this machine lacks are left out."""
        found = (("prometheus", self.prometheus), ("alertmanager", self.alertmanager))
        return [name for name, path in found if path]

    @property
    def listeners(self) -> dict[str, int]:
        """Port of each listener that this platform opens."""
        wanted = set(self.monitors) | set(self.services) | {f"{name}_internal" for name in self.services}
        if self.own_mongodb:
            wanted.add("mongodb")
        if self.own_kafka:
            wanted |= {"kafka_services", "kafka_partners", "kafka_controller"}
        return {name: port for name, port in self.ports.items() if name in wanted}

    def settings_of(self, service: str) -> dict[str, str]:
        """Everything that one service process is told."""
        ports = dict(self.ports.items())
        return {
            **self.settings,
            **(mongodb_of(self.settings, service, PREFIX, self.passwords) if self.own_mongodb else {}),
            **(kafka_of(service, PREFIX, self.passwords) if self.own_kafka else {}),
            "JAKPRENEUR_PORT": str(ports[service]),
            "JAKPRENEUR_INTERNAL_PORT": str(ports[f"{service}_internal"]),
        }

    @property
    def passwords(self) -> dict[str, str]:
        """Of the services' users."""
        return {service: self.secrets.password_of(service) for service in GRANTED}

    def ready_url(self, service: str) -> str:
        """Answers 200 when the service can do its work."""
        return f"http://127.0.0.1:{dict(self.ports.items())[f'{service}_internal']}/health/ready"

    @property
    def python(self) -> str:
        """The interpreter of the services."""
        return str(layout.VENV_PYTHON) if layout.VENV_PYTHON.exists() else sys.executable


def settings(ours: Mapping[str, str], user: Mapping[str, str], mongodb_url: str | None, kafka: str | None) -> dict[str, str]:
    """Our settings, with the user's in their place where there are any.

    The login of a Kafka is only good for that Kafka: with the user's own, ours is left out. So is what we know of our
    MongoDB: a relay that believed in a shorter limit than the server's would pass over late commits.
    """
    chosen = {name: user.get(name) or value for name, value in ours.items()}
    for name in KAFKA_LOGIN:
        chosen[name] = ours[name] if kafka is None else user.get(name, "")
    chosen[MONGODB_LIMIT] = (ours[MONGODB_LIMIT] if mongodb_url is None else "") or user.get(MONGODB_LIMIT, "")
    chosen[MONGODB_SETTINGS[0]] = mongodb_url or ours[MONGODB_SETTINGS[0]]
    chosen[KAFKA_SETTINGS[0]] = kafka or ours[KAFKA_SETTINGS[0]]
    return {name: value for name, value in chosen.items() if value}


def first_of(user: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    """The first of these variables that is set and not empty."""
    return next((user[name] for name in names if user.get(name)), None)
