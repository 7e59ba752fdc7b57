"""The local view of registration's people."""

from __future__ import annotations

from datetime import date
from typing import Any

from contracts.envelope import Event
from contracts.registration import JakpreneurRegistered, JakpreneurRejected, JakpreneurVerified
from services.training.people.consumer import fold
from tests.unit.training.world import START

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
