"""The load: people who register, verifiers, people who enrol and give up; each request noted in the clients' ledger.

A request without a definite answer is sent again with the same Idempotency-Key, to whichever replica; some clients lose
patience at once and never learn what happened. Some requests are wrong on purpose: their refusal is definite too.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.client import Client, NoAnswer
from tests.faults.ledger import Act, ClientLedger

PATIENCE_SECONDS = 90.0  # of a client that wants to know; longer than any single trouble lasts
_IMPATIENT = 0.03
_VIEW_SECONDS = 3.0  # what an enrolling client leaves training to hear of a verification
_WEIGHTS = {"register": 50, "verify": 30, "enrol": 12, "cancel": 3, "wrong": 3, "again": 2}


@dataclass(frozen=True, slots=True)
class Training:
    """A training to enrol in."""

    training_id: str
    quota: int


class Load:
    """`await run(stop)` sends requests at about `rate` a second until told to stop."""

    def __init__(
        self,
        ledger: ClientLedger,
        ports: Callable[[str], Sequence[int]],
        headers: Mapping[str, str],
        people: Iterator[str],
        trainings: Sequence[Training],
        *,
        workers: int,
        rate: float,
        seed: int,
        weights: Mapping[str, int] = _WEIGHTS,
        longest_pause: float = 1.0,
    ) -> None:
        self.busy = 0  # clients that wait for an answer
        self.acknowledged: list[float] = []  # when, monotonic
        self.acknowledged_by: dict[str, list[float]] = defaultdict(list)  # the same for each service
        self.going = asyncio.Event()  # cleared: clients rest, once they have finished what they do
        self.going.set()
        self._weights = dict(weights)
        self._longest_pause = longest_pause
        self.statuses: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self._ledger = ledger
        self._ports = ports
        self._headers = dict(headers)
        self._people = people
        self._trainings = list(trainings)
        self._workers = workers
        self._pause = workers / rate
        self._random = random.Random(seed)
        self._registered: list[dict[str, Any]] = []  # acknowledged and not yet decided
        self._verified: list[tuple[float, str]] = []
        self._decided: list[str] = []
        self._enrolments: list[str] = []
        self._seen: set[tuple[str, str]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """All clients, until `stop`; each finishes what it has begun."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work(stop))

    async def _work(self, stop: asyncio.Event) -> None:
        client = Client()
        try:
            while not stop.is_set():
                await self.going.wait()
                begun = time.monotonic()
                self.busy += 1
                try:
                    await self._next(client)
                finally:
                    self.busy -= 1
                await asyncio.sleep(max(0.0, self._pause * self._random.uniform(0.5, 1.5) - (time.monotonic() - begun)))
        finally:
            await client.close()

    async def _next(self, client: Client) -> None:
        kinds, weights = zip(*self._weights.items(), strict=True)
        match self._random.choices(kinds, weights)[0]:
            case "verify" if self._registered:
                await self._verify(client)
            case "enrol" if self._trainings and self._verified and self._verified[0][0] < time.monotonic() - _VIEW_SECONDS:
                await self._enrol(client)
            case "cancel" if self._enrolments:
                await self._cancel(client)
            case "wrong":
                await self._register(client, wrong=True)
            case "again" if self._decided:
                await self._decide_again(client)
            case _:
                await self._register(client)

    async def register(self, client: Client) -> Act:
        """Register one more person and wait for the answer, however long it takes: a probe of the platform's health."""
        return await self._register(client, patience=PATIENCE_SECONDS)

    async def _register(self, client: Client, *, wrong: bool = False, patience: float | None = None) -> Act:
        body = next(self._people)
        person = json.loads(body)
        if wrong:
            body = json.dumps({**person, "kelurahan": "31.99.99.9999"})
        act = Act(_key(), "register", {"nik": person["nik"]})
        await self._do(client, act, "registration", "/v1/jakpreneurs", body, patience)
        if act.outcome == "ok":
            self._registered.append({"id": act.reply["jakpreneur_id"], "body": body})
        return act

    async def _verify(self, client: Client) -> None:
        person = self._registered.pop(self._random.randrange(len(self._registered)))
        if self._random.random() < 0.1:  # somebody registers the same person once more: R2 refuses it
            act = Act(_key(), "register", {"nik": json.loads(person["body"])["nik"]})
            await self._do(client, act, "registration", "/v1/jakpreneurs", person["body"])
        act = await self._decision(client, person["id"], "verify" if self._random.random() < 0.95 else "reject")
        if act.outcome == "ok" and act.reply["status"] == "verified":
            self._verified.append((time.monotonic(), person["id"]))
        self._decided.append(person["id"])

    async def _decide_again(self, client: Client) -> None:
        """A second verifier with another mind: one of the two decisions holds."""
        await self._decision(client, self._random.choice(self._decided), self._random.choice(("verify", "reject")))

    async def _decision(self, client: Client, person: str, decision: str) -> Act:
        act = Act(_key(), "verify", {"person": person, "decision": decision})
        body = {"decision": decision} | ({"reasons": ["documents_unreadable"]} if decision == "reject" else {})
        await self._do(client, act, "registration", f"/v1/jakpreneurs/{person}/verification", json.dumps(body))
        return act

    async def _enrol(self, client: Client) -> None:
        training = self._random.choice(self._trainings).training_id
        ripe = sum(1 for at, _ in self._verified[:200] if at < time.monotonic() - _VIEW_SECONDS)
        person = self._verified[self._random.randrange(max(1, ripe))][1]
        if (training, person) in self._seen:
            return
        self._seen.add((training, person))
        act = Act(_key(), "enrol", {"training": training, "person": person})
        body = json.dumps({"jakpreneur_id": person})
        await self._do(client, act, "training", f"/v1/trainings/{training}/enrolments", body)
        if act.outcome == "ok":
            self._enrolments.append(act.reply["enrolment_id"])

    async def _cancel(self, client: Client) -> None:
        enrolment = self._enrolments.pop(self._random.randrange(len(self._enrolments)))
        act = Act(_key(), "cancel", {"enrolment": enrolment})
        await self._do(client, act, "training", f"/v1/enrolments/{enrolment}/cancellation", "")

    async def _do(self, client: Client, act: Act, service: str, path: str, body: str, patience: float | None = None) -> None:
        if patience is None:
            patience = 0.0 if self._random.random() < _IMPATIENT else PATIENCE_SECONDS
        await self._ledger.intend(act)
        deadline, pause = time.monotonic() + patience, 0.05
        headers = {**self._headers, "idempotency-key": act.key}
        while True:
            act.status, reply = await self._attempt(client, service, path, headers, body.encode())
            if act.status is not None and 200 <= act.status < 300:
                act.outcome, act.reply = "ok", reply
                break
            if act.status is not None and act.status < 500 and reply.get("code") != "in_flight":
                act.outcome = "fail"
                self.refusals[f"{act.status} {reply.get('code')}"] += 1
                break
            if time.monotonic() >= deadline:
                act.outcome = "unknown"
                break
            await asyncio.sleep(pause * self._random.uniform(0.5, 1.5))
            pause = min(self._longest_pause, pause * 2)
        await self._ledger.settle(act)
        self.outcomes[act.outcome] += 1
        if act.outcome == "ok":
            self.acknowledged.append(time.monotonic())
            self.acknowledged_by[service].append(time.monotonic())

    @property
    def errors(self) -> int:
        """Attempts that brought no answer, or one that says that the service failed."""
        return sum(number for status, number in self.statuses.items() if not status.isdecimal() or int(status) >= 500)

    async def _attempt(
        self, client: Client, service: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int | None, dict[str, Any]]:
        ports = self._ports(service)
        if not ports:
            return None, {}
        try:
            status, reply = await client.post(self._random.choice(ports), path, headers, body)
        except NoAnswer:
            self.statuses["no answer"] += 1
            return None, {}
        self.statuses[str(status)] += 1
        return status, reply


def _key() -> str:
    return uuid.uuid4().hex
