"""The worker on a file, without servers: what is stored of each row, whom a verification names, and what stops a whole file."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis import clock
from chassis.database import lease
from chassis.documents import Document
from chassis.errors import DomainError, FieldError, Unavailable
from chassis.privacy.vault import Vault
from chassis.process.lifecycle import Core
from chassis.writing.decision import Decision
from services.registration.documents import JAKPRENEURS
from services.registration.imports.chunks import seal_chunk
from services.registration.imports.header import REQUIRED
from services.registration.imports.store import ImportStore
from services.registration.imports.worker import ImportWorker
from services.registration.people.use_cases import PeopleUseCases
from tests.harness.forms import nik, registration
from tests.unit.registration.desk import Desk

VAULT = Vault({1: b"1" * 32}, b"p" * 32)
HEADER = ";".join([*REQUIRED[:2], "Birth Date", *REQUIRED[3:], "Verified On"])


class Store:
    """One import, in memory."""

    def __init__(self, text: str, size: int, **document: Any) -> None:
        key, wrapped = VAULT.new_key()
        content = text.encode()
        pieces = [content[at : at + size] for at in range(0, len(content), size)]
        self.chunks = [seal_chunk(key, "upl_1", number, piece) for number, piece in enumerate(pieces)]
        self.document: dict[str, Any] = {
            "_id": "imp_1", "upload": "upl_1", "key": wrapped, "by": "user:migrator", "migrator": True, "state": "queued",
            "rows_total": None, "rows_done": 0, "accepted": 0, **document,
        }  # fmt: skip
        self.noted: list[tuple[int, str, list[str]]] = []
        self.ended: tuple[str, str | None, list[str]] | None = None
        self.attempts = 0

    async def delete_left_behind(self) -> int:
        """Nothing."""
        return 0

    async def next_queued(self) -> Any:
        """The import, until it has ended."""
        return None if self.ended else self.document

    async def count_chunks(self, _upload: str) -> int:
        """Of the file."""
        return len(self.chunks)

    async def chunk(self, _upload: str, number: int) -> bytes:
        """Of the file."""
        return self.chunks[number]

    async def set_total(self, _document: Any, total: int) -> None:
        """Keep it."""
        self.document["rows_total"] = total

    async def progress(
        self, _document: Any, rows: tuple[int, int], accepted: int, noted: Sequence[tuple[int, str, Sequence[FieldError]]]
    ) -> None:
        """Keep it; rows follow one another."""
        assert rows[0] == self.document["rows_done"] + 1
        self.document["rows_done"] = rows[1]
        self.document["accepted"] += accepted
        self.noted += [(line, severity, [error.field for error in errors]) for line, severity, errors in noted]

    async def count_attempt(self, _document: Any) -> int:
        """One more."""
        self.attempts += 1
        return self.attempts

    async def finish(self, _document: Any, state: str, reason: str | None = None, errors: Sequence[FieldError] = ()) -> None:
        """Keep it."""
        self.ended = (state, reason, [error.code for error in errors])


class Commit(Desk):
    """What GroupCommit does with many decisions; `troubles` come first, one for each call."""

    def __init__(self) -> None:
        super().__init__()
        self.troubles: list[BaseException] = []

    async def submit_many(self, decisions: Sequence[Decision]) -> list[Document | BaseException]:
        """Each by itself."""
        if self.troubles:
            return [self.troubles.pop()] * len(decisions)
        return [self._reply(decision) for decision in decisions]

    def _reply(self, decision: Decision) -> Document | BaseException:
        try:
            return self.run(decision)
        except DomainError as refusal:
            return refusal


class Office:
    """A worker with one import to do."""

    def __init__(self, text: str, size: int = 100, rows_at_once: int = 3, **document: Any) -> None:
        self.store, self.commit = Store(text, size, **document), Commit()
        core = cast("Core", SimpleNamespace(mongo=None, owner="me", group_commit=self.commit))
        people = PeopleUseCases(cast("Any", self.commit), cast("Any", None), VAULT)
        store = cast("ImportStore", self.store)
        self.worker = ImportWorker(core, store, people, VAULT, asyncio.Event(), rows_at_once=rows_at_once, lease_seconds=9)

    async def work(self) -> tuple[str, str | None, list[str]]:
        """Until the import has ended."""
        for _ in range(5):
            await self.worker.work()
            if self.store.ended:
                return self.store.ended
        raise AssertionError("never ends")

    @property
    def people(self) -> list[dict[str, Any]]:
        """Those who are registered, in order."""
        ids = [event.subject for event in self.commit.staging.events]
        return [self.commit.get(JAKPRENEURS, identity) for identity in dict.fromkeys(ids)]


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no other worker, it is March 2021, and nobody waits after trouble."""

    async def acquire(*_arguments: Any) -> lease.Lease:
        return lease.Lease("imports", "me", 1)

    monkeypatch.setattr(lease, "acquire", acquire)
    monkeypatch.setattr(clock, "now", lambda: datetime(2021, 3, 1, 20, 0, tzinfo=UTC))
    monkeypatch.setattr("services.registration.imports.worker._TROUBLE_SECONDS", 0)


