"""The audit log, pure: entries that are only ever appended, each with the hash of the one before.

An entry is written in the transaction of the act that it records. It holds names of fields and a reason, never values.
Next: audit/store.py, which reads the chain for `jakpreneur audit verify`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from chassis.writing.decision import Documents, Write
from services.registration.documents import AUDIT, AUDIT_HEAD, AuditEntry, AuditHead, audit_entry_id, find_audit_head, stored

_START = "0" * 64


def append(
    documents: Documents, now: datetime, *, actor: str, act: str, subject: str, detail: dict[str, object]
) -> tuple[Write, Write]:
    """The writes of one entry: the entry itself and the new head of the chain.

    `actor` is the id of the caller, `subject` that of the person whose data it is. The decision must read `AUDIT_HEAD`.
    """
    head = find_audit_head(documents) or AuditHead(_id=AUDIT_HEAD[1], number=0, hash=_START)
    number = head["number"] + 1
    entry: AuditEntry = {
        "_id": audit_entry_id(number),
        "at": now.isoformat(),
        "actor": actor,
        "act": act,
        "subject": subject,
        "detail": detail,
        "previous": head["hash"],
    }
    entry["hash"] = entry_hash(entry)
    after: AuditHead = {**head, "number": number, "hash": entry["hash"]}
    return Write(AUDIT, stored(entry)), Write(AUDIT_HEAD[0], stored(after))


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256, hexadecimal, over the entry's content, which includes the hash of the entry before."""
    content = {name: value for name, value in entry.items() if name not in ("hash", "version")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def first_bad(entries: Iterable[AuditEntry], head: AuditHead | None = None) -> str | None:
    """The `_id` of the first entry that was altered, removed or put in between; None for a sound chain.

    `entries` are in the order of their `_id`s. The chain alone can't show that entries were removed from its end: `head`
    does, if it was read before the entries.
    """
    previous, number = _START, 0
    promised = head["number"] if head is not None else 0
    for number, entry in enumerate(entries, start=1):
        if entry["_id"] != audit_entry_id(number) or entry["previous"] != previous or entry["hash"] != entry_hash(entry):
            return entry["_id"]
        previous = entry["hash"]
        if head is not None and number == promised and previous != head["hash"]:
            return entry["_id"]
    return audit_entry_id(number + 1) if number < promised else None
