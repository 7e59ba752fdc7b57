"""The headline figures and their series over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query

from chassis import clock
from chassis.access.callers import Caller, callers
from chassis.calendar import jakarta_day
from chassis.forms.iso_dates import Date
from chassis.http.provided import provided
from chassis.http.representation import FIGURES, public
from contracts.reference import PROGRAMME_START
from services.metrics.progress.models import Progress, Series
from services.metrics.progress.use_cases import ProgressUseCases

Anyone = Annotated[Caller, callers("anyone")]
UseCases = Annotated[ProgressUseCases, provided(ProgressUseCases)]
Measure = Literal["registered", "P1", "P2", "P3", "P4", "P5", "P6", "P7"]
AsOf = Annotated[
    Date | None,
    Query(
        ge=PROGRAMME_START,
        description="Figures as they stood at the end of that day; default, and for a later one, today (Asia/Jakarta)",
    ),
]


def routes() -> APIRouter:
    """The routes of progress."""
    router = APIRouter(prefix="/v1/progress", tags=["figures"], dependencies=[public(FIGURES)])
    router.add_api_route("", show_progress, methods=["GET"], response_model=Progress)
    router.add_api_route("/series", show_series, methods=["GET"], response_model=Series)
    return router


async def show_progress(_caller: Anyone, progress: UseCases, as_of: AsOf = None) -> Any:
    """Verified people so far, the target, the day it was reached, percent.

    Nothing is suppressed: the programme's published totals carry no attributes of people.
    """
    today = jakarta_day(clock.now())
    return await progress.show_progress(min(as_of or today, today))


async def show_series(
    _caller: Anyone,
    progress: UseCases,
    measure: Annotated[Measure, Query(description="What to count")] = "P1",
    by: Annotated[Literal["day", "month", "quarter", "year"], Query(description="Kind of period")] = "month",
    start: Annotated[Date | None, Query(alias="from", description="Only from the period of this day")] = None,
    end: Annotated[Date | None, Query(alias="to", description="Only to the period of this day")] = None,
) -> Any:
    """Counts by period of event time, Asia/Jakarta (R15). Small periods, and what would give them away, suppressed (R18)."""
    return {"measure": measure, "by": by, "items": await progress.show_series(measure, by, start, end)}
