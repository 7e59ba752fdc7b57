"""Imports that meet a bug, another worker or an end in the middle: on a real database, with the worker called by hand."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from chassis import clock
from chassis.access.callers import Caller
from chassis.database import lease
from chassis.database.mongo import Mongo
from chassis.privacy import vault as privacy
from chassis.process.lifecycle import Core
from demo.history import write_csv
from services.registration.documents import IMPORT_CHUNKS, ImportDocument
from services.registration.imports import worker
from services.registration.imports.store import ImportStore
from services.registration.imports.use_cases import ImportUseCases
from services.registration.imports.worker import ImportWorker
from services.registration.main import ensure_indexes
from services.registration.people.store import PeopleStore
from services.registration.people.use_cases import PeopleUseCases
from tests.conftest import SettingsFactory

PEOPLE = 25
OFFICER = Caller(id="user:officer", roles=frozenset({"officer", "migrator"}))


@pytest.fixture
def file(tmp_path: Path) -> bytes:
    """A history with one row that is refused."""
    path = tmp_path / "history.csv"
    write_csv(path, PEOPLE, 5, None)
    return path.read_bytes() + b"broken\n"


@pytest_asyncio.fixture
async def core(settings: SettingsFactory) -> AsyncIterator[Core]:
    """Registration's database and write door."""
    made = Core("registration", settings())
    await ensure_indexes(made.mongo)
    made.group_commit.start()
    yield made
    await made.group_commit.stop()
    await made.mongo.client.drop_database(made.mongo.database.name)
    await made.mongo.close()


class Imports:
    """The store, the use cases and the worker of imports, with batches of ten."""

    def __init__(self, core: Core) -> None:
        vault, queued = privacy.vault(core.settings), asyncio.Event()
        self.store = ImportStore(core.mongo)
        self.use_cases = ImportUseCases(core.group_commit, self.store, vault, queued, 10**6)
        people = PeopleUseCases(core.group_commit, PeopleStore(core.mongo), vault)
        self.worker = ImportWorker(core, self.store, people, vault, queued, rows_at_once=10, lease_seconds=30)


@pytest.fixture
def imports(core: Core) -> Imports:
    """Over registration's database."""
    return Imports(core)


async def accepted(imports: Imports, content: bytes) -> dict[str, Any]:
    """Upload."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    return await imports.use_cases.accept_import(pieces(), OFFICER)


async def state(imports: Imports, import_id: str) -> ImportDocument:
    """The import as it is."""
    document = await imports.store.get(import_id)
    assert document is not None
    return document


async def people(core: Core) -> int:
    """Who is stored."""
    count: int = await core.mongo["jakpreneurs"].count_documents({})
    return count


@pytest.fixture
def complaints() -> Iterator[list[dict[str, Any]]]:
    """What the event loop says of tasks whose errors nobody took."""
    loop, found = asyncio.get_event_loop(), list[dict[str, Any]]()
    loop.set_exception_handler(lambda _, context: found.append(context))
    yield found
    loop.set_exception_handler(None)


async def chunks(mongo: Mongo) -> int:
    """Pieces of files that are stored."""
    count: int = await mongo[IMPORT_CHUNKS].count_documents({})
    return count


async def test_a_bug_fails_one_import_and_it_can_be_uploaded_again(
    imports: Imports, core: Core, file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug after the first batch: three attempts, then failed without a value.

    Uploaded again after the repair, the rows stored before are no clash and the counts are right.
    """
    import_id = (await accepted(imports, file))["import_id"]
    decisions = imports.worker._decisions
    commits: list[int] = []

    async def buggy(document: Any, rows: Any) -> Any:
        commits.append(rows[0].number)
        if rows[0].number > 20:
            raise KeyError("3171014512909001")
        return await decisions(document, rows)

    monkeypatch.setattr(imports.worker, "_decisions", buggy)
    for _ in range(3):
        await imports.worker.work()
    document = await state(imports, import_id)
    assert (document["state"], document["reason"], document["attempts"], document["rows_done"]) == ("failed", "KeyError", 3, 20)
    assert commits == [1, 11, 21, 21, 21]
    assert await chunks(core.mongo) == 0
    monkeypatch.setattr(imports.worker, "_decisions", decisions)
    again = await accepted(imports, file)
    assert again == {"import_id": import_id, "state": "queued", "repeated": False}
    await imports.worker.work()
    document = await state(imports, import_id)
    assert (document["state"], document["accepted"], document["rejected"], document["attempts"]) == ("done", PEOPLE, 1, 0)
    assert len([row async for row in imports.store.noted(import_id)]) == 1
    assert (await accepted(imports, file))["repeated"] is True
    assert await chunks(core.mongo) == 0


