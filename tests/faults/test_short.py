"""The short form of the fault test: a few minutes of killing under load, then the ledger check."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from deploy.local.layout import VAR
from deploy.local.stack import Stack
from tests.faults.engine import run
from tests.faults.report import HARMS, Plan

REPORT = VAR / "faults-short.json"
SHORT = Plan(
    kills=60,
    acknowledged=1_500,
    minutes=2.6,
    relay_pauses=2,
    consumer_pauses=1,
    broker_kills=1,
    mongodb_kills=1,
    poisonings=1,
    workers=16,
    rate=100.0,
)
ROLES = ("api", "relay", "consumer")


@pytest.mark.faults
async def test_what_was_promised_holds(stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """People register, are verified, enrol and give up while every process dies again and again.

    Each dies at a point before or after a commit, between Kafka's acknowledgement and the outbox, amid a consumer's transaction.
    Relays and a consumer sleep past their time and wake, Kafka and MongoDB die, messages come that nobody can read. Then it is
    quiet, and what clients were promised is there once, was told once and in order, and is counted once.
    """

    def say(text: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n{text}")
            sys.stdout.flush()

    report = await run(SHORT, stack, tmp_path, say)
    report.write(REPORT)
    say(report.table() + "\n")

    assert report.verdict.violations == []
    assert dict.fromkeys(HARMS, 0) == {harm: report.verdict.harm(harm) for harm in HARMS}
    assert report.killed >= SHORT.kills
    assert {role for name in report.kills for role in ROLES if name.endswith(role)} == set(ROLES)
    assert report.acknowledged >= SHORT.acknowledged
    assert SHORT.troubles() == dict(report.done())
    [broker] = [trouble for trouble in report.troubles if trouble.kind == "broker_kills"]
    assert broker.acknowledged > 0, "writes must go on while Kafka is away"
    assert "500" not in report.statuses
