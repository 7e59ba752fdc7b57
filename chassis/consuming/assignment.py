"""Where a consumer stands in Kafka: a state machine without I/O, so that every interleaving can be tried.

    unassigned ──assign──▶ assigned ──advance──▶ assigned ──revoke──▶ unassigned
                              └──restart, void: what was fetched before no longer counts──▶ assigned

Each step but `advance` begins a new epoch. A fetch is begun with a ticket; what it brings counts only while its epoch lasts, for
it may lie behind a place that was sought meanwhile, and Kafka's client wouldn't give that again.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka import TopicPartition

Offsets = Mapping[TopicPartition, int]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A fetch: the epoch in which it began, and the offsets that were to be applied next."""

    epoch: int
    expected: Offsets


class Assignment:
    """The partitions of one consumer, and the offset that each applies next."""

    def __init__(self) -> None:
        self._epoch = 0
        self._expected: dict[TopicPartition, int] = {}
        self._lost: str | None = None

    @property
    def expected(self) -> Offsets:
        """The next offset to apply of every partition that is ours; empty when none is."""
        return self._expected

    @property
    def lost(self) -> str | None:
        """Why nothing can be fetched from the present places, until they are sought anew."""
        return self._lost

    def assign(self, stored: Offsets) -> None:
        """These partitions are ours, from their stored positions on. Also to start again after a commit without an answer."""
        self._begin_epoch()
        self._expected = dict(stored)

    def revoke(self) -> Offsets:
        """Nothing is ours any more; returns what was."""
        self._begin_epoch()
        given_up, self._expected = self._expected, {}
        return given_up

    def void(self) -> None:
        """What is being fetched, or was fetched and isn't applied, no longer counts: seek to `expected`."""
        self._begin_epoch()

    def lose(self, ticket: Ticket, reason: str) -> None:
        """Kafka no longer has what a fetch asked for."""
        if self.counts(ticket):
            self._lost = reason

    def ticket(self) -> Ticket:
        """Begin a fetch of what comes at or after `expected`."""
        return Ticket(self._epoch, dict(self._expected))

    def counts(self, ticket: Ticket) -> bool:
        """Whether what a fetch brings still counts."""
        return ticket.epoch == self._epoch

    def advance(self, moves: Mapping[TopicPartition, tuple[int, int]]) -> None:
        """A commit moved these positions: from where to where."""
        for partition, (_, following) in moves.items():
            if partition in self._expected:
                self._expected[partition] = following

    @property
    def slot(self) -> str:
        """A short name of our share of the partitions: the first of them, which is nobody else's."""
        first = min(self._expected, default=None)
        return "0" if first is None else f"{zlib.crc32(first.topic.encode()) % 997:x}.{first.partition}"

    def _begin_epoch(self) -> None:
        self._epoch += 1
        self._lost = None
