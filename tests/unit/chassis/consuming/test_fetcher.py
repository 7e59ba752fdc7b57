"""One batch ahead of the commit: whatever Kafka gives or refuses meanwhile, nothing is dropped, doubled or out of order."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, Mock, call

import pytest
from aiokafka import ConsumerRecord, TopicPartition
from aiokafka import errors as k
from hypothesis import given
from hypothesis import strategies as st

from chassis.consuming.assignment import Assignment
from chassis.consuming.batch import Batch
from chassis.consuming.fetcher import Fetcher, FetchFails, PositionLost
from chassis.settings import Settings
from tests.harness.events import TOPIC, Counted, headers_of

P0, P1, P2 = PLACES = [TopicPartition(TOPIC, number) for number in range(3)]
FROM_THE_BEGINNING = dict.fromkeys(PLACES, 0)
NO_TEXT = UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")  # a header's name that is none
PATIENCE = 5.0  # seconds; nothing here takes that long unless it never ends


def message(offset: int, place: TopicPartition = P0, value: bytes | None = None, key: bytes | None = b"s") -> ConsumerRecord:
    """A sound event, unless its value isn't."""
    body = Counted(value=offset).model_dump_json().encode() if value is None else value
    return ConsumerRecord(TOPIC, place.partition, offset, 0, 0, key, body, None, 1, len(body), tuple(headers_of("s", offset + 1)))


def messages(first: int, after: int, place: TopicPartition = P0) -> list[ConsumerRecord]:
    """Sound events of one partition, from an offset to before another."""
    return [message(offset, place) for offset in range(first, after)]


BEFORE = pytest.mark.parametrize("before", [[], [messages(0, 3), messages(3, 5)]], ids=["at once", "later"])


def scripted(*steps: Any) -> Any:
    """aiokafka's consumer: a call takes the next step (messages, an error, an event before one), and no more than asked for."""
    kafka = AsyncMock(steps=deque(steps), asked=[], waiting=asyncio.Event(), seek=Mock())

    async def getmany(*, timeout_ms: int, max_records: int) -> Any:
        kafka.asked.append((timeout_ms > 0, max_records))
        step = kafka.steps.popleft() if kafka.steps else []
        if isinstance(step, asyncio.Event):
            kafka.waiting.set()
            await step.wait()
            step = kafka.steps.popleft()
        if isinstance(step, Exception):
            raise step
        if step[max_records:]:
            kafka.steps.appendleft(step[max_records:])
        page: dict[TopicPartition, list[ConsumerRecord]] = {}
        for record in step[:max_records]:
            page.setdefault(TopicPartition(record.topic, record.partition), []).append(record)
        return page

    kafka.getmany = getmany
    return kafka


def ahead(kafka: Any, limit: int = 100, prepare: Callable[..., Any] = tuple) -> Fetcher:
    """A fetcher on this Kafka, its batches no larger than the limit, for an effect that is prepared in this way."""
    effect = Mock(types={Counted.TYPE: Counted}, prepare=prepare)
    place = Assignment()
    place.assign(FROM_THE_BEGINNING)
    made = Fetcher(Settings(consumer_batch_limit=limit), "counter", [TOPIC], effect, place)
    made.kafka = kafka
    return made


def seek(fetcher: Fetcher, places: Mapping[TopicPartition, int]) -> None:
    """The partitions are ours from these places on, as after a rebalance."""
    fetcher._place.assign(places)
    fetcher.seek()


async def taken(fetcher: Fetcher) -> Any:
    """Begin a batch and take it."""
    fetcher.start_next()
    return await asyncio.wait_for(fetcher.take(), PATIENCE)


def offsets(batch: Batch, place: TopicPartition = P0) -> list[int]:
    """What of a partition is in the batch, in its order."""
    return [entry.record.offset for entry in batch.entries if entry.partition == place]


@pytest.fixture
def paused(monkeypatch: pytest.MonkeyPatch) -> Callable[[], float]:
    """How many seconds were paused in all; nobody waits for them here."""
    sleep = AsyncMock()
    monkeypatch.setattr("chassis.consuming.fetcher.asyncio", SimpleNamespace(**{**vars(asyncio), "sleep": sleep}))
    return lambda: sum(pause.args[0] for pause in sleep.await_args_list)


