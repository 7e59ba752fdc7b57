"""R16: targets keep their versions, are told of once when reached, and percentages are exact."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any
from unittest.mock import Mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.metrics import TargetReached
from services.metrics.domain import TARGETS, NoteReached, SetTarget, last_month_end, percent, reached_on, target_on
from services.metrics.use_cases import UseCases
from tests.unit.registration.desk import Desk

PLAN = "rpjmd-2017-2022"
VERSION = {"value": 200_000, "source": "RPJMD 2017-2022", "valid_from": "2018-01-01", "stage": "P1", "dinas": None}


def set_target(desk: Desk, **changes: Any) -> Any:
    """An admin sets the plan's target."""
    return desk.run(SetTarget(PLAN, {**VERSION, **changes}, "user:admin"))


def note(desk: Desk, number: int = 1, day: date = date(2020, 12, 15)) -> Any:
    """The worker that follows the figures."""
    return desk.run(NoteReached(PLAN, number, day))


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


@pytest.mark.parametrize(
    ("part", "whole", "expected"),
    [
        (67_037, 54_260, "123.55"),
        (226_280, 200_000, "113.14"),
        (200_000, 200_000, "100.00"),
        (0, 5, "0.00"),
        (1, 3, "33.33"),
        (2, 3, "66.67"),
        (1, 800, "0.13"),  # 0.125: half up, where a banker's half would give 0.12
        (67, 800, "8.38"),  # 8.375
        (333, 20_000, "1.67"),  # 1.665, which as a float lies below the half
        (10**15, 10**10, "10000000.00"),
        (5, 0, None),
    ],
)
def test_percentages(part: int, whole: int, expected: str | None) -> None:
    """The published figures, and halves that a float or a banker would round down."""
    assert expected == percent(part, whole)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_a_percentage_is_the_nearest(part: int, whole: int) -> None:
    """In whole numbers: never further away than half a hundredth, and a half always goes up."""
    shown = percent(part, whole)
    assert shown is not None
    hundredths = int(Decimal(shown) * 100)
    assert (2 * part * 10_000 + whole) // (2 * whole) == hundredths


days = st.lists(st.integers(0, 50), max_size=30).map(
    lambda counts: [(f"2021-01-{day:02d}", count) for day, count in enumerate(counts, start=1)]
)


@given(days, st.integers(1, 400))
def test_the_day_a_target_was_reached(counted: list[tuple[str, int]], value: int) -> None:
    """On that day the count is at least the value, and on the day before it wasn't; None while it isn't."""
    day = reached_on(counted, value)
    until = [count for name, count in counted if day is None or name <= day]
    assert (sum(until) >= value) == (day is not None)
    assert day is None or sum(until[:-1]) < value


def test_nobody_reaches_nothing() -> None:
    """Without people no day."""
    assert reached_on([], 1) is None


def version(number: int, valid_from: str, value: int, **changes: Any) -> dict[str, Any]:
    """A version of a target as it is stored."""
    return {**VERSION, "number": number, "valid_from": valid_from, "value": value, **changes}


@pytest.mark.parametrize(
    ("day", "value"),
    [
        (date(2017, 12, 31), None),
        (date(2018, 1, 1), 150),
        (date(2019, 12, 31), 150),
        (date(2020, 1, 1), 250),
        (date(2022, 1, 1), 300),
    ],
)
def test_the_version_of_a_day(day: date, value: int | None) -> None:
    """A revision that begins later leaves the days before to the earlier version; of two with one beginning the later counts."""
    plan = [version(1, "2018-01-01", 100), version(2, "2018-01-01", 150), version(3, "2022-01-01", 300)]
    plan.append(version(4, "2020-01-01", 250))
    others = [version(1, "2021-01-01", 7, dinas="KPKP")], [version(1, "2021-01-01", 8, stage="P2")]
    targets = [{"_id": name, "versions": versions} for name, versions in zip("abc", (plan, *others), strict=True)]
    found = target_on(targets, day)
    assert value == (found and found["value"])


@pytest.mark.parametrize(
    ("day", "end"), [("2021-03-02", "2021-02-28"), ("2020-02-29", "2020-02-29"), ("2021-01-30", "2020-12-31")]
)
def test_month_ends(day: str, end: str) -> None:
    """A month's last day is its own month end."""
    assert last_month_end(date.fromisoformat(day)).isoformat() == end


class Days:
    """Figures of one day."""

    smallest_cell = 5

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
    use_cases = UseCases(Mock(), Mock(), Days(), Mock())  # type: ignore[arg-type] # a double
    assert await use_cases._reached({"stage": "P1", "value": value, "dinas": dinas}) == day
