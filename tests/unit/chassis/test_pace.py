"""How busy it is, with a clock of the test's own."""

from __future__ import annotations

from chassis.pace import Rate


def test_two_at_once_are_not_a_flood() -> None:
    """A hundred a second, two of them always together: that is a hundred a second, however close the two are."""
    times = [0.0]
    rate = Rate(lambda: times[0])
    for _ in range(50):
        rate.count(1)
        times[0] += 0.001
        rate.count(1)
        times[0] += 0.019
    assert 90 < rate.per_second < 110


def test_it_follows_what_comes() -> None:
    """A thousand a second for a second; then nothing: a quarter of a second later it knows."""
    times = [0.0]
    rate = Rate(lambda: times[0])
    for _ in range(100):
        times[0] += 0.01
        rate.count(10)
    assert 950 < rate.per_second < 1050
    times[0] += 0.3
    rate.count(0)
    assert rate.per_second < 150
