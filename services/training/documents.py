"""The documents of this service: collection names, a type for every collection, and the ids that tie documents together.

An `_id` is what makes something unique: one enrolment for a person and training, one scan for a nonce, one training for
a partner's external id. All times are stored in UTC with milliseconds. changes.py reads and writes these types in a decision.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NotRequired, TypedDict

PARTNERS = "partners"
API_KEYS = "api_keys"
TRAININGS = "trainings"
EXTERNAL_IDS = "external_ids"
ENROLMENTS = "enrolments"
WAITING = "waiting"
SCHEDULES = "schedules"
SCANS = "scans"
JAKPRENEURS = "jakpreneurs"

PartnerKind = Literal["university", "company", "government", "bank", "community", "other"]
PartnerStatus = Literal["applied", "verified", "active", "suspended", "ended"]
ApiKeyScope = Literal["trainings:write", "enrolments:write", "attendance:write", "activities:write", "assessments:write"]
TrainingStage = Literal["P2", "P3", "P5"]  # the stages of R8 for which completing a training is evidence
TrainingStatus = Literal[
    "draft", "submitted", "approved", "published", "closed", "running", "completed", "reported", "cancelled"
]  # fmt: skip
EnrolmentStatus = Literal[
    "waitlisted", "offered", "confirmed", "attended", "completed", "not_completed", "no_show", "cancelled", "expired"
]  # fmt: skip


class Stored(TypedDict):
    """What every document carries. `version` and `sequence` are set by chassis/writing/staging.py, never by a rule."""

    _id: str
    version: NotRequired[int]  # how often the document was written; guards it against a concurrent write
    sequence: NotRequired[int]  # number of the last event about it; absent while there was none


class StatusChange(TypedDict):
    """The last change of a partner's status."""

    by: str  # id of the admin
    at: datetime
    reason: str  # kept here and never published


class Partner(Stored):
    """`partners`, one for each institution. Written by the commands of partners/ and, unchanged, by MoveTraining."""

    name: str
    kind: PartnerKind
    status: PartnerStatus
    approval_required: bool  # whether an officer approves each of its trainings
    key: dict[str, object]  # the data key of the contact's fields, wrapped by the vault: {version, wrapped}
    sealed: dict[str, bytes]  # contact_name and contact_email, encrypted: they are personal data
    kids: list[str]  # ids of its API keys that were not revoked, two at most; an expired one stays until the next is made
    created_at: datetime
    changed: NotRequired[StatusChange]  # absent until an admin has changed the status


class ApiKey(Stored):
    """`api_keys`, `_id`: the key's public id (kid). Written by CreateApiKey and RevokeApiKey; the secret is not stored."""

    partner_id: str
    digest: str  # HMAC-SHA-256 of the secret, in hexadecimal
    scopes: list[str]  # in alphabetical order
    expires_on: str  # last day on which it is valid, ISO, Asia/Jakarta
    expires_at: datetime  # the end of that day
    revoked_at: datetime | None
    revoked_by: NotRequired[str]  # id of the actor; absent while it is not revoked
    created_by: str  # id of the actor
    created_at: datetime


class StoredSession(TypedDict):
    """One session of a training."""

    starts_at: datetime
    ends_at: datetime
    place: str
    online_url: str | None


class Timetable(TypedDict):
    """When a training takes place. `starts_at` and `ends_at` repeat what `sessions` say, for indexes and events."""

    sessions: list[StoredSession]  # in order, not overlapping, at least one (R10)
    starts_at: datetime  # start of the first session
    ends_at: datetime  # end of the last session
    registration_deadline: datetime  # before the first session


class Audience(TypedDict, total=False):
    """Whom a training is for. A field that is absent excludes nobody; of a list, any value suffices."""

    kota: list[str]  # Kemendagri codes in the form 31.71
    kecamatan: list[str]  # Kemendagri codes in the form 31.71.01
    category: list[str]  # pemula, naik_kelas
    commodity: list[str]  # codes of commodity groups


