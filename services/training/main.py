"""Composition root of training: a table of contents."""

from __future__ import annotations

import base64
from functools import partial

from chassis.privacy import vault as privacy
from chassis.process.lifecycle import Core, Service
from contracts.catalogue import TOPICS
from services.training import routes, store, telemetry, workers
from services.training.partners.api_keys import PartnerKeys
from services.training.people import consumer
from services.training.settings import TrainingSettings
from services.training.use_cases import Keys, UseCases

NAME = "training"


def build(settings: TrainingSettings) -> Service:
    """Wire the service; opens no connection yet."""
    core = Core(NAME, settings)
    rows = store.Store(core.mongo)
    pepper = base64.b64decode(settings.api_key_pepper.get_secret_value())
    keys = Keys(privacy.vault(settings, indexed=False), pepper, settings.env)
    use_cases = UseCases(core.group_commit, rows, settings, keys)
    return Service(
        core=core,
        title="Jakpreneur training",
        topics=TOPICS[NAME],
        routers=routes.routes(use_cases),
        ensure_indexes=store.ensure_indexes,
        consumers=consumer.consumers(core.mongo, settings),
        workers={
            "offers": partial(workers.expire_offers, use_cases),
            "endings": partial(workers.settle_endings, use_cases),
            "telemetry": partial(telemetry.keep, rows),
        },
        api_keys=PartnerKeys(rows, pepper, settings.api_key_cache_seconds),
    )
