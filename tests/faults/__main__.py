"""`make chaos`, `python -m tests.faults`: the long form of the fault test, on a stack of its own. Stops by itself.

    python -m tests.faults --kills 100 --minutes 3 --acknowledged 5000 --relay-pauses 3 --broker-kills 2
    python -m tests.faults --cluster 4 --seed 7      the faults of a cluster, four times over

Exit code 0: nothing lost, doubled or out of order, and all that was asked for was done.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from deploy.local.layout import VAR
from deploy.local.stack import TESTS, Ports, Stack
from tests.faults.cluster.run import run as run_on_cluster
from tests.faults.engine import run
from tests.faults.report import Plan, Report
from tests.harness.cluster import Cluster

REPORT = VAR / "chaos-report.json"
CLUSTER_REPORT = VAR / "chaos-cluster.json"


def main(arguments: list[str]) -> int:
    """Run it, print the table, write the report."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description="Kill the platform under load, then count.")
    parser.add_argument("--minutes", type=float, default=76.0, help="of load at most (default: %(default)s)")
    parser.add_argument("--kills", type=int, default=1000, help="SIGKILLs at fail points (default: %(default)s)")
    parser.add_argument("--acknowledged", type=int, default=300_000, help="writes (default: %(default)s)")
    parser.add_argument("--relay-pauses", type=int, default=100, help="relays paused past their lease (default: %(default)s)")
    parser.add_argument(
        "--consumer-pauses", type=int, default=50, help="consumers paused past their session (default: %(default)s)"
    )
    parser.add_argument("--broker-kills", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--mongodb-kills", type=int, default=50, help="default: %(default)s")
    parser.add_argument("--poisonings", type=int, default=5, help="of six bad messages each (default: %(default)s)")
    parser.add_argument("--trainings", type=int, default=60, help="to enrol in (default: %(default)s)")
    parser.add_argument("--rate", type=float, default=200.0, help="requests a second (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument(
        "--cluster", type=int, default=0, metavar="ROUNDS", help="instead: each fault of a cluster so many times, no others"
    )
    given = parser.parse_args(arguments)
    if given.cluster:
        return on_a_cluster(given.cluster, given.seed)
    plan = Plan(quota=20, **{name: value for name, value in vars(given).items() if name != "cluster"})
    with (
        tempfile.TemporaryDirectory(prefix="chaos-") as directory,
        Ports.free() as ports,
        Stack.start(Path(directory), ports, sizing=TESTS) as stack,
    ):
        report = asyncio.run(run(plan, stack, Path(directory), say))
    report.write(REPORT)
    say(report.table())
    missing = _missing(report)
    for name, (done, wanted) in missing.items():
        say(f"not enough {name} in {given.minutes:g} minutes: {done:,} of {wanted:,}")
    return 1 if report.verdict.violations or missing else 0


def on_a_cluster(rounds: int, seed: int) -> int:
    """Three mongods, three brokers, two replicas of each service: every fault of the table, again and again."""
    with tempfile.TemporaryDirectory(prefix="chaos-") as name, Cluster.start(Path(name)) as cluster:
        report = asyncio.run(run_on_cluster(cluster, Path(name), say, seed=seed, rounds=rounds))
    report.write(CLUSTER_REPORT)
    say(report.table())
    return 1 if report.failures else 0


def _missing(report: Report) -> dict[str, tuple[int, int]]:
    done = {"kills": report.killed, "acknowledged": report.acknowledged, **report.done()}
    wanted = {"kills": report.plan.kills, "acknowledged": report.plan.acknowledged, **report.plan.troubles()}
    return {name: (done.get(name, 0), number) for name, number in wanted.items() if done.get(name, 0) < number}


def say(line: str) -> None:
    """Print at once, also into a pipe."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
