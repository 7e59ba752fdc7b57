"""The peer of the write measurements as a running process."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator

import httpx2

from deploy.local.ports import HeldPort
from deploy.local.stack import Stack
from tests.harness.waiting import eventually

PEER = "bare FastAPI + motor insert_one"


@contextlib.contextmanager
def running_peer(stack: Stack, database: str) -> Iterator[str]:
    """The peer's address while it runs."""
    port = HeldPort()
    environment = os.environ | {
        "PEER_MONGODB_URL": stack.environment()["JAKPRENEUR_MONGODB_URL"],
        "PEER_PORT": str(port.number),
        "PEER_DATABASE": database,
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
