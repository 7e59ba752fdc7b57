"""From events to figures: whatever order and batches they arrive in, the figures are those of a recount from scratch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.envelope import Event, Payload
from contracts.metrics import AssessmentSubmitted, TargetReached
from contracts.registration import JakpreneurRegistered, JakpreneurVerified
from contracts.training import EnrolmentCompleted
from services.metrics.ledger.rules import (
    ATTRIBUTES,
    DAILY,
    DIMENSIONS,
    Counted,
    Fact,
    Increments,
    Row,
    fact_id,
    fold,
    ledger_row,
    predecessor,
)
from services.metrics.ledger.store import month_updates, total_updates
from tests.unit.metrics.documents import Collection

Figures = Counter[tuple[str, ...]]
NOON = datetime(2021, 3, 1, 5, tzinfo=UTC)
SITI: dict[str, Any] = {
    "kelurahan": "31.71.01.1001",
    "kecamatan": "31.71.01",
    "kota": "31.71",
    "category": "pemula",
    "gender": "female",
}
DAY = date(2021, 1, 30)


class Book:
    """The ledger in memory: events once each, facts, what waits for its person, and the figures as increments add up."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self.facts: dict[str, Fact] = {}
        self.pending: list[Row] = []
        self.figures: Figures = Counter()
        self.marked: list[Row] = []  # rows as they are kept, those that waited a second time when they were counted

    def take(self, events: Sequence[Event]) -> None:
        """One batch, as the consumer hands it over: what was seen before is dropped."""
        rows = {row["_id"]: row for row in map(ledger_row, events) if row["_id"] not in self.seen}
        self.seen |= rows.keys()
        self._count(list(rows.values()))

    def resolve(self) -> None:
        """The worker that looks after what waits."""
        ready = [row for row in self.pending if fact_id(row["person"], "P1") in self.facts]
        self.pending = [row for row in self.pending if row not in ready]
        self._count(ready)

    def _count(self, rows: list[Row]) -> None:
        folded = fold(rows, self.facts)
        self.marked += [folded.marked(row) for row in rows]
        assert not folded.new_facts.keys() & self.facts.keys()
        assert folded.earlier_facts.keys() <= self.facts.keys()
        self.facts |= folded.new_facts | folded.earlier_facts
        self.pending += folded.pending
        increments = folded.increments()
        for (measure, dimension), values in increments.totals.items():
            self.figures.update({(measure, dimension, value): count for value, count in values.items()})
        for (measure, dimension, month), values in increments.months.items():
            self.figures.update({(measure, dimension, value, month): count for value, count in values.items()})
        for (measure, dimension, month), days in increments.days.items():
            counts = {(measure, dimension, value, f"{month}-{day}"): count for (value, day), count in days.items()}
            self.figures.update(counts)

    def shown(self) -> Figures:
        """Every figure that isn't nought."""
        return Counter({name: count for name, count in self.figures.items() if count})


def event(source: str, subject: str, sequence: int, data: Payload) -> Event:
    """As the consumer hands it over."""
    return Event(f"{subject}:{sequence}", f"/services/{source}", subject, sequence, NOON, data)


def verified(person: str, sequence: int, day: date, **profile: Any) -> Event:
    """Evidence of P1."""
    data = JakpreneurVerified(jakpreneur_id=person, **{**SITI, **profile}, registered_on=day, verified_on=day)
    return event("registration", person, sequence, data)


def completed(person: str, number: int, day: date, stage: Any = "P2") -> Event:
    """Evidence of the training's stage; every enrolment is a subject of its own."""
    sample = {**EnrolmentCompleted.SAMPLE, "jakpreneur_id": person, "stage": stage, "completed_on": day}
    return event("training", f"enr_{person}_{number}", 3, EnrolmentCompleted.model_validate(sample))


def assessed(person: str, sequence: int, day: date) -> Event:
    """Evidence of P6: metrics' own subject of the same name as registration's."""
    sample = {**AssessmentSubmitted.SAMPLE, "jakpreneur_id": person, "submitted_on": day}
    return event("metrics", person, sequence, AssessmentSubmitted.model_validate(sample))


days = st.integers(0, 70).map(lambda more: DAY + timedelta(days=more))
profiles = st.fixed_dictionaries(
    {
        "kota": st.sampled_from(["31.71", "31.75"]),
        "kecamatan": st.sampled_from(["31.71.01", "31.75.02"]),
        "category": st.sampled_from(["pemula", "naik_kelas"]),
        "gender": st.sampled_from(["female", "male"]),
        "commodity": st.sampled_from(["batik_tekstil", "kuliner", None]),
        "dinas": st.sampled_from(["PPKUKM", "Sosial", None]),
    }
)


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Some people's events in any order at all, some of them delivered again."""
    events: list[Event] = []
    for number in range(draw(st.integers(1, 4))):
        person = f"jkp_{number}"
        profile = {**SITI, **draw(profiles)}
        registered_on, verified_on = draw(days), draw(days)
        data = JakpreneurRegistered(jakpreneur_id=person, **profile, registered_on=registered_on, channel="online")
        events.append(event("registration", person, 1, data))
        if draw(st.booleans()):
            events.append(verified(person, 2, verified_on, **profile))
        trainings = draw(st.lists(st.tuples(days, st.sampled_from(["P2", "P3", "P5"])), max_size=4))
        events += [completed(person, index, day, stage) for index, (day, stage) in enumerate(trainings)]
        events += [assessed(person, index, day) for index, day in enumerate(draw(st.lists(days, max_size=3)), start=1)]
    again = draw(st.lists(st.sampled_from(events), max_size=4))
    return draw(st.permutations(events + again))


