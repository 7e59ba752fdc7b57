"""The registration form: one model for the API's JSON, the import's rows and the rules. Shapes only; rules are in domain.py."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from chassis.forms.body import Body
from chassis.forms.iso_dates import Date, Moment

Rupiah = Annotated[int, Field(ge=0, le=10**15, description="Whole rupiah")]
_TEXT = r"^[^\x00-\x1f\x7f]*$"  # one line: control characters have no place in a name


class Consent(Body):
    """The person's recorded consent (R17)."""

    version: str = Field(min_length=1, max_length=40, description="Version of the text that was agreed to", examples=["2021-01"])
    given_at: Moment = Field(description="When, with offset", examples=["2021-02-01T09:30:00+07:00"])


class Business(Body):
    """The person's business; figures in whole rupiah."""

    name: str = Field(min_length=1, max_length=200, pattern=_TEXT, description="Name of the business", examples=["Warung Contoh"])
    commodity: str = Field(min_length=1, max_length=40, description="Code of GET /v1/commodities", examples=["kuliner"])
    kbli: str | None = Field(default=None, max_length=10, description="KBLI code, 5 digits (R4)", examples=["56102"])
    kbli_version: Literal["2020", "2025"] | None = Field(default=None, description="Edition of the KBLI code")
    started_on: Date | None = Field(default=None, description="Day on which it began to trade")
    capital: Rupiah
    annual_sales: Rupiah
    assets: Rupiah
    workers: int = Field(ge=0, le=100_000, description="People who work there")


class RegistrationForm(Body):
    """What a person, an officer or an import row hands in. `registered_on` and `channel` are for officers."""

    nik: str = Field(
        min_length=1, max_length=40, description="National identity number, 16 digits (R1)", examples=["3171014512909001"]
    )
    name: str = Field(
        min_length=1, max_length=200, pattern=_TEXT, description="As on the identity card", examples=["Siti Contoh"]
    )
    birth_date: Date = Field(description="Date of birth", examples=["1990-12-05"])
    gender: Literal["female", "male"] = Field(description="As on the identity card")
    phone: str = Field(min_length=1, max_length=40, description="Indonesian telephone number (R4)", examples=["081234567890"])
    email: str | None = Field(default=None, max_length=254, description="E-mail address, optional", examples=["siti@example.com"])
    kelurahan: str = Field(min_length=1, max_length=20, description="Kelurahan of domicile (R3)", examples=["31.71.01.1001"])
    address: str | None = Field(default=None, max_length=500, pattern=_TEXT, description="Street and number")
    category: Literal["pemula", "naik_kelas"] = Field(description="pemula: not trading yet; naik_kelas: trading (R5)")
    dinas: str | None = Field(default=None, max_length=40, description="Code of the office responsible", examples=["PPKUKM"])
    consent: Consent
    business: Business | None = None
    registered_on: Date | None = Field(default=None, description="Officers only: day of registration, default today")
    channel: str | None = Field(default=None, pattern=r"^[a-z_]{1,20}$", description="Officers only: online, office or event")


class Verification(Body):
    """A verifier's decision."""

    decision: Literal["verify", "reject"]
    reasons: list[Annotated[str, Field(pattern=r"^[a-z_]{1,40}$")]] = Field(
        default=[], max_length=10, description="Short codes, never text about the person; required to reject"
    )
    verified_on: Date | None = Field(default=None, description="Day of the decision, default today (Asia/Jakarta)")
