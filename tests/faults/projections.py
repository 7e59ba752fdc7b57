"""C4: every projection equals a recount of the log; no training has more people than seats. Pure, as checker.py is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from tests.faults.collect import Collected
from tests.faults.recount import Published, figures, people, status_of
from tests.faults.violation import Harm, Violation

_LIVE = frozenset({"waitlisted", "offered", "confirmed", "attended"})
_COUNTERS = {"confirmed": "confirmed", "offered": "offered", "waiting": "waitlisted"}


def _compare(what: str, are: Mapping[Any, Any], must: Mapping[Any, Any]) -> Iterator[Violation]:
    for key in sorted(must.keys() - are.keys(), key=str):
        yield Violation("C4", "lost", f"{what} {key} is missing: must be {must[key]}")
    for key in sorted(are.keys() - must.keys(), key=str):
        yield Violation("C4", "doubled", f"{what} {key} must not be there: {are[key]}")
    for key in sorted(are.keys() & must.keys(), key=str):
        if are[key] != must[key]:
            yield Violation("C4", _harm_of(are[key], must[key]), f"{what} {key} is {are[key]}, must be {must[key]}")


def _harm_of(are: Any, must: Any) -> Harm:
    if isinstance(are, int) and isinstance(must, int):
        return "lost" if are < must else "doubled"
    return "wrong"


def metrics(collected: Collected, subjects: Mapping[str, list[Published]]) -> Iterator[Violation]:
    """Ledger, facts and every figure against the recount; the service's own reconciliation must find the same."""
    state = collected.services.get("metrics")
    if state is None:
        return
    documents = state.documents
    must = figures(dict(subjects))
    types = {event.id: {"type": event.type} for found in subjects.values() for event in found}
    yield from _compare("ledger row", _without_ids(documents["ledger"]), types)
    yield from _compare("fact", _without_ids(documents["facts"]), must.facts)
    yield from _compare("figure", state.figures, must.cells)
    if documents["pending"]:
        yield Violation("C4", "lost", f"{len(documents['pending'])} events still wait for their person's P1")
    if collected.reconciliation is not None and collected.reconciliation["difference"] != 0:
        yield Violation("C4", "wrong", f"metrics' own reconciliation: {collected.reconciliation}")


def _without_ids(documents: Mapping[Any, Mapping[str, Any]]) -> dict[Any, dict[str, Any]]:
    return {key: {name: value for name, value in doc.items() if name != "_id"} for key, doc in documents.items()}


def training(collected: Collected, subjects: Mapping[str, list[Published]]) -> Iterator[Violation]:
    """The local view of people against a fold of the log; seats, waiting lists and schedules against the enrolments."""
    state = collected.services.get("training")
    if state is None:
        return
    documents = state.documents
    yield from _compare("training's view of", _without_ids(documents["jakpreneurs"]), people(dict(subjects)))
    by_training: dict[str, Counter[str]] = defaultdict(Counter)
    schedules: dict[str, set[str]] = defaultdict(set)
    for enrolment in documents["enrolments"].values():
        by_training[enrolment["training_id"]][enrolment["status"]] += 1
        if enrolment["status"] in _LIVE:
            schedules[enrolment["jakpreneur_id"]].add(enrolment["training_id"])
    waiting: dict[str, list[str]] = defaultdict(list)
    for key in sorted(documents["waiting"]):
        waiting[key.partition(":")[0]] += documents["waiting"][key]["enrolments"]
    for identity, found in documents["trainings"].items():
        yield from _seats(identity, found, by_training[identity], waiting[identity], documents["enrolments"])
    are = {person: set(doc["trainings"]) for person, doc in documents["schedules"].items() if doc["trainings"]}
    yield from _compare("schedule of", are, schedules)
    told = {name.removeprefix("training/"): events for name, events in subjects.items() if name.startswith("training/")}
    for identity, enrolment in documents["enrolments"].items():
        if identity in told and status_of(told[identity][-1]) != enrolment["status"]:
            yield Violation("C4", "wrong", f"enrolment {identity} is {enrolment['status']}, its last event says otherwise")


def _seats(
    identity: str, found: Mapping[str, Any], held: Mapping[str, int], line: list[str], enrolments: Mapping[str, Any]
) -> Iterator[Violation]:
    seats = held.get("confirmed", 0) + held.get("offered", 0)
    if seats > found["quota"]:
        yield Violation("C4", "doubled", f"training {identity} gave {seats} seats of {found['quota']}")
    for counter, status in _COUNTERS.items():
        if found[counter] != held.get(status, 0):
            yield Violation("C4", "wrong", f"training {identity} counts {found[counter]} {status}: {held.get(status, 0)} are")
    must = {name for name, doc in enrolments.items() if doc["training_id"] == identity and doc["status"] == "waitlisted"}
    if set(line) != must or len(line) != len(must):
        yield Violation("C4", "wrong", f"the waiting list of {identity} is {line}, waiting are {sorted(must)}")
    if line and seats < found["quota"] and found["status"] == "published":
        yield Violation("C4", "lost", f"training {identity} has free seats while {len(line)} people wait")


def registration(collected: Collected, subjects: Mapping[str, list[Published]]) -> Iterator[Violation]:
    """What registration says of a person is what it told the others last."""
    for person, document in collected.services["registration"].documents["jakpreneurs"].items():
        told = subjects.get(f"registration/{person}")
        last = status_of(told[-1]) if told else None
        if told and {"registered": "submitted"}.get(str(last), last) != document["status"]:
            yield Violation("C4", "wrong", f"person {person} is {document['status']}, the last event says {last}")
