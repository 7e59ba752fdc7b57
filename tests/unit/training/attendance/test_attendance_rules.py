"""R12: scans, late uploads, and what became of everybody in the end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.errors import Conflict, NotFound
from contracts import training as events
from services.training.attendance.rules import RecordAttendance, Scan
from services.training.completion.rules import FinishSettling, SettleEnrolments, attended_minutes, judge
from services.training.documents import ScanEntry, StoredSession, TrainingStatus, enrolment_id
from services.training.policy import Rules
from tests.unit.training.world import PARTNER, START, STRANGER, TRAINING, World, codes

DAY = START + timedelta(days=10)
END = DAY + timedelta(hours=8)
RULES = Rules()
SESSION = StoredSession(starts_at=DAY, ends_at=END, place="Balai Contoh", online_url=None)


def scan(person: str, nonce: str, minutes: int, hours: float = 1) -> Scan:
    """A scan so many hours after the start."""
    return Scan(enrolment_id(TRAINING, person), nonce, DAY + timedelta(hours=hours), minutes)


def upload(world: World, *scans: Scan, actor: Any = PARTNER) -> Any:
    """A device's upload."""
    return world.run(RecordAttendance(TRAINING, scans, actor, world.rules))


def results(reply: Any) -> list[Any]:
    """Code of the refusal, or what happened."""
    return [result.get("code", result["result"]) for result in reply["results"]]


def running_class(*names: str) -> tuple[World, list[str]]:
    """A class under way, everybody with a seat."""
    world = World()
    world.published(quota=max(1, len(names)))
    people = [world.person(name) for name in names]
    world.enrol(*people)
    world.now = DAY
    world.move("closed")
    world.move("running")
    return world, people


def complete(world: World, *people: str, to: TrainingStatus = "completed") -> None:
    """End the class and settle it, in slices of one."""
    world.now = max(world.now, END)
    world.move(to)
    for person in people:
        world.run(SettleEnrolments(TRAINING, (enrolment_id(TRAINING, person),), world.rules))
    world.run(FinishSettling(TRAINING))


@pytest.mark.parametrize(
    ("minutes", "expected"), [(383, "not_completed"), (384, "completed"), (480, "completed"), (0, "not_completed")]
)
def test_eighty_percent_is_eighty_percent(minutes: int, expected: str) -> None:
    """Of 480 minutes 384 are enough and 383 are not: in whole numbers, without a rounding error."""
    assert judge([{"at": DAY, "minutes": minutes}], [SESSION], RULES) == expected


def test_zero_scheduled_minutes_complete_nobody() -> None:
    """0 of 0 isn't 80 %."""
    empty: StoredSession = {**SESSION, "ends_at": DAY}
    assert judge([{"at": DAY, "minutes": 60}], [empty], RULES) == "not_completed"


def test_a_session_counts_for_no_more_than_it_lasts() -> None:
    """Two devices scanned the same day: eight hours are eight hours; nor do they stand in for the second day."""
    second: StoredSession = {**SESSION, "starts_at": DAY + timedelta(days=1), "ends_at": END + timedelta(days=1)}
    twice = [ScanEntry(at=DAY, minutes=480), ScanEntry(at=END, minutes=480)]
    assert attended_minutes(twice, [SESSION, second], RULES.scan_tolerance) == 480
    assert judge(twice, [SESSION, second], RULES) == "not_completed"


@given(
    scans=st.lists(
        st.builds(
            lambda hours, minutes: ScanEntry(at=DAY + timedelta(hours=hours), minutes=minutes),
            st.integers(-2, 10),
            st.integers(0, 600),
        ),
        max_size=8,
    ),
    order=st.randoms(use_true_random=False),
)
def test_completion_is_a_function_of_the_scans(scans: list[ScanEntry], order: Any) -> None:
    """In whatever order they came; and one scan more never makes it worse."""
    shuffled = list(scans)
    order.shuffle(shuffled)
    assert judge(shuffled, [SESSION], RULES) == judge(scans, [SESSION], RULES)
    assert 0 <= attended_minutes(scans, [SESSION], RULES.scan_tolerance) <= 480
    assert attended_minutes(scans[1:], [SESSION], RULES.scan_tolerance) <= attended_minutes(
        scans, [SESSION], RULES.scan_tolerance
    )


