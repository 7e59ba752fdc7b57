"""A batch of messages on its way through a consumer: what of it is applied, what is put aside, and how far that leads. Pure.

Next: chassis/consuming/consumer.py, which commits it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from chassis.consuming import dead_letters
from chassis.consuming.effect import Poison
from chassis.documents import Document
from contracts.envelope import Event


@dataclass(slots=True)
class Entry:
    """One message on its way: either an event to apply or a letter to put aside."""

    partition: TopicPartition
    record: ConsumerRecord
    event: Event | None = None
    letter: Document | None = None


class Sorted(NamedTuple):
    """Events to apply, letters to put aside, and from where to where each position moves with them."""

    events: list[Event]
    letters: list[Document]
    moves: dict[TopicPartition, tuple[int, int]]


@dataclass(slots=True)
class Batch:
    """Messages in order, and what the effect has prepared for their `events`: good only if exactly these are applied."""

    entries: list[Entry] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    prepared: Any = None

    def sort(self, consumer: str, expected: Mapping[TopicPartition, int], blocked: Collection[tuple[str, str]]) -> Sorted:
        """What lies at or after the expected offsets; events of a subject (topic, subject) behind its letter are parked."""
        found = Sorted([], [], {})
        behind = set(blocked)
        for entry in self.entries:
            first = expected.get(entry.partition)
            if first is None or entry.record.offset < first:
                continue
            found.moves[entry.partition] = (first, entry.record.offset + 1)
            event, letter = entry.event, entry.letter
            if behind and event is not None and (entry.record.topic, event.subject) in behind:
                letter = dead_letters.letter(consumer, entry.record, event.subject, "parked", "behind_dead_letter", "")
            if letter is not None:
                found.letters.append(letter)
                if letter["subject"] is not None:
                    behind.add((letter["topic"], letter["subject"]))
            elif event is not None:
                found.events.append(event)
        return found

    def bury(self, consumer: str, poison: Poison) -> int:
        """Make a letter of the poisonous event; returns its place."""
        place = next(index for index, entry in enumerate(self.entries) if entry.event is poison.event)
        entry = self.entries[place]
        entry.event = None
        entry.letter = dead_letters.letter(consumer, entry.record, poison.event.subject, "dead", poison.reason, str(poison))
        return place
