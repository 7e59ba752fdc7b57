"""`jakpreneur token`: a token of the local development issuer."""

from __future__ import annotations

from typing import Annotated

import typer

from chassis.access.oidc import development_token
from chassis.settings import Settings


def token(
    role: Annotated[list[str], typer.Option(help="officer, verifier, admin, operator or citizen; may be given several times")],
    subject: Annotated[str, typer.Option(help="Who the token is for")] = "developer",
    jakpreneur_id: Annotated[str | None, typer.Option(help="The citizen's own id")] = None,
) -> None:
    """Print a bearer token (JAKPRENEUR_ENV=local only)."""
    try:
        print(development_token(Settings(), role, subject=subject, jakpreneur_id=jakpreneur_id))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
