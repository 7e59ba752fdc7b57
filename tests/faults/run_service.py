"""`python -m tests.faults.run_service NAME [--role all|api|relay|consumer] [--bug BUG]`: a service, with a planted bug."""

from __future__ import annotations

import argparse
import importlib
import sys

import pytest

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
    given = parser.parse_args(arguments)
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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