def row(number: int, **changes: str) -> str:
    """A person's row."""
    form = registration(number)
    cells = {name: str(form.get(name, "")) for name in REQUIRED}
    cells |= {"consent_version": "2", "consent_given_at": "01/02/2021", "registered_on": "", "verified_on": "", **changes}
    return ";".join(cells[name] for name in (*REQUIRED, "verified_on"))


def sheet(*rows: str) -> str:
    """A file with a title."""
    return "\r\n".join(["\ufeffDATA UMKM;;", "", HEADER, *rows, ""])


@pytest.mark.parametrize(("size", "at_once"), [(1, 1), (50, 2), (10**6, 100)])
async def test_each_row_by_itself(size: int, at_once: int) -> None:
    """However file and batches are cut: people are registered, and each note stands under Excel's number of its row."""
    lines = [row(1), row(2, phone="12"), ";;;", row(3, gender="male"), row(1), '"broken', row(4, birth_date="06/01/1991")]
    office = Office(sheet(*lines), size, at_once)
    assert await office.work() == ("done", None, [])
    assert office.store.noted == [
        (5, "error", ["phone"]),
        (7, "warning", ["gender"]),
        (8, "error", ["nik"]),
        (9, "error", ["row"]),
        (10, "warning", ["Birth Date"]),
    ]
    assert (office.store.document["rows_total"], office.store.document["accepted"]) == (6, 3)
    kept = [[warning["field"] for warning in person.get("warnings", [])] for person in office.people]
    assert kept == [[], ["gender"], ["birth_date"]]


async def test_who_answers_for_a_verification() -> None:
    """Whoever uploaded the file is stored as the verifier, of those rows only that name a day."""
    today = "02/03/2021"
    office = Office(sheet(row(1, verified_on=today), row(2), row(3, verified_on="\u200b"), row(4, verified_on="3/3/2021")))
    assert await office.work() == ("done", None, [])
    states = [(person["status"], person.get("verified_on"), person.get("verified_by")) for person in office.people]
    assert states == [("verified", "2021-03-02", "user:migrator"), ("submitted", None, None), ("submitted", None, None)]
    assert office.store.noted == [(7, "error", ["Verified On"])]


@pytest.mark.parametrize("document", [{"migrator": False}, {"migrator": None}])
async def test_nobody_is_verified_by_an_officers_import(document: dict[str, Any]) -> None:
    """Should such a file ever come past the door, its people are registered and wait for a verifier."""
    office = Office(sheet(row(1, verified_on="02/03/2021")), **document)
    assert await office.work() == ("done", None, [])
    assert [(person["status"], "verified_by" in person) for person in office.people] == [("submitted", False)]


@pytest.mark.parametrize("blank", ["\u200b", "\u2800", "\u3164", "\u2060", "\u202e"])
async def test_one_strange_cell_does_not_end_an_import(blank: str) -> None:
    """In every column in turn: that row is refused or read, and the people behind it are registered."""
    columns = (*REQUIRED, "verified_on")
    office = Office(sheet(*(row(number, **{name: blank}) for number, name in enumerate(columns)), row(99)))
    assert await office.work() == ("done", None, [])
    assert office.store.attempts == 0
    assert [line for line, _, _ in office.store.noted] == list(range(4, 4 + len(REQUIRED)))
    assert office.store.document["accepted"] == 2


def rounded(number: int) -> str:
    """A person's row as Excel left it."""
    return row(number, nik=nik(number)[:15] + "0")


@pytest.mark.parametrize("write", ["{}", "'{}", '=""{}""', "{}\u200b", " {} "])
async def test_a_file_that_excel_rounded_stops(write: str) -> None:
    """Not one row is stored, and the explanation is with the import; however the NIKs are written."""
    lines = [row(number, nik=write.format(nik(number)[:15] + "0")) for number in range(30)]
    lines = [line.replace('=""', '"=""').replace('"";', '""";') for line in lines]
    office = Office(sheet(*lines))
    assert await office.work() == ("failed", "niks_rounded", ["niks_rounded"])
    assert (office.people, office.store.document["rows_done"], office.store.noted) == ([], 0, [])


async def test_files_that_are_not_stopped() -> None:
    """A file as people write it, a small one, and a long one in which few rows hold a NIK at all."""
    for lines in (
        [row(number, nik=f"{nik(number)[:12]}{number + 9001:04d}") for number in range(60)],
        [rounded(number) for number in range(3)],
        [*(rounded(number) for number in range(3)), *(row(number, nik="3,17101E+15") for number in range(60))],
    ):
        office = Office(sheet(*lines))
        assert await office.work() == ("done", None, [])
        assert office.people


async def test_trouble_with_the_database_refuses_nobody() -> None:
    """The import begins again at the last stored row; no row is noted for what wasn't its fault."""
    office = Office(sheet(row(1), row(2)))
    office.commit.troubles = [Unavailable()]
    assert await office.work() == ("done", None, [])
    assert (office.store.noted, len(office.people), office.store.attempts) == ([], 2, 0)


async def test_a_bug_ends_one_import_after_three_runs() -> None:
    """It fails with the kind of the bug, and not with its message, which may quote a row."""
    office = Office(sheet(row(1)))
    office.commit.troubles = [KeyError("3171014512909001") for _ in range(3)]
    assert await office.work() == ("failed", "KeyError", [])
    assert office.people == []
