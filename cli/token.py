"""`jakpreneur token`: a token of the local development issuer."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

import typer

from chassis.access.oidc import development_token
from chassis.settings import Settings
from contracts.reference import Dinas

Of = Literal[Dinas, "all"]


class Role(StrEnum):
    """What tokens can say of their bearer. An enumeration, since the command line takes no list of literals."""

    CITIZEN = "citizen"
    OFFICER = "officer"
    VERIFIER = "verifier"
    ADMIN = "admin"
    OPERATOR = "operator"
    MIGRATOR = "migrator"


def token(
    role: Annotated[list[Role], typer.Option(help="May be given several times; a migrator's counts for today")],
    subject: Annotated[str, typer.Option(help="Who the token is for")] = "developer",
    jakpreneur_id: Annotated[str | None, typer.Option(help="The citizen's own id, jkp_…")] = None,
    dinas: Annotated[Of, typer.Option(help="Whose people staff may see: a dinas', or the whole of Jakarta's")] = "all",
) -> None:
    """Print a bearer token (JAKPRENEUR_ENV=local only)."""
    try:
        print(
            development_token(Settings(), [str(each) for each in role], subject=subject, jakpreneur_id=jakpreneur_id, dinas=dinas)
        )
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
