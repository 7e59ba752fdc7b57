"""Composition root of registration: a table of contents."""

from __future__ import annotations

from functools import partial

from chassis.privacy import vault as privacy
from chassis.process.lifecycle import Core, Service
from contracts.catalogue import TOPICS
from services.registration import telemetry
from services.registration.imports import api as imports_api
from services.registration.imports.worker import Imports
from services.registration.people import api, store
from services.registration.people.use_cases import UseCases
from services.registration.settings import RegistrationSettings

NAME = "registration"


def build(settings: RegistrationSettings) -> Service:
    """Wire the service; opens no connection yet."""
    core = Core(NAME, settings)
    rows = store.Store(core.mongo)
    use_cases = UseCases(core.group_commit, rows, privacy.vault(settings))
    imports = Imports(
        core,
        use_cases,
        max_bytes=settings.import_max_bytes,
        rows_at_once=settings.import_rows_at_once,
        lease_seconds=settings.import_lease_seconds,
    )
    return Service(
        core=core,
        title="Jakpreneur registration",
        topics=TOPICS[NAME],
        routers=[api.routes(use_cases), imports_api.routes(imports, settings.import_max_bytes)],
        ensure_indexes=store.ensure_indexes,
        workers={"imports": imports.work, "telemetry": partial(telemetry.keep, rows)},
    )
