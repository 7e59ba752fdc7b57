"""R11: the waiting list and its offers, case by case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.errors import Conflict
from contracts import training as events
from services.training.documents import ENROLMENTS, enrolment_id
from services.training.enrolments.rules import ExpireOffer
from services.training.policy import Rules
from services.training.trainings.revision import ReviseTraining
from services.training.trainings.rules import Session
from tests.unit.training.world import PARTNER, START, TRAINING, World, citizen, codes, full_class

DAY = START + timedelta(days=10)
DEADLINE = DAY - timedelta(days=2)
CUT_OFF = DAY - timedelta(days=1)


def expire(world: World, person: str) -> bool:
    """What the worker does with an offer that it found."""
    return bool(world.run(ExpireOffer(enrolment_id(TRAINING, person), world.rules))["expired"])


def test_siti_waits_budi_cancels_siti_is_offered_the_seat() -> None:
    """And accepts it. Each step is told in order."""
    world, (budi, siti) = full_class()
    world.respond("cancel", budi, actor=citizen(budi))
    assert world.statuses([budi, siti]) == ["cancelled", "offered"]
    world.respond("accept", siti, actor=citizen(siti))
    assert world.events(enrolment_id(TRAINING, siti)) == [
        events.EnrolmentWaitlisted,
        events.EnrolmentOffered,
        events.EnrolmentConfirmed,
    ]


def test_a_declined_offer_goes_to_the_next() -> None:
    """Siti declines, Ani is offered the seat; Siti may enrol again and then stands last."""
    world, (budi, siti, ani) = full_class(waiting=2)
    world.respond("cancel", budi)
    world.respond("decline", siti)
    assert world.statuses([siti, ani]) == ["cancelled", "offered"]
    assert world.enrol(siti)[0]["status"] == "waitlisted"


def test_an_offer_lapses_after_48_hours_and_not_before() -> None:
    """One minute before it holds, at the hour it is over: the seat goes to the next, and accepting is too late."""
    world, (budi, siti, ani) = full_class(waiting=2)
    world.respond("cancel", budi)
    world.now = START + timedelta(hours=48) - timedelta(minutes=1)
    assert not expire(world, siti)
    world.now = START + timedelta(hours=48)
    with pytest.raises(Conflict) as refusal:
        world.respond("accept", siti)
    assert codes(refusal.value) == ["R11.offer_expired"]
    assert expire(world, siti)
    assert world.statuses([siti, ani]) == ["expired", "offered"]


def test_an_offer_lapses_at_the_cut_off_if_that_is_sooner() -> None:
    """Twenty hours before the cut-off a seat is offered for twenty hours."""
    world = World(Rules(offers_after_close=True))
    world.published(quota=1)
    budi, siti = world.person("budi"), world.person("siti")
    world.enrol(budi, siti)
    world.now = CUT_OFF - timedelta(hours=20)
    world.respond("cancel", budi)
    assert world.last_event(enrolment_id(TRAINING, siti)).offer_expires_at == CUT_OFF


def test_an_answered_offer_does_not_lapse() -> None:
    """The worker found it due just as Siti accepted it."""
    world, (budi, siti) = full_class()
    world.respond("cancel", budi)
    world.respond("accept", siti)
    world.now += timedelta(hours=60)
    assert not expire(world, siti)
    assert world.status(siti) == "confirmed"


def test_an_offer_does_not_outlive_the_cut_off_of_a_class_that_was_moved_forward() -> None:
    """Promised for 48 hours; then the class moved to the day after tomorrow. The new cut-off counts."""
    world, (budi, siti) = full_class()
    world.respond("cancel", budi)
    soon = START + timedelta(hours=30)
    session = Session(soon, soon + timedelta(hours=2), "Balai Contoh")
    world.run(
        ReviseTraining(TRAINING, PARTNER, world.rules, sessions=(session,), registration_deadline=soon - timedelta(hours=1))
    )
    world.now = START + timedelta(hours=6)
    with pytest.raises(Conflict):
        world.respond("accept", siti)
    assert expire(world, siti)


def test_no_offer_after_the_start() -> None:
    """Regression: a seat given up when the class has begun is offered to nobody."""
    world, (budi, siti) = full_class()
    world.now = DAY + timedelta(minutes=5)
    world.respond("cancel", budi)
    assert world.statuses([budi, siti]) == ["cancelled", "waitlisted"]


def test_no_offer_from_the_cut_off_on() -> None:
    """Twenty-four hours before the start, to the minute, even where offers go on after registration closed."""
    world = World(Rules(offers_after_close=True))
    world.published(quota=2)
    people = [world.person(name) for name in ("a", "b", "c", "d")]
    world.enrol(*people)
    world.now = CUT_OFF - timedelta(minutes=1)
    world.respond("cancel", people[0])
    world.now = CUT_OFF
    world.respond("cancel", people[1])
    assert world.statuses(people[2:]) == ["offered", "waitlisted"]


@pytest.mark.parametrize("how", ["deadline", "closed"])
def test_no_offer_after_registration_closed(how: str) -> None:
    """Regression: an offer that comes when nobody can register any more is an insult."""
    world, (budi, siti) = full_class()
    if how == "deadline":
        world.now = DEADLINE
    else:
        world.move("closed")
    world.respond("cancel", budi)
    assert world.status(siti) == "waitlisted"


def test_an_offer_made_in_time_can_be_accepted_after_registration_closed() -> None:
    """Regression: what was promised for 48 hours is kept."""
    world, (budi, siti) = full_class()
    world.now = DEADLINE - timedelta(hours=1)
    world.respond("cancel", budi)
    world.move("closed")
    world.now = DEADLINE + timedelta(hours=1)
    assert world.respond("accept", siti)["status"] == "confirmed"


def test_a_cancelled_seat_does_not_stay_taken() -> None:
    """Regression: nobody waits, the seat is free at once, the next who comes gets it."""
    world, (budi,) = full_class(waiting=0)
    world.respond("cancel", budi)
    assert world.enrol(world.person("siti"))[0]["status"] == "confirmed"


def test_a_seat_is_freed_once() -> None:
    """Regression: cancelling twice doesn't create seats."""
    world, (budi, siti) = full_class(waiting=1)
    world.respond("cancel", budi)
    for word in ("cancel", "decline", "accept"):
        with pytest.raises(Conflict) as refusal:
            world.respond(word, budi)
        assert codes(refusal.value) == ["R11.state"]
    assert (world.training()["confirmed"], world.training()["offered"]) == (0, 1)
    assert world.status(siti) == "offered"


