"""The ledger check on data made up by hand: a sound world passes, and each way to break it is found. No server."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from contracts.envelope import TYPE_PREFIX
from tests.faults.checker import check
from tests.faults.collect import Collected, Message, Planted, ServiceState
from tests.faults.ledger import Act

PEOPLE, ENROLMENTS, TRAININGS = "registration.jakpreneurs.v1", "training.enrolments.v1", "training.trainings.v1"
SITI, BUDI, RINA = "jkp_siti", "jkp_budi", "jkp_rina"
PROFILE = {
    "kelurahan": "31.71.01.1001", "kecamatan": "31.71.01", "kota": "31.71",
    "category": "pemula", "gender": "female", "dinas": "PPKUKM",
}  # fmt: skip
CELLS = {
    "all": "all", "kota": "31.71", "kecamatan": "31.71.01", "commodity": "unknown", "category": "pemula",
    "gender": "female", "dinas": "PPKUKM", "dinas+kota": "PPKUKM+31.71",
}  # fmt: skip
DAILY = ("all", "kota", "dinas", "dinas+kota")
Break = Callable[[Collected], None]


def message(topic: str, offset: int, subject: str, sequence: int, kind: str, data: dict[str, Any], partition: int = 0) -> Message:
    """One event as it lies in a topic."""
    service = topic.partition(".")[0]
    headers = {
        "ce_source": f"/services/{service}",
        "ce_subject": subject,
        "ce_sequence": str(sequence),
        "ce_type": f"{TYPE_PREFIX}{service}.{kind}.v1",
        "ce_id": f"{subject}:{sequence}",
    }
    return Message(topic, partition, offset, headers, json.dumps(data).encode())


def registered(offset: int, person: str) -> Message:
    """A registration of 1 February 2021."""
    data = {"jakpreneur_id": person, **PROFILE, "registered_on": "2021-02-01", "channel": "online"}
    return message(PEOPLE, offset, person, 1, "jakpreneur.registered", data)


def verified(offset: int, person: str) -> Message:
    """A verification of 2 February 2021."""
    data = {"jakpreneur_id": person, **PROFILE, "registered_on": "2021-02-01", "verified_on": "2021-02-02"}
    return message(PEOPLE, offset, person, 2, "jakpreneur.verified", data)


def enrolled(offset: int, person: str, sequence: int, status: str) -> Message:
    """A step of somebody's enrolment in the training `t`."""
    identity = f"t:{person}"
    data = {"enrolment_id": identity, "training_id": "t", "jakpreneur_id": person, "stage": "P2"}
    return message(ENROLMENTS, offset, identity, sequence, f"enrolment.{status}", data)


def act(kind: str, key: str, what: dict[str, Any], reply: dict[str, Any]) -> Act:
    """A request that was acknowledged."""
    return Act(key, kind, what, "ok", 201, reply)


def sound() -> Collected:
    """Siti and Budi are verified and enrol for one seat: Siti has it, Budi waits. Rina registered and heard nothing."""
    acts = [act("register", f"r-{person}", {"nik": person}, {"jakpreneur_id": person}) for person in (SITI, BUDI)]
    acts.append(Act("r-rina", "register", {"nik": RINA}))
    acts += [
        act("verify", f"v-{person}", {"person": person}, {"jakpreneur_id": person, "status": "verified", "version": 2})
        for person in (SITI, BUDI)
    ]
    acts.append(Act("v-again", "verify", {"person": SITI}, "fail", 409))
    enrolments = {SITI: "confirmed", BUDI: "waitlisted"}
    acts += [
        act("enrol", f"e-{person}", {}, {"enrolment_id": f"t:{person}", "jakpreneur_id": person, "status": status})
        for person, status in enrolments.items()
    ]
    replies = {a.key: {"enrolments": [a.reply]} if a.kind == "enrol" else a.reply for a in acts if a.outcome == "ok"}
    replies["r-rina"] = {"jakpreneur_id": RINA}
    log = [
        registered(0, SITI),
        registered(1, BUDI),
        verified(2, SITI),
        registered(3, SITI),
        verified(4, BUDI),
        registered(5, RINA),
    ]
    log += [enrolled(0, SITI, 1, "confirmed"), enrolled(1, BUDI, 1, "waitlisted")]
    log.append(message(TRAININGS, 0, "t", 1, "training.published", {"training_id": "t"}))
    poison = Message(PEOPLE, 0, 6, {}, b"\x00")
    planted = Planted(PEOPLE, 0, 6, "dead", "malformed")
    ends = {(PEOPLE, 0): 7, (ENROLMENTS, 0): 2, (TRAININGS, 0): 1}
    letter = {(PEOPLE, 0, 6): ("dead", "malformed")}
    return Collected(
        acts=acts,
        services={
            "registration": ServiceState(
                documents={
                    "jakpreneurs": {SITI: {"status": "verified"}, BUDI: {"status": "verified"}, RINA: {"status": "submitted"}},
                    "identities": {f"i-{person}": {"jakpreneur_id": person} for person in (SITI, BUDI, RINA)},
                },
                sequences={SITI: 2, BUDI: 2, RINA: 1},
                replies={key: reply for key, reply in replies.items() if key[0] != "e"},
            ),
            "training": ServiceState(
                documents={
                    "jakpreneurs": {person: _viewed(person) for person in (SITI, BUDI, RINA)},
                    "trainings": {"t": {"status": "published", "quota": 1, "confirmed": 1, "offered": 0, "waiting": 1}},
                    "enrolments": {
                        f"t:{person}": {"status": status, "training_id": "t", "jakpreneur_id": person}
                        for person, status in enrolments.items()
                    },
                    "waiting": {"t:00000001": {"enrolments": [f"t:{BUDI}"]}},
                    "schedules": {person: {"trainings": ["t"]} for person in (SITI, BUDI)},
                },
                sequences={f"t:{SITI}": 1, f"t:{BUDI}": 1, "t": 1},
                positions={("people", PEOPLE, 0): 7},
                letters={("people", *place): found for place, found in letter.items()},
                replies={key: reply for key, reply in replies.items() if key[0] == "e"},
            ),
            "metrics": ServiceState(
                documents={
                    "ledger": {
                        f"{m.headers['ce_source'].removeprefix('/services/')}/{m.headers['ce_id']}": {
                            "type": m.headers["ce_type"].removeprefix(TYPE_PREFIX)
                        }
                        for m in log
                    },
                    "facts": {f"{person}:P1": _fact() for person in (SITI, BUDI)},
                    "pending": {},
                },
                positions={("metrics-ledger", *place): end for place, end in ends.items()},
                letters={("metrics-ledger", *place): found for place, found in letter.items()},
                figures=_figures({"registered": ("2021-02-01", 3), "P1": ("2021-02-02", 2)}),
            ),
        },
        log=[*log, poison],
        ends=ends,
        subscriptions={"metrics-ledger": ("metrics", (PEOPLE, ENROLMENTS, TRAININGS)), "people": ("training", (PEOPLE,))},
        planted=[planted],
        people={SITI: SITI, BUDI: BUDI, RINA: RINA},
        reconciliation={"difference": 0},
    )


