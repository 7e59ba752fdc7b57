"""latency: from the 201 until the figure shows in metrics' API, at 100 registrations a second.

The k-th acknowledgement is paired with the first answer that shows k people or more. Aim: p50 <= 30 ms, p99 <= 150 ms.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from pathlib import Path

import httpx2

from bench import bodies
from bench.result import Result
from deploy.local.stack import Stack
from tests.harness.platform import Platform

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


async def _run(registration: str, metrics: str, headers: dict[str, str]) -> list[float]:
    acknowledged: list[float] = []
    shown: list[float] = []
    wanted = RATE * SECONDS + WARM_UP
    async with httpx2.AsyncClient(headers=headers, timeout=30) as client:

        async def register(body: str) -> None:
            answer = await client.post(
                f"{registration}/v1/jakpreneurs", content=body, headers={"Content-Type": "application/json"}
            )
            answer.raise_for_status()
            acknowledged.append(time.perf_counter())

        async def watch() -> None:
            while len(shown) < wanted:
                answer = await client.get(f"{metrics}/v1/progress/series?measure=registered&by=year")
                items = answer.json()["items"]
                now = time.perf_counter()
                count = (items[-1]["cumulative"] or 0) if items else 0
                shown.extend([now] * (count - len(shown)))
                await asyncio.sleep(0.002)

        watching = asyncio.create_task(watch())
        sending = []
        started = time.perf_counter()
        for number, body in enumerate(bodies.bodies(wanted, seed=13)):
            await asyncio.sleep(max(0.0, started + number / RATE - time.perf_counter()))
            sending.append(asyncio.create_task(register(body)))
        await asyncio.gather(*sending)
        await asyncio.wait_for(watching, 60)
    return [after - before for before, after in zip(acknowledged, shown, strict=True)][WARM_UP:]
