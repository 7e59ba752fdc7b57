"""The checker is itself tested: each planted bug is found, under the check that it breaks; without it the same run is clean."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from deploy.local.stack import Stack
from tests.faults import planted, stories
from tests.faults.small import Small
from tests.faults.stories import Story

pytestmark = pytest.mark.faults


@pytest.fixture
async def small(stack: Stack) -> AsyncIterator[Small]:
    """The platform in one process."""
    async with Small.running(stack) as running:
        yield running


# Bug -> the story that brings it out, and the checks that must find it.
STORIES: dict[str, tuple[Story, set[str]]] = {
    "reply_before_commit": (stories.the_machine_goes_down_after_the_reply, {"C1"}),
    "outbox_not_saved": (stories.people_register, {"C2"}),
    "newest_first": (stories.people_register, {"C3"}),
    "mark_before_send": (stories.the_relay_dies_while_it_sends, {"C2"}),
    "cursor_outbox": (stories.the_first_commits_last, {"C2"}),
    "floor_too_high": (stories.the_first_commits_last, {"C2"}),
    "snapshot_for_each_page": (stories.a_commit_between_two_pages, {"C3"}),
    "stamp_of_own_clock": (stories.a_clock_is_ahead, {"C3"}),
    "position_before_effect": (stories.the_consumer_dies_after_a_commit, {"C4"}),
    "no_compare_and_set": (stories.a_zombie_goes_on, {"C5"}),
    "figures_without_dedupe": (stories.a_page_is_sent_twice, {"C4"}),
    "view_without_dedupe": (stories.an_old_page_is_sent_last, {"C4"}),
    "poison_swallowed": (stories.poison_among_the_good, {"C5"}),
    "one_seat_too_many": (stories.more_people_than_seats, {"C4"}),
}


def test_every_bug_has_its_story() -> None:
    """No bug is planted that nobody looks for."""
    assert set(planted.BUGS) == set(STORIES)


@pytest.mark.parametrize("bug", STORIES)
async def test_a_planted_bug_is_found(small: Small, monkeypatch: pytest.MonkeyPatch, bug: str) -> None:
    """The story is told with the bug in the code: the check names what it broke, and nothing that it didn't."""
    story, expected = STORIES[bug]
    with monkeypatch.context() as patch:
        planted.BUGS[bug](patch)
        services = await story(small, patch)
    verdict = await small.check(services)
    assert verdict.checks == expected, verdict.violations


@pytest.mark.parametrize("story", dict.fromkeys(story for story, _ in STORIES.values()), ids=lambda story: story.__name__)
async def test_without_a_bug_the_story_ends_well(small: Small, monkeypatch: pytest.MonkeyPatch, story: Story) -> None:
    """The same deaths, zombies and poison, and the platform as it is: nothing is found."""
    with monkeypatch.context() as patch:
        services = await story(small, patch)
    verdict = await small.check(services)
    assert verdict.violations == []
