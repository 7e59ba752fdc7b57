"""Reading the audit log. Next: audit/rules.py, which checks what is read here."""

from __future__ import annotations

from chassis.database.mongo import Mongo
from services.registration.documents import AUDIT, AUDIT_HEAD, AuditEntry, AuditHead


class AuditStore:
    """Queries of the audit log."""

    def __init__(self, mongo: Mongo) -> None:
        self._mongo = mongo

    async def chain(self) -> tuple[list[AuditEntry], AuditHead | None]:
        """All entries in order, and the head.

        The head is read first: entries that are appended meanwhile only make the list longer than the head says.
        """
        collection, identity = AUDIT_HEAD
        head: AuditHead | None = await self._mongo[collection].find_one({"_id": identity})
        entries: list[AuditEntry] = await self._mongo[AUDIT].find({}).sort("_id", 1).to_list(None)
        return entries, head
