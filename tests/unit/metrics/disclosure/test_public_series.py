"""R18 for series: whoever reads them by day, month, quarter and year can't compute a period of one to four people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import pairwise, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.metrics.disclosure.series import Period, period_of, public_series

Days = list[tuple[str, int]]
KINDS = ("day", "month", "quarter", "year")
EVERY_DAY = [(date(2020, 1, 1) + timedelta(days=number)).isoformat() for number in range(800)]


def everything_shown(days: Days) -> list[list[Period]]:
    """All that the public can ask for."""
    return [public_series(days, by, 5) for by in KINDS]


def counts_of(days: Days) -> Counter[tuple[str, str]]:
    """The true counts by kind of period and period."""
    counts: Counter[tuple[str, str]] = Counter()
    for day, count in days:
        counts.update({(by, period_of(day, by)): count for by in KINDS})
    return counts


calendars = st.tuples(
    st.sampled_from([date(2020, 12, 29), date(2020, 12, 31), date(2020, 11, 30), date(2020, 9, 29)]),
    st.lists(st.integers(1, 30), min_size=1, max_size=3),
).map(lambda drawn: [(drawn[0] + timedelta(days=sum(drawn[1][:number]))).isoformat() for number in range(len(drawn[1]) + 1)])


@settings(max_examples=40, deadline=None)
@given(calendars, st.lists(st.sampled_from([0, 1, 1, 2, 3, 4, 5, 6]), min_size=4, max_size=4))
@example(["2020-12-29", "2020-12-30", "2020-12-31", "2021-01-01"], [5, 6, 5, 1])
@example(["2020-12-28", "2020-12-29", "2020-12-30", "2020-12-31"], [1, 1, 1, 2])
@example(["2020-12-15", "2020-12-16", "2020-12-17"], [9, 3, 0])
def test_no_small_period_can_be_computed(calendar: Sequence[str], counts: Sequence[int]) -> None:
    """By trying out: other counts on the same days would be shown alike, even to somebody who knows the rule."""
    days = [(day, count) for day, count in zip(calendar, counts, strict=False) if count]
    shown = everything_shown(days)
    small = {name: count for name, count in counts_of(days).items() if count < 5}
    differing: set[tuple[str, str]] = set()
    for other in product(range(9), repeat=len(calendar)):
        if differing == small.keys():
            break
        guess = [(day, count) for day, count in zip(calendar, other, strict=True) if count]
        if abs(sum(other) - sum(count for _, count in days)) <= 4 and everything_shown(guess) == shown:
            of_guess = counts_of(guess)
            differing |= {name for name, count in small.items() if of_guess[name] != count}
    assert differing == small.keys()


long_days = st.lists(st.integers(0, 9), max_size=800).map(
    lambda counts: [(day, count) for day, count in zip(EVERY_DAY, counts, strict=False) if count]
)


@given(long_days, st.sampled_from(KINDS))
def test_what_is_shown_is_true(days: Days, by: str) -> None:
    """Every period with people is there, in order; what is shown is exact, and no count of it is small."""
    periods = public_series(days, by, 5)
    true = {period: count for (kind, period), count in counts_of(days).items() if kind == by}
    assert true.keys() <= {period.period for period in periods}
    assert [period.period for period in periods] == sorted({period.period for period in periods})
    cumulative = 0
    for period in periods:
        cumulative += true.get(period.period, 0)
        assert period.count in (None, true.get(period.period, 0))
        assert period.cumulative in (None, cumulative)
        assert period.count is None or period.count >= 5


@given(long_days)
def test_any_two_cumulative_counts_are_far_apart(days: Days) -> None:
    """Whatever kinds of periods they come from: the difference of two of them is never one to four people."""
    shown = sorted({0, *(period.cumulative or 0 for kind in everything_shown(days) for period in kind)})
    assert all(later - earlier >= 5 for earlier, later in pairwise(shown))


@given(long_days)
def test_a_year_with_enough_people_has_its_cumulative_count(days: Days) -> None:
    """The headline of the programme, polled by year, doesn't disappear for a quiet day."""
    counts = {period: count for (kind, period), count in counts_of(days).items() if kind == "year"}
    for period in public_series(days, "year", 5):
        assert period.cumulative is not None or counts[period.period] < 5


@pytest.mark.parametrize(
    ("days", "shown"),
    [
        ([("2020-12-14", 5), ("2020-12-15", 6)], [(5, 5), (6, 11)]),
        ([("2020-12-14", 5), ("2020-12-15", 2)], [(None, None), (None, 7)]),
        ([("2020-12-14", 3), ("2020-12-16", 2)], [(None, None), (None, None), (None, 5)]),
        ([("2020-12-14", 3)], [(None, None)]),
        ([("2020-12-31", 8), ("2021-01-01", 2)], [(8, 8), (None, None)]),
        ([], []),
    ],
)
def test_days(days: Days, shown: list[tuple[int | None, int | None]]) -> None:
    """Small days share a cumulative count; a day between them that had nobody is listed with them."""
    assert [(period.count, period.cumulative) for period in public_series(days, "day", 5)] == shown
