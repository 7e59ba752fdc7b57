"""Figures on the real MongoDB against a plain recount: totals, cells, days, series, funnel, what waits, reconciliation."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest

from chassis.consuming.effect import Circumstances
from chassis.database.failures import WriteRace
from chassis.database.mongo import Mongo
from contracts.envelope import Event, Payload
from contracts.registration import JakpreneurVerified
from contracts.training import EnrolmentCompleted
from services.metrics.disclosure.series import public_series
from services.metrics.figures.store import FigureStore
from services.metrics.figures.use_cases import FigureUseCases
from services.metrics.ledger.pending import PendingEvidence
from services.metrics.ledger.reconciliation import Reconciliation
from services.metrics.ledger.rollup_ids import figure_prefix, month_of, total_id, value_of
from services.metrics.ledger.rules import ATTRIBUTES, DAILY, DIMENSIONS, UNKNOWN
from services.metrics.ledger.store import PENDING, ROLLUPS, TOTALS, Ledger, prepare
from services.metrics.progress.use_cases import ProgressUseCases
from services.metrics.targets.store import TargetStore

TIME = datetime(2021, 3, 1, 5, tzinfo=UTC)
FIRST = date(2020, 11, 1)
PEOPLE = 300


def told(source: str, subject: str, sequence: int, data: Payload) -> Event:
    """As the consumer hands it over."""
    return Event(f"{subject}:{sequence}", f"/services/{source}", subject, sequence, TIME, data)


class People:
    """Random people with their events, and the plain recount of them."""

    def __init__(self, random: Random) -> None:
        self.verified: list[Event] = []
        self.trained: list[Event] = []
        self.days: dict[tuple[str, str], str] = {}
        self.attributes: dict[str, dict[str, str]] = {}
        for number in range(PEOPLE):
            self._add(f"jkp_{number}", random)

    def _add(self, person: str, random: Random) -> None:
        kota = random.choice(["31.71", "31.72", "31.75"])
        profile = {
            "kelurahan": f"{kota}.01.1001",
            "kecamatan": f"{kota}.01",
            "kota": kota,
            "category": random.choice(["pemula", "naik_kelas"]),
            "gender": random.choice(["female", "male"]),
            "commodity": random.choice(["batik_tekstil", "kuliner", None]),
            "dinas": random.choice(["PPKUKM", "Sosial", None]),
        }
        self.attributes[person] = {name: profile[name] or UNKNOWN for name in ATTRIBUTES}
        on = FIRST + timedelta(days=random.randrange(100))
        data = JakpreneurVerified.model_validate(
            {**JakpreneurVerified.SAMPLE, **profile, "jakpreneur_id": person, "registered_on": on, "verified_on": on}
        )
        self.verified.append(told("registration", person, 1, data))
        self.days[person, "P1"] = on.isoformat()
        trainings = [FIRST + timedelta(days=random.randrange(100)) for _ in range(random.randrange(3))]
        for number, day in enumerate(trainings):
            sample = {**EnrolmentCompleted.SAMPLE, "jakpreneur_id": person, "stage": "P2", "completed_on": day}
            self.trained.append(told("training", f"enr_{person}_{number}", 1, EnrolmentCompleted.model_validate(sample)))
        if trainings:
            self.days[person, "P2"] = min(trainings).isoformat()

    def cells(self, stage: str, dimension: str, as_of: date | None = None) -> dict[str, int]:
        """Distinct people by value."""
        counts: Counter[str] = Counter()
        for (person, of_stage), day in self.days.items():
            if of_stage == stage and (as_of is None or day <= as_of.isoformat()):
                own = self.attributes[person]
                counts[{**own, "all": "all", "dinas+kota": f"{own['dinas']}+{own['kota']}"}[dimension]] += 1
        return dict(counts)

    def by_day(self, stage: str) -> list[tuple[str, int]]:
        """Distinct people by day."""
        return sorted(Counter(day for (_, of_stage), day in self.days.items() if of_stage == stage).items())


@pytest.fixture
def people() -> People:
    """The same ones in every run."""
    return People(Random(15))


async def project(mongo: Mongo, events: Sequence[Event], size: int = 60) -> None:
    """In batches as the consumer does it, looking first after a race."""
    ledger = Ledger(mongo)
    for start in range(0, len(events), size):
        batch = events[start : start + size]
        try:
            await mongo.transaction(lambda tx, batch=batch: ledger.project(tx, prepare(batch), Circumstances()))  # type: ignore[misc] # mypy can't infer a lambda with a default
        except WriteRace:
            await mongo.transaction(lambda tx, batch=batch: ledger.project(tx, prepare(batch), Circumstances(look_first=True)))  # type: ignore[misc] # mypy can't infer a lambda with a default


async def reconciled(mongo: Mongo) -> tuple[int, int, list[dict[str, object]]]:
    """Difference, pending, differences."""
    found = await Reconciliation(mongo, 3600).run()
    return found["difference"], found["pending"], found["differences"]


async def test_figures_equal_a_plain_recount(mongo: Mongo, people: People) -> None:
    """Three hundred people, in any order but a person's P1 first, a batch delivered twice."""
    events = [*people.verified, *people.trained]
    await project(mongo, [*events, *events[-40:]])
    figures = FigureStore(mongo)
    public = FigureUseCases(figures, 5)
    progress = ProgressUseCases(figures, TargetStore(mongo).all, 5)
    day = date(2020, 12, 31)
    for stage in ("P1", "P2"):
        assert await figures.total(stage, None) == people.cells(stage, "all")["all"]
        assert await figures.days(stage) == people.by_day(stage)
        for dimension in ("all", *ATTRIBUTES, "dinas+kota"):
            assert await figures.cells(stage, dimension, None) == people.cells(stage, dimension)
        for dimension in ("all", "kota", "dinas", "dinas+kota"):
            for as_of in (FIRST - timedelta(days=1), day, day + timedelta(days=9), date(2022, 1, 1)):
                assert await figures.cells(stage, dimension, as_of) == people.cells(stage, dimension, as_of)
        for by in ("day", "month", "quarter", "year"):
            shown = [
                (item["period"], item["count"], item["cumulative"]) for item in await progress.show_series(stage, by, None, None)
            ]
            wanted = public_series(people.by_day(stage), by, 5)
            assert shown == [(period.period, period.count, period.cumulative) for period in wanted]
    year = (await progress.show_series("P1", "year", None, None))[-1]
    assert year["cumulative"] == PEOPLE
    _, overall = await public.show_funnel(day, None, None)
    assert [stage["people"] for stage in overall[:3]] == [people.cells(stage, "all", day)["all"] for stage in ("P1", "P2")] + [0]
    for dimension in ("dinas", "kota", "dinas+kota"):
        for stage, months in (await figures.joined(dimension)).items():
            joined = Counter[str]()
            for month in months.values():
                joined.update(month)
            assert joined == people.cells(stage, dimension)
    on, of_kota = await public.show_funnel(day + timedelta(days=9), None, "31.71")
    assert on == day
    assert [stage["people"] for stage in of_kota[:2]] == [people.cells(stage, "kota", day)["31.71"] for stage in ("P1", "P2")]
    before = FIRST - timedelta(days=1)
    on, of_kota = await public.show_funnel(before, None, "31.71")
    assert on == before
    assert all(stage["suppressed"] for stage in of_kota)
    assert await reconciled(mongo) == (0, 0, [])


