"""What metrics stores: the name of each collection, the form of each `_id`, and the shape of each document.

Days are ISO texts of Asia/Jakarta ("2021-03-02"), months are "2021-03". Amounts are whole rupiah.
The write door (chassis/writing/staging.py) adds `version`, which guards against lost updates, and `sequence`, the number of
the last event that was published about the document. Of the ledger's collections only those are described here that other
features read; the ledger inserts and increments them itself, without the write door.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict, cast

from chassis.documents import Document
from chassis.writing.decision import Documents

ASSESSMENTS = "assessments"
PERIODS = "assessed_periods"
SUBJECTS = "subjects"
TARGETS = "targets"
FACTS = "facts"

Grade = Literal["self_reported", "documented", "inspected"]


class Versioned(TypedDict):
    """What the write door adds to every document that goes through it."""

    version: NotRequired[int]  # 1 after the insert, one more with every replacement
    sequence: NotRequired[int]  # number of the last event about this document; missing if there was none


class AssessedFigures(TypedDict):
    """The figures of one business in one month. They are personal financial data (R17): no event carries them."""

    revenue: int  # rupiah
    assets: int  # rupiah
    workers: int  # people


class AssessmentDocument(AssessedFigures, Versioned):
    """A person's report of one month. Written by SubmitAssessment and VerifyAssessment (assessments/rules.py)."""

    _id: str  # "ast_…"
    jakpreneur_id: str
    period: str  # month
    basis: str  # basis of the legal class (R6): "annual_sales", "capital" or "net_worth"
    evidence: Grade  # evidence grade, as submitted or as the verifier has set it
    status: Literal["submitted", "verified"]
    submitted_by: str  # id of the caller
    submitted_on: str  # day
    verified_by: NotRequired[str]  # id of the caller, who isn't the submitter (R7)
    verified_on: NotRequired[str]  # day


class PeriodDocument(Versioned):
    """That a person has reported a month: its uniqueness allows one report. Written by SubmitAssessment."""

    _id: str  # see `period_id`
    assessment_id: str


class SubjectDocument(Versioned):
    """A person as the subject of events about assessments: it carries their `sequence`. Written with every such event."""

    _id: str  # the jakpreneur_id


class TargetTerms(TypedDict):
    """What an admin sets: how many people of which stage, from when on (R16)."""

    value: int  # people
    source: str  # the document that sets the target down
    valid_from: str  # first day on which it counts
    stage: str  # "P1" to "P7"
    dinas: str | None  # a dinas' own target; None: overall


class TargetVersionRecord(TargetTerms):
    """One version of a target. Versions are kept for ever."""

    number: int  # 1, 2, 3 …
    set_by: str  # id of the admin
    set_at: str  # ISO 8601, UTC


class TargetDocument(Versioned):
    """A target with all its versions, the oldest first. Written by SetTarget and NoteTargetReached (targets/rules.py)."""

    _id: str  # chosen by the admin, e.g. "rpjmd-2017-2022"
    versions: list[TargetVersionRecord]
    told: NotRequired[int]  # number of the version of which TargetReached was published last


class FactDocument(TypedDict):
    """A person's first evidence of a stage. Written by the ledger; its number of documents is the number of people."""

    _id: str  # `<person>:<stage>`, see ledger/rules.py
    stage: str
    day: str  # day of the first evidence
    event: str  # `_id` of that event's ledger row
    kota: str
    kecamatan: str
    commodity: str  # this and the others may be "unknown"
    category: str
    gender: str
    dinas: str


class TotalDocument(TypedDict):
    """How many people have a stage, by value of one dimension. Written by the ledger, once for each batch of events."""

    _id: str  # see `total_id` in ledger/store.py
    n: dict[str, int]  # people by value; a value as a field name, see `field_of` in ledger/store.py


class MonthDocument(TotalDocument):
    """The same for one month, and for its days in the dimensions that are kept by day. Written by the ledger."""

    d: NotRequired[dict[str, dict[str, int]]]  # people by value and by day of the month, "01" to "31"


def period_id(jakpreneur_id: str, period: str) -> str:
    """The `_id` of a reported month: `<person>:<month>`."""
    return f"{jakpreneur_id}:{period}"


def stored(document: Mapping[str, object]) -> Document:
    """A typed document as the write door takes it."""
    return cast("Document", document)


def find_assessment(documents: Documents, assessment_id: str) -> AssessmentDocument | None:
    """The assessment in a rule's working set, or None."""
    return cast("AssessmentDocument | None", documents.get(ASSESSMENTS, assessment_id))


def find_subject(documents: Documents, jakpreneur_id: str) -> SubjectDocument | None:
    """The subject of a person's events in a rule's working set, or None before the first event."""
    return cast("SubjectDocument | None", documents.get(SUBJECTS, jakpreneur_id))


def find_target(documents: Documents, target_id: str) -> TargetDocument | None:
    """The target in a rule's working set, or None."""
    return cast("TargetDocument | None", documents.get(TARGETS, target_id))


def find_fact(documents: Documents, fact: str) -> FactDocument | None:
    """The fact with this `_id` in a rule's working set, or None."""
    return cast("FactDocument | None", documents.get(FACTS, fact))
