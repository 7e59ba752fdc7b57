"""Metrics' verbs: which documents a rule needs, and the call of GroupCommit; the workers that follow the figures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

from chassis import clock
from chassis.access.callers import Caller
from chassis.calendar import jakarta_day
from chassis.documents import Document
from chassis.writing.decision import Decision, Idempotency
from chassis.writing.group_commit import GroupCommit
from services.metrics import domain
from services.metrics.domain import ASSESSMENTS, FACTS, PERIODS, SUBJECTS, TARGETS
from services.metrics.figures.store import Figures
from services.metrics.ledger.rules import fact_id
from services.metrics.ledger.store import Ledger
from services.metrics.targets.store import Store

_FOLLOW_SECONDS = 1.0


class UseCases:
    """One method for each verb."""

    def __init__(self, store: Store, group_commit: GroupCommit, figures: Figures, ledger: Ledger) -> None:
        self._store = store
        self._group_commit = group_commit
        self.figures = figures
        self._ledger = ledger

    async def submit_assessment(
        self,
        jakpreneur_id: str,
        period: str,
        figures: Mapping[str, int],
        basis: str,
        evidence: str,
        caller: Caller,
        idempotency: Idempotency | None,
    ) -> Document:
        """A monthly report (P6); raises RuleBroken for a person who isn't verified, Conflict for a month reported."""
        command = domain.SubmitAssessment(
            clock.new_id("ast"), jakpreneur_id, period, figures, basis, evidence, caller.id, caller.limit(jakpreneur_id)
        )
        reads = [(FACTS, fact_id(jakpreneur_id, "P1")), (PERIODS, f"{jakpreneur_id}:{period}"), (SUBJECTS, jakpreneur_id)]
        return await self._group_commit.submit(Decision(command.decide, reads, idempotency))

    async def verify_assessment(
        self, assessment_id: str, evidence: str | None, caller: Caller, if_match: int | None, idempotency: Idempotency | None
    ) -> Document:
        """R7; raises NotFound, Conflict when verified already, Forbidden for the submitter."""
        command = domain.VerifyAssessment(assessment_id, evidence, caller.id, if_match, caller.dinas)
        return await self._group_commit.submit(Decision(command.decide, [(ASSESSMENTS, assessment_id)], idempotency))

    async def set_target(self, target_id: str, version: Mapping[str, Any], caller: Caller) -> Document:
        """R16; the same value again changes nothing."""
        command = domain.SetTarget(target_id, version, caller.id)
        shown = await self._group_commit.submit(Decision(command.decide, [(TARGETS, target_id)]))
        return {**shown, "reached_on": await self._reached(shown)}

    async def targets(self) -> list[Document]:
        """All targets with the day on which each was reached."""
        found = await self._store.targets()
        return [{**domain.shown_target(target), "reached_on": await self._reached(target["versions"][-1])} for target in found]

    async def _reached(self, version: Mapping[str, Any]) -> str | None:
        dinas = version.get("dinas")
        if dinas and version["value"] < self.figures.smallest_cell:
            return None  # the day of a dinas' first few people would be theirs (R18)
        days = await (self.figures.days(version["stage"], "dinas", dinas) if dinas else self.figures.days(version["stage"]))
        return domain.reached_on(days, version["value"])

    async def progress(self, as_of: date) -> Document:
        """The headline: verified people so far, and the overall target of stage P1."""
        today = jakarta_day(clock.now())
        total = await self.figures.total("P1", None if as_of >= today else as_of)
        valid = domain.target_on(await self._store.targets(), as_of)
        target: Document | None = None
        share: str | None = None
        if valid is not None:
            day = domain.reached_on(await self.figures.days("P1"), valid["value"])
            reached = day if day is not None and day <= as_of.isoformat() else None
            target = {"value": valid["value"], "source": valid["source"], "reached_on": reached}
            share = domain.percent(total, valid["value"])
        return {"as_of": as_of.isoformat(), "registered_total": total, "target": target, "progress_percent": share}

    async def follow_figures(self) -> None:
        """Worker: count evidence that came before its person, and tell once when a target is reached."""
        await self._ledger.resolve_pending()
        for target in await self._store.targets():
            number = len(target["versions"])
            if target.get("told") == number:
                continue
            day = await self._reached(target["versions"][-1])
            if day is not None:
                command = domain.NoteReached(target["_id"], number, date.fromisoformat(day))
                await self._group_commit.submit(Decision(command.decide, [(TARGETS, target["_id"])]))
        await asyncio.sleep(_FOLLOW_SECONDS)
