"""read_path: the dashboard's answers with 20 thousand and with 500 thousand people. Aim: ratio of times <= 1.3.

The people are written through the ledger's own code, without Kafka; the answers come from metrics' API over HTTP.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import httpx2

from bench.lived import fill_ledger
from bench.result import Result
from deploy.local.stack import Stack
from tests.harness.platform import Platform

SMALL, LARGE = 20_000, 500_000
PATHS = ("/v1/progress", "/v1/progress/by/kecamatan", "/v1/funnel")
_REQUESTS = 300


def measure(stack: Stack, directory: Path) -> list[Result]:
    """Both sizes asked in turn."""
    with Platform(stack, directory) as small, Platform(stack, directory) as large:
        processes = []
        for platform, people in ((small, SMALL), (large, LARGE)):
            asyncio.run(fill_ledger(platform.settings(), people))
            processes.append(platform.start("metrics", "api").wait_ready())
        headers = small.bearer(["officer"])
        return [_compare(path, processes[0].url, processes[1].url, headers) for path in PATHS]


def _compare(path: str, small: str, large: str, headers: dict[str, str]) -> Result:
    times: dict[str, list[float]] = {small: [], large: []}
    with httpx2.Client(headers=headers) as client:
        for _ in range(_REQUESTS):
            for url, taken in times.items():
                started = time.perf_counter()
                client.get(url + path).raise_for_status()
                taken.append(time.perf_counter() - started)
    of_small, of_large = (statistics.median(taken) * 1000 for taken in times.values())
    return Result(
        f"read_path {path}, {LARGE} people", round(of_large, 2), "ms", f"the same with {SMALL} people", round(of_small, 2),
        round(of_large / of_small, 2), "<= 1.3",
    )  # fmt: skip
