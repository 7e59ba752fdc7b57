"""How operators' verbs reach a service's database: the same settings as the services, through the chassis."""

from __future__ import annotations

import asyncio
import getpass
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

import typer
from pydantic import TypeAdapter, ValidationError

from chassis.database.failures import PyMongoError
from chassis.database.mongo import Mongo, connect
from chassis.errors import DomainError
from chassis.logs import name_of
from chassis.operations.models import Reason as ReasonText
from chassis.settings import Settings

T = TypeVar("T")
Service = Annotated[Literal["registration", "training", "metrics"], typer.Argument(help="Which service's database")]
_REASON: TypeAdapter[str] = TypeAdapter(ReasonText)


def with_database(service: str, work: Callable[[Mongo], Awaitable[T]]) -> T:
    """Run `work` against a service's database; a refusal is told in its own words, with exit code 1."""

    async def run() -> T:
        mongo = connect(Settings(), service)
        try:
            return await work(mongo)
        finally:
            await mongo.close()

    try:
        return asyncio.run(run())
    except DomainError as refusal:
        print(refusal.message_en)
        for error in refusal.errors:
            print(f"{error.field}: {error.message_en}")
    except PyMongoError as error:
        print(f"MongoDB can't serve {service}: {name_of(error)}")
    raise typer.Exit(1)


def account() -> str:
    """Who gives the command, for the operators' log."""
    return f"cli:{getpass.getuser()}"


def _reason(text: str) -> str:
    try:
        return _REASON.validate_python(text)
    except ValidationError as error:
        raise typer.BadParameter("; ".join(found["msg"] for found in error.errors())) from None


Reason = Annotated[str, typer.Option(help="Why: kept for ever, without personal data", callback=_reason)]
