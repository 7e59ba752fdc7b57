"""R11: may this person enrol in this training? All failing rules are named, not the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from chassis.documents import Document
from chassis.errors import FieldError
from chassis.writing.changes import Changes
from services.training.documents import ENROLMENTS, JAKPRENEURS, SCHEDULES, TRAININGS, enrolment_id
from services.training.policy import Actor
from services.training.refusals import failing
from services.training.trainings.rules import OVER

LIVE: Final = frozenset({"waitlisted", "offered", "confirmed", "attended"})
SEATLESS: Final = frozenset({"waitlisted", "offered"})
AGAIN: Final = frozenset({"cancelled", "expired"})  # may enrol again, on the same document
AUDIENCE: Final = ("kota", "kecamatan", "category", "commodity")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A person who asks, and what is known of them: the local view, their enrolment here, their other trainings, and in
    which of these they can't come to sit any more: it runs, and they still wait or have an offer."""

    field: str
    jakpreneur_id: str
    person: Mapping[str, Any] | None
    enrolment: Mapping[str, Any] | None
    others: tuple[Document, ...]
    left_out: frozenset[str]


def candidates(changes: Changes, training_id: str, people: Mapping[str, str], now: datetime) -> list[Candidate]:
    """Everything that the rules ask about these people (field -> jakpreneur_id), in five loads however many they are."""
    ids = list(people.values())
    views = changes.get_many(JAKPRENEURS, ids)
    enrolments = changes.get_many(ENROLMENTS, [enrolment_id(training_id, person) for person in ids])
    schedules = changes.get_many(SCHEDULES, ids)
    wanted = {other for schedule in schedules if schedule for other in schedule["trainings"]} - {training_id}
    trainings = dict(zip(sorted(wanted), changes.get_many(TRAININGS, sorted(wanted)), strict=True))
    ahead = [_ahead(schedule, trainings, now) for schedule in schedules]
    left_out = _left_out(changes, zip(ids, ahead, strict=True))
    return [
        Candidate(field, person, view, enrolment, others, frozenset(left_out[person]))
        for (field, person), view, enrolment, others in zip(people.items(), views, enrolments, ahead, strict=True)
    ]


def _ahead(schedule: Document | None, trainings: Mapping[str, Document | None], now: datetime) -> tuple[Document, ...]:
    """The person's other trainings that are neither over nor cancelled."""
    found = [trainings.get(other) for other in (schedule or {"trainings": []})["trainings"]]
    return tuple(other for other in found if other and other["status"] not in OVER and other["ends_at"] > now)


def _left_out(changes: Changes, ahead: Iterable[tuple[str, tuple[Document, ...]]]) -> Mapping[str, set[str]]:
    """Person -> trainings that run without them. Neither goes back: a training that runs makes no offer and takes no answer."""
    running = {
        enrolment_id(other["_id"], person): (person, other["_id"])
        for person, others in ahead
        for other in others
        if other["status"] == "running"
    }
    found: dict[str, set[str]] = defaultdict(set)
    for (person, training), enrolment in zip(running.values(), changes.get_many(ENROLMENTS, list(running)), strict=True):
        if enrolment is not None and enrolment["status"] in SEATLESS:
            found[person].add(training)
    return found


def training_problems(training: Mapping[str, Any], now: datetime, waiting_limit: int) -> list[FieldError]:
    """What keeps everybody out."""
    errors = []
    if training["status"] != "published":
        errors.append(failing("training_id", "R11.not_published", status=training["status"]))
    if now >= training["registration_deadline"]:
        errors.append(failing("training_id", "R11.deadline_passed"))
    if training["waiting"] >= waiting_limit and training["confirmed"] + training["offered"] >= training["quota"]:
        errors.append(failing("training_id", "R11.waiting_list_full"))
    return errors


def problems(training: Mapping[str, Any], candidate: Candidate, actor: Actor) -> list[FieldError]:
    """What keeps this person out: their enrolment, their verification, the audience rules, their other trainings."""
    field, person, enrolment = candidate.field, candidate.person, candidate.enrolment
    errors = []
    if enrolment is not None and enrolment["status"] not in AGAIN:
        errors.append(failing(field, "R11.already_enrolled", status=enrolment["status"]))
    if person is None or person.get("status") != "verified":
        errors.append(failing(field, "R11.not_verified"))
    for name in AUDIENCE:
        wanted = training["audience"].get(name)
        if wanted and person is not None and person.get(name) not in wanted:
            errors.append(failing(field, f"R11.audience.{name}", wanted=", ".join(wanted)))
    return errors + _overlaps(training, candidate, actor)


def _overlaps(training: Mapping[str, Any], candidate: Candidate, actor: Actor) -> list[FieldError]:
    """A training in the way is named to its owner and to the person. What somebody does elsewhere is not a partner's business,
    nor is how much of it: whatever isn't named is one refusal."""
    own = actor.jakpreneur_id == candidate.jakpreneur_id
    attended = [other for other in candidate.others if other["_id"] not in candidate.left_out]
    clashing = [other for other in attended if overlapping(training["sessions"], other["sessions"])]
    named = [f" ({other['title']})" for other in clashing if own or actor.owns(other)]
    elsewhere = [""] if len(named) < len(clashing) else []
    return [failing(candidate.field, "R11.overlap", which=which) for which in named + elsewhere]


def overlapping(ours: Iterable[Mapping[str, Any]], theirs: Iterable[Mapping[str, Any]]) -> bool:
    """Whether any two sessions share a moment; one that begins as another ends does not."""
    known = list(theirs)
    return any(a["starts_at"] < b["ends_at"] and b["starts_at"] < a["ends_at"] for a in ours for b in known)