def test_each_scan_gets_its_own_answer() -> None:
    """New, known, of somebody else's class, of one without a seat, and at midnight: the good ones count all the same."""
    world, (siti, budi) = running_class("siti", "budi")
    upload(world, scan(budi, "n0", 10))
    strange = Scan("trn_x:jkp_x", "n3", DAY, 5)
    reply = upload(
        world,
        scan(siti, "n1", 60),
        scan(siti, "n1", 60),
        scan(budi, "n0", 10),
        strange,
        scan("jkp_nobody", "n4", 5),
        scan(siti, "n5", 60, hours=15),
    )
    assert results(reply) == [
        "recorded",
        "duplicate",
        "duplicate",
        "R12.unknown_enrolment",
        "R12.unknown_enrolment",
        "R12.outside_sessions",
    ]
    assert (reply["recorded"], reply["duplicate"], reply["refused"]) == (1, 2, 3)


def test_one_event_for_each_person_and_upload() -> None:
    """Siti was scanned three times: one event with her total so far; a repeated upload tells nothing."""
    world, (siti,) = running_class("siti")
    scans = [scan(siti, f"n{number}", 60, hours=number) for number in range(3)]
    upload(world, *scans)
    upload(world, *scans)
    identity = enrolment_id(TRAINING, siti)
    assert world.events(identity) == [events.EnrolmentConfirmed, events.EnrolmentAttendanceRecorded]
    assert world.last_event(identity).minutes == 180
    assert world.status(siti) == "attended"


@pytest.mark.parametrize(("minutes", "expected"), [(-31, "R12.outside_sessions"), (-30, "recorded")])
def test_a_scan_may_lie_a_little_outside(minutes: int, expected: str) -> None:
    """People are scanned at the door, half an hour before it begins."""
    world, (siti,) = running_class("siti")
    assert results(upload(world, scan(siti, "n1", 60, hours=minutes / 60))) == [expected]


@pytest.mark.parametrize(("hours", "expected"), [(48, "recorded"), (48.1, "R12.too_late")])
def test_devices_that_were_offline_have_48_hours(hours: float, expected: str) -> None:
    """From the end of the last session."""
    world, (siti,) = running_class("siti")
    world.now = END + timedelta(hours=hours)
    assert results(upload(world, scan(siti, "n1", 60))) == [expected]


def test_where_the_clock_counts_a_scan_can_not_lie_ahead() -> None:
    """With the setting on."""
    world = World(Rules(follow_clock=True))
    world.published()
    siti = world.person("siti")
    world.enrol(siti)
    assert results(upload(world, scan(siti, "n1", 60))) == ["R12.ahead"]


def test_who_waits_has_no_attendance() -> None:
    """A seat is what a scan needs."""
    world = World()
    world.published(quota=1)
    siti, budi = world.person("siti"), world.person("budi")
    world.enrol(siti, budi)
    assert results(upload(world, scan(budi, "n1", 60))) == ["R12.no_seat"]


def test_attendance_is_the_owners_to_record() -> None:
    """Another partner finds nothing; a draft takes none."""
    world, (siti,) = running_class("siti")
    with pytest.raises(NotFound):
        upload(world, scan(siti, "n1", 60), actor=STRANGER)
    world.draft("trn_draft")
    with pytest.raises(Conflict) as refusal:
        world.run(RecordAttendance("trn_draft", (scan(siti, "n1", 60),), PARTNER, world.rules))
    assert codes(refusal.value) == ["R12.training_state"]


def test_in_the_end_everybody_is_told() -> None:
    """Siti was there, Ani half the time, Budi never came, Joko still waited."""
    world = World()
    world.published(quota=3)
    people = siti, ani, _budi, joko = [world.person(name) for name in ("siti", "ani", "budi", "joko")]
    world.enrol(*people)
    world.move("closed")
    world.move("running")
    upload(world, scan(siti, "n1", 480), scan(ani, "n2", 240))
    complete(world, *people)
    assert world.statuses(people) == ["completed", "not_completed", "no_show", "expired"]
    assert world.last_event(enrolment_id(TRAINING, siti)).completed_on == DAY.date()
    assert world.training()["settling"] is None
    assert events.EnrolmentExpired in world.events(enrolment_id(TRAINING, joko))


