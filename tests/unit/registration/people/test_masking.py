"""Personal data is masked unless a field is asked for by name and with a reason, and the audit entry comes first."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.access.callers import Caller
from chassis.errors import NotFound
from chassis.privacy.vault import Vault
from services.registration.audit import rules as audit
from services.registration.documents import (
    AUDIT,
    AUDIT_HEADS,
    IDENTITIES,
    JAKPRENEURS,
    JakpreneurDocument,
    audit_chain_of,
    audit_entry_id,
)
from services.registration.people.models import REVEALABLE
from services.registration.people.replies import shown_jakpreneur
from services.registration.people.use_cases import PeopleUseCases
from tests.unit.registration.desk import Desk
from tests.unit.registration.sample_people import WARUNG, checked

VAULT = Vault({1: b"1" * 32}, b"p" * 32)
RINA = Caller("user:rina", frozenset({"officer"}))
SITI = {"name": "Siti Melati Contoh", "email": "melati@example.com", "address": "Jalan Kenanga 12", "business": WARUNG}


class Shelf:
    """The store, over a desk's documents."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.asked_after: list[int] = []

    async def person(self, jakpreneur_id: str) -> Any:
        """Notes how many audit entries there were when somebody's data was fetched."""
        self.asked_after.append(sum(1 for name, _ in self.desk.staging.staged if name == AUDIT))
        return self.desk.get(JAKPRENEURS, jakpreneur_id)


def office(**form: Any) -> tuple[PeopleUseCases, Shelf, str]:
    """The use cases over a desk, with Siti registered through a real vault."""
    shelf = Shelf(Desk())
    people = PeopleUseCases(shelf.desk, shelf, VAULT)  # type: ignore[arg-type] # doubles
    reply = shelf.desk.run(people.registration_of(checked(**{**SITI, **form})))
    return people, shelf, reply["jakpreneur_id"]


def test_everything_is_masked() -> None:
    """An officer opens Siti's page: enough to recognise her, nothing to take away."""
    _, shelf, siti = office()
    shown = shown_jakpreneur(VAULT, shelf.desk.get(JAKPRENEURS, siti))
    assert shown["personal"] == {
        "nik": "31**********9001", "name": "S*** M*** C***", "birth_date": "***", "phone": "+62********001", "email": "***",
        "address": "***", "business_name": "W*** I*** M***", "capital": "***", "annual_sales": "***", "assets": "***",
        "workers": "***",
    }  # fmt: skip
    assert (shown["jakpreneur_id"], shown["status"], shown["version"], shown["kota"]) == (siti, "submitted", 1, "31.71")


@settings(max_examples=60, deadline=None)
@given(st.sets(st.sampled_from(REVEALABLE)), st.integers(3 * 10**11, 3 * 10**11 + 10**4))
def test_only_what_is_asked_for_is_in_the_clear(fields: set[str], amount: int) -> None:
    """Whichever fields are revealed, no clear value of another one is anywhere in the reply."""
    figures: dict[str, Any] = {"capital": amount, "annual_sales": amount + 1, "assets": amount + 2, "workers": 99_999}
    _, shelf, siti = office(business={**WARUNG, **figures})
    changes: dict[str, Any] = {**SITI, "business": {**WARUNG, **figures}}
    clear = checked(**changes).personal
    shown = shown_jakpreneur(VAULT, shelf.desk.get(JAKPRENEURS, siti), reveal=sorted(fields))
    text = json.dumps(shown)
    for name in REVEALABLE:
        assert (clear[name] == shown["personal"][name]) == (name in fields)
        assert (clear[name] in text) == (name in fields)


@pytest.mark.parametrize("name", ["Siti", "Siti Contoh", "Siti Nur Aini Binti Abdul Contoh", "Éka"])
def test_masked_names(name: str) -> None:
    """Initials of at most four words; how long a word is isn't told."""
    _, shelf, siti = office(name=name)
    assert shown_jakpreneur(VAULT, shelf.desk.get(JAKPRENEURS, siti))["personal"]["name"] == " ".join(
        f"{word[0]}***" for word in name.split()[:4]
    )


