"""R11: enrolling, waiting, offers; and what users of event systems complain about, case by case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.errors import Conflict, Forbidden, NotFound, RuleBroken
from services.training.actor import Actor
from services.training.documents import SCHEDULES, enrolment_id
from services.training.trainings.revision import ReviseTraining
from services.training.trainings.rules import Session
from tests.unit.training.world import OFFICER, PARTNER, START, STRANGER, TRAINING, World, citizen, codes, full_class

DAY = START + timedelta(days=10)
DEADLINE = DAY - timedelta(days=2)
CUT_OFF = DAY - timedelta(days=1)


def test_first_come_first_served() -> None:
    """Two seats, four people: two are in, two wait as number one and two."""
    world = World()
    world.published(quota=2)
    replies = [world.enrol(world.person(name))[0] for name in ("siti", "budi", "ani", "joko")]
    assert [reply["status"] for reply in replies] == ["confirmed", "confirmed", "waitlisted", "waitlisted"]
    assert [reply.get("position") for reply in replies] == [None, None, 1, 2]


def test_forms_that_were_already_open_do_not_overbook() -> None:
    """Regression: three people had the form open when one seat was left. What counts is the moment of the decision."""
    world, _ = full_class(quota=1, waiting=0)
    late = [world.person(name) for name in ("x", "y", "z")]
    assert [world.enrol(person)[0]["status"] for person in late] == ["waitlisted"] * 3
    assert world.training()["confirmed"] == 1


def test_a_group_is_enrolled_wholly_or_not_at_all() -> None:
    """Regression: one of three isn't verified, so nobody is enrolled, and the refusal names whom and why."""
    world = World()
    world.published(quota=5)
    group = [world.person("a"), world.person("b", status="registered"), world.person("c")]
    with pytest.raises(RuleBroken) as refusal:
        world.enrol(*group, actor=PARTNER)
    assert [(error.field, error.code) for error in refusal.value.errors] == [("jakpreneur_ids.1", "R11.not_verified")]
    assert world.statuses(group) == [None, None, None]
    assert world.training()["confirmed"] == 0


def test_a_group_takes_the_seats_in_its_order_and_waits_for_the_rest() -> None:
    """Two seats for three people: all are enrolled, the last one waits."""
    world = World()
    world.published(quota=2)
    replies = world.enrol(*(world.person(name) for name in "abc"), actor=PARTNER)
    assert [reply["status"] for reply in replies] == ["confirmed", "confirmed", "waitlisted"]


def test_one_who_cancelled_comes_back_on_the_same_enrolment() -> None:
    """Its events go on in sequence: confirmed, cancelled, confirmed."""
    world = World()
    world.published()
    siti = world.person("siti")
    world.enrol(siti)
    world.respond("cancel", siti)
    world.enrol(siti)
    assert world.sequences()[enrolment_id(TRAINING, siti)] == [1, 2, 3]
    assert world.status(siti) == "confirmed"


def test_a_refusal_names_every_failing_rule_in_both_languages() -> None:
    """Siti isn't verified, is from elsewhere, trades in something else, and has another class at that time."""
    world = World()
    audience = {"kota": ["31.74"], "kecamatan": ["31.74.01"], "category": ["naik_kelas"], "commodity": ["kriya"]}
    world.published("trn_other")
    world.published(audience=audience)
    siti = world.person("siti")
    world.enrol(siti, training_id="trn_other")
    world.person("siti", status="rejected")
    with pytest.raises(RuleBroken) as refusal:
        world.enrol(siti)
    assert codes(refusal.value) == [
        "R11.not_verified",
        "R11.audience.kota",
        "R11.audience.kecamatan",
        "R11.audience.category",
        "R11.audience.commodity",
        "R11.overlap",
    ]
    assert all(error.message_id and error.message_en for error in refusal.value.errors)


def test_the_audience_that_is_named_may_enrol() -> None:
    """Any of the codes will do."""
    world = World()
    world.published(audience={"kota": ["31.74", "31.71"], "commodity": ["kuliner"]})
    assert world.enrol(world.person("siti"))[0]["status"] == "confirmed"


