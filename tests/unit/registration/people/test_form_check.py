"""The registration form: every failing field at once, officers' fields, warnings, and what is personal stays personal."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from chassis.errors import Invalid
from services.registration.people.form_check import check_form
from services.registration.people.models import REVEALABLE
from tests.unit.registration.desk import codes
from tests.unit.registration.sample_people import TODAY, WARUNG, checked, form

CONSENT = {"version": "2", "given_at": "2021-02-01T09:30:00+07:00"}
BROKEN: dict[str, tuple[dict[str, Any], tuple[str, str]]] = {
    "nik": ({"nik": "3171014512909"}, ("nik", "R1.length")),
    "kelurahan": ({"kelurahan": "31.71.01.9999"}, ("kelurahan", "R3.kelurahan")),
    "phone": ({"phone": "12"}, ("phone", "R4.phone")),
    "email": ({"email": "siti(at)example.com"}, ("email", "R4.email")),
    "dinas": ({"dinas": "Kelautan"}, ("dinas", "unknown_dinas")),
    "registered_on": ({"registered_on": "2021-03-03"}, ("registered_on", "registered_on")),
    "birth_date": ({"birth_date": "1899-12-31"}, ("birth_date", "birth_date")),
    "consent": ({"consent": {**CONSENT, "given_at": "2021-03-03T00:00:00+07:00"}}, ("consent.given_at", "future")),
    "business": ({"business": {**WARUNG, "commodity": "emas"}}, ("business.commodity", "unknown_commodity")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_rule_by_itself(name: str) -> None:
    """One field is wrong, and exactly that is said."""
    changes, expected = BROKEN[name]
    with pytest.raises(Invalid) as refusal:
        checked(**changes)
    assert codes(refusal.value) == [expected]


@given(st.sets(st.sampled_from(sorted(BROKEN)), min_size=2))
def test_every_failing_field_at_once(names: set[str]) -> None:
    """Siti corrects her form once, not field by field: whatever is wrong together is named together, in both languages."""
    changes: dict[str, Any] = {}
    for name in names:
        changes |= BROKEN[name][0]
    with pytest.raises(Invalid) as refusal:
        checked(**changes)
    assert {BROKEN[name][1] for name in names} == set(codes(refusal.value))
    assert all(error.message_id and error.message_en != error.message_id for error in refusal.value.errors)


def test_a_refusal_holds_no_value() -> None:
    """What was typed may be all but one digit of somebody's NIK: it is in no text of the refusal."""
    with pytest.raises(Invalid) as refusal:
        checked(nik="3171014512909", phone="0861-77", email="melati@rahasia")
    assert not any(value in repr(refusal.value.errors) for value in ("3171014512909", "0861-77", "melati"))


def test_officers_fields() -> None:
    """A citizen can't date their own registration back, nor say that an office took it; an officer can."""
    with pytest.raises(Invalid) as refusal:
        checked(officer=False, registered_on="2021-01-15", channel="office")
    assert codes(refusal.value) == [("registered_on", "officer_only"), ("channel", "officer_only")]
    person = checked(registered_on="2021-01-15", channel="event")
    assert (person.registered_on, person.channel) == (date(2021, 1, 15), "event")


def test_what_nobody_says_is_today_and_the_callers_channel() -> None:
    """Siti registers herself."""
    person = check_form(form(), today=TODAY, officer=False, default_channel="online")
    assert (person.registered_on, person.channel, person.warnings) == (TODAY, "online", ())


@pytest.mark.parametrize(
    ("day", "fine"), [("2014-12-31", False), ("2015-01-01", True), ("2021-03-02", True), ("2021-03-03", False)]
)
def test_days_of_registration(day: str, fine: bool) -> None:
    """From the programme's forerunners until today."""
    if fine:
        assert checked(registered_on=day).registered_on.isoformat() == day
    else:
        with pytest.raises(Invalid):
            checked(registered_on=day)


