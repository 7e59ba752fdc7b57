"""The running platform as the demonstration sees it: three APIs, tokens of the development issuer, addresses to open."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import httpx2
from dotenv import dotenv_values

from chassis.access.oidc import development_token
from chassis.settings import Settings

ENVIRONMENT: Final = Path("var/local/environment")  # written by `make up`
_PORTS: Final = {"registration": 8101, "training": 8102, "metrics": 8103}


class Refused(Exception):
    """The platform said no: status and problem document."""

    def __init__(self, status: int, problem: dict[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('code')}: {problem.get('detail')} {problem.get('errors')}")
        self.status = status
        self.code = problem.get("code")


class Platform:
    """HTTP to the services of `make up`."""

    def __init__(self) -> None:
        if ENVIRONMENT.exists():
            os.environ.update({name: value for name, value in dotenv_values(ENVIRONMENT).items() if value is not None})
        self._settings = Settings()
        self._client = httpx2.Client(timeout=120, headers={"Accept-Language": "en"})

    def port(self, service: str, *, internal: bool = False) -> int:
        """The service's port, as `make up` set it."""
        suffix = "_INTERNAL_PORT" if internal else "_PORT"
        return int(os.environ.get(f"JAKPRENEUR_{service.upper()}{suffix}", _PORTS[service] + (1000 if internal else 0)))

    def url(self, service: str) -> str:
        """The service's address."""
        return f"http://127.0.0.1:{self.port(service)}"

    def token(self, *roles: str) -> dict[str, str]:
        """Headers of a staff member with these roles."""
        subject = f"demo-{'-'.join(roles)}"
        return {"Authorization": f"Bearer {development_token(self._settings, list(roles), subject=subject, hours=2)}"}

    def call(self, method: str, service: str, path: str, credential: dict[str, str] | None = None, **options: Any) -> Any:
        """The JSON reply; raises Refused for 4xx and 5xx."""
        headers = {**(credential or {}), **options.pop("headers", {})}
        answer = self._client.request(method, f"{self.url(service)}{path}", headers=headers, **options)
        if answer.status_code >= 400:
            raise Refused(answer.status_code, answer.json())
        return answer.json() if answer.content else None

    def series(self, service: str, name: str) -> float:
        """The sum of a Prometheus series of a service."""
        text = self._client.get(f"http://127.0.0.1:{self.port(service, internal=True)}/metrics").text
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.split("{")[0].split(" ")[0] == name)

    def addresses(self) -> dict[str, str]:
        """What to open."""
        prometheus = os.environ.get("JAKPRENEUR_PROMETHEUS_PORT", "9190")
        return {
            "progress": f"{self.url('metrics')}/v1/progress",
            "funnel": f"{self.url('metrics')}/v1/funnel",
            "by_kecamatan": f"{self.url('metrics')}/v1/progress/by/kecamatan",
            "trainings": f"{self.url('training')}/v1/trainings",
            "openapi_registration": f"{self.url('registration')}/openapi.json",
            "openapi_training": f"{self.url('training')}/openapi.json",
            "openapi_metrics": f"{self.url('metrics')}/openapi.json",
            "prometheus": f"http://127.0.0.1:{prometheus}",
        }


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll; raises TimeoutError saying what never came."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"after {seconds:.0f} s: {what}")
        time.sleep(0.2)
