"""Trainings as an iCalendar (RFC 5545), one VEVENT for each session. The revision is its SEQUENCE (RFC 5545, 3.8.7.4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Final

from services.training.documents import Training

_OCTETS: Final = 75  # longest line without its CRLF (RFC 5545, 3.1)


def calendar_of(trainings: Iterable[Training], now: datetime) -> str:
    """The calendar's text; `now` is its DTSTAMP."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Jakpreneur//Trainings//ID", "X-WR-CALNAME:Pelatihan Jakpreneur"]
    for training in trainings:
        for number, session in enumerate(training["sessions"], start=1):
            lines += [
                "BEGIN:VEVENT",
                f"UID:{training['_id']}-{number}@jakpreneur",
                f"DTSTAMP:{_utc(now)}",
                f"SEQUENCE:{training['revision']}",
                f"DTSTART:{_utc(session['starts_at'])}",
                f"DTEND:{_utc(session['ends_at'])}",
                f"SUMMARY:{_escaped(training['title'])}",
                f"DESCRIPTION:{_escaped(training['description'])}",
                f"LOCATION:{_escaped(session['place'])}",
                "END:VEVENT",
            ]
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _escaped(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _folded(line: str) -> Iterator[str]:
    """Fold a long line: each continuation begins with a blank, and no character is split between two lines."""
    part, size = "", 0
    for character in line:
        length = len(character.encode())
        if size + length > _OCTETS:
            yield part
            part, size = " ", 1
        part += character
        size += length
    yield part
