"""`jakpreneur positions`: the stored position of every partition that a service consumes."""

from __future__ import annotations

import typer
from rich.console import Console
from rich.table import Table

from chassis.consuming import positions
from cli.connection import Service, with_database

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command("list")
def show(service: Service) -> None:
    """Positions as stored: they move in the transaction of the effect."""
    table = Table("consumer", "topic", "partition", "next offset", "commits")
    for row in sorted(with_database(service, positions.stored), key=lambda row: str(row["_id"])):
        table.add_row(row["consumer"], row["topic"], str(row["partition"]), str(row["next_offset"]), str(row.get("commits", 0)))
    Console().print(table)
