"""A batch of messages on its way through a consumer: what of it is applied, what is put aside, and how far that leads. Pure.

Next: chassis/consuming/consumer.py, which commits it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from aiokafka import ConsumerRecord, TopicPartition

from chassis.consuming import dead_letters
from chassis.consuming.dead_letters import Blocked
from chassis.consuming.effect import Gap, Poison
from chassis.documents import Document
from contracts.envelope import Event


@dataclass(slots=True)
class Entry:
    """One message on its way: either an event to apply or a letter to put aside."""

    partition: TopicPartition
    record: ConsumerRecord
    event: Event | None = None
    letter: Document | None = None


class Triage(NamedTuple):
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

    def triage(self, consumer: str, expected: Mapping[TopicPartition, int], blocked: Blocked) -> Triage:
        """What lies at or after the expected offsets; events of a subject behind its letter are parked.

        `blocked`: (topic, subject) -> the sequence from which on its events wait. One before it may be the one waited for.
        """
        found = Triage([], [], {})
        behind = dict(blocked)
        for entry in self.entries:
            first = expected.get(entry.partition)
            if first is None or entry.record.offset < first:
                continue
            found.moves[entry.partition] = (first, entry.record.offset + 1)
            event, letter = entry.event, entry.letter
            if behind and event is not None and letter is None:
                waits_from = behind.get((entry.record.topic, event.subject))
                if waits_from is not None and event.sequence >= waits_from:
                    letter = dead_letters.letter(consumer, entry.record, event.subject, "parked", "behind_dead_letter", "")
            if letter is not None:
                found.letters.append(letter)
                if letter["subject"] is not None and letter["state"] != "parked":
                    place = (letter["topic"], letter["subject"])
                    behind[place] = min(behind.get(place, letter["waits_from"]), letter["waits_from"])
            elif event is not None:
                found.events.append(event)
        return found

    def bury(self, consumer: str, poison: Poison) -> int:
        """Make a letter of the poisonous event; returns its place."""
        [place] = self._places([poison.event])
        self._put_aside(place, dead_letters.letter(
            consumer, self.entries[place].record, poison.event.subject, "dead", poison.reason, str(poison)
        ))  # fmt: skip
        return place

    def let_wait(self, consumer: str, gap: Gap) -> None:
        """Make letters of the events whose predecessor is missing."""
        for place in self._places(gap.events):
            entry = self.entries[place]
            if entry.event is not None:
                self._put_aside(place, dead_letters.letter(
                    consumer, entry.record, entry.event.subject, "waiting", "predecessor_missing", ""
                ))  # fmt: skip

    def _put_aside(self, place: int, letter: Document) -> None:
        self.entries[place].event = None
        self.entries[place].letter = letter

    def _places(self, events: Sequence[Event]) -> list[int]:
        wanted = {id(event) for event in events}
        return [index for index, entry in enumerate(self.entries) if id(entry.event) in wanted]
