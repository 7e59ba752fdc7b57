"""Metrics over HTTP: figures, targets, reconciliation. Decides nothing. Assessments have their own file."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from chassis import clock
from chassis.access.callers import Caller, callers
from chassis.calendar import jakarta_day
from chassis.errors import not_found
from chassis.forms.body import Body
from chassis.forms.iso_dates import Date
from chassis.http.answers import NOT_FOUND
from chassis.http.json_body import json_body
from contracts.reference import PROGRAMME_START, Dinas, Kota, Stage
from services.metrics.ledger.reconciliation import Reconciliation
from services.metrics.use_cases import UseCases

Anyone = Annotated[Caller, callers("anyone")]
Measure = Literal["registered", "P1", "P2", "P3", "P4", "P5", "P6", "P7"]
AsOf = Annotated[
    Date | None,
    Query(
        ge=PROGRAMME_START,
        description="Figures as they stood at the end of that day; default, and for a later one, today (Asia/Jakarta)",
    ),
]
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


class ProgressTarget(BaseModel):
    """The overall target."""

    value: int = Field(description="People")
    source: str = Field(description="Where the target is set down")
    reached_on: str | None = Field(description="First day on which the cumulative count was at least the value")


class Progress(BaseModel):
    """The headline figures."""

    as_of: str = Field(description="Day of the figures", examples=["2021-03-02"])
    registered_total: int = Field(description="People with a verified registration (P1)", examples=[226280])
    target: ProgressTarget | None = Field(description="The target valid on that day, if one is set")
    progress_percent: str | None = Field(description="Two decimals, half up (R16)", examples=["113.14"])


class SeriesItem(BaseModel):
    """One period."""

    period: str = Field(description="2020-12-15, 2020-12, 2020-Q4 or 2020")
    count: int | None = Field(description="People in the period; null if suppressed")
    cumulative: int | None = Field(description="People up to its end; null if suppressed")
    suppressed: bool = Field(description="Count or cumulative count would disclose a period of 1 to 4 people (R18)")


class Series(BaseModel):
    """Counts by period."""

    measure: str = Field(description="What is counted")
    by: str = Field(description="Kind of period")
    items: list[SeriesItem] = Field(description="Periods with people, in order; among suppressed ones also those without")


class Cell(BaseModel):
    """One value of a dimension."""

    value: str = Field(description="Code, or unknown")
    people: int | None = Field(description="Distinct people; null if suppressed")
    suppressed: bool = Field(description="1 to 4 people, or it would let such a cell be computed (R18)")


class Cells(BaseModel):
    """Counts by a dimension."""

    dimension: str = Field(description="The dimension")
    measure: str = Field(description="What is counted")
    items: list[Cell] = Field(description="In order of value; none where any would let a cell of 1 to 4 people be computed (R18)")


class FunnelStage(BaseModel):
    """One stage."""

    stage: str = Field(description="P1 to P7")
    people: int | None = Field(description="Distinct people with the stage; null if suppressed")
    percent_of_p1: str | None = Field(description="Two decimals, half up")
    suppressed: bool = Field(description="Too few people to show, or too few since another figure that is shown (R18)")


class Funnel(BaseModel):
    """The funnel: a set of achievements, not a ladder."""

    as_of: str = Field(description="Day of the figures")
    stages: list[FunnelStage] = Field(description="P1 to P7")


class TargetBody(Body):
    """A target's new version."""

    value: int = Field(ge=1, le=10**10, description="People")
    source: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$", description="Where it is set down")
    valid_from: Date = Field(description="First day on which it counts")
    stage: Stage = Field(default="P1", description="Which achievement is counted")
    dinas: Dinas | None = Field(default=None, description="A dinas's own target; none: overall")


class TargetVersion(BaseModel):
    """One version of a target. Who set it is stored, and nobody else's business."""

    number: int = Field(description="1, 2, 3 …")
    value: int = Field(description="People")
    source: str = Field(description="Where it is set down")
    valid_from: str = Field(description="First day on which it counts")
    stage: str = Field(description="Which achievement is counted")
    dinas: str | None = Field(description="A dinas's own target; none: overall")
    set_at: str = Field(description="When, UTC")


class Target(TargetVersion):
    """A target: its current version and all versions."""

    target_id: str = Field(description="Id")
    reached_on: str | None = Field(default=None, description="First day on which the figures reached it")
    versions: list[TargetVersion] = Field(description="All versions, oldest first")


class Targets(BaseModel):
    """All targets."""

    items: list[Target] = Field(description="In order of their ids")


class Difference(BaseModel):
    """One figure that differs."""

    figure: str = Field(description="measure|dimension|value|month, a total without the month")
    ledger: int = Field(description="Recounted")
    rollup: int = Field(description="Shown")


