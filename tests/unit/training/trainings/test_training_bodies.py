"""What a request about a training looks like, and what a reply does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.training.trainings import replies
from services.training.trainings.models import AudienceBody, SessionBody, named
from tests.unit.training.world import World


def test_an_audience_may_be_one_code_or_several() -> None:
    """What isn't named isn't kept, so that it is open to all."""
    body = AudienceBody.model_validate_json('{"kota": "31.71", "commodity": ["kuliner", "kriya"], "category": null}')
    assert named(body) == {"kota": ["31.71"], "commodity": ["kuliner", "kriya"]}


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2021-03-01T09:00:00"])
def test_times_beyond_the_calendar_are_refused(moment: str) -> None:
    """They would overflow on their way to UTC; and a time without offset is no time."""
    with pytest.raises(ValidationError):
        SessionBody.model_validate_json(f'{{"starts_at": "{moment}", "ends_at": "{moment}", "place": "x"}}')


def test_times_are_kept_as_the_database_keeps_them() -> None:
    """UTC, milliseconds: what is read back equals what was decided on."""
    text = '{"starts_at": "2021-03-01T09:00:00.123456+07:00", "ends_at": "2021-03-01T10:00:00+07:00", "place": "x"}'
    assert SessionBody.model_validate_json(text).starts_at == datetime(2021, 3, 1, 2, 0, 0, 123000, UTC)


def test_replies_carry_jakartas_offset() -> None:
    """A session at two in UTC is at nine in Jakarta."""
    world = World()
    world.published()
    shown = replies.training(world.training(), owner=False)
    assert shown["sessions"][0]["starts_at"] == "2021-03-11T09:00:00+07:00"
    assert shown["seats"] == {"confirmed": 0, "offered": 0, "waiting": 0, "free": 2}
    assert world.now + timedelta(days=10) == world.training()["starts_at"]
