"""R2 and R8: one Jakpreneur for each NIK, and a decision on each registration that is taken once."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from chassis.errors import Conflict, Invalid, NotFound, Stale
from chassis.writing.decision import Decision, Idempotency
from contracts.registration import JakpreneurRegistered, JakpreneurRejected, JakpreneurVerified
from services.registration.documents import IDENTITIES, JAKPRENEURS
from services.registration.people.models import Verification
from services.registration.people.rules import RegisterJakpreneur, Verified, VerifyJakpreneur
from tests.unit.registration.desk import Desk, codes
from tests.unit.registration.sample_people import TODAY, WARUNG, checked, sealed

VERIFY = Verification(decision="verify")
REJECT = Verification(decision="reject", reasons=["documents_unreadable"])


def register(desk: Desk, jakpreneur_id: str = "jkp_siti", identity: str = "index of the NIK", **changes: Any) -> Any:
    """Siti is registered."""
    person = checked(**changes.pop("form", {}))
    return desk.run(RegisterJakpreneur(jakpreneur_id, person, sealed(identity), **changes))


def verify(desk: Desk, verification: Verification = VERIFY, **changes: Any) -> Any:
    """Rina decides about Siti."""
    return desk.run(VerifyJakpreneur("jkp_siti", verification, "user:rina", **changes))


def test_siti_registers() -> None:
    """She gets an id; the event says where she lives and what she trades in, and nothing that only the vault may hold."""
    desk = Desk()
    assert register(desk, form={"business": WARUNG, "dinas": "Sosial"}) == {
        "jakpreneur_id": "jkp_siti",
        "status": "submitted",
        "warnings": [],
    }
    assert desk.told("jkp_siti") == [(1, JakpreneurRegistered)]
    assert desk.last_event().model_dump(mode="json") == {
        "jakpreneur_id": "jkp_siti", "kelurahan": "31.71.01.1001", "kecamatan": "31.71.01", "kota": "31.71",
        "category": "pemula", "gender": "female", "commodity": "batik_tekstil", "dinas": "Sosial",
        "registered_on": "2021-03-02", "channel": "office",
    }  # fmt: skip
    assert desk.get(IDENTITIES, "index of the NIK")["jakpreneur_id"] == "jkp_siti"


def test_what_is_stored_in_the_clear() -> None:
    """The document holds ciphertexts and a wrapped key; no clear value of the form's personal fields."""
    desk = Desk()
    person = checked(business=WARUNG, email="melati@example.com")
    desk.run(RegisterJakpreneur("jkp_siti", person, sealed()))
    stored = repr(desk.get(JAKPRENEURS, "jkp_siti"))
    assert not any(value in stored for name, value in person.personal.items() if len(value) > 3)


def test_warnings_are_in_the_reply() -> None:
    """With their texts in both languages, as plain data that an Idempotency-Key can repeat."""
    reply = register(Desk(), form={"gender": "male"})
    assert [(warning["field"], warning["code"]) for warning in reply["warnings"]] == [("gender", "R1.gender")]
    assert set(reply["warnings"][0]) == {"field", "code", "message_id", "message_en"}


def test_a_second_registration_learns_nothing() -> None:
    """R2: Budi tries Siti's NIK: neither her id nor when or where she registered is in the refusal; nothing is written."""
    desk = Desk()
    register(desk, form={"registered_on": "2021-01-15", "dinas": "Sosial"})
    events = len(desk.staging.events)
    with pytest.raises(Conflict) as refusal:
        register(desk, "jkp_budi", origin="imp_1:7")
    assert codes(refusal.value) == [("nik", "R2.already_registered")]
    said = repr(vars(refusal.value)) + str(refusal.value)
    assert not any(value in said for value in ("jkp_siti", "2021-01-15", "Sosial", "31.71", "index"))
    assert (events, desk.get(JAKPRENEURS, "jkp_budi")) == (len(desk.staging.events), None)


def test_two_hundred_at_once() -> None:
    """R2: in one batch, each decision sees what those before it wrote: one is registered, the others clash."""
    desk = Desk()
    clashes = 0
    for number in range(200):
        try:
            register(desk, f"jkp_{number}")
        except Conflict:
            clashes += 1
    assert (clashes, len(desk.staging.events)) == (199, 1)


def test_a_row_that_was_done_before() -> None:
    """A worker dies after row 7 and begins again: the row finds itself, and isn't a clash. The same person in row 8 is one."""
    desk = Desk()
    register(desk, origin="imp_1:7", verified=Verified(TODAY, "user:migrator"))
    events = len(desk.staging.events)
    again = register(desk, "jkp_other", origin="imp_1:7", verified=Verified(TODAY, "user:migrator"))
    assert again == {"jakpreneur_id": "jkp_siti", "status": "repeated", "warnings": []}
    assert events == len(desk.staging.events)
    with pytest.raises(Conflict):
        register(desk, "jkp_other", origin="imp_1:8")
    with pytest.raises(Conflict):
        register(desk, "jkp_other")


def test_who_was_rejected_registers_again() -> None:
    """Somebody sent Siti's NIK with nonsense and was rejected: she registers under an id of her own, once."""
    desk = Desk()
    register(desk)
    with pytest.raises(Conflict):
        register(desk, "jkp_her_own")
    verify(desk, REJECT)
    assert register(desk, "jkp_her_own")["status"] == "submitted"
    assert desk.told("jkp_her_own") == [(1, JakpreneurRegistered)]
    assert desk.get(IDENTITIES, "index of the NIK")["jakpreneur_id"] == "jkp_her_own"
    assert desk.get(JAKPRENEURS, "jkp_siti")["status"] == "rejected"
    with pytest.raises(Conflict):
        register(desk, "jkp_a_third")


