"""R11's promise under every interleaving that hypothesis finds: seats are never oversold, and the line is a line."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from chassis.errors import DomainError
from contracts.training import EnrolmentOffered
from services.training.actor import SYSTEM
from services.training.documents import enrolment_id
from services.training.enrolments.rules import ExpireOffer
from services.training.seats import desk as seats
from services.training.seats.desk import offers_allowed
from services.training.trainings.revision import ReviseTraining
from tests.unit.training.world import TRAINING, World

PEOPLE = [f"jkp_{number}" for number in range(12)]
a_person = st.sampled_from(PEOPLE)


class Desk(RuleBasedStateMachine):
    """People come and go, answer or don't, the owner changes the quota, time passes."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        for person in PEOPLE:
            self.world.person(person.removeprefix("jkp_"))
        self.world.published(quota=2)
        self.line: list[str] = []  # the model: who waits, in order of arrival
        self.seen = len(self.world.staging.events)

    def attempt(self, act: Any) -> Any:
        """Do it, or be refused: a refusal changes nothing."""
        before = dict(self.world.staging.staged)
        try:
            return act()
        except DomainError:
            assert before == self.world.staging.staged
            return None

    @rule(people=st.lists(a_person, min_size=1, max_size=4, unique=True))
    def enrol(self, people: list[str]) -> None:
        """One or a group."""
        others_waited = bool(self.line)
        for reply in self.attempt(lambda: self.world.enrol(*people)) or []:
            if reply["status"] == "waitlisted":
                self.line.append(reply["enrolment_id"])
                assert reply["position"] == len(self.line)
            else:
                assert not others_waited, "a newcomer passed the waiting list"

    @rule(person=a_person, word=st.sampled_from(["cancel", "accept", "decline"]))
    def respond(self, person: str, word: str) -> None:
        """A person answers."""
        identity = enrolment_id(TRAINING, person)
        if self.attempt(lambda: self.world.respond(word, person)) and word == "cancel" and identity in self.line:
            self.line.remove(identity)
        self.check_offers()

    @rule(hours=st.sampled_from([1, 23, 48]))
    def wait(self, hours: int) -> None:
        """Time passes; the worker hasn't come by yet."""
        self.world.now += timedelta(hours=hours)

    @rule()
    def sweep(self) -> None:
        """The worker looks at every offer, in any order."""
        for person in PEOPLE:
            if self.world.status(person) == "offered":
                self.world.run(ExpireOffer(enrolment_id(TRAINING, person), self.world.rules))
        self.check_offers()

    @rule(quota=st.integers(1, 6))
    def change_quota(self, quota: int) -> None:
        """The owner raises or lowers the quota."""
        self.attempt(lambda: self.world.run(ReviseTraining(TRAINING, SYSTEM, self.world.rules, quota=quota)))
        self.check_offers()

    def check_offers(self) -> None:
        """Whoever was offered a seat was first in line."""
        for event in self.world.staging.events[self.seen :]:
            if isinstance(event.data, EnrolmentOffered):
                assert event.subject == self.line.pop(0), "somebody was passed over"
                assert event.data.offer_expires_at <= self.world.training()["starts_at"] - timedelta(hours=24)
        self.seen = len(self.world.staging.events)

    @invariant()
    def never_oversold(self) -> None:
        """confirmed + offered <= quota, and the counters tell the truth."""
        training = self.world.training()
        counts = Counter(self.world.statuses(PEOPLE))
        assert counts["confirmed"] + counts["offered"] <= training["quota"]
        counted = {name: training[name] for name in ("confirmed", "offered", "waiting")}
        assert counted == {"confirmed": counts["confirmed"], "offered": counts["offered"], "waiting": counts["waitlisted"]}

    @invariant()
    def nobody_waits_before_an_empty_seat(self) -> None:
        """While offers are allowed, free seats and waiting people don't go together."""
        training = self.world.training()
        if offers_allowed(training, self.world.now, self.world.rules):
            free = training["quota"] - training["confirmed"] - training["offered"]
            assert free == 0 or training["waiting"] == 0

    @invariant()
    def the_line_is_in_order_of_arrival(self) -> None:
        """The stored pages say what the model says."""
        assert self.world.line() == self.line

    @invariant()
    def schedules_follow(self) -> None:
        """Who has a live enrolment has it on the schedule, nobody else."""
        for person in PEOPLE:
            live = self.world.status(person) in ("waitlisted", "offered", "confirmed")
            assert self.world.schedule(person) == ([TRAINING] if live else [])

    @invariant()
    def sequences_have_no_gaps(self) -> None:
        """Each subject's events are numbered 1, 2, 3 …, also for one who came back."""
        for sequences in self.world.sequences().values():
            assert sequences == list(range(1, len(sequences) + 1))


@pytest.mark.no_cover  # a property test, which conftest.py does not recognise as one
def test_seats_are_never_oversold_and_the_line_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve people fight for a handful of seats in every order; pages of the waiting list are made tiny, so that they turn."""
    monkeypatch.setattr(seats, "PAGE", 2)
    monkeypatch.setattr(seats, "_PAGES_AT_ONCE", 2)
    run_state_machine_as_test(
        Desk,
        settings=settings(
            max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
        ),
    )
