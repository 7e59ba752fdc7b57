"""When the programme of the demonstration grew: one verification day a person, so that its published milestones hold.

Owns the curve only; who the people are is in `people.py`, and what counts as reached is for the platform to say.
Source of the milestones: the government's report of 2 March 2021 (226,280 people; the plan's 200,000 on 15 December 2020).
"""

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final

PEOPLE: Final = 226_280
TARGET: Final = 200_000
TARGET_DAY: Final = date(2020, 12, 15)
LAST_DAY: Final = date(2021, 3, 2)
FIRST_DAY: Final = date(2018, 2, 1)
LONGEST_WAIT: Final = 21  # days from registration to verification

# Relative pace of verification from that day on: a slow start, the campaign of 2019, the spring of the pandemic, the
# rush towards the target.
_PACE: Final = (
    (date(2018, 2, 1), 0.35),
    (date(2018, 7, 1), 0.7),
    (date(2019, 1, 1), 1.0),
    (date(2019, 7, 1), 1.3),
    (date(2020, 1, 1), 1.2),
    (date(2020, 3, 16), 0.4),
    (date(2020, 7, 1), 1.3),
    (date(2020, 10, 1), 1.8),
    (date(2021, 1, 1), 2.1),
)
# First and last day of Lebaran, when offices are closed; and holidays of every year, as (month, day).
_LEBARAN: Final = (
    (date(2018, 6, 11), date(2018, 6, 20)),
    (date(2019, 6, 3), date(2019, 6, 7)),
    (date(2020, 5, 21), date(2020, 5, 25)),
)
_HOLIDAYS: Final = frozenset({(1, 1), (5, 1), (6, 1), (8, 17), (12, 25)})


def target_for(people: int) -> int:
    """The target scaled to a smaller history: 200,000 for all 226,280 people."""
    return people * TARGET // PEOPLE


def dates(people: int, rng: random.Random) -> list[tuple[date, date]]:
    """(registered on, verified on) of each person, sorted by registration.

    Cumulative verifications stay below `target_for(people)` until 14 December 2020, reach it on the 15th, and
    reach `people` on 2 March 2021, the last day on which anyone is verified.
    """
    target = target_for(people)
    # About an ordinary day's work on the target day, and the target in the middle of it.
    on_target_day = min(target, max(1, people // 600))
    before = target - (on_target_day + 1) // 2
    after = people - before - on_target_day
    verified = [
        *_spread(before, FIRST_DAY, TARGET_DAY - timedelta(days=1)),
        *([TARGET_DAY] * on_target_day),
        *_spread(after - 1, TARGET_DAY + timedelta(days=1), LAST_DAY),
        *([LAST_DAY] if after > 0 else []),
    ]
    pairs = [(day - timedelta(days=int(rng.random() ** 2 * (LONGEST_WAIT + 1))), day) for day in verified]
    pairs.sort()
    return pairs


def _spread(count: int, first: date, last: date) -> Iterator[date]:
    """`count` days between the two, both included, in order and in proportion to the pace of each."""
    if count <= 0:
        return
    days = [day for day in _days(first, last) if _is_working_day(day)]
    weights = [_pace(day) for day in days]
    total, so_far, given = sum(weights), 0.0, 0
    for day, weight in zip(days, weights, strict=True):
        so_far += weight
        # Rounding the running total, not each day, is what makes the counts add up exactly.
        due = round(count * so_far / total)
        yield from [day] * (due - given)
        given = due


def _days(first: date, last: date) -> Iterator[date]:
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        yield date.fromordinal(ordinal)


def _is_working_day(day: date) -> bool:
    return (
        day.weekday() < 5 and (day.month, day.day) not in _HOLIDAYS and not any(first <= day <= last for first, last in _LEBARAN)
    )


def _pace(day: date) -> float:
    pace = next(value for start, value in reversed(_PACE) if day >= start)
    return pace * (0.6 if day.weekday() == 4 else 1.0)  # Friday is a short day
