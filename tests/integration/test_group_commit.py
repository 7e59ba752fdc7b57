"""GroupCommit on a real MongoDB, on both drivers: many decide at once, one transaction holds, nothing is lost."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from chassis.database.mongo import Mongo
from chassis.errors import Conflict, Unavailable
from chassis.writing import group_commit, outbox
from chassis.writing.commit import commit_together
from chassis.writing.decision import Decision, Documents, Outcome, Write
from chassis.writing.group_commit import GroupCommit
from tests.harness.events import COUNTERS, Counted, claim, count_up
from tests.harness.outbox import waiting_events


def kinds(results: list[Any]) -> Counter[str]:
    """How often each kind of answer was given."""
    return Counter(type(result).__name__ for result in results)


async def test_two_hundred_want_one_seat(door: GroupCommit, mongo: Mongo) -> None:
    """Two hundred people click at once; the first in the queue has the seat, and 199 are told that it is taken."""
    results = await door.submit_many([claim("A1", f"person-{number}") for number in range(200)])
    assert dict(kinds(results)) == {"dict": 1, "Conflict": 199}
    assert results[0] == {"person": "person-0"}
    seat = await mongo["seats"].find_one({"_id": "A1"})
    assert (seat["person"], seat["version"], seat["sequence"]) == ("person-0", 1, 1)
    assert await mongo[outbox.OUTBOX].count_documents({}) == 1


async def test_one_seat_and_two_replicas(replicas: Callable[..., Any], mongo: Mongo) -> None:
    """Two replicas can't see each other's queue; the database still lets only one person in."""
    first, second = await replicas(2)
    many = await asyncio.gather(
        *(door.submit_many([claim("A1", f"{name}-{n}") for n in range(40)]) for name, door in (("x", first), ("y", second)))
    )
    results = [result for half in many for result in half]
    assert dict(kinds(results)) == {"dict": 1, "Conflict": 79}
    winner = next(result for result in results if isinstance(result, dict))
    assert winner["person"] == (await mongo["seats"].find_one({"_id": "A1"}))["person"]


async def test_two_replicas_count_one_counter(replicas: Callable[..., Any], mongo: Mongo) -> None:
    """Both replicas read the same version and write; the version guard sends the slower one back, so no count is lost."""
    doors = await replicas(2)
    results: list[Any] = []
    for _ in range(10):  # in rounds, so that both have a batch in hand at the same moment again and again
        halves = await asyncio.gather(*(door.submit_many([count_up("c") for _ in range(5)]) for door in doors))
        results += [result for half in halves for result in half]
    assert dict(kinds(results)) == {"dict": 100}
    assert list(range(1, 101)) == sorted(result["value"] for result in results)
    counter = await mongo[COUNTERS].find_one({"_id": "c"})
    rows = [event["sequence"] for event in await waiting_events(mongo)]
    assert 100 == counter["value"] == counter["sequence"]
    assert list(range(1, 101)) == rows


async def test_what_was_read_has_moved_on(door: GroupCommit, mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another replica commits between our read and our transaction: no conflict shows, only the version, and it is guarded."""
    await door.submit(count_up("c", events=0))
    plain, moved = mongo.transaction, list[str]()

    async def transaction(*arguments: Any) -> Any:
        if not moved:
            moved.append("on")
            await commit_together(mongo, [count_up("c", events=0)])
        return await plain(*arguments)

    monkeypatch.setattr(mongo, "transaction", transaction)
    reply = await door.submit(count_up("c", events=0))
    assert reply == {"value": 3}
    assert (await mongo[COUNTERS].find_one({"_id": "c"}))["version"] == 3


async def test_a_bug_fails_its_own_caller(door: GroupCommit, mongo: Mongo) -> None:
    """A rule divides by zero amid nineteen good ones: its caller hears of it, the others never notice."""

    def bug(documents: Documents, now: datetime) -> Outcome:
        raise ZeroDivisionError("a bug")

    decisions = [count_up(f"c{number}") for number in range(19)]
    decisions.insert(7, Decision(bug))
    results = await door.submit_many(decisions)
    assert dict(kinds(results)) == {"dict": 19, "ZeroDivisionError": 1}
    assert isinstance(results[7], ZeroDivisionError)
    assert await mongo[COUNTERS].count_documents({}) == 19


async def test_a_poisonous_write_fails_its_own_caller(replicas: Callable[..., Any], mongo: Mongo) -> None:
    """One rule writes blindly over what is there: the database refuses its insert again and again, the others are stored."""
    [door] = await replicas(1, deadline_seconds=0.5)
    await mongo[COUNTERS].insert_one({"_id": "there", "value": 1, "version": 1})

    def blind(documents: Documents, now: datetime) -> Outcome:
        return Outcome({}, (Write(COUNTERS, {"_id": "there", "value": 9}),))

    results = await door.submit_many([count_up("a"), Decision(blind), count_up("b")])
    assert [type(result).__name__ for result in results] == ["dict", "Unavailable", "dict"]
    assert (await mongo[COUNTERS].find_one({"_id": "there"}))["value"] == 1


async def test_each_sees_what_the_one_before_decided(door: GroupCommit) -> None:
    """Siti and Budi decide in one transaction; Budi's rule sees Siti's outcome, though neither is committed yet."""
    results = await door.submit_many([count_up("c"), count_up("c"), count_up("c")])
    assert results == [{"value": 1}, {"value": 2}, {"value": 3}]


