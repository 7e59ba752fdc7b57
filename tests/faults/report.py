"""What a run was to do, what it did, and the table that says so: the zeros, and N beside them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tests.faults.checker import Verdict
from tests.faults.troubles import Trouble
from tests.faults.violation import Harm

HARMS: tuple[Harm, ...] = ("lost", "doubled", "out of order")


@dataclass(frozen=True, slots=True)
class Plan:
    """How much of everything. The run ends when all of it has been done, or after `minutes` of load."""

    kills: int
    acknowledged: int
    minutes: float
    relay_pauses: int
    consumer_pauses: int
    broker_kills: int
    mongodb_kills: int
    poisonings: int
    workers: int = 24
    rate: float = 150.0
    trainings: int = 8
    quota: int = 12
    seed: int = 1

    def troubles(self) -> dict[str, int]:
        """How many of each trouble."""
        names = ("poisonings", "relay_pauses", "broker_kills", "consumer_pauses", "mongodb_kills")
        return {name: getattr(self, name) for name in names}


@dataclass
class Report:
    """What happened, and what the check found."""

    plan: Plan
    load_seconds: float = 0.0
    drain_seconds: float = 0.0
    check_seconds: float = 0.0
    acknowledged: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)
    statuses: dict[str, int] = field(default_factory=dict)
    refusals: dict[str, int] = field(default_factory=dict)
    kills: dict[str, int] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)
    other_exits: dict[str, int] = field(default_factory=dict)
    troubles: list[Trouble] = field(default_factory=list)
    verdict: Verdict = field(default_factory=Verdict)

    @property
    def killed(self) -> int:
        """SIGKILLs at fail points."""
        return sum(self.kills.values())

    def done(self) -> Counter[str]:
        """How many of each trouble."""
        return Counter(trouble.kind for trouble in self.troubles)

    def to_json(self) -> dict[str, Any]:
        """As stored."""
        zeros = {harm.replace(" ", "_"): self.verdict.harm(harm) for harm in HARMS}
        zeros["violations"] = len(self.verdict.violations)
        return {
            **asdict(self),
            "verdict": {**zeros, "counts": self.verdict.counts, "first": [asdict(v) for v in self.verdict.violations[:50]]},
        }

    def write(self, path: Path) -> None:
        """Store it as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_json(), indent=1) + "\n")

    def table(self) -> str:
        """The zeros, and N beside them."""
        verdict, counts = self.verdict, self.verdict.counts
        lines = [
            "   ".join(f"{harm} {verdict.harm(harm)}" for harm in HARMS) + f"   violations in all {len(verdict.violations)}",
            f"acknowledged writes  {self.acknowledged:>8,}   refused {self.outcomes.get('fail', 0):,}",
            f"never answered       {self.outcomes.get('unknown', 0):>8,}   {counts.get('unknown_but_stored', 0):,} were stored",
            f"events               {counts.get('events', 0):>8,}   sent again {counts.get('sent_again', 0):,}",
            f"kills at fail points {self.killed:>8,}   {listed(self.points)}",
            f"                              {listed(self.kills)}",
            f"other ends                    {listed(self.other_exits)}",
        ]
        for kind, number in self.done().items():
            seconds = sorted(trouble.recovery_seconds for trouble in self.troubles if trouble.kind == kind)
            during = sum(trouble.acknowledged for trouble in self.troubles if trouble.kind == kind)
            lines.append(
                f"{kind:<20} {number:>8,}   recovered in {median(seconds):.1f} s (worst {seconds[-1]:.1f} s), "
                f"{during:,} writes acknowledged meanwhile"
            )
        lines.append(
            f"seconds              {self.load_seconds:>8.0f}   of load, {self.drain_seconds:.1f} until all was quiet, "
            f"{self.check_seconds:.1f} to check"
        )
        lines += [f"  {v.check} {v.harm}: {v.what[:300]}" for v in verdict.violations[:20]]
        return "\n".join(lines)


def listed(counts: dict[str, int]) -> str:
    """Names with their numbers, as one text."""
    return ", ".join(f"{name} {number}" for name, number in sorted(counts.items())) or "none"
