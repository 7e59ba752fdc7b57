"""The demonstration history as CSV rows: the columns of the real import, in order of registration.

Two runs with the same arguments are equal byte for byte. It holds no figures of its own: that 200,000 was reached on
15 December 2020 is for the platform to find out, by importing, publishing and counting these rows.
Next: `growth.py` for the dates, `people.py` for the people.

    python -m demo.history --people 226280 --out history.csv
"""

import argparse
import csv
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from demo import growth
from demo.people import People

COLUMNS: Final = (
    "nik",
    "name",
    "birth_date",
    "gender",
    "phone",
    "email",
    "kelurahan",
    "address",
    "category",
    "dinas",
    "consent_version",
    "consent_given_at",
    "business_name",
    "business_commodity",
    "business_kbli",
    "business_kbli_version",
    "business_started_on",
    "business_capital",
    "business_annual_sales",
    "business_assets",
    "business_workers",
    "registered_on",
    "verified_on",
    "channel",
)
SEED: Final = 2021
_PROGRESS_EVERY: Final = 1_000


def generate(people: int = growth.PEOPLE, seed: int = SEED) -> Iterator[dict[str, str]]:
    """One dict a row, keyed by `COLUMNS`; empty strings for what a person left out; amounts in whole rupiah."""
    for row in _rows(people, seed):
        yield dict(zip(COLUMNS, row, strict=True))


def write_csv(
    path: Path | str,
    people: int = growth.PEOPLE,
    seed: int = SEED,
    progress: Callable[[int], None] | None = None,
    *,
    dated: bool = True,
) -> None:
    """Write the history to `path` as UTF-8 CSV with a header; `progress` is told the rows written, now and then.

    People without dates register on the day of the import and wait for a verifier.
    """
    target = Path(path)
    # Under another name first: an interrupted run must not leave half a history that imports without complaint.
    partial = target.with_name(target.name + ".partial")
    written = 0
    with partial.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for row in _rows(people, seed, dated=dated):
            writer.writerow(row)
            written += 1
            if progress is not None and written % _PROGRESS_EVERY == 0:
                progress(written)
    partial.replace(target)
    if progress is not None and written % _PROGRESS_EVERY:
        progress(written)


def _rows(people: int, seed: int, *, dated: bool = True) -> Iterator[tuple[str, ...]]:
    # The dates have a generator of their own, so that a change to the people doesn't move the milestones.
    pairs = growth.dates(people, random.Random(seed))
    drawn = People(seed)
    for registered_on, verified_on in pairs:
        person = drawn.draw(registered_on)
        days = (registered_on.isoformat(), verified_on.isoformat()) if dated else ("", "")
        yield (*person, *days, drawn.channel())


def main(arguments: list[str] | None = None) -> int:
    """The command line: writes one history and says how many rows it has."""
    parser = argparse.ArgumentParser(prog="python -m demo.history", description="Write the demonstration history as CSV.")
    parser.add_argument("--people", type=int, default=growth.PEOPLE, help="how many people (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="another seed, another history (default: %(default)s)")
    parser.add_argument("--undated", action="store_true", help="they register on the day of the import, and aren't verified yet")
    parser.add_argument("--out", type=Path, required=True, help="the CSV file to write")
    options = parser.parse_args(arguments)
    if options.people < 0:
        parser.error("--people can't be negative")
    write_csv(options.out, options.people, options.seed, dated=not options.undated)
    print(f"{options.people:,} people written to {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
