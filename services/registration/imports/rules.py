"""The rule of uploads, pure: the same file is imported once, unless its import has failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from chassis.documents import Document
from chassis.writing.decision import Documents, Outcome, Write
from services.registration.documents import IMPORTS, ImportDocument, find_import, stored


@dataclass(frozen=True, slots=True)
class QueueImport:
    """The command: queue a file whose chunks are stored under `upload`; `key` is the file's key, wrapped."""

    import_id: str
    upload: str
    key: Mapping[str, object]
    size: int
    by: str
    migrator: bool = False

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """The same file again changes nothing, unless its import has failed: then it is imported from its beginning.

        The reply names the upload whose chunks the import reads; where that is another upload, this one's can be deleted.
        """
        known = find_import(documents, self.import_id)
        if known is not None and known["state"] != "failed":
            # The same upload was committed by an attempt of the same request whose answer was lost: not a repetition.
            return Outcome(self._reply(known["state"], known["upload"], repeated=known["upload"] != self.upload))
        document: ImportDocument = {
            "_id": self.import_id,
            "upload": self.upload,
            "key": dict(self.key),
            "bytes": self.size,
            "by": self.by,
            "migrator": self.migrator,
            "state": "queued",
            "created_at": now,
            "rows_total": None,
            "rows_done": 0,
            "accepted": 0,
            "rejected": 0,
            "warned": 0,
            "reason": None,
            "attempts": 0,
        }
        return Outcome(self._reply("queued", self.upload, repeated=False), (Write(IMPORTS, stored(document)),))

    def _reply(self, state: str, upload: str, *, repeated: bool) -> Document:
        return {"import_id": self.import_id, "state": state, "repeated": repeated, "upload": upload}
