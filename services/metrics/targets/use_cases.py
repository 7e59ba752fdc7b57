"""The verbs of targets: which documents a rule needs, the figures it is compared with, and the call of GroupCommit."""

from __future__ import annotations

from datetime import date

from chassis.access.callers import Caller
from chassis.documents import Document
from chassis.writing.decision import Decision
from chassis.writing.group_commit import GroupCommit
from services.metrics.documents import TARGETS, TargetTerms
from services.metrics.figures.rules import reached_on
from services.metrics.figures.store import FigureStore
from services.metrics.targets.rules import NoteTargetReached, SetTarget, shown_target
from services.metrics.targets.store import TargetStore


class TargetUseCases:
    """One method for each verb. `smallest_cell` is the smallest number of people that may be shown in a breakdown."""

    def __init__(self, group_commit: GroupCommit, store: TargetStore, figures: FigureStore, smallest_cell: int) -> None:
        self._group_commit = group_commit
        self._store = store
        self._figures = figures
        self._smallest = smallest_cell

    async def set_target(self, target_id: str, terms: TargetTerms, caller: Caller) -> Document:
        """Set a target, or a new version of it (R16); returns it with the day on which it was reached."""
        command = SetTarget(target_id, terms, caller.id)
        shown = await self._group_commit.submit(Decision(command.decide, [(TARGETS, target_id)]))
        return {**shown, "reached_on": await self.day_reached(terms)}

    async def list_targets(self) -> list[Document]:
        """All targets with the day on which each was reached."""
        found = await self._store.all()
        return [{**shown_target(target), "reached_on": await self.day_reached(target["versions"][-1])} for target in found]

    async def note_reached_targets(self) -> None:
        """Publish TargetReached for every current version that the figures have reached and of which it wasn't published."""
        for target in await self._store.all():
            number = len(target["versions"])
            if target.get("told") == number:
                continue
            day = await self.day_reached(target["versions"][-1])
            if day is not None:
                command = NoteTargetReached(target["_id"], number, date.fromisoformat(day))
                await self._group_commit.submit(Decision(command.decide, [(TARGETS, target["_id"])]))

    async def day_reached(self, terms: TargetTerms) -> str | None:
        """The first day on which the figures were at least the target's value; None while they aren't.

        Also None for a dinas' target below the smallest cell: the day of its first few people would disclose theirs (R18).
        """
        dinas = terms["dinas"]
        if dinas and terms["value"] < self._smallest:
            return None
        days = await (self._figures.days(terms["stage"], "dinas", dinas) if dinas else self._figures.days(terms["stage"]))
        return reached_on(days, terms["value"])
