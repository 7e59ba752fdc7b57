"""The letters that one consumer has put aside, as it must know them: whose events wait, and when letters are due again.

Next: dead_letters.py, which stores them; redrive.py, which applies them.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from chassis.consuming import dead_letters
from chassis.consuming.assignment import Assignment
from chassis.consuming.dead_letters import Blocked
from chassis.consuming.effect import Circumstances, Effect
from chassis.consuming.redrive import Redrive
from chassis.database.mongo import Mongo
from chassis.documents import Document
from contracts.envelope import Event

_AT_A_TIME_SECONDS = 0.5  # for letters, before messages have their turn again
_MEASURE_SECONDS = 15.0  # another replica may have put letters aside, or applied them


class StopAndPage(Exception):
    """Going on would lose data or hide a disaster: the consumer stops, its gauge pages somebody, the API stays up."""


class OpenLetters:
    """`blocked` says which events wait. Owned by one consumer."""

    def __init__(self, mongo: Mongo, consumer: str, topic_prefix: str, waiting_limit: int) -> None:
        self._mongo = mongo
        self._consumer = consumer
        self._topic_prefix = topic_prefix
        self._waiting_limit = waiting_limit
        self._blocked: dict[tuple[str, str], int] = {}
        self._count = 0
        self._measured = 0.0

    @property
    def blocked(self) -> Blocked:
        """Subjects with letters, and from which sequence on their events wait."""
        return self._blocked

    async def reload(self) -> None:
        """Learn what is stored: with a position letters may have come that nobody here knows of."""
        self._blocked, self._count = await dead_letters.open_subjects(self._mongo, self._consumer)

    async def put_aside(self, letters: Sequence[Document]) -> None:
        """These were stored with the last commit. Raises StopAndPage when too many events wait."""
        # In memory first: were the database away now, later events of these subjects would pass their letters.
        for letter in letters:
            if letter["subject"] is not None and letter["state"] != "parked":  # that one is behind another already
                place = (letter["topic"], letter["subject"])
                self._blocked[place] = min(self._blocked.get(place, letter["waits_from"]), letter["waits_from"])
        self._count += len(letters)
        await self._measure()

    async def applied(self, events: Sequence[Event]) -> None:
        """An event that others wait for may have come: they are tried at once."""
        for event in events if self._blocked else ():
            topic = self._topic_prefix + event.data.TOPIC
            if self._blocked.get((topic, event.subject)) == event.sequence + 1:
                await dead_letters.predecessor_came(self._mongo, self._consumer, topic, event.subject)

    async def look_after(self, effect: Effect, place: Assignment, circumstances: Circumstances) -> None:
        """Apply what is due, and measure now and then."""
        due = Redrive(self._mongo, self._consumer, effect, place.expected, circumstances)
        if self._count and await due.run():
            until = time.monotonic() + _AT_A_TIME_SECONDS
            while time.monotonic() < until and await due.run():
                pass
            await self.reload()
            await self._measure()
        elif time.monotonic() > self._measured + _MEASURE_SECONDS:
            await self._measure()

    async def _measure(self) -> None:
        self._measured = time.monotonic()
        counts = await dead_letters.measure(self._mongo, self._consumer)
        if counts["waiting"] > self._waiting_limit:
            raise StopAndPage(f"more than {self._waiting_limit} events wait for one that was never seen")
