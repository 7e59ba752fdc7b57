"""The documents of this service: collection names, and the ids that tie documents together.

An `_id` is what makes something unique: one enrolment for a person and training, one scan for a nonce, one training for
a partner's external id.
"""

from __future__ import annotations

PARTNERS = "partners"
API_KEYS = "api_keys"  # _id: the key's public kid
TRAININGS = "trainings"  # hold the counters of seats, so that every change of a seat meets every other one
EXTERNAL_IDS = "external_ids"
ENROLMENTS = "enrolments"
WAITING = "waiting"  # pages of a training's waiting list, in order of arrival
SCHEDULES = "schedules"  # _id: jakpreneur_id; the trainings in which the person has a live enrolment
SCANS = "scans"
JAKPRENEURS = "jakpreneurs"  # the local view of registration's people; never written here


def enrolment_id(training_id: str, jakpreneur_id: str) -> str:
    """One person's way through one training, however often they give up and come back."""
    return f"{training_id}:{jakpreneur_id}"


def training_of(enrolment: str) -> str:
    """The training in an enrolment id."""
    return enrolment.partition(":")[0]


def waiting_page_id(training_id: str, number: int) -> str:
    """A page of the waiting list."""
    return f"{training_id}:{number:08d}"


def scan_id(training_id: str, nonce: str) -> str:
    """Scans dedupe by nonce (R12)."""
    return f"{training_id}:{nonce}"


def external_id_of(partner_id: str | None, external_id: str) -> str:
    """The owner's own id of a training; trainings of the offices themselves share one space."""
    return f"{partner_id or 'office'}:{external_id}"
