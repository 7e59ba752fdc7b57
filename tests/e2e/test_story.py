"""The demonstration in small, with the figures asserted: import, trainings past the quota, assessments, funnel."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2

from demo.history import write_csv
from tests.e2e.conftest import Databases, Form, World
from tests.harness.waiting import eventually

PEOPLE = 300


def upload(client: httpx2.Client, world: World, content: bytes) -> dict[str, object]:
    """Import a file and wait for its end."""
    officer = world.as_("officer", "migrator")
    url = f"{world.registration.url}/v1/imports"
    answer = client.post(url, content=content, headers={**officer, "Content-Type": "text/csv"})
    assert answer.status_code == 202, answer.text
    path = f"{url}/{answer.json()['import_id']}"
    eventually(lambda: client.get(path, headers=officer).json()["state"] in ("done", "failed"), 60, "the import has ended")
    return {**client.get(path, headers=officer).json(), "repeated": answer.json()["repeated"]}


def test_an_import_counts_once(world: World, client: httpx2.Client, tmp_path: Path) -> None:
    """An officer uploads the history twice; the second time changes nothing, and metrics counts everybody once."""
    file = tmp_path / "history.csv"
    write_csv(file, PEOPLE, 77, None)
    progress = f"{world.metrics.url}/v1/progress?as_of=2021-03-02"
    before = client.get(progress).json()["registered_total"]
    state = upload(client, world, file.read_bytes())
    assert (state["accepted"], state["rejected"], state["rows_total"]) == (PEOPLE, 0, PEOPLE)
    eventually(lambda: client.get(progress).json()["registered_total"] == before + PEOPLE, 30, "metrics counts them")
    again = upload(client, world, file.read_bytes())
    assert (again["repeated"], again["accepted"]) == (True, PEOPLE)
    assert client.get(progress).json()["registered_total"] == before + PEOPLE


def verified_days(databases: Databases, value: int) -> str:
    """The day of the person with whom the count reached the value, from the facts one by one."""
    days = sorted(fact["day"] for fact in databases("metrics")["facts"].find({"stage": "P1"}))
    return str(days[value - 1])


def test_a_target_knows_its_day(world: World, client: httpx2.Client, databases: Databases) -> None:
    """The admin sets a target that the history has passed: the platform says on which day, and tells it as an event."""
    body = {"value": 100, "source": "RPJMD", "valid_from": "2018-01-01"}
    answer = client.put(f"{world.metrics.url}/v1/targets/e2e", json=body, headers=world.as_("admin"))
    assert answer.status_code == 200
    expected = verified_days(databases, 100)
    progress = client.get(f"{world.metrics.url}/v1/progress").json()
    assert progress["target"] == {"value": 100, "source": "RPJMD", "reached_on": expected}
    again = client.put(f"{world.metrics.url}/v1/targets/e2e", json=body, headers=world.as_("admin"))
    assert len(again.json()["versions"]) == 1


def test_more_people_than_seats(world: World, client: httpx2.Client, form: Form) -> None:
    """A partner publishes a class of two seats.

    Four enrol, one cancels, the first who waits is offered the seat and takes it; who was there counts as trained in the funnel,
    once.
    """
    admin, officer = world.as_("admin"), world.as_("officer")
    people = []
    for _ in range(4):
        person = client.post(f"{world.registration.url}/v1/jakpreneurs", json=form(), headers=officer).json()["jakpreneur_id"]
        path = f"{world.registration.url}/v1/jakpreneurs/{person}/verification"
        client.post(path, json={"decision": "verify"}, headers=world.as_("verifier")).raise_for_status()
        people.append(person)
    training = world.training.url
    institution = {
        "name": "Universitas Contoh",
        "kind": "university",
        "contact_name": "Rina Contoh",
        "contact_email": "rina@example.com",
        "approval_required": False,
    }
    partner_id = client.post(f"{training}/v1/partners", json=institution).json()["partner_id"]
    for status in ("verified", "active"):
        step = {"to": status, "reason": "checked"}
        client.post(f"{training}/v1/partners/{partner_id}/status", json=step, headers=admin).raise_for_status()
    wanted = {
        "scopes": ["trainings:write", "enrolments:write", "attendance:write"],
        "expires_on": (datetime.now(UTC) + timedelta(days=30)).date().isoformat(),
    }
    key = client.post(f"{training}/v1/partners/{partner_id}/api-keys", json=wanted, headers=admin).json()
    partner = {"X-API-Key": key["key"]}
    start = datetime.now(UTC) + timedelta(days=3)
    body = {
        "title": "Kelas kecil",
        "description": "Dua kursi.",
        "stage": "P2",
        "sessions": [
            {"starts_at": start.isoformat(), "ends_at": (start + timedelta(hours=2)).isoformat(), "place": "Balai Contoh"}
        ],
        "quota": 2,
        "registration_deadline": (start - timedelta(hours=30)).isoformat(),
        "external_id": "kelas-1",
    }
    training_id = client.post(f"{training}/v1/trainings", json=body, headers=partner).json()["training_id"]
    assert client.post(f"{training}/v1/trainings", json=body, headers=partner).status_code == 200
    for state in ("submitted", "published"):
        client.post(f"{training}/v1/trainings/{training_id}/transitions", json={"to": state}, headers=partner).raise_for_status()
    enrol = f"{training}/v1/trainings/{training_id}/enrolments"
    eventually(
        lambda: client.post(enrol, json={"jakpreneur_id": people[3]}, headers=partner).status_code in (201, 409),
        20,
        "training knows the last who was verified",
    )
    statuses = [client.post(enrol, json={"jakpreneur_id": person}, headers=partner).json()["status"] for person in people[:3]]
    assert statuses == ["confirmed", "waitlisted", "waitlisted"]
    client.post(f"{training}/v1/enrolments/{training_id}:{people[3]}/cancellation", headers=partner).raise_for_status()
    accepted = client.post(f"{training}/v1/enrolments/{training_id}:{people[1]}/acceptance", headers=partner)
    assert accepted.json()["status"] == "confirmed"
    seats = client.get(f"{training}/v1/trainings/{training_id}", headers=partner).json()["seats"]
    assert seats == {"confirmed": 2, "offered": 0, "waiting": 1, "free": 0}
    assert page_sizes(client, enrol, 2, partner) == [2, 2]
    assert page_sizes(client, f"{training}/v1/trainings", 1, partner, q="Dua kursi.") == [1]
    assert page_sizes(client, f"{world.registration.url}/v1/jakpreneurs", 1, officer, q=people[0]) == [1]

    trained = funnel(client, world)["P2"]
    scans = [
        {"enrolment_id": f"{training_id}:{person}", "nonce": person, "scanned_at": start.isoformat(), "minutes": 110}
        for person in people[:2]
    ]
    attendance = f"{training}/v1/trainings/{training_id}/attendance"
    assert client.post(attendance, json={"scans": scans}, headers=partner).json()["recorded"] == 2
    assert client.post(attendance, json={"scans": scans}, headers=partner).json()["duplicate"] == 2
    for state in ("closed", "running", "completed"):
        client.post(f"{training}/v1/trainings/{training_id}/transitions", json={"to": state}, headers=partner).raise_for_status()
    eventually(lambda: funnel(client, world)["P2"] == trained + 2, 30, "the funnel counts two more people with P2")

    assert client.delete(f"{training}/v1/partners/{partner_id}/api-keys/{key['kid']}", headers=admin).status_code == 200
    eventually(lambda: client.post(enrol, json={"jakpreneur_id": people[0]}, headers=partner).status_code == 401, 5, "revoked")


def page_sizes(client: httpx2.Client, url: str, limit: int, headers: dict[str, str], **filters: str) -> list[int]:
    """Walk a list to its end: how many are on each page. No page is empty, and the last one says that it is the last."""
    sizes, cursor = list[int](), None
    while not sizes or cursor is not None:
        asked = {**filters, "limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        page = client.get(url, params=asked, headers=headers).json()
        sizes.append(len(page["items"]))
        cursor = page["next_cursor"]
    return sizes


def funnel(client: httpx2.Client, world: World) -> dict[str, int]:
    """People by stage."""
    stages = client.get(f"{world.metrics.url}/v1/funnel").json()["stages"]
    return {stage["stage"]: stage["people"] for stage in stages}


def test_a_monthly_report_counts_and_is_verified_by_another(world: World, client: httpx2.Client, form: Form) -> None:
    """Budi's report is stage P6. The officer who handed it in can't verify it; a second report for the month is refused."""
    officer = world.as_("officer", "verifier", subject="tuti")
    person = client.post(f"{world.registration.url}/v1/jakpreneurs", json=form(), headers=officer).json()["jakpreneur_id"]
    path = f"{world.registration.url}/v1/jakpreneurs/{person}/verification"
    client.post(path, json={"decision": "verify"}, headers=officer).raise_for_status()
    before = funnel(client, world)["P6"]
    body = {
        "jakpreneur_id": person,
        "period": "2021-02",
        "revenue": 5_000_000,
        "assets": 10_000_000,
        "workers": 2,
        "basis": "annual_sales",
        "evidence": "documented",
    }
    url = f"{world.metrics.url}/v1/assessments"
    eventually(lambda: client.post(url, json=body, headers=officer).status_code in (201, 409), 20, "metrics knows Budi")
    refused = client.post(url, json=body, headers=officer)
    assert (refused.status_code, refused.json()["code"]) == (409, "P6.already_reported")
    later = client.post(url, json={**body, "period": "2021-03"}, headers=officer).json()["assessment_id"]
    own = client.post(f"{url}/{later}/verification", json={}, headers=officer)
    assert (own.status_code, own.json()["code"]) == (403, "R7.own_submission")
    other = client.post(f"{url}/{later}/verification", json={}, headers=world.as_("verifier", subject="joko"))
    assert other.json()["status"] == "verified"
    eventually(lambda: funnel(client, world)["P6"] == before + 1, 20, "the funnel counts Budi once")
