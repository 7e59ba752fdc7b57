"""Files at the door: who may import verifications, and what is left of a file that isn't taken."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.access.callers import Caller
from chassis.errors import DomainError, Invalid, TooLarge
from chassis.privacy.vault import Vault
from chassis.writing.group_commit import GroupCommit
from services.registration.documents import IMPORTS
from services.registration.imports.header import REQUIRED
from services.registration.imports.store import ImportStore
from services.registration.imports.use_cases import ImportUseCases
from tests.unit.registration.desk import Desk, codes

OFFICER = Caller(id="user:officer", roles=frozenset({"officer", "verifier", "admin", "operator"}))
MIGRATOR = Caller(id="user:migrator", roles=frozenset({"officer", "migrator"}))
MARKS = ["\ufeff", "sep=;\r\n", "\ufeffsep=;\r\n", "Data UMKM;;;\r\n", ";;;;\r\n\r\n", '"Data\r\n2020"\r\n']
NAMES = [
    "verified_on",
    "VERIFIED_ON",
    "Verified On",
    "verified-on",
    "verified.on",
    " verified on ",
    '"verified_on"',
    "verified - on",
]
OUTSIDE = ' "'  # no part of a column's name


class Chunks:
    """The chunks of uploads, in memory."""

    def __init__(self) -> None:
        self.held: dict[str, list[bytes]] = {}

    async def save_chunk(self, upload: str, number: int, sealed: bytes) -> None:
        """In order."""
        assert number == len(self.held.setdefault(upload, []))
        self.held[upload].append(sealed)

    async def delete_chunks(self, upload: str) -> None:
        """All of an upload."""
        self.held.pop(upload, None)


class Door:
    """Uploads, without servers."""

    def __init__(self, max_bytes: int = 10**7) -> None:
        self.chunks, self.desk, self.queued = Chunks(), Desk(), asyncio.Event()
        store, commit = cast("ImportStore", self.chunks), cast("GroupCommit", self.desk)
        self.imports = ImportUseCases(commit, store, Vault({1: b"1" * 32}, b"p" * 32), self.queued, max_bytes)

    async def send(self, text: str | bytes, caller: Caller, size: int = 10**6) -> dict[str, Any]:
        """Upload a file in pieces of this size."""
        content = text if isinstance(text, bytes) else text.encode()

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(content), size):
                yield content[at : at + size]

        return dict(await self.imports.accept_import(pieces(), caller))

    async def refused(self, text: str | bytes, caller: Caller, size: int = 10**6) -> DomainError:
        """Why it isn't taken; nothing of it is left."""
        with pytest.raises(DomainError) as refusal:
            await self.send(text, caller, size)
        assert (self.chunks.held, self.desk.staging.events, self.queued.is_set()) == ({}, [], False)
        return refusal.value


def file(column: str, above: str = "") -> str:
    """A file with one more column."""
    return f"{above}{';'.join(REQUIRED)};{column}\r\n" + ";" * len(REQUIRED) + "2021-01-20\r\n"


@pytest.mark.parametrize("size", [1, 7, 10**6])
@pytest.mark.parametrize("above", ["", *MARKS])
@pytest.mark.parametrize("name", NAMES)
async def test_verifications_are_for_migrators(name: str, above: str, size: int) -> None:
    """However an officer writes the column, whatever stands above it and however the file is cut: refused, by its own name."""
    refusal = await Door().refused(file(name, above), OFFICER, size)
    assert codes(refusal) == [(f"header.{name.strip(OUTSIDE)}", "migrator_only")]
    assert "migrator" in refusal.errors[0].message_id


@pytest.mark.parametrize("above", ["", *MARKS])
async def test_a_migrator_may(above: str) -> None:
    """The import remembers that its uploader may, and who answers for the verifications."""
    door = Door()
    reply = await door.send(file("Verified On", above), MIGRATOR)
    stored = door.desk.get(IMPORTS, reply["import_id"])
    assert (stored["migrator"], stored["by"], reply["state"], door.queued.is_set()) == (True, "user:migrator", "queued", True)
    assert list(door.chunks.held) == [stored["upload"]]


async def test_an_officers_file_without_verifications() -> None:
    """Taken, and marked as one whose uploader may verify nobody; the same file again is the same import, stored once."""
    door = Door()
    first = await door.send(file("email"), OFFICER)
    stored = door.desk.get(IMPORTS, first["import_id"])
    assert (stored["migrator"], stored["by"]) == (False, "user:officer")
    second = await door.send(file("email"), MIGRATOR, size=5)
    assert (first["repeated"], second["repeated"], second["import_id"]) == (False, True, first["import_id"])
    assert list(door.chunks.held) == [stored["upload"]]
    assert door.desk.get(IMPORTS, first["import_id"])["migrator"] is False


async def test_a_failed_import_belongs_to_who_sends_it_again() -> None:
    """A migrator's file failed; whoever brings it again must be allowed to, and answers for it."""
    door = Door()
    first = await door.send(file("verified_on"), MIGRATOR)
    door.desk.give(IMPORTS, **{**door.desk.get(IMPORTS, first["import_id"]), "state": "failed"})
    with pytest.raises(Invalid):
        await door.send(file("verified_on"), OFFICER)
    again = await door.send(file("verified_on"), Caller(id="user:other", roles=frozenset({"migrator"})))
    stored = door.desk.get(IMPORTS, first["import_id"])
    assert (again["import_id"], again["repeated"], stored["by"]) == (first["import_id"], False, "user:other")


@given(st.sampled_from(["", "citizen", "partner", "verifier", "admin", "operator", "MIGRATOR", "migrators", "migrator "]))
async def test_no_other_role_will_do(role: str) -> None:
    """Not the verifier's either: a file would verify ten thousand people without a look at one."""
    caller = Caller(id="user:x", roles=frozenset({"officer", role}))
    assert codes(await Door().refused(file("verified_on"), caller)) == [("header.verified_on", "migrator_only")]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty"),
        (b"\n" * 300_000, "empty"),
        (b";;;;\n" * 60_000, "header_missing"),
        (b"PK\x03\x04" + b"\x00" * 300_000, "workbook"),
        (b"3171014512909001;Melati;1990-12-05;female\r\n" * 3, "header_missing"),
        (b"3171014512909001;Melati;phone;female;Jalan Melati 7", "header_missing"),
        (b"x" * 300_000, "header"),
    ],
    ids=["empty", "line-breaks", "blank-rows", "workbook", "people", "one-person", "a-line"],
)
@pytest.mark.parametrize("size", [9, 1000, 10**6])
async def test_what_is_not_taken(content: bytes, code: str, size: int) -> None:
    """Refused at the door, however it is cut; nothing of it stays, and nobody's data is in what is said."""
    begun = time.process_time()
    refusal = await Door().refused(content, MIGRATOR, size)
    assert time.process_time() - begun < 5  # it isn't looked at from its beginning for every piece
    assert [error.code for error in refusal.errors] == [code]
    assert not any(text in repr(refusal.errors) for text in ("3171", "Melati", "female"))


async def test_a_file_that_is_too_large() -> None:
    """The limit is told in megabytes; the chunks that were stored already are gone."""
    text = file("email") + "x\n" * 600_000
    refusal = await Door(1_000_000).refused(text, OFFICER, 100_000)
    assert isinstance(refusal, TooLarge)
    assert "1 MB" in refusal.message_id
