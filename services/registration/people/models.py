"""What goes in and out about people. The registration form is one model for the API's JSON and for the rows of imports.

Models check shapes only. Next: form_check.py for the rules that a form must pass.
"""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field

from chassis.errors import FieldError
from chassis.forms.body import Body
from chassis.forms.iso_dates import Date, Moment
from chassis.forms.text import Code, Line
from contracts.reference import Dinas, Kota

Status = Literal["submitted", "verified", "rejected"]
Revealable = Literal[
    "nik", "name", "birth_date", "phone", "email", "address", "business_name", "capital", "annual_sales", "assets", "workers",
]  # fmt: skip
REVEALABLE: tuple[Revealable, ...] = get_args(Revealable)
KECAMATAN = r"^31\.[0-9]{2}\.[0-9]{2}$"
CURSOR = r"^[A-Za-z0-9_-]+$"
COMMODITY = r"^[a-z_]{1,40}$"
Rupiah = Annotated[int, Field(ge=0, le=10**15, description="Whole rupiah")]


class Consent(Body):
    """The person's recorded consent (R17)."""

    version: Code = Field(min_length=1, max_length=40, description="Version of the text that was agreed to", examples=["2021-01"])
    given_at: Moment = Field(description="When, with offset", examples=["2021-02-01T09:30:00+07:00"])


class Business(Body):
    """The person's business; figures in whole rupiah."""

    name: Line = Field(min_length=1, max_length=200, description="Name of the business", examples=["Warung Contoh"])
    commodity: Code = Field(min_length=1, max_length=40, description="Code of GET /v1/commodities", examples=["kuliner"])
    kbli: Code | None = Field(default=None, max_length=10, description="KBLI code, 5 digits (R4)", examples=["56102"])
    kbli_version: Literal["2020", "2025"] | None = Field(default=None, description="Edition of the KBLI code")
    started_on: Date | None = Field(default=None, description="Day on which it began to trade")
    capital: Rupiah
    annual_sales: Rupiah
    assets: Rupiah
    workers: int = Field(ge=0, le=100_000, description="People who work there")


class RegistrationForm(Body):
    """What a person, an officer or an import row hands in. `registered_on` and `channel` are for officers."""

    nik: Code = Field(
        min_length=1, max_length=40, description="National identity number, 16 digits (R1)", examples=["3171014512909001"]
    )
    name: Line = Field(min_length=1, max_length=200, description="As on the identity card", examples=["Siti Contoh"])
    birth_date: Date = Field(description="Date of birth", examples=["1990-12-05"])
    gender: Literal["female", "male"] = Field(description="As on the identity card")
    phone: Code = Field(min_length=1, max_length=40, description="Indonesian telephone number (R4)", examples=["081234567890"])
    email: Code | None = Field(default=None, max_length=254, description="E-mail address", examples=["siti@example.com"])
    kelurahan: Code = Field(min_length=1, max_length=20, description="Kelurahan of domicile (R3)", examples=["31.71.01.1001"])
    address: Line | None = Field(default=None, max_length=500, description="Street and number")
    category: Literal["pemula", "naik_kelas"] = Field(description="pemula: not trading yet; naik_kelas: trading (R5)")
    dinas: Code | None = Field(default=None, max_length=40, description="Code of the office responsible", examples=["PPKUKM"])
    consent: Consent
    business: Business | None = None
    registered_on: Date | None = Field(default=None, description="Officers only: day of registration, default today")
    channel: str | None = Field(default=None, pattern=r"^[a-z_]{1,20}$", description="Officers only: online, office or event")


class Search(Body):
    """Whom to look for. In a body and not in the address, which proxies and browsers keep."""

    nik: Code | None = Field(default=None, max_length=40, description="A whole NIK", examples=["3171014512909001"])
    receipt: str | None = Field(
        default=None, pattern=r"^rcp_[0-9A-Za-z]{1,40}$", description="What an anonymous registration was answered with"
    )
    status: Status | None = Field(default=None, description="Only these")
    kota: Kota | None = Field(default=None, description="Kemendagri code")
    kecamatan: str | None = Field(default=None, pattern=KECAMATAN, description="Kemendagri code")
    commodity: str | None = Field(default=None, pattern=COMMODITY, description="Commodity group")
    dinas: Dinas | None = Field(default=None, description="Code of a dinas")
    limit: int = Field(default=50, ge=1, le=200, description="Items on a page")
    cursor: str | None = Field(default=None, max_length=400, pattern=CURSOR, description="next_cursor of the page before")


class Reveal(Body):
    """Which personal data to show in the clear, and why."""

    fields: list[Revealable] = Field(min_length=1, max_length=20, description="Fields to show", examples=[["nik", "phone"]])
    reason: Line = Field(
        min_length=5, max_length=200, description="Why; kept in the audit log, encrypted", examples=["Menelepon pendaftar"]
    )


class Verification(Body):
    """A verifier's decision."""

    decision: Literal["verify", "reject"]
    reasons: list[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]] = Field(
        default=[], max_length=10, description="Short codes, never text about the person; required to reject"
    )
    verified_on: Date | None = Field(default=None, description="Day of the decision, default today (Asia/Jakarta)")


class Registered(BaseModel):
    """A new registration."""

    jakpreneur_id: str = Field(description="Random public id; the NIK never leaves the service")
    status: Literal["submitted"] = Field(description="Waits for verification")
    warnings: list[FieldError] = Field(description="What an officer may want to check")


class Received(BaseModel):
    """An anonymous registration was received: the same for a NIK that is new and for one that is registered already (R2)."""

    receipt: str = Field(description="Show it at the office, which can tell what became of the registration")


class Decided(BaseModel):
    """The outcome of a verification."""

    jakpreneur_id: str = Field(description="Public id")
    status: Literal["verified", "rejected"] = Field(description="After the decision")
    version: int = Field(description="Version of the document, as in its ETag")


class Jakpreneur(BaseModel):
    """A person; personal data masked unless revealed."""

    jakpreneur_id: str = Field(description="Public id")
    status: str = Field(description="submitted, verified or rejected")
    registered_on: str = Field(description="Day of registration")
    verified_on: str | None = Field(description="Day of verification: the date of stage P1")
    rejected_on: str | None = Field(description="Day of rejection")
    reasons: list[str] | None = Field(description="Reason codes of a rejection")
    channel: str = Field(description="How the registration came")
    kelurahan: str = Field(description="Kemendagri code")
    kecamatan: str = Field(description="Kemendagri code")
    kota: str = Field(description="Kemendagri code")
    category: str = Field(description="pemula or naik_kelas")
    gender: str = Field(description="female or male")
    dinas: str | None = Field(description="Office responsible")
    commodity: str | None = Field(description="Commodity group of the business")
    kbli: str | None = Field(description="KBLI code of the business")
    kbli_version: str | None = Field(description="Edition of the KBLI code")
    started_on: str | None = Field(description="Day on which the business began to trade")
    warnings: list[FieldError] = Field(description="What a verifier may want to check")
    personal: dict[str, str] = Field(description="Personal data by field name, masked unless revealed")
    version: int = Field(description="Version of the document, as in its ETag")


class JakpreneurPage(BaseModel):
    """A page of people."""

    items: list[Jakpreneur] = Field(description="Newest registrations first")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last")
