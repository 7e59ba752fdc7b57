"""What people find and read of trainings: by place, the reasons of their steps, the calendar."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast
from unittest.mock import AsyncMock

import pytest

from chassis import clock
from chassis.access.callers import ANONYMOUS
from chassis.database.mongo import Mongo
from services.training.actor import Actor
from services.training.policy import Rules
from services.training.trainings.api import get_training_calendar
from services.training.trainings.rules import Session
from services.training.trainings.store import TrainingStore, Wanted
from services.training.trainings.use_cases import TrainingUseCases
from tests.unit.training.shelf import Shelf
from tests.unit.training.world import OFFICER, PARTNER, START, STRANGER, World

ANYONE = Actor()


def store_of(world: World, *trainings: str) -> TrainingStore:
    """A store that holds these trainings."""
    return TrainingStore(cast("Mongo", Shelf(world.training(training) for training in trainings)))


def use_cases_of(world: World, store: TrainingStore) -> TrainingUseCases:
    """The verbs of trainings over this store, none of which ends a training here."""
    return TrainingUseCases(cast("Any", world), store, Rules(), AsyncMock())


async def found(world: World, *trainings: str, wanted: Wanted) -> list[str]:
    """Ids of the trainings that the list gives to anyone."""
    return [training["_id"] for training in await store_of(world, *trainings).trainings(wanted, ANYONE, 50)]


def hour(begins: datetime) -> Session:
    """A session of an hour."""
    return Session(begins, begins + timedelta(hours=1), "Balai Contoh")


async def reasons(world: World, *actors: Actor) -> list[str | None]:
    """The reason that each of these people reads with the training."""
    use_cases = use_cases_of(world, store_of(world, "trn_a"))
    return [(await use_cases.get_training("trn_a", actor))["reason"] for actor in actors]


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


async def test_what_an_officer_says_on_approving_is_not_for_everybody() -> None:
    """The partner and officers read it until the next step; when the class is published it isn't told to the public."""
    world = World()
    world.draft("trn_a")
    world.move("submitted", "trn_a")
    world.move("approved", "trn_a", OFFICER, reason="Pengajarnya kurang, tetapi boleh.")
    assert await reasons(world, PARTNER, OFFICER) == ["Pengajarnya kurang, tetapi boleh."] * 2
    world.move("published", "trn_a", reason="Tempat sudah dipastikan.")
    assert await reasons(world, PARTNER, OFFICER) == ["Tempat sudah dipastikan."] * 2
    assert await reasons(world, ANYONE, STRANGER) == [None, None]


@pytest.mark.parametrize("reason", ["Pengajar sakit.", None])
async def test_why_a_class_is_cancelled_is_for_all(reason: str | None) -> None:
    """What was said on the way to it isn't the reason, even where none is given."""
    world = World()
    world.published("trn_a")
    world.move("closed", "trn_a", reason="Peminat sedikit.")
    world.move("cancelled", "trn_a", reason=reason)
    assert await reasons(world, ANYONE, STRANGER, PARTNER) == [reason] * 3


async def test_the_calendar_is_about_what_is_to_come(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy month lies behind: 200 classes took place. The calendar holds the one that runs and the one to come."""
    world = World()
    for number in range(200):
        begins = START - timedelta(days=1 + number % 28)
        world.published(f"trn_{number}", sessions=(hour(begins),), registration_deadline=begins - timedelta(days=2))
    now = (hour(START - timedelta(days=3)), hour(START + timedelta(days=3)))
    world.published("trn_now", title="Sekarang", sessions=now, registration_deadline=START - timedelta(days=4))
    world.published("trn_next", title="Minggu depan", sessions=(hour(START + timedelta(days=7)),), registration_deadline=START)
    monkeypatch.setattr(clock, "now", lambda: START)
    store = store_of(world, *(f"trn_{number}" for number in range(200)), "trn_next", "trn_now")
    answer = await get_training_calendar(ANONYMOUS, use_cases_of(world, store))
    titles = [line.removeprefix("SUMMARY:") for line in bytes(answer.body).decode().split("\r\n") if line.startswith("SUMMARY:")]
    assert titles == ["Sekarang", "Sekarang", "Minggu depan"]
