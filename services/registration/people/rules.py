"""The rules of registration, pure: (documents, command, now) -> documents to write, events, reply. No I/O, no clock.

R1 to R5 for the form (field rules in rules/), R2 for identity, verification as the evidence of stage P1 (R8).
Next: use_cases.py, which seals personal data and hands these rules to GroupCommit.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import Any

from chassis.calendar import JAKARTA, jakarta_day
from chassis.documents import Document
from chassis.errors import Conflict, FieldError, NotFound, Stale, invalid, not_found
from chassis.forms.findings import Checked
from chassis.writing.decision import Documents, Outcome, Write
from contracts.reference import PROGRAMME_START
from contracts.registration import JakpreneurRegistered, JakpreneurRejected, JakpreneurVerified
from services.registration.fields import business_ids, nik
from services.registration.people.models import RegistrationForm, Verification
from services.registration.reference import areas, commodities, dinas

JAKPRENEURS = "jakpreneurs"
IDENTITIES = "identities"


@dataclass(frozen=True, slots=True)
class Person:
    """A form that passed the field rules, in stored form. `personal` is what only the vault may hold."""

    nik: str
    personal: Mapping[str, str]
    coarse: Mapping[str, Any]
    registered_on: date
    channel: str
    consent: Mapping[str, Any]
    warnings: tuple[FieldError, ...]


@dataclass(frozen=True, slots=True)
class Sealed:
    """What goes to the database in place of personal data: the identity's blind index, the wrapped key, ciphertexts."""

    identity: str
    key: Mapping[str, object]
    fields: Mapping[str, bytes]


def _of(errors: Iterable[FieldError], prefix: str) -> list[FieldError]:
    return [replace(error, field=prefix + error.field) for error in errors]


def check_form(form: RegistrationForm, *, today: date, officer: bool, default_channel: str) -> Person:
    """Apply the field rules (R1, R3, R4, R5) and normalise; raises Invalid naming every failing field."""
    number = nik.normalise(form.nik)
    nik_errors, nik_warnings = nik.check(number, today=today, birth_date=form.birth_date, gender=form.gender)
    errors, warnings = [*nik_errors], [*nik_warnings]
    area, area_errors = areas.check(form.kelurahan)
    errors += area_errors
    phone = business_ids.phone(form.phone)
    email = business_ids.email(form.email) if form.email else Checked(None)
    for checked in (phone, email):
        errors += checked.errors
        warnings += checked.warnings
    office = dinas.find(form.dinas) if form.dinas else None
    if form.dinas and office is None:
        errors.append(FieldError("dinas", "unknown_dinas", "Kode dinas tidak dikenal.", "Unknown code of a dinas."))
    errors += _check_days(form, today, officer=officer)
    business, business_errors, business_warnings = _check_business(form)
    errors += business_errors
    warnings += business_warnings
    if errors or area is None or phone.value is None:
        raise invalid(*errors)
    personal = {
        "nik": number,
        "name": form.name,
        "birth_date": form.birth_date.isoformat(),
        "phone": phone.value,
        "email": email.value,
        "address": form.address,
        **business.pop("personal"),
    }
    coarse = {
        "kelurahan": area.kelurahan,
        "kecamatan": area.kecamatan,
        "kota": area.kota,
        "category": form.category,
        "gender": form.gender,
        "dinas": office.code if office else None,
        **business,
    }
    consent = {"version": form.consent.version, "given_at": form.consent.given_at.isoformat()}
    return Person(
        nik=number,
        personal={name: value for name, value in personal.items() if value},
        coarse={name: value for name, value in coarse.items() if value is not None},
        registered_on=form.registered_on or today,
        channel=form.channel or default_channel,
        consent=consent,
        warnings=tuple(warnings),
    )


