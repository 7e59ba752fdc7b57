"""From events to figures, pure: events -> ledger rows, facts, increments. No I/O, no clock.

- Every event is a row of the ledger.
- An event that evidences a stage (R8) makes a fact, once for a person and stage: `<person>:<stage>`, dated by the first evidence.
- Facts are folded into increments of rollups: one document for each (measure, dimension, value, month), and a total.
Next: ledger.py, which writes what is decided here in the transaction of the position.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from contracts.envelope import Event, Payload
from contracts.metrics import AssessmentSubmitted
from contracts.registration import JakpreneurRegistered, JakpreneurVerified, Profile
from contracts.training import EnrolmentCompleted

Row = dict[str, Any]
Fact = dict[str, Any]

ATTRIBUTES = ("kota", "kecamatan", "commodity", "category", "gender", "dinas")
UNKNOWN = "unknown"
REGISTERED = "registered"
STAGES = ("P1", "P2", "P3", "P4", "P5", "P6", "P7")
_PREFIX_LENGTH = len("id.go.jakarta.jakpreneur.")
_SOURCE_LENGTH = len("/services/")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an event says for the figures: whom it is about, which measure, and on which day."""

    person: str
    measure: str
    day: date
    profile: Profile | None = None


def _registered(data: JakpreneurRegistered) -> Evidence:
    return Evidence(data.jakpreneur_id, REGISTERED, data.registered_on, data)


def _verified(data: JakpreneurVerified) -> Evidence:
    return Evidence(data.jakpreneur_id, "P1", data.verified_on, data)


def _completed(data: EnrolmentCompleted) -> Evidence:
    return Evidence(data.jakpreneur_id, data.stage, data.completed_on)


def _reported(data: AssessmentSubmitted) -> Evidence:
    return Evidence(data.jakpreneur_id, "P6", data.submitted_on)


# Stage evidence as data (R8). P3 to P5 and P7 join when their events do.
EVIDENCE: Mapping[type[Payload], Callable[[Any], Evidence]] = {
    JakpreneurRegistered: _registered,
    JakpreneurVerified: _verified,
    EnrolmentCompleted: _completed,
    AssessmentSubmitted: _reported,
}


def ledger_id(source: str, subject: str, sequence: int) -> str:
    """`<service>/<subject>:<sequence>`: two services may tell of the same subject, each with its own sequence."""
    return f"{source[_SOURCE_LENGTH:]}/{subject}:{sequence}"


def ledger_row(event: Event) -> Row:
    """The ledger's document for one event."""
    data = event.data
    row: Row = {
        "_id": ledger_id(event.source, event.subject, event.sequence),
        "type": data.TYPE[_PREFIX_LENGTH:],
        "at": event.time,
    }
    read = EVIDENCE.get(type(data))
    if read is not None:
        evidence = read(data)
        row["measure"], row["person"], row["day"] = evidence.measure, evidence.person, evidence.day.isoformat()
        profile = evidence.profile
        if profile is not None:
            row["kota"], row["kecamatan"] = profile.kota, profile.kecamatan
            row["category"], row["gender"] = profile.category, profile.gender
            row["commodity"], row["dinas"] = profile.commodity or UNKNOWN, profile.dinas or UNKNOWN
    return row


def predecessor(event: Event) -> str | None:
    """The ledger id of the event before it, if it isn't the first of its subject."""
    return ledger_id(event.source, event.subject, event.sequence - 1) if event.sequence > 1 else None


def fact_id(person: str, stage: str) -> str:
    """`<person>:<stage>`: uniqueness makes the count of distinct people exact."""
    return f"{person}:{stage}"


@dataclass(slots=True)
class Increments:
    """Folded increments: for each rollup document the count of every day of its month, and totals."""

    months: dict[tuple[str, str, str, str], dict[str, int]] = field(default_factory=dict)
    totals: dict[tuple[str, str, str], int] = field(default_factory=dict)

    def add(self, measure: str, day: str, attributes: Mapping[str, Any], count: int = 1) -> None:
        """One person more (or less) on a day, in every dimension."""
        month, in_month = day[:7], day[8:]
        for dimension, value in dimensions(attributes):
            key = (measure, dimension, value)
            self.totals[key] = self.totals.get(key, 0) + count
            days = self.months.setdefault((measure, dimension, value, month), {})
            days[in_month] = days.get(in_month, 0) + count


def dimensions(attributes: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Every (dimension, value) that a person counts in."""
    return [
        ("all", ""),
        ("kota", attributes["kota"]),
        ("kecamatan", attributes["kecamatan"]),
        ("commodity", attributes["commodity"]),
        ("category", attributes["category"]),
        ("gender", attributes["gender"]),
        ("dinas", attributes["dinas"]),
        ("dinas+kota", f"{attributes['dinas']}+{attributes['kota']}"),
    ]


@dataclass(slots=True)
class Folded:
    """What a batch of new ledger rows means."""

    increments: Increments = field(default_factory=Increments)
    new_facts: dict[str, Fact] = field(default_factory=dict)
    earlier_facts: dict[str, Fact] = field(default_factory=dict)  # evidence came that is older than the fact's
    pending: list[Row] = field(default_factory=list)  # evidence of a person whose P1 hasn't been seen yet


def fold(rows: Iterable[Row], facts: Mapping[str, Fact]) -> Folded:
    """Fold new ledger rows, given the facts that exist for their people. P1 first: the others take its attributes."""
    folded = Folded()
    later: list[Row] = []
    for row in rows:
        measure = row.get("measure")
        if measure == REGISTERED:
            folded.increments.add(REGISTERED, row["day"], row)
        elif measure == "P1":
            _evidence(folded, row, {name: row[name] for name in ATTRIBUTES}, facts)
        elif measure is not None:
            later.append(row)
    for row in later:
        first = fact_id(row["person"], "P1")
        person = folded.earlier_facts.get(first) or folded.new_facts.get(first) or facts.get(first)
        if person is None:
            folded.pending.append(row)
        else:
            _evidence(folded, row, {name: person[name] for name in ATTRIBUTES}, facts)
    return folded


def _evidence(folded: Folded, row: Row, attributes: Mapping[str, Any], facts: Mapping[str, Fact]) -> None:
    measure, day = row["measure"], row["day"]
    identity = fact_id(row["person"], measure)
    known = folded.earlier_facts.get(identity) or folded.new_facts.get(identity) or facts.get(identity)
    if known is None:
        folded.new_facts[identity] = {"_id": identity, "stage": measure, "day": day, "event": row["_id"], **attributes}
        folded.increments.add(measure, day, attributes)
    elif day < known["day"]:
        # A stage's date is that of its first evidence, in whatever order evidence arrives.
        folded.increments.add(measure, known["day"], known, -1)
        folded.increments.add(measure, day, known)
        moved = {**known, "day": day, "event": row["_id"]}
        (folded.new_facts if identity in folded.new_facts else folded.earlier_facts)[identity] = moved
