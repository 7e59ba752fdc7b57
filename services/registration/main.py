"""Composition root of registration: a table of contents."""

from __future__ import annotations

from functools import partial

from chassis import privacy
from chassis.lifecycle import Core, Service
from contracts.catalogue import TOPICS
from services.registration import api, imports_api, store, telemetry
from services.registration.imports import Imports
from services.registration.settings import RegistrationSettings
from services.registration.use_cases import UseCases

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
