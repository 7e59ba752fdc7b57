"""Imports as replies: their state, and the refused rows as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Iterator

from chassis.documents import Document
from services.registration.documents import ImportDocument, NotedRow


def shown_import(document: ImportDocument) -> Document:
    """An import as the API's `ImportState`."""
    return {
        "import_id": document["_id"],
        "state": document["state"],
        "rows_total": document["rows_total"],
        "rows_done": document["rows_done"],
        "accepted": document["accepted"],
        "rejected": document["rejected"],
        "warned": document.get("warned", 0),
        "reason": document["reason"],
        "errors": document.get("errors", []),
    }


async def errors_csv(rows: AsyncIterator[NotedRow]) -> AsyncIterator[bytes]:
    """The noted rows as CSV: row, column, code, both texts and the severity. No values: they may be personal data."""
    yield b"row,field,code,message_id,message_en,severity\r\n"
    async for row in rows:
        yield b"".join(_csv_lines(row))


def _csv_lines(row: NotedRow) -> Iterator[bytes]:
    for error in row["errors"]:
        line = io.StringIO()
        told = [error["field"], error["code"], error["message_id"], error["message_en"]]
        csv.writer(line).writerow([row["row"], *told, row.get("severity", "error")])
        yield line.getvalue().encode()
