"""What training learns of registration's people: a local view, folded from events by a literal table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from chassis.consuming.consumer import Consumer
from chassis.consuming.effect import Projection
from chassis.consuming.local_view import LocalView
from chassis.database.mongo import Mongo
from chassis.documents import Document
from chassis.settings import Settings
from contracts import registration
from contracts.envelope import Event, Payload
from contracts.registration import JakpreneurRegistered, JakpreneurRejected, JakpreneurVerified
from services.training.documents import JAKPRENEURS

NAME: Final = "people"
_PROFILE: Final = ("kelurahan", "kecamatan", "kota", "category", "gender", "commodity", "dinas")


def _registered(person: Document, profile: Any) -> Document:
    return {**person, **_profile(profile), "status": "registered"}


def _verified(person: Document, profile: Any) -> Document:
    return {**person, **_profile(profile), "status": "verified"}


def _rejected(person: Document, _data: Any) -> Document:
    return {**person, "status": "rejected"}


def _profile(profile: Any) -> Document:
    return {name: getattr(profile, name) for name in _PROFILE}


VIEW: Final[Mapping[type[Payload], Callable[[Document, Any], Document]]] = {
    JakpreneurRegistered: _registered,
    JakpreneurVerified: _verified,
    JakpreneurRejected: _rejected,
}


def fold(person: Document, event: Event) -> Document:
    """The view after one event; one that the table doesn't name changes nothing here, and isn't an error."""
    change = VIEW.get(type(event.data))
    return change(person, event.data) if change else person


def consumers(mongo: Mongo, settings: Settings) -> list[Consumer]:
    """All consumers of the service. Every type of the topic is known, so that a new one isn't taken for poison."""
    view = LocalView(mongo, JAKPRENEURS, fold)
    return [Consumer(mongo, settings, NAME, [registration.TOPIC], Projection(mongo, registration.EVENTS, view.project))]
