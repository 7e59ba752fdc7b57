"""`jakpreneur dead-letters`: see what consumers put aside, and ask for a redrive once the cause is gone."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from chassis.consuming import dead_letters
from chassis.database.mongo import Mongo
from chassis.documents import Document
from cli.connection import Service, with_database

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command("list")
def show(service: Service, limit: Annotated[int, typer.Option(help="At most so many")] = 50) -> None:
    """The letters, oldest first: dead ones, those that wait for an earlier event, and those parked behind another."""

    async def read(mongo: Mongo) -> list[Document]:
        found: list[Document] = await mongo[dead_letters.DEAD_LETTERS].find({}).sort("at", 1).limit(limit).to_list(None)
        return found

    table = Table("letter", "state", "subject", "reason", "detail")
    for letter in with_database(service, read):
        table.add_row(letter["_id"], letter["state"], letter["subject"] or "-", letter["reason"], letter["detail"][:80])
    Console().print(table)


@app.command()
def redrive(
    service: Service,
    subject: Annotated[str | None, typer.Option(help="Only this subject; default all")] = None,
    consumer: Annotated[str | None, typer.Option(help="Only this consumer's")] = None,
    accept_gaps: Annotated[bool, typer.Option("--accept-gaps", help="Also events whose predecessor is lost for good")] = False,
) -> None:
    """Ask the consumer to try the letters again, in order. It does so within seconds; look at `list` for the outcome."""
    count = with_database(service, lambda mongo: dead_letters.request_redrive(mongo, consumer, subject, accept_gaps=accept_gaps))
    print(f"{count} letters will be tried again")
