"""Which port each part of the local platform listens on, always on the loopback address.

The table of defaults is the one in the README; every port is a setting.
"""

from __future__ import annotations

import random
import socket
from collections.abc import Mapping
from dataclasses import dataclass, fields

# Below the range from which Linux takes ports for outgoing connections (32768 and up): a broker that a test
# stops and starts again would otherwise find its port taken by some client's connection.
FREE_RANGE = range(20_000, 32_000)


@dataclass(frozen=True)
class Ports:
    """One port for each listener."""

    mongodb: int
    kafka_services: int
    kafka_partners: int
    kafka_controller: int
    registration: int
    registration_internal: int
    training: int
    training_internal: int
    metrics: int
    metrics_internal: int
    prometheus: int
    alertmanager: int

    @classmethod
    def default(cls) -> Ports:
        """The documented ports."""
        return cls(
            mongodb=27118,
            kafka_services=19192,
            kafka_partners=19194,
            kafka_controller=19195,
            registration=8101,
            registration_internal=9101,
            training=8102,
            training_internal=9102,
            metrics=8103,
            metrics_internal=9103,
            prometheus=9190,
            alertmanager=9193,
        )

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Ports:
        """The documented ports, each overridden by `JAKPRENEUR_<NAME>_PORT` where that is set."""
        chosen = dict(cls.default().items())
        for name in chosen:
            value = environment.get(setting_of(name), "").strip()
            if not value:
                continue
            if not value.isdecimal() or not 0 < int(value) < 65_536:
                raise ValueError(f"{setting_of(name)}={value!r} is not a port number")
            chosen[name] = int(value)
        return cls(**chosen)

    @classmethod
    def free(cls) -> Ports:
        """Ports that nothing listens on now, a different set at each call."""
        names = [field.name for field in fields(cls)]
        candidates = random.sample(FREE_RANGE, k=20 * len(names))
        found = (port for port in candidates if is_free(port))
        return cls(**{name: next(found) for name in names})

    def items(self) -> list[tuple[str, int]]:
        """Name and port of each listener."""
        return [(field.name, getattr(self, field.name)) for field in fields(self)]


def setting_of(name: str) -> str:
    """The setting that overrides a port: `registration_internal` → `JAKPRENEUR_REGISTRATION_INTERNAL_PORT`."""
    return f"JAKPRENEUR_{name.upper()}_PORT"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do: connections that linger from the last run don't count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def accepts(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
