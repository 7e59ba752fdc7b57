"""Redrive: the consumer that owns the partition ends letters in order, each with its effect in one transaction.

An operator asks for it, or for a letter to be discarded; letters that wait for a missing predecessor are tried by themselves.
Next: dead_letters.py.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from aiokafka import TopicPartition

from chassis import logs, telemetry
from chassis.consuming import dead_letters, operator_log, positions
from chassis.consuming.effect import Circumstances, Effect, Gap, Poison, gap_key
from chassis.database.failures import CommitUnknown, PyMongoError, WriteRace, is_unreachable
from chassis.database.mongo import Mongo, Tx
from chassis.documents import Document
from contracts.envelope import BadEvent, Event, from_message

log = logs.get(__name__)


@dataclass(frozen=True, slots=True)
class Redrive:
    """One round of a consumer: what it needs to end letters of the partitions that it owns."""

    mongo: Mongo
    consumer: str
    effect: Effect
    expected: Mapping[TopicPartition, int]
    circumstances: Circumstances

    async def run(self) -> bool:
        """Do what is due of one subject's letters; returns whether there was anything."""
        owned = [(partition.topic, partition.partition) for partition in self.expected]
        letters = await dead_letters.due(self.mongo, self.consumer, owned)
        for index, doc in enumerate(letters):
            try:
                failure = await self._end(doc)
            except (WriteRace, CommitUnknown) as error:
                # Another writer, or no answer: no fault of the letter's. What was asked for stands, and the next round goes on.
                log.info("redrive_interrupted", consumer=self.consumer, letter=doc["_id"], reason=type(error).__name__)
                break
            except Gap:
                await self._note(doc, "waiting", "predecessor_missing")
                await dead_letters.try_again_later(self.mongo, doc["_id"])
                break
            if failure is not None:
                reason, detail = failure
                await self._note(doc, "failed", reason)
                await dead_letters.redrive_failed(self.mongo, letters[index:], reason, detail)
                break
        return bool(letters)

    async def _end(self, doc: Document) -> tuple[str, str] | None:
        """Apply or discard one letter; returns why it still can't be handled."""
        if dead_letters.act_of(doc) == dead_letters.DISCARD:
            await self.mongo.transaction(lambda tx: self._forget(doc, "discarded", tx))
            log.warning("dead_letter_discarded", consumer=self.consumer, letter=doc["_id"], by=doc["asked"]["by"])
            return None
        try:
            headers = [(name, raw if raw is None else bytes(raw)) for name, raw in doc["headers"]]
            event = from_message(headers, bytes(doc["value"]), self.effect.types)
            await self._apply(doc, event)
        except BadEvent as bad:
            return bad.reason, str(bad)
        except Poison as poison:
            return poison.reason, str(poison)
        except (WriteRace, CommitUnknown, Gap):
            raise
        except Exception as error:
            if isinstance(error, PyMongoError) and is_unreachable(error):
                raise
            log.exception("redrive_failed", consumer=self.consumer, letter=doc["_id"], event_id=dead_letters.event_id(doc))
            return "unknown_error", logs.name_of(error)
        log.info("redriven", consumer=self.consumer, letter=doc["_id"], event_id=event.id)
        return None

    async def _apply(self, doc: Document, event: Event) -> None:
        accepted = {gap_key(event)} if doc.get("accept_gap") else set[str]()
        accepted |= await operator_log.behind_discarded(self.mongo, self.consumer, [event])
        careful = replace(self.circumstances, look_first=True, accepted_gaps=frozenset(accepted))
        applied = await self.effect.commit(self.effect.prepare([event]), lambda tx: self._forget(doc, "applied", tx), careful)
        telemetry.CONSUMER_EVENTS.labels(self.consumer).inc(1 - applied.duplicates)

    async def _forget(self, doc: Document, outcome: str, tx: Tx) -> None:
        """Remove the letter and note it in the operators' log, fenced by the position: no other owner may do so meanwhile."""
        partition = TopicPartition(doc["topic"], doc["partition"])
        place = self.expected.get(partition)
        if place is None:
            raise WriteRace(positions.FENCED)  # the partition has moved on to another consumer, which goes on
        await dead_letters.remove(self.mongo, doc["_id"], tx)
        if outcome == "discarded":
            await dead_letters.release_followers(self.mongo, doc, tx)
        await positions.move(self.mongo, self.consumer, {partition: (place, place)}, tx)
        await self._note(doc, outcome, doc["reason"], tx)

    async def _note(self, doc: Document, outcome: str, letter_reason: str, tx: Tx = None) -> None:
        asked = doc.get("asked")
        if asked is None:
            return  # nobody's act: its time had come
        about = {name: doc[name] for name in ("consumer", "topic", "partition", "offset", "subject")}
        about |= dead_letters.place_of(doc)
        digest = hashlib.sha256(bytes(doc["value"])).hexdigest()
        about |= {"letter_id": doc["_id"], "letter_reason": letter_reason, "value_sha256": digest, "ask": asked["id"]}
        await operator_log.append(
            self.mongo, tx, by=asked["by"], act=asked["act"], outcome=outcome, reason=asked["reason"], about=about
        )
