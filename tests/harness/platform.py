"""Service processes of the platform against a Stack: started, killed, frozen and asked, as a supervisor and a scraper would.

    with Ports.free() as ports, Stack.start(directory, ports, sizing=TESTS) as stack, Platform(stack, directory) as platform:
        registration = platform.start("registration")
        registration.wait_ready()
        httpx2.get(f"{registration.url}/v1/areas", headers=platform.bearer(["officer"]))

One Platform is one deployment: its databases, topics and users bear its own prefix, so several can share a Stack. Each service
logs in as its own user; `environment` is the administrator's. Every process
dies with this one. Start them in a thread that outlives them (see deploy/local/processes.py).
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from chassis.access import oidc
from chassis.settings import Settings
from deploy.access.environment import grant_in_kafka, grant_in_mongodb, kafka_of, mongodb_of
from deploy.access.grants import SERVICES
from deploy.local.ports import HeldPort
from deploy.local.processes import LIBC, PR_SET_PDEATHSIG, tail
from tests.harness.settings import settings_of
from tests.harness.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
READY_SECONDS = 40.0
STOP_SECONDS = 40.0


class ServiceProcess:
    """One `python -m services.<name>` and its addresses."""

    def __init__(
        self, name: str, role: str, ports: tuple[HeldPort, HeldPort], log: Path, process: subprocess.Popen[bytes]
    ) -> None:
        self.name = name
        self.role = role
        self.url = f"http://127.0.0.1:{ports[0].number}"
        self.internal_url = f"http://127.0.0.1:{ports[1].number}"
        self.log = log
        self._ports = ports
        self._process = process

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code, negative for a signal; None while it runs."""
        code = self._process.poll()
        if code is not None:
            self._release_ports()
        return code

    def ready(self) -> bool:
        """Whether the process says that it is ready now."""
        return httpx2.get(f"{self.internal_url}/health/ready", timeout=5.0).status_code == 200

    def wait_ready(self, timeout: float = READY_SECONDS) -> ServiceProcess:
        """Wait until `/health/ready` is 200 (and the public port answers, for a role that has one); returns itself."""

        def up() -> bool:
            if self.exit_code is not None:
                raise RuntimeError(f"it ended with {self.exit_code}")
            if not self.ready():
                return False
            return self.role not in ("all", "api") or httpx2.get(f"{self.url}/openapi.json", timeout=5.0).status_code == 200

        try:
            eventually(up, timeout, f"{self.name} ({self.role}) is ready")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{tail(self.log, 40)}") from None
        return self

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self._process.kill()
        self.wait()

    def terminate(self, timeout: float = STOP_SECONDS) -> int:
        """SIGTERM, and wait; returns the exit code. Raises subprocess.TimeoutExpired if it doesn't end."""
        self._process.terminate()
        self._process.send_signal(signal.SIGCONT)
        return self.wait(timeout)

    def ask_to_stop(self) -> None:
        """SIGTERM, without waiting."""
        self._process.terminate()

    def wait(self, timeout: float = STOP_SECONDS) -> int:
        """Wait for the end; returns the exit code."""
        code = self._process.wait(timeout)
        self._release_ports()
        return code

    def _release_ports(self) -> None:
        for port in self._ports:
            port.release()

    def pause(self) -> None:
        """SIGSTOP: it stands still with all its connections open."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT."""
        self._process.send_signal(signal.SIGCONT)

    def metric(self, name: str, labels: Mapping[str, str] | None = None) -> float:
        """The sum of a series' samples that bear these labels, from `/metrics`; 0.0 when there are none."""
        text = httpx2.get(f"{self.internal_url}/metrics", timeout=5.0).text
        wanted = dict(labels or {})
        return sum(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name and wanted.items() <= sample.labels.items()
        )


class Servers(Protocol):
    """A Stack or a Cluster."""

    def environment(self) -> dict[str, str]:
        """The settings for services that use it."""
        ...


class Platform:
    """A deployment of the platform on a Stack or a Cluster. A context manager: leaving it kills what still runs."""

    def __init__(
        self, stack: Servers, directory: Path, *, prefix: str | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.stack = stack
        self.prefix = prefix or f"t{uuid.uuid4().hex[:10]}"
        self.processes: list[ServiceProcess] = []
        self._directory = directory
        self.environment = {
            **stack.environment(),
            "JAKPRENEUR_MONGODB_DATABASE_PREFIX": self.prefix,
            "JAKPRENEUR_KAFKA_TOPIC_PREFIX": f"{self.prefix}.",
            **(environment or {}),
        }
        self.passwords = {service: secrets.token_urlsafe(18) for service in SERVICES}
        grant_in_mongodb(self.environment, self.prefix, self.passwords)
        grant_in_kafka(self.environment, self.prefix, f"{self.prefix}.", self.passwords)

    def settings(self, **changes: Any) -> Settings:
        """The chassis settings that the processes run with, to look into their database and topics."""
        found: Settings = settings_of(self.environment, **changes)
        return found

    def start(
        self, name: str, role: str = "all", env: Mapping[str, str] | None = None, faults: Sequence[str] = ()
    ) -> ServiceProcess:
        """Start a process of a service on free ports; whether it is ready is for `wait_ready()` to find out.

        `env` adds settings, e.g. `{"JAKPRENEUR_FAIL_POINTS": "commit.before=0.01;7"}`; `faults` are arguments for
        tests/faults/run_service.py, e.g. `("--clock-ahead", "3900")`.
        """
        ports = (HeldPort(), HeldPort())
        settings = {
            **os.environ,
            **self.environment,
            **mongodb_of(self.environment, name, self.prefix, self.passwords),
            **kafka_of(name, self.prefix, self.passwords),
            "JAKPRENEUR_PORT": str(ports[0].number),
            "JAKPRENEUR_INTERNAL_PORT": str(ports[1].number),
            **(env or {}),
        }
        log = self._directory / f"{name}-{role}-{len(self.processes)}.log"
        parent = os.getpid()

        def die_with_parent() -> None:
            LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(1)

        module = ("tests.faults.run_service", name) if faults else (f"services.{name}",)
        with log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *module, "--role", role, *faults],
                cwd=ROOT,
                env=settings,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - between fork and exec it takes no lock and imports nothing
            )
        started = ServiceProcess(name, role, ports, log, process)
        self.processes.append(started)
        return started

    def token(self, roles: Sequence[str], *, subject: str = "tester", jakpreneur_id: str | None = None) -> str:
        """A token of the development issuer that the processes believe."""
        return oidc.development_token(self.settings(), list(roles), subject=subject, jakpreneur_id=jakpreneur_id)

    def bearer(self, roles: Sequence[str], *, subject: str = "tester", jakpreneur_id: str | None = None) -> dict[str, str]:
        """The Authorization header with such a token."""
        return {"Authorization": f"Bearer {self.token(roles, subject=subject, jakpreneur_id=jakpreneur_id)}"}

    def stop(self) -> None:
        """Kill what still runs."""
        for process in self.processes:
            process.kill()

    def __enter__(self) -> Platform:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()
