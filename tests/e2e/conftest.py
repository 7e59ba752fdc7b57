"""The three services as processes, for all end-to-end tests of a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from pymongo import MongoClient

from deploy.local.stack import Stack
from tests.harness.platform import Platform, ServiceProcess


@dataclass
class World:
    """The running platform and who may ask it what."""

    platform: Platform
    registration: ServiceProcess
    training: ServiceProcess
    metrics: ServiceProcess

    def as_(self, *roles: str, subject: str | None = None, **claims: Any) -> dict[str, str]:
        """The headers of somebody with these roles."""
        return self.platform.bearer(list(roles), subject=subject or "-".join(roles), **claims)


@pytest.fixture(scope="package")
def world(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Registration, training and metrics, each as one process; gone before other tests take MongoDB or Kafka away."""
    settings = {"JAKPRENEUR_ANONYMOUS_RATE": "100000/minute", "JAKPRENEUR_IMPORT_MAX_BYTES": "2000000"}
    with Platform(stack, tmp_path_factory.mktemp("services"), environment=settings) as platform:
        processes = [platform.start(name) for name in ("registration", "training", "metrics")]
        for process in processes:
            process.wait_ready()
        yield World(platform, *processes)
        codes = [process.terminate() for process in processes]
    assert codes == [0, 0, 0]


Databases = Callable[[str], Any]


@pytest.fixture(scope="package")
def databases(world: World) -> Iterator[Databases]:
    """`databases("metrics")`: a look into a service's database."""
    with MongoClient[dict[str, Any]](world.platform.stack.environment()["JAKPRENEUR_MONGODB_URL"]) as opened:
        yield lambda service: opened[f"{world.platform.prefix}_{service}"]


@pytest.fixture(scope="session")
def client() -> Iterator[httpx2.Client]:
    """An HTTP client."""
    with httpx2.Client(timeout=30) as opened:
        yield opened


Form = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def form() -> Form:
    """`form(name="Siti")`: a registration nobody has made yet."""
    serial = iter(range(1, 9000))

    def make(**changes: Any) -> dict[str, Any]:
        return {
            "nik": f"317101451290{next(serial):04d}",
            "name": "Siti Contoh",
            "birth_date": "1990-12-05",
            "gender": "female",
            "phone": "081234567890",
            "kelurahan": "31.71.01.1001",
            "category": "pemula",
            "consent": {"version": "2021-01", "given_at": "2021-02-01T09:30:00+07:00"},
            **changes,
        }

    return make