async def test_outbox_rows_are_the_events(door: GroupCommit, mongo: Mongo) -> None:
    """Three counters emit three events at each step: the outbox holds each of them once, numbered 1..n without gaps."""
    for _ in range(4):
        await door.submit_many([count_up(f"c{number}", events=3) for number in range(3)])
    rows = await waiting_events(mongo)
    for number in range(3):
        assert list(range(1, 13)) == [row["sequence"] for row in rows if row["subject"] == f"c{number}"]
    assert {Counted.TYPE} == {row["type"] for row in rows}
    values = [Counted.model_validate_json(row["value"]).value for row in rows if row["subject"] == "c1"]
    assert values == [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]


async def test_a_rule_asks_for_more_on_its_way(door: GroupCommit, mongo: Mongo) -> None:
    """A rule follows a chain of documents that nobody could name beforehand: each is loaded when it asks."""
    await mongo["chain"].insert_many([{"_id": n, "next": n + 1, "version": 1} for n in range(1, 6)])

    def follow(documents: Documents, now: datetime) -> Outcome:
        place, steps = documents.get("chain", 1), 0
        while place is not None:
            place, steps = documents.get("chain", place["next"]), steps + 1
        together = documents.get_many("chain", [2, 4, 99])
        return Outcome({"steps": steps, "known": [doc is not None for doc in together]})

    assert await door.submit(Decision(follow)) == {"steps": 5, "known": [True, True, False]}


async def test_a_rule_that_never_has_enough(door: GroupCommit) -> None:
    """A rule asks for another document each time: it is stopped, and only its caller is failed."""
    asked = iter(range(10**6))

    def greedy(documents: Documents, now: datetime) -> Outcome:
        documents.get("chain", next(asked))
        return greedy(documents, now)

    results = await door.submit_many([Decision(greedy), count_up("c")])
    assert [type(result).__name__ for result in results] == ["RuntimeError", "dict"]


async def test_stopping_commits_what_waits(mongo: Mongo) -> None:
    """The process is told to stop with thirty decisions in the queue: all are committed, and the next one is refused."""
    door = GroupCommit(mongo, batch_limit=7, deadline_seconds=10.0)
    door.start()
    results, _ = await asyncio.gather(door.submit_many([count_up("c") for _ in range(30)]), _stop_once_it_waits(door))
    assert dict(kinds(results)) == {"dict": 30}
    with pytest.raises(Unavailable):
        await door.submit(count_up("c"))
    assert (await mongo[COUNTERS].find_one({"_id": "c"}))["value"] == 30


async def _stop_once_it_waits(door: GroupCommit) -> None:
    await asyncio.sleep(0)  # one turn: the submitters have queued up
    await door.stop()


async def test_a_caller_that_goes_away(door: GroupCommit, mongo: Mongo) -> None:
    """Budi's browser closes the connection while his decision is being committed: it is stored, and the door stays open."""
    leaving = asyncio.create_task(door.submit(count_up("c")))
    await asyncio.sleep(0)
    leaving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaving
    assert await door.submit(count_up("c")) == {"value": 2}


async def test_a_full_queue_says_so(replicas: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit a caller hears 503 at once, and those who wait are served."""
    monkeypatch.setattr(group_commit, "_WAITING_LIMIT", 5)
    [door] = await replicas(1)
    results = await door.submit_many([count_up("c") for _ in range(8)])
    assert dict(kinds(results)) == {"dict": 5, "Unavailable": 3}


async def test_a_refusal_writes_nothing(door: GroupCommit, mongo: Mongo) -> None:
    """A rule refuses: no document, no event, no trace."""
    await door.submit(claim("A1", "Siti"))
    with pytest.raises(Conflict):
        await door.submit(claim("A1", "Budi"))
    assert (await mongo["seats"].count_documents({}), await mongo[outbox.OUTBOX].count_documents({})) == (1, 1)


async def test_a_refusal_keeps_no_form_alive(door: GroupCommit) -> None:
    """A refused form, with a NIK in it, is gone with its reply: no cycle waits for the garbage collector."""

    def refuse(_documents: Documents, _now: datetime) -> Outcome:
        raise Conflict("taken", "Sudah ada.", "Taken.")

    form, codes = weakref.ref(refuse), []
    waiting = [door.submit(Decision(refuse))]
    del refuse
    gc.collect()
    gc.disable()
    try:
        try:
            await waiting.pop()
        except Conflict as refusal:
            codes.append(refusal.code)
        await door.submit(count_up("c"))  # the door holds its last batch until the next one
        assert (codes, form()) == (["taken"], None)
    finally:
        gc.enable()


async def test_what_the_database_never_takes_fails_alone(door: GroupCommit, mongo: Mongo) -> None:
    """One rule writes a number that BSON can't hold: its caller hears of it, the neighbours' changes are stored."""

    def too_large(_documents: Documents, _now: datetime) -> Outcome:
        return Outcome({}, (Write("numbers", {"_id": "huge", "value": 2**70}),))

    replies = await door.submit_many([count_up("a"), Decision(too_large, [("numbers", "huge")]), count_up("b")])
    assert [isinstance(reply, Exception) for reply in replies] == [False, True, False]
    assert await mongo["numbers"].count_documents({}) == 0