async def test_evidence_that_came_first_counts_once(mongo: Mongo, people: People) -> None:
    """Trainings before anybody's verification: they wait, which is no difference; then two workers race to count them."""
    await project(mongo, people.trained)
    assert await reconciled(mongo) == (0, len(people.trained), [])
    await project(mongo, people.verified)
    assert await reconciled(mongo) == (0, len(people.trained), [])

    async def worker() -> None:
        late = PendingEvidence(mongo, Ledger(mongo))
        for _ in range(100):
            try:
                if not await late.walk():
                    return
            except WriteRace:
                await asyncio.sleep(0.01)

    await asyncio.gather(worker(), worker())
    assert await mongo[PENDING].count_documents({}) == 0
    figures = FigureStore(mongo)
    assert await figures.days("P2") == people.by_day("P2")
    assert await figures.cells("P2", "dinas+kota", None) == people.cells("P2", "dinas+kota")
    assert await reconciled(mongo) == (0, 0, [])


async def test_a_wrong_total_is_reported(mongo: Mongo, people: People) -> None:
    """Somebody adds two people by hand: the recount names the figure and both counts."""
    await project(mongo, people.verified)
    await mongo[TOTALS].update_one({"_id": total_id("P1", "kota", "0")}, {"$inc": {"n.31_71": 2}})
    true = people.cells("P1", "kota")["31.71"]
    assert await reconciled(mongo) == (2, 0, [{"figure": "P1|kota|31.71", "ledger": true, "rollup": true + 2}])


async def test_a_wrong_month_or_day_is_reported_in_any_dimension(mongo: Mongo, people: People) -> None:
    """A person too many in one month of each dimension, and on one day of those that are kept by day: each is named."""
    await project(mongo, people.verified)
    wrong = []
    for dimension in DIMENSIONS:
        month = await mongo[ROLLUPS].find_one({"_id": {"$regex": f"^{re.escape(figure_prefix('P1', dimension))}"}})
        name = min(month["n"])
        steps = {f"n.{name}": 1}
        figure = f"P1|{dimension}|{value_of(name)}|{month_of(month['_id'])}"
        wrong.append(figure)
        if dimension in DAILY:
            day = min(month["d"][name])
            steps[f"d.{name}.{day}"] = 1
            wrong.append(f"{figure}-{day}")
        await mongo[ROLLUPS].update_one({"_id": month["_id"]}, {"$inc": steps})
    difference, _, found = await reconciled(mongo)
    assert (difference, [entry["figure"] for entry in found]) == (12, sorted(wrong))
