"""Trainings as replies: plain JSON, times in Jakarta's offset. No decision is taken here."""

from __future__ import annotations

from datetime import datetime

from chassis.calendar import JAKARTA
from chassis.documents import Document
from services.training.documents import StoredSession, Training


def jakarta_time(moment: datetime) -> str:
    """ISO 8601 with offset +07:00."""
    return moment.astimezone(JAKARTA).isoformat()


def training(document: Training, *, owner: bool) -> Document:
    """A training with its seats. The reason for a cancellation is public; reasons for other steps are shown only to the owner."""
    return {
        "training_id": document["_id"],
        "partner_id": document["partner_id"],
        "external_id": document["external_id"],
        "title": document["title"],
        "description": document["description"],
        "stage": document["stage"],
        "dinas": document["dinas"],
        "audience": document["audience"],
        "status": document["status"],
        "quota": document["quota"],
        "reason": document["reason"] if owner or document["status"] == "cancelled" else None,
        "sessions": [_session(session) for session in document["sessions"]],
        "registration_deadline": jakarta_time(document["registration_deadline"]),
        "seats": {
            "confirmed": document["confirmed"],
            "offered": document["offered"],
            "waiting": document["waiting"],
            "free": document["quota"] - document["confirmed"] - document["offered"],
        },
        "revision": document["revision"],
    }


def _session(session: StoredSession) -> Document:
    return {
        "starts_at": jakarta_time(session["starts_at"]),
        "ends_at": jakarta_time(session["ends_at"]),
        "place": session["place"],
        "online_url": session["online_url"],
    }
