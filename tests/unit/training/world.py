"""A small world without servers: training's documents in memory, the usual actors and things."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from chassis.documents import Document
from contracts.envelope import Payload
from services.training.actor import SYSTEM, Actor
from services.training.documents import (
    ENROLMENTS,
    JAKPRENEURS,
    PARTNERS,
    SCHEDULES,
    TRAININGS,
    WAITING,
    Training,
    TrainingStatus,
    enrolment_id,
    waiting_page_id,
)
from services.training.enrolments.rules import EnrolPeople, RespondToEnrolment
from services.training.policy import Rules
from services.training.trainings.rules import CreateTraining, Session
from services.training.trainings.transitions import MoveTraining
from tests.harness.desk import Desk

START = datetime(2021, 3, 1, 2, 0, tzinfo=UTC)  # 09:00 in Jakarta
OFFICER = Actor(id="user:officer", staff=True)
PARTNER = Actor(id="partner:par_a", partner_id="par_a", scopes=frozenset({"trainings:write"}))
STRANGER = Actor(id="partner:par_b", partner_id="par_b")
TRAINING = "trn_a"


class World(Desk):
    """A desk at START with two partners."""

    def __init__(self, rules: Rules | None = None) -> None:
        super().__init__(START)
        self.rules = rules or Rules()
        for partner, approval in (("par_a", False), ("par_b", True)):
            self.give(
                PARTNERS, _id=partner, kind="university", status="active", approval_required=approval, kids=[], name=partner
            )

    def events(self, subject: str | None = None) -> list[type[Payload]]:
        """Classes of the events of one subject, or of all, in order."""
        return [type(event.data) for event in self.staging.events if subject in (None, event.subject)]

    def sequences(self) -> dict[str, list[int]]:
        """Sequences of each subject, in order."""
        found: dict[str, list[int]] = defaultdict(list)
        for event in self.staging.events:
            found[event.subject].append(event.sequence)
        return found

    # The usual actors and things

    def person(self, name: str, **attributes: Any) -> str:
        """A verified person, unless said otherwise; returns the id."""
        identity = f"jkp_{name}"
        profile = {"status": "verified", "kota": "31.71", "kecamatan": "31.71.01", "category": "pemula", "commodity": "kuliner"}
        self.give(JAKPRENEURS, _id=identity, **{**profile, **attributes})
        return identity

    def draft(self, training_id: str = TRAINING, *, actor: Actor = PARTNER, **changes: Any) -> str:
        """A training in ten days, one session of eight hours; deadline two days before."""
        day = START + timedelta(days=10)
        fields: dict[str, Any] = {
            "title": "Pemasaran digital",
            "description": "",
            "stage": "P2",
            "dinas": None,
            "sessions": (Session(day, day + timedelta(hours=8), "Balai Contoh"),),
            "quota": 2,
            "registration_deadline": day - timedelta(days=2),
            "audience": {},
        }
        self.run(CreateTraining(training_id=training_id, actor=actor, **{**fields, **changes}))
        return training_id

    def published(self, training_id: str = TRAINING, **changes: Any) -> str:
        """A training that is open."""
        self.draft(training_id, **changes)
        self.move("submitted", training_id)
        self.move("published", training_id)
        return training_id

    def move(
        self, to: TrainingStatus, training_id: str = TRAINING, actor: Actor = PARTNER, reason: str | None = None
    ) -> Document:
        """Take a training a step further."""
        return self.run(MoveTraining(training_id, to, actor, self.rules, reason))

    def enrol(self, *people: str, training_id: str = TRAINING, actor: Actor = SYSTEM) -> list[Document]:
        """Enrol one or several."""
        fields = {f"jakpreneur_ids.{number}": person for number, person in enumerate(people)}
        replies: list[Document] = self.run(EnrolPeople(training_id, fields, actor, self.rules))["enrolments"]
        return replies

    def respond(self, word: Any, person: str, training_id: str = TRAINING, actor: Actor = SYSTEM) -> Document:
        """Cancel, accept or decline."""
        return self.run(RespondToEnrolment(enrolment_id(training_id, person), word, actor, self.rules))

    def training(self, training_id: str = TRAINING) -> Training:
        """The training as it is now."""
        found: Training | None = self.get(TRAININGS, training_id)
        assert found is not None
        return found

    def status(self, person: str, training_id: str = TRAINING) -> str | None:
        """The status of a person's enrolment."""
        found = self.get(ENROLMENTS, enrolment_id(training_id, person))
        return found["status"] if found else None

    def statuses(self, people: Iterable[str], training_id: str = TRAINING) -> list[str | None]:
        """Statuses of several people's enrolments."""
        return [self.status(person, training_id) for person in people]

    def line(self, training_id: str = TRAINING) -> list[str]:
        """Enrolments on the waiting list, in order."""
        training = self.training(training_id)
        numbers = range(training["queue_first"], training["queue_last"] + 1)
        pages = [self.get(WAITING, waiting_page_id(training_id, number)) for number in numbers]
        return [identity for page in pages if page for identity in page["enrolments"]]

    def schedule(self, person: str) -> list[str]:
        """Trainings on a person's schedule."""
        found = self.get(SCHEDULES, person)
        return found["trainings"] if found else []


def citizen(person: str) -> Actor:
    """Somebody with their own token."""
    return Actor(id=f"user:{person}", jakpreneur_id=person)


def full_class(quota: int = 1, waiting: int = 1) -> tuple[World, list[str]]:
    """A published class, its seats taken and people waiting; all in order."""
    world = World()
    world.published(quota=quota)
    people = [world.person(f"p{number}") for number in range(quota + waiting)]
    for person in people:
        world.enrol(person)
    return world, people


def codes(refusal: Any) -> list[str]:
    """Codes of all failing rules."""
    return [error.code for error in refusal.errors]
