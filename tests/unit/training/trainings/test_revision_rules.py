"""R10: changing a training: its texts, its timetable, its quota."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chassis.errors import Conflict, Invalid, NotFound, RuleBroken, Stale
from contracts import training as events
from services.training.actor import Actor
from services.training.documents import TRAININGS
from services.training.trainings.revision import ReviseTraining
from services.training.trainings.rules import Session
from tests.unit.training.world import OFFICER, PARTNER, START, STRANGER, TRAINING, World, codes

NEEDS_APPROVAL = Actor(id="partner:par_b", partner_id="par_b")
DAY = START + timedelta(days=10)


def hours(first: float, last: float) -> Session:
    """A session on the day, from and to an hour."""
    return Session(DAY + timedelta(hours=first), DAY + timedelta(hours=last), "Balai Contoh")


def revise(world: World, actor: Actor = PARTNER, **changes: Any) -> Any:
    """PATCH."""
    return world.run(ReviseTraining(TRAINING, actor, world.rules, **changes))


def test_another_partner_changes_nothing() -> None:
    """404, as if there were no such training."""
    world = World()
    world.published()
    with pytest.raises(NotFound):
        revise(world, STRANGER, title="Mine now")


def test_a_stale_change_is_refused_but_enrolments_do_not_make_it_stale() -> None:
    """The owner edits while people enrol: only another edit gets in the way."""
    world = World()
    world.published()
    revision = world.training()["revision"]
    world.enrol(world.person("siti"))
    reply = revise(world, if_match=frozenset({revision}), title="Pemasaran digital II")
    assert reply["revision"] == revision + 1
    with pytest.raises(Stale):
        revise(world, if_match=frozenset({revision}), title="Pemasaran digital III")


def test_quota_never_falls_below_the_seats_that_are_taken() -> None:
    """Two are confirmed: two is the least, one is a conflict."""
    world = World()
    world.published(quota=3)
    world.enrol(world.person("siti"), world.person("budi"))
    with pytest.raises(Conflict) as refusal:
        revise(world, quota=1)
    assert codes(refusal.value) == ["R10.quota_below_taken"]
    revise(world, quota=2)
    assert world.last_event(TRAINING).quota == 2


def test_a_raised_quota_does_not_bypass_approval() -> None:
    """Regression: two seats were approved. The partner can't make them 200; an officer can, and then the line moves."""
    world = World()
    world.draft(actor=NEEDS_APPROVAL, quota=1)
    world.move("submitted", actor=NEEDS_APPROVAL)
    world.move("approved", actor=OFFICER)
    world.move("published", actor=NEEDS_APPROVAL)
    siti, budi = world.person("siti"), world.person("budi")
    world.enrol(siti, budi)
    with pytest.raises(RuleBroken) as refusal:
        revise(world, NEEDS_APPROVAL, quota=200)
    assert codes(refusal.value) == ["R10.quota_needs_approval"]
    assert world.statuses([siti, budi]) == ["confirmed", "waitlisted"]
    revise(world, OFFICER, quota=2)
    assert world.statuses([siti, budi]) == ["confirmed", "offered"]


def test_a_raised_quota_of_an_unpublished_training_opens_nothing() -> None:
    """Regression: before it is published nobody gets in, however many seats there are."""
    world = World()
    world.draft(actor=NEEDS_APPROVAL)
    world.move("submitted", actor=NEEDS_APPROVAL)
    revise(world, NEEDS_APPROVAL, quota=500)
    with pytest.raises(Conflict) as refusal:
        world.enrol(world.person("siti"))
    assert codes(refusal.value) == ["R11.not_published"]


def test_moving_the_sessions_is_told_once_and_keeps_the_rest() -> None:
    """A published class moves by a day; changed texts alone tell the world nothing."""
    world = World()
    world.published()
    revise(world, title="Pemasaran digital lanjutan")
    assert world.events(TRAINING)[-1] is events.TrainingPublished
    revise(world, sessions=(hours(24, 30),), registration_deadline=DAY)
    assert world.events(TRAINING)[-1] is events.TrainingRescheduled
    assert world.last_event(TRAINING).starts_at == DAY + timedelta(hours=24)


def test_a_draft_is_changed_in_silence() -> None:
    """Its first event is that it was submitted."""
    world = World()
    world.draft()
    revise(world, quota=50, sessions=(hours(1, 2),), registration_deadline=DAY)
    assert world.events(TRAINING) == []


def test_what_has_begun_or_ended_is_not_moved() -> None:
    """Sessions stand still from the first one on; nothing changes after the end."""
    world = World()
    world.published()
    world.now = DAY
    with pytest.raises(Conflict) as refusal:
        revise(world, sessions=(hours(24, 30),), registration_deadline=DAY)
    assert codes(refusal.value) == ["R10.started"]
    world.move("cancelled")
    with pytest.raises(Conflict) as refusal:
        revise(world, title="Too late")
    assert codes(refusal.value) == ["R10.over"]


@pytest.mark.parametrize("status", ["draft", "submitted", "approved"])
def test_a_plan_whose_day_has_passed_gets_another_day(status: str) -> None:
    """Approval took its time. The campus moves the class ahead, not to another day that has passed, and its own id finds it."""
    world = World()
    world.draft(external_id="KLS-14")
    world.give(TRAININGS, **{**world.training(), "status": status})
    world.now = DAY + timedelta(hours=1)
    for gone in ((hours(-2, 0),), (hours(1, 2),)):
        with pytest.raises(Invalid) as refusal:
            revise(world, sessions=gone, registration_deadline=DAY - timedelta(days=1))
        assert codes(refusal.value) == ["R10.session_past"]
    revise(world, sessions=(hours(24, 30),), registration_deadline=DAY + timedelta(hours=20))
    assert world.training()["starts_at"] == DAY + timedelta(hours=24)
    world.draft("trn_again", external_id="KLS-14")
    assert world.get(TRAININGS, "trn_again") is None


@pytest.mark.parametrize("status", ["published", "closed", "running"])
def test_what_people_came_to_is_not_moved(status: str) -> None:
    """Announced classes have begun at their hour, whatever the owner says; a running one has, whatever the hour."""
    world = World()
    world.published()
    world.give(TRAININGS, **{**world.training(), "status": status})
    world.now = START if status == "running" else DAY
    with pytest.raises(Conflict) as refusal:
        revise(world, sessions=(hours(24, 30),), registration_deadline=DAY)
    assert codes(refusal.value) == ["R10.started"]


def test_an_announced_class_is_not_moved_into_the_past() -> None:
    """Else it could be run on the spot."""
    world = World()
    world.published()
    with pytest.raises(Invalid) as refusal:
        revise(world, sessions=(hours(-300, -299),), registration_deadline=START - timedelta(days=5))
    assert codes(refusal.value) == ["R10.session_past"]
