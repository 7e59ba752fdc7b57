"""docs/follow-one-event.md as a test: the same order, the same names."""

from __future__ import annotations

import httpx2

from contracts.registration import TOPIC, JakpreneurRegistered, JakpreneurVerified
from tests.e2e.conftest import Databases, Form, World
from tests.harness.topics import read_all
from tests.harness.waiting import eventually


async def test_one_registration_from_http_to_the_dashboard(
    world: World, client: httpx2.Client, form: Form, databases: Databases
) -> None:
    """Siti registers at an office, is verified, and a moment later the public figure counts her."""
    metrics, registration = world.metrics.url, world.registration.url
    before = client.get(f"{metrics}/v1/progress").json()["registered_total"]

    # 1. services/registration/people/api.py and use_cases.py: the form in, a decision to GroupCommit, a reply after the commit.
    answer = client.post(f"{registration}/v1/jakpreneurs", json=form(), headers=world.as_("officer"))
    assert answer.status_code == 201
    siti = answer.json()["jakpreneur_id"]
    verified = client.post(
        f"{registration}/v1/jakpreneurs/{siti}/verification", json={"decision": "verify"}, headers=world.as_("verifier")
    )
    assert verified.json() == {"jakpreneur_id": siti, "status": "verified", "version": 2}

    # 2. chassis/writing/group_commit.py: her document holds ciphertexts and the number of events told about her.
    database = databases("registration")
    document = database["jakpreneurs"].find_one({"_id": siti})
    assert document is not None
    assert (document["version"], document["sequence"], document["status"]) == (2, 2, "verified")
    assert b"Siti Contoh" not in b"".join(document["sealed"].values())

    # 3. chassis/writing/outbox.py, chassis/publishing/relay.py: a commit leaves once Kafka has acknowledged its events.
    eventually(lambda: database["outbox"].count_documents({"events.subject": siti}) == 0, 20, "the outbox is empty")

    # 4. contracts/: on Kafka, in order, without personal data.
    records = [r for r in await read_all(world.platform.settings(), TOPIC) if r.key == siti.encode()]
    types = [dict(record.headers)["ce_type"].decode() for record in records]
    assert types == [JakpreneurRegistered.TYPE, JakpreneurVerified.TYPE]
    assert [dict(record.headers)["ce_id"].decode() for record in records] == [f"{siti}:1", f"{siti}:2"]
    assert all(b"3171014512" not in record.value and b"Contoh" not in record.value for record in records)

    # 5. chassis/consuming/consumer.py, services/metrics/ledger/store.py and rules.py: a ledger row, a fact, an increment.
    total = before + 1
    eventually(lambda: client.get(f"{metrics}/v1/progress").json()["registered_total"] == total, 20, "metrics counts her")
    figures = databases("metrics")
    row = figures["ledger"].find_one({"_id": f"registration/{siti}:2"})
    assert row is not None
    assert (row["measure"], row["person"]) == ("P1", siti)
    assert figures["facts"].find_one({"_id": f"{siti}:P1"}) is not None

    # 6. services/metrics/ledger/api.py: the ledger can recount what the dashboard shows.
    checked = client.get(f"{metrics}/v1/reconciliation?fresh=true", headers=world.as_("operator")).json()
    assert checked["difference"] == 0
