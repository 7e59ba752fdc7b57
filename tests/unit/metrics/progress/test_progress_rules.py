"""R16: on each day the headline shows the version of the target that was valid then."""

from __future__ import annotations

from datetime import date

import pytest

from services.metrics.documents import TargetDocument, TargetVersionRecord
from services.metrics.progress.rules import target_on


def version(number: int, valid_from: str, value: int, *, stage: str = "P1", dinas: str | None = None) -> TargetVersionRecord:
    """A version of a target as it is stored."""
    return {
        "number": number,
        "value": value,
        "source": "RPJMD 2017-2022",
        "valid_from": valid_from,
        "stage": stage,
        "dinas": dinas,
        "set_by": "user:admin",
        "set_at": "2018-01-01T00:00:00+00:00",
    }


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
    targets = [TargetDocument(_id=name, versions=versions) for name, versions in zip("abc", (plan, *others), strict=True)]
    found = target_on(targets, day)
    assert value == (found and found["value"])
