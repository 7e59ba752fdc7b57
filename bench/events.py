"""Synthetic events for the read side: people registered and verified, as Kafka messages or as decoded events."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from contracts.envelope import Event, event_id, to_headers
from contracts.registration import JakpreneurRegistered, JakpreneurVerified
from services.registration.reference import areas, commodities, dinas

_SOURCE = "/services/registration"
_ID = string.digits + string.ascii_letters
_FIRST_DAY, _DAYS = date(2018, 2, 1), 1125


def people(count: int, seed: int = 5) -> Iterator[tuple[Event, Event]]:
    """The two events of each person, days growing as in the programme's history."""
    rng = random.Random(seed)
    groups, offices = list(commodities.COMMODITIES), list(dinas.DINAS)
    for number in range(count):
        area = rng.choice(areas.ALL)
        person = f"jkp_{''.join(rng.choices(_ID, k=16))}"
        day = _FIRST_DAY + timedelta(days=number * _DAYS // count)
        profile = {
            "jakpreneur_id": person,
            "kelurahan": area.kelurahan,
            "kecamatan": area.kecamatan,
            "kota": area.kota,
            "category": rng.choice(("pemula", "naik_kelas")),
            "gender": rng.choice(("female", "male")),
            "commodity": rng.choice(groups),
            "dinas": rng.choice(offices),
            "registered_on": day,
        }
        at = datetime(day.year, day.month, day.day, 3, tzinfo=UTC)
        registered = JakpreneurRegistered.model_validate({**profile, "channel": "import"})
        verified = JakpreneurVerified.model_validate({**profile, "verified_on": day})
        yield (
            Event(event_id(person, 1), _SOURCE, person, 1, at, registered),
            Event(event_id(person, 2), _SOURCE, person, 2, at, verified),
        )


def message(event: Event) -> dict[str, object]:
    """As a Kafka record: key, value, headers."""
    headers = to_headers(
        type_name=event.type,
        source=event.source,
        subject=event.subject,
        sequence=event.sequence,
        time=event.time,
        traceparent=None,
    )
    value = event.data.model_dump_json(exclude_none=True).encode()
    return {"key": event.subject.encode(), "value": value, "headers": headers}
