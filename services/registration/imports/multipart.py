"""The file in an uploaded form, piece by piece as it comes.

Starlette's own parser isn't used: it writes large files to a temporary file, which would hold personal data in the clear.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.exceptions import HTTPException

from services.registration.imports import refusals


async def file_of_form(request: Request) -> AsyncIterator[bytes]:
    """The content of the part `file`. Raises 400 for a form that is broken or cut off, Invalid for one without a file."""
    boundary = parse_options_header(request.headers["content-type"])[1].get(b"boundary")
    if not boundary:
        raise _unreadable()
    try:
        part = _FilePart(boundary)
        async for piece in request.stream():
            for inner in part.feed(piece):
                yield inner
    except FormParserError as error:
        raise _unreadable() from error
    if not part.ended:
        raise _unreadable()
    if not part.found:
        raise refusals.file_missing()


def _unreadable() -> HTTPException:
    return HTTPException(400, "The form can't be read.")


class _FilePart:
    """Finds the one part named `file` that has a filename; a second one is an error."""

    def __init__(self, boundary: bytes) -> None:
        self.found = self.ended = False
        self._wanted = False
        self._name = self._value = self._disposition = b""
        self._pieces: list[bytes] = []
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_end": self._end,
            },
        )

    def feed(self, piece: bytes) -> list[bytes]:
        """The pieces of the file that lie in the next piece of the body."""
        self._parser.write(piece)
        pieces, self._pieces = self._pieces, []
        return pieces

    def _begin(self) -> None:
        self._wanted, self._disposition = False, b""

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def _headers_finished(self) -> None:
        options = parse_options_header(self._disposition)[1]
        self._wanted = options.get(b"name") == b"file" and b"filename" in options
        if self._wanted and self.found:
            raise FormParserError("a second file")
        self.found = self.found or self._wanted

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._wanted:
            self._pieces.append(data[start:end])

    def _end(self) -> None:
        self.ended = True
