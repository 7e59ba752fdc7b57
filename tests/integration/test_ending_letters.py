"""An operator ends dead letters: by a redrive that tells its outcome, or without effect; and corrects a position."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import TopicPartition

from chassis.consuming import letter_requests, operator_log, positions, standing
from chassis.consuming.dead_letters import DEAD_LETTERS
from chassis.consuming.letter_requests import Ask, ask_redrive, discard, redrive_one, wait_for_outcomes
from chassis.database.mongo import Mongo
from chassis.errors import Conflict, Invalid, NotFound
from chassis.settings import Settings
from tests.harness.events import TOPIC, Sender
from tests.integration.consuming import (
    OPERATOR,
    Switch,
    consumer,
    consuming,
    effect_of,
    heard,
    letters,
    projection,
    series,
    until_heard,
    until_letters,
)

BROKEN, PARKED = ("siti", "dead", "schema"), ("siti", "parked", "behind_dead_letter")
RINI = Ask("user:rini", "Pesan percobaan, bukan peristiwa")
pytestmark = pytest.mark.parametrize("mongo", ["motor"], indirect=True)  # slow, and the driver plays no part in it
both_effects = pytest.mark.parametrize("kind", ["projection", "reactions"])


async def letter_ids(mongo: Mongo) -> list[str]:
    """The ids of all letters in order."""
    return [doc["_id"] async for doc in mongo[DEAD_LETTERS].find().sort([("partition", 1), ("offset", 1)])]


async def entries(mongo: Mongo) -> list[tuple[str, str, str, Any]]:
    """Who did what with what outcome to which offset, oldest first."""
    found = reversed(await operator_log.latest(mongo, 100))
    return [(entry["by"], entry["act"], entry["outcome"], entry.get("offset")) for entry in found]


async def broken_second(sender: Sender, last: int = 4) -> None:
    """Siti's events 1 to `last` in one partition, the second of them broken."""
    for sequence in range(1, last + 1):
        await sender.count("siti", sequence, partition=0, **({"value": b"{"} if sequence == 2 else {}))


