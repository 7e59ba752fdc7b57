"""Training's OpenAPI document, as partners' developers read it."""

from __future__ import annotations

from typing import Any

from chassis.http.app import create_app
from services.training.attendance import api as attendance
from services.training.enrolments import api as enrolments
from services.training.partners import api as partners
from services.training.settings import TrainingSettings
from services.training.trainings import api as trainings


def openapi() -> dict[str, Any]:
    """The document; nothing behind the routes is needed for it."""
    routers = [partners.routes(), trainings.routes(), enrolments.routes(), attendance.routes()]
    return create_app("training", TrainingSettings(), routers, None).openapi()
