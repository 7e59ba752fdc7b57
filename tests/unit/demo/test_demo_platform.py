"""The demonstration's eyes and ears: addresses, sums of series, refusals in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest

from demo import platform
from demo.platform import Platform, Refused, wait_until

METRICS = """# HELP consumer_lag_events Events behind
consumer_lag_events{consumer="a"} 2.0
consumer_lag_events{consumer="b"} 3.0
consumer_lag_events_total 100.0
process_resident_memory_bytes 1.5e+06
"""


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Platform:
    """A platform that answers from here; no environment file, so default ports."""
    monkeypatch.setattr(platform, "ENVIRONMENT", tmp_path / "none")
    for service in ("REGISTRATION", "TRAINING", "METRICS"):
        monkeypatch.delenv(f"JAKPRENEUR_{service}_PORT", raising=False)
        monkeypatch.delenv(f"JAKPRENEUR_{service}_INTERNAL_PORT", raising=False)

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.path == "/metrics":
            return httpx2.Response(200, text=METRICS)
        if request.url.path == "/v1/nothing":
            return httpx2.Response(204)
        if request.url.path == "/v1/refused":
            return httpx2.Response(409, json={"code": "R2.already_registered", "detail": "again", "errors": []})
        return httpx2.Response(200, json={name: request.headers.get(name) for name in ("x-api-key", "idempotency-key")})

    made = Platform()
    made._client = httpx2.Client(transport=httpx2.MockTransport(answer))
    return made


def test_a_series_is_the_sum_over_its_labels(running: Platform) -> None:
    """Two consumers' lag is one figure; a series whose name only begins alike isn't part of it; an unknown one is nought."""
    assert running.series("metrics", "consumer_lag_events") == 5
    assert running.series("metrics", "process_resident_memory_bytes") == 1_500_000
    assert running.series("metrics", "consumer") == 0


def test_ports_are_those_of_make_up(running: Platform, monkeypatch: pytest.MonkeyPatch) -> None:
    """Defaults, and what the environment says instead."""
    assert (running.port("metrics"), running.port("metrics", internal=True)) == (8103, 9103)
    monkeypatch.setenv("JAKPRENEUR_METRICS_PORT", "18103")
    assert running.url("metrics") == "http://127.0.0.1:18103"
    assert running.addresses()["funnel"] == "http://127.0.0.1:18103/v1/funnel"


def test_calls_carry_a_credential_and_headers(running: Platform) -> None:
    """Both are sent; an empty reply is None."""
    got: Any = running.call("POST", "training", "/v1/x", {"X-API-Key": "k"}, headers={"Idempotency-Key": "i"})
    assert got == {"x-api-key": "k", "idempotency-key": "i"}
    assert running.call("POST", "training", "/v1/nothing") is None


def test_a_refusal_says_why(running: Platform) -> None:
    """With its status and code, so that a story may go on where its work was done before."""
    with pytest.raises(Refused, match=r"409 R2\.already_registered: again") as refusal:
        running.call("POST", "registration", "/v1/refused")
    assert (refusal.value.status, refusal.value.code) == (409, "R2.already_registered")


def test_waiting_ends() -> None:
    """At once when the condition holds; else with what never came."""
    wait_until(lambda: True, 0, "never asked")
    with pytest.raises(TimeoutError, match="the moon"):
        wait_until(lambda: False, -1, "the moon")
