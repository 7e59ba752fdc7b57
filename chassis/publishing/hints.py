"""Hints between processes: a commit on one replica wakes the relay on another.

Who commits without holding the lease adds a document to a small capped collection, which the relay that holds the lease
follows. Only a hint: the relay looks at the outbox once a second whatever it hears, so one that is lost costs that second.

Not a change stream: to follow one collection the server looks at everything that anybody writes, in every service
(docs/decisions/0013). Next: relay.py.
"""

from __future__ import annotations

import asyncio
import time

from chassis import logs
from chassis.database import capped
from chassis.database.failures import PyMongoError
from chassis.database.mongo import Mongo
from chassis.publishing.relay import Relay

HINTS = "outbox_hints"
_BYTES, _DOCUMENTS = 64 * 1024, 1000  # kept; a relay that lags by more opens its cursor anew
_FOLLOW_SECONDS, _TROUBLE_SECONDS = 30.0, 1.0
log = logs.get(__name__)


async def ensure_hints(mongo: Mongo) -> None:
    """The collection, before the first commit."""
    await capped.ensure(mongo, HINTS, _BYTES, _DOCUMENTS)


class Hints:
    """`saved` after each commit; `give` runs in every process, `follow` in those with a relay."""

    def __init__(self, mongo: Mongo, relay: Relay) -> None:
        self._mongo = mongo
        self._relay = relay
        self._saved = asyncio.Event()

    def saved(self) -> None:
        """This process has committed events: its own relay hears it at once, another one by a hint."""
        self._relay.nudge()
        self._saved.set()

    async def give(self) -> None:
        """Tell the relay elsewhere: one hint for all that is committed while the last one is on its way."""
        while True:
            await self._saved.wait()
            self._saved.clear()
            if not self._relay.holds_lease:
                try:
                    await capped.append(self._mongo, HINTS)
                except PyMongoError as error:
                    log.info("relay_hint_not_given", error=type(error).__name__)

    async def follow(self) -> None:
        """While this process holds the lease: wake its relay for every hint."""
        while True:
            await self._relay.lease_taken()
            try:
                await capped.append(self._mongo, HINTS)  # of an empty collection no end can be followed
                async with capped.follow(self._mongo, HINTS) as cursor:
                    # Opened anew now and then: after a step-down it would go on with a server that is the primary no more.
                    until = time.monotonic() + _FOLLOW_SECONDS
                    while cursor.alive and self._follows(until):
                        async for _ in cursor:  # ends when nothing came for a second
                            self._relay.nudge()
                            if not self._follows(until):
                                break
            except PyMongoError as error:
                log.info("relay_hint_lost", error=type(error).__name__)
                await asyncio.sleep(_TROUBLE_SECONDS)

    def _follows(self, until: float) -> bool:
        return self._relay.holds_lease and time.monotonic() < until
