"""Lists of trainings: who finds which, by place; and the calendar."""

from __future__ import annotations

from typing import Any, cast

import pytest

from chassis.mongo import Mongo
from services.training.domain.rules import Actor
from services.training.store import Store, Wanted
from tests.unit.training.shelf import Shelf
from tests.unit.training.world import World

ANYONE = Actor()


async def found(world: World, *trainings: str, wanted: Wanted, actor: Actor = ANYONE) -> list[str]:
    """Ids of the trainings that the list gives."""
    store = Store(cast("Mongo", Shelf(world.training(training) for training in trainings)))
    return [training["_id"] for training in await store.trainings(wanted, actor, 50)]


@pytest.mark.parametrize(
    ("audience", "open_to_her"),
    [
        ({}, True),
        ({"kota": ["31.71"]}, True),
        ({"kota": ["31.74", "31.71"]}, True),
        ({"kota": ["31.74"]}, False),
        ({"kecamatan": ["31.71.01"]}, True),
        ({"kecamatan": ["31.74.01", "31.71.08"]}, True),
        ({"kecamatan": ["31.74.01", "31.75.02"]}, False),
        ({"kota": ["31.71", "31.74"], "kecamatan": ["31.74.01"]}, False),
        ({"kota": ["31.71", "31.74"], "kecamatan": ["31.71.01"]}, True),
        ({"category": ["pemula"]}, True),
    ],
)
async def test_who_asks_for_a_kota_finds_what_is_open_to_its_people(audience: dict[str, Any], open_to_her: bool) -> None:
    """Siti of Jakarta Pusat looks for classes; those for kecamatan of other kota are not for her, whoever forgot the kota."""
    world = World()
    world.published("trn_a", audience=audience)
    assert await found(world, "trn_a", wanted=Wanted(kota="31.71")) == (["trn_a"] if open_to_her else [])
    assert await found(world, "trn_a", wanted=Wanted()) == ["trn_a"]
