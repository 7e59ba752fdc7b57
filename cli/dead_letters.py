"""`jakpreneur dead-letters`: what consumers put aside; try it again once the cause is gone, or end it."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from rich.table import Table

from chassis.consuming import letter_requests, operator_log
from chassis.consuming.letter_requests import Ask, Outcome
from chassis.database.mongo import Mongo
from chassis.operations import replies
from cli import tables
from cli.connection import Reason, Service, account, with_database

app = typer.Typer(no_args_is_help=True, help=__doc__)
Letter = Annotated[str, typer.Argument(help="Id of the letter, ltr_…", metavar="LETTER")]
Wait = Annotated[float, typer.Option(help="Seconds to wait for the outcome", min=0, max=600)]


@app.command("list")
def list_letters(service: Service, limit: Annotated[int, typer.Option(help="At most so many", min=1)] = 50) -> None:
    """The letters, oldest first: dead ones, those that wait for an earlier event, and those parked behind another."""
    found = with_database(service, lambda mongo: letter_requests.letters(mongo, {}, None, limit))
    table = Table("letter", "state", "subject", "reason", "detail", "asked")
    for doc in found:
        shown = replies.letter(doc)
        asked = f"{shown['asked']['act']} by {shown['asked']['by']}" if shown["asked"] else "-"
        table.add_row(doc["_id"], doc["state"], doc["subject"] or "-", doc["reason"], doc["detail"][:80], asked)
    tables.show(table)


@app.command()
def show(service: Service, letter: Letter) -> None:
    """One letter as JSON: headers, value decoded, reason, trace, and how many wait behind it."""

    async def read(mongo: Mongo) -> dict[str, object]:
        doc = await letter_requests.letter(mongo, letter)
        return replies.opened_letter(doc, await letter_requests.count_behind(mongo, doc))

    print(json.dumps(with_database(service, read), indent=2, ensure_ascii=False))


@app.command()
def redrive(
    service: Service,
    letter: Annotated[str | None, typer.Argument(help="Only this letter, ltr_…; default all", metavar="LETTER")] = None,
    subject: Annotated[str | None, typer.Option(help="Only this subject's")] = None,
    consumer: Annotated[str | None, typer.Option(help="Only this consumer's")] = None,
    accept_gaps: Annotated[bool, typer.Option("--accept-gaps", help="Also events whose predecessor is lost for good")] = False,
    wait: Wait = 30,
) -> None:
    """Have the consumer try letters again, in order, and tell what came of each. Exit code 1 unless all were applied."""

    async def work(mongo: Mongo) -> dict[str, tuple[Outcome, str]]:
        ask = Ask(account(), accept_gaps=accept_gaps)
        if letter is not None:
            await letter_requests.redrive_one(mongo, letter, ask)
            ids = [letter]
        else:
            ids = await letter_requests.ask_redrive(mongo, ask, consumer=consumer, subject=subject)
        return await letter_requests.wait_for_outcomes(mongo, ids, wait)

    _report(with_database(service, work), "applied")


@app.command()
def discard(service: Service, letter: Letter, reason: Reason, wait: Wait = 30) -> None:
    """End a letter without effect, for good: what was parked behind it flows on. Who did it and why is kept for ever."""

    async def work(mongo: Mongo) -> dict[str, tuple[Outcome, str]]:
        await letter_requests.discard(mongo, letter, Ask(account(), reason))
        return await letter_requests.wait_for_outcomes(mongo, [letter], wait)

    _report(with_database(service, work), "discarded")


@app.command()
def history(service: Service, limit: Annotated[int, typer.Option(help="At most so many", min=1)] = 50) -> None:
    """What operators did with letters and positions, the newest first."""
    table = Table("at", "by", "act", "outcome", "reason", "consumer", "topic", "partition", "offset", "subject")
    for entry in with_database(service, lambda mongo: operator_log.latest(mongo, limit)):
        offset = entry["offset"] if "offset" in entry else f"{entry['from']} to {entry['to']}"
        told_of = (entry["consumer"], entry["topic"], str(entry["partition"]), str(offset), entry.get("subject") or "-")
        at = entry["at"].isoformat(timespec="seconds")
        table.add_row(at, entry["by"], entry["act"], entry["outcome"], entry["reason"], *told_of)
    tables.show(table)


def _report(outcomes: dict[str, tuple[Outcome, str]], wanted: Outcome) -> None:
    for letter_id, (outcome, reason) in outcomes.items():
        text = "not done yet: does its consumer run, and not stand still?" if outcome == "asked" else reason
        print(f"{letter_id}  {outcome}{f'  {text}' if text else ''}")
    done = sum(outcome == wanted for outcome, _ in outcomes.values())
    print(f"{done} of {len(outcomes)} letters {wanted}")
    if done < len(outcomes):
        raise typer.Exit(1)