def recount(events: Sequence[Event]) -> Figures:
    """The figures by definition (R8): distinct people by stage, by the day of the first evidence, by what P1 says of them."""
    rows = {row["_id"]: row for row in map(ledger_row, events)}.values()
    people = {row["person"]: row for row in rows if row.get("measure") == "P1"}
    counted = [("registered", row["day"], row) for row in rows if row.get("measure") == "registered"]
    for stage in ("P1", "P2", "P3", "P5", "P6"):
        for person, attributes in people.items():
            evidence = [row["day"] for row in rows if row.get("measure") == stage and row["person"] == person]
            if evidence:
                counted.append((stage, min(evidence), attributes))
    figures: Figures = Counter()
    for measure, day, row in counted:
        values = {"all": "all", **{name: row[name] for name in ATTRIBUTES}, "dinas+kota": f"{row['dinas']}+{row['kota']}"}
        for dimension, value in values.items():
            figures[measure, dimension, value] += 1
            figures[measure, dimension, value, day[:7]] += 1
            if dimension in DAILY:
                figures[measure, dimension, value, day] += 1
    return figures


@settings(max_examples=150, deadline=None)
@given(histories(), st.lists(st.integers(1, 6), max_size=20), st.booleans())
def test_folding_is_recounting(events: list[Event], sizes: list[int], impatient: bool) -> None:
    """People register, are verified, learn and report; Kafka delivers it in any order, cut anywhere, some of it twice."""
    book, rest = Book(), list(events)
    for size in sizes:
        batch, rest = rest[:size], rest[size:]
        book.take(batch)
        if impatient:
            book.resolve()
    book.take(rest)
    book.resolve()
    assert recount(events) == book.shown()
    unverified = {row["person"] for row in map(ledger_row, events) if "measure" in row} - {
        identity.removesuffix(":P1") for identity in book.facts if identity.endswith(":P1")
    }
    assert {row["person"] for row in book.pending} <= unverified


@settings(max_examples=100, deadline=None)
@given(histories(), st.lists(st.integers(1, 6), max_size=20))
def test_each_row_says_how_it_was_counted(events: list[Event], sizes: list[int]) -> None:
    """Rows added up one by one, without a look at a person's other rows, give the figures: so a month can be recounted alone."""
    book, rest = Book(), list(events)
    for size in [*sizes, len(events)]:
        batch, rest = rest[:size], rest[size:]
        book.take(batch)
        book.resolve()
    added = Increments()
    for row in book.marked:
        if "measure" in row and "late" not in row and ("again" not in row or "moved_from" in row):
            added.add([Counted(row["measure"], row["day"], row)])
        if "moved_from" in row:
            added.add([Counted(row["measure"], row["moved_from"], row)], -1)
    figures: Figures = Counter()
    for (measure, dimension), values in added.totals.items():
        figures.update({(measure, dimension, value): count for value, count in values.items()})
    for (measure, dimension, month), values in added.months.items():
        figures.update({(measure, dimension, value, month): count for value, count in values.items()})
    for (measure, dimension, month), by_day in added.days.items():
        figures.update({(measure, dimension, value, f"{month}-{day}"): count for (value, day), count in by_day.items()})
    assert book.shown() == Counter({name: count for name, count in figures.items() if count})


@settings(max_examples=60, deadline=None)
@given(histories())
def test_every_dimension_adds_up_to_all(events: list[Event]) -> None:
    """However people are divided, by kota or by trade, nobody is lost: `unknown` is a value like any other."""
    book = Book()
    book.take(events)
    book.resolve()
    for measure in {name[0] for name in book.shown()}:
        everybody = book.figures[measure, "all", "all"]
        for dimension in DIMENSIONS:
            cells = {name: count for name, count in book.shown().items() if name[:2] == (measure, dimension)}
            assert everybody == sum(count for name, count in cells.items() if len(name) == 3)
            assert everybody == sum(count for name, count in cells.items() if len(name) == 4 and len(name[3]) == 7)


