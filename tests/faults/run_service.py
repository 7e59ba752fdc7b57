"""A service with a planted bug, or with a clock that is wrong. The services' own code has no switch for either.

python -m tests.faults.run_service NAME [--role all|api|relay|consumer] [--bug BUG] [--clock-ahead SECONDS]
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from datetime import timedelta

import pytest

from chassis import clock
from chassis.process.lifecycle import ROLES, run
from chassis.settings import Settings
from tests.faults.collect import SERVICES
from tests.faults.planted import BUGS


def main(arguments: list[str]) -> int:
    """Plant the bug, then start the service as its own `__main__` would."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run_service")
    parser.add_argument("name", choices=SERVICES)
    parser.add_argument("--role", choices=ROLES, default="all")
    parser.add_argument("--bug", choices=sorted(BUGS))
    parser.add_argument("--clock-ahead", type=float, default=0.0, metavar="SECONDS")
    given = parser.parse_args(arguments)
    if given.clock_ahead:
        set_clock(given.clock_ahead)
    if given.bug is not None:
        BUGS[given.bug](pytest.MonkeyPatch())  # never undone: it lasts as long as the process
    service = importlib.import_module(f"services.{given.name}.main")
    settings = importlib.import_module(f"services.{given.name}.settings")
    [kind] = [
        found
        for found in vars(settings).values()
        if isinstance(found, type) and issubclass(found, Settings) and found is not Settings
    ]
    return run(service.build, kind(), service.NAME, given.role)


def set_clock(ahead: float) -> None:
    """Put every clock of this process so many seconds ahead: ours, and the one that libraries read (Kafka's timestamps).

    In the process, since libfaketime breaks `clock_nanosleep` under Python 3.11.
    """
    plain_time, plain_now = time.time, clock.now
    time.time = lambda: plain_time() + ahead
    clock.now = lambda: plain_now() + timedelta(seconds=ahead)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
