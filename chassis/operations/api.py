"""The operators' routes of every service. Next: use_cases.py."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from chassis.access.callers import Caller, callers
from chassis.consuming.letter_requests import Ask
from chassis.errors import FieldError, invalid
from chassis.forms.text import Code
from chassis.http.answers import CONFLICT, NOT_FOUND, REPEATABLE, id_path
from chassis.http.json_body import json_body
from chassis.http.paging import Cursor, Limit, decode_cursor, page_of
from chassis.http.provided import provided
from chassis.operations import replies
from chassis.operations.models import (
    Discard,
    LetterOutcome,
    LetterPage,
    OpenedLetter,
    Outbox,
    Positions,
    RedriveOrder,
    State,
)
from chassis.operations.use_cases import Operations

Operator = Annotated[Caller, callers("operator")]
UseCases = Annotated[Operations, provided(Operations)]
TAGS = {"operations": "For those who run the service: dead letters, positions, the outbox"}
LetterId = Annotated[str, id_path("ltr", "Id of a dead letter")]
_LATER: dict[int | str, dict[str, Any]] = {
    202: {"description": "Asked for; its consumer hasn't come to it yet", "model": LetterOutcome}
}


def routes() -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/v1", tags=["operations"])
    add, found = router.add_api_route, {**NOT_FOUND, **CONFLICT, **_LATER}
    add("/dead-letters", list_dead_letters, methods=["GET"], response_model=LetterPage)
    add("/dead-letters/{letter_id}", get_dead_letter, methods=["GET"], response_model=OpenedLetter, responses={**NOT_FOUND})
    for verb, handler in (("redrive", redrive_dead_letter), ("discard", discard_dead_letter)):
        add(
            f"/dead-letters/{{letter_id}}/{verb}",
            handler,
            methods=["POST"],
            response_model=LetterOutcome,
            responses=found,
            openapi_extra=REPEATABLE,
        )
    add("/positions", list_positions, methods=["GET"], response_model=Positions)
    add("/outbox", show_outbox, methods=["GET"], response_model=Outbox)
    return router


async def list_dead_letters(
    _caller: Operator,
    operations: UseCases,
    state: Annotated[State | None, Query(description="Only letters of this state")] = None,
    consumer: Annotated[Code | None, Query(max_length=60, description="Only this consumer's")] = None,
    subject: Annotated[Code | None, Query(max_length=200, description="Only of this subject")] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Any:
    """Messages that consumers put aside, oldest first: why, and what an operator has asked for."""
    named = {"state": state, "consumer": consumer, "subject": subject}
    wanted = {name: value for name, value in named.items() if value is not None}
    found = await operations.list_letters(wanted, _after(cursor), limit + 1)
    items, following = page_of(found, limit, lambda doc: (doc["at"].isoformat(), doc["_id"]))
    return {"items": [replies.letter(doc) for doc in items], "next_cursor": following}


async def get_dead_letter(_caller: Operator, letter_id: LetterId, operations: UseCases) -> Any:
    """One letter with its headers, its value decoded, its trace, and how many wait behind it."""
    return await operations.open_letter(letter_id)


async def redrive_dead_letter(
    letter_id: LetterId,
    response: Response,
    caller: Operator,
    order: Annotated[RedriveOrder, json_body(RedriveOrder)],
    operations: UseCases,
) -> Any:
    """Try a letter again, after those before it of its subject, and tell what came of it. Asking twice is asking once."""
    return _told(await operations.redrive(letter_id, Ask(caller.id, accept_gaps=order.accept_gap)), response)


async def discard_dead_letter(
    letter_id: LetterId,
    response: Response,
    caller: Operator,
    order: Annotated[Discard, json_body(Discard)],
    operations: UseCases,
) -> Any:
    """End a letter without effect, for good; what was parked behind it flows on. Who did it and why is kept for ever."""
    return _told(await operations.discard(letter_id, Ask(caller.id, order.reason)), response)


async def list_positions(_caller: Operator, operations: UseCases) -> Any:
    """Where every consumer of the service stands in every partition, beside what Kafka has."""
    return {"items": await operations.list_positions()}


async def show_outbox(_caller: Operator, operations: UseCases) -> Any:
    """How many commits wait to be published, since when, and which process publishes."""
    return await operations.show_outbox()


def _told(outcome: dict[str, Any], response: Response) -> dict[str, Any]:
    if outcome["outcome"] == "asked":
        response.status_code = 202
    return outcome


def _after(cursor: str | None) -> tuple[datetime, str] | None:
    after = decode_cursor(cursor, 2)
    if after is None:
        return None
    try:
        return datetime.fromisoformat(after[0]), after[1]
    except ValueError:
        raise invalid(FieldError("cursor", "cursor", "Cursor tidak berlaku.", "Not a cursor of this list.")) from None