def test_nobody_waits_while_seats_are_free() -> None:
    """Regression: the quota is raised by two; the first two in line are offered seats, the third still waits."""
    world, people = full_class(quota=1, waiting=3)
    world.run(ReviseTraining(TRAINING, PARTNER, world.rules, quota=3))
    assert world.statuses(people) == ["confirmed", "offered", "offered", "waitlisted"]


def test_a_later_deadline_lets_the_line_move_again() -> None:
    """A seat became free after the deadline; the owner postpones the class and the deadline."""
    world, (budi, siti) = full_class()
    world.now = DEADLINE
    world.respond("cancel", budi)
    later = DAY + timedelta(days=7)
    session = Session(later, later + timedelta(hours=8), "Balai Contoh")
    world.run(
        ReviseTraining(TRAINING, PARTNER, world.rules, sessions=(session,), registration_deadline=later - timedelta(days=2))
    )
    assert world.status(siti) == "offered"


def test_a_newcomer_never_passes_the_line() -> None:
    """A seat became free after the cut-off, so it was offered to nobody; a newcomer doesn't get it either."""
    world = World()
    world.published(quota=1, registration_deadline=DAY - timedelta(minutes=1))
    budi, siti, ani = (world.person(name) for name in ("budi", "siti", "ani"))
    world.enrol(budi, siti)
    world.now = CUT_OFF + timedelta(hours=1)
    world.respond("cancel", budi)
    assert world.enrol(ani)[0] == {
        "enrolment_id": enrolment_id(TRAINING, ani),
        "jakpreneur_id": ani,
        "status": "waitlisted",
        "position": 2,
    }


def test_the_waiting_list_has_an_end() -> None:
    """A setting bounds it, so that nobody can fill the database with waiting people."""
    world = World(Rules(waiting_limit=1))
    world.published(quota=1)
    world.enrol(world.person("a"), world.person("b"))
    with pytest.raises(Conflict) as refusal:
        world.enrol(world.person("c"))
    assert codes(refusal.value) == ["R11.waiting_list_full"]


def test_a_long_line_moves_through_its_pages() -> None:
    """450 people wait; the quota is raised by 420: the first 420 are offered seats, in order, in one decision."""
    world = World()
    world.published(quota=1)
    people = [world.person(f"n{number:03d}") for number in range(451)]
    world.enrol(*people)
    world.run(ReviseTraining(TRAINING, PARTNER, world.rules, quota=421))
    assert world.statuses(people) == ["confirmed"] + ["offered"] * 420 + ["waitlisted"] * 30
    assert world.line() == [enrolment_id(TRAINING, person) for person in people[421:]]
    assert (world.training()["queue_first"], world.training()["queue_last"]) == (3, 3)
    assert all(world.get(ENROLMENTS, enrolment_id(TRAINING, person))["page"] is None for person in people[:421])
