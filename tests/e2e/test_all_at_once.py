"""Whoever sends a form with several faults hears of all of them at once: of types and of rules, in every service."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.e2e.conftest import World

SESSION = {"starts_at": "2027-03-08T09:00:00+07:00", "ends_at": "2027-03-08T08:00:00+07:00", "place": "Balai Contoh"}
CASES: dict[str, tuple[str, str, str, str, dict[str, Any], dict[str, str]]] = {
    "a training": (
        "training", "POST", "/v1/trainings", "officer",
        {
            "title": 7, "description": "", "stage": "P9", "sessions": [SESSION], "quota": 0,
            "registration_deadline": "2027-03-09T09:00:00+07:00", "dinas": "Sosail",
            "audience": {"kota": "31.99", "category": "besar"},
        },
        {
            "title": "string_type", "stage": "literal_error", "quota": "greater_than_equal",
            "sessions.0.ends_at": "R10.session_length", "registration_deadline": "R10.deadline", "dinas": "unknown_dinas",
            "audience.kota": "unknown_kota",
        },
    ),
    "its revision": (
        "training", "PATCH", "/v1/trainings/trn_4Yq0pV7sT2mXb1Zk", "officer",
        {"title": "", "sessions": [SESSION], "colour": "red"},
        {"title": "too_short", "sessions.0.ends_at": "R10.session_length", "colour": "extra_forbidden"},
    ),
    "a key": (
        "training", "POST", "/v1/partners/par_4Yq0pV7sT2mXb1Zk/api-keys", "admin",
        {"scopes": ["trainings:edit"], "expires_on": "2020-01-01"},
        {"scopes.0": "literal_error", "expires_on": "R9.key_expiry"},
    ),
    "a report": (
        "metrics", "POST", "/v1/assessments", "officer",
        {"jakpreneur_id": "jkp_4Yq0pV7sT2mXb1Zk", "period": "2099-01", "revenue": -1, "assets": "1.000", "workers": 1,
         "basis": "capital", "evidence": "self_reported"},
        {"period": "period", "revenue": "greater_than_equal", "assets": "int_type"},
    ),
    "a registration": (
        "registration", "POST", "/v1/jakpreneurs", "officer",
        {"nik": "3171014513909001", "name": "\u200b\u2060", "birth_date": "5 Des 1990", "gender": "wanita", "phone": "12",
         "kelurahan": "31.71.01.9999", "category": "pemula",
         "consent": {"version": "2021-01", "given_at": "1900-01-01T00:00:00Z"}},
        {"nik": "R1.date", "name": "blank", "gender": "literal_error", "phone": "R4.phone", "kelurahan": "R3.kelurahan"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_types_and_rules_in_one_answer(world: World, client: httpx2.Client, case: str) -> None:
    """Each fault is named once, and a choice error lists the choices."""
    service, method, path, role, body, expected = CASES[case]
    url = getattr(world, service).url
    answer = client.request(method, f"{url}{path}", json=body, headers=world.as_(role))
    assert answer.status_code == 422
    found = {error["field"]: error["code"] for error in answer.json()["errors"]}
    assert expected.items() <= found.items(), found
    assert len(found) == len(answer.json()["errors"])
    choices = [error["message_id"] for error in answer.json()["errors"] if error["code"] == "literal_error"]
    assert all("," in text for text in choices), choices
