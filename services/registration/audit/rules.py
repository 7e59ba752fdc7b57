"""The audit log, pure: entries that are only ever appended, each with the hash of the one before.

An entry is written in the transaction of the act that it records. It holds names of fields and a reason, never values. The log is
64 chains by person: one chain's end would be a document that every act rewrites, and acts at once would wait for each other.
Next: audit/store.py, which reads the chain for `jakpreneur audit verify`.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime

from chassis.documents import DocumentId
from chassis.writing.decision import Documents, Write
from services.registration.documents import (
    AUDIT,
    AUDIT_CHAINS,
    AUDIT_HEADS,
    AuditEntry,
    AuditHead,
    audit_chain_of,
    audit_entry_id,
    find_audit_head,
    stored,
)

_START = "0" * 64


def append(
    documents: Documents, now: datetime, *, actor: str, act: str, subject: str, detail: dict[str, object]
) -> tuple[Write, Write]:
    """The writes of one entry: the entry itself and the new head of the chain.

    `actor` is the id of the caller, `subject` that of the person whose data it is. The decision must read the end of the
    subject's chain (`head_of`).
    """
    chain = audit_chain_of(subject)
    head = find_audit_head(documents, chain) or AuditHead(_id=chain, number=0, hash=_START)
    number = head["number"] + 1
    entry: AuditEntry = {
        "_id": audit_entry_id(chain, number),
        "at": now.isoformat(),
        "actor": actor,
        "act": act,
        "subject": subject,
        "detail": detail,
        "previous": head["hash"],
    }
    entry["hash"] = entry_hash(entry)
    after: AuditHead = {**head, "number": number, "hash": entry["hash"]}
    return Write(AUDIT, stored(entry)), Write(AUDIT_HEADS, stored(after))


def head_of(subject: str) -> DocumentId:
    """The end of the chain in which a person's entries are."""
    return AUDIT_HEADS, audit_chain_of(subject)


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256, hexadecimal, over the entry's content, which includes the hash of the entry before."""
    content = {name: value for name, value in entry.items() if name not in ("hash", "version")}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def first_bad(chain: str, entries: Iterable[AuditEntry], head: AuditHead | None = None) -> str | None:
    """The `_id` of the first entry of a chain that was altered, removed or put in between; None for a sound chain.

    `entries` are in the order of their `_id`s. The chain alone can't show that entries were removed from its end: `head`
    does, if it was read before the entries.
    """
    previous, number = _START, 0
    promised = head["number"] if head is not None else 0
    for number, entry in enumerate(entries, start=1):
        sound = entry["_id"] == audit_entry_id(chain, number) and audit_chain_of(entry.get("subject", "")) == chain
        if not sound or entry["previous"] != previous or entry["hash"] != entry_hash(entry):
            return entry["_id"]
        previous = entry["hash"]
        if head is not None and number == promised and previous != head["hash"]:
            return entry["_id"]
    return audit_entry_id(chain, number + 1) if number < promised else None


def first_bad_of_all(entries: Iterable[AuditEntry], heads: Iterable[AuditHead]) -> str | None:
    """The first bad entry of the whole log, or the end of a chain that is missing; None for a sound log.

    Every chain has had its end since the log began, so a chain that was removed as a whole is missed.
    """
    ends = {head["_id"]: head for head in heads}
    by_chain: dict[str, list[AuditEntry]] = {f"{number:02d}": [] for number in range(AUDIT_CHAINS)}
    for entry in entries:
        chain = entry["_id"].partition(":")[0]
        if chain not in by_chain:
            return entry["_id"]
        by_chain[chain].append(entry)
    for chain, chained in by_chain.items():
        if chain not in ends:
            return f"{chain}:end"
        bad = first_bad(chain, chained, ends[chain])
        if bad is not None:
            return bad
    return None


def empty_heads() -> list[AuditHead]:
    """The ends of all chains before the first entry."""
    return [AuditHead(_id=f"{number:02d}", number=0, hash=_START, version=1) for number in range(AUDIT_CHAINS)]
