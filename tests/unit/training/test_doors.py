"""The doors of the service: its OpenAPI document, bodies, the view of people, the calendar, masked contacts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from chassis.access.callers import Caller
from chassis.http.app import create_app
from contracts.envelope import Event
from contracts.registration import JakpreneurRegistered, JakpreneurRejected, JakpreneurVerified
from services.training import routes, views
from services.training.api_types import actor_of
from services.training.enrolments.api import EnrolBody
from services.training.people.consumer import fold
from services.training.refusals import CONFLICTS, TEXTS
from services.training.settings import TrainingSettings
from services.training.trainings import ical
from services.training.trainings.models import AudienceBody, SessionBody
from tests.unit.training.world import START, World

PROFILE: dict[str, Any] = {
    "jakpreneur_id": "jkp_siti",
    "kelurahan": "31.71.01.1001",
    "kecamatan": "31.71.01",
    "kota": "31.71",
    "category": "pemula",
    "gender": "female",
}


def event(sequence: int, data: Any) -> Event:
    """As the consumer hands it over."""
    return Event(f"jkp_siti:{sequence}", "/services/registration", "jkp_siti", sequence, START, data)


def test_the_view_of_a_person_follows_registration() -> None:
    """Siti registers, moves before she is verified, and is verified with her new kota."""
    registered = fold({}, event(1, JakpreneurRegistered(**PROFILE, registered_on=date(2021, 1, 1), channel="online")))
    assert (registered["status"], registered["kota"]) == ("registered", "31.71")
    moved = {**PROFILE, "kota": "31.74"}
    days = {"registered_on": date(2021, 1, 1), "verified_on": date(2021, 1, 2)}
    verified = fold(registered, event(2, JakpreneurVerified(**moved, **days)))
    assert (verified["status"], verified["kota"]) == ("verified", "31.74")
    rejected = fold(registered, event(2, JakpreneurRejected(jakpreneur_id="jkp_siti", rejected_on=date(2021, 1, 2), reasons=[])))
    assert (rejected["status"], rejected["kota"]) == ("rejected", "31.71")


def openapi() -> dict[str, Any]:
    """The document that partners' developers read."""
    return create_app("training", TrainingSettings(), routes.routes(None), None).openapi()  # type: ignore[arg-type] # only its document is asked for


def test_every_route_says_who_may_call_it() -> None:
    """Deny by default: a route without callers would show here."""
    for operations in openapi()["paths"].values():
        for operation in operations.values():
            assert operation["x-callers"]


def test_every_route_with_an_id_can_answer_404() -> None:
    """Somebody else's thing doesn't exist."""
    for path, operations in openapi()["paths"].items():
        for operation in operations.values():
            assert "404" in operation["responses"] or "{" not in path


def test_every_field_is_described() -> None:
    """In bodies and replies alike."""
    schemas = openapi()["components"]["schemas"]
    own = {name: schema for name, schema in schemas.items() if "properties" in schema and "Validation" not in name}
    bare = [
        f"{name}.{field}"
        for name, schema in own.items()
        for field, about in schema["properties"].items()
        if "description" not in about
    ]
    assert bare == []


def test_a_group_names_nobody_twice_and_a_body_is_one_of_both() -> None:
    """Else first come first served has no meaning."""
    for body in ({}, {"jakpreneur_id": "jkp_a", "jakpreneur_ids": ["jkp_b"]}, {"jakpreneur_ids": ["jkp_a", "jkp_a"]}):
        with pytest.raises(ValidationError):
            EnrolBody.model_validate(body)
    assert EnrolBody(jakpreneur_ids=["jkp_b", "jkp_a"]).people() == {"jakpreneur_ids.0": "jkp_b", "jakpreneur_ids.1": "jkp_a"}


def test_an_audience_may_be_one_code_or_several() -> None:
    """What isn't named isn't kept, so that it is open to all."""
    body = AudienceBody.model_validate_json('{"kota": "31.71", "commodity": ["kuliner", "kriya"], "category": null}')
    assert body.named() == {"kota": ["31.71"], "commodity": ["kuliner", "kriya"]}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2021-03-01T09:00:00"])
def test_times_beyond_the_calendar_are_refused(moment: str) -> None:
    """They would overflow on their way to UTC; and a time without offset is no time."""
    with pytest.raises(ValidationError):
        SessionBody.model_validate_json(f'{{"starts_at": "{moment}", "ends_at": "{moment}", "place": "x"}}')


def test_times_are_kept_as_the_database_keeps_them() -> None:
    """UTC, milliseconds: what is read back equals what was decided on."""
    text = '{"starts_at": "2021-03-01T09:00:00.123456+07:00", "ends_at": "2021-03-01T10:00:00+07:00", "place": "x"}'
    assert SessionBody.model_validate_json(text).starts_at == datetime(2021, 3, 1, 2, 0, 0, 123000, UTC)


def test_a_partners_role_is_what_makes_a_partner() -> None:
    """Verifiers decide nothing here; ids count only with their role."""
    verifier = actor_of(Caller("user:v", frozenset({"verifier"}), jakpreneur_id="jkp_v", partner_id="par_v"))
    assert (verifier.staff, verifier.partner_id, verifier.jakpreneur_id) == (False, None, None)
    assert actor_of(Caller("user:o", frozenset({"officer"}))).staff


def test_a_calendar_line_is_folded_and_escaped() -> None:
    """Commas, semicolons and line ends are text; no line is longer than 75 octets, no character is cut."""
    world = World()
    world.published(title="Kelas; dasar, lanjut", description="Baris satu\nbaris dua " + "é" * 80)
    text = ical.of([world.training()], START)
    lines = text.split("\r\n")
    assert "SUMMARY:Kelas\\; dasar\\, lanjut" in lines
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "é" * 80 in text.replace("\r\n ", "")


def test_a_contact_is_masked_except_for_the_partner_itself() -> None:
    """Enough to recognise, too little to write to."""
    document = {"_id": "par_a", "name": "K", "kind": "bank", "status": "active", "approval_required": True, "version": 3}
    contact = {"contact_name": "Siti Aminah", "contact_email": "siti@example.com"}
    masked = views.partner(document, contact, [], masked=True)
    assert (masked["contact_name"], masked["contact_email"]) == ("S*** A***", "s***@example.com")
    assert views.partner(document, contact, [], masked=False)["contact_email"] == "siti@example.com"


def test_replies_carry_jakartas_offset() -> None:
    """A session at two in UTC is at nine in Jakarta."""
    world = World()
    world.published()
    shown = views.training(world.training(), owner=False)
    assert shown["sessions"][0]["starts_at"] == "2021-03-11T09:00:00+07:00"
    assert shown["seats"] == {"confirmed": 0, "offered": 0, "waiting": 0, "free": 2}
    assert world.now + timedelta(days=10) == world.training()["starts_at"]


def test_every_refusal_has_both_texts() -> None:
    """And every clash is one of them."""
    assert all(text_id and text_en and text_id != text_en for text_id, text_en in TEXTS.values())
    assert set(TEXTS) >= CONFLICTS
