"""The story after the import: a target, a partner with its trainings, assessments. Every step finds its work done.

Told through the public APIs only, by the people whose job each step is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

from demo import growth
from demo.platform import Platform, Refused, wait_until

STATE: Final = Path("var/demo/state.json")  # holds the partner's key: readable by its owner only
TRAININGS: Final = (
    ("Pemasaran digital untuk warung", 20),
    ("Pembukuan sederhana", 30),
    ("Kemasan dan izin usaha", 40),
)
_BEYOND_QUOTA: Final = 5
_ASSESSED, _VERIFIED = 30, 20
_DAYS_AHEAD: Final = 3  # offers are made until a day before the start (R11)


def set_target(platform: Platform, value: int) -> None:
    """The plan's target."""
    body = {"value": value, "source": "RPJMD 2017-2022", "valid_from": "2018-01-01"}
    platform.call("PUT", "metrics", "/v1/targets/rpjmd-2017-2022", platform.token("admin"), json=body)


def partner_key(platform: Platform) -> dict[str, str]:
    """The partner's credential; made once and kept, since a key is shown once."""
    if STATE.exists():
        kept: dict[str, str] = json.loads(STATE.read_text())["credential"]
        try:
            platform.call("GET", "training", f"/v1/partners/{json.loads(STATE.read_text())['partner_id']}", kept)
        except Refused:
            STATE.unlink()
        else:
            return kept
    admin = platform.token("admin")
    body = {
        "name": "Universitas Contoh Jakarta",
        "kind": "university",
        "contact_name": "Rina Contoh",
        "contact_email": "rina@example.com",
        "approval_required": True,
    }
    partner_id = platform.call("POST", "training", "/v1/partners", admin, json=body)["partner_id"]
    for status in ("verified", "active"):
        step = {"to": status, "reason": "Demonstration"}
        platform.call("POST", "training", f"/v1/partners/{partner_id}/status", admin, json=step)
    expires_on = (datetime.now(UTC) + timedelta(days=90)).date().isoformat()
    wanted = {"scopes": ["trainings:write", "enrolments:write", "attendance:write"], "expires_on": expires_on}
    key = platform.call("POST", "training", f"/v1/partners/{partner_id}/api-keys", admin, json=wanted)["key"]
    STATE.parent.mkdir(parents=True, exist_ok=True)
    STATE.touch(mode=0o600)
    STATE.write_text(json.dumps({"partner_id": partner_id, "credential": {"X-API-Key": key}}))
    return {"X-API-Key": key}


def verified_people(platform: Platform, count: int) -> list[str]:
    """Ids of verified people of the history, newest first: who registered later, on a tour, is not in this story."""
    people: list[str] = []
    cursor: str | None = None
    while len(people) < count:
        query = {"status": "verified", "limit": "200"} | ({"cursor": cursor} if cursor else {})
        page = platform.call("GET", "registration", "/v1/jakpreneurs", platform.token("officer"), params=query)
        last = growth.LAST_DAY.isoformat()
        people += [person["jakpreneur_id"] for person in page["items"] if person["registered_on"] <= last]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    return people[:count]


def run_trainings(platform: Platform, partner: dict[str, str], people: list[str]) -> Iterator[str]:
    """Publish, fill past the quota, cancel, offer, attend, complete; yields a line for each training."""
    remaining = iter(people)
    for number, (title, quota) in enumerate(TRAININGS, start=1):
        group = list(islice(remaining, quota + _BEYOND_QUOTA))
        training_id = _draft(platform, partner, f"demo-{number}", title, quota)
        shown = platform.call("GET", "training", f"/v1/trainings/{training_id}", partner)
        if shown["status"] != "reported":
            yield _run(platform, partner, training_id, title, quota, group)
        else:
            yield f"{title}: done before"


def _draft(platform: Platform, partner: dict[str, str], external_id: str, title: str, quota: int) -> str:
    start = (datetime.now(UTC) + timedelta(days=_DAYS_AHEAD)).replace(hour=2, minute=0, second=0, microsecond=0)
    # One day after another: nobody sits in two sessions at once.
    start += timedelta(days=int(external_id.rpartition("-")[2]))
    sessions = [{"starts_at": _text(start), "ends_at": _text(start + timedelta(hours=6)), "place": "Balai Contoh, Jakarta"}]
    body = {
        "title": title,
        "description": "Pelatihan peragaan.",
        "stage": "P2",
        "dinas": "PPKUKM",
        "sessions": sessions,
        "quota": quota,
        "registration_deadline": _text(start - timedelta(hours=25)),
        "external_id": external_id,
    }
    training_id: str = platform.call("POST", "training", "/v1/trainings", partner, json=body)["training_id"]
    return training_id


