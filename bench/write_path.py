"""write_path: POST /v1/jakpreneurs, everything on, against a bare FastAPI + motor `insert_one` app of the same body, both empty.

Load by wrk in turn: ours, the peer, ours, the peer …, each body once. Aims: >= 1.5 at 64 connections, >= 0.9 at 16.
"""

from __future__ import annotations

import statistics
from pathlib import Path

from bench.load import Load
from bench.peer import PEER, running_peer
from bench.result import Result, compared
from deploy.local.stack import Stack
from tests.harness.platform import Platform

SECONDS, ROUNDS = 4, 3


def measure(stack: Stack, directory: Path) -> list[Result]:
    """Both numbers of connections, one process for everything, on each driver."""
    results: list[Result] = []
    for driver in ("motor", "pymongo"):
        with Platform(stack, directory, environment={"JAKPRENEUR_MONGO_DRIVER": driver}) as platform:
            ours = platform.start("registration").wait_ready()
            load = Load(directory, platform.token(["officer"]))
            with running_peer(stack, f"peer_{platform.prefix}") as peer:
                for connections, aim in ((64, ">= 1.5"), (16, ">= 0.9")):
                    results += _compare(load, ours.url, peer, connections, aim, driver)
    return results


def _compare(load: Load, ours: str, peer: str, connections: int, aim: str, driver: str) -> list[Result]:
    pairs = [(load.window(ours, connections, SECONDS), load.window(peer, connections, SECONDS)) for _ in range(ROUNDS)]
    per_second = [(mine.per_second, other.per_second) for mine, other in pairs]
    p99 = statistics.median(mine.p99_ms for mine, _ in pairs)
    return [
        compared(f"write_path, {connections} connections, {driver}", "requests/s", per_second, PEER, aim),
        Result(f"write_path p99, {connections} connections, {driver}", p99, "ms"),
    ]
