"""`jakpreneur topics`: give a topic more partitions while everything runs."""

from __future__ import annotations

from typing import Annotated

import typer

from chassis.publishing import topics
from chassis.settings import Settings
from cli.connection import Service, with_database

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.callback()
def _group() -> None:
    """Keeps `grow` a subcommand while it is the only one."""


@app.command()
def grow(
    service: Service,
    topic: Annotated[str, typer.Argument(help="A topic that the service publishes, without prefix")],
    partitions: Annotated[int, typer.Option(help="How many it shall have", min=1, max=1000)],
) -> None:
    """Order holds: an event in its subject's new partition waits until those in the old one were applied. Can't be undone."""
    try:
        with_database(service, lambda mongo: topics.grow(mongo, Settings(), topic, partitions))
    except ValueError as refusal:
        print(refusal)
        raise typer.Exit(1) from None
    print(f"{topic} has {partitions} partitions; the relay uses them within a minute")