def test_registered_and_verified_at_once() -> None:
    """A row of the old records with its day of verification: both events, in order, with one transaction."""
    desk = Desk()
    reply = register(
        desk, form={"registered_on": "2021-01-15"}, origin="imp_1:1", verified=Verified(date(2021, 1, 20), "user:migrator")
    )
    assert reply["status"] == "verified"
    assert desk.told("jkp_siti") == [(1, JakpreneurRegistered), (2, JakpreneurVerified)]  # type: ignore[list-item] # mypy joins two classes to the wrong base
    assert (desk.last_event().registered_on, desk.last_event().verified_on) == (date(2021, 1, 15), date(2021, 1, 20))
    stored = desk.get(JAKPRENEURS, "jkp_siti")
    assert (stored["verified_on"], stored["verified_by"]) == ("2021-01-20", "user:migrator")


def test_a_repeated_request_is_answered_alike() -> None:
    """Siti's phone lost the reply and sends again with the same key: the same id, one registration."""
    desk = Desk()
    commands = [RegisterJakpreneur(name, checked(), sealed()).decide for name in ("jkp_siti", "jkp_again")]
    first, second = (desk.run(Decision(decide, (), Idempotency("anonymous:k", "hash"))) for decide in commands)
    assert first == second
    assert desk.get(JAKPRENEURS, "jkp_again") is None


def test_rina_verifies() -> None:
    """P1 is evidenced; the reply has the version for the next If-Match."""
    desk = Desk()
    register(desk)
    assert verify(desk, if_match=frozenset({1})) == {"jakpreneur_id": "jkp_siti", "status": "verified", "version": 2}
    assert desk.told("jkp_siti") == [(1, JakpreneurRegistered), (2, JakpreneurVerified)]  # type: ignore[list-item] # mypy joins two classes to the wrong base
    assert desk.get(JAKPRENEURS, "jkp_siti")["verified_by"] == "user:rina"


def test_the_day_is_jakartas_unless_given() -> None:
    """At 20:00 UTC on the first it is the second in Jakarta."""
    desk = Desk()
    register(desk)
    verify(desk)
    assert desk.last_event().verified_on == TODAY


@pytest.mark.parametrize(
    ("day", "fine"), [("2021-02-27", False), ("2021-02-28", True), ("2021-03-02", True), ("2021-03-03", False)]
)
@pytest.mark.parametrize("decision", ["verify", "reject"])
def test_a_decision_lies_between_the_registration_and_today(day: str, fine: bool, decision: Any) -> None:
    """Siti registered on 28 February; both ends count, for a rejection as well."""
    desk = Desk()
    register(desk, form={"registered_on": "2021-02-28"})
    verification = Verification(decision=decision, reasons=["double"], verified_on=date.fromisoformat(day))
    if fine:
        assert verify(desk, verification)["status"] in ("verified", "rejected")
    else:
        with pytest.raises(Invalid) as refusal:
            verify(desk, verification)
        assert codes(refusal.value) == [("verified_on", "verified_on")]


def test_a_rejection_has_reasons() -> None:
    """Without one it is refused; with one the event carries its code and no word about the person."""
    desk = Desk()
    register(desk)
    with pytest.raises(Invalid) as refusal:
        verify(desk, Verification(decision="reject"))
    assert codes(refusal.value) == [("reasons", "missing")]
    assert verify(desk, REJECT)["status"] == "rejected"
    assert desk.last_event() == JakpreneurRejected(jakpreneur_id="jkp_siti", rejected_on=TODAY, reasons=["documents_unreadable"])
    assert "verified_on" not in desk.get(JAKPRENEURS, "jkp_siti")


@pytest.mark.parametrize("first", [VERIFY, REJECT])
@pytest.mark.parametrize("second", [VERIFY, REJECT])
def test_a_decision_is_taken_once(first: Verification, second: Verification) -> None:
    """Rina and Tono have the same page open: whoever is second hears that it was decided, whatever they meant to say."""
    desk = Desk()
    register(desk)
    verify(desk, first)
    with pytest.raises(Conflict) as refusal:
        verify(desk, second)
    assert refusal.value.code == "already_decided"
    assert len(desk.told("jkp_siti")) == 2


def test_an_old_page_is_refused() -> None:
    """If-Match of another version: load it again; nothing is decided."""
    desk = Desk()
    register(desk)
    with pytest.raises(Stale):
        verify(desk, if_match=frozenset({2}))
    assert desk.get(JAKPRENEURS, "jkp_siti")["status"] == "submitted"


def test_another_dinas_finds_nobody() -> None:
    """Siti is with Sosial: for Parekraf's verifier she doesn't exist, and that looks just like an unknown id."""
    desk = Desk()
    register(desk, form={"dinas": "Sosial"})
    with pytest.raises(NotFound) as hers:
        verify(desk, dinas="Parekraf", if_match=frozenset({9}))
    with pytest.raises(NotFound) as nobodys:
        desk.run(VerifyJakpreneur("jkp_nobody", VERIFY, "user:rina", "Parekraf"))
    assert vars(hers.value) == vars(nobodys.value)
    assert verify(desk, dinas="Sosial")["status"] == "verified"


def test_who_has_no_dinas_yet_is_everybodys() -> None:
    """Any verifier may take Siti on until an office is named."""
    desk = Desk()
    register(desk)
    assert verify(desk, dinas="Parekraf")["status"] == "verified"


def test_a_day_is_the_latest_that_counts() -> None:
    """The next day brings the next possible day, no setting does."""
    desk = Desk()
    register(desk)
    desk.now += timedelta(days=1)
    verify(desk, Verification(decision="verify", verified_on=date(2021, 3, 3)))
    assert desk.last_event().verified_on == date(2021, 3, 3)
