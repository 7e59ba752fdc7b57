"""The ledger check: C1 to C5 over what collect.py read. Pure: data in, violations out.

C1 what clients were promised is stored, what was refused is not, and nothing else is there.
C2 stored, published and distinct event ids are equal sets; the outbox is empty.
C3 each subject's events are 1..n on one partition, first occurrences in order.
C4 every projection equals a recount; no training has more people than seats (projections.py).
C5 stored positions are the ends of their partitions; dead letters are exactly those planted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.collect import Collected, Message
from tests.faults.ledger import Act
from tests.faults.projections import metrics, registration, training
from tests.faults.recount import Published, event_of, in_order
from tests.faults.violation import Harm, Violation


@dataclass
class Verdict:
    """All violations, and the numbers that belong beside the zeros."""

    violations: list[Violation] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def checks(self) -> set[str]:
        """Which checks failed."""
        return {violation.check for violation in self.violations}

    def harm(self, kind: Harm) -> int:
        """How many violations of a kind."""
        return sum(violation.harm == kind for violation in self.violations)


def check(collected: Collected) -> Verdict:
    """Run all checks."""
    planted = {letter.place for letter in collected.planted}
    messages = [message for message in collected.log if message.place not in planted]
    published, unreadable = _decode(messages)
    subjects = in_order(event for _, event in published)
    violations = [
        *unreadable,
        *promises(collected),
        *outboxes(collected, subjects),
        *order(published),
        *metrics(collected, subjects),
        *training(collected, subjects),
        *registration(collected, subjects),
        *positions(collected),
        *letters(collected),
    ]
    outcomes = Counter(act.outcome for act in collected.acts)
    counts = {
        "acts": len(collected.acts),
        **{name: outcomes[name] for name in ("ok", "fail", "unknown")},
        "unknown_but_stored": sum(act.outcome == "unknown" and _record(collected, act) is not None for act in collected.acts),
        "messages": len(collected.log),
        "events": sum(len(found) for found in subjects.values()),
        "sent_again": len(published) - sum(len(found) for found in subjects.values()),
        "subjects": len(subjects),
        "planted": len(planted),
    }
    return Verdict(violations, counts)


def _decode(messages: Iterable[Message]) -> tuple[list[tuple[Message, Published]], list[Violation]]:
    published, unreadable = [], []
    for message in messages:
        try:
            published.append((message, event_of(message)))
        except (KeyError, ValueError) as error:
            unreadable.append(Violation("C2", "wrong", f"{message.place} was not planted and is no event: {error!r}"))
    return published, unreadable


# C1

_SERVICE_OF = {"register": "registration", "verify": "registration", "enrol": "training", "cancel": "training"}


def promises(collected: Collected) -> Iterator[Violation]:
    """C1: ok is in stored, stored is in ok or unknown, failed and stored have nothing in common."""
    claimed: dict[tuple[str, Any], str] = {}
    for act in collected.acts:
        record = _record(collected, act)
        if record is None:
            if act.outcome == "ok":
                yield Violation("C1", "lost", f"{act.kind} {act.key} was acknowledged and is not stored: {act.what}")
            continue
        if act.outcome == "fail":
            yield Violation("C1", "wrong", f"{act.kind} {act.key} was refused ({act.status}) and is stored: {act.what}")
        if act.outcome == "ok" and record != _as_stored(act):
            yield Violation("C1", "wrong", f"{act.kind} {act.key} was answered {act.reply} and stored as {record}")
        effect = _effect(act, record)
        if effect in claimed:
            yield Violation("C1", "doubled", f"{effect} belongs to two requests: {claimed[effect]} and {act.key}")
        claimed[effect] = act.key
        yield from _stored(collected, act, record)
    yield from _nothing_else(collected, claimed)


def _record(collected: Collected, act: Act) -> dict[str, Any] | None:
    return collected.services[_SERVICE_OF[act.kind]].replies.get(act.key)


def _as_stored(act: Act) -> dict[str, Any]:
    return {"enrolments": [act.reply]} if act.kind == "enrol" else act.reply


def _effect(act: Act, record: Mapping[str, Any]) -> tuple[str, Any]:
    match act.kind:
        case "enrol":
            return act.kind, record["enrolments"][0]["enrolment_id"]
        case "cancel":
            return act.kind, record["enrolment_id"]
        case _:
            return act.kind, record["jakpreneur_id"]


def _stored(collected: Collected, act: Act, record: Mapping[str, Any]) -> Iterator[Violation]:
    """The documents that a stored request must have left."""
    people = collected.services["registration"].documents["jakpreneurs"]
    _, identity = _effect(act, record)
    match act.kind:
        case "register":
            if identity not in people:
                yield Violation("C1", "lost", f"person {identity} of request {act.key} is not stored")
            if collected.people.get(act.what["nik"]) != identity:
                yield Violation("C1", "wrong", f"the NIK of request {act.key} names another person than {identity}")
        case "verify":
            status = people.get(identity, {}).get("status")
            if status != record["status"]:
                yield Violation("C1", "lost", f"person {identity} was decided {record['status']} and is {status}")
        case _:
            enrolment = collected.services["training"].documents["enrolments"].get(identity)
            if enrolment is None:
                yield Violation("C1", "lost", f"enrolment {identity} of request {act.key} is not stored")
            elif act.kind == "cancel" and enrolment["status"] != "cancelled":
                yield Violation("C1", "lost", f"enrolment {identity} was cancelled and is {enrolment['status']}")


def _nothing_else(collected: Collected, claimed: Mapping[tuple[str, Any], str]) -> Iterator[Violation]:
    """What is stored was asked for: nobody is there twice, and nobody whom no client registered."""
    registration = collected.services["registration"].documents
    for person, document in registration["jakpreneurs"].items():
        if ("register", person) not in claimed:
            yield Violation("C1", "doubled", f"person {person} is stored, and no client's request made it")
        if document["status"] != "submitted" and ("verify", person) not in claimed:
            yield Violation("C1", "wrong", f"person {person} is {document['status']}, and no client decided it")
    named = Counter(identity["jakpreneur_id"] for identity in registration["identities"].values())
    for person in registration["jakpreneurs"].keys() | named.keys():
        if named[person] != 1 or person not in registration["jakpreneurs"]:
            yield Violation("C1", "wrong", f"person {person} has {named[person]} identities")
    if "training" not in collected.services:
        return
    for identity, enrolment in collected.services["training"].documents["enrolments"].items():
        if ("enrol", identity) not in claimed:
            yield Violation("C1", "doubled", f"enrolment {identity} is stored, and no client's request made it")
        if enrolment["status"] == "cancelled" and ("cancel", identity) not in claimed:
            yield Violation("C1", "wrong", f"enrolment {identity} is cancelled, and no client's request did it")


# C2 and C3


def outboxes(collected: Collected, subjects: Mapping[str, list[Published]]) -> Iterator[Violation]:
    """C2: a document's sequence says which events must have been published: 1..sequence, and no others."""
    must = {
        f"{service}/{subject}:{number}"
        for service, state in collected.services.items()
        for subject, sequence in state.sequences.items()
        for number in range(1, sequence + 1)
    }
    are = {event.id for found in subjects.values() for event in found}
    for identity in sorted(must - are):
        yield Violation("C2", "lost", f"event {identity} was stored and is not published")
    for identity in sorted(are - must):
        yield Violation("C2", "wrong", f"event {identity} was published and is not stored")
    for service, state in collected.services.items():
        if state.outbox:
            yield Violation("C2", "lost", f"{service}'s outbox still holds {len(state.outbox)} commits: {state.outbox[:5]}")


