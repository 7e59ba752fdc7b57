"""R11: the desk of one training, where seats are given, offered and freed.

**confirmed + offered <= quota, always.**
The counters are in the training, so every change of a seat is guarded by the training's version. The waiting list is a row of
pages in order of arrival. A page is a document of up to 200 enrolment ids: the next people are found without a query, and a
person who cancels is removed from their page at once.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from chassis.writing.decision import InconsistentRead
from contracts import training as events
from contracts.envelope import Payload
from services.training.changes import TypedChanges
from services.training.documents import Enrolment, EnrolmentStatus, Training, WaitingPage, enrolment_id, waiting_page_id
from services.training.policy import Rules

PAGE: Final = 200  # enrolment ids on a page of a waiting list
_PAGES_AT_ONCE: Final = 20  # pages that one load brings


def cut_off(training: Training, rules: Rules) -> datetime:
    """The moment from which no offer is made or accepted."""
    return training["starts_at"] - rules.cut_off


def offers_allowed(training: Training, now: datetime, rules: Rules) -> bool:
    """Whether free seats are offered: while registration is open (or closed, if the setting says so), before the cut-off."""
    if now >= cut_off(training, rules):
        return False
    if training["status"] == "published" and now < training["registration_deadline"]:
        return True
    return rules.offers_after_close and training["status"] in ("published", "closed")


class Desk:
    """One training's seats within one decision. Call `close` at the end: it writes the training with its counters.

    Every method writes the enrolments that it changes, with their events. Methods raise InconsistentRead if the training, its
    waiting list and its enrolments contradict each other; GroupCommit then reloads and decides again.
    """

    def __init__(self, changes: TypedChanges, training: Training, rules: Rules, now: datetime) -> None:
        self.training: Training = {**training}
        self._changes = changes
        self._rules = rules
        self._now = now

    @property
    def free(self) -> int:
        """Seats that are neither confirmed nor offered."""
        training = self.training
        return training["quota"] - training["confirmed"] - training["offered"]

    def admit(self, jakpreneur_id: str, by: str) -> Enrolment:
        """Confirm a person if a seat is free and nobody waits, else append them to the waiting list; `by`: id of the actor.

        An earlier enrolment of the same person and training is replaced. Returns the enrolment.
        """
        training = self.training
        enrolment: Enrolment = {
            "_id": enrolment_id(training["_id"], jakpreneur_id),
            "training_id": training["_id"],
            "jakpreneur_id": jakpreneur_id,
            "stage": training["stage"],
            "status": "waitlisted",
            "enrolled_at": self._now,
            "enrolled_by": by,
            "page": None,
            "offer_expires_at": None,
            "scans": [],
            "minutes": 0,
        }
        if training["waiting"] == 0 and self.free > 0:
            training["confirmed"] += 1
            return self._write(enrolment, "confirmed", events.EnrolmentConfirmed)
        training["waiting"] += 1
        enrolment["page"] = self._append(enrolment["_id"])
        return self._write(enrolment, "waitlisted", events.EnrolmentWaitlisted)

    def release(self, enrolment: Enrolment, status: EnrolmentStatus, event: type[Payload]) -> Enrolment:
        """Take a seat, an offer or a place on the waiting list back, and offer what became free to the next person.

        Returns the enrolment, now with the given status.
        """
        training = self.training
        match enrolment["status"]:
            case "confirmed":
                training["confirmed"] -= 1
            case "offered":
                training["offered"] -= 1
            case "waitlisted":
                training["waiting"] -= 1
                self._remove_from_page(enrolment)
            case other:
                raise InconsistentRead(f"an enrolment that is {other} holds nothing to release")
        released = self._write({**enrolment, "page": None, "offer_expires_at": None}, status, event)
        self._remove_from_schedule(enrolment["jakpreneur_id"])
        self.fill()
        return released

    def accept(self, enrolment: Enrolment) -> Enrolment:
        """Make an offer a seat. Returns the enrolment, now confirmed."""
        self.training["offered"] -= 1
        self.training["confirmed"] += 1
        return self._write({**enrolment, "offer_expires_at": None}, "confirmed", events.EnrolmentConfirmed)

    def fill(self) -> None:
        """Offer every free seat to the next person on the waiting list, first come first served, if offers are allowed."""
        training = self.training
        wanted = min(self.free, training["waiting"])
        if wanted <= 0 or not offers_allowed(training, self._now, self._rules):
            return
        until = min(self._now + self._rules.offer, cut_off(training, self._rules))
        for enrolment in self._changes.enrolments(self._take_first(wanted)):
            if enrolment is None or enrolment["status"] != "waitlisted":
                raise InconsistentRead("the waiting list names an enrolment that does not wait")
            training["waiting"] -= 1
            training["offered"] += 1
            offered: Enrolment = {**enrolment, "page": None, "offer_expires_at": until}
            self._write(offered, "offered", events.EnrolmentOffered, offer_expires_at=until)

    def close(self, *about: Payload) -> None:
        """Write the training with its counters; `about`: events of the training itself."""
        training = self.training
        if self.free < 0 or min(training["confirmed"], training["offered"], training["waiting"]) < 0:
            raise InconsistentRead("confirmed + offered <= quota does not hold")
        self._changes.write_training(training, about)

    def _write(self, enrolment: Enrolment, status: EnrolmentStatus, event: type[Payload], **more: datetime) -> Enrolment:
        after: Enrolment = {**enrolment, "status": status}
        self._changes.write_enrolment(after, [event.model_validate({**event_fields(after), **more})])
        return after

    def _remove_from_schedule(self, jakpreneur_id: str) -> None:
        schedule = self._changes.schedule(jakpreneur_id)
        if schedule is not None:
            others = [training for training in schedule["trainings"] if training != self.training["_id"]]
            self._changes.write_schedule({**schedule, "trainings": others})

    def _page(self, number: int) -> WaitingPage:
        identity = waiting_page_id(self.training["_id"], number)
        return self._changes.waiting_page(identity) or {"_id": identity, "enrolments": []}

    def _append(self, identity: str) -> int:
        """Append an enrolment to the waiting list; returns the number of its page."""
        page = self._page(self.training["queue_last"])
        if len(page["enrolments"]) >= PAGE:
            self.training["queue_last"] += 1
            page = self._page(self.training["queue_last"])
        self._changes.write_waiting_page({**page, "enrolments": [*page["enrolments"], identity]})
        return self.training["queue_last"]

    def _remove_from_page(self, enrolment: Enrolment) -> None:
        if enrolment["page"] is None:
            raise InconsistentRead("an enrolment that waits is on no page of the waiting list")
        page = self._page(enrolment["page"])
        others = [other for other in page["enrolments"] if other != enrolment["_id"]]
        self._changes.write_waiting_page({**page, "enrolments": others})

    def _take_first(self, wanted: int) -> list[str]:
        """Remove the first `wanted` enrolments from the waiting list and return their ids; pages that are empty are passed."""
        taken: list[str] = []
        training = self.training
        while True:
            first, last = training["queue_first"], training["queue_last"]
            ahead = range(first, min(first + _PAGES_AT_ONCE, last + 1))
            self._changes.load_waiting_pages([waiting_page_id(training["_id"], number) for number in ahead])
            for number in ahead:
                page = self._page(number)
                waiting = page["enrolments"]
                now = waiting[: wanted - len(taken)]
                if now:
                    taken += now
                    self._changes.write_waiting_page({**page, "enrolments": waiting[len(now) :]})
                if len(taken) == wanted:
                    return taken
                if number == last:
                    raise InconsistentRead("the waiting list is shorter than its count")
                training["queue_first"] = number + 1


def event_fields(enrolment: Enrolment) -> dict[str, Any]:
    """The fields that every enrolment event carries."""
    return {
        "enrolment_id": enrolment["_id"],
        "training_id": enrolment["training_id"],
        "jakpreneur_id": enrolment["jakpreneur_id"],
        "stage": enrolment["stage"],
    }
