"""Training over HTTP: request and response models, and which use case a route calls. Decides nothing."""

from __future__ import annotations

from fastapi import APIRouter

from services.training.api import attendance, enrolments, partners, trainings
from services.training.use_cases import UseCases


def routes(use_cases: UseCases) -> list[APIRouter]:
    """All routes of the service."""
    return [
        partners.routes(use_cases),
        trainings.routes(use_cases),
        enrolments.routes(use_cases),
        attendance.routes(use_cases),
    ]
