"""Reading the audit log. Next: audit/rules.py, which checks what is read here."""

from __future__ import annotations

from chassis.database.failures import PyMongoError, is_duplicate
from chassis.database.mongo import Mongo
from services.registration.audit.rules import empty_heads
from services.registration.documents import AUDIT, AUDIT_HEADS, AuditEntry, AuditHead


async def ensure_heads(mongo: Mongo) -> None:
    """Every chain has its end before the first entry, so that a chain can't be removed without a trace."""
    known = {head["_id"] async for head in mongo[AUDIT_HEADS].find({}, {"_id": 1})}
    if known:
        return  # made when the log began: one that is missing now was removed, and must not come back in silence
    try:
        await mongo[AUDIT_HEADS].insert_many(empty_heads(), ordered=False)
    except PyMongoError as error:
        if not is_duplicate(error):  # another process made them at the same moment
            raise


class AuditStore:
    """Queries of the audit log."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def log(self) -> tuple[list[AuditEntry], list[AuditHead]]:
        """All entries in the order of their chains, and the ends of these.

        The ends are read first: entries that are appended meanwhile only make a chain longer than its end says.
        """
        heads: list[AuditHead] = await self._mongo[AUDIT_HEADS].find({}).sort("_id", 1).to_list(None)
        entries: list[AuditEntry] = await self._mongo[AUDIT].find({}).sort("_id", 1).to_list(None)
        return entries, heads
