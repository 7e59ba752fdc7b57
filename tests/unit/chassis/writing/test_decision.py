"""Decisions and staging: whatever is decided in one batch, versions step by one and sequences have no gaps."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Invalid
from chassis.writing.decision import IDEMPOTENCY, Decision, Documents, Idempotency, NotLoaded, Outcome, Write
from chassis.writing.outbox import documents_of, saved
from chassis.writing.staging import StagedEvent, Staging
from tests.harness.events import Counted

NOW = datetime(2021, 2, 1, tzinfo=UTC)
steps = st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 4)), min_size=1, max_size=30)
starts = st.dictionaries(st.sampled_from("abc"), st.tuples(st.integers(1, 50), st.integers(0, 50)))


@given(starts, steps)
def test_versions_and_sequences(start: dict[str, tuple[int, int]], decided: list[tuple[str, int]]) -> None:
    """Any decisions about three documents, new or old, in any order, each with up to four events."""
    staging = Staging()
    for name in "abc":
        known = start.get(name)
        staging.documents.put(("c", name), {"_id": name, "version": known[0], "sequence": known[1]} if known else None)
    for name, events in decided:
        before = staging.documents.get("c", name) or {"_id": name}
        told = tuple(Counted(value=n) for n in range(events))
        staging.apply(Outcome({}, (Write("c", {**before, "mark": events}, told),)), NOW)
    writes = staging.writes()["c"]
    inserts, replaces = writes.inserts, writes.replaces
    for name in {name for name, _ in decided}:
        version, sequence = start.get(name, (0, 0))
        mine = [events for other, events in decided if other == name]
        document: Any = staging.documents.get("c", name)
        assert version + len(mine) == document["version"]
        assert sequence + sum(mine) == document.get("sequence", 0)
        assert list(range(sequence + 1, sequence + sum(mine) + 1)) == [e.sequence for e in staging.events if e.subject == name]
        if version:
            assert [version] == [guard for guard, doc in replaces if doc["_id"] == name]
        else:
            assert [document] == [doc for doc in inserts if doc["_id"] == name]


stamps = st.tuples(st.integers(1, 2**32 - 1), st.integers(0, 2**32 - 1))


@given(st.lists(stamps, min_size=2, unique=True))
def test_the_outbox_sorts_as_the_servers_time_does(times: list[tuple[int, int]]) -> None:
    """Text order of the documents' ids is the order of the logical times, also at 9 and 10."""
    event = saved(StagedEvent("s", 1, Counted(value=1), NOW), None)
    ids = [documents_of([event], time)[0]["_id"] for time in times]
    assert [identity for _, identity in sorted(zip(times, ids, strict=True))] == sorted(ids)


def test_a_large_commit_is_several_documents_in_order() -> None:
    """Events that wouldn't fit into one document: each document is far below the limit, their order is the events' order."""
    large = {**saved(StagedEvent("s", 1, Counted(value=1), NOW), None), "value": b"x" * 900_000}
    events: list[Any] = [{**large, "sequence": number} for number in range(1, 12)]
    documents = documents_of(events, (5, 1))
    assert [len(document["events"]) for document in documents] == [4, 4, 3]
    ordered = sorted(documents, key=lambda document: str(document["_id"]))
    assert list(range(1, 12)) == [event["sequence"] for document in ordered for event in document["events"]]


def test_what_a_rule_did_not_load_it_asks_for() -> None:
    """A rule asks for three documents of which one is there: one load for the two that are missing."""
    documents = Documents()
    documents.put(("c", 1), {"_id": 1})
    with pytest.raises(NotLoaded) as asked:
        documents.get_many("c", [1, 2, 3])
    assert {("c", 2), ("c", 3)} == asked.value.wanted
    with pytest.raises(NotLoaded) as asked:
        documents.get("d", 1)
    assert {("d", 1)} == asked.value.wanted


def decide(documents: Documents, now: datetime) -> Outcome:
    """A rule that always says the same."""
    return Outcome({"value": 1}, (Write("c", {"_id": "x"}),))


def test_an_idempotency_record_is_written_with_the_effect() -> None:
    """The record holds the reply and a hash of the request, and outlives every retry."""
    documents = Documents()
    documents.put((IDEMPOTENCY, "k"), None)
    outcome = Decision(decide, (), Idempotency("k", "hash")).run(documents, NOW)
    record = outcome.writes[1].document
    assert (
        record["_id"],
        record["request"],
        record["reply"],
        (record["expires_at"] - NOW).days,
    ) == ("k", "hash", {"value": 1}, 7)


def test_a_replay_writes_nothing_and_another_request_is_refused() -> None:
    """The stored reply comes without a write; another body under the same key is refused, and says why in both languages."""
    documents = Documents()
    documents.put((IDEMPOTENCY, "k"), {"_id": "k", "request": "hash", "reply": {"value": 7}})
    assert Outcome({"value": 7}) == Decision(decide, (), Idempotency("k", "hash")).run(documents, NOW)
    with pytest.raises(Invalid) as refusal:
        Decision(decide, (), Idempotency("k", "another")).run(documents, NOW)
    assert (refusal.value.code, refusal.value.errors[0].field) == ("idempotency_key_reused", "Idempotency-Key")
    assert refusal.value.message_id != refusal.value.message_en


def test_what_is_taken_for_absent_at_first() -> None:
    """What nearly never exists is taken for absent at first: what the rule creates, and the idempotency record."""
    decision = Decision(decide, [("c", "x")], Idempotency("k", "hash"), expected_absent=[("c", "new")])
    assert decision.all_expected_absent() == [("c", "new"), (IDEMPOTENCY, "k")]
    assert Decision(decide, expected_absent=[("c", "new")]).all_expected_absent() == [("c", "new")]
