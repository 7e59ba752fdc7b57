"""Composition root of metrics: a table of contents."""

from __future__ import annotations

from functools import partial

from chassis.consuming.consumer import Consumer
from chassis.consuming.effect import Projection
from chassis.process.lifecycle import Core, Service
from contracts.catalogue import TOPICS, TYPES
from services.metrics import telemetry
from services.metrics.assessments import api as assessments_api
from services.metrics.figures import api
from services.metrics.figures.store import Figures
from services.metrics.ledger import store as ledger
from services.metrics.ledger.reconciliation import Reconciliation
from services.metrics.settings import MetricsSettings
from services.metrics.targets.store import Store
from services.metrics.use_cases import UseCases

NAME = "metrics"


def build(settings: MetricsSettings) -> Service:
    """Wire the service; opens no connection yet."""
    core = Core(NAME, settings)
    figures = Figures(core.mongo, settings.smallest_public_cell)
    book = ledger.Ledger(core.mongo)
    use_cases = UseCases(Store(core.mongo), core.group_commit, figures, book)
    reconciliation = Reconciliation(core.mongo, settings.reconcile_every_seconds)
    effect = Projection(core.mongo, list(TYPES.values()), book.project, ledger.prepare)
    every_topic = [topic for topics in TOPICS.values() for topic in topics]
    return Service(
        core=core,
        title="Jakpreneur metrics",
        topics=TOPICS[NAME],
        routers=[api.routes(use_cases, reconciliation), assessments_api.routes(use_cases)],
        consumers=[Consumer(core.mongo, settings, "metrics-ledger", every_topic, effect)],
        workers={
            "follow-figures": use_cases.follow_figures,
            "reconciliation": reconciliation.work,
            "telemetry": partial(telemetry.keep, figures),
        },
    )
