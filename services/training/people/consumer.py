"""The consumer of registration's events: a literal table folds them into the local view `jakpreneurs`."""

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


def _registered(person: Document, event: JakpreneurRegistered) -> Document:
    return {**person, **_profile(event), "status": "registered"}


def _verified(person: Document, event: JakpreneurVerified) -> Document:
    return {**person, **_profile(event), "status": "verified"}


def _rejected(person: Document, _event: JakpreneurRejected) -> Document:
    return {**person, "status": "rejected"}


def _profile(event: registration.Profile) -> Document:
    return {name: getattr(event, name) for name in _PROFILE}


VIEW: Final[Mapping[type[Payload], Callable[[Document, Any], Document]]] = {
    JakpreneurRegistered: _registered,
    JakpreneurVerified: _verified,
    JakpreneurRejected: _rejected,
}


def fold(person: Document, event: Event) -> Document:
    """The view of a person (documents.Person) after one event. An event that VIEW does not name changes nothing."""
    change = VIEW.get(type(event.data))
    return change(person, event.data) if change else person


def consumers(mongo: Mongo, settings: Settings) -> list[Consumer]:
    """All consumers of the service.

    Every event type of the topic is registered, also those that VIEW does not name: otherwise they would be dead letters.
    """
    view = LocalView(mongo, JAKPRENEURS, fold)
    return [Consumer(mongo, settings, NAME, [registration.TOPIC], Projection(mongo, registration.EVENTS, view.project))]
