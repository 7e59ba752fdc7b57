"""The long form: every fault of the table, round after round under load; then quiet; then the ledger check.

test_cluster.py is the short form: each fault once, and a test for each.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.faults import ledger as ledgers
from tests.faults.checker import Verdict, check
from tests.faults.cluster.life import Life, live_through, table, to_json
from tests.faults.cluster.scene import SUBJECT, Scene, playing
from tests.faults.cluster.table import FAULTS
from tests.faults.collect import collect
from tests.faults.quiet import reconcile, until_quiet
from tests.faults.report import HARMS
from tests.harness.cluster import Cluster


@dataclass
class ClusterReport:
    """What happened, and what the check found."""

    seed: int
    lives: list[Life] = field(default_factory=list)
    acknowledged: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    drain_seconds: float = 0.0
    seconds: float = 0.0
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def failures(self) -> list[str]:
        """Every promise that didn't hold."""
        return [
            *(failure for life in self.lives for failure in life.failures()),
            *(f"{violation.check} {violation.harm}: {violation.what[:300]}" for violation in self.verdict.violations),
        ]

    def write(self, path: Path) -> None:
        """Store it as JSON."""
        found = {**vars(self), "lives": to_json(self.lives)}
        found["verdict"] = {"counts": self.verdict.counts, "violations": [asdict(v) for v in self.verdict.violations[:50]]}
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(found, indent=1) + "\n")

    def table(self) -> str:
        """The zeros, N beside them, and how soon all was well after each fault."""
        counts = self.verdict.counts
        zeros = "   ".join(f"{harm} {self.verdict.harm(harm)}" for harm in HARMS)
        never = f"never answered {self.outcomes.get('unknown', 0):,} ({counts.get('unknown_but_stored', 0):,} were stored)"
        published = f"events {counts.get('events', 0):,}   sent again {counts.get('sent_again', 0):,}"
        lines = [
            f"{zeros}   violations in all {len(self.verdict.violations)}",
            f"acknowledged writes {self.acknowledged:,}   refused {self.outcomes.get('fail', 0):,}   {never}",
            f"{published}   faults {len(self.lives)}   in {self.seconds:.0f} s, quiet after {self.drain_seconds:.1f} s",
        ]
        return "\n".join([*lines, *table(self.lives), *(f"  {failure}" for failure in self.failures)])


async def run(
    cluster: Cluster, directory: Path, say: Callable[[str], None], *, seed: int, rounds: int, rate: float = 50.0
) -> ClusterReport:
    """All faults, `rounds` times; from the second round on in an order of the seed."""
    report = ClusterReport(seed)
    orders = [list(FAULTS), *(random.Random(seed + number).sample(FAULTS, len(FAULTS)) for number in range(1, rounds))]
    async with playing(cluster, directory, rate=rate, seed=seed) as scene:
        for number, order in enumerate(orders, 1):
            for fault in order:
                life = await live_through(fault, scene)
                report.lives.append(life)
                told = ", ".join(f"{name} silent {seconds:.1f} s" for name, seconds in life.silence.items())
                say(f"round {number}: {fault.name}: {told}; in Kafka after {life.published:.1f} s")
                for failure in life.failures():
                    say(f"  {failure}")
        await finish(report, scene)
    return report


async def finish(report: ClusterReport, scene: Scene) -> None:
    """No more load; wait until all is quiet; check."""
    await scene.rest()
    report.drain_seconds = await until_quiet(scene.settings)
    reconciliation = await reconcile(f"http://127.0.0.1:{scene.balancers['metrics'].port}", scene.headers)
    acts = ledgers.read(scene.ledger)
    collected = await collect(scene.settings, acts, caller=f"user:{SUBJECT}", reconciliation=reconciliation)
    report.verdict = await asyncio.to_thread(check, collected)
    report.outcomes, report.statuses = dict(scene.load.outcomes), dict(scene.load.statuses)
    report.acknowledged, report.seconds = len(scene.load.acknowledged), round(time.monotonic() - scene.began, 1)
