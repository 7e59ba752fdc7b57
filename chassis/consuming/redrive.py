"""Redrive: the consumer that owns the partition applies letters in order, each with its effect in one transaction.

An operator asks for it; letters that wait for a missing predecessor are tried by themselves. Next: dead_letters.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aiokafka import TopicPartition

from chassis import logs, telemetry
from chassis.consuming import dead_letters, positions
from chassis.consuming.effect import Circumstances, Effect, Gap, Poison
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from contracts.envelope import BadEvent, from_message

log = logs.get(__name__)


async def redrive(
    mongo: Mongo, consumer: str, effect: Effect, expected: Mapping[TopicPartition, int], circumstances: Circumstances
) -> bool:
    """Do what is due of one subject's letters; returns whether there was anything."""
    owned = [(partition.topic, partition.partition) for partition in expected]
    letters = await dead_letters.requested(mongo, consumer, owned)
    for index, doc in enumerate(letters):
        try:
            failure = await _redrive_one(mongo, consumer, effect, expected, doc, circumstances)
        except (WriteRace, CommitUnknown) as error:
            # Another writer, or no answer: no fault of the letter's. What was asked for stands, and the next round goes on.
            log.info("redrive_interrupted", consumer=consumer, letter=doc["_id"], reason=type(error).__name__)
            break
        except Gap:
            await dead_letters.try_again_later(mongo, doc["_id"])
            break
        if failure is not None:
            await dead_letters.redrive_failed(mongo, letters[index:], *failure)
            break
    return bool(letters)


async def _redrive_one(
    mongo: Mongo,
    consumer: str,
    effect: Effect,
    expected: Mapping[TopicPartition, int],
    doc: Document,
    circumstances: Circumstances,
) -> tuple[str, str] | None:
    partition = TopicPartition(doc["topic"], doc["partition"])
    place = expected.get(partition)
    if place is None:
        raise WriteRace(positions.FENCED)  # the partition has moved on to another consumer, which goes on

    async def remove_and_fence(tx: Tx) -> None:
        await dead_letters.remove(mongo, doc["_id"], tx)
        await positions.move(mongo, consumer, {partition: (place, place)}, tx)

    try:
        headers = [(name, raw if raw is None else bytes(raw)) for name, raw in doc["headers"]]
        event = from_message(headers, bytes(doc["value"]), effect.types)
        careful = replace(circumstances, look_first=True, accept_gaps=bool(doc.get("accept_gap")))
        applied = await effect.commit(effect.prepare([event]), remove_and_fence, careful)
    except BadEvent as bad:
        return bad.reason, str(bad)
    except Poison as poison:
        return poison.reason, str(poison)
    except (WriteRace, CommitUnknown, Gap):
        raise
    except Exception as error:
        if isinstance(error, PyMongoError) and is_unreachable(error):
            raise
        log.exception("redrive_failed", consumer=consumer, letter=doc["_id"], event_id=dead_letters.event_id(doc))
        return "unknown_error", f"{type(error).__name__}: {error}"
    telemetry.CONSUMER_EVENTS.labels(consumer).inc(1 - applied.duplicates)
    log.info("redriven", consumer=consumer, letter=doc["_id"], event_id=event.id)
    return None