def _text(moment: datetime) -> str:
    return moment.isoformat()


def _move(platform: Platform, credential: dict[str, str], training_id: str, *states: str) -> None:
    """Step through states; a step taken before (an interrupted demonstration) is passed over."""
    for state in states:
        try:
            platform.call("POST", "training", f"/v1/trainings/{training_id}/transitions", credential, json={"to": state})
        except Refused as refused:
            if refused.status != 409:
                raise


def _run(platform: Platform, partner: dict[str, str], training_id: str, title: str, quota: int, group: list[str]) -> str:
    _move(platform, partner, training_id, "submitted")
    _move(platform, platform.token("officer"), training_id, "approved")
    _move(platform, partner, training_id, "published")
    enrolled = [_enrol(platform, partner, training_id, person) for person in group]
    # By place in the line, not by status: an interrupted demonstration may have cancelled and offered already.
    seated, waiting = enrolled[:quota], enrolled[quota:]
    for enrolment in seated[:2]:  # two give up: their seats are offered to the first two who wait
        _once(platform, f"/v1/enrolments/{enrolment}/cancellation", partner)
    for enrolment, answer in zip(waiting[:2], ("acceptance", "decline"), strict=False):
        _once(platform, f"/v1/enrolments/{enrolment}/{answer}", partner)
    present = [*seated[2:], *waiting[:1]]
    session = platform.call("GET", "training", f"/v1/trainings/{training_id}", partner)["sessions"][0]
    scans = [
        {
            "enrolment_id": enrolment,
            "nonce": f"demo-{index}",
            "scanned_at": session["starts_at"],
            "minutes": 120 if index % 10 == 9 else 350,  # one in ten leaves early and doesn't complete (R12)
        }
        for index, enrolment in enumerate(present)
    ]
    _once(platform, f"/v1/trainings/{training_id}/attendance", partner, {"scans": scans})
    _move(platform, partner, training_id, "closed", "running", "completed")
    done = sum(1 for index in range(len(present)) if index % 10 != 9)
    # Completing settles the enrolments in the background; the report comes after it.
    wait_until(lambda: _completed(platform, partner, training_id) >= done, 30, "enrolments settled")
    _move(platform, partner, training_id, "reported")
    return f"{title}: {len(group)} enrolled for {len(seated)} seats, {len(present)} came, {done} completed"


def _enrol(platform: Platform, partner: dict[str, str], training_id: str, person: str) -> str:
    """The enrolment's id; one made before an interruption will do, whatever has become of it."""
    enrolment = f"{training_id}:{person}"
    try:
        # Looked for first: who gave up their seat may enrol again, and would.
        platform.call("GET", "training", f"/v1/enrolments/{enrolment}", partner)
    except Refused as refused:
        if refused.status != 404:
            raise
        body = {"jakpreneur_id": person}
        platform.call("POST", "training", f"/v1/trainings/{training_id}/enrolments", partner, json=body)
    return enrolment


def _once(platform: Platform, path: str, credential: dict[str, str], body: dict[str, Any] | None = None) -> None:
    """Do what an interrupted demonstration may have done already: then it conflicts, and that is well."""
    try:
        platform.call("POST", "training", path, credential, json=body)
    except Refused as refused:
        if refused.status != 409:
            raise


def _completed(platform: Platform, partner: dict[str, str], training_id: str) -> int:
    page = platform.call("GET", "training", f"/v1/trainings/{training_id}/enrolments", partner, params={"limit": "200"})
    return sum(1 for enrolment in page["items"] if enrolment["status"] == "completed")


def assess(platform: Platform, people: list[str]) -> str:
    """Monthly reports of some, verified for fewer (R7: by somebody else)."""
    officer, verifier = platform.token("officer"), platform.token("verifier")
    submitted = verified = 0
    for number, person in enumerate(people[:_ASSESSED]):
        body = {
            "jakpreneur_id": person, "period": "2021-02", "revenue": 4_000_000 + 250_000 * number,
            "assets": 10_000_000 + 500_000 * number, "workers": 1 + number % 3, "basis": "annual_sales", "evidence": "documented",
        }  # fmt: skip
        try:
            assessment = platform.call("POST", "metrics", "/v1/assessments", officer, json=body)["assessment_id"]
        except Refused as refused:
            if refused.code != "P6.already_reported":
                raise
            continue
        submitted += 1
        if number < _VERIFIED:
            platform.call("POST", "metrics", f"/v1/assessments/{assessment}/verification", verifier, json={})
            verified += 1
    return f"{submitted} new assessments submitted, {verified} verified"
