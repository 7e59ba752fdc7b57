"""R16: percentages are exact, and the day on which a count was reached is the first one."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.metrics.figures.rules import percent, reached_on


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
