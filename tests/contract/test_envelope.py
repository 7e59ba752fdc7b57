"""Our two hot functions against the `cloudevents` package, the referee: both directions, whatever the values."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary, to_binary
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from hypothesis import given
from hypothesis import strategies as st

from contracts.catalogue import TYPES
from contracts.envelope import BadEvent, Event, Headers, Payload, content_hash, event_id, from_message, source_of, to_headers
from contracts.registration import JakpreneurRegistered

subjects = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cn")), min_size=1, max_size=60).filter(str.strip)
sequences = st.integers(1, 10**12)
offsets = st.integers(-12 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
times = st.datetimes(datetime(2015, 1, 1), datetime(2100, 1, 1), timezones=offsets)  # noqa: DTZ001 - hypothesis wants naive bounds
parents = st.none() | st.from_regex(r"\A00-[0-9a-f]{32}-[0-9a-f]{16}-01\Z")
events = st.sampled_from(list(TYPES.values()))


def body_of(event: type[Payload]) -> bytes:
    """The sample as the outbox stores it."""
    return event.model_validate(event.SAMPLE).model_dump_json(exclude_none=True).encode()


@given(events, subjects, sequences, times, parents)
def test_the_referee_reads_what_we_write(
    event: type[Payload], subject: str, sequence: int, time: datetime, parent: str | None
) -> None:
    """A partner reads our events with the standard library of its language: it finds every attribute."""
    headers = to_headers(
        type_name=event.TYPE, source="/services/test", subject=subject, sequence=sequence, time=time, traceparent=parent
    )
    assert len(headers) == len(dict(headers))
    read = from_binary(KafkaMessage(dict(headers), None, body_of(event)), JSONFormat(), CloudEvent)
    assert (event_id(subject, sequence), event.TYPE, "/services/test") == (read.get_id(), read.get_type(), read.get_source())
    assert (subject, "1.0", "application/json") == (read.get_subject(), read.get_specversion(), read.get_datacontenttype())
    assert f"/contracts/schemas/{event.TYPE}.json" == read.get_dataschema()
    assert time == read.get_time()
    assert (str(sequence), parent) == (read.get_extension("sequence"), read.get_extension("traceparent"))
    assert json.loads(body_of(event)) == read.get_data()


def test_a_generation_is_no_part_of_who_says_it() -> None:
    """After a restore the publisher is the same to its readers, who know of the generation: the same ids are the same events."""
    known = JakpreneurRegistered
    found = [
        from_message(
            to_headers(
                type_name=known.TYPE,
                source=source_of("registration", generation),
                subject="jkp_1",
                sequence=1,
                time=datetime(2026, 11, 26, tzinfo=UTC),
                traceparent=None,
            ),
            body_of(known),
            TYPES,
        )
        for generation in ("", "20261126T053012Z")
    ]
    assert [(event.source, event.id, event.generation) for event in found] == [
        ("/services/registration", "jkp_1:1", ""),
        ("/services/registration", "jkp_1:1", "20261126T053012Z"),
    ]


@given(events, subjects, sequences, times, parents)
def test_we_read_what_the_referee_writes(
    event: type[Payload], subject: str, sequence: int, time: datetime, parent: str | None
) -> None:
    """An event that another library wrote, in binary mode, is the same event to us."""
    attributes: dict[str, Any] = {
        "id": event_id(subject, sequence),
        "source": "/services/test",
        "type": event.TYPE,
        "specversion": "1.0",
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        "sequence": str(sequence),
    }
    if parent is not None:
        attributes["traceparent"] = parent
    message = to_binary(CloudEvent(attributes, json.loads(body_of(event))), JSONFormat())
    read = from_message(list(message.headers.items()), message.value, TYPES)
    expected = Event(
        event_id(subject, sequence),
        "/services/test",
        subject,
        sequence,
        time,
        event.model_validate(event.SAMPLE),
        parent,
        content_hash(event.TYPE, message.value),
    )
    assert expected == read


@given(events, subjects, sequences, times, parents)
def test_there_and_back(event: type[Payload], subject: str, sequence: int, time: datetime, parent: str | None) -> None:
    """What one of our services sends is what another of them gets."""
    headers = to_headers(
        type_name=event.TYPE, source="/services/test", subject=subject, sequence=sequence, time=time, traceparent=parent
    )
    read = from_message(headers, body_of(event), TYPES)
    assert (subject, sequence, time, parent) == (read.subject, read.sequence, read.time, read.traceparent)
    assert event.model_validate(event.SAMPLE) == read.data


def reason_of(headers: Headers, value: bytes | None) -> str | None:
    """Why a message can't be understood; None for one that can."""
    try:
        from_message(headers, value, TYPES)
    except BadEvent as bad:
        return bad.reason
    return None


header_names = st.sampled_from(["ce_id", "ce_type", "ce_subject", "ce_sequence", "ce_time", "ce_source", "other"])
header_lists = st.lists(st.tuples(header_names, st.binary(max_size=60) | st.none()), max_size=12)


@given(header_lists, st.none() | st.binary(max_size=200))
def test_whatever_comes_is_an_event_or_a_bad_event(headers: Headers, value: bytes | None) -> None:
    """Anybody may write anything to a topic: decoding never fails in another way, and the reason is one of three."""
    assert reason_of(headers, value) in ("malformed", "unknown_type", "schema")


NOISE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


@given(events, st.data())
def test_a_payload_with_something_else_in_a_field(event: type[Payload], data: st.DataObject) -> None:
    """One field of a good event holds something else: it is understood or it is a bad event, never an accident."""
    field = data.draw(st.sampled_from(sorted(event.model_fields)))
    value = json.dumps({**json.loads(body_of(event)), field: data.draw(NOISE)}).encode()
    headers = to_headers(type_name=event.TYPE, source="/s", subject="x", sequence=1, time=datetime.now(UTC), traceparent=None)
    assert reason_of(headers, value) in (None, "schema")


@pytest.mark.parametrize("depth", [100, 10_000, 400_000])
def test_a_deeply_nested_payload(depth: int) -> None:
    """Brackets within brackets, four hundred thousand deep: a bad event, and the process lives."""
    event = next(iter(TYPES.values()))
    headers = to_headers(type_name=event.TYPE, source="/s", subject="x", sequence=1, time=datetime.now(UTC), traceparent=None)
    with pytest.raises(BadEvent):
        from_message(headers, b"[" * depth, TYPES)
    with pytest.raises(BadEvent):
        from_message(headers, b'{"a":' * depth + b"1" + b"}" * depth, TYPES)
