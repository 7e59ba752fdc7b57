"""write_path: POST /v1/jakpreneurs, everything on, against a bare FastAPI + motor `insert_one` app of the same body.

Load by wrk in turn: ours, the peer, ours, the peer …, each body once. Aims: >= 1.5 at 64 connections, >= 0.9 at 16.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2

from bench import bodies
from bench.result import Result, compared
from deploy.local.ports import HeldPort
from deploy.local.stack import Stack
from tests.harness.platform import Platform, ServiceProcess
from tests.harness.waiting import eventually

SCRIPT = Path(__file__).parent / "post.lua"
SECONDS, ROUNDS = 4, 3
_MOST_PER_SECOND = 7000
PEER = "bare FastAPI + motor insert_one"


def measure(stack: Stack, directory: Path) -> list[Result]:
    """Both numbers of connections, one process for everything, on each driver."""
    file = directory / "bodies.jsonl"
    bodies.write(file, SECONDS * _MOST_PER_SECOND * ROUNDS * 2, seed=7)
    results: list[Result] = []
    for driver in ("motor", "pymongo"):
        with Platform(stack, directory, environment={"JAKPRENEUR_MONGO_DRIVER": driver}) as platform:
            ours = platform.start("registration").wait_ready()
            with _peer(stack, platform.prefix) as peer:
                results += _compare(platform, ours, peer, file, driver)
    return results


@contextlib.contextmanager
def _peer(stack: Stack, prefix: str) -> Iterator[str]:
    """The peer's address while it runs."""
    port = HeldPort()
    environment = os.environ | {
        "PEER_MONGODB_URL": stack.environment()["JAKPRENEUR_MONGODB_URL"],
        "PEER_PORT": str(port.number),
        "PEER_DATABASE": f"peer_{prefix}",
    }
    process = subprocess.Popen([sys.executable, "-m", "bench.peer_app"], env=environment)
    url = f"http://127.0.0.1:{port.number}"
    try:
        eventually(lambda: httpx2.get(f"{url}/openapi.json").status_code == 200, 20, "the peer answers")
        yield url
    finally:
        process.kill()
        process.wait()
        port.release()


def _compare(platform: Platform, ours: ServiceProcess, peer: str, file: Path, driver: str) -> list[Result]:
    token = platform.token(["officer"])
    results = []
    first = 0
    for connections, aim in ((64, ">= 1.5"), (16, ">= 0.9")):
        pairs = []
        latencies = []
        for _ in range(ROUNDS):
            mine = _load(ours.url, token, file, first, connections)
            other = _load(peer, token, file, first, connections)
            first += SECONDS * _MOST_PER_SECOND
            pairs.append((mine["requests"] / mine["seconds"], other["requests"] / other["seconds"]))
            latencies.append(mine["p99_ms"])
        results.append(compared(f"write_path, {connections} connections, {driver}", "requests/s", pairs, PEER, aim))
        results.append(Result(f"write_path p99, {connections} connections, {driver}", sorted(latencies)[ROUNDS // 2], "ms"))
    return results


def _load(url: str, token: str, file: Path, first: int, connections: int) -> dict[str, float]:
    environment = os.environ | {
        "BODIES": str(file),
        "FIRST": str(first),
        "LAST": str(first + SECONDS * _MOST_PER_SECOND),
        "TOKEN": token,
    }
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "-s", str(SCRIPT), f"{url}/v1/jakpreneurs"]
    output = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120).stdout
    answer: dict[str, float] = json.loads(next(line for line in output.splitlines() if line.startswith("{")))
    if answer["errors"]:
        raise RuntimeError(f"{answer['errors']} of {answer['requests']} requests failed: not a measurement")
    return answer