@pytest.mark.parametrize(
    ("given_at", "fine"),
    [
        ("2021-03-02T23:59:59.999999+07:00", True),
        ("2021-03-03T00:00:00+07:00", False),
        ("2021-03-02T16:59:59Z", True),
        ("2021-03-02T17:00:00Z", False),
        ("2021-03-02T23:00:00-12:00", False),  # by its own calendar still the second
        ("9999-12-31T23:59:59Z", False),  # has no day in Jakarta: the year would be 10000
        ("9999-12-31T23:59:59-12:00", False),
    ],
)
def test_consent_is_not_of_the_future(given_at: str, fine: bool) -> None:
    """Today ends at midnight in Jakarta, whatever offset the consent was written with; the ends of time break nothing."""
    consent = {"version": "2", "given_at": given_at}
    if fine:
        assert checked(consent=consent).consent["version"] == "2"
    else:
        with pytest.raises(Invalid) as refusal:
            checked(consent=consent)
        assert codes(refusal.value) == [("consent.given_at", "future")]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"consent": {"version": "2", "given_at": "1900-01-01T00:00:00Z"}}, [("consent.given_at", "too_old")]),
        ({"consent": {"version": "2", "given_at": "0001-01-01T00:00:00+14:00"}}, [("consent.given_at", "too_old")]),
        ({"consent": {"version": "2", "given_at": "2014-12-31T23:59:59+07:00"}}, [("consent.given_at", "too_old")]),
        ({"consent": {"version": "2", "given_at": "2015-01-01T00:00:00+07:00"}}, []),
        ({"business": WARUNG | {"started_on": "2099-01-01"}}, [("business.started_on", "future")]),
        ({"business": WARUNG | {"started_on": "2021-03-03"}}, [("business.started_on", "future")]),
        ({"business": WARUNG | {"started_on": "2021-03-02"}}, []),
        (
            {"business": WARUNG | {"started_on": "1949-12-31"}, "birth_date": "1950-01-01"},
            [("business.started_on", "before_birth")],
        ),
        ({"business": WARUNG | {"started_on": "1950-01-01"}, "birth_date": "1950-01-01"}, []),
        ({"birth_date": "2021-03-02"}, [("birth_date", "too_young")]),
        ({"birth_date": "2006-03-03"}, [("birth_date", "too_young")]),
        ({"birth_date": "2006-03-02"}, []),
        ({"birth_date": "2006-02-28", "registered_on": "2021-02-27"}, [("birth_date", "too_young")]),
        ({"birth_date": "2021-03-03"}, [("birth_date", "birth_date")]),
        ({"birth_date": "1899-12-31"}, [("birth_date", "birth_date")]),
    ],
)
def test_dates_are_checked_against_each_other(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    """Siti registers on 2 March 2021: what can't be true is refused, to the day."""
    if not expected:
        assert checked(**changes)
        return
    with pytest.raises(Invalid) as refusal:
        checked(**changes)
    assert codes(refusal.value) == expected


def test_who_moves_up_a_class_has_a_business() -> None:
    """R5: naik_kelas without a business is refused; pemula needs none, and may have one."""
    with pytest.raises(Invalid) as refusal:
        checked(category="naik_kelas")
    assert codes(refusal.value) == [("business", "R5.business_required")]
    assert checked(category="naik_kelas", business=WARUNG).coarse["category"] == "naik_kelas"
    assert "commodity" not in checked().coarse


def test_warnings_do_not_reject() -> None:
    """Her NIK has a strange district and birth date, her KBLI isn't on our list: Siti is registered, an officer is told."""
    born = "1991-01-06"
    person = checked(nik="3299014512909001", birth_date=born, gender="male", business={**WARUNG, "kbli": "99999"})
    assert [(warning.field, warning.code) for warning in person.warnings] == [
        ("nik", "R1.district"),
        ("birth_date", "R1.birth_date"),
        ("gender", "R1.gender"),
        ("business.kbli", "R4.kbli_unknown"),
    ]
    assert person.personal["birth_date"] == born


def test_fields_are_normalised() -> None:
    """However it was typed, it is stored in one form."""
    person = checked(
        nik="31.7101-451290 9001", kelurahan="3171011001", phone="0812-3456-7890", email="Siti@EXAMPLE.com", dinas="ppkukm"
    )
    assert person.nik == "3171014512909001" == person.personal["nik"]
    assert person.personal["phone"] == "+6281234567890"
    assert person.personal["email"] == "Siti@example.com"
    assert {name: person.coarse[name] for name in ("kelurahan", "kecamatan", "kota", "dinas")} == {
        "kelurahan": "31.71.01.1001", "kecamatan": "31.71.01", "kota": "31.71", "dinas": "PPKUKM",
    }  # fmt: skip


texts = st.text(st.characters(categories=["L", "N"]), min_size=12, max_size=30)


@given(texts, texts, texts, st.integers(10**9, 10**12))
def test_what_is_personal_is_never_coarse(name: str, address: str, shop: str, amount: int) -> None:
    """R17: name, address, the name of the shop and its figures go to the vault only; nothing else is ever put in an event."""
    figures = {"capital": amount, "annual_sales": amount + 1, "assets": amount + 2, "workers": 77_777}
    person = checked(name=name, address=address, email="melati@example.com", business={**WARUNG, **figures, "name": shop})
    assert set(person.personal) == set(REVEALABLE)
    assert person.personal["annual_sales"] == str(amount + 1)
    outside = json.dumps([dict(person.coarse), dict(person.consent), repr(person.warnings)], ensure_ascii=False)
    hidden = (person.nik, name, address, shop, "melati", *(str(figure) for figure in figures.values()))
    assert not any(value in outside for value in hidden)


def test_a_nought_is_a_figure() -> None:
    """A shop without employees has nought workers, which isn't the same as not having said."""
    person = checked(business={**WARUNG, "workers": 0, "capital": 0})
    assert (person.personal["workers"], person.personal["capital"]) == ("0", "0")
    assert "email" not in person.personal
    assert "dinas" not in person.coarse


def test_a_kbli_code_has_an_edition() -> None:
    """Without one it is that of 2020; without a code there is no edition either."""
    assert checked(business=WARUNG).coarse["kbli_version"] == "2020"
    without = {name: value for name, value in WARUNG.items() if name != "kbli"}
    assert "kbli_version" not in checked(business={**without, "kbli_version": "2025"}).coarse
    with pytest.raises(Invalid) as refusal:
        checked(business={**WARUNG, "kbli": "561"})
    assert codes(refusal.value) == [("business.kbli", "R4.kbli")]


@pytest.mark.parametrize(
    "change", [{"name": "Siti\nContoh"}, {"nik": ""}, {"gender": "wanita"}, {"category": "lain"}, {"hobby": "x"}]
)
def test_shapes_that_no_rule_sees(change: dict[str, Any]) -> None:
    """Line breaks in a name, an empty NIK, unknown choices and unknown fields stop at the form itself."""
    with pytest.raises(ValidationError):
        form(**change)
