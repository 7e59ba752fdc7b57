"""From events to figures, pure: events -> ledger rows, facts, increments. No I/O, no clock.

- Every event is a row of the ledger.
- An event that evidences a stage (R8) makes a fact, once for a person and stage: `<person>:<stage>`, dated by the first evidence.
- Facts are folded into increments of rollups: one document for each (measure, dimension, month), and one of totals.
Next: ledger.py, which writes what is decided here in the transaction of the position.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any, NamedTuple

from contracts.envelope import Event, Payload
from contracts.metrics import AssessmentSubmitted
from contracts.registration import JakpreneurRegistered, JakpreneurVerified, Profile
from contracts.training import EnrolmentCompleted

Row = dict[str, Any]
Fact = dict[str, Any]

ATTRIBUTES = ("kota", "kecamatan", "commodity", "category", "gender", "dinas")
UNKNOWN = "unknown"
REGISTERED = "registered"
_PREFIX_LENGTH = len("id.go.jakarta.jakpreneur.")
_SOURCE_LENGTH = len("/services/")


def _registered(row: Row, data: JakpreneurRegistered) -> None:
    row["measure"], row["person"], row["day"] = REGISTERED, data.jakpreneur_id, data.registered_on.isoformat()
    _profile(row, data)


def _verified(row: Row, data: JakpreneurVerified) -> None:
    row["measure"], row["person"], row["day"] = "P1", data.jakpreneur_id, data.verified_on.isoformat()
    _profile(row, data)


def _completed(row: Row, data: EnrolmentCompleted) -> None:
    row["measure"], row["person"], row["day"] = data.stage, data.jakpreneur_id, data.completed_on.isoformat()


def _reported(row: Row, data: AssessmentSubmitted) -> None:
    row["measure"], row["person"], row["day"] = "P6", data.jakpreneur_id, data.submitted_on.isoformat()


def _profile(row: Row, data: Profile) -> None:
    row["kota"], row["kecamatan"], row["category"], row["gender"] = data.kota, data.kecamatan, data.category, data.gender
    row["commodity"], row["dinas"] = data.commodity or UNKNOWN, data.dinas or UNKNOWN


# What an event says for the figures (R8), as data: each adds measure, person and day to the ledger's row.
# P3 to P5 and P7 join when their events do.
EVIDENCE: Mapping[type[Payload], Callable[[Row, Any], None]] = {
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
        "content": event.content,
    }
    say = EVIDENCE.get(type(data))
    if say is not None:
        say(row, data)
    return row


def predecessor(event: Event) -> str | None:
    """The ledger id of the event before it, if it isn't the first of its subject."""
    return ledger_id(event.source, event.subject, event.sequence - 1) if event.sequence > 1 else None


def fact_id(person: str, stage: str) -> str:
    """`<person>:<stage>`: uniqueness makes the count of distinct people exact."""
    return f"{person}:{stage}"


# Every dimension that a person counts in. Days are kept where a figure can be asked for as of a day; months everywhere.
DIMENSIONS: tuple[str, ...] = ("all", *ATTRIBUTES, "dinas+kota")
DAILY = frozenset({"all", "kota", "dinas", "dinas+kota"})


class Counted(NamedTuple):
    """One person with a measure on a day."""

    measure: str
    day: str
    attributes: Mapping[str, Any]


@dataclass(slots=True)
class Increments:
    """Folded increments by (measure, dimension, month): counts by value, and by value and day; and totals by value."""

    months: dict[tuple[str, str, str], dict[str, int]] = field(default_factory=dict)
    days: dict[tuple[str, str, str], dict[tuple[str, str], int]] = field(default_factory=dict)
    totals: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)

    def add(self, counted: Iterable[Counted], sign: int = 1) -> None:
        """Fold one list of counted people. The counting itself runs in C: it is the hot part of a large batch."""
        by_day: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for measure, day, attributes in counted:
            by_day.setdefault((measure, day), []).append(attributes)
        by_month: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
        for (measure, day), people in by_day.items():
            month = day[:7]
            by_month.setdefault((measure, month), []).extend(people)
            for dimension in DAILY:
                days = self.days.setdefault((measure, dimension, month), {})
                for value, count in _by_value(dimension, people):
                    days[value, day[8:]] = days.get((value, day[8:]), 0) + count * sign
        for (measure, month), people in by_month.items():
            for dimension in DIMENSIONS:
                totals = self.totals.setdefault((measure, dimension), {})
                months = self.months.setdefault((measure, dimension, month), {})
                for value, count in _by_value(dimension, people):
                    totals[value] = totals.get(value, 0) + count * sign
                    months[value] = months.get(value, 0) + count * sign


