"""lived_write: POST /v1/jakpreneurs with half a million people stored, against a bare FastAPI + motor app with as many.

Six windows of ten seconds each, ours and the peer's in turn. With all three services running: >= 1.3 at 64 connections, the
last window >= 0.9 of the first, a tenth of the bodies repeated >= 0.8 of none, p99 <= 100 ms; >= 0.9 at 16. Registration
alone: >= 1.8.
"""

from __future__ import annotations

import statistics
from functools import partial
from pathlib import Path

from bench import lived
from bench.load import Load, Window
from bench.peer import PEER, running_peer
from bench.result import Result, compared
from deploy.local.stack import Stack
from tests.harness.platform import Platform, ServiceProcess
from tests.harness.waiting import eventually

WINDOWS, SECONDS = 6, 10
KNOWN = 20_000  # people of the warm-up, some of whom are repeated


def measure(stack: Stack, directory: Path, driver: str = "motor") -> list[Result]:
    """One filled platform and one filled peer for all of it."""
    with Platform(stack, directory, environment={"JAKPRENEUR_MONGO_DRIVER": driver}) as platform:
        lived.fill(platform.settings())
        database = f"peer_{platform.prefix}"
        lived.fill_peer(stack, database)
        processes = {name: platform.start(name).wait_ready() for name in ("registration", "training", "metrics")}
        load = Load(directory, platform.token(["officer"]))
        ours = processes["registration"].url
        with running_peer(stack, database) as peer:
            load.window(ours, 64, SECONDS)  # warm-up: these people are known from here on
            results = _whole_platform(load, ours, peer, driver)
            for process in (processes["training"], processes["metrics"]):
                eventually(partial(_caught_up, process), 120, f"{process.name} has caught up")
                process.terminate()
            results += _alone(load, ours, peer, driver)
        return results


def _caught_up(process: ServiceProcess) -> bool:
    return process.metric("consumer_lag_events") == 0


def _whole_platform(load: Load, ours: str, peer: str, driver: str) -> list[Result]:
    mine, theirs, mixed = list[Window](), list[Window](), list[Window]()
    for _ in range(WINDOWS):
        mine.append(load.window(ours, 64, SECONDS))
        mixed.append(load.window(ours, 64, SECONDS, repeat=10, known=KNOWN))
        theirs.append(load.window(peer, 64, SECONDS))
    sixteen = [(load.window(ours, 16, SECONDS), load.window(peer, 16, SECONDS)) for _ in range(2)]
    name = f"lived_write, {driver}, whole platform"
    return [
        compared(f"{name}, 64 connections", "requests/s", _pairs(mine, theirs), PEER, ">= 1.3"),
        compared(f"{name}, last window", "requests/s", _pairs(mine[-1:], mine[:1]), "the first window", ">= 0.9"),
        compared(f"{name}, a tenth repeated", "requests/s", _pairs(mixed, mine), "none repeated", ">= 0.8"),
        Result(f"{name}, p99", round(statistics.median(w.p99_ms for w in mine), 1), "ms", target="<= 100"),
        compared(f"{name}, 16 connections", "requests/s", [(a.per_second, b.per_second) for a, b in sixteen], PEER, ">= 0.9"),
    ]


def _alone(load: Load, ours: str, peer: str, driver: str) -> list[Result]:
    pairs = [(load.window(ours, 64, SECONDS), load.window(peer, 64, SECONDS)) for _ in range(3)]
    found = [(mine.per_second, other.per_second) for mine, other in pairs]
    return [compared(f"lived_write, {driver}, registration alone, 64 connections", "requests/s", found, PEER, ">= 1.8")]


def _pairs(values: list[Window], peers: list[Window]) -> list[tuple[float, float]]:
    return [(value.per_second, other.per_second) for value, other in zip(values, peers, strict=True)]
