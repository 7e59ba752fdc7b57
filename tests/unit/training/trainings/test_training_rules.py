"""R10: announcing a training, and its states."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from typing import Any, get_args

import pytest

from chassis.errors import Conflict, Forbidden, Invalid, NotFound, RuleBroken
from contracts import training as events
from services.training.actor import Actor
from services.training.documents import PARTNERS, TRAININGS, TrainingStatus
from services.training.partners.rules import ChangePartnerStatus
from services.training.policy import Rules
from services.training.trainings.rules import CreateTraining, Session
from services.training.trainings.transitions import TRANSITIONS
from tests.unit.training.world import OFFICER, PARTNER, START, STRANGER, TRAINING, World, codes

STATES: tuple[TrainingStatus, ...] = get_args(TrainingStatus)
NEEDS_APPROVAL = Actor(id="partner:par_b", partner_id="par_b")
DAY = START + timedelta(days=10)


def hours(first: float, last: float) -> Session:
    """A session on the day, from and to an hour."""
    return Session(DAY + timedelta(hours=first), DAY + timedelta(hours=last), "Balai Contoh")


@pytest.mark.parametrize(
    ("sessions", "deadline", "quota", "expected"),
    [
        ((), 0, 1, ["R10.sessions_empty"]),
        ((hours(0, 0),), -1, 1, ["R10.session_length"]),
        ((hours(2, 1),), -1, 1, ["R10.session_length"]),
        ((hours(0, 2), hours(1, 3)), -1, 1, ["R10.sessions_order"]),
        ((hours(4, 5), hours(0, 1)), -1, 1, ["R10.sessions_order"]),
        ((hours(0, 2),), 0, 1, ["R10.deadline"]),
        ((hours(0, 2),), 1, 0, ["R10.deadline", "R10.quota"]),
    ],
)
def test_a_timetable_that_cannot_be_is_refused(
    sessions: tuple[Session, ...], deadline: int, quota: int, expected: list[str]
) -> None:
    """Every failing field is named, not the first."""
    world = World()
    with pytest.raises(Invalid) as refusal:
        world.draft(sessions=sessions, registration_deadline=DAY + timedelta(hours=deadline), quota=quota)
    assert codes(refusal.value) == expected


def test_sessions_may_touch() -> None:
    """One ends at noon, the next begins at noon."""
    world = World()
    world.draft(sessions=(hours(0, 3), hours(3, 6)))
    assert world.training()["ends_at"] == DAY + timedelta(hours=6)


def test_the_same_external_id_finds_the_first() -> None:
    """The campus's nightly job announces its class again; no second one appears. Another partner may use the same id."""
    world = World()
    world.draft(external_id="KLS-14")
    again = world.run(_create(world, "trn_second", PARTNER, "KLS-14"))
    other = world.run(_create(world, "trn_other", STRANGER, "KLS-14"))
    assert again == {"training_id": TRAINING, "status": "draft", "revision": 1, "created": False}
    assert other["created"]
    assert world.get(TRAININGS, "trn_second") is None


def test_a_dry_run_checks_and_stores_nothing() -> None:
    """A partner's developer tries a form before meaning it."""
    world = World()
    reply = world.run(_create(world, "trn_dry", PARTNER, "KLS-15", dry_run=True))
    assert reply == {"training_id": None, "status": "draft", "created": False}
    assert world.get(TRAININGS, "trn_dry") is None
    assert world.run(_create(world, "trn_real", PARTNER, "KLS-15"))["created"]


def _create(world: World, training_id: str, actor: Actor, external_id: str, **more: Any) -> CreateTraining:
    fields: dict[str, Any] = {"title": "Kelas", "description": "", "stage": "P2", "dinas": None, "quota": 1, "audience": {}}
    fields |= {"sessions": (hours(0, 1),), "registration_deadline": DAY - timedelta(days=1), "external_id": external_id}
    return CreateTraining(training_id=training_id, actor=actor, **{**fields, **more})


@pytest.mark.parametrize("status", ["applied", "verified", "suspended", "ended"])
def test_only_an_active_partner_announces(status: str) -> None:
    """R9: everyone else is told what they are."""
    world = World()
    world.give(PARTNERS, _id="par_a", kind="university", status=status, approval_required=False, kids=[])
    with pytest.raises(RuleBroken) as refusal:
        world.draft()
    assert codes(refusal.value) == ["R9.not_active"]


