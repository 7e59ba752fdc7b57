"""Breakdowns and the funnel over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from chassis import clock
from chassis.access.callers import Caller, callers
from chassis.calendar import jakarta_day
from chassis.forms.iso_dates import Date
from chassis.http.provided import provided
from chassis.http.representation import FIGURES, public
from contracts.reference import PROGRAMME_START, Dinas, Kota, Stage
from services.metrics.figures.models import Cells, Funnel
from services.metrics.figures.use_cases import FigureUseCases

Anyone = Annotated[Caller, callers("anyone")]
Figures = Annotated[FigureUseCases, provided(FigureUseCases)]
FunnelAsOf = Annotated[
    Date | None,
    Query(
        ge=PROGRAMME_START,
        description="Figures as they stood at the end of that day; default, and for a later one, today (Asia/Jakarta). With "
        "`dinas` or `kota`, a past day means the last month end on or before it that is shown, and the reply's `as_of` says "
        "which. A month end is shown if every figure of that breakdown differs from the month end shown before (the first: from "
        "nobody) and from today's by nobody or by at least 5 people: a smaller difference would disclose those who joined in "
        "between (R18). That of P1 decides; a stage of which it may not be shown is suppressed, and all before the first one are",
    ),
]


def routes() -> APIRouter:
    """The routes of breakdowns and of the funnel."""
    router = APIRouter(prefix="/v1", tags=["figures"], dependencies=[public(FIGURES)])
    router.add_api_route("/progress/by/{dimension}", show_breakdown, methods=["GET"], response_model=Cells)
    router.add_api_route("/funnel", show_funnel, methods=["GET"], response_model=Funnel)
    return router


async def show_breakdown(
    _caller: Anyone,
    figures: Figures,
    dimension: Literal["kota", "kecamatan", "commodity", "category", "gender", "dinas"],
    measure: Annotated[Stage, Query(description="What to count")] = "P1",
) -> Any:
    """Distinct people by a dimension; small cells, and what would give them away, suppressed (R18): if need be all of it.

    Only of verified people: registrations, which anybody can send, could be used to fill a small cell up and read it.
    """
    return {"dimension": dimension, "measure": measure, "items": await figures.show_breakdown(measure, dimension)}


async def show_funnel(
    _caller: Anyone,
    figures: Figures,
    as_of: FunnelAsOf = None,
    dinas: Annotated[Dinas | Literal["unknown"] | None, Query(description="Only people of this dinas")] = None,
    kota: Annotated[Kota | None, Query(description="Only people of this kota")] = None,
) -> Any:
    """Distinct people with each stage on or before a day (R8).

    With `dinas` or `kota` small cells are suppressed, and so are past days too near to others (R18). What remains: today's
    figures are live, so whoever asks again and again, or keeps earlier replies, sees that somebody joined, though not who.
    Without a filter nothing is suppressed: the programme's published totals carry no attributes of people.
    """
    day, stages = await figures.show_funnel(_past(as_of), dinas, kota)
    return {"as_of": (day or jakarta_day(clock.now())).isoformat(), "stages": stages}


def _past(as_of: date | None) -> date | None:
    """A past day; None for today or later, which the totals answer without a look at months."""
    return None if as_of is None or as_of >= jakarta_day(clock.now()) else as_of
