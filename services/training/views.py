"""Documents as replies: plain JSON, times in Jakarta's offset. No decision is taken here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from chassis.calendar import JAKARTA
from chassis.documents import Document


def moment(value: datetime | None) -> str | None:
    """With offset +07:00."""
    return value.astimezone(JAKARTA).isoformat() if value is not None else None


def partner(
    document: Mapping[str, Any], contact: Mapping[str, str], keys: Iterable[Mapping[str, Any]], *, masked: bool
) -> Document:
    """A partner; the contact person masked unless it is the partner who asks."""
    return {
        "partner_id": document["_id"],
        **{name: document[name] for name in ("name", "kind", "status", "approval_required", "version")},
        **{name: _masked(value) if masked else value for name, value in contact.items()},
        "api_keys": [{name: key[name] for name in ("scopes", "expires_on")} | {"kid": key["_id"]} for key in keys],
    }


def _masked(value: str) -> str:
    """`siti@contoh.ac.id` -> `s***@contoh.ac.id`, `Siti Aminah` -> `S*** A***`."""
    name, at, host = value.rpartition("@")
    if at:
        return f"{name[:1]}***@{host}"
    return " ".join(f"{word[:1]}***" for word in value.split()[:4])


def training(document: Mapping[str, Any], *, owner: bool) -> Document:
    """A training with its seats. Why it was cancelled is for all; what else was said along its way is between its owners."""
    seats = {name: document[name] for name in ("confirmed", "offered", "waiting")}
    return {
        "training_id": document["_id"],
        **{
            name: document[name]
            for name in ("partner_id", "external_id", "title", "description", "stage", "dinas", "audience", "status", "quota")
        },
        "reason": document["reason"] if owner or document["status"] == "cancelled" else None,
        "sessions": [
            {**session, "starts_at": moment(session["starts_at"]), "ends_at": moment(session["ends_at"])}
            for session in document["sessions"]
        ],
        "registration_deadline": moment(document["registration_deadline"]),
        "seats": {**seats, "free": document["quota"] - document["confirmed"] - document["offered"]},
        "revision": document["revision"],
    }


def enrolment(document: Mapping[str, Any], position: int | None = None) -> Document:
    """An enrolment."""
    return {
        "enrolment_id": document["_id"],
        **{name: document[name] for name in ("training_id", "jakpreneur_id", "status", "minutes")},
        "position": position,
        "enrolled_at": moment(document["enrolled_at"]),
        "offer_expires_at": moment(document["offer_expires_at"]),
    }
