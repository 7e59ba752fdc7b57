"""What an operator looks at and asks for, by HTTP and by the command line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chassis import clock
from chassis.consuming import letter_requests
from chassis.consuming.letter_requests import Ask
from chassis.consuming.standing import standings
from chassis.database import lease
from chassis.database.mongo import Mongo
from chassis.documents import Document
from chassis.operations import replies
from chassis.publishing.relay import LEASE
from chassis.settings import Settings
from chassis.writing import outbox

_PATIENCE_SECONDS = 5.0


class Operations:
    """Of one service. Letters are ended by the consumer that owns their partition: here they are asked for."""

    def __init__(self, mongo: Mongo, settings: Settings) -> None:
        self._mongo = mongo
        self._settings = settings

    async def list_letters(self, wanted: Mapping[str, str], after: tuple[datetime, str] | None, limit: int) -> list[Document]:
        """Letters as they are stored, oldest first."""
        return await letter_requests.letters(self._mongo, wanted, after, limit)

    async def open_letter(self, letter_id: str) -> dict[str, Any]:
        """One letter with its content; raises NotFound."""
        doc = await letter_requests.letter(self._mongo, letter_id)
        return replies.opened_letter(doc, await letter_requests.count_behind(self._mongo, doc))

    async def redrive(self, letter_id: str, ask: Ask) -> dict[str, Any]:
        """Ask for it and wait a moment for the outcome; raises NotFound, and Conflict with what somebody else has asked for."""
        await letter_requests.redrive_one(self._mongo, letter_id, ask)
        return await self._outcome(letter_id)

    async def discard(self, letter_id: str, ask: Ask) -> dict[str, Any]:
        """Ask for it and wait a moment for the outcome; raises NotFound, and Conflict with what somebody else has asked for."""
        await letter_requests.discard(self._mongo, letter_id, ask)
        return await self._outcome(letter_id)

    async def _outcome(self, letter_id: str) -> dict[str, Any]:
        found = await letter_requests.wait_for_outcomes(self._mongo, [letter_id], _PATIENCE_SECONDS)
        return replies.outcome(letter_id, found[letter_id])

    async def list_positions(self) -> list[dict[str, Any]]:
        """Every consumer's place in every partition; raises Unavailable without Kafka."""
        return [replies.position(found) for found in await standings(self._mongo, self._settings)]

    async def show_outbox(self) -> dict[str, Any]:
        """How publishing stands."""
        waiting, oldest = await outbox.pending(self._mongo)
        holder, left = await lease.holder(self._mongo, LEASE)
        return {
            "waiting": waiting,
            "oldest_seconds": (clock.now() - oldest).total_seconds() if oldest else None,
            "relay": holder,
            "lapses_in_seconds": left,
        }
