"""R12: enrolments are settled when their training ends, or later by the worker."""

from __future__ import annotations

from typing import Any, cast

from chassis.errors import Unavailable
from services.training.completion.rules import LIVE
from services.training.completion.use_cases import CompletionUseCases
from services.training.completion.worker import settle_endings
from services.training.documents import enrolment_id
from services.training.policy import Rules
from services.training.trainings.use_cases import TrainingUseCases
from tests.unit.training.world import PARTNER, TRAINING, World

PEOPLE = ["jkp_ani", "jkp_budi", "jkp_siti"]


class LiveEnrolments:
    """A store of one training that answers from the world; it can be unreachable for a while."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.reachable = True

    async def trainings_to_settle(self, limit: int) -> list[str]:
        """The training, while it is being settled."""
        return [TRAINING] if self._world.training()["settling"] else []

    async def live_enrolments(self, training_id: str, after: str | None, limit: int) -> list[str]:
        """The next ids in order."""
        if not self.reachable:
            raise Unavailable
        ids = [enrolment_id(training_id, person) for person in PEOPLE if self._world.status(person) in LIVE]
        return [identity for identity in ids if after is None or identity > after][:limit]


def running_class() -> tuple[World, LiveEnrolments, CompletionUseCases]:
    """A class under way; two of three have a seat. Slices hold one enrolment."""
    world = World()
    for person in PEOPLE:
        world.person(person.removeprefix("jkp_"))
    world.published(quota=2)
    world.enrol(*PEOPLE)
    world.move("closed")
    world.move("running")
    store = LiveEnrolments(world)
    return world, store, CompletionUseCases(cast("Any", world), cast("Any", store), Rules(), settled_at_once=1)


async def complete(world: World, completion: CompletionUseCases) -> str:
    """The partner ends the class; returns the status that it is told."""
    trainings = TrainingUseCases(cast("Any", world), cast("Any", None), Rules(), completion.begin_settling)
    return str((await trainings.move_training(TRAINING, "completed", None, PARTNER, None, None))["status"])


async def test_a_small_class_is_settled_before_its_end_is_told() -> None:
    """Three slices of one are few: whoever asks next finds everybody settled."""
    world, _, completion = running_class()
    assert await complete(world, completion) == "completed"
    assert world.statuses(PEOPLE) == ["no_show", "no_show", "expired"]
    assert world.training()["settling"] is None


async def test_what_cannot_be_settled_at_once_is_left_to_the_worker() -> None:
    """The database is away right after the end: the partner is told all the same that it ended, and the worker goes on."""
    world, store, completion = running_class()
    store.reachable = False
    assert await complete(world, completion) == "completed"
    assert (world.training()["status"], world.training()["settling"]) == ("completed", "completed")
    await settle_endings(completion)
    assert world.training()["settling"] == "completed"
    store.reachable = True
    await settle_endings(completion)
    assert world.statuses(PEOPLE) == ["no_show", "no_show", "expired"]
    assert world.training()["settling"] is None
