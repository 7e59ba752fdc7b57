"""The reconciliation of the ledger over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from chassis.access.callers import Caller, callers
from chassis.errors import not_found
from chassis.http.answers import NOT_FOUND
from chassis.http.provided import provided
from services.metrics.ledger.reconciliation import Reconciliation


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


def routes() -> APIRouter:
    """The route of reconciliation."""
    router = APIRouter(prefix="/v1", tags=["figures"])
    router.add_api_route("/reconciliation", reconcile_ledger, methods=["GET"], response_model=Reconciled, responses={**NOT_FOUND})
    return router


async def reconcile_ledger(
    _caller: Annotated[Caller, callers("operator", "admin")],
    reconciliation: Annotated[Reconciliation, provided(Reconciliation)],
    fresh: Annotated[bool, Query(description="Recount now instead of showing the last result")] = False,
) -> Any:
    """The ledger recounted against the figures: the difference must be 0."""
    found = await reconciliation.fresh() if fresh else await reconciliation.latest()
    if found is None:
        raise not_found("Hasil rekonsiliasi", "A reconciliation")
    return found
