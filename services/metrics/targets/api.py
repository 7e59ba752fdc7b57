"""Targets over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path

from chassis.access.callers import Caller, callers
from chassis.http.json_body import json_body
from chassis.http.provided import provided
from chassis.http.representation import FIGURES, public
from services.metrics.documents import TargetTerms
from services.metrics.targets.models import Target, TargetBody, Targets
from services.metrics.targets.use_cases import TargetUseCases

UseCases = Annotated[TargetUseCases, provided(TargetUseCases)]


def routes() -> APIRouter:
    """The routes of targets."""
    router = APIRouter(prefix="/v1/targets", tags=["figures"])
    router.add_api_route("", list_targets, methods=["GET"], response_model=Targets, dependencies=[public(FIGURES)])
    router.add_api_route("/{target_id}", set_target, methods=["PUT"], response_model=Target)
    return router


async def list_targets(_caller: Annotated[Caller, callers("anyone")], targets: UseCases) -> Any:
    """All targets, all versions, and the day on which each was reached."""
    return {"items": await targets.list_targets()}


async def set_target(
    target_id: Annotated[str, Path(pattern=r"^[a-z0-9-]{1,60}$", description="Id of the target")],
    caller: Annotated[Caller, callers("admin")],
    body: Annotated[TargetBody, json_body(TargetBody)],
    targets: UseCases,
) -> Any:
    """Set a target. Earlier versions are kept; the same value again changes nothing."""
    terms: TargetTerms = {
        "value": body.value,
        "source": body.source,
        "valid_from": body.valid_from.isoformat(),
        "stage": body.stage,
        "dinas": body.dinas,
    }
    return await targets.set_target(target_id, terms, caller)
