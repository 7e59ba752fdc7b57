"""`jakpreneur generations`: after a service's database was restored from a backup."""

from __future__ import annotations

import typer

from chassis import clock
from chassis.publishing import generations
from cli.connection import Service, with_database

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.callback()
def _group() -> None:
    """Keeps `begin` a subcommand while it is the only one."""


@app.command()
def begin(service: Service) -> None:
    """Name the events that the restored service will publish, so that they can be told from those that are lost to it."""
    name = with_database(service, lambda mongo: generations.begin(mongo, clock.now()))
    print(f"{service} publishes as generation {name}, once its processes are started again")
