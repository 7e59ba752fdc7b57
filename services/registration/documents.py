"""What registration stores: the name of each collection, the form of each `_id`, and the shape of each document.

Days are ISO texts of Asia/Jakarta ("2021-03-02"), moments are UTC. Areas are Kemendagri codes ("31.71.01.1001").
Personal data is stored encrypted, in `sealed` of a jakpreneur and in `sealed` of an import's chunk, and nowhere in the clear.
The write door (chassis/writing/staging.py) adds `version`, which guards against lost updates, and `sequence`, the number of
the last event that was published about the document.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NotRequired, TypedDict, cast

from chassis.documents import Document
from chassis.writing.decision import Documents

JAKPRENEURS = "jakpreneurs"
IDENTITIES = "identities"
AUDIT = "audit"
AUDIT_HEADS = "audit_heads"
AUDIT_CHAINS = 64
RECEIPTS = "receipts"
IMPORTS = "imports"
IMPORT_CHUNKS = "import_chunks"
IMPORT_ERRORS = "import_errors"

Status = Literal["submitted", "verified", "rejected"]
ImportStatus = Literal["queued", "running", "done", "failed"]
Severity = Literal["error", "warning"]


class Versioned(TypedDict):
    """What the write door adds to every document that goes through it."""

    version: NotRequired[int]  # 1 after the insert, one more with every replacement
    sequence: NotRequired[int]  # number of the last event about this document; missing if there was none


class BusinessProfile(TypedDict, total=False):
    """The coarse attributes of a business; a field that nobody gave is missing."""

    commodity: str  # code of the commodity group
    kbli: str  # KBLI code, 5 digits
    kbli_version: str  # edition of the KBLI code: "2020" or "2025"
    started_on: str  # day on which the business began to trade


class Profile(BusinessProfile):
    """The coarse attributes of a person: none of them is personal data, so they are stored in the clear."""

    kelurahan: str  # domicile
    kecamatan: str
    kota: str
    category: str  # "pemula" or "naik_kelas" (R5)
    gender: str  # "female" or "male"
    dinas: NotRequired[str]  # code of the office that answers for the person; missing until one does


class StoredFinding(TypedDict):
    """One failing field of a refused row, or a warning; it carries no value, for values may be personal data."""

    field: str
    code: str
    message_id: str  # in Bahasa Indonesia
    message_en: str


class ConsentRecord(TypedDict):
    """What the person agreed to (R17)."""

    version: str  # version of the text
    given_at: str  # ISO 8601 with offset


class JakpreneurDocument(Profile, Versioned):
    """A registered person and their business. Written by RegisterJakpreneur and VerifyJakpreneur (people/rules.py)."""

    _id: str  # "jkp_…", random and public
    status: Status
    registered_on: str  # day of registration
    channel: str  # "online", "office", "event" or "import"
    consent: ConsentRecord
    identity: str  # `_id` of the person's identity document
    key: Mapping[str, object]  # the person's data key, wrapped by a master key: {version, wrapped}
    sealed: Mapping[str, bytes]  # personal data by field name, each encrypted under the person's data key
    created_at: datetime  # UTC
    warnings: NotRequired[list[StoredFinding]]  # what a verifier may want to check; missing if there was nothing
    verified_on: NotRequired[str]  # day of verification: the date of stage P1
    rejected_on: NotRequired[str]  # day of rejection
    reasons: NotRequired[list[str]]  # short codes of a rejection, never text about the person
    verified_by: NotRequired[str]  # id of the caller who verified or rejected, or who imported the verification


class IdentityDocument(Versioned):
    """Who holds a NIK: its uniqueness is R2. Written by RegisterJakpreneur in the transaction of the registration."""

    _id: str  # keyed HMAC of the NIK (the blind index), hexadecimal
    jakpreneur_id: str  # the person who holds the NIK; replaced only after a rejection
    origin: NotRequired[str]  # the import row that registered the person, see `row_origin`


class ReceiptDocument(Versioned):
    """Whom an anonymous registration was about: the person it registered, or who held the NIK already. Kept for 90 days."""

    _id: str  # "rcp_…", all that the caller hears
    jakpreneur_id: str
    expires_at: datetime  # UTC


class AuditEntry(Versioned):
    """One act on personal data. Written by `append` (audit/rules.py) in the transaction of the act, and never changed."""

    _id: str  # chain and place in it, see `audit_entry_id`
    at: str  # ISO 8601, UTC
    actor: str  # id of the caller
    act: str  # "reveal"
    subject: str  # id of the person whose data it was
    detail: dict[str, object]  # names of fields, never values; the reason sealed under the person's key, hexadecimal
    previous: str  # `hash` of the entry before; 64 noughts for the first
    hash: NotRequired[str]  # SHA-256 over the other fields, hexadecimal


class AuditHead(Versioned):
    """The end of one of the 64 chains of the audit log. Written by `append` together with each entry."""

    _id: str  # the chain's number, two digits
    number: int  # how many entries the chain has
    hash: str  # `hash` of the last entry


class ImportDocument(Versioned):
    """One import. Inserted by QueueImport (imports/rules.py); its progress is written by the worker that holds the lease."""

    _id: str  # "imp_" and 32 digits of a keyed hash of the file: the same file has the same id
    upload: str  # "upl_…", the upload whose chunks are read
    key: NotRequired[Mapping[str, object]]  # the file's key, wrapped: {version, wrapped}; destroyed when the import ends
    bytes: int  # size of the file
    by: str  # id of the caller who uploaded it
    migrator: NotRequired[bool]  # the caller may import verifications (`verified_on`)
    state: ImportStatus
    created_at: datetime  # UTC
    rows_total: int | None  # rows of the file; None until they are counted
    rows_done: int  # rows decided
    accepted: int  # rows that are registrations now
    rejected: int  # rows that were refused
    warned: NotRequired[int]  # rows that are registrations, with warnings
    reason: str | None  # why the import failed
    errors: NotRequired[list[StoredFinding]]  # likewise, for the officer
    attempts: int  # runs that ended with a bug


class ImportChunk(TypedDict):
    """One piece of an import's file, encrypted. Written by the upload, deleted when the import ends."""

    _id: str  # see `chunk_id`
    upload: str
    number: int  # from 0
    sealed: bytes
    created_at: datetime  # UTC


