"""Load, decide and write one batch of decisions: the steps that GroupCommit and consumers share.

Rules run in order, each seeing what the earlier ones decided. What they ask for on their way is collected over the whole batch
and loaded together: as many rounds of loading as the deepest rule needs. Next: group_commit.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chassis import clock
from chassis.database.failures import WriteRace
from chassis.database.mongo import LogicalTime, Mongo, Tx
from chassis.database.writes import Writes
from chassis.documents import Document, DocumentId
from chassis.errors import DomainError
from chassis.writing import outbox
from chassis.writing.decision import IDEMPOTENCY, Decision, Documents, InconsistentRead, NotLoaded, Outcome
from chassis.writing.outbox import SavedEvent
from chassis.writing.staging import Staging

InSameTransaction = Callable[[Tx, list[Document | Exception]], Awaitable[None]]
_ROUNDS = 100  # of loading what one rule asks for on its way


@dataclass(slots=True)
class Decided:
    """A batch that is decided and not yet written: each one's reply or error, and what is to be written."""

    results: list[Document | Exception]
    staging: Staging = field(default_factory=Staging)
    events: list[SavedEvent] = field(default_factory=list)
    written: list[frozenset[DocumentId]] = field(default_factory=list)  # by each decision


async def commit_together(
    mongo: Mongo,
    decisions: Sequence[Decision],
    *,
    now: datetime | None = None,
    traceparents: Sequence[str | None] = (),
    in_same_transaction: InSameTransaction | None = None,
    deadline_seconds: float = 20.0,
) -> list[Document | Exception]:
    """Decide and commit once. Returns for each decision its reply, or the error that its rule raised.

    `in_same_transaction(tx, results)` writes more (a consumer's positions). Raises WriteRace, CommitUnknown or the driver's
    errors for the batch as a whole: then nobody's outcome is known to be written.
    """
    decided = await decide_together(mongo, decisions, now=now, traceparents=traceparents)
    await write(mongo, decided, in_same_transaction=in_same_transaction, deadline_seconds=deadline_seconds)
    return decided.results


async def decide_together(
    mongo: Mongo,
    decisions: Sequence[Decision],
    *,
    now: datetime | None = None,
    traceparents: Sequence[str | None] = (),
    taken_for_absent: Collection[str] = (),
) -> Decided:
    """Load what the decisions need and run their rules.

    Of the documents that decisions expect to be absent those in the collections `taken_for_absent` aren't looked for: their
    insert finds out (WriteRace). Raises WriteRace when documents contradict each other.
    """
    moment = now or clock.now()
    decided = Decided([{} for _ in decisions])
    documents = decided.staging.documents
    wanted = {read for decision in decisions for read in decision.reads}
    for decision in decisions:
        for expected in decision.all_expected_absent():
            if expected[0] not in taken_for_absent:
                wanted.add(expected)
            elif expected not in wanted:
                documents.put(expected, None)
    first = rounds = 0
    await _load(mongo, documents, wanted)
    while first < len(decisions):
        lacking, wanted = _run_rules(decisions, first, decided, moment, traceparents)
        rounds = rounds + 1 if lacking == first else 0
        first = lacking
        if rounds > _ROUNDS:
            _keep(decided, first, RuntimeError("a rule kept asking for more documents"), traceparents)
            first, rounds = first + 1, 0
        await _load(mongo, documents, wanted)
    await _answer_from_records(mongo, decisions, decided, moment)
    return decided


def _run_rules(
    decisions: Sequence[Decision], first: int, decided: Decided, now: datetime, traceparents: Sequence[str | None]
) -> tuple[int, set[DocumentId]]:
    """Decide from `first` on; returns the first that lacks documents, and all that it and those behind it ask for.

    Those behind it run on a layer of their own, only to learn what they need: their turn comes when it has decided.
    """
    wanted: set[DocumentId] = set()
    staging, lacking = decided.staging, len(decisions)
    for index in range(first, len(decisions)):
        outcome = _outcome_of(decisions[index], staging.documents, now)
        if isinstance(outcome, NotLoaded):
            if not wanted:
                staging, lacking = Staging(Documents(below=staging.documents)), index
            wanted |= outcome.wanted
            continue
        if isinstance(outcome, InconsistentRead):
            if wanted:
                continue
            raise WriteRace("inconsistent_read") from outcome
        if isinstance(outcome, Outcome):
            staging.apply(outcome, now)
        if not wanted:
            _keep(decided, index, outcome, traceparents)
    return lacking, wanted


