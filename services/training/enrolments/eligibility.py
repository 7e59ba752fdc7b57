"""R11: may this person enrol in this training? A refusal names every failing rule, not only the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, get_args

from chassis.errors import FieldError
from services.training.actor import Actor
from services.training.changes import TypedChanges
from services.training.documents import Enrolment, EnrolmentStatus, Person, Schedule, StoredSession, Training, enrolment_id
from services.training.enrolments.refusals import REFUSALS
from services.training.trainings.rules import OVER

SEATLESS: Final[frozenset[EnrolmentStatus]] = frozenset({"waitlisted", "offered"})
_AGAIN: Final[frozenset[EnrolmentStatus]] = frozenset({"cancelled", "expired"})  # the person may enrol again
_AudienceField = Literal["kota", "kecamatan", "category", "commodity"]
_AUDIENCE: Final[tuple[_AudienceField, ...]] = get_args(_AudienceField)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who is to be enrolled, and what the rules ask about them."""

    field: str  # of the request, which names the person
    jakpreneur_id: str
    person: Person | None  # from the local view
    enrolment: Enrolment | None  # an earlier one in the same training
    others: tuple[Training, ...]  # their other trainings that are neither over nor cancelled
    without_seat: frozenset[str]  # ids of those of `others` that run while the person has no seat in them


def candidates(changes: TypedChanges, training_id: str, people: Mapping[str, str], now: datetime) -> list[Candidate]:
    """Everything that the rules ask about these people (field of the request -> jakpreneur_id).

    Takes five loads, however many people there are.
    """
    ids = list(people.values())
    persons = changes.people(ids)
    enrolments = changes.enrolments([enrolment_id(training_id, person) for person in ids])
    schedules = changes.schedules(ids)
    wanted = sorted({other for schedule in schedules if schedule for other in schedule["trainings"]} - {training_id})
    trainings = dict(zip(wanted, changes.trainings(wanted), strict=True))
    ahead = [_ahead(schedule, trainings, now) for schedule in schedules]
    without_seat = _without_seat(changes, zip(ids, ahead, strict=True))
    return [
        Candidate(field, jakpreneur_id, person, enrolment, others, frozenset(without_seat[jakpreneur_id]))
        for (field, jakpreneur_id), person, enrolment, others in zip(people.items(), persons, enrolments, ahead, strict=True)
    ]


def _ahead(schedule: Schedule | None, trainings: Mapping[str, Training | None], now: datetime) -> tuple[Training, ...]:
    """The trainings on a schedule that are neither over nor cancelled."""
    found = [trainings.get(other) for other in schedule["trainings"]] if schedule else []
    return tuple(other for other in found if other and other["status"] not in OVER and other["ends_at"] > now)


def _without_seat(changes: TypedChanges, ahead: Iterable[tuple[str, tuple[Training, ...]]]) -> Mapping[str, set[str]]:
    """Person -> trainings that run while the person still waits or has an offer.

    They will never sit there: a running training makes no offers and takes no acceptance, and does not become open again.
    """
    running = {
        enrolment_id(other["_id"], person): (person, other["_id"])
        for person, others in ahead
        for other in others
        if other["status"] == "running"
    }
    found: dict[str, set[str]] = defaultdict(set)
    for (person, training), enrolment in zip(running.values(), changes.enrolments(list(running)), strict=True):
        if enrolment is not None and enrolment["status"] in SEATLESS:
            found[person].add(training)
    return found


def training_problems(training: Training, now: datetime, waiting_limit: int) -> list[FieldError]:
    """Failing rules of the training itself: they refuse everybody."""
    errors = []
    if training["status"] != "published":
        errors.append(REFUSALS.failing("training_id", "R11.not_published", status=training["status"]))
    if now >= training["registration_deadline"]:
        errors.append(REFUSALS.failing("training_id", "R11.deadline_passed"))
    if training["waiting"] >= waiting_limit and training["confirmed"] + training["offered"] >= training["quota"]:
        errors.append(REFUSALS.failing("training_id", "R11.waiting_list_full"))
    return errors


def problems(training: Training, candidate: Candidate, actor: Actor) -> list[FieldError]:
    """Failing rules of one person: their earlier enrolment, their verification, the audience, their other trainings."""
    field, person, enrolment = candidate.field, candidate.person, candidate.enrolment
    errors = []
    if enrolment is not None and enrolment["status"] not in _AGAIN:
        errors.append(REFUSALS.failing(field, "R11.already_enrolled", status=enrolment["status"]))
    if person is None or person.get("status") != "verified":
        errors.append(REFUSALS.failing(field, "R11.not_verified"))
    for name in _AUDIENCE:
        wanted = training["audience"].get(name)
        if wanted and person is not None and person.get(name) not in wanted:
            errors.append(REFUSALS.failing(field, f"R11.audience.{name}", wanted=", ".join(wanted)))
    return errors + _overlaps(training, candidate, actor)


def _overlaps(training: Training, candidate: Candidate, actor: Actor) -> list[FieldError]:
    """The person's other trainings at the same time.

    Such a training is named only to its owner and to the person. All others together are one refusal without a name, so that a
    partner learns neither where else a person is enrolled nor how often.
    """
    own = actor.jakpreneur_id == candidate.jakpreneur_id
    attended = [other for other in candidate.others if other["_id"] not in candidate.without_seat]
    clashing = [other for other in attended if overlapping(training["sessions"], other["sessions"])]
    named = [f" ({other['title']})" for other in clashing if own or actor.owns(other)]
    elsewhere = [""] if len(named) < len(clashing) else []
    return [REFUSALS.failing(candidate.field, "R11.overlap", which=which) for which in named + elsewhere]


def overlapping(ours: Iterable[StoredSession], theirs: Iterable[StoredSession]) -> bool:
    """Whether any two sessions overlap; a session that begins when another ends does not."""
    known = list(theirs)
    return any(a["starts_at"] < b["ends_at"] and b["starts_at"] < a["ends_at"] for a in ours for b in known)
