"""Parts of a process that go on through trouble: they are started again instead of ending the process."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from chassis import logs, telemetry
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace
from chassis.errors import Unavailable

log = logs.get(__name__)
_RESTART_SECONDS, _RESTART_LIMIT = 1.0, 30.0
_WORKER_PAUSE_SECONDS = 1.0
Worker = Callable[[], Awaitable[None]]


async def supervised(name: str, run: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """A part that fails is started again, after a pause that grows as long as it fails within 30 s. It never ends an API."""
    pause = _RESTART_SECONDS
    telemetry.begin_part(name)
    while True:
        begun = time.monotonic()
        try:
            await run()
        except Exception:
            log.critical("part_failed", part=name, exc_info=True)
            telemetry.PART_RESTARTS.labels(name).inc()
            if time.monotonic() - begun > _RESTART_LIMIT:
                pause = _RESTART_SECONDS
            await asyncio.sleep(pause)
            pause = min(_RESTART_LIMIT, pause * 2)
        else:
            return


async def forever(worker: Worker) -> None:
    """A background worker goes on, round after round, through database trouble too.

    A pause follows every round: a worker that finds nothing to do must not spin.
    """
    telemetry.begin_part("worker")
    while True:
        try:
            await worker()
        except (PyMongoError, WriteRace, CommitUnknown, Unavailable) as error:
            log.warning("worker_database_trouble", error=logs.name_of(error))
        except Exception:
            log.critical("worker_failed", exc_info=True)
            telemetry.PART_RESTARTS.labels("worker").inc()
        await asyncio.sleep(_WORKER_PAUSE_SECONDS)


async def quietly(task: asyncio.Task[None]) -> None:
    """Wait for the end of a part, whatever it is."""
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task
