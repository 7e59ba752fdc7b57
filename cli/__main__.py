"""`jakpreneur NOUN VERB`: one module for each noun, gathered here."""

from __future__ import annotations

from typing import Annotated

import typer

from chassis import VERSION
from cli import audit, dead_letters, generations, imports, positions, token, topics

app = typer.Typer(
    name="jakpreneur",
    no_args_is_help=True,
    help="Officers' and operators' verbs of the Jakpreneur platform: `jakpreneur NOUN VERB`.",
    pretty_exceptions_enable=False,
)


def _tell_version(asked: bool) -> None:
    if asked:
        print(f"jakpreneur {VERSION}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version")] = False,
) -> None:
    pass


app.command("token")(token.token)
app.add_typer(imports.app, name="imports")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(positions.app, name="positions")
app.add_typer(audit.app, name="audit")
app.add_typer(topics.app, name="topics")
app.add_typer(generations.app, name="generations")

if __name__ == "__main__":
    app(prog_name="jakpreneur")