def test_an_unknown_person_is_like_one_who_is_not_verified() -> None:
    """The event may still be on its way: the text says so, and nothing is said about audiences."""
    world = World()
    world.published(audience={"kota": ["31.74"]})
    with pytest.raises(RuleBroken) as refusal:
        world.enrol("jkp_nobody")
    assert codes(refusal.value) == ["R11.not_verified"]
    assert "try again" in refusal.value.errors[0].message_en


def test_nobody_is_enrolled_twice() -> None:
    """409, whether they have a seat or wait."""
    world, people = full_class()
    for person in people:
        with pytest.raises(Conflict) as refusal:
            world.enrol(person)
        assert codes(refusal.value) == ["R11.already_enrolled"]


def test_a_closed_door_is_named() -> None:
    """Closed, and past the deadline: both are said."""
    world = World()
    world.published()
    world.move("closed")
    world.now = DEADLINE
    with pytest.raises(Conflict) as refusal:
        world.enrol(world.person("siti"))
    assert codes(refusal.value) == ["R11.not_published", "R11.deadline_passed"]


def test_sessions_of_one_person_do_not_overlap() -> None:
    """Also while waiting; classes that touch are fine; giving one up makes room for the other."""
    world = World()
    noon = DAY + timedelta(hours=3)
    for training_id, begin, end in (("trn_m", 0, 3), ("trn_n", 3, 6), ("trn_l", 2, 4)):
        session = Session(DAY + timedelta(hours=begin), DAY + timedelta(hours=end), "Balai Contoh")
        world.published(training_id, sessions=(session,))
    assert world.training("trn_n")["starts_at"] == noon
    siti = world.person("siti")
    world.enrol(siti, training_id="trn_m")
    world.enrol(siti, training_id="trn_n")
    with pytest.raises(RuleBroken) as refusal:
        world.enrol(siti, training_id="trn_l")
    assert codes(refusal.value) == ["R11.overlap", "R11.overlap"]
    world.respond("cancel", siti, "trn_m")
    world.respond("cancel", siti, "trn_n")
    assert world.enrol(siti, training_id="trn_l")[0]["status"] == "confirmed"


def test_a_moved_class_counts_where_it_is_now() -> None:
    """The schedule names trainings, not times: a class that moved away is no longer in the way."""
    world = World()
    world.published("trn_a")
    world.published("trn_b")
    siti = world.person("siti")
    world.enrol(siti, training_id="trn_a")
    moved = Session(DAY + timedelta(days=1), DAY + timedelta(days=1, hours=1), "Balai Contoh")
    world.run(ReviseTraining("trn_a", PARTNER, world.rules, sessions=(moved,), registration_deadline=DEADLINE))
    assert world.enrol(siti, training_id="trn_b")[0]["status"] == "confirmed"


def test_a_cancelled_class_is_not_in_the_way_and_leaves_the_schedule() -> None:
    """Long schedules of old classes don't pile up."""
    world = World()
    world.published("trn_a")
    world.published("trn_b")
    siti = world.person("siti")
    world.enrol(siti, training_id="trn_a")
    world.move("cancelled", "trn_a")
    world.enrol(siti, training_id="trn_b")
    assert world.get(SCHEDULES, siti)["trainings"] == ["trn_b"]


def test_a_citizen_enrols_only_themselves() -> None:
    """Nor does one whose token names no person."""
    world = World()
    world.published()
    siti, budi = world.person("siti"), world.person("budi")
    for actor in (citizen(budi), Actor(id="user:nobody")):
        with pytest.raises(Forbidden):
            world.enrol(siti, actor=actor)
    with pytest.raises(Forbidden):
        world.enrol(siti, budi, actor=citizen(siti))
    assert world.enrol(siti, actor=citizen(siti))[0]["status"] == "confirmed"


