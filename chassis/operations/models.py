"""What operators send and get."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from chassis.forms.body import Body
from chassis.forms.text import Remark

Reason = Annotated[Remark, Field(min_length=5, max_length=300, description="Why; kept for ever, without personal data")]
State = Literal["dead", "waiting", "parked"]


class Discard(Body):
    """Why a letter will never have an effect."""

    reason: Reason = Field(examples=["Pesan percobaan dari mitra, bukan peristiwa"])


class RedriveOrder(Body):
    """How to try a letter again."""

    accept_gap: bool = Field(
        default=False, description="Apply it though the event before it is missing, since that is known to be lost for good"
    )


class Asked(BaseModel):
    """What an operator has asked for and isn't done yet."""

    act: Literal["redrive", "discard"] = Field(description="What")
    by: str = Field(description="Who: a caller's id, or cli:<account>")
    at: datetime = Field(description="When, UTC")
    reason: str = Field(description="Why; empty for a redrive")


class Letter(BaseModel):
    """A message that a consumer put aside."""

    letter_id: str = Field(description="Id of the letter: the same however often the message comes")
    consumer: str = Field(description="Who couldn't handle it")
    state: State = Field(
        description="dead: can't be handled; waiting: the event before it was never seen, tried again by itself; "
        "parked: behind another letter"
    )
    reason: str = Field(description="Code of the reason: malformed, schema, unknown_type, rule, unknown_error, other_content, …")
    detail: str = Field(description="More about the reason")
    topic: str = Field(description="Kafka topic")
    partition: int = Field(description="Its partition")
    offset: int = Field(description="Offset in the partition")
    subject: str | None = Field(description="Whose event it is; null if the message doesn't tell")
    at: datetime = Field(description="When it was put aside, UTC")
    asked: Asked | None = Field(description="What an operator has asked for")


class LetterPage(BaseModel):
    """Letters, oldest first."""

    items: list[Letter] = Field(description="Letters of this page")
    next_cursor: str | None = Field(description="Cursor of the next page; null on the last one")


class OpenedLetter(Letter):
    """A letter with its content."""

    headers: dict[str, str | None] = Field(description="Headers of the message as text")
    value: Any = Field(description="Value of the message: JSON if it is any, else how it begins, as text")
    value_bytes: int = Field(description="Length of the value")
    traceparent: str | None = Field(description="Trace of the request that caused the event (W3C)")
    behind: int = Field(description="How many later letters of its subject wait behind it")


class LetterOutcome(BaseModel):
    """What has become of a letter."""

    letter_id: str = Field(description="Id of the letter")
    outcome: Literal["applied", "discarded", "failed", "waiting", "parked", "asked"] = Field(
        description="applied: it had its effect; discarded; failed, waiting or parked: it stays, see `reason`; "
        "asked: its consumer hasn't come to it yet, ask again with GET"
    )
    reason: str = Field(description="Why it stays; otherwise empty")


class Position(BaseModel):
    """Where a consumer stands in a partition."""

    consumer: str = Field(description="Name of the consumer")
    topic: str = Field(description="Kafka topic")
    partition: int = Field(description="Its partition")
    next_offset: int = Field(description="Offset of the message that is applied next")
    beginning: int = Field(description="First offset that Kafka still has")
    end: int = Field(description="Offset behind the last message")
    lag: int = Field(description="Messages that wait to be applied")
    lost: int = Field(description="Messages that Kafka no longer has and that were never applied; must be 0")
    age_seconds: float | None = Field(description="Age of the first message that waits; null if none does")


class Positions(BaseModel):
    """All stored positions of a service."""

    items: list[Position] = Field(description="By consumer, topic and partition")


class Outbox(BaseModel):
    """How publishing stands."""

    waiting: int = Field(description="Commits whose events Kafka hasn't all acknowledged, counted up to 10,000")
    oldest_seconds: float | None = Field(description="Age of the oldest of these events; null if none waits")
    relay: str | None = Field(description="Process that holds the relay's lease; null if none does")
    lapses_in_seconds: float = Field(description="Until the lease lapses unless it is renewed")