def test_the_end_is_settled_in_slices_and_may_be_repeated() -> None:
    """The process died after the first slice; the worker begins again, and nobody is told twice."""
    world, people = running_class("siti", "budi")
    upload(world, *(scan(person, person, 480) for person in people))
    world.now = END
    world.move("completed")
    first, everybody = (enrolment_id(TRAINING, people[0]),), tuple(enrolment_id(TRAINING, person) for person in people)
    assert world.run(SettleEnrolments(TRAINING, first, world.rules)) == {"settled": 1}
    assert world.run(SettleEnrolments(TRAINING, everybody, world.rules)) == {"settled": 1}
    assert world.statuses(people) == ["completed", "completed"]
    assert world.events().count(events.EnrolmentCompleted) == 2


def test_a_cancelled_class_frees_everybody() -> None:
    """With a seat, an offer or in line: all are cancelled with it, and nobody is offered anything on the way."""
    world = World()
    world.published(quota=2)
    people = [world.person(name) for name in "abcd"]
    world.enrol(*people)
    world.respond("cancel", people[0])
    complete(world, *people, to="cancelled")
    assert world.statuses(people) == ["cancelled"] * 4
    training = world.training()
    assert [training[name] for name in ("confirmed", "offered", "waiting")] == [0, 0, 0]
    assert world.events().count(events.EnrolmentOffered) == 1


def test_between_the_end_and_its_settlement_no_seat_moves() -> None:
    """The doors close with the decision, not with the last slice."""
    world, (siti,) = running_class("siti")
    world.now = END
    world.move("completed")
    with pytest.raises(Conflict):
        world.respond("cancel", siti)
    with pytest.raises(Conflict):
        world.enrol(world.person("late"))


def test_a_device_that_was_offline_saves_a_completion() -> None:
    """Siti was a no-show until the second device came online the next day: judged again, she has completed."""
    world, (siti,) = running_class("siti")
    complete(world, siti)
    assert world.status(siti) == "no_show"
    world.now = END + timedelta(hours=20)
    upload(world, scan(siti, "n1", 400))
    assert world.status(siti) == "completed"
    assert world.events(enrolment_id(TRAINING, siti)) == [
        events.EnrolmentConfirmed,
        events.EnrolmentNoShow,
        events.EnrolmentAttendanceRecorded,
        events.EnrolmentCompleted,
    ]


def test_a_report_does_not_shut_out_a_device_that_was_offline() -> None:
    """The partner reports at once. Siti's device is online the next day: she has completed. Budi's comes too late."""
    world, (siti, budi) = running_class("siti", "budi")
    complete(world, siti, budi)
    world.move("reported")
    world.now = END + timedelta(hours=20)
    assert results(upload(world, scan(siti, "n1", 400))) == ["recorded"]
    assert world.events(enrolment_id(TRAINING, siti))[-1] is events.EnrolmentCompleted
    world.now = END + timedelta(hours=48, minutes=1)
    assert results(upload(world, scan(budi, "n2", 400))) == ["R12.too_late"]
    assert world.statuses([siti, budi]) == ["completed", "no_show"]
    assert world.training()["status"] == "reported"


def test_a_report_before_everybody_is_settled_loses_no_scan() -> None:
    """The worker hasn't come by yet when the partner has reported and the device uploads: the scan is judged with the rest."""
    world, (siti,) = running_class("siti")
    world.now = END
    world.move("completed")
    world.move("reported")
    upload(world, scan(siti, "n1", 400))
    world.run(SettleEnrolments(TRAINING, (enrolment_id(TRAINING, siti),), world.rules))
    assert world.status(siti) == "completed"


def test_a_cancelled_class_takes_no_attendance() -> None:
    """Nobody was there."""
    world, (siti,) = running_class("siti")
    world.move("cancelled")
    with pytest.raises(Conflict) as refusal:
        upload(world, scan(siti, "n1", 60))
    assert codes(refusal.value) == ["R12.training_state"]
