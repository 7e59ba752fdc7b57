"""Events that training publishes: partners, trainings and enrolments, each on its own topic and keyed by its own id."""

from __future__ import annotations

from datetime import date, datetime
from typing import ClassVar, Literal

from pydantic import Field

from contracts.envelope import TYPE_PREFIX, Payload

PARTNERS = "training.partners.v1"
TRAININGS = "training.trainings.v1"
ENROLMENTS = "training.enrolments.v1"
_PREFIX = f"{TYPE_PREFIX}training."

_PARTNER: dict[str, object] = {"partner_id": "par_9sLw2Kq7Zt4B", "kind": "university"}
_TRAINING: dict[str, object] = {
    "training_id": "trn_Qm3Xv8Rp1Ya6",
    "partner_id": "par_9sLw2Kq7Zt4B",
    "stage": "P2",
    "dinas": "PPKUKM",
    "quota": 40,
    "starts_at": "2021-03-08T09:00:00+07:00",
    "ends_at": "2021-03-08T16:00:00+07:00",
}
_ENROLMENT: dict[str, object] = {
    "enrolment_id": "trn_Qm3Xv8Rp1Ya6:jkp_4Yq0pV7sT2mX",
    "training_id": "trn_Qm3Xv8Rp1Ya6",
    "jakpreneur_id": "jkp_4Yq0pV7sT2mX",
    "stage": "P2",
}


class _Partner(Payload):
    TOPIC = PARTNERS
    SAMPLE: ClassVar[dict[str, object]] = _PARTNER

    partner_id: str = Field(description="Id of the institution")
    kind: Literal["university", "company", "government", "bank", "community", "other"] = Field(description="Kind of institution")


class PartnerApplied(_Partner):
    """An institution asked to become a partner."""

    TYPE = f"{_PREFIX}partner.applied.v1"


class PartnerVerified(_Partner):
    """The programme has checked the institution."""

    TYPE = f"{_PREFIX}partner.verified.v1"


class PartnerActivated(_Partner):
    """The partner may publish trainings (again)."""

    TYPE = f"{_PREFIX}partner.activated.v1"


class PartnerSuspended(_Partner):
    """The partner may not publish; running classes go on."""

    TYPE = f"{_PREFIX}partner.suspended.v1"


class PartnerEnded(_Partner):
    """The partnership is over."""

    TYPE = f"{_PREFIX}partner.ended.v1"


class _Training(Payload):
    TOPIC = TRAININGS
    SAMPLE: ClassVar[dict[str, object]] = _TRAINING

    training_id: str = Field(description="Id of the training")
    partner_id: str | None = Field(default=None, description="The partner that gives it; none: given by a dinas")
    stage: Literal["P2", "P3", "P5"] = Field(description="Stage of which completing it is evidence (R8)")
    dinas: str | None = Field(default=None, description="Code of the office responsible")
    quota: int = Field(ge=1, description="Number of seats")
    starts_at: datetime = Field(description="Start of the first session, with offset")
    ends_at: datetime = Field(description="End of the last session, with offset")


class TrainingSubmitted(_Training):
    """Handed in for approval."""

    TYPE = f"{_PREFIX}training.submitted.v1"


class TrainingApproved(_Training):
    """Approved: may be published."""

    TYPE = f"{_PREFIX}training.approved.v1"


class TrainingPublished(_Training):
    """Open for registration."""

    TYPE = f"{_PREFIX}training.published.v1"


class TrainingRescheduled(_Training):
    """Its sessions moved; the figures are the new ones."""

    TYPE = f"{_PREFIX}training.rescheduled.v1"


class TrainingQuotaChanged(_Training):
    """Its quota changed; `quota` is the new one."""

    TYPE = f"{_PREFIX}training.quota_changed.v1"


class TrainingClosed(_Training):
    """Registration is closed."""

    TYPE = f"{_PREFIX}training.closed.v1"


class TrainingStarted(_Training):
    """The first session has begun."""

    TYPE = f"{_PREFIX}training.started.v1"


