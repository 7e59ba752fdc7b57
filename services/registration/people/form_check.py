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
class _Checked:
    """What the rules made of a form; of fields that aren't there, nothing."""

    personal: dict[str, str] = field(default_factory=dict)
    business: BusinessProfile = field(default_factory=BusinessProfile)
    area: areas.Area | None = None
    dinas: str | None = None
    errors: list[FieldError] = field(default_factory=list)
    warnings: list[FieldError] = field(default_factory=list)

    def note(self, name: str, checked: Checked) -> None:
        """Keep a field's stored form, or why it has none."""
        self.errors += checked.errors
        self.warnings += checked.warnings
        if checked.value is not None:
            self.personal[name] = checked.value


def check_form(form: RegistrationForm, *, today: date, officer: bool, default_channel: str) -> Person:
    """Apply the field rules (R1, R3, R4, R5) and normalise; raises Invalid naming every failing field.

    `officer` tells whether the caller may give the day of registration and the channel. `default_channel` is stored where
    the form names none, and `today` (Asia/Jakarta) where it names no day of registration.
    """
    found = _check_fields(form, today, officer=officer)
    if found.errors or found.area is None:
        raise invalid(*found.errors)
    coarse: Profile = {
        "kelurahan": found.area.kelurahan,
        "kecamatan": found.area.kecamatan,
        "kota": found.area.kota,
        "category": form.category,
        "gender": form.gender,
        **found.business,  # type: ignore[typeddict-item] # mypy fears a `dinas` in there: _check_business sets none
    }
    if found.dinas is not None:
        coarse["dinas"] = found.dinas
    return Person(
        nik=found.personal["nik"],
        personal={**found.personal, **_named(form)},
        coarse=coarse,
        registered_on=form.registered_on or today,
        channel=form.channel or default_channel,
        consent={"version": form.consent.version, "given_at": form.consent.given_at.isoformat()},
        warnings=tuple(found.warnings),
    )


def form_problems(form: RegistrationForm, *, today: date, officer: bool) -> list[FieldError]:
    """What breaks the rules in a form of which some fields have the wrong form: those are None (chassis/forms/partial.py)."""
    return _check_fields(form, today, officer=officer).errors


def _check_fields(form: RegistrationForm, today: date, *, officer: bool) -> _Checked:
    """Every rule whose fields are there."""
    found = _Checked()
    if form.nik is not None:
        number = nik.normalise(form.nik)
        errors, warnings = nik.check(number, today=today, birth_date=form.birth_date, gender=form.gender)
        found.errors += errors
        found.warnings += warnings
        found.personal["nik"] = number
    if form.kelurahan is not None:
        found.area, area_errors = areas.check(form.kelurahan)
        found.errors += area_errors
    if form.phone is not None:
        found.note("phone", business_ids.phone(form.phone))
    if form.email:
        found.note("email", business_ids.email(form.email))
    if form.dinas:
        office = dinas.find(form.dinas)
        if office is None:
            found.errors.append(refusals.UNKNOWN_DINAS)
        else:
            found.dinas = office.code
    found.errors += _check_days(form, today, officer=officer)
    _check_business(form, found, today)
    return found


def _named(form: RegistrationForm) -> dict[str, str]:
    """The personal data that no rule changes."""
    named = {"name": form.name, "birth_date": form.birth_date.isoformat(), "address": form.address or ""}
    business = form.business
    if business is not None:
        named |= {
            "business_name": business.name,
            "capital": str(business.capital),
            "annual_sales": str(business.annual_sales),
            "assets": str(business.assets),
            "workers": str(business.workers),
        }
    return {name: value for name, value in named.items() if value}


def _check_days(form: RegistrationForm, today: date, *, officer: bool) -> list[FieldError]:
    errors = []
    if not officer:
        given = (("registered_on", form.registered_on), ("channel", form.channel))
        errors += [refusals.officer_only(name) for name, value in given if value is not None]
    if form.registered_on and not PROGRAMME_START <= form.registered_on <= today:
        errors.append(refusals.REGISTERED_ON)
    born = form.birth_date
    if born is not None and (born > today or born.year < _FIRST_BIRTH_YEAR):
        errors.append(refusals.BIRTH_DATE)
    elif born is not None and _years_between(born, form.registered_on or today) < refusals.YOUNGEST:
        errors.append(refusals.TOO_YOUNG)
    # Compared as moments: some moments of the years 1 and 9999 can't be converted to a day in Jakarta.
    given_at = form.consent.given_at if form.consent is not None else None
    if given_at is not None and given_at >= datetime.combine(today + timedelta(days=1), time(), JAKARTA):
        errors.append(refusals.CONSENT_IN_FUTURE)
    if given_at is not None and given_at < datetime.combine(PROGRAMME_START, time(), JAKARTA):
        errors.append(refusals.CONSENT_TOO_OLD)
    return errors


def _years_between(first: date, last: date) -> int:
    return last.year - first.year - ((last.month, last.day) < (first.month, first.day))


def _check_business(form: RegistrationForm, found: _Checked, today: date) -> None:
    business = form.business
    if business is None:
        if form.category == "naik_kelas":
            found.errors.append(refusals.BUSINESS_REQUIRED)
        return
    if business.commodity is not None:
        group = commodities.find(business.commodity)
        if group is None:
            found.errors.append(refusals.UNKNOWN_COMMODITY)
        else:
            found.business["commodity"] = group.code
    if business.kbli:
        version = business.kbli_version or _DEFAULT_KBLI_VERSION
        kbli = business_ids.kbli(business.kbli, version)
        found.errors += _of_business(kbli.errors)
        found.warnings += _of_business(kbli.warnings)
        if kbli.value:
            found.business["kbli"] = kbli.value
            found.business["kbli_version"] = version
    if business.started_on:
        found.business["started_on"] = business.started_on.isoformat()
        if business.started_on > today:
            found.errors.append(refusals.STARTED_IN_FUTURE)
        elif form.birth_date is not None and business.started_on < form.birth_date:
            found.errors.append(refusals.STARTED_BEFORE_BIRTH)


def _of_business(errors: tuple[FieldError, ...]) -> list[FieldError]:
    return [replace(error, field=f"business.{error.field}") for error in errors]