def _outcome_of(decision: Decision, documents: Documents, now: datetime) -> Outcome | Exception:
    try:
        return decision.run(documents, now)
    except DomainError as refusal:
        # Its traceback holds frames, and these hold the refusal: a cycle that would keep a whole form alive.
        return refusal.with_traceback(None)
    except Exception as error:  # noqa: BLE001 - a rule that raises fails only its own caller; a bug becomes their 500
        return error


def _keep(decided: Decided, index: int, outcome: Outcome | Exception, traceparents: Sequence[str | None]) -> None:
    while len(decided.written) <= index:
        decided.written.append(frozenset())
    if isinstance(outcome, Exception):
        decided.results[index] = outcome
        return
    decided.results[index] = outcome.reply
    decided.written[index] = frozenset((write.collection, write.document["_id"]) for write in outcome.writes)
    parent = traceparents[index] if index < len(traceparents) else None
    decided.events += [outbox.saved(event, parent) for event in decided.staging.events[len(decided.events) :]]


async def _answer_from_records(mongo: Mongo, decisions: Sequence[Decision], decided: Decided, now: datetime) -> None:
    """Give refused requests the stored reply if this very request was committed elsewhere after its key was looked for.

    A caller who lost patience asks another replica while the first attempt commits between two loads of the second: a refusal
    ("that NIK is taken", by themselves) would deny what is stored. One look for the whole batch.
    """
    documents = decided.staging.documents
    refused: dict[Any, int] = {}
    for index, (decision, result) in enumerate(zip(decisions, decided.results, strict=True)):
        if decision.idempotency is not None and isinstance(result, DomainError):
            key = decision.idempotency.key
            if documents.missing([(IDEMPOTENCY, key)]) or documents.get(IDEMPOTENCY, key) is None:
                refused[key] = index
    if not refused:
        return
    for record in await mongo.find_by_ids(IDEMPOTENCY, list(refused)):
        index = refused[record["_id"]]
        documents.put((IDEMPOTENCY, record["_id"]), record)
        try:
            decided.results[index] = decisions[index].run(documents, now).reply
        except DomainError as refusal:
            decided.results[index] = refusal


async def _load(mongo: Mongo, documents: Documents, wanted: Iterable[DocumentId]) -> None:
    by_collection: dict[str, list[Any]] = {}
    for collection, identity in documents.missing(wanted):
        by_collection.setdefault(collection, []).append(identity)
        documents.put((collection, identity), None)
    found = await asyncio.gather(*(mongo.find_by_ids(name, ids) for name, ids in by_collection.items()))
    for collection, loaded in zip(by_collection, found, strict=True):
        for document in loaded:
            documents.put((collection, document["_id"]), document)


async def write(
    mongo: Mongo,
    decided: Decided,
    *,
    in_same_transaction: InSameTransaction | None = None,
    deadline_seconds: float,
) -> None:
    """Write all of it in one majority transaction, with its events. Raises as commit_together."""

    def save_events(time: LogicalTime) -> dict[str, Writes]:
        return {outbox.OUTBOX: Writes(inserts=outbox.documents_of(decided.events, time))}

    async def work(tx: Tx) -> None:
        await mongo.write(decided.staging.writes(), tx, save_events if decided.events else None)
        if in_same_transaction is not None:
            await in_same_transaction(tx, decided.results)

    if decided.staging.staged or in_same_transaction is not None:
        await mongo.transaction(work, deadline_seconds)


async def moved(mongo: Mongo, decided: Decided) -> set[DocumentId]:
    """After a race: which of the documents to be written are no longer as they were when they were loaded."""
    guards: dict[str, dict[Any, int]] = {}
    for collection, identity, guard in decided.staging.guards():
        guards.setdefault(collection, {})[identity] = guard
    found = await asyncio.gather(*(mongo.versions(collection, list(ids)) for collection, ids in guards.items()))
    return {
        (collection, identity)
        for (collection, ids), versions in zip(guards.items(), found, strict=True)
        for identity, guard in ids.items()
        if versions.get(identity, 0) != guard
    }
