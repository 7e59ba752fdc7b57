"""Tables for people who copy from them: never narrower than their content, whatever the terminal's width."""

from __future__ import annotations

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table

_WIDEST = 1000


def show(table: Table) -> None:
    """Print it whole: an id that is cut off can't be pasted into the next command."""
    console = Console()
    needed = Measurement.get(console, console.options.update(width=_WIDEST), table).maximum
    Console(width=max(console.width, needed)).print(table)