async def test_what_lies_ready_is_one_batch() -> None:
    """Page after page up to the limit, waiting only for the first; what is too much comes with the next batch."""
    kafka = scripted(messages(0, 3), messages(3, 4) + messages(0, 2, P1), messages(4, 9))
    fetcher = ahead(kafka, limit=8)
    batch = await taken(fetcher)
    assert (offsets(batch), offsets(batch, P1)) == ([0, 1, 2, 3, 4, 5], [0, 1])
    assert kafka.asked == [(True, 8), (False, 5), (False, 2)]
    assert [offsets(await taken(fetcher)) for _ in range(2)] == [[6, 7, 8], []]


async def test_requests_have_their_turn_between_pages() -> None:
    """aiokafka unpacks a page in one go: 2,000 messages at most, however many a batch may have, and a turn after each."""
    kafka, seen = scripted(messages(0, 4500)), set[int]()
    taking = asyncio.create_task(taken(ahead(kafka, limit=4100)))
    while not taking.done():
        seen.add(len(kafka.asked))
        await asyncio.sleep(0)
    assert offsets(taking.result()) == list(range(4100))
    assert kafka.asked == [(True, 2000), (False, 2000), (False, 100)]
    assert seen >= {1, 2, 3}


@given(st.lists(st.lists(st.sampled_from(PLACES), max_size=8), max_size=8), st.integers(1, 12))
async def test_however_the_messages_come(script: list[list[TopicPartition]], limit: int) -> None:
    """Any split into pages, any limit, errors (in place of an empty page) anywhere: each message once, partitions in order."""
    sent, kafka, batches = Counter[TopicPartition](), scripted(), list[Batch]()
    for places in script:
        kafka.steps.append([] if places else k.NoOffsetForPartitionError())
        for place in places:
            kafka.steps[-1].append(message(sent[place], place))
            sent[place] += 1
    fetcher = ahead(kafka, limit)
    while kafka.steps:
        batches.append(await taken(fetcher))
    for place in PLACES:
        assert [offset for batch in batches for offset in offsets(batch, place)] == list(range(sent[place]))
    assert all(len(batch.entries) <= limit for batch in batches)


@BEFORE
@pytest.mark.parametrize("error", [k.KafkaConnectionError(), k.IllegalStateError(), k.NoOffsetForPartitionError()], ids=repr)
async def test_an_error_between_pages(paused: Callable[[], float], before: list[Any], error: Exception) -> None:
    """What came before it is applied, the rest comes with the next batch; while Kafka is away, the consumer doesn't spin."""
    fetcher = ahead(scripted(*before, error, messages(5, 7)))
    batch = await taken(fetcher)
    assert (offsets(batch), batch.prepared) == (([0, 1, 2, 3, 4], tuple(batch.events)) if before else ([], None))
    harmless = isinstance(error, k.NoOffsetForPartitionError)
    assert (paused(), fetcher.failing) == (0 if harmless else 0.5, not harmless and not before)
    assert (offsets(await taken(fetcher)), fetcher.failing) == ([5, 6], False)


async def test_a_client_that_gives_nothing_but_errors(paused: Callable[[], float], monkeypatch: pytest.MonkeyPatch) -> None:
    """One topic of several was taken away: as long as the others come, the client does its work. Then it is of no use."""
    fetcher = ahead(scripted(messages(0, 2), *[k.GroupAuthorizationFailedError()] * 3))
    monkeypatch.setattr("chassis.consuming.fetcher._FAILING_SECONDS", 0.0)
    for failing in (False, True):
        await taken(fetcher)
        assert failing == fetcher.failing
    with pytest.raises(FetchFails):
        await taken(fetcher)