def order(published: Iterable[tuple[Message, Published]]) -> Iterator[Violation]:
    """C3: by subject, on one partition, first occurrences 1, 2, 3 …; and the same id always says the same."""
    seen: dict[str, int] = defaultdict(int)
    known: dict[str, Published] = {}
    homes: dict[str, tuple[str, int]] = {}
    for message, event in published:
        subject = f"{event.service}/{event.subject}"
        home = homes.setdefault(subject, (message.topic, message.partition))
        if home != (message.topic, message.partition):
            yield Violation("C3", "out of order", f"{event.id} is on {message.place}, its subject began on {home}")
        first = known.setdefault(event.id, event)
        if first is not event:
            if first != event:
                yield Violation("C3", "wrong", f"{event.id} says something else the second time")
            continue
        if event.sequence != seen[subject] + 1:
            yield Violation("C3", "out of order", f"{event.id} came first after {seen[subject]} of its subject")
        seen[subject] = max(seen[subject], event.sequence)


# C5


def positions(collected: Collected) -> Iterator[Violation]:
    """C5: each consumer's stored positions are the ends of its partitions."""
    for consumer, (service, topics) in collected.subscriptions.items():
        stored = {key[1:]: offset for key, offset in collected.services[service].positions.items() if key[0] == consumer}
        must = {place: end for place, end in collected.ends.items() if place[0] in topics}
        for place in sorted(must.keys() | stored.keys()):
            if stored.get(place) != must.get(place):
                text = f"{consumer} stands at {stored.get(place)} of {place}, which ends at {must.get(place)}"
                yield Violation("C5", "lost", text)


def letters(collected: Collected) -> Iterator[Violation]:
    """C5: for each consumer that reads the topic, each planted message is the dead letter that it must be; no others."""
    for consumer, (service, topics) in collected.subscriptions.items():
        stored = {key[1:]: letter for key, letter in collected.services[service].letters.items() if key[0] == consumer}
        must = {planted.place: (planted.state, planted.reason) for planted in collected.planted if planted.topic in topics}
        for place in sorted(must.keys() | stored.keys()):
            if place not in stored:
                yield Violation("C5", "lost", f"{consumer} has no dead letter for {place}, which is {must[place]}")
            elif place not in must:
                yield Violation("C5", "wrong", f"{consumer} put {place} aside as {stored[place]}, and nobody planted it")
            elif stored[place] != must[place]:
                yield Violation("C5", "wrong", f"{consumer} put {place} aside as {stored[place]}: must be {must[place]}")
