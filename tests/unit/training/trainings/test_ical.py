"""Trainings as a calendar."""

from __future__ import annotations

from services.training.trainings.ical import calendar_of
from tests.unit.training.world import START, World


def test_a_calendar_line_is_folded_and_escaped() -> None:
    """Commas, semicolons and line ends are text; no line is longer than 75 octets, no character is cut."""
    world = World()
    world.published(title="Kelas; dasar, lanjut", description="Baris satu\nbaris dua " + "é" * 80)
    text = calendar_of([world.training()], START)
    lines = text.split("\r\n")
    assert "SUMMARY:Kelas\\; dasar\\, lanjut" in lines
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "é" * 80 in text.replace("\r\n ", "")
