"""The clients' ledger: intents before a request is sent, outcomes after its answer, in a file that survives anything.

Every line is on disk (fsync) before its writer goes on; the lines that wait together share one fsync. An intent without an
outcome is an unknown one.
"""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

Outcome = Literal["ok", "fail", "unknown"]


@dataclass
class Act:
    """One thing that a client wanted done. `key` is its Idempotency-Key, the same in every retry.

    ok: a 2xx. fail: a definite refusal. unknown: no answer, or one that says so (5xx), up to the last retry.
    """

    key: str
    kind: str
    what: dict[str, Any] = field(default_factory=dict)
    outcome: Outcome = "unknown"
    status: int | None = None
    reply: dict[str, Any] = field(default_factory=dict)


class ClientLedger:
    """Appends to the file. A context manager: leaving it closes the file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = path.open("ab")
        self._lines: list[bytes] = []
        self._waiting: list[asyncio.Future[None]] = []
        self._flushing: asyncio.Task[None] | None = None

    async def intend(self, act: Act) -> None:
        """Durable before the request goes out."""
        await self._append({"key": act.key, "kind": act.kind, "what": act.what})

    async def settle(self, act: Act) -> None:
        """Durable before the client goes on."""
        await self._append({"key": act.key, "outcome": act.outcome, "status": act.status, "reply": act.reply})

    async def _append(self, entry: dict[str, Any]) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._lines.append(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        self._waiting.append(waiter)
        if self._flushing is None or self._flushing.done():
            self._flushing = asyncio.create_task(self._flush())
        await waiter

    async def _flush(self) -> None:
        while self._waiting:
            lines, waiting = self._lines, self._waiting
            self._lines, self._waiting = [], []
            await asyncio.to_thread(self._write, lines)
            for waiter in waiting:
                if not waiter.done():
                    waiter.set_result(None)

    def _write(self, lines: list[bytes]) -> None:
        self._file.write(b"".join(lines))
        self._file.flush()
        os.fsync(self._file.fileno())

    def __enter__(self) -> ClientLedger:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._file.close()


def read(path: Path) -> list[Act]:
    """All acts of a file, in the order of their intents."""
    acts: dict[str, Act] = {}
    with path.open("rb") as file:
        for line in file:
            entry = json.loads(line)
            if "kind" in entry:
                acts[entry["key"]] = Act(**entry)
            else:
                act = acts[entry["key"]]
                act.outcome, act.status, act.reply = entry["outcome"], entry["status"], entry["reply"]
    return list(acts.values())
