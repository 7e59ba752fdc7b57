"""Imports as replies: their state, and the refused rows as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator

from chassis.documents import Document
from services.registration.documents import ImportDocument, RefusedRow


def shown_import(document: ImportDocument) -> Document:
    """An import as the API's `ImportState`."""
    return {
        "import_id": document["_id"],
        "state": document["state"],
        "rows_total": document["rows_total"],
        "rows_done": document["rows_done"],
        "accepted": document["accepted"],
        "rejected": document["rejected"],
        "reason": document["reason"],
    }


async def errors_csv(rows: AsyncIterator[RefusedRow]) -> AsyncIterator[bytes]:
    """The refused rows as CSV: row, field, code and both texts. No values: they may be personal data."""
    yield b"row,field,code,message_id,message_en\r\n"
    async for row in rows:
        yield b"".join(_csv_lines(row))


def _csv_lines(row: RefusedRow) -> Iterator[bytes]:
    for error in row["errors"]:
        line = io.StringIO()
        csv.writer(line).writerow([row["row"], error["field"], error["code"], error["message_id"], error["message_en"]])
        yield line.getvalue().encode()
