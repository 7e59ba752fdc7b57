"""`make bench`: every measurement against its peer in the same run; JSON and a table. On an otherwise idle machine."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import imports, ingest, latency, lived_write, read_path, reconcile, result, write_path
from bench.result import Result
from deploy.local.setup import apt_install
from deploy.local.stack import DEFAULT, Ports, Stack

LATEST = Path(__file__).parent / "results" / "latest.json"
MEASUREMENTS: dict[str, Callable[[Stack, Path], list[Result]]] = {
    "lived_write": lived_write.measure,
    "lived_import": imports.measure_lived,
    "write_path": write_path.measure,
    "ingest": ingest.measure,
    "import": imports.measure,
    "latency": latency.measure,
    "two_replicas": latency.measure_two_replicas,
    "read_path": read_path.measure,
    "reconcile": reconcile.measure,
}


def main() -> None:
    """Measure what is asked for; the stored rows of what was measured are replaced."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*MEASUREMENTS, []], help="which measurements; default all")
    names = parser.parse_args().names or list(MEASUREMENTS)
    if {"write_path", "lived_write"} & set(names):
        require_wrk()
    results: list[Result] = []
    for name in names:
        # A fresh stack for each: what one leaves behind must not slow the next.
        with tempfile.TemporaryDirectory(prefix="jakpreneur-bench-") as folder:
            begun = time.monotonic()
            with Ports.free() as ports, Stack.start(Path(folder), ports, sizing=DEFAULT) as stack:
                found = MEASUREMENTS[name](stack, Path(folder))
            print(f"{name}: {time.monotonic() - begun:.0f} s")
            result.show(found)
            results += found
    result.update(LATEST, results)
    print(f"written to {LATEST.relative_to(Path.cwd())}")


def require_wrk() -> None:
    """The load generator of write_path: installed if we may, else asked for. A run without its main ratio is no run."""
    may_install = os.geteuid() == 0 and shutil.which("apt-get") is not None
    if shutil.which("wrk") is None and not (may_install and apt_install(["wrk"], check=False)):
        sys.exit("write_path needs wrk: apt-get update && apt-get install wrk")


if __name__ == "__main__":
    main()
