"""What the projections must show, recounted from the log of events in plain Python, with none of the services' code.

A published event is (source, subject, sequence); what was sent twice is one event.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.faults.collect import DAYS, Message, cell

PROFILE = ("kelurahan", "kecamatan", "kota", "category", "gender", "commodity", "dinas")
_ATTRIBUTES = ("kota", "kecamatan", "commodity", "category", "gender", "dinas")


@dataclass(frozen=True, slots=True)
class Published:
    """One distinct event. `type` is short: `registration.jakpreneur.registered.v1`."""

    service: str
    subject: str
    sequence: int
    type: str
    data: dict[str, Any]

    @property
    def id(self) -> str:
        """`<service>/<subject>:<sequence>`."""
        return f"{self.service}/{self.subject}:{self.sequence}"


def event_of(message: Message) -> Published:
    """Decode a well-formed message."""
    headers = message.headers
    return Published(
        service=headers["ce_source"].removeprefix("/services/"),
        subject=headers["ce_subject"],
        sequence=int(headers["ce_sequence"]),
        type=headers["ce_type"].removeprefix("id.go.jakarta.jakpreneur."),
        data=json.loads(message.value),
    )


def in_order(events: Iterable[Published]) -> dict[str, list[Published]]:
    """`<service>/<subject>` -> its distinct events by sequence."""
    subjects: dict[str, dict[int, Published]] = defaultdict(dict)
    for event in events:
        subjects[f"{event.service}/{event.subject}"].setdefault(event.sequence, event)
    return {subject: [found[number] for number in sorted(found)] for subject, found in subjects.items()}


@dataclass
class Figures:
    """What metrics must hold: its facts by `<person>:<stage>`, and every cell (see collect.cell)."""

    facts: dict[str, dict[str, Any]]
    cells: dict[str, int]


def figures(subjects: dict[str, list[Published]]) -> Figures:
    """People registered, and people with each stage by the day of its first evidence, with the attributes of their P1."""
    registered: list[tuple[str, dict[str, str]]] = []
    profiles: dict[str, dict[str, str]] = {}
    evidence: dict[tuple[str, str], str] = {}
    for event in (event for found in subjects.values() for event in found):
        data = event.data
        match event.type:
            case "registration.jakpreneur.registered.v1":
                registered.append((data["registered_on"], _attributes(data)))
                continue
            case "registration.jakpreneur.verified.v1":
                profiles[data["jakpreneur_id"]] = _attributes(data)
                person, stage, day = data["jakpreneur_id"], "P1", data["verified_on"]
            case "training.enrolment.completed.v1":
                person, stage, day = data["jakpreneur_id"], data["stage"], data["completed_on"]
            case "metrics.assessment.submitted.v1":
                person, stage, day = data["jakpreneur_id"], "P6", data["submitted_on"]
            case _:
                continue
        evidence[person, stage] = min(day, evidence.get((person, stage), day))
    facts = {
        f"{person}:{stage}": {"stage": stage, "day": day, **profiles[person]}
        for (person, stage), day in evidence.items()
        if person in profiles
    }
    cells: dict[str, int] = defaultdict(int)
    for day, attributes in registered:
        _count(cells, "registered", day, attributes)
    for fact in facts.values():
        _count(cells, fact["stage"], fact["day"], fact)
    return Figures(facts, dict(cells))


def _attributes(data: dict[str, Any]) -> dict[str, str]:
    return {name: data.get(name) or "unknown" for name in _ATTRIBUTES}


def _count(cells: dict[str, int], measure: str, day: str, who: dict[str, Any]) -> None:
    values = {"all": "all", **{name: who[name] for name in _ATTRIBUTES}, "dinas+kota": f"{who['dinas']}+{who['kota']}"}
    for dimension, value in values.items():
        for period in ("", day[:7], *([day] if dimension in DAYS else [])):
            cells[cell(measure, dimension, value, period)] += 1


def people(subjects: dict[str, list[Published]]) -> dict[str, dict[str, Any]]:
    """Training's view of registration's people: status, last sequence, profile."""
    view: dict[str, dict[str, Any]] = {}
    for name, events in subjects.items():
        if not name.startswith("registration/"):
            continue
        person: dict[str, Any] = {}
        for event in events:
            if event.type in ("registration.jakpreneur.registered.v1", "registration.jakpreneur.verified.v1"):
                person |= {field: event.data.get(field) for field in PROFILE}
            person |= {"status": status_of(event), "last": event.sequence}
        view[events[0].subject] = person
    return view


def status_of(event: Published) -> str:
    """The participle in an event's type, which is what its subject has become."""
    return event.type.split(".")[2]