@settings(max_examples=60, deadline=None)
@given(histories(), st.lists(st.integers(1, 6), max_size=20))
def test_the_stored_documents_say_the_same(events: list[Event], sizes: list[int]) -> None:
    """The updates of each batch, applied to documents as MongoDB does, end in the figures of a recount."""
    rollups, totals, book, rest = Collection(), Collection(), Book(), list(events)
    for number, size in enumerate([*sizes, len(events)]):
        slot = f"2.{number % 3}"
        batch, rest = rest[:size], rest[size:]
        rows = [row for row in map(ledger_row, batch) if row["_id"] not in book.seen]
        increments = fold({row["_id"]: row for row in rows}.values(), book.facts).increments()
        book.take(batch)
        rollups.apply(month_updates(increments, slot))
        totals.apply(total_updates(increments, slot))
        waiting = [row for row in book.pending if fact_id(row["person"], "P1") in book.facts]
        increments = fold(waiting, book.facts).increments()
        book.resolve()
        rollups.apply(month_updates(increments, "late"))
        totals.apply(total_updates(increments, "late"))
    assert recount(events) == rollups.figures() + totals.figures()


def test_older_evidence_moves_the_stage() -> None:
    """Siti's certificate of January arrives after that of March: her P2 is of January, and March has one fewer."""
    book = Book()
    book.take([verified("jkp_siti", 2, DAY), completed("jkp_siti", 1, date(2021, 3, 8))])
    book.take([completed("jkp_siti", 2, date(2021, 1, 31))])
    assert book.facts["jkp_siti:P2"]["day"] == "2021-01-31"
    assert book.facts["jkp_siti:P2"]["event"] == "training/enr_jkp_siti_2:3"
    p2 = {name[3]: count for name, count in book.shown().items() if name[:2] == ("P2", "all") and len(name) == 4}
    assert p2 == {"2021-01": 1, "2021-01-31": 1}
    assert book.figures["P2", "all", "all"] == 1


def test_later_evidence_changes_nothing() -> None:
    """A second training in April: she has learned more, and is still one person with P2."""
    book = Book()
    book.take([verified("jkp_siti", 2, DAY), completed("jkp_siti", 1, date(2021, 3, 8))])
    before = book.shown()
    book.take([completed("jkp_siti", 2, date(2021, 4, 8)), completed("jkp_siti", 3, date(2021, 3, 8))])
    assert before == book.shown()


def test_older_evidence_in_the_same_batch() -> None:
    """Three certificates in one batch, the oldest last: one new fact, no correction of what was never stored."""
    rows = [ledger_row(verified("jkp_siti", 2, DAY))]
    rows += [
        ledger_row(completed("jkp_siti", number, day)) for number, day in enumerate([DAY + timedelta(9), DAY + timedelta(5), DAY])
    ]
    folded = fold(rows, {})
    assert folded.earlier_facts == {}
    assert folded.new_facts["jkp_siti:P2"]["day"] == DAY.isoformat()
    assert folded.increments().totals["P2", "all"] == {"all": 1}


def test_evidence_waits_for_its_person() -> None:
    """Training's topic is faster than registration's: the certificate waits, uncounted, until P1 comes, and then counts."""
    book = Book()
    book.take([completed("jkp_siti", 1, DAY)])
    assert (len(book.pending), book.shown()) == (1, Counter())
    book.resolve()
    assert len(book.pending) == 1
    book.take([verified("jkp_siti", 2, DAY, dinas="Sosial")])
    book.resolve()
    assert (book.pending, book.figures["P2", "dinas", "Sosial"]) == ([], 1)


def test_a_person_and_their_certificate_in_one_batch() -> None:
    """The certificate stands before the verification in the batch: nothing waits, P1 is looked at first."""
    folded = fold([ledger_row(completed("jkp_siti", 1, DAY)), ledger_row(verified("jkp_siti", 2, DAY))], {})
    assert (folded.pending, set(folded.new_facts)) == ([], {"jkp_siti:P1", "jkp_siti:P2"})


def test_an_event_without_figures_is_a_row_only() -> None:
    """That a target was reached is kept in the ledger and counts nobody."""
    row = ledger_row(event("metrics", "plan", 1, TargetReached.model_validate(TargetReached.SAMPLE)))
    assert row == {"_id": "metrics/plan:1", "type": "metrics.target.reached.v1", "at": NOON, "content": 0}
    folded = fold([row], {})
    assert (folded.counted, folded.pending, folded.new_facts) == ([], [], {})


@pytest.mark.parametrize(("sequence", "before"), [(1, None), (2, "metrics/jkp_siti:1"), (10, "metrics/jkp_siti:9")])
def test_the_event_before(sequence: int, before: str | None) -> None:
    """Registration and metrics both tell of Siti, each with its own sequence: neither is the other's predecessor."""
    assert before == predecessor(assessed("jkp_siti", sequence, DAY))


def test_taking_back_is_the_opposite_of_counting() -> None:
    """Somebody counted and taken back leaves only noughts, and noughts write nothing."""
    somebody = [Counted("P1", "2021-01-30", ledger_row(verified("jkp_siti", 2, DAY)))]
    increments = Increments()
    increments.add(somebody)
    increments.add(somebody, -1)
    assert (month_updates(increments, "0"), total_updates(increments, "0")) == ([], [])
