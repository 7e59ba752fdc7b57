"""A platform that has lived: half a million people stored in all three services, and as many documents with the peer.

The documents are those that the services write, with random ids; written in bulk, since a real import of so many would take
minutes before each measurement. Personal data is noise of the right size.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
from datetime import UTC, datetime
from typing import Any

from pymongo import MongoClient

from bench import events
from bench.bodies import body_of
from chassis.consuming.effect import Circumstances
from chassis.database.mongo import Mongo, Tx, connect
from chassis.settings import Settings
from contracts.envelope import Event
from contracts.registration import JakpreneurVerified
from demo.history import generate
from deploy.local.stack import Stack
from services.metrics.ledger import pending
from services.metrics.ledger import store as ledger
from services.registration.main import ensure_indexes as ensure_registration_indexes

PEOPLE = 500_000
_BATCH = 2500  # people
_PERSONAL = {"nik": 16, "name": 18, "birth_date": 10, "phone": 14, "address": 30, "business_name": 16, "capital": 8, "assets": 8}


def fill(settings: Settings, people: int = PEOPLE) -> None:
    """Fill the databases of a platform whose services haven't been started yet."""
    asyncio.run(_fill(settings, people))


def fill_peer(stack: Stack, database: str, people: int = PEOPLE) -> None:
    """As many bodies with the peer."""
    client: MongoClient[dict[str, Any]] = MongoClient(stack.environment()["JAKPRENEUR_MONGODB_URL"], w=1)
    templates = [body_of(row) for row in generate(2000, 7)]
    for first in range(0, people, 2 * _BATCH):
        documents = [dict(templates[number % len(templates)]) for number in range(first, min(people, first + 2 * _BATCH))]
        client[database]["people"].insert_many(documents, ordered=False)
    client.close()


async def _fill(settings: Settings, people: int) -> None:
    registration, training, metrics = (connect(settings, name) for name in ("registration", "training", "metrics"))
    await ensure_registration_indexes(registration)
    pairs = events.people(people)
    while batch := list(itertools.islice(pairs, _BATCH)):
        await asyncio.gather(
            _insert_people(registration, training, [verified for _, verified in batch]),
            insert_ledger(metrics, [event for pair in batch for event in pair]),
        )
    for mongo in (registration, training, metrics):
        await mongo.close()


async def fill_ledger(settings: Settings, people: int) -> None:
    """Metrics alone."""
    mongo = connect(settings, "metrics")
    pairs = events.people(people)
    while batch := list(itertools.islice(pairs, _BATCH)):
        await insert_ledger(mongo, [event for pair in batch for event in pair])
    await mongo.close()


async def insert_ledger(mongo: Mongo, batch: list[Event]) -> None:
    """One batch through the ledger's own code."""
    await ledger.ensure_indexes(mongo)
    await pending.ensure_indexes(mongo)

    async def work(tx: Tx) -> None:
        await ledger.Ledger(mongo).project(tx, ledger.prepare(batch), Circumstances())

    await mongo.transaction(work)


async def _insert_people(registration: Mongo, training: Mongo, verified: list[Event]) -> None:
    now = datetime.now(UTC)
    people, identities, views = [], [], []
    for event in verified:
        data = event.data
        assert isinstance(data, JakpreneurVerified)
        identity = secrets.token_hex(32)
        coarse = {
            "kelurahan": data.kelurahan, "kecamatan": data.kecamatan, "kota": data.kota, "category": data.category,
            "gender": data.gender, "dinas": data.dinas, "commodity": data.commodity,
        }  # fmt: skip
        people.append(
            {
                "_id": data.jakpreneur_id,
                "status": "verified",
                **coarse,
                "registered_on": data.registered_on.isoformat(),
                "verified_on": data.verified_on.isoformat(),
                "channel": "office",
                "identity": identity,
                "consent": {"version": "2021-01", "given_at": "2021-02-01T09:30:00+07:00"},
                "key": {"version": 1, "wrapped": os.urandom(40)},
                "sealed": {name: os.urandom(28 + size) for name, size in _PERSONAL.items()},
                "created_at": now,
                "version": 1,
                "sequence": 2,
            }
        )
        identities.append({"_id": identity, "jakpreneur_id": data.jakpreneur_id, "version": 1})
        views.append({"_id": data.jakpreneur_id, **coarse, "status": "verified", "last": 2, "content": event.content})
    await registration["jakpreneurs"].insert_many(people, ordered=False)
    await registration["identities"].insert_many(identities, ordered=False)
    await training["jakpreneurs"].insert_many(views, ordered=False)