def test_suspension_stops_publishing_but_not_running_classes() -> None:
    """One class is under way, one is a draft, when the campus is suspended."""
    world = World()
    world.published("trn_running")
    world.draft("trn_next")
    world.run(ChangePartnerStatus("par_a", "suspended", "complaints", OFFICER))
    with pytest.raises(RuleBroken):
        world.move("submitted", "trn_next")
    for to in ("closed", "running", "completed"):
        assert world.move(to, "trn_running")["status"] == to


def test_publishing_meets_a_suspension_of_the_same_moment() -> None:
    """The partner's document is written with the step, so that of two replicas one has to look again."""
    world = World()
    world.draft()
    world.move("submitted")
    before = world.get(PARTNERS, "par_a")
    world.move("published")
    after = world.get(PARTNERS, "par_a")
    assert before is not None
    assert after == {**before, "version": before["version"] + 1}


@pytest.mark.parametrize(("was", "to"), sorted(set(product(STATES, STATES)) - TRANSITIONS.keys()))
def test_no_other_step_exists(was: TrainingStatus, to: TrainingStatus) -> None:
    """The table is all there is: no way back, none past an approval, none out of the end."""
    world = World()
    world.draft()
    world.give(TRAININGS, **{**world.training(), "status": was})
    with pytest.raises(Conflict) as refusal:
        world.move(to, actor=OFFICER)
    assert codes(refusal.value) == ["R10.transition"]


def test_the_whole_way_with_approval() -> None:
    """The partner hands in, an officer approves, the partner does the rest; each step is told once, in order."""
    world = World()
    world.draft(actor=NEEDS_APPROVAL)
    world.move("submitted", actor=NEEDS_APPROVAL)
    world.move("approved", actor=OFFICER)
    for to in ("published", "closed", "running", "completed", "reported"):
        world.move(to, actor=NEEDS_APPROVAL)
    assert world.events(TRAINING) == [
        events.TrainingSubmitted,
        events.TrainingApproved,
        events.TrainingPublished,
        events.TrainingClosed,
        events.TrainingStarted,
        events.TrainingCompleted,
        events.TrainingReported,
    ]


def test_a_partner_never_approves_its_own() -> None:
    """Neither by saying so nor by skipping it."""
    world = World()
    world.draft(actor=NEEDS_APPROVAL)
    world.move("submitted", actor=NEEDS_APPROVAL)
    with pytest.raises(Forbidden):
        world.move("approved", actor=NEEDS_APPROVAL)
    with pytest.raises(Conflict) as refusal:
        world.move("published", actor=NEEDS_APPROVAL)
    assert codes(refusal.value) == ["R10.approval_required"]


def test_where_no_approval_is_needed_it_is_told_all_the_same() -> None:
    """Readers of events see submitted, approved, published: the table of states holds for them too."""
    world = World()
    world.published()
    assert world.events(TRAINING) == [events.TrainingSubmitted, events.TrainingApproved, events.TrainingPublished]


def test_another_partner_finds_nothing() -> None:
    """404, whatever they try."""
    world = World()
    world.published()
    with pytest.raises(NotFound):
        world.move("closed", actor=STRANGER)


def test_an_officer_sees_to_their_own_dinas() -> None:
    """A training of Parekraf isn't managed by an officer of PPKUKM."""
    world = World()
    world.draft(dinas="Parekraf")
    with pytest.raises(NotFound):
        world.move("submitted", actor=Actor(id="user:o", staff=True, dinas="PPKUKM"))
    assert world.move("submitted", actor=Actor(id="user:o", staff=True, dinas="Parekraf"))["status"] == "submitted"


def test_where_the_clock_counts_a_class_does_not_run_early() -> None:
    """With the setting on, running and completed wait for the sessions."""
    world = World(Rules(follow_clock=True))
    world.published()
    world.move("closed")
    with pytest.raises(Conflict) as refusal:
        world.move("running")
    assert codes(refusal.value) == ["R10.too_early"]
    world.now = DAY
    world.move("running")
    with pytest.raises(Conflict):
        world.move("completed")
    world.now = DAY + timedelta(hours=8)
    assert world.move("completed")["status"] == "completed"
