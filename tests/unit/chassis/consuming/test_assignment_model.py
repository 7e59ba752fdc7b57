"""Every interleaving of fetches, commits, rebalances and failures: each message is applied once and in order, none is skipped."""

from __future__ import annotations

from collections.abc import Mapping

from aiokafka import TopicPartition
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from chassis.consuming.assignment import Assignment, Ticket

PLACES = [TopicPartition("t", number) for number in range(3)]
places = st.sampled_from(PLACES)
Messages = list[tuple[TopicPartition, int]]


class Client:
    """aiokafka's consumer as far as it matters: a place in each partition that getmany moves and seek sets."""

    def __init__(self) -> None:
        self.positions: dict[TopicPartition, int] = {}

    def seek(self, expected: Mapping[TopicPartition, int]) -> None:
        """Fetch next from there."""
        self.positions = dict(expected)

    def take(self, ends: Mapping[TopicPartition, int], most: int) -> Messages:
        """The next messages, which it won't give again."""
        taken: Messages = []
        for partition, position in self.positions.items():
            for offset in range(position, min(ends[partition], position + most)):
                taken.append((partition, offset))
            self.positions[partition] = max(position, min(ends[partition], position + most))
        return taken


class ConsumerModel(RuleBasedStateMachine):
    """One consumer, whose database holds positions and effects; another consumer may own partitions between its turns."""

    def __init__(self) -> None:
        super().__init__()
        self.ends = dict.fromkeys(PLACES, 0)
        self.stored = dict.fromkeys(PLACES, 0)
        self.applied: dict[TopicPartition, list[int]] = {partition: [] for partition in PLACES}
        self.place = Assignment()
        self.client = Client()
        self.fetch: tuple[Ticket, Messages] | None = None
        self.batch: Messages | None = None

    @initialize()
    def begin(self) -> None:
        """All partitions are ours."""
        self._assign(PLACES)

    def _assign(self, partitions: list[TopicPartition]) -> None:
        self.place.assign({partition: self.stored[partition] for partition in partitions})
        self.client.seek(self.place.expected)

    @rule(partition=places, count=st.integers(1, 4))
    def publish(self, partition: TopicPartition, count: int) -> None:
        """Messages are written."""
        self.ends[partition] += count

    @precondition(lambda self: self.fetch is None)
    @rule(most=st.integers(1, 3))
    def begin_fetch(self, most: int) -> None:
        """The client gives messages; they are decoded while other things happen."""
        ticket = self.place.ticket()
        self.fetch = ticket, self.client.take(self.ends, most)

    @precondition(lambda self: self.fetch is not None and self.batch is None)
    @rule()
    def take(self) -> None:
        """The consumer takes the fetch: a batch, or nothing that counts, and then it seeks."""
        assert self.fetch is not None
        ticket, messages = self.fetch
        self.fetch = None
        if self.place.counts(ticket):
            self.batch = [m for m in messages if m[0] in ticket.expected and m[1] >= ticket.expected[m[0]]]
        else:
            self.client.seek(self.place.expected)

    def _moves(self) -> dict[TopicPartition, tuple[int, int]]:
        moves: dict[TopicPartition, tuple[int, int]] = {}
        for partition, offset in self.batch or ():
            first = self.place.expected.get(partition)
            if first is not None and offset >= first:
                moves[partition] = (first, offset + 1)
        return moves

    def _write(self, moves: Mapping[TopicPartition, tuple[int, int]]) -> bool:
        """The transaction: effects and positions, if each position is where we believe it to be."""
        if any(self.stored[partition] != first for partition, (first, _) in moves.items()):
            return False
        for partition, offset in self.batch or ():
            if partition in moves and offset >= moves[partition][0]:
                self.applied[partition].append(offset)
        self.stored |= {partition: following for partition, (_, following) in moves.items()}
        return True

    @precondition(lambda self: self.batch is not None)
    @rule()
    def commit(self) -> None:
        """It is committed, or fenced since somebody else moved on: then it starts again at what is stored."""
        moves = self._moves()
        if self._write(moves):
            self.place.advance(moves)
        else:
            self._assign(list(self.place.expected))
        self.batch = None

    @precondition(lambda self: self.batch is not None)
    @rule(done=st.booleans())
    def commit_without_an_answer(self, done: bool) -> None:
        """Nobody knows whether it was committed: the stored position does."""
        if done:
            self._write(self._moves())
        self._assign(list(self.place.expected))
        self.batch = None

    @precondition(lambda self: self.batch is not None)
    @rule()
    def lose_the_database(self) -> None:
        """The batch is given up before it was written."""
        self.place.void()
        self.client.seek(self.place.expected)
        self.batch = None

    @rule()
    def meet_corrupt_records(self) -> None:
        """The client lost what it had taken."""
        if self.fetch is not None:
            self.place.void()
            self.fetch = self.fetch[0], []

    @precondition(lambda self: self.batch is None)
    @rule(kept=st.sets(places), stolen=st.integers(0, 3))
    def rebalance(self, kept: set[TopicPartition], stolen: int) -> None:
        """All partitions are revoked; another consumer works on some of them; some come (back) to us."""
        self.place.revoke()
        for partition in PLACES:
            following = min(self.ends[partition], self.stored[partition] + stolen)
            self.applied[partition] += range(self.stored[partition], following)
            self.stored[partition] = following
        self._assign(sorted(kept))

    @rule(partition=places, stolen=st.integers(1, 3))
    def be_a_zombie(self, partition: TopicPartition, stolen: int) -> None:
        """We were away longer than the session: somebody else worked on, and nobody has told us."""
        following = min(self.ends[partition], self.stored[partition] + stolen)
        self.applied[partition] += range(self.stored[partition], following)
        self.stored[partition] = following

    @invariant()
    def each_message_once_and_in_order(self) -> None:
        """What was applied is exactly what lies before the stored position."""
        for partition in PLACES:
            assert list(range(self.stored[partition])) == self.applied[partition]

    def teardown(self) -> None:
        """Left alone, the consumer applies everything: it never waits behind a message that the client won't give again."""
        if self.batch is not None:
            self.commit()
        if self.fetch is not None:
            self.take()
            if self.batch is not None:
                self.commit()
        for _ in range(100):
            self.begin_fetch(3)
            self.take()
            if self.batch is not None:
                self.commit()
        for partition in self.place.expected:
            assert self.ends[partition] == self.stored[partition]
        self.each_message_once_and_in_order()


ConsumerModel.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestConsumerModel = ConsumerModel.TestCase
TestConsumerModel.__doc__ = "The model under hypothesis."