class Training(Stored, Timetable):
    """`trainings`. It holds the counters of its seats, so that two changes of a seat always meet in one document.

    Written by the commands of trainings/, by the desk of seats/ (counters and queue), and by FinishSettling.
    """

    partner_id: str | None  # the partner that gives it; None: an office gives it
    external_id: str | None  # the owner's own id of it
    title: str
    description: str
    stage: TrainingStage
    dinas: str | None  # code of the office responsible
    audience: Audience
    quota: int  # number of seats; confirmed + offered <= quota
    approved_quota: int | None  # the quota that a partner may not exceed by itself; None before the approval
    status: TrainingStatus
    settling: Literal["completed", "cancelled"] | None  # how it ended, until every enrolment is settled; then None
    reason: str | None  # given with the last transition
    revision: int  # counts the changes by its owner: the ETag. `version` also counts every enrolment
    confirmed: int  # enrolments with a seat
    offered: int  # seats held for somebody who was offered one
    waiting: int  # enrolments on the waiting list
    queue_first: int  # number of the first page of the waiting list that may hold somebody
    queue_last: int  # number of the page to which the next one is appended
    created_by: str  # id of the actor
    created_at: datetime
    published_at: NotRequired[datetime]  # absent while it was never published


class ExternalId(Stored):
    """`external_ids`, `_id`: see external_id_of. Written once, by CreateTraining."""

    training_id: str


class ScanEntry(TypedDict):
    """One scan of a device."""

    at: datetime  # the device's time
    minutes: int  # attended minutes for which it stands


class Enrolment(Stored):
    """`enrolments`, `_id`: see enrolment_id. One person's way through one training, however often they cancel and return.

    Written by the desk of seats/, by RecordAttendance and by SettleEnrolments.
    """

    training_id: str
    jakpreneur_id: str
    stage: TrainingStage  # of the training
    status: EnrolmentStatus
    enrolled_at: datetime  # the last time that the person enrolled
    enrolled_by: str  # id of the actor
    page: int | None  # number of the page of the waiting list; None for who does not wait
    offer_expires_at: datetime | None  # None for who has no offer
    scans: list[ScanEntry]  # at most attendance.rules.SCANS_OF_ONE
    minutes: int  # attended minutes by the scans


class WaitingPage(Stored):
    """`waiting`, `_id`: see waiting_page_id. A page of a training's waiting list. Written by the desk of seats/."""

    enrolments: list[str]  # enrolment ids in order of arrival, at most seats.desk.PAGE


class Schedule(Stored):
    """`schedules`, `_id`: a jakpreneur_id. Written by EnrolPeople (adds a training) and the desk of seats/ (removes it)."""

    trainings: list[str]  # ids of trainings in which the person has an enrolment that is not over, and perhaps some that are


class StoredScan(Stored, ScanEntry):
    """`scans`, `_id`: see scan_id. A scan that was recorded; finds duplicates. Written once, by RecordAttendance."""

    enrolment_id: str


class Person(TypedDict, total=False):
    """`jakpreneurs`, `_id`: a jakpreneur_id. The local view of registration's people, written by people/consumer.py only.

    Codes are those of the contract (contracts/registration.py). A person who was rejected before anything else was heard of
    them has a status and no profile.
    """

    _id: str
    last: int  # sequence of the last event seen
    status: Literal["registered", "verified", "rejected"]
    kelurahan: str
    kecamatan: str
    kota: str
    category: str
    gender: str
    commodity: str | None
    dinas: str | None


def enrolment_id(training_id: str, jakpreneur_id: str) -> str:
    """One enrolment for each person and training."""
    return f"{training_id}:{jakpreneur_id}"


def training_of(enrolment: str) -> str:
    """The training's id in an enrolment id."""
    return enrolment.partition(":")[0]


def waiting_page_id(training_id: str, number: int) -> str:
    """A page of the waiting list; ids of one training sort by number."""
    return f"{training_id}:{number:08d}"


def scan_id(training_id: str, nonce: str) -> str:
    """Scans of a training are deduplicated by their nonce (R12)."""
    return f"{training_id}:{nonce}"


def external_id_of(partner_id: str | None, external_id: str) -> str:
    """The owner's own id of a training. Trainings that offices give share one space of ids."""
    return f"{partner_id or 'office'}:{external_id}"