@both_effects
async def test_what_was_parked_flows_on(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Event 2 will never be understood: discarded, 3 and 4 have their effect at once, 5 too, and no alert goes on."""
    await broken_second(sender)
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_letters(mongo, [BROKEN, PARKED, PARKED])
        first = (await letter_ids(mongo))[0]
        await discard(mongo, first, RINI)
        assert await wait_for_outcomes(mongo, [first], 20) == {first: ("discarded", "")}
        await until_heard(mongo, {"siti": [1, 3, 4]})
        await until_letters(mongo, [])
        await sender.count("siti", 5, partition=0)
        await until_heard(mongo, {"siti": [1, 3, 4, 5]})
    assert series("dead_letters", prefix, state="dead") == 0
    [entry] = await operator_log.latest(mongo, 10)
    assert (entry["by"], entry["act"], entry["outcome"], entry["reason"]) == ("user:rini", "discard", "discarded", RINI.reason)
    assert (entry["letter_id"], entry["subject"], entry["sequence"], entry["letter_reason"]) == (first, "siti", 2, "schema")


@both_effects
async def test_the_next_event_comes_later(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Nothing is parked yet when the letter is discarded: event 3 comes a day later and waits for nothing."""
    await broken_second(sender, last=2)
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_letters(mongo, [BROKEN])
        [first] = await letter_ids(mongo)
        await discard(mongo, first, RINI)
        await until_letters(mongo, [])
    for sequence in (3, 4):
        await sender.count("siti", sequence, partition=0)
    await sender.count("budi", 2, partition=0)  # its first event is really missing
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_heard(mongo, {"siti": [1, 3, 4]})
        await until_letters(mongo, [("budi", "waiting", "predecessor_missing")])


@both_effects
async def test_neighbours_are_discarded(kind: str, mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Two in a row and a parked one: whatever the order in which they are discarded, what is left is heard."""
    for sequence in range(1, 7):
        await sender.count("siti", sequence, partition=0, **({"value": b"{"} if sequence in (2, 3) else {}))
    async with consuming(consumer(mongo, plain, prefix, effect_of(kind, mongo, prefix))):
        await until_letters(mongo, [BROKEN, BROKEN, PARKED, PARKED, PARKED])
        second, third, _, fifth, _ = await letter_ids(mongo)
        for letter_id in (fifth, third, second):
            await discard(mongo, letter_id, RINI)
            assert (await wait_for_outcomes(mongo, [letter_id], 20))[letter_id][0] == "discarded"
        await until_heard(mongo, {"siti": [1, 4, 6]})
        await until_letters(mongo, [])


async def test_a_letter_that_tells_no_sequence(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Nobody can say which event it was meant to be: discarded, the parked one behind it is applied all the same."""
    await sender.count("siti", 1, partition=0)
    await sender.raw("siti", [], b"?", partition=0)
    await sender.count("siti", 3, partition=0)
    await sender.raw(None, [], b"?", partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_letters(mongo, [("siti", "dead", "malformed"), PARKED, (None, "dead", "malformed")])
        first, _, of_nobody = await letter_ids(mongo)
        await discard(mongo, first, RINI)
        await discard(mongo, of_nobody, RINI)
        await until_heard(mongo, {"siti": [1, 3]})
        await until_letters(mongo, [])


async def test_a_redrive_tells_its_outcome(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Asked too early: which one failed and why, which are still behind it; asked again after the cure: all applied."""
    switch = Switch(broken={"siti"})
    for sequence in (1, 2):
        await sender.count("siti", sequence, partition=0)
    await sender.count("budi", 2, partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo, switch))):
        await until_letters(mongo, [("siti", "dead", "unknown_error"), PARKED, ("budi", "waiting", "predecessor_missing")])
        ids = await ask_redrive(mongo, OPERATOR)
        first, second, third = await letter_ids(mongo)
        assert sorted(ids) == sorted([first, second, third])
        assert await wait_for_outcomes(mongo, ids, 20) == {
            first: ("failed", "unknown_error: ValueError"),
            second: ("parked", "behind_dead_letter"),
            third: ("waiting", "predecessor_missing"),
        }
        switch.broken.clear()
        await redrive_one(mongo, second, OPERATOR)
        assert await wait_for_outcomes(mongo, [first, second], 20) == {first: ("applied", ""), second: ("applied", "")}
    noted = await entries(mongo)
    assert ("usr_operator", "redrive", "failed", 0) in noted
    assert ("usr_operator", "redrive", "waiting", 2) in noted
    assert ("usr_operator", "redrive", "applied", 1) in noted


async def test_two_operators(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Rini wants it discarded, Tono tried again: whoever asks first is served, the other is told; asking twice is asking once."""
    await broken_second(sender)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_letters(mongo, [BROKEN, PARKED, PARKED])
    first, second, _ = await letter_ids(mongo)
    await discard(mongo, first, RINI)
    await discard(mongo, first, RINI)
    for refused in (discard(mongo, first, Ask("user:tono", "Alasan lain sama sekali")), redrive_one(mongo, first, OPERATOR)):
        with pytest.raises(Conflict, match="user:rini has asked for a discard"):
            await refused
    await ask_redrive(mongo, OPERATOR)  # of all others
    assert (await letter_requests.outcomes(mongo, [first, second]))[first] == ("asked", "")  # nobody consumes now
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {"siti": [1, 3, 4]})
        await until_letters(mongo, [])
    assert (await entries(mongo))[0] == ("user:rini", "discard", "discarded", 1)
    with pytest.raises(NotFound):
        await discard(mongo, first, RINI)
    with pytest.raises(NotFound):
        await redrive_one(mongo, first, OPERATOR)


async def test_discarded_while_it_is_redriven(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Asked from all sides at once: each letter ends once, and an event that was discarded was never heard."""
    for number in range(30):
        await sender.count(f"s{number}", 1, partition=0, value=b"{")
        await sender.count(f"s{number}", 2, partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_letters(mongo, [letter for n in range(30) for letter in ((f"s{n}", *BROKEN[1:]), (f"s{n}", *PARKED[1:]))])
        dead = [doc["_id"] async for doc in mongo[DEAD_LETTERS].find({"state": "dead"})]
        await ask_redrive(mongo, OPERATOR)
        refused = 0
        for letter_id in dead:
            try:
                await discard(mongo, letter_id, RINI)
            except Conflict:
                refused += 1
        await wait_for_outcomes(mongo, dead, 20)
        for letter_id in dead:
            try:
                await discard(mongo, letter_id, RINI)
            except NotFound:
                continue
        await until_letters(mongo, [], 30)
        await until_heard(mongo, {f"s{n}": [2] for n in range(30)})
    discarded = [entry for entry in await entries(mongo) if entry[2] == "discarded"]
    assert len(discarded) == 30


async def test_what_was_put_aside_comes_again(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """The position is moved back over letters: the open ones stay as they are, a discarded one stays ended, the rest flows."""
    place = TopicPartition(f"{plain.kafka_topic_prefix}{TOPIC}", 0)
    await broken_second(sender)
    await sender.raw("budi", [], b"?", partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_letters(mongo, [BROKEN, PARKED, PARKED, ("budi", "dead", "malformed")])
        *_, last = await letter_ids(mongo)
        await discard(mongo, last, RINI)
        await until_letters(mongo, [BROKEN, PARKED, PARKED])
        before = await letter_ids(mongo)
        await standing.move(mongo, plain, prefix, place, "beginning", by="cli:rini", reason="Uji coba pemulihan")
        await sender.count("tono", 1, partition=0)
        await until_heard(mongo, {"siti": [1], "tono": [1]}, 30)
        assert await letter_ids(mongo) == before


async def test_where_consumers_stand(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Behind by two of three: the lag, the end and the age of the first that waits; nothing waits: no age."""
    place = TopicPartition(f"{plain.kafka_topic_prefix}{TOPIC}", 0)
    for sequence in (1, 2, 3):
        await sender.count("siti", sequence, partition=0)
    await positions.begin(mongo, prefix, place, 1)
    await positions.begin(mongo, f"{prefix}-other", place, 3)
    behind, level = await standing.standings(mongo, plain)
    assert (behind.next_offset, behind.beginning, behind.end, behind.lag, behind.lost) == (1, 0, 3, 2, 0)
    assert behind.age_seconds is not None
    assert 0 <= behind.age_seconds < 60
    assert (level.lag, level.age_seconds) == (0, None)
    assert await standing.standings(mongo, plain.model_copy()) != []


async def test_a_position_is_moved(mongo: Mongo, plain: Settings, prefix: str, sender: Sender) -> None:
    """Back to the beginning under a running consumer: what comes again is ignored. To where Kafka has nothing: refused."""
    place = TopicPartition(f"{plain.kafka_topic_prefix}{TOPIC}", 0)
    for sequence in (1, 2, 3):
        await sender.count("siti", sequence, partition=0)
    async with consuming(consumer(mongo, plain, prefix, projection(mongo))):
        await until_heard(mongo, {"siti": [1, 2, 3]})
        moved = await standing.move(mongo, plain, prefix, place, "beginning", by="cli:rini", reason="Uji coba pemulihan")
        assert moved == (3, 0)
        await sender.count("siti", 4, partition=0)
        await until_heard(mongo, {"siti": [1, 2, 3, 4]}, 30)
        assert series("consumer_duplicates_total", prefix) == 3
    for target in (-1, 99):
        with pytest.raises(Invalid):
            await standing.move(mongo, plain, prefix, place, target, by="cli:rini", reason="Uji coba pemulihan")
    with pytest.raises(NotFound):
        await standing.move(mongo, plain, "nobody", place, "end", by="cli:rini", reason="Uji coba pemulihan")
    [entry] = await operator_log.latest(mongo, 10)
    assert (entry["act"], entry["from"], entry["to"], entry["by"]) == ("move_position", 3, 0, "cli:rini")
    assert await heard(mongo) == {"siti": [1, 2, 3, 4]}
    assert await letters(mongo) == []
