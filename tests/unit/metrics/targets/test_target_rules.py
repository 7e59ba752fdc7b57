"""R16: targets keep their versions, and are told of once when they are reached."""

from __future__ import annotations

from datetime import date
from typing import Any, cast
from unittest.mock import Mock

import pytest

from contracts.metrics import TargetReached
from services.metrics.documents import TARGETS, TargetTerms
from services.metrics.targets.rules import NoteTargetReached, SetTarget
from services.metrics.targets.use_cases import TargetUseCases
from tests.unit.registration.desk import Desk

PLAN = "rpjmd-2017-2022"
VERSION: TargetTerms = {"value": 200_000, "source": "RPJMD 2017-2022", "valid_from": "2018-01-01", "stage": "P1", "dinas": None}


def set_target(desk: Desk, **changes: Any) -> Any:
    """An admin sets the plan's target."""
    return desk.run(SetTarget(PLAN, cast("TargetTerms", {**VERSION, **changes}), "user:admin"))


def note(desk: Desk, number: int = 1, day: date = date(2020, 12, 15)) -> Any:
    """The worker that follows the figures."""
    return desk.run(NoteTargetReached(PLAN, number, day))


def test_earlier_versions_are_kept() -> None:
    """The plan asked for 200,000, a revision for 250,000: both can be read, with who set them and when."""
    desk = Desk()
    set_target(desk)
    shown = set_target(desk, value=250_000, source="Revisi")
    assert [(version["number"], version["value"], version["set_by"]) for version in shown["versions"]] == [
        (1, 200_000, "user:admin"),
        (2, 250_000, "user:admin"),
    ]
    assert (shown["target_id"], shown["number"], shown["value"]) == (PLAN, 2, 250_000)
    assert shown["set_at"] == desk.now.isoformat()


def test_the_same_value_again_changes_nothing() -> None:
    """`make demo` runs twice: one version, and the second reply is the first."""
    desk = Desk()
    first = set_target(desk)
    assert first == set_target(desk)
    assert desk.get(TARGETS, PLAN)["version"] == 1
    set_target(desk, value=250_000)
    assert set_target(desk)["number"] == 3  # back to the old value: a change, and kept as one


def test_a_target_is_told_of_once() -> None:
    """The worker looks every second: the first look tells the world, the others don't; so it is after a restart."""
    desk = Desk()
    set_target(desk)
    note(desk)
    note(desk)
    note(desk, day=date(2020, 12, 14))
    assert desk.told(PLAN) == [(1, TargetReached)]
    assert desk.last_event() == TargetReached(target_id=PLAN, value=200_000, reached_on=date(2020, 12, 15))


def test_a_new_version_is_told_of_again() -> None:
    """The revised target is reached in its turn; a look that still meant the old version tells nothing."""
    desk = Desk()
    set_target(desk)
    note(desk)
    set_target(desk, value=226_280)
    note(desk, 1)
    assert desk.told(PLAN) == [(1, TargetReached)]
    note(desk, 2, date(2021, 3, 2))
    assert desk.last_event() == TargetReached(target_id=PLAN, value=226_280, reached_on=date(2021, 3, 2))


def test_a_target_that_went_away() -> None:
    """Nothing to tell."""
    assert note(Desk()) == {}


class Days:
    """Figures of one day."""

    async def days(self, measure: str, dimension: str = "all", value: str = "all") -> list[tuple[str, int]]:
        """Nine people of KPKP, and thirty in all."""
        return [("2021-01-29", {("all", "all"): 30, ("dinas", "KPKP"): 9}.get((dimension, value), 0))]


@pytest.mark.parametrize(
    ("value", "dinas", "day"),
    [
        (30, None, "2021-01-29"),
        (31, None, None),
        (9, "KPKP", "2021-01-29"),
        (10, "KPKP", None),
        (4, "KPKP", None),
        (3, None, "2021-01-29"),
    ],
)
async def test_the_day_of_a_dinas_own_target(value: int, dinas: str | None, day: str | None) -> None:
    """Counted among its own people; but the day of its first few would be theirs (R18)."""
    targets = TargetUseCases(Mock(), Mock(), Days(), 5)  # type: ignore[arg-type] # a double
    assert await targets.day_reached({**VERSION, "stage": "P1", "value": value, "dinas": dinas}) == day
