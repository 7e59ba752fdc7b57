"""Recounts in pieces and evidence that waits: interrupted, crowded, on several replicas at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest

from chassis.database.mongo import Mongo
from contracts.envelope import Event
from contracts.registration import JakpreneurVerified
from contracts.training import EnrolmentCompleted
from services.metrics.figures.store import FigureStore
from services.metrics.ledger import reconciliation as reconciliation_module
from services.metrics.ledger.pending import PendingEvidence
from services.metrics.ledger.reconciliation import RECONCILIATIONS, Reconciliation
from services.metrics.ledger.recount import recounted
from services.metrics.ledger.store import PENDING, Ledger, prepare
from tests.integration.test_figures import FIRST, People, project, told


async def test_a_recount_goes_on_where_it_was_interrupted(mongo: Mongo, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three hundred people in four months; the process dies in the third piece, another one does the rest and no piece twice."""
    people = People(Random(15))
    await project(mongo, [*people.verified, *people.trained])
    monkeypatch.setattr(reconciliation_module, "_PEOPLE", 1)
    pieces: list[str] = []

    async def counting(mongo: Mongo, first: str, last: str, snapshot: Any) -> Any:
        pieces.append(first)
        if len(pieces) == 3:
            raise ConnectionError("killed here")
        return await recounted(mongo, first, last, snapshot)

    monkeypatch.setattr(reconciliation_module, "recounted", counting)
    with pytest.raises(ConnectionError):
        await Reconciliation(mongo, 3600, "dies").run("dies")
    result = await Reconciliation(mongo, 3600, "goes on").fresh()
    assert result is not None
    assert (result["difference"], result["pending"]) == (0, 0)
    assert pieces == ["2020-11", "2020-12", "2021-01", "2021-01", "2021-02"]
    assert await mongo[RECONCILIATIONS].find_one({"_id": "progress"}) is None


async def test_one_replica_recounts_for_all(mongo: Mongo) -> None:
    """Four replicas are asked for a fresh result at once: all get one, by a recount of each in turn or of another."""
    people = People(Random(15))
    await project(mongo, people.verified)
    replicas = [Reconciliation(mongo, 3600, f"r{number}") for number in range(4)]
    results = await asyncio.gather(*(replica.fresh() for replica in replicas))
    assert [result is not None and result["difference"] for result in results] == [0, 0, 0, 0]


def _waiting(count: int) -> tuple[list[Event], list[Event]]:
    """So many trainings of as many people, and the verifications that they wait for."""
    now = datetime(2021, 3, 1, 5, tzinfo=UTC)
    trained, verified = [], []
    for number in range(count):
        person, day = f"jkp_{number:05d}", FIRST + timedelta(days=number % 60)
        sample = {**EnrolmentCompleted.SAMPLE, "jakpreneur_id": person, "stage": "P2", "completed_on": day}
        trained.append(told("training", f"enr_{person}", 1, EnrolmentCompleted.model_validate(sample)))
        on = {"jakpreneur_id": person, "registered_on": date(2020, 11, 1), "verified_on": date(2020, 11, 1)}
        data = JakpreneurVerified.model_validate({**JakpreneurVerified.SAMPLE, **on})
        verified.append(Event(f"{person}:1", "/services/registration", person, 1, now, data))
    return trained, verified


async def test_whoever_arrives_is_found_among_thousands_that_wait(mongo: Mongo) -> None:
    """Two thousand trainings wait; the last person's verification arrives, and theirs is counted at once, not after a walk."""
    trained, verified = _waiting(2000)
    await project(mongo, trained, 500)
    late = PendingEvidence(mongo, Ledger(mongo))
    late._walked = float("inf")  # no walk: the arrival alone must do
    await project(mongo, verified[-1:])
    late.noticed(prepare(verified[-1:]))
    await late.work()
    assert await mongo[PENDING].count_documents({}) == 1999
    assert await FigureStore(mongo).total("P2", None) == 1


async def test_the_walk_comes_round(mongo: Mongo) -> None:
    """A crash between commit and look: the walk finds everybody, page by page, though most go on waiting."""
    trained, verified = _waiting(1200)
    await project(mongo, trained, 400)
    await project(mongo, verified[::2], 400)
    late = PendingEvidence(mongo, Ledger(mongo))
    for _ in range(4):
        await late.walk()
    assert await mongo[PENDING].count_documents({}) == 600
    assert await FigureStore(mongo).total("P2", None) == 600
    assert (await Reconciliation(mongo, 3600).run())["difference"] == 0
