"""The audit log: whatever is altered, removed, put in between or moved afterwards, the first bad entry is named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.writing.decision import Outcome
from services.registration.audit import rules as audit
from services.registration.documents import AUDIT, AuditEntry, AuditHead, audit_chain_of, audit_entry_id
from tests.unit.registration.desk import NOW, Desk

Chain = list[AuditEntry]
lengths = st.integers(1, 8)
SITI = "jkp_siti"
CHAIN = audit_chain_of(SITI)
HEAD = audit.head_of(SITI)


def whole_log(length: int) -> tuple[Chain, list[AuditHead]]:
    """A log in which one chain has so many entries: all entries, and the ends of all chains."""
    entries, head = chain(length)
    return entries, [head if end["_id"] == CHAIN else end for end in audit.empty_heads()]


def chain(length: int, actor: str = "user:rina") -> tuple[Chain, AuditHead]:
    """So many reveals, written one after the other, and the head they end in."""
    desk = Desk()
    for number in range(length):
        desk.staging.documents.put(HEAD, desk.get(*HEAD))
        detail: dict[str, object] = {"fields": ["nik", "phone"], "reason": f"telepon ke-{number} — «é»"}
        now = NOW + timedelta(minutes=number)
        entry = audit.append(desk.staging.documents, now, actor=actor, act="reveal", subject=SITI, detail=detail)
        desk.staging.apply(Outcome({}, entry), now)
    entries = [desk.get(AUDIT, audit_entry_id(CHAIN, number)) for number in range(1, length + 1)]
    return entries, desk.get(*HEAD)


def altered(entry: AuditEntry, **changes: Any) -> AuditEntry:
    """A copy of the entry, other than it was written."""
    return cast("AuditEntry", {**entry, **changes})


@given(st.integers(0, 8))
def test_a_chain_that_nobody_touched(length: int) -> None:
    """Sound, with its head and without."""
    entries, head = chain(length) if length else ([], None)
    assert audit.first_bad(CHAIN, entries) is None
    assert audit.first_bad(CHAIN, entries, head) is None


@given(lengths, st.data())
def test_an_altered_entry(length: int, data: st.DataObject) -> None:
    """Somebody changes who looked, at whom, when, why, or a hash: that entry is named."""
    entries, head = chain(length)
    index = data.draw(st.integers(0, length - 1))
    name = data.draw(st.sampled_from(["actor", "act", "subject", "at", "previous", "hash", "detail"]))
    value: Any = dict(entries[index])[name]
    changed = {**value, "reason": "x"} if name == "detail" else value[:-1] + ("1" if value[-1] != "1" else "2")
    entries[index] = altered(entries[index], **{name: changed})
    assert entries[index]["_id"] == audit.first_bad(CHAIN, entries, head)


@given(lengths, st.data())
def test_an_entry_altered_with_its_hash(length: int, data: st.DataObject) -> None:
    """The hash was computed anew: then the next entry no longer holds, or the head doesn't if there is none."""
    entries, head = chain(length)
    index = data.draw(st.integers(0, length - 1))
    entries[index] = altered(entries[index], actor="user:nobody")
    entries[index]["hash"] = audit.entry_hash(entries[index])
    named = entries[min(index + 1, length - 1)]["_id"]
    assert named == audit.first_bad(CHAIN, entries, head)


@given(lengths, st.data())
def test_a_removed_entry(length: int, data: st.DataObject) -> None:
    """The entry after the gap is named; after a cut-off end it is the first that is missing."""
    entries, head = chain(length)
    index = data.draw(st.integers(0, length - 1))
    del entries[index]
    named = audit_entry_id(CHAIN, index + 2) if index < length - 1 else audit_entry_id(CHAIN, length)
    assert named == audit.first_bad(CHAIN, entries, head)


def test_an_end_that_was_cut_off_needs_the_head() -> None:
    """The last two reveals were removed: the rest is a sound chain, and only the head knows that there was more."""
    entries, head = chain(5)
    assert audit.first_bad(CHAIN, entries[:3]) is None
    assert audit.first_bad(CHAIN, entries[:3], head) == audit_entry_id(CHAIN, 4)
    assert audit.first_bad(CHAIN, [], head) == audit_entry_id(CHAIN, 1)


def test_entries_written_while_somebody_checks() -> None:
    """The head was read first: entries that came after it are no complaint."""
    entries, _ = chain(5)
    _, earlier = chain(3)
    assert audit.first_bad(CHAIN, entries, earlier) is None


@given(lengths, st.data())
def test_an_entry_put_in_between(length: int, data: st.DataObject) -> None:
    """A well-formed entry of another chain, or a copy of one of ours, anywhere but where it belongs."""
    entries, head = chain(length)
    strange, _ = chain(length, actor="user:stranger")
    index = data.draw(st.integers(0, length))
    entry = data.draw(st.sampled_from([*strange, *entries]))
    entry = altered(entry, _id=audit_entry_id(CHAIN, index + 1)) if data.draw(st.booleans()) else entry
    if index < length and entry == entries[index]:
        return  # put before itself: the copy is named as the second of the two
    entries.insert(index, entry)
    assert audit.first_bad(CHAIN, entries, head) == entries[index]["_id"]


@given(st.integers(2, 8), st.data())
def test_reordered_entries(length: int, data: st.DataObject) -> None:
    """Two entries have changed places, with or without their numbers: the first of the two places is named."""
    entries, head = chain(length)
    first, second = sorted(data.draw(st.lists(st.integers(0, length - 1), min_size=2, max_size=2, unique=True)))
    entries[first], entries[second] = entries[second], entries[first]
    if data.draw(st.booleans()):
        entries = [altered(entry, _id=audit_entry_id(CHAIN, number)) for number, entry in enumerate(entries, start=1)]
    assert audit.first_bad(CHAIN, entries, head) == entries[first]["_id"]


@pytest.mark.parametrize("name", ["actor", "detail"])
def test_a_missing_field_is_an_alteration(name: str) -> None:
    """An entry without its actor or reason isn't sound."""
    entries, head = chain(2)
    entries[0] = cast("AuditEntry", {key: value for key, value in entries[0].items() if key != name})
    assert audit.first_bad(CHAIN, entries, head) == audit_entry_id(CHAIN, 1)


def test_an_entry_names_fields_and_never_values() -> None:
    """What was looked at, by whom and why."""
    (entry,), _ = chain(1)
    assert {name: value for name, value in entry.items() if name in ("actor", "act", "subject", "detail")} == {
        "actor": "user:rina",
        "act": "reveal",
        "subject": SITI,
        "detail": {"fields": ["nik", "phone"], "reason": "telepon ke-0 — «é»"},
    }
    assert entry["previous"] == "0" * 64


def test_the_whole_log_is_checked() -> None:
    """A sound log; then a chain is removed with its end, an entry is moved to another chain, or put into a chain that isn't."""
    entries, heads = whole_log(3)
    assert audit.first_bad_of_all(entries, heads) is None
    assert audit.first_bad_of_all([], [head for head in heads if head["_id"] != CHAIN]) == f"{CHAIN}:end"
    elsewhere = f"{(int(CHAIN) + 1) % 64:02d}:000000000001"
    assert audit.first_bad_of_all([*entries, altered(entries[0], _id=elsewhere)], heads) == elsewhere
    assert audit.first_bad_of_all([*entries, altered(entries[0], _id="99:1")], heads) == "99:1"


def test_people_are_spread_over_the_chains() -> None:
    """Two acts at once seldom want the same end: a thousand people are in all of the chains."""
    assert len({audit_chain_of(f"jkp_{number}") for number in range(1000)}) == 64
