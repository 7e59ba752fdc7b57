"""The audit log: append-only, hash-chained, written in the transaction of the act. Field names and reasons, never values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from chassis.documents import Document, DocumentId
from chassis.writing.decision import Documents, Write

AUDIT = "audit"
HEAD: DocumentId = ("audit_head", "head")
_START = "0" * 64


def append(
    documents: Documents, now: datetime, *, actor: str, act: str, subject: str, detail: dict[str, Any]
) -> tuple[Write, Write]:
    """The writes of one entry: the entry itself and the new head of the chain."""
    head = documents.get(*HEAD) or {"_id": HEAD[1], "number": 0, "hash": _START}
    number = head["number"] + 1
    entry: Document = {
        "_id": f"{number:012d}",
        "at": now.isoformat(),
        "actor": actor,
        "act": act,
        "subject": subject,
        "detail": detail,
        "previous": head["hash"],
    }
    entry["hash"] = entry_hash(entry)
    return Write(AUDIT, entry), Write(HEAD[0], {**head, "number": number, "hash": entry["hash"]})


def entry_hash(entry: Document) -> str:
    """SHA-256 over the entry's content and the hash before it."""
    content = {name: value for name, value in entry.items() if name not in ("hash", "version")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def first_bad(entries: Iterable[Document], head: Document | None = None) -> str | None:
    """The `_id` of the first entry that was altered, removed or put in between; None for a sound chain.

    `head`, read before the entries, tells of entries removed from the end: the chain alone can't.
    """
    previous, number = _START, 0
    promised = head["number"] if head is not None else 0
    for number, entry in enumerate(entries, start=1):
        if entry["_id"] != f"{number:012d}" or entry["previous"] != previous or entry["hash"] != entry_hash(entry):
            return str(entry["_id"])
        previous = entry["hash"]
        if head is not None and number == promised and previous != head["hash"]:
            return str(entry["_id"])
    return f"{number + 1:012d}" if number < promised else None
