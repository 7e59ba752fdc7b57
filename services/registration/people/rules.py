"""The rules of people, pure: (documents, command, now) -> documents to write, events, reply. No I/O, no clock.

R2: one Jakpreneur per NIK. R8: a verified registration is the evidence of stage P1. R17: a reveal is written down first.
Next: use_cases.py, which encrypts personal data and hands these commands to GroupCommit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple

from chassis.calendar import jakarta_day
from chassis.documents import Document
from chassis.errors import FieldError
from chassis.writing.decision import Documents, Outcome, Write
from contracts.envelope import Payload
from contracts.registration import JakpreneurRegistered, JakpreneurRejected, JakpreneurVerified
from services.registration.audit import rules as audit
from services.registration.documents import (
    IDENTITIES,
    JAKPRENEURS,
    RECEIPTS,
    IdentityDocument,
    JakpreneurDocument,
    Profile,
    ReceiptDocument,
    StoredFinding,
    find_identity,
    find_jakpreneur,
    stored,
)
from services.registration.people import refusals
from services.registration.people.form_check import Person
from services.registration.people.models import Verification

# The coarse attributes that events carry; the KBLI code and the day on which a business began stay in this service.
_RECEIPTS_KEPT: Final = timedelta(days=90)
_PUBLISHED = ("kelurahan", "kecamatan", "kota", "category", "gender", "commodity", "dinas")


@dataclass(frozen=True, slots=True)
class Sealed:
    """What is stored in place of personal data.

    Attributes:
        identity: The blind index of the NIK: a keyed hash, hexadecimal.
        key: The person's data key, wrapped by a master key.
        fields: Ciphertexts by field name, encrypted under the person's data key.
    """

    identity: str
    key: Mapping[str, object]
    fields: Mapping[str, bytes]


class Verified(NamedTuple):
    """A verification that was made elsewhere: its day, and who answers for it."""

    on: date
    by: str


@dataclass(frozen=True, slots=True)
class RegisterJakpreneur:
    """The command: register a checked person whose personal data is encrypted.

    `origin` names the import row, so that a row that is done again after a crash isn't taken for a clash with itself.
    With `verified` the person is registered and verified at once. With `receipt` the caller is anonymous and hears nothing else.
    """

    jakpreneur_id: str
    person: Person
    sealed: Sealed
    origin: str | None = None
    verified: Verified | None = None
    receipt: str | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """R2: one Jakpreneur per NIK; raises Conflict, which says nothing about the person who holds the NIK.

        An anonymous caller hears the same for a NIK that is registered and for one that isn't.

        A rejected registration doesn't hold its NIK: a person who was rejected for an unreadable document, or because a
        stranger had used their NIK, can register again. A rejection is final, so the earlier registration can't come back.
        """
        known = find_identity(documents, self.sealed.identity)
        if known is not None:
            if self.origin is not None and known.get("origin") == self.origin:
                return Outcome({"jakpreneur_id": known["jakpreneur_id"], "status": "repeated", "warnings": []})
            holder = find_jakpreneur(documents, known["jakpreneur_id"])
            if holder is None or holder["status"] != "rejected":
                if self.receipt is not None:
                    return Outcome({"receipt": self.receipt}, (self._receipt(known["jakpreneur_id"], now),))
                raise refusals.already_registered()
        person = self.person
        document: JakpreneurDocument = {
            "_id": self.jakpreneur_id,
            "status": "submitted",
            **person.coarse,  # type: ignore[typeddict-item] # mypy fears other keys in there: check_form sets none
            "registered_on": person.registered_on.isoformat(),
            "channel": person.channel,
            "consent": person.consent,
            "identity": self.sealed.identity,
            "key": dict(self.sealed.key),
            "sealed": dict(self.sealed.fields),
            "created_at": now,
        }
        events: tuple[Payload, ...] = (
            JakpreneurRegistered(
                jakpreneur_id=self.jakpreneur_id,
                **_published(person.coarse),
                registered_on=person.registered_on,
                channel=person.channel,
            ),
        )
        if person.warnings:
            document["warnings"] = [_stored(warning) for warning in person.warnings]
        if self.verified is not None:
            document["status"], document["verified_on"] = "verified", self.verified.on.isoformat()
            document["verified_by"] = self.verified.by
            events += (_verified(document, self.verified.on),)
        identity: IdentityDocument = {"_id": self.sealed.identity, "jakpreneur_id": self.jakpreneur_id}
        if self.origin is not None:
            identity["origin"] = self.origin
        writes = (Write(IDENTITIES, stored(identity)), Write(JAKPRENEURS, stored(document), events))
        if self.receipt is not None:
            return Outcome({"receipt": self.receipt}, (*writes, self._receipt(self.jakpreneur_id, now)))
        warnings = document.get("warnings", [])
        return Outcome({"jakpreneur_id": self.jakpreneur_id, "status": document["status"], "warnings": warnings}, writes)

    def _receipt(self, jakpreneur_id: str, now: datetime) -> Write:
        receipt: ReceiptDocument = {
            "_id": self.receipt or "",
            "jakpreneur_id": jakpreneur_id,
            "expires_at": now + _RECEIPTS_KEPT,
        }
        return Write(RECEIPTS, stored(receipt))


@dataclass(frozen=True, slots=True)
class VerifyJakpreneur:
    """The command: a verifier's decision on a submitted registration.

    `dinas` is the office that the verifier is limited to, `if_match` the version that they have seen; None sets no limit.
    """

    jakpreneur_id: str
    verification: Verification
    verifier: str
    dinas: str | None = None
    if_match: frozenset[int] | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """R8: a verified registration is the evidence of stage P1. A registration is decided once.

        Raises NotFound, Stale, Conflict when it was decided already, Invalid for a day before the registration or in the
        future, and for a rejection without a reason.
        """
        document = find_jakpreneur(documents, self.jakpreneur_id)
        if document is None or not visible(document, self.dinas):
            raise refusals.unknown_jakpreneur()
        if self.if_match is not None and document["version"] not in self.if_match:
            raise refusals.stale_jakpreneur()
        if document["status"] != "submitted":
            raise refusals.already_decided()
        day = self.verification.verified_on or jakarta_day(now)
        if not date.fromisoformat(document["registered_on"]) <= day <= jakarta_day(now):
            raise refusals.verified_on_out_of_range()
        if self.verification.decision == "reject":
            return self._reject(document, day)
        after: JakpreneurDocument = {
            **document,
            "status": "verified",
            "verified_on": day.isoformat(),
            "verified_by": self.verifier,
        }
        return Outcome(_decided(after), (Write(JAKPRENEURS, stored(after), (_verified(after, day),)),))

    def _reject(self, document: JakpreneurDocument, day: date) -> Outcome:
        reasons = self.verification.reasons
        if not reasons:
            raise refusals.reasons_missing()
        after: JakpreneurDocument = {
            **document,
            "status": "rejected",
            "rejected_on": day.isoformat(),
            "reasons": reasons,
            "verified_by": self.verifier,
        }
        event = JakpreneurRejected(jakpreneur_id=self.jakpreneur_id, rejected_on=day, reasons=reasons)
        return Outcome(_decided(after), (Write(JAKPRENEURS, stored(after), (event,)),))


@dataclass(frozen=True, slots=True)
class RevealJakpreneur:
    """The command: note in the audit log that a caller is about to see named fields of a person in the clear.

    `sealed_reason` is the reason under the person's key, hexadecimal: people write names and numbers into it.
    """

    jakpreneur_id: str
    fields: Sequence[str]
    sealed_reason: str
    actor: str
    dinas: str | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """R17: the entry names fields, never values. Raises NotFound for a person of another dinas."""
        document = find_jakpreneur(documents, self.jakpreneur_id)
        if document is None or not visible(document, self.dinas):
            raise refusals.unknown_jakpreneur()
        detail: dict[str, object] = {"fields": list(self.fields), "sealed_reason": self.sealed_reason}
        entry = audit.append(documents, now, actor=self.actor, act="reveal", subject=self.jakpreneur_id, detail=detail)
        return Outcome({}, entry)


def visible(document: Profile, dinas_of_caller: str | None) -> bool:
    """Whether a caller may see the person: staff of one dinas see their own people and those whom no dinas has yet."""
    return dinas_of_caller is None or document.get("dinas") in (None, dinas_of_caller)


def _published(coarse: Profile) -> dict[str, object]:
    return {name: value for name in _PUBLISHED if (value := coarse.get(name)) is not None}


def _verified(document: JakpreneurDocument, day: date) -> JakpreneurVerified:
    return JakpreneurVerified(
        jakpreneur_id=document["_id"],
        **_published(document),
        registered_on=date.fromisoformat(document["registered_on"]),
        verified_on=day,
    )


def _stored(error: FieldError) -> StoredFinding:
    return {"field": error.field, "code": error.code, "message_id": error.message_id, "message_en": error.message_en}


def _decided(document: JakpreneurDocument) -> Document:
    return {"jakpreneur_id": document["_id"], "status": document["status"], "version": document["version"] + 1}
