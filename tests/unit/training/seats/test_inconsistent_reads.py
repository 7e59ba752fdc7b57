"""Two replicas: what one loads may straddle what the other commits. It is noticed, and GroupCommit decides again."""

from __future__ import annotations

import pytest

from chassis.writing.decision import InconsistentRead
from services.training.documents import ENROLMENTS, enrolment_id
from tests.unit.training.world import TRAINING, World


def test_a_line_that_names_somebody_who_does_not_wait_is_noticed() -> None:
    """Siti's enrolment was loaded before, the page after she had joined the line: nobody is offered anything on that ground."""
    world = World()
    world.published(quota=1)
    budi, siti = world.person("budi"), world.person("siti")
    world.enrol(budi, siti)
    stale = {**(world.get(ENROLMENTS, enrolment_id(TRAINING, siti)) or {}), "status": "cancelled"}
    world.give(ENROLMENTS, **stale)
    with pytest.raises(InconsistentRead):
        world.respond("cancel", budi)
    assert world.status(budi) == "confirmed"