def _check_days(form: RegistrationForm, today: date, *, officer: bool) -> list[FieldError]:
    errors = []
    if not officer:
        errors += [
            FieldError(name, "officer_only", "Hanya petugas yang boleh mengisi ini.", "Only officers may give this.")
            for name in ("registered_on", "channel")
            if getattr(form, name) is not None
        ]
    if form.registered_on and not PROGRAMME_START <= form.registered_on <= today:
        text = ("Tanggal pendaftaran di luar masa program atau di masa depan.", "Before the programme, or in the future.")
        errors.append(FieldError("registered_on", "registered_on", *text))
    if form.birth_date > today or form.birth_date.year < 1900:
        errors.append(FieldError("birth_date", "birth_date", "Tanggal lahir tidak masuk akal.", "Not a possible date of birth."))
    # Compared as moments: in the years 1 and 9999 there are times that have no day in Jakarta.
    if form.consent.given_at >= datetime.combine(today + timedelta(days=1), time(), JAKARTA):
        errors.append(FieldError("consent.given_at", "future", "Tidak boleh di masa depan.", "Can't be in the future."))
    return errors


def _check_business(form: RegistrationForm) -> tuple[dict[str, Any], list[FieldError], list[FieldError]]:
    business = form.business
    if business is None:
        if form.category == "naik_kelas":
            text = ("Kategori naik_kelas memerlukan data usaha.", "Category naik_kelas needs a business.")
            return {"personal": {}}, [FieldError("business", "R5.business_required", *text)], []
        return {"personal": {}}, [], []
    errors: list[FieldError] = []
    warnings: list[FieldError] = []
    group = commodities.find(business.commodity)
    if group is None:
        text = ("Kode komoditas tidak dikenal; lihat /v1/commodities.", "Unknown commodity code; see /v1/commodities.")
        errors.append(FieldError("business.commodity", "unknown_commodity", *text))
    kbli = Checked(None)
    if business.kbli:
        kbli = business_ids.kbli(business.kbli, business.kbli_version or "2020")
        errors += _of(kbli.errors, "business.")
        warnings += _of(kbli.warnings, "business.")
    figures = {name: getattr(business, name) for name in ("capital", "annual_sales", "assets", "workers")}
    stored: dict[str, Any] = {
        "personal": {"business_name": business.name, **{name: str(value) for name, value in figures.items()}},
        "commodity": group.code if group else None,
        "kbli": kbli.value,
        "kbli_version": (business.kbli_version or "2020") if kbli.value else None,
        "started_on": business.started_on.isoformat() if business.started_on else None,
    }
    return stored, errors, warnings


@dataclass(frozen=True, slots=True)
class Register:
    """The command: a person sealed for storage. `origin` names the import row, so that a repeated row isn't a clash."""

    jakpreneur_id: str
    person: Person
    sealed: Sealed
    origin: str | None = None
    verified_on: date | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """R2: one Jakpreneur per NIK. The refusal says nothing about the first one.

        A rejected registration holds nobody's NIK: who was refused for an unreadable document, or by a stranger's prank, can
        register. A rejection is final, so that no race can bring the old one back.
        """
        known = documents.get(IDENTITIES, self.sealed.identity)
        if known is not None:
            if self.origin is not None and known.get("origin") == self.origin:
                return Outcome({"jakpreneur_id": known["jakpreneur_id"], "status": "repeated", "warnings": []})
            first = documents.get(JAKPRENEURS, known["jakpreneur_id"])
            if first is None or first["status"] != "rejected":
                raise already_registered()
        person = self.person
        profile = {name: person.coarse[name] for name in _PROFILE if name in person.coarse}
        document: Document = {
            "_id": self.jakpreneur_id,
            "status": "submitted",
            **person.coarse,
            "registered_on": person.registered_on.isoformat(),
            "channel": person.channel,
            "consent": dict(person.consent),
            "identity": self.sealed.identity,
            "key": dict(self.sealed.key),
            "sealed": dict(self.sealed.fields),
            "created_at": now,
        }
        events: tuple[Any, ...] = (
            JakpreneurRegistered(
                jakpreneur_id=self.jakpreneur_id, **profile, registered_on=person.registered_on, channel=person.channel
            ),
        )
        if self.verified_on is not None:
            document |= {"status": "verified", "verified_on": self.verified_on.isoformat()}
            events += (_verified(document, self.verified_on),)
        identity: Document = {"_id": self.sealed.identity, "jakpreneur_id": self.jakpreneur_id}
        if self.origin is not None:
            identity["origin"] = self.origin
        reply = {
            "jakpreneur_id": self.jakpreneur_id,
            "status": document["status"],
            "warnings": [_plain(warning) for warning in person.warnings],
        }
        return Outcome(reply, (Write(IDENTITIES, identity), Write(JAKPRENEURS, document, events)))


