"""What a measurement yields: a value beside a peer's value from the same run, and their ratio."""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Result:
    """One row: `ratio` is value / peer_value; a row without a peer has neither."""

    name: str
    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    ratio: float | None = None
    target: str | None = None


def compared(name: str, unit: str, pairs: Iterable[tuple[float, float]], peer: str, target: str) -> Result:
    """The medians of pairs (value, peer's value) measured in turn, and the median of their ratios."""
    values, peers = zip(*pairs, strict=True)
    ratios = [value / other for value, other in zip(values, peers, strict=True)]
    return Result(
        name, round(statistics.median(values), 1), unit, peer, round(statistics.median(peers), 1),
        round(statistics.median(ratios), 2), target,
    )  # fmt: skip


def write(path: Path, results: list[Result]) -> None:
    """The list as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


def update(path: Path, results: list[Result]) -> None:
    """Replace the stored rows of the same names, and add the new ones."""
    measured = {result.name for result in results}
    kept = [Result(**row) for row in json.loads(path.read_text()) if row["name"] not in measured] if path.exists() else []
    write(path, kept + results)


def show(results: list[Result]) -> None:
    """The list as a table."""
    table = Table("measurement", "value", "unit", "peer", "peer's value", "ratio", "aim")
    for r in results:
        cells = (r.name, r.value, r.unit, r.peer, r.peer_value, r.ratio, r.target)
        table.add_row(*("" if cell is None else str(cell) for cell in cells))
    Console(width=150).print(table)
