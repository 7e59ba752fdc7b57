"""R11: nobody sits in two classes at once; and what a refusal tells of the other class, to whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.errors import FieldError, RuleBroken
from services.training.actor import Actor
from services.training.documents import TRAININGS
from services.training.trainings.rules import Session
from tests.unit.training.world import OFFICER, PARTNER, START, STRANGER, TRAINING, World, citizen

DAY = START + timedelta(days=10)
SITI = "jkp_siti"
NAMED = (
    "Jadwal bertumpuk dengan pelatihan lain yang diikuti (Kelas lain).",
    "Its sessions overlap another training of the same person (Kelas lain).",
)
UNNAMED = (
    "Jadwal bertumpuk dengan pelatihan lain yang diikuti.",
    "Its sessions overlap another training of the same person.",
)


def overlaps(world: World, actor: Actor) -> list[FieldError]:
    """What the refusal names when this actor enrols Siti."""
    with pytest.raises(RuleBroken) as refusal:
        world.enrol(SITI, actor=actor)
    return list(refusal.value.errors)


def siti_elsewhere(*others: str) -> World:
    """Siti has seats in another partner's classes of the dinas Sosial, at hours of this partner's class."""
    world = World()
    world.person("siti")
    for number, other in enumerate(others):
        begins = DAY + timedelta(hours=number)
        world.published(other, title="Kelas lain", sessions=(Session(begins, begins + timedelta(hours=1), "Balai Contoh"),))
        world.give(TRAININGS, **{**world.training(other), "partner_id": STRANGER.partner_id, "dinas": "Sosial"})
        world.enrol(SITI, training_id=other)
    world.published(dinas="Parekraf")
    return world


@pytest.mark.parametrize("actor", [PARTNER, Actor(id="user:o", staff=True, dinas="Parekraf")])
def test_a_refusal_does_not_tell_what_somebody_does_elsewhere(actor: Actor) -> None:
    """A campus, or an officer of another dinas, enrols Siti: that she is busy is all they hear, once, however busy she is."""
    told = overlaps(siti_elsewhere("trn_x", "trn_y"), actor)
    assert [(error.code, error.message_id, error.message_en) for error in told] == [("R11.overlap", *UNNAMED)]


@pytest.mark.parametrize("actor", [citizen(SITI), OFFICER, Actor(id="user:o", staff=True, dinas="Sosial")])
def test_the_class_in_the_way_is_named_to_whom_it_concerns(actor: Actor) -> None:
    """Siti herself, and officers who may see to the other class."""
    world = siti_elsewhere("trn_x")
    world.give(TRAININGS, **{**world.training(), "dinas": None})
    told = overlaps(world, actor)
    assert [(error.code, error.message_id, error.message_en) for error in told] == [("R11.overlap", *NAMED)]


def test_a_partner_hears_of_its_own_class_by_name() -> None:
    """Siti is in one class of the campus and in one elsewhere, both in the way."""
    world = siti_elsewhere("trn_x", "trn_own")
    world.give(TRAININGS, **{**world.training("trn_own"), "partner_id": PARTNER.partner_id})
    told = overlaps(world, PARTNER)
    assert [(error.message_id, error.message_en) for error in told] == [NAMED, UNNAMED]


def never_called_up() -> World:
    """A class of one seat has begun without Siti, who waited for it; another lies at the same hour."""
    world = World()
    world.published("trn_full", quota=1)
    world.enrol(*(world.person(name) for name in ("budi", "siti")), training_id="trn_full")
    world.move("closed", "trn_full")
    world.move("running", "trn_full")
    world.published()
    return world


def test_a_class_that_began_without_somebody_is_not_in_their_way() -> None:
    """Siti waited in vain. She enrols elsewhere at that hour; Budi, who has the seat, can't. Both schedules stay true."""
    world = never_called_up()
    assert world.enrol(SITI)[0]["status"] == "confirmed"
    assert world.schedule(SITI) == [TRAINING, "trn_full"]
    with pytest.raises(RuleBroken):
        world.enrol("jkp_budi")
    world.respond("cancel", SITI, "trn_full")
    assert world.schedule(SITI) == [TRAINING]


def test_an_offer_that_nobody_can_accept_any_more_is_not_in_the_way() -> None:
    """Siti had an offer when the class began; Ani still has her place in the line. Neither can come to sit there."""
    world = World()
    world.published("trn_full", quota=1)
    budi, siti, ani = (world.person(name) for name in ("budi", "siti", "ani"))
    world.enrol(budi, siti, ani, training_id="trn_full")
    world.respond("cancel", budi, "trn_full")
    world.move("closed", "trn_full")
    world.move("running", "trn_full")
    world.published(quota=3)
    assert world.statuses([siti, ani], "trn_full") == ["offered", "waitlisted"]
    assert [reply["status"] for reply in world.enrol(budi, siti, ani)] == ["confirmed"] * 3


def test_before_it_runs_a_place_in_the_line_is_in_the_way() -> None:
    """An offer may still come, so Siti gives up the place first, or stays."""
    world = World()
    world.published("trn_full", quota=1)
    world.enrol(world.person("budi"), world.person("siti"), training_id="trn_full")
    world.move("closed", "trn_full")
    world.published()
    assert [error.code for error in overlaps(world, citizen(SITI))] == ["R11.overlap"]
