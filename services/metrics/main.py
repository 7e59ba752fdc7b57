"""Composition root of metrics: a table of contents."""

from __future__ import annotations

from functools import partial

from chassis.consuming.consumer import Consumer
from chassis.consuming.effect import Projection
from chassis.database.mongo import Mongo
from chassis.process.lifecycle import Core, Service
from contracts.catalogue import TOPICS, TYPES
from services.metrics.assessments import api as assessments_api
from services.metrics.assessments.use_cases import AssessmentUseCases
from services.metrics.figures import api as figures_api
from services.metrics.figures.store import FigureStore
from services.metrics.figures.use_cases import FigureUseCases
from services.metrics.figures.worker import count_trained
from services.metrics.ledger import api as ledger_api
from services.metrics.ledger import pending, store
from services.metrics.ledger.reconciliation import Reconciliation
from services.metrics.progress import api as progress_api
from services.metrics.progress.use_cases import ProgressUseCases
from services.metrics.settings import MetricsSettings
from services.metrics.targets import api as targets_api
from services.metrics.targets.store import TargetStore
from services.metrics.targets.use_cases import TargetUseCases
from services.metrics.targets.worker import follow_figures

NAME = "metrics"


async def ensure_indexes(mongo: Mongo) -> None:
    """Every feature's."""
    await store.ensure_indexes(mongo)
    await pending.ensure_indexes(mongo)


def build(settings: MetricsSettings) -> Service:
    """Wire the service; opens no connection yet."""
    core = Core(NAME, settings)
    smallest_cell = settings.smallest_public_cell
    ledger = store.Ledger(core.mongo)
    late = pending.PendingEvidence(core.mongo, ledger)
    reconciliation = Reconciliation(core.mongo, settings.reconcile_every_seconds, core.owner)
    figure_store, target_store = FigureStore(core.mongo), TargetStore(core.mongo)
    figures = FigureUseCases(figure_store, smallest_cell)
    progress = ProgressUseCases(figure_store, target_store.all, smallest_cell)
    targets = TargetUseCases(core.group_commit, target_store, figure_store, smallest_cell)
    assessments = AssessmentUseCases(core.group_commit)
    effect = Projection(core.mongo, list(TYPES.values()), ledger.project, store.prepare, late.noticed)
    every_topic = [topic for topics in TOPICS.values() for topic in topics]
    return Service(
        core=core,
        about="The programme's figures, each explained by events; what would disclose somebody is suppressed.",
        topics=TOPICS[NAME],
        routers=[
            progress_api.routes(),
            figures_api.routes(),
            targets_api.routes(),
            ledger_api.routes(),
            assessments_api.routes(),
        ],
        ensure_indexes=ensure_indexes,
        tags={
            "figures": "Progress, series, breakdowns, the funnel, targets, reconciliation",
            "assessments": "Monthly reports of businesses, and their verification",
        },
        provides=[reconciliation, figures, progress, targets, assessments],
        consumers=[Consumer(core.mongo, settings, "metrics-ledger", every_topic, effect)],
        workers={
            "pending-evidence": late.work,
            "follow-figures": partial(follow_figures, targets),
            "reconciliation": reconciliation.work,
            "telemetry": partial(count_trained, figure_store),
        },
    )