_PROFILE = ("kelurahan", "kecamatan", "kota", "category", "gender", "commodity", "dinas")


def _plain(error: FieldError) -> dict[str, str]:
    return {"field": error.field, "code": error.code, "message_id": error.message_id, "message_en": error.message_en}


def _verified(document: Mapping[str, Any], day: date) -> JakpreneurVerified:
    return JakpreneurVerified(
        jakpreneur_id=document["_id"],
        **{name: document[name] for name in _PROFILE if document.get(name) is not None},
        registered_on=date.fromisoformat(document["registered_on"]),
        verified_on=day,
    )


def already_registered() -> Conflict:
    """R2."""
    text = ("NIK ini sudah terdaftar.", "This NIK is registered already.")
    return Conflict("R2.already_registered", *text, (FieldError("nik", "R2.already_registered", *text),))


@dataclass(frozen=True, slots=True)
class Verify:
    """The command: a verifier's decision on a submitted registration. `dinas` limits a verifier to their office."""

    jakpreneur_id: str
    verification: Verification
    verifier: str
    dinas: str | None = None
    if_match: int | None = None

    def decide(self, documents: Documents, now: datetime) -> Outcome:
        """P1 is evidenced by a verified registration (R8); a decision is taken once."""
        document = documents.get(JAKPRENEURS, self.jakpreneur_id)
        if document is None or not visible(document, self.dinas):
            raise unknown()
        require_version(document, self.if_match)
        if document["status"] != "submitted":
            text = ("Pendaftaran ini sudah diputuskan.", "This registration was decided already.")
            raise Conflict("already_decided", *text)
        day = self.verification.verified_on or jakarta_day(now)
        registered_on = date.fromisoformat(document["registered_on"])
        if not registered_on <= day <= jakarta_day(now):
            text = ("Harus antara tanggal pendaftaran dan hari ini.", "Must lie between the registration and today.")
            raise invalid(FieldError("verified_on", "verified_on", *text))
        if self.verification.decision == "reject":
            return self._reject(document, day)
        after = {**document, "status": "verified", "verified_on": day.isoformat(), "verified_by": self.verifier}
        return Outcome(_decided(after), (Write(JAKPRENEURS, after, (_verified(after, day),)),))

    def _reject(self, document: Document, day: date) -> Outcome:
        reasons = self.verification.reasons
        if not reasons:
            text = ("Penolakan memerlukan alasan.", "A rejection needs a reason.")
            raise invalid(FieldError("reasons", "missing", *text))
        after = {
            **document,
            "status": "rejected",
            "rejected_on": day.isoformat(),
            "reasons": reasons,
            "verified_by": self.verifier,
        }
        event = JakpreneurRejected(jakpreneur_id=self.jakpreneur_id, rejected_on=day, reasons=reasons)
        return Outcome(_decided(after), (Write(JAKPRENEURS, after, (event,)),))


def _decided(document: Document) -> Document:
    return {"jakpreneur_id": document["_id"], "status": document["status"], "version": document["version"] + 1}


def visible(document: Mapping[str, Any], dinas_of_caller: str | None) -> bool:
    """Staff of one dinas see their own people and those whom no dinas has yet."""
    return dinas_of_caller is None or document.get("dinas") in (None, dinas_of_caller)


def unknown() -> NotFound:
    """No such person, or not yours: the two look the same."""
    return not_found("Jakpreneur", "Jakpreneur")


def require_version(document: Mapping[str, Any], expected: int | None) -> None:
    """If-Match (412 when stale)."""
    if expected is not None and document["version"] != expected:
        raise Stale("stale", "Data sudah diubah orang lain. Muat ulang.", "The document has changed meanwhile. Load it again.")
