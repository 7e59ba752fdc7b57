"""`jakpreneur NOUN VERB`: one module for each noun, gathered here."""

from __future__ import annotations

import typer

from cli import audit, dead_letters, generations, imports, positions, token, topics

app = typer.Typer(no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)
app.command("token")(token.token)
app.add_typer(imports.app, name="imports")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(positions.app, name="positions")
app.add_typer(audit.app, name="audit")
app.add_typer(topics.app, name="topics")
app.add_typer(generations.app, name="generations")

if __name__ == "__main__":
    app()
