"""The operator at three in the morning: what was put aside, why, what came of a second try, and the end of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from chassis import clock
from chassis.publishing import kafka
from contracts.registration import TOPIC
from deploy.local.layout import ROOT
from tests.e2e.conftest import Databases, World
from tests.harness.waiting import eventually

REASON = "Peristiwa percobaan dari versi yang belum ada"


@pytest.fixture
def subject() -> str:
    """Whose event it is: another one's in each test."""
    return clock.new_id("jkp")


@pytest.fixture
async def letter(world: World, databases: Databases, subject: str) -> Any:
    """Somebody publishes `verified.v9`: the id of metrics' letter; training has its own."""
    settings = world.platform.settings()
    producer = kafka.producer(settings, "tester")
    await producer.start()
    headers = [
        ("ce_specversion", b"1.0"), ("ce_id", f"{subject}:1".encode()), ("ce_source", b"/services/registration"),
        ("ce_type", b"id.go.jakarta.jakpreneur.registration.jakpreneur.verified.v9"), ("ce_subject", subject.encode()),
        ("ce_time", b"2021-01-01T00:00:00Z"), ("ce_sequence", b"1"),
        ("ce_traceparent", b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
    ]  # fmt: skip
    try:
        await producer.send_and_wait(settings.kafka_topic_prefix + TOPIC, b'{"nib": 7}', key=subject.encode(), headers=headers)
    finally:
        await producer.stop()
    letters = databases("metrics")["dead_letters"]
    eventually(lambda: letters.count_documents({"subject": subject}) == 1, 20, "a dead letter")
    found = letters.find_one({"subject": subject})
    assert found is not None
    assert (found["state"], found["reason"], found["value"]) == ("dead", "unknown_type", b'{"nib": 7}')
    return found["_id"]


@pytest.fixture
def operator(world: World) -> Iterator[httpx2.Client]:
    """Rini, who operates metrics."""
    with httpx2.Client(base_url=world.metrics.url, headers=world.as_("operator", subject="rini"), timeout=30) as opened:
        yield opened


def test_a_letter_comes_to_its_end(world: World, operator: httpx2.Client, subject: str, letter: str) -> None:
    """Found in the list, opened, tried in vain with the reason, discarded with hers: the gauge is 0 and the alert ends."""
    eventually(lambda: world.metrics.metric("dead_letters", {"state": "dead"}) >= 1.0, 10, "the gauge tells")
    listed = operator.get("/v1/dead-letters", params={"subject": subject, "state": "dead"}).json()
    assert [item["letter_id"] for item in listed["items"]] == [letter]
    assert listed["next_cursor"] is None
    opened = operator.get(f"/v1/dead-letters/{letter}").json()
    assert (opened["value"], opened["headers"]["ce_id"], opened["behind"]) == ({"nib": 7}, f"{subject}:1", 0)
    assert opened["traceparent"].startswith("00-4bf92f")
    tried = operator.post(f"/v1/dead-letters/{letter}/redrive", json={})
    assert (tried.status_code, tried.json()["outcome"]) == (200, "failed")
    assert tried.json()["reason"].startswith("unknown_type: ")
    refused = operator.post(f"/v1/dead-letters/{letter}/discard", json={"reason": "x"})
    assert refused.status_code == 422
    ended = operator.post(f"/v1/dead-letters/{letter}/discard", json={"reason": REASON})
    assert (ended.status_code, ended.json()) == (200, {"letter_id": letter, "outcome": "discarded", "reason": ""})
    assert operator.post(f"/v1/dead-letters/{letter}/discard", json={"reason": REASON}).status_code == 404
    eventually(lambda: world.metrics.metric("dead_letters") == 0.0, 20, "the gauge is 0")
    assert world.metrics.metric("dead_letters_put_aside_total", {"reason": "unknown_type"}) >= 1


def test_only_operators(world: World, letter: str, client: httpx2.Client) -> None:
    """Letters may hold anything: an officer or an administrator doesn't see them, and hears which role it takes."""
    for headers in (world.as_("officer"), world.as_("admin")):
        for path in ("/v1/dead-letters", f"/v1/dead-letters/{letter}", "/v1/positions", "/v1/outbox"):
            answer = client.get(f"{world.metrics.url}{path}", headers=headers)
            assert (answer.status_code, answer.json()["errors"][0]["code"]) == (403, "role_missing")
        answer = client.post(f"{world.metrics.url}/v1/dead-letters/{letter}/discard", json={"reason": REASON}, headers=headers)
        assert answer.status_code == 403
    done = client.post(
        f"{world.metrics.url}/v1/dead-letters/{letter}/discard", json={"reason": REASON}, headers=world.as_("operator")
    )
    assert done.json()["outcome"] == "discarded"


@pytest.mark.parametrize("service", ["registration", "training", "metrics"])
def test_every_service_says_where_it_stands(world: World, client: httpx2.Client, service: str) -> None:
    """Nothing waits in the outbox, one process publishes, and every consumer has come to the end."""
    url, headers = getattr(world, service).url, world.as_("operator")
    outbox = client.get(f"{url}/v1/outbox", headers=headers).json()
    assert outbox["relay"]
    assert outbox["lapses_in_seconds"] > 0

    def level() -> bool:
        found = client.get(f"{url}/v1/positions", headers=headers).json()["items"]
        return bool(found) == (service != "registration") and all(
            (place["lag"], place["lost"], place["age_seconds"]) == (0, 0, None) for place in found
        )

    eventually(level, 30, "consumers have come to the end")


def jakpreneur(world: World, *arguments: str) -> tuple[int, str]:
    """The command, with the settings of the running platform."""
    env = {**os.environ, **world.platform.environment, "COLUMNS": "300"}
    done = subprocess.run(
        [str(ROOT / ".venv/bin/python"), "-m", "cli", *arguments],
        cwd=ROOT, env=env, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.returncode, done.stdout


@pytest.mark.usefixtures("letter")
def test_by_the_command_line(world: World, databases: Databases, subject: str) -> None:
    """Training's letter of the same message, with the commands of the runbook."""
    letters = databases("training")["dead_letters"]
    eventually(lambda: letters.count_documents({"subject": subject}) == 1, 20, "a dead letter")
    found = letters.find_one({"subject": subject})
    assert found is not None
    letter = found["_id"]
    code, text = jakpreneur(world, "dead-letters", "list", "training")
    assert (code, letter in text) == (0, True)
    code, text = jakpreneur(world, "dead-letters", "show", "training", letter)
    assert (code, json.loads(text)["value"]) == (0, {"nib": 7})
    code, text = jakpreneur(world, "dead-letters", "redrive", "training", letter)
    assert (code, text.splitlines()[-1]) == (1, "0 of 1 letters applied")
    assert f"{letter}  failed  unknown_type" in text
    code, text = jakpreneur(world, "dead-letters", "discard", "training", letter, "--reason", REASON)
    assert (code, text.splitlines()[-1]) == (0, "1 of 1 letters discarded")
    code, text = jakpreneur(world, "dead-letters", "history", "training")
    assert (code, REASON in text) == (0, True)
    assert jakpreneur(world, "dead-letters", "show", "training", letter) == (1, "The dead letter not found.\n")
    code, text = jakpreneur(world, "positions", "list", "training")
    assert (code, "people" in text) == (0, True)
    place = letters.database["positions"].find_one({"partition": 0})
    assert place is not None
    arguments = ("training", "people", place["topic"], "0")
    code, text = jakpreneur(world, "positions", "move", *arguments, "--to", "beginning", "--reason", "Uji coba pemulihan")
    assert (code, text) == (0, f"people {place['topic']} 0: from {place['next_offset']} to 0\n")
    assert jakpreneur(world, "positions", "move", *arguments, "--to", "9999999", "--reason", "Uji coba pemulihan")[0] == 1
    assert jakpreneur(world, "positions", "move", *arguments, "--to", "soon", "--reason", "Uji coba pemulihan")[0] == 2
