"""Redrive: the consumer that owns the partition applies an operator's letters, in order, each with its effect in one transaction.

Next: chassis/consuming/dead_letters.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition

from chassis import logs, telemetry
from chassis.consuming import dead_letters, positions
from chassis.consuming.effect import Effect, Poison
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from contracts.envelope import BadEvent, from_message

log = logs.get(__name__)


async def redrive(mongo: Mongo, consumer: str, effect: Effect, expected: Mapping[TopicPartition, int]) -> bool:
    """Do what was asked for of one subject's letters; returns whether there was anything."""
    owned = [(partition.topic, partition.partition) for partition in expected]
    letters = await dead_letters.requested(mongo, consumer, owned)
    for index, doc in enumerate(letters):
        try:
            failure = await _redrive_one(mongo, consumer, effect, expected, doc)
        except (WriteRace, CommitUnknown) as error:
            # Another writer, or no answer: no fault of the letter's. What was asked for stands, and the next round goes on.
            log.info("redrive_interrupted", consumer=consumer, letter=doc["_id"], reason=type(error).__name__)
            break
        if failure is not None:
            await dead_letters.redrive_failed(mongo, letters[index:], *failure)
            break
    return bool(letters)


async def _redrive_one(
    mongo: Mongo, consumer: str, effect: Effect, expected: Mapping[TopicPartition, int], doc: Document
) -> tuple[str, str] | None:
    partition = TopicPartition(doc["topic"], doc["partition"])
    place = expected.get(partition)
    if place is None:
        raise WriteRace(positions.FENCED)  # the partition has moved on to another consumer, which goes on

    async def also(tx: Tx) -> None:
        await dead_letters.remove(mongo, doc["_id"], tx)
        await positions.move(mongo, consumer, {partition: (place, place)}, tx)

    try:
        headers = [(name, raw if raw is None else bytes(raw)) for name, raw in doc["headers"]]
        event = from_message(headers, bytes(doc["value"]), effect.types)
        applied = await effect.commit(effect.prepare([event]), also, look_first=True)
    except BadEvent as bad:
        return bad.reason, str(bad)
    except Poison as poison:
        return poison.reason, str(poison)
    except (WriteRace, CommitUnknown):
        raise
    except Exception as error:
        if isinstance(error, PyMongoError) and is_unreachable(error):
            raise
        log.exception("redrive_failed", consumer=consumer, letter=doc["_id"], event_id=dead_letters.event_id(doc))
        return "unknown_error", f"{type(error).__name__}: {error}"
    telemetry.CONSUMER_EVENTS.labels(consumer).inc(1 - applied.duplicates)
    log.info("redriven", consumer=consumer, letter=doc["_id"], event_id=event.id)
    return None
