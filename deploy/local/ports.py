"""Which port each part of the local platform listens on, always on the loopback address.

The table of defaults is the one in the README; every port is a setting.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields


class HeldPort:
    """A free port that nobody else is given until `release()`: neither another holder nor an outgoing connection.

    A server can listen on it meanwhile, stop, and listen again. To look for a free port and let go of it is a race.
    """

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._socket.bind(("127.0.0.1", 0))
        self.number: int = self._socket.getsockname()[1]
        # Only now: bound without it the port is ours alone; from here on servers, which all set it, may share it.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)

    def release(self) -> None:
        """Let it go. Doing it twice is fine."""
        self._socket.close()


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
    @contextlib.contextmanager
    def free(cls) -> Iterator[Ports]:
        """Ports that are nobody else's until the end of the `with` block."""
        held = {field.name: HeldPort() for field in fields(cls)}
        try:
            yield cls(**{name: port.number for name, port in held.items()})
        finally:
            for port in held.values():
                port.release()

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
