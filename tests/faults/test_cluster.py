"""The cluster's faults in their short form: each once, under load, and how soon all was well again; then the ledger check."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from deploy.local.layout import VAR
from tests.faults.cluster.life import live_through
from tests.faults.cluster.run import ClusterReport, finish
from tests.faults.cluster.scene import Scene, playing
from tests.faults.cluster.table import FAULTS, Fault
from tests.faults.report import HARMS
from tests.harness.cluster import Cluster

pytestmark = pytest.mark.faults
REPORT = VAR / "faults-cluster.json"
SEED, RATE = 1, 40.0


@pytest.fixture(scope="module")
def report() -> ClusterReport:
    """What the tests of this module saw."""
    return ClusterReport(SEED)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three mongods and three brokers."""
    with Cluster.start(tmp_path_factory.mktemp("cluster")) as running:
        yield running


@pytest_asyncio.fixture(scope="module")
async def scene(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """Two replicas of each service on the cluster, behind balancers, under load."""
    async with playing(cluster, tmp_path_factory.mktemp("scene"), rate=RATE, seed=SEED) as running:
        yield running


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_the_platform_lives_on(scene: Scene, report: ClusterReport, fault: Fault) -> None:
    """Something breaks, and mends or doesn't; the platform lives.

    Within 2 s writes are acknowledged again (after an election: of the new primary), within 5 s of the fault's end every event is
    in Kafka, no process has ended that nobody killed, and what else the table says holds.
    """
    life = await live_through(fault, scene)
    report.lives.append(life)
    assert list(life.failures()) == []


async def test_what_was_promised_holds(scene: Scene, report: ClusterReport, capsys: pytest.CaptureFixture[str]) -> None:
    """After all of it: what clients were promised is there once, was told once and in order, and is counted once."""
    await finish(report, scene)
    report.write(REPORT)
    with capsys.disabled():
        print(f"\n{report.table()}")  # noqa: T201 - N beside the zeros
    assert report.verdict.violations == []
    assert dict.fromkeys(HARMS, 0) == {harm: report.verdict.harm(harm) for harm in HARMS}
    assert report.acknowledged >= 1_000
    assert "500" not in report.statuses