async def test_another_worker_goes_on(imports: Imports, core: Core, file: bytes) -> None:
    """A worker that slept past its lease can neither count rows twice nor move or end what another one ended."""
    import_id = (await accepted(imports, file))["import_id"]
    before = await state(imports, import_id)
    await imports.store.set_total(before, PEOPLE + 1)
    with pytest.raises(ConnectionError):
        await imports.store.set_total(before, PEOPLE + 1)
    await imports.store.progress(before, (1, 10), 10, [])
    for rows in ((1, 10), (5, 15), (12, 20)):
        with pytest.raises(ConnectionError):
            await imports.store.progress(before, rows, 10, [])
    await imports.worker.work()
    done = await state(imports, import_id)
    assert (done["state"], done["accepted"], done["rejected"]) == ("done", PEOPLE, 1)
    await imports.worker._attempt(before)  # its file is gone: not a bug, and nothing changes
    await imports.store.finish(before, "failed", "late")
    assert await imports.store.count_attempt(before) == 0
    assert done == await state(imports, import_id)


async def test_what_was_left_behind_is_deleted(
    imports: Imports, core: Core, file: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process died during an upload: its pieces go after a day; those of an import that still waits stay."""
    upload = (await state(imports, (await accepted(imports, file))["import_id"]))["upload"]
    await imports.store.save_chunk("upl_dead", 0, b"x")
    assert await imports.store.delete_left_behind() == 0
    later = clock.now() + timedelta(days=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    await imports.worker._sweep()
    await imports.store.save_chunk("upl_other", 0, b"x")
    await imports.worker._sweep()
    assert set(await core.mongo[IMPORT_CHUNKS].distinct("upload")) == {upload, "upl_other"}


async def test_a_cancelled_worker_gives_its_lease_back(
    imports: Imports, core: Core, file: bytes, monkeypatch: pytest.MonkeyPatch, complaints: list[dict[str, Any]]
) -> None:
    """At a graceful stop amid the work the next replica goes on at once."""
    await accepted(imports, file)
    progress, entered, slow = imports.store.progress, asyncio.Event(), asyncio.Event()

    async def slowly(*arguments: Any) -> None:
        entered.set()
        await slow.wait()
        await progress(*arguments)

    monkeypatch.setattr(imports.store, "progress", slowly)
    working = asyncio.create_task(imports.worker.work())
    await asyncio.wait_for(entered.wait(), 20)
    working.cancel()
    slow.set()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert await lease.acquire(core.mongo, "imports", "another", 30) is not None
    gc.collect()
    assert complaints == []


@pytest.mark.parametrize("trouble", [ConnectionError("no primary"), RuntimeError("a bug")])
async def test_progress_that_cannot_be_stored(
    imports: Imports,
    core: Core,
    file: bytes,
    monkeypatch: pytest.MonkeyPatch,
    complaints: list[dict[str, Any]],
    trouble: Exception,
) -> None:
    """The first ten rows are registered, and their progress can't be stored: the next round does them again, nobody twice."""
    import_id = (await accepted(imports, file))["import_id"]
    progress, failing = imports.store.progress, [trouble]

    async def once(*arguments: Any) -> None:
        if failing:
            raise failing.pop()
        await progress(*arguments)

    monkeypatch.setattr(imports.store, "progress", once)
    monkeypatch.setattr(worker, "_TROUBLE_SECONDS", 0.0)
    for _ in range(2):
        await imports.worker.work()
    done = await state(imports, import_id)
    assert (done["state"], done["rows_done"], done["accepted"], done["rejected"]) == ("done", PEOPLE + 1, PEOPLE, 1)
    gc.collect()
    assert (await people(core), complaints) == (PEOPLE, [])
