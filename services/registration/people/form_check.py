"""The registration form against the field rules (R1, R3, R4, R5), pure: a form in, a person in stored form out.

The API and the imports check their forms here. Next: rules.py, which decides whether the person can be registered.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta

from chassis.calendar import JAKARTA
from chassis.errors import FieldError, invalid
from chassis.forms.findings import Checked
from contracts.reference import PROGRAMME_START
from services.registration.documents import BusinessProfile, ConsentRecord, Profile
from services.registration.fields import business_ids, nik
from services.registration.people import refusals
from services.registration.people.models import RegistrationForm
from services.registration.reference import areas, commodities, dinas

_FIRST_BIRTH_YEAR = 1900
_DEFAULT_KBLI_VERSION = "2020"


@dataclass(frozen=True, slots=True)
class Person:
    """A form that passed the field rules.

    `personal` is personal data by field name, to be encrypted before it is stored; `coarse` is stored and published as it is.
    """

    nik: str
    personal: Mapping[str, str]
    coarse: Profile
    registered_on: date
    channel: str
    consent: ConsentRecord
    warnings: tuple[FieldError, ...]


@dataclass(slots=True)
class _CheckedBusiness:
    personal: dict[str, str] = field(default_factory=dict)
    coarse: BusinessProfile = field(default_factory=BusinessProfile)
    errors: list[FieldError] = field(default_factory=list)
    warnings: list[FieldError] = field(default_factory=list)


def check_form(form: RegistrationForm, *, today: date, officer: bool, default_channel: str) -> Person:
    """Apply the field rules (R1, R3, R4, R5) and normalise; raises Invalid naming every failing field.

    `officer` tells whether the caller may give the day of registration and the channel. `default_channel` is stored where
    the form names none, and `today` (Asia/Jakarta) where it names no day of registration.
    """
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
        errors.append(refusals.UNKNOWN_DINAS)
    errors += _check_days(form, today, officer=officer)
    business = _check_business(form)
    errors += business.errors
    warnings += business.warnings
    if errors or area is None or phone.value is None:
        raise invalid(*errors)
    personal = {
        "nik": number,
        "name": form.name,
        "birth_date": form.birth_date.isoformat(),
        "phone": phone.value,
        "email": email.value,
        "address": form.address,
        **business.personal,
    }
    coarse: Profile = {
        "kelurahan": area.kelurahan,
        "kecamatan": area.kecamatan,
        "kota": area.kota,
        "category": form.category,
        "gender": form.gender,
        **business.coarse,  # type: ignore[typeddict-item] # mypy fears a `dinas` in there: _check_business sets none
    }
    if office is not None:
        coarse["dinas"] = office.code
    return Person(
        nik=number,
        personal={name: value for name, value in personal.items() if value},
        coarse=coarse,
        registered_on=form.registered_on or today,
        channel=form.channel or default_channel,
        consent={"version": form.consent.version, "given_at": form.consent.given_at.isoformat()},
        warnings=tuple(warnings),
    )


def _check_days(form: RegistrationForm, today: date, *, officer: bool) -> list[FieldError]:
    errors = []
    if not officer:
        given = (("registered_on", form.registered_on), ("channel", form.channel))
        errors += [refusals.officer_only(name) for name, value in given if value is not None]
    if form.registered_on and not PROGRAMME_START <= form.registered_on <= today:
        errors.append(refusals.REGISTERED_ON)
    if form.birth_date > today or form.birth_date.year < _FIRST_BIRTH_YEAR:
        errors.append(refusals.BIRTH_DATE)
    # Compared as moments: some moments of the years 1 and 9999 can't be converted to a day in Jakarta.
    if form.consent.given_at >= datetime.combine(today + timedelta(days=1), time(), JAKARTA):
        errors.append(refusals.CONSENT_IN_FUTURE)
    return errors


def _check_business(form: RegistrationForm) -> _CheckedBusiness:
    business = form.business
    if business is None:
        return _CheckedBusiness(errors=[refusals.BUSINESS_REQUIRED] if form.category == "naik_kelas" else [])
    checked = _CheckedBusiness()
    group = commodities.find(business.commodity)
    if group is None:
        checked.errors.append(refusals.UNKNOWN_COMMODITY)
    else:
        checked.coarse["commodity"] = group.code
    if business.kbli:
        version = business.kbli_version or _DEFAULT_KBLI_VERSION
        kbli = business_ids.kbli(business.kbli, version)
        checked.errors += _of_business(kbli.errors)
        checked.warnings += _of_business(kbli.warnings)
        if kbli.value:
            checked.coarse["kbli"] = kbli.value
            checked.coarse["kbli_version"] = version
    if business.started_on:
        checked.coarse["started_on"] = business.started_on.isoformat()
    checked.personal = {
        "business_name": business.name,
        "capital": str(business.capital),
        "annual_sales": str(business.annual_sales),
        "assets": str(business.assets),
        "workers": str(business.workers),
    }
    return checked


def _of_business(errors: tuple[FieldError, ...]) -> list[FieldError]:
    return [replace(error, field=f"business.{error.field}") for error in errors]