def test_nothing_of_the_store_gets_out() -> None:
    """The wrapped key, the ciphertexts and the blind index are for the database, not for replies."""
    _, shelf, siti = office()
    shown = shown_jakpreneur(VAULT, shelf.desk.get(JAKPRENEURS, siti), reveal=list(REVEALABLE))
    assert not {"key", "sealed", "identity", "consent", "created_at"} & shown.keys()
    assert VAULT.blind_index("nik", "3171014512909001") not in json.dumps(shown)


def test_the_index_finds_the_nik_and_holds_it_not() -> None:
    """R2 works on a keyed hash: the NIK itself is in no document in the clear."""
    _, shelf, siti = office()
    nik = checked().nik
    assert shelf.desk.get(IDENTITIES, VAULT.blind_index("nik", nik))["jakpreneur_id"] == siti
    assert nik not in repr(shelf.desk.get(JAKPRENEURS, siti)) + repr(shelf.desk.get(IDENTITIES, VAULT.blind_index("nik", nik)))


def test_a_ciphertext_of_somebody_else() -> None:
    """Somebody with write access puts Budi's phone into Siti's document: it doesn't open there."""
    people, shelf, siti = office()
    other = shelf.desk.run(people.registration_of(checked(2)))["jakpreneur_id"]
    mixed: JakpreneurDocument = shelf.desk.get(JAKPRENEURS, siti)
    mixed = {**mixed, "sealed": {**mixed["sealed"], "phone": shelf.desk.get(JAKPRENEURS, other)["sealed"]["phone"]}}
    with pytest.raises(InvalidTag):
        shown_jakpreneur(VAULT, mixed)


async def test_a_reveal_is_written_down_before_it_is_shown() -> None:
    """Rina asks for the phone: the entry with her name, the field and her reason is there before Siti's data is opened.

    The reason is sealed: she wrote a name into it.
    """
    people, shelf, siti = office()
    shown = await people.reveal_jakpreneur(siti, ["phone"], "undangan pelatihan Siti", RINA)
    assert shown["personal"]["phone"] == checked().personal["phone"]
    assert shown["personal"]["nik"] == "31**********9001"
    entry = shelf.desk.get(AUDIT, audit_entry_id(audit_chain_of(siti), 1))
    assert (entry["actor"], entry["act"], entry["subject"]) == ("user:rina", "reveal", siti)
    assert entry["detail"]["fields"] == ["phone"]
    assert "pelatihan" not in repr(entry)
    sealed = bytes.fromhex(entry["detail"]["sealed_reason"])
    key = people._vault.open_key(shelf.desk.get(JAKPRENEURS, siti)["key"])
    assert key.decrypt(sealed, collection=AUDIT, field="reason", subject=siti) == "undangan pelatihan Siti"
    assert shelf.asked_after == [0, 1]
    assert checked().personal["phone"] not in repr(entry)


async def test_reveals_are_a_chain() -> None:
    """Three looks: a sound chain of three entries."""
    people, shelf, siti = office()
    for field in ("phone", "nik", "email"):
        await people.reveal_jakpreneur(siti, [field], "pemeriksaan", RINA)
    chain = audit_chain_of(siti)
    entries = [shelf.desk.get(AUDIT, audit_entry_id(chain, number)) for number in (1, 2, 3)]
    assert audit.first_bad(chain, entries, shelf.desk.get(AUDIT_HEADS, chain)) is None


async def test_who_may_not_see_leaves_no_entry_and_learns_nothing() -> None:
    """Siti is with Sosial: for an officer of Parekraf she doesn't exist, revealed or not."""
    people, shelf, siti = office(dinas="Sosial")
    stranger = Caller("user:tono", frozenset({"officer"}), dinas="Parekraf")
    with pytest.raises(NotFound):
        await people.reveal_jakpreneur(siti, ["phone"], "ingin tahu", stranger)
    assert shelf.desk.get(*audit.head_of(siti)) is None