class TrainingCompleted(_Training):
    """All sessions are over and completion was decided."""

    TYPE = f"{_PREFIX}training.completed.v1"


class TrainingReported(_Training):
    """The partner has handed in its report."""

    TYPE = f"{_PREFIX}training.reported.v1"


class TrainingCancelled(_Training):
    """It will not take place."""

    TYPE = f"{_PREFIX}training.cancelled.v1"


class _Enrolment(Payload):
    TOPIC = ENROLMENTS
    SAMPLE: ClassVar[dict[str, object]] = _ENROLMENT

    enrolment_id: str = Field(description="Id of the enrolment: one person's way through one training")
    training_id: str = Field(description="Id of the training")
    jakpreneur_id: str = Field(description="Id of the person")
    stage: Literal["P2", "P3", "P5"] = Field(description="Stage of which completing the training is evidence (R8)")


class EnrolmentWaitlisted(_Enrolment):
    """All seats are taken or offered: the person waits, first come first served (R11)."""

    TYPE = f"{_PREFIX}enrolment.waitlisted.v1"


class EnrolmentOffered(_Enrolment):
    """A seat became free and is held for the person until `offer_expires_at`."""

    TYPE = f"{_PREFIX}enrolment.offered.v1"
    SAMPLE: ClassVar[dict[str, object]] = {**_ENROLMENT, "offer_expires_at": "2021-03-05T09:00:00+07:00"}

    offer_expires_at: datetime = Field(description="The offer lapses then, with offset")


class EnrolmentConfirmed(_Enrolment):
    """The person has a seat."""

    TYPE = f"{_PREFIX}enrolment.confirmed.v1"


class EnrolmentCancelled(_Enrolment):
    """Given up, or cancelled with the training; the seat is free."""

    TYPE = f"{_PREFIX}enrolment.cancelled.v1"


class EnrolmentExpired(_Enrolment):
    """The offer lapsed."""

    TYPE = f"{_PREFIX}enrolment.expired.v1"


class EnrolmentAttendanceRecorded(_Enrolment):
    """Scans were recorded; `minutes` is the total so far."""

    TYPE = f"{_PREFIX}enrolment.attendance_recorded.v1"
    SAMPLE: ClassVar[dict[str, object]] = {**_ENROLMENT, "minutes": 360}

    minutes: int = Field(ge=0, description="Attended minutes in total")


class EnrolmentCompleted(_Enrolment):
    """The training was completed (R12): evidence of its stage (R8)."""

    TYPE = f"{_PREFIX}enrolment.completed.v1"
    SAMPLE: ClassVar[dict[str, object]] = {**_ENROLMENT, "completed_on": "2021-03-08"}

    completed_on: date = Field(description="Day of the last session, Asia/Jakarta: the date of the stage's evidence")


class EnrolmentNotCompleted(_Enrolment):
    """Attended too little, or failed the post-test (R12)."""

    TYPE = f"{_PREFIX}enrolment.not_completed.v1"


class EnrolmentNoShow(_Enrolment):
    """Had a seat and never came."""

    TYPE = f"{_PREFIX}enrolment.no_show.v1"


EVENTS: tuple[type[Payload], ...] = (
    PartnerApplied,
    PartnerVerified,
    PartnerActivated,
    PartnerSuspended,
    PartnerEnded,
    TrainingSubmitted,
    TrainingApproved,
    TrainingPublished,
    TrainingRescheduled,
    TrainingQuotaChanged,
    TrainingClosed,
    TrainingStarted,
    TrainingCompleted,
    TrainingReported,
    TrainingCancelled,
    EnrolmentWaitlisted,
    EnrolmentOffered,
    EnrolmentConfirmed,
    EnrolmentCancelled,
    EnrolmentExpired,
    EnrolmentAttendanceRecorded,
    EnrolmentCompleted,
    EnrolmentNotCompleted,
    EnrolmentNoShow,
)
