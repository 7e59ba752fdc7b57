"""Enrolments as replies: plain JSON, times in Jakarta's offset. No decision is taken here."""

from __future__ import annotations

from chassis.documents import Document
from services.training.documents import Enrolment
from services.training.trainings.replies import jakarta_time


def enrolment(document: Enrolment, position: int | None = None) -> Document:
    """An enrolment; `position`: its place on the waiting list, from 1, where it was asked for."""
    expires_at = document["offer_expires_at"]
    return {
        "enrolment_id": document["_id"],
        "training_id": document["training_id"],
        "jakpreneur_id": document["jakpreneur_id"],
        "status": document["status"],
        "minutes": document["minutes"],
        "position": position,
        "enrolled_at": jakarta_time(document["enrolled_at"]),
        "offer_expires_at": jakarta_time(expires_at) if expires_at is not None else None,
    }
