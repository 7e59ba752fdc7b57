"""Trainings as iCalendar (RFC 5545), one event for each session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

_OCTETS: Final = 75  # of one line, without its end


def of(trainings: Iterable[Mapping[str, Any]], now: datetime) -> str:
    """The calendar's text."""
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
    """Long lines go on with a blank on the next; never in the middle of a character."""
    part, size = "", 0
    for character in line:
        length = len(character.encode())
        if size + length > _OCTETS:
            yield part
            part, size = " ", 1
        part += character
        size += length
    yield part