def _viewed(person: str) -> dict[str, Any]:
    last, status = (1, "registered") if person == RINA else (2, "verified")
    return {**PROFILE, "commodity": None, "status": status, "last": last}


def _fact() -> dict[str, Any]:
    attributes = {name: PROFILE[name] for name in ("kota", "kecamatan", "category", "gender", "dinas")}
    return {"stage": "P1", "day": "2021-02-02", "commodity": "unknown", **attributes}


def _figures(counts: dict[str, tuple[str, int]]) -> dict[str, int]:
    cells: dict[str, int] = {}
    for measure, (day, count) in counts.items():
        for dimension, value in CELLS.items():
            for period in ("", f"|{day[:7]}", *([f"|{day}"] if dimension in DAILY else [])):
                cells[f"{measure}|{dimension}|{value}{period}"] = count
    return cells


def test_a_sound_world() -> None:
    """Three people, one seat, an event sent twice, a message that nobody can read: nothing is found."""
    verdict = check(sound())
    assert verdict.violations == []
    assert (verdict.counts["ok"], verdict.counts["unknown_but_stored"], verdict.counts["sent_again"]) == (6, 1, 1)


def _drop(*places: tuple[str, int]) -> Break:
    def change(c: Collected) -> None:
        c.log = [m for m in c.log if (m.topic, m.offset) not in places]

    return change


def _add(*messages: Message) -> Break:
    return lambda c: c.log.extend(messages)


def _set(service: str, collection: str, identity: str, **fields: Any) -> Break:
    return lambda c: c.services[service].documents[collection].setdefault(identity, {}).update(fields)


def _remove(service: str, collection: str, identity: str) -> Break:
    return lambda c: c.services[service].documents[collection].pop(identity)


def _swap(c: Collected) -> None:
    c.log[0], c.log[2] = verified(0, SITI), registered(2, SITI)


def _elsewhere(c: Collected) -> None:
    c.log[2] = replace(c.log[2], partition=3)


def _otherwise(c: Collected) -> None:
    c.log[3] = replace(c.log[3], value=c.log[3].value.replace(b"online", b"office"))


def _no_record(c: Collected) -> None:
    del c.services["registration"].replies["r-jkp_siti"]


def _refused(c: Collected) -> None:
    c.acts[0].outcome, c.acts[0].status = "fail", 409


def _other_answer(c: Collected) -> None:
    c.acts[0].reply = {"jakpreneur_id": "jkp_other"}


def _stored_twice(c: Collected) -> None:
    c.acts.append(Act("r-twice", "register", {"nik": SITI}, "unknown"))
    c.services["registration"].replies["r-twice"] = {"jakpreneur_id": SITI}


def _figure(cell: str, count: int) -> Break:
    return lambda c: c.services["metrics"].figures.update({cell: count})


def _position(offset: int) -> Break:
    return lambda c: c.services["metrics"].positions.update({("metrics-ledger", PEOPLE, 0): offset})


