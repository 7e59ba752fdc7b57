"""Every event type of the platform, as one literal table, and who publishes it."""

from __future__ import annotations

from contracts import metrics, registration, training
from contracts.envelope import Payload

PUBLISHERS: dict[str, tuple[type[Payload], ...]] = {
    "registration": registration.EVENTS,
    "training": training.EVENTS,
    "metrics": metrics.EVENTS,
}

TYPES: dict[str, type[Payload]] = {event.TYPE: event for events in PUBLISHERS.values() for event in events}
TOPICS: dict[str, tuple[str, ...]] = {
    publisher: tuple(dict.fromkeys(event.TOPIC for event in events)) for publisher, events in PUBLISHERS.items()
}
