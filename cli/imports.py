"""`jakpreneur imports`: upload a CSV file and watch it, through the public API."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import httpx2
import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis.access.oidc import development_token
from chassis.settings import Settings

app = typer.Typer(no_args_is_help=True, help=__doc__)


@app.callback()
def _group() -> None:
    """Keeps `upload` a subcommand while it is the only one."""


@app.command()
def upload(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="UTF-8 CSV with the form's columns")],
    url: Annotated[str, typer.Option(help="Registration's address")] = "http://127.0.0.1:8101",
    token: Annotated[str | None, typer.Option(help="Bearer token of an officer; default: a development token")] = None,
    errors: Annotated[Path | None, typer.Option(help="Where to write refused rows")] = None,
) -> None:
    """Upload, wait with a progress bar, tell the outcome. The same file again changes nothing."""
    bearer = token or development_token(Settings(), ["officer", "migrator"], subject="cli")
    with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {bearer}"}, timeout=300) as client:
        with file.open("rb") as content:
            answer = client.post("/v1/imports", content=content, headers={"Content-Type": "text/csv"})
        if answer.status_code != 202:
            tell_refusal(answer)
            raise typer.Exit(1)
        state = watch(client, answer.json()["import_id"])
        counts = f"{state['accepted']} diterima, {state['rejected']} ditolak dari {state['rows_total'] or 0} baris"
        print(f"{state['state']}: {counts}")
        for error in state.get("errors", []):
            print(f"{error['field']}: {error['message_id']}")
        if errors is not None:
            errors.write_bytes(client.get(f"/v1/imports/{state['import_id']}/errors.csv").content)
        if state["state"] != "done":
            raise typer.Exit(1)


def tell_refusal(answer: httpx2.Response) -> None:
    """Say why a file wasn't accepted: the problem document's own words, or the status where something else answered."""
    if not answer.headers.get("content-type", "").startswith("application/problem+json"):
        print(f"HTTP {answer.status_code}")
        return
    problem = answer.json()
    print(problem["detail"])
    for error in problem["errors"]:
        print(f"{error['field']}: {error['message_id']}")


def watch(client: httpx2.Client, import_id: str) -> dict[str, Any]:
    """Show progress until the import has ended; returns its last state."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns) as bar:
        task = bar.add_task("import", total=None)
        while True:
            state: dict[str, Any] = client.get(f"/v1/imports/{import_id}").raise_for_status().json()
            bar.update(task, total=state["rows_total"], completed=state["rows_done"])
            if state["state"] in ("done", "failed"):
                return state
            time.sleep(0.25)
