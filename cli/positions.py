"""`jakpreneur positions`: where consumers stand in every partition, and how to correct that knowingly."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.table import Table

from chassis.consuming import standing
from chassis.database.failures import WriteRace
from chassis.settings import Settings
from cli.connection import Reason, Service, account, with_database
from cli.tables import show

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.command("list")
def list_positions(service: Service) -> None:
    """Positions as stored beside what Kafka has: how far behind, since when, and what Kafka lost before it was applied."""
    table = Table("consumer", "topic", "partition", "next offset", "beginning", "end", "lag", "age", "lost")
    for found in with_database(service, lambda mongo: standing.standings(mongo, Settings())):
        age = "-" if found.age_seconds is None else f"{found.age_seconds:.0f} s"
        counts = (found.partition, found.next_offset, found.beginning, found.end, found.lag)
        table.add_row(found.consumer, found.topic, *map(str, counts), age, str(found.lost))
    show(table)


@app.command()
def move(
    service: Service,
    consumer: Annotated[str, typer.Argument(help="Name of the consumer, as `positions list` shows it")],
    topic: Annotated[str, typer.Argument(help="Topic, as `positions list` shows it")],
    partition: Annotated[int, typer.Argument(help="Partition", min=0)],
    to: Annotated[str, typer.Option(help="Offset to apply next, or beginning, or end: the first and the next that Kafka has")],
    reason: Reason,
) -> None:
    """Move one position. Backwards, events are seen again and ignored; forwards, what lies between never has an effect.

    A consumer that runs goes on from there at once; one that has stopped itself has to be restarted.
    """
    target: int | Literal["beginning", "end"]
    if to in ("beginning", "end"):
        target = "beginning" if to == "beginning" else "end"
    elif to.isascii() and to.isdecimal():
        target = int(to)
    else:
        raise typer.BadParameter("an offset, beginning or end", param_hint="--to")
    place = standing.TopicPartition(topic, partition)
    try:
        before, after = with_database(
            service, lambda mongo: standing.move(mongo, Settings(), consumer, place, target, by=account(), reason=reason)
        )
    except WriteRace:
        print("the consumer moved on meanwhile: nothing was changed; look at `positions list` and try again")
        raise typer.Exit(1) from None
    print(f"{consumer} {topic} {partition}: from {before} to {after}")