class Reconciled(BaseModel):
    """The ledger recounted against the figures shown."""

    checked_at: str = Field(description="When, UTC")
    seconds: float = Field(description="How long it took")
    figures: int = Field(description="Figures compared")
    events: int = Field(description="Events in the ledger")
    pending: int = Field(description="Events that wait for their person's verification to arrive")
    difference: int = Field(description="Sum of all differences; must be 0")
    differences: list[Difference] = Field(description="The first hundred")


def routes(use_cases: UseCases, reconciliation: Reconciliation) -> APIRouter:
    """The routes of figures."""
    router = APIRouter(prefix="/v1", tags=["figures"])
    figures = use_cases.figures

    @router.get("/progress", response_model=Progress)
    async def progress(_caller: Anyone, as_of: AsOf = None) -> Any:
        """Verified people so far, the target, the day it was reached, percent.

        Nothing is suppressed: the programme's published totals carry no attributes of people.
        """
        today = jakarta_day(clock.now())
        return await use_cases.progress(min(as_of or today, today))

    @router.get("/progress/series", response_model=Series)
    async def series(
        _caller: Anyone,
        measure: Annotated[Measure, Query(description="What to count")] = "P1",
        by: Annotated[Literal["day", "month", "quarter", "year"], Query(description="Kind of period")] = "month",
        start: Annotated[Date | None, Query(alias="from", description="Only from the period of this day")] = None,
        end: Annotated[Date | None, Query(alias="to", description="Only to the period of this day")] = None,
    ) -> Any:
        """Counts by period of event time, Asia/Jakarta (R15). Small periods, and what would give them away, suppressed (R18)."""
        return {"measure": measure, "by": by, "items": await figures.series(measure, by, start, end)}

    @router.get("/progress/by/{dimension}", response_model=Cells)
    async def by(
        _caller: Anyone,
        dimension: Literal["kota", "kecamatan", "commodity", "category", "gender", "dinas"],
        measure: Annotated[Stage, Query(description="What to count")] = "P1",
    ) -> Any:
        """Distinct people by a dimension; small cells, and what would give them away, suppressed (R18): if need be all of it.

        Only of verified people: registrations, which anybody can send, could be used to fill a small cell up and read it.
        """
        return {"dimension": dimension, "measure": measure, "items": await figures.public_cells(measure, dimension)}

    @router.get("/funnel", response_model=Funnel)
    async def funnel(
        _caller: Anyone,
        as_of: FunnelAsOf = None,
        dinas: Annotated[Dinas | Literal["unknown"] | None, Query(description="Only people of this dinas")] = None,
        kota: Annotated[Kota | None, Query(description="Only people of this kota")] = None,
    ) -> Any:
        """Distinct people with each stage on or before a day (R8).

        With `dinas` or `kota` small cells are suppressed, and so are past days too near to others (R18). What remains: today's
        figures are live, so whoever asks again and again, or keeps earlier replies, sees that somebody joined, though not who.
        Without a filter nothing is suppressed: the programme's published totals carry no attributes of people.
        """
        day, stages = await figures.funnel(_past(as_of), dinas, kota)
        return {"as_of": (day or jakarta_day(clock.now())).isoformat(), "stages": stages}

    @router.get("/targets", response_model=Targets)
    async def targets(_caller: Anyone) -> Any:
        """All targets, all versions, and the day on which each was reached."""
        return {"items": await use_cases.targets()}

    @router.put("/targets/{target_id}", response_model=Target)
    async def set_target(
        target_id: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,60}$", description="Id of the target")],
        caller: Annotated[Caller, callers("admin")],
        body: Annotated[TargetBody, json_body(TargetBody)],
    ) -> Any:
        """Set a target. Earlier versions are kept; the same value again changes nothing."""
        return await use_cases.set_target(target_id, body.model_dump(mode="json"), caller)

    @router.get("/reconciliation", response_model=Reconciled, responses={**NOT_FOUND}, tags=["operations"])
    async def reconcile(
        _caller: Annotated[Caller, callers("operator", "admin")],
        fresh: Annotated[bool, Query(description="Recount now instead of showing the last result")] = False,
    ) -> Any:
        """The ledger recounted against the figures: the difference must be 0."""
        found = await reconciliation.run() if fresh else await reconciliation.latest()
        if found is None:
            raise not_found("Hasil rekonsiliasi", "A reconciliation")
        return found

    return router


def _past(as_of: date | None) -> date | None:
    """None for today or later: totals answer that without a look at months."""
    return None if as_of is None or as_of >= jakarta_day(clock.now()) else as_of
