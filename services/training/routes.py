"""Training over HTTP: request and response models, and which use case a route calls. Decides nothing."""

from __future__ import annotations

from fastapi import APIRouter

from services.training.attendance import api as attendance
from services.training.enrolments import api as enrolments
from services.training.partners import api as partners
from services.training.trainings import api as trainings
from services.training.use_cases import UseCases


def routes(use_cases: UseCases) -> list[APIRouter]:
    """All routes of the service."""
    return [
        partners.routes(use_cases),
        trainings.routes(use_cases),
        enrolments.routes(use_cases),
        attendance.routes(use_cases),
    ]
