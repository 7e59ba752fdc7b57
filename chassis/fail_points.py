"""Where the fault tests kill the process: `hit("relay.after_send")` is free in production and deadly in tests/faults.

The seed makes a run repeatable for each process. Refused outside JAKPRENEUR_ENV=local.
"""

from __future__ import annotations

import os
import random
import signal

from chassis.settings import Settings

_points: dict[str, float] = {}
_random = random.Random()  # noqa: S311 - which fail point kills is not a secret


def configure(settings: Settings) -> None:
    """Arm the fail points named in the settings, e.g. `commit.before=0.001,relay.after_send=0.01;7`."""
    _points.clear()
    if not settings.fail_points:
        return
    if settings.env != "local":
        raise RuntimeError("fail points are for local fault tests only")
    table, _, seed = settings.fail_points.partition(";")
    _random.seed(int(seed or 0))
    for entry in filter(None, table.split(",")):
        name, _, probability = entry.partition("=")
        _points[name] = float(probability)


def hit(name: str) -> None:
    """Die here by SIGKILL with the configured probability: no handler, no flush, as when the machine goes."""
    if _points and _random.random() < _points.get(name, 0.0):
        os.write(2, f"fail_point {name}\n".encode())  # for whoever counts the kills
        os.kill(os.getpid(), signal.SIGKILL)
