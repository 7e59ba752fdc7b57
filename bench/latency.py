"""latency: from the 201 until the figure shows in metrics' API, at 100 registrations a second.

The k-th acknowledgement is paired with the first answer that shows k people or more. Aim: p50 <= 30 ms, p99 <= 150 ms.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
from pathlib import Path

import httpx2

from bench import bodies
from bench.result import Result
from deploy.local.stack import Stack
from tests.harness.platform import Platform
from tests.harness.waiting import eventually

RATE, SECONDS, WARM_UP = 100, 20, 200


def measure(stack: Stack, directory: Path) -> list[Result]:
    """Registration and metrics as one process each."""
    with Platform(stack, directory) as platform:
        registration, metrics = platform.start("registration"), platform.start("metrics")
        registration.wait_ready()
        metrics.wait_ready()
        latencies = asyncio.run(_run(registration.url, metrics.url, platform.bearer(["officer"])))
    cuts = statistics.quantiles(latencies, n=100)
    return [
        Result("latency p50", round(cuts[49] * 1000, 1), "ms", target="<= 30"),
        Result("latency p99", round(cuts[98] * 1000, 1), "ms", target="<= 150"),
    ]


def measure_two_replicas(stack: Stack, directory: Path) -> list[Result]:
    """Two replicas of registration and of metrics: registrations at one of them, once at the relay's and once at the other."""
    with Platform(stack, directory) as platform:
        replicas = [platform.start("registration").wait_ready() for _ in range(2)]
        metrics = [platform.start("metrics").wait_ready() for _ in range(2)]
        holders = eventually(lambda: [p for p in replicas if p.metric("relay_lease_held") == 1.0], 20, "one holds the lease")
        others = [p for p in replicas if p not in holders]
        found = []
        for name, process in (("the relay's replica", holders[0]), ("the other", others[0])):
            latencies = asyncio.run(_run(process.url, metrics[0].url, platform.bearer(["officer"])))
            cuts = statistics.quantiles(latencies, n=100)
            found.append(Result(f"latency p50, two replicas, at {name}", round(cuts[49] * 1000, 1), "ms", target="<= 40"))
            found.append(Result(f"latency p99, two replicas, at {name}", round(cuts[98] * 1000, 1), "ms"))
        return found


async def _run(registration: str, metrics: str, headers: dict[str, str]) -> list[float]:
    acknowledged: list[float] = []
    shown: list[float] = []
    wanted = RATE * SECONDS + WARM_UP
    async with httpx2.AsyncClient(headers=headers, timeout=30) as client:
        there = await _count(client, metrics)

        async def register(body: str) -> None:
            answer = await client.post(
                f"{registration}/v1/jakpreneurs", content=body, headers={"Content-Type": "application/json"}
            )
            answer.raise_for_status()
            acknowledged.append(time.perf_counter())

        async def watch() -> None:
            while len(shown) < wanted:
                count = await _count(client, metrics) - there
                shown.extend([time.perf_counter()] * (count - len(shown)))
                await asyncio.sleep(0.002)

        watching = asyncio.create_task(watch())
        sending = []
        started = time.perf_counter()
        new_people = itertools.islice(bodies.bodies(wanted + there, seed=13), there, None)
        for number, body in enumerate(new_people):
            await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
            sending.append(asyncio.create_task(register(body)))
        await asyncio.gather(*sending)
        await asyncio.wait_for(watching, 60)
    return [after - before for before, after in zip(acknowledged, shown, strict=True)][WARM_UP:]


async def _count(client: httpx2.AsyncClient, metrics: str) -> int:
    answer = await client.get(f"{metrics}/v1/progress/series?measure=registered&by=year")
    items = answer.json()["items"]
    return int(items[-1]["cumulative"] or 0) if items else 0
