"""More than 50 bad of the last 1,000 messages: stop and page, however large a batch is."""

from __future__ import annotations

from typing import Any

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from chassis.consuming import dead_letters
from chassis.consuming.batch import Entry
from chassis.consuming.consumer import Consumer
from chassis.consuming.effect import Applied
from chassis.settings import Settings

PLACE = TopicPartition("t", 0)


def counted(bad: range, size: int) -> int:
    """The worst that the window saw, for a batch with bad messages at these places."""
    consumer = Consumer(None, Settings(), "window", ["t"], None)._committer  # type: ignore[arg-type] # counting touches neither
    entries, letters = [], list[dict[str, Any]]()
    for offset in range(size):
        record = ConsumerRecord("t", 0, offset, 0, 0, None, b"", None, 0, 0, ())
        letter = dead_letters.letter("window", record, None, "dead", "schema", "") if offset in bad else None
        entries.append(Entry(PLACE, record, letter=letter))
        letters += [letter] if letter else []
    consumer._count(entries, [], Applied(), letters)
    return consumer._window.worst


@pytest.mark.parametrize(
    ("bad", "size", "worst"),
    [
        (range(0), 8000, 0),
        (range(60), 8000, 60),  # at the head of a batch that is eight times the window
        (range(0, 8000, 100), 8000, 10),  # one in a hundred: put aside, no reason to stop
        (range(7000, 8000), 8000, 1000),
    ],
)
def test_the_window_slides_over_the_messages(bad: range, size: int, worst: int) -> None:
    """Sixty bad messages in a row are sixty, though thousands of good ones follow in the same batch."""
    assert counted(bad, size) == worst
