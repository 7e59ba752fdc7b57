"""import: rows a second of POST /v1/imports, the time until metrics has counted all, and the memory of the services after it.

On an empty platform against `insert_many` of the documents that the import stores; and on one that has lived.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pymongo import MongoClient

from bench import lived
from bench.result import Result, compared
from demo.history import write_csv
from deploy.local.stack import Stack
from tests.harness.platform import Platform, ServiceProcess
from tests.harness.waiting import eventually

ROWS = 60_000
HISTORY = 226_280  # the programme's, by March 2021
SERVICES = ("registration", "training", "metrics")


def measure(stack: Stack, directory: Path) -> list[Result]:
    """One import on an empty platform with all three services running, and their memory after it."""
    with Platform(stack, directory) as platform:
        processes = {name: platform.start(name).wait_ready() for name in SERVICES}
        run = _import(platform, processes, directory, ROWS)
        memory = [
            Result(f"memory of {name}", round(p.metric("process_resident_memory_bytes") / 1e6, 1), "MB", target="<= 120")
            for name, p in processes.items()
        ]
    peer = _insert_many(stack, f"{platform.prefix}_registration")
    return [
        compared("import", "rows/s", [(ROWS / run.stored, peer)], "insert_many of the documents stored", "-"),
        Result("import, all counted by metrics", round(ROWS / run.counted, 1), "rows/s"),
        *memory,
    ]


def measure_lived(stack: Stack, directory: Path) -> list[Result]:
    """The programme's whole history on top of half a million people, through to metrics' figures; and whose CPU it took."""
    with Platform(stack, directory) as platform:
        lived.fill(platform.settings())
        processes = {name: platform.start(name).wait_ready() for name in SERVICES}
        servers = {"mongod": stack.mongodb_pid, "kafka": stack.broker_pid} | {name: p.pid for name, p in processes.items()}
        before = {name: _cpu_seconds(pid) for name, pid in servers.items()}
        run = _import(platform, processes, directory, HISTORY)
        cpu = {name: (_cpu_seconds(pid) - before[name]) / HISTORY * 1e6 for name, pid in servers.items()}
    return [
        Result("lived_import, all counted by metrics", round(HISTORY / run.counted, 1), "rows/s", target=">= 6000"),
        Result(
            "lived_import, the last tenth",
            round(run.last_tenth, 1),
            "rows/s",
            "the first tenth",
            round(run.first_tenth, 1),
            round(run.last_tenth / run.first_tenth, 2),
            ">= 0.9",
        ),
        *(Result(f"lived_import, CPU of {name}", round(spent, 1), "us/row") for name, spent in cpu.items()),
        Result("lived_import, CPU of all", round(sum(cpu.values()), 1), "us/row"),
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """One import: seconds until all rows were stored and until all were counted, and rows a second of its tenths."""

    stored: float
    counted: float
    first_tenth: float
    last_tenth: float


def _import(platform: Platform, processes: Mapping[str, ServiceProcess], directory: Path, rows: int) -> Run:
    file = directory / "import.csv"
    write_csv(file, rows, 11, None)
    headers = platform.bearer(["officer", "migrator"])
    figures = f"{processes['metrics'].url}/v1/progress?as_of=2021-03-02"
    with httpx2.Client(base_url=processes["registration"].url, headers=headers, timeout=300) as client:
        there = httpx2.get(figures, headers=headers).json()["registered_total"]
        started = time.perf_counter()
        answer = client.post("/v1/imports", content=file.read_bytes(), headers={"Content-Type": "text/csv"})
        path = f"/v1/imports/{answer.raise_for_status().json()['import_id']}"
        seen: list[tuple[float, int]] = []
        while not seen or seen[-1][1] < rows:
            state = client.get(path).json()
            if state["state"] == "failed" or time.perf_counter() - started > 900:
                raise RuntimeError(f"the import didn't end well: {state}")
            seen.append((time.perf_counter(), state["rows_done"]))
            time.sleep(0.1)
    stored = time.perf_counter() - started
    eventually(
        lambda: httpx2.get(figures, headers=headers).json()["registered_total"] == there + rows, 600, "metrics has counted"
    )
    counted = time.perf_counter() - started
    eventually(lambda: processes["training"].metric("consumer_lag_events") == 0, 300, "training knows everybody")
    return Run(stored, counted, _rate(seen, 0.0, 0.1 * rows), _rate(seen, 0.9 * rows, rows))


def _rate(seen: list[tuple[float, int]], first: float, last: float) -> float:
    within = [(at, done) for at, done in seen if first <= done <= last and done > 0]
    (begun, from_row), (ended, to_row) = within[0], within[-1]
    return (to_row - from_row) / max(ended - begun, 1e-9)


def _cpu_seconds(pid: int) -> float:
    """Time that a process has computed, its own and the system's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _insert_many(stack: Stack, database: str) -> float:
    client: MongoClient[dict[str, object]] = MongoClient(
        stack.environment()["JAKPRENEUR_MONGODB_URL"], w="majority", journal=True
    )
    try:
        documents = {name: list(client[database][name].find({})) for name in ("identities", "jakpreneurs")}
        started = time.perf_counter()
        for name, stored in documents.items():
            for first in range(0, len(stored), 1000):
                client[f"{database}_peer"][name].insert_many(stored[first : first + 1000], ordered=False)
        return len(documents["jakpreneurs"]) / (time.perf_counter() - started)
    finally:
        client.close()
