"""Events that registration publishes on `registration.jakpreneurs.v1`, keyed by jakpreneur_id.

Coarse attributes only: no NIK, name, phone, e-mail or address line ever travels in an event.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import Field

from contracts.envelope import TYPE_PREFIX, Payload

TOPIC = "registration.jakpreneurs.v1"
_PREFIX = f"{TYPE_PREFIX}registration.jakpreneur."
_PROFILE: dict[str, object] = {
    "jakpreneur_id": "jkp_4Yq0pV7sT2mX",
    "kelurahan": "31.71.01.1001",
    "kecamatan": "31.71.01",
    "kota": "31.71",
    "category": "pemula",
    "gender": "female",
    "commodity": "kuliner",
    "dinas": "PPKUKM",
}


class Profile(Payload):
    """The coarse attributes of a Jakpreneur that other services may count by."""

    TOPIC = TOPIC

    jakpreneur_id: str = Field(description="Random public id of the person and their business")
    kelurahan: str = Field(description="Domicile, Kemendagri code, 10 digits in the form 31.71.01.1001")
    kecamatan: str = Field(description="Kemendagri code of the kecamatan, form 31.71.01")
    kota: str = Field(description="Kemendagri code of the kota or kabupaten, form 31.71")
    category: Literal["pemula", "naik_kelas"] = Field(description="pemula: no operating business at P1; naik_kelas: trading")
    gender: Literal["female", "male"] = Field(description="As registered")
    commodity: str | None = Field(default=None, description="Commodity group code of the business, if there is one")
    dinas: str | None = Field(default=None, description="Code of the office responsible for the person, if known")


class JakpreneurRegistered(Profile):
    """A person has registered (not yet verified)."""

    TYPE = f"{_PREFIX}registered.v1"
    SAMPLE: ClassVar[dict[str, object]] = {**_PROFILE, "registered_on": "2020-12-14", "channel": "online"}

    registered_on: date = Field(description="Day of registration, Asia/Jakarta")
    channel: str = Field(description="How the registration came: online, office or import")


class JakpreneurVerified(Profile):
    """The registration was verified: evidence of stage P1 (R8)."""

    TYPE = f"{_PREFIX}verified.v1"
    SAMPLE: ClassVar[dict[str, object]] = {**_PROFILE, "registered_on": "2020-12-14", "verified_on": "2020-12-15"}

    registered_on: date = Field(description="Day of registration, Asia/Jakarta")
    verified_on: date = Field(description="Day of verification, Asia/Jakarta: the date of stage P1")


class JakpreneurRejected(Payload):
    """The registration was rejected."""

    TYPE = f"{_PREFIX}rejected.v1"
    TOPIC = TOPIC
    SAMPLE: ClassVar[dict[str, object]] = {
        "jakpreneur_id": "jkp_4Yq0pV7sT2mX",
        "rejected_on": "2020-12-15",
        "reasons": ["documents_unreadable"],
    }

    jakpreneur_id: str = Field(description="Random public id of the person and their business")
    rejected_on: date = Field(description="Day of the decision, Asia/Jakarta")
    reasons: list[str] = Field(description="Short reason codes; never free text about the person")


EVENTS: tuple[type[Payload], ...] = (JakpreneurRegistered, JakpreneurVerified, JakpreneurRejected)
