"""The verbs of figures: a breakdown by a dimension, and the funnel, as the public may see them (R18)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from chassis.documents import Document
from contracts.reference import STAGES
from services.metrics.disclosure.month_ends import Joined, last_month_end, last_shown, people_on, published
from services.metrics.figures.replies import shown_cells, shown_stages
from services.metrics.figures.rules import hidden_cells, public_count
from services.metrics.figures.store import FigureStore


class FigureUseCases:
    """One method for each verb. `smallest_cell` is the smallest number of people that may be shown in a breakdown."""

    def __init__(self, store: FigureStore, smallest_cell: int) -> None:
        self._store = store
        self._smallest = smallest_cell

    async def show_breakdown(self, stage: str, dimension: str) -> list[Document]:
        """People with a stage by a dimension, in order of value; none where any of them would disclose a small cell (R18)."""
        cells = await self._store.cells(stage, dimension, None)
        hidden = hidden_cells(dimension, cells, self._smallest)
        return [] if hidden is None else shown_cells(cells, hidden)

    async def show_funnel(self, as_of: date | None, dinas: str | None, kota: str | None) -> tuple[date | None, list[Document]]:
        """Distinct people with each stage (R8), in percent of P1, and the day of the figures; without a day they are live.

        With a dinas or a kota, small cells are suppressed, and a past day is answered with the last month end of which P1 may
        be shown (R18). Stages of which that month end may not be shown are suppressed, and all are if there is none. Without
        a filter nothing is suppressed: the programme's published totals carry no attributes of people.
        """
        if dinas is None and kota is None:
            return as_of, shown_stages({stage: await self._store.total(stage, as_of) for stage in STAGES})
        if dinas is not None and kota is not None:
            dimension, wanted = "dinas+kota", f"{dinas}+{kota}"
        else:
            dimension, wanted = ("dinas", dinas) if dinas is not None else ("kota", str(kota))
        if as_of is None:
            return None, shown_stages({stage: await self._live(stage, dimension, wanted) for stage in STAGES})
        month_end = last_month_end(as_of)
        joined = await self._store.joined(dimension)
        shown = await self._months_shown(dimension, joined)
        last = last_shown(joined["P1"], shown["P1"], month_end)
        if last is None:
            return month_end, shown_stages(dict.fromkeys(STAGES))
        tables = {stage: people_on(joined[stage], shown[stage], last.day) for stage in STAGES}
        people: dict[str, int | None] = {
            stage: None if table is None else table.get(wanted, 0) for stage, table in tables.items()
        }
        return last.day, shown_stages(people)

    async def _live(self, stage: str, dimension: str, value: str) -> int | None:
        return public_count(dimension, value, await self._store.cells(stage, dimension, None), self._smallest)

    async def _months_shown(self, dimension: str, joined: Mapping[str, Joined]) -> dict[str, list[str]]:
        """The months of each stage whose ends may be shown; of pairs only those that both of their lists show."""
        if dimension != "dinas+kota":
            return {stage: published(joined[stage], self._smallest) for stage in STAGES}
        dinas, kota = [await self._months_shown(sums, await self._store.joined(sums)) for sums in ("dinas", "kota")]
        both = {stage: set(dinas[stage]) & set(kota[stage]) for stage in STAGES}
        return {stage: published(joined[stage], self._smallest, both[stage]) for stage in STAGES}
