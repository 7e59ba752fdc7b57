"""`make demo`: the platform's main job on the demonstration history, told with progress bars and checked figures."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from demo import growth, history, story
from demo.platform import Platform, Refused, wait_until

REPORT = Path("var/demo-report.json")
_ARTICLE_DAY = "2021-03-02"
console = Console()


class Occupied(Exception):
    """The platform holds people who aren't of this demonstration: its figures can't come out."""


def main() -> int:
    """Run the demonstration; returns the exit status: 0 only if every figure is what it must be."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--people", type=int, default=growth.PEOPLE, help="how many registrations")
    people = parser.parse_args().people
    begun = time.monotonic()
    platform = Platform()
    try:
        report = run(platform, people, begun)
    except Occupied as problem:
        console.print(f"[red]{problem}[/red]")
        return 1
    except (Refused, TimeoutError) as problem:
        console.print(f"[red]The demonstration stopped: {problem}[/red]")
        return 1
    REPORT.write_text(json.dumps(report, indent=2) + "\n")
    show(report)
    expected = {"registered_total": people, "reached_on": growth.TARGET_DAY.isoformat(), "reconciliation_difference": 0}
    wrong = {name: report[name] for name, value in expected.items() if report[name] != value}
    if wrong:
        console.print(f"[red]These figures are not what they must be: {wrong}; expected {expected}[/red]")
    return 1 if wrong else 0


def run(platform: Platform, people: int, begun: float) -> dict[str, Any]:
    """Every step; returns the report."""
    columns = (TextColumn("{task.description:<34}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console) as bars:
        file = generate(bars, people)
        check_vacant(platform, file, people)
        seconds_import, seconds_count = import_and_count(platform, bars, file, people)
        story.set_target(platform, growth.target_for(people))
        steps = bars.add_task("trainings", total=len(story.TRAININGS))
        seats = sum(quota + 5 for _, quota in story.TRAININGS)
        someone = story.verified_people(platform, seats)
        wait_until(lambda: platform.series("training", "consumer_lag_events") == 0, 600, "training knows everybody")
        partner = story.partner_key(platform)
        lines = []
        for line in story.run_trainings(platform, partner, someone):
            lines.append(line)
            bars.advance(steps)
        lines.append(story.assess(platform, someone))
    for line in lines:
        console.print(f"  {line}")
    return figures(platform, seconds_import, seconds_count, begun)


def generate(bars: Progress, people: int) -> Path:
    """The history as CSV; made once."""
    file = Path(f"var/demo/history-{people}.csv")
    task = bars.add_task("synthetic history", total=people)
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(".part")
        history.write_csv(unfinished, people, 2021, lambda done: bars.update(task, completed=done))
        unfinished.rename(file)
    bars.update(task, completed=people)
    return file


def check_vacant(platform: Platform, file: Path, people: int) -> None:
    """Raise Occupied if somebody is registered already and not by this very file (then the demonstration goes on)."""
    held = platform.call("GET", "metrics", f"/v1/progress?as_of={_ARTICLE_DAY}")["registered_total"]
    if not held:
        return
    known = _import_of(file)
    try:
        if known.exists():
            platform.call("GET", "registration", f"/v1/imports/{known.read_text()}", platform.token("officer"))
            if held <= people:
                return
    except Refused as refused:
        if refused.status != 404:
            raise
    raise Occupied(
        f"This platform already holds another demonstration ({held:,} people). Run `make down`, remove var/local and run "
        f"`make up`; or go on with that one: `make demo PEOPLE={held}`."
    )


def _import_of(file: Path) -> Path:
    """Where the id of the file's import is kept: registration makes it with a key of its own."""
    return file.with_suffix(".import")


def import_and_count(platform: Platform, bars: Progress, file: Path, people: int) -> tuple[float, float]:
    """Upload the file; follow registration storing and metrics counting. Returns seconds until each was done."""
    storing = bars.add_task("registration stores and publishes", total=people)
    counting = bars.add_task("metrics counts from Kafka", total=people)
    officer = platform.token("officer", "migrator")  # the history says who was verified, and when
    started = time.monotonic()
    stored = 0.0
    with file.open("rb") as content:
        accepted = platform.call(
            "POST", "registration", "/v1/imports", officer, content=content, headers={"Content-Type": "text/csv"}
        )
    _import_of(file).write_text(accepted["import_id"])
    while True:
        state = platform.call("GET", "registration", f"/v1/imports/{accepted['import_id']}", officer)
        counted = platform.call("GET", "metrics", f"/v1/progress?as_of={_ARTICLE_DAY}")["registered_total"]
        bars.update(storing, completed=state["rows_done"])
        bars.update(counting, completed=counted)
        if state["state"] == "failed":
            raise TimeoutError(f"the import failed: {state['reason']}")
        if state["state"] == "done" and not stored:
            stored = time.monotonic() - started
        if stored and counted >= state["accepted"]:
            return stored, time.monotonic() - started
        if time.monotonic() - started > 1800:
            raise TimeoutError("the import didn't finish in half an hour")
        time.sleep(0.25)


def figures(platform: Platform, seconds_import: float, seconds_count: float, begun: float) -> dict[str, Any]:
    """The figures as metrics' API gives them."""
    operator = platform.token("operator")
    wait_until(lambda: platform.series("metrics", "consumer_lag_events") == 0, 120, "metrics has counted everything")
    checked = platform.call("GET", "metrics", "/v1/reconciliation?fresh=true", operator)
    progress = platform.call("GET", "metrics", f"/v1/progress?as_of={_ARTICLE_DAY}")
    return {
        "as_of": progress["as_of"],
        "registered_total": progress["registered_total"],
        "target": progress["target"]["value"],
        "reached_on": progress["target"]["reached_on"],
        "progress_percent": progress["progress_percent"],
        "funnel": platform.call("GET", "metrics", "/v1/funnel")["stages"],
        "reconciliation_difference": checked["difference"],
        "seconds_import": round(seconds_import, 1),
        "seconds_counted": round(seconds_count, 1),
        "seconds_total": round(time.monotonic() - begun, 1),
        "memory_mb": {service: memory_mb(platform, service) for service in ("registration", "training", "metrics")},
        "addresses": platform.addresses(),
    }


def memory_mb(platform: Platform, service: str) -> float:
    """Resident memory of the service's process."""
    return round(platform.series(service, "process_resident_memory_bytes") / 1e6, 1)


def show(report: dict[str, Any]) -> None:
    """Print the report for people."""
    table = Table(title="Jakpreneur", show_header=False)
    names = ("registered_total", "target", "reached_on", "progress_percent", "reconciliation_difference")
    for name in (*names, "seconds_import", "seconds_counted", "seconds_total"):
        table.add_row(name, str(report[name]))
    for stage in report["funnel"]:
        table.add_row(f"funnel {stage['stage']}", f"{stage['people']} ({stage['percent_of_p1']} %)")
    console.print(table)
    for name, address in report["addresses"].items():
        console.print(f"  {name:<22} {address}")
    console.print(f"  report: {REPORT}")


if __name__ == "__main__":
    os.chdir(Path(__file__).parent.parent)
    sys.exit(main())
