"""LIFE: how soon after a fault writes were acknowledged again and events were in Kafka, and what else was seen meanwhile."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from tests.faults.cluster.scene import WRITERS, Scene
from tests.faults.cluster.table import Fault

SILENCE_SECONDS = 2.0
PUBLISHED_SECONDS = 5.0
_AFTERWARDS = 1.0  # what of the time after a fault counts too


@dataclass(frozen=True, slots=True)
class Life:
    """One fault and what came of it.

    `silence`: the longest time without an acknowledged write, for each service, from the fault (or from the election of a
    new primary) to a second after its end. `published`: the longest, in seconds, that a commit waited for Kafka after the
    fault's end.
    """

    fault: str
    seconds: float
    silence: dict[str, float]
    published: float
    acknowledged: int
    errors: int
    stopping: float  # the longest that a process took that was asked to stop
    broken: list[str] = field(default_factory=list)

    def failures(self) -> Iterator[str]:
        """Which promises didn't hold, in words."""
        for service, seconds in self.silence.items():
            if seconds > SILENCE_SECONDS:
                yield f"{self.fault}: {service} acknowledged nothing for {seconds:.1f} s"
        if self.published > PUBLISHED_SECONDS:
            yield f"{self.fault}: events were in Kafka only after {self.published:.1f} s"
        for broken in self.broken:
            yield f"{self.fault}: {broken}"


async def live_through(fault: Fault, scene: Scene) -> Life:
    """Make the fault and measure."""
    errors, acknowledged, began = scene.load.errors, len(scene.load.acknowledged), time.monotonic()
    ended, exits = len(scene.ends), sum(scene.fleet.exits.values())
    span = await fault.do(scene)
    published = await span.published
    await asyncio.sleep(_AFTERWARDS)  # of the measurement
    until = time.monotonic()
    broken = list(span.broken)
    ends = scene.ends[ended:]
    broken += [f"{end.name} was asked to stop and ended with {end.code}" for end in ends if end.code != 0]
    if sum(scene.fleet.exits.values()) > exits:
        broken.append(f"a process ended by itself: {dict(scene.fleet.exits)}")
    return Life(
        fault.name,
        round(until - began, 1),
        {name: round(_silence(scene.load.acknowledged_by[name], span.counted_from, until), 2) for name in WRITERS},
        round(published, 2),
        len(scene.load.acknowledged) - acknowledged,
        scene.load.errors - errors,
        round(max((end.seconds for end in ends), default=0.0), 1),
        broken,
    )


def _silence(acknowledged: Sequence[float], since: float, until: float) -> float:
    times = [since, *sorted(at for at in acknowledged if since < at < until), until]
    return max(later - earlier for earlier, later in pairwise(times))


def table(lives: Sequence[Life]) -> list[str]:
    """A line for each fault: medians, and the worst where there were several."""
    lines = [f"{'fault':<20} {'n':>3} {'silence s':>22} {'in Kafka s':>12} {'acknowledged':>12} {'errors':>7} {'stopped s':>10}"]
    for name in dict.fromkeys(life.fault for life in lives):
        found = [life for life in lives if life.fault == name]
        silence = " ".join(f"{service[0]} {_spread([life.silence[service] for life in found])}" for service in WRITERS)
        lines.append(
            f"{name:<20} {len(found):>3} {silence:>22} {_spread([life.published for life in found]):>12} "
            f"{sum(life.acknowledged for life in found):>12,} {sum(life.errors for life in found):>7,} "
            f"{max(life.stopping for life in found) or '':>10}"
        )
    return lines


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.1f}" + (f"/{max(seconds):.1f}" if len(seconds) > 1 else "")


def to_json(lives: Sequence[Life]) -> list[dict[str, Any]]:
    """As stored."""
    return [asdict(life) for life in lives]