def _by_value(dimension: str, people: Sequence[Mapping[str, Any]]) -> Iterable[tuple[str, int]]:
    if dimension == "all":
        return (("all", len(people)),)
    if dimension == "dinas+kota":
        pairs = Counter(map(itemgetter("dinas", "kota"), people))
        return ((f"{dinas}+{kota}", count) for (dinas, kota), count in pairs.items())
    return Counter(map(itemgetter(dimension), people)).items()


@dataclass(slots=True)
class Folded:
    """What a batch of new ledger rows means."""

    counted: list[Counted] = field(default_factory=list)
    uncounted: list[Counted] = field(default_factory=list)
    new_facts: dict[str, Fact] = field(default_factory=dict)
    earlier_facts: dict[str, Fact] = field(default_factory=dict)  # evidence came that is older than the fact's
    pending: list[Row] = field(default_factory=list)  # evidence of a person whose P1 hasn't been seen yet
    marks: dict[str, Row] = field(default_factory=dict)  # by ledger id: how a row was counted, see `fold`

    def marked(self, row: Row) -> Row:
        """The row with the marks that a recount needs."""
        marks = self.marks.get(row["_id"])
        return row if marks is None else {**row, **marks}

    def increments(self) -> Increments:
        """All of it, folded."""
        folded = Increments()
        folded.add(self.counted)
        folded.add(self.uncounted, -1)
        return folded


# A recount adds up rows of the ledger without looking at a person's other rows. So a row says how it was counted:
# - the six attributes under which, where they aren't the event's own;
# - `again`: the person had the stage already, so it counts nothing;
# - `late`: its person wasn't known yet; once they are, a row of `late_evidence` counts in its place;
# - `moved_from`: it is older than that evidence, so the person counts on its day and no longer on this one.


def fold(rows: Iterable[Row], facts: Mapping[str, Fact]) -> Folded:
    """Fold new ledger rows, given the facts that exist for their people. P1 first: the others take its attributes."""
    folded = Folded()
    later: list[Row] = []
    for row in rows:
        measure = row.get("measure")
        if measure == REGISTERED:
            folded.counted.append(Counted(REGISTERED, row["day"], row))
        elif measure == "P1":
            _evidence(folded, row, row, facts)
        elif measure is not None:
            later.append(row)
    for row in later:
        person = _known(folded, fact_id(row["person"], "P1"), facts)
        if person is None:
            folded.pending.append(row)
            folded.marks[row["_id"]] = {"late": True}
        else:
            _evidence(folded, row, person, facts)
    return folded


def _known(folded: Folded, identity: str, facts: Mapping[str, Fact]) -> Fact | None:
    return folded.earlier_facts.get(identity) or folded.new_facts.get(identity) or facts.get(identity)


def _evidence(folded: Folded, row: Row, attributes: Mapping[str, Any], facts: Mapping[str, Fact]) -> None:
    measure, day = row["measure"], row["day"]
    identity = fact_id(row["person"], measure)
    known = _known(folded, identity, facts)
    if known is None:
        own = {name: attributes[name] for name in ATTRIBUTES}
        fact = {"_id": identity, "stage": measure, "day": day, "event": row["_id"], **own}
        folded.new_facts[identity] = fact
        folded.counted.append(Counted(measure, day, fact))
        if attributes is not row:
            folded.marks[row["_id"]] = own
    elif day < known["day"]:
        # A stage's date is that of its first evidence, in whatever order evidence arrives.
        folded.uncounted.append(Counted(measure, known["day"], known))
        folded.counted.append(Counted(measure, day, known))
        own = {name: known[name] for name in ATTRIBUTES}
        folded.marks[row["_id"]] = {"again": True, "moved_from": known["day"], **own}
        moved = {**known, "day": day, "event": row["_id"]}
        (folded.new_facts if identity in folded.new_facts else folded.earlier_facts)[identity] = moved
    else:
        folded.marks[row["_id"]] = {"again": True}
