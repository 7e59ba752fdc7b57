"""A file in a form: its bytes come through piece by piece, and nothing of it is written to a disk in the clear."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.exceptions import HTTPException
from starlette.requests import Request

from chassis.errors import Invalid
from services.registration.imports.multipart import file_of_form

FILE = b"nik,name\r\n1,Siti\r\n--b\n" * 3000


def part(name: str, content: bytes, filename: str | None = None) -> bytes:
    """One part of a form."""
    named = f'; filename="{filename}"' if filename else ""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + content + b"\r\n"


def request(body: bytes, size: int, kind: str = "multipart/form-data; boundary=b") -> Request:
    """A request whose body comes in pieces of this size."""
    pieces = iter([body[at : at + size] for at in range(0, len(body), size)])

    async def receive() -> dict[str, Any]:
        piece = next(pieces, None)
        return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

    return Request({"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}, receive)


async def read(pieces: AsyncIterator[bytes]) -> bytes:
    """All of it."""
    return b"".join([piece async for piece in pieces])


@pytest.mark.parametrize("size", [7, 1000, 10**9])
async def test_a_file_comes_through(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the body is cut, with fields before and after; no temporary file is made."""
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", None)
    body = part("note", b"x") + part("file", FILE, "a.csv") + part("other", b"y", "b.csv") + b"--b--\r\n"
    assert await read(file_of_form(request(body, size))) == FILE


@pytest.mark.parametrize(
    "body",
    [b"", b"x", part("file", FILE, "a.csv"), (part("file", b"x", "a.csv") * 2) + b"--b--\r\n", b"--b\r\nrubbish\r\n\r\n--b--"],
    ids=["empty", "rubbish", "cut-off", "two-files", "bad-header"],
)
async def test_a_broken_form(body: bytes) -> None:
    """Refused with 400: half a file must not become an import."""
    with pytest.raises(HTTPException) as refusal:
        await read(file_of_form(request(body, 1000)))
    assert refusal.value.status_code == 400


async def test_a_form_without_boundary() -> None:
    """Refused with 400."""
    with pytest.raises(HTTPException):
        await read(file_of_form(request(b"x", 10, "multipart/form-data")))


async def test_a_form_without_a_file() -> None:
    """A field of that name is no file."""
    with pytest.raises(Invalid):
        await read(file_of_form(request(part("file", b"x") + b"--b--\r\n", 1000)))
