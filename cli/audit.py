"""`jakpreneur audit`: check the chains of registration's audit log."""

from __future__ import annotations

import typer

from cli.connection import with_database
from services.registration.audit.rules import first_bad_of_all
from services.registration.audit.store import AuditStore

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.callback()
def _group() -> None:
    """Keeps `verify` a subcommand while it is the only one."""


@app.command()
def verify() -> None:
    """Exit code 1 and the first bad entry if the log was tampered with."""
    entries, heads = with_database("registration", lambda mongo: AuditStore(mongo).log())
    bad = first_bad_of_all(entries, heads)
    if bad is not None:
        print(f"entry {bad} does not hold: it was altered, removed or put in between")
        raise typer.Exit(1)
    print(f"{len(entries)} entries, all sound")
