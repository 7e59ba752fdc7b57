"""R11: the desk of one training, where seats are given, offered and freed. **confirmed + offered <= quota, always.**

Counters live in the training, so every change of a seat is guarded by the training's version. The waiting list is a row of
pages in order of arrival; a page is a document of up to 200 enrolment ids, so that the next people are found without a
query and one who gives up is taken out at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from chassis.documents import Document
from chassis.writing.changes import Changes
from chassis.writing.decision import InconsistentRead
from contracts import training as events
from contracts.envelope import Payload
from services.training.documents import ENROLMENTS, SCHEDULES, TRAININGS, WAITING, enrolment_id, waiting_page_id
from services.training.policy import Rules

PAGE: Final = 200
_PAGES_AT_ONCE: Final = 20


def cut_off(training: Mapping[str, Any], rules: Rules) -> datetime:
    """No offer is made or accepted from here on."""
    starts_at: datetime = training["starts_at"]
    return starts_at - rules.cut_off


def offers_allowed(training: Mapping[str, Any], now: datetime, rules: Rules) -> bool:
    """Only while registration is open (unless the setting says otherwise), and never after the cut-off."""
    if now >= cut_off(training, rules):
        return False
    if training["status"] == "published" and now < training["registration_deadline"]:
        return True
    return rules.offers_after_close and training["status"] in ("published", "closed")


class Desk:
    """One training's seats within one decision. Call `close` at the end: it writes the training."""

    def __init__(self, changes: Changes, training: Document, rules: Rules, now: datetime) -> None:
        self.training: Document = dict(training)
        self._changes = changes
        self._rules = rules
        self._now = now

    @property
    def free(self) -> int:
        """Seats that nobody has and nobody was offered."""
        training = self.training
        return int(training["quota"] - training["confirmed"] - training["offered"])

    def admit(self, jakpreneur_id: str, by: str) -> Document:
        """Confirm while seats are free and nobody waits; else to the end of the waiting list. Returns the enrolment."""
        training = self.training
        identity = enrolment_id(training["_id"], jakpreneur_id)
        enrolment: Document = {
            "_id": identity,
            "training_id": training["_id"],
            "jakpreneur_id": jakpreneur_id,
            "stage": training["stage"],
            "enrolled_at": self._now,
            "enrolled_by": by,
            "page": None,
            "offer_expires_at": None,
            "scans": [],
            "minutes": 0,
        }
        if training["waiting"] == 0 and self.free > 0:
            training["confirmed"] += 1
            self._write(enrolment, "confirmed", events.EnrolmentConfirmed)
        else:
            training["waiting"] += 1
            enrolment["page"] = self._append(identity)
            self._write(enrolment, "waitlisted", events.EnrolmentWaitlisted)
        return self._changes.need(ENROLMENTS, identity, "Pendaftaran", "Enrolment")

    def release(self, enrolment: Document, status: str, event: type[Payload]) -> None:
        """Give up a seat, an offer or a place in the list, once; what became free goes to the next at once."""
        training = self.training
        match enrolment["status"]:
            case "confirmed":
                training["confirmed"] -= 1
            case "offered":
                training["offered"] -= 1
            case "waitlisted":
                training["waiting"] -= 1
                self._take_out(enrolment)
            case other:
                raise InconsistentRead(f"an enrolment that is {other} holds nothing to release")
        self._write({**enrolment, "page": None, "offer_expires_at": None}, status, event)
        self._forget(enrolment["jakpreneur_id"])
        self.fill()

    def accept(self, enrolment: Document) -> None:
        """An offer becomes a seat."""
        self.training["offered"] -= 1
        self.training["confirmed"] += 1
        self._write({**enrolment, "offer_expires_at": None}, "confirmed", events.EnrolmentConfirmed)

    def fill(self) -> None:
        """Offer every free seat to the next in line, first come first served; nothing after the cut-off."""
        training = self.training
        wanted = min(self.free, training["waiting"])
        if wanted <= 0 or not offers_allowed(training, self._now, self._rules):
            return
        until = min(self._now + self._rules.offer, cut_off(training, self._rules))
        for enrolment in self._changes.get_many(ENROLMENTS, self._next(wanted)):
            if enrolment is None or enrolment["status"] != "waitlisted":
                raise InconsistentRead("the waiting list names an enrolment that doesn't wait")
            training["waiting"] -= 1
            training["offered"] += 1
            offered = {**enrolment, "page": None, "offer_expires_at": until}
            self._write(offered, "offered", events.EnrolmentOffered, offer_expires_at=until)

    def close(self, *about: Payload) -> None:
        """Write the training with its counters."""
        training = self.training
        if self.free < 0 or min(training["confirmed"], training["offered"], training["waiting"]) < 0:
            raise InconsistentRead("confirmed + offered <= quota doesn't hold")
        self._changes.write(TRAININGS, training, about)

    def _write(self, enrolment: Document, status: str, event: type[Payload], **more: Any) -> None:
        about = event.model_validate({**facts(enrolment), **more})
        self._changes.write(ENROLMENTS, {**enrolment, "status": status}, [about])

    def _forget(self, jakpreneur_id: str) -> None:
        schedule = self._changes.get(SCHEDULES, jakpreneur_id)
        if schedule is not None:
            others = [training for training in schedule["trainings"] if training != self.training["_id"]]
            self._changes.write(SCHEDULES, {**schedule, "trainings": others})

    def _page(self, number: int) -> Document:
        identity = waiting_page_id(self.training["_id"], number)
        return self._changes.get(WAITING, identity) or {"_id": identity, "enrolments": []}

    def _append(self, identity: str) -> int:
        page = self._page(self.training["queue_last"])
        if len(page["enrolments"]) >= PAGE:
            self.training["queue_last"] += 1
            page = self._page(self.training["queue_last"])
        self._changes.write(WAITING, {**page, "enrolments": [*page["enrolments"], identity]})
        return int(self.training["queue_last"])

    def _take_out(self, enrolment: Document) -> None:
        page = self._page(enrolment["page"])
        self._changes.write(WAITING, {**page, "enrolments": [other for other in page["enrolments"] if other != enrolment["_id"]]})

    def _next(self, wanted: int) -> list[str]:
        """Take the first `wanted` out of the list, passing over pages that have become empty."""
        taken: list[str] = []
        training = self.training
        while True:
            first, last = training["queue_first"], training["queue_last"]
            ahead = range(first, min(first + _PAGES_AT_ONCE, last + 1))
            self._changes.get_many(WAITING, [waiting_page_id(training["_id"], number) for number in ahead])
            for number in ahead:
                page = self._page(number)
                waiting = page["enrolments"]
                now = waiting[: wanted - len(taken)]
                if now:
                    taken += now
                    self._changes.write(WAITING, {**page, "enrolments": waiting[len(now) :]})
                if len(taken) == wanted:
                    return taken
                if number == last:
                    raise InconsistentRead("the waiting list is shorter than its count")
                training["queue_first"] = number + 1


def facts(enrolment: Mapping[str, Any]) -> dict[str, Any]:
    """What every enrolment event says."""
    return {
        "enrolment_id": enrolment["_id"],
        **{name: enrolment[name] for name in ("training_id", "jakpreneur_id", "stage")},
    }
