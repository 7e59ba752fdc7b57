"""Composition root of training: a table of contents."""

from __future__ import annotations

import base64
from functools import partial

from chassis.database.mongo import Mongo
from chassis.privacy import vault as privacy
from chassis.process.lifecycle import Core, Service
from contracts.catalogue import TOPICS
from services.training.attendance import api as attendance_api
from services.training.attendance.use_cases import AttendanceUseCases
from services.training.completion import store as completion_store
from services.training.completion import worker as completion_worker
from services.training.completion.use_cases import CompletionUseCases
from services.training.enrolments import api as enrolments_api
from services.training.enrolments import store as enrolments_store
from services.training.enrolments import worker as enrolments_worker
from services.training.enrolments.use_cases import EnrolmentUseCases
from services.training.partners import api as partners_api
from services.training.partners.api_keys import PartnerKeys
from services.training.partners.store import PartnerStore
from services.training.partners.use_cases import PartnerSecrets, PartnerUseCases
from services.training.people import consumer as people_consumer
from services.training.seats import worker as seats_worker
from services.training.seats.store import SeatStore
from services.training.settings import TrainingSettings
from services.training.trainings import api as trainings_api
from services.training.trainings import store as trainings_store
from services.training.trainings.use_cases import TrainingUseCases

NAME = "training"


def build(settings: TrainingSettings) -> Service:
    """Wire the service; opens no connection yet."""
    core = Core(NAME, settings)
    mongo, group_commit, rules = core.mongo, core.group_commit, settings.rules()
    partner_store, seat_store = PartnerStore(mongo), SeatStore(mongo)
    training_store = trainings_store.TrainingStore(mongo)
    enrolment_store = enrolments_store.EnrolmentStore(mongo)
    pepper = base64.b64decode(settings.api_key_pepper.get_secret_value())
    secrets = PartnerSecrets(privacy.vault(settings, indexed=False), pepper, settings.env)
    completion = CompletionUseCases(group_commit, completion_store.CompletionStore(mongo), rules, settings.settle_at_once)
    enrolments = EnrolmentUseCases(
        group_commit, enrolment_store, training_store, seat_store, rules, settings.offers_swept_at_once
    )
    return Service(
        core=core,
        about="Partner institutions announce trainings here; people enrol, attend and complete them.",
        topics=TOPICS[NAME],
        routers=[partners_api.routes(), trainings_api.routes(), enrolments_api.routes(), attendance_api.routes()],
        tags={
            "partners": "Institutions that apply and are admitted",
            "keys": "API keys of partners",
            "trainings": "Trainings, from draft to report",
            "enrolments": "Seats, waiting lists and offers",
            "attendance": "Who was there",
        },
        provides=[
            PartnerUseCases(group_commit, partner_store, rules, secrets),
            TrainingUseCases(group_commit, training_store, rules, completion.begin_settling),
            enrolments,
            AttendanceUseCases(group_commit, rules),
        ],
        ensure_indexes=ensure_indexes,
        consumers=people_consumer.consumers(mongo, settings),
        workers={
            "offers": partial(enrolments_worker.expire_offers, enrolments),
            "endings": partial(completion_worker.settle_endings, completion),
            "telemetry": partial(seats_worker.keep_gauges, seat_store),
        },
        api_keys=PartnerKeys(partner_store, pepper, settings.api_key_cache_seconds),
    )


async def ensure_indexes(mongo: Mongo) -> None:
    """All indexes of the service."""
    for feature in (trainings_store, enrolments_store, completion_store):
        await feature.ensure_indexes(mongo)