@pytest.mark.parametrize(("refusal", "tries"), [(k.InvalidReplicationFactorError(), 1), (k.NodeNotReadyError(), 2)])
async def test_a_topic_that_may_not_be_made(
    refusal: Exception, tries: int, paused: Callable[[], float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another service's topic is missing and not ours to make: the others are read. While Kafka is away, it is tried again."""
    client = Mock(start=AsyncMock(), stop=AsyncMock())
    ensure_topics = AsyncMock(side_effect=[refusal, None])
    monkeypatch.setattr(
        "chassis.consuming.fetcher.kafka", SimpleNamespace(consumer=lambda *_: client, ensure_topics=ensure_topics)
    )
    fetcher = ahead(None)
    await asyncio.wait_for(fetcher.start(Mock(), asyncio.Event()), PATIENCE)
    assert (ensure_topics.await_count, client.start.await_count) == (tries, 1)
    await fetcher.stop()


@BEFORE
async def test_a_position_that_kafka_no_longer_has(before: list[Any]) -> None:
    """Retention took events that were never applied: what came before is applied, and nothing behind it until sought anew."""
    fetcher = ahead(scripted(*before, k.OffsetOutOfRangeError(), messages(8, 9)))
    if before:
        assert offsets(await taken(fetcher)) == [0, 1, 2, 3, 4]
    for _ in range(2):
        with pytest.raises(PositionLost):
            await taken(fetcher)
    await fetcher.drop()
    seek(fetcher, {P0: 8})
    assert offsets(await taken(fetcher)) == [8]


@BEFORE
@pytest.mark.parametrize("error", [k.CorruptRecordException(), k.UnsupportedCodecError(), NO_TEXT], ids=repr)
async def test_messages_that_aiokafka_cannot_unpack(paused: Callable[[], float], before: list[Any], error: Exception) -> None:
    """It may have lost others of the same page over them: everything is void, and comes again after a seek and a pause."""
    fetcher = ahead(scripted(*before, error, messages(0, 7)))
    assert (await taken(fetcher), paused()) == (None, 0.5)
    seek(fetcher, {P0: 0})
    assert offsets(await taken(fetcher)) == list(range(7))


async def test_messages_that_stay_corrupt(paused: Callable[[], float]) -> None:
    """Nobody can go on past them: the consumer stops and pages instead of trying for ever."""
    fetcher = ahead(scripted(*[k.CorruptRecordException()] * 5, messages(0, 7)))
    for _ in range(4):
        assert await taken(fetcher) is None
        seek(fetcher, {P0: 0})
    assert paused() == 2.0
    with pytest.raises(PositionLost):
        await taken(fetcher)


async def test_a_position_lost_before_a_rebalance() -> None:
    """The partition is sought anew while the fetch fails at its old place: that no longer matters."""
    come = asyncio.Event()
    kafka = scripted(come, k.OffsetOutOfRangeError(), messages(7, 9))
    fetcher = ahead(kafka)
    fetcher.start_next()
    await asyncio.wait_for(kafka.waiting.wait(), PATIENCE)
    seek(fetcher, {P0: 7})
    come.set()
    assert await asyncio.wait_for(fetcher.take(), PATIENCE) is None
    seek(fetcher, {P0: 7})
    assert offsets(await taken(fetcher)) == [7, 8]


@pytest.mark.parametrize("places", [{P1: 3, P0: 7}, {}], ids=["sought", "nothing left to us"])
@pytest.mark.parametrize("fetched", [False, True])
async def test_a_rebalance_while_a_batch_is_on_its_way(fetched: bool, places: dict[TopicPartition, int]) -> None:
    """What was asked for before, here already or not, may lie behind the new place: void. The one after it is good."""
    come = asyncio.Event()
    kafka = scripted(come, messages(0, 3), [], messages(7, 9))
    kafka.seek.side_effect = [k.IllegalStateError("P1 is no longer ours"), None]
    fetcher: Any = ahead(kafka)
    fetcher.start_next()
    await asyncio.wait_for(kafka.waiting.wait(), PATIENCE)
    if fetched:
        come.set()
        await asyncio.wait({fetcher._next}, timeout=PATIENCE)
    seek(fetcher, places)
    come.set()
    assert await asyncio.wait_for(fetcher.take(), PATIENCE) is None
    assert kafka.seek.mock_calls == [call(*place) for place in places.items()]
    assert offsets(await taken(fetcher)) == ([7, 8] if places else [])


async def test_only_what_is_ours_and_not_yet_applied() -> None:
    """Messages before the expected offset were applied; those of another partition are for its owner."""
    fetcher = ahead(scripted(messages(0, 5) + messages(0, 5, P1) + messages(0, 5, P2)))
    fetcher._place.assign({P0: 3, P2: 0})
    batch = await taken(fetcher)
    assert [offsets(batch, place) for place in PLACES] == [[3, 4], [], [0, 1, 2, 3, 4]]


@pytest.mark.parametrize(("key", "subject"), [(b"s", "s"), (None, None), (b"\xff", "�")])
async def test_a_message_that_nobody_understands(key: bytes | None, subject: str | None) -> None:
    """It becomes a dead letter in its place, with the reason; the others are events, and only they are prepared."""
    batch = await taken(ahead(scripted([message(0), message(1, value=b"{", key=key), message(2)])))
    assert [entry.event and entry.event.id for entry in batch.entries] == ["s:1", None, "s:3"]
    letters = [entry.letter and [entry.letter[name] for name in ("offset", "reason", "subject")] for entry in batch.entries]
    assert letters == [None, [1, "schema", subject], None]
    assert batch.prepared == tuple(batch.events) == (batch.entries[0].event, batch.entries[2].event)


@pytest.mark.parametrize(("value", "asked"), [(b"{", 0), (None, 1)], ids=["no events", "fails"])
async def test_nothing_is_prepared(value: bytes | None, asked: int) -> None:
    """Without events the effect isn't asked; if it fails, the fetch goes on: the commit tries again and finds the culprit."""
    prepare = Mock(side_effect=ZeroDivisionError)
    batch = await taken(ahead(scripted([message(0, value=value)]), prepare=prepare))
    assert (offsets(batch), len(batch.events), batch.prepared) == ([0], asked, None)
    assert prepare.mock_calls == [call(batch.events)] * asked


@pytest.mark.parametrize(("size", "aside"), [(200, False), (201, True)])
async def test_a_large_batch_does_not_hold_up_requests(size: int, aside: bool) -> None:
    """More than 200 messages, of all pages together, are decoded and prepared in a thread; for few that isn't worth it."""
    kafka = scripted(messages(0, 150), messages(150, size))
    batch = await taken(ahead(kafka, 1000, lambda _: threading.current_thread()))
    assert offsets(batch) == list(range(size))
    assert (batch.prepared is not threading.current_thread()) == aside


async def test_a_consumer_begins_and_ends(monkeypatch: pytest.MonkeyPatch, paused: Callable[[], float]) -> None:
    """Kafka answers the second time; then it has nothing to give, and the consumer stops without waiting for it."""
    kafka, stopped = scripted(asyncio.Event()), asyncio.Event()
    kafka.start.side_effect = [k.KafkaConnectionError(), None]
    monkeypatch.setattr("chassis.publishing.kafka.consumer", lambda *_: kafka)
    monkeypatch.setattr("chassis.publishing.kafka.ensure_topics", AsyncMock())
    fetcher = ahead(None)
    await fetcher.start(AsyncMock(), stopped)
    assert (kafka.start.await_count, paused()) == (2, 1.0)
    taking = asyncio.create_task(taken(fetcher))
    await asyncio.wait_for(kafka.waiting.wait(), PATIENCE)
    stopped.set()
    assert await taking == Batch()
    fetch: Any = fetcher._next
    ended, _ = await asyncio.wait({asyncio.create_task(fetcher.stop())}, timeout=PATIENCE)
    assert (len(ended), fetch.cancelled(), kafka.stop.await_count) == (1, True, 2)


async def test_stopping_while_kafka_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiokafka's stop() hangs: ours ends all the same. Time runs a thousand times faster here."""
    kafka, lets_go = scripted(), asyncio.Event()
    hurried = {"wait_for": lambda work, timeout: asyncio.wait_for(work, timeout / 1000)}
    monkeypatch.setattr("chassis.consuming.fetcher.asyncio", SimpleNamespace(**{**vars(asyncio), **hurried}))
    kafka.stop.side_effect = lets_go.wait
    stopping = asyncio.create_task(ahead(kafka).stop())
    done, _ = await asyncio.wait({stopping}, timeout=PATIENCE)
    lets_go.set()
    assert (done, kafka.stop.await_count) == ({stopping}, 1)
    assert stopping.exception() is None