def _letters(service: str, consumer: str, offset: int, found: tuple[str, str] | None) -> Break:
    def change(c: Collected) -> None:
        c.services[service].letters.pop((consumer, PEOPLE, 0, offset), None)
        if found is not None:
            c.services[service].letters[consumer, PEOPLE, 0, offset] = found

    return change


BREAKS: dict[str, tuple[str, str, Break]] = {
    "an acknowledged registration isn't stored": ("C1", "lost", _no_record),
    "its person isn't stored": ("C1", "lost", _remove("registration", "jakpreneurs", SITI)),
    "a refused registration is stored": ("C1", "wrong", _refused),
    "the answer isn't what was stored": ("C1", "wrong", _other_answer),
    "one person for two requests": ("C1", "doubled", _stored_twice),
    "a person whom nobody registered": ("C1", "doubled", _set("registration", "jakpreneurs", "jkp_ghost", status="submitted")),
    "a person with two identities": ("C1", "wrong", _set("registration", "identities", "i-more", jakpreneur_id=SITI)),
    "a verification came undone": ("C1", "lost", _set("registration", "jakpreneurs", SITI, status="submitted")),
    "an acknowledged enrolment isn't stored": ("C1", "lost", _remove("training", "enrolments", f"t:{SITI}")),
    "cancelled by nobody": ("C1", "wrong", _set("training", "enrolments", f"t:{SITI}", status="cancelled")),
    "an event was never published": ("C2", "lost", _drop((PEOPLE, 5))),
    "an event of a change that isn't stored": ("C2", "wrong", lambda c: c.services["registration"].sequences.update({RINA: 0})),
    "the outbox isn't empty": (
        "C2",
        "lost",
        lambda c: c.services["training"].outbox.append("0001612000.0000000001.a1.000"),
    ),
    "a message that nobody planted and nobody can read": ("C2", "wrong", _add(Message(PEOPLE, 0, 7, {}, b"?"))),
    "the second before the first": ("C3", "out of order", _swap),
    "a gap": ("C3", "out of order", _drop((PEOPLE, 0), (PEOPLE, 3))),
    "one subject on two partitions": ("C3", "out of order", _elsewhere),
    "the same id says something else": ("C3", "wrong", _otherwise),
    "the ledger lacks an event": ("C4", "lost", _remove("metrics", "ledger", f"registration/{SITI}:2")),
    "the ledger holds what was never published": ("C4", "doubled", _set("metrics", "ledger", "registration/x:1", type="x")),
    "a fact is missing": ("C4", "lost", _remove("metrics", "facts", f"{SITI}:P1")),
    "a fact of the wrong day": ("C4", "wrong", _set("metrics", "facts", f"{SITI}:P1", day="2021-02-03")),
    "a total counts somebody twice": ("C4", "doubled", _figure("P1|kota|31.71", 3)),
    "a month counts one too few": ("C4", "lost", _figure("registered|all|all|2021-02", 2)),
    "a day counts somebody twice": ("C4", "doubled", _figure("P1|dinas|PPKUKM|2021-02-02", 3)),
    "evidence still waits": ("C4", "lost", _set("metrics", "pending", "x:1", measure="P2")),
    "metrics itself found a difference": ("C4", "wrong", lambda c: c.__setattr__("reconciliation", {"difference": 1})),
    "the view is behind": ("C4", "wrong", _set("training", "jakpreneurs", SITI, last=1)),
    "the view knows a stranger": ("C4", "doubled", _set("training", "jakpreneurs", "jkp_ghost", last=1)),
    "more people than seats": ("C4", "doubled", _set("training", "enrolments", f"t:{BUDI}", status="confirmed")),
    "a counter is off": ("C4", "wrong", _set("training", "trainings", "t", offered=1)),
    "the waiting list lost somebody": ("C4", "wrong", _set("training", "waiting", "t:00000001", enrolments=[])),
    "a seat is free and somebody waits": ("C4", "lost", _set("training", "trainings", "t", quota=2)),
    "a schedule lacks a training": ("C4", "wrong", _set("training", "schedules", SITI, trainings=["u"])),
    "the last event says otherwise": ("C4", "wrong", _set("registration", "jakpreneurs", RINA, status="rejected")),
    "a position behind the end": ("C5", "lost", _position(6)),
    "a position beyond the end": ("C5", "lost", _position(8)),
    "a planted message became no letter": ("C5", "lost", _letters("training", "people", 6, None)),
    "a letter of the wrong reason": ("C5", "wrong", _letters("metrics", "metrics-ledger", 6, ("dead", "schema"))),
    "a letter that nobody planted": ("C5", "wrong", _letters("metrics", "metrics-ledger", 2, ("dead", "schema"))),
}


@pytest.mark.parametrize("what", BREAKS)
def test_a_broken_world(what: str) -> None:
    """One thing is changed in the sound world: the check that answers for it names the harm."""
    expected, harm, break_it = BREAKS[what]
    world = sound()
    break_it(world)
    assert (expected, harm) in {(violation.check, violation.harm) for violation in check(world).violations}
