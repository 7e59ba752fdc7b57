"""R11: nobody sits in two classes at once; and what a refusal tells of the other class, to whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from chassis.errors import FieldError, RuleBroken
from services.training.domain.documents import TRAININGS
from services.training.domain.rules import Actor
from services.training.domain.training import Session
from tests.unit.training.world import OFFICER, PARTNER, START, STRANGER, World, citizen

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
