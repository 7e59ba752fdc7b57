"""import: rows a second of POST /v1/imports, the time until metrics has counted all, and the memory of the services after it.

Against `insert_many` of the documents that the import stores.
"""

from __future__ import annotations

import time
from pathlib import Path

import httpx2
from pymongo import MongoClient

from bench.result import Result, compared
from demo.history import write_csv
from deploy.local.stack import Stack
from tests.harness.platform import Platform
from tests.harness.waiting import eventually

ROWS = 60_000
SERVICES = ("registration", "training", "metrics")


def measure(stack: Stack, directory: Path) -> list[Result]:
    """One import with all three services running, as in the demonstration."""
    file = directory / "import.csv"
    write_csv(file, ROWS, 11, None)
    with Platform(stack, directory) as platform:
        processes = {name: platform.start(name) for name in SERVICES}
        for process in processes.values():
            process.wait_ready()
        headers = platform.bearer(["officer"])
        started = time.perf_counter()
        with httpx2.Client(base_url=processes["registration"].url, headers=headers, timeout=120) as client:
            answer = client.post("/v1/imports", content=file.read_bytes(), headers={"Content-Type": "text/csv"})
            path = f"/v1/imports/{answer.raise_for_status().json()['import_id']}"
            eventually(lambda: client.get(path).json()["state"] == "done", 300, "the import is done")
        stored = time.perf_counter() - started
        url = f"{processes['metrics'].url}/v1/progress?as_of=2021-03-02"
        eventually(lambda: httpx2.get(url, headers=headers).json()["registered_total"] == ROWS, 300, "metrics has counted all")
        counted = time.perf_counter() - started
        eventually(lambda: processes["training"].metric("consumer_lag_events") == 0, 300, "training knows everybody")
        memory = [
            Result(f"memory of {name}", round(p.metric("process_resident_memory_bytes") / 1e6, 1), "MB", target="<= 120")
            for name, p in processes.items()
        ]
    peer = _insert_many(stack, f"{platform.prefix}_registration")
    return [
        compared("import", "rows/s", [(ROWS / stored, peer)], "insert_many of the documents stored", "-"),
        Result("import, all counted by metrics", round(ROWS / counted, 1), "rows/s"),
        *memory,
    ]


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