class NotedRow(TypedDict):
    """A row that is no registration, or one with warnings. Written by the import's worker in the transaction that counts it."""

    _id: str  # see `noted_row_id`
    import_id: str
    row: int  # as Excel counts the rows of the file
    severity: Severity
    errors: list[StoredFinding]


def audit_chain_of(subject: str) -> str:
    """The chain that a person's entries are in: so many chains that two acts at once seldom want the same end of one."""
    return f"{zlib.crc32(subject.encode()) % AUDIT_CHAINS:02d}"


def audit_entry_id(chain: str, number: int) -> str:
    """The `_id` of an audit entry: `<chain>:<place from 1>`, padded so that text order is the chain's order."""
    return f"{chain}:{number:012d}"


def chunk_id(upload: str, number: int) -> str:
    """The `_id` of a chunk: `<upload>:<number from 0>`."""
    return f"{upload}:{number:08d}"


def noted_row_id(import_id: str, line: int) -> str:
    """The `_id` of a noted row: `<import>:<row>`."""
    return f"{import_id}:{line:09d}"


def row_origin(import_id: str, number: int) -> str:
    """What a registration that an import made remembers: `<import>:<number of the row from 1>`."""
    return f"{import_id}:{number}"


def stored(document: Mapping[str, object]) -> Document:
    """A typed document as the write door and the driver take it."""
    return cast("Document", document)


def find_jakpreneur(documents: Documents, jakpreneur_id: str) -> JakpreneurDocument | None:
    """The person in a rule's working set, or None."""
    return cast("JakpreneurDocument | None", documents.get(JAKPRENEURS, jakpreneur_id))


def find_identity(documents: Documents, identity: str) -> IdentityDocument | None:
    """The identity in a rule's working set, or None."""
    return cast("IdentityDocument | None", documents.get(IDENTITIES, identity))


def find_audit_head(documents: Documents, chain: str) -> AuditHead | None:
    """The end of an audit chain in a rule's working set, or None before the first entry."""
    return cast("AuditHead | None", documents.get(AUDIT_HEADS, chain))


def find_import(documents: Documents, import_id: str) -> ImportDocument | None:
    """The import in a rule's working set, or None."""
    return cast("ImportDocument | None", documents.get(IMPORTS, import_id))
