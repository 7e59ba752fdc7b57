"""Composition root of registration: a table of contents."""

from __future__ import annotations

import asyncio
from functools import partial

from chassis.database.mongo import Mongo
from chassis.privacy import vault as privacy
from chassis.process.lifecycle import Core, Service
from contracts.catalogue import TOPICS
from services.registration.audit import store as audit_store
from services.registration.imports import api as imports_api
from services.registration.imports import store as imports_store
from services.registration.imports.use_cases import ImportUseCases
from services.registration.imports.worker import ImportWorker
from services.registration.people import api as people_api
from services.registration.people import store as people_store
from services.registration.people import worker as people_worker
from services.registration.people.use_cases import PeopleUseCases
from services.registration.reference import api as reference_api
from services.registration.settings import RegistrationSettings

NAME = "registration"


def build(settings: RegistrationSettings) -> Service:
    """Wire the service; opens no connection yet."""
    core = Core(NAME, settings)
    vault = privacy.vault(settings)
    person_store = people_store.PeopleStore(core.mongo)
    import_store = imports_store.ImportStore(core.mongo)
    queued = asyncio.Event()
    people = PeopleUseCases(core.group_commit, person_store, vault)
    imports = ImportUseCases(core.group_commit, import_store, vault, queued, settings.import_max_bytes)
    importing = ImportWorker(
        core,
        import_store,
        people,
        vault,
        queued,
        rows_at_once=settings.import_rows_at_once,
        lease_seconds=settings.import_lease_seconds,
    )
    return Service(
        core=core,
        about="People register here, one by one or by files, and are verified. Personal data stays here.",
        topics=TOPICS[NAME],
        routers=[people_api.routes(), reference_api.routes(), imports_api.routes(settings.import_max_bytes)],
        tags={
            "jakpreneurs": "People of the programme: registering, finding, revealing, verifying",
            "imports": "Files of many people",
            "reference": "Lists that forms offer",
        },
        provides=[people, imports],
        ensure_indexes=ensure_indexes,
        workers={"imports": importing.work, "telemetry": partial(people_worker.count_people, person_store)},
    )


async def ensure_indexes(mongo: Mongo) -> None:
    """The indexes of all features."""
    await people_store.ensure_indexes(mongo)
    await imports_store.ensure_indexes(mongo)
    await audit_store.ensure_heads(mongo)
