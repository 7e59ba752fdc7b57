"""How operators' verbs reach a service's database: the same settings as the services, through the chassis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeVar

import typer

from chassis.database.mongo import Mongo, connect
from chassis.settings import Settings

T = TypeVar("T")
Service = Annotated[Literal["registration", "training", "metrics"], typer.Argument(help="Which service's database")]


def with_database(service: str, work: Callable[[Mongo], Awaitable[T]]) -> T:
    """Run `work` against a service's database."""

    async def run() -> T:
        mongo = connect(Settings(), service)
        try:
            return await work(mongo)
        finally:
            await mongo.close()

    return asyncio.run(run())