def test_an_enrolment_is_somebodys() -> None:
    """Another citizen and another partner find nothing; the partner of the training does."""
    world, (budi, siti) = full_class()
    for actor in (citizen(siti), STRANGER, Actor(id="user:nobody")):
        with pytest.raises(NotFound):
            world.respond("cancel", budi, actor=actor)
    assert world.respond("cancel", budi, actor=PARTNER)["status"] == "cancelled"


def test_a_partner_enrols_only_in_its_own_trainings() -> None:
    """404 for another's; and a draft doesn't exist for a citizen, while its owner hears that it isn't open."""
    world = World()
    world.published()
    siti = world.person("siti")
    with pytest.raises(NotFound):
        world.enrol(siti, actor=STRANGER)
    world.draft("trn_draft")
    with pytest.raises(NotFound):
        world.enrol(siti, training_id="trn_draft", actor=citizen(siti))
    with pytest.raises(Conflict):
        world.enrol(siti, training_id="trn_draft", actor=PARTNER)


def test_an_officer_enrols_where_they_can_cancel() -> None:
    """A class of Parekraf: its own officer and one of all dinas enrol and cancel there; to PPKUKM's it is unknown, both ways."""
    world = World()
    world.published(dinas="Parekraf")
    siti = world.person("siti")
    parekraf, ppkukm = (Actor(id=f"user:{dinas}", staff=True, dinas=dinas) for dinas in ("Parekraf", "PPKUKM"))
    for actor in (OFFICER, parekraf):
        assert world.enrol(siti, actor=actor)[0]["status"] == "confirmed"
        assert world.respond("cancel", siti, actor=actor)["status"] == "cancelled"
    with pytest.raises(NotFound):
        world.enrol(siti, actor=ppkukm)
    world.enrol(siti)
    with pytest.raises(NotFound):
        world.respond("cancel", siti, actor=ppkukm)


def test_an_officer_enrols_into_a_class_of_no_dinas() -> None:
    """It is every officer's."""
    world = World()
    world.published()
    assert world.enrol(world.person("siti"), actor=Actor(id="user:o", staff=True, dinas="PPKUKM"))[0]["status"] == "confirmed"


def test_an_officer_goes_to_a_class_like_anybody() -> None:
    """Ani works at PPKUKM and has a business: she enrols herself where she likes, and nobody else."""
    world = World()
    world.published(dinas="Parekraf")
    ani, siti = world.person("ani"), world.person("siti")
    herself = Actor(id="user:ani", staff=True, dinas="PPKUKM", jakpreneur_id=ani)
    with pytest.raises(NotFound):
        world.enrol(ani, siti, actor=herself)
    assert world.enrol(ani, actor=herself)[0]["status"] == "confirmed"
    assert world.respond("cancel", ani, actor=herself)["status"] == "cancelled"


def test_once_it_runs_nobody_leaves_by_cancelling() -> None:
    """Who doesn't come is a no-show."""
    world, (budi, _) = full_class()
    world.move("closed")
    world.move("running")
    with pytest.raises(Conflict) as refusal:
        world.respond("cancel", budi, actor=OFFICER)
    assert codes(refusal.value) == ["R11.training_state"]


@pytest.mark.parametrize("word", ["cancel", "decline"])
def test_once_it_runs_who_has_no_seat_may_leave_the_line(word: str) -> None:
    """Siti has an offer, Ani waits when the class begins: both may go, no seat is freed twice, nobody is offered anything."""
    world, (budi, siti, ani) = full_class(waiting=2)
    world.respond("cancel", budi)
    world.move("closed")
    world.move("running")
    with pytest.raises(Conflict) as refusal:
        world.respond("accept", siti)
    assert codes(refusal.value) == ["R11.training_state"]
    world.respond(word, siti, actor=citizen(siti))
    assert world.statuses([siti, ani]) == ["cancelled", "waitlisted"]
    world.respond("cancel", ani, actor=citizen(ani))
    assert [world.training()[name] for name in ("confirmed", "offered", "waiting")] == [0, 0, 0]
    assert [world.line(), world.schedule(siti), world.schedule(ani)] == [[], [], []]
